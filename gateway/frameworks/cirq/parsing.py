"""Cirq (https://quantumai.google/cirq) -> the shared circuit, checked against cirq-core 1.7.0.

Decisions where the two differ:

* Qubit ``k`` is the k-th of the circuit's qubits in Cirq's own order, ``sorted(circuit.all_qubits())``:
  numbers of line qubits that are not used leave no gap.
* Clbits are the bits of the measurement keys in order of appearance; a key of several qubits gives as
  many clbits, its first qubit the first of them. Keys that are all of the form ``c[3]``, as
  :func:`dump` writes them, say themselves which clbit they are.
* A key measured twice would make a list of values and is refused.
* A decomposition of Cirq's may lose the global phase: up to ``CHECKED_QUBITS`` qubits it is compared
  with the gate itself and put right.
* A ``WaitGate`` is refused as every delay is: what it is for, a flat circuit cannot say.
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
        RequestError: neither.
        CircuitInvalidError: symbols are unresolved, or a condition tests a key before it is measured.
        UnsupportedError: noise, qudits, delays, repeated keys, loops until a condition, named.
        LimitError: larger than circuits may be.
    """
    if not isinstance(circuit, cirq.AbstractCircuit):
        raise RequestError(
            f"a circuit of Cirq is a Circuit or FrozenCircuit, not a {type(circuit).__name__}", field="circuits"
        )
    reader = _read(circuit, repeats=False)
    tags = [_OUR_TAG.fullmatch(tag) for tag in circuit.tags if isinstance(tag, str)]
    declared = max((int(tag[1]) for tag in tags if tag), default=0)
    return _numbered(Circuit(*reader.out.parts()), list(reader.keys), declared)


def parse_with_keys(circuit: Any) -> tuple[Circuit, dict[str, list[tuple[int, ...]]]]:  # noqa: ANN401 - of Cirq
    """Return the shared circuit and, for each measurement key, the clbits of each time it is measured.

    A key may be measured more than once here. The errors are those of :func:`parse`.
    """
    reader = _read(circuit, repeats=True)
    return Circuit(*reader.out.parts()), reader.keys


