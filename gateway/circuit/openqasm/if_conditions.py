"""Reads simple ``if`` conditions: tests of bits and registers, joined by ``&&``.

A condition becomes a conjunction of comparisons, which is all that an operation can have. A group of bit
tests in parentheses, as in ``!(c[0] == 1 && c[2] == 0)``, is one comparison of several clbits.
"""

from __future__ import annotations

import re

from gateway.circuit.conditions import ALWAYS, NEVER, both, clbits_of, compare, merge, opposite
from gateway.circuit.openqasm.registers import Registers
from gateway.circuit.operations import Comparison, Condition, Operation
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

_MAX_DIGITS = 4_000  # Python refuses to read longer integers
_IF = re.compile(r"\s*+if\s*+\(")
_MARK = re.compile(r"[()]|&&")
_GROUP = re.compile(r"\s*+(!?+)\s*+\(([^()]*+)\)\s*+\Z")
_TRUTHS = ("true", "false")
_TEST = re.compile(
    r"\s*+(!)?+\s*+([^\W\d]\w*+\s*+(?:\[\s*+[0-9]++\s*+\])?+)\s*+(?:(==|!=)\s*+([0-9]++|true|false)\s*+)?+\Z",
)


Choice = list[Condition]
"""The condition under which a branch happens: ``ALWAYS``, ``NEVER``, or a single condition."""


def other_choice(choice: Choice) -> Choice:
    """Return the choice under which the other branch happens.

    Raises:
        CircuitSyntaxError: this would not be a conjunction.
    """
    other = opposite(choice)
    if other is None:
        raise CircuitSyntaxError("the opposite of this condition is not a list of comparisons that all hold")
    return other


def split_condition(statement: str) -> tuple[str, str]:
    """Split ``if (condition) rest`` into the condition and the rest.

    Raises:
        CircuitSyntaxError: ``if`` has no parenthesis, or the parenthesis is not closed.
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


def read_choice(text: str, clbits: Registers) -> Choice:
    """Read a condition.

    Raises:
        CircuitSyntaxError: the condition has more than simple tests joined by ``&&``.
        CircuitInvalidError: a register is unknown, or an index is out of range.
    """
    choices = []
    for part in _split_and(text):
        group = _GROUP.match(part)
        choices.append(_test(part, clbits) if group is None else _group(group[2], group[1], clbits))
    return _all_of(choices)


def make_conditional(operations: list[Operation], choice: Choice, *, has_changed: bool) -> tuple[list[Operation], bool]:
    """Return the operations of a branch under its condition, and whether one has changed a clbit that this tests.

    A barrier stays as it is, since it has no effect on results.

    Args:
        operations: the operations of the branch.
        choice: the condition under which the branch happens.
        has_changed: whether an earlier operation of the same ``if`` has changed a clbit that the choice tests.

    Raises:
        UnsupportedError: an operation would depend on a clbit that the ``if`` itself has changed.
    """
    if choice == NEVER:
        return [], has_changed
    if choice == ALWAYS:
        return operations, has_changed
    (tests,) = choice
    tested_clbits = clbits_of(tests)
    conditional: list[Operation] = []
    for name, qubits, params, clbits, condition in map(_fields, operations):
        if name == "barrier":
            conditional.append(Operation(name, qubits))
            continue
        if has_changed:
            msg = "an 'if' measures into a clbit that it tests and then goes on; measure into another clbit"
            raise UnsupportedError(msg, feature="if that changes its own condition")
        conditional.append(Operation(name, qubits, params, clbits, both(tests, condition) if condition else tests))
        has_changed = not tested_clbits.isdisjoint(clbits)
    return conditional, has_changed


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


def _group(text: str, sign: str, clbits: Registers) -> Choice:
    choice = [merge(condition) for condition in _all_of([_test(part, clbits) for part in text.split("&&")])]
    return other_choice(choice) if sign else choice


def _all_of(choices: list[Choice]) -> Choice:
    """Return the conjunction of choices."""
    return NEVER if NEVER in choices else [both(*[condition for choice in choices for condition in choice])]


def _test(text: str, clbits: Registers) -> Choice:
    """Read ``c``, ``!c[0]``, ``c == 3``, ``c[0] != true`` or ``true``."""
    match = _TEST.match(text)
    if match is None or (match[1] and match[3]):
        msg = f"{text.strip()[:60]!r} is not a simple condition such as c == 1"
        raise CircuitSyntaxError(msg)
    name = match[2].strip()
    if name in _TRUTHS and match[3] is None and not clbits.knows(name):
        return ALWAYS if (name == "true") != bool(match[1]) else NEVER
    register = clbits.find(name)
    bits = (register,) if isinstance(register, int) else tuple(register)
    if match[3] is None or not match[4].isdigit():
        if len(bits) != 1:
            raise CircuitSyntaxError("only a single bit is true or false; compare a register with a number")
        return compare(bits, int(match[4] != "false" and not match[1]), equal=match[3] != "!=", as_written=True)
    if len(match[4]) > _MAX_DIGITS:
        msg = "a condition compares with a number of too many digits"
        raise LimitError(msg, limit="digits", requested=len(match[4]), allowed=_MAX_DIGITS)
    if not bits:
        raise CircuitInvalidError("a condition tests a register without bits", rule="condition")
    return compare(bits, int(match[4]), equal=match[3] == "==", as_written=True)
