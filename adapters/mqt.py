"""MQT DDSIM (https://mqt.readthedocs.io/projects/ddsim), checked against 2.7.0 with MQT Core 3.11.0.

DDSIM works with decision diagrams: their time and memory depend on the structure of the state and not on
the number of qubits, so counts have no limit of qubits, and DDSIM itself always draws the shots. The
adapter runs dynamic circuits by deferred measurement, since DDSIM would simulate every shot from the start.

MQT is little-endian, as we are. Two gates are replaced by their definitions: MQT's ``v`` is not ``sx``,
and its ``cu`` lacks the fourth angle. MQT brings a global phase into one turn by subtracting turns one by one,
which loses digits and takes for ever for a large phase, so the adapter hands over phases of less than a turn.
DDSIM ignores a *controlled* ``gphase``; the adapter never appends one, because :mod:`adapters.shared.deferred`
leaves it out.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar

import mqt.ddsim
import numpy as np
from mqt.core.dd import DDPackage, VectorDD, simulate, simulate_statevector
from mqt.core.ir import QuantumComputation
from mqt.core.ir.operations import Control
from mqt.ddsim import CircuitSimulator

from adapters.base import Run, measured_clbits
from adapters.shared.costs import Costs
from adapters.shared.deferred import Step, defer
from adapters.shared.dense import without_idle_qubits
from adapters.shared.outcomes import NEGLIGIBLE
from adapters.shared.packed import OutcomeSum, words_of
from adapters.shared.pauli import PauliSums, String, ones
from adapters.shared.room import Room, set_ceiling, take_outcomes, take_packed_outcomes
from adapters.shared.state_results import StateResults
from adapters.shared.states import State, distribution
from gateway.circuit import Circuit
from gateway.counts import Counts, Probabilities
from gateway.simulators import SIMULATORS

_MOST_QUBITS_WITHOUT_CEILING = 13
"""The decision diagram of so few qubits is small even if it has no structure at all."""


_SMALL = 6
"""A diagram of less than one node for ``2**_SMALL`` amplitudes is worth keeping as a diagram."""


class NativeGate:
    """Appends one gate to MQT's circuits, as it is and with further controls.

    Args:
        base: MQT's name of the gate without controls.
        num_controls: how many of the gate's qubits, the first ones, are its own controls.
    """

    __slots__ = ("_many", "num_controls", "plain")

    def __init__(self, base: str, num_controls: int = 0) -> None:
        self.num_controls = num_controls
        self._many: Any = getattr(QuantumComputation, f"mc{base}", None)  # gphase has none and needs none
        self.plain: Callable[..., None] = (
            getattr(QuantumComputation, "c" * num_controls + base) if num_controls <= 1 else self._with_own_controls
        )
        """Appends the gate: ``(circuit, *params, *qubits)``."""

    def append_controlled(self, circuit: QuantumComputation, step: Step) -> None:
        """Append the gate with the controls of a step."""
        controls = {Control(q, Control.Type.Pos if value else Control.Type.Neg) for q, value in step.controls.items()}
        controls.update(map(Control, step.qubits[: self.num_controls]))
        self._many(circuit, *step.params, controls, *step.qubits[self.num_controls :])

    def _with_own_controls(self, circuit: QuantumComputation, *qubits: int) -> None:
        self._many(circuit, set(qubits[: self.num_controls]), *qubits[self.num_controls :])


class GlobalPhase(NativeGate):
    """Adds to the global phase of MQT's circuits."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("gphase")
        self.plain = _add_phase


def _add_phase(circuit: QuantumComputation, phase: float) -> None:
    circuit.gphase(cmath.phase(cmath.rect(1.0, phase)))


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """A circuit of MQT's: gates, and measurements of some qubits at the end.

    Args:
        qubit_of_clbit: clbit -> qubit whose outcome it takes; the other clbits are 0.
        measured_qubits: the measured qubits, each once; the position of a qubit is MQT's classical bit.
    """

    circuit: QuantumComputation
    qubit_of_clbit: dict[int, int]
    num_clbits: int
    measured_qubits: tuple[int, ...] = ()


