"""Turns results into messages, and back; nothing else knows how a result stands in a message.

``{"provenance": {...}, "width": 2, "counts": {"00": 493, "11": 507}}`` is a message. It has one optional field for each
class of results, and exactly one of these fields is there. In MessagePack the message is the same, but for values that
are arrays: these are bytes, with their type and their shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.arrays import Buffer, packed_parts
from gateway.counts import KINDS
from gateway.protocol.encodings import Encoding
from gateway.provenance import Provenance
from gateway.results import Result

_values: Callable[[object], tuple[Any, ...]] = attrgetter(*KINDS)
"""Returns the values of a message in the order of the kinds, ``None`` where there is none."""

_LEFT_OUT = msgspec.Raw(b"")
"""Stands for a value that is written after the rest of its message."""

if TYPE_CHECKING:

    class ResultMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
        """A result as it stands in a message."""

        provenance: Provenance
        width: int

    class PackedResult(ResultMessage, frozen=True, kw_only=True, omit_defaults=True):
        """A result as it stands in a message in MessagePack."""

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

    def _message(name: str, types: dict[str, type]) -> type[msgspec.Struct]:
        """Return the type of a message; the value is the last of its fields."""
        return msgspec.defstruct(
            name,
            [
                ("provenance", Provenance),
                ("width", int),
                *[(kind, value_type | None, None) for kind, value_type in types.items()],
            ],
            namespace={"__doc__": _DESCRIPTION, "__post_init__": _check},
            module=__name__,
            frozen=True,
            kw_only=True,
            omit_defaults=True,
        )

    ResultMessage = _message("Result", {kind: kept.wire_type for kind, kept in KINDS.items()})
    PackedResult = _message("PackedResult", {kind: kept.packed_type for kind, kept in KINDS.items()})


def message_of(result: Result) -> ResultMessage:
    """Return the message of a result."""
    return _with_value(ResultMessage, result, result.to_wire())


def parts_of(result: Result, encoding: Encoding) -> Iterator[Buffer]:
    """Yield the message of a result as it is written: large arrays are not copied, and large text comes in pieces."""
    if encoding is Encoding.MSGPACK:
        value = result.to_packed()
        if isinstance(value, msgspec.Struct):
            yield msgspec.msgpack.encode(_with_value(PackedResult, result, _LEFT_OUT))
            yield from packed_parts(value)
        else:
            yield msgspec.msgpack.encode(_with_value(PackedResult, result, value))
        return
    pieces = result.json_pieces()
    if pieces is None:
        yield msgspec.json.encode(message_of(result))
        return
    frame = msgspec.json.encode(_with_value(ResultMessage, result, _LEFT_OUT))
    yield frame[:-1]
    yield from pieces
    yield frame[-1:]


def _with_value(kind: type[ResultMessage], result: Result, value: Any) -> ResultMessage:  # noqa: ANN401 - of any kind
    return kind(provenance=result.provenance, width=result.width, **{result.kind: value})  # type: ignore[arg-type]


def result_of(message: ResultMessage) -> Result:
    """Return the result in a message.

    Raises:
        ValueError: the parts of its value do not fit together.
    """
    is_packed = isinstance(message, PackedResult)
    for kind, result_class in KINDS.items():
        value = getattr(message, kind)
        if value is not None:
            read = result_class.from_packed if is_packed else result_class.from_wire
            return read(value, message.width, message.provenance)
    raise AssertionError("a message with no value is not decoded")
