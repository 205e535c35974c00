"""Cirq's gates as gates of the table, with their global phase.

Cirq measures angles in half-turns, and a power ``t`` of a gate with eigenvalues 1 and -1 has the
eigenvalues ``exp(i pi t s)`` and ``exp(i pi t (1 + s))``, where ``s`` is its ``global_shift``.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from math import pi
from typing import Any

import sympy

from gateway.circuit.expressions import Angle, Expression
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, power
from gateway.frameworks.shared.parameters import multiplied
from gateway.frameworks.shared.refusals import Unreadable
from gateway.frameworks.shared.symbols import angle_of

Entry = Callable[[Any], list[Step]]
"""A function from a Cirq gate to steps on its own qubits, numbered from 0."""


def entry_of(gate_type: type) -> Entry | None:
    """Return the function that converts gates of a type; ``None`` for unknown types.

    A class that somebody else has derived from one of Cirq's is unknown, because it may mean something else.
    """
    return _entry(gate_type)


@lru_cache(maxsize=1024)
def _entry(gate_type: type) -> Entry | None:
    if gate_type.__module__.partition(".")[0] != "cirq":
        return None
    return next((_TABLE[cls.__name__] for cls in gate_type.__mro__ if cls.__name__ in _TABLE), None)


def number_of(value: Any) -> Angle:  # noqa: ANN401 - a number or an expression of sympy
    """Return a number of Cirq's, which may be an expression.

    Raises:
        Unreadable: the expression has a function that angles do not have.
    """
    return angle_of(value, _unreadable) if isinstance(value, sympy.Basic) else float(value)


def _unreadable(name: str, reason: str) -> Unreadable:
    return Unreadable(f"{name}: {reason}")


def _phase(angle: Angle) -> list[Step]:
    return [("gphase", (), (angle,))] if angle else []  # an expression is true


def _phase_of(t: Angle, shift: float) -> list[Step]:
    """Return the phase of a power ``t`` of a gate with a global shift."""
    return _phase(multiplied(t, pi * shift)) if shift else []


def _power_of(gate: Any) -> tuple[Angle, float]:  # noqa: ANN401 - an EigenGate
    """Return exponent and global shift."""
    return number_of(gate.exponent), float(gate.global_shift)


def _rotation(gate: Any, *, row: str, qubits: int = 1, row_of_exponent: Mapping[float, str]) -> list[Step]:  # noqa: ANN401
    """Return a power of a Pauli matrix, or of a product of two, as a rotation or as a gate without angles."""
    t, shift = _power_of(gate)
    where = tuple(range(qubits))
    if t in row_of_exponent and shift != -0.5:  # noqa: PLR2004 - the rotation itself
        return [*_phase_of(t, shift), (row_of_exponent[t], where, ())]
    return [*_phase_of(t, shift + 0.5), (row, where, (multiplied(t, pi),))]


def _diagonal(gate: Any, *, row: str, qubits: int, row_of_exponent: Mapping[float, str]) -> list[Step]:  # noqa: ANN401
    """Return a power of Z, or of a controlled Z, as a phase or as a gate without angles."""
    t, shift = _power_of(gate)
    where = tuple(range(qubits))
    step: Step = (row_of_exponent[t], where, ()) if t in row_of_exponent else (row, where, (multiplied(t, pi),))
    return [*_phase_of(t, shift), step]


def _z(gate: Any) -> list[Step]:  # noqa: ANN401
    t, shift = _power_of(gate)
    if shift == -0.5:  # noqa: PLR2004
        return [("rz", (0,), (multiplied(t, pi),))]
    return _diagonal(gate, row="p", qubits=1, row_of_exponent={1: "z", 0.5: "s", -0.5: "sdg", 0.25: "t", -0.25: "tdg"})


def _h(gate: Any) -> list[Step]:  # noqa: ANN401
    t, shift = _power_of(gate)
    if t == 1:
        return [*_phase(pi * shift), ("h", (0,), ())]
    around = [("ry", (0,), (-pi / 4,)), ("p", (0,), (multiplied(t, pi),)), ("ry", (0,), (pi / 4,))]
    return [*_phase_of(t, shift), *around]


def _controlled(gate: Any, *, row: str, inner: list[Step], controls: int) -> list[Step]:  # noqa: ANN401
    """Return a power of a controlled gate: the gate itself, or the power under control."""
    t, shift = _power_of(gate)
    first = control(inner, range(controls)) if t == 1 else control(_fractional(inner, t), range(controls))
    return [*_phase_of(t, shift), *([(row, tuple(range(controls + 1)), ())] if row and t == 1 else first)]


def _fractional(inner: list[Step], t: Angle) -> list[Step]:
    """Return a power of a gate that is its own inverse; its powers repeat with the period 2."""
    if not isinstance(t, Expression):
        return power(inner, math.remainder(t, 2))
    ((name, qubits, _),) = inner
    if name == "z":
        return [("p", qubits, (multiplied(t, pi),))]
    if name == "swap":  # the half of 1 + XX + YY + ZZ
        return [*_phase_of(t, 0.25), *((row, qubits, (multiplied(t, pi / 2),)) for row in ("rxx", "ryy", "rzz"))]
    return [*_phase_of(t, 0.5), (f"r{name}", qubits, (multiplied(t, pi),))]


def _swap(gate: Any, *, controls: int = 0) -> list[Step]:  # noqa: ANN401
    t, shift = _power_of(gate)
    steps = _fractional([("swap", (controls, controls + 1), ())], t)
    return [*_phase_of(t, shift), *(control(steps, range(controls)) if controls else steps)]


def _iswap(gate: Any) -> list[Step]:  # noqa: ANN401
    t, shift = _power_of(gate)
    step: Step = ("iswap", (0, 1), ()) if t == 1 else ("xx_plus_yy", (0, 1), (multiplied(t, -pi), 0.0))
    return [*_phase_of(t, shift), step]


def _phased_x(gate: Any) -> list[Step]:  # noqa: ANN401
    t, shift = _power_of(gate)
    axis = multiplied(number_of(gate.phase_exponent), pi)
    return [*_phase_of(t, shift + 0.5), ("u", (0,), (multiplied(t, pi), axis - pi / 2, pi / 2 - axis))]


def _phased_xz(gate: Any) -> list[Step]:  # noqa: ANN401
    exponents = (gate.x_exponent, gate.z_exponent, gate.axis_phase_exponent)
    x, z, axis = (multiplied(number_of(part), pi) for part in exponents)
    return [*_phase(x / 2), ("u", (0,), (x, z + axis - pi / 2, pi / 2 - axis))]


def _phased_iswap(gate: Any) -> list[Step]:  # noqa: ANN401
    t, phase = number_of(gate.exponent), number_of(gate.phase_exponent)
    return [("xx_plus_yy", (0, 1), (multiplied(t, -pi), multiplied(phase, 2 * pi)))]


def _fsim(gate: Any) -> list[Step]:  # noqa: ANN401
    theta, phi = number_of(gate.theta), number_of(gate.phi)
    return [("xx_plus_yy", (0, 1), (multiplied(theta, 2), 0.0)), ("cp", (0, 1), (multiplied(phi, -1),))]


def _global_phase(gate: Any) -> list[Step]:  # noqa: ANN401
    coefficient = gate.coefficient
    if isinstance(coefficient, sympy.exp):
        return _phase(number_of(coefficient.args[0] / sympy.I))
    if isinstance(coefficient, sympy.Basic) and coefficient.free_symbols:
        raise Unreadable(f"{coefficient} is not written as exp(I * angle)")
    return _phase(cmath.phase(complex(coefficient)))


_X: list[Step] = [("x", (0,), ())]
_CCZ: list[Step] = [("z", (2,), ())]

_TABLE: dict[str, Entry] = {
    "IdentityGate": lambda gate: [("id", (qubit,), ()) for qubit in range(gate.num_qubits())],
    "GlobalPhaseGate": _global_phase,
    "XPowGate": partial(_rotation, row="rx", row_of_exponent={1: "x", 0.5: "sx", -0.5: "sxdg"}),
    "YPowGate": partial(_rotation, row="ry", row_of_exponent={1: "y"}),
    "ZPowGate": _z,
    "HPowGate": _h,
    "PhasedXPowGate": _phased_x,
    "PhasedXZGate": _phased_xz,
    "XXPowGate": partial(_rotation, row="rxx", qubits=2, row_of_exponent={}),
    "YYPowGate": partial(_rotation, row="ryy", qubits=2, row_of_exponent={}),
    "ZZPowGate": partial(_rotation, row="rzz", qubits=2, row_of_exponent={}),
    "CZPowGate": partial(_diagonal, row="cp", qubits=2, row_of_exponent={1: "cz", 0.5: "cs", -0.5: "csdg"}),
    "CXPowGate": partial(_controlled, row="cx", inner=[("x", (1,), ())], controls=1),
    "CYPowGate": partial(_controlled, row="cy", inner=[("y", (1,), ())], controls=1),
    "CCXPowGate": partial(_controlled, row="ccx", inner=[("x", (2,), ())], controls=2),
    "CCYPowGate": partial(_controlled, row="", inner=[("y", (2,), ())], controls=2),
    "CCZPowGate": partial(_controlled, row="ccz", inner=[("z", (2,), ())], controls=2),
    "SwapPowGate": _swap,
    "CSwapGate": lambda _: [("cswap", (0, 1, 2), ())],
    "ISwapPowGate": _iswap,
    "PhasedISwapPowGate": _phased_iswap,
    "FSimGate": _fsim,
}
"""Name of Cirq's class -> function that converts its gates. Names, since some versions lack some classes."""
