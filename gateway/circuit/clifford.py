"""Recognises Clifford gates, and builds them from simpler ones.

A unitary is a Clifford gate if it turns every Pauli operator into a Pauli operator, up to sign (Gottesman,
arXiv:quant-ph/9807006). This module looks at the matrix and not at the gate's name, so it recognises ``rz(pi/2)``,
``cp(pi)`` and ``u(pi/2, 0, pi)`` without a list of such cases. The images of X and Z on each qubit, the *tableau*,
determine the gate up to its phase. To build the gate, the synthesis finds gates that bring the images back to X and Z
and undoes them in reverse order (Aaronson and Gottesman, arXiv:quant-ph/0406196).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Collection, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gateway.circuit.gates import GATES, Matrix, Step

TOLERANCE = 1e-12
"""How far an angle may be from a multiple of pi/2 to count as one, in radians.

A large angle has no double so close to the multiple. It counts as one if no double is closer: see :func:`_reduced`.
"""

_COARSEST = 1e-9
"""The largest distance between doubles at which an angle still says which multiple it means, in radians."""

_QUARTER_TURN = Fraction(1.5707963267948966) + Fraction(6.123233995736766e-17)
"""pi/2 to 32 digits."""

MOST_QUBITS = 2
"""Gates of the table on more qubits have no angles, and none of them is a Clifford gate."""

GENERATORS = frozenset({"h", "s", "cx"})
"""Every Clifford gate is a product of these gates."""

_UNDOES = {"h": "h", "s": "sdg", "cx": "cx", "z": "z", "x": "x"}
"""Gate of the synthesis -> its inverse."""

_OF_GENERATORS = {"sdg": ("s", "s", "s"), "z": ("s", "s"), "x": ("h", "s", "s", "h")}


class Pauli(NamedTuple):
    """A product of Pauli operators with a sign.

    Args:
        x: bit q: X or Y acts on qubit q.
        z: bit q: Z or Y acts on qubit q.
        sign: 1 or -1; the operator is the sign times ``i**(x & z).bit_count()`` times ``X**x Z**z``.
    """

    x: int
    z: int
    sign: int


Tableau = tuple[tuple[Pauli, Pauli], ...]
"""For each qubit, the images of its X and of its Z."""


def synthesise(name: str, params: tuple[float, ...], gates: Collection[str]) -> tuple[Step, ...] | None:
    """Return a Clifford gate as a product of simpler gates, including its phase.

    Args:
        name: the name of a gate of the table.
        params: the angles of the gate.
        gates: the gates to build it from, among them the generators and ``gphase``.

    Returns:
        The steps on the gate's own qubits, or ``None`` if it is not a Clifford gate.
    """
    unitary, images = _unitary_and_tableau(name, params)
    if images is None:
        return None
    sweep = _Sweep([list(pair) for pair in images])
    for qubit in range(len(images)):
        sweep.clear(qubit)
    steps = [
        (simple, places, ())
        for gate, places in reversed(sweep.steps)
        for simple in ((_UNDOES[gate],) if _UNDOES[gate] in gates else _OF_GENERATORS[_UNDOES[gate]])
    ]
    return (*steps, *_phase(unitary, steps))


def same_gate(name: str, params: tuple[float, ...], gates: Collection[str]) -> tuple[Step, ...] | None:
    """Return a gate without angles that differs from a Clifford gate only in its phase, and that phase.

    Args:
        name: the name of a gate of the table.
        params: the angles of the gate.
        gates: the gates to choose from, among them ``gphase``.

    Returns:
        The steps on the gate's own qubits, or ``None`` if there is no such gate.
    """
    unitary, images = _unitary_and_tableau(name, params)
    if images is None:
        return None
    for gate in GATES.values():
        if gate.name in gates and not gate.params and _unitary_and_tableau(gate.name, ())[1] == images:
            steps = [(gate.name, tuple(range(gate.num_qubits)), ())]
            return (*steps, *_phase(unitary, steps))
    return None


@lru_cache(maxsize=4096)
def _unitary_and_tableau(name: str, params: tuple[float, ...]) -> tuple[Matrix, Tableau | None]:
    unitary = GATES[name].unitary(*map(_reduced, params))
    return unitary, tableau(unitary) if 1 <= GATES[name].num_qubits <= MOST_QUBITS else None


def _reduced(angle: float) -> float:
    """Return an equal angle below two turns if the angle is as close to a multiple of pi/2 as doubles of its size are.

    The double ``1e6 * pi/2`` differs from the multiple by 1e-10, because it has no more digits. Every gate of the table
    has a period of two turns.
    """
    spacing = math.ulp(angle)
    multiple = round(Fraction(angle) / _QUARTER_TURN) if spacing <= _COARSEST else 0
    is_closest = abs(Fraction(angle) - multiple * _QUARTER_TURN) <= spacing
    return multiple % 8 * (math.pi / 2) if multiple and is_closest else angle


def tableau(unitary: Matrix) -> Tableau | None:
    """Return the images of X and Z of each qubit under a unitary; ``None`` if one is not a Pauli operator."""
    num_qubits = len(unitary).bit_length() - 1
    images = []
    for qubit in range(num_qubits):
        image_x = _image(unitary, Pauli(1 << qubit, 0, 1))
        image_z = _image(unitary, Pauli(0, 1 << qubit, 1))
        if image_x is None or image_z is None:
            return None
        images.append((image_x, image_z))
    return tuple(images)


def _image(unitary: Matrix, pauli: Pauli) -> Pauli | None:
    """Return ``U P U^-1`` if it is a Pauli operator, else ``None``."""
    size = range(len(unitary))
    conjugate = [[sum(unitary[i][k ^ pauli.x] * _entry(pauli, k) * unitary[j][k].conjugate() for k in size)
                  for j in size] for i in size]  # fmt: skip
    x = max(size, key=lambda row: abs(conjugate[row][0]))
    z = sum(bit for bit in (1, 2) if bit in size and abs(conjugate[bit ^ x][bit] + conjugate[x][0]) < 1)
    for sign in (1, -1):
        image = Pauli(x, z, sign)
        if all(abs(conjugate[i][j] - (_entry(image, j) if i == j ^ x else 0)) <= TOLERANCE for i in size for j in size):
            return image
    return None


def _entry(pauli: Pauli, column: int) -> complex:
    """Return the entry of a column of the operator's matrix that is not 0; it is in row ``column ^ x``."""
    minus = (pauli.z & column).bit_count() & 1
    return (-pauli.sign if minus else pauli.sign) * 1j ** (pauli.x & pauli.z).bit_count()


