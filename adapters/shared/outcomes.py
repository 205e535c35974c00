"""The outcomes of the populations at the end of a program: drawn for shots, or weighed exactly.

A population has rows of clbits, and one distribution of the qubits that are measured last. For a single row the shots
are drawn with one multinomial, for a few rows with one for each of them, in their order; for many rows an outcome is
drawn for each shot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.shared.packed import OutcomeSum, words_of, write_column
from adapters.shared.program import Program
from adapters.shared.room import hold_outcomes, take_outcomes, take_packed_outcomes
from adapters.shared.states import Distribution, bitstrings, texts
from adapters.shared.tables import Table
from gateway.errors import LimitError

NEGLIGIBLE = 1e-15
"""An exact probability below this is rounding noise and is left out."""

_PIECE_SHOTS = 2**20
"""So many outcomes are drawn at a time."""

_PIECE_BYTES = 2**22
"""Bitstrings are written piece by piece: on the way they take several times the memory that they take in the end."""

_MOST_MISREAD = 62
"""An index has so many bits."""

_FEW_CHANCES = 2**14
"""A multinomial for each row costs nothing to speak of where rows times outcomes are so few."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of one population; the same may be there several times.

    Args:
        table: the rows of the population.
        rows: ``[outcomes]``, the row that each outcome belongs to.
        indices: ``[outcomes]``; bit ``k`` is the value of the ``k``-th measured qubit.
        amounts: ``[outcomes]``, how many shots gave it, or how likely it is.
        places: clbit -> the bit of the index that it takes, where that is another one than that of its qubit.
    """

    table: Table
    rows: NDArray[np.intp]
    indices: NDArray[np.int64]
    amounts: NDArray[Any]
    places: dict[int, int] | None = None

    def places_in(self, program: Program) -> dict[int, int]:
        """Return clbit -> the bit of the index that it takes, for the clbits that are measured last."""
        return _places(program) if self.places is None else self.places

    def misread(self, program: Program, rng: np.random.Generator | None) -> Outcomes:
        """Return the outcomes as they are written where readout may be wrong.

        Args:
            program: says how likely that is.
            rng: draws which shots are misread; ``None`` for exact weights.

        Raises:
            LimitError: too many clbits are measured last, or the outcomes do not fit into the memory that the run may
                use: each such clbit may make them twice as many.
        """
        if not program.misread:
            return self
        places = {clbit: place for place, clbit in enumerate(program.final)}
        if len(places) > _MOST_MISREAD:
            msg = f"{len(places)} clbits are measured last; with errors of readout at most {_MOST_MISREAD} are accepted"
            raise LimitError(msg, limit="clbits", requested=len(places), allowed=_MOST_MISREAD)
        rows, amounts, indices = self.rows, self.amounts, np.zeros_like(self.indices)
        for clbit, place in _places(program).items():
            indices |= (self.indices >> place & 1) << places[clbit]
        for clbit, (zero_as_one, one_as_zero) in program.misread.items():
            bit = places[clbit]
            take_packed_outcomes(2 * len(rows), program.num_clbits)
            chances = np.where(indices >> bit & 1, one_as_zero, zero_as_one)
            wrong = amounts * chances if rng is None else rng.binomial(amounts, chances)
            rows, indices = np.concatenate((rows, rows)), np.concatenate((indices, indices ^ 1 << bit))
            rows, indices, amounts = _summed(rows, indices, np.concatenate((amounts - wrong, wrong)))
        return Outcomes(self.table, rows, indices, amounts, places)

    def add_to(self, totals: dict[str, Any], program: Program, known: list[str] | None = None) -> None:
        """Add them up by bitstring, clbit 0 rightmost.

        Args:
            totals: bitstring -> what was added up so far.
            program: of the outcomes.
            known: what :func:`all_bitstrings` returns, if it was called.

        Raises:
            LimitError: so many bitstrings do not fit into the memory that the run may use.
        """
        if known is None:
            keys = self._bitstrings(program)
        else:
            take_outcomes(len(self.indices), program.num_clbits)
            keys = [known[index] for index in self.indices.tolist()]
        if totals or len(self.table) > 1:
            for key, amount in zip(keys, self.amounts.tolist(), strict=True):
                totals[key] = totals.get(key, 0) + amount
        else:
            totals.update(zip(keys, self.amounts.tolist(), strict=True))
        hold_outcomes(len(totals))

    def add_exactly_to(self, totals: OutcomeSum, program: Program) -> None:
        """Add them up by bitstring in arrays, without writing any; the room for them is taken."""
        words = words_of(self.indices, self.places_in(program), program.num_clbits)
        for clbit, column in program.shown.items():
            bits = self.table.column(column)
            if bits.any():
                write_column(words, clbit, bits[self.rows])
        totals.add(words, self.amounts, is_distinct=len(self.table) == 1)

    def _bitstrings(self, program: Program) -> list[str]:
        """Return the clbits of each outcome as text (about 0.3 us each)."""
        width, places = program.num_clbits, self.places_in(program)
        columns = [(width - 1 - clbit, self.table.column(column)) for clbit, column in program.shown.items()]
        columns = [(character, column) for character, column in columns if column.any()]
        if not columns:
            return bitstrings(self.indices, places, 0, width)
        take_outcomes(len(self.indices), width)
        keys: list[str] = []
        at_once = max(_PIECE_BYTES // width, 1)
        for begin in range(0, len(self.indices), at_once):
            indices, rows = self.indices[begin : begin + at_once], self.rows[begin : begin + at_once]
            text = np.full((len(indices), width), ord("0"), dtype=np.uint8)
            for clbit, place in places.items():
                text[:, width - 1 - clbit] += (indices >> place & 1).astype(np.uint8)
            for character, column in columns:
                text[:, character] += column[rows]
            keys += texts(text)
        return keys


def _places(program: Program) -> dict[int, int]:
    """Return clbit -> the bit of the index of an outcome that it takes, for the clbits that are measured last."""
    place = {qubit: place for place, qubit in enumerate(program.measured)}
    return {clbit: place[qubit] for clbit, qubit in program.final.items()}


def all_bitstrings(program: Program) -> list[str]:
    """Return the bitstring of each outcome of a static program, in the order of the indices."""
    indices = np.arange(1 << len(program.measured))
    return Outcomes(Table.first(0, 1.0), np.zeros_like(indices), indices, indices)._bitstrings(program)  # noqa: SLF001 - of this file


def _summed(
    rows: NDArray[np.intp], indices: NDArray[np.int64], amounts: NDArray[Any]
) -> tuple[NDArray[np.intp], NDArray[np.int64], NDArray[Any]]:
    """Return rows and indices that are all different, with the sums of their amounts; those of 0 are left out."""
    chosen = amounts > 0
    order = np.lexsort((indices[chosen], rows[chosen]))
    rows, indices, amounts = rows[chosen][order], indices[chosen][order], amounts[chosen][order]
    begins = np.concatenate(([True], (rows[1:] != rows[:-1]) | (indices[1:] != indices[:-1])))
    (first,) = np.nonzero(begins)
    return rows[first], indices[first], np.add.reduceat(amounts, first)


def drawn(table: Table, chances: Distribution, rng: np.random.Generator) -> Iterator[Outcomes]:
    """Yield outcomes drawn for all shots of a population.

    Args:
        table: the rows, with their shots.
        chances: the distribution of the qubits that are measured last.
        rng: the generator of the run.
    """
    if len(chances) == 1:
        yield Outcomes(table, np.arange(len(table)), np.zeros(len(table), dtype=np.int64), table.amounts)
        return
    if len(table) == 1:
        times = rng.multinomial(table.amounts[0], chances)
        (indices,) = np.nonzero(times)
        yield Outcomes(table, np.zeros(len(indices), dtype=np.intp), indices, times[indices])
        return
    shots = int(table.total())
    if len(table) * len(chances) <= max(min(shots, _PIECE_SHOTS), _FEW_CHANCES):
        times = rng.multinomial(table.amounts, chances)
        rows, indices = np.nonzero(times)
        yield Outcomes(table, rows, indices, times[rows, indices])
        return
    limits = np.cumsum(chances)
    rows = np.repeat(np.arange(len(table)), table.amounts)
    for begin in range(0, shots, _PIECE_SHOTS):
        of_piece = rows[begin : begin + _PIECE_SHOTS]
        found = np.searchsorted(limits[:-1], rng.random(len(of_piece)) * limits[-1], side="right")
        pairs, times = np.unique(of_piece * len(chances) + found, return_counts=True)
        yield Outcomes(table, pairs // len(chances), pairs % len(chances), times)


def weighed(table: Table, chances: Distribution, program: Program) -> Outcomes:
    """Return all outcomes of a population with their probabilities.

    Raises:
        LimitError: so many outcomes do not fit into the memory that the run may use.
    """
    (indices,) = np.nonzero(chances > NEGLIGIBLE)
    take_packed_outcomes(len(indices) * len(table), program.num_clbits)
    if len(table) == 1:
        return Outcomes(table, np.zeros(len(indices), dtype=np.intp), indices, chances[indices] * table.amounts[0])
    rows = np.repeat(np.arange(len(table)), len(indices))
    weights = np.outer(table.amounts, chances[indices]).reshape(-1)
    return Outcomes(table, rows, np.tile(indices, len(table)), weights)
