"""Compiles declarations, assignments, aliases and subroutines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from gateway.circuit.expressions import clbits_read, parameter
from gateway.circuit.openqasm import syntax
from gateway.circuit.openqasm.evaluation import Division, Evaluate, Part, constant_of, invalid
from gateway.circuit.openqasm.gate_statements import GateStatements, Run, _do_nothing, _names_in
from gateway.circuit.openqasm.scopes import Qubits, Scope, Symbol, Variable
from gateway.circuit.openqasm.statements import INCLUDES
from gateway.circuit.openqasm.values import (
    BITS,
    Choice,
    Kind,
    Known,
    Measured,
    Value,
    Word,
    is_known,
    plain,
    read_bits,
    read_home,
    reader,
    refusal,
)
from gateway.circuit.operations import NO_TIMING, Comparison, Condition

MAX_CALL_DEPTH = 30
TIMES = frozenset({"duration", "stretch"})


class Return(Exception):  # noqa: N818 - the way out of a subroutine, not a mistake
    """A ``return`` that always happens."""

    def __init__(self, value: Value | None) -> None:
        super().__init__()
        self.value = value


class Left(Exception):  # noqa: N818 - the way out of a branch, not a mistake
    """What follows in a branch is never reached, since a jump is the last thing that happens in it."""


class Becomes(Exception):  # noqa: N818 - a signal, not a mistake; it never reaches a user
    """Bits that were taken for constants depend on outcomes, so they are part of the outcome from the beginning."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@dataclass(slots=True)
class Flag:
    """A hidden clbit that is 1 once a jump has happened.

    Args:
        clbit: the clbit; ``None`` before the first jump that may happen or not.
        is_up: whether the jump may have happened at this point of the program.
    """

    clbit: int | None = None
    is_up: bool = False


@dataclass(slots=True)
class Subroutine:
    """A subroutine that the text defines, and its compiled bodies: one, or several if it calls itself."""

    node: syntax.Subroutine
    words: frozenset[str]
    idle: list[Body] = field(default_factory=list)


@dataclass(slots=True)
class Body:
    """A compiled body of a subroutine.

    Args:
        scope: its names.
        formals: its arguments, with the types of the classical ones.
        returns: the type of the result.
        run: carries out the body.
        jumps: how it may end.
        result: the name in the ``return name;`` that ends it, if there is one.
    """

    scope: Scope
    formals: list[tuple[Symbol, Kind | None]]
    returns: Kind | None
    run: Run
    jumps: frozenset[str]
    result: str | None


@dataclass(slots=True)
class Call:
    """A call that is being carried out.

    Args:
        body: the body.
        target: the clbits that its result is assigned to.
        depth: the number of branches around it.
        loops: how many loops are around it.
        returned: whether it has returned.
        home: where a result is that only some branches return.
    """

    body: Body
    target: Sequence[int] | None
    depth: int
    loops: int
    returned: Flag = field(default_factory=Flag)
    home: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Loop:
    """A loop that is being carried out.

    Args:
        depth: the number of branches around its body.
        is_unrolled_while: whether its turns are written out, although nobody knows how many there will be.
        broken: whether a ``break`` has happened.
        skipped: whether a ``continue`` has happened in this turn.
    """

    depth: int
    is_unrolled_while: bool = False
    broken: Flag = field(default_factory=Flag)
    skipped: Flag = field(default_factory=Flag)


