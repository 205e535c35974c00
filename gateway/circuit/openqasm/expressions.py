"""Constant expressions: the angles that OpenQASM 2 and 3 have in common.

An expression is compiled to a postfix program with an explicit stack, so neither the compiler nor the
evaluation recurses, however deep the text nests. The compiler folds constant parts; the rest refers to the
formal parameters of a gate definition and is evaluated once per call.

All arithmetic is on floats, so ``9^9^9^9`` overflows at once instead of building a long integer.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

from gateway.circuit.expressions import Expression as Symbolic
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

MAX_DEPTH = 200
MAX_TOKENS = 2_000

CONSTANTS = {"pi": math.pi, "tau": math.tau, "euler": math.e, "π": math.pi, "τ": math.tau, "ℇ": math.e}

_Function = Callable[..., float]


def _ceiling(x: float) -> float:
    return float(math.ceil(x))


def _floor(x: float) -> float:
    return float(math.floor(x))


def _mod(a: float, b: float) -> float:
    return a % b


FUNCTIONS: dict[str, tuple[_Function, int]] = {
    "sin": (math.sin, 1), "cos": (math.cos, 1), "tan": (math.tan, 1),
    "asin": (math.asin, 1), "acos": (math.acos, 1), "atan": (math.atan, 1),
    "arcsin": (math.asin, 1), "arccos": (math.acos, 1), "arctan": (math.atan, 1),
    "exp": (math.exp, 1), "ln": (math.log, 1), "log": (math.log, 1), "sqrt": (math.sqrt, 1),
    "floor": (_floor, 1), "ceiling": (_ceiling, 1), "pow": (math.pow, 2), "mod": (_mod, 2),
}  # fmt: skip
"""Name -> function and number of arguments. ``log`` is the natural one, as in OpenQASM 3."""

_TOKEN = re.compile(
    r"\s*(?:((?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w.])|([^\W\d]\w*|ℇ)|(\*\*|[-+*/^(),]))",
)
_NUMBER, _NAME = 1, 2
_OTHER_WORDS = frozenset(
    """angle array bit bool complex duration durationof false float im imag int popcount real rotl rotr sizeof true
    uint""".split(),  # noqa: SIM905 - a list of words reads best as words
)
"""Further words of OpenQASM 3 that may occur in expressions; the grammar knows them."""
_FLOAT = re.compile(r"(?<![\w.])((?:[0-9]++\.[0-9]*+|\.[0-9]++)(?:[eE][+-]?+[0-9]++)?+)(?![\w.])")
_FRACTION_OF_PI = re.compile(
    r"(-?+)(?:([0-9]{1,15}+(?:\.[0-9]{0,20}+)?+)\*)?+pi(?:/([1-9][0-9]{0,14}+))?+"  # none of these can overflow
)
"""The form of most angles that people and converters write: ``pi/4``, ``-3*pi/8``, ``0.25*pi``."""
_HOLE = "__hole_"  # stands for a float in the shape of an expression
_LONG = 200
_EXCERPT = 40  # characters of an expression that an error shows
_CACHE_SHAPES = 10_000


class _Operator(NamedTuple):
    """An operator on the stack; an opening parenthesis counts as an operator of binding 0."""

    symbol: str
    binding: int
    function: _Function = max
    arity: int = 2
    keeps_integers: bool = True


_BINARY = {
    "+": _Operator("+", 1, operator.add),
    "-": _Operator("-", 1, operator.sub),
    "*": _Operator("*", 2, operator.mul),
    "/": _Operator("/", 2, operator.truediv, keeps_integers=False),
    "**": _Operator("**", 4, math.pow),
    "^": _Operator("^", 4, math.pow, keeps_integers=False),  # in OpenQASM 3 this is the exclusive or of integers
}
_PREFIX = {"-": _Operator("-", 3, operator.neg, 1), "+": _Operator("+", 3, operator.pos, 1)}
_OPEN = _Operator("(", 0)


class AmbiguousInteger(Exception):  # noqa: N818 - a signal, not a mistake
    """The expression has an operator on integers that OpenQASM 2 and 3 read differently: ``1/2``, ``2^3``."""


_Step = tuple[_Function | None, int, float]
"""A step of a postfix program.

