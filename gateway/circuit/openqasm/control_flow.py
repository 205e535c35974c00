"""Compiles blocks, branches and loops.

What is known decides which statements are carried out, and how often. What depends on outcomes becomes conditions and
loops of the circuit; a jump out of such a branch raises a flag, a hidden clbit on which everything after it depends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import chain, pairwise
from typing import Any, ClassVar, NamedTuple

from gateway.circuit import conditions
from gateway.circuit.emitter import Decision as When
from gateway.circuit.emitter import decided
from gateway.circuit.expressions import Expression
from gateway.circuit.openqasm import outcomes, syntax
from gateway.circuit.openqasm.classical_statements import Becomes, ClassicalStatements, Flag, Left, Loop
from gateway.circuit.openqasm.evaluation import Decision, Division, Evaluate, invalid
from gateway.circuit.openqasm.gate_statements import Run, _do_nothing
from gateway.circuit.openqasm.scopes import Scope, Variable
from gateway.circuit.openqasm.tokens import place
from gateway.circuit.openqasm.values import (
    Choice,
    Kind,
    Measured,
    Value,
    Word,
    combined,
    few,
    is_known,
    plain,
    read_home,
    reader,
    refusal,
)
from gateway.circuit.operations import NO_TIMING, Comparison, Condition
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError

_DEEPEST_REST = 40
_LONGEST_PRAGMA = 100
_LARGE = 2**31


class Step(NamedTuple):
    """A compiled statement or block.

    Args:
        at: its place in the text.
        run: carries it out.
        writes: the variables that it may assign to, apart from those it declares.
        jumps: how it may leave the statements around it: ``break``, ``continue``, ``return``, ``end``.
        work: how many steps it counts as.
    """

    at: int
    run: Run
    writes: frozenset[Variable]
    jumps: frozenset[str]
    work: int


class _Break(Exception):  # noqa: N818 - the way out of a loop, not a mistake
    """A ``break`` that always happens."""


class _Continue(Exception):  # noqa: N818
    """A ``continue`` that always happens."""


class End(Exception):  # noqa: N818
    """An ``end`` that always happens."""


class _NeedsLoop(Exception):  # noqa: N818
    """The turns of a loop cannot be written out, since outcomes decide how many there are."""

    def __init__(self, loop: Loop) -> None:
        super().__init__()
        self.loop = loop


class ControlFlow(ClassicalStatements):
    """Compiles whole programs.

    Args:
        text: the whole text, for the lines in errors.
    """

    def __init__(self, *args: Any, text: str = "", **options: Any) -> None:  # noqa: ANN401 - those of the class above
        super().__init__(*args, **options)
        self.text = text
        self.ended = Flag()

    # ------------------------------------------------------------------ statements and blocks

    def compile_statement(self, node: syntax.AnyStatement) -> Step:
        """Compile one statement in the current scope.

        Raises:
            UnsupportedError: a circuit cannot express the statement; the message names its line.
            CircuitInvalidError: the statement breaks a rule; ``line`` is its line.
        """
        outer = self._writes, self._jumps, self.work
        self._writes, self._jumps, self.work = set(), set(), 1
        try:
            run = self.handlers[type(node)](self, node)
            return Step(node.at, run, frozenset(self._writes), frozenset(self._jumps), self.work)
        except (CircuitInvalidError, UnsupportedError) as exc:
            raise self.located(exc, node.at) from exc
        finally:
            outer[0].update(self._writes)
            outer[1].update(self._jumps)
            self._writes, self._jumps, self.work = outer[0], outer[1], outer[2]

    def compile_block(self, statements: Sequence[syntax.AnyStatement], scope: Scope | None = None) -> Step:
        """Compile statements that have a scope of their own."""
        inner = Scope(self.scope) if scope is None else scope
        outer, self._writes = self._writes, set()
        with self.inside(inner):
            steps = [self.compile_statement(statement) for statement in statements]
        writes = self._writes.difference([each for each in inner.names.values() if isinstance(each, Variable)])
        outer.update(writes)
        self._writes = outer
        jumps = frozenset(chain.from_iterable([step.jumps for step in steps]))
        run = self._jumping(steps) if jumps else self._straight(steps)
        return Step(steps[0].at if steps else 0, run, frozenset(writes), jumps, 1)

    def _straight(self, steps: list[Step]) -> Run:
        """Return the function that carries out steps without jumps."""
        pairs = [(step.at, step.run) for step in steps]
        work = sum([step.work for step in steps])
        spend = self.out.spend

        def run() -> None:
            spend(work)
            at = 0
            try:
                for at, each in pairs:  # noqa: B007 - the error needs it
                    each()
            except (CircuitInvalidError, UnsupportedError) as exc:
                raise self.located(exc, at) from exc

        return run

    def _jumping(self, steps: list[Step]) -> Run:
        """Return the function that carries out steps some of which may jump.

        What follows such a step is one branch, in which values stay known. Where branches are nested too deeply for
        that, each piece of it up to the next jump is a branch of its own.
        """
        rests = _rests(steps)

        def run(start: int = 0) -> None:
            at = 0
            try:
                for index in range(start, len(steps)):
                    at, each, _, jumps, work = steps[index]
                    self.out.spend(work)
                    each()
                    if jumps and index + 1 < len(steps) and self._raised():
                        if self.out.depth < _DEEPEST_REST:
                            self.unless_jumped(partial(run, index + 1), rests[index + 1])
                            return
                        pieces(index + 1)
                        return
            except (CircuitInvalidError, UnsupportedError) as exc:
                raise self.located(exc, at) from exc

        def pieces(start: int) -> None:
            ends = [index for index in sorted(rests) if index > start]
            for begin, end in pairwise([start, *ends, len(steps)]):
                piece = steps[begin:end]
                writes = frozenset(chain.from_iterable([step.writes for step in piece]))
                self.unless_jumped(self._straight(piece), writes)

        return run

    def located(self, exc: CircuitInvalidError | UnsupportedError, at: int) -> CircuitInvalidError | UnsupportedError:
        """Return an error with the line of a place of the text, unless it has one."""
        if exc.line is not None:
            return exc
        line, _ = place(self.text, at)
        if isinstance(exc, UnsupportedError):
            return UnsupportedError(f"line {line}: {exc.message}", feature=exc.feature, line=line)
        return CircuitInvalidError(exc.message, rule=exc.rule or "statement", line=line)

    # ------------------------------------------------------------------ flags

    def _raised(self) -> list[Flag]:
        """Return the flags of the jumps that may have happened, out of the statements around this place."""
        call = self.calls[-1] if self.calls else None
        flags = [self.ended]
        if call is not None:
            flags.append(call.returned)
        if len(self.loops) > (call.loops if call is not None else 0):
            flags += [self.loops[-1].broken, self.loops[-1].skipped]
        return [flag for flag in flags if flag.is_up]

    def unless_jumped(self, run: Run, writes: Iterable[Variable]) -> None:
        """Carry something out if none of the jumps that may have happened has happened."""
        flags = self._raised()
        for flag in flags:
            flag.is_up = False
        self.branches([([_lowered(flags)], run)], writes)
        for flag in flags:
            flag.is_up = True

    def jump(self, node: syntax.Jump) -> Run:
        """Compile ``break``, ``continue`` or ``end``."""
        word = node.word
        self._jumps.add(word)
        return self._end if word == "end" else partial(self._leave_loop, word)

    def _leave_loop(self, word: str) -> None:
        loop = self.loops[-1]
        if self.out.depth == loop.depth:
            raise _Break if word == "break" else _Continue
        if word == "break" and loop.is_unrolled_while:
            raise _NeedsLoop(loop)
        self.raise_flag(loop.broken if word == "break" else loop.skipped)
        raise Left

    def _end(self) -> None:
        if not self.out.depth:
            raise End
        self.raise_flag(self.ended)
        raise Left

    def raise_flag(self, flag: Flag) -> None:
        """Note that a jump happens here."""
        call = self.calls[-1] if self.calls else None
        if flag is self.ended or (call is not None and flag is call.returned):
            first = call.loops if call is not None and flag is not self.ended else 0
            for loop in reversed(self.loops[first:]):
                if loop.is_unrolled_while:
                    raise _NeedsLoop(loop)
        super().raise_flag(flag)

    # ------------------------------------------------------------------ branches

    def if_(self, node: syntax.If) -> Run:
        """Compile an ``if``: one of two blocks is carried out, or both of them under opposite conditions."""
        condition = self.value(node.condition)
        then = self.compile_block(node.then)
        otherwise = self.compile_block(node.otherwise) if node.otherwise else None
        writes = then.writes | (otherwise.writes if otherwise is not None else frozenset())

        def run() -> None:
            value = condition()
            decision = value if value is True or value is False else self.decide(value, both=otherwise is not None)
            if isinstance(decision, bool):
                if decision:
                    then.run()
                elif otherwise is not None:
                    otherwise.run()
                return
            alternatives: list[tuple[When, Run]] = [(decision.then, then.run)]
            if otherwise is not None:
                alternatives.append((decision.otherwise or [], otherwise.run))
            self.branches(alternatives, writes)

        return run

    def switch(self, node: syntax.Switch) -> Run:
        """Compile a ``switch``: the case of a known value is carried out, or every case under its conditions."""
        target = self.value(node.target)
        labels = [[self.integer(label) for label in values] for values, _ in node.cases]
        bodies = [self.compile_block(body) for _, body in node.cases]
        default = self.compile_block(node.default)
        writes = frozenset(chain.from_iterable([body.writes for body in (*bodies, default)]))

        def run() -> None:
            cases = [[label() for label in values] for values in labels]
            every = list(chain.from_iterable(cases))
            if len(set(every)) < len(every):
                raise invalid("duplicate case", "switch has two cases for the same value")
            value = target()
            if isinstance(value, Choice):
                value = self.measured(value)
            if not isinstance(value, Measured):
                number = self.whole(value)
                next((body for case, body in zip(cases, bodies, strict=True) if number in case), default).run()
                return
            if value.depth > 1:
                value = self.settled(value)
            alternatives = [
                (self._is_one_of(value, case).then, body.run) for case, body in zip(cases, bodies, strict=True)
            ]
            otherwise = self._is_one_of(value, every).otherwise or []
            self.branches([*alternatives, (otherwise, default.run)], writes)

        return run

    def _is_one_of(self, value: Measured, labels: Sequence[int]) -> Decision:
        """Return when a value is one of several numbers."""
        test: Value = False
        for label in labels:
            same = self.combine("==", value, label, Division.TRUNCATE)
            test = same if test is False else self.combine("||", test, same, Division.TRUNCATE)
        decision = self.decide(test)
        if isinstance(decision, bool):
            return Decision(*([conditions.ALWAYS, conditions.NEVER][:: 1 if decision else -1]))
        return decision

    def branches(self, alternatives: Sequence[tuple[When, Run]], writes: Iterable[Variable]) -> None:
        """Carry out branches, at most one of which happens.

        Args:
            alternatives: when each branch happens, and the function that carries it out.
            writes: the variables that the branches may assign to.
        """
        in_order = sorted(writes, key=_number)
        numbers = [each for each in in_order if not each.is_outcome and not each.kind.is_real]
        reals = [each for each in in_order if each.kind.is_real]
        if reals:
            alternatives = [([self.out.written_down(when)], run) for when, run in alternatives]
        with self._pinned(numbers):
            variables = [*numbers, *reals]
            before = [variable.value for variable in variables]
            after: dict[int, list[Value | None]] = {}

            def carry_out(index: int, run: Run) -> None:
                for variable, value in zip(variables, before, strict=True):
                    variable.value = value
                with suppress(Left):
                    run()
                after[index] = [variable.value for variable in variables]

            self.out.choose([(when, partial(carry_out, k, run)) for k, (when, run) in enumerate(alternatives)])
        for place_, variable in enumerate(variables):
            values = [before[place_], *[found[place_] for found in after.values()]]
            if variable in numbers:
                variable.value = read_home(variable.home, variable.kind, _united(values))
            else:
                whens = [alternatives[k][0] for k in after]
                variable.value = self._merged(variable, before[place_], list(zip(whens, values[1:], strict=True)))

    def _merged(
        self, variable: Variable, before: Value | None, branches: Sequence[tuple[When, Value | None]]
    ) -> Value | None:
        """Return the value of a real variable after branches that may have assigned to it."""
        if all(value is before for _, value in branches):
            return before
        if before is None:
            if not all(value is not None for _, value in branches):
                raise refusal(f"type {variable.kind}", f"{variable.name!r} has a value in some of the branches only")
            before = 0.0
        alternatives: list[tuple[Condition, Any]] = []
        none: Condition = ()
        for when, value in branches:
            (condition,) = when  # type: ignore[misc]  # it was written down
            none = conditions.both(none, (Comparison(condition[0].clbits, 0),))
            alternatives += _under(condition, value)
        return combined([Choice((*alternatives, *_under(none, before)))], lambda each: each)

    @contextmanager
    def _pinned(self, variables: Sequence[Variable]) -> Iterator[None]:
        """Keep the values of variables in their homes for as long as the block lasts."""
        for variable in variables:
            self._bring_home(variable)
        for variable in variables:
            variable.pins += 1
        try:
            yield
        finally:
            for variable in variables:
                variable.pins -= 1

    def _bring_home(self, variable: Variable) -> None:
        """Write the value of a variable to its home, unless it is there."""
        if variable.is_const_bit:
            raise Becomes(variable.name)
        home, value = self.home_of(variable), variable.value
        values = None
        if is_known(value):
            number = self._fitting(variable, value)
            values = frozenset({number})
            if not variable.pins and not variable.is_output:
                self.out.assign(home, number)
        elif isinstance(value, Measured):
            values = value.values
            if value.expression not in {read_home(home, variable.kind, each).expression for each in (None, values)}:
                self.out.assign(home, reader(value))
        variable.value = read_home(home, variable.kind, values)

    # ------------------------------------------------------------------ loops

    def loop(self, node: syntax.For) -> Run:
        """Compile a ``for``: its body is carried out for each value of the loop variable."""
        kind_of = self.kind(node.type)
        values_of = self._loop_values(node.values)
        scope = Scope(self.scope)
        variable = Variable(node.name, Kind(node.type.name))
        scope.declare(node.name, variable)
        body = self._loop_body(node.body, scope)

        def run() -> None:
            kind = variable.kind = kind_of()
            loop = self._begin_loop(body)
            try:
                for value in values_of():
                    self.out.spend(1)
                    turn = partial(self._turn, loop, body, variable, self._loop_value(value, kind))
                    if loop.broken.is_up or self._left_by_others():
                        loop.skipped.is_up = False
                        self.unless_jumped(turn, body.writes)
                    else:
                        turn()
            except _Break:
                pass
            finally:
                self.loops.pop()

        return run

    def _loop_body(self, statements: Sequence[syntax.AnyStatement], scope: Scope) -> Step:
        outer, self._jumps = self._jumps, set()
        body = self.compile_block(statements, scope)
        outer.update(self._jumps - {"break", "continue"})
        self._jumps = outer
        return body

    def _begin_loop(self, body: Step) -> Loop:
        loop = Loop(self.out.depth)
        if self.real_loops:
            for word, flag in (("break", loop.broken), ("continue", loop.skipped)):
                if word in body.jumps:
                    self.lower_flag(flag)
        self.loops.append(loop)
        return loop

    def _left_by_others(self) -> bool:
        """Return whether the subroutine may have returned, or the program ended."""
        return self.ended.is_up or (bool(self.calls) and self.calls[-1].returned.is_up)

    def _turn(self, loop: Loop, body: Step, variable: Variable | None, value: Value | None) -> None:
        """Carry out the body of a loop once."""
        if variable is not None:
            variable.home, variable.pins, variable.value = (), 0, value
        if loop.skipped.clbit is not None:
            self.lower_flag(loop.skipped)
        with suppress(_Continue):
            body.run()

    def _loop_value(self, value: Value, kind: Kind) -> Value:
        if type(value) is int and kind.name == "int" and kind.width is None and -_LARGE < value < _LARGE:
            return value
        try:
            loop_value = self.converted(value, kind)
        except CircuitInvalidError as exc:
            raise invalid("type", f"the loop variable cannot hold a value: {exc.message}") from exc
        is_whole = kind.name in {"int", "uint"}
        if is_whole and is_known(value) and is_known(loop_value) and plain(loop_value) != plain(value):
            raise invalid("type", f"the loop variable of type {kind} cannot hold {plain(value)}")
        return loop_value

    def _loop_values(self, node: syntax.Expression) -> Callable[[], Iterable[Value]]:
        if isinstance(node, syntax.Range):
            return self._loop_range(node)
        if isinstance(node, syntax.Set):
            values = [self.value(value) for value in node.values]
            return lambda: [value() for value in values]
        return partial(self._bits_of, self.value(node))

    def _loop_range(self, node: syntax.Range) -> Callable[[], Iterable[Value]]:
        if node.start is None or node.end is None:
            raise invalid("range", "the range of a loop needs its two ends")
        start, end = self.integer(node.start), self.integer(node.end)
        step = None if node.step is None else self.integer(node.step)

        def values() -> Iterable[int]:
            by = 1 if step is None else step()
            if by == 0:
                raise invalid("step", "the step of a range is 0")
            return range(start(), end() + (1 if by > 0 else -1), by)

        return values

    def _bits_of(self, evaluate: Evaluate) -> Sequence[Value]:
        word = evaluate()
        if isinstance(word, Measured) and word.width is not None:
            copy = self.settled(word)
            return [outcomes.part(copy, [place_], single=True) for place_ in range(word.width)]
        if not isinstance(word, Word):
            raise invalid("type", "a loop goes over a range, a set or bits")
        return [bool(word.value >> place_ & 1) for place_ in range(word.width)]

    def repeat_while(self, node: syntax.While) -> Run:
        """Compile a ``while``: its turns are written out while the condition is known, then it stays a loop."""
        condition = self.value(node.condition)
        acts = self._acts(node.condition)
        body = self._loop_body(node.body, Scope(self.scope))

        def run() -> None:
            loop = self._begin_loop(body)
            try:
                while self._unrolled_turn(loop, condition, body):
                    self.out.spend(1)
                if loop.is_unrolled_while:
                    return
                self._real_loop(loop, condition, body, acts=acts)
            except _Break:
                pass
            finally:
                self.loops.pop()

        return run

    def _unrolled_turn(self, loop: Loop, condition: Evaluate, body: Step) -> bool:
        """Carry out one turn, and return whether another may follow that can be written out.

        If the loop has to stay a loop from here on, everything is as before, and it is no unrolled one any more.
        """
        before = self._snapshot(body.writes)
        loop.is_unrolled_while = True
        try:
            decision = self.decide(condition(), both=False)
            if decision is False:
                return False
            if decision is True and not self._left_by_others():
                values = [variable.value for variable in body.writes]
                self._turn(loop, body, None, None)
                if values == [variable.value for variable in body.writes]:
                    msg = "a loop takes more than any number of steps: nothing that it tests changes from turn to turn"
                    raise LimitError(msg, limit="steps")
                return True
        except _NeedsLoop as signal:
            if signal.loop is not loop:
                raise
        before()
        loop.is_unrolled_while = False
        return False

    def _snapshot(self, writes: Iterable[Variable]) -> Run:
        """Return the function that takes back everything that happens from now on."""
        values = [(variable, variable.value, variable.home) for variable in writes]
        flags = [(flag, flag.is_up) for flag in [self.ended, *[call.returned for call in self.calls]]]
        undo = self.out.snapshot()

        def restore() -> None:
            undo()
            for variable, value, home in values:
                variable.value, variable.home = value, home
            for flag, is_up in flags:
                flag.is_up = is_up

        return restore

    def _real_loop(self, loop: Loop, condition: Evaluate, body: Step, *, acts: bool) -> None:
        """Append a loop of the circuit."""
        writes = sorted(body.writes, key=_number)
        for variable in writes:
            if variable.kind.is_real:
                why = "a loop that outcomes end assigns real numbers to it; use an int, and compute angles from that"
                raise refusal(f"type {variable.kind}", f"{variable.name!r}: {why}")
        numbers = [variable for variable in writes if not variable.is_outcome]
        flags = [self.ended] if "end" in body.jumps or self.ended.clbit is not None else []
        if self.calls and ("return" in body.jumps or self.calls[-1].returned.clbit is not None):
            flags.append(self.calls[-1].returned)
        if "break" in body.jumps:
            self.lower_flag(loop.broken)
            flags.append(loop.broken)
        for flag in flags:
            if flag.clbit is None:
                (flag.clbit,) = self.out.new_hidden_clbits(1)
        self.real_loops += 1
        try:
            with self._pinned(numbers):
                self._forget_values(numbers)
                decide = partial(self._loop_condition, condition, _lowered(flags), acts=acts)
                self.out.repeat(decide, partial(self._real_turn, loop, body, numbers))
        finally:
            self.real_loops -= 1
        self._forget_values(numbers)

    @staticmethod
    def _forget_values(variables: Iterable[Variable]) -> None:
        for variable in variables:
            variable.value = read_home(variable.home, variable.kind)

    def _loop_condition(self, condition: Evaluate, not_left: Condition, *, acts: bool) -> When:
        """Return when a loop of the circuit goes on."""
        decisions: list[bool | Decision] = []

        def decide() -> None:
            decisions.append(self.decide(condition(), both=False))

        if acts and not_left:
            self.out.choose([([not_left], decide)])
        else:
            decide()
        (decision,) = decisions
        if decision is False:
            return conditions.NEVER
        if decision is True:
            return [not_left]
        if len(decision.then) == 1:
            return [conditions.both(not_left, decision.then[0])]
        if not not_left:
            return decision.then
        return Expression("and", (decided([not_left]), decided(decision.then)))

    def _real_turn(self, loop: Loop, body: Step, numbers: Sequence[Variable]) -> None:
        """Append the body of a loop of the circuit."""
        loop.depth = self.out.depth
        if "continue" in body.jumps:
            self.lower_flag(loop.skipped)
        self._forget_values(numbers)
        try:
            body.run()
        except _Break:
            self.raise_flag(loop.broken)
        except (_Continue, Left):
            pass

    # ------------------------------------------------------------------ other statements

    def compound(self, node: syntax.Block) -> Run:
        """Compile a block or a ``box``, the duration of which has no effect."""
        if node.is_timed:
            self.out.note(NO_TIMING)
        return self.compile_block(node.body).run

    def pragma(self, node: syntax.Pragma) -> Run:
        """Refuse a pragma that changes a program, and note any other one."""
        words = node.text.split()
        if words[:1] == ["braket"]:
            word = words[1].partition("(")[0] if len(words) > 1 else ""
            if word == "result":
                raise refusal("pragma braket result", "ask for a result when the circuit is run, as in result=...")
            if word != "verbatim":
                raise refusal(f"pragma braket {word}", "it changes what the program does, and is not known here")
        else:
            self.out.note(f"the pragma {node.text[:_LONGEST_PRAGMA]!r} was ignored")
        return _do_nothing

    def unsupported(self, node: syntax.Unsupported) -> Run:
        """Refuse a construct that has no meaning here."""
        raise refusal(node.word, node.why)

    def nothing(self, _: syntax.Nothing) -> Run:
        """Compile an empty statement."""
        return _do_nothing

    handlers: ClassVar[dict[type, Callable[..., Run]]] = {
        syntax.Alias: ClassicalStatements.alias,
        syntax.Assignment: ClassicalStatements.assign,
        syntax.Barrier: ClassicalStatements.barrier,
        syntax.Block: compound,
        syntax.Declaration: ClassicalStatements.declare,
        syntax.Delay: ClassicalStatements.delay,
        syntax.For: loop,
        syntax.GateCall: ClassicalStatements.call_gate,
        syntax.GateDefinition: ClassicalStatements.define_gate,
        syntax.If: if_,
        syntax.Include: ClassicalStatements.include,
        syntax.Jump: jump,
        syntax.Nothing: nothing,
        syntax.Pragma: pragma,
        syntax.Reset: ClassicalStatements.reset,
        syntax.Return: ClassicalStatements.leave_subroutine,
        syntax.Statement: ClassicalStatements.evaluate_alone,
        syntax.Subroutine: ClassicalStatements.define_subroutine,
        syntax.Switch: switch,
        syntax.Unsupported: unsupported,
        syntax.While: repeat_while,
    }


def _rests(steps: Sequence[Step]) -> dict[int, frozenset[Variable]]:
    """Return what may be assigned to from an index on, for each index that follows a step that may jump."""
    rests: dict[int, frozenset[Variable]] = {}
    writes: set[Variable] = set()
    for index in range(len(steps) - 1, 0, -1):
        writes |= steps[index].writes
        if steps[index - 1].jumps:
            rests[index] = frozenset(writes)
    return rests


def _number(variable: Variable) -> int:
    return variable.number


def _lowered(flags: Iterable[Flag]) -> Condition:
    """Return the condition that no jump has happened."""
    return tuple([Comparison((flag.clbit,), 0) for flag in flags if flag.clbit is not None])


def _under(condition: Condition, value: Value | None) -> list[tuple[Condition, Any]]:
    """Return the alternatives of a value under a further condition."""
    alternatives = value.alternatives if isinstance(value, Choice) else (((), value),)
    return [(conditions.both(condition, when), each) for when, each in alternatives]


def _united(values: Iterable[Value | None]) -> frozenset[int] | None:
    """Return all numbers that one of several values could be; ``None`` if they are many."""
    found: set[int] = set()
    for value in values:
        if isinstance(value, Measured) and value.values is not None:
            found |= value.values
        elif is_known(value):
            found.add(int(plain(value)))
        else:
            return None
    return few(found)
