"""MQT DDSIM (https://mqt.readthedocs.io/projects/ddsim), checked against 2.7.0 with MQT Core 3.11.0.

DDSIM works with decision diagrams: their time and memory depend on the structure of the state and not on
the number of qubits, so counts have no limit of qubits, and DDSIM itself draws the shots of most circuits.

DDSIM would simulate every shot of a dynamic circuit from the start. A few measurements on the way are deferred onto
fresh qubits, for which one run gives all shots; each makes the diagram larger, by a factor of up to about 1.8. Where
there are more, or loops or assignments, the shared driver measures and collapses diagrams in MQT's own package.

MQT is little-endian, as we are. Two gates are replaced by their definitions: MQT's ``v`` is not ``sx``,
and its ``cu`` lacks the fourth angle. MQT brings a global phase into one turn by subtracting turns one by one,
which loses digits and takes for ever for a large phase, so the adapter hands over phases of less than a turn.
DDSIM ignores a *controlled* ``gphase``; the adapter never appends one, because :mod:`adapters.shared.deferred`
leaves it out.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from adapters.shared.outcomes import NEGLIGIBLE, drawn, weighed
from adapters.shared.packed import OutcomeSum, words_of
from adapters.shared.pauli import PauliSums, String
from adapters.shared.populations import SAME, Bounds, SegmentCache, SegmentKey, follow, states_in_step
from adapters.shared.program import Program, make_program
from adapters.shared.room import Room, set_ceiling, take_outcomes, take_packed_outcomes
from adapters.shared.state_results import StateResults
from adapters.shared.states import Distribution, State, distribution
from adapters.shared.tables import Table
from gateway.circuit import Circuit, Operation
from gateway.circuit.operations import CONTROL
from gateway.counts import Counts, Probabilities
from gateway.results import Sampling
from gateway.simulators import SIMULATORS

_MOST_QUBITS_WITHOUT_CEILING = 13
"""The decision diagram of so few qubits is small even if it has no structure at all."""

_MOST_QUBITS_DENSE = 14
"""Of the states of so few qubits that the shared driver follows, all amplitudes are written down at the end."""

_MOST_DEFERRED = 6
"""So many measurements and resets may get a fresh qubit each; with more it is cheaper to follow their outcomes."""

_BYTES_OF_NODE = 200
"""The memory of a node of a diagram with its weights; a state without structure has a node for each amplitude."""


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


def _is_measured_last(circuit: Circuit) -> bool:
    """Return whether nothing but measurements follows the first one, and nothing has a condition."""
    names = [op.name for op in circuit.operations if op.name != "barrier"]
    first = names.index("measure") if "measure" in names else len(names)
    return set(names[first:]) <= {"measure"} and not any(op.condition for op in circuit.operations)


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


class Diagram:
    """A state as a decision diagram, which holds a reference to its nodes.

    Args:
        package: where the nodes are.
        vector: the diagram; its reference becomes that of the object.
    """

    __slots__ = ("package", "vector")

    def __init__(self, package: DDPackage, vector: VectorDD) -> None:
        self.package = package
        self.vector = vector

    def __del__(self) -> None:
        self.package.dec_ref_vec(self.vector)


class _Simulation:
    """What the shared driver needs of MQT: diagrams are measured and collapsed in a package of their own.

    Args:
        adapter: converts gates.
        program: what is run.
        run: the run under way.
    """

    def __init__(self, adapter: MqtAdapter, program: Program, run: Run) -> None:
        self._adapter = adapter
        self._num_qubits = program.num_qubits
        self._run = run
        self._circuits: SegmentCache[QuantumComputation] = SegmentCache(program)
        self._package = DDPackage(program.num_qubits)
        self._direction: Diagram | None = None

    def advance(self, key: SegmentKey, gates: list[Operation], state: Diagram | None) -> Diagram:
        """Return the state after gates."""

        def build() -> QuantumComputation:
            with self._run.building():
                return self._adapter.gates(Circuit(self._num_qubits, 0, gates))

        circuit = self._circuits.get(key, len(gates), build)
        with self._run.running():
            return self._after(circuit, state)

    def probability_of_one(self, state: Diagram, qubit: int) -> float:
        """Return the probability that measuring a qubit gives 1."""
        zero, one = self._weights(state, qubit)
        return one / (zero + one)

    def project(self, state: Diagram, qubit: int, outcome: int, *, flip: bool = False) -> Diagram:
        """Return the normalised state after an outcome."""
        norm = np.sqrt(self._weights(state, qubit)[outcome])
        projector = np.zeros((2, 2), dtype=np.complex128)
        projector[outcome ^ flip, outcome] = 1 / norm
        matrix = self._package.single_qubit_gate(projector, qubit)
        after = self._kept(self._package.matrix_vector_multiply(matrix, state.vector))
        self._package.garbage_collect()
        return after

    def fingerprint(self, state: Diagram) -> float:
        """Return the length of the state's component along a fixed product of states of one qubit."""
        if self._direction is None:
            circuit = QuantumComputation(self._num_qubits)
            for qubit, (theta, phi) in enumerate(np.random.default_rng(0).uniform(0.5, 2.5, (self._num_qubits, 2))):
                circuit.u(theta, phi, 0.0, qubit)
            self._direction = self._after(circuit, None)
        return float(abs(self._package.inner_product(self._direction.vector, state.vector)))

    def same(self, state: Diagram, other: Diagram) -> bool:
        """Return whether two states are the same up to their phase, by the norm of their difference."""
        overlap = self._package.inner_product(other.vector, state.vector)
        if abs(overlap) < _FAR_FROM_SAME:
            return False
        turned = self._package.single_qubit_gate(-overlap / abs(overlap) * np.eye(2, dtype=np.complex128), 0)
        negative = self._package.matrix_vector_multiply(turned, other.vector)
        difference = self._package.vector_add(state.vector, negative)
        return bool(np.sqrt(abs(self._package.inner_product(difference, difference))) <= SAME)

    def _after(self, circuit: QuantumComputation, state: Diagram | None) -> Diagram:
        if state is None:
            vector = self._package.zero_state(self._num_qubits)
        else:
            vector = state.vector
            self._package.inc_ref_vec(vector)  # the simulation gives one back
        return Diagram(self._package, simulate(circuit, vector, self._package))

    def _kept(self, vector: VectorDD) -> Diagram:
        self._package.inc_ref_vec(vector)
        return Diagram(self._package, vector)

    def _weights(self, state: Diagram, qubit: int) -> tuple[float, float]:
        """Return the squared norms of the parts of a state in which a qubit is 0 and in which it is 1."""
        zero, one = (
            self._package.expectation_value(self._package.single_qubit_gate(projector, qubit), state.vector)
            for projector in _PROJECTORS
        )
        return zero, one


