"""Simulators that are wrong in one known way, as backends: each fault is planted where a real simulator would have it.

::

    from support.faulty import FAULTS, Right, faulty

    Right()                                  # a right simulator
    faulty("angle-negated:rz")               # every rz turns the other way
    faulty("clbit-stuck", clbit=2, value=1)
    faulty("bits-reversed", exact=False)     # without exact probabilities

``FAULTS`` has one row for each cause that the diagnosis names; ``UNNAMED`` has faults that no cause describes. A fault
is written into the simulator (its matrices, its memory, its sampler), not into the circuit or the distribution, so
that a diagnosis that finds it is no tautology. The simulators follow every branch in numpy: about ten qubits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.gates import GATES
from gateway.counts import Counts, Probabilities
from gateway.errors import UnsupportedError
from gateway.provenance import Provenance
from gateway.results import Capabilities, Result, ResultType, Sampling

WIDEST = 62
"""The largest number of clbits."""

IMPOSSIBLE = 1e-14
"""A branch or an outcome that is less likely is a rounding error."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The clbits of many branches: their values, and which of them were ever written; bit k is clbit k."""

    bits: np.ndarray
    written: np.ndarray


@dataclass(frozen=True, slots=True)
class Branches:
    """Histories of outcomes: states ``[branches, 2**qubits]`` with the square root of their probability as norm."""

    states: np.ndarray
    memory: Memory


