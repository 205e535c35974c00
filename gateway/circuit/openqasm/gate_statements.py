"""Compiles statements on qubits: gates with their definitions and modifiers, measurements, resets, barriers."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from gateway.circuit import modifiers
from gateway.circuit.expressions import Expression
from gateway.circuit.gates import ALIASES, GATES, MANY_CONTROLLED, Gate, Step
from gateway.circuit.openqasm import syntax
from gateway.circuit.openqasm.definitions import MAX_NESTING, Definition, built_in
from gateway.circuit.openqasm.evaluation import Evaluate, Evaluation, Part, constant, constant_of, invalid
from gateway.circuit.openqasm.scopes import Qubits, Scope, Variable
from gateway.circuit.openqasm.values import Choice, Kind, combined, refusal
from gateway.circuit.operations import NO_TIMING, Operation
from gateway.errors import CircuitInvalidError, LimitError

Run = Callable[[], None]
"""Carries out a statement."""

_CHEAP_CONTROLS = 5
_STEPS_OF_A_ROOT = 3
_FORMAL = Kind("float")


class Modifier(NamedTuple):
    """``ctrl``, ``negctrl``, ``inv`` or ``pow``, and the function of its number of controls or its exponent."""

    name: str
    argument: Evaluate

    def controls(self) -> int:
        """Return the number of controls."""
        return int(self.argument()) if self.name in {"ctrl", "negctrl"} else 0


class GateStatements(Evaluation):
    """Compiles the statements on qubits."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of the class above
        super().__init__(*args, **options)
        self.definitions: dict[str, Definition] = {}
        self.collecting: list[Step] | None = None
        self._nesting = 0  # of the gate definition that is being compiled

    # ------------------------------------------------------------------ definitions

    def define_gate(self, node: syntax.GateDefinition) -> Run:
        """Compile a definition; it takes precedence over the table from here on."""
        name = node.name
        if name in self.definitions:
            raise invalid("redefinition", f"the gate {name!r} is defined twice")
        names = [*node.angles, *node.qubits]
        if len(set(names)) < len(names):
            raise invalid("redefinition", f"the gate {name!r} uses a name twice: {', '.join(names)[:80]}")
        definition = Definition(
            name,
            {angle: place for place, angle in enumerate(node.angles)},
            {qubit: place for place, qubit in enumerate(node.qubits)},
        )
        outer, self._nesting = self._nesting, 1
        definition.build, definition.unread = self._compiled_body(node)
        definition.nesting, self._nesting = self._nesting, outer
        definition.is_general = True
        self.definitions[name] = definition
        return _do_nothing

    def _compiled_body(
        self, node: syntax.GateDefinition
    ) -> tuple[Callable[[tuple[Any, ...]], list[Step]], frozenset[int]]:
        """Return the function from angles to steps on the places of the qubits, and the angles that nothing reads."""
        scope = Scope(self.globals, is_inner=True)
        angles = [Variable(name, _FORMAL, 0.0) for name in node.angles]
        for angle in angles:
            scope.declare(angle.name, angle)
        for place, name in enumerate(node.qubits):
            scope.declare(name, Qubits((place,), single=True))
        run = self.compile_block(node.body, scope).run
        words = set(_names_in(node.body))
        unread = frozenset([place for place, name in enumerate(node.angles) if name not in words])

        def build(values: tuple[Any, ...]) -> list[Step]:
            outer = self.collecting, [angle.value for angle in angles]
            steps: list[Step] = []
            self.collecting = steps
            for angle, value in zip(angles, values, strict=True):
                angle.value = value
            try:
                run()
            finally:
                self.collecting = outer[0]
                for angle, value in zip(angles, outer[1], strict=True):
                    angle.value = value
            return steps

        return build, unread

    def compile_block(self, statements: Sequence[syntax.AnyStatement], scope: Scope) -> Any:  # noqa: ANN401 - see there
        """Compile statements; the class that knows all statements implements this."""
        raise NotImplementedError

    def find_gate(self, name: str, num_qubits: int, num_params: int) -> Gate | Definition:
        """Return the gate that a name stands for at this place of the text."""
        gate = self.definitions.get(name) or built_in(name, num_qubits, num_params, self.out.limits.operations)
        if gate is None:
            raise unknown_gate(name, self.definitions)
        return gate

    # ------------------------------------------------------------------ calls

    def call_gate(self, node: syntax.GateCall) -> Run:
        """Compile the application of a gate, once or for each element of registers."""
        if node.is_timed:
            self.out.note(NO_TIMING)
        chain_ = [self._modifier(modifier) for modifier in node.modifiers]
        operands = [self.qubits(operand) for operand in node.operands]
        if node.name == "gphase":
            return self._call_phase(node, chain_, operands)
        own = len(operands) - sum(_fixed_controls(modifier) for modifier in chain_)
        callee = self.find_gate(node.name, own, len(node.angles))
        if isinstance(callee, Definition):
            self._nesting = max(self._nesting, callee.nesting + 1)
            if self._nesting > MAX_NESTING:
                msg = f"gate definitions call each other more than {MAX_NESTING} levels deep"
                raise LimitError(msg, limit="nesting", requested=self._nesting, allowed=MAX_NESTING)
        unread = callee.unread if isinstance(callee, Definition) else frozenset()
        angles = [constant(0.0) if k in unread else self.number(angle) for k, angle in enumerate(node.angles)]
        num_qubits = len(callee.qubits) if isinstance(callee, Definition) else callee.num_qubits
        if not chain_:
            callee.check(len(operands), len(angles))
            if isinstance(callee, Gate):
                is_single = all(operand.single for operand in operands)
                return (self._plain_call if is_single else self._broadcast_call)(callee.name, operands, angles)
        else:
            callee.check(num_qubits, len(angles))
        if isinstance(callee, Definition):
            return self._general_call(node.name, num_qubits, chain_, operands, angles, partial(self._expand, callee))
        row = callee.name
        return self._general_call(
            node.name, num_qubits, chain_, operands, angles, lambda qubits, params: [(row, qubits, params)]
        )

    def _call_phase(self, node: syntax.GateCall, chain_: list[Modifier], operands: list[Part]) -> Run:
        GATES["gphase"].check(0, len(node.angles))
        angles = [self.number(angle) for angle in node.angles]
        return self._general_call("gphase", 0, chain_, operands, angles, lambda _, params: [("gphase", (), params)])

    def _plain_call(self, name: str, operands: list[Part], angles: list[Evaluate]) -> Run:
        """Return the function of a gate of the table on single qubits, which is most of what loops do."""
        qubits_of = _joined([operand.indices for operand in operands])
        fixed = constant_of(qubits_of)
        if fixed is not None:
            _check_distinct(fixed, name)
        out, count = self.out, len(operands)

        def run() -> None:
            qubits = qubits_of()
            if count > 1 and len(set(qubits)) < count:
                _check_distinct(qubits, name)
            params = tuple([angle() for angle in angles]) if angles else ()
            for param in params:
                if type(param) is not float or param * 0.0 != 0.0:
                    self.with_known(params, lambda known: self.deliver([(name, qubits, known)]))
                    return
            if self.collecting is None:
                out.add(Operation(name, qubits, params))
            else:
                self.deliver([(name, qubits, params)])

        return run

    def _broadcast_call(self, name: str, operands: list[Part], angles: list[Evaluate]) -> Run:
        """Return the function of a gate of the table on registers."""
        add = self.out.add

        def apply(params: tuple[Any, ...]) -> None:
            rows = _rows(name, operands)
            if self.collecting is None and all(type(param) is float and param * 0.0 == 0.0 for param in params):
                for row in rows:
                    add(Operation(name, row, params))
            else:
                self.deliver([(name, row, params) for row in rows])

        return lambda: self.with_known(tuple([angle() for angle in angles]), apply)

    def _expand(self, definition: Definition, qubits: tuple[int, ...], params: tuple[Any, ...]) -> list[Step]:
        """Return a call of a defined gate as steps."""
        self.out.check_operations(definition.size)
        return [
            (name, tuple([qubits[place] for place in places]), angles)
            for name, places, angles in definition.expand(params)
        ]

    def _general_call(
        self,
        name: str,
        num_qubits: int,
        chain_: list[Modifier],
        operands: list[Part],
        angles: list[Evaluate],
        expand: Callable[[tuple[int, ...], tuple[Any, ...]], list[Step]],
    ) -> Run:
        """Return the function that applies what ``expand`` returns, after applying the modifiers of the call to it."""

        def run() -> None:
            params = tuple([angle() for angle in angles])
            controls = sum([modifier.controls() for modifier in chain_])
            expected = num_qubits + controls
            if len(operands) != expected:
                what = f"{name} acts on {expected} qubit{'' if expected == 1 else 's'}, not {len(operands)}"
                raise invalid("number of qubits", what)
            rows = list(_rows(name, operands))
            self.with_known(params, lambda known: apply(rows, controls, known))

        def apply(rows: list[tuple[int, ...]], controls: int, params: tuple[Any, ...]) -> None:
            for row in rows:
                steps = expand(row[controls:], params)
                free = row[:controls]
                for modifier in reversed(chain_):
                    first = len(free) - modifier.controls()
                    steps, free = self._modify(steps, modifier, free[first:]), free[:first]
                self.deliver(steps)

        return run

    def with_known(self, params: tuple[Any, ...], act: Callable[[tuple[Any, ...]], None]) -> None:
        """Do something with values; under each condition once if outcomes choose among several."""
        if Choice not in map(type, params):
            act(params)
            return
        choices = [param if isinstance(param, Choice) else Choice((((), param),)) for param in params]
        rows: list[tuple[Any, ...]] = []

        def keep(*values: object) -> float:
            rows.append(values)
            return 0.0  # only the conditions of the joined choice are read

        joined = combined(choices, keep)
        self.out.choose(
            [
                ([condition], partial(act, values))
                for (condition, _), values in zip(joined.alternatives, rows, strict=True)
            ]
        )

    def deliver(self, steps: list[Step]) -> None:
        """Append steps to the gate definition that is being expanded, or to the circuit."""
        if self.collecting is not None:
            self.out.spend(len(steps))
            self.out.check_operations(len(self.collecting) + len(steps))
            self.collecting.extend(steps)
            return
        for step in steps:
            if step[0] == "reset":
                self.out.reset(step[1][0])
            else:
                self.out.gate(step)

    # ------------------------------------------------------------------ modifiers

    def _modifier(self, node: syntax.Modifier) -> Modifier:
        self.work += 1
        name = node.name
        if name == "inv":
            return Modifier(name, constant(0))
        if node.argument is None:
            return Modifier(name, constant(1))
        if name == "pow":
            exponent = self.exponent(node.argument)
            return Modifier(name, exponent)
        controls = self.integer(node.argument)

        def checked() -> int:
            count: int = controls()
            if count < 1:
                raise invalid("number of controls", f"{name}({count}) needs at least one control")
            return count

        return Modifier(name, constant(checked()) if constant_of(controls) is not None else checked)

    def _modify(self, steps: list[Step], modifier: Modifier, controls: Sequence[int]) -> list[Step]:
        self.out.spend(1 + len(steps))
        if any(step[0] == "reset" for step in steps):
            raise refusal(f"{modifier.name} @", "the gate resets a qubit, so it has no inverse, power or control")
        if modifier.name == "inv":
            return modifiers.inverse(steps)
        if modifier.name == "pow":
            return self._power(steps, modifier.argument())
        if len(controls) > _CHEAP_CONTROLS:
            self.out.check_operations(len(controls) ** 2 * len(steps))
        steps = modifiers.control(steps, controls, controls if modifier.name == "negctrl" else ())
        self.out.spend(len(steps))
        return steps

    def _power(self, steps: list[Step], exponent: float) -> list[Step]:
        if not isinstance(exponent, float):
            raise refusal("pow @", "the exponent has to be known while the circuit is built")
        if exponent.is_integer():
            self.out.check_operations(modifiers.repetitions(steps, exponent))
        else:
            self.out.spend(_STEPS_OF_A_ROOT)
            if any(isinstance(param, Expression) for step in steps for param in step[2]):
                raise refusal("fractional power", "of a gate with a parameter; give the parameter a value first")
        return modifiers.power(steps, exponent)

    # ------------------------------------------------------------------ other statements

    def barrier(self, node: syntax.Barrier) -> Run:
        """Compile a barrier on the named qubits, or on all."""
        operands = [self.qubits(operand).indices for operand in node.operands]

        def run() -> None:
            indices = tuple(chain.from_iterable([operand() for operand in operands]))
            if len(set(indices)) < len(indices):
                raise invalid("distinct qubits", "barrier names a qubit twice")
            if self.collecting is not None:
                self.deliver([("barrier", indices, ())] if indices else [])
            else:
                self.out.barrier(indices if operands else tuple(range(self.out.num_qubits)))

        return run

    def reset(self, node: syntax.Reset) -> Run:
        """Compile a reset of each named qubit."""
        operand = self.qubits(node.operand).indices

        def run() -> None:
            self.deliver([("reset", (qubit,), ()) for qubit in operand()])

        return run

    def delay(self, node: syntax.Delay) -> Run:
        """Compile a delay, which only has to name qubits."""
        operands = [self.qubits(operand).indices for operand in node.operands]
        self.out.note(NO_TIMING)

        def run() -> None:
            for operand in operands:
                operand()

        return run

    def measure_into(self, node: syntax.Measurement, size: int) -> Callable[[Sequence[int]], None]:
        """Compile ``measure q`` to a function that measures the qubits into as many clbits.

        Args:
            node: the measurement.
            size: what the error for a wrong number of clbits calls them; 0 if the number of qubits decides.
        """
        qubits_of = self.qubits(node.qubits).indices

        def measure(clbits: Sequence[int]) -> None:
            qubits = qubits_of()
            if len(qubits) != len(clbits):
                what = f"{len(qubits)} qubits are measured into {size or len(clbits)} clbits"
                raise invalid("register sizes", what)
            for qubit, clbit in zip(qubits, clbits, strict=True):
                self.out.measure(qubit, clbit)

        return measure