_FAR_FROM_SAME = 0.5  # normalized states with a smaller overlap differ
_PROJECTORS = (np.diag([1.0 + 0j, 0.0]), np.diag([0.0, 1.0 + 0j]))


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

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Sample with DDSIM, or follow the outcomes of measurements on the way where they are too many to defer."""
        if run.sampling is Sampling.NATIVE or not self._is_followed(circuit):
            return super().counts(circuit, run)
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        totals: dict[str, int] = {}
        with run.building():
            compact = without_idle_qubits(circuit)
            program = make_program(compact, measured_last=compact.num_qubits <= _MOST_QUBITS_DENSE)
        for table, chances in self._leaves(program, rng, run):
            with run.sampling_shots():
                for outcomes in drawn(table, chances, rng):
                    outcomes.add_to(totals, program)
        return Counts.trusted(totals, circuit.num_clbits)

    def _is_followed(self, circuit: Circuit) -> bool:
        """Return whether the shared driver runs a circuit."""
        names = {op.name for op in circuit.operations}
        if not names.isdisjoint(CONTROL):
            return True
        if "reset" not in names and _is_measured_last(circuit):
            return False
        return defer(circuit).num_qubits - circuit.num_qubits > _MOST_DEFERRED

    def _leaves(
        self, program: Program, rng: np.random.Generator | None, run: Run
    ) -> Iterator[tuple[Table, Distribution]]:
        """Yield each population at the end, with the distribution of the qubits that are measured last."""
        if program.num_qubits > _MOST_QUBITS_WITHOUT_CEILING:
            set_ceiling()
        qubits = program.measured
        bounds = partial(self._bounds, program, run)
        for table, diagram in follow(program, _Simulation(self, program, run), rng, bounds, run.shots):
            with run.running():
                chances = distribution(np.asarray(diagram.vector.get_vector()), qubits) if qubits else np.ones(1)
            yield table, chances

    def _bounds(self, program: Program, run: Run) -> Bounds:
        """Return how many diagrams may wait; only the ceiling holds those of many qubits, which may have any size."""
        size = _BYTES_OF_NODE << min(program.num_qubits, _MOST_QUBITS_DENSE)
        of_one = max(size, run.room.parts.get("states", 0))  # an exact result has taken room for all amplitudes

        def claim(waiting: int) -> None:
            parts = {"states": of_one, "branches": waiting * size}
            run.room.take_states(parts, program.num_qubits, lambda left: (left // _BYTES_OF_NODE).bit_length() - 1)

        return Bounds(
            claim,
            depth=program.depth(run.shots) + 1,
            in_step=states_in_step(program, run.shots, size),
            turns=self.max_loop_iterations,
            index_of=run.index_of_control,
        )

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

    def final_states(self, circuit: Circuit, run: Run) -> Iterator[tuple[float, State]]:
        """Yield the states in which a circuit can end, with their weights."""
        with run.building():
            program = make_program(circuit)
        self.take_final_state(program.num_qubits, run)
        bounds = partial(self._bounds, program, run)
        for table, diagram in follow(program, _Simulation(self, program, run), None, bounds, 0):
            yield float(table.total()), np.asarray(diagram.vector.get_vector())

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
        if self._is_followed(circuit):
            return self._followed_probabilities(circuit, run)
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

    def _followed_probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits of a circuit that the shared driver runs."""
        totals = OutcomeSum(circuit.num_clbits)
        with run.building():
            program = make_program(without_idle_qubits(circuit))
        self.take_final_state(program.num_qubits, run)
        for table, chances in self._leaves(program, None, run):
            with run.running():
                weighed(table, chances, program).add_exactly_to(totals, program)
        with run.running():
            return Probabilities.of_arrays(totals.outcomes(), circuit.num_clbits)

    def gates(self, circuit: Circuit) -> QuantumComputation:
        """Convert a circuit of gates."""
        return self._convert_gates(circuit).circuit

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
    for qubit, letter in string.letters.items():
        _LETTERS[letter](flips, qubit)
    package.inc_ref_vec(diagram)  # simulate takes the reference of what it begins with
    after = simulate(flips, diagram, package)
    value = package.inner_product(diagram, after).real
    package.dec_ref_vec(after)
    return float(value)


_LETTERS: dict[str, Callable[[QuantumComputation, int], None]] = {
    "X": QuantumComputation.x,
    "Y": QuantumComputation.y,
    "Z": QuantumComputation.z,
}
