"""What runs cost in memory: the numbers of a simulator, as data, and those that are the same for all.

Each number is an upper bound that ``tests/benchmarks/memory.py`` measures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STATE = 16
"""Bytes for each amplitude of a state that is kept: complex128."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What a simulator's runs cost beyond the bytes for each amplitude that its capabilities declare.

    An adapter that declares none of these has numbers that are rather too large.

    Args:
        native_state: bytes for each amplitude where the simulator's own sampler draws the shots, if that is less.
        from_state: bytes for each amplitude where a state is computed from one that was handed over, if that is more.
        operation: bytes for each operation of the lowered circuit, in our circuit and in the simulator's own.
        native_operation: the same where the simulator's own sampler takes the circuit.
        conditional: the same where that circuit has conditions.
        by_gate: name of a gate -> bytes for each such operation, where that is more, as of a gate that is a matrix.
        shot: bytes for each shot that the simulator's own sampler draws.
        shot_bit: bytes for each measured bit of such a shot.
        keeps_overwritten: whether that sampler keeps each outcome of a clbit that is measured several times.
        own_counts: whether the simulator counts the outcomes itself, so that only the shots bound their number.
    """

    native_state: int | None = None
    from_state: int = 0
    operation: int = 4_096
    native_operation: int = 0
    conditional: int = 0
    by_gate: Mapping[str, int] = field(default_factory=dict)
    shot: int = 64
    shot_bit: int = 16
    keeps_overwritten: bool = False
    own_counts: bool = False


def outcome_bytes(width: int) -> int:
    """Return the bytes for each outcome of a result: its bitstring, its place in a dictionary, its text, twice."""
    return 3 * width + 260


def packed_outcome_bytes(width: int) -> int:
    """Return the bytes for each outcome that is kept in arrays: its number, its probability, and its text in JSON."""
    return 2 * width + 128
