"""pytket's Aer backends (https://docs.quantinuum.com/tket), checked against pytket 2.18.5 and pytket-qiskit 0.79.0.

Boxes are big-endian. A gate that is not in the backends' gate set becomes a box with its matrix, so every
circuit is valid as it is built and never needs the backends' default compilation, which takes minutes for
10,000 gates.

This module makes the Qiskit circuits that ``AerBackend`` and ``AerStateBackend`` would hand to their Aer
simulators, from the same pytket circuit. It does not run the backends themselves, because pytket-qiskit 0.79
converts each angle through sympy, which takes 130 of the 140 us per gate, and because the backends keep a
record of every circuit they run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import pi
from typing import Any, ClassVar

import pytket.extensions.qiskit
from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import Op, OpType, Unitary2qBox, Unitary3qBox
from pytket.extensions.qiskit import AerBackend, AerStateBackend
from pytket.extensions.qiskit.qiskit_convert import append_tk_command_to_qiskit
from qiskit.circuit import CircuitInstruction, ClassicalRegister, QuantumCircuit, QuantumRegister

from adapters.shared.aer import Aer, run_in_calling_thread
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import Condition
from gateway.circuit.conditions import assignments, wide_inequalities
from gateway.counts import Counts
from gateway.errors import UnsupportedError
from gateway.frameworks.pytket.dumping import LARGEST_VALUE, append, build
from gateway.frameworks.pytket.gates import GATES, MANY, ROWS, Entry
from gateway.frameworks.qiskit.gates import STANDARD
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.resources import Resources
from gateway.simulators import SIMULATORS


def _box(name: str) -> Callable[..., Any]:
    """Return the constructor of a two-qubit gate of the table as a box with its matrix."""
    return lambda *turns: Unitary2qBox(big_endian_matrix(name, *[turn * pi for turn in turns]))


_TABLE: Mapping[str, Entry] = {
    **GATES,
    "ch": _box("ch")(),
    "cs": Op.create(OpType.CU1, [0.5]),
    "csdg": Op.create(OpType.CU1, [-0.5]),
    "iswap": _box("iswap")(),
    "dcx": _box("dcx")(),
    "rzx": _box("rzx"),
    "xx_plus_yy": _box("xx_plus_yy"),
    "xx_minus_yy": _box("xx_minus_yy"),
    "rccx": Unitary3qBox(big_endian_matrix("rccx")),
}
"""pytket's gates, and boxes and phases for those that Aer's backends do not take."""

_NUMBERS = {kind: STANDARD[row] for kind, row in ROWS.items() if row in STANDARD and _TABLE[row] is GATES[row]}
"""Type of an operation -> Qiskit's number of the same standard gate."""


class PytketAdapter(DenseAdapter[TketCircuit]):
    """pytket's ``AerStateBackend``, and its ``AerBackend`` for native sampling."""

    name = "pytket"
    capabilities = SIMULATORS["pytket"].capabilities
    costs = Costs(
        native_state=24,
        from_state=128,
        operation=4_600,
        conditional=34_000,
        by_gate=dict.fromkeys(("ch", "iswap", "dcx", "rzx", "xx_plus_yy", "xx_minus_yy"), 12_000) | {"rccx": 30_000},
        shot=130,
        shot_bit=1,
        own_counts=True,
    )
    shares_points = True
    native_gates: ClassVar[Mapping[str, Entry]] = {"gphase": OpType.Phase, **MANY, **_TABLE}

    def __init__(self) -> None:
        run_in_calling_thread()
        of_aer = partial(Aer, simulator=self.name, version=self.version(), available_bytes=self.available_bytes)
        self._states = of_aer(_simulator_of(AerStateBackend()))
        self._shots = of_aer(_simulator_of(AerBackend(simulation_method="statevector")))

    def use(self, resources: Resources) -> None:
        """Tell Aer how many threads it may use."""
        super().use(resources)
        for aer in (self._states, self._shots):
            aer.use_threads(resources.threads)

    def version(self) -> str:
        """Return pytket-qiskit's version, which pins the others."""
        return str(pytket.extensions.qiskit.__extension_version__)

    def build(self, circuit: Circuit) -> TketCircuit:
        """Convert to a pytket circuit on one register of qubits and one of bits."""
        return build(circuit.num_qubits, circuit.num_clbits, circuit.operations, _TABLE, _append_other)

    def evolve(self, native: TketCircuit, state: State | None = None) -> State:
        """Return the state after the circuit, with the Aer simulator of ``AerStateBackend``.

        The backend itself cannot start from a state that is handed to it.
        """
        return self._states.state_after(as_for_aer(native), state)

    def sample(self, native: TketCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with the Aer simulator of ``AerBackend``."""
        counts = self._shots.counts(as_for_aer(native), shots=shots, seed_simulator=spread(seed))
        return Counts.trusted(counts, native.n_bits)


def _simulator_of(backend: Any) -> Any:
    return backend._qiskit_backend  # noqa: SLF001 - no public way to set Aer's options


def as_for_aer(circuit: TketCircuit) -> QuantumCircuit:
    """Return the circuit that pytket's backends would hand to Aer, for what :meth:`PytketAdapter.build` returned.

    Gates without conditions are converted here, everything else by pytket-qiskit.
    """
    qubits, clbits = QuantumRegister(circuit.n_qubits, "q"), ClassicalRegister(circuit.n_bits, "c")
    target = QuantumCircuit(qubits, clbits)
    places, add, from_standard = list(qubits), target._append, CircuitInstruction.from_standard  # noqa: SLF001
    for command in circuit:
        op, args = command.op, command.args
        number = _NUMBERS.get(op.type)
        if number is None:
            append_tk_command_to_qiskit(op, args, target, {"q": qubits}, {"c": clbits}, {}, {})
        else:
            where = [places[qubit.index[0]] for qubit in args]
            add(from_standard(number, where, [float(turns) * pi for turns in op.params]), _standard_gate=True)
    target.global_phase += float(circuit.phase) * pi
    return target


def _append_other(target: TketCircuit, op: Operation) -> None:
    """Append an operation that is not an unconditional gate."""
    if op.name == "gphase" and not op.condition:
        target.add_phase(op.params[0] / pi)
    elif op.name not in {"barrier", "gphase"}:  # a conditional phase is global to its branch: no outcome shows it
        bits = _bits(op.condition, target.n_bits)
        if bits is not None:
            append(target, op, _TABLE, bits)


def _bits(condition: Condition, num_clbits: int) -> dict[int, int] | None:
    """Return the clbits that a condition tests with the value each must have, ``None`` if it never holds.

    Raises:
        UnsupportedError: the backend cannot test the condition.
    """
    wide = wide_inequalities(condition)
    if wide:
        raise _untestable(f"clbits {list(wide[0].clbits)} != {wide[0].value}")
    alternatives = assignments(condition)
    if not alternatives:
        return None
    (bits,) = alternatives
    if 1 < len(bits) < num_clbits:
        raise _untestable(f"a test of clbits {sorted(bits)} out of {num_clbits}")
    if any(bit and len(bits) > 1 and clbit >= LARGEST_VALUE.bit_length() for clbit, bit in bits.items()):
        raise _untestable(f"a test of {num_clbits} clbits for a number above {LARGEST_VALUE}")
    return dict(sorted(bits.items()))


def _untestable(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"pytket's own sampler tests one clbit or all of them, not {what}: leave sampling at 'auto'",
        feature="native classical control",
        simulator="pytket",
    )
