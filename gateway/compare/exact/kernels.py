"""Multiplies amplitudes by the matrices of gates, in place.

A matrix is cut into *blocks*: the smallest sets of basis states that it mixes with each other. A diagonal gate has
blocks of one state, which is a multiplication, and a controlled gate leaves most states alone. Apart from ``ecr``
and ``dcx``, no gate of the table mixes more than two states, however many qubits it acts on.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.circuit.gates import GATES, Matrix

Amplitudes = NDArray[np.complex128]
Terms = tuple[tuple[int, complex], ...]
"""A row of a block without its zeros: (place of the old amplitude within the block, factor)."""


class Block(NamedTuple):
    """Basis states of a gate that mix with each other only.

    Args:
        states: their indices, little-endian: the gate's first qubit is the least significant bit.
        rows: what the new amplitude of each of them is the sum of.
    """

    states: tuple[int, ...]
    rows: tuple[Terms, ...]


def multiply(amplitudes: Amplitudes, bits: tuple[int, ...], name: str, params: tuple[float, ...]) -> None:
    """Apply a gate of the table in place.

    Args:
        amplitudes: contiguous, of any shape whose last axis is the index into the amplitudes.
        bits: for each qubit of the gate, its bit in that index.
        name: of the gate.
        params: its angles.
    """
    shape, places = _places(bits)
    view = amplitudes.reshape(shape)
    for states, rows in _blocks(name, params):
        if len(states) == 1:
            view[places[states[0]]] *= rows[0][0][1]
            continue
        old = [view[places[state]] for state in states]
        new = [_sum(terms, old) for terms in rows]
        for target, values in zip(old, new, strict=True):
            target[...] = values


def squares(amplitudes: Amplitudes) -> NDArray[np.float64]:
    """Return the squared absolute values of amplitudes."""
    result: NDArray[np.float64] = np.square(amplitudes.real)
    result += np.square(amplitudes.imag)
    return result


def _sum(terms: Terms, old: list[Amplitudes]) -> Amplitudes:
    """Return the sum of old amplitudes times their factors, as a new array."""
    (place, factor), *others = terms
    total = old[place].copy() if factor == 1 else old[place] * factor
    for place, factor in others:
        total += old[place] * factor
    return total


@lru_cache(maxsize=4096)
def _places(bits: tuple[int, ...]) -> tuple[tuple[int, ...], list[tuple[slice | int, ...]]]:
    """Return a shape in which each of some bits of the index is an axis, and where each basis state of them lies."""
    descending = sorted(bits, reverse=True)
    shape = [-1]
    for bit, lower in pairwise([*descending, -1]):
        shape += [2, 2 ** (bit - lower - 1)]
    axes = [1 + 2 * descending.index(bit) for bit in bits]
    places = []
    for state in range(2 ** len(bits)):
        place: list[slice | int] = [slice(None)] * len(shape)
        for k, axis in enumerate(axes):
            place[axis] = state >> k & 1
        places.append(tuple(place))
    return tuple(shape), places


@lru_cache(maxsize=65536)
def _blocks(name: str, params: tuple[float, ...]) -> tuple[Block, ...]:
    """Return the blocks of a gate that do anything."""
    matrix = GATES[name].unitary(*params)
    blocks = []
    for states in _mixing(matrix):
        rows = tuple(
            tuple((place, complex(matrix[row][column])) for place, column in enumerate(states) if matrix[row][column])
            for row in states
        )
        if rows != (((0, 1),),):
            blocks.append(Block(states, rows))
    return tuple(blocks)


def _mixing(matrix: Matrix) -> list[tuple[int, ...]]:
    """Return the sets of basis states that a matrix mixes, each in ascending order."""
    block_of: dict[int, set[int]] = {}
    for row, entries in enumerate(matrix):
        block = {row}
        for column, entry in enumerate(entries):
            if entry:
                block |= block_of.get(column, {column})
        block |= block_of.get(row, block)
        block_of.update(dict.fromkeys(block, block))
    return list(dict.fromkeys(tuple(sorted(block)) for block in block_of.values()))
