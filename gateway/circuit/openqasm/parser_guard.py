"""Guards the full parser: refuses a text that would make the reference parser hang, crash or run out of memory.

The guard passes over the tokens once, in time linear in the text and without recursion. It understands just
enough of OpenQASM 3 to count operations: brackets, literal register sizes, literal loop ranges and gate
definitions. It counts everything else as nothing, because the full parser counts again, exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.circuit.gates import ALIASES, GATES, MANY_CONTROLLED
from gateway.circuit.openqasm.statements import INCLUDES, blank_comments
from gateway.circuit.operations import Limits
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError

MAX_STATEMENTS = 20_000
"""The reference parser takes about 0.3 ms for each statement."""
MAX_TOKENS = 200_000
MAX_NESTING = 100
MAX_OPERATORS = 200
MAX_ELSE_IFS = 100

_TOKEN = re.compile(r"\"[^\"\n]*+\"?|'[^'\n]*+'?|[^\W\d]\w*+|[0-9][\w.]*+|\*\*|\+\+|&&|\|\||[=!<>]=|->|[^\s\w]")
_OPERATORS = frozenset(["+", "-", "*", "/", "%", "^", "&", "|", "~", "!", "<", ">", "**", "++", "&&", "||", "@"])
_OPERATORS |= {"==", "!=", "<=", ">="}
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ENDS_OPERAND_LIST = frozenset(",;{}")
_BEFORE_SET = frozenset(["=", "in", ",", "[", "("])
_CONTROL = frozenset(["if", "else", "for", "while", "switch", "end", "box", "case", "default"])
_OPERATIONS = frozenset([*GATES, *ALIASES, *MANY_CONTROLLED, "measure", "reset", "ctrl", "negctrl", "inv", "pow"])
_MANY = 10**18


def screen(text: str, limits: Limits) -> None:
    """Refuse a text that the reference parser should not get.

    Raises:
        CircuitInvalidError: the text includes a file (rule ``include``); no byte of the file is read.
        CircuitSyntaxError: brackets do not match, or a comment is not closed.
        LimitError: the text has too many statements or tokens, is nested too deep, or exceeds the limits with
            its declared sizes or its operations, where literal loops and gate definitions are multiplied out.
    """
    text = blank_comments(text)
    _at_most("statements", text.count(";"), MAX_STATEMENTS, "of OpenQASM 3 that needs the full parser")
    _Screen(text, limits).run()


def _at_most(what: str, requested: int, allowed: int, where: str = "") -> None:
    if requested > allowed:
        msg = f"the text has {min(requested, _MANY):,} {what} {where or 'or more'}; at most {allowed:,} are accepted"
        raise LimitError(msg, limit=what, requested=min(requested, _MANY), allowed=allowed)


@dataclass(slots=True)
class _Block:
    """A block that is still open, or the whole text.

    Args:
        times: how often its statements are carried out.
        name: the name of the gate or subroutine that the block defines.
        operations: how many operations one pass through the block has so far.
        pending: the factor of a loop whose body is the next single statement.
    """

    times: int = 1
    name: str | None = None
    operations: int = 0
    pending: int = 1


@dataclass(slots=True)
class _Screen:
    text: str
    limits: Limits
    brackets: list[str] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=lambda: [_Block()])
    statement: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    qubits: int = 0
    clbits: int = 0
    operators: int = 0
    else_ifs: int = 0
    position: int = 0

    def run(self) -> None:
        """Check every token."""
        skip_to = 0
        for number, match in enumerate(_TOKEN.finditer(self.text)):
            if number > MAX_TOKENS:
                _at_most("tokens", number, MAX_TOKENS)
            self.position = match.start()
            if self.position < skip_to:
                continue
            word = match.group()
            if not self.statement and word in {"#", "@", "pragma"}:  # such a statement reaches to the end of its line
                end = self.text.find("\n", match.end())
                skip_to = len(self.text) if end < 0 else end
                continue
            self.take(word)
        if self.brackets:
            msg = f"{self.brackets[-1]!r} is not closed"
            text = self.text.rstrip()
            raise CircuitSyntaxError(msg, line=text.count("\n") + 1, column=len(text) - text.rfind("\n"))
        self.check_operations()

    def line(self) -> int:
        """Return the line of the current token."""
        return self.text.count("\n", 0, self.position) + 1

    def take(self, word: str) -> None:
        """Check one token; ``;`` and the braces of blocks end a statement."""
        if word in _OPERATORS or (word == "[" and self.statement[-1:] == ["]"]):
            self.operators += 1
            if self.operators > MAX_OPERATORS:
                _at_most("operators in one expression", self.operators, MAX_OPERATORS)
        elif word in _ENDS_OPERAND_LIST:
            self.operators = 0
        if word in "([{":
            self.open(word)
        elif word in _PAIRS:
            self.close(word)
        elif word == ";":
            self.end_statement()
        else:
            self.statement.append(word)

    def open(self, word: str) -> None:
        """Note an opening bracket; a brace opens a block unless it begins a set."""
        is_set = word == "{" and self.statement[-1:] and self.statement[-1] in _BEFORE_SET
        self.brackets.append("set" if is_set else word)
        if len(self.brackets) > MAX_NESTING:
            _at_most("levels of brackets", len(self.brackets), MAX_NESTING)
        if word == "{" and not is_set:
            self.open_block()
        else:
            self.statement.append(word)

    def close(self, word: str) -> None:
        """Note a closing bracket, which must match the last open one."""
        bracket = self.brackets.pop() if self.brackets else ""
        if bracket != _PAIRS[word] and not (bracket == "set" and word == "}"):
            msg = f"{word!r} closes nothing"
            column = self.position - self.text.rfind("\n", 0, self.position)
            raise CircuitSyntaxError(msg, line=self.line(), column=column)
        if bracket == "{":
            self.close_block()
        else:
            self.statement.append(word)

    def open_block(self) -> None:
        """Enter a block; the statement before its brace is its header."""
        header, self.statement = self.statement, []
        self.check_header(header)
        name = header[1] if header[:1] in (["gate"], ["def"]) and len(header) > 1 else None
        times = self.blocks[-1].pending * _times(header)
        self.blocks[-1].pending = 1
        self.blocks.append(_Block(min(times, _MANY), name))

    def close_block(self) -> None:
        """Leave a block, and add its operations to its definition or to the block around it."""
        self.end_statement()
        block = self.blocks.pop()
        total = min(block.operations * block.times, _MANY)
        if block.name is not None:
            self.sizes[block.name] = total
        else:
            self.blocks[-1].operations = min(self.blocks[-1].operations + total, _MANY)

    def end_statement(self) -> None:
        """Count the operations of a simple statement."""
        statement, self.statement = self.statement, []
        if not statement:
            return
        self.check_header(statement)
        block = self.blocks[-1]
        if statement[0] in _CONTROL:
            block.pending = min(block.pending * _times(statement), _MANY)
        operations = sum([self.sizes[word] for word in statement if word in self.sizes])
        if not operations:
            operations = int(not _OPERATIONS.isdisjoint(statement))
        if statement[0] in {"gate", "def", "opaque", "extern"}:
            operations = 0
        block.operations = min(block.operations + operations * block.pending, _MANY)
        block.pending = 1
        if len(self.blocks) == 1:
            self.declare(statement)

    def check_header(self, statement: list[str]) -> None:
        """Refuse included files, long chains of ``else if``, and deeply nested loops without braces."""
        if statement[0] == "include" if statement else False:
            path = statement[1].strip("\"'") if len(statement) > 1 else ""
            if path not in INCLUDES:
                names = " and ".join(sorted(INCLUDES))
                msg = f"include {path[:100]!r} is not read: only {names} can be included, and they are built in"
                raise CircuitInvalidError(msg, rule="include", line=self.line())
        nesting = sum([word in _CONTROL for word in statement])
        if nesting > MAX_NESTING:
            _at_most("levels of control flow", nesting, MAX_NESTING)
        if statement[:2] == ["else", "if"]:
            self.else_ifs += 1
            if self.else_ifs > MAX_ELSE_IFS:
                _at_most("'else if'", self.else_ifs, MAX_ELSE_IFS)

    def declare(self, statement: list[str]) -> None:
        """Add the size of a register that is declared with a literal."""
        kind = statement[0]
        if kind in {"qubit", "bit"}:
            size = _literal(statement[2]) if statement[1:2] == ["["] and len(statement) > 2 else 1  # noqa: PLR2004
        elif kind in {"qreg", "creg"}:
            size = _literal(statement[3]) if statement[2:3] == ["["] and len(statement) > 3 else 1  # noqa: PLR2004
        else:
            return
        if kind[0] == "q":
            self.qubits += size or 0
            _at_most("qubits", self.qubits, self.limits.qubits)
        else:
            self.clbits += size or 0
            _at_most("clbits", self.clbits, self.limits.clbits)

    def check_operations(self) -> None:
        """Compare the number of operations of the whole text with the limit."""
        _at_most("operations", self.blocks[0].operations, self.limits.operations)


def _literal(word: str) -> int | None:
    """Return the value of an integer literal, at most ``_MANY``; ``None`` if the word is not one."""
    digits = word.replace("_", "")
    if digits.isascii() and digits.isdigit():
        return int(digits) if len(digits) <= len(str(_MANY)) else _MANY
    try:
        return min(int(digits[:40], 0), _MANY)
    except ValueError:
        return None


def _times(header: list[str]) -> int:
    """Return how often the loops at the beginning of a statement repeat it, as far as literals tell."""
    times = 1
    for index, word in enumerate(header):
        if word != "in" or index + 1 >= len(header):
            continue
        closing = {"[": "]", "{": "}"}.get(header[index + 1])
        if closing is None or closing not in header[index:]:
            continue
        inside = header[index + 2 : header.index(closing, index)]
        times *= inside.count(",") + 1 if closing == "}" else _range_length(inside)
    return min(times, _MANY)


def _range_length(inside: list[str]) -> int:
    """Return the length of ``a:b`` or ``a:step:b``; 1 if it is not literal."""
    bounds: list[int] = []
    for part in " ".join(inside).split(":"):
        sign, digits = (-1, part.strip()[1:].strip()) if part.strip()[:1] == "-" else (1, part.strip())
        value = _literal(digits)
        if value is None:
            return 1
        bounds.append(sign * value)
    if len(bounds) not in {2, 3}:
        return 1
    first, last, step = bounds[0], bounds[-1], bounds[1] if len(bounds) == 3 else 1  # noqa: PLR2004
    return max(0, (last - first) // step + 1) if step else 1
