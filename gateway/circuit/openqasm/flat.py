"""The fast parser for flat text: all of OpenQASM 2, and the part of OpenQASM 3 that real circuit files use.

The parser cuts the text at its semicolons and turns each statement into operations at once, without a token
stream or a syntax tree. It is fast because it remembers: a statement that it has read before is a finished,
immutable operation, and a gate that it has read before, with another angle, takes two dictionary look-ups and
``float()``. Every other statement goes through :meth:`_Reader.statement`, which is slower.

OpenQASM 3 beyond that subset (loops, modifiers, variables, subroutines ...) raises :class:`NotFlat`, and the full
parser reads it. OpenQASM 2 never raises it.
"""

from __future__ import annotations

import difflib
import gc
import re
from collections.abc import Callable, Iterator
from operator import length_hint

from gateway.circuit.gates import ALIASES, GATES, MANY_CONTROLLED, Gate
from gateway.circuit.openqasm.definitions import Definition, built_in, read_head
from gateway.circuit.openqasm.expressions import AmbiguousInteger, Expressions, split_arguments
from gateway.circuit.openqasm.if_conditions import Choice, make_conditional, other_choice, read_choice, split_condition
from gateway.circuit.openqasm.registers import Registers, broadcast
from gateway.circuit.openqasm.statements import (
    BLOCK_BEGIN,
    BLOCK_END,
    INCLUDES,
    blank_comments,
    line_of,
    split_call,
    split_statements,
    syntax_error,
)
from gateway.circuit.operations import CircuitParts, Limits, Operation
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

VERSIONS = ("2", "2.0", "3", "3.0", "3.1")
MAX_NESTED_IFS = 50
_WORK_PER_OPERATION = 50
_CACHE_ANGLES = 100_000

_FIRST_WORD = re.compile(r"\s*+([^\W\d]\w*+)")
_VERSION = re.compile(r"\s*+OPENQASM\s++[0-9.]++\s*+\Z")
_INCLUDE = re.compile(r"\s*+include\s*+(?:\"([^\"]*+)\"|'([^']*+)')\s*+\Z")
_REGISTER_2 = re.compile(r"\s*+([qc])reg\s++([^\W\d]\w*+)\s*+(?:\[\s*+([0-9]++)\s*+\])?+\s*+\Z")
_REGISTER_3 = re.compile(
    r"\s*+(qu)?bit\s*+(?:\[\s*+([0-9]++)\s*+\])?+\s*+([^\W\d]\w*+)\s*+(?:=\s*+measure\b([^=]++))?+\Z",
)
_MEASURE = re.compile(r"\s*+measure\b([^-=]++)(?:->([^-=]++))?+\Z")
_ASSIGNMENT = re.compile(r"([^=]++)=\s*+measure\b([^-=]++)\Z")
_OLD_DECLARATION = re.compile(r"\b[qc]reg\b")

NOT_FLAT_WORDS = frozenset(
    """angle array bool box break cal case complex const continue ctrl default def defcal defcalgrammar delay
    duration durationof end extern float for in input int inv let mutable negctrl nop output port pow pragma
    readonly return stretch switch uint while""".split(),  # noqa: SIM905 - a list of words reads best as words
)


class NotFlat(Exception):  # noqa: N818 - a signal, not a mistake; it never reaches a user
    """The text is OpenQASM 3 that this parser does not know."""


def parse_flat(text: str, limits: Limits) -> CircuitParts:
    """Parse OpenQASM 2, or flat OpenQASM 3.

    Raises:
        NotFlat: the text needs the full parser.
        CircuitError, UnsupportedError, LimitError: as for :func:`gateway.circuit.openqasm.read`.
    """
    text = blank_comments(text)
    reader = _Reader(split_statements(text), limits, plain=text.isascii())
    # The loop makes tens of thousands of tuples, which all survive it. The garbage collector would look at
    # each generation of them, for a fifth of the whole time. Nothing here forms a reference cycle.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return reader.read()
    finally:
        if collecting:
            gc.enable()


