"""What is said of a simulator that differs on a circuit, and how to find out whether it does on another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.circuit import Circuit
from gateway.compare.hunting.differences import Difference
from gateway.results import Sampling

OURSELVES = "gateway"
"""The name of our own exact simulator, which is accused if all others agree against it."""

Shows = Callable[[Circuit], bool]
"""Whether a circuit shows the same difference."""


class Trial(NamedTuple):
    """One circuit of a hunt.

    Args:
        circuit: the circuit.
        name: its seed and profile, or the path of its file.
        seed: its seed, if it is a random one.
    """

    circuit: Circuit
    name: str
    seed: int | None = None


class Accusation(NamedTuple):
    """A simulator that differs.

    Args:
        simulator: its name.
        difference: how it differs.
        shows: whether another circuit shows the same.
        sampling: who drew the shots.
        against: the simulator that it was compared with; ``None`` for our own.
    """

    simulator: str
    difference: Difference
    shows: Shows
    sampling: Sampling = Sampling.AUTO
    against: str | None = None
