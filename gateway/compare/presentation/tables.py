"""The tables of a report as text: one line for each simulator, the tests, the times. Each medium draws them its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gateway.compare.record import Case, Record, Row, Spread, Test
from gateway.compare.verdict import Standing, message_of, standing
from gateway.look import numbers

STAGES = ("queue", "parse", "build", "run", "sample", "transfer")
"""The stages of a run in the order of time; ``total`` is all of them."""

TEST_NAMES = {
    "shots": "number of shots",
    "support": "impossible outcomes",
    "goodness-of-fit": "goodness of fit",
    "weighted-goodness-of-fit": "goodness of fit, weighted",
    "cross-entropy": "cross entropy",
    "single-outcome": "worst single outcome",
    "clbit": "worst clbit",
    "clbit-pair": "worst pair of clbits",
    "parity": "parity",
    "same-seed": "same seed, same counts",
    "two-seeds": "two seeds, two counts",
    "two-runs": "two runs, two counts",
}

N = TypeVar("N", int, float)

_YES_OR_NO = ("same-seed", "two-seeds", "two-runs")


@dataclass(frozen=True, slots=True)
class SimulatorLine:
    """One simulator, as text; what is not known is empty.

    Args:
        names: by which the caller listed it; several, if they failed for one reason.
        version: of its framework, if it is one.
        standing: what it amounts to.
        says: the standing in words.
        distance: from the reference.
        p: the smallest corrected p-value.
        exact: the largest difference of exact probabilities.
        time: of one run, the median.
        memory: the peak of the run.
        reasons: why it failed, or what else is to be said of it; they stand beneath the line.
        message: the whole message of its error, if the sentences do not say all of it.
    """

    names: tuple[str, ...]
    version: str
    standing: Standing
    says: str
    distance: str
    p: str
    exact: str
    time: str
    memory: str
    reasons: tuple[str, ...]
    message: str


def simulators(case: Case, *, shared: bool = True) -> list[SimulatorLine]:
    """Return a line for each simulator, in the caller's order.

    Args:
        case: the circuit.
        shared: whether those that failed for one reason share the line of the first.
    """
    if not shared:
        return [_simulator(row, (row.simulator,)) for row in case.rows]
    names: dict[tuple[object, ...], list[str]] = {}
    first: list[tuple[tuple[object, ...], Row]] = []
    for row in case.rows:
        key = (row.error,) if row.error else (row.error, row.simulator)
        if key not in names:
            first.append((key, row))
        names.setdefault(key, []).append(row.simulator)
    return [_simulator(row, tuple(names[key])) for key, row in first]


def _simulator(row: Row, names: tuple[str, ...]) -> SimulatorLine:
    reason, message = _reason(row)
    total = row.timings.get("total")
    return SimulatorLine(
        names=names,
        version=row.version if len(names) == 1 else "",
        standing=standing(row),
        says=says(row),
        distance="" if row.distance is None else numbers.distance(row.distance),
        p="" if row.p_value is None else numbers.p_value(row.p_value),
        exact="" if row.exact_difference is None else numbers.exact_difference(row.exact_difference),
        time="" if total is None else numbers.seconds(total.median, numbers.NO_BREAK),
        memory="" if row.peak_memory_bytes is None else numbers.mebibytes(row.peak_memory_bytes, numbers.NO_BREAK),
        reasons=tuple(filter(None, (reason, *row.notes, _state_vector(row)))),
        message=message,
    )


def totals(record: Record) -> list[SimulatorLine]:
    """Return a line for each simulator that sums up all circuits: how many differ, and the largest of each number."""
    rows: dict[str, list[Row]] = {}
    for row in record.rows:
        rows.setdefault(row.simulator, []).append(row)
    return [_total(name, of, len(record.cases)) for name, of in rows.items()]


def _total(name: str, rows: Sequence[Row], circuits: int) -> SimulatorLine:
    counts = Counter(map(standing, rows))
    worst = next(found for found in _WORST_FIRST if found in counts)
    versions = dict.fromkeys(row.version for row in rows if row.version)
    seconds = [row.timings["total"].median for row in rows if "total" in row.timings]
    return SimulatorLine(
        names=(name,),
        version=", ".join(versions),
        standing=worst,
        says=f"{worst} on {numbers.integer(counts[worst])} of {numbers.integer(circuits)}",
        distance=_most([row.distance for row in rows], numbers.distance),
        p=_most([None if row.p_value is None else -row.p_value for row in rows], lambda p: numbers.p_value(-p)),
        exact=_most([row.exact_difference for row in rows], numbers.exact_difference),
        time=numbers.seconds(sum(seconds), numbers.NO_BREAK) if seconds else "",
        memory=_most([row.peak_memory_bytes for row in rows], lambda size: numbers.mebibytes(size, numbers.NO_BREAK)),
        reasons=(),
        message="",
    )


def _most(values: Iterable[N | None], written: Callable[[N], str]) -> str:
    """Return the largest of the values that are known."""
    known = [value for value in values if value is not None]
    return written(max(known)) if known else ""


_WORST_FIRST = (
    Standing.DIFFERS,
    Standing.UNDECIDED,
    Standing.FAILED,
    Standing.REFUSED,
    Standing.UNFINISHED,
    Standing.FINISHED,
    Standing.AGREES,
)


@dataclass(frozen=True, slots=True)
class SimulatorColumn:
    """A column of numbers in the table of simulators.

    Args:
        head: its head.
        evidence: whether it is about the verdict, and so stands out where that is a difference.
        of: returns the text of a line.
    """

    head: str
    evidence: bool
    of: Callable[[SimulatorLine], str]


COLUMNS = (
    SimulatorColumn("distance", True, lambda line: line.distance),
    SimulatorColumn("p", True, lambda line: line.p),
    SimulatorColumn("exact diff.", True, lambda line: line.exact),
    SimulatorColumn("time", False, lambda line: line.time),
    SimulatorColumn("memory", False, lambda line: line.memory),
)


def filled(lines: Sequence[SimulatorLine]) -> list[SimulatorColumn]:
    """Return the columns of numbers in which any of the lines has one."""
    return [column for column in COLUMNS if any(map(column.of, lines))]


def says(row: Row) -> str:
    """Return what a simulator amounts to, in words."""
    found = standing(row)
    return f"group {row.group + 1}" if found is Standing.UNDECIDED and row.group is not None else found.value


_LONGEST_REASON = 200


def _reason(row: Row) -> tuple[str, str]:
    """Return why a simulator failed as one line, and the whole message if that line does not say all of it."""
    if not row.error:
        return "", ""
    kind = row.error.partition(": ")[0]
    first = message_of(row.error, row.simulator).partition("\n")[0]
    if len(first) > _LONGEST_REASON:
        first = f"{first[:_LONGEST_REASON]}…"
    whole = row.error.strip()
    return first, "" if whole in {first, f"{kind}: {first}", f"{kind}: {row.simulator} failed: {first}"} else whole


def _state_vector(row: Row) -> str:
    """Return what is to be said of the state vector of a circuit without measurement."""
    if row.fidelity is not None and row.fidelity < 1 - _ROUNDING:
        return f"its state vector has a fidelity of {row.fidelity:.6g} with the reference's"
    if row.global_phase is not None and abs(row.global_phase) > _ROUNDING:
        return f"its state vector has a global phase of {numbers.angle(row.global_phase)}, which no measurement shows"
    return ""


_ROUNDING = 1e-6
"""A fidelity or a phase closer than this to the right one may be so by the single precision of a state vector."""


# ---------------------------------------------------------------- tests


@dataclass(frozen=True, slots=True)
class TestLine:
    """One test.

    Args:
        name: what it looks at.
        cells: for each simulator that was tested the result as text, and whether it is striking.
    """

    name: str
    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class TestTable:
    """All tests of all simulators.

    Args:
        simulators: the columns.
        lines: the rows.
        number: how many tests there were.
        points: sentences that say where striking tests point.
    """

    simulators: tuple[str, ...]
    lines: tuple[TestLine, ...]
    number: int
    points: tuple[str, ...]


def tests(case: Case, rate: float) -> TestTable:
    """Return the tests of a circuit; a p-value at most ``rate`` is striking."""
    rows = [row for row in case.rows if row.tests]
    names = dict.fromkeys([*TEST_NAMES, *(test.name for row in rows for test in row.tests)])
    lines = []
    for name in names:
        found = [[test for test in row.tests if test.name == name] for row in rows]
        if any(found):
            lines.append(TestLine(TEST_NAMES.get(name, name), tuple(_test(tests, rate) for tests in found)))
    points = [
        f"{row.simulator}{_than(test)}: {TEST_NAMES.get(test.name, test.name)}: {test.points_at}"
        for row in rows
        for test in row.tests
        if test.p_value <= rate and test.points_at and standing(row) is Standing.DIFFERS
    ]
    number = sum(len(row.tests) for row in rows)
    return TestTable(tuple(row.simulator for row in rows), tuple(lines), number, tuple(points))


def _than(test: Test) -> str:
    return f" and {test.other}" if test.other else ""


def _test(tests: Sequence[Test], rate: float) -> tuple[str, bool]:
    """Return the most striking of a simulator's tests of one name."""
    if not tests:
        return "", False
    test = min(tests, key=lambda test: test.p_value)
    striking = test.p_value <= rate
    if test.name in _YES_OR_NO:
        return "no" if striking else "yes", striking
    if test.name in {"support", "shots"}:
        return numbers.integer(round(test.statistic)), striking
    return numbers.p_value(test.p_value), striking


