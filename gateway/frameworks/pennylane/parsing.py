"""PennyLane (https://pennylane.ai) -> the shared circuit, checked against 0.45.1.

Wires: where a QNode's device names its wires, wire ``k`` of the device is qubit ``k``. Else a wire
that is a number is the qubit of that number, gaps being idle qubits; with other labels among them,
qubits are numbered in the order of ``tape.wires``, which is that of first use.

Clbits: those of the final ``counts``, ``sample`` and ``probs``, in the order in which they list wires
or mid-circuit measurements, so the first one PennyLane shows is clbit 0; then those of all other
mid-circuit measurements, in order of time. What is computed from outcomes at the end, ``counts(m0 + 2 * m1)``, has
as many clbits as its largest value has bits. A mid-circuit measurement that resets and that nothing reads is a reset.
PennyLane writes the first bit leftmost, we write clbit 0 rightmost.

Postselection: the circuit becomes a loop that begins again until all outcomes are those asked for, so every shot and
every probability is one of those that PennyLane keeps. A measurement of a product of Pauli operators is one of a
qubit between gates.

An operator that is not in the tables counts as its ``decomposition``; that of a ``WireCut`` is empty. A ``Snapshot``
does nothing, and a note says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any

import pennylane as qml
from pennylane.measurements import CountsMP, MeasurementProcess, ProbabilityMP, SampleMP
from pennylane.operation import Channel, Operator
from pennylane.ops import Adjoint, Conditional, Controlled, MeasurementValue, MidMeasure, PauliMeasure, Pow
from pennylane.tape import QuantumScript

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import MAX_TABLE_BITS, compare, from_table
from gateway.circuit.emitter import Emitter, decided
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse, power
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks.pennylane.gates import GATES
from gateway.frameworks.shared.operations import without_mere_names
from gateway.frameworks.shared.refusals import refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

Params = tuple[float, ...]
Qubits = tuple[int, ...]

_ROWS: dict[type[Operator], str] = {cls: name for name, cls in GATES.items() if cls is not qml.Identity}


def _rot(phi: float, theta: float, omega: float) -> list[Step]:
    """Return ``Rot`` as a ``u`` with the phase that makes its determinant 1."""
    return [("gphase", (), (-(phi + omega) / 2,)), ("u", (0,), (theta, omega, phi))]


_STEPS: dict[type[Operator], Callable[..., list[Step]]] = {
    qml.GlobalPhase: lambda phi: [("gphase", (), (-phi,))],  # exp(-i phi)
    qml.Rot: _rot,
    qml.CRot: lambda phi, theta, omega: [("cu", (0, 1), (theta, omega, phi, -(phi + omega) / 2))],
    qml.SISWAP: lambda: [("xy", (0, 1), (qml.numpy.pi / 2,))],
}
"""PennyLane's class -> function from the parameters to steps on the positions of its wires."""

_TO_Z: dict[str, Callable[[int], list[Step]]] = {
    "X": lambda qubit: [("h", (qubit,), ())],
    "Y": lambda qubit: [("sdg", (qubit,), ()), ("h", (qubit,), ())],
    "Z": lambda _: [],
}
"""Pauli operator -> the steps that turn it to Z."""

_BITS = (CountsMP, SampleMP, ProbabilityMP)
"""The measurement processes that give bits, if they are of wires or of mid-circuit measurements."""


def parse(source: object) -> Circuit:
    """Return the shared circuit of a ``QuantumScript`` (which a ``QuantumTape`` is too) or a ``QNode``.

    A QNode becomes a tape with the transforms that its user applied, and without arguments. Pass a QNode that
    takes arguments as ``qml.workflow.construct_tape(qnode)(*arguments)``.

    Raises:
        RequestError: the object is something else of PennyLane.
        CircuitInvalidError: parameters are unbound.
        UnsupportedError: the tape has an operator without decomposition, noise, broadcasting, or a final measurement
            that does not give bits.
        LimitError: the circuit is larger than circuits may be.
    """
    if isinstance(source, qml.QNode):
        return _parse_tape(_tape(source), tuple(source.device.wires or ()))
    if isinstance(source, QuantumScript):
        return _parse_tape(source, ())
    raise RequestError(
        f"a circuit of PennyLane is a QuantumScript or a QNode, not a {type(source).__name__}", field="circuits"
    )