It is a function, its number of arguments and 0; or ``None``, the position of a formal parameter and 0; or ``None``,
-1 and a constant."""


class Expression(NamedTuple):
    """A compiled expression; ``program`` is postfix."""

    program: tuple[_Step, ...]

    def evaluate(self, arguments: Sequence[float] = ()) -> float:
        """Return the value of the expression for these values of the formal parameters.

        Raises:
            CircuitInvalidError: the value is not a finite number (rule ``expression``).
        """
        stack: list[float] = []
        push, pop = stack.append, stack.pop
        try:
            for function, number, constant in self.program:
                if function is None:
                    push(constant if number < 0 else arguments[number])
                elif number == 1:
                    push(function(pop()))
                else:
                    right = pop()
                    push(function(pop(), right))
        except ArithmeticError as exc:
            raise _not_finite(_REASONS.get(type(exc), "has no value")) from None
        except ValueError:
            raise _not_finite("has no real value") from None
        except TypeError:  # an argument is an expression of parameters
            found: float = self._with_parameters(arguments)
            return found
        value: Any = pop()
        if value * 0.0 != 0.0 and not isinstance(value, Symbolic):
            raise _not_finite("is not a finite number")
        result: float = value
        return result

    def _with_parameters(self, arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - an angle that is no number
        """Return the value as an expression of parameters."""
        stack: list[Any] = []
        for function, number, constant in self.program:
            if function is None:
                stack.append(constant if number < 0 else arguments[number])
                continue
            operands = [stack.pop() for _ in range(number)][::-1]
            operator_ = _SYMBOLIC.get(function, "")
            if not any(isinstance(operand, Symbolic) for operand in operands):
                stack.append(function(*operands))
            elif operator_:
                stack.append(Symbolic(operator_, tuple(operands)))
            elif function in {operator.pos, operator.neg, operator.add, operator.sub, operator.mul, operator.truediv}:
                stack.append(function(*operands))
            else:
                msg = "a function of a parameter that is known for numbers only, such as floor or mod"
                raise UnsupportedError(msg, feature="parameter")
        return stack.pop()


_SYMBOLIC: dict[_Function, str] = {
    math.sin: "sin", math.cos: "cos", math.tan: "tan", math.asin: "asin", math.acos: "acos", math.atan: "atan",
    math.exp: "exp", math.log: "log", math.sqrt: "sqrt", math.pow: "**",
}  # fmt: skip
"""Function -> its name in expressions of parameters."""

_REASONS: dict[type[ArithmeticError], str] = {
    ZeroDivisionError: "divides by zero",
    OverflowError: "is larger than any float",
}


class Expressions:
    """Evaluates the constant expressions of one text, and compiles those that differ only in their floats once.

    A program has ``0.123*pi`` with thousands of different floats, but its expressions have few shapes.

    Args:
        strict: whether expressions are read as OpenQASM 3; see :func:`compile_expression`.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self.constants: dict[str, float] = {}  # those that the text declares
        self._strict = strict
        self._shapes: dict[str, Expression] = {}

    def value(self, text: str) -> float:
        """Return the value of a constant expression; the errors are those of :func:`compile_expression`."""
        match = _FRACTION_OF_PI.fullmatch(text)
        if match is not None:
            sign, factor, divisor = match.groups()
            value = float(factor or 1) * math.pi / float(divisor or 1)
            return -value if sign else value
        if len(text) > _LONG or _HOLE in text:
            return compile_expression(text, strict=self._strict, constants=self.constants).evaluate()
        parts = _FLOAT.split(text)
        arguments = [float(literal) for literal in parts[1::2]]
        shape = _HOLE.join(parts[::2])
        program = self._shapes.get(shape)
        if program is None:
            names = {f"{_HOLE}{index}": index for index in range(len(arguments))}
            holes = [*names, ""]
            whole = "".join([part + hole for part, hole in zip(parts[::2], holes, strict=True)])
            program = compile_expression(whole, names, strict=self._strict, constants=self.constants)
            if len(self._shapes) < _CACHE_SHAPES:
                self._shapes[shape] = program
        if math.inf in arguments:
            raise _not_finite("has a number that is larger than any float")
        return program.evaluate(arguments)


