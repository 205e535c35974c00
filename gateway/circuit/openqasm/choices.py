"""Simple ``if`` conditions: tests of bits and registers, joined by ``&&``.

Each becomes a conjunction of comparisons, which is all that an operation can carry. A parenthesised
group of bit tests, as in ``!(c[0] == 1 && c[2] == 0)``, is one comparison of several clbits.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.circuit.openqasm.wires import Wires
from gateway.circuit.operations import Comparison, Operation
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

_MAX_DIGITS = 4_000  # Python refuses to read longer integers
_IF = re.compile(r"\s*+if\s*+\(")
_MARK = re.compile(r"[()]|&&")
_GROUP = re.compile(r"\s*+(!?+)\s*+\(([^()]*+)\)\s*+\Z")
_TRUTHS = ("true", "false")
_TEST = re.compile(
    r"\s*+(!)?+\s*+([^\W\d]\w*+\s*+(?:\[\s*+[0-9]++\s*+\])?+)\s*+(?:(==|!=)\s*+([0-9]++|true|false)\s*+)?+\Z",
)


class Choice(NamedTuple):
    """When a branch is taken.

    Args:
        comparisons: all must hold; none means always.
        possible: false if the branch is never taken.
    """

    comparisons: tuple[Comparison, ...] = ()
    possible: bool = True

    def opposite(self) -> Choice:
        """Return when the other branch is taken.

        Raises:
            CircuitSyntaxError: that is no conjunction.
        """
        if not self.possible:
            return ALWAYS
        if not self.comparisons:
            return NEVER
        single = _merged(self.comparisons)
        if single is None:
            raise CircuitSyntaxError("the opposite of this condition is not a list of comparisons that all hold")
        if len(single.clbits) == 1:
            return Choice((Comparison(single.clbits, 1 - single.value, single.equal),))
        return Choice((Comparison(single.clbits, single.value, not single.equal),))

    def and_(self, other: Choice) -> Choice:
        """Return when both hold."""
        if not (self.possible and other.possible):
            return NEVER
        return Choice(self.comparisons + other.comparisons)


ALWAYS = Choice()
NEVER = Choice(possible=False)


def split_condition(statement: str) -> tuple[str, str]:
    """Split ``if (condition) rest`` into the condition and the rest.

    Raises:
        CircuitSyntaxError: no ``if``, or its parenthesis is not closed.
    """
    opening = _IF.match(statement)
    if opening is None:
        raise CircuitSyntaxError("'if' is followed by a condition in parentheses")
    depth = 1
    for mark in _MARK.finditer(statement, opening.end()):
        depth += {"(": 1, ")": -1}.get(mark.group(), 0)
        if depth == 0:
            return statement[opening.end() : mark.start()], statement[mark.end() :]
    raise CircuitSyntaxError("the condition of an 'if' is not closed by ')'")


def read_choice(text: str, clbits: Wires) -> Choice:
    """Read a condition.

    Raises:
        CircuitSyntaxError: more than simple tests joined by ``&&``.
        CircuitInvalidError: an unknown register or an index out of range.
    """
    choice = ALWAYS
    for part in _split_and(text):
        group = _GROUP.match(part)
        choice = choice.and_(_test(part, clbits) if group is None else _group(group[2], group[1], clbits))
    return choice


def conditioned(operations: list[Operation], choice: Choice, *, changed: bool) -> tuple[list[Operation], bool]:
    """Return the operations of a branch under a choice, and whether one of them changes what it tests.

    A barrier stays as it is, since it has no effect on results.

    Args:
        operations: what the branch does.
        choice: when it is taken.
        changed: an operation before these, under the same ``if``, changed a clbit the choice tests.

    Raises:
        UnsupportedError: an operation would be decided by a clbit that the ``if`` itself has changed.
    """
    if not choice.possible:
        return [], changed
    if not choice.comparisons:
        return operations, changed
    tested = {clbit for comparison in choice.comparisons for clbit in comparison.clbits}
    kept: list[Operation] = []
    for name, qubits, params, clbits, condition in map(_fields, operations):
        if name == "barrier":
            kept.append(Operation(name, qubits))
            continue
        if changed:
            msg = "an 'if' measures into a clbit that it tests and then goes on; measure into another clbit"
            raise UnsupportedError(msg, feature="if that changes its own condition")
        kept.append(Operation(name, qubits, params, clbits, choice.comparisons + condition))
        changed = not tested.isdisjoint(clbits)
    return kept, changed


def _fields(
    op: Operation,
) -> tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, ...], tuple[Comparison, ...]]:
    return op.name, op.qubits, op.params, op.clbits, op.condition


def _split_and(text: str) -> list[str]:
    parts: list[str] = []
    depth = start = 0
    for mark in _MARK.finditer(text):
        symbol = mark.group()
        if symbol == "&&":
            if depth == 0:
                parts.append(text[start : mark.start()])
                start = mark.end()
        else:
            depth += 1 if symbol == "(" else -1
    return [*parts, text[start:]]


def _group(text: str, sign: str, clbits: Wires) -> Choice:
    choice = ALWAYS
    for part in text.split("&&"):
        choice = choice.and_(_test(part, clbits))
    merged = _merged(choice.comparisons)
    if merged is not None:
        choice = Choice((merged,))
    return choice.opposite() if sign else choice


def _merged(comparisons: tuple[Comparison, ...]) -> Comparison | None:
    """Return one comparison that says the same as a conjunction, if there is one."""
    if len(comparisons) == 1:
        return comparisons[0]
    bits = tuple([comparison.clbits[0] for comparison in comparisons])
    simple = all(comparison.equal and len(comparison.clbits) == 1 for comparison in comparisons)
    if not simple or not bits or len(set(bits)) < len(bits):
        return None
    return Comparison(bits, sum(comparison.value << place for place, comparison in enumerate(comparisons)))


def _test(text: str, clbits: Wires) -> Choice:
    """Read ``c``, ``!c[0]``, ``c == 3``, ``c[0] != true`` or ``true``."""
    match = _TEST.match(text)
    if match is None or (match[1] and match[3]):
        msg = f"{text.strip()[:60]!r} is not a simple condition such as c == 1"
        raise CircuitSyntaxError(msg)
    name = match[2].strip()
    if name in _TRUTHS and match[3] is None and not clbits.knows(name):
        return ALWAYS if (name == "true") != bool(match[1]) else NEVER
    wires = clbits.find(name)
    bits = (wires,) if isinstance(wires, int) else tuple(wires)
    if match[3] is None or not match[4].isdigit():
        if len(bits) != 1:
            raise CircuitSyntaxError("only a single bit is true or false; compare a register with a number")
        return Choice((Comparison(bits, int(match[4] != "false" and not match[1]), match[3] != "!="),))
    if len(match[4]) > _MAX_DIGITS:
        msg = "a condition compares with a number of too many digits"
        raise LimitError(msg, limit="digits", requested=len(match[4]), allowed=_MAX_DIGITS)
    if not bits:
        raise CircuitInvalidError("a condition tests a register without bits", rule="condition")
    value, equal = int(match[4]), match[3] == "=="
    if value >> len(bits):
        return NEVER if equal else ALWAYS
    return Choice((Comparison(bits, value, equal),))