def _tape(qnode: Any) -> Any:  # noqa: ANN401 - a QNode, and its QuantumScript
    needed = [
        parameter.name
        for parameter in inspect.signature(qnode.func).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}
    ]
    if needed:
        raise unbound(needed)
    return qml.workflow.construct_tape(qnode)()


def _parse_tape(tape: Any, device_wires: Sequence[Hashable]) -> Circuit:  # noqa: ANN401
    reader = Reader(qubits_of(tape.wires, device_wires))
    final = reader.reserve(tape.measurements)
    reader.read(tape.operations, tape.measurements)
    for qubit, clbit in final:
        reader.out.measure(qubit, clbit)
    reader.compute()
    return without_mere_names(Circuit(*reader.out.parts()))


def qubits_of(wires: Iterable[Hashable], device_wires: Sequence[Hashable] = ()) -> dict[Hashable, int]:
    """Return the qubit of each wire; see the head of this file."""
    wires = list(wires)
    if device_wires:
        return {wire: qubit for qubit, wire in enumerate(device_wires)}
    numbers = [wire for wire in wires if isinstance(wire, int) and wire >= 0]
    if len(numbers) == len(wires):
        return {wire: wire for wire in range(max(numbers, default=-1) + 1)}
    return {wire: qubit for qubit, wire in enumerate(wires)}


