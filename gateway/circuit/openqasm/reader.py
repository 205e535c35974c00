"""Reads a text statement by statement, and builds its circuit.

The text is cut at its semicolons. A statement of the flat kind (gates, measurements, registers, simple conditions; all
of OpenQASM 2) becomes operations at once, without tokens or a syntax tree. That is fast because the reader remembers:
a statement that it has read before is a finished, immutable operation, and a gate that it has read before, with
another angle, takes two dictionary look-ups and ``float()``.

Any other statement of OpenQASM 3 is parsed where it stands (:mod:`~gateway.circuit.openqasm.grammar`), compiled and
carried out (:mod:`~gateway.circuit.openqasm.control_flow`); the reader then goes on behind it.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import length_hint

from gateway.circuit.emitter import Emitter, too_large
from gateway.circuit.gates import Gate
from gateway.circuit.openqasm.classical_statements import Left
from gateway.circuit.openqasm.control_flow import ControlFlow, End
from gateway.circuit.openqasm.definitions import Definition, built_in, read_head
from gateway.circuit.openqasm.evaluation import Decision
from gateway.circuit.openqasm.expressions import AmbiguousInteger, Expressions, split_arguments
from gateway.circuit.openqasm.gate_statements import unknown_gate
from gateway.circuit.openqasm.grammar import Parser
from gateway.circuit.openqasm.if_conditions import Choice, make_conditional, other_choice, read_choice, split_condition
from gateway.circuit.openqasm.registers import Registers, broadcast
from gateway.circuit.openqasm.scopes import Qubits, Symbol, Variable
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
from gateway.circuit.openqasm.syntax import Assignment, Expression
from gateway.circuit.openqasm.tokens import Kind
from gateway.circuit.openqasm.values import Kind as Type
from gateway.circuit.operations import NO_TIMING, CircuitParts, Limits, Operation
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

VERSIONS = ("2", "2.0", "3", "3.0", "3.1")
MAX_NESTED_IFS = 50
_WORK_PER_OPERATION = 50
_CACHE_ANGLES = 100_000
_IDLE = frozenset({"delay", "nop"})
"""Gates that texts declare opaque, and that do nothing."""

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
    """A statement is not of the flat kind."""


def read_program(
    text: str, limits: Limits, *, outcomes: frozenset[str] = frozenset(), is_fast: bool = True
) -> CircuitParts:
    """Read OpenQASM 2 or 3.

    Args:
        text: a whole program.
        limits: how large the circuit may be.
        outcomes: bits that are part of the outcome although their first value is known.
        is_fast: whether flat statements are read as such. Everything means the same without it, but takes longer.

    Raises:
        Becomes: further bits are part of the outcome.
        CircuitError, UnsupportedError, LimitError: as for :func:`gateway.circuit.openqasm.read`.
    """
    blanked = blank_comments(text)
    reader = Reader(blanked, limits, outcomes=outcomes, plain=text.isascii(), is_fast=is_fast)
    # The loop makes tens of thousands of tuples, which all survive it. The garbage collector would look at
    # each generation of them, for a fifth of the whole time. Few of them are part of a cycle.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return reader.read()
    except RecursionError as exc:
        msg = "the program is nested too deeply, or may end in too many places"
        raise LimitError(msg, limit="nesting") from exc
    finally:
        if collecting:
            gc.enable()


class Reader:
    """Reads the statements of one text and builds its circuit."""

    def __init__(self, text: str, limits: Limits, *, outcomes: frozenset[str], plain: bool, is_fast: bool) -> None:
        self.text = text
        self.pieces = split_statements(text)
        self.rest = iter(self.pieces)
        self.limits = limits
        self.outcomes = outcomes
        self.is_fast = is_fast
        self.modern = False  # OpenQASM 3
        self.program: ControlFlow | None = None  # what carries out statements that are not flat
        self.boundary = (0, 0)  # a piece, and where it begins in the text
        self.last_if = (-1, 0, 0)  # the piece after an if, where the if begins, and how many operations there were
        self.looked_at = 0  # how many operations the program knows
        self.shared = 0  # how many names of the program the registers know
        self.notes: dict[str, None] = {}
        self.expressions = Expressions()
        self.plain = plain  # the text is ASCII; float() would also read digits of other scripts
        self.qubits = Registers("qubit", limits.qubits)
        self.clbits = Registers("clbit", limits.clbits)
        self.definitions: dict[str, Definition] = {}
        self.operations: list[Operation] = []
        self.all_operations = self.operations  # and those of no branch that is being read
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
        except CircuitSyntaxError as exc:
            if exc.line is not None:
                raise
            raise self.syntax_error(exc.message) from None
        except CircuitInvalidError as exc:
            if exc.line is not None:
                raise
            raise CircuitInvalidError(exc.message, rule=exc.rule, line=self.line()) from None
        except UnsupportedError as exc:
            if exc.line is not None:
                raise
            line = self.line()
            raise UnsupportedError(f"line {line}: {exc.message}", feature=exc.feature, line=line) from None
        self.make_room(0)
        if self.program is not None:
            return self.program.out.parts()
        return CircuitParts(self.qubits.count, self.clbits.count, self.operations, 0, tuple(self.notes))

    def header(self) -> None:
        """Read the version, which decides the language."""
        for index, piece in enumerate(self.pieces):
            if not piece or piece.isspace():
                continue
            match = _VERSION.match(piece)
            if match is None:
                self.modern = not self.is_fast or not any(_OLD_DECLARATION.search(each) for each in self.pieces)
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
                return
            self.go_to(len(self.pieces))
            raise self.syntax_error(f"{' '.join(last.split())[:40]!r} is not ended by ';'")

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

    def go_to(self, position: int) -> None:
        """Go on with another statement than the next one, by its index."""
        self.rest.__setstate__(position)  # type: ignore[attr-defined]  # the iterator of a list has it

    def position(self) -> int:
        """Return the index of the next statement."""
        return len(self.pieces) - length_hint(self.rest)

    def statement(self, piece: str) -> None:
        """Read one statement, together with the block that it opens."""
        start, before = self.position() - 1, len(self.operations)
        outer = self.operations, self.nesting
        wrong: CircuitInvalidError | None = None
        if self.is_fast or not self.modern:
            try:
                self.flat_statement(piece)
            except (NotFlat, AmbiguousInteger, CircuitSyntaxError, UnsupportedError, CircuitInvalidError) as exc:
                if not self.modern:
                    raise
                wrong = exc if isinstance(exc, CircuitInvalidError) else None
            else:
                if piece.lstrip().startswith("if"):
                    self.last_if = (self.position(), start, before)
                return
        self.operations, self.nesting = outer
        if self.last_if[0] == start and piece.lstrip().startswith("else"):
            _, start, before = self.last_if
        del self.operations[before:]
        self.general_after(start, wrong)

    def general_after(self, start: int, wrong: CircuitInvalidError | None) -> None:
        """Read statements that could not be read as flat ones.

        Args:
            start: the piece with which they begin.
            wrong: what was wrong with the first of them, if it looked flat; that says more than what the grammar says.
        """
        following = self.position()
        try:
            self.general_statements(start)
        except (CircuitSyntaxError, CircuitInvalidError):
            if wrong is None:
                raise
            self.go_to(following)
            raise wrong from None

    def flat_statement(self, piece: str) -> None:
        """Read one statement of the flat kind."""
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

    # ------------------------------------------------------------------ statements that are not flat

    def general_statements(self, start: int) -> None:
        """Parse and carry out the statements from a piece on, up to the next place where a piece begins.

        This is one statement, unless it ends with its line.
        """
        parser = Parser(self.text, self.beginning_of(start))
        while parser.tokens.kind != Kind.END:
            statement = parser.statement()
            program = self.general()
            try:
                program.compile_statement(statement).run()
            except (CircuitInvalidError, UnsupportedError) as exc:
                raise program.located(exc, statement.at) from None
            except End:
                self.check_rest(parser)
                break
            except Left:  # the program ends wherever it has not ended before
                self.check_rest(parser)
                self.go_to(len(self.pieces))
                raise
            self.share()
            if program.ended.is_up:
                self.go_to(self.piece_at(parser.tokens.behind) or len(self.pieces))
                self.unless_ended(program)
                return
            following = self.piece_at(parser.tokens.behind)
            if following is not None:
                self.go_to(following)
                return
        self.go_to(len(self.pieces))

    def check_rest(self, parser: Parser) -> None:
        """Check what follows the end of a program, which has to be OpenQASM too."""
        while parser.tokens.kind != Kind.END:
            parser.statement()

    def unless_ended(self, program: ControlFlow) -> None:
        """Read the rest of the text, all of which depends on whether the program has ended."""

        def read_rest() -> None:
            outer, self.operations = self.operations, program.out.operations
            self.forget()
            try:
                self.hot_loop()
            finally:
                self.operations = outer

        variables = [each for each in program.globals.names.values() if isinstance(each, Variable)]
        program.unless_jumped(read_rest, [each for each in variables if not each.constant and each.value is not None])

    def general(self) -> ControlFlow:
        """Return what carries out statements that are not flat; it knows what was read so far."""
        if self.program is None:
            out = Emitter(self.limits)
            out.operations = self.all_operations
            out.notes = self.notes
            self.program = ControlFlow(out, text=self.text)
            out.num_qubits, out.num_clbits = self.qubits.count, self.clbits.count
            self.program.outcomes = self.outcomes
            self.program.definitions = self.definitions
            for name, numbers in self.qubits.declared():
                self.program.globals.declare(name, _symbol(name, "q", numbers))
            for name, numbers in self.clbits.declared():
                self.program.globals.declare(name, _symbol(name, "c", numbers))
            self.shared = len(self.program.globals.names)
        written = self.program.out.written_clbits
        for operation in self.all_operations[self.looked_at :]:
            written.update(operation.clbits)
        self.looked_at = len(self.all_operations)
        return self.program

    def share(self) -> None:
        """Take over what a statement that is not flat has declared, so that flat ones can name it."""
        program = self.general()
        self.qubits.count, self.clbits.count = program.out.num_qubits, program.out.num_clbits
        self.clbits.allowed = self.limits.clbits - program.out.num_hidden
        names = program.globals.names
        if len(names) == self.shared:
            return
        for name in list(names)[self.shared :]:
            symbol = names[name]
            if isinstance(symbol, Variable) and symbol.constant and type(symbol.value) in {int, float}:
                self.expressions.constants[name] = symbol.value  # type: ignore[assignment]  # a number, as tested
            indices = symbol.indices if isinstance(symbol, Qubits) else symbol.home if symbol.is_outcome else ()
            single = symbol.single if isinstance(symbol, Qubits) else symbol.kind.width is None
            if indices and indices == tuple(range(indices[0], indices[0] + len(indices))):
                numbers = indices[0] if single else range(indices[0], indices[0] + len(indices))
                (self.qubits if isinstance(symbol, Qubits) else self.clbits).adopt(name, numbers)
        self.shared = len(names)
        self.forget()

    def beginning_of(self, piece: int) -> int:
        """Return where a piece begins in the text."""
        index, position = self.boundary if self.boundary[0] <= piece else (0, 0)
        while index < piece:
            position += self.length_of(index)
            index += 1
        self.boundary = index, position
        return position

    def piece_at(self, position: int) -> int | None:
        """Return the piece that begins at a place of the text, or ``None``."""
        index, beginning = self.boundary
        while beginning < position and index < len(self.pieces):
            beginning += self.length_of(index)
            index += 1
        if beginning != position:
            return None
        self.boundary = index, beginning
        return index

    def length_of(self, index: int) -> int:
        """Return how many characters of the text a piece and the semicolon after it have."""
        piece = self.pieces[index]
        is_cut_at_brace = piece.endswith(BLOCK_BEGIN) or BLOCK_END in self.pieces[index : index + 2]
        return len(piece) + (not is_cut_at_brace)

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
            raise too_large("operations", requested, allowed)

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
            names = ", ".join(sorted(INCLUDES))
            msg = f"include {path[:100]!r} is not read: only {names} are, and they are built in"
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
        is_known = self.program is not None and name in self.program.globals.names
        if is_known or self.qubits.knows(name) or self.clbits.knows(name):
            msg = f"{name!r} is declared twice"
            raise CircuitInvalidError(msg, rule="redefinition")
        if self.modern and size is not None and not size.strip("0"):
            msg = f"{name!r} has no {'qubits' if kind == 'q' else 'bits'}; it needs at least one"
            raise CircuitInvalidError(msg, rule="register size")
        registers = self.qubits if kind == "q" else self.clbits
        registers.declare(name, size)
        if self.program is not None:
            self.program.globals.declare(name, _symbol(name, kind, registers.find(name)))
            self.program.out.num_qubits, self.program.out.num_clbits = self.qubits.count, self.clbits.count
            self.shared = len(self.program.globals.names)
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
            raise unknown_gate(name, self.definitions)
        return gate

    def refuse_words(self, statement: str) -> None:
        """Refuse a statement in a gate body that begins with a word of the language, except a barrier."""
        match = _FIRST_WORD.match(statement)
        word = match[1] if match else ""
        if self.modern and word in NOT_FLAT_WORDS:
            raise NotFlat
        if word in self.handlers and word not in {"barrier", "reset"}:
            msg = f"{word!r} cannot stand here"
            raise CircuitSyntaxError(msg)

    def call(self, piece: str) -> None:
        """Read a gate call, and append the gate once or for each element of registers."""
        name, angles, operands = split_call(piece)
        if self.modern and (name in NOT_FLAT_WORDS or (self.program is not None and name in self.program.subroutines)):
            raise NotFlat
        num_operands = operands.count(",") + 1 if operands else 0
        definition = self.definitions.get(name)
        callee: Gate | Definition
        if definition is not None and definition.unread:
            callee, params = definition, self.values_read(angles or "", definition)
        else:
            params = self.values(angles) if angles and not angles.isspace() else ()
            callee = self.find_gate(name, num_operands, len(params))
        registers = list(map(self.qubits.find, operands.split(","))) if operands else []
        if isinstance(callee, Definition) and callee.opaque and name in _IDLE:
            self.notes[NO_TIMING] = None
            return
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
        if definition.is_general:
            self.make_room(len(steps) * len(rows))
        append = self.operations.append
        for row in rows:
            for name, places, angles in steps:
                append(Operation(name, tuple([row[place] for place in places]), angles))

    def values_read(self, text: str, definition: Definition) -> tuple[float, ...]:
        """Return the values of an argument list, and 0 for those that the definition does not use."""
        parts = split_arguments(text) if text and not text.isspace() else []
        return tuple(
            [0.0 if place in definition.unread else self.expressions.value(part) for place, part in enumerate(parts)]
        )

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
        if match is None and not self.modern:
            self.general_assignment(piece)
            return
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
        place_, before, nesting = self.position(), len(self.operations), self.nesting
        operations = self.operations
        try:
            choice = self.read_choice(condition)
            has_changed = self.branch(body, choice, has_changed=False)
        except (CircuitSyntaxError, UnsupportedError):
            if self.modern:
                raise
            self.go_to(place_)
            self.operations, self.nesting = operations, nesting
            del operations[before:]
            self.general_if(condition, body)
            return
        self.choice = self.position(), choice, has_changed  # an `else` may follow, but only as the very next piece
        first = _FIRST_WORD.match(body)
        if first is not None and first[1] == "if":  # without braces, an `else` would belong to the inner `if`
            self.choice = None

    def general_if(self, condition: str, body: str) -> None:
        """Read an ``if`` of OpenQASM 2 whose condition is any expression of clbits."""
        with self.continuing() as program:
            decision = program.decide(program.value(self.expression(condition))(), both=False)

            def carry_out() -> None:
                outer, self.operations = self.operations, program.out.operations
                self.body(body)
                self.operations = outer

            if isinstance(decision, Decision):
                program.out.choose([(decision.then, carry_out)])
            else:
                program.out.choose([([()] if decision else [], carry_out)])
        self.choice = None

    def general_assignment(self, piece: str) -> None:
        """Read an assignment of OpenQASM 2, as tket and Quantinuum write it, to clbits."""
        try:
            statement = Parser(f"{piece};").statement()
        except CircuitSyntaxError as exc:
            raise CircuitSyntaxError(_without_place(exc)) from None
        if not isinstance(statement, Assignment):
            self.not_a_statement(piece)
            return
        with self.continuing() as program:
            program.assign(statement)()

    def expression(self, text: str) -> Expression:
        """Parse an expression of clbits."""
        try:
            parser = Parser(text)
            expression = parser.expression()
            if parser.tokens.kind != Kind.END:
                raise parser.tokens.unexpected()
        except CircuitSyntaxError as exc:
            raise CircuitSyntaxError(_without_place(exc)) from None
        return expression

    @contextmanager
    def continuing(self) -> Iterator[ControlFlow]:
        """Append what is not flat to the same operations for as long as the block lasts."""
        program = self.general()
        outer, program.out.operations = program.out.operations, self.operations
        try:
            yield program
        finally:
            program.out.operations = outer
            self.share()

    def read_choice(self, condition: str) -> Choice:
        """Read a condition; leave one with other names than those of clbits to the grammar."""
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
        self.body(body)
        inner, self.operations = self.operations, outer
        self.nesting -= 1
        operations, has_changed = make_conditional(inner, choice, has_changed=has_changed)
        self.make_room(len(operations))
        self.operations.extend(operations)
        return has_changed

    def body(self, body: str) -> None:
        """Read the body of an ``if``, which is a block or a single statement."""
        if body.strip() == BLOCK_BEGIN:
            for piece in self.block():
                self.flat_statement(piece)
        elif body.strip():
            self.flat_statement(body)
        else:
            raise CircuitSyntaxError("an 'if' is followed by nothing")


def _symbol(name: str, kind: str, numbers: int | range) -> Symbol:
    """Return what a register, or a single qubit or clbit, is for the statements that are not flat."""
    indices = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    if kind == "q":
        return Qubits(indices, single=isinstance(numbers, int))
    variable = Variable(name, Type("bit"))
    variable.live_at(indices, Type("bit", None if isinstance(numbers, int) else len(indices)))
    return variable


def _without_place(error: CircuitSyntaxError) -> str:
    """Return the message of an error about a part of a statement; the place of the whole statement is added to it."""
    return error.message.partition(": ")[2]
