"""The matrix of outcomes: which rows and columns it has, and what stands in its cells, whatever it is drawn with.

Rows are outcomes. Where more than 16 have probability or shots, those that differ come first, then the most likely,
and a last row sums up the others. Where single outcomes say nothing, because none was seen five times, rows are clbits.

Columns are the simulators, up to six of them side by side. Of more, those that agree share a column, as they always do
in a narrow place. Without a reference the columns are the groups of simulators whose samples agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from gateway.compare.presentation import chance
from gateway.compare.presentation.chance import Numbers
from gateway.compare.record import Case, Row
from gateway.compare.statistics.outcomes import Distribution, Sample, bits_of_codes
from gateway.compare.verdict import Standing, standing
from gateway.look.outcomes import ALL_UP_TO, rest, scale_end, shown

SIDE_BY_SIDE = 6
"""Up to so many simulators have a column each."""

DIFFERING = 8
"""So many rows at most are given to outcomes because they differ, if not all outcomes are shown."""

CLBITS = 8
"""So many clbits are shown at most."""

OFTEN = 5
"""Single outcomes say something once one was seen so often by any simulator."""

NEGLIGIBLE = 1e-12
"""An outcome of this probability is nobody's peak: it is shown only if it was seen."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one simulator, or a group of them, did at one row.

    Args:
        share: the share of the shots, from 0 to 1; of a group, the mean.
        lowest: the lowest share in the group.
        highest: the highest share in the group.
        chance: from where to where chance alone may lead one simulator; ``None`` without a reference.
        differs: whether this is outside of chance, and the simulator differs as a whole.
    """

    share: float
    lowest: float
    highest: float
    chance: tuple[float, float] | None = None
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One simulator, or several that agree.

    Args:
        title: the name of the simulator, or how many agree.
        names: the simulators, in the caller's order.
        differs: whether it differs as a whole.
        cells: one for each row of the matrix; none of a simulator that has not run yet.
        others: outcomes: the share of the shots in the rows that are left out; clbits: their largest deviation.
    """

    title: str
    names: tuple[str, ...]
    differs: bool
    cells: tuple[Cell, ...]
    others: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """All that is drawn of the outcomes, or of the clbits, of one circuit.

    Args:
        labels: the bitstrings, or the numbers of the clbits, from top to bottom.
        of_clbits: whether rows are clbits; shares are then those of the shots in which the clbit is 1.
        expected: the probability of each row by the reference; ``None`` without one.
        columns: from left to right.
        grouped: the same with all that agree in one column, for a narrow place.
        each: the same with a column for each simulator, for a place that scrolls; while simulators run, also for those
            that have not.
        differing: how many of the first rows are there because somebody differs; 0 where all outcomes are shown.
        others: the number of outcomes or clbits that are left out.
        others_expected: the probability of the outcomes that are left out.
        total: the number of outcomes with probability or shots, or of clbits.
        end: where the scale of all bars ends, as a share of 1; for clbits that of the deviation to each side.
        seen: the number of outcomes that any simulator saw.
        most: how often the outcome that was seen most was seen.
    """

    labels: tuple[str, ...] | tuple[int, ...]
    of_clbits: bool
    expected: tuple[float, ...] | None
    columns: tuple[Column, ...]
    grouped: tuple[Column, ...]
    each: tuple[Column, ...]
    differing: int
    others: int
    others_expected: float
    total: int
    end: float
    seen: int
    most: int

    def together(self) -> Matrix:
        """Return the matrix in which all that agree share a column, however few they are."""
        return replace(self, columns=self.grouped)


def matrix(case: Case, rate: float, *, single: bool = False) -> Matrix | None:
    """Return the matrix of a circuit; ``None`` if no simulator has counts.

    It takes a second or two for a million outcomes.

    Args:
        case: the circuit.
        rate: how probable it may be that chance marks anything of a simulator that is right.
        single: whether rows are outcomes even where single ones say nothing.
    """
    rows = [row for row in case.rows if row.counts]
    if not rows:
        return None
    values = _values(case, rows)
    if not single and case.num_clbits and len(values) > ALL_UP_TO and max(map(_most, rows)) < OFTEN:
        return _of_clbits(case, rows, rate)
    return _of_outcomes(case, rows, rate, values)


