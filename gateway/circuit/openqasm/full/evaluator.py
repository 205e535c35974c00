"""Evaluates expressions of OpenQASM 3: values that are known while unrolling, and parts of registers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from gateway.circuit.openqasm.full.arithmetic import (
    CONSTANTS,
    FUNCTIONS,
    binary,
    convert,
    integer_quotient,
    plain,
    real,
    unary,
    whole,
)
from gateway.circuit.openqasm.full.scopes import (
    Clbits,
    Kind,
    Qubits,
    Scope,
    Symbol,
    Value,
    Variable,
    Word,
    invalid,
    refuse,
)
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from openqasm3 import ast

_T = TypeVar("_T")

MAX_WIDTH = 1024
_FAULTS = (ValueError, TypeError, ZeroDivisionError, OverflowError)
_KINDS = {
    "IntType": "int",
    "UintType": "uint",
    "FloatType": "float",
    "AngleType": "angle",
    "BoolType": "bool",
    "BitType": "bit",
}
_TRUNCATE, _REAL, _REFUSE = "truncate", "real", "refuse"


class Evaluator:
    """Evaluates expressions in the current scope.

    Args:
        call: inlines a subroutine and returns its value.
        physical: returns the index of a physical qubit such as ``$3``.
        has_no_value: returns whether a clbit belongs to a bit that nothing was assigned to yet.
        spend: counts steps against the limit.
        real_division: whether integers are divided as real numbers, as in OpenQASM 2.
    """

    def __init__(
        self,
        call: Callable[[ast.FunctionCall], Value],
        physical: Callable[[ast.Identifier], int],
        has_no_value: Callable[[int], bool],
        spend: Callable[[int], None],
        *,
        real_division: bool,
    ) -> None:
        self.scope = Scope()
        self.subroutines: set[str] = set()
        self._call = call
        self._physical = physical
        self._has_no_value = has_no_value
        self._spend = spend
        self._real_division = real_division
        self._division = _REFUSE
        self._bits: dict[int, int] | None = None

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Evaluate in another scope for as long as the block lasts."""
        outer, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = outer

    # ------------------------------------------------------------------ values

    def number(self, node: ast.Expression) -> float:
        """Return an angle; ``1/2`` is an error there, because it would be 0."""
        return self._as(node, real, _REFUSE)

    def exponent(self, node: ast.Expression) -> float:
        """Return a real number; ``1/2`` is a half, as the specification writes ``pow(1/2) @``."""
        return self._as(node, real, _REAL)

    def integer(self, node: ast.Expression) -> int:
        """Return a whole number; a division of integers truncates."""
        return self._as(node, whole, _TRUNCATE)

    def value_as(self, node: ast.Expression, kind: Kind) -> Value:
        """Return a value converted to a type."""
        return self._as(node, lambda value: convert(value, kind), _division_of(kind))

    def truth(self, node: ast.Expression) -> bool:
        """Return whether a known value is not zero."""
        return self._as(node, lambda value: plain(value) != 0, _TRUNCATE)

    def _as(self, node: ast.Expression, read: Callable[[Value], _T], division: str) -> _T:
        outer, self._division = self._division, division
        try:
            return self._compute(node, lambda: read(self.evaluate(node)))
        finally:
            self._division = outer

    def _compute(self, node: ast.QASMNode, compute: Callable[[], _T]) -> _T:
        """Return what a function computes; if its arithmetic has no result, report that with the line."""
        try:
            return compute()
        except GatewayError:
            raise
        except _FAULTS as exc:
            raise invalid(node, "expression", f"an expression has no value: {exc}") from exc

    def evaluate(self, node: ast.Expression) -> Value:
        """Return the value of an expression.

        Raises:
            UnsupportedError: the value depends on a measurement, or has a type that is not supported.
            CircuitInvalidError: a name is unknown, or an operation has no result.
        """
        handler = self._HANDLERS.get(type(node).__name__)
        if handler is None:
            raise refuse(node, type(node).__name__, "has no value while the circuit is built")
        if handler in _COMPOUND:
            self._spend(1)
        return handler(self, node)

    def _identifier(self, node: ast.Identifier) -> Value:
        symbol = self.scope.find(node.name)
        if isinstance(symbol, Variable):
            if symbol.value is None:
                raise invalid(node, "unassigned variable", f"{node.name!r} is used before it has a value")
            return symbol.value
        if isinstance(symbol, Clbits):
            return self._read(node, symbol)
        if symbol is None and node.name in CONSTANTS:
            return CONSTANTS[node.name]
        if symbol is None:
            raise invalid(node, "name", f"{node.name!r} is not declared")
        raise invalid(node, "type", f"{node.name!r} is quantum and has no value")

    def _read(self, node: ast.Expression, clbits: Clbits) -> Value:
        if self._bits is None:
            why = "its value is known only when the circuit runs, but is needed to build it"
            raise refuse(node, "measured value", why)
        for clbit in clbits.indices:
            if self._has_no_value(clbit):
                raise invalid(node, "unassigned variable", "a bit is tested before anything is assigned to it")
        bits = [self._bits[clbit] for clbit in clbits.indices]
        if clbits.single:
            return bits[0]
        return Word(sum(bit << place for place, bit in enumerate(bits)), len(bits))

    def _literal(self, node: ast.IntegerLiteral) -> Value:
        return cast("int | float | bool", node.value)

    def _bitstring(self, node: ast.BitstringLiteral) -> Value:
        return Word(node.value, node.width)

    def _unary(self, node: ast.UnaryExpression) -> Value:
        return self._compute(node, lambda: unary(node.op.name, self.evaluate(node.expression)))

    def _binary(self, node: ast.BinaryExpression) -> Value:
        symbol: str = node.op.name
        left = self.evaluate(node.lhs)
        if symbol in {"&&", "||"}:
            if (plain(left) != 0) is (symbol == "||"):
                return symbol == "||"
            return bool(plain(self.evaluate(node.rhs)))
        right = self.evaluate(node.rhs)
        return self._compute(node, lambda: self.combine(node, symbol, left, right))

    def combine(self, node: ast.QASMNode, symbol: str, left: Value, right: Value) -> Value:
        """Return the value of a binary operation on values."""
        if symbol == "^" and self._real_division:
            raise refuse(node, "^", "a power of OpenQASM 2, which binds unlike the ^ of OpenQASM 3")
        a, b = plain(left), plain(right)
        if symbol != "/" or isinstance(a, float) or isinstance(b, float) or self._real_division:
            return binary(symbol, left, right)
        if a % b == 0:
            return int(a // b)
        if self._division == _REFUSE:
            what = f"{a}/{b} divides integers, which drops the remainder; write {a}.0/{b}"
            raise invalid(node, "integer division", what)
        return a / b if self._division == _REAL else integer_quotient(a, b)

    def compound(self, node: ast.ClassicalAssignment, symbol: str, old: Value, kind: Kind) -> Value:
        """Return the new value of a variable for ``variable symbol= expression``."""
        outer, self._division = self._division, _division_of(kind)
        try:
            change = self.evaluate(node.rvalue)
            return self._compute(node, lambda: convert(self.combine(node, symbol, old, change), kind))
        finally:
            self._division = outer

    def _cast(self, node: ast.Cast) -> Value:
        return self.value_as(node.argument, self.kind(node.type))

    def _function(self, node: ast.FunctionCall) -> Value:
        name = node.name.name
        if name in self.subroutines:
            if self._bits is not None:
                raise refuse(node, "subroutine call", "it cannot stand in a condition on measured bits")
            return self._call(node)
        if name not in FUNCTIONS:
            raise invalid(node, "function name", f"there is no function named {name!r}")
        function, arity = FUNCTIONS[name]
        if len(node.arguments) != arity:
            what = f"{name} takes {arity} argument{'' if arity == 1 else 's'}, not {len(node.arguments)}"
            raise invalid(node, "number of arguments", what)
        arguments = [self.evaluate(argument) for argument in node.arguments]
        return self._compute(node, lambda: function(*arguments))

    def _size_of(self, node: ast.SizeOf) -> Value:
        symbol = self.reference(node.target)
        if isinstance(symbol, (Qubits, Clbits)) and not symbol.single:
            return len(symbol.indices)
        value = self.evaluate(node.target)
        if isinstance(value, Word):
            return value.width
        raise invalid(node, "type", "sizeof needs a register")

    def _index(self, node: ast.IndexExpression) -> Value:
        symbol = self.reference(node)
        if isinstance(symbol, Clbits):
            return self._read(node, symbol)
        if isinstance(symbol, Qubits):
            raise invalid(node, "type", "a qubit has no value")
        return self.part(node, self.evaluate(node.collection), node.index)

    def part(self, node: ast.QASMNode, value: Value, index: ast.IndexElement) -> Value:
        """Return some bits of a value."""
        if not isinstance(value, Word):
            raise invalid(node, "type", "only registers and bits of known width have parts")
        places, single = self.places(node, index, value.width)
        bits = [value.value >> place & 1 for place in places]
        return bits[0] if single else Word(sum(bit << k for k, bit in enumerate(bits)), len(bits))

    # ------------------------------------------------------------------ types

    def kind(self, node: ast.ClassicalType) -> Kind:
        """Return the type that a node names."""
        name = _KINDS.get(type(node).__name__)
        if name is None:
            feature = type(node).__name__.removesuffix("Type").lower()
            raise refuse(node, f"type {feature}", "a flat circuit has no such values")
        size = getattr(node, "size", None)
        if size is None or name == "float":
            return Kind(name)
        width = self.integer(size)
        if width < 1:
            raise invalid(node, "width", f"{name} has {width} bits; it needs at least one")
        if width > MAX_WIDTH and name != "bit":
            raise invalid(node, "width", f"{name} has {width} bits; at most {MAX_WIDTH} are accepted")
        return Kind(name, width)

    # ------------------------------------------------------------------ registers

    def reference(self, node: ast.Expression) -> Symbol | None:
        """Return the qubits, the clbits or the variable that an expression names; ``None`` if it names nothing."""
        handler = self._REFERENCES.get(type(node).__name__)
        return None if handler is None else handler(self, node)

    def qubits(self, node: ast.Expression) -> Qubits:
        """Return the qubits that an operand names."""
        symbol = self.reference(node)
        if isinstance(symbol, Qubits):
            return symbol
        raise invalid(node, "qubit", "an operand is not a qubit or a register of qubits")

    def _symbol(self, node: ast.Identifier) -> Symbol | None:
        if node.name.startswith("$"):
            return Qubits((self._physical(node),), single=True)
        symbol = self.scope.find(node.name)
        if symbol is None and node.name not in CONSTANTS:
            raise invalid(node, "name", f"{node.name!r} is not declared")
        return symbol

    def _indexed_name(self, node: ast.IndexedIdentifier) -> Symbol | None:
        symbol = self._symbol(node.name)
        for index in node.indices:
            symbol = self._select(node, symbol, index)
        return symbol

    def _indexed_expression(self, node: ast.IndexExpression) -> Symbol | None:
        symbol = self.reference(node.collection)
        return self._select(node, symbol, node.index) if isinstance(symbol, (Qubits, Clbits)) else None

    def _select(self, node: ast.QASMNode, symbol: Symbol | None, index: ast.IndexElement) -> Symbol:
        if not isinstance(symbol, (Qubits, Clbits)) or symbol.single:
            raise invalid(node, "index", "only a register has parts")
        places, single = self.places(node, index, len(symbol.indices))
        indices = tuple([symbol.indices[place] for place in places])
        if isinstance(symbol, Qubits):
            return Qubits(indices, single)
        return Clbits(indices, single, symbol.writable)

    def _concatenation(self, node: ast.Concatenation) -> Symbol | None:
        left, right = self.reference(node.lhs), self.reference(node.rhs)
        if isinstance(left, Qubits) and isinstance(right, Qubits):
            return Qubits(left.indices + right.indices)
        if isinstance(left, Clbits) and isinstance(right, Clbits):
            return Clbits(left.indices + right.indices, writable=left.writable and right.writable)
        raise invalid(node, "type", "++ joins two registers of qubits or two of bits")

    def places(self, node: ast.QASMNode, index: ast.IndexElement, size: int) -> tuple[list[int], bool]:
        """Return the positions that an index names in a register, and whether it is a single one.

        Raises:
            CircuitInvalidError: a position is out of range, or the index has more than one dimension.
        """
        if type(index).__name__ == "DiscreteSet":
            return [self._place(value, size) for value in index.values], False
        if len(index) != 1:
            raise invalid(node, "index", "a register has one dimension")
        (element,) = index
        if type(element).__name__ == "RangeDefinition":
            return self._slice(element, size), False
        return [self._place(element, size)], True

    def _place(self, node: ast.Expression, size: int) -> int:
        place = self.integer(node)
        if not -size <= place < size:
            raise invalid(node, "index", f"the index {place} is out of range: the register's size is {size}")
        return place % size

    def _slice(self, node: ast.RangeDefinition, size: int) -> list[int]:
        step = self.step(node)
        start = (0 if step > 0 else size - 1) if node.start is None else self._place(node.start, size)
        end = (size - 1 if step > 0 else 0) if node.end is None else self._place(node.end, size)
        places = list(range(start, end + (1 if step > 0 else -1), step))
        if not places:
            raise invalid(node, "index", "a slice names no element")
        return places

    def step(self, node: ast.RangeDefinition) -> int:
        """Return the step of a range."""
        step = 1 if node.step is None else self.integer(node.step)
        if step == 0:
            raise invalid(node, "step", "the step of a range is 0")
        return step

    _HANDLERS: ClassVar[dict[str, Callable[..., Value]]] = {
        "Identifier": _identifier,
        "IntegerLiteral": _literal,
        "FloatLiteral": _literal,
        "BooleanLiteral": _literal,
        "BitstringLiteral": _bitstring,
        "UnaryExpression": _unary,
        "BinaryExpression": _binary,
        "Cast": _cast,
        "FunctionCall": _function,
        "SizeOf": _size_of,
        "IndexExpression": _index,
    }
    _REFERENCES: ClassVar[dict[str, Callable[..., Symbol | None]]] = {
        "Identifier": _symbol,
        "IndexedIdentifier": _indexed_name,
        "IndexExpression": _indexed_expression,
        "Concatenation": _concatenation,
    }


_COMPOUND = frozenset({Evaluator._unary, Evaluator._binary, Evaluator._cast, Evaluator._function})  # noqa: SLF001 - above
"""What counts as a step: an expression of a loop may have hundreds of operators."""


def _division_of(kind: Kind) -> str:
    return _REFUSE if kind.name in {"float", "angle"} else _TRUNCATE
