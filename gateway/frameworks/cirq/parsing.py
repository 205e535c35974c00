"""Cirq (https://quantumai.google/cirq) -> the shared circuit, checked against cirq-core 1.7.0.

Decisions where the two differ:

* Qubit ``k`` is the k-th of the circuit's qubits in Cirq's own order, ``sorted(circuit.all_qubits())``, so
  numbers of line qubits that do not occur leave no gap.
* Clbits are the bits of the measurement keys in order of appearance; a key of several qubits gives as many
  clbits, its first qubit the first of them. If all keys have the form ``c[3]``, as :func:`dump` writes them,
  they are the numbers of the clbits.
* A key that is measured twice would have a list of values, and is refused.
* A decomposition of Cirq's may lose the global phase. Up to ``CHECKED_QUBITS`` qubits, the conversion compares
  it with the gate itself and corrects the phase.
* A ``WaitGate`` is refused, like every delay, because a flat circuit has no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import cirq

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import MAX_TABLE_BITS, both, compare, from_table
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control
from gateway.errors import CircuitInvalidError, RequestError
from gateway.frameworks.cirq.steps import entry_of
from gateway.frameworks.shared.phases import missing_phase
from gateway.frameworks.shared.refusals import refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

CHECKED_QUBITS = 10
_OUR_KEY = re.compile(r"c\[(\d{1,9})\](#\d+)?")
_OUR_TAG = re.compile(r"(\d{1,9}) clbits")


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``Circuit`` or ``FrozenCircuit``.

    Raises:
        RequestError: the object is neither.
        CircuitInvalidError: symbols are unresolved, or a condition tests a key before it is measured.
        UnsupportedError: the circuit has noise, qudits, delays, repeated keys, or loops until a condition holds.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise RequestError(
            f"a circuit of Cirq is a Circuit or FrozenCircuit, not a {type(circuit).__name__}", field="circuits"
        )
    reader = _convert(circuit, repeats=False)
    tags = [_OUR_TAG.fullmatch(tag) for tag in circuit.tags if isinstance(tag, str)]
    num_clbits_by_tag = max((int(tag[1]) for tag in tags if tag), default=0)
    return _number_clbits(Circuit(*reader.out.parts()), list(reader.keys), num_clbits_by_tag)


def parse_with_keys(circuit: Any) -> tuple[Circuit, dict[str, list[tuple[int, ...]]]]:  # noqa: ANN401 - of Cirq
    """Return the shared circuit and, for each measurement key, the clbits of each of its measurements.

    A key may be measured several times here. The errors are those of :func:`parse`.
    """
    reader = _convert(circuit, repeats=True)
    return Circuit(*reader.out.parts()), reader.keys


def _convert(circuit: Any, *, repeats: bool) -> _Reader:  # noqa: ANN401 - an AbstractCircuit
    reader = _Reader(sorted(circuit.all_qubits()), repeats=repeats)
    try:
        for index, operation in enumerate(circuit.all_operations()):
            reader.index = index
            reader.carry_out(operation)
    except TypeError:
        if cirq.is_parameterized(circuit):
            raise unbound(cirq.parameter_names(circuit)) from None
        raise
    return reader


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
            entry = self._steps_of_gate[id(gate)] = (gate, self._steps(gate))
        steps = entry[1]
        if steps is None:
            self._not_unitary(gate, operation.untagged)
            return
        where = [self._places[qubit] for qubit in operation.qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    # ------------------------------------------------------------------ gates

    def _steps(self, gate: Any) -> list[Step] | None:  # noqa: ANN401 - a cirq.Gate
        """Return a gate as steps on qubits numbered from 0; ``None`` if it is not unitary."""
        if any(dimension != 2 for dimension in cirq.qid_shape(gate)):  # noqa: PLR2004 - a qubit
            raise refused(self.index, str(gate), "it acts on more than qubits of two states")
        if isinstance(gate, cirq.WaitGate):
            raise refused(self.index, str(gate), "a flat circuit has no delays")
        entry = entry_of(type(gate))
        if entry is not None:
            return entry(gate)
        if isinstance(gate, cirq.ControlledGate):
            return self._control_steps(gate.sub_gate.on(*cirq.LineQubit.range(gate.sub_gate.num_qubits())), gate)
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
        big_endian = cirq.apply_unitary(operation, cirq.ApplyUnitaryArgs.default(number))
        try:
            phase = missing_phase(steps, big_endian.transpose())
        except ValueError as exc:
            raise refused(self.index, str(operation), f"its decomposition is another operation: {exc}") from exc
        return [*steps, ("gphase", (), (phase,))] if abs(phase) > 1e-12 else steps  # noqa: PLR2004 - rounding

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
        operations = inner.out.operations
        others = [op.name for op in operations if op.name in {"measure", "reset"} or op.condition]
        if others:
            raise refused(self.index, str(operation), f"it is unitary but has a {others[0]} inside")
        return [(op.name, op.qubits, op.params) for op in operations]

    # ------------------------------------------------------------------ other operations

    def _not_unitary(self, gate: Any, operation: Any) -> None:  # noqa: ANN401
        if isinstance(gate, cirq.MeasurementGate):
            self._measure(gate, operation.qubits)
        elif isinstance(gate, cirq.ResetChannel):
            self.out.reset(self._places[operation.qubits[0]])
        else:
            self._carry_out_parts(operation)

    def _without_gate(self, operation: Any) -> None:  # noqa: ANN401
        if isinstance(operation, cirq.ClassicallyControlledOperation):
            conditions: list[Condition] = [()]
            for condition in sorted(operation.classical_controls, key=str):  # classical_controls is a set
                conditions = [both(a, b) for a in conditions for b in self._conditions(condition)]
            self.out.choose([(conditions, partial(self.carry_out, operation.without_classical_controls()))])
        elif isinstance(operation, cirq.ControlledOperation):
            steps = self._control_steps(operation.sub_operation, operation)
            self._append(steps, operation.qubits)
        elif isinstance(operation, cirq.CircuitOperation):
            self._repeat(operation)
        elif cirq.has_unitary(operation):
            self._append(self._decompose(operation), operation.qubits)
        else:
            self._carry_out_parts(operation)

    def _append(self, steps: Iterable[Step], qubits: Sequence[Any]) -> None:
        where = [self._places[qubit] for qubit in qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    def _repeat(self, operation: Any) -> None:  # noqa: ANN401 - a CircuitOperation
        if operation.repeat_until is not None:
            raise refused(self.index, "repeat_until", "how often it repeats depends on a measurement")
        size = sum(1 for _ in operation.circuit.all_operations())
        self.out.check_operations(size * abs(int(operation.repetitions)))
        self._carry_out_parts(operation)

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
        if key in self.keys and not self._repeats:
            raise refused(self.index, "repeated measurement key", f"{key!r} is measured more than once")
        clbits = self.out.new_clbits(len(qubits))
        self.keys.setdefault(key, []).append(clbits)
        for qubit, clbit, is_inverted in zip(qubits, clbits, gate.full_invert_mask(), strict=True):
            where = self._places[qubit]
            flip = [("x", (where,), ())] if is_inverted else []
            for step in flip:
                self.out.gate(step)
            self.out.measure(where, clbit)
            for step in flip:
                self.out.gate(step)

    # ------------------------------------------------------------------ conditions

    def _conditions(self, condition: Any) -> list[Condition]:  # noqa: ANN401 - a cirq.Condition
        """Return the disjoint conditions under which a classical control lets an operation happen."""
        unknown = [str(key) for key in condition.keys if str(key) not in self.keys]
        if unknown:
            raise CircuitInvalidError(
                f"operation {self.index}: the key {unknown[0]!r} is tested before it is measured",
                rule="condition",
                operation=self.index,
            )
        if isinstance(condition, cirq.KeyCondition):
            return compare(self._bits(condition), 0, equal=False)
        if isinstance(condition, cirq.BitMaskKeyCondition):
            return self._masked_conditions(condition)
        keys = list(condition.keys)
        clbits = [clbit for key in keys for clbit in self.keys[str(key)][-1]]
        if len(clbits) > MAX_TABLE_BITS:
            raise refused(self.index, str(condition), f"it depends on {len(clbits)} clbits; at most {MAX_TABLE_BITS}")
        return from_table(clbits, [self._holds_by_cirq(condition, keys, bits) for bits in range(1 << len(clbits))])

    def _bits(self, condition: Any) -> tuple[int, ...]:  # noqa: ANN401 - a condition on one key
        """Return the clbits of the condition's key, the least significant first, which is that of the last qubit."""
        times = self.keys[str(condition.key)]
        if not -len(times) <= condition.index < len(times):
            raise refused(self.index, str(condition), f"its key was measured {len(times)} times before")
        return times[int(condition.index)][::-1]

    def _masked_conditions(self, condition: Any) -> list[Condition]:  # noqa: ANN401 - a BitMaskKeyCondition
        clbits, value, equal = self._bits(condition), condition.target_value, condition.equal_target
        mask = (1 << len(clbits)) - 1 if condition.bitmask is None else condition.bitmask
        places = [place for place in range(len(clbits)) if mask >> place & 1]
        if value & ~sum(1 << place for place in places):
            return [] if equal else [()]
        target = sum((value >> place & 1) << k for k, place in enumerate(places))
        return compare([clbits[place] for place in places], target, equal=equal)

    def _holds_by_cirq(self, condition: Any, keys: Sequence[Any], bits: int) -> bool:  # noqa: ANN401
        """Ask Cirq whether a condition holds when the bits of the keys, in order, are those of a number."""
        records = {}
        for key in keys:
            size = len(self.keys[str(key)][-1])
            records[key] = [[bits >> place & 1 for place in range(size)]]
            bits >>= size
        qubits = {key: [tuple(cirq.LineQubit.range(len(record[0])))] for key, record in records.items()}
        return bool(condition.resolve(cirq.ClassicalDataDictionaryStore(_records=records, _measured_qubits=qubits)))


