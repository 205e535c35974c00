"""Inverse, control and power of gates of the table, exact with the global phase.

All functions work on lists of steps; a step has the name of a gate of the table, its qubits and its
parameters. A global phase becomes visible under a control, so every rewrite here keeps it, and the tests
compare whole unitaries.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from gateway.circuit.gates import GATES, MANY_CONTROLLED, PI, Matrix, Step
from gateway.errors import CircuitInvalidError, UnsupportedError

Params = tuple[float, ...]


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SELF_INVERSE = _names("id u0 x y z h gpi cx CX cy cz ch swap ecr ccx ccz cswap rccx c3x c4x barrier")
_PAIRS = {"s": "sdg", "t": "tdg", "sx": "sxdg", "cs": "csdg", "csx": "csxdg"}
_DAGGER = _PAIRS | {dagger: gate for gate, dagger in _PAIRS.items()}
_PHASE_ANGLES = {"z": PI, "s": PI / 2, "sdg": -PI / 2, "t": PI / 4, "tdg": -PI / 4}
_PHASES_ON_TWO = _names("cp cu1 cphaseshift00 cphaseshift01 cphaseshift10")
_ONE_ANGLE = _PHASES_ON_TWO | _names("p u1 rx ry rz crx cry crz rxx ms ryy rzz rzx xy gphase")
_INTERACTIONS = frozenset({"xx_plus_yy", "xx_minus_yy"})
_TURNED = _INTERACTIONS | {"r"}
_HALF_ANGLE = _TURNED | _names("rx ry rz rxx ms ryy rzz rzx xy")
_EULER = frozenset({"u", "u3", "U"})
_DIAGONAL = _PHASES_ON_TWO | _names("id u0 z s sdg t tdg p u1 rz cz cs csdg crz rzz zzmax ccz gphase")
_DIAGONAL_QUBITS = 8

# ---------------------------------------------------------------------------- inverse


def inverse(steps: Iterable[Step]) -> list[Step]:
    """Return the steps that undo the given ones."""
    return [undo for step in reversed(list(steps)) for undo in _inverse(step)]


def _inverse(step: Step) -> list[Step]:
    name, qubits, params = step
    if name in _SELF_INVERSE:
        return [step]
    if name in _DAGGER:
        return [(_DAGGER[name], qubits, ())]
    if name in _ONE_ANGLE:
        return [(name, qubits, (-params[0],))]
    if name in _TURNED:
        return [(name, qubits, (-params[0], params[1]))]
    if name in _EULER or name in {"cu3", "cu"}:
        theta, phi, lam, *gamma = params
        return [(name, qubits, (-theta, -lam, -phi, *(-g for g in gamma)))]
    if name == "u2":
        return [("u", qubits, (-PI / 2, -params[1], -params[0]))]
    if name == "dcx":
        return [(name, qubits[::-1], ())]
    return inverse(_expand_definition(step))


def _expand_definition(step: Step) -> list[Step]:
    """Return the steps of a gate's definition on its own qubits."""
    name, qubits, params = step
    definition = GATES[name].definition
    if definition is None:
        msg = f"the gate {name!r} has no definition"
        raise UnsupportedError(msg, feature=name)
    return [
        (inner, tuple([qubits[place] for place in places]), angles) for inner, places, angles in definition(*params)
    ]


def _split_conjugation(steps: Sequence[Step]) -> tuple[list[Step], list[Step], list[Step]]:
    """Split steps into ``outer, inner, undo``, where ``undo`` is the inverse of ``outer`` and ``inner`` is short.

    To control all the steps, or to raise them to a power, it is enough to do so with ``inner``.
    """
    outer: list[Step] = []
    undo: list[Step] = []
    inner = list(steps)
    while len(inner) > 1:
        place = _place_of_inverse(inner)
        if place is None:
            break
        undo.insert(0, inner.pop(place))
        outer.append(inner.pop(0))
    return outer, inner, undo


def _place_of_inverse(steps: list[Step]) -> int | None:
    """Return the position of the step that undoes the first one, if nothing after it acts on the same qubits."""
    undoing = _inverse(steps[0])
    if len(undoing) != 1:
        return None
    for place in range(len(steps) - 1, 0, -1):
        if steps[place] == undoing[0]:
            return place
        if set(steps[place][1]) & set(steps[0][1]):
            return None
    return None


# ---------------------------------------------------------------------------- control