class Right(Backend):
    """A right simulator; a fault overrides one of the methods that stand after :meth:`distribution`.

    Args:
        name: of the simulator, in its provenance.
        exact: whether it gives exact probabilities too.
    """

    def __init__(self, *, name: str = "right", exact: bool = True) -> None:
        self.name, self.exact = name, exact

    # ------------------------------------------------------------------ a backend

    def send(self, request) -> list[Result]:
        first = request.seed if request.seed is not None else int(np.random.default_rng().integers(2**31))
        return [
            self._result(circuit if isinstance(circuit, Circuit) else Circuit.from_openqasm(circuit), shots, first + k)
            for k, (circuit, shots) in enumerate(zip(request.circuit_list(), request.shots_list(), strict=True))
        ]

    def status(self) -> BackendStatus:
        return BackendStatus(self.name, "1.0", online=True)

    def capabilities(self) -> Capabilities:
        exact = (ResultType.PROBABILITIES,) if self.exact else ()
        return Capabilities(result_types=(ResultType.COUNTS, *exact))

    def _result(self, circuit: Circuit, shots: int | None, seed: int) -> Result:
        width = circuit.num_clbits
        codes, probabilities = self.distribution(circuit)
        keys = [format(code, f"0{width}b") if width else "" for code in codes]
        made = Provenance(simulator=self.name, version="1.0", shots=shots, seed=seed, sampler=str(Sampling.NATIVE))
        if shots is None:
            return Probabilities(dict(zip(keys, probabilities.tolist(), strict=True)), width, made)
        times = self.draw(probabilities, shots, seed)
        return Counts(dict(zip(keys, times.tolist(), strict=True)), width=width, provenance=made)

    # ------------------------------------------------------------------ the run

    def distribution(self, circuit: Circuit) -> tuple[np.ndarray, np.ndarray]:
        """Return the outcomes, as numbers whose bit k is clbit k, and their probabilities."""
        if circuit.num_clbits > WIDEST:
            raise UnsupportedError(f"more than {WIDEST} clbits", feature="clbits")
        operations = [op for op in self.operations(circuit) if op.name != "barrier"]
        last = next((k for k in range(len(operations), 0, -1) if not _is_plain_measurement(operations[k - 1])), 0)
        states = np.zeros((1, 2**circuit.num_qubits), dtype=complex)
        states[0, 0] = 1
        zero = np.zeros(1, dtype=np.int64)
        branches = Branches(states, Memory(zero, zero))
        self._circuit = circuit
        for op in operations[:last]:
            branches = self._advance(branches, op)
        return self._read_out(branches, operations[last:])

    def _advance(self, branches: Branches, op: Operation) -> Branches:
        happens = np.ones(len(branches.states), dtype=bool)
        for comparison in op.condition:
            happens &= self.holds(comparison, branches.memory.bits)
        if op.name == "measure":
            return self.measure(branches, op, happens)
        if op.name == "reset":
            return self.reset(branches, op, happens)
        states = branches.states.copy()
        states[happens] = _apply(states[happens], self.matrix(op.name, op.params), self.places(op.qubits))
        return replace(branches, states=states)

    def _read_out(self, branches: Branches, measurements: Sequence[Operation]) -> tuple[np.ndarray, np.ndarray]:
        """Return the distribution after measurements that nothing follows, in their order."""
        probabilities = np.abs(branches.states) ** 2
        index = np.arange(probabilities.shape[1])
        memory = Memory(branches.memory.bits[:, None] + 0 * index, branches.memory.written[:, None] + 0 * index)
        for op in measurements:
            memory = self.write(memory, op.clbits[0], index >> op.qubits[0] & 1)
        codes, probabilities = _grouped(self.outcome(memory).ravel(), probabilities.ravel())
        return _grouped(*self.noise(codes, probabilities))

    # ------------------------------------------------------------------ what a fault overrides

    def operations(self, circuit: Circuit) -> list[Operation]:
        """Return what is run."""
        return circuit.operations

    def places(self, qubits: tuple[int, ...]) -> tuple[int, ...]:
        """Return the places in the state where a gate finds its qubits."""
        return qubits

    def matrix(self, name: str, params: tuple[float, ...]) -> np.ndarray:
        """Return a gate's little-endian matrix."""
        return np.array(GATES[name].unitary(*params), dtype=complex)

    def holds(self, comparison: Comparison, bits: np.ndarray) -> np.ndarray:
        """Return in which branches a comparison holds."""
        number = sum((bits >> clbit & 1) << place for place, clbit in enumerate(comparison.clbits))
        return (number == comparison.value) == comparison.equal

    def measure(self, branches: Branches, op: Operation, happens: np.ndarray) -> Branches:
        """Measure a qubit in some branches."""
        idle = Branches(branches.states[~happens], _where(branches.memory, ~happens))
        parts = [idle]
        for outcome in (0, 1):
            memory = self.write(_where(branches.memory, happens), op.clbits[0], np.int64(outcome))
            parts.append(Branches(_projected(branches.states[happens], op.qubits[0], outcome), memory))
        return _joined(parts)

    def reset(self, branches: Branches, op: Operation, happens: np.ndarray) -> Branches:
        """Bring a qubit to 0 in some branches."""
        (place,) = self.places(op.qubits)
        parts = [Branches(branches.states[~happens], _where(branches.memory, ~happens))]
        for outcome in (0, 1):
            states = _projected(branches.states[happens], place, outcome)
            states = _apply(states, self.matrix("x", ()), (place,)) if outcome else states
            parts.append(Branches(states, _where(branches.memory, happens)))
        return _joined(parts)

    def write(self, memory: Memory, clbit: int, outcome: Any) -> Memory:
        """Return the memory after an outcome was written to a clbit."""
        one = np.int64(1) << clbit
        return Memory(memory.bits & ~one | outcome << clbit, memory.written | one)

    def outcome(self, memory: Memory) -> np.ndarray:
        """Return the outcome that a memory is read as."""
        return memory.bits

    def noise(self, codes: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distribution that is drawn from."""
        return codes, probabilities

    def draw(self, probabilities: np.ndarray, shots: int, seed: int) -> np.ndarray:
        """Return how often each outcome was drawn."""
        return np.random.default_rng(seed).multinomial(shots, probabilities / probabilities.sum())


def _is_plain_measurement(op: Operation) -> bool:
    return op.name == "measure" and not op.condition


def _apply(states: np.ndarray, matrix: np.ndarray, places: tuple[int, ...]) -> np.ndarray:
    """Apply a little-endian matrix to the qubits at some places of each row."""
    if not places:
        return states * matrix[0, 0]
    size = states.shape[1].bit_length() - 1
    axes = [size - place for place in reversed(places)]
    gate = matrix.reshape([2] * (2 * len(places)))
    moved = np.tensordot(gate, states.reshape([-1, *[2] * size]), axes=(range(len(places), 2 * len(places)), axes))
    return np.moveaxis(moved, range(len(places)), axes).reshape(states.shape)


def _projected(states: np.ndarray, place: int, outcome: int) -> np.ndarray:
    return np.where(np.arange(states.shape[1]) >> place & 1 == outcome, states, 0)


def _where(memory: Memory, mask: np.ndarray) -> Memory:
    return Memory(memory.bits[mask], memory.written[mask])


def _joined(parts: Sequence[Branches]) -> Branches:
    states = np.concatenate([part.states for part in parts])
    possible = (np.abs(states) ** 2).sum(axis=1) > IMPOSSIBLE
    bits, written = (np.concatenate([getattr(part.memory, name) for part in parts]) for name in ("bits", "written"))
    return Branches(states[possible], _where(Memory(bits, written), possible))


def _grouped(codes: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distinct, places = np.unique(codes, return_inverse=True)
    sums = np.bincount(places, weights=probabilities)
    return distinct[sums > IMPOSSIBLE], sums[sums > IMPOSSIBLE]


# ---------------------------------------------------------------------------- wrong readings


def _bit(values: np.ndarray, clbit: int) -> np.ndarray:
    return values >> clbit & 1


class Permuted(Right):
    """Writes each clbit to the place of another; a subclass says to which."""

    def place(self, clbit: int) -> int:
        raise NotImplementedError

    def outcome(self, memory):
        return sum(_bit(memory.bits, clbit) << self.place(clbit) for clbit in range(self._circuit.num_clbits))


class BitsReversed(Permuted):
    def place(self, clbit):
        return self._circuit.num_clbits - 1 - clbit


class InRegisters(Permuted):
    """Knows of registers; their sizes begin with that of clbit 0 and are those of two halves if not given."""

    def __init__(self, *, registers: Sequence[int] = (), **options) -> None:
        super().__init__(**options)
        self._registers = tuple(registers)

    def register(self, clbit: int) -> tuple[int, int]:
        """Return the first clbit of a clbit's register, and the register's size."""
        width = self._circuit.num_clbits
        start = 0
        for size in self._registers or (width // 2, width - width // 2):
            if clbit < start + size:
                return start, size
            start += size
        raise ValueError(f"no register has clbit {clbit}")


class RegisterBitsReversed(InRegisters):
    def place(self, clbit):
        start, size = self.register(clbit)
        return start + size - 1 - (clbit - start)


class RegistersReversed(InRegisters):
    def place(self, clbit):
        start, size = self.register(clbit)
        return self._circuit.num_clbits - start - size + (clbit - start)


class ClbitsExchanged(Permuted):
    def __init__(self, *, clbit: int = 0, other: int = 1, **options) -> None:
        super().__init__(**options)
        self._exchange = {clbit: other, other: clbit}

    def place(self, clbit):
        return self._exchange.get(clbit, clbit)


class ClbitsPermuted(Permuted):
    """Writes the clbits in an order of its own; each to the next one, if none is given."""

    def __init__(self, *, order: Sequence[int] = (), **options) -> None:
        super().__init__(**options)
        self._order = tuple(order)

    def place(self, clbit):
        return self._order[clbit] if self._order else (clbit + 1) % self._circuit.num_clbits


class OneClbit(Right):
    """Does something wrong to one clbit, or to all if it is ``None``."""

    def __init__(self, *, clbit: int | None = 0, value: int = 1, **options) -> None:
        super().__init__(**options)
        self.clbit, self.value = clbit, value

    def mask(self) -> np.int64:
        """Return the number in which just these clbits are 1."""
        return np.int64((1 << self._circuit.num_clbits) - 1 if self.clbit is None else 1 << self.clbit)


class ClbitInverted(OneClbit):
    def outcome(self, memory):
        return memory.bits ^ self.mask()


class ClbitStuck(OneClbit):
    def outcome(self, memory):
        return memory.bits | self.mask() if self.value else memory.bits & ~self.mask()


class ClbitUnwritten(OneClbit):
    def write(self, memory, clbit, outcome):
        return memory if clbit == self.clbit else super().write(memory, clbit, outcome)


class FirstWriteKept(Right):
    def write(self, memory, clbit, outcome):
        after = super().write(memory, clbit, outcome)
        return Memory(np.where(_bit(memory.written, clbit), memory.bits, after.bits), after.written)


class Misread(Right):
    """Reads one clbit, or all if none is named, wrong now and then."""

    def __init__(self, *, rate: float = 0.05, clbit: int | None = None, **options) -> None:
        super().__init__(**options)
        self.rate, self.clbit = rate, clbit

    def noise(self, codes, probabilities):
        for clbit in range(self._circuit.num_clbits) if self.clbit is None else [self.clbit]:
            codes, probabilities = _grouped(
                np.concatenate([codes, codes ^ 1 << clbit]),
                np.concatenate([(1 - self.rate) * probabilities, self.rate * probabilities]),
            )
        return codes, probabilities


class Depolarised(Right):
    """Loses all with some probability: then every clbit that is measured is 0 or 1 by chance."""

    def __init__(self, *, rate: float = 0.1, **options) -> None:
        super().__init__(**options)
        self.rate = rate

    def noise(self, codes, probabilities):
        anything = np.zeros(1, dtype=np.int64)
        for clbit in {op.clbits[0] for op in self._circuit.operations if op.name == "measure"}:
            anything = np.concatenate([anything, anything | 1 << clbit])
        uniform = np.full(len(anything), self.rate / len(anything))
        return np.concatenate([codes, anything]), np.concatenate([(1 - self.rate) * probabilities, uniform])


class IdleQubitDropped(Right):
    """Holds only the qubits on which something acts, and finds the measured ones by their old numbers."""

    def places(self, qubits):
        active = sorted(
            {q for op in self._circuit.operations if op.name not in {"measure", "barrier"} for q in op.qubits}
        )
        return tuple(active.index(qubit) for qubit in qubits)


# ---------------------------------------------------------------------------- wrong gates


class WrongGate(Right):
    """Has one wrong gate; a subclass says what its matrix is."""

    def __init__(self, *, gate: str, **options) -> None:
        super().__init__(**options)
        self.gate = gate

    def matrix(self, name, params):
        right = super().matrix(name, params)
        return self.wrong(right, *params) if name == self.gate else right

    def wrong(self, right: np.ndarray, *params: float) -> np.ndarray:
        raise NotImplementedError

    def turned(self, *params: float) -> np.ndarray:
        """Return the gate at other angles."""
        return super().matrix(self.gate, params)


class GateDropped(WrongGate):
    def wrong(self, right, *params):
        return np.eye(len(right))


class AngleWrong(WrongGate):
    """Misreads all angles of a gate, or only one of them."""

    def __init__(self, *, which: int | None = None, **options) -> None:
        super().__init__(**options)
        self.which = which

    def wrong(self, right, *params):
        return self.turned(
            *(self.misread(angle) if self.which in {None, k} else angle for k, angle in enumerate(params))
        )

    def misread(self, angle: float) -> float:
        raise NotImplementedError


class AngleNegated(AngleWrong):
    def misread(self, angle):
        return -angle


class AngleHalved(AngleWrong):
    def misread(self, angle):
        return angle / 2


class AngleDoubled(AngleWrong):
    def misread(self, angle):
        return angle + angle


class AngleInDegrees(AngleWrong):
    def misread(self, angle):
        return math.radians(angle)


class AngleInHalfTurns(AngleWrong):
    def misread(self, angle):
        return angle * math.pi


class AngleModulo(AngleWrong):
    def misread(self, angle):
        return angle % (2 * math.pi)


class AnglesExchanged(WrongGate):
    """Takes the last two angles of a gate for each other."""

    def wrong(self, right, *params):
        return self.turned(*params[:-2], *reversed(params[-2:]))


class InverseTaken(WrongGate):
    def wrong(self, right, *params):
        return right.conj().T


class OperandsExchanged(WrongGate):
    """Takes the first and the last qubit of a gate for each other."""

    def wrong(self, right, *params):
        last = len(right).bit_length() - 2
        index = np.arange(len(right))
        swapped = index & ~(1 | 1 << last) | _bit(index, 0) << last | _bit(index, last)
        return right[np.ix_(swapped, swapped)]


class PhaseLost(WrongGate):
    """Has the gate up to a phase, which it loses where the gate is under a control."""

    def wrong(self, right, *params):
        if self.gate == "cu":
            return self.turned(*params[:3], 0.0)
        lost = right.copy()
        lost[1::2, 1::2] *= np.exp(-8j * self.phase(self.turned(*(angle / 8 for angle in params)), bool(params)))
        return lost

    def phase(self, gate: np.ndarray, has_angles: bool) -> float:
        """Return the phase of what the first qubit controls, an eighth of it where the gate has angles."""
        return np.angle(np.linalg.det(gate[1::2, 1::2])) / (2 if has_angles else 16)


# ---------------------------------------------------------------------------- wrong dynamics


class ConditionIgnored(Right):
    def holds(self, comparison, bits):
        return np.ones(len(bits), dtype=bool)


class ConditionInverted(Right):
    def holds(self, comparison, bits):
        return ~super().holds(comparison, bits)


class ConditionReversed(Right):
    def holds(self, comparison, bits):
        number = 0
        for clbit in comparison.clbits:
            number = number << 1 | _bit(bits, clbit)
        return (number == comparison.value) == comparison.equal


class ResetIgnored(Right):
    def reset(self, branches, op, happens):
        return branches


class MeasurementPostponed(Right):
    """Measures everything when all else has been done; until then, all clbits are 0."""

    def operations(self, circuit):
        return sorted(circuit.operations, key=lambda op: op.name == "measure" and not op.condition)


# ---------------------------------------------------------------------------- wrong samplers


class SeedIgnored(Right):
    """Takes no notice of the seed: each run is another one, or, if ``fixed``, all runs are the same."""

    def __init__(self, *, fixed: bool = False, start: int = 1, **options) -> None:
        super().__init__(**options)
        self._numbers = count(start)
        self.fixed, self.start = fixed, start

    def draw(self, probabilities, shots, seed):
        return super().draw(probabilities, shots, self.start if self.fixed else next(self._numbers))


class ShotsMissing(Right):
    """Loses some shots, or invents some if the number is negative."""

    def __init__(self, *, missing: int = 1, **options) -> None:
        super().__init__(**options)
        self.missing = missing

    def draw(self, probabilities, shots, seed):
        return super().draw(probabilities, max(shots - self.missing, 0), seed)


class ShotsCorrelated(Right):
    """Repeats each shot several times; with 0 repeats, chance is too small: outcomes come in turn, evenly spread."""

    def __init__(self, *, repeats: int = 8, **options) -> None:
        super().__init__(**options)
        self.repeats = repeats

    def draw(self, probabilities, shots, seed):
        if not self.repeats:
            first = np.random.default_rng(seed).random()
            ends = np.floor(shots * np.cumsum(probabilities / probabilities.sum()) + first)
            ends[-1] = shots + np.floor(first)
            return np.diff(ends.astype(np.int64), prepend=0)
        groups, rest = divmod(shots, self.repeats)
        return super().draw(probabilities, groups, seed) * self.repeats + super().draw(probabilities, rest, seed + 1)


FAULTS: Mapping[str, Callable[..., Right]] = {
    "bits-reversed": BitsReversed,
    "register-bits-reversed": RegisterBitsReversed,
    "registers-reversed": RegistersReversed,
    "clbits-exchanged": ClbitsExchanged,
    "clbits-permuted": ClbitsPermuted,
    "clbit-inverted": ClbitInverted,
    "clbit-stuck": ClbitStuck,
    "clbit-unwritten": ClbitUnwritten,
    "first-write-kept": FirstWriteKept,
    "readout-error": Misread,
    "depolarised": Depolarised,
    "idle-qubit-dropped": IdleQubitDropped,
    "gate-dropped": GateDropped,
    "angle-negated": AngleNegated,
    "angle-halved": AngleHalved,
    "angle-doubled": AngleDoubled,
    "angle-in-degrees": AngleInDegrees,
    "angle-in-half-turns": AngleInHalfTurns,
    "angle-modulo": AngleModulo,
    "angles-exchanged": AnglesExchanged,
    "inverse-taken": InverseTaken,
    "operands-exchanged": OperandsExchanged,
    "phase-lost": PhaseLost,
    "condition-ignored": ConditionIgnored,
    "condition-inverted": ConditionInverted,
    "condition-reversed": ConditionReversed,
    "reset-ignored": ResetIgnored,
    "measurement-postponed": MeasurementPostponed,
    "seed-ignored": SeedIgnored,
    "shots-missing": ShotsMissing,
    "shots-correlated": ShotsCorrelated,
}
"""The cause, without its gate -> the simulator that has this fault; those of gates need ``gate=``."""


def faulty(cause: str, **options: Any) -> Right:
    """Return the simulator for a cause as the diagnosis writes it, such as ``angle-negated:rz``.

    Args:
        cause: a name of ``FAULTS`` or of ``UNNAMED``, with a colon and the gate where the fault is that of a gate.
        options: of the simulator: ``name``, ``exact``, and those of its class.
    """
    fault, _, gate = cause.partition(":")
    if gate:
        options["gate"] = gate
    return (FAULTS.get(fault) or UNNAMED[fault])(**{"name": cause} | options)


# ---------------------------------------------------------------------------- faults without a name


class AngleOff(AngleWrong):
    def misread(self, angle):
        return angle + 0.4


class GateReplaced(WrongGate):
    """Does something else, always the same, in place of a gate."""

    def wrong(self, right, *params):
        random = np.random.default_rng(len(right))
        shape = right.shape
        return np.linalg.qr(random.normal(size=shape) + 1j * random.normal(size=shape))[0]


class OneOperationDropped(Right):
    """Loses one operation, but no measurement, of the whole circuit."""

    def __init__(self, *, index: int = 0, **options) -> None:
        super().__init__(**options)
        self.index = index

    def operations(self, circuit):
        candidates = [k for k, op in enumerate(circuit.operations) if op.name not in {"measure", "barrier"}]
        lost = candidates[self.index % len(candidates)]
        return [op for k, op in enumerate(circuit.operations) if k != lost]


class Shuffled(Right):
    """Gives the probabilities of its outcomes to each other at random."""

    def noise(self, codes, probabilities):
        return codes, np.random.default_rng(len(codes)).permutation(probabilities)


class Uneven(Right):
    """Makes every outcome a third more or less likely, at random."""

    def noise(self, codes, probabilities):
        factors = 1 + np.random.default_rng(len(codes)).choice([-1, 1], len(codes)) / 3
        return codes, probabilities * factors / (probabilities * factors).sum()


class TwoFaults(BitsReversed, Misread):
    """Reads in reverse what it also reads wrong now and then."""


UNNAMED: Mapping[str, Callable[..., Right]] = {
    "angle-off": AngleOff,
    "gate-replaced": GateReplaced,
    "one-operation-dropped": OneOperationDropped,
    "shuffled": Shuffled,
    "uneven": Uneven,
    "two-faults": TwoFaults,
}
"""Faults that no cause of the diagnosis describes; those of gates need ``gate=``."""
