"""What the holder of a token may do."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import RequestError


class Right(StrEnum):
    """A right of a token; none includes another."""

    RUN = "run"
    """Run circuits on simulators: runs and jobs."""
    COMPARE = "compare"
    """Have simulators compared, and cancel one's own comparisons."""
    ADMIN = "admin"
    """See and cancel everybody's comparisons, and read the metrics of the door."""


ALL_RIGHTS = frozenset(Right)
"""The rights of everybody where nobody needs a token."""

USUAL_RIGHTS = frozenset({Right.RUN, Right.COMPARE})
"""The rights of a token that lists none."""


def parse_rights(text: str) -> frozenset[Right]:
    """Return the rights in a list such as ``run,compare``.

    Raises:
        RequestError: there is no such right.
    """
    names = [name.strip() for name in text.split(",")]
    unknown = next((name for name in names if name not in ALL_RIGHTS), None)
    if unknown is not None:
        raise RequestError(f"there is no right named {unknown!r:.40}: rights are {', '.join(Right)}", field="rights")
    return frozenset(map(Right, names))


def write_rights(rights: frozenset[Right]) -> str:
    """Return rights as a list such as ``run,compare``, in the order in which they are declared."""
    return ",".join(right for right in Right if right in rights)