def against(row: Row, probabilities: Mapping[str, float], labels: Sequence[str], rate: float) -> Matrix:
    """Return the matrix of one simulator against any distribution, for given outcomes: a likely cause is drawn so.

    Args:
        row: the simulator, which has counts.
        probabilities: bitstring -> probability; what is absent never happens.
        labels: the outcomes to show.
        rate: as for :func:`matrix`, divided by the number of all outcomes.
    """
    standard = _Standard(_picked(probabilities, labels), None, 0, rate)
    column = _column(_Group(row.simulator, (row,), True), standard, lambda of: _picked(of.counts, labels), 0.0)
    return Matrix(
        labels=tuple(labels),
        of_clbits=False,
        expected=standard.expected,
        columns=(column,),
        grouped=(column,),
        each=(column,),
        differing=0,
        others=0,
        others_expected=0.0,
        total=len(labels),
        end=_end([column], standard),
        seen=len(row.counts),
        most=_most(row),
    )


# ---------------------------------------------------------------- columns


@dataclass(frozen=True, slots=True)
class _Group:
    """The simulators of one column."""

    title: str
    rows: tuple[Row, ...]
    differs: bool = False


def _side_by_side(case: Case, rows: Sequence[Row]) -> list[_Group]:
    if not case.reference.probabilities or len(rows) > SIDE_BY_SIDE:
        return _groups(rows)
    return _each(rows)


def _each(rows: Iterable[Row]) -> list[_Group]:
    return [_Group(row.simulator, (row,), standing(row) is Standing.DIFFERS) for row in rows]


