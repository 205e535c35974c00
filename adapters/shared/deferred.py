"""Deferred measurement: any circuit as gates with controls, and measurements at the end only.

A measurement in the middle of a circuit can be replaced by a CX onto a fresh qubit that is measured
at the end, a condition on its outcome by controls on that qubit, and a reset by a fresh qubit
(Nielsen and Chuang, Quantum Computation and Quantum Information, section 4.4). One run then serves
any number of shots. The fresh qubits cost a state vector a factor of two each, but a decision
diagram next to nothing.

A qubit is copied only when something acts on it after its measurement; until then it shows its own
outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.shared.branching import make_plan
from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import Comparison, Condition
from gateway.circuit.conditions import bits_of

Controls = dict[int, bool]
"""Qubits, and the value each must have."""


@dataclass(frozen=True, slots=True)
class Step:
    """A gate that happens where all controls have their value."""

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    controls: Controls = field(default_factory=dict)


@dataclass(slots=True)
class Deferred:
    """The circuit in the new form.

    Args:
        num_qubits: with the fresh ones, which come after the circuit's own.
        shown: clbit -> qubit whose measurement at the end it shows; the other clbits are 0.
    """

    num_qubits: int
    steps: list[Step]
    shown: dict[int, int]


def defer(circuit: Circuit) -> Deferred:
    """Rewrite a circuit; conditional global phases, which no outcome shows, are left out."""
    plan = make_plan(circuit)
    rewriter = _Rewriter(circuit.num_qubits)
    for segment in plan.segments:
        for op in segment.gates:
            rewriter.gate(op)
        if segment.event is not None:
            (rewriter.measure if segment.event.name == "measure" else rewriter.reset)(segment.event)
    shown = rewriter.shown | {clbit: rewriter.wires[qubit] for clbit, qubit in plan.final.items()}
    return Deferred(rewriter.num_qubits, rewriter.steps, shown)


class _Rewriter:
    """Keeps track of where each qubit and each clbit is.

    Attributes:
        wires: qubit of the circuit -> qubit that now has its state.
        shown: clbit -> qubit that shows its value, never changed afterwards; absent: still 0.
    """

    def __init__(self, num_qubits: int) -> None:
        self.num_qubits = num_qubits
        self.steps: list[Step] = []
        self.wires = list(range(num_qubits))
        self.shown: dict[int, int] = {}
        self._zero = set(range(num_qubits))  # nothing has acted on these yet
        self._measured: set[int] = set()  # nothing has acted on these since they were measured
        self._unequal: dict[tuple[tuple[int, bool], ...], int] = {}

    def gate(self, op: Operation) -> None:
        """Append a gate, with controls for its condition."""
        self._preserve(op.qubits)
        controls = self._controls(op.condition)
        if controls is None or (op.condition and not op.qubits):
            return
        self._step(op.name, tuple([self.wires[qubit] for qubit in op.qubits]), op.params, controls)

    def measure(self, op: Operation) -> None:
        """Let the clbit show the qubit, or where there is a condition, a fresh one that chooses between the two."""
        qubit, clbit = self.wires[op.qubits[0]], op.clbits[0]
        controls = self._controls(op.condition)
        if controls is None:
            return
        if not controls:
            self._measured.add(qubit)
            self.shown[clbit] = qubit
            return
        chosen = self._fresh()
        before = self.shown.get(clbit)
        if before is not None:
            self._step("x", (chosen,), (), {before: True})
            self._step_if("x", chosen, controls, before)  # undone where the condition holds
        self._step_if("x", chosen, controls, qubit)
        self.shown[clbit] = chosen

    def reset(self, op: Operation) -> None:
        """Put a fresh qubit in the place of the old one."""
        qubit = op.qubits[0]
        if self.wires[qubit] in self._zero:
            return
        if op.condition:
            self._preserve(op.qubits)
        controls = self._controls(op.condition)
        if controls is None:
            return
        fresh = self._fresh()
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

    def _fresh(self) -> int:
        self._zero.add(self.num_qubits)
        self.num_qubits += 1
        return self.num_qubits - 1

    def _preserve(self, qubits: tuple[int, ...]) -> None:
        """Copy the outcome of measured qubits before something acts on them."""
        for wire in self._measured.intersection([self.wires[qubit] for qubit in qubits]):
            copy = self._fresh()
            self._step("x", (copy,), (), {wire: True})
            self._measured.discard(wire)
            for clbit in [clbit for clbit, shows in self.shown.items() if shows == wire]:
                self.shown[clbit] = copy

    def _controls(self, condition: Condition) -> Controls | None:
        """Return the controls that stand for a condition, ``None`` if it never holds."""
        controls: Controls = {}
        for comparison in condition:
            more = self._compared(comparison)
            if more is None or any(controls.get(qubit, value) != value for qubit, value in more.items()):
                return None
            controls |= more
        return controls

    def _compared(self, comparison: Comparison) -> Controls | None:
        equal = self._equal(comparison)
        if comparison.equal:
            return equal
        if equal is None:
            return {}  # never equal: no control is needed
        if len(equal) < 2:  # noqa: PLR2004 - one bit differs when it has the other value
            return {qubit: not value for qubit, value in equal.items()} or None
        key = tuple(sorted(equal.items()))
        if key not in self._unequal:
            self._unequal[key] = self._fresh()
            self._step("x", (self._unequal[key],), (), {})
            self._step("x", (self._unequal[key],), (), equal)
        return {self._unequal[key]: True}

    def _equal(self, comparison: Comparison) -> Controls | None:
        controls: Controls = {}
        for clbit, bit in bits_of(comparison):
            qubit = self.shown.get(clbit)
            if qubit is None:
                if bit:
                    return None
            elif controls.setdefault(qubit, bool(bit)) != bool(bit):
                return None  # two clbits show one qubit and would have to differ
        return controls
