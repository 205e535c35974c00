"""Pauli strings: their values in a state, what is measured together, and estimates from outcomes.

A string is a pair of masks ``(x, z)``, whose bit q says whether it flips qubit q and whether it takes its sign: X is
``(1, 0)``, Z is ``(0, 1)`` and Y both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.shared.states import State
from gateway.observables import Observable

Values = NDArray[np.float64]
Bits = NDArray[np.uint8]

_LETTERS = {(1, 0): "X", (1, 1): "Y", (0, 1): "Z"}
_X, _Z = frozenset("XY"), frozenset("YZ")


class String(NamedTuple):
    """A product of Pauli matrices on different qubits, without a coefficient."""

    x: int
    z: int

    @property
    def support(self) -> int:
        """The qubits on which it is not the identity, as a mask."""
        return self.x | self.z

    @property
    def letters(self) -> dict[int, str]:
        """Qubit -> its letter, for the qubits of the support, ascending."""
        return {qubit: _LETTERS[self.x >> qubit & 1, self.z >> qubit & 1] for qubit in ones(self.support)}


@dataclass(frozen=True, slots=True)
class PauliSums:
    """Observables, taken apart into the distinct strings of all of them.

    Args:
        strings: each string once.
        parts: for each observable the positions of its strings, ``[k]``, and their coefficients, ``[k]``.
    """

    strings: list[String]
    parts: list[tuple[NDArray[np.int64], Values]]

    @classmethod
    def of(cls, observables: Sequence[Observable]) -> PauliSums:
        """Take observables apart."""
        places: dict[String, int] = {}
        parts = []
        for terms in observables:
            positions = [places.setdefault(_string(term.paulis, term.qubits), len(places)) for term in terms]
            coefficients = [term.coefficient for term in terms]
            parts.append((np.array(positions, dtype=np.int64), np.array(coefficients, dtype=np.float64)))
        return cls(list(places), parts)

    def values(self, of_strings: Values) -> list[float]:
        """Return the value of each observable, given that of each string, ``[strings]``."""
        return [float(coefficients @ of_strings[positions]) for positions, coefficients in self.parts]


def _string(paulis: str, qubits: Sequence[int]) -> String:
    x = z = 0
    for letter, qubit in zip(paulis, qubits, strict=True):
        x |= (letter in _X) << qubit
        z |= (letter in _Z) << qubit
    return String(x, z)


# ---------------------------------------------------------------------- from a state


def expectations(state: State, strings: Sequence[String]) -> Values:
    """Return the exact value of each string in a state, at ``O(2**n)`` for each string or less.

    Strings that flip the same qubits share the products of amplitudes, and sums over these are shared as well: all
    strings of Z together take no longer than one transform, ``O(n 2**n)``, however many there are.

    Args:
        state: ``[2**n]``, little-endian; its norm need not be exactly 1.
        strings: on the n qubits.
    """
    num_qubits = state.size.bit_length() - 1
    by_flips: dict[int, list[int]] = {}
    for position, string in enumerate(strings):
        by_flips.setdefault(string.x, []).append(position)
    values = np.empty(len(strings), dtype=np.float64)
    norm = float(np.vdot(state, state).real)
    for x, positions in by_flips.items():
        for products, chosen, qubits in _products(state, x, [(p, strings[p]) for p in positions], num_qubits):
            _fold(products, chosen, qubits, values)
    values /= norm
    return values


def _products(
    state: State, x: int, strings: list[tuple[int, String]], num_qubits: int
) -> Iterator[tuple[Values, list[tuple[int, int]], int]]:
    """Yield real products of amplitudes, and the strings whose value is their sum with the signs of z.

    The value of a string is the sum over i of ``conj(psi[i ^ x]) psi[i] (-1)**parity(i & z) i**count_of_Y``. The
    summands of i and of ``i ^ x`` are conjugates of each other, so half of them is enough.

    Yields:
        Products ``[2**k]``, pairs of a position and a mask of signs on k qubits, and k.
    """
    if not x:
        products = np.square(state.real, dtype=np.float64)
        products += np.square(state.imag, dtype=np.float64)
        yield products, [(position, string.z) for position, string in strings], num_qubits
        return
    top = x.bit_length() - 1
    low = (1 << top) - 1
    halves = state.reshape(-1, 2, 1 << top)
    zeros, ones = halves[:, 0, :], halves[:, 1, :]
    rest = x & low
    if rest:
        ones = ones[:, np.arange(1 << top) ^ rest]
    for odd in (False, True):
        chosen = [(position, string) for position, string in strings if (string.x & string.z).bit_count() % 2 == odd]
        if not chosen:
            continue
        if odd:
            products = ones.real * zeros.imag - ones.imag * zeros.real
        else:
            products = ones.real * zeros.real + ones.imag * zeros.imag
        products = products.astype(np.float64, copy=False)
        places = [(position, string.z & low | string.z >> top + 1 << top) for position, string in chosen]
        # The sum of both halves is twice the real part, and i**count_of_Y turns the imaginary part into a real number.
        for factor in (2.0, -2.0):
            alike = [place for place, (_, string) in zip(places, chosen, strict=True) if _factor(string) == factor]
            if alike:
                yield factor * products.reshape(-1), alike, num_qubits - 1


def _factor(string: String) -> float:
    """Return 2 or -2: the sign with which the products of a string count."""
    count = (string.x & string.z).bit_count() % 4
    return {0: 2.0, 1: -2.0, 2: -2.0, 3: 2.0}[count]


def _fold(products: Values, strings: list[tuple[int, int]], qubits: int, values: Values) -> None:
    """Write the sum of the products with the signs of each mask.

    Each step takes the most significant qubit off: the halves are added for masks without it and subtracted for masks
    with it, so that masks with the same beginning share the work.
    """
    if not qubits:
        for position, _ in strings:
            values[position] = products[0]
        return
    half = 1 << (qubits - 1)
    if len(strings) == 1 and not strings[0][1]:
        values[strings[0][0]] = products.sum()
        return
    without = [entry for entry in strings if not entry[1] & half]
    with_it = [(position, mask ^ half) for position, mask in strings if mask & half]
    if without:
        _fold(products[:half] + products[half:], without, qubits - 1, values)
    if with_it:
        _fold(products[:half] - products[half:], with_it, qubits - 1, values)


def rotate(state: State, basis: Mapping[int, str]) -> State:
    """Return a state in which measuring Z of a qubit is measuring the letter that the basis has for it.

    Args:
        state: ``[2**n]``, which is not modified.
        basis: qubit -> X, Y or Z.
    """
    after = state.copy()
    for qubit, letter in basis.items():
        if letter == "Z":
            continue
        halves = after.reshape(-1, 2, 1 << qubit)
        zeros = halves[:, 0, :].copy()
        ones = -1j * halves[:, 1, :] if letter == "Y" else halves[:, 1, :].copy()
        np.add(zeros, ones, out=halves[:, 0, :])
        np.subtract(zeros, ones, out=halves[:, 1, :])
        after *= np.sqrt(0.5)
    return after


# ---------------------------------------------------------------------- measured together


@dataclass(slots=True)
class Group:
    """Strings that agree on each qubit on which two of them act, so that one measurement gives all of them.

    Args:
        x: the qubits that are measured in X or Y, as a mask.
        z: the qubits that are measured in Z or Y, as a mask.
        positions: the positions of the strings.
    """

    x: int
    z: int
    positions: list[int]

    def admits(self, string: String) -> bool:
        """Return whether a string can be measured with the others."""
        shared = (self.x | self.z) & string.support
        return not shared & (self.x ^ string.x) and not shared & (self.z ^ string.z)

    def add(self, position: int, string: String) -> None:
        """Add a string that the group admits."""
        self.x |= string.x
        self.z |= string.z
        self.positions.append(position)

    @property
    def basis(self) -> dict[int, str]:
        """Qubit -> the letter in which it is measured, in order of the qubits."""
        return String(self.x, self.z).letters


def ones(mask: int) -> list[int]:
    """Return the places of the bits of a mask that are 1, ascending."""
    return [qubit for qubit in range(mask.bit_length()) if mask >> qubit & 1]


def grouped(observables: Sequence[Observable]) -> tuple[PauliSums, list[Group]]:
    """Take observables apart, and say which of their strings are measured together."""
    sums = PauliSums.of(observables)
    return sums, groups_of(sums.strings)


def groups_of(strings: Sequence[String]) -> list[Group]:
    """Group strings greedily: each joins the first group that admits it, those on most qubits first.

    The identity needs no measurement, and is in no group.
    """
    groups: list[Group] = []
    order = sorted(range(len(strings)), key=lambda position: -strings[position].support.bit_count())
    for position in order:
        string = strings[position]
        if not string.support:
            continue
        group = next((group for group in groups if group.admits(string)), None)
        if group is None:
            groups.append(Group(string.x, string.z, [position]))
        else:
            group.add(position, string)
    return groups


# ---------------------------------------------------------------------- from outcomes


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of measuring the qubits of a group, in order of the qubits.

    Args:
        bits: ``[k, qubits]``; each row is an outcome.
        weights: ``[k]``: how often each outcome came, or its exact probability.
    """

    bits: Bits
    weights: Values