class ClassicalStatements(GateStatements):
    """Compiles the statements on classical values and on scopes."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of the class above
        super().__init__(*args, **options)
        self.subroutines: dict[str, Subroutine] = {}
        self.calls: list[Call] = []
        self.outcomes: frozenset[str] = frozenset()  # see Becomes
        self.loops: list[Loop] = []
        self.real_loops = 0  # loops of the circuit around the next operation
        self._writes: set[Variable] = set()  # what the statement that is being compiled assigns to
        self._jumps: set[str] = set()  # and how it may leave the statements around it

    # ------------------------------------------------------------------ declarations

    def include(self, node: syntax.Include) -> Run:
        """Accept the standard includes, which are built in; no file is read."""
        if node.path not in INCLUDES:
            names = ", ".join(sorted(INCLUDES))
            what = f"include {node.path[:100]!r} is not read: only {names} can be included, and they are built in"
            raise invalid("include", what)
        return _do_nothing

    def declare(self, node: syntax.Declaration) -> Run:
        """Compile a declaration of qubits, bits or a variable."""
        if node.type.name == "qubit":
            return self._declare_qubits(node)
        if node.role == "input":
            return self._declare_input(node)
        if node.type.name in TIMES:
            self.out.note(NO_TIMING)
            self.scope.declare(node.name, Variable(node.name, Kind(node.type.name), constant=True))
            return _do_nothing
        kind = self.kind(node.type)
        if node.role == "output" and node.type.name not in {"float", "angle"}:
            return self._declare_output(node, kind())
        if node.type.name == BITS and node.role != "const":
            return self._declare_bits(node, kind)
        return self._declare_variable(node, kind)

    def _declare_qubits(self, node: syntax.Declaration) -> Run:
        if self._has_physical:
            raise refusal("physical qubit", "a program names either physical or declared qubits")
        size = 1 if node.type.size is None else self.integer(node.type.size)()
        if size < 1:
            raise invalid("register size", f"{node.name!r} has {size} qubits; it needs at least one")
        symbol = Qubits(single=node.type.size is None)
        self.scope.declare(node.name, symbol)
        symbol.indices = self.out.new_qubits(size)
        return _do_nothing

    def _declare_input(self, node: syntax.Declaration) -> Run:
        """Compile a parameter, which has no value until the circuit runs."""
        if node.type.name not in {"float", "angle"}:
            raise refusal(f"input {node.name}", f"a parameter is a float or an angle, not of type {node.type.name}")
        kind = self.kind(node.type)()
        self.scope.declare(node.name, Variable(node.name, kind, parameter(node.name), constant=True))
        return _do_nothing

    def _declare_output(self, node: syntax.Declaration, kind: Kind) -> Run:
        """Compile a result: its clbits are part of the outcome, an ``int`` without a width has 32 of them."""
        home = self.out.new_clbits(kind.bits)
        variable = Variable(node.name, kind, home=home)
        self.scope.declare(node.name, variable)
        if kind.name == BITS:
            variable.live_at(home, kind)
        else:
            variable.is_output = True
            variable.value = read_home(home, kind)
        return _do_nothing

    def _declare_variable(self, node: syntax.Declaration, kind_of: Evaluate) -> Run:
        variable = Variable(node.name, constant_of(kind_of) or Kind(node.type.name), constant=node.role == "const")
        store = None if node.initial is None else self._storing(variable, node.initial)
        self.scope.declare(node.name, variable)

        def run() -> None:
            variable.kind = kind_of()
            variable.value = None
            variable.is_const_bit = False
            if store is not None:
                store()

        if node.role == "const" and store is not None and self.scope is self.globals:
            run()  # so that what follows can be evaluated when it is compiled
            if not is_known(variable.value) and isinstance(variable.value, (Measured, Choice)):
                raise refusal("const", f"{node.name!r} would depend on a measurement")
            return _do_nothing
        return run

    def _declare_bits(self, node: syntax.Declaration, kind_of: Evaluate) -> Run:
        """Compile bits: those of the outcome, or a variable if their first value is known and not 0."""
        variable = Variable(node.name, constant_of(kind_of) or Kind(BITS))
        variable.kind = Kind(BITS, None if node.type.size is None else variable.kind.width or 1)
        fill = self._filling(node.initial, variable)
        is_global = self.scope is self.globals
        self.scope.declare(node.name, variable)
        if node.initial is None or not self._may_be_known(node.initial):
            variable.is_outcome = True
        else:
            variable.is_outcome = node.name in self.outcomes and is_global

        def run() -> None:
            fill(kind_of(), is_global)

        return run

    def _may_be_known(self, initial: syntax.Expression) -> bool:
        return not isinstance(initial, syntax.Measurement) and not self._is_subroutine(initial)

    def _filling(self, initial: syntax.Expression | None, variable: Variable) -> Callable[[Kind, bool], None]:
        """Return the function that gives bits their clbits and their first value."""
        name = variable.name
        if isinstance(initial, syntax.Measurement):
            measure = self.measure_into(initial, 0)

            def fill_measured(kind: Kind, _: bool) -> None:
                self._live(variable, kind)
                measure(variable.home)

            return fill_measured
        if initial is not None and self._is_subroutine(initial):
            call = self._calling(initial)

            def fill_called(kind: Kind, _: bool) -> None:
                self._live(variable, kind)
                self._call_into(call, variable.home, kind)

            return fill_called
        value_of = None if initial is None else self.value(initial)

        def fill(kind: Kind, is_global: bool) -> None:
            value = None if value_of is None else self.converted(value_of(), kind)
            if is_known(value) and plain(value) != 0 and not (is_global and name in self.outcomes):
                variable.kind, variable.value, variable.is_outcome = kind, value, False
                variable.is_const_bit = is_global
                return
            self._live(variable, kind)
            if value is not None and (self.real_loops or not is_known(value) or plain(value) != 0):
                self.out.assign(variable.home, reader(value))
            elif self.real_loops:
                self.out.assign(variable.home, 0)

        return fill

    def _live(self, variable: Variable, kind: Kind) -> None:
        """Give bits new clbits; give the result of a subroutine the clbits that it is assigned to."""
        variable.live_at(self._home_of(variable.name, kind), kind)

    def _home_of(self, name: str, kind: Kind) -> tuple[int, ...]:
        call = self.calls[-1] if self.calls else None
        if call is None or name != _name_of_result(call) or call.body.scope.names.get(name) is None:
            return self.out.new_clbits(kind.bits)
        if call.target is not None and len(call.target) == kind.bits:
            self.out.forget(call.target)
            return tuple(call.target)
        return self.out.new_hidden_clbits(kind.bits)

    def alias(self, node: syntax.Alias) -> Run:
        """Compile a name for a part of registers."""
        part = self.part_or_none(node.value)
        if part is None:
            raise invalid("type", "an alias is a part of registers")
        name = node.name
        qubits, variable = Qubits(single=part.single), Variable(name, Kind(BITS), is_outcome=True)
        self.scope.declare(name, qubits if part.is_quantum else variable)

        def run() -> None:
            indices = tuple(part.indices())
            if len(set(indices)) < len(indices):
                raise invalid("distinct qubits", f"the alias {name!r} holds the same element twice")
            qubits.indices = indices
            if not part.is_quantum:
                variable.live_at(indices, Kind(BITS, None if part.single else len(indices)))

        if self.scope is self.globals:
            run()
            return _do_nothing
        variable.kind = Kind(BITS, None if part.single else 1)
        return run

    # ------------------------------------------------------------------ assignments

    def assign(self, node: syntax.Assignment) -> Run:
        """Compile an assignment, or a measurement into a target."""
        target = node.target
        part = self.part_or_none(target)
        if part is not None:
            if part.is_quantum:
                raise invalid("assignment", "qubits are not assigned to")
            return self._assign_clbits(node, part)
        base = target
        while isinstance(base, syntax.Index):
            base = base.base
        name = base.name if isinstance(base, syntax.Name) else ""
        symbol = self.scope.find(name)
        if not isinstance(symbol, Variable):
            raise invalid("assignment", f"{name!r} is not a classical variable")
        if symbol.kind.name in TIMES:
            return _do_nothing
        if symbol.constant:
            raise invalid("assignment", f"{name!r} is constant")
        self._writes.add(symbol)
        if isinstance(target, syntax.Index):
            return self._assign_part(node, symbol, target)
        if node.operator == "=":
            return self._storing(symbol, node.value)
        compound = self._compound(self.reading(symbol), node, symbol)
        return lambda: self.store(symbol, self.converted(compound(), symbol.kind))

    def _compound(self, old: Evaluate, node: syntax.Assignment, variable: Variable | None) -> Evaluate:
        """Compile the value of ``old operator= value``."""
        symbol = node.operator[:-1]
        division = Division.TRUNCATE if variable is None else Division.into(variable.kind.name)
        with self.dividing(division):
            change = self.value(node.value)
        return lambda: self.combine(symbol, old(), change(), division)

    def _storing(self, variable: Variable, value: syntax.Expression) -> Run:
        """Return the function that assigns a value to a variable."""
        if isinstance(value, syntax.Measurement):
            return self._storing_measured(variable, value)
        if isinstance(value, syntax.Set):
            raise refusal("array", "a circuit has no such values")
        with self.dividing(Division.into(variable.kind.name)):
            evaluate = self.value(value)
        return lambda: self.store(variable, self.converted(evaluate(), variable.kind))

    def _storing_measured(self, variable: Variable, value: syntax.Measurement) -> Run:
        measure = self.measure_into(value, 0)
        qubits_of = self.qubits(value.qubits).indices
        temporary: list[tuple[int, ...]] = []

        def run() -> None:
            if variable.kind.is_real or (variable.kind.name == BITS and variable.kind.bits != len(qubits_of())):
                raise refusal("measure into a variable", f"{variable.name!r} is of type {variable.kind}")
            if variable.kind.bits == len(qubits_of()) and variable.kind.name != "int":
                if variable.is_const_bit:
                    raise Becomes(variable.name)
                home = variable.home if variable.is_outcome else self.home_of(variable)
                measure(home)
                variable.value = read_home(home, variable.kind)
                return
            if not temporary:
                temporary.append(self.out.new_hidden_clbits(len(qubits_of())))
            (clbits,) = temporary
            measure(clbits)
            outcome = read_bits(clbits, single=len(clbits) == 1 and variable.kind.width is None)
            self.store(variable, self.converted(outcome, variable.kind))

        return run

    def store(self, variable: Variable, value: Value) -> None:
        """Assign a value of the right type to a variable."""
        if variable.is_const_bit and (variable.pins or isinstance(value, Measured)):
            raise Becomes(variable.name)
        if variable.is_outcome:
            self.out.assign(variable.home, reader(value))
            return
        if variable.kind.is_real:
            variable.value = self._kept(value) if isinstance(value, Choice) else value
            return
        if not variable.pins and not variable.is_output and is_known(value):
            variable.value = value
            return
        if is_known(value):
            self.out.assign(self.home_of(variable), self._fitting(variable, value))
            variable.value = value
            return
        values = value.values if isinstance(value, Measured) else None
        bits = _bits_for(values) if variable.kind.name == "int" or variable.kind.width is None else None
        if bits is not None and bits < variable.kind.bits and not variable.pins and not variable.is_output:
            home = variable.narrow.get(bits) or self.out.new_hidden_clbits(bits)
            variable.narrow[bits] = home
            variable.value = Measured(read_bits(home).expression, None, False, values)
        else:
            home = self.home_of(variable)
            variable.value = read_home(home, variable.kind, values)
        self.out.assign(home, reader(value))

    def home_of(self, variable: Variable) -> tuple[int, ...]:
        """Return the clbits that hold a variable, which it may not have had so far."""
        if len(variable.home) != variable.kind.bits:
            variable.home = self.out.new_hidden_clbits(variable.kind.bits)
        return variable.home

    @staticmethod
    def _fitting(variable: Variable, value: Known) -> int:
        """Return a known value that clbits will hold."""
        number = int(plain(value))
        bits = variable.kind.bits
        low = -(1 << (bits - 1)) if variable.kind.name == "int" else 0
        if not low <= number < 1 << bits:
            why = f"{variable.name!r} depends on outcomes and has {bits} bits then, too few for {number}"
            raise refusal(f"type {variable.kind}", f"{why}; give it a width")
        return number

    def _kept(self, choice: Choice) -> Choice:
        """Return a choice that depends on copies of its clbits, which nothing changes later."""
        clbits = list(dict.fromkeys(clbit for when, _ in choice.alternatives for test in when for clbit in test.clbits))
        if not clbits:
            return choice
        home = self.out.new_hidden_clbits(len(clbits))
        self.out.assign(home, read_bits(clbits).expression)
        copy = dict(zip(clbits, home, strict=True))
        return Choice(tuple([(_renumbered(when, copy), value) for when, value in choice.alternatives]))

    def _assign_clbits(self, node: syntax.Assignment, part: Part) -> Run:
        """Compile an assignment to bits of the outcome."""
        value, single = node.value, part.single
        if node.operator == "=" and isinstance(value, syntax.Measurement):
            measure = self.measure_into(value, 0)
            return lambda: measure(part.indices())
        if isinstance(value, (syntax.Measurement, syntax.Set)):
            raise refusal("assignment of bits", "bits take bits, by =")
        if node.operator == "=" and self._is_subroutine(value):
            call = self._calling(value)

            def run_call() -> None:
                clbits = part.indices()
                self._call_into(call, clbits, Kind(BITS, None if single else len(clbits)))

            return run_call
        if node.operator == "=":
            evaluate = self.value(value)
        else:
            evaluate = self._compound(lambda: read_bits(tuple(part.indices()), single=single), node, None)

        def run() -> None:
            clbits = part.indices()
            if len(set(clbits)) < len(clbits):
                raise invalid("distinct qubits", "an assignment names a bit twice")
            kind = Kind(BITS, None if single else len(clbits))
            self.out.assign(clbits, reader(self.converted(evaluate(), kind)))

        return run

    def _assign_part(self, node: syntax.Assignment, variable: Variable, target: syntax.Index) -> Run:
        """Compile an assignment to some bits of a variable."""
        places = self.places(target)
        if isinstance(target.base, syntax.Index):
            raise refusal("assignment", "a part of a part of a variable")
        measure = self.measure_into(node.value, 0) if isinstance(node.value, syntax.Measurement) else None
        if node.operator == "=":
            evaluate = None if measure is not None else self.value(node.value)
        else:
            reading = self.value(target)
            evaluate = self._compound(reading, node, None)

        def run() -> None:
            width = variable.kind.width
            if width is None or variable.kind.name not in {BITS, "uint"}:
                raise invalid("type", "only registers and bits of known width have parts")
            found = list(places.of(width))
            kind = Kind(BITS, None if places.single else len(found))
            if measure is not None or evaluate is None:
                home = self._at_home(variable)
                if measure is not None:
                    measure([home[place] for place in found])
                return
            self._store_part(variable, found, self.converted(evaluate(), kind))

        return run

    def _store_part(self, variable: Variable, places: list[int], value: Value) -> None:
        old = variable.value
        if is_known(value) and isinstance(old, Word) and not variable.pins and not variable.is_output:
            bits, number = plain(value), old.value
            for k, place in enumerate(places):
                number = number & ~(1 << place) | (int(bits) >> k & 1) << place
            variable.value = Word(number, old.width)
            return
        home = self._at_home(variable)
        self.out.assign([home[place] for place in places], reader(value))

    def _at_home(self, variable: Variable) -> tuple[int, ...]:
        """Write a variable to its home, if its value is known, and return the home."""
        if variable.is_const_bit:
            raise Becomes(variable.name)
        if variable.is_outcome:
            return variable.home
        home = self.home_of(variable)
        if is_known(variable.value) and not variable.pins and not variable.is_output:
            self.out.assign(home, self._fitting(variable, variable.value))
        variable.value = read_home(home, variable.kind)
        return home

    def evaluate_alone(self, node: syntax.Statement) -> Run:
        """Compile an expression that stands alone: a call, or a measurement into a hidden clbit."""
        value = node.value
        if isinstance(value, syntax.Measurement):
            qubits_of = self.qubits(value.qubits).indices

            def run() -> None:
                for qubit in qubits_of():
                    self.out.measure(qubit, None)

            return run
        if self._is_subroutine(value):
            call = self._calling(value)

            def run_call() -> None:
                call(None)

            return run_call
        evaluate = self.value(value)

        def run_alone() -> None:
            evaluate()

        return run_alone

    # ------------------------------------------------------------------ subroutines

    def define_subroutine(self, node: syntax.Subroutine) -> Run:
        """Remember a subroutine; its body is compiled when it is called."""
        if node.name in self.subroutines:
            raise invalid("duplicate name", f"the subroutine {node.name!r} is already defined")
        self.subroutines[node.name] = Subroutine(node, frozenset(_names_in(node.body)))
        return _do_nothing

    def _is_subroutine(self, node: syntax.Expression) -> TypeGuard[syntax.Call]:
        return isinstance(node, syntax.Call) and node.name in self.subroutines

    def _acts(self, node: syntax.Expression) -> bool:
        if not isinstance(node, tuple) or not self.subroutines:
            return False
        return isinstance(node, syntax.Measurement) or not self.subroutines.keys().isdisjoint(_names_in(node))

    def _call(self, node: syntax.Call) -> Evaluate:
        if not self._is_subroutine(node):
            return super()._call(node)
        self.work += 1
        call, name = self._calling(node), node.name

        def evaluate() -> Value:
            value = call(None)
            if value is None:
                raise invalid("type", f"{name} returns nothing")
            return value

        return evaluate

    def _call_into(
        self, call: Callable[[Sequence[int] | None], Value | None], clbits: Sequence[int], kind: Kind
    ) -> None:
        """Call a subroutine and assign its result to clbits."""
        value = call(clbits)
        if value is None:
            raise invalid("type", "the subroutine returns nothing")
        if any(clbit in self.out.clbits_without_value for clbit in clbits):
            raise refusal("return", "the subroutine may return a bit it assigned nothing to")
        value = self.converted(value, kind)
        if not isinstance(value, Measured) or value.expression != read_bits(tuple(clbits)).expression:
            self.out.assign(clbits, reader(value))

    def _calling(self, node: syntax.Call) -> Callable[[Sequence[int] | None], Value | None]:
        """Compile a call to a function that takes the clbits its result is assigned to, and returns the result."""
        routine = self.subroutines[node.name]
        if "end" in routine.words:
            self._jumps.add("end")
        formals = routine.node.formals
        if len(node.arguments) != len(formals):
            what = f"{node.name} takes {len(formals)} arguments, not {len(node.arguments)}"
            raise invalid("number of arguments", what)
        actuals: list[Evaluate | Part] = [
            self.qubits(actual) if formal.type.name == "qubit" else self._argument(formal, actual)
            for formal, actual in zip(formals, node.arguments, strict=True)
        ]

        def call(target: Sequence[int] | None) -> Value | None:
            self.out.spend(1)
            if len(self.calls) >= MAX_CALL_DEPTH:
                raise invalid("recursion", f"calls of {node.name} are nested deeper than {MAX_CALL_DEPTH}")
            values = [actual.indices() if isinstance(actual, Part) else actual() for actual in actuals]
            body = routine.idle.pop() if routine.idle else self._compiled_subroutine(routine.node)
            try:
                self._bind(body, formals, values)
                return self._carry_out(routine, body, target)
            finally:
                routine.idle.append(body)

        return call

    def _argument(self, formal: syntax.Formal, actual: syntax.Expression) -> Evaluate:
        with self.dividing(Division.into(formal.type.name)):
            return self.value(actual)

    def _compiled_subroutine(self, node: syntax.Subroutine) -> Body:
        scope = Scope(self.globals, is_inner=True, sees_registers=True)
        formals: list[tuple[Symbol, Kind | None]] = []
        outer = self._writes, self._jumps, self._division
        self._writes, self._jumps = set(), set()
        try:
            with self.inside(scope):
                for formal in node.formals:
                    if formal.type.name == "qubit":
                        symbol: Symbol = Qubits(single=formal.type.size is None)
                        size = 1 if formal.type.size is None else self.integer(formal.type.size)()
                        kind = Kind("qubit", size)
                    else:
                        kind = self.kind(formal.type)()
                        symbol = Variable(formal.name, kind)
                    scope.declare(formal.name, symbol)
                    formals.append((symbol, kind))
                returns = None if node.returns is None else self.kind(node.returns)()
            step = self.compile_block(node.body, scope)
        finally:
            self._writes, self._jumps, self._division = outer
        return Body(scope, formals, returns, step.run, step.jumps, _result_name(node))

    def _bind(self, body: Body, formals: Sequence[syntax.Formal], values: Sequence[Any]) -> None:
        """Give the arguments of a body their values: qubits by reference, others by value."""
        for (symbol, kind), formal, value in zip(body.formals, formals, values, strict=True):
            if isinstance(symbol, Qubits):
                size = kind.width if kind is not None else 1
                if len(value) != size:
                    what = f"the argument {formal.name!r} takes {size} qubits, not {len(value)}"
                    raise invalid("number of qubits", what)
                symbol.indices = tuple(value)
                continue
            symbol.home, symbol.pins, symbol.value = (), 0, None
            if symbol.kind.name == BITS and isinstance(value, Measured):
                if value.width != symbol.kind.width and not (value.width is None and not value.is_bool):
                    raise invalid("register sizes", f"the argument {formal.name!r} takes a {symbol.kind}")
                symbol.value = self.converted(value, symbol.kind)
            else:
                self.store(symbol, self.converted(value, symbol.kind))

    def _carry_out(self, routine: Subroutine, body: Body, target: Sequence[int] | None) -> Value | None:
        """Carry out a body, and return its result."""
        if target is not None and self._reads(routine, body, target):
            target = None
        call = Call(body, target, self.out.depth, len(self.loops))
        self.calls.append(call)
        try:
            if self.real_loops and "return" in body.jumps:
                self.lower_flag(call.returned)
            body.run()
            result = None
        except Return as signal:
            result = signal.value
        finally:
            self.calls.pop()
        if call.home and body.returns is not None:
            return read_home(call.home, body.returns)
        return result

    def _reads(self, routine: Subroutine, body: Body, target: Sequence[int]) -> bool:
        """Return whether a subroutine may read the clbits that its result is assigned to."""
        clbits = set(target)
        for symbol, _ in body.formals:
            value = symbol.value if isinstance(symbol, Variable) else None
            if isinstance(value, Measured) and not clbits.isdisjoint(clbits_read(value.expression)):
                return True
        return any(
            isinstance(symbol, Variable) and name in routine.words and not clbits.isdisjoint(symbol.home)
            for name, symbol in self.globals.names.items()
        )

    def leave_subroutine(self, node: syntax.Return) -> Run:
        """Compile a return."""
        self._jumps.add("return")
        value = node.value
        if isinstance(value, syntax.Measurement):
            return self._returning_measured(value)
        evaluate = self._calling(value) if value is not None and self._is_subroutine(value) else self._returned(value)

        def run() -> None:
            frame = self.calls[-1]
            kind = frame.body.returns
            found = evaluate(frame.target)
            if found is not None and kind is None:
                raise invalid("type", "the subroutine is declared to return nothing")
            if found is None and kind is not None:
                raise invalid("type", "the subroutine is declared to return a value")
            self._return(None if found is None or kind is None else self.converted(found, kind))

        return run

    def _returned(self, value: syntax.Expression | None) -> Callable[[Sequence[int] | None], Value | None]:
        """Compile a result that is no call of a subroutine."""
        evaluate = None if value is None else self.value(value)
        return lambda _: None if evaluate is None else evaluate()

    def _returning_measured(self, value: syntax.Measurement) -> Run:
        measure = self.measure_into(value, 0)

        def run() -> None:
            frame = self.calls[-1]
            kind = frame.body.returns
            if kind is None:
                raise invalid("type", "the subroutine is declared to return nothing")
            is_certain = self.out.depth == frame.depth and not frame.home
            clbits = frame.target if is_certain and frame.target is not None else None
            if clbits is None or len(clbits) != kind.bits:
                clbits = self.out.new_hidden_clbits(kind.bits)
            measure(clbits)
            self._return(self.converted(read_bits(tuple(clbits), single=kind.width is None), kind))

        return run

    def _return(self, value: Value | None) -> None:
        frame = self.calls[-1]
        kind = frame.body.returns
        if self.out.depth == frame.depth and not frame.home:
            raise Return(self._result(value, frame))
        if value is not None and kind is not None:
            if kind.is_real:
                raise refusal("return", "a real number that depends on outcomes")
            if not frame.home:
                frame.home = self.out.new_hidden_clbits(kind.bits)
            self.out.assign(frame.home, reader(value))
        self.raise_flag(frame.returned)
        raise Left

    def _result(self, value: Value | None, frame: Call) -> Value | None:
        """Return a result that stays what it is when the subroutine is called again."""
        if isinstance(value, Choice):
            return self._kept(value)
        if not isinstance(value, Measured):
            return value
        target = set(frame.target or ())
        if all(clbit in target for clbit in clbits_read(value.expression)) and value.depth == 1 and target:
            return value
        return self.settled(value)

    # ------------------------------------------------------------------ jumps

    def raise_flag(self, flag: Flag) -> None:
        """Note that a jump happens here."""
        if flag.clbit is None:
            (flag.clbit,) = self.out.new_hidden_clbits(1)
        self.out.assign((flag.clbit,), 1)
        flag.is_up = True

    def lower_flag(self, flag: Flag) -> None:
        """Note that a jump has not happened, each time that the operations from here on happen."""
        if flag.clbit is None:
            (flag.clbit,) = self.out.new_hidden_clbits(1)
        self.out.assign((flag.clbit,), 0)
        flag.is_up = False


def _renumbered(condition: Condition, number: Mapping[int, int]) -> Condition:
    return tuple(
        [Comparison(tuple([number[clbit] for clbit in test.clbits]), test.value, test.equal) for test in condition]
    )


def _bits_for(values: frozenset[int] | None) -> int | None:
    """Return how many bits hold each of some numbers; ``None`` if they may be negative or anything."""
    return None if values is None or min(values) < 0 else max(1, max(values).bit_length())


def _result_name(node: syntax.Subroutine) -> str | None:
    """Return the name in a ``return name;`` that ends a subroutine, or ``None``."""
    last = node.body[-1] if node.body else None
    if not isinstance(last, syntax.Return) or not isinstance(last.value, syntax.Name):
        return None
    return last.value.name


def _name_of_result(call: Call) -> str | None:
    return call.body.result
