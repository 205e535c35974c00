"""What the points of a sweep share: a circuit is lowered, planned and built once, and only its angles change.

A run at a single point prepares in the same way and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from gateway.circuit import Circuit
from gateway.circuit.points import Points, Template

T = TypeVar("T")
N = TypeVar("N")


class Builds(Protocol[N]):
    """Whatever makes a simulator's own circuits, as an adapter does."""

    def build(self, circuit: Circuit) -> N:
        """Return the simulator's own circuit for a circuit in its gates."""

    def rebind(self, native: N, circuit: Circuit, changed: Sequence[int]) -> N:
        """Return the simulator's own circuit for one that differs from the last one in some angles."""


class Preparation:
    """What was made for the points of a sweep so far.

    Args:
        points: the points.

    Attributes:
        point: the point of the run under way.
    """

    def __init__(self, points: Points) -> None:
        self.points = points
        self.point = 0
        self._kept: dict[Hashable, Any] = {}

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made under a key, which is made the first time."""
        if key not in self._kept:
            self._kept[key] = make()
        made: T = self._kept[key]
        return made


class Prepared(Generic[N]):
    """The simulator's own circuit at the point of the run under way.

    Args:
        builder: makes it.
        circuit: the circuit, in the gates of the simulator; its angles depend on parameters if there is a preparation.
        preparation: what the points share; ``None`` where there is a single one.
    """

    __slots__ = ("_builder", "_native", "_point", "_preparation", "_template")

    def __init__(self, builder: Builds[N], circuit: Circuit, preparation: Preparation | None) -> None:
        self._builder = builder
        self._preparation = preparation
        if preparation is not None:
            self._point = preparation.point
            self._template = Template(circuit, preparation.points)
            circuit = self._template.at(self._point)
        self._native = builder.build(circuit)

    def native(self) -> N:
        """Return the circuit, whose angles are those of the point."""
        preparation = self._preparation
        if preparation is not None and preparation.point != self._point:
            self._point = preparation.point
            if self._template.changing:
                circuit = self._template.at(self._point)
                self._native = self._builder.rebind(self._native, circuit, self._template.changing)
        return self._native
