"""The fast path: all of OpenQASM 2, and the part of OpenQASM 3 that real circuit files use.

The text is cut at its semicolons and each statement becomes operations at once; there is no token
stream and no syntax tree. What makes it fast is remembering: a statement seen before is a finished,
immutable operation, and a gate seen before with one angle costs two dictionary look-ups and
``float()``. Everything else takes the careful way through :meth:`_Reader.statement`.

OpenQASM 3 beyond that subset (loops, modifiers, variables, subroutines ...) raises :class:`NotFlat`
and belongs to the full parser. OpenQASM 2 never does.
"""

from __future__ import annotations

import difflib
import gc
import re
from collections.abc import Callable, Iterator
from operator import length_hint

from gateway.circuit.gates import ALIASES, GATES, Gate
from gateway.circuit.openqasm.definitions import Definition, read_head
from gateway.circuit.openqasm.expressions import AmbiguousInteger, Expressions, split_arguments
from gateway.circuit.openqasm.if_conditions import Choice, conditioned, other_choice, read_choice, split_condition
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
_KEPT_ANGLES = 100_000

_FIRST_WORD = re.compile(r"\s*+([^\W\d]\w*+)")
_VERSION = re.compile(r"\s*+OPENQASM\s++[0-9.]++\s*+\Z")
_INCLUDE = re.compile(r"\s*+include\s*+(?:\"([^\"]*+)\"|'([^']*+)')\s*+\Z")
_REGISTER_2 = re.compile(r"\s*+([qc])reg\s++([^\W\d]\w*+)\s*+(?:\[\s*+([0-9]++)\s*+\])?+\s*+\Z")
_REGISTER_3 = re.compile(
    r"\s*+(qu)?bit\s*+(?:\[\s*+([0-9]++)\s*+\])?+\s*+([^\W\d]\w*+)\s*+(?:=\s*+measure\b([^=]++))?+\Z",
)
_MEASURE = re.compile(r"\s*+measure\b([^-=]++)(?:->([^-=]++))?+\Z")
_ASSIGNED_MEASURE = re.compile(r"([^=]++)=\s*+measure\b([^-=]++)\Z")
_OLD_DECLARATION = re.compile(r"\b[qc]reg\b")

NOT_FLAT_WORDS = frozenset(
    """angle array bool box break cal case complex const continue ctrl default def defcal defcalgrammar delay
    duration durationof end extern float for in input int inv let mutable negctrl nop output port pow pragma
    readonly return stretch switch uint while""".split(),  # noqa: SIM905 - a list of words reads best as words
)


class NotFlat(Exception):  # noqa: N818 - a finding, not a mistake; never reaches a user
    """The text is OpenQASM 3 that the fast path does not speak."""


def parse_flat(text: str, limits: Limits) -> CircuitParts:
    """Parse OpenQASM 2, or flat OpenQASM 3.

    Raises:
        NotFlat: the text needs the full parser.
        CircuitError, UnsupportedError, LimitError: as :func:`gateway.circuit.openqasm.read`.
    """
    text = blank_comments(text)
    reader = _Reader(split_statements(text), limits, plain=text.isascii())
    # The loop makes tens of thousands of tuples that all survive it; letting the collector look at
    # each generation of them costs a fifth of the whole. Nothing here forms a reference cycle.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return reader.read()
    finally:
        if collecting:
            gc.enable()