def _number_clbits(circuit: Circuit, keys: Sequence[str], num_clbits_by_tag: int) -> Circuit:
    """Return the circuit with clbits numbered as in their keys, if all keys have the form that :func:`dump` writes.

    A clbit that is measured several times has several keys, which all become that clbit, unless a condition tests
    a value that was overwritten.
    """
    names = [_OUR_KEY.fullmatch(key) for key in keys]
    place = [int(name[1]) for name in names if name]
    if len(place) < circuit.num_clbits:
        return circuit
    latest: dict[int, int] = {}
    operations = []
    for op in circuit.operations:
        if any(latest.get(place[clbit]) != clbit for part in op.condition for clbit in part.clbits):
            return circuit
        latest.update((place[clbit], clbit) for clbit in op.clbits)
        condition = tuple(Comparison(_renumber(part.clbits, place), part.value, part.equal) for part in op.condition)
        operations.append(Operation(op.name, op.qubits, op.params, _renumber(op.clbits, place), condition))
    result = Circuit(circuit.num_qubits, max([num_clbits_by_tag, *(clbit + 1 for clbit in place)]), operations)
    result.validate(DEFAULT_LIMITS)
    return result


def _renumber(clbits: Iterable[int], place: Sequence[int]) -> tuple[int, ...]:
    return tuple([place[clbit] for clbit in clbits])
