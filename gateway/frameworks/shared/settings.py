"""Measures sums of products of Paulis and projectors through circuits that end in measurements.

An observable is a mapping from labels to coefficients, as Qiskit writes it: one letter of ``IXYZ01+-rl`` for each
qubit, qubit 0 rightmost.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.circuit import Circuit, Operation
from gateway.circuit.widening import widened
from gateway.observables import PauliSum


def is_identity(label: str) -> bool:
    """Return whether a product acts on no qubit, so that its value is 1 in every state."""
    return not label.strip("I")


def constant(observable: Mapping[str, float]) -> float:
    """Return what the identities of an observable contribute to its value."""
    return math.fsum(coefficient for label, coefficient in observable.items() if is_identity(label))


_FACTORS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "I": (("", 1.0),), "X": (("X", 1.0),), "Y": (("Y", 1.0),), "Z": (("Z", 1.0),),
    "0": (("", 0.5), ("Z", 0.5)), "1": (("", 0.5), ("Z", -0.5)), "+": (("", 0.5), ("X", 0.5)),
    "-": (("", 0.5), ("X", -0.5)), "r": (("", 0.5), ("Y", 0.5)), "l": (("", 0.5), ("Y", -0.5)),
}  # fmt: skip
"""Letter of an observable -> the Paulis of which it is the sum, the empty text for the identity."""

MOST_PROJECTORS = 8
"""A product with more projectors is not expanded, since it becomes ``2**k`` Pauli strings."""


def pauli_sum(observable: Mapping[str, float]) -> PauliSum | None:
    """Return an observable as a sum of Pauli strings; ``None`` if that would be far longer."""
    terms: list[tuple[str, tuple[int, ...], float]] = []
    for label, coefficient in observable.items():
        if sum(len(_FACTORS[letter]) - 1 for letter in label) > MOST_PROJECTORS:
            return None
        factors = [_FACTORS[letter] for letter in reversed(label)]
        for product in itertools.product(*factors):
            letters = "".join([letter for letter, _ in product])
            qubits = tuple([qubit for qubit, (letter, _) in enumerate(product) if letter])
            terms.append((letters, qubits, coefficient * math.prod([weight for _, weight in product])))
    return PauliSum(terms or [("", (), 0.0)])


class Term(NamedTuple):
    """A product of Paulis and projectors, with the value that it has for an outcome.

    Args:
        coefficient: the coefficient of the product.
        parity: mask of the measured bits whose parity is the sign.
        projector_mask: mask of the measured bits that projectors act on.
        projector_values: the values of these bits onto which they project.
    """

    coefficient: float
    parity: int
    projector_mask: int
    projector_values: int

    def value(self, bits: int) -> float:
        """Return the value of the term when the measured bits are the bits of a number."""
        if bits & self.projector_mask != self.projector_values:
            return 0.0
        return -self.coefficient if (bits & self.parity).bit_count() & 1 else self.coefficient


class Setting(NamedTuple):
    """A circuit that measures some qubits in given bases, and the terms that can be read from it.

    Args:
        circuit: the circuit, with one more clbit for each measured qubit, after its own clbits.
        num_own_clbits: the number of the circuit's own clbits.
        terms: the terms of the observable.
    """

    circuit: Circuit
    num_own_clbits: int
    terms: list[Term]

    def moments(self, outcome: Mapping[str, float]) -> tuple[float, float]:
        """Return the mean of the terms' sum, and its variance for one shot, from counts or probabilities."""
        total = math.fsum(outcome.values())
        worth = []
        for key, weight in outcome.items():
            bits = int(key or "0", 2) >> self.num_own_clbits
            worth.append((weight / total, math.fsum(term.value(bits) for term in self.terms)))
        mean = math.fsum(weight * value for weight, value in worth)
        return mean, max(math.fsum(weight * value * value for weight, value in worth) - mean * mean, 0.0)


_BASES = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
"""Letter of an observable -> the Pauli basis to measure in; letters other than Paulis are projectors."""
_ROTATIONS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
_ONES = frozenset("-l1")


def settings(circuit: Circuit, observable: Mapping[str, float]) -> Iterator[Setting]:
    """Yield the settings that measure an observable but for identities, grouped by first fit so that there are few."""
    groups: list[tuple[dict[int, str], list[tuple[str, float]]]] = []
    for label, coefficient in observable.items():
        if is_identity(label):
            continue
        letters = {qubit: letter for qubit, letter in enumerate(reversed(label)) if letter != "I"}
        term_bases = {qubit: _BASES[letter] for qubit, letter in letters.items()}
        for bases, members in groups:
            if all(bases.get(qubit, basis) == basis for qubit, basis in term_bases.items()):
                bases.update(term_bases)
                members.append((label, coefficient))
                break
        else:
            groups.append((term_bases, [(label, coefficient)]))
    for bases, members in groups:
        yield _setting(circuit, bases, members)


def _setting(circuit: Circuit, bases: Mapping[int, str], members: Iterable[tuple[str, float]]) -> Setting:
    target = widened(circuit, circuit.num_qubits, len(bases))
    places = {}
    for place, (qubit, basis) in enumerate(sorted(bases.items())):
        places[qubit] = place
        target.operations += [Operation(name, (qubit,)) for name in _ROTATIONS[basis]]
        target.measure(qubit, circuit.num_clbits + place)
    return Setting(target, circuit.num_clbits, [_term(label, factor, places) for label, factor in members])


def _term(label: str, coefficient: float, places: Mapping[int, int]) -> Term:
    parity = projector_mask = projector_values = 0
    for qubit, letter in enumerate(reversed(label)):
        if letter in "XYZ":
            parity |= 1 << places[qubit]
        elif letter != "I":
            projector_mask |= 1 << places[qubit]
            projector_values |= (letter in _ONES) << places[qubit]
    return Term(coefficient, parity, projector_mask, projector_values)