class _Reader:
    """Reads the statements of one text and builds its circuit."""

    def __init__(self, pieces: list[str], limits: Limits, *, plain: bool) -> None:
        self.pieces = pieces
        self.rest = iter(pieces)
        self.limits = limits
        self.modern = False  # OpenQASM 3
        self.expressions = Expressions()
        self.plain = plain  # the text is ASCII; float() would also read digits of other scripts
        self.qubits = Registers("qubit", limits.qubits)
        self.clbits = Registers("clbit", limits.clbits)
        self.definitions: dict[str, Definition] = {}
        self.operations: list[Operation] = []
        self.work = 0
        self.nesting = 0
        self.choice: tuple[int, Choice, bool] | None = None  # see if_
        self.operation_of: dict[str, Operation] = {}  # statement -> its operation, where it is exactly one
        self.heads: dict[str, tuple[str, int, dict[str, tuple[int, ...]]]] = {}  # see hot_loop
        self.angles: dict[str, tuple[float, ...]] = {}
        self.handlers: dict[str, Callable[[str], None]] = {
            "OPENQASM": self.misplaced_version,
            "include": self.include,
            "qreg": self.register_2,
            "creg": self.register_2,
            "qubit": self.register_3,
            "bit": self.register_3,
            "gate": self.definition,
            "opaque": self.opaque,
            "measure": self.measure,
            "reset": self.reset,
            "barrier": self.barrier,
            "if": self.if_,
            "else": self.else_,
        }

    # ------------------------------------------------------------------ reading

    def read(self) -> CircuitParts:
        """Return the whole circuit. This method adds the line to every error."""
        self.header()
        self.check_end()
        self.expressions = Expressions(strict=self.modern)
        try:
            self.hot_loop()
        except AmbiguousInteger:
            raise NotFlat from None
        except CircuitSyntaxError as exc:
            if exc.line is not None:
                raise
            if self.modern:  # the full parser finds out what is wrong
                raise NotFlat from None
            raise self.syntax_error(exc.message) from None
        except CircuitInvalidError as exc:
            raise CircuitInvalidError(exc.message, rule=exc.rule, line=self.line()) from None
        except UnsupportedError as exc:
            line = self.line()
            raise UnsupportedError(f"line {line}: {exc.message}", feature=exc.feature, line=line) from None
        self.make_room(0)
        return CircuitParts(self.qubits.count, self.clbits.count, self.operations)

    def header(self) -> None:
        """Read the version, which decides the language."""
        for index, piece in enumerate(self.pieces):
            if not piece or piece.isspace():
                continue
            match = _VERSION.match(piece)
            if match is None:
                self.modern = not any(_OLD_DECLARATION.search(each) for each in self.pieces)
                return
            version = piece.split()[-1]
            if version not in VERSIONS:
                msg = f"OpenQASM {version[:20]} is not known; {', '.join(VERSIONS)} are"
                raise CircuitInvalidError(msg, rule="version", line=line_of(self.pieces, index))
            self.modern = version[0] == "3"
            for _ in range(index + 1):
                next(self.rest)
            return

    def check_end(self) -> None:
        """Check that the last statement ends with a semicolon."""
        last = self.pieces[-1]
        if last.strip():
            if self.modern and ("pragma" in last or "@" in last or "cal" in last):  # they end with their line
                raise NotFlat
            msg = f"{' '.join(last.split())[:40]!r} is not ended by ';'"
            raise syntax_error(self.pieces, len(self.pieces) - 1, msg)

    def hot_loop(self) -> None:
        """Read every statement: one that is known right here, any other one with :meth:`statement`.

        ``heads`` maps the text before a parenthesis to the gate's name, its number of angles, and a map from
        the operand texts it occurred with to qubits. The texts are raw, so that nothing is stripped twice.
        """
        operation_of, heads, append = self.operation_of, self.heads, self.operations.append
        angles_of = self.angles.get
        for piece in self.rest:
            operation = operation_of.get(piece)
            if operation is not None:
                append(operation)
                continue
            head, _, where = piece.rpartition(")")
            head, _, angles = head.partition("(")
            try:
                name, count, qubits_of = heads[head]
                qubits = qubits_of[where]
            except KeyError:
                self.statement(piece)
                continue
            params = angles_of(angles)
            if params is None:
                try:
                    params = (float(angles),) if count == 1 else tuple(map(float, angles.split(",")))
                except ValueError:
                    params = self.values(angles)
            if sum(params) * 0.0 == 0.0 and len(params) == count:
                append(Operation(name, qubits, params))
            else:  # an angle is not finite, or their number is wrong: statement() raises the error
                self.statement(piece)

    def line(self) -> int:
        """Return the line of the current statement."""
        return line_of(self.pieces, len(self.pieces) - length_hint(self.rest) - 1)

    def syntax_error(self, message: str) -> CircuitSyntaxError:
        """Return an error that names the place of the current statement."""
        return syntax_error(self.pieces, self.position() - 1, message)

    def position(self) -> int:
        """Return the index of the next statement."""
        return len(self.pieces) - length_hint(self.rest)

    def statement(self, piece: str) -> None:
        """Read one statement, together with the block that it opens."""
        match = _FIRST_WORD.match(piece)
        if match is None:
            if piece and not piece.isspace():
                self.not_a_statement(piece)
            return
        word = match[1]
        before = len(self.operations)
        handler = self.handlers.get(word)
        if handler is not None:
            handler(piece)
        elif "=" in piece:
            self.assignment(piece)
        else:
            self.call(piece)
        if self.nesting == 0 and len(self.operations) == before + 1 and word not in {"if", "else"}:
            self.operation_of[piece] = self.operations[-1]

    def not_a_statement(self, piece: str) -> None:
        """Refuse a piece of text that does not begin with a word."""
        excerpt = " ".join(piece.split())[:40]
        if piece == BLOCK_END:
            msg = "'}' closes nothing"
            raise self.syntax_error(msg)
        msg = f"{excerpt!r} is not an OpenQASM statement"
        raise CircuitSyntaxError(msg)

    def make_room(self, count: int) -> None:
        """Raise LimitError unless so many more operations are allowed."""
        requested, allowed = len(self.operations) + count, self.limits.operations
        if requested > allowed:
            msg = f"the circuit has {requested:,} operations or more; at most {allowed:,} are accepted"
            raise LimitError(msg, limit="operations", requested=requested, allowed=allowed)

    def forget(self) -> None:
        """Forget all statements, because a name has a new meaning."""
        self.operation_of.clear()
        self.heads.clear()

    # ------------------------------------------------------------------ declarations

    def misplaced_version(self, piece: str) -> None:
        """Refuse a version anywhere but at the beginning, or one that cannot be read."""
        msg = f"{' '.join(piece.split())[:40]!r} is not the version at the beginning of a text"
        raise self.syntax_error(msg)

    def include(self, piece: str) -> None:
        """Accept the two standard includes, whose gates are in the table anyway. No file is read."""
        if self.nesting:
            raise CircuitSyntaxError("an include stands inside an if")
        match = _INCLUDE.match(piece)
        if match is None:
            msg = "include takes a file name in quotation marks"
            raise self.syntax_error(msg)
        path = match[1] or match[2] or ""
        if path not in INCLUDES:
            msg = (
                f"include {path[:100]!r} is not read: only {' and '.join(sorted(INCLUDES))} are, and they are built in"
            )
            raise CircuitInvalidError(msg, rule="include")

    def register_2(self, piece: str) -> None:
        """Read ``qreg q[3]`` or ``creg c[3]``."""
        match = _REGISTER_2.match(piece)
        if match is None or (match[3] is None and not self.modern):
            msg = "a register is declared as 'qreg name[size]' or 'creg name[size]'"
            raise CircuitSyntaxError(msg)
        self.declare("q" if match[1] == "q" else "c", match[2], match[3])

    def register_3(self, piece: str) -> None:
        """Read ``qubit[3] q``, ``bit c`` or ``bit[3] c = measure q``."""
        match = _REGISTER_3.match(piece)
        if match is None or (match[1] and match[4]):
            msg = "a register is declared as 'qubit[size] name' or 'bit[size] name'"
            raise CircuitSyntaxError(msg)
        self.declare("q" if match[1] else "c", match[3], match[2])
        if match[4]:
            self.append_measurements(match[4], match[3])

    def declare(self, kind: str, name: str, size: str | None) -> None:
        """Declare a register, or a single qubit or clbit if ``size`` is ``None``."""
        if self.nesting:
            msg = f"{name!r} is declared inside an if"
            raise CircuitSyntaxError(msg)
        if name in self.handlers or (self.modern and (name in NOT_FLAT_WORDS or name == "gphase")):
            msg = f"{name!r} is a word of the language and cannot name a register"
            raise CircuitSyntaxError(msg)
        if self.qubits.knows(name) or self.clbits.knows(name):
            msg = f"{name!r} is declared twice"
            raise CircuitInvalidError(msg, rule="redefinition")
        if self.modern and size is not None and not size.strip("0"):
            msg = f"{name!r} has no {'qubits' if kind == 'q' else 'bits'}; it needs at least one"
            raise CircuitInvalidError(msg, rule="register size")
        (self.qubits if kind == "q" else self.clbits).declare(name, size)
        self.forget()

    def definition(self, piece: str) -> None:
        """Read ``gate ... { ... }`` up to the closing brace."""
        definition = read_head(piece)
        if self.nesting or not piece.endswith(BLOCK_BEGIN):
            msg = f"the gate {definition.name!r} has no body"
            raise CircuitSyntaxError(msg)
        if self.modern and not definition.qubits:
            msg = f"the gate {definition.name!r} acts on no qubits"
            raise CircuitSyntaxError(msg)
        for inner in self.block():
            if _FIRST_WORD.match(inner):
                self.refuse_words(inner)
                definition.add(inner, self.find_gate, strict=self.modern)
            elif inner and not inner.isspace():
                self.not_a_statement(inner)
        self.define(definition)

    def opaque(self, piece: str) -> None:
        """Read ``opaque name(params) qubits``."""
        self.define(read_head(piece))

    def define(self, definition: Definition) -> None:
        """Remember a gate definition."""
        if definition.name in self.definitions:
            msg = f"the gate {definition.name!r} is defined twice"
            raise CircuitInvalidError(msg, rule="redefinition")
        self.definitions[definition.name] = definition
        self.forget()

    def block(self) -> Iterator[str]:
        """Yield the statements of a block, and read the brace that closes it."""
        start, last = self.position() - 1, ""
        for piece in self.rest:
            if piece == BLOCK_END:
                if last and not last.isspace():
                    msg = f"{' '.join(last.split())[:40]!r} is not ended by ';'"
                    raise self.syntax_error(msg)
                return
            yield piece
            last = piece
        msg = "a block is not closed by '}'"
        raise syntax_error(self.pieces, start, msg)

    # ------------------------------------------------------------------ gates

    def find_gate(self, name: str, num_qubits: int, num_params: int) -> Gate | Definition:
        """Return the gate or definition that a name stands for at this place of the text."""
        gate = self.definitions.get(name) or built_in(name, num_qubits, num_params, self.limits.operations)
        if gate is None and name in NOT_FLAT_WORDS:
            msg = f"{name!r} is a word of OpenQASM 3, but this text is OpenQASM 2"
            raise CircuitSyntaxError(msg)
        if gate is None:
            close = difflib.get_close_matches(
                name[:40], [*GATES, *ALIASES, *MANY_CONTROLLED, *list(self.definitions)[:1000]], n=1
            )
            hint = f"; did you mean {close[0]!r}?" if close else "; define it with 'gate'"
            msg = f"there is no gate named {name[:80]!r}{hint}"
            raise CircuitInvalidError(msg, rule="gate name")
        return gate

    def refuse_words(self, statement: str) -> None:
        """Refuse a statement in a gate body that begins with a word of the language, except a barrier."""
        match = _FIRST_WORD.match(statement)
        word = match[1] if match else ""
        if self.modern and word in NOT_FLAT_WORDS:
            raise NotFlat
        if word in self.handlers and word != "barrier":
            msg = f"{word!r} cannot stand here"
            raise CircuitSyntaxError(msg)

    def call(self, piece: str) -> None:
        """Read a gate call, and append the gate once or for each element of registers."""
        name, angles, operands = split_call(piece)
        if self.modern and name in NOT_FLAT_WORDS:
            raise NotFlat
        params = self.values(angles) if angles and not angles.isspace() else ()
        callee = self.find_gate(name, operands.count(",") + 1 if operands else 0, len(params))
        registers = list(map(self.qubits.find, operands.split(","))) if operands else []
        callee.check(len(registers), len(params))
        rows = broadcast(registers, name)
        if isinstance(callee, Definition):
            self.inline(callee, rows, params)
            return
        self.make_room(len(rows))
        self.operations.extend([Operation(callee.name, row, params) for row in rows])
        if params and len(rows) == 1 and self.plain:
            head, _, where = piece.rpartition(")")
            self.heads.setdefault(head.partition("(")[0], (callee.name, len(params), {}))[2][where] = rows[0]

    def inline(self, definition: Definition, rows: list[tuple[int, ...]], params: tuple[float, ...]) -> None:
        """Append the operations that calls of a defined gate expand to."""
        self.make_room(definition.size * len(rows))
        self.work += definition.work
        allowed = self.limits.operations * _WORK_PER_OPERATION
        if self.work > allowed:
            msg = f"the gate definitions evaluate more than {allowed:,} terms"
            raise LimitError(msg, limit="operations", requested=self.work, allowed=allowed)
        steps = definition.expand(params)
        append = self.operations.append
        for row in rows:
            for name, places, angles in steps:
                append(Operation(name, tuple([row[place] for place in places]), angles))

    def values(self, text: str) -> tuple[float, ...]:
        """Return the values of an argument list, and remember them, since angles repeat."""
        values = self.angles.get(text)
        if values is None:
            values = tuple(
                [self.expressions.value(part) for part in (split_arguments(text) if "," in text else (text,))]
            )
            if len(self.angles) < _CACHE_ANGLES:
                self.angles[text] = values
        return values

    # ------------------------------------------------------------------ other statements

    def measure(self, piece: str) -> None:
        """Read ``measure q -> c``, for bits or whole registers."""
        match = _MEASURE.match(piece)
        if match is None:
            msg = "a measurement is written 'measure qubit -> clbit'"
            raise CircuitSyntaxError(msg)
        if match[2] is None:
            self.qubits.find(match[1])
            msg = f"'measure {match[1].strip()[:40]}' writes to no clbit; say 'measure qubit -> clbit'"
            raise UnsupportedError(msg, feature="measurement without a clbit")
        self.append_measurements(match[1], match[2])

    def assignment(self, piece: str) -> None:
        """Read ``c = measure q``, for bits or whole registers."""
        match = _ASSIGNMENT.match(piece)
        if match is None:
            msg = "of assignments only 'clbit = measure qubit' is flat"
            raise CircuitSyntaxError(msg)
        self.append_measurements(match[2], match[1])

    def append_measurements(self, source: str, target: str) -> None:
        """Append measurements of a bit or a register into one of the same size."""
        qubit, clbit = self.qubits.find(source), self.clbits.find(target)
        qubits = qubit if isinstance(qubit, range) else range(qubit, qubit + 1)
        clbits = clbit if isinstance(clbit, range) else range(clbit, clbit + 1)
        if len(qubits) != len(clbits):
            msg = f"{source.strip()} has {len(qubits)} qubit(s), but {target.strip()} has {len(clbits)} clbit(s)"
            raise CircuitInvalidError(msg, rule="register size")
        self.make_room(len(qubits))
        self.operations.extend([Operation("measure", (q,), (), (c,)) for q, c in zip(qubits, clbits, strict=True)])

    def reset(self, piece: str) -> None:
        """Read ``reset q``, for a qubit or a whole register."""
        _, _, operand = piece.partition("reset")
        rows = broadcast([self.qubits.find(operand)], "reset")
        self.make_room(len(rows))
        self.operations.extend([Operation("reset", row) for row in rows])

    def barrier(self, piece: str) -> None:
        """Read ``barrier a, b[0]``, or ``barrier`` for all qubits."""
        _, _, operands = piece.partition("barrier")
        if operands.strip():
            registers = [self.qubits.find(operand) for operand in operands.split(",")]
            qubits = [qubit for each in registers for qubit in (each if isinstance(each, range) else (each,))]
        else:
            qubits = list(range(self.qubits.count))
        if len(set(qubits)) < len(qubits):
            msg = f"a barrier names a qubit twice: {operands.strip()[:80]}"
            raise CircuitInvalidError(msg, rule="distinct qubits")
        if qubits:
            self.operations.append(Operation("barrier", tuple(qubits)))

    def if_(self, piece: str) -> None:
        """Read ``if (c == 1) statement`` or ``if (c == 1) { ... }``, and make its operations conditional."""
        condition, body = split_condition(piece)
        choice = self.read_choice(condition)
        has_changed = self.branch(body, choice, has_changed=False)
        self.choice = self.position(), choice, has_changed  # an `else` may follow, but only as the very next piece
        first = _FIRST_WORD.match(body)
        if first is not None and first[1] == "if":  # without braces, an `else` would belong to the inner `if`
            self.choice = None

    def read_choice(self, condition: str) -> Choice:
        """Read a condition; leave one with other names than those of clbits to the full parser."""
        try:
            return read_choice(condition, self.clbits)
        except CircuitInvalidError as exc:
            if self.modern and exc.rule == "register":
                raise NotFlat from None
            raise

    def else_(self, piece: str) -> None:
        """Read the other branch of the ``if`` that ended just before."""
        if self.choice is None or self.choice[0] != self.position() - 1:
            msg = "'else' follows no 'if'"
            raise CircuitSyntaxError(msg)
        _, choice, has_changed = self.choice
        _, _, body = piece.partition("else")
        if body.lstrip().startswith("if"):
            raise CircuitSyntaxError("'else if' is not flat")
        self.branch(body, other_choice(choice), has_changed=has_changed)

    def branch(self, body: str, choice: Choice, *, has_changed: bool) -> bool:
        """Append the operations of a branch, and return whether one has changed a clbit that the choice tests."""
        self.nesting += 1
        if self.nesting > MAX_NESTED_IFS:
            msg = f"ifs are nested more than {MAX_NESTED_IFS} levels deep"
            raise LimitError(msg, limit="nesting", requested=self.nesting, allowed=MAX_NESTED_IFS)
        outer, self.operations = self.operations, []
        if body.strip() == BLOCK_BEGIN:
            for piece in self.block():
                self.statement(piece)
        elif body.strip():
            self.statement(body)
        else:
            raise CircuitSyntaxError("an 'if' is followed by nothing")
        inner, self.operations = self.operations, outer
        self.nesting -= 1
        operations, has_changed = make_conditional(inner, choice, has_changed=has_changed)
        self.make_room(len(operations))
        self.operations.extend(operations)
        return has_changed
