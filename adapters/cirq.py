"""Cirq (https://quantumai.google/cirq), checked against cirq-core 1.7.0.

The first qubit of a Cirq matrix or state is the most significant bit: matrices are given big-endian
and the qubit order is reversed, which makes states little-endian. Amplitudes are handed out, so the
simulator works in complex128; Cirq's default is complex64. ``QasmUGate`` is not used: it takes
theta modulo ``2 pi``, which is wrong by a sign as soon as the gate is controlled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar

import cirq
import numpy as np
import sympy

from adapters.shared.dense import DenseAdapter, counts_of_columns
from adapters.shared.states import State
from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.conditions import bits_of
from gateway.counts import Counts
from gateway.errors import UnsupportedError
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.simulators import SIMULATORS

Entry = Any
"""A ``cirq.Gate``, or a function of the angles that returns one."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Cirq circuit, its qubits in our order, and which measurement key each clbit shows."""

    circuit: Any
    qubits: list[Any]
    keys: dict[int, str]
    num_clbits: int


def _matrix(name: str) -> Callable[..., Any]:
    """Return the constructor of a row of the gate table that Cirq has no gate for."""
    return lambda *params: cirq.MatrixGate(big_endian_matrix(name, *params), unitary_check=False)


def _controlled(gate: Any, controls: int = 1) -> Any:
    return cirq.ControlledGate(gate, num_controls=controls)


def _phase(angle: float) -> Any:
    return cirq.ZPowGate(exponent=angle / pi)


def _controlled_phase(angle: float) -> Any:
    return cirq.CZPowGate(exponent=angle / pi)


def _interaction(gate: Any) -> Callable[[float], Any]:
    """Return the constructor of ``exp(-i t/2 PP)``; without the shift Cirq's has another phase."""
    return lambda angle: gate(exponent=angle / pi, global_shift=-0.5)


_U = _matrix("u")
_SX = cirq.XPowGate(exponent=0.5)


