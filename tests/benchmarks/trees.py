"""Measures whether a checkout is slower than another: ``scripts/bench --against CHECKOUT``.

Each benchmark runs in turns in both checkouts (A B A B ...), each time with that checkout's own
command and environment. Of every figure the smallest of its rounds counts, ours and the one it is
compared with alike, so that the change is a ratio of two ratios and the machine's mood cancels out.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from measuring import Row

SLOWER_AT_MOST = 1.05
"""By how much a row may have become slower."""

_MEASURED = re.compile(r" \([^)]*\)$|^\d+ (?=MB)")
"""The part of a case that is a figure of the run, and another one next time."""

HERE = Path(__file__).resolve().parents[2]

Key = tuple[str, str]
"""Benchmark and case."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One figure in both checkouts.

    Args:
        benchmark: its name.
        case: what was measured.
        there: the smallest ratio of the other checkout; ``None`` where it has no such row.
        here: that of this one; ``None`` where it could not be measured.
        is_ratio: whether the two are ratios; seconds alone follow the machine's mood and are only shown.
    """

    benchmark: str
    case: str
    there: float | None
    here: float | None
    is_ratio: bool

    @property
    def factor(self) -> float | None:
        """How many times as long it takes here."""
        return None if self.there is None or self.here is None else self.here / self.there

    @property
    def verdict(self) -> str:
        """Return ``holds`` or ``slower``, ``failed`` where only the other has it, ``new`` where only this one."""
        if self.here is None:
            return "failed"
        if not self.is_ratio:
            return ""
        if self.factor is None:
            return "new"
        return "holds" if self.factor <= SLOWER_AT_MOST else "slower"


def compare_with(other: Path, names: Iterable[str], *, rounds: int, options: Sequence[str]) -> Iterator[Change]:
    """Yield the changes of each benchmark.

    Args:
        other: the other checkout.
        names: of the benchmarks.
        rounds: how often each runs in each checkout.
        options: passed on to both commands, such as ``--quick``.
    """
    for name in names:
        there: list[Row] = []
        here: list[Row] = []
        for _ in range(rounds):
            there += _measured(other, name, options)
            here += _measured(HERE, name, options)
        before, now = _smallest(there), _smallest(here)
        ratios = {_key(row) for row in here if row.other_s is not None}
        for key in dict.fromkeys([*before, *now]):
            benchmark, case = key
            yield Change(
                benchmark=benchmark, case=case, there=before.get(key), here=now.get(key), is_ratio=key in ratios
            )


def _measured(checkout: Path, name: str, options: Sequence[str]) -> list[Row]:
    """Run one benchmark in a checkout; a benchmark that it does not know has no rows."""
    command = [str(checkout / "scripts" / "bench"), "--json", "--only", name, *options]
    finished = subprocess.run(command, cwd=checkout, capture_output=True, check=False)
    try:
        return msgspec.convert(msgspec.json.decode(finished.stdout)["rows"], list[Row])
    except msgspec.DecodeError:
        return []


def _key(row: Row) -> Key:
    return row.benchmark, _MEASURED.sub("", row.case)


def _smallest(rows: Iterable[Row]) -> dict[Key, float]:
    """Return the ratio of the smallest times of each row, or its smallest time where it stands alone."""
    ours: dict[Key, float] = {}
    others: dict[Key, float] = {}
    for row in rows:
        if row.ours_s is None:
            continue
        key = _key(row)
        ours[key] = min(row.ours_s, ours.get(key, row.ours_s))
        if row.other_s is not None:
            others[key] = min(row.other_s, others.get(key, row.other_s))
    return {key: seconds / others.get(key, 1.0) for key, seconds in ours.items()}