def control(steps: Iterable[Step], controls: Sequence[int], open_controls: Sequence[int] = ()) -> list[Step]:
    """Return the steps under the control of further qubits.

    The result uses gates of the table where they exist. Beyond them the number of steps is quadratic in the
    number of controls. No ancilla qubit is needed.

    Args:
        steps: what happens if every control is 1. They must not act on the controls; barriers are dropped.
        controls: the control qubits.
        open_controls: the controls that have to be 0 instead of 1 (``negctrl``).
    """
    flips: list[Step] = [("x", (qubit,), ()) for qubit in open_controls]
    outer, inner, undo = _split_conjugation([step for step in steps if step[0] != "barrier"])
    body = [part for step in inner for part in _control(step, tuple(controls))] if controls else inner
    return [*flips, *outer, *body, *undo, *flips]


def many_controlled(name: str, qubits: Sequence[int], params: Params) -> list[Step]:
    """Return a gate with any number of controls, such as ``mcx``, as steps.

    Args:
        name: a key of :data:`gateway.circuit.gates.MANY_CONTROLLED`.
        qubits: the controls, and after them the qubits of the gate under control.
        params: the angles of the gate under control.

    Raises:
        CircuitInvalidError: there is no control, or the number of angles is wrong.
    """
    row = GATES[MANY_CONTROLLED[name]]
    controls = len(qubits) - row.num_qubits
    if controls < 1:
        msg = f"{name} acts on {row.num_qubits + 1} qubits or more, not {len(qubits)}"
        raise CircuitInvalidError(msg, rule="number of qubits")
    replace(row, name=name).check(row.num_qubits, len(params))
    return control([(row.name, tuple(qubits[controls:]), params)], tuple(qubits[:controls]))


_Build = Callable[[tuple[int, ...], tuple[int, ...], Params], list[Step]]
"""Controls, the gate's own qubits without controls, parameters -> steps."""

_CORES: dict[str, tuple[str, int]] = {
    "cx": ("x", 1), "CX": ("x", 1), "ccx": ("x", 2), "c3x": ("x", 3), "c4x": ("x", 4),
    "cz": ("z", 1), "ccz": ("z", 2), "cy": ("y", 1), "ch": ("h", 1), "cs": ("s", 1), "csdg": ("sdg", 1),
    "csx": ("sx", 1), "csxdg": ("sxdg", 1), "c3sqrtx": ("sx", 3), "cp": ("p", 1), "cu1": ("p", 1),
    "crx": ("rx", 1), "cry": ("ry", 1), "crz": ("rz", 1), "cu3": ("u", 1), "cswap": ("swap", 1),
    "u1": ("p", 0), "u3": ("u", 0), "U": ("u", 0),
}  # fmt: skip
"""Name of a controlled gate -> the gate under control, and the number of controls."""

_ROWS: dict[tuple[str, int], str] = {
    ("x", 0): "x", ("x", 1): "cx", ("x", 2): "ccx", ("x", 3): "c3x", ("x", 4): "c4x",
    ("z", 1): "cz", ("z", 2): "ccz", ("y", 1): "cy", ("h", 1): "ch", ("s", 1): "cs", ("sdg", 1): "csdg",
    ("sx", 1): "csx", ("sxdg", 1): "csxdg", ("sx", 3): "c3sqrtx", ("p", 1): "cp", ("rx", 1): "crx",
    ("ry", 1): "cry", ("rz", 1): "crz", ("swap", 1): "cswap",
}  # fmt: skip
"""A gate and its number of controls -> the same gate of the table."""


def _core(step: Step) -> tuple[str, tuple[int, ...], tuple[int, ...], Params]:
    """Return the gate under control, the control qubits, the other qubits and the parameters of a step."""
    name, qubits, params = step
    name, own = _CORES.get(name, (name, 0))
    return name, qubits[:own], qubits[own:], params


def _control(step: Step, controls: tuple[int, ...]) -> list[Step]:
    name, own, qubits, params = _core(step)
    if name == "cu":
        *angles, gamma = params
        return control([("gphase", (), (gamma,)), ("u", qubits[1:], tuple(angles))], (*controls, qubits[0]))
    controls = (*controls, *own)
    row = _ROWS.get((name, len(controls)))
    if row is not None:
        return [(row, (*controls, *qubits), params)]
    if name in _PHASE_ANGLES:
        return _phase(_PHASE_ANGLES[name], (*controls, *qubits))
    build = _BUILD.get(name)
    if build is not None:
        return build(controls, qubits, params)
    return control(_expand_definition(step), controls)


