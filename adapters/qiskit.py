"""Qiskit Aer's state-vector simulator (https://qiskit.github.io/qiskit-aer), checked against 0.18.2 on Qiskit 2.6.2.

Qiskit is little-endian throughout, as we are. Aer lacks some of Qiskit's gates; they go in as their
matrices, which is exact and needs no transpiler. Aer reports a failure in the result and raises
nothing: :meth:`QiskitAdapter._run` raises.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, ClassVar

import numpy as np
import qiskit_aer
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit._accelerate.circuit import StandardGate  # private: see build
from qiskit.circuit import CircuitInstruction
from qiskit.circuit.classical import expr
from qiskit.circuit.library import C3XGate, C4XGate, UnitaryGate
from qiskit_aer import AerSimulator

from adapters.base import ALWAYS_FITS
from adapters.shared.aer_jobs import run_in_calling_thread
from adapters.shared.dense import DenseAdapter
from adapters.shared.memory import available_bytes
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import Comparison, Condition
from gateway.counts import Counts
from gateway.errors import SimulatorError
from gateway.frameworks.shared.matrices import matrix
from gateway.simulators import SIMULATORS

Append = Callable[[QuantumCircuit, Operation], object]
"""Appends what is not one of Aer's standard gates."""


def _matrix(circuit: QuantumCircuit, op: Operation) -> None:
    """Append the matrix of a row of the gate table (the same qubit order as ours)."""
    circuit.append(UnitaryGate(matrix(op.name, *op.params), check_input=False), op.qubits, copy=False)


def _phase(circuit: QuantumCircuit, op: Operation) -> None:
    """Aer knows a global phase as a property of the circuit, not as a gate."""
    circuit.global_phase += op.params[0]