def _with_late(case: Case, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of single simulators with empty ones for those that have not run while others have."""
    if not any(standing(row) is Standing.FINISHED for row in case.rows):
        return tuple(columns)
    known = {column.title: column for column in columns}
    late = {row.simulator for row in case.rows if standing(row) is Standing.UNFINISHED}
    names = [row.simulator for row in case.rows if row.simulator in {*known, *late}]
    return tuple([known.get(name) or Column(name, (name,), False, (), 0.0) for name in names])


def _groups(rows: Sequence[Row]) -> list[_Group]:
    agreeing = tuple(_agreeing(rows))
    title = agreeing[0].simulator if len(agreeing) == 1 else _together(agreeing)
    groups = [_Group(title, agreeing)] if agreeing else []
    undecided: dict[int | None, list[Row]] = {}
    for row in rows:
        if standing(row) is Standing.UNDECIDED:
            undecided.setdefault(row.group, []).append(row)
    for number, members in undecided.items():
        groups.append(_Group("undecided" if number is None else f"group {number + 1}", tuple(members)))
    return groups + [_Group(row.simulator, (row,), True) for row in rows if standing(row) is Standing.DIFFERS]


def _together(rows: Sequence[Row]) -> str:
    return f"{len(rows)} {'agree' if rows and standing(rows[0]) is Standing.AGREES else 'have finished'}"


def _agreeing(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that agree; while simulators run, all that have finished stand together."""
    return [row for row in rows if standing(row) in {Standing.AGREES, Standing.FINISHED}]


# ---------------------------------------------------------------- what a simulator is held to


@dataclass(frozen=True, slots=True)
class _Standard:
    """What the simulators are held to at each row: the reference, else the counts of those that agree, else nothing.

    Args:
        probabilities: by the reference.
        pooled: the counts of all that agree.
        shots: their number.
        rate: how probable it may be that chance marks one row of one simulator.
    """

    probabilities: Numbers | None
    pooled: Numbers | None
    shots: int
    rate: float

    @property
    def expected(self) -> tuple[float, ...] | None:
        """The probabilities by the reference."""
        return None if self.probabilities is None else tuple(self.probabilities.tolist())

    def middle(self) -> Numbers | None:
        """Return the share that is right for each row, as far as it is known."""
        if self.probabilities is not None:
            return self.probabilities
        return None if self.pooled is None else self.pooled / self.shots

    def marked(self, counts: Numbers, shots: int) -> NDArray[np.bool_]:
        """Return at which rows counts are outside of chance."""
        if self.probabilities is not None:
            return chance.outside(counts, shots, self.probabilities, self.rate)
        if self.pooled is not None:
            return chance.apart(counts, shots, self.pooled, self.shots, self.rate)
        return np.zeros(len(counts), dtype=bool)

    def chances(self, shots: int, size: int) -> list[tuple[float, float] | None]:
        """Return from where to where chance may lead at each row; ``None`` without a reference."""
        if self.probabilities is None:
            return [None] * size
        low, high = chance.interval(self.probabilities, shots, self.rate)
        return list(zip(low.tolist(), high.tolist(), strict=True))


def _standard(
    probabilities: Numbers | None, rows: Sequence[Row], counts_of: Callable[[Row], Numbers], rate: float
) -> _Standard:
    agreeing = [] if probabilities is not None else _agreeing(rows)
    pooled = np.sum([counts_of(row) for row in agreeing], axis=0) if agreeing else None
    return _Standard(probabilities, pooled, sum(map(_shots, agreeing)), rate)


def _column(group: _Group, standard: _Standard, counts_of: Callable[[Row], Numbers], others: float) -> Column:
    counts, shots = [counts_of(row) for row in group.rows], [_shots(row) for row in group.rows]
    shares = np.array([part / number for part, number in zip(counts, shots, strict=True)])
    marks = standard.marked(counts[0], shots[0]) if group.differs else np.zeros(shares.shape[1], dtype=bool)
    chances = standard.chances(min(shots), shares.shape[1])
    cells = zip(shares.mean(axis=0), shares.min(axis=0), shares.max(axis=0), chances, marks, strict=True)
    return Column(
        title=group.title,
        names=tuple(row.simulator for row in group.rows),
        differs=group.differs,
        cells=tuple(
            Cell(float(mean), float(low), float(high), may, bool(mark)) for mean, low, high, may, mark in cells
        ),
        others=others,
    )


# ---------------------------------------------------------------- rows: outcomes


def _values(case: Case, rows: Iterable[Row]) -> dict[str, float]:
    """Return the probability of every outcome that has probability or shots; without a reference its mean share."""
    known = case.reference.probabilities
    if known:
        if min(known.values()) <= NEGLIGIBLE:
            known = {bits: value for bits, value in known.items() if value > NEGLIGIBLE}
        return dict.fromkeys(chain.from_iterable(row.counts for row in rows), 0.0) | known
    values: dict[str, float] = {}
    for row in rows:
        shots = _shots(row)
        for bits, number in row.counts.items():
            values[bits] = values.get(bits, 0.0) + number / shots
    return values


def _of_outcomes(case: Case, rows: Sequence[Row], rate: float, values: dict[str, float]) -> Matrix:
    each = rate / len(values)
    first = _most_different(case, rows, list(values), each) if len(values) > ALL_UP_TO else []
    chosen = shown(values, first=first)
    labels, probabilities = chosen.bitstrings, case.reference.probabilities
    standard = _outcome_standard(case, rows, labels, each)
    others = {row.simulator: rest(row.counts, labels) / _shots(row) for row in rows}

    def column(group: _Group) -> Column:
        mean = sum(others[row.simulator] for row in group.rows) / len(group.rows)
        return _column(group, standard, lambda row: _picked(row.counts, labels), mean)

    columns = tuple(map(column, _side_by_side(case, rows)))
    return Matrix(
        labels=tuple(labels),
        of_clbits=False,
        expected=standard.expected,
        columns=columns,
        grouped=tuple(map(column, _groups(rows))),
        each=_with_late(case, list(map(column, _each(rows)))),
        differing=len(first),
        others=chosen.others,
        others_expected=rest(probabilities, labels) if probabilities else 0.0,
        total=len(values),
        end=_end(columns, standard),
        seen=_seen(rows),
        most=max(map(_most, rows)),
    )


def _outcome_standard(case: Case, rows: Sequence[Row], outcomes: Sequence[str], rate: float) -> _Standard:
    known = case.reference.probabilities
    return _standard(_picked(known, outcomes) if known else None, rows, lambda row: _picked(row.counts, outcomes), rate)


def _most_different(case: Case, rows: Sequence[Row], outcomes: Sequence[str], rate: float) -> list[str]:
    """Return the outcomes at which anybody who differs is outside of chance, the largest difference first."""
    differing = [row for row in rows if standing(row) is Standing.DIFFERS]
    standard = _outcome_standard(case, rows, outcomes, rate) if differing else None
    middle = standard.middle() if standard else None
    if standard is None or middle is None:
        return []
    largest = np.zeros(len(outcomes))
    for row in differing:
        counts, shots = _picked(row.counts, outcomes), _shots(row)
        off = np.abs(counts / shots - middle)
        largest = np.maximum(largest, np.where(standard.marked(counts, shots), off, 0))
    order = np.argsort(-largest, kind="stable")[:DIFFERING]
    return [outcomes[place] for place in order.tolist() if largest[place] > 0]


# ---------------------------------------------------------------- rows: clbits


def _of_clbits(case: Case, rows: Sequence[Row], rate: float) -> Matrix:
    width, known = case.num_clbits, case.reference.probabilities
    ones = {row.simulator: _ones(Sample.of(row.counts, width)) for row in rows}
    probabilities = _probabilities_of_ones(Distribution.of(known, width)) if known else None
    standard = _standard(probabilities, rows, lambda row: ones[row.simulator], rate / width)

    def columns(groups: Iterable[_Group]) -> list[Column]:
        return [_column(group, standard, lambda row: ones[row.simulator], 0.0) for group in groups]

    every = columns(_side_by_side(case, rows))
    order = _striking_first(every, standard.middle())
    chosen = order[:CLBITS]
    kept = _kept(every, order, standard.middle())
    expected = None if probabilities is None else probabilities[chosen]
    return Matrix(
        labels=tuple(chosen.tolist()),
        of_clbits=True,
        expected=None if expected is None else tuple(expected.tolist()),
        columns=kept,
        grouped=_kept(columns(_groups(rows)), order, standard.middle()),
        each=_with_late(case, _kept(columns(_each(rows)), order, standard.middle())),
        differing=0,
        others=width - len(chosen),
        others_expected=0.0,
        total=width,
        end=_end(kept, None) if expected is None else _deviation_end(kept, expected),
        seen=_seen(rows),
        most=max(map(_most, rows)),
    )


def _striking_first(columns: Sequence[Column], middle: Numbers | None) -> NDArray[np.int64]:
    """Return all clbits: those at which anybody differs first, by the deviation, and the others in order."""
    off = _deviations(columns, middle)
    marks = np.array([[cell.differs for cell in column.cells] for column in columns])
    return np.argsort(-(off if middle is None else off * marks).max(axis=0), kind="stable")


def _deviations(columns: Sequence[Column], middle: Numbers | None) -> Numbers:
    """Return the largest deviation of any simulator of each column at each clbit, shape ``[columns, clbits]``."""
    lowest = np.array([[cell.lowest for cell in column.cells] for column in columns])
    highest = np.array([[cell.highest for cell in column.cells] for column in columns])
    if middle is None:
        middle = (lowest + highest).mean(axis=0) / 2
    return np.maximum(np.abs(lowest - middle), np.abs(highest - middle))


def _kept(columns: Sequence[Column], order: NDArray[np.int64], middle: Numbers | None) -> tuple[Column, ...]:
    """Return the columns with the first clbits of an order, and the largest deviation of the others."""
    off = _deviations(columns, middle)[:, order[CLBITS:]].max(axis=1, initial=0)
    return tuple(
        replace(column, cells=tuple(column.cells[clbit] for clbit in order[:CLBITS].tolist()), others=float(most))
        for column, most in zip(columns, off, strict=True)
    )


def _ones(sample: Sample) -> Numbers:
    """Return for each clbit the number of shots in which it is 1."""
    return sample.counts.astype(np.float64) @ bits_of_codes(sample.codes, sample.width)


def _probabilities_of_ones(distribution: Distribution) -> Numbers:
    return distribution.probabilities @ bits_of_codes(distribution.codes, distribution.width)


# ---------------------------------------------------------------- small things


def _end(columns: Iterable[Column], standard: _Standard | None) -> float:
    ends = [max(cell.highest, cell.chance[1] if cell.chance else 0) for column in columns for cell in column.cells]
    return scale_end([*ends, *((standard.expected or ()) if standard else ())])


def _deviation_end(columns: Iterable[Column], expected: Numbers) -> float:
    ends = [0.0]
    for column in columns:
        for cell, middle in zip(column.cells, expected.tolist(), strict=True):
            ends += [abs(bound - middle) for bound in (cell.lowest, cell.highest, *(cell.chance or ()))]
    return scale_end(ends)


def _picked(values: Mapping[str, float], outcomes: Sequence[str]) -> Numbers:
    return np.fromiter(map(values.get, outcomes, repeat(0)), np.float64, len(outcomes))


def _shots(row: Row) -> int:
    return sum(row.counts.values())


def _most(row: Row) -> int:
    return max(row.counts.values())


def _seen(rows: Iterable[Row]) -> int:
    return len(set().union(*(row.counts for row in rows)))
