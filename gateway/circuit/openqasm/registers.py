"""Maps the names of qubits and clbits in a text to their numbers in the circuit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import repeat

from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError

_OPERAND = re.compile(r"([^\W\d]\w*+)\s*+(?:\[\s*+([0-9]++)\s*+\])?+")
_DIGITS = 12  # a longer number exceeds any limit, and int() of very many digits is slow or refused


class Registers:
    """The qubits, or the clbits, that a text has declared so far.

    Args:
        kind: ``qubit`` or ``clbit``, for messages.
        allowed: how many of them there may be.
    """

    def __init__(self, kind: str, allowed: int) -> None:
        self.kind = kind
        self.allowed = allowed
        self.count = 0
        self._numbers: dict[str, int | range] = {}  # every name, and every operand text so far

    def knows(self, name: str) -> bool:
        """Return whether a register, or a single qubit or clbit, has this name."""
        return name in self._numbers

    def declare(self, name: str, size: str | None) -> None:
        """Declare a register of so many qubits or clbits, or a single one if ``size`` is ``None``.

        Raises:
            LimitError: there would be more than allowed.
        """
        number = 1 if size is None else int(size[-_DIGITS:]) if size.lstrip("0")[_DIGITS:] == "" else 10**_DIGITS
        requested = self.count + number
        if requested > self.allowed:
            msg = f"the circuit has {requested:,} {self.kind}s or more; at most {self.allowed:,} are accepted"
            raise LimitError(msg, limit=f"{self.kind}s", requested=requested, allowed=self.allowed)
        self._numbers[name] = self.count if size is None else range(self.count, requested)
        self.count = requested

    def adopt(self, name: str, numbers: int | range) -> None:
        """Let a name stand for qubits or clbits that are there already."""
        self._numbers[name] = numbers

    def declared(self) -> Iterator[tuple[str, int | range]]:
        """Yield what was declared, without the operands read since."""
        return ((name, number) for name, number in self._numbers.items() if name.isidentifier())

    def find(self, text: str) -> int | range:
        """Return the number that an operand stands for, or the numbers of a whole register.

        Raises:
            CircuitSyntaxError: the operand is not ``name`` or ``name[number]``.
            CircuitInvalidError: the name is unknown (rule ``register``) or the index out of range (``index``).
        """
        text = text.strip()
        number = self._numbers.get(text)
        return self._find_new(text) if number is None else number

    def _find_new(self, text: str) -> int | range:
        match = _OPERAND.fullmatch(text)
        if match is None:
            msg = f"{text[:40]!r} is not a {self.kind} or a register" if text else f"a {self.kind} is missing"
            raise CircuitSyntaxError(msg)
        name, index = match.groups()
        register = self._numbers.get(name)
        if register is None:
            msg = f"no {self.kind} or register of {self.kind}s is named {name[:80]!r}"
            raise CircuitInvalidError(msg, rule="register")
        if isinstance(register, int) or index is None:
            msg = f"{name!r} is a single {self.kind} and takes no index"
            raise CircuitInvalidError(msg, rule="index")
        index = index.lstrip("0") or "0"
        if len(index) > _DIGITS or int(index) >= len(register):
            msg = f"{name!r} has {len(register)} {self.kind}(s), so there is no {name}[{index[:20]}]"
            raise CircuitInvalidError(msg, rule="index")
        number = self._numbers[text] = register[int(index)]
        return number


def broadcast(operands: list[int | range], gate: str) -> list[tuple[int, ...]]:
    """Return the qubits of each application of a gate: registers advance together, and single qubits repeat.

    Raises:
        CircuitInvalidError: registers have different sizes (rule ``register size``), or a qubit is named
            twice (rule ``distinct qubits``).
    """
    if range not in map(type, operands):
        return [_distinct(tuple(operands), gate)]  # type: ignore[arg-type]  # all are int
    sizes = {len(operand) for operand in operands if isinstance(operand, range)}
    if len(sizes) > 1:
        msg = f"{gate} is applied to registers of different sizes: {', '.join(map(str, sorted(sizes)))}"
        raise CircuitInvalidError(msg, rule="register size")
    size = sizes.pop()
    columns = [operand if isinstance(operand, range) else repeat(operand, size) for operand in operands]
    return [_distinct(row, gate) for row in zip(*columns, strict=True)]


def _distinct(qubits: tuple[int, ...], gate: str) -> tuple[int, ...]:
    if len(set(qubits)) < len(qubits):
        msg = f"{gate} names a qubit twice"
        raise CircuitInvalidError(msg, rule="distinct qubits")
    return qubits