class Reader:
    """Carries out operators of PennyLane on an emitter.

    Args:
        qubits: wire -> its qubit, ``0 .. n - 1``.
    """

    def __init__(self, qubits: dict[Hashable, int]) -> None:
        self.out = Emitter(DEFAULT_LIMITS)
        self.out.new_qubits(len(qubits))
        self._qubits = qubits
        self._clbits: dict[object, int] = {}
        self._computed: list[tuple[MeasurementValue, Sequence[int]]] = []
        self._is_kept: int | None = None  # the clbit that is 1 if all outcomes so far are those asked for
        self._index = 0

    # ------------------------------------------------------------------ bits

    def reserve(self, measurements: Iterable[MeasurementProcess]) -> list[tuple[int, int]]:
        """Reserve clbits for the measurements at the end, and return the qubits to measure into them."""
        final: list[tuple[int, int]] = []
        for process in measurements:
            if process.mv is not None:
                for value in process.mv if isinstance(process.mv, list) else [process.mv]:
                    self._reserve_outcome(process, value)
                continue
            if type(process) not in _BITS or process.obs is not None or process.eigvals() is not None:
                raise UnsupportedError(
                    f"{process!r}: a circuit ends with bits, so with counts, sample or probs of wires; "
                    "the device gateway.simulator evaluates everything else",
                    feature=repr(process),
                )
            qubits = [self._qubit(wire) for wire in process.wires] or list(range(len(self._qubits)))
            final += zip(qubits, self.out.new_clbits(len(qubits)), strict=True)
        return final

    def _reserve_outcome(self, process: MeasurementProcess, value: MeasurementValue) -> None:
        if type(process) not in _BITS:
            raise UnsupportedError(
                f"{process!r}: a circuit ends with bits, not with what is computed from them", feature=repr(process)
            )
        if value.has_processing:
            largest = max(self._table(repr(process), value))
            self._computed.append((value, self.out.new_clbits(max(1, largest.bit_length()))))
            return
        (uid,) = [measurement.meas_uid for measurement in value.measurements]
        if uid in self._clbits:
            raise UnsupportedError(f"{process!r}: one outcome is given twice", feature=repr(process))
        (self._clbits[uid],) = self.out.new_clbits(1)

    def compute(self) -> None:
        """Write what the measurements at the end compute from outcomes, after everything else."""
        for value, clbits in self._computed:
            table = self._table("counts", value)
            outcomes = self._clbits_of("counts", value)
            for place, clbit in enumerate(clbits):
                self.out.assign((clbit,), decided(from_table(outcomes, [bool(each >> place & 1) for each in table])))

    def _table(self, what: str, value: MeasurementValue) -> list[int]:
        """Return the values of a function of outcomes; outcome ``k`` is bit ``k`` of an index.

        Raises:
            UnsupportedError: it depends on too many outcomes, or has values that are no whole numbers from 0 on.
        """
        if len(value.measurements) > MAX_TABLE_BITS:
            raise refused(self._index, what, f"it depends on more than {MAX_TABLE_BITS} measurements")
        table = [0] * 2 ** len(value.measurements)
        for bits, result in value.branches.items():
            number = int(result)
            if number != result or number < 0:
                raise refused(self._index, what, f"its value may be {result}, and clbits hold whole numbers from 0 on")
            table[sum(bit << place for place, bit in enumerate(bits))] = number
        return table

    def _clbits_of(self, what: str, value: MeasurementValue) -> list[int]:
        """Return the clbits of the outcomes that a value depends on, all of which have been measured."""
        if any(one.meas_uid not in self._clbits for one in value.measurements):
            raise CircuitInvalidError(
                f"operation {self._index}: {what} depends on a measurement that has not happened",
                rule="condition",
                operation=self._index,
            )
        return [self._clbits[one.meas_uid] for one in value.measurements]

    def clbit_of(self, measurement: MidMeasure | PauliMeasure) -> int:
        """Return the clbit that a mid-circuit measurement writes to."""
        if measurement.meas_uid not in self._clbits:
            (self._clbits[measurement.meas_uid],) = self.out.new_clbits(1)
        return self._clbits[measurement.meas_uid]

    def _qubit(self, wire: Hashable) -> int:
        if wire not in self._qubits:
            raise CircuitInvalidError(f"the device has no wire {wire!r}", rule="wire")
        return self._qubits[wire]

    # ------------------------------------------------------------------ operators

    def read(self, operations: Sequence[Operator], measurements: Iterable[MeasurementProcess] = ()) -> None:
        """Carry out operators; ``measurements``, those at the end, tell which outcomes are in use."""
        values = [op.meas_val for op in operations if isinstance(op, Conditional)]
        for process in measurements:
            values += process.mv if isinstance(process.mv, list) else [process.mv] if process.mv is not None else []
        outcomes_in_use = {measurement.meas_uid for value in values for measurement in value.measurements}
        if all(getattr(op, "postselect", None) is None for op in operations):
            self._read(operations, outcomes_in_use)
            return
        (self._is_kept,) = kept = self.out.new_hidden_clbits(1)

        def begin_again() -> None:
            for qubit in self._qubits.values():
                self.out.reset(qubit)
            self.out.assign(kept, 1)
            self._read(operations, outcomes_in_use)

        self.out.repeat(lambda: compare(kept, 0), begin_again)

    def _read(self, operations: Sequence[Operator], outcomes_in_use: set[object]) -> None:
        qubits, gate, rows = self._qubits, self.out.gate, _ROWS
        for index, op in enumerate(operations):
            self._index = index
            row = rows.get(type(op))
            if row is None:
                self._carry_out(op, outcomes_in_use)
                continue
            try:
                gate((row, tuple([qubits[wire] for wire in op.wires]), self._numbers(op)))
            except KeyError as exc:
                self._qubit(exc.args[0])

    def _carry_out(self, op: Operator, outcomes_in_use: set[object]) -> None:
        """Carry out an operator that is not a gate of the table."""
        if isinstance(op, Conditional):
            self._conditional(op, outcomes_in_use)
        elif isinstance(op, MidMeasure):
            self._mid_measure(op, outcomes_in_use)
        elif isinstance(op, PauliMeasure):
            self._pauli_measure(op)
        elif isinstance(op, qml.Barrier):
            self.out.barrier(self._where(op))
        elif isinstance(op, qml.Snapshot):
            self.out.note("a snapshot has no effect here")
        else:
            for step in self._steps(op):
                self.out.gate(step)

    def _mid_measure(self, op: MidMeasure, outcomes_in_use: set[object]) -> None:
        (qubit,) = self._where(op)
        if not op.reset or op.meas_uid in outcomes_in_use or op.postselect is not None:
            self.out.measure(qubit, self.clbit_of(op))
            self._postselect(op)
        if op.reset:
            self.out.reset(qubit)

    def _pauli_measure(self, op: PauliMeasure) -> None:
        """Measure a product of Pauli operators: turn each to Z, and bring the parity to the last qubit."""
        *others, last = qubits = self._where(op)
        steps = [step for pauli, qubit in zip(op.pauli_word, qubits, strict=True) for step in _TO_Z[pauli](qubit)]
        steps += [("cx", (qubit, last), ()) for qubit in others]
        for step in steps:
            self.out.gate(step)
        self.out.measure(last, self.clbit_of(op))
        for step in inverse(steps):
            self.out.gate(step)
        self._postselect(op)

    def _postselect(self, op: MidMeasure | PauliMeasure) -> None:
        """Note whether the outcome just measured is the one asked for."""
        if op.postselect is not None and self._is_kept is not None:
            wrong = compare([self.clbit_of(op)], 1 - int(op.postselect))
            kept = self._is_kept
            self.out.choose([(wrong, lambda: self.out.assign((kept,), 0))])

    def _conditional(self, op: Conditional, outcomes_in_use: set[object]) -> None:
        value = op.meas_val
        truth = MeasurementValue(value.measurements, lambda *bits: bool(value.processing_fn(*bits)))
        table = list(map(bool, self._table("cond", truth)))
        clbits = self._clbits_of(op.name, value)
        self.out.choose([(from_table(clbits, table), partial(self._carry_out, op.base, outcomes_in_use))])

    def _where(self, op: Operator) -> Qubits:
        return tuple([self._qubit(wire) for wire in op.wires])

    def _numbers(self, op: Operator) -> Params:
        try:
            return tuple([value if type(value) is float else self._number(op, value) for value in op.data])
        except TypeError as exc:
            raise CircuitInvalidError(
                f"operation {self._index}: {op.name} has a parameter without a value: {exc}",
                rule="unbound parameters",
                operation=self._index,
            ) from exc

    def _number(self, op: Operator, value: Any) -> float:  # noqa: ANN401 - a number of any library
        if getattr(value, "shape", ()):
            why = "its parameters stand for several circuits; qml.transforms.broadcast_expand makes them"
            raise refused(self._index, op.name, why)
        return float(value)

    # ------------------------------------------------------------------ unitaries

    def _steps(self, op: Operator) -> list[Step]:
        """Return an operator as steps, including its phase."""
        cls = type(op)
        if cls is qml.Identity:  # on any number of wires
            return [("id", (qubit,), ()) for qubit in self._where(op)]
        if cls in _ROWS:
            return [(_ROWS[cls], self._where(op), self._numbers(op))]
        if cls in _STEPS:
            where = self._where(op)
            steps = _STEPS[cls](*self._numbers(op))
            return [(name, tuple([where[place] for place in places]), params) for name, places, params in steps]
        if isinstance(op, Controlled):
            controls = [self._qubit(wire) for wire in op.control_wires]
            zeros = [qubit for qubit, value in zip(controls, op.control_values, strict=True) if not value]
            return control(self._steps(op.base), controls, zeros)
        if isinstance(op, Adjoint):
            return inverse(self._steps(op.base))
        return self._generic_steps(op)

    def _generic_steps(self, op: Operator) -> list[Step]:
        """Return the steps of a power, of a matrix, or of a decomposition."""
        if isinstance(op, Channel):
            raise refused(self._index, op.name, "a circuit has no operation like it")
        if isinstance(op, Pow):
            try:
                return power(self._steps(op.base), float(op.z))
            except UnsupportedError:
                if not op.has_matrix:
                    raise
        elif op.has_decomposition:
            return [step for part in op.decomposition() for step in self._steps(part)]
        return self._of_matrix(op)

    def _of_matrix(self, op: Operator) -> list[Step]:
        """Return the steps of an operator that has only a matrix."""
        if not op.has_matrix:
            raise refused(self._index, op.name, "it has no decomposition into gates")
        try:
            return steps_of_unitary(op.matrix(), self._where(op)[::-1])  # PennyLane's first wire is most significant
        except ValueError as exc:
            raise refused(self._index, op.name, str(exc)) from exc
