"""The base class of the adapters whose simulators hand over a dense state vector, with the shared sampler.

Let ``p`` be the exact distribution of the measured qubits, in float64 and normalised. The shared sampler draws
all shots at once with ``numpy.random.default_rng(seed).multinomial(shots, p)`` (PCG64). This costs the same for
any number of shots, gives all simulators the same rule for seeds, and decides the bit order in one place. In a
dynamic circuit the same generator first divides the shots, as :mod:`adapters.shared.populations` says, and then
draws for each population at the end, as :func:`adapters.shared.outcomes.drawn` says.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Generic

import numpy as np
from numpy.typing import NDArray

from adapters.base import N, Run
from adapters.shared import mixed, states
from adapters.shared.costs import STATE
from adapters.shared.mixed import Mixed
from adapters.shared.outcomes import all_bitstrings, drawn, weighed
from adapters.shared.packed import OutcomeSum
from adapters.shared.pauli import Estimate, PauliSums, expectations, grouped
from adapters.shared.populations import SAME, Bounds, SegmentCache, SegmentKey, follow, states_in_step
from adapters.shared.preparing import Prepared
from adapters.shared.program import Program, make_program
from adapters.shared.recall import Recall
from adapters.shared.room import take_outcomes
from adapters.shared.state_results import StateResults, compacted, draw, on_busy_qubits, used_to_the_end
from adapters.shared.states import Distribution, State, bitstrings, texts
from adapters.shared.tables import Table
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts, Probabilities
from gateway.density_matrix import DensityMatrix
from gateway.enforcement import ENTRY_OF_MIXED
from gateway.expectation import Expectation
from gateway.results import Sampling

_PIECE_BYTES = 2**22
"""How much is converted at a time, since the forms on the way take several times the memory of the last one."""

_FEW_BITS = 12
"""The bitstrings of so many measured qubits are written once for all points."""


class DenseAdapter(StateResults[N]):
    """An adapter of a simulator whose state vector can be read and set."""

    hands_over_states = True

    @abstractmethod
    def evolve(self, native: N, state: State | None = None) -> State:
        """Return the state after a circuit of gates.

        Args:
            native: what ``build`` returned for gates only.
            state: the initial state, complex128 ``[2**n]``, little-endian, normalised; ``None``
                for all qubits 0. Not modified.

        Returns:
            A new array, complex128 ``[2**n]``, little-endian, owned by the caller.
        """

    def evolve_mixed(self, native: N, rho: Mixed | None = None) -> Mixed:
        """Return the density matrix after a circuit of gates and channels, if the simulator declares noise.

        Args:
            native: what ``build`` returned for gates, and operations that have the name of a channel
                (:mod:`gateway.noise`) and its probability as their parameter.
            rho: the density matrix before, complex128 ``[2**n, 2**n]``, little-endian; ``None`` for all qubits 0. Not
                modified.

        Returns:
            A new array, owned by the caller.
        """
        raise NotImplementedError

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Sample with the shared sampler, or natively if the request says so."""
        with run.building():
            compact, program = run.kept("program", lambda: _prepared(circuit))
            known = self._known_bitstrings(program, run)
        if run.sampling is Sampling.NATIVE:
            self.take_states(run, program.num_qubits, per_amplitude=self.costs.native_state)
            return super().counts(compact, run)
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        totals: dict[str, int] = {}
        for table, probabilities in self._leaves(program, rng, run):
            with run.sampling_shots():
                for outcomes in drawn(table, probabilities, rng):
                    outcomes.misread(program, rng).add_to(totals, program, known)
        return Counts.trusted(totals, circuit.num_clbits)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits."""
        totals = OutcomeSum(circuit.num_clbits)
        with run.building():
            _, program = run.kept("program", lambda: _prepared(circuit))
        for table, probabilities in self._leaves(program, None, run):
            with run.running():
                weighed(table, probabilities, program).misread(program, None).add_exactly_to(totals, program)
        with run.running():
            return Probabilities.of_arrays(totals.outcomes(), circuit.num_clbits)

    def take_final_state(self, num_qubits: int, run: Run, *, extra: int = 0, answer: bool = False) -> None:
        """Take room for the state of some qubits."""
        declared = self.capabilities.bytes_per_amplitude
        per_amplitude = None if declared is None else declared + extra
        self.take_states(run, num_qubits, per_amplitude=per_amplitude, answer=answer)

    def final_state(self, circuit: Circuit, run: Run) -> State:
        """Return the state after a circuit of gates."""
        with run.building():
            native = run.kept("state", lambda: self.prepare(circuit, run)).native()
        with run.running():
            return self.evolve(native)

    def final_states(self, circuit: Circuit, run: Run) -> Iterator[tuple[float, State]]:
        """Yield the states in which a circuit can end, with their weights; with noise they are density matrices."""
        with run.building():
            program = run.kept("program to the end", lambda: make_program(circuit))
        simulation = self._simulation(program, run)
        if program.static:
            simulation.take(0)
        for table, state in follow(program, simulation, None, partial(self._bounds, program, run, simulation), 0):
            yield float(table.total()), state

    def density_matrix(self, circuit: Circuit, run: Run) -> DensityMatrix:
        """Return the density matrix at the end of a circuit, with the channels of the noise that the run has."""
        if run.details.noise is None:
            return super().density_matrix(circuit, run)
        size = 2**circuit.num_qubits
        self.take_matrix(circuit.num_qubits, run, of_entry=ENTRY_OF_MIXED)
        matrix = np.zeros((size, size), dtype=np.complex128)
        for weight, rho in self.final_states(used_to_the_end(circuit), run):
            with run.running():
                matrix += weight * np.asarray(rho)[:size, :size]
        return DensityMatrix.trusted(matrix, circuit.num_clbits)

    def expectation(self, circuit: Circuit, run: Run) -> Expectation:
        """Return the values of observables; shots are drawn from the state, which is computed once for all groups."""
        if run.details.noise is not None:
            return super().expectation(circuit, run)
        gates = run.kept("compacted", lambda: compacted(circuit))
        if gates is None and not run.shots:
            return self._expectation_of_mixture(circuit, run)
        if not run.shots or gates is None or run.sampling is Sampling.NATIVE:
            return super().expectation(circuit, run)
        sums, groups = run.kept("groups", lambda: grouped(run.details.observables or ()))
        estimate = Estimate(sums, groups, run.shots)
        self.take_final_state(gates.circuit.num_qubits, run, extra=STATE)
        state = self.final_state(gates.circuit, run)
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        for number, group in enumerate(groups):
            with run.sampling_shots():
                estimate.add(number, draw(state, gates, group.basis, run.shots, rng))
        return Expectation(estimate.values, estimate.std_errors, len(groups), width=circuit.num_clbits)

    def _expectation_of_mixture(self, circuit: Circuit, run: Run) -> Expectation:
        """Return exact values of observables in the states in which a circuit can end, weighed."""
        sums = run.kept("sums", lambda: on_busy_qubits(circuit, PauliSums.of(run.details.observables or ())))
        of_strings = np.zeros(len(sums.strings))
        for weight, state in self.final_states(used_to_the_end(without_idle_qubits(circuit)), run):
            with run.running():
                of_strings += weight * expectations(state, sums.strings)
        return Expectation(sums.values(of_strings), width=circuit.num_clbits)

    def _simulation(self, program: Program, run: Run) -> _Simulation[N]:
        return _Simulation(self, program, run) if run.details.noise is None else _Noisy(self, program, run)

    def _leaves(
        self, program: Program, rng: np.random.Generator | None, run: Run
    ) -> Iterator[tuple[Table, Distribution]]:
        """Yield each population at the end, with the distribution of the qubits that are measured last."""
        simulation = self._simulation(program, run)
        if program.static:
            simulation.take(0)
        qubits = program.measured
        bounds = partial(self._bounds, program, run, simulation)
        for table, state in follow(program, simulation, rng, bounds, run.shots):
            with run.running():
                probabilities = simulation.distribution(state, qubits)
            del state
            yield table, probabilities

    def _bounds(self, program: Program, run: Run, simulation: _Simulation[N]) -> Bounds:
        """Return how many states may wait.

        Raises:
            LimitError: not even those fit that wait if one history is followed after the other.
        """
        return Bounds(
            simulation.take,
            depth=program.depth(run.shots) + 1,
            in_step=states_in_step(program, run.shots, simulation.state_bytes),
            turns=self.max_loop_iterations,
            index_of=run.index_of_control,
        )

    def _known_bitstrings(self, program: Program, run: Run) -> list[str] | None:
        """Return the bitstring of each outcome, where it is written once for all points."""
        if run.preparation is None or not program.static or len(program.measured) > _FEW_BITS:
            return None
        return run.kept("bitstrings", lambda: all_bitstrings(program))


def _prepared(circuit: Circuit) -> tuple[Circuit, Program]:
    """Return a circuit without what does nothing, and its program."""
    compact = without_idle_qubits(circuit)
    return compact, make_program(compact)


class _Simulation(Generic[N]):
    """What the shared driver needs of a simulator that hands over dense states.

    Args:
        adapter: of the simulator.
        program: what is run.
        run: the run under way.

    Attributes:
        state_bytes: of one state.
    """

    def __init__(self, adapter: DenseAdapter[N], program: Program, run: Run) -> None:
        self._adapter = adapter
        self._program = program
        self._num_qubits = program.num_qubits
        self._run = run
        self._circuits: SegmentCache[Prepared[N]] = run.kept("segments", lambda: SegmentCache(program))
        self._recall = Recall(STATE << program.num_qubits) if program.repeats else None
        self.state_bytes = STATE << program.num_qubits

    def take(self, waiting: int) -> None:
        """Take room for the state that is computed, and for those that wait meanwhile.

        Raises:
            LimitError: they do not fit.
        """
        declared = self._adapter.capabilities.bytes_per_amplitude
        from_state = declared if self._program.static or not declared else max(declared, self._adapter.costs.from_state)
        self._adapter.take_states(self._run, self._num_qubits, waiting, per_amplitude=from_state)

    def advance(self, key: SegmentKey, gates: list[Operation], state: State | None) -> State:
        """Return the state after gates."""
        if state is not None and self._recall is not None:
            known = self._recall.after(key, state)
            if known is not None:
                return known
        native = self.native(key, gates)
        with self._run.running():
            after = self._adapter.evolve(native, state)
        if state is not None and self._recall is not None:
            self._recall.remember(key, state, after)
        return after

    def native(self, key: SegmentKey, gates: list[Operation]) -> N:
        """Return gates as the simulator's own circuit."""
        run = self._run

        def prepare() -> Prepared[N]:
            with run.building():
                return self._adapter.prepare(Circuit(self._num_qubits, 0, gates), run)

        prepared = self._circuits.get(key, len(gates), prepare)
        with contextlib.nullcontext() if run.preparation is None else run.building():
            return prepared.native()

    probability_of_one = staticmethod(states.probability_of_one)
    project = staticmethod(states.project)
    fingerprint = staticmethod(states.fingerprint)
    distribution = staticmethod(states.distribution)
    distance = staticmethod(states.distance)

    def same(self, state: State, other: State) -> bool:
        """Return whether two states are the same up to their phase."""
        return self.distance(state, other) <= SAME


