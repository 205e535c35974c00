"""Amazon Braket (https://amazon-braket-sdk-python.readthedocs.io) -> the shared circuit, checked against 1.127.5.

Braket's qubit ``k`` is qubit ``k``; a qubit below the highest one is idle if nothing acts on it. The clbits
follow the order of the measure instructions, which is also the order of ``measured_qubits`` in Braket's results:
the first measurement is clbit 0. Braket writes its outcome leftmost, we write it rightmost.

Braket runs a circuit without measurements as if it measured everything; the conversion adds no measurements. A
``FreeParameter`` is a parameter of its name, or of that which
:func:`gateway.frameworks.shared.parameters.names_of` makes of it. The feedback of ``measure_ff`` is a hidden clbit.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from braket.circuits import Circuit as BraketCircuit
from braket.circuits import Gate, Measure, Noise
from braket.circuits.compiler_directives import Barrier, EndVerbatimBox, StartVerbatimBox
from braket.experimental_capabilities.iqm.classical_control import CCPRx, MeasureFF
from braket.ir.openqasm import Program as OpenQasmProgram
from braket.parametric import FreeParameterExpression
from sympy import Symbol

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Emitter
from gateway.circuit.expressions import Angle, Expression
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, power, repetitions
from gateway.circuit.operations import CircuitParts
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks.braket.gates import GATES
from gateway.frameworks.shared.operations import without_mere_names
from gateway.frameworks.shared.parameters import names_of
from gateway.frameworks.shared.refusals import refused
from gateway.frameworks.shared.symbols import angle_of
from gateway.frameworks.shared.synthesis import steps_of_unitary

_ROWS: Mapping[type, str] = {cls: name for name, cls in GATES.items()}

_VERBATIM = "a verbatim box has no effect here"


def parse(source: object) -> Circuit:
    """Return the shared circuit of a ``braket.circuits.Circuit``, or of a program in Braket's OpenQASM.

    Raises:
        RequestError: the object is something else of Braket.
        CircuitError: the text of a program is no OpenQASM, or an input of it has no number.
        UnsupportedError: the circuit has a result type, noise, a pulse or a matrix of many qubits.
        LimitError: the circuit is larger than circuits may be.
    """
    if isinstance(source, OpenQasmProgram):
        return _parse_program(source)
    if not isinstance(source, BraketCircuit):
        raise RequestError(
            f"a circuit of Braket is a braket.circuits.Circuit or an OpenQASM Program, not a {type(source).__name__}",
            field="circuits",
        )
    if source.result_types:
        what = f"result type {source.result_types[0].name}"
        raise UnsupportedError(f"{what}: a circuit ends with measured bits", feature=what)
    return without_mere_names(Circuit(*_Reader(source).read()))


def _parse_program(program: Any) -> Circuit:  # noqa: ANN401 - a Program
    """Return the circuit of a text, with the values that its inputs have."""
    circuit = Circuit.from_openqasm(program.source)
    values = {name: value for name, value in (program.inputs or {}).items() if name in circuit.parameters}
    try:
        return circuit.bind({name: float(value) for name, value in values.items()})
    except (TypeError, ValueError) as exc:
        raise CircuitInvalidError(f"an input of the program has no number: {exc}", rule="parameter") from exc


class _Reader:
    """Carries out the instructions of a circuit on an emitter.

    Args:
        circuit: the circuit.
    """

    def __init__(self, circuit: Any) -> None:  # noqa: ANN401 - a braket.circuits.Circuit
        self._out = Emitter(DEFAULT_LIMITS)
        self._circuit = circuit
        self._qubits = self._out.new_qubits(max(map(int, circuit.qubits), default=-1) + 1)
        self._feedback: dict[int, int] = {}  # key -> the hidden clbit of the last outcome under it
        names = names_of(parameter.name for parameter in circuit.parameters)
        self._symbols = {Symbol(name): Symbol(new) for name, new in names.items() if name != new}

    def read(self) -> CircuitParts:
        """Return the parts of the circuit."""
        for index, instruction in enumerate(self._circuit.instructions):
            self._carry_out(index, instruction)
        return self._out.parts()

    def _carry_out(self, index: int, instruction: Any) -> None:  # noqa: ANN401
        operator = instruction.operator
        where = tuple(map(int, instruction.target))
        row = _ROWS.get(type(operator))
        if row is not None and not instruction.control and instruction.power == 1:
            self._out.gate((row, where, self._angles(index, operator)))
        elif isinstance(operator, Gate):
            for step in self._steps(index, instruction, where):
                self._out.gate(step)
        elif isinstance(operator, Measure):
            self._out.measure(where[0], self._out.new_clbits(1)[0])
        elif isinstance(operator, Barrier):
            self._out.barrier(where or self._qubits)
        elif isinstance(operator, StartVerbatimBox | EndVerbatimBox):
            self._out.note(_VERBATIM)
        elif isinstance(operator, MeasureFF):
            (key,) = operator.parameters
            if key not in self._feedback:
                (self._feedback[key],) = self._out.new_hidden_clbits(1)
            self._out.measure(where[0], self._feedback[key])
        elif isinstance(operator, CCPRx):
            self._feed_forward(index, operator, where)
        else:
            why = "it is noise" if isinstance(operator, Noise) else "a circuit has no operation like it"
            raise refused(index, operator.name, why)

    def _feed_forward(self, index: int, operator: Any, where: tuple[int, ...]) -> None:  # noqa: ANN401 - a CCPRx
        """Append a rotation that happens if the last outcome under a key was 1."""
        *angles, key = operator.parameters
        if key not in self._feedback:
            msg = f"operation {index}: {operator.name} depends on a measurement that has not happened"
            raise CircuitInvalidError(msg, rule="condition", operation=index)
        step = ("r", where, tuple([self._angle(index, angle) for angle in angles]))
        self._out.choose([(compare([self._feedback[key]], 1), lambda: self._out.gate(step))])

    # ------------------------------------------------------------------ angles

    def _angles(self, index: int, operator: Any) -> tuple[Angle, ...]:  # noqa: ANN401 - a Gate
        return tuple([self._angle(index, angle) for angle in getattr(operator, "parameters", ())])

    def _angle(self, index: int, angle: Any) -> Angle:  # noqa: ANN401 - a number or a FreeParameterExpression
        if not isinstance(angle, FreeParameterExpression):
            return float(angle)
        return angle_of(angle.expression.subs(self._symbols), partial(refused, index))

    # ------------------------------------------------------------------ gates

    def _steps(self, index: int, instruction: Any, where: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        """Return a gate with its modifiers as steps; the power applies first, then the controls."""
        steps = self._plain_steps(index, instruction.operator, where)
        if instruction.power != 1:
            self._check_power(index, instruction, steps)
            self._out.check_operations(repetitions(steps, instruction.power))
            steps = power(steps, instruction.power)
        controls = tuple(map(int, instruction.control))
        zeros = [qubit for qubit, state in zip(controls, instruction.control_state, strict=True) if not state]
        return control(steps, controls, zeros) if controls else steps

    def _check_power(self, index: int, instruction: Any, steps: list[Step]) -> None:  # noqa: ANN401
        """Refuse a fractional power of a gate whose angles have no value, because it depends on them."""
        is_whole = float(instruction.power).is_integer()
        if not is_whole and any(isinstance(angle, Expression) for _, _, params in steps for angle in params):
            raise refused(index, instruction.operator.name, "a power that is not whole needs values of its parameters")

    def _plain_steps(self, index: int, gate: Any, where: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        row = _ROWS.get(type(gate))
        if row is not None:
            return [(row, where, self._angles(index, gate))]
        if type(gate) is not Gate.Unitary:
            raise refused(index, gate.name, "a circuit has no gate like it")
        try:
            return steps_of_unitary(gate.to_matrix(), where[::-1])  # Braket's first target is most significant
        except ValueError as exc:
            raise refused(index, gate.name, str(exc)) from exc
