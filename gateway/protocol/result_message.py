"""Turns results into messages, and back; nothing else knows how a result stands in a message.

``{"provenance": {...}, "width": 2, "counts": {"00": 493, "11": 507}}`` is a message. It has one optional field for each
class of results, and exactly one of these fields is there.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.counts import KINDS
from gateway.provenance import Provenance
from gateway.results import Result

_values: Callable[[object], tuple[Any, ...]] = attrgetter(*KINDS)
"""Returns the values of a message in the order of the kinds, ``None`` where there is none."""

if TYPE_CHECKING:

    class ResultMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
        """A result as it stands in a message."""

        provenance: Provenance
        width: int

else:
    _DESCRIPTION = "\n".join(
        [
            "The outcome of one circuit: exactly one value, in the field named for what it is.",
            "",
            "width: number of clbits, the length of every bitstring.",
            "provenance: where it comes from.",
            *(f"{kind}: {str(kept.to_wire.__doc__).removeprefix('Return ')}" for kind, kept in KINDS.items()),
        ]
    )

    def _check(self: ResultMessage) -> None:
        if _values(self).count(None) != len(KINDS) - 1:
            raise ValueError(f"a result has exactly one of {', '.join(KINDS)}")

    ResultMessage = msgspec.defstruct(
        "Result",
        [
            ("provenance", Provenance),
            ("width", int),
            *[(kind, result_class.wire_type | None, None) for kind, result_class in KINDS.items()],
        ],
        namespace={"__doc__": _DESCRIPTION, "__post_init__": _check},
        module=__name__,
        frozen=True,
        kw_only=True,
        omit_defaults=True,
    )


def message_of(result: Result) -> ResultMessage:
    """Return the message of a result."""
    return ResultMessage(provenance=result.provenance, width=result.width, **{result.kind: result.to_wire()})  # type: ignore[arg-type]


def result_of(message: ResultMessage) -> Result:
    """Return the result in a message."""
    for kind, result_class in KINDS.items():
        value = getattr(message, kind)
        if value is not None:
            return result_class.from_wire(value, message.width, message.provenance)
    raise AssertionError("a message with no value is not decoded")
