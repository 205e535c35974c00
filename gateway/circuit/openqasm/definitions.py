"""The gate definitions of a text, which are checked when they are read and inlined when they are called."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.circuit.gates import MANY_CONTROLLED, Gate, Step, find
from gateway.circuit.modifiers import many_controlled
from gateway.circuit.openqasm.expressions import Expression, compile_expression, split_arguments
from gateway.circuit.openqasm.statements import split_call
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, LimitError, UnsupportedError

MAX_NESTING = 100
_CACHE_STEPS = 100_000
_SEVERAL, _MANY, _STEPS_OF_MANY = 10, 100, 7
"""A gate on n qubits under control becomes ``n**2`` steps or more from 10 qubits on, and 7 times as many beyond 100."""

_HEAD = re.compile(r"\s*+(gate|opaque)\s++([^\W\d]\w*+)\s*+(?:\(([^()]*+)\))?+([^(){}]*+)\{?+\s*+\Z")
_IDENTIFIER = re.compile(r"[^\W\d]\w*+")


class BodyStatement(NamedTuple):
    """A statement in the body of a definition: the gate that it calls, positions of formal qubits, and angles."""

    callee: Definition | str
    places: tuple[int, ...]
    params: tuple[Expression, ...]


@dataclass(slots=True)
class Definition:
    """A ``gate`` or ``opaque`` declaration.

    Args:
        name: the name of the gate.
        params: name of each formal angle -> its position.
        qubits: name of each formal qubit -> its position.
        opaque: the gate is declared without a body.
        body: the statements that expand to at least one operation.
        build: returns the steps of one call instead of a body.
        size: how many operations one call expands to.
        work: how many steps and terms one call evaluates, for a bound on time.
        nesting: how many levels deep this definition calls others, itself included.
        unread: the positions of the angles that the body does not use; a call may give anything for them, as Qiskit
            writes complex amplitudes and Pauli words.
        is_general: whether the body has more than calls, so that its size is known only when it is expanded.
    """

    name: str
    params: dict[str, int]
    qubits: dict[str, int]
    opaque: bool = False
    body: list[BodyStatement] = field(default_factory=list)
    build: Callable[[tuple[float, ...]], list[Step]] | None = None
    size: int = 0
    work: int = 1
    nesting: int = 1
    unread: frozenset[int] = frozenset()
    is_general: bool = False
    _expansions: dict[tuple[float, ...], list[Step]] = field(default_factory=dict)

    def check(self, num_qubits: int, num_params: int) -> None:
        """Check that a call with these numbers of qubits and parameters is right and can be expanded.

        Raises:
            CircuitInvalidError: a number is wrong.
            UnsupportedError: the gate is opaque.
        """
        for what, actual, expected in (
            ("qubits", num_qubits, len(self.qubits)),
            ("parameters", num_params, len(self.params)),
        ):
            if actual != expected:
                msg = f"the gate {self.name!r} is defined for {expected} {what}, not {actual}"
                raise CircuitInvalidError(msg, rule=f"number of {what}")
        if self.opaque:
            msg = f"the gate {self.name!r} is declared opaque, so what it does is unknown; define it with 'gate'"
            raise UnsupportedError(msg, feature="opaque gate")

    def expand(self, values: tuple[float, ...]) -> list[Step]:
        """Return one call as gates of the table, on the positions of the formal qubits."""
        steps = self._expansions.get(values)
        if steps is not None:
            return steps
        steps = [] if self.build is None else self.build(values)
        for callee, places, params in self.body:
            inner = tuple([param.evaluate(values) for param in params])
            if isinstance(callee, str):
                steps.append((callee, places, inner))
                continue
            for name, inner_places, angles in callee.expand(inner):
                steps.append((name, tuple([places[place] for place in inner_places]), angles))
        if (len(self._expansions) + 1) * max(self.size, len(steps)) <= _CACHE_STEPS:
            self._expansions[values] = steps
        return steps

    def add(self, statement: str, find: Callable[[str, int, int], Gate | Definition], *, strict: bool) -> None:
        """Append a statement of the body.

        Args:
            statement: a gate call or a barrier.
            find: returns the gate that a name stands for here, given its numbers of qubits and parameters, or raises.
            strict: whether expressions are read as OpenQASM 3.
        """
        name, angles, operands = split_call(statement)
        places = self._places(operands)
        if name == "barrier":
            places = places or tuple(range(len(self.qubits)))
            self.body += [BodyStatement(name, places, ())] if places else []
            self.size = self.size + bool(places)
            return
        if name == "reset" and angles is None:
            self.body += [BodyStatement(name, (place,), ()) for place in places]
            self.size += len(places)
            return
        if name == self.name:
            msg = f"the gate {name!r} calls itself"
            raise CircuitInvalidError(msg, rule="recursion")
        arguments = split_arguments(angles) if angles and not angles.isspace() else []
        callee = find(name, len(places), len(arguments))
        params = self._compiled(arguments, callee, strict=strict)
        callee.check(len(places), len(params))
        self.work += 1 + sum(len(param.program) for param in params)
        if isinstance(callee, Gate):
            self.body.append(BodyStatement(callee.name, places, params))
            self.size += 1
        else:
            self._add_nested(BodyStatement(callee, places, params), callee)

    def _compiled(self, arguments: list[str], callee: Gate | Definition, *, strict: bool) -> tuple[Expression, ...]:
        unread = callee.unread if isinstance(callee, Definition) else frozenset()
        params = tuple(
            [
                compile_expression("0" if place in unread else each, self.params, strict=strict)
                for place, each in enumerate(arguments)
            ]
        )
        self.unread -= {number for param in params for function, number, _ in param.program if function is None}
        return params

    def _add_nested(self, statement: BodyStatement, callee: Definition) -> None:
        self.nesting = max(self.nesting, callee.nesting + 1)
        if self.nesting > MAX_NESTING:
            msg = f"gate definitions call each other more than {MAX_NESTING} levels deep"
            raise LimitError(msg, limit="nesting", requested=self.nesting, allowed=MAX_NESTING)
        if callee.size:  # without this check, an empty gate that is doubled 40 times would take hours to expand
            self.body.append(statement)
            self.size += callee.size
            self.work += callee.work

    def _places(self, operands: str) -> tuple[int, ...]:
        names = [name.strip() for name in operands.split(",")] if operands.strip() else []
        for name in names:
            if name not in self.qubits:
                if not _IDENTIFIER.fullmatch(name):
                    msg = f"{name[:40]!r} is not a qubit of the gate {self.name!r}"
                    raise CircuitSyntaxError(msg)
                msg = f"the gate {self.name!r} has no qubit {name!r}"
                raise CircuitInvalidError(msg, rule="register")
        if len(set(names)) < len(names):
            msg = f"the gate {self.name!r} names a qubit twice: {', '.join(names)}"
            raise CircuitInvalidError(msg, rule="distinct qubits")
        return tuple([self.qubits[name] for name in names])


def read_head(statement: str) -> Definition:
    """Read ``gate name(params) qubits {`` or ``opaque name(params) qubits``.

    Raises:
        CircuitSyntaxError: the statement is neither.
        CircuitInvalidError: a formal name occurs twice (rule ``redefinition``).
    """
    match = _HEAD.match(statement)
    if match is None:
        excerpt = " ".join(statement.split())[:40]
        msg = f"{excerpt!r} does not declare a gate"
        raise CircuitSyntaxError(msg)
    keyword, name, params, qubits = match.groups()
    parameters, operands = _names(params or ""), _names(qubits)
    if len({*parameters, *operands}) < len(parameters) + len(operands):
        msg = f"the gate {name!r} uses a name twice: {', '.join([*parameters, *operands])[:80]}"
        raise CircuitInvalidError(msg, rule="redefinition")
    unread = frozenset(range(len(parameters)))
    return Definition(name, _numbered(parameters), _numbered(operands), opaque=keyword == "opaque", unread=unread)


def built_in(name: str, num_qubits: int, num_params: int, most_operations: int) -> Gate | Definition | None:
    """Return the gate that a name which the text does not define stands for; ``None`` if there is none.

    Args:
        name: a name or another name of a row, or a key of :data:`gateway.circuit.gates.MANY_CONTROLLED`.
        num_qubits: how many qubits the text gives.
        num_params: how many parameters it gives.
        most_operations: into how many operations a gate may expand.

    Raises:
        CircuitInvalidError: a number is wrong for a gate with any number of controls.
        LimitError: such a gate has too many controls.
    """
    gate = find(name, num_params)
    if gate is not None or name not in MANY_CONTROLLED:
        return gate
    least = num_qubits**2 * (_STEPS_OF_MANY if num_qubits > _MANY else 1) if num_qubits >= _SEVERAL else 0
    if least > most_operations:
        msg = f"{name} on {num_qubits} qubits becomes {least:,} operations or more; {most_operations:,} are accepted"
        raise LimitError(msg, limit="operations", requested=least, allowed=most_operations)
    places = range(num_qubits)
    size = len(many_controlled(name, places, (1.0,) * num_params))
    return Definition(
        name,
        {f"param{place}": place for place in range(num_params)},
        {f"q{place}": place for place in places},
        build=lambda values: many_controlled(name, places, values),
        size=size,
        work=size,
    )


def _names(text: str) -> list[str]:
    if not text.strip():
        return []
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if not _IDENTIFIER.fullmatch(name):
            msg = f"{name[:40]!r} is not a name" if name else "a name is missing"
            raise CircuitSyntaxError(msg)
    return names


def _numbered(names: list[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}
