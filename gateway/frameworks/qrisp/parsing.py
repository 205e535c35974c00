"""Qrisp (https://qrisp.eu) 0.9 -> the shared circuit, checked against 0.9.10.

Qubits and clbits are numbered in the order of ``QuantumCircuit.qubits`` and ``.clbits``. A
``QuantumSession`` counts as what its ``compile()`` gives, a ``QuantumVariable`` as what its session
compiles to with the variable measured, its qubit ``k`` into clbit ``k``.

What an operation does is what its numbers and its definition say, never its name, which anybody can
choose: Qrisp's own ``sx`` is a rotation by pi/2 and its ``u1`` one around Z, so they come out as
``rx`` and ``rz``, with their phase. ``qb_alloc`` and ``qb_dealloc`` do nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from math import pi
from typing import Any

from qrisp import QuantumSession, QuantumVariable
from qrisp.circuit import (
    ClControlledOperation,
    ControlledOperation,
    QuantumCircuit,
    U3Gate,
)  # fmt: skip

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control
from gateway.errors import RequestError
from gateway.frameworks.shared.refusals import refused, unbound

Angles = tuple[float, float, float, float]
"""Theta, phi, lambda and the global phase of Qrisp's ``U3Gate``."""

_ROW_OF_ANGLES: Mapping[Angles, str] = {
    (0, 0, 0, 0): "id", (pi, 0, pi, 0): "x", (pi, pi / 2, pi / 2, 0): "y", (0, 0, pi, 0): "z", (pi / 2, 0, pi, 0): "h",
    (0, 0, pi / 2, 0): "s", (0, -pi / 2, 0, 0): "sdg", (0, 0, pi / 4, 0): "t", (0, -pi / 4, 0, 0): "tdg",
}  # fmt: skip
"""Angles -> the same gate of the table."""

_NOTHING = frozenset({"qb_alloc", "qb_dealloc"})


def parse(source: object) -> Circuit:
    """Return the shared circuit of a ``QuantumCircuit``, a ``QuantumSession`` or a ``QuantumVariable``.

    Raises:
        RequestError: the object is something else of Qrisp.
        CircuitInvalidError: parameters are unbound.
        UnsupportedError: an operation has no definition, such as noise or a parity of clbits.
        LimitError: the circuit is larger than circuits may be.
    """
    circuit = _circuit(source)
    if circuit.abstract_params:
        raise unbound(map(str, circuit.abstract_params))
    out = Emitter(DEFAULT_LIMITS)
    qubits, clbits = out.new_qubits(len(circuit.qubits)), out.new_clbits(len(circuit.clbits))
    _Reader(out).read(circuit, qubits, clbits)
    return Circuit(*out.parts())


