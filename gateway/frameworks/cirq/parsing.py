"""Cirq (https://quantumai.google/cirq) -> the shared circuit, checked against cirq-core 1.7.0.

Decisions where the two differ:

* Qubit ``k`` is the k-th of the circuit's qubits in Cirq's own order, ``sorted(circuit.all_qubits())``, so
  numbers of line qubits that do not occur leave no gap.
* Clbits are the bits of the measurement keys in order of appearance; a key of several qubits gives as many
  clbits, its first qubit the first of them. If all keys have the form ``c[3]``, as :func:`dump` writes them,
  they are the numbers of the clbits.
* A key that is measured twice would have a list of values, and is refused; one that is measured in a loop has
  the outcomes of the last turn, and a note says so.
* A decomposition of Cirq's may lose the global phase. Up to ``CHECKED_QUBITS`` qubits, the conversion compares
  it with the gate itself and corrects the phase; where the phase depends on symbols, the gate is refused.
* A ``WaitGate`` does nothing, and a note says so.
* Symbols become parameters; :func:`gateway.frameworks.shared.parameters.names_of` says how they are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from random import Random
from typing import Any

import cirq
import sympy

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import MAX_TABLE_BITS, both, compare, from_table, holds, opposite
from gateway.circuit.emitter import Decision, Emitter, decided
from gateway.circuit.expressions import Expression, bits, renumbered, value_of_angle
from gateway.circuit.gates import GATES as TABLE
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control
from gateway.circuit.operations import NO_TIMING
from gateway.errors import CircuitInvalidError, RequestError
from gateway.frameworks.cirq.steps import entry_of
from gateway.frameworks.shared.chains import joined
from gateway.frameworks.shared.parameters import names_of
from gateway.frameworks.shared.phases import missing_phase
from gateway.frameworks.shared.refusals import Unreadable, refused
from gateway.frameworks.shared.synthesis import steps_of_preparation, steps_of_unitary

CHECKED_QUBITS = 10
_OUR_KEY = re.compile(r"c\[(\d{1,9})\](#\d+)?")
_OUR_TAG = re.compile(r"(\d{1,9}) (hidden )?clbits")
_LAST_TURN = "a measurement key in a loop has the outcomes of the last turn"


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``Circuit`` or ``FrozenCircuit``.

    Raises:
        RequestError: the object is neither.
        CircuitInvalidError: a condition tests a key before it is measured.
        UnsupportedError: the circuit has noise, qudits, repeated keys, or an angle with a function that angles do not
            have.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise RequestError(
            f"a circuit of Cirq is a Circuit or FrozenCircuit, not a {type(circuit).__name__}", field="circuits"
        )
    reader = _convert(circuit, repeats=False)
    return _number_clbits(Circuit(*reader.out.parts()), list(reader.keys), _numbers_in_tags(circuit))


def _numbers_in_tags(circuit: Any) -> tuple[int, int]:  # noqa: ANN401 - an AbstractCircuit
    """Return the numbers of clbits and of hidden clbits that the tags of :func:`dump` give, or 0."""
    tags = [_OUR_TAG.fullmatch(tag) for tag in circuit.tags if isinstance(tag, str)]
    shown = max((int(tag[1]) for tag in tags if tag and not tag[2]), default=0)
    return shown, max((int(tag[1]) for tag in tags if tag and tag[2]), default=0)


def parse_with_keys(circuit: Any) -> tuple[Circuit, dict[str, list[tuple[int, ...]]]]:  # noqa: ANN401 - of Cirq
    """Return the shared circuit and, for each measurement key, the clbits of each of its measurements.

    A key may be measured several times here. The errors are those of :func:`parse`.
    """
    reader = _convert(circuit, repeats=True)
    return Circuit(*reader.out.parts()), reader.keys


def _convert(circuit: Any, *, repeats: bool) -> _Reader:  # noqa: ANN401 - an AbstractCircuit
    reader = _Reader(sorted(circuit.all_qubits()), repeats=repeats)
    for index, operation in enumerate(_with_names(circuit).all_operations()):
        reader.index = index
        try:
            reader.carry_out(operation)
        except TypeError as exc:
            if not cirq.is_parameterized(operation):
                raise
            raise refused(index, str(operation), "it needs values for its parameters") from exc
    return reader


def parameter_names(circuit: Any) -> dict[str, str]:  # noqa: ANN401 - an AbstractCircuit
    """Return the name that each symbol of a circuit has in its shared circuit."""
    return names_of(cirq.parameter_names(circuit)) if cirq.is_parameterized(circuit) else {}


def _with_names(circuit: Any) -> Any:  # noqa: ANN401 - an AbstractCircuit
    """Return the circuit with names that parameters of the shared circuit can have."""
    others = {symbol: sympy.Symbol(name) for symbol, name in parameter_names(circuit).items() if symbol != name}
    return cirq.resolve_parameters(circuit, others, recursive=False) if others else circuit


class _Reader:
    """Carries out operations of Cirq on an emitter.

    Args:
        qubits: all qubits, in order.
        repeats: whether a key may be measured several times.
    """

    def __init__(self, qubits: Sequence[Any], *, repeats: bool = False) -> None:
        self.out = Emitter(DEFAULT_LIMITS)
        self.out.new_qubits(len(qubits))
        self.index = 0
        self.keys: dict[str, list[tuple[int, ...]]] = {}
        """Measurement key -> the clbits of each of its measurements."""
        self._repeats = repeats
        self._reserved: dict[str, tuple[int, ...]] = {}
        """Measurement key -> the clbits that its next measurement writes to."""
        self._loops: list[set[str]] = []
        """For each loop around: the keys that its turn has not measured yet."""
        self._looped: set[str] = set()
        """The keys that are measured in loops."""
        self._places = {qubit: place for place, qubit in enumerate(qubits)}
        self._steps_of_gate: dict[int, tuple[Any, list[Step] | None]] = {}
        """``id`` of a gate -> the gate, kept here so that no other object gets its ``id``, and its steps."""

    def carry_out(self, operation: Any) -> None:  # noqa: ANN401 - a cirq.Operation
        """Append what an operation does."""
        gate = operation.gate
        if gate is None:
            self._without_gate(operation.untagged)
            return
        entry = self._steps_of_gate.get(id(gate))
        if entry is None:
            try:
                entry = self._steps_of_gate[id(gate)] = (gate, self._steps(gate))
            except Unreadable as exc:
                raise refused(self.index, str(gate), str(exc)) from exc
        steps = entry[1]
        if steps is None:
            self._not_unitary(gate, operation.untagged)
            return
        where = [self._places[qubit] for qubit in operation.qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    @contextmanager
    def _naming(self, source: object) -> Iterator[None]:
        """Turn an Unreadable into a refusal that names what it is about."""
        try:
            yield
        except Unreadable as exc:
            raise refused(self.index, str(source), str(exc)) from exc

    # ------------------------------------------------------------------ gates

    def _steps(self, gate: Any) -> list[Step] | None:  # noqa: ANN401 - a cirq.Gate
        """Return a gate as steps on qubits numbered from 0; ``None`` if it is not unitary."""
        if any(dimension != 2 for dimension in cirq.qid_shape(gate)):  # noqa: PLR2004 - a qubit
            raise refused(self.index, str(gate), "it acts on more than qubits of two states")
        if isinstance(gate, cirq.WaitGate):
            self.out.note(NO_TIMING)
            return []
        entry = entry_of(type(gate))
        if entry is not None:
            return entry(gate)
        if isinstance(gate, cirq.ControlledGate):
            return self._control_steps(gate.sub_gate.on(*cirq.LineQubit.range(gate.sub_gate.num_qubits())), gate)
        if cirq.is_parameterized(gate):
            return self._decompose_symbolic(gate.on(*cirq.LineQubit.range(gate.num_qubits())))
        if gate.num_qubits() == 1:
            matrix = cirq.unitary(gate, None)
            return None if matrix is None else self._from_matrix(gate, matrix)
        return self._decompose(gate.on(*cirq.LineQubit.range(gate.num_qubits()))) if cirq.has_unitary(gate) else None

    def _control_steps(self, operation: Any, controlled: Any) -> list[Step]:  # noqa: ANN401
        """Return an operation under controls as steps; the controls come before its own qubits.

        Args:
            operation: the operation without its controls.
            controlled: the ControlledGate or ControlledOperation, which has the values of the controls.
        """
        values = list(controlled.control_values.expand())
        count = len(values[0])
        inner = [
            (name, tuple([place + count for place in places]), params)
            for name, places, params in self._inner(operation, [operation])
        ]
        zeros_of_values = [[place for place, value in enumerate(bits) if not value] for bits in values]
        return [step for zeros in zeros_of_values for step in control(inner, range(count), zeros)]

    def _decompose(self, operation: Any) -> list[Step]:  # noqa: ANN401
        """Return Cirq's decomposition of a unitary operation as steps on its own qubits, with its phase."""
        parts = cirq.decompose_once(operation, None)
        if parts is None:
            return self._from_matrix(operation, cirq.unitary(operation))
        steps = self._inner(operation, parts)
        number = len(operation.qubits)
        if number > CHECKED_QUBITS:
            return steps
        try:
            big_endian = cirq.apply_unitary(operation, cirq.ApplyUnitaryArgs.default(number))
        except TypeError as exc:  # not all gates of Cirq say that they have parameters
            raise refused(self.index, str(operation), "Cirq has no matrix of it: it may need values") from exc
        try:
            phase = missing_phase(steps, big_endian.transpose())
        except ValueError as exc:
            raise refused(self.index, str(operation), f"its decomposition is another operation: {exc}") from exc
        return [*steps, ("gphase", (), (phase,))] if abs(phase) > 1e-12 else steps  # noqa: PLR2004 - rounding

    def _decompose_symbolic(self, operation: Any) -> list[Step] | None:  # noqa: ANN401
        """Return Cirq's decomposition of an operation with symbols; ``None`` if it is not unitary.

        Whether it is the operation, and keeps its phase, is tried with values drawn at random.
        """
        random = Random(0)  # noqa: S311 - no secret
        values = {name: random.uniform(0.1, 1) for name in cirq.parameter_names(operation)}
        resolved = cirq.resolve_parameters(operation, values)
        if not cirq.has_unitary(resolved):
            return None
        parts, number = cirq.decompose_once(operation, None), len(operation.qubits)
        if parts is None:
            raise Unreadable("it needs values for its parameters")
        steps = self._inner(operation, parts)
        if number <= CHECKED_QUBITS:
            bound = [
                (name, qubits, tuple([value_of_angle(a, values) for a in angles])) for name, qubits, angles in steps
            ]
            state = cirq.apply_unitary(resolved, cirq.ApplyUnitaryArgs.default(number)).transpose()
            try:
                phase = missing_phase(bound, state)
            except ValueError as exc:
                raise Unreadable(f"its decomposition is another operation: {exc}") from exc
            if abs(phase) > 1e-9:  # noqa: PLR2004 - rounding
                raise Unreadable("its decomposition loses a phase that depends on its parameters")
        return steps

    def _from_matrix(self, source: object, matrix: Any) -> list[Step]:  # noqa: ANN401 - a big-endian array
        size = len(matrix).bit_length() - 1
        try:
            return steps_of_unitary(matrix, range(size)[::-1])
        except ValueError as exc:
            raise refused(self.index, str(source), str(exc)) from exc

    def _inner(self, operation: Any, parts: Iterable[Any]) -> list[Step]:  # noqa: ANN401
        """Return parts of an operation as steps on its own qubits."""
        inner = _Reader(operation.qubits)
        inner.index = self.index
        for part in parts:
            inner.carry_out(part)
        for note in inner.out.notes:
            self.out.note(note)
        operations = inner.out.operations
        others = [op.name for op in operations if op.name not in TABLE or op.condition]
        if others:
            raise refused(self.index, str(operation), f"it is unitary but has a {others[0]} inside")
        return [(op.name, op.qubits, op.params) for op in operations]

    # ------------------------------------------------------------------ other operations

    def _not_unitary(self, gate: Any, operation: Any) -> None:  # noqa: ANN401
        if isinstance(gate, cirq.MeasurementGate):
            self._measure(gate, operation.qubits)
        elif isinstance(gate, cirq.ResetChannel):
            self.out.reset(self._places[operation.qubits[0]])
        elif isinstance(gate, cirq.StatePreparationChannel):
            self._prepare(gate, [self._places[qubit] for qubit in operation.qubits])
        else:
            self._carry_out_parts(operation)

    def _prepare(self, gate: Any, qubits: Sequence[int]) -> None:  # noqa: ANN401 - a StatePreparationChannel
        for qubit in qubits:
            self.out.reset(qubit)
        try:
            steps = steps_of_preparation(gate.state, qubits[::-1])
        except ValueError as exc:
            raise refused(self.index, str(gate), str(exc)) from exc
        for step in steps:
            self.out.gate(step)

    def _without_gate(self, operation: Any) -> None:  # noqa: ANN401
        if isinstance(operation, cirq.ClassicallyControlledOperation):
            controls = sorted(operation.classical_controls, key=str)  # classical_controls is a set
            when = reduce(_and, [self._decision(control) for control in controls])
            self.out.choose([(when, partial(self.carry_out, operation.without_classical_controls()))])
        elif isinstance(operation, cirq.ControlledOperation):
            steps = self._control_steps(operation.sub_operation, operation)
            self._append(steps, operation.qubits)
        elif isinstance(operation, cirq.CircuitOperation):
            self._repeat(operation)
        elif cirq.is_parameterized(operation):
            with self._naming(operation):
                symbolic = self._decompose_symbolic(operation)
            if symbolic is None:
                self._carry_out_parts(operation)
            else:
                self._append(symbolic, operation.qubits)
        elif cirq.has_unitary(operation):
            self._append(self._decompose(operation), operation.qubits)
        else:
            self._carry_out_parts(operation)

    def _append(self, steps: Iterable[Step], qubits: Sequence[Any]) -> None:
        where = [self._places[qubit] for qubit in qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    def _repeat(self, operation: Any) -> None:  # noqa: ANN401 - a CircuitOperation
        self._check_conditions(operation.circuit)
        if operation.repeat_until is not None:
            self._repeat_until(operation)
            return
        size = sum(1 for _ in operation.circuit.all_operations())
        self.out.check_operations(size * abs(int(operation.repetitions)))
        self._carry_out_parts(operation)

    def _repeat_until(self, operation: Any) -> None:  # noqa: ANN401 - a CircuitOperation
        """Carry out turns of a circuit, at least one, until a condition holds after one."""
        measured = cirq.measurement_key_objs(operation)
        until = self._mapped(operation.repeat_until, operation, measured)
        body = list(operation.replace(repeat_until=None).mapped_circuit().all_operations())
        names = set(map(str, measured))
        self._looped |= names
        if not all(map(_OUR_KEY.fullmatch, names)):
            self.out.note(_LAST_TURN)
        if not self._loops and self._reserve(body, names):
            stays = self._stays(until)
            if stays is not None:
                self.out.repeat(lambda: stays, partial(self._turn, body, names))
                return
        (again,) = self.out.new_hidden_clbits(1)
        self.out.assign([again], 1)

        def turn() -> None:
            self._turn(body, names)
            self.out.assign([again], Expression("not", (decided(self._decision(until)),)))

        self.out.repeat(lambda: [(Comparison((again,), 1),)], turn)

    def _mapped(self, condition: Any, operation: Any, measured: frozenset[Any]) -> Any:  # noqa: ANN401 - a cirq.Condition
        """Return a condition with the keys that it has outside of an operation, all else as it is.

        Cirq loses the mask and the index of a condition whose key it maps, even onto itself.
        """
        is_on_key = isinstance(condition, cirq.KeyCondition | cirq.BitMaskKeyCondition)
        only_key = cirq.KeyCondition(condition.key) if is_on_key else condition
        known = {cirq.MeasurementKey.parse_serialized(key) for key in self.keys}
        mapped = cirq.with_measurement_key_mapping(only_key, dict(operation.measurement_key_map))
        mapped = cirq.with_rescoped_keys(mapped, operation.parent_path, bindable_keys=frozenset(known | measured))
        if isinstance(condition, cirq.BitMaskKeyCondition):
            fields = (condition.index, condition.target_value, condition.equal_target, condition.bitmask)
            return cirq.BitMaskKeyCondition(mapped.key, *fields)
        return cirq.KeyCondition(mapped.key, condition.index) if isinstance(condition, cirq.KeyCondition) else mapped

    def _check_conditions(self, circuit: Any) -> None:  # noqa: ANN401 - a FrozenCircuit
        """Refuse the conditions inside of an operation that Cirq changes when it opens the operation."""
        for operation in circuit.all_operations():
            for condition in operation.classical_controls:
                is_on_key = isinstance(condition, cirq.KeyCondition | cirq.BitMaskKeyCondition)
                if is_on_key and condition != type(condition)(condition.key):
                    reason = "Cirq loses the mask or the index of a condition inside of a CircuitOperation"
                    raise refused(self.index, str(condition), reason)
            inner = operation.without_classical_controls().untagged
            if isinstance(inner, cirq.CircuitOperation):
                self._check_conditions(inner.circuit)

    def _reserve(self, body: Sequence[Any], names: set[str]) -> bool:
        """Reserve the clbits of a loop's measurements; false, and nothing reserved, if not all of them are in sight."""
        gates = [
            (str(cirq.measurement_key_obj(op)), op.gate) for op in body if isinstance(op.gate, cirq.MeasurementGate)
        ]
        keys = [key for key, _ in gates]
        if len(keys) != len(names) or set(keys) != names or not names.isdisjoint(self.keys):
            return False
        self._reserved = {key: self.out.new_clbits(gate.num_qubits()) for key, gate in gates}
        return True

    def _stays(self, until: Any) -> Decision | None:  # noqa: ANN401 - a cirq.Condition
        """Return when a loop stays, by clbits that are all 0 before it; ``None`` if it would not begin then."""
        keys = {key: [clbits] for key, clbits in self._reserved.items()}
        if not all(str(key) in keys for key in until.keys):
            return None
        decision = self._decision(until, keys)
        stays = None if isinstance(decision, Expression) else opposite(decision)
        return stays if stays is not None and any(holds(condition, 0) for condition in stays) else None

    def _turn(self, body: Sequence[Any], names: set[str]) -> None:
        """Carry out one turn of a loop that measures keys of these names."""
        self._loops.append(set(names))
        for operation in body:
            self.carry_out(operation)
        self._loops.pop()

    def _carry_out_parts(self, operation: Any) -> None:  # noqa: ANN401
        parts = cirq.decompose_once(operation, None)
        if parts is None:
            name = getattr(operation.gate, "__class__", type(operation)).__name__
            raise refused(self.index, name, f"{operation} is neither unitary nor a measurement nor a reset")
        for part in parts:
            self.carry_out(part)

    def _measure(self, gate: Any, qubits: Sequence[Any]) -> None:  # noqa: ANN401
        key = str(cirq.measurement_key_obj(gate))
        if gate.confusion_map:
            raise refused(self.index, "confusion_map", f"the measurement {key!r} has readout errors")
        clbits = self._clbits_of(key, len(qubits))
        for keys in self._loops:
            keys.discard(key)
        for qubit, clbit, is_inverted in zip(qubits, clbits, gate.full_invert_mask(), strict=True):
            where = self._places[qubit]
            flip = [("x", (where,), ())] if is_inverted else []
            for step in flip:
                self.out.gate(step)
            self.out.measure(where, clbit)
            for step in flip:
                self.out.gate(step)

    def _clbits_of(self, key: str, size: int) -> tuple[int, ...]:
        """Return the clbits for a measurement of a key."""
        if key in self.keys and not self._repeats:
            if _OUR_KEY.fullmatch(key):  # as dump writes it in a circuit with loops
                return self.keys[key][-1]
            raise refused(self.index, "repeated measurement key", f"{key!r} is measured more than once")
        clbits = self._reserved.pop(key, None) or self.out.new_clbits(size)
        self.keys.setdefault(key, []).append(clbits)
        return clbits

    # ------------------------------------------------------------------ conditions

    def _decision(self, condition: Any, keys: Mapping[str, Sequence[tuple[int, ...]]] | None = None) -> Decision:  # noqa: ANN401
        """Return when a condition of Cirq holds.

        Args:
            condition: the condition.
            keys: the keys, if not those that have been measured.
        """
        keys = self.keys if keys is None else keys
        names = [str(key) for key in condition.keys]
        unknown = [name for name in names if name not in keys]
        if unknown:
            raise CircuitInvalidError(
                f"operation {self.index}: the key {unknown[0]!r} is tested before it is measured",
                rule="condition",
                operation=self.index,
            )
        for name in names:
            if any(name in waiting for waiting in self._loops) and not _OUR_KEY.fullmatch(name):
                reason = f"a loop tests the key {name!r} before it measures it, so that an earlier turn decides"
                raise refused(self.index, str(condition), reason)
        if isinstance(condition, cirq.KeyCondition):
            return compare(self._bits(condition, keys), 0, equal=False)
        if isinstance(condition, cirq.BitMaskKeyCondition):
            return self._masked_conditions(condition, keys)
        objects = list(condition.keys)
        sizes = [len(keys[name][-1]) for name in names]
        clbits = [clbit for name in names for clbit in keys[name][-1]]
        if len(clbits) > MAX_TABLE_BITS:
            with self._naming(condition):
                symbols = {name: bits(*keys[name][-1][::-1]) for name in names}
                return Expression("!=", (_classical(condition.expr, symbols), 0))
        return from_table(clbits, [_holds_by_cirq(condition, objects, sizes, now) for now in range(1 << len(clbits))])

    def _bits(self, condition: Any, keys: Mapping[str, Sequence[tuple[int, ...]]]) -> tuple[int, ...]:  # noqa: ANN401
        """Return the clbits of the condition's key, the least significant first, which is that of the last qubit."""
        times = keys[str(condition.key)]
        if str(condition.key) in self._looped and condition.index != -1:
            raise refused(self.index, str(condition), "it tests another turn of a loop than the last")
        if not -len(times) <= condition.index < len(times):
            raise refused(self.index, str(condition), f"its key was measured {len(times)} times before")
        return times[int(condition.index)][::-1]

    def _masked_conditions(
        self,
        condition: Any,  # noqa: ANN401 - a BitMaskKeyCondition
        keys: Mapping[str, Sequence[tuple[int, ...]]],
    ) -> list[Condition]:
        clbits, value, equal = self._bits(condition, keys), condition.target_value, condition.equal_target
        mask = (1 << len(clbits)) - 1 if condition.bitmask is None else condition.bitmask
        places = [place for place in range(len(clbits)) if mask >> place & 1]
        if value & ~sum(1 << place for place in places):
            return [] if equal else [()]
        target = sum((value >> place & 1) << k for k, place in enumerate(places))
        return compare([clbits[place] for place in places], target, equal=equal)


def _holds_by_cirq(condition: Any, keys: Sequence[Any], sizes: Sequence[int], bits: int) -> bool:  # noqa: ANN401
    """Ask Cirq whether a condition holds when the bits of the keys, in order, are those of a number."""
    records = {}
    for key, size in zip(keys, sizes, strict=True):
        records[key] = [[bits >> place & 1 for place in range(size)]]
        bits >>= size
    qubits = {key: [tuple(cirq.LineQubit.range(len(record[0])))] for key, record in records.items()}
    return bool(condition.resolve(cirq.ClassicalDataDictionaryStore(_records=records, _measured_qubits=qubits)))


def _and(first: Decision, second: Decision) -> Decision:
    """Return when two decisions both hold."""
    if isinstance(first, Expression) or isinstance(second, Expression):
        return Expression("and", (decided(first), decided(second)))
    return [both(a, b) for a in first for b in second]


_RELATIONS: Mapping[type, str] = {
    sympy.Eq: "==", sympy.Ne: "!=", sympy.StrictLessThan: "<", sympy.LessThan: "<=", sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: ">=",
}  # fmt: skip
_LOGIC: Mapping[type, str] = {sympy.And: "and", sympy.Or: "or", sympy.Add: "+", sympy.Mul: "*"}


def _classical(node: Any, symbols: Mapping[str, Expression]) -> Any:  # noqa: ANN401 - a sympy expression
    """Return an expression of sympy, on whole numbers, as a classical expression."""
    if node.is_Symbol:
        return symbols[node.name]
    if node.is_Integer:
        return int(node)
    args = [_classical(arg, symbols) for arg in node.args]
    kind = type(node)
    if kind in _RELATIONS:
        return Expression(_RELATIONS[kind], tuple(args))
    if kind in _LOGIC:
        return joined(_LOGIC[kind], args)
    if kind is sympy.Not:
        return Expression("not", (args[0],))
    if kind is sympy.Xor:
        return joined("^", [Expression("!=", (arg, 0)) for arg in args])
    raise Unreadable(f"it computes with {kind.__name__}")


def _number_clbits(circuit: Circuit, keys: Sequence[str], numbers: tuple[int, int]) -> Circuit:
    """Return the circuit with clbits numbered as in their keys, if all keys have the form that :func:`dump` writes.

    A clbit that is measured several times has several keys, which all become that clbit, unless a condition tests
    a value that was overwritten.

    Args:
        circuit: the circuit; its hidden clbits come after those of the keys.
        keys: the key of each clbit.
        numbers: the numbers of clbits and hidden clbits that the tags give, or 0.
    """
    names = [_OUR_KEY.fullmatch(key) for key in keys]
    place = [int(name[1]) for name in names if name]
    if len(place) < circuit.num_clbits:
        return circuit
    named = max([sum(numbers), *(clbit + 1 for clbit in place)])
    place += range(named, named + circuit.num_hidden)
    latest: dict[int, int] = {}
    operations = []
    for op in circuit.operations:
        if any(latest.get(place[clbit], clbit) != clbit for part in op.condition for clbit in part.clbits):
            return circuit
        latest.update((place[clbit], clbit) for clbit in op.clbits)
        operations.append(_renumber_operation(op, place))
    num_hidden = numbers[1] + circuit.num_hidden
    result = Circuit(circuit.num_qubits, named - numbers[1], operations, num_hidden, circuit.notes)
    result.validate(DEFAULT_LIMITS)
    return result


def _renumber_operation(op: Operation, place: Sequence[int]) -> Operation:
    condition = tuple(Comparison(_renumber(part.clbits, place), part.value, part.equal) for part in op.condition)
    params = tuple([renumbered(value, place.__getitem__) for value in op.params]) if op.name == "set" else op.params
    return Operation(op.name, op.qubits, params, _renumber(op.clbits, place), condition)


def _renumber(clbits: Iterable[int], place: Sequence[int]) -> tuple[int, ...]:
    return tuple([place[clbit] for clbit in clbits])
