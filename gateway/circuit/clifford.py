"""Which gates are Clifford gates, and how they are made of simpler ones.

A unitary is a Clifford gate if it turns every Pauli operator into a Pauli operator, up to sign (Gottesman,
arXiv:quant-ph/9807006). That is decided from the matrix, whatever the gate's name and angles, so ``rz(pi/2)``,
``cp(pi)`` and ``u(pi/2, 0, pi)`` are found out without a list of them. The images of X and Z on each qubit, the
*tableau*, fix the gate up to its phase; gates that bring the images back to X and Z, undone in reverse order, make it
(Aaronson and Gottesman, arXiv:quant-ph/0406196).
"""

from __future__ import annotations

import cmath
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.circuit.gates import GATES, Matrix, Step

TOLERANCE = 1e-12
"""How far an angle may be from a multiple of pi/2 to count as one, in radians."""

MOST_QUBITS = 2
"""Gates of the table on more qubits have no angles, and none of them is a Clifford gate."""

GENERATORS = frozenset({"h", "s", "cx"})
"""Gates that all Clifford gates are products of."""

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
"""For each qubit the images of its X and of its Z."""


def synthesised(name: str, params: tuple[float, ...], known: Collection[str]) -> tuple[Step, ...] | None:
    """Return a Clifford gate as several gates, equal to it with its phase.

    Args:
        name: of a gate of the table.
        params: its angles.
        known: gates to choose from; the generators and ``gphase`` among them.

    Returns:
        The steps on the gate's own qubits, or ``None`` where it is no Clifford gate.
    """
    unitary, images = _of_gate(name, params)
    if images is None:
        return None
    sweep = _Sweep([list(pair) for pair in images])
    for qubit in range(len(images)):
        sweep.clear(qubit)
    steps = [
        (simple, places, ())
        for gate, places in reversed(sweep.steps)
        for simple in ((_UNDOES[gate],) if _UNDOES[gate] in known else _OF_GENERATORS[_UNDOES[gate]])
    ]
    return (*steps, *_phase(unitary, steps))


def same_gate(name: str, params: tuple[float, ...], known: Collection[str]) -> tuple[Step, ...] | None:
    """Return a known gate without angles that differs from a Clifford gate in its phase only, and that phase.

    Args:
        name: of a gate of the table.
        params: its angles.
        known: gates to choose from, ``gphase`` among them.

    Returns:
        The steps on the gate's own qubits, or ``None`` where there is no such gate.
    """
    unitary, images = _of_gate(name, params)
    if images is None:
        return None
    for gate in GATES.values():
        if gate.name in known and not gate.params and _of_gate(gate.name, ())[1] == images:
            steps = [(gate.name, tuple(range(gate.num_qubits)), ())]
            return (*steps, *_phase(unitary, steps))
    return None


@lru_cache(maxsize=4096)
def _of_gate(name: str, params: tuple[float, ...]) -> tuple[Matrix, Tableau | None]:
    unitary = GATES[name].unitary(*params)
    return unitary, tableau(unitary) if 1 <= GATES[name].num_qubits <= MOST_QUBITS else None


def tableau(unitary: Matrix) -> Tableau | None:
    """Return the images of X and Z of each qubit under a unitary, ``None`` if one is no Pauli operator."""
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
    """Return ``U P U^-1``, if it is a Pauli operator."""
    size = range(len(unitary))
    moved = [[sum(unitary[i][k ^ pauli.x] * _entry(pauli, k) * unitary[j][k].conjugate() for k in size)
              for j in size] for i in size]  # fmt: skip
    x = max(size, key=lambda row: abs(moved[row][0]))
    z = sum(bit for bit in (1, 2) if bit in size and abs(moved[bit ^ x][bit] + moved[x][0]) < 1)
    for sign in (1, -1):
        image = Pauli(x, z, sign)
        if all(abs(moved[i][j] - (_entry(image, j) if i == j ^ x else 0)) <= TOLERANCE for i in size for j in size):
            return image
    return None


def _entry(pauli: Pauli, column: int) -> complex:
    """Return the only entry of a column of the operator's matrix, which is in row ``column ^ x``."""
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
        """Bring the images of one qubit to its X and its Z; those of the qubits before it are."""
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
        self._images = [[_conjugated(name, places, pauli) for pauli in pair] for pair in self._images]


def _conjugated(name: str, places: tuple[int, ...], pauli: Pauli) -> Pauli:
    """Return ``G P G^-1`` for a gate of the synthesis (Aaronson and Gottesman, section 3)."""
    x, z, sign = pauli
    bit = 1 << places[0]
    has_x, has_z = bool(x & bit), bool(z & bit)
    if name == "h":
        swapped = bit if has_x != has_z else 0
        return Pauli(x ^ swapped, z ^ swapped, -sign if has_x and has_z else sign)
    if name == "s":
        return Pauli(x, z ^ bit if has_x else z, -sign if has_x and has_z else sign)
    if name in {"x", "z"}:
        return Pauli(x, z, -sign if (has_z if name == "x" else has_x) else sign)
    target = 1 << places[1]
    flips = has_x and bool(z & target) and bool(x & target) == has_z
    return Pauli(x ^ target if has_x else x, z ^ bit if z & target else z, -sign if flips else sign)


def _phase(unitary: Matrix, steps: Sequence[Step]) -> tuple[Step, ...]:
    """Return the global phase that steps lack to equal a unitary."""
    column = [1 + 0j] + [0j] * (len(unitary) - 1)
    for name, places, _ in steps:
        column = _applied(GATES[name].unitary(), places, column)
    row = max(range(len(column)), key=lambda index: abs(column[index]))
    phase = cmath.phase(unitary[row][0] / column[row])
    return () if abs(phase) <= TOLERANCE else (("gphase", (), (phase,)),)


def _applied(unitary: Matrix, places: tuple[int, ...], column: list[complex]) -> list[complex]:
    """Apply a gate to a state, both little-endian."""
    after = [0j] * len(column)
    for index, amplitude in enumerate(column):
        inner = sum((index >> place & 1) << bit for bit, place in enumerate(places))
        rest = index & ~sum(1 << place for place in places)
        for row in range(len(unitary)):
            outer = rest | sum((row >> bit & 1) << place for bit, place in enumerate(places))
            after[outer] += unitary[row][inner] * amplitude
    return after