def _read(circuit: Any, *, repeats: bool) -> _Reader:  # noqa: ANN401 - an AbstractCircuit
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
        qubits: all there are, in order.
        repeats: whether a key may be measured more than once.
    """

    def __init__(self, qubits: Sequence[Any], *, repeats: bool = False) -> None:
        self.out = Emitter(DEFAULT_LIMITS)
        self.out.new_qubits(len(qubits))
        self.index = 0
        self.keys: dict[str, list[tuple[int, ...]]] = {}
        """Measurement key -> its clbits, each time it is measured."""
        self._repeats = repeats
        self._places = {qubit: place for place, qubit in enumerate(qubits)}
        self._known: dict[int, tuple[Any, list[Step] | None]] = {}
        """Identity of a gate, which is held here so that it stays the gate's -> its steps."""

    def carry_out(self, operation: Any) -> None:  # noqa: ANN401 - a cirq.Operation
        """Append what an operation does."""
        gate = operation.gate
        if gate is None:
            self._without_gate(operation.untagged)
            return
        known = self._known.get(id(gate))
        if known is None:
            known = self._known[id(gate)] = (gate, self._steps(gate))
        steps = known[1]
        if steps is None:
            self._not_unitary(gate, operation.untagged)
            return
        where = [self._places[qubit] for qubit in operation.qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    # ------------------------------------------------------------------ gates

    def _steps(self, gate: Any) -> list[Step] | None:  # noqa: ANN401 - a cirq.Gate
        """Return a gate on qubits numbered from 0, or ``None`` if it is not unitary."""
        if any(dimension != 2 for dimension in cirq.qid_shape(gate)):  # noqa: PLR2004 - a qubit
            raise refused(self.index, str(gate), "it acts on more than qubits of two states")
        if isinstance(gate, cirq.WaitGate):
            raise refused(self.index, str(gate), "a flat circuit has no delays")
        entry = entry_of(type(gate))
        if entry is not None:
            return entry(gate)
        if isinstance(gate, cirq.ControlledGate):
            return self._controlled(gate.sub_gate.on(*cirq.LineQubit.range(gate.sub_gate.num_qubits())), gate)
        if gate.num_qubits() == 1:
            matrix = cirq.unitary(gate, None)
            return None if matrix is None else self._from_matrix(gate, matrix)
        return self._decomposed(gate.on(*cirq.LineQubit.range(gate.num_qubits()))) if cirq.has_unitary(gate) else None

    def _controlled(self, operation: Any, controlled: Any) -> list[Step]:  # noqa: ANN401
        """Return an operation under controls, which come before its own qubits.

        Args:
            operation: without controls.
            controlled: the ControlledGate or ControlledOperation, for the values of its controls.
        """
        values = list(controlled.control_values.expand())
        count = len(values[0])
        inner = [
            (name, tuple([place + count for place in places]), params)
            for name, places, params in self._inner(operation, [operation])
        ]
        opened = [[place for place, value in enumerate(wanted) if not value] for wanted in values]
        return [step for zeros in opened for step in control(inner, range(count), zeros)]

    def _decomposed(self, operation: Any) -> list[Step]:  # noqa: ANN401
        """Return a unitary operation as Cirq takes it apart, on its own qubits, with its phase."""
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

    def _from_matrix(self, named: object, matrix: Any) -> list[Step]:  # noqa: ANN401 - a big-endian array
        size = len(matrix).bit_length() - 1
        try:
            return steps_of_unitary(matrix, range(size)[::-1])
        except ValueError as exc:
            raise refused(self.index, str(named), str(exc)) from exc

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

    # ------------------------------------------------------------------ everything else

    def _not_unitary(self, gate: Any, operation: Any) -> None:  # noqa: ANN401
        if isinstance(gate, cirq.MeasurementGate):
            self._measure(gate, operation.qubits)
        elif isinstance(gate, cirq.ResetChannel):
            self.out.reset(self._places[operation.qubits[0]])
        else:
            self._taken_apart(operation)

    def _without_gate(self, operation: Any) -> None:  # noqa: ANN401
        if isinstance(operation, cirq.ClassicallyControlledOperation):
            conditions: list[Condition] = [()]
            for condition in sorted(operation.classical_controls, key=str):  # they are a set
                conditions = [both(a, b) for a in conditions for b in self._conditions(condition)]
            self.out.choose([(conditions, partial(self.carry_out, operation.without_classical_controls()))])
        elif isinstance(operation, cirq.ControlledOperation):
            steps = self._controlled(operation.sub_operation, operation)
            self._append(steps, operation.qubits)
        elif isinstance(operation, cirq.CircuitOperation):
            self._repeated(operation)
        elif cirq.has_unitary(operation):
            self._append(self._decomposed(operation), operation.qubits)
        else:
            self._taken_apart(operation)

    def _append(self, steps: Iterable[Step], qubits: Sequence[Any]) -> None:
        where = [self._places[qubit] for qubit in qubits]
        for name, places, params in steps:
            self.out.gate((name, tuple([where[place] for place in places]), params))

    def _repeated(self, operation: Any) -> None:  # noqa: ANN401 - a CircuitOperation
        if operation.repeat_until is not None:
            raise refused(self.index, "repeat_until", "how often it repeats depends on a measurement")
        size = sum(1 for _ in operation.circuit.all_operations())
        self.out.check_operations(size * abs(int(operation.repetitions)))
        self._taken_apart(operation)

    def _taken_apart(self, operation: Any) -> None:  # noqa: ANN401
        parts = cirq.decompose_once(operation, None)
        if parts is None:
            named = getattr(operation.gate, "__class__", type(operation)).__name__
            raise refused(self.index, named, f"{operation} is neither unitary nor a measurement nor a reset")
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
        for qubit, clbit, inverted in zip(qubits, clbits, gate.full_invert_mask(), strict=True):
            where = self._places[qubit]
            flip = [("x", (where,), ())] if inverted else []
            for step in flip:
                self.out.gate(step)
            self.out.measure(where, clbit)
            for step in flip:
                self.out.gate(step)

    # ------------------------------------------------------------------ conditions

    def _conditions(self, condition: Any) -> list[Condition]:  # noqa: ANN401 - a cirq.Condition
        """Return when a classical control lets pass, as mutually exclusive conditions."""
        missing = [str(key) for key in condition.keys if str(key) not in self.keys]
        if missing:
            raise CircuitInvalidError(
                f"operation {self.index}: the key {missing[0]!r} is tested before it is measured",
                rule="condition",
                operation=self.index,
            )
        if isinstance(condition, cirq.KeyCondition):
            return compare(self._bits(condition), 0, equal=False)
        if isinstance(condition, cirq.BitMaskKeyCondition):
            return self._masked(condition)
        keys = list(condition.keys)
        clbits = [clbit for key in keys for clbit in self.keys[str(key)][-1]]
        if len(clbits) > MAX_TABLE_BITS:
            raise refused(self.index, str(condition), f"it depends on {len(clbits)} clbits; at most {MAX_TABLE_BITS}")
        return from_table(clbits, [self._resolved(condition, keys, bits) for bits in range(1 << len(clbits))])

    def _bits(self, condition: Any) -> tuple[int, ...]:  # noqa: ANN401 - a condition on one key
        """Return the clbits of its key, the least significant first: that of the last qubit."""
        times = self.keys[str(condition.key)]
        if not -len(times) <= condition.index < len(times):
            raise refused(self.index, str(condition), f"its key was measured {len(times)} times before")
        return times[int(condition.index)][::-1]

    def _masked(self, condition: Any) -> list[Condition]:  # noqa: ANN401 - a BitMaskKeyCondition
        clbits, value, equal = self._bits(condition), condition.target_value, condition.equal_target
        mask = (1 << len(clbits)) - 1 if condition.bitmask is None else condition.bitmask
        places = [place for place in range(len(clbits)) if mask >> place & 1]
        if value & ~sum(1 << place for place in places):
            return [] if equal else [()]
        wanted = sum((value >> place & 1) << k for k, place in enumerate(places))
        return compare([clbits[place] for place in places], wanted, equal=equal)

    def _resolved(self, condition: Any, keys: Sequence[Any], bits: int) -> bool:  # noqa: ANN401
        """Let Cirq say whether a condition holds when the keys' bits, in order, are those of a number."""
        records = {}
        for key in keys:
            size = len(self.keys[str(key)][-1])
            records[key] = [[bits >> place & 1 for place in range(size)]]
            bits >>= size
        qubits = {key: [tuple(cirq.LineQubit.range(len(record[0])))] for key, record in records.items()}
        return bool(condition.resolve(cirq.ClassicalDataDictionaryStore(_records=records, _measured_qubits=qubits)))


def _numbered(circuit: Circuit, keys: Sequence[str], declared: int) -> Circuit:
    """Return the circuit with each clbit where its key says, if every key says it as :func:`dump` does.

    A clbit that is measured again has several keys there; all are that one clbit, provided that no
    condition looks at a value that was overwritten.
    """
    names = [_OUR_KEY.fullmatch(key) for key in keys]
    place = [int(name[1]) for name in names if name]
    if len(place) < circuit.num_clbits:
        return circuit
    latest: dict[int, int] = {}
    moved = []
    for op in circuit.operations:
        if any(latest.get(place[clbit]) != clbit for part in op.condition for clbit in part.clbits):
            return circuit
        latest.update((place[clbit], clbit) for clbit in op.clbits)
        condition = tuple(Comparison(_moved(part.clbits, place), part.value, part.equal) for part in op.condition)
        moved.append(Operation(op.name, op.qubits, op.params, _moved(op.clbits, place), condition))
    renumbered = Circuit(circuit.num_qubits, max([declared, *(clbit + 1 for clbit in place)]), moved)
    renumbered.validate(DEFAULT_LIMITS)
    return renumbered


def _moved(clbits: Iterable[int], place: Sequence[int]) -> tuple[int, ...]:
    return tuple([place[clbit] for clbit in clbits])