class _Reader:
    """Reads the statements of one text; owns the circuit until it is handed out."""

    def __init__(self, pieces: list[str], limits: Limits, *, plain: bool) -> None:
        self.pieces = pieces
        self.rest = iter(pieces)
        self.limits = limits
        self.modern = False  # OpenQASM 3
        self.expressions = Expressions()
        self.plain = plain  # ASCII: float() also reads digits of other scripts
        self.qubits = Registers("qubit", limits.qubits)
        self.clbits = Registers("clbit", limits.clbits)
        self.definitions: dict[str, Definition] = {}
        self.operations: list[Operation] = []
        self.work = 0
        self.nesting = 0
        self.choice: tuple[int, Choice, bool] | None = None  # see if_
        self.finished: dict[str, Operation] = {}  # statements that are exactly one operation
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

    # ------------------------------------------------------------------ the run

    def read(self) -> CircuitParts:
        """Return the whole circuit; every error gets its line here."""
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
            if self.modern:  # the full grammar decides what is wrong
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
        """Take the version, by which the language is decided."""
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
        """Check that the last statement is ended."""
        last = self.pieces[-1]
        if last.strip():
            if self.modern and ("pragma" in last or "@" in last or "cal" in last):  # these end with their line
                raise NotFlat
            msg = f"{' '.join(last.split())[:40]!r} is not ended by ';'"
            raise syntax_error(self.pieces, len(self.pieces) - 1, msg)

    def hot_loop(self) -> None:
        """Take every statement: a known one here and now, any other by the careful way.

        ``heads`` maps the raw text before a parenthesis to a gate's name, its number of angles and
        the raw operand texts it was seen with. Raw text in, so that nothing is stripped twice.
        """
        finished, heads, append = self.finished, self.heads, self.operations.append
        kept = self.angles.get
        for piece in self.rest:
            operation = finished.get(piece)
            if operation is not None:
                append(operation)
                continue
            head, _, where = piece.rpartition(")")
            head, _, angles = head.partition("(")
            try:
                name, count, known = heads[head]
                qubits = known[where]
            except KeyError:
                self.statement(piece)
                continue
            params = kept(angles)
            if params is None:
                try:
                    params = (float(angles),) if count == 1 else tuple(map(float, angles.split(",")))
                except ValueError:
                    params = self.values(angles)
            if sum(params) * 0.0 == 0.0 and len(params) == count:
                append(Operation(name, qubits, params))
            else:  # not finite, or not as many as the gate takes: the careful way says so
                self.statement(piece)

    def line(self) -> int:
        """Return the line of the statement taken last."""
        return line_of(self.pieces, len(self.pieces) - length_hint(self.rest) - 1)

    def syntax_error(self, message: str) -> CircuitSyntaxError:
        """Return an error that names the place of the statement taken last."""
        return syntax_error(self.pieces, self.position() - 1, message)

    def position(self) -> int:
        """Return the index of the statement to be taken next."""
        return len(self.pieces) - length_hint(self.rest)

    def statement(self, piece: str) -> None:
        """Take one statement, with the block it opens."""
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
            self.assigned_measure(piece)
        else:
            self.call(piece)
        if self.nesting == 0 and len(self.operations) == before + 1 and word not in {"if", "else"}:
            self.finished[piece] = self.operations[-1]

    def not_a_statement(self, piece: str) -> None:
        """Refuse a piece that begins with no word."""
        shown = " ".join(piece.split())[:40]
        if piece == BLOCK_END:
            msg = "'}' closes nothing"
            raise self.syntax_error(msg)
        msg = f"{shown!r} is not an OpenQASM statement"
        raise CircuitSyntaxError(msg)

    def make_room(self, count: int) -> None:
        """Raise LimitError unless so many more operations are allowed."""
        requested, allowed = len(self.operations) + count, self.limits.operations
        if requested > allowed:
            msg = f"the circuit has {requested:,} operations or more; at most {allowed:,} are accepted"
            raise LimitError(msg, limit="operations", requested=requested, allowed=allowed)

    def forget(self) -> None:
        """Drop what was remembered of statements, because names got a new meaning."""
        self.finished.clear()
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
        """``qreg q[3]`` and ``creg c[3]``."""
        match = _REGISTER_2.match(piece)
        if match is None or (match[3] is None and not self.modern):
            msg = "a register is declared as 'qreg name[size]' or 'creg name[size]'"
            raise CircuitSyntaxError(msg)
        self.declare("q" if match[1] == "q" else "c", match[2], match[3])

    def register_3(self, piece: str) -> None:
        """``qubit[3] q``, ``bit c`` and ``bit[3] c = measure q``."""
        match = _REGISTER_3.match(piece)
        if match is None or (match[1] and match[4]):
            msg = "a register is declared as 'qubit[size] name' or 'bit[size] name'"
            raise CircuitSyntaxError(msg)
        self.declare("q" if match[1] else "c", match[3], match[2])
        if match[4]:
            self.measured(match[4], match[3])

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
        """Read ``gate ... { ... }``; takes the pieces up to the closing brace."""
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
        """Give a gate name the meaning of the text."""
        if definition.name in self.definitions:
            msg = f"the gate {definition.name!r} is defined twice"
            raise CircuitInvalidError(msg, rule="redefinition")
        self.definitions[definition.name] = definition
        self.forget()

    def block(self) -> Iterator[str]:
        """Yield the statements up to the brace that closes the block, and take that."""
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

    def find_gate(self, name: str) -> Gate | Definition:
        """Return what a gate name stands for at this place of the text."""
        gate = self.definitions.get(name) or GATES.get(name) or GATES.get(ALIASES.get(name, ""))
        if gate is None and name in NOT_FLAT_WORDS:
            msg = f"{name!r} is a word of OpenQASM 3, but this text is OpenQASM 2"
            raise CircuitSyntaxError(msg)
        if gate is None:
            close = difflib.get_close_matches(name[:40], [*GATES, *ALIASES, *list(self.definitions)[:1000]], n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "; define it with 'gate'"
            msg = f"there is no gate named {name[:80]!r}{hint}"
            raise CircuitInvalidError(msg, rule="gate name")
        return gate

    def refuse_words(self, statement: str) -> None:
        """Refuse a statement that is no gate call although it is spelled like one."""
        match = _FIRST_WORD.match(statement)
        word = match[1] if match else ""
        if self.modern and word in NOT_FLAT_WORDS:
            raise NotFlat
        if word in self.handlers and word != "barrier":
            msg = f"{word!r} cannot stand here"
            raise CircuitSyntaxError(msg)

    def call(self, piece: str) -> None:
        """Apply a gate, once or to each qubit of registers."""
        name, angles, operands = split_call(piece)
        if self.modern and name in NOT_FLAT_WORDS:
            raise NotFlat
        callee = self.find_gate(name)
        params = self.values(angles) if angles and not angles.isspace() else ()
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
        """Append what a call of a defined gate expands to."""
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
        """Return the values of an argument list; remembers them, since angles repeat."""
        values = self.angles.get(text)
        if values is None:
            values = tuple(
                [self.expressions.value(part) for part in (split_arguments(text) if "," in text else (text,))]
            )
            if len(self.angles) < _KEPT_ANGLES:
                self.angles[text] = values
        return values

    # ------------------------------------------------------------------ everything else

    def measure(self, piece: str) -> None:
        """``measure q -> c``, for bits or whole registers."""
        match = _MEASURE.match(piece)
        if match is None:
            msg = "a measurement is written 'measure qubit -> clbit'"
            raise CircuitSyntaxError(msg)
        if match[2] is None:
            self.qubits.find(match[1])
            msg = f"'measure {match[1].strip()[:40]}' writes to no clbit; say 'measure qubit -> clbit'"
            raise UnsupportedError(msg, feature="measurement without a clbit")
        self.measured(match[1], match[2])

    def assigned_measure(self, piece: str) -> None:
        """``c = measure q``, for bits or whole registers."""
        match = _ASSIGNED_MEASURE.match(piece)
        if match is None:
            msg = "of assignments only 'clbit = measure qubit' is flat"
            raise CircuitSyntaxError(msg)
        self.measured(match[2], match[1])

    def measured(self, source: str, target: str) -> None:
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
        """``reset q``, for a qubit or a whole register."""
        _, _, operand = piece.partition("reset")
        rows = broadcast([self.qubits.find(operand)], "reset")
        self.make_room(len(rows))
        self.operations.extend([Operation("reset", row) for row in rows])

    def barrier(self, piece: str) -> None:
        """``barrier a, b[0]``, or on all qubits."""
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
        """``if (c == 1) statement`` or ``if (c == 1) { ... }``; what is done becomes conditional."""
        condition, body = split_condition(piece)
        choice = self.read_choice(condition)
        changed = self.branch(body, choice, changed=False)
        self.choice = self.position(), choice, changed  # an `else` may follow, but only as the very next piece
        first = _FIRST_WORD.match(body)
        if first is not None and first[1] == "if":  # without braces: an `else` would be the inner one's
            self.choice = None

    def read_choice(self, condition: str) -> Choice:
        """Read a condition; one of other names than clbits' belongs to the full parser."""
        try:
            return read_choice(condition, self.clbits)
        except CircuitInvalidError as exc:
            if self.modern and exc.rule == "register":
                raise NotFlat from None
            raise

    def else_(self, piece: str) -> None:
        """The other branch of the ``if`` that ended just before."""
        if self.choice is None or self.choice[0] != self.position() - 1:
            msg = "'else' follows no 'if'"
            raise CircuitSyntaxError(msg)
        _, choice, changed = self.choice
        _, _, body = piece.partition("else")
        if body.lstrip().startswith("if"):
            raise CircuitSyntaxError("'else if' is not flat")
        self.branch(body, other_choice(choice), changed=changed)

    def branch(self, body: str, choice: Choice, *, changed: bool) -> bool:
        """Append what a branch does under a choice; return whether it changed a clbit the choice tests."""
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
        kept, changed = conditioned(inner, choice, changed=changed)
        self.make_room(len(kept))
        self.operations.extend(kept)
        return changed