class _Noisy(_Simulation[N]):
    """The same for runs with noise: the states are density matrices ``[2**n, 2**n]``."""

    def __init__(self, adapter: DenseAdapter[N], program: Program, run: Run) -> None:
        super().__init__(adapter, program, run)
        self.state_bytes = STATE << 2 * program.num_qubits

    def take(self, waiting: int) -> None:
        """Take room for the density matrix that is computed, and for those that wait meanwhile."""
        each, size = ENTRY_OF_MIXED + STATE * waiting, self._num_qubits

        def allowed(left: int) -> int:
            return max((left // each).bit_length() - 1, 0) // 2

        self._run.room.take_states({"states": each << 2 * size}, size, allowed)

    def advance(self, key: SegmentKey, gates: list[Operation], state: State | None) -> State:
        """Return the density matrix after gates and channels."""
        native = self.native(key, gates)
        with self._run.running():
            return self._adapter.evolve_mixed(native, state)

    probability_of_one = staticmethod(mixed.probability_of_one)
    project = staticmethod(mixed.project)
    fingerprint = staticmethod(mixed.fingerprint)
    distribution = staticmethod(mixed.distribution)
    distance = staticmethod(mixed.distance)


def without_idle_qubits(circuit: Circuit) -> Circuit:
    """Return an equivalent circuit without barriers and idle qubits; it has at least one qubit.

    An idle qubit cannot change the outcome of any other qubit, but it doubles a state vector.
    """
    operations = [op for op in circuit.operations if op.name != "barrier"]
    busy_qubits = set().union(*{op.qubits for op in operations})
    if len(busy_qubits) == circuit.num_qubits > 0:
        return circuit.with_operations(operations)
    index = {qubit: place for place, qubit in enumerate(sorted(busy_qubits))}
    operations = [
        Operation(op.name, tuple([index[qubit] for qubit in op.qubits]), op.params, op.clbits, op.condition)
        for op in operations
    ]
    return Circuit(max(len(index), 1), circuit.num_clbits, operations, circuit.num_hidden)


def counts_of_indices(indices: NDArray[np.int64], qubit_of_clbit: dict[int, int], num_clbits: int) -> Counts:
    """Count basis states that were drawn, ``[shots]``; bit ``q`` of a basis state is qubit ``q``.

    Args:
        indices: one basis state for each shot.
        qubit_of_clbit: clbit -> qubit whose value it takes; the other clbits are 0.
        num_clbits: width of the counts.
    """
    mask = 0
    for qubit in qubit_of_clbit.values():
        mask |= 1 << qubit
    distinct, times = np.unique(indices & mask, return_counts=True)
    keys = bitstrings(distinct, qubit_of_clbit, 0, num_clbits)
    return Counts.trusted(dict(zip(keys, times.tolist(), strict=True)), num_clbits)


def counts_of_columns(columns: Mapping[int, NDArray[Any]], num_clbits: int) -> Counts:
    """Count bits that were drawn, given as one column ``[shots]`` of 0 and 1 for each clbit.

    Args:
        columns: clbit -> its outcomes, for at least one clbit; the other clbits are 0.
        num_clbits: width of the counts.

    Raises:
        LimitError: the outcomes do not fit into the memory that the run may use.
    """
    shots = len(next(iter(columns.values())))
    places, num_bytes = list(columns), -(-len(columns) // 8)
    padded = np.zeros((shots, -(-num_bytes // 8) * 8), dtype=np.uint8)
    rows = max(_PIECE_BYTES // len(columns), 1)
    for begin in range(0, shots, rows):
        piece = slice(begin, begin + rows)
        bits = np.column_stack([columns[clbit][piece] for clbit in places]).astype(np.uint8)
        padded[piece, :num_bytes] = np.packbits(bits, axis=1, bitorder="little")
    # Sorting numbers of 64 bits takes a tenth of the time that sorting rows takes.
    words = padded.view("<u8")
    if words.shape[1] == 1:
        distinct, times = np.unique(words[:, 0], return_counts=True)
    else:
        distinct, times = np.unique(words, axis=0, return_counts=True)
    take_outcomes(len(times), num_clbits)
    keys: list[str] = []
    rows = max(_PIECE_BYTES // num_clbits, 1)
    for begin in range(0, len(times), rows):
        packed = distinct[begin : begin + rows].reshape(-1, words.shape[1]).view(np.uint8)
        bits = np.unpackbits(packed, axis=1, bitorder="little")
        text = np.full((len(packed), num_clbits), ord("0"), dtype=np.uint8)
        for place, clbit in enumerate(places):
            text[:, num_clbits - 1 - clbit] += bits[:, place]
        keys += texts(text)
    return Counts.trusted(dict(zip(keys, times.tolist(), strict=True)), num_clbits)