def _phase(angle: float, qubits: Sequence[int]) -> list[Step]:
    """Return a phase where all qubits are 1, by halving the angle as in arXiv:quant-ph/9503016, 7.5."""
    if not qubits:
        return [("gphase", (), (angle,))] if angle else []
    *controls, target = qubits
    if len(controls) <= 1:
        return [("cp" if controls else "p", tuple(qubits), (angle,))]
    *others, last = controls
    flip = _flip(others, last, [target])
    return [
        ("cp", (last, target), (angle / 2,)),
        *flip,
        ("cp", (last, target), (-angle / 2,)),
        *flip,
        *_phase(angle / 2, (*others, target)),
    ]


def _flip(controls: Sequence[int], target: int, ancillas: Sequence[int]) -> list[Step]:
    """Return X on ``target`` if all controls are 1; the ancillas may have any state and keep it (ibid., 7.2, 7.4)."""
    row = _ROWS.get(("x", len(controls)))
    if row is not None:
        return [(row, (*controls, target), ())]
    if not ancillas:
        return _around([("h", (target,), ())], _phase(PI, (*controls, target)))
    if len(ancillas) >= len(controls) - 2:
        return _chain(controls, target, ancillas[: len(controls) - 2])
    middle, half = ancillas[0], (len(controls) + 1) // 2
    first, second = list(controls[:half]), [*controls[half:], middle]
    up, down = _flip(first, middle, [*controls[half:], target]), _flip(second, target, first)
    return [*up, *down, *up, *down]


def _chain(controls: Sequence[int], target: int, ancillas: Sequence[int]) -> list[Step]:
    """Return X under many controls as a ladder of Toffoli gates that is applied twice."""
    targets = [target, *reversed(ancillas)]
    ladder: list[Step] = [
        ("ccx", (control_, below, above), ())
        for control_, below, above in zip(reversed(controls), targets[1:], targets, strict=False)
    ]
    bottom: Step = ("ccx", (controls[0], controls[1], targets[-1]), ())
    top, rest = ladder[0], ladder[1:]
    inside = [*rest, bottom, *reversed(rest)]
    return [top, *inside, top, *inside]


def _around(outer: list[Step], inner: list[Step], undo: list[Step] | None = None) -> list[Step]:
    return [*outer, *inner, *(outer if undo is None else undo)]


def _one(name: str, qubit: int, *params: float) -> list[Step]:
    return [(name, (qubit,), params)]


def _controlled_u(controls: tuple[int, ...], qubits: tuple[int, ...], params: Params) -> list[Step]:
    (target,), (theta, phi, lam) = qubits, params
    if len(controls) == 1:
        return [("cu", (*controls, target), (theta, phi, lam, 0.0))]
    flip = _flip(controls, target, ())
    return [
        *_phase((lam + phi) / 2, controls),
        *_one("p", target, (lam - phi) / 2),
        *flip,
        *_one("u", target, -theta / 2, 0.0, -(phi + lam) / 2),
        *flip,
        *_one("u", target, theta / 2, phi, 0.0),
    ]


def _reversible_rotation(name: str) -> _Build:
    """Return the builder of a controlled rotation whose direction X reverses."""

    def build(controls: tuple[int, ...], qubits: tuple[int, ...], params: Params) -> list[Step]:
        flip = _flip(controls, qubits[0], ())
        return [*_one(name, qubits[0], params[0] / 2), *flip, *_one(name, qubits[0], -params[0] / 2), *flip]

    return build


def _within(before: str, name: str, after: str, *params: float) -> _Build:
    """Return the builder of a controlled gate that equals another one between two gates without control."""

    def build(controls: tuple[int, ...], qubits: tuple[int, ...], angles: Params) -> list[Step]:
        inner = _control((name, qubits, params or angles), controls)
        return _around(_one(before, qubits[0]), inner, _one(after, qubits[0]))

    return build


def _controlled_h(controls: tuple[int, ...], qubits: tuple[int, ...], _: Params) -> list[Step]:
    inner = _phase(PI, (*controls, *qubits))
    return _around(_one("ry", qubits[0], -PI / 4), inner, _one("ry", qubits[0], PI / 4))


def _controlled_swap(controls: tuple[int, ...], qubits: tuple[int, ...], _: Params) -> list[Step]:
    a, b = qubits
    return _around([("cx", (b, a), ())], _flip((*controls, a), b, ()))