@dataclass(slots=True)
class Moments:
    """The mean of numbers with weights, and the sum of their squared distances from it, piece by piece.

    Pieces are merged as by Chan, Golub and LeVeque (1979), so that nothing is lost where all numbers are nearly equal.
    """

    weight: float = 0.0
    mean: float = 0.0
    spread: float = 0.0

    def add(self, values: Values, weights: Values) -> None:
        """Add numbers, ``[k]``, with their weights."""
        weight = float(weights.sum())
        mean = float(weights @ values) / weight
        total, distance = self.weight + weight, mean - self.mean
        self.spread += float(weights @ (values - mean) ** 2) + distance**2 * self.weight * weight / total
        self.mean += distance * weight / total
        self.weight = total


_PIECE = 2**18
"""So many signs are held at a time."""


class Estimate:
    """Sums up the values of observables, group by group.

    Args:
        sums: the observables.
        groups: of the strings of these.
        shots: the shots of each group; 0 where weights are exact probabilities.
    """

    def __init__(self, sums: PauliSums, groups: Sequence[Group], shots: int) -> None:
        self._strings = sums.strings
        self._groups = groups
        self._shots = shots
        self._values = np.zeros(len(sums.parts))
        self._variances = np.zeros(len(sums.parts))
        self._terms: list[dict[int, list[tuple[int, float]]]] = [{} for _ in groups]
        group_of = {position: number for number, group in enumerate(groups) for position in group.positions}
        for index, (positions, coefficients) in enumerate(sums.parts):
            for position, coefficient in zip(positions.tolist(), coefficients.tolist(), strict=True):
                if position in group_of:
                    self._terms[group_of[position]].setdefault(index, []).append((position, coefficient))
                else:
                    self._values[index] += coefficient  # of the identity

    def add(self, number: int, outcomes: Outcomes) -> None:
        """Add the outcomes of a group."""
        group = self._groups[number]
        columns = {qubit: column for column, qubit in enumerate(group.basis)}
        moments = {index: Moments() for index in self._terms[number]}
        rows = max(_PIECE // len(group.positions), 1)
        for begin in range(0, len(outcomes.weights), rows):
            bits, weights = outcomes.bits[begin : begin + rows], outcomes.weights[begin : begin + rows]
            signs = {position: self._signs(position, bits, columns) for position in group.positions}
            for index, terms in self._terms[number].items():
                each = np.zeros(len(weights))
                for position, coefficient in terms:
                    each += coefficient * signs[position]
                moments[index].add(each, weights)
        for index, terms in self._terms[number].items():
            self._values[index] += moments[index].mean
            if self._shots == 1:  # nothing shows the spread: the largest that it can be
                self._variances[index] += sum([abs(coefficient) for _, coefficient in terms]) ** 2
            elif self._shots:
                self._variances[index] += moments[index].spread / moments[index].weight / (self._shots - 1)

    def _signs(self, position: int, bits: Bits, columns: Mapping[int, int]) -> Values:
        """Return 1 or -1 for each outcome, ``[k]``."""
        chosen = [columns[qubit] for qubit in ones(self._strings[position].support)]
        signs: Values = 1.0 - 2.0 * np.bitwise_xor.reduce(bits[:, chosen], axis=1)
        return signs

    @property
    def values(self) -> list[float]:
        """The value of each observable."""
        return [float(value) for value in self._values]

    @property
    def std_errors(self) -> list[float]:
        """The standard error of each value."""
        return [float(error) for error in np.sqrt(self._variances)]