# ---------------------------------------------------------------- times


@dataclass(frozen=True, slots=True)
class TimeLine:
    """The times of one simulator.

    Args:
        name: the simulator.
        stages: the time of each stage as text.
        total: that of the whole run.
        spread: the shortest and the longest run as text; empty if there was only one.
        seconds: the whole run.
    """

    name: str
    stages: tuple[str, ...]
    total: str
    spread: str
    seconds: Spread


@dataclass(frozen=True, slots=True)
class TimeTable:
    """The times of all simulators.

    Args:
        unit: ``ms`` or ``s``.
        stages: the columns before the total; stages that no simulator tells are left out.
        lines: the rows.
        longest: the longest run, in seconds; where the scale of bars ends.
    """

    unit: str
    stages: tuple[str, ...]
    lines: tuple[TimeLine, ...]
    longest: float


def times(case: Case) -> TimeTable:
    """Return the times of a circuit; those of simulators that did not finish are absent."""
    rows = [row for row in case.rows if "total" in row.timings]
    longest = max([row.timings["total"].highest for row in rows], default=0.0)
    unit, factor = ("s", 1.0) if longest >= 1 else ("ms", 1e3)
    decimals = 0 if factor * longest >= 1_000 else 1 if factor * longest >= 1 else 3  # noqa: PLR2004 - digits

    def text(seconds: float) -> str:
        return f"{factor * seconds:,.{decimals}f}"

    stages = tuple(stage for stage in STAGES if any(stage in row.timings for row in rows))
    lines = []
    for row in rows:
        total = row.timings["total"]
        each = tuple(text(row.timings[stage].median) if stage in row.timings else "" for stage in stages)
        spread = f"{text(total.lowest)} to {text(total.highest)}" if total.lowest < total.highest else ""
        lines.append(TimeLine(row.simulator, each, text(total.median), spread, total))
    return TimeTable(unit, stages, tuple(lines), longest)