_BUILD: dict[str, _Build] = {
    "id": lambda *_: [],
    "u0": lambda *_: [],
    "gphase": lambda controls, _, params: _phase(params[0], controls),
    "p": lambda controls, qubits, params: _phase(params[0], (*controls, *qubits)),
    "x": lambda controls, qubits, _: _flip(controls, qubits[0], ()),
    "y": _within("sdg", "x", "s"),
    "h": _controlled_h,
    "sx": _within("h", "p", "h", PI / 2),
    "sxdg": _within("h", "p", "h", -PI / 2),
    "rx": _within("h", "rz", "h"),
    "ry": _reversible_rotation("ry"),
    "rz": _reversible_rotation("rz"),
    "u": _controlled_u,
    "swap": _controlled_swap,
}
"""Gate -> builder of the gate under controls, where the table has no such gate."""

# ---------------------------------------------------------------------------- power


def power(steps: Sequence[Step], exponent: float) -> list[Step]:
    """Return a power of the product of the steps.

    A power that is not whole is the principal one: every eigenvalue ``exp(i a)`` with
    ``-pi < a <= pi`` becomes ``exp(i a exponent)``. This function can compute it for steps that reduce to
    one qubit, under controls or between a gate and its inverse, for diagonal gates, and for the
    interactions of the table.

    Args:
        steps: the steps of the gate.
        exponent: any real number. A whole one repeats the steps, so the cost grows with it unless the
            gate is a single rotation or phase.

    Raises:
        UnsupportedError: the power is not whole, and the steps are none of these.
    """
    steps = [step for step in steps if step[0] != "barrier"]
    if float(exponent).is_integer():
        return _repeat(steps, int(exponent))
    return list(_fractional_power(tuple(steps), exponent))


@lru_cache(maxsize=256)
def _fractional_power(steps: tuple[Step, ...], exponent: float) -> tuple[Step, ...]:
    """Return a power that is not whole; a loop asks for the same one again and again."""
    outer, inner, undo = _split_conjugation(list(steps))
    return (*outer, *_root(inner, exponent), *undo)


def repetitions(steps: Sequence[Step], exponent: float) -> int:
    """Return how many steps :func:`power` would return at most, so that callers can check it first."""
    if not float(exponent).is_integer() or (len(steps) == 1 and _scale(steps[0], 1) is not None):
        return len(steps)
    return len(steps) * abs(int(exponent))


def _repeat(steps: list[Step], exponent: int) -> list[Step]:
    if exponent == 0:
        return []
    scaled_step = _scale(steps[0], exponent) if len(steps) == 1 and exponent != 1 else None
    if scaled_step is not None:
        return [scaled_step]
    return (steps if exponent >= 0 else inverse(steps)) * abs(exponent)


def _scale(step: Step, exponent: int) -> Step | None:
    """Return a rotation, phase or interaction with its angle multiplied; ``None`` for any other gate."""
    name, qubits, params = step
    if name in _PHASE_ANGLES:
        return ("p", qubits, (_PHASE_ANGLES[name] * exponent,))
    if name in _ONE_ANGLE or name in _TURNED:
        return (name, qubits, (params[0] * exponent, *params[1:]))
    return None


def _root(steps: list[Step], exponent: float) -> list[Step]:
    """Return a fractional power of steps that :func:`_split_conjugation` leaves as they are."""
    qubits = sorted(set(chain.from_iterable(step[1] for step in steps)))
    if len(steps) == 1 and steps[0][0] in _HALF_ANGLE:
        name, where, params = steps[0]
        angle = math.remainder(params[0], 4 * PI)  # the eigenvalues are those of exp(+-i angle/2)
        if abs(angle) < 2 * PI:
            return [(name, where, (angle * exponent, *params[1:]))]
    if len(qubits) <= 1:
        return _root_of_one(steps, qubits, exponent)
    if all(step[0] in _DIAGONAL for step in steps) and len(qubits) <= _DIAGONAL_QUBITS:
        return _root_of_diagonal(steps, qubits, exponent)
    if len(steps) == 1:
        return _root_of_step(steps[0], exponent)
    msg = f"a power of {exponent:g} of these {len(steps)} gates together is not known; whole powers are"
    raise UnsupportedError(msg, feature="fractional power")


