"""Amazon Braket (https://amazon-braket-sdk-python.readthedocs.io) -> the shared circuit, checked against 1.127.5.

Braket's qubit ``k`` is qubit ``k``; a qubit below the highest one is idle if nothing acts on it. The clbits
follow the order of the measure instructions, which is also the order of ``measured_qubits`` in Braket's results:
the first measurement is clbit 0. Braket writes its outcome leftmost, we write it rightmost.

Braket runs a circuit without measurements as if it measured everything; the conversion adds no measurements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Any

from braket.circuits import Circuit as BraketCircuit
from braket.circuits import Gate, Measure, Noise
from braket.circuits.compiler_directives import Barrier

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, power, repetitions
from gateway.errors import RequestError, UnsupportedError
from gateway.frameworks.braket.gates import GATES
from gateway.frameworks.shared.operations import without_mere_names
from gateway.frameworks.shared.refusals import refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

_ROWS: Mapping[type, str] = {cls: name for name, cls in GATES.items()}


def _prx(theta: float, phi: float) -> list[Step]:
    return [("u", (0,), (theta, phi - pi / 2, pi / 2 - phi))]


def _phase_where(*zeros: int) -> Callable[[float], list[Step]]:
    """Return the builder of a phase on the state of two qubits in which the ``zeros`` are 0 and the others 1."""
    flips: list[Step] = [("x", (place,), ()) for place in zeros]
    return lambda angle: [*flips, ("cp", (0, 1), (angle,)), *flips]


def _ms(first: float, second: float, angle: float) -> list[Step]:
    """Return an XX interaction in a frame turned around Z."""
    turn: list[Step] = [("rz", (0,), (-first,)), ("rz", (1,), (-second,))]
    back: list[Step] = [("rz", (0,), (first,)), ("rz", (1,), (second,))]
    return [*turn, ("rxx", (0, 1), (angle,)), *back]


_STEPS: Mapping[type, Callable[..., list[Step]]] = {
    Gate.GPi: lambda phi: [("u", (0,), (pi, phi, pi - phi))],
    Gate.GPi2: lambda phi: _prx(pi / 2, phi),
    Gate.PRx: _prx,
    Gate.XY: lambda angle: [("xx_plus_yy", (0, 1), (-angle, 0.0))],  # exp(+i angle/4 (XX + YY))
    Gate.PSwap: lambda angle: [("gphase", (), (angle / 2,)), ("rzz", (0, 1), (angle,)), ("swap", (0, 1), ())],
    Gate.CPhaseShift00: _phase_where(0, 1),
    Gate.CPhaseShift01: _phase_where(0),
    Gate.CPhaseShift10: _phase_where(1),
    Gate.MS: _ms,
}
"""Braket's class -> function from the angles to steps on the positions of the targets."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``braket.circuits.Circuit``.

    Raises:
        RequestError: the object is something else of Braket.
        CircuitInvalidError: parameters are unbound.
        UnsupportedError: the circuit has a result type, noise, a verbatim box, a pulse or a matrix of many qubits.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, BraketCircuit):
        raise RequestError(
            f"a circuit of Braket is a braket.circuits.Circuit, not a {type(circuit).__name__}", field="circuits"
        )
    if circuit.parameters:
        raise unbound(parameter.name for parameter in circuit.parameters)
    if circuit.result_types:
        what = f"result type {circuit.result_types[0].name}"
        raise UnsupportedError(f"{what}: a circuit ends with measured bits", feature=what)
    out = Emitter(DEFAULT_LIMITS)
    qubits = out.new_qubits(max(map(int, circuit.qubits), default=-1) + 1)
    for index, instruction in enumerate(circuit.instructions):
        _carry_out(out, index, instruction, qubits)
    return without_mere_names(Circuit(*out.parts()))


def _carry_out(out: Emitter, index: int, instruction: Any, qubits: tuple[int, ...]) -> None:  # noqa: ANN401
    operator = instruction.operator
    where = tuple(map(int, instruction.target))
    row = _ROWS.get(type(operator))
    if row is not None and not instruction.control and instruction.power == 1:
        out.gate((row, where, _angles(operator)))
    elif isinstance(operator, Gate):
        for step in _steps(out, index, instruction, where):
            out.gate(step)
    elif isinstance(operator, Measure):
        out.measure(where[0], out.new_clbits(1)[0])
    elif isinstance(operator, Barrier):
        out.barrier(where or qubits)
    else:
        why = "it is noise" if isinstance(operator, Noise) else "a circuit has no operation like it"
        raise refused(index, operator.name, why)


def _angles(operator: Any) -> tuple[float, ...]:  # noqa: ANN401 - a Gate
    return tuple(map(float, getattr(operator, "parameters", ())))


def _steps(out: Emitter, index: int, instruction: Any, where: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
    """Return a gate with its modifiers as steps; the power applies first, then the controls."""
    steps = _plain_steps(index, instruction.operator, where)
    if instruction.power != 1:
        out.check_operations(repetitions(steps, instruction.power))
        steps = power(steps, instruction.power)
    controls = tuple(map(int, instruction.control))
    zeros = [qubit for qubit, state in zip(controls, instruction.control_state, strict=True) if not state]
    return control(steps, controls, zeros) if controls else steps


def _plain_steps(index: int, gate: Any, where: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
    row = _ROWS.get(type(gate))
    if row is not None:
        return [(row, where, _angles(gate))]
    if type(gate) in _STEPS:
        steps = _STEPS[type(gate)](*_angles(gate))
        return [(name, tuple([where[place] for place in places]), params) for name, places, params in steps]
    if type(gate) is not Gate.Unitary:
        raise refused(index, gate.name, "a circuit has no gate like it")
    try:
        return steps_of_unitary(gate.to_matrix(), where[::-1])  # Braket's first target is most significant
    except ValueError as exc:
        raise refused(index, gate.name, str(exc)) from exc
