"""Values for the parameters of a circuit: one, or a list of them, at each of which the circuit is run.

A *point* is a value for each parameter. A circuit that runs at many points is a :class:`Template`: only the angles
that depend on parameters are computed at each of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from gateway.circuit.circuit import Circuit
from gateway.circuit.expressions import ARITHMETIC, Angle, Expression, value_of_angle
from gateway.circuit.operations import Operation
from gateway.errors import CircuitInvalidError, RequestError

_AT_ONCE = 100_000
"""So many angles are computed and kept at a time."""

_CHECKED_AHEAD = 5_000_000
"""So many angles are computed before the first run, to see whether all are finite."""


class Points:
    """Values for parameters, one for each point.

    Args:
        columns: parameter -> its value at each point, in radians; all have the same length.
        size: the number of points.
    """

    __slots__ = ("columns", "size")

    def __init__(self, columns: Mapping[str, Sequence[float]], size: int) -> None:
        self.columns = columns
        self.size = size

    def at(self, point: int) -> dict[str, float]:
        """Return the value of each parameter at a point."""
        return {name: column[point] for name, column in self.columns.items()}

    def part(self, begin: int, end: int) -> Points:
        """Return the points from ``begin`` up to ``end``."""
        columns = {name: column[begin:end] for name, column in self.columns.items()}
        return Points(columns, min(end, self.size) - begin)

    def check(self, circuit: Circuit) -> None:
        """Refuse values that do not fit a circuit, before any of it runs.

        Raises:
            RequestError: a parameter is unknown to the circuit, or has no value; ``field`` is ``parameters``.
            CircuitInvalidError: an angle has no value at some point, as ``1 / theta`` has none at 0; ``circuit`` is
                the number of the point.
        """
        known = dict.fromkeys(circuit.parameters)
        has = f"its parameters are {', '.join(known)}" if known else "it has no parameters"
        for name in self.columns:
            if name not in known:
                raise RequestError(f"the circuit has no parameter {name!r:.80}: {has}", field="parameters")
        missing = [name for name in known if name not in self.columns]
        if missing:
            raise RequestError(f"the parameter {missing[0]!r} has no value: {has}", field="parameters")
        template = Template(circuit, self)
        ahead = min(self.size, max(_CHECKED_AHEAD // template.num_angles, 1))
        for begin in range(0, ahead, template.at_once):
            template.angles(begin)


class Template:
    """A circuit with parameters, which is bound at one point after the other.

    Args:
        circuit: the circuit, which is not modified.
        points: the values; each parameter of the circuit has some.

    Attributes:
        circuit: the circuit itself.
        changing: the indices of the operations whose angles depend on parameters.
        num_angles: how many angles do; at least 1.
        at_once: at so many points the angles are computed together.
    """

    def __init__(self, circuit: Circuit, points: Points) -> None:
        self.circuit = circuit
        self._points = points
        self.changing = tuple(
            [i for i, op in enumerate(circuit.operations) if op.name != "set" and Expression in map(type, op.params)]
        )
        self._operations = [circuit.operations[index] for index in self.changing]
        self.num_angles = max(sum([len(op.params) for op in self._operations]), 1)
        self.at_once = max(_AT_ONCE // self.num_angles, 1)
        self._begin = -1
        self._rows: list[Iterator[tuple[float, ...]]] = []
        self._columns: list[list[tuple[float, ...]]] = []

    def at(self, point: int) -> Circuit:
        """Return the circuit at a point; it equals ``circuit.bind(...)`` to the last bit.

        Raises:
            CircuitInvalidError: an angle has no finite value at this point; ``circuit`` is the point.
        """
        if not self.changing:
            return self.circuit
        begin = point - point % self.at_once
        if begin != self._begin:
            self._columns, self._begin = self.angles(begin), begin
        operations = self.circuit.operations.copy()
        place = point - begin
        for index, op, column in zip(self.changing, self._operations, self._columns, strict=True):
            operations[index] = Operation(op.name, op.qubits, column[place], op.clbits, op.condition)
        return self.circuit.with_operations(operations)

    def angles(self, begin: int) -> list[list[tuple[float, ...]]]:
        """Return the angles of each operation that changes, at as many points from ``begin`` on as are kept at a time.

        Raises:
            CircuitInvalidError: one has no finite value; ``circuit`` is the point.
        """
        points = self._points.part(begin, begin + self.at_once)
        kept: dict[Angle, list[float]] = {}
        return [
            list(zip(*[_values(angle, points, begin, kept) for angle in op.params], strict=True))
            for op in self._operations
        ]


def _values(angle: Angle, points: Points, begin: int, kept: dict[Angle, list[float]]) -> list[float]:
    """Return the finite value of an angle at each point.

    Args:
        angle: a number or an expression.
        points: the points.
        begin: the number of the first one.
        kept: angles that were met before, with their values.
    """
    if not isinstance(angle, Expression):
        return [angle] * points.size
    values = kept.get(angle)
    if values is None:
        try:
            values = _column(angle, points)
            is_finite = all(map(math.isfinite, values))
        except (ArithmeticError, ValueError, TypeError):
            is_finite = False
        if values is None or not is_finite:
            values = [_value(angle, points, place, begin) for place in range(points.size)]
        kept[angle] = values
    return values


def _column(arg: float | str | Expression, points: Points) -> list[float]:
    """Return the value of an expression at each point, by the operations that one value takes, in the same order."""
    if not isinstance(arg, Expression):
        return [arg] * points.size  # type: ignore[list-item]  # text stands in parameters only
    if arg.op == "parameter":
        return list(points.columns[str(arg.args[0])])
    return list(map(ARITHMETIC[arg.op][1], *[_column(inner, points) for inner in arg.args]))


def _value(angle: Expression, points: Points, place: int, begin: int) -> float:
    try:
        return value_of_angle(angle, points.at(place))
    except CircuitInvalidError as exc:
        exc.circuit = begin + place
        raise
