"""Deferred measurement: rewrites any circuit into gates with controls, and measurements at the end only.

A measurement in the middle of a circuit can be replaced by a CX onto a fresh qubit that is measured
at the end, a condition on its outcome by controls on that qubit, and a reset by a fresh qubit
(Nielsen and Chuang, Quantum Computation and Quantum Information, section 4.4). One run then gives
any number of shots. Each fresh qubit doubles a state vector but costs a decision diagram next to nothing.

The outcome of a measured qubit is copied to a fresh qubit only when something acts on the qubit later.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.shared.program import Event, Segment, make_program
from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import Comparison, Condition
from gateway.circuit.conditions import bits_of

Controls = dict[int, bool]
"""Control qubit -> the value it must have."""


@dataclass(frozen=True, slots=True)
class Step:
    """A gate that happens where all controls have the value they must have."""

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    controls: Controls = field(default_factory=dict)


@dataclass(slots=True)
class DeferredCircuit:
    """A circuit whose measurements have all been deferred to the end.

    Args:
        num_qubits: the number of qubits, including the fresh ones, which come last.
        qubit_of_clbit: clbit -> qubit whose measurement at the end it takes; the other clbits are 0.
    """

    num_qubits: int
    steps: list[Step]
    qubit_of_clbit: dict[int, int]


def defer(circuit: Circuit) -> DeferredCircuit:
    """Rewrite a circuit without assignments and loops.

    Conditional global phases, which no outcome shows, are left out.
    """
    program = make_program(circuit)
    clbits = {column: clbit for clbit, column in program.columns.items()}
    rewriter = _Rewriter(circuit.num_qubits)
    for step in program.steps:
        if isinstance(step, Segment):
            for op in step.gates:
                rewriter.gate(op)
        elif isinstance(step, Event) and step.column is not None:
            rewriter.measure(step, clbits[step.column])
        elif isinstance(step, Event):
            rewriter.reset(step)
    qubit_of_clbit = {
        clbit: qubit for clbit, qubit in rewriter.qubit_of_clbit.items() if clbit < circuit.num_clbits
    } | {clbit: rewriter.wires[qubit] for clbit, qubit in program.final.items()}
    return DeferredCircuit(rewriter.num_qubits, rewriter.steps, qubit_of_clbit)


class _Rewriter:
    """Rewrites a circuit and keeps track of where its qubits and clbits are.

    Attributes:
        wires: qubit of the circuit -> qubit that now has its state.
        qubit_of_clbit: clbit -> qubit that holds its value and never changes afterwards; an absent clbit is 0.
    """

    def __init__(self, num_qubits: int) -> None:
        self.num_qubits = num_qubits
        self.steps: list[Step] = []
        self.wires = list(range(num_qubits))
        self.qubit_of_clbit: dict[int, int] = {}
        self._zero = set(range(num_qubits))  # qubits that nothing has acted on yet
        self._just_measured: set[int] = set()  # qubits that nothing has acted on since they were measured
        # Values of qubits -> the qubit that is 1 where they have others; nothing has acted on any of them since.
        self._unequal: dict[tuple[tuple[int, bool], ...], int] = {}

    def gate(self, op: Operation) -> None:
        """Append a gate, with controls for its condition."""
        self._copy_outcomes(op.qubits)
        controls = self._controls(op.condition)
        if controls is None or (op.condition and not op.qubits):
            return
        self._step(op.name, tuple([self.wires[qubit] for qubit in op.qubits]), op.params, controls)

    def measure(self, event: Event, clbit: int) -> None:
        """Let the clbit take the qubit's value.

        Under a condition, a fresh qubit takes the new value where the condition holds, and the old value elsewhere.
        """
        qubit = self.wires[event.qubit]
        controls = self._controls(event.condition)
        if controls is None:
            return
        if not controls:
            self._just_measured.add(qubit)
            self.qubit_of_clbit[clbit] = qubit
            return
        fresh = self._new_qubit()
        before = self.qubit_of_clbit.get(clbit)
        if before is not None:
            self._step("x", (fresh,), (), {before: True})
            self._step_if("x", fresh, controls, before)  # takes the copy back where the condition holds
        self._step_if("x", fresh, controls, qubit)
        self.qubit_of_clbit[clbit] = fresh

    def reset(self, event: Event) -> None:
        """Put a fresh qubit in the place of the old one."""
        qubit = event.qubit
        if self.wires[qubit] in self._zero:
            return
        if event.condition:
            self._copy_outcomes((qubit,))
        controls = self._controls(event.condition)
        if controls is None:
            return
        fresh = self._new_qubit()
        if controls:
            self._step("swap", (self.wires[qubit], fresh), (), controls)
        else:
            self.wires[qubit] = fresh

    def _step(self, name: str, qubits: tuple[int, ...], params: tuple[float, ...], controls: Controls) -> None:
        self._zero.difference_update(qubits)
        self.steps.append(Step(name, qubits, params, controls))

    def _step_if(self, name: str, target: int, controls: Controls, extra: int) -> None:
        """Append a step with one more control, unless the two contradict each other."""
        if controls.get(extra, True):
            self._step(name, (target,), (), {**controls, extra: True})

    def _new_qubit(self) -> int:
        self._zero.add(self.num_qubits)
        self.num_qubits += 1
        return self.num_qubits - 1

    def _copy_outcomes(self, qubits: tuple[int, ...]) -> None:
        """Copy the outcomes of measured qubits before something acts on them."""
        for wire in self._just_measured.intersection([self.wires[qubit] for qubit in qubits]):
            copy = self._new_qubit()
            self._step("x", (copy,), (), {wire: True})
            self._just_measured.discard(wire)
            for clbit in [clbit for clbit, holder in self.qubit_of_clbit.items() if holder == wire]:
                self.qubit_of_clbit[clbit] = copy
            for key in [key for key in self._unequal if wire in dict(key)]:  # it may be measured once more
                del self._unequal[key]

    def _controls(self, condition: Condition) -> Controls | None:
        """Return the controls that stand for a condition, ``None`` if it never holds."""
        controls: Controls = {}
        for comparison in condition:
            more = self._comparison_controls(comparison)
            if more is None or any(controls.get(qubit, value) != value for qubit, value in more.items()):
                return None
            controls |= more
        return controls

    def _comparison_controls(self, comparison: Comparison) -> Controls | None:
        """Return the controls that stand for a comparison, ``None`` if it never holds."""
        equal = self._equality_controls(comparison)
        if comparison.equal:
            return equal
        if equal is None:
            return {}  # never equal: no control is needed
        if len(equal) < 2:  # noqa: PLR2004 - one bit differs when it has the other value
            return {qubit: not value for qubit, value in equal.items()} or None
        key = tuple(sorted(equal.items()))
        if key not in self._unequal:
            self._unequal[key] = self._new_qubit()
            self._step("x", (self._unequal[key],), (), {})
            self._step("x", (self._unequal[key],), (), equal)
        return {self._unequal[key]: True}

    def _equality_controls(self, comparison: Comparison) -> Controls | None:
        """Return the controls under which the clbits equal the constant, ``None`` if they never do."""
        controls: Controls = {}
        for clbit, bit in bits_of(comparison):
            qubit = self.qubit_of_clbit.get(clbit)
            if qubit is None:
                if bit:
                    return None
            elif controls.setdefault(qubit, bool(bit)) != bool(bit):
                return None  # two clbits have the value of one qubit and would have to differ
        return controls