def evaluate(text: str, *, strict: bool = False) -> float:
    """Return the value of a constant expression; see :func:`compile_expression`."""
    return compile_expression(text, strict=strict).evaluate()


def compile_expression(
    text: str,
    parameters: Mapping[str, int] = MappingProxyType({}),
    *,
    strict: bool = False,
    constants: Mapping[str, float] = MappingProxyType({}),
) -> Expression:
    """Compile an expression; the time is linear in the length of the text.

    Args:
        text: the expression.
        parameters: name of each formal parameter -> its position among the values to evaluate with.
        strict: whether to raise AmbiguousInteger where ``1/2`` would depend on the language.
        constants: the constants that the text declares; whole numbers are integers.

    Raises:
        CircuitSyntaxError: the text is not an expression, or is nested deeper than ``MAX_DEPTH``.
        CircuitInvalidError: an unknown name (rule ``name``) or a value that is not finite (``expression``).
        LimitError: the text has more than ``MAX_TOKENS`` tokens.
    """
    return _Compiler(text, parameters, constants, strict=strict).run()


def split_arguments(text: str) -> list[str]:
    """Split an argument list at its commas, but not at those inside parentheses."""
    if "(" not in text:
        return text.split(",")
    parts: list[str] = []
    depth = start = 0
    for mark in re.finditer(r"[(),]", text):
        symbol = mark.group()
        if symbol == ",":
            if depth == 0:
                parts.append(text[start : mark.start()])
                start = mark.end()
        else:
            depth += 1 if symbol == "(" else -1
    return [*parts, text[start:]]


def _not_finite(what: str) -> CircuitInvalidError:
    return CircuitInvalidError(f"an expression {what}", rule="expression")


