"""Results that follow from counts or exact probabilities: the order of shots, and what a group of strings gives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from adapters.shared.pauli import Outcomes
from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import lower
from gateway.circuit.widening import with_outcome
from gateway.counts import Counts, Probabilities, Result
from gateway.shot_memory import Memory, packed_bitstrings

_ORDER = 1
"""Beside the seed of a run: the stream of random numbers that orders its shots."""

_TO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Letter -> gates after which measuring Z is measuring the letter."""


def in_random_order(counts: Counts, seed: int) -> Memory:
    """Return shots that were counted as a list of them, in an order that the seed decides."""
    packed = packed_bitstrings(list(counts), counts.width)
    times = np.fromiter(counts.values(), dtype=np.int64, count=len(counts))
    which = np.repeat(np.arange(len(times)), times)
    np.random.default_rng([seed, _ORDER]).shuffle(which)
    return Memory.trusted(packed[which], counts.width)


def measuring_circuit(circuit: Circuit, basis: Mapping[int, str], native_gates: frozenset[str]) -> Circuit:
    """Return a circuit that ends with measuring some qubits, and whose outcome these measurements are.

    Args:
        circuit: a lowered circuit.
        basis: qubit -> X, Y or Z; the first one is measured into clbit 0.
        native_gates: the gates to which the turns of the basis are lowered.
    """
    turns = [Operation(gate, (qubit,)) for qubit, letter in basis.items() for gate in _TO_Z[letter]]
    measuring = with_outcome(circuit, (), len(basis))
    measuring.operations += lower(turns, native_gates)
    measuring.operations += [Operation("measure", (qubit,), (), (clbit,)) for clbit, qubit in enumerate(basis)]
    return measuring


def outcomes_of(found: Result) -> Outcomes:
    """Return counts or probabilities as outcomes, clbit k in column k."""
    assert isinstance(found, Counts | Probabilities)  # noqa: S101 - it is called with nothing else
    bits = np.unpackbits(packed_bitstrings(list(found), found.width), axis=1, bitorder="little", count=found.width)
    return Outcomes(bits, np.fromiter(found.values(), dtype=np.float64, count=len(found)))
