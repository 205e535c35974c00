"""pytket's Aer backends (https://docs.quantinuum.com/tket), checked against pytket 2.18.5 and pytket-qiskit 0.79.0.

Angles and phases are in half-turns. States and boxes are big-endian. A gate outside the backends'
gate set goes in as a box with its matrix, so a circuit is valid as built: the backends' default
compilation, minutes for 10,000 gates, is never needed.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pytket.extensions.qiskit
from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import OpType, Unitary2qBox, Unitary3qBox
from pytket.extensions.qiskit import AerBackend, AerStateBackend, qiskit_convert, tk_to_qiskit

from adapters.shared.aer_jobs import run_in_calling_thread
from adapters.shared.dense import DenseAdapter, counts_of_columns
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import Condition
from gateway.counts import Counts
from gateway.errors import SimulatorError, UnsupportedError
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.simulators import SIMULATORS

Append = Callable[..., object]
"""Appends one gate: ``(circuit, *half_turns, *qubits, condition_bits=..., condition_value=...)``."""


def _box2(name: str) -> Append:
    """Append the matrix of a two-qubit row of the gate table."""

    def append(circuit: Any, *args: Any, **when: Any) -> None:
        *turns, a, b = args
        circuit.add_unitary2qbox(Unitary2qBox(big_endian_matrix(name, *[t * math.pi for t in turns])), a, b, **when)

    return append


def _rccx(circuit: Any, *qubits: int, **when: Any) -> None:
    circuit.add_unitary3qbox(Unitary3qBox(big_endian_matrix("rccx")), *qubits, **when)


def _many(kind: OpType) -> Append:
    """Append a gate without a method of its own."""
    return lambda c, *qubits, **when: c.add_gate(kind, [], list(qubits), **when)


class PytketAdapter(DenseAdapter[TketCircuit]):
    """pytket's ``AerStateBackend``, and ``AerBackend`` where its own sampler is asked for."""

    name = "pytket"
    capabilities = SIMULATORS["pytket"].capabilities
    native_gates: ClassVar[Mapping[str, Append]] = {
        "gphase": TketCircuit.add_phase,
        "id": _many(OpType.noop),
        "x": TketCircuit.X,
        "y": TketCircuit.Y,
        "z": TketCircuit.Z,
        "h": TketCircuit.H,
        "s": TketCircuit.S,
        "sdg": TketCircuit.Sdg,
        "t": TketCircuit.T,
        "tdg": TketCircuit.Tdg,
        "sx": TketCircuit.SX,  # V is another phase
        "sxdg": TketCircuit.SXdg,
        "p": TketCircuit.U1,
        "u1": TketCircuit.U1,
        "u2": TketCircuit.U2,
        "u3": TketCircuit.U3,
        "u": TketCircuit.U3,
        "U": TketCircuit.U3,
        "rx": TketCircuit.Rx,
        "ry": TketCircuit.Ry,
        "rz": TketCircuit.Rz,
        "cx": TketCircuit.CX,
        "CX": TketCircuit.CX,
        "cy": TketCircuit.CY,
        "cz": TketCircuit.CZ,
        "ch": _box2("ch"),
        "cs": lambda c, a, b, **when: c.CU1(0.5, a, b, **when),
        "csdg": lambda c, a, b, **when: c.CU1(-0.5, a, b, **when),
        "csx": TketCircuit.CSX,
        "crx": TketCircuit.CRx,
        "cry": TketCircuit.CRy,
        "crz": TketCircuit.CRz,
        "cp": TketCircuit.CU1,
        "cu1": TketCircuit.CU1,
        "cu3": TketCircuit.CU3,
        "swap": TketCircuit.SWAP,
        "iswap": _box2("iswap"),
        "dcx": _box2("dcx"),
        "ecr": TketCircuit.ECR,
        "rxx": TketCircuit.XXPhase,
        "ms": TketCircuit.XXPhase,
        "ryy": TketCircuit.YYPhase,
        "rzz": TketCircuit.ZZPhase,
        "rzx": _box2("rzx"),
        "xx_plus_yy": _box2("xx_plus_yy"),
        "xx_minus_yy": _box2("xx_minus_yy"),
        "ccx": TketCircuit.CCX,
        "ccz": _many(OpType.CnZ),
        "cswap": TketCircuit.CSWAP,
        "rccx": _rccx,
        "c3x": _many(OpType.CnX),
        "c4x": _many(OpType.CnX),
    }

    def __init__(self) -> None:
        run_in_calling_thread()
        self._state_backend = AerStateBackend()
        self._shot_backend = AerBackend(simulation_method="statevector")
        for backend in (self._state_backend, self._shot_backend):
            # One thread: the server runs as many processes as there are cores.
            _aer(backend).set_options(max_parallel_threads=1)

    def version(self) -> str:
        """Return pytket-qiskit's version, which pins the others."""
        return str(pytket.extensions.qiskit.__extension_version__)

    def build(self, circuit: Circuit) -> TketCircuit:
        """Convert to a pytket circuit on one register of qubits and one of bits."""
        target = TketCircuit(circuit.num_qubits, circuit.num_clbits)
        table, pi = self.native_gates, math.pi
        for op in circuit.operations:
            append = table.get(op.name)
            if op.condition or append is None:
                self._append_other(target, op)
            elif op.params:
                append(target, *[angle / pi for angle in op.params], *op.qubits)
            else:
                append(target, *op.qubits)
        return target

    def _append_other(self, target: TketCircuit, op: Operation) -> None:
        """Append what is not an unconditional gate."""
        if op.name in {"barrier", "gphase"}:
            return  # neither has an effect; a conditional phase is one of a whole branch, which no outcome shows
        when: dict[str, Any] = {}
        if op.condition:
            bits = _bits(op.condition, target.n_bits)
            if bits is None:
                return
            when = {"condition_bits": list(bits), "condition_value": sum(b << i for i, b in enumerate(bits.values()))}
        append = {"measure": TketCircuit.Measure, "reset": TketCircuit.Reset}.get(op.name) or self.native_gates[op.name]
        append(target, *[angle / math.pi for angle in op.params], *op.qubits, *op.clbits, **when)

    def evolve(self, native: TketCircuit, state: State | None = None) -> State:
        """Return the state after the circuit, with ``AerStateBackend``.

        The backend cannot begin in a given state. With one, the circuit is converted as the backend
        does it and runs on the backend's own Aer simulator, with the state set in front.
        """
        with _running(self._state_backend):
            if state is None:
                # Turned round here: pytket's own ``BasisOrder.dlo`` takes 10 times the time and memory.
                big_endian = self._state_backend.run_circuit(native).get_state()
                return np.ascontiguousarray(big_endian.reshape((2,) * native.n_qubits).T).reshape(-1)
            circuit = tk_to_qiskit(native)
            whole = circuit.copy_empty_like()
            # Aer applies the global phase to the initial state, and forgets it when a state is set.
            whole.set_statevector(state * cmath.exp(1j * circuit.global_phase))
            whole.compose(circuit, inplace=True, copy=False)
            whole.save_statevector()
            outcome = _aer(self._state_backend).run(whole, shots=1).result()
        if not outcome.success:
            raise SimulatorError(
                f"Aer failed: {outcome.status}", simulator=self.name, version=self.version(), detail=outcome.status
            )
        return np.asarray(outcome.results[0].data.statevector)

    def sample(self, native: TketCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerBackend``.

        Its table of shots is counted here: ``get_counts`` takes 10 times as long.
        """
        with _running(self._shot_backend):
            table = self._shot_backend.run_circuit(native, shots, seed=spread(seed)).get_shots()
        return counts_of_columns(dict(enumerate(table.T)), native.n_bits)


def _aer(backend: Any) -> Any:
    return backend._qiskit_backend  # noqa: SLF001 - no public way to set Aer's options


@contextmanager
def _running(backend: Any) -> Iterator[None]:
    """Repair two faults of pytket-qiskit 0.79 around a run.

    Each parameter is converted through sympy, 130 of the 140 us that a gate takes; none of ours is
    symbolic, so a multiplication does. And the backends' class keeps a record of every circuit run.
    """
    slow = qiskit_convert._param_to_qiskit  # noqa: SLF001
    qiskit_convert._param_to_qiskit = lambda turns, _symbols: float(turns) * math.pi  # noqa: SLF001
    try:
        yield
    finally:
        qiskit_convert._param_to_qiskit = slow  # noqa: SLF001
        backend.empty_cache()
        backend._circuit_data.clear()  # noqa: SLF001


def _bits(condition: Condition, num_clbits: int) -> dict[int, int] | None:
    """Return the clbits a condition tests and the value each must have, or ``None`` if it never holds.

    Raises:
        UnsupportedError: the condition is more than the backend can test.
    """
    bits: dict[int, int] = {}
    for comparison in condition:
        width = len(comparison.clbits)
        if not comparison.equal and width > 1:
            raise _untestable(f"clbits {list(comparison.clbits)} != {comparison.value}")
        value = comparison.value if comparison.equal else 1 - comparison.value
        for place, clbit in enumerate(comparison.clbits):
            bit = value >> place & 1
            if bits.setdefault(clbit, bit) != bit:
                return None
    if 1 < len(bits) < num_clbits:
        raise _untestable(f"a test of clbits {sorted(bits)} out of {num_clbits}")
    return dict(sorted(bits.items()))


def _untestable(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"pytket's own sampler tests one clbit or all of them, not {what}: leave sampling at 'auto'",
        feature="native classical control",
        simulator="pytket",
    )