class _Compiler:
    """Compiles by Dijkstra's shunting yard: operators wait on a stack until one arrives that binds less tightly."""

    def __init__(
        self, text: str, parameters: Mapping[str, int], constants: Mapping[str, float], *, strict: bool
    ) -> None:
        self.text = text
        self.parameters = parameters
        self.constants = constants
        self.strict = strict
        self.program: list[_Step] = []
        self.integer: list[bool] = []  # for each value on the stack: whether it may be an integer in OpenQASM 3
        self.waiting: list[_Operator] = []
        self.arguments: list[int] = []  # for each open parenthesis: the number of commas so far

    def run(self) -> Expression:
        """Compile the whole text."""
        want_operand = True
        for kind, word in self._tokens():
            want_operand = self._operand(kind, word) if want_operand else self._after_operand(word)
        if want_operand:
            self._refuse("the expression ends where a value is missing")
        self._reduce(1)
        if self.waiting:
            self._refuse("a parenthesis is not closed")
        return Expression(tuple(self.program))

    def _tokens(self) -> list[tuple[int, str]]:
        tokens: list[tuple[int, str]] = []
        text = self.text.rstrip()
        position, end = 0, len(text)
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None or match.lastindex is None:
                self._refuse(f"{text[position : position + 20].strip()!r} does not belong in an expression")
            position = match.end()
            tokens.append((match.lastindex, match.group(match.lastindex)))
            if len(tokens) > MAX_TOKENS:
                msg = f"an expression has more than {MAX_TOKENS} terms and operators"
                raise LimitError(msg, limit="expression size", allowed=MAX_TOKENS)
        return tokens

    def _operand(self, kind: int, word: str) -> bool:
        """Take a word where a value begins, and return whether a value still has to follow."""
        if kind == _NUMBER:
            self._push_number(word)
            return False
        if kind == _NAME:
            return self._name(word)
        if word == "(":
            if self.waiting and self.waiting[-1].symbol in FUNCTIONS and self.arguments[-1] < 0:
                self.arguments[-1] = 0  # the parenthesis of the function's own argument list
            else:
                self._open(_OPEN)
        elif word in _PREFIX and not self._expects_parenthesis():
            self._wait(_PREFIX[word])
        else:
            self._refuse(f"{word!r} stands where a value is expected")
        return True

    def _expects_parenthesis(self) -> bool:
        return bool(self.arguments) and self.arguments[-1] < 0

    def _name(self, word: str) -> bool:
        if self._expects_parenthesis():
            self._refuse(f"{word!r} stands where '(' is expected")
        if word in self.parameters:
            self.program.append((None, self.parameters[word], 0.0))
            self.integer.append(False)
        elif word in self.constants:
            value = self.constants[word]
            self.program.append((None, -1, float(value)))
            self.integer.append(isinstance(value, int))
        elif word in CONSTANTS:
            self.program.append((None, -1, CONSTANTS[word]))
            self.integer.append(False)
        elif word in FUNCTIONS:
            function, arity = FUNCTIONS[word]
            self._open(_Operator(word, 0, function, arity), commas=-1)
            return True
        elif word in _OTHER_WORDS:
            self._refuse(f"{word!r} is not understood in an angle")
        else:
            msg = f"an expression uses the name {word!r}, which is not defined there"
            raise CircuitInvalidError(msg, rule="name")
        return False

    def _push_number(self, word: str) -> None:
        if self._expects_parenthesis():
            self._refuse(f"{word!r} stands where '(' is expected")
        value = float(word)
        if not math.isfinite(value):
            raise _not_finite("is larger than any float")
        self.program.append((None, -1, value))
        self.integer.append(word.replace("_", "").isdigit())

    def _after_operand(self, word: str) -> bool:
        """Take a word after a value, and return whether another value has to follow."""
        if word == ")":
            self._close()
            return False
        if word == ",":
            self._reduce(1)
            if not self.waiting or self.waiting[-1].symbol not in FUNCTIONS:
                self._refuse("a comma stands outside a function's arguments")
            self.arguments[-1] += 1
            return True
        op = _BINARY.get(word)
        if op is None:
            self._refuse(f"{word!r} stands where an operator is expected")
        self._reduce(op.binding + (op.function is math.pow))  # a power binds to the right: 2^3^2 is 2^9
        self._wait(op)
        return True

    def _open(self, op: _Operator, commas: int = 0) -> None:
        self.arguments.append(commas)
        self._wait(op)

    def _wait(self, op: _Operator) -> None:
        self.waiting.append(op)
        if len(self.waiting) > MAX_DEPTH:
            self._refuse(f"an expression is nested more than {MAX_DEPTH} levels deep")

    def _close(self) -> None:
        self._reduce(1)
        if not self.waiting:
            self._refuse("')' closes nothing")
        opener = self.waiting.pop()
        num_arguments = self.arguments.pop() + 1
        if opener is _OPEN:
            return
        if num_arguments != opener.arity:
            self._refuse(f"{opener.symbol} takes {opener.arity} argument(s), not {num_arguments}")
        self._emit(opener)

    def _reduce(self, binding: int) -> None:
        """Emit the waiting operators whose binding is at least as tight."""
        while self.waiting and self.waiting[-1].binding >= binding:
            self._emit(self.waiting.pop())

    def _emit(self, op: _Operator) -> None:
        arity = op.arity
        integers = all(self.integer[-arity:])
        if self.strict and not op.keeps_integers and (integers or op.symbol == "^"):
            raise AmbiguousInteger
        del self.integer[-arity:]
        self.integer.append(integers and (op.symbol in _BINARY or op.symbol in {"pow", "mod"}))
        self.program.append((op.function, arity, 0.0))
        operands = self.program[-arity - 1 : -1]
        if all(function is None and number < 0 for function, number, _ in operands):  # fold constants
            value = Expression(tuple(self.program[-arity - 1 :])).evaluate()
            self.program[-arity - 1 :] = [(None, -1, value)]

    def _refuse(self, message: str) -> NoReturn:
        excerpt = self.text.strip()
        excerpt = excerpt if len(excerpt) <= _EXCERPT else excerpt[:_EXCERPT] + "..."
        msg = f"{message} in {excerpt!r}" if excerpt else "an expression is missing"
        raise CircuitSyntaxError(msg)