class QiskitAdapter(DenseAdapter[QuantumCircuit]):
    """Qiskit Aer with ``method="statevector"``."""

    name = "qiskit"
    capabilities = SIMULATORS["qiskit"].capabilities
    native_gates: ClassVar[Mapping[str, StandardGate | Append]] = {
        "gphase": _phase,
        "id": StandardGate.I,
        "x": StandardGate.X,
        "y": StandardGate.Y,
        "z": StandardGate.Z,
        "h": StandardGate.H,
        "s": StandardGate.S,
        "sdg": StandardGate.Sdg,
        "t": StandardGate.T,
        "tdg": StandardGate.Tdg,
        "sx": StandardGate.SX,
        "sxdg": StandardGate.SXdg,
        "p": StandardGate.Phase,
        "u1": StandardGate.U1,
        "u2": StandardGate.U2,
        "u3": StandardGate.U3,
        "u": StandardGate.U,
        "U": StandardGate.U,
        "rx": StandardGate.RX,
        "ry": StandardGate.RY,
        "rz": StandardGate.RZ,
        "cx": StandardGate.CX,
        "CX": StandardGate.CX,
        "cy": StandardGate.CY,
        "cz": StandardGate.CZ,
        "ch": _matrix,
        "cs": _matrix,
        "csdg": _matrix,
        "csx": StandardGate.CSX,
        "crx": StandardGate.CRX,
        "cry": StandardGate.CRY,
        "crz": StandardGate.CRZ,
        "cp": StandardGate.CPhase,
        "cu1": StandardGate.CU1,
        "cu3": StandardGate.CU3,
        "cu": StandardGate.CU,
        "swap": StandardGate.Swap,
        "iswap": _matrix,
        "dcx": _matrix,
        "ecr": StandardGate.ECR,
        "rxx": StandardGate.RXX,
        "ms": StandardGate.RXX,
        "ryy": StandardGate.RYY,
        "rzz": StandardGate.RZZ,
        "rzx": StandardGate.RZX,
        "xx_plus_yy": _matrix,
        "xx_minus_yy": _matrix,
        "ccx": StandardGate.CCX,
        "ccz": StandardGate.CCZ,
        "cswap": StandardGate.CSwap,
        "rccx": _matrix,
        "rc3x": _matrix,
        "c3x": lambda c, op: c.append(C3XGate(), op.qubits, copy=False),
        "c3sqrtx": _matrix,
        "c4x": lambda c, op: c.append(C4XGate(), op.qubits, copy=False),
    }

    def __init__(self) -> None:
        run_in_calling_thread()
        # One thread: the server runs as many processes as there are cores.
        self._simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def version(self) -> str:
        """Return Aer's version."""
        return str(qiskit_aer.__version__)

    def build(self, circuit: Circuit) -> QuantumCircuit:
        """Convert to a Qiskit circuit with one quantum and one classical register.

        ``CircuitInstruction.from_standard`` with ``_append(..., _standard_gate=True)`` is what
        Qiskit's own transpiler passes use; it spares the Python object and the checks of ``append``
        (0.8 us a gate instead of 9.9). Both are internal: Qiskit is pinned below 2.7, and a test
        holds the result equal to that of ``append``.
        """
        qubits = QuantumRegister(circuit.num_qubits, "q")
        target = QuantumCircuit(qubits, ClassicalRegister(circuit.num_clbits, "c"))
        bits = list(qubits)
        table, standard, add = self.native_gates, CircuitInstruction.from_standard, target._append  # noqa: SLF001
        for op in circuit.operations:
            gate = table.get(op.name) or _OTHERS[op.name]
            if op.condition:
                self._append_conditional(target, op)
            elif type(gate) is StandardGate:
                add(standard(gate, [bits[q] for q in op.qubits], op.params), _standard_gate=True)
            else:
                gate(target, op)
        return target

    def _append_conditional(self, target: QuantumCircuit, op: Operation) -> None:
        if op.name == "gphase":
            return  # the phase of one branch against the others: no outcome shows it
        qubits, clbits = tuple(range(len(op.qubits))), tuple(range(len(op.clbits)))
        body = self.build(Circuit(len(qubits), len(clbits), [Operation(op.name, qubits, op.params, clbits)]))
        target.if_test(_expression(target, op.condition), body, op.qubits, op.clbits)

    def evolve(self, native: QuantumCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        if state is None:
            circuit = native.copy()
        else:
            circuit = native.copy_empty_like()
            # Aer applies the global phase to the initial state, and forgets it when a state is set.
            circuit.set_statevector(state * cmath.exp(1j * native.global_phase))
            circuit.compose(native, inplace=True, copy=False)
        circuit.save_statevector()
        data = self._run(circuit, shots=1).data.statevector
        return np.asarray(data)

    def sample(self, native: QuantumCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerSimulator.run``, dynamic circuits branch by branch where Aer can."""
        found = self._run(native, shots=shots, seed_simulator=spread(seed), shot_branching_enable=True).data.counts
        width = native.num_clbits
        # Aer's keys are the classical memory in hexadecimal, clbit 0 the least significant bit.
        return Counts.trusted({f"{int(key, 16):0{width}b}": times for key, times in found.items()}, width)

    def _run(self, circuit: QuantumCircuit, **options: Any) -> Any:
        """Return the only result of a run.

        Raises:
            SimulatorError: with Aer's own text.
        """
        if circuit.num_qubits > ALWAYS_FITS:
            # Aer compares with the machine's memory unless told; a container may have less.
            options["max_memory_mb"] = max(available_bytes() // 2**20, 1)
        outcome = self._simulator.run(circuit, **options).result()
        if not outcome.success:
            status = outcome.results[0].status if outcome.results else outcome.status
            raise SimulatorError(
                f"Aer failed: {status}", simulator=self.name, version=self.version(), detail=str(status)
            )
        return outcome.results[0]


_OTHERS: dict[str, Append] = {
    "barrier": lambda circuit, op: None,  # noqa: ARG005 - nothing is optimised across it
    "measure": lambda circuit, op: circuit.measure(op.qubits, op.clbits),
    "reset": lambda circuit, op: circuit.reset(op.qubits),
}


def _expression(circuit: QuantumCircuit, condition: Condition) -> Any:
    """Return a condition as a Qiskit expression over single clbits."""
    return reduce(expr.logic_and, [_comparison(circuit, comparison) for comparison in condition])


def _comparison(circuit: QuantumCircuit, comparison: Comparison) -> Any:
    bits = [(circuit.clbits[clbit], comparison.value >> place & 1) for place, clbit in enumerate(comparison.clbits)]
    equal = reduce(expr.logic_and, [expr.lift(bit) if value else expr.logic_not(bit) for bit, value in bits])
    return equal if comparison.equal else expr.logic_not(equal)