class MqtAdapter(StateResults[NativeCircuit]):
    """DDSIM's ``CircuitSimulator``."""

    name = "mqt"
    capabilities = SIMULATORS["mqt"].capabilities
    costs = Costs(operation=3_000, shot=0, shot_bit=0)
    native_gates: ClassVar[Mapping[str, NativeGate]] = {
        "gphase": GlobalPhase(),
        "id": NativeGate("i"),
        "x": NativeGate("x"),
        "y": NativeGate("y"),
        "z": NativeGate("z"),
        "h": NativeGate("h"),
        "s": NativeGate("s"),
        "sdg": NativeGate("sdg"),
        "t": NativeGate("t"),
        "tdg": NativeGate("tdg"),
        "sx": NativeGate("sx"),
        "sxdg": NativeGate("sxdg"),
        "p": NativeGate("p"),
        "u1": NativeGate("p"),
        "u2": NativeGate("u2"),
        "u3": NativeGate("u"),
        "u": NativeGate("u"),
        "U": NativeGate("u"),
        "rx": NativeGate("rx"),
        "ry": NativeGate("ry"),
        "rz": NativeGate("rz"),
        "cx": NativeGate("x", 1),
        "CX": NativeGate("x", 1),
        "cy": NativeGate("y", 1),
        "cz": NativeGate("z", 1),
        "ch": NativeGate("h", 1),
        "cs": NativeGate("s", 1),
        "csdg": NativeGate("sdg", 1),
        "csx": NativeGate("sx", 1),
        "crx": NativeGate("rx", 1),
        "cry": NativeGate("ry", 1),
        "crz": NativeGate("rz", 1),
        "cp": NativeGate("p", 1),
        "cu1": NativeGate("p", 1),
        "cu3": NativeGate("u", 1),
        "swap": NativeGate("swap"),
        "iswap": NativeGate("iswap"),
        "dcx": NativeGate("dcx"),
        "ecr": NativeGate("ecr"),
        "rxx": NativeGate("rxx"),
        "ms": NativeGate("rxx"),
        "ryy": NativeGate("ryy"),
        "rzz": NativeGate("rzz"),
        "rzx": NativeGate("rzx"),
        "xx_plus_yy": NativeGate("xx_plus_yy"),
        "xx_minus_yy": NativeGate("xx_minus_yy"),
        "ccx": NativeGate("x", 2),
        "ccz": NativeGate("z", 2),
        "cswap": NativeGate("swap", 1),
        "rccx": NativeGate("rccx"),
        "c3x": NativeGate("x", 3),
        "c3sqrtx": NativeGate("sx", 3),
        "c4x": NativeGate("x", 4),
    }

    def __init__(self) -> None:
        self._plain = {name: gate.plain for name, gate in self.native_gates.items()}
        self._plain["barrier"] = lambda *_: None

    def version(self) -> str:
        """Return DDSIM's version."""
        return str(mqt.ddsim.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit:
        """Convert to a QuantumComputation whose measurements come last and each measure another qubit.

        MQT gives wrong counts when one qubit is measured into two classical bits (munich-quantum-toolkit/ddsim
        issue 251). Therefore each qubit is measured once, and :meth:`sample` writes the clbits.
        """
        native = self._convert_gates(circuit)
        qubits = tuple(sorted(set(native.qubit_of_clbit.values())))
        if qubits:
            native.circuit.add_classical_register(len(qubits))
            native.circuit.measure(list(qubits), list(range(len(qubits))))
        return NativeCircuit(native.circuit, native.qubit_of_clbit, native.num_clbits, qubits)

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``CircuitSimulator.simulate``."""
        width = native.num_clbits
        if not native.measured_qubits:  # no measurement happens: MQT would measure every qubit
            return Counts.trusted({"0" * width: shots}, width)
        if native.circuit.num_qubits > _MOST_QUBITS_WITHOUT_CEILING:  # with those of deferred measurements
            set_ceiling()
        counts = CircuitSimulator(native.circuit, seed=seed).simulate(shots)
        take_outcomes(len(counts), width)
        # MQT's keys begin with the highest classical bit; a clbit that nothing measures takes the appended 0.
        places = {qubit: place for place, qubit in enumerate(reversed(native.measured_qubits))}
        picks = [places.get(native.qubit_of_clbit.get(clbit, -1), len(places)) for clbit in reversed(range(width))]
        if picks == list(range(len(places))):
            return Counts.trusted(counts, width)
        pick = itemgetter(*picks)
        return Counts.trusted({"".join(pick(key + "0")): times for key, times in counts.items()}, width)

    def advice(self, room: Room) -> str:
        """Return why the memory ran out and what to do about it."""
        if room.parts.get(room.largest(), 0) <= self.available_bytes() // 2:
            return (
                ": the decision diagram of this circuit is too large, as it is for states without structure; a "
                "simulator of state vectors takes such a circuit, or ask for fewer qubits"
            )
        return super().advice(room)

    def state(self, native: NativeCircuit) -> State:
        """Return the state after the gates of a program without measurements, complex128 ``[2**n]``."""
        return np.asarray(simulate_statevector(native.circuit))

    def take_final_state(self, num_qubits: int, run: Run, *, extra: int = 0, answer: bool = False) -> None:
        """Take room for a dense vector, and for a decision diagram that may have no structure to exploit."""
        per_amplitude = (self.capabilities.exact_bytes_per_amplitude or 0) + extra
        self.take_states(run, num_qubits, per_amplitude=per_amplitude, answer=answer)

    def final_state(self, circuit: Circuit, run: Run) -> State:
        """Return the state after a circuit of gates."""
        with run.building():
            native = self._convert_gates(circuit)
        with run.running():
            return self.state(native)

    def some_amplitudes(self, circuit: Circuit, indices: Sequence[int], run: Run) -> list[complex]:
        """Return amplitudes from the decision diagram, which needs no vector of all of them."""
        _, diagram = self._diagram(circuit, run)
        width = circuit.num_qubits
        with run.running():
            return [diagram.get_amplitude(width, f"{index:0{width}b}"[::-1]) for index in indices]

    def values_of(self, circuit: Circuit, sums: PauliSums, run: Run) -> list[float]:
        """Return the exact value of each observable: from the diagram where it is small, from the vector elsewhere."""
        if circuit.num_qubits <= _MOST_QUBITS_WITHOUT_CEILING:
            return super().values_of(circuit, sums, run)
        package, diagram = self._diagram(circuit, run)
        if diagram.size() > 1 << circuit.num_qubits >> _SMALL:
            return super().values_of(circuit, sums, run)
        with run.running():
            return sums.values(
                np.array([_value(package, diagram, string, circuit.num_qubits) for string in sums.strings])
            )

    def _diagram(self, circuit: Circuit, run: Run) -> tuple[DDPackage, VectorDD]:
        """Return the decision diagram of the state after a circuit of gates, and the package that it belongs to."""
        if circuit.num_qubits > _MOST_QUBITS_WITHOUT_CEILING:
            set_ceiling()
        with run.building():
            native = self._convert_gates(circuit)
        with run.running():
            package = DDPackage(circuit.num_qubits)
            return package, simulate(native.circuit, package.zero_state(circuit.num_qubits), package)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits."""
        with run.building():
            native = self._convert_gates(without_idle_qubits(circuit))
        self.take_final_state(native.circuit.num_qubits, run)
        with run.running():
            qubits = sorted(set(native.qubit_of_clbit.values()))
            probabilities = distribution(self.state(native), qubits)
            (likely,) = np.nonzero(probabilities > NEGLIGIBLE)
            places = {clbit: qubits.index(qubit) for clbit, qubit in native.qubit_of_clbit.items()}
            totals = OutcomeSum(circuit.num_clbits)
            take_packed_outcomes(len(likely), circuit.num_clbits)
            words = words_of(likely, places, circuit.num_clbits)
            totals.add(words, probabilities[likely], is_distinct=True)
            return Probabilities.of_arrays(totals.outcomes(), circuit.num_clbits)

    def _convert_gates(self, circuit: Circuit) -> NativeCircuit:
        """Convert the gates, deferring each measurement that something follows."""
        target = QuantumComputation(circuit.num_qubits)
        plain = self._plain
        tail = len(circuit.operations)
        for index, op in enumerate(circuit.operations):
            append = plain.get(op.name)
            if append is None or op.condition:
                tail = index
                break
            append(target, *op.params, *op.qubits)
        last = circuit.operations[tail:]
        if all(op.name in {"measure", "barrier"} and not op.condition for op in last):
            measured = {clbit: qubit for clbit, qubit in measured_clbits(last).items() if clbit < circuit.num_clbits}
            return NativeCircuit(target, measured, circuit.num_clbits)
        deferred_circuit = defer(circuit)
        target = QuantumComputation(deferred_circuit.num_qubits)
        for step in deferred_circuit.steps:
            if step.controls:
                self.native_gates[step.name].append_controlled(target, step)
            else:
                plain[step.name](target, *step.params, *step.qubits)
        return NativeCircuit(target, deferred_circuit.qubit_of_clbit, circuit.num_clbits)


def _value(package: DDPackage, diagram: VectorDD, string: String, num_qubits: int) -> float:
    """Return the value of a Pauli string in the state of a diagram."""
    flips = QuantumComputation(num_qubits)
    for qubit in ones(string.support):
        append = _LETTERS[string.x >> qubit & 1, string.z >> qubit & 1]
        append(flips, qubit)
    package.inc_ref_vec(diagram)  # simulate takes the reference of what it begins with
    after = simulate(flips, diagram, package)
    value = package.inner_product(diagram, after).real
    package.dec_ref_vec(after)
    return float(value)


_LETTERS: dict[tuple[int, int], Callable[[QuantumComputation, int], None]] = {
    (1, 0): QuantumComputation.x,
    (1, 1): QuantumComputation.y,
    (0, 1): QuantumComputation.z,
}
