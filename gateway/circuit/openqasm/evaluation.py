"""Compiles expressions of OpenQASM 3 to functions that return their values.

An expression in a loop is compiled once and evaluated at each turn. What is constant is evaluated when it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from gateway.circuit import conditions
from gateway.circuit.emitter import Emitter, decided
from gateway.circuit.expressions import ARITHMETIC, Expression, clbits_read, value_of_clbits
from gateway.circuit.openqasm import arithmetic, outcomes, syntax
from gateway.circuit.openqasm.arithmetic import CONSTANTS, FUNCTIONS, convert, integer_quotient, real, whole
from gateway.circuit.openqasm.scopes import Qubits, Scope, Symbol, Variable
from gateway.circuit.openqasm.syntax import Expression as Node
from gateway.circuit.openqasm.values import (
    BITS,
    REAL_TYPES,
    Choice,
    Kind,
    Known,
    Measured,
    Value,
    Word,
    choice_of,
    clbits_of_bits,
    combined,
    is_known,
    plain,
    read_bits,
    refusal,
    too_many,
)
from gateway.circuit.operations import Comparison, Condition
from gateway.errors import CircuitInvalidError, GatewayError

T = TypeVar("T")

Evaluate = Callable[[], Any]
"""Returns the value of an expression; ``Any``, since a checked type at every operator would cost more than the rest."""

MAX_WIDTH = 1024
_DEEPEST = 40
_TABLE_CLBITS = 5
_MOST_CONDITIONS = 4
_SETTLED_BITS = 64
_MOST_DIGITS = 11  # a longer index is above any limit
_FAULTS = (ValueError, TypeError, ZeroDivisionError, OverflowError)
_NUMBERS = frozenset({int, float, bool})
_IN_ANGLES = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "ln": "log", "pow": "**"}
_TYPES = frozenset({"int", "uint", "float", "angle", "bool", "bit"})


class Division(StrEnum):
    """What becomes of a division of integers that leaves a remainder."""

    TRUNCATE = "truncate"
    REAL = "real"
    REFUSE = "refuse"

    @classmethod
    def into(cls, type_name: str) -> Division:
        """Return what becomes of it where its value is converted to a type."""
        return cls.REFUSE if type_name in REAL_TYPES else cls.TRUNCATE


class Decision(NamedTuple):
    """When a condition on clbits holds, and when it does not, as disjoint conditions.

    Args:
        then: the conditions under which it holds.
        otherwise: the conditions under which it does not; ``None`` if nobody asks and they are not simple.
    """

    then: list[Condition]
    otherwise: list[Condition] | None


class Part(NamedTuple):
    """What a reference to a register names.

    Args:
        indices: returns the numbers of the qubits or clbits.
        is_quantum: whether they are qubits.
        single: whether it is a single one and not a register.
        variable: the variable that has these bits, if they are some of a variable's.
        places: returns the places in the variable.
    """

    indices: Callable[[], Sequence[int]]
    is_quantum: bool
    single: bool
    variable: Variable | None = None
    places: Callable[[], Sequence[int]] | None = None


def constant(value: object) -> Evaluate:
    """Return the function of a value that is known when the expression is compiled."""

    def evaluate() -> object:
        return value

    evaluate.constant = value  # type: ignore[attr-defined]  # read by constant_of
    return evaluate


def constant_of(evaluate: Evaluate) -> Any:  # noqa: ANN401 - see Evaluate
    """Return the value of an expression that is constant, or ``None``."""
    return getattr(evaluate, "constant", None)


def invalid(rule: str, what: str) -> CircuitInvalidError:
    """Return the error for a program that breaks a rule; whoever knows the line adds it."""
    return CircuitInvalidError(what, rule=rule)


class Evaluation:
    """Compiles the expressions of a program.

    Args:
        out: what the program becomes.
    """

    def __init__(self, out: Emitter) -> None:
        self.out = out
        self.scope = Scope()
        self.globals = self.scope
        self.work = 0  # operators compiled so far; a statement counts as many steps as it has
        self._division = Division.TRUNCATE
        self._has_physical = False

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[None]:
        """Compile in another scope for as long as the block lasts."""
        outer, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = outer

    # ------------------------------------------------------------------ values of a kind

    def number(self, node: Node) -> Evaluate:
        """Compile an angle; ``1/2`` is an error there, because it would be 0."""
        return self._as(node, self.real, Division.REFUSE, float)

    def exponent(self, node: Node) -> Evaluate:
        """Compile a real number; ``1/2`` is a half, as the specification writes ``pow(1/2) @``."""
        return self._as(node, self.real, Division.REAL)

    def integer(self, node: Node) -> Evaluate:
        """Compile a whole number that has to be known; a division of integers truncates."""
        return self._as(node, self.whole, Division.TRUNCATE, int)

    def value_as(self, node: Node, kind: Kind) -> Evaluate:
        """Compile a value that is converted to a type."""
        return self._as(node, lambda value: self.converted(value, kind), Division.into(kind.name))

    def _as(self, node: Node, read: Callable[[Value], Any], division: Division, right: type | None = None) -> Evaluate:
        """Compile a value that is converted by a function, unless it has the right type already."""
        with self.dividing(division):
            evaluate = self.value(node)
        fixed = constant_of(evaluate)
        if fixed is not None:
            with suppress(CircuitInvalidError):  # it is an error only if it is evaluated
                return constant(read(fixed))

        def converted() -> Any:  # noqa: ANN401 - see Evaluate
            value = evaluate()
            return value if type(value) is right else read(value)

        return converted

    @contextmanager
    def dividing(self, division: Division) -> Iterator[None]:
        """Compile divisions of integers in a certain way for as long as the block lasts."""
        outer, self._division = self._division, division
        try:
            yield
        finally:
            self._division = outer

    def real(self, value: Value) -> Any:  # noqa: ANN401 - see Evaluate
        """Return a value as an angle: a float, an expression of parameters, or a choice."""
        if type(value) in _NUMBERS:
            return float(value)  # type: ignore[arg-type]  # it is a number
        if isinstance(value, Expression):
            return value
        if isinstance(value, (Measured, Choice)):
            return combined([choice_of(value, self.settled)], self.real)
        return self._checked(real, value)

    def whole(self, value: Value) -> int:
        """Return a known whole number.

        Raises:
            UnsupportedError: the value depends on outcomes or parameters.
        """
        if type(value) is int:
            return value
        if not is_known(value):
            raise _not_known(value)
        return self._checked(whole, value)

    def converted(self, value: Value, kind: Kind) -> Value:
        """Return a value converted to a type."""
        if isinstance(value, Expression):
            if not kind.is_real:
                raise _not_known(value)
            return value
        if isinstance(value, Choice) and not kind.is_real:
            value = self.measured(value)
        if isinstance(value, Measured) and not kind.is_real:
            return self._checked(outcomes.convert, value, kind)
        if isinstance(value, (Measured, Choice)):
            return combined([choice_of(value, self.settled)], lambda known: self.converted(known, kind))
        return self._checked(convert, value, kind)

    def measured(self, choice: Choice) -> Measured:
        """Return a choice of whole numbers as a measured value."""
        result: int | Expression = 0
        depth = 1
        values = set()
        for condition, value in choice.alternatives:
            number = self.whole(value)
            values.add(number)
            result = Expression("if", (decided([condition]), number, result))
            depth += 1
            if depth > _DEEPEST:
                settled = self.settled(Measured(result, None, False, frozenset(values), depth))
                result, depth = settled.expression, 2
        if not isinstance(result, Expression):  # no alternative is possible
            raise too_many()
        return Measured(result, None, False, frozenset({*values, 0}), depth)

    @staticmethod
    def _checked(compute: Callable[..., T], *args: object) -> T:
        """Return what a function computes; if its arithmetic has no result, report that."""
        try:
            return compute(*args)
        except GatewayError:
            raise
        except _FAULTS as exc:
            raise invalid("expression", f"an expression has no value: {exc}") from exc

    def settled(self, value: Measured) -> Measured:
        """Write a value to hidden clbits, and return it as read from there."""
        if value.is_bool:
            width, signed = 1, False
        elif value.width is not None:
            width, signed = value.width, False
        elif value.values is not None and min(value.values) >= 0:
            width, signed = max(1, max(value.values).bit_length()), False
        else:
            width, signed = _SETTLED_BITS, True
        home = self.out.new_hidden_clbits(width)
        self.out.assign(home, value.expression)
        read = read_bits(home).expression
        expression = Expression("signed", (read, width)) if signed else read
        return Measured(expression, value.width, value.is_bool, value.values)

    # ------------------------------------------------------------------ conditions

    def decide(self, value: Value, *, both: bool = True) -> bool | Decision:
        """Return whether a value is not zero; if it depends on clbits, return when.

        Args:
            value: any value.
            both: whether to say when it is zero, too.
        """
        if type(value) is bool:
            return value
        if isinstance(value, Choice):
            then = [condition for condition, each in value.alternatives if self.decide(each) is True]
            otherwise = [condition for condition, each in value.alternatives if self.decide(each) is False]
            return Decision(then, otherwise)
        if isinstance(value, Measured):
            return self._decide_measured(value, both=both)
        if isinstance(value, Expression):
            raise _not_known(value)
        return plain(value) != 0

    def _decide_measured(self, value: Measured, *, both: bool) -> bool | Decision:
        if value.values == frozenset({0}) or (value.values is not None and 0 not in value.values):
            return value.values != frozenset({0})
        decision = _direct(value.expression) or _by_table(value.expression)
        if decision is not None and not (both and decision.otherwise is None):
            if decision.then in (conditions.ALWAYS, conditions.NEVER):
                return decision.then == conditions.ALWAYS
            return decision
        (clbit,) = self.out.new_hidden_clbits(1)
        self.out.assign((clbit,), value.expression if value.is_bool else Expression("!=", (value.expression, 0)))
        return Decision([(Comparison((clbit,), 1),)], [(Comparison((clbit,), 0),)])

    # ------------------------------------------------------------------ expressions

    def value(self, node: Node) -> Evaluate:
        """Compile an expression.

        The function raises an UnsupportedError if a value depends on outcomes where it has to be known, and a
        CircuitInvalidError if a name is unknown, or if an operation has no result.
        """
        return self._VALUES[type(node)](self, node)

    def _literal(self, node: syntax.Literal) -> Evaluate:
        if isinstance(node.value, complex):
            raise refusal("complex", "complex numbers have no meaning here")
        return constant(node.value)

    def _bitstring(self, node: syntax.Bits) -> Evaluate:
        return constant(Word(node.value, node.width))

    def _duration(self, _: syntax.Duration) -> Evaluate:
        raise refusal("duration", "a time has no value, since timing has no effect here")

    def _name(self, node: syntax.Name) -> Evaluate:
        symbol = self.symbol(node)
        if symbol is None:
            return constant(CONSTANTS[node.name])
        if isinstance(symbol, Qubits):
            raise invalid("type", f"{node.name!r} is quantum and has no value")
        if symbol.constant and is_known(symbol.value):
            return constant(symbol.value)
        return self.reading(symbol)

    def reading(self, variable: Variable) -> Evaluate:
        """Return the function that reads a variable."""
        without = self.out.clbits_without_value

        def read() -> Value:
            value = variable.value
            if value is None:
                raise invalid("unassigned variable", f"{variable.name!r} is used before it has a value")
            if without and type(value) is Measured:
                self._check_assigned(value)
            return value

        return read

    def _check_assigned(self, value: Measured) -> None:
        if any(clbit in self.out.clbits_without_value for clbit in clbits_read(value.expression)):
            raise invalid("unassigned variable", "a bit is tested before anything is assigned to it")

    def symbol(self, node: syntax.Name) -> Symbol | None:
        """Return what a name stands for; ``None`` for a constant of the language.

        Raises:
            CircuitInvalidError: the name is not declared.
        """
        if node.name[0] == "$":
            return Qubits((self._physical(node.name),), single=True)
        symbol = self.scope.find(node.name)
        if symbol is None and node.name not in CONSTANTS:
            raise invalid("name", f"{node.name!r} is not declared")
        return symbol

    def _physical(self, name: str) -> int:
        """Return the index of a physical qubit, adding qubits to the circuit if it has too few."""
        if self.out.num_qubits and not self._has_physical:
            raise refusal("physical qubit", "a program names either physical or declared qubits")
        self._has_physical = True
        digits = name[1:].lstrip("0") or "0"
        index = int(digits) if len(digits) <= _MOST_DIGITS else self.out.limits.qubits
        if index >= self.out.num_qubits:
            self.out.new_qubits(index + 1 - self.out.num_qubits)
        return index

    def _unary(self, node: syntax.Unary) -> Evaluate:
        self.work += 1
        operand, symbol = self.value(node.operand), node.operator

        def compute(value: Value) -> Value:
            if isinstance(value, Expression):
                if symbol != "-":
                    raise _not_known(value)
                return -value
            if isinstance(value, Choice):
                return combined([value], compute)
            if isinstance(value, Measured):
                return self._kept_shallow(outcomes.unary(symbol, value))
            return self._checked(arithmetic.unary, symbol, value)

        return self._folded(lambda: compute(operand()), operand)

    def _folded(self, evaluate: Evaluate, *operands: Evaluate) -> Evaluate:
        """Return the function of a constant if all operands are constant and the result has a value."""
        if all(constant_of(operand) is not None for operand in operands):
            try:
                return constant(evaluate())
            except CircuitInvalidError:  # it is an error only if it is evaluated
                pass
        return evaluate

    def _binary(self, node: syntax.Binary) -> Evaluate:
        self.work += 1
        symbol = node.operator
        if symbol == "++":
            part = self.part(node)
            return lambda: read_bits(tuple(part.indices()))
        left, right = self.value(node.left), self.value(node.right)
        if symbol in {"&&", "||"}:
            return self._folded(self._logical(symbol, left, right, acts=self._acts(node.right)), left, right)
        division = self._division
        fast = _FAST.get(symbol)

        def evaluate() -> Value:
            first, second = left(), right()
            if fast is not None and type(first) in _NUMBERS and type(second) in _NUMBERS:
                result = fast(first, second)
                if result is not None and (type(result) is not int or -_LARGE < result < _LARGE):
                    return result  # type: ignore[no-any-return]  # of numbers
            return self.combine(symbol, first, second, division)

        return self._folded(evaluate, left, right)

    def _logical(self, symbol: str, left: Evaluate, right: Evaluate, acts: bool) -> Evaluate:
        def evaluate() -> Value:
            first = left()
            if is_known(first):
                if (plain(first) != 0) is (symbol == "||"):
                    return symbol == "||"
                second = right()
                return plain(second) != 0 if is_known(second) else self._truth(second)
            if acts:
                raise refusal("subroutine call", "it may not happen; assign its result to a variable first")
            return self.combine(symbol, self._truth(first), self._truth(right()), Division.TRUNCATE)

        return evaluate

    def _truth(self, value: Value) -> Value:
        return value if isinstance(value, Measured) and value.is_bool else self.converted(value, Kind("bool"))

    def _acts(self, node: Node) -> bool:
        """Return whether an expression may call a subroutine that acts; subclasses know subroutines."""
        return isinstance(node, syntax.Measurement)

    def combine(self, symbol: str, left: Value, right: Value, division: Division) -> Value:
        """Return the value of a binary operation on values."""
        if isinstance(left, Choice) or isinstance(right, Choice) or self._needs_choice(symbol, left, right, division):
            choices = [choice_of(each, self.settled) for each in (left, right)]
            return combined(choices, lambda first, second: self.combine(symbol, first, second, division))
        if isinstance(left, Expression) or isinstance(right, Expression):
            return self._with_parameter(symbol, left, right)
        if isinstance(left, Measured) or isinstance(right, Measured):
            return self._kept_shallow(self._checked(outcomes.binary, symbol, left, right))
        return self._known(symbol, left, right, division)

    def _needs_choice(self, symbol: str, left: Value, right: Value, division: Division) -> bool:
        """Return whether a measured value meets a real number, or is divided as one."""
        if not isinstance(left, Measured) and not isinstance(right, Measured):
            return False
        is_real = any(isinstance(side, (float, Expression)) for side in (left, right))
        return is_real or (symbol == "/" and division is not Division.TRUNCATE)

    def _kept_shallow(self, value: Measured) -> Measured:
        return self.settled(value) if value.depth > _DEEPEST else value

    def _with_parameter(self, symbol: str, left: Value, right: Value) -> Expression:
        if symbol not in ARITHMETIC:
            raise _not_known(left if isinstance(left, Expression) else right)
        sides = [side if isinstance(side, Expression) else real(side) for side in (left, right)]  # type: ignore[arg-type]  # known
        return Expression(symbol, tuple(sides))

    def _known(self, symbol: str, left: Known, right: Known, division: Division) -> Known:
        a, b = plain(left), plain(right)
        if symbol != "/" or isinstance(a, float) or isinstance(b, float):
            return self._checked(arithmetic.binary, symbol, left, right)
        if b == 0:
            raise invalid("expression", "an expression has no value: division by zero")
        if a % b == 0:
            return int(a // b)
        if division is Division.REFUSE:
            what = f"{a}/{b} divides integers, which drops the remainder; write {a}.0/{b}"
            raise invalid("integer division", what)
        return a / b if division is Division.REAL else integer_quotient(a, b)

    def _cast(self, node: syntax.Cast) -> Evaluate:
        self.work += 1
        kind = self.kind(node.type)
        fixed = constant_of(kind)
        with self.dividing(Division.into(node.type.name)):
            operand = self.value(node.operand)
        if fixed is not None:
            return self._folded(lambda: self.converted(operand(), fixed), operand)
        return lambda: self.converted(operand(), kind())

    def _call(self, node: syntax.Call) -> Evaluate:
        self.work += 1
        name = node.name
        if name == "sizeof":
            return self._size_of(node)
        if name not in FUNCTIONS:
            raise invalid("function name", f"there is no function named {name!r}")
        _, arity = FUNCTIONS[name]
        if len(node.arguments) != arity:
            what = f"{name} takes {arity} argument{'' if arity == 1 else 's'}, not {len(node.arguments)}"
            raise invalid("number of arguments", what)
        arguments = [self.value(argument) for argument in node.arguments]
        return self._folded(lambda: self.apply(name, [argument() for argument in arguments]), *arguments)

    def apply(self, name: str, arguments: Sequence[Value]) -> Value:
        """Return the value of a function."""
        if all(map(is_known, arguments)):
            return self._checked(FUNCTIONS[name][0], *arguments)
        first = arguments[0]
        if isinstance(first, Measured) and name == "popcount":
            return self._kept_shallow(outcomes.popcount(first))
        if isinstance(first, Measured) and name in {"rotl", "rotr"}:
            places = self.whole(arguments[1])
            return self._kept_shallow(self._checked(outcomes.rotated, first, places if name == "rotl" else -places))
        if name in {"mod", "pow"} and not any(isinstance(each, Expression) for each in arguments):
            return self.combine("%" if name == "mod" else "**", first, arguments[1], Division.TRUNCATE)
        if any(isinstance(each, (Measured, Choice)) for each in arguments):
            choices = [choice_of(each, self.settled) for each in arguments]
            return combined(choices, lambda *values: self.apply(name, values))
        operator = _IN_ANGLES.get(name, name)
        if operator not in ARITHMETIC:
            raise _not_known(next(each for each in arguments if isinstance(each, Expression)))
        sides = [each if isinstance(each, Expression) else real(each) for each in arguments]  # type: ignore[arg-type]  # known
        return Expression(operator, tuple(sides))

    def _size_of(self, node: syntax.Call) -> Evaluate:
        if len(node.arguments) != 1:
            raise invalid("number of arguments", "sizeof takes the name of a register")
        (target,) = node.arguments
        part = self.part_or_none(target)
        if part is not None and not part.single:
            return lambda: len(part.indices())
        if part is not None and part.is_quantum:
            raise invalid("type", "sizeof needs a register")
        evaluate = self.value(target)

        def size() -> int:
            value = evaluate()
            width = value.width if isinstance(value, (Word, Measured)) else None
            if width is None:
                raise invalid("type", "sizeof needs a register")
            return width

        return size

    def _index(self, node: syntax.Index) -> Evaluate:
        part = self.part_or_none(node)
        if part is not None and part.is_quantum:
            raise invalid("type", "a qubit has no value")
        base, places = self.value(node.base), self.places(node)
        single = places.single

        def evaluate() -> Value:
            value = base()
            if isinstance(value, Choice):
                value = self.measured(value)
            if isinstance(value, Measured):
                if value.width is None:
                    raise invalid("type", "only registers and bits of known width have parts")
                return outcomes.part(value, list(places.of(value.width)), single=single)
            if not isinstance(value, Word):
                raise invalid("type", "only registers and bits of known width have parts")
            bits = [value.value >> place & 1 for place in places.of(value.width)]
            return bool(bits[0]) if single else Word(sum(bit << k for k, bit in enumerate(bits)), len(bits))

        return evaluate

    def _misplaced(self, node: Node) -> Evaluate:
        what = "a list" if isinstance(node, syntax.Set) else "a range" if isinstance(node, syntax.Range) else "measure"
        raise refusal(what, "it has no value here; assign it to a variable first")

    # ------------------------------------------------------------------ types

    def kind(self, node: syntax.Type) -> Evaluate:
        """Compile a type to a function that returns the :class:`Kind`."""
        name = node.name
        if name not in _TYPES:
            raise refusal(f"type {name}", "a circuit has no such values")
        if node.size is None or name == "float":
            return constant(Kind(name))
        size = self.integer(node.size)

        def evaluate() -> Kind:
            width = size()
            if width < 1:
                raise invalid("width", f"{name} has {width} bits; it needs at least one")
            if name == BITS:
                self.out.check_clbits(width)
            elif width > MAX_WIDTH:
                raise invalid("width", f"{name} has {width} bits; at most {MAX_WIDTH} are accepted")
            return Kind(name, width)

        return self._folded(evaluate, size)

    # ------------------------------------------------------------------ registers

    def qubits(self, node: Node) -> Part:
        """Compile an operand to the qubits that it names."""
        part = self.part_or_none(node)
        if part is None or not part.is_quantum:
            raise invalid("qubit", "an operand is not a qubit or a register of qubits")
        return part

    def part(self, node: Node) -> Part:
        """Compile a reference to qubits or to bits that are in clbits."""
        part = self.part_or_none(node)
        if part is None:
            raise invalid("index", "only a register has parts")
        return part

    def part_or_none(self, node: Node) -> Part | None:
        """Compile a reference; return ``None`` if it names neither qubits nor bits of the outcome."""
        if isinstance(node, syntax.Name):
            symbol = self.symbol(node)
            if isinstance(symbol, Qubits):
                return self._part_of_qubits(symbol)
            if isinstance(symbol, Variable) and symbol.is_outcome:
                return Part(lambda: symbol.home, False, symbol.kind.width is None)
            return None
        if isinstance(node, syntax.Index):
            base = self.part_or_none(node.base)
            return None if base is None else self._part_of_part(base, node)
        if isinstance(node, syntax.Binary) and node.operator == "++":
            return self._joined(self.part(node.left), self.part(node.right))
        return None

    def _part_of_qubits(self, symbol: Qubits) -> Part:
        if symbol.indices:
            return Part(constant(symbol.indices), True, symbol.single)
        return Part(lambda: symbol.indices, True, symbol.single)

    def _part_of_part(self, base: Part, node: syntax.Index) -> Part:
        if base.single:
            raise invalid("index", "only a register has parts")
        places, indices = self.places(node), base.indices
        if places.place is None:
            return Part(
                self._folded(lambda: tuple([indices()[k] for k in places.of(len(indices()))]), indices, places.fold),
                base.is_quantum,
                False,
            )
        place = places.place

        def one() -> Sequence[int]:
            every = indices()
            index = place()
            if 0 <= index < len(every):
                return (every[index],)
            return (every[_checked_place(index, len(every))],)

        return Part(self._folded(one, indices, place), base.is_quantum, True)

    def _joined(self, left: Part, right: Part) -> Part:
        if left.is_quantum is not right.is_quantum:
            raise invalid("type", "++ joins two registers of qubits or two of bits")
        return Part(lambda: (*left.indices(), *right.indices()), left.is_quantum, False)

    def places(self, node: syntax.Index) -> Places:
        """Compile an index to the positions that it names in a register."""
        if len(node.indices) != 1:
            raise invalid("index", "a register has one dimension")
        (index,) = node.indices
        if isinstance(index, syntax.Set):
            values = [self.integer(value) for value in index.values]
            return Places(lambda size: [_checked_place(value(), size) for value in values], _all_constant(values))
        if isinstance(index, syntax.Range):
            return self._slice(index)
        place = self.integer(index)
        return Places(lambda size: [_checked_place(place(), size)], place, place)

    def _slice(self, node: syntax.Range) -> Places:
        start, step, end = [None if each is None else self.integer(each) for each in (node.start, node.step, node.end)]

        def of(size: int) -> Sequence[int]:
            by = 1 if step is None else _checked_step(step())
            first = (0 if by > 0 else size - 1) if start is None else _checked_place(start(), size)
            last = (size - 1 if by > 0 else 0) if end is None else _checked_place(end(), size)
            found = range(first, last + (1 if by > 0 else -1), by)
            if not found:
                raise invalid("index", "a slice names no element")
            return found

        return Places(of, _all_constant([each for each in (start, step, end) if each is not None]))

    _VALUES: ClassVar[dict[type, Callable[..., Evaluate]]] = {
        syntax.Literal: _literal,
        syntax.Bits: _bitstring,
        syntax.Duration: _duration,
        syntax.Name: _name,
        syntax.Unary: _unary,
        syntax.Binary: _binary,
        syntax.Cast: _cast,
        syntax.Index: _index,
        syntax.Set: _misplaced,
        syntax.Range: _misplaced,
        syntax.Measurement: _misplaced,
        syntax.Call: lambda self, node: self._call(node),
    }


class Places(NamedTuple):
    """The positions that an index names.

    Args:
        of: returns them for a register of some size.
        fold: a constant if they are constant.
        place: returns the position, if it is a single one.
    """

    of: Callable[[int], Sequence[int]]
    fold: Evaluate
    place: Evaluate | None = None

    @property
    def single(self) -> bool:
        """Whether the index names one position."""
        return self.place is not None


# ---------------------------------------------------------------------------- inner workings


_FAST: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "/": lambda a, b: a / b if b and float in {type(a), type(b)} else None,
    "%": lambda a, b: a % b if type(a) is type(b) is int and a >= 0 < b else None,
}
"""The operators of most loops, for numbers; ``None`` where one of them needs a closer look."""
_LARGE = 2**1024


def _all_constant(values: Sequence[Evaluate]) -> Evaluate:
    fixed = all(constant_of(value) is not None for value in values)
    return constant(True) if fixed else lambda: None


def _checked_place(place: int, size: int) -> int:
    if not -size <= place < size:
        raise invalid("index", f"the index {place} is out of range: the register's size is {size}")
    return place % size


def _checked_step(step: int) -> int:
    if step == 0:
        raise invalid("step", "the step of a range is 0")
    return step


def _not_known(value: Value) -> Exception:
    if isinstance(value, Expression):
        why = f"{value} has no value while the circuit is built; parameters may stand in angles only"
        return refusal("parameter", why)
    if isinstance(value, Choice):
        return too_many()
    return refusal("measured value", "its value is known only when the circuit runs, but is needed to build it")


def _direct(expression: Expression) -> Decision | None:
    """Return the decision of a register, of its comparison with a constant, or of several of them joined by and."""
    op, args = expression.op, expression.args
    if op == "bits":
        return _compared(clbits_of_bits(expression), 0, equal=False)
    if op == "not" and isinstance(args[0], Expression):
        inner = _direct(args[0])
        return None if inner is None or inner.otherwise is None else Decision(inner.otherwise, inner.then)
    if op in {"==", "!="}:
        for side, other in (args, args[::-1]):
            if not isinstance(side, Expression) or not isinstance(other, int):
                continue
            if side.op == "bits":
                return _compared(clbits_of_bits(side), other, equal=op == "==")
            read = side.args[0]
            if side.op == "signed" and isinstance(read, Expression) and read.op == "bits":
                half = 1 << (len(read.args) - 1)
                number = other % (2 * half) if -half <= other < half else -1
                return _compared(clbits_of_bits(read), number, equal=op == "==")
    if op == "and":
        return _both(*[_direct(arg) if isinstance(arg, Expression) else None for arg in args])
    return None


def _compared(clbits: tuple[int, ...], value: int, *, equal: bool) -> Decision | None:
    if len(set(clbits)) < len(clbits):
        return None
    return Decision(
        conditions.compare(clbits, int(value), equal=equal), conditions.compare(clbits, int(value), equal=not equal)
    )


def _both(left: Decision | None, right: Decision | None) -> Decision | None:
    if left is None or right is None or len(left.then) != 1 or len(right.then) != 1:
        return None
    condition = conditions.both(left.then[0], right.then[0])
    return Decision([conditions.merge(condition)], conditions.opposite([condition]))


@lru_cache(maxsize=4096)
def _by_table(expression: Expression) -> Decision | None:
    """Return the decision of an expression of few clbits that is a few comparisons."""
    clbits = list(dict.fromkeys(clbits_read(expression)))
    if len(clbits) > _TABLE_CLBITS:
        return None
    table = [
        value_of_clbits(expression, assignment.__getitem__) != 0
        for assignment in conditions.assignments_of_table(clbits)
    ]
    then, otherwise = conditions.decision_of_table(clbits, table)
    return Decision(then, otherwise) if max(len(then), len(otherwise or ())) <= _MOST_CONDITIONS else None