class CirqAdapter(DenseAdapter[Program]):
    """Cirq's state-vector simulator."""

    name = "cirq"
    capabilities = SIMULATORS["cirq"].capabilities
    native_gates: ClassVar[Mapping[str, Entry]] = {
        "gphase": lambda gamma: cirq.GlobalPhaseGate(np.exp(1j * gamma)),
        "id": cirq.I,
        "x": cirq.X,
        "y": cirq.Y,
        "z": cirq.Z,
        "h": cirq.H,
        "s": cirq.S,
        "sdg": cirq.ZPowGate(exponent=-0.5),
        "t": cirq.T,
        "tdg": cirq.ZPowGate(exponent=-0.25),
        "sx": _SX,
        "sxdg": cirq.XPowGate(exponent=-0.5),
        "p": _phase,
        "u1": _phase,
        "u2": _matrix("u2"),
        "u3": _U,
        "u": _U,
        "U": _U,
        "rx": cirq.rx,
        "ry": cirq.ry,
        "rz": cirq.rz,
        "cx": cirq.CNOT,
        "CX": cirq.CNOT,
        "cy": _controlled(cirq.Y),
        "cz": cirq.CZ,
        "ch": _controlled(cirq.H),
        "cs": cirq.CZPowGate(exponent=0.5),
        "csdg": cirq.CZPowGate(exponent=-0.5),
        "csx": _controlled(_SX),
        "cp": _controlled_phase,
        "cu1": _controlled_phase,
        "crx": lambda t: _controlled(cirq.rx(t)),
        "cry": lambda t: _controlled(cirq.ry(t)),
        "crz": lambda t: _controlled(cirq.rz(t)),
        "cu3": _matrix("cu3"),
        "cu": _matrix("cu"),
        "swap": cirq.SWAP,
        "iswap": cirq.ISWAP,
        "dcx": _matrix("dcx")(),
        "ecr": _matrix("ecr")(),
        "rxx": _interaction(cirq.XXPowGate),
        "ms": _interaction(cirq.XXPowGate),
        "ryy": _interaction(cirq.YYPowGate),
        "rzz": _interaction(cirq.ZZPowGate),
        "rzx": _matrix("rzx"),
        "xx_plus_yy": _matrix("xx_plus_yy"),
        "xx_minus_yy": _matrix("xx_minus_yy"),
        "ccx": cirq.CCX,
        "ccz": cirq.CCZ,
        "cswap": cirq.CSWAP,
        "rccx": _matrix("rccx")(),
        "rc3x": _matrix("rc3x")(),
        "c3x": _controlled(cirq.X, 3),
        "c3sqrtx": _controlled(_SX, 3),
        "c4x": _controlled(cirq.X, 4),
    }

    def version(self) -> str:
        """Return Cirq's version."""
        return str(cirq.__version__)

    def build(self, circuit: Circuit) -> Program:
        """Convert to a Cirq circuit, with one measurement key for each measurement."""
        qubits = cirq.LineQubit.range(circuit.num_qubits)
        keys: dict[int, str] = {}
        operations: list[Any] = []
        # Operations never change, so the same gate on the same qubits can be the same object.
        known: dict[tuple[str, tuple[int, ...]], Any] = {}
        conditional = False
        for index, op in enumerate(circuit.operations):
            if op.name == "barrier":
                continue
            if op.name == "measure":
                operations.append(_measurement(op, index, qubits, keys))
                continue
            made = known.get((op.name, op.qubits))
            if made is None:
                made = cirq.GateOperation(self._gate(op), [qubits[q] for q in op.qubits])
                if not op.params:
                    known[op.name, op.qubits] = made
            if op.condition:
                conditional = True
                controls = _controls(op.condition, keys)
                if controls is None:
                    continue
                made = made.with_classical_controls(*controls)
            operations.append(made)
        # Cirq's own packing, which also looks at measurement keys, takes three times as long.
        packed = cirq.Circuit(operations if conditional else _moments(operations))
        return Program(packed, qubits, keys, circuit.num_clbits)

    def _gate(self, op: Operation) -> Any:
        if op.name == "reset":
            return cirq.ResetChannel()
        entry = self.native_gates[op.name]
        return entry(*op.params) if op.params else entry

    def evolve(self, native: Program, state: State | None = None) -> State:
        """Return the state after the circuit.

        These are the steps of ``cirq.Simulator.simulate`` without a result object for each moment,
        which takes 60 % as long.
        """
        simulation = cirq.StateVectorSimulationState(
            qubits=native.qubits[::-1],
            initial_state=0 if state is None else state.astype(np.complex128),
            dtype=np.complex128,
        )
        for operation in native.circuit.all_operations():
            cirq.act_on(operation, simulation)
        return np.ascontiguousarray(simulation.target_tensor).reshape(-1)

    def sample(self, native: Program, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``Simulator.run``; a simulator of its own makes the seed count."""
        simulator = cirq.Simulator(dtype=np.complex128, seed=seed, split_untangled_states=False)
        records = simulator.run(native.circuit, repetitions=shots).records
        columns = {clbit: records[key][:, 0, 0] for clbit, key in native.keys.items()}
        return counts_of_columns(columns, native.num_clbits)


def _moments(operations: Sequence[Any]) -> list[Any]:
    """Put each operation into the first moment after those that share a qubit with it, as Cirq does."""
    free: dict[Any, int] = {}  # qubit -> first moment in which nothing acts on it
    moments: list[list[Any]] = []
    for operation in operations:
        where = operation.qubits
        level = max([free.get(qubit, 0) for qubit in where], default=0)
        if level == len(moments):
            moments.append([])
        moments[level].append(operation)
        for qubit in where:
            free[qubit] = level + 1
    return [cirq.Moment.from_ops(*moment) for moment in moments]


def _measurement(op: Operation, index: int, qubits: Sequence[Any], keys: dict[int, str]) -> Any:
    """Return a measurement under a new key and remember that its clbit now shows that key."""
    if op.condition:
        raise UnsupportedError(
            f"operation {index}: Cirq's own sampler has no conditional measurement: leave sampling at 'auto'",
            feature="native conditional measurement",
            simulator=CirqAdapter.name,
        )
    keys[op.clbits[0]] = f"m{index}"
    return cirq.measure(qubits[op.qubits[0]], key=f"m{index}")


def _controls(condition: Condition, keys: Mapping[int, str]) -> list[Any] | None:
    """Return a condition in terms of the keys its clbits show at this moment; ``None`` if it never holds."""
    controls: list[Any] = []
    for comparison in condition:
        wanted, possible = _wanted(comparison, keys)
        if comparison.equal:
            if not possible:
                return None
            controls += [cirq.BitMaskKeyCondition(key, target_value=bit, equal_target=True) for key, bit in wanted]
        elif possible:
            if not wanted:
                return None
            controls.append(_unequal(wanted))
    return controls


def _unequal(wanted: list[tuple[str, int]]) -> Any:
    """Return the condition that not all keys have the bit wanted."""
    if len(wanted) == 1:
        ((key, bit),) = wanted
        return cirq.BitMaskKeyCondition(key, target_value=bit, equal_target=False)
    # This is no conjunction; of Cirq's conditions only sympy's, which take twice the time, can say it.
    return cirq.SympyCondition(sympy.Or(*(sympy.Ne(sympy.Symbol(key), bit) for key, bit in wanted)))


def _wanted(comparison: Comparison, keys: Mapping[int, str]) -> tuple[list[tuple[str, int]], bool]:
    """Return (key, bit) of the clbits written so far, and whether the others, still 0, are as compared."""
    bits = bits_of(comparison)
    wanted = [(keys[clbit], bit) for clbit, bit in bits if clbit in keys]
    return wanted, all(bit == 0 for clbit, bit in bits if clbit not in keys)