# ---------------------------------------------------------------------------- synthesis


class _Sweep:
    """Brings images back to X and Z by gates, one qubit after another.

    Attributes:
        steps: the gates, in order.
    """

    def __init__(self, images: list[list[Pauli]]) -> None:
        self.steps: list[tuple[str, tuple[int, ...]]] = []
        self._images = images

    def clear(self, qubit: int) -> None:
        """Bring the images of one qubit to its X and Z, after those of all earlier qubits."""
        self._to_x(qubit, 0)
        if self._images[qubit][1] != Pauli(0, 1 << qubit, self._images[qubit][1].sign):
            self._apply("h", qubit)
            self._to_x(qubit, 1)
            self._apply("h", qubit)
        image_x, image_z = self._images[qubit]
        if image_x.sign < 0:
            self._apply("z", qubit)
        if image_z.sign < 0:
            self._apply("x", qubit)

    def _to_x(self, qubit: int, which: int) -> None:
        """Bring one of the two images to plus or minus X on the qubit."""
        places = range(qubit, len(self._images))
        for place in places:
            image = self._images[qubit][which]
            if image.z >> place & 1:
                self._apply("s" if image.x >> place & 1 else "h", place)
        if not self._images[qubit][which].x >> qubit & 1:
            self._apply("cx", next(place for place in places if self._images[qubit][which].x >> place & 1), qubit)
        for place in places[1:]:
            if self._images[qubit][which].x >> place & 1:
                self._apply("cx", qubit, place)

    def _apply(self, name: str, *places: int) -> None:
        self.steps.append((name, places))
        self._images = [[_conjugate(name, places, pauli) for pauli in pair] for pair in self._images]


def _conjugate(name: str, places: tuple[int, ...], pauli: Pauli) -> Pauli:
    """Return ``G P G^-1`` for a gate of the synthesis (Aaronson and Gottesman, section 3)."""
    x, z, sign = pauli
    bit = 1 << places[0]
    has_x, has_z = bool(x & bit), bool(z & bit)
    if name == "h":
        exchange = bit if has_x != has_z else 0
        return Pauli(x ^ exchange, z ^ exchange, -sign if has_x and has_z else sign)
    if name == "s":
        return Pauli(x, z ^ bit if has_x else z, -sign if has_x and has_z else sign)
    if name in {"x", "z"}:
        return Pauli(x, z, -sign if (has_z if name == "x" else has_x) else sign)
    target = 1 << places[1]
    flips = has_x and bool(z & target) and bool(x & target) == has_z
    return Pauli(x ^ target if has_x else x, z ^ bit if z & target else z, -sign if flips else sign)


def _phase(unitary: Matrix, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the global phase by which a unitary differs from steps, as a step unless it is 0."""
    column = [1 + 0j] + [0j] * (len(unitary) - 1)
    for name, places, _ in steps:
        column = _apply_gate(GATES[name].unitary(), places, column)
    row = max(range(len(column)), key=lambda index: abs(column[index]))
    phase = cmath.phase(unitary[row][0] / column[row])
    return () if abs(phase) <= TOLERANCE else (("gphase", (), (phase,)),)


def _apply_gate(unitary: Matrix, places: tuple[int, ...], column: list[complex]) -> list[complex]:
    """Return the state after a gate; unitary and state are little-endian."""
    after = [0j] * len(column)
    for index, amplitude in enumerate(column):
        inner = sum((index >> place & 1) << bit for bit, place in enumerate(places))
        rest = index & ~sum(1 << place for place in places)
        for row in range(len(unitary)):
            outer = rest | sum((row >> bit & 1) << place for bit, place in enumerate(places))
            after[outer] += unitary[row][inner] * amplitude
    return after