def _circuit(source: Any) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return the circuit of a source, compiled where Qrisp would compile it."""
    if isinstance(source, QuantumVariable):
        circuit = source.qs.compile(intended_measurements=source.reg)
        circuit.measure([circuit.qubits[_place(circuit, qubit)] for qubit in source.reg])
        return circuit
    if isinstance(source, QuantumSession):
        return source.compile()
    if isinstance(source, QuantumCircuit):
        return source
    raise RequestError(
        f"a circuit of Qrisp is a QuantumCircuit, a QuantumSession or a QuantumVariable, not a {type(source).__name__}",
        field="circuits",
    )


def _place(circuit: Any, qubit: Any) -> int:  # noqa: ANN401 - a QuantumCircuit and a Qubit
    return [other.identifier for other in circuit.qubits].index(qubit.identifier)


class _Reader:
    """Carries out instructions of Qrisp on an emitter."""

    def __init__(self, out: Emitter) -> None:
        self._out = out
        self._index = 0

    def read(self, circuit: Any, qubits: Sequence[int], clbits: Sequence[int], *, top: bool = True) -> None:  # noqa: ANN401
        """Carry out a circuit on these qubits and clbits, which are in the order of its own."""
        places = dict(zip(circuit.qubits, qubits, strict=True))
        bits = dict(zip(circuit.clbits, clbits, strict=True))
        for index, instruction in enumerate(circuit.data):
            if top:
                self._index = index
            where = [places[qubit] for qubit in instruction.qubits]
            self._carry_out(instruction.op, where, [bits[bit] for bit in instruction.clbits])

    def _carry_out(self, op: Any, qubits: Sequence[int], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if isinstance(op, (U3Gate, ControlledOperation)):
            for step in self._steps(op, qubits):
                self._out.gate(step)
        elif isinstance(op, ClControlledOperation):
            self._conditional(op, qubits, clbits)
        elif op.definition is not None:
            if _is_swap(op):
                self._out.gate(("swap", tuple(qubits), ()))
            else:
                self.read(op.definition, qubits, clbits, top=False)
        else:
            self._primitive(op, qubits, clbits)

    def _primitive(self, op: Any, qubits: Sequence[int], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if op.name == "measure":
            self._out.measure(qubits[0], clbits[0])
        elif op.name == "reset":
            self._out.reset(qubits[0])
        elif op.name == "barrier":
            self._out.barrier(tuple(qubits))
        elif op.name not in _NOTHING:
            raise refused(self._index, op.name, "it has no definition")

    def _conditional(self, op: Any, qubits: Sequence[int], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if op.definition is not None:  # its base operation is conditional itself
            self.read(op.definition, qubits, clbits, top=False)
            return
        clbits_of_condition, others = clbits[: op.num_control], clbits[op.num_control :]
        value = sum(int(bit) << place for place, bit in enumerate(op.ctrl_state))
        self._out.choose([(compare(clbits_of_condition, value), partial(self._carry_out, op.base_op, qubits, others))])

    # ------------------------------------------------------------------ unitaries

    def _steps(self, op: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401
        """Return a unitary operation as steps, including its phase."""
        if isinstance(op, U3Gate):
            return _rotation((op.theta, op.phi, op.lam, op.global_phase), qubits[0])
        if isinstance(op, ControlledOperation):
            controls, targets = qubits[: len(op.controls)], qubits[len(op.controls) :]
            zeros = [qubit for qubit, bit in zip(controls, op.ctrl_state, strict=True) if bit == "0"]
            return control(self._steps(op.base_operation, targets), controls, zeros)
        if op.name in _NOTHING or op.name == "barrier":
            return []
        if op.definition is None:
            raise refused(self._index, op.name, "it has no definition")
        if _is_swap(op):
            return [("swap", tuple(qubits), ())]
        places = dict(zip(op.definition.qubits, qubits, strict=True))
        return [
            step
            for inner in op.definition.data
            for step in self._steps(inner.op, [places[qubit] for qubit in inner.qubits])
        ]


def _rotation(angles: Angles, qubit: int) -> list[Step]:
    """Return a ``U3Gate`` as the same gate of the table, or as a phase and one gate."""
    row = _ROW_OF_ANGLES.get(angles)
    if row is not None:
        return [(row, (qubit,), ())]
    theta, phi, lam, phase = map(float, angles)
    if theta == 0:
        turn = phi + lam
        if turn and phase == -turn / 2:
            return [("rz", (qubit,), (turn,))]
        gate: list[Step] = [("p", (qubit,), (turn,))] if turn else []
    elif phi == lam == 0:
        gate = [("ry", (qubit,), (theta,))]
    elif (phi, lam) == (-pi / 2, pi / 2):
        gate = [("rx", (qubit,), (theta,))]
    else:
        gate = [("u", (qubit,), (theta, phi, lam))]
    return [("gphase", (), (phase,)), *gate] if phase else gate


_SWAP = [("cx", (0, 1)), ("cx", (1, 0)), ("cx", (0, 1))]


def _is_swap(op: Any) -> bool:  # noqa: ANN401 - an Operation
    """Return whether an operation is Qrisp's swap, the one gate with a definition that is better kept whole."""
    if op.name != "swap" or len(op.definition.data) != len(_SWAP):
        return False
    places = {qubit: place for place, qubit in enumerate(op.definition.qubits)}
    steps = [(inner.op.name, tuple(places[qubit] for qubit in inner.qubits)) for inner in op.definition.data]
    return steps == _SWAP and all(type(inner.op) is ControlledOperation for inner in op.definition.data)
