"""The exact distribution of a circuit with noise: one density matrix for each assignment of clbits.

Histories that wrote the same clbits are one mixture, so their density matrices are added. It is plain and independent
of every simulator, and meant for few qubits: a density matrix of n has ``4**n`` numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import holds
from gateway.circuit.expressions import value_of_clbits
from gateway.circuit.gates import GATES
from gateway.circuit.noisy import noisy
from gateway.circuit.operations import marks_of_loops
from gateway.compare.exact.bounds import DEFAULT_BOUNDS, Bounds
from gateway.compare.exact.kernels import multiply
from gateway.compare.statistics.outcomes import Distribution
from gateway.noise import CHANNELS, Channel, NoiseModel

NEGLIGIBLE = 1e-22
"""Probabilities below this are rounding noise."""

_ENDED = 1e-13
"""A loop whose remaining weight is below this has ended."""

Rho = NDArray[np.complex128]
Mixture = dict[int, Rho]
"""The clbits as a number, clbit k its bit k -> density matrix ``[2**n, 2**n]`` whose trace is the probability."""


def noisy_distribution(circuit: Circuit, noise: NoiseModel, *, bounds: Bounds = DEFAULT_BOUNDS) -> Distribution:
    """Return the exact distribution of the clbits of a circuit with noise; those that are never written are 0.

    Args:
        circuit: a valid circuit without free parameters.
        noise: a model that fits it.
        bounds: what is refused because it would take too much memory or time.

    Raises:
        LimitError: the circuit is too large.
    """
    operations = noisy(circuit.operations, noise)
    bounds.check_branches(1, 2 * circuit.num_qubits)
    bounds.check_work(len(operations) << 2 * circuit.num_qubits)
    rho = np.zeros((2**circuit.num_qubits,) * 2, dtype=np.complex128)
    rho[0, 0] = 1
    mixture = _Follower(circuit, operations, bounds).after(0, len(operations), {0: rho})
    totals: dict[str, float] = {}
    for bits, part in mixture.items():
        key = f"{bits & (1 << circuit.num_clbits) - 1:0{circuit.num_clbits}b}" if circuit.num_clbits else ""
        totals[key] = totals.get(key, 0.0) + _trace(part)
    whole = sum(totals.values())
    likely = {key: weight / whole for key, weight in totals.items() if weight > NEGLIGIBLE}
    return Distribution.of(likely, circuit.num_clbits)


class _Follower:
    """Applies operations to mixtures.

    Args:
        circuit: without noise.
        operations: its operations, with the channels of the noise between them.
        bounds: what is refused.
    """

    def __init__(self, circuit: Circuit, operations: Sequence[Operation], bounds: Bounds) -> None:
        self._operations = operations
        self._num_qubits = circuit.num_qubits
        self._ends = dict(marks_of_loops(operations))
        begins_in_circuit = [begin for begin, _ in marks_of_loops(circuit.operations)]
        self._in_circuit = dict(zip(self._ends, begins_in_circuit, strict=True))
        self._bounds = bounds

    def after(self, begin: int, end: int, mixture: Mixture) -> Mixture:
        """Return the mixture after the operations with these indices."""
        index = begin
        while index < end:
            op = self._operations[index]
            if op.name == "while":
                mixture = self._loop(index, mixture)
                index = self._ends[index]
            else:
                mixture = self._apply(op, mixture)
            index += 1
        return mixture

    def _loop(self, index: int, mixture: Mixture) -> Mixture:
        condition = self._operations[index].condition
        left: Mixture = {}
        turns = 0
        while True:
            inside: Mixture = {}
            for bits, rho in mixture.items():
                _add(inside if holds(condition, bits) else left, bits, rho)
            if sum(map(_trace, inside.values())) < _ENDED:
                return left
            turns += 1
            self._bounds.check_turns(turns, self._in_circuit[index])
            mixture = self.after(index + 1, self._ends[index], inside)

    def _apply(self, op: Operation, mixture: Mixture) -> Mixture:
        after: Mixture = {}
        for bits, rho in mixture.items():
            if op.name in {"barrier", "end"} or not holds(op.condition, bits):
                _add(after, bits, rho)
            elif op.name == "set":
                _add(after, _written(op, bits, value_of_clbits(op.params[0], lambda clbit: bits >> clbit & 1)), rho)  # noqa: B023 - used at once
            elif op.name in {"measure", "reset"}:
                self._observe(op, bits, rho, after)
            else:
                _add(after, bits, _evolved(op, rho))
        self._bounds.check_branches(len(after), 2 * self._num_qubits)
        return after

    def _observe(self, op: Operation, bits: int, rho: Rho, after: Mixture) -> None:
        """Add what follows a measurement or a reset, whose outcome may be misread."""
        for outcome in (0, 1):
            part = _projected(rho, op.qubits[0], outcome, flip=op.name == "reset" and outcome == 1)
            if _trace(part) <= NEGLIGIBLE:
                continue
            if op.name == "reset":
                _add(after, bits, part)
                continue
            wrong = op.params[outcome] if op.params else 0.0
            for read, chance in ((outcome, 1 - wrong), (1 - outcome, wrong)):
                if chance:
                    _add(after, _written(op, bits, read), chance * part)


def _add(mixture: Mixture, bits: int, rho: Rho) -> None:
    mixture[bits] = mixture[bits] + rho if bits in mixture else rho


def _trace(rho: Rho) -> float:
    return float(rho.diagonal().real.sum())


def _written(op: Operation, bits: int, value: int) -> int:
    for place, clbit in enumerate(op.clbits):
        bits = bits & ~(1 << clbit) | (value >> place & 1) << clbit
    return bits


def _evolved(op: Operation, rho: Rho) -> Rho:
    if op.name in CHANNELS:
        (probability,) = op.params
        return _CHANNELS[Channel(op.name)](rho, op.qubits, probability)
    return _gate(rho, op.name, op.qubits, op.params) if op.name in GATES else rho


def _gate(rho: Rho, name: str, qubits: tuple[int, ...], params: tuple[float, ...] = ()) -> Rho:
    """Return ``U rho U+``: since the matrix is Hermitian, U is applied, and once more to the conjugate transpose."""
    for _ in range(2):
        rho = np.ascontiguousarray(rho.conj().T)
        multiply(rho.reshape(-1), tuple([qubit + _width(rho) for qubit in qubits]), name, params)
    return rho


def _width(rho: Rho) -> int:
    """Return the number of qubits; in the flat array, the row is the upper half of the index."""
    return len(rho).bit_length() - 1


def _projected(rho: Rho, qubit: int, outcome: int, *, flip: bool = False) -> Rho:
    """Return the part of a density matrix in which a qubit has a value, with the qubit flipped if so asked."""
    part = np.zeros_like(rho)
    here, there = _split(rho, qubit), _split(part, qubit)
    new = outcome ^ flip
    there[:, new, :, :, new, :] = here[:, outcome, :, :, outcome, :]
    return part


def _split(rho: Rho, qubit: int) -> Rho:
    high, low = len(rho) >> (qubit + 1), 1 << qubit
    return rho.reshape(high, 2, low, high, 2, low)


# ---------------------------------------------------------------------------- channels


def _mixed_with(*names: str) -> Callable[[Rho, tuple[int, ...], float], Rho]:
    """Return the channel that applies one of some gates with a probability, each as likely as the others."""

    def channel(rho: Rho, qubits: tuple[int, ...], probability: float) -> Rho:
        errors = sum([_gate(rho, name, qubits) for name in names], np.zeros_like(rho))
        return (1 - probability) * rho + probability / len(names) * errors

    return channel


def _depolarized2(rho: Rho, qubits: tuple[int, ...], probability: float) -> Rho:
    first, second = ((qubit,) for qubit in qubits)
    pairs = [(one, other) for one in ("id", "x", "y", "z") for other in ("id", "x", "y", "z")][1:]
    errors = sum([_gate(_gate(rho, one, first), other, second) for one, other in pairs], np.zeros_like(rho))
    return (1 - probability) * rho + probability / len(pairs) * errors


def _amplitude_damped(rho: Rho, qubits: tuple[int, ...], probability: float) -> Rho:
    return _damped(rho, qubits[0], probability) + probability * _projected(rho, qubits[0], 1, flip=True)


def _phase_damped(rho: Rho, qubits: tuple[int, ...], probability: float) -> Rho:
    return _damped(rho, qubits[0], probability) + probability * _projected(rho, qubits[0], 1)


def _damped(rho: Rho, qubit: int, probability: float) -> Rho:
    """Return the part in which nothing is lost: amplitudes of 1 are multiplied by ``sqrt(1 - probability)``."""
    part = rho.copy()
    view = _split(part, qubit)
    view[:, 1, :, :, :, :] *= sqrt(1 - probability)
    view[:, :, :, :, 1, :] *= sqrt(1 - probability)
    return part


_CHANNELS: dict[Channel, Callable[[Rho, tuple[int, ...], float], Rho]] = {
    Channel.DEPOLARIZING: _mixed_with("x", "y", "z"),
    Channel.BIT_FLIP: _mixed_with("x"),
    Channel.PHASE_FLIP: _mixed_with("z"),
    Channel.AMPLITUDE_DAMPING: _amplitude_damped,
    Channel.PHASE_DAMPING: _phase_damped,
    Channel.DEPOLARIZING2: _depolarized2,
}
