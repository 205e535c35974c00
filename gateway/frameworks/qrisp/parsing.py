"""Qrisp (https://qrisp.eu) 0.9 -> the shared circuit, checked against 0.9.10.

Qubits and clbits are numbered in the order of ``QuantumCircuit.qubits`` and ``.clbits``. A
``QuantumSession`` counts as what its ``compile()`` gives, a ``QuantumVariable`` as what its session
compiles to with the variable measured, its qubit ``k`` into clbit ``k``.

What an operation does is what its numbers and its definition say, never its name, which anybody can
choose: Qrisp's own ``sx`` is a rotation by pi/2 and its ``u1`` one around Z, so they come out as
``rx`` and ``rz``, with their phase. ``qb_alloc`` and ``qb_dealloc`` do nothing and are left out, and so are parities of
clbits, which no clbit holds; a note says so. A clbit whose name begins with :data:`HIDDEN` is a hidden one, and
a symbol of sympy a parameter of its name, or of that which
:func:`gateway.frameworks.shared.parameters.names_of` makes of it.
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
from sympy import Symbol

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Emitter
from gateway.circuit.expressions import Angle
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control
from gateway.errors import RequestError
from gateway.frameworks.qrisp.gates import HIDDEN
from gateway.frameworks.shared.parameters import names_of
from gateway.frameworks.shared.refusals import refused
from gateway.frameworks.shared.symbols import angle_of

Angles = tuple[Any, Any, Any, Any]
"""Theta, phi, lambda and the global phase of Qrisp's ``U3Gate``: numbers or expressions of sympy."""

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
        UnsupportedError: an operation has no definition, such as noise, or an angle a function that angles do not have.
        LimitError: the circuit is larger than circuits may be.
    """
    circuit = _circuit(source)
    out = Emitter(DEFAULT_LIMITS)
    qubits = out.new_qubits(len(circuit.qubits))
    is_hidden = [clbit.identifier.startswith(HIDDEN) for clbit in circuit.clbits]
    clbits = [(out.new_hidden_clbits if hidden else out.new_clbits)(1)[0] for hidden in is_hidden]
    names = names_of(map(str, circuit.abstract_params))
    others = {
        symbol: Symbol(names[str(symbol)]) for symbol in circuit.abstract_params if names[str(symbol)] != str(symbol)
    }
    _Reader(out, others).read(circuit, qubits, clbits)
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
    """Carries out instructions of Qrisp on an emitter.

    Args:
        out: the emitter.
        symbols: symbol of sympy -> the one that a parameter can be named for, where it is another.
    """

    def __init__(self, out: Emitter, symbols: Mapping[Any, Any]) -> None:
        self._out = out
        self._symbols = symbols
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
        elif type(op).__name__ == "ParityOperation":
            self._out.note("parities of clbits are not part of the outcome")
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

    def _with_angles(self, step: Step) -> Step:
        """Return a step in which expressions of sympy are angles of a circuit."""
        name, qubits, angles = step
        return name, qubits, tuple([angle if isinstance(angle, float) else self._angle(angle) for angle in angles])

    def _angle(self, expression: Any) -> Angle:  # noqa: ANN401 - an expression of sympy
        return angle_of(expression.subs(self._symbols), partial(refused, self._index))

    def _steps(self, op: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401
        """Return a unitary operation as steps, including its phase."""
        if isinstance(op, U3Gate):
            return [self._with_angles(step) for step in _rotation(_angles(op), qubits[0])]
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


def _angles(op: Any) -> Angles:  # noqa: ANN401 - a U3Gate
    """Return the angles of a ``U3Gate`` as numbers, or as they are where a parameter stands in them."""
    angles = (op.theta, op.phi, op.lam, op.global_phase)
    theta, phi, lam, phase = [angle if getattr(angle, "free_symbols", None) else float(angle) for angle in angles]
    return theta, phi, lam, phase


def _rotation(angles: Angles, qubit: int) -> list[Step]:
    """Return a ``U3Gate`` as the same gate of the table, or as a phase and one gate."""
    row = _ROW_OF_ANGLES.get(angles)
    if row is not None:
        return [(row, (qubit,), ())]
    theta, phi, lam, phase = angles
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