def _root_of_step(step: Step, exponent: float) -> list[Step]:
    name, own, qubits, params = _core(step)
    if name == "cu":
        *angles, gamma = params
        return control(power([("gphase", (), (gamma,)), ("u", qubits[1:], tuple(angles))], exponent), qubits[:1])
    if own:
        return control(power([(name, qubits, params)], exponent), own)
    if name == "iswap":
        return [("xx_plus_yy", qubits, (-PI * exponent, 0.0))]
    if name in {"dcx", "rccx", "rc3x", "pswap", "rxxyyzz", *_INTERACTIONS}:
        msg = f"a power of {exponent:g} of {name} is not known; whole powers are"
        raise UnsupportedError(msg, feature="fractional power")
    return power(_expand_definition(step), exponent)


def _root_of_one(steps: list[Step], qubits: list[int], exponent: float) -> list[Step]:
    """Return a fractional power of gates on one qubit, as a ``p``, or as a ``u`` and a phase."""
    (a, b), (c, d) = _product(steps)
    if not qubits:
        return _phase(_principal(a) * exponent, ())
    first, second = _eigenvalues(a, b, c, d)
    low, high = (cmath.exp(1j * _principal(value) * exponent) for value in (first, second))
    if abs(first - second) < 1e-12:  # noqa: PLR2004 - a multiple of the identity
        return _phase(_principal(first) * exponent, ())
    # f(M) = f(first) + (M - first) (f(second) - f(first)) / (second - first), by interpolation
    slope = (high - low) / (second - first)
    return steps_of_matrix(low + (a - first) * slope, b * slope, c * slope, low + (d - first) * slope, qubits[0])


def steps_of_matrix(a: complex, b: complex, c: complex, d: complex, qubit: int) -> list[Step]:
    """Return the one-qubit unitary with the rows ``(a, b), (c, d)`` as a phase and one gate."""
    tiny = 1e-12
    theta = 2 * math.atan2(abs(c), abs(a))
    if abs(c) < tiny:
        gamma, phi, lam = cmath.phase(a), 0.0, cmath.phase(d / a)
    elif abs(a) < tiny:
        gamma, phi, lam = cmath.phase(c), 0.0, cmath.phase(-b / c)
    else:
        gamma, phi, lam = cmath.phase(a), cmath.phase(c / a), cmath.phase(-b / a)
    gate: Step = ("p", (qubit,), (lam,)) if abs(c) < tiny else ("u", (qubit,), (theta, phi, lam))
    return [gate] if abs(gamma) < tiny else [("gphase", (), (gamma,)), gate]


def _eigenvalues(a: complex, b: complex, c: complex, d: complex) -> tuple[complex, complex]:
    middle, half = (a + d) / 2, cmath.sqrt(((a - d) / 2) ** 2 + b * c)
    return middle + half, middle - half


def _principal(value: complex) -> float:
    """Return the angle in ``(-pi, pi]``; an angle just above -pi counts as a rounded pi."""
    angle = cmath.phase(value)
    return PI if angle < -PI + 1e-9 else angle


def _product(steps: list[Step]) -> tuple[tuple[complex, complex], tuple[complex, complex]]:
    """Multiply the matrices of steps on at most one qubit."""
    product: tuple[tuple[complex, complex], tuple[complex, complex]] = ((1, 0), (0, 1))
    for name, qubits, params in steps:
        matrix: Matrix = GATES[name].unitary(*params)
        if not qubits:
            matrix = ((matrix[0][0], 0), (0, matrix[0][0]))
        (a, b), (c, d) = product
        (e, f), (g, h) = matrix
        product = ((e * a + f * c, e * b + f * d), (g * a + h * c, g * b + h * d))
    return product


def _root_of_diagonal(steps: list[Step], qubits: list[int], exponent: float) -> list[Step]:
    """Return a fractional power of diagonal gates as phases on subsets of the qubits."""
    entries = [1 + 0j] * 2 ** len(qubits)
    for name, where, params in steps:
        matrix = GATES[name].unitary(*params)
        places = [qubits.index(qubit) for qubit in where]
        for index in range(len(entries)):
            row = sum((index >> place & 1) << bit for bit, place in enumerate(places))
            entries[index] *= matrix[row][row]
    angles = [_principal(entry) * exponent for entry in entries]
    for place in range(len(qubits)):  # the phase of an index is the sum over the subsets of its ones
        for index in range(len(angles)):
            if index >> place & 1:
                angles[index] -= angles[index ^ 1 << place]
    return [
        step
        for index, angle in enumerate(angles)
        if abs(angle) > 1e-12  # noqa: PLR2004 - rounding
        for step in _phase(angle, [qubit for place, qubit in enumerate(qubits) if index >> place & 1])
    ]
