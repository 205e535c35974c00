"""Parses OpenQASM 3, statement by statement, by recursive descent.

It reads the grammar of the language and some spellings that people write although the grammar lacks them: empty
statements, a sign ``+``, and ``pow`` as a function.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar, NoReturn

from gateway.circuit.openqasm import syntax
from gateway.circuit.openqasm.syntax import AnyStatement, Expression
from gateway.circuit.openqasm.tokens import Kind, Tokens
from gateway.errors import LimitError

MAX_NESTING = 100
"""Blocks and brackets are nested at most so deep, together."""
MAX_OPERATORS = 200
"""An expression has at most so many operators."""
MAX_DIGITS = 1_000
"""A number has at most so many digits."""

_BINDING = {
    "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7, "<<": 8, ">>": 8,
    "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "**=", "&=", "|=", "^=", "~=", "<<=", ">>="})
_TYPES = frozenset({"bit", "int", "uint", "float", "angle", "bool", "complex", "array", "duration", "stretch"})
_MODIFIERS = frozenset({"ctrl", "negctrl", "inv", "pow"})
_PARTS_OF_A_RANGE = 3  # start, step and end
_TIME = re.compile(r"[^xX]*(?:dt|ns|us|µs|μs|ms|s)\Z")
_IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")

KEYWORDS = _TYPES | frozenset(
    """OPENQASM include defcalgrammar def cal defcal gate extern box let break continue if else end return for while
    in switch case default input output const readonly mutable qreg qubit creg gphase inv pow ctrl negctrl delay reset
    measure barrier true false durationof nop pragma""".split(),  # noqa: SIM905 - a list of words reads best as words
)
"""The words that name nothing. ``pow`` and ``gphase`` can be called."""


class Parser:
    """Parses the statements of a text from a place on.

    Args:
        text: the whole text, its comments blanked.
        position: where the first statement begins.
    """

    def __init__(self, text: str, position: int = 0) -> None:
        self.tokens = Tokens(text, position)
        self._depth = 0
        self._operators = 0
        self._around: list[str] = []  # "block", "loop", "gate" and "def" around the next statement

    # ------------------------------------------------------------------ statements

    def statement(self) -> AnyStatement:
        """Parse one statement.

        Raises:
            CircuitSyntaxError: the text is not a statement.
            LimitError: it is nested too deep, or an expression in it is too long.
        """
        tokens = self.tokens
        at = tokens.start
        if tokens.kind == Kind.NAME:
            handler = self._STATEMENTS.get(tokens.word)
            if handler is not None and not (tokens.word == "pow" and tokens.ahead() != "("):
                with_depth = self._enter(at)
                statement = handler(self, at)
                self._depth = with_depth
                return statement
            return self._starts_with_name(at)
        return self._starts_with_mark(at)

    def _starts_with_mark(self, at: int) -> AnyStatement:
        tokens = self.tokens
        if tokens.kind == Kind.MARK and tokens.word in {";", "#", "@", "{"}:
            if tokens.word == ";":
                tokens.next()
                return syntax.Nothing(at)
            if tokens.word == "{":
                depth = self._enter(at)
                block = syntax.Block(at, self.block(is_bare=True))
                self._depth = depth
                return block
            if tokens.word == "@":
                while tokens.word == "@":
                    self._annotation()
                return self.statement()
            if tokens.ahead() == "pragma":
                tokens.next()
                return self._pragma(at)
        value = self.expression()
        self._end()
        return syntax.Statement(at, value)

    def _annotation(self) -> None:
        """Read over an annotation, which is a name right behind its mark and what follows on the line."""
        at = self.tokens.start
        if not self.tokens.rest_of_line()[1:2].isidentifier():
            raise self.tokens.error("an annotation has no name", at)

    def _pragma(self, at: int) -> syntax.Pragma:
        line = self.tokens.rest_of_line()
        if self._around:
            raise self.tokens.error("a pragma stands inside a block", at)
        return syntax.Pragma(at, line.removeprefix("pragma").strip())

    def block(self, *around: str, is_bare: bool = False) -> tuple[AnyStatement, ...]:
        """Parse ``{ ... }``.

        Args:
            around: what the block belongs to.
            is_bare: whether it belongs to nothing, so that whatever may stand outside of it may stand in it.
        """
        self._expect("{")
        outer = list(self._around)
        self._around += [] if is_bare else ["block", *around]
        statements = []
        while self.tokens.word != "}" or self.tokens.kind != Kind.MARK:
            if self.tokens.kind == Kind.END:
                raise self.tokens.unexpected()
            statements.append(self.statement())
        self._around = outer
        self.tokens.next()
        return tuple(statements)

    def _body(self, *around: str) -> tuple[AnyStatement, ...]:
        """Parse a block, or a single statement in its place."""
        if self.tokens.word == "{":
            return self.block(*around)
        if self.tokens.word == ";":
            raise self.tokens.unexpected()
        self._around += ["block", *around]
        statement = self.statement()
        del self._around[-1 - len(around) :]
        return (statement,)

    def _only(self, at: int, what: str, *, outside: str = "block") -> None:
        """Raise an error if the statement stands inside a block of some kind."""
        if outside in self._around:
            raise self.tokens.error(what, at)

    # ------------------------------------------------------------------ declarations

    def _include(self, at: int) -> syntax.Include:
        self._only(at, "an include stands inside a block")
        self.tokens.next()
        if self.tokens.kind != Kind.TEXT:
            raise self.tokens.unexpected()
        path = self.tokens.word[1:-1]
        self.tokens.next()
        self._end()
        return syntax.Include(at, path)

    def _version(self, at: int) -> NoReturn:
        self._only(at, "the version stands inside a block")
        raise self.tokens.error("the version stands at the beginning of a text", at)

    def _register(self, at: int) -> syntax.Declaration:
        """Parse ``qreg q[2]`` or ``creg c[2]``."""
        kind = "qubit" if self.tokens.word == "qreg" else "bit"
        self.tokens.next()
        name = self._name()
        size = self._designator()
        self._end()
        self._only_qubits_outside(at, kind)
        return syntax.Declaration(at, syntax.Type(at, kind, size), name, None)

    def _qubits(self, at: int) -> syntax.Declaration:
        self.tokens.next()
        size = self._designator()
        name = self._name()
        self._end()
        self._only_qubits_outside(at, "qubit")
        return syntax.Declaration(at, syntax.Type(at, "qubit", size), name, None)

    def _only_qubits_outside(self, at: int, kind: str) -> None:
        if kind == "qubit":
            self._only(at, "qubits are declared outside of blocks")

    def _classical(self, at: int, role: str = "") -> AnyStatement:
        """Parse a declaration that begins with a classical type, or a cast that stands alone."""
        kind = self._type()
        if self.tokens.word == "(":
            value = self._binary_from(self._cast(kind), 0)
            self._end()
            return syntax.Statement(at, value)
        self._only(at, "a variable is declared in a gate", outside="gate")
        name = self._name()
        initial = None
        if self.tokens.word == "=":
            self.tokens.next()
            initial = self._set() if self.tokens.word == "{" else self._value()
        self._end()
        return syntax.Declaration(at, kind, name, initial, role)

    def _with_role(self, at: int) -> AnyStatement:
        """Parse ``const``, ``input`` or ``output`` with its declaration."""
        role = self.tokens.word
        self.tokens.next()
        if self.tokens.word not in _TYPES:
            raise self.tokens.unexpected()
        if role != "const":
            self._only(at, f"{role!r} stands inside a block")
        declaration = self._classical(at, role)
        if isinstance(declaration, syntax.Declaration) and (declaration.initial is None) == (role == "const"):
            why = "a constant needs a value" if role == "const" else f"an {role} takes no value"
            raise self.tokens.error(why, at)
        return declaration

    def _alias(self, at: int) -> syntax.Alias:
        self.tokens.next()
        name = self._name()
        self._expect("=")
        value = self.expression()
        while self.tokens.word == "++":
            place = self.tokens.start
            self.tokens.next()
            value = syntax.Binary(place, "++", value, self.expression())
        self._end()
        return syntax.Alias(at, name, value)

    def _gate(self, at: int) -> syntax.GateDefinition:
        self._only(at, "a gate is defined inside a block")
        self.tokens.next()
        name = self._name()
        angles: tuple[str, ...] = ()
        if self.tokens.word == "(":
            self.tokens.next()
            angles = () if self.tokens.word == ")" else self._names(")")
            self._expect(")")
        qubits = self._names("{")
        return syntax.GateDefinition(at, name, angles, qubits, self.block("gate"))

    def _names(self, end: str) -> tuple[str, ...]:
        names = [self._name()]
        while self.tokens.word == ",":
            self.tokens.next()
            if self.tokens.word == end:
                break
            names.append(self._name())
        return tuple(names)

    def _subroutine(self, at: int) -> syntax.Subroutine:
        self._only(at, "a subroutine is defined inside a block")
        self.tokens.next()
        name = self._name()
        self._expect("(")
        formals = []
        while self.tokens.word != ")":
            formals.append(self._formal())
            if self.tokens.word != ",":
                break
            self.tokens.next()
        self._expect(")")
        returns = None
        if self.tokens.word == "->":
            self.tokens.next()
            if self.tokens.word not in _TYPES:
                raise self.tokens.unexpected()
            returns = self._type()
        return syntax.Subroutine(at, name, tuple(formals), returns, self.block("def"))

    def _formal(self) -> syntax.Formal:
        at, word = self.tokens.start, self.tokens.word
        if word in {"qreg", "creg"}:
            self.tokens.next()
            name = self._name()
            return syntax.Formal(at, syntax.Type(at, "qubit" if word == "qreg" else "bit", self._designator()), name)
        if word in {"mutable", "readonly", "const"}:
            self.tokens.next()
        if word == "qubit":
            self.tokens.next()
            return syntax.Formal(at, syntax.Type(at, word, self._designator()), self._name())
        if self.tokens.word not in _TYPES:
            raise self.tokens.unexpected()
        return syntax.Formal(at, self._type(), self._name())

    def _type(self) -> syntax.Type:
        at, word = self.tokens.start, self.tokens.word
        self.tokens.next()
        size = None
        if word in {"complex", "array"}:
            if self.tokens.word == "[":
                self._skip_brackets()
        elif word not in {"bool", "duration", "stretch"}:
            size = self._designator()
        return syntax.Type(at, word, size)

    def _skip_brackets(self) -> None:
        """Skip ``[...]`` of a type that is refused anyway."""
        depth = 0
        while True:
            depth += (self.tokens.word == "[") - (self.tokens.word == "]")
            if self.tokens.kind == Kind.END:
                raise self.tokens.unexpected()
            self.tokens.next()
            if depth == 0:
                return

    def _designator(self) -> Expression | None:
        if self.tokens.word != "[":
            return None
        self.tokens.next()
        size = self.expression()
        self._expect("]")
        return size

    # ------------------------------------------------------------------ control flow

    def _if(self, at: int) -> syntax.If:
        self.tokens.next()
        condition = self._in_parentheses()
        then = self._body()
        otherwise: tuple[AnyStatement, ...] = ()
        if self.tokens.word == "else" and self.tokens.kind == Kind.NAME:
            self.tokens.next()
            otherwise = self._body()
        return syntax.If(at, condition, then, otherwise)

    def _switch(self, at: int) -> syntax.Switch:
        self.tokens.next()
        target = self._in_parentheses()
        self._expect("{")
        cases = []
        default: tuple[AnyStatement, ...] | None = None
        while self.tokens.word in {"case", "default"}:
            if default is not None:
                raise self.tokens.unexpected()
            if self.tokens.word == "case":
                self.tokens.next()
                cases.append((self._expressions("{"), self.block()))
            else:
                self.tokens.next()
                default = self.block()
        self._expect("}")
        return syntax.Switch(at, target, tuple(cases), default or ())

    def _for(self, at: int) -> syntax.For:
        self.tokens.next()
        if self.tokens.word not in _TYPES - {"array"}:
            raise self.tokens.unexpected()
        kind = self._type()
        name = self._name()
        self._expect("in")
        place = self.tokens.start
        values: Expression
        if self.tokens.word == "{":
            values = self._set()
        elif self.tokens.word == "[":
            self.tokens.next()
            element = self._range_or_expression()
            if not isinstance(element, syntax.Range):
                raise self.tokens.unexpected()
            self._expect("]")
            values = element._replace(at=place)
        else:
            values = self.expression()
        return syntax.For(at, kind, name, values, self._body("loop"))

    def _while(self, at: int) -> syntax.While:
        self.tokens.next()
        return syntax.While(at, self._in_parentheses(), self._body("loop"))

    def _jump(self, at: int) -> syntax.Jump:
        word = self.tokens.word
        self.tokens.next()
        self._end()
        if word != "end" and "loop" not in self._around:
            raise self.tokens.error(f"{word!r} stands outside of a loop", at)
        return syntax.Jump(at, word)

    def _return(self, at: int) -> syntax.Return:
        if "def" not in self._around:
            raise self.tokens.error("'return' stands outside of a subroutine", at)
        self.tokens.next()
        value = None if self.tokens.word == ";" else self._value()
        self._end()
        return syntax.Return(at, value)

    def _box(self, at: int) -> syntax.Block:
        self.tokens.next()
        is_timed = self.tokens.word == "["
        self._designator()
        return syntax.Block(at, self.block(), is_box=True, is_timed=is_timed)

    # ------------------------------------------------------------------ statements on qubits

    def _measure(self, at: int) -> AnyStatement:
        value = self._value()
        target = None
        if self.tokens.word == "->":
            self.tokens.next()
            target = self._operand()
        self._end()
        return syntax.Statement(at, value) if target is None else syntax.Assignment(at, target, "=", value)

    def _reset(self, at: int) -> syntax.Reset:
        self.tokens.next()
        operand = self._operand()
        self._end()
        return syntax.Reset(at, operand)

    def _barrier(self, at: int) -> syntax.Barrier:
        self.tokens.next()
        operands = self._operands()
        self._end()
        return syntax.Barrier(at, operands)

    def _delay(self, at: int) -> syntax.Delay:
        word = self.tokens.word
        self.tokens.next()
        if self._designator() is None and word == "delay":
            raise self.tokens.unexpected()
        operands = self._operands()
        self._end()
        return syntax.Delay(at, operands)

    def _modified(self, at: int) -> syntax.GateCall:
        modifiers = []
        while self.tokens.word in _MODIFIERS and self.tokens.kind == Kind.NAME:
            place, name = self.tokens.start, self.tokens.word
            self._count_operator(place)
            self.tokens.next()
            argument = self._in_parentheses() if self.tokens.word == "(" and name != "inv" else None
            if name == "pow" and argument is None:
                raise self.tokens.unexpected()
            self._expect("@")
            modifiers.append(syntax.Modifier(place, name, argument))
        self._operators = 0
        name = self.tokens.word
        if self.tokens.kind != Kind.NAME or (name in KEYWORDS and name != "gphase"):
            raise self.tokens.unexpected()
        self.tokens.next()
        angles = self._arguments() if self.tokens.word == "(" else ()
        return self._call_of_gate(at, name, tuple(modifiers), angles)

    def _phase(self, at: int) -> syntax.GateCall:
        self.tokens.next()
        angles = self._arguments() if self.tokens.word == "(" else ()
        return self._call_of_gate(at, "gphase", (), angles)

    def _call_of_gate(
        self, at: int, name: str, modifiers: tuple[syntax.Modifier, ...], angles: tuple[Expression, ...]
    ) -> syntax.GateCall:
        is_timed = self.tokens.word == "["
        self._designator()
        if name != "gphase" and self.tokens.word == ";":
            raise self.tokens.unexpected()
        operands = self._operands()
        self._end()
        return syntax.GateCall(at, name, modifiers, angles, operands, is_timed)

    def _starts_with_name(self, at: int) -> AnyStatement:
        """Parse an assignment, a gate call, or an expression."""
        tokens = self.tokens
        name, after = tokens.word, tokens.ahead()
        if name in KEYWORDS and name not in {"true", "false", "durationof", "pow"}:
            raise tokens.unexpected()
        if after == "(":
            return self._call(at)
        if after != ";" and (after == "" or _IDENTIFIER.match(after) or after[0] == "$"):
            tokens.next()
            return self._call_of_gate(at, name, (), ())
        value = self._postfix()
        if tokens.word in _ASSIGNMENTS and tokens.kind == Kind.MARK:
            return self._assignment(at, value)
        if isinstance(value, syntax.Index) and tokens.kind == Kind.NAME and isinstance(value.base, syntax.Name):
            operands = self._operands()
            self._end()
            return syntax.GateCall(at, name, (), (), operands, is_timed=True)
        value = self._binary_from(value, 0)
        self._end()
        return syntax.Statement(at, value)

    def _call(self, at: int) -> AnyStatement:
        """Parse a statement that begins with a name and a parenthesis: a gate call unless nothing follows."""
        name = self.tokens.word
        self.tokens.next()
        arguments = self._arguments()
        tokens = self.tokens
        if (tokens.kind == Kind.NAME and tokens.word not in KEYWORDS) or (tokens.word == "[" and self._is_timed_call()):
            return self._call_of_gate(at, name, (), arguments)
        value: Expression = syntax.Call(at, name, arguments)
        value = self._binary_from(self._indexed(value), 0)
        self._end()
        return syntax.Statement(at, value)

    def _is_timed_call(self) -> bool:
        """Return whether a name follows the bracket that begins here."""
        closing = self.tokens.text.find("]", self.tokens.end)
        rest = self.tokens.text[closing + 1 : closing + 200].lstrip()
        return closing > 0 and bool(rest) and (rest[0].isalpha() or rest[0] in "_$")

    def _assignment(self, at: int, target: Expression) -> AnyStatement:
        base = target
        while isinstance(base, syntax.Index):
            base = base.base
        if not isinstance(base, syntax.Name) or base.name[0] == "$":
            raise self.tokens.unexpected()
        self._only(at, "a gate assigns a value", outside="gate")
        operator = self.tokens.word
        self.tokens.next()
        value = self._value()
        self._end()
        return syntax.Assignment(at, target, operator, value)

    # ------------------------------------------------------------------ what has no meaning here

    def _calibration(self, at: int) -> syntax.Unsupported:
        """Skip ``cal { ... }``, ``defcal ... { ... }`` and ``defcalgrammar "...";``."""
        word = self.tokens.word
        if word == "defcalgrammar":
            self.tokens.next()
            if self.tokens.kind != Kind.TEXT:
                raise self.tokens.unexpected()
            self.tokens.next()
            self._end()
        else:
            self.tokens.end = self._end_of_calibration()
            self.tokens.next()
        return syntax.Unsupported(at, word, "pulses are not simulated; say what the gate does with 'gate'")

    def _end_of_calibration(self) -> int:
        """Return where a calibration block ends, whatever grammar it is written in."""
        depth = 0
        for match in re.compile(r"[{};]").finditer(self.tokens.text, self.tokens.end):
            mark = match.group()
            depth += (mark == "{") - (mark == "}")
            if depth == 0 and mark != ";":
                return match.end()
        self.tokens.end = len(self.tokens.text)
        self.tokens.next()
        raise self.tokens.unexpected()

    def _extern(self, at: int) -> syntax.Unsupported:
        self._only(at, "an extern stands inside a block")
        while self.tokens.word != ";":
            if self.tokens.kind == Kind.END:
                raise self.tokens.unexpected()
            self.tokens.next()
        self.tokens.next()
        return syntax.Unsupported(at, "extern", "what the function does is not in the text; write it with 'def'")

    # ------------------------------------------------------------------ expressions

    def _value(self) -> Expression:
        """Parse a value that may be a measurement."""
        if self.tokens.word == "measure" and self.tokens.kind == Kind.NAME:
            at = self.tokens.start
            if "gate" in self._around:
                raise self.tokens.error("a gate measures a qubit", at)
            self.tokens.next()
            return syntax.Measurement(at, self._operand())
        return self.expression()

    def expression(self) -> Expression:
        """Parse an expression."""
        outer, self._operators = self._operators, 0
        value = self._binary(0)
        self._operators = outer
        return value

    def _in_parentheses(self) -> Expression:
        self._expect("(")
        value = self.expression()
        self._expect(")")
        return value

    def _expressions(self, end: str) -> tuple[Expression, ...]:
        values = [self.expression()]
        while self.tokens.word == ",":
            self.tokens.next()
            if self.tokens.word == end:
                break
            values.append(self.expression())
        return tuple(values)

    def _arguments(self) -> tuple[Expression, ...]:
        self._expect("(")
        values = () if self.tokens.word == ")" else self._expressions(")")
        self._expect(")")
        return values

    def _binary(self, binding: int) -> Expression:
        """Parse operators that bind more tightly than ``binding``."""
        return self._binary_from(self._unary(), binding)

    def _binary_from(self, left: Expression, binding: int) -> Expression:
        """Parse the operators that follow a value."""
        tokens = self.tokens
        while tokens.kind == Kind.MARK:
            word, at = tokens.word, tokens.start
            if word == "**":
                self._count_operator(at)
                tokens.next()
                left = syntax.Binary(at, word, left, self._power_of())
                continue
            tightness = _BINDING.get(word, 0)
            if tightness <= binding:
                break
            self._count_operator(at)
            tokens.next()
            left = syntax.Binary(at, word, left, self._binary(tightness))
        return left

    def _power_of(self) -> Expression:
        """Parse the exponent of a power, which binds to the right: 2 ** 3 ** 2 is 2 ** 9."""
        depth = self._enter(self.tokens.start)
        value = self._unary()
        self._depth = depth
        return value

    def _unary(self) -> Expression:
        """Parse signs, and a value with its power, which binds more tightly than a sign."""
        tokens = self.tokens
        at, word = tokens.start, tokens.word
        if tokens.kind == Kind.MARK and word in {"-", "!", "~", "+"}:
            self._count_operator(at)
            depth = self._enter(at)
            tokens.next()
            operand = self._unary()
            self._depth = depth
            return operand if word == "+" else syntax.Unary(at, word, operand)
        value = self._postfix()
        if tokens.word == "**":
            place = tokens.start
            self._count_operator(place)
            tokens.next()
            return syntax.Binary(place, "**", value, self._power_of())
        return value

    def _postfix(self) -> Expression:
        return self._indexed(self._primary())

    def _indexed(self, value: Expression) -> Expression:
        tokens = self.tokens
        while tokens.word == "[" and tokens.kind == Kind.MARK:
            at = tokens.start
            if isinstance(value, syntax.Index):
                self._count_operator(at)
            depth = self._enter(at)
            tokens.next()
            indices: list[Expression] = []
            if tokens.word == "{":
                indices.append(self._set())
            else:
                indices.append(self._range_or_expression())
                while tokens.word == ",":
                    tokens.next()
                    if tokens.word == "]":
                        break
                    indices.append(self._range_or_expression())
            self._expect("]")
            self._depth = depth
            value = syntax.Index(at, value, tuple(indices))
        return value

    def _range_or_expression(self) -> Expression:
        tokens = self.tokens
        at = tokens.start
        first = None if tokens.word == ":" else self.expression()
        if first is not None and tokens.word != ":":
            return first
        parts = [first]
        while tokens.word == ":" and len(parts) < _PARTS_OF_A_RANGE:
            tokens.next()
            may_lack = len(parts) == 1 and tokens.word in {":", ",", "]"}
            parts.append(None if may_lack else self.expression())
        step = parts[1] if len(parts) == _PARTS_OF_A_RANGE else None
        return syntax.Range(at, first, step, parts[-1])

    def _set(self) -> syntax.Set:
        at = self.tokens.start
        depth = self._enter(at)
        self._expect("{")
        values = [self._element()]
        while self.tokens.word == ",":
            self.tokens.next()
            if self.tokens.word == "}":
                break
            values.append(self._element())
        self._expect("}")
        self._depth = depth
        return syntax.Set(at, tuple(values))

    def _element(self) -> Expression:
        return self._set() if self.tokens.word == "{" else self.expression()

    def _primary(self) -> Expression:
        tokens = self.tokens
        at, word = tokens.start, tokens.word
        if tokens.kind == Kind.NUMBER:
            tokens.next()
            return self._number(at, word)
        if tokens.kind == Kind.NAME:
            return self._word(at, word)
        if tokens.kind == Kind.TEXT:
            digits = word[1:-1].replace("_", "")
            if word[0] == "'" or not digits or digits.strip("01"):
                raise tokens.unexpected()
            tokens.next()
            return syntax.Bits(at, int(digits, 2), len(digits))
        if word == "(":
            depth = self._enter(at)
            tokens.next()
            value = self._binary(0)
            self._expect(")")
            self._depth = depth
            return value
        raise tokens.unexpected()

    def _word(self, at: int, word: str) -> Expression:
        tokens = self.tokens
        if word in _TYPES:
            return self._cast(self._type())
        if word == "durationof":
            tokens.next()
            self._expect("(")
            self.block()
            self._expect(")")
            return syntax.Duration(at)
        if word in KEYWORDS and word not in {"true", "false", "pow"}:
            raise tokens.unexpected()
        tokens.next()
        if word in {"true", "false"}:
            return syntax.Literal(at, word == "true")
        if tokens.word == "(" and tokens.kind == Kind.MARK:
            depth = self._enter(at)
            arguments = self._arguments()
            self._depth = depth
            return syntax.Call(at, word, arguments)
        if word == "pow":
            raise tokens.unexpected()
        return syntax.Name(at, word)

    def _cast(self, kind: syntax.Type) -> syntax.Cast:
        depth = self._enter(kind.at)
        operand = self._in_parentheses()
        self._depth = depth
        return syntax.Cast(kind.at, kind, operand)

    def _number(self, at: int, word: str) -> Expression:
        digits = word.replace("_", "")
        if len(digits) > MAX_DIGITS:
            msg = f"a number has {len(digits):,} digits; at most {MAX_DIGITS:,} are accepted"
            raise LimitError(msg, limit="digits", requested=len(digits), allowed=MAX_DIGITS)
        if digits[:2].lower() in {"0x", "0b", "0o"}:
            return syntax.Literal(at, int(digits, 0))
        if _TIME.match(digits):
            return syntax.Duration(at)
        if digits[-1] in "mj":
            return syntax.Literal(at, complex(0, float(digits.rstrip("imj").strip())))
        if digits.isdigit():
            return syntax.Literal(at, int(digits))
        return syntax.Literal(at, float(digits))

    # ------------------------------------------------------------------ operands and marks

    def _operand(self) -> Expression:
        if self.tokens.kind != Kind.NAME or self.tokens.word in KEYWORDS:
            raise self.tokens.unexpected()
        at, word = self.tokens.start, self.tokens.word
        self.tokens.next()
        return self._indexed(syntax.Name(at, word))

    def _operands(self) -> tuple[Expression, ...]:
        if self.tokens.word == ";":
            return ()
        operands = [self._operand()]
        while self.tokens.word == ",":
            self.tokens.next()
            if self.tokens.word == ";":
                break
            operands.append(self._operand())
        return tuple(operands)

    def _name(self) -> str:
        word = self.tokens.word
        if self.tokens.kind != Kind.NAME or word in KEYWORDS or word[0] == "$":
            raise self.tokens.unexpected()
        self.tokens.next()
        return word

    def _expect(self, mark: str) -> None:
        if self.tokens.word != mark:
            raise self.tokens.unexpected()
        self.tokens.next()

    def _end(self) -> None:
        """Expect the semicolon; what follows it is looked at by whoever parses the next statement."""
        if self.tokens.word != ";":
            raise self.tokens.unexpected()
        self.tokens.next()

    def _enter(self, at: int) -> int:
        """Go one level deeper, and return the depth to go back to."""
        if self._depth >= MAX_NESTING:
            line = self.tokens.error("", at).line
            msg = f"line {line}: brackets and blocks are nested more than {MAX_NESTING} levels deep"
            raise LimitError(msg, limit="nesting", requested=self._depth + 1, allowed=MAX_NESTING)
        self._depth += 1
        return self._depth - 1

    def _count_operator(self, at: int) -> None:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            line = self.tokens.error("", at).line
            msg = f"line {line}: an expression has more than {MAX_OPERATORS} operators"
            raise LimitError(msg, limit="operators", requested=self._operators, allowed=MAX_OPERATORS)

    _STATEMENTS: ClassVar[dict[str, Callable[..., AnyStatement]]] = {
        "OPENQASM": _version,
        "include": _include,
        "qreg": _register,
        "creg": _register,
        "qubit": _qubits,
        "const": _with_role,
        "input": _with_role,
        "output": _with_role,
        "let": _alias,
        "gate": _gate,
        "def": _subroutine,
        "if": _if,
        "switch": _switch,
        "for": _for,
        "while": _while,
        "break": _jump,
        "continue": _jump,
        "end": _jump,
        "return": _return,
        "box": _box,
        "measure": _measure,
        "reset": _reset,
        "barrier": _barrier,
        "delay": _delay,
        "nop": _delay,
        "gphase": _phase,
        "cal": _calibration,
        "defcal": _calibration,
        "defcalgrammar": _calibration,
        "extern": _extern,
        "pragma": _pragma,
        **dict.fromkeys(_MODIFIERS, _modified),
        **dict.fromkeys(_TYPES, _classical),
    }