def unknown_gate(name: str, definitions: Mapping[str, object]) -> CircuitInvalidError:
    """Return the error for a gate that is not known, with the name of one that may be meant."""
    known = [*GATES, *ALIASES, *MANY_CONTROLLED, *list(definitions)[:1000]]
    close = difflib.get_close_matches(name[:40], known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else "; define it with 'gate'"
    return CircuitInvalidError(f"there is no gate named {name[:80]!r}{hint}", rule="gate name")


# ---------------------------------------------------------------------------- inner workings


def _do_nothing() -> None:
    """Carry out a statement that is done when it is compiled."""


def _fixed_controls(modifier: Modifier) -> int:
    fixed = constant_of(modifier.argument)
    return int(fixed) if modifier.name in {"ctrl", "negctrl"} and isinstance(fixed, int) else 0


def _joined(parts: list[Evaluate]) -> Evaluate:
    """Return the function of the qubits of single operands."""
    fixed = [constant_of(part) for part in parts]
    if None not in fixed:
        return constant(tuple([part[0] for part in fixed]))
    if len(parts) == 1:
        return lambda: tuple(parts[0]())
    if len(parts) == 2:  # noqa: PLR2004 - most gates
        first, second = parts
        return lambda: (*first(), *second())
    return lambda: tuple([part()[0] for part in parts])


def _check_distinct(row: Sequence[int], name: str) -> None:
    if len(set(row)) < len(row):
        twice = next(qubit for qubit in row if row.count(qubit) > 1)
        raise invalid("distinct qubits", f"{name} names qubit {twice} twice")


def _rows(name: str, operands: Sequence[Part]) -> Iterator[tuple[int, ...]]:
    """Yield the qubits of each single application; registers advance together."""
    columns = [operand.indices() for operand in operands]
    if len(columns) == 1:
        yield from [(qubit,) for qubit in columns[0]]
        return
    sizes = {len(column) for column, operand in zip(columns, operands, strict=True) if not operand.single}
    if len(sizes) > 1:
        raise invalid("register sizes", f"{name} is given registers of different sizes: {sorted(sizes)}")
    for place in range(sizes.pop() if sizes else 1):
        row = tuple([column[0 if operand.single else place] for column, operand in zip(columns, operands, strict=True)])
        _check_distinct(row, name)
        yield row


def _names_in(node: object) -> Iterator[str]:
    """Yield every word in a part of the syntax tree."""
    stack = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, tuple):
            stack += each
