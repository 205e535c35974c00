"""The contract that every adapter keeps, and the template that runs a circuit through an adapter.

An adapter is a table of one-line constructors and a few functions. It decides nothing about bit order,
limits, lowering or seeds, because :meth:`Adapter.run` does that once for all simulators::

    validate -> refuse what the capabilities exclude -> lower -> build -> sample -> check

``build`` is a step of its own so that tests can compare its unitary, without sampling noise.
"""

from __future__ import annotations

import secrets
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from adapters.shared.costs import STATE, Costs
from adapters.shared.measuring import in_random_order, measuring_circuit, outcomes_of
from adapters.shared.memory import available_bytes, given_bytes
from adapters.shared.pauli import Estimate, grouped
from adapters.shared.preparing import Preparation, Prepared
from adapters.shared.room import UNCOUNTED, Room
from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import depends_on_angles, lower, lowered_counts
from gateway.circuit.needs import Needs, needs
from gateway.circuit.noisy import noisy
from gateway.circuit.points import Points, Template
from gateway.circuit.widening import with_outcome
from gateway.counts import Counts
from gateway.enforcement import (
    AMPLITUDE_OF_ANSWER,
    RunOptions,
    check_details,
    check_measured,
    refuse,
    result_type,
    supported_by,
    too_many_qubits,
)
from gateway.errors import (
    GatewayError,
    LimitError,
    OutOfMemory,
    RequestError,
    SimulatorError,
)
from gateway.expectation import Expectation
from gateway.noise import CHANNELS
from gateway.resources import Resources, ran_out_of_memory
from gateway.results import Capabilities, Provenance, Result, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails
from gateway.shot_memory import Memory

T = TypeVar("T")
N = TypeVar("N")
"""The type of the framework's own circuits."""

SEED_END = 2**32
"""Seeds are below this: the largest range all frameworks take."""

MAX_LOOP_ITERATIONS = 10_000
"""So many turns of a loop that depends on measurements are followed, where no server says otherwise."""

_WAITS_S = 60.0
"""How long a run waits for the memory that other runs hold, where it has no deadline."""

_MEMORY_OF_SHOT = 120
"""Bytes for each shot whose bits are handed out, beside those for each bit: its text, its place in a list and in an
order."""

_FEW_OPERATIONS = 64
"""So few operations are not counted, whatever they are."""


class Run:
    """One run under way: what the request asks for, and what the provenance of the result will say.

    Args:
        shots: how often the circuit is run; 0 for an exact result.
        seed: the seed of all random draws.
        sampling: which sampler draws the shots.
        room: what the run may hold in memory, and what it holds.
        details: what belongs to the result type, such as observables; it fits the circuit.
        preparation: what this run shares with those at other points; ``None`` where there are none.

    Attributes:
        sampler: which sampler drew the shots: ``shared``, ``native``, or ``none`` before anything was drawn.
        build_s: how many seconds the run has spent building so far.
        run_s: how many seconds it has spent simulating so far; building and simulating may alternate.
        sample_s: how many of these the shared sampler took; ``None`` unless it drew shots.
        operations: those of the caller's circuit, for errors.
    """

    def __init__(
        self,
        shots: int = 0,
        seed: int = 0,
        sampling: Sampling = Sampling.AUTO,
        room: Room | None = None,
        details: RunDetails = NO_DETAILS,
        preparation: Preparation | None = None,
    ) -> None:
        self.preparation = preparation
        self._part: tuple[int, ...] = ()
        self.room = room or Room("", lambda: sys.maxsize, 0.0)
        self.details = details
        self.operations: list[Operation] = []
        self.shots = shots
        self.seed = seed
        self.sampling = sampling
        self.sampler = "none"
        self.build_s = 0.0
        self.run_s = 0.0
        self.sample_s: float | None = None

    def index_of_control(self, number: int) -> int:
        """Return the index in the caller's circuit of the assignment or loop before which so many begin."""
        indices = (index for index, op in enumerate(self.operations) if op.name in {"set", "while"})
        return next(islice(indices, number, None))

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` returns; runs at other points share it, so that it must not depend on angles or seeds.

        Each part of a run (:meth:`seeded_for`) keeps things of its own, under the same keys.
        """
        return make() if self.preparation is None else self.preparation.kept((self._part, key), make)

    @contextmanager
    def seeded_for(self, part: int) -> Iterator[None]:
        """Let the block draw with a seed of its own, which follows from that of the run and the number of the part."""
        seed, before = self.seed, self._part
        self.seed, self._part = int(np.random.SeedSequence([seed, part]).generate_state(1)[0]), (*before, part)
        try:
            yield
        finally:
            self.seed, self._part = seed, before

    @contextmanager
    def building(self) -> Iterator[None]:
        """Add the time that the block takes to ``build_s``."""
        start = perf_counter()
        try:
            yield
        finally:
            self.build_s += perf_counter() - start

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add the time that the block takes to ``run_s``."""
        start = perf_counter()
        try:
            yield
        finally:
            self.run_s += perf_counter() - start

    @contextmanager
    def sampling_shots(self) -> Iterator[None]:
        """Add the time that the block takes to ``run_s`` and to ``sample_s``."""
        before = self.run_s
        with self.running():
            yield
        self.sample_s = (self.sample_s or 0.0) + self.run_s - before


class Adapter(ABC, Generic[N]):
    """Drives one simulator.

    A subclass declares, as data:

    Attributes:
        name: the name of the simulator in the registry.
        native_gates: gate name -> whatever ``build`` needs to construct that gate. A gate that is
            not a key is replaced by its definition in the gate table before ``build`` sees it. The
            keys contain ``gphase``, ``cx`` and ``u``, unless the capabilities name the gates: then
            the keys are those gates.
        capabilities: what the simulator can do; what it does not declare never reaches ``build``.
        costs: what its runs cost in memory beyond the bytes for each amplitude of the capabilities. They may be left
            out: those of any simulator are rather too large, and a run that needs more fails instead of others.
        hands_over_states: whether the shared driver gets the simulator's states, draws the shots from
            them and runs dynamic circuits; otherwise the simulator's own sampler draws all shots.
        shares_points: whether the methods of the result types take circuits with parameters: they build with
            :meth:`prepare`, and :meth:`Run.kept` has what the points of a sweep share. Otherwise they get the lowered
            circuit of each point, with numbers.
    """

    name: ClassVar[str]
    native_gates: ClassVar[Mapping[str, Any]]
    capabilities: ClassVar[Capabilities]
    costs: ClassVar[Costs] = Costs()
    hands_over_states: ClassVar[bool] = False
    shares_points: ClassVar[bool] = False

    @abstractmethod
    def version(self) -> str:
        """Return the framework's version, as the framework reports it."""

    @abstractmethod
    def build(self, circuit: Circuit) -> N:
        """Convert a circuit in native gates into the framework's own object.

        The circuit is valid, has at least one qubit, and holds only ``native_gates``, barriers
        and measurements; resets and conditions only if ``capabilities.native_dynamic``. The object
        must equal the circuit exactly, including the global phase.
        """

    def rebind(self, native: N, circuit: Circuit, changed: Sequence[int]) -> N:  # noqa: ARG002 - for subclasses
        """Return the framework's own object for a circuit that differs from an earlier one in angles only.

        A circuit that runs at many points is built once. This method may be left out: by default it is built anew.

        Args:
            native: what ``build`` returned for the earlier circuit. It may be changed, and is not used afterwards.
            circuit: the circuit, as ``build`` takes it.
            changed: the indices of its operations whose angles may differ.
        """
        return self.build(circuit)

    @abstractmethod
    def sample(self, native: N, *, shots: int, seed: int) -> Counts:
        """Draw shots with the framework's own sampler.

        Args:
            native: what ``build`` returned. It may be sampled again, and the same seed must give the same counts.
            shots: at least one.
            seed: ``0 <= seed < 2**32``.

        Returns:
            Counts over all clbits of the circuit: clbit 0 rightmost, unmeasured clbits ``0``.
        """

    resources = Resources()
    """What one run may use: one thread and the machine's memory, unless :meth:`use` sets something else."""

    max_loop_iterations = MAX_LOOP_ITERATIONS
    """So many turns of a loop are followed, unless :meth:`limit_loops` sets something else."""

    def limit_loops(self, turns: int) -> None:
        """Follow so many turns of a loop from now on."""
        self.max_loop_iterations = turns

    def use(self, resources: Resources) -> None:
        """Keep to these resources from now on. This method is called before the first run."""
        self.resources = resources

    _deadline: float | None = None

    def end_by(self, deadline: float | None) -> None:
        """Let the next runs wait for memory no longer than up to this moment on the monotonic clock."""
        self._deadline = deadline

    def available_bytes(self) -> int:
        """Return how many bytes a run may hold: what the machine has, and no more than the resources allow.

        Raises:
            RequestError: the variable ``GATEWAY_MEMORY_BYTES`` is not a size.
        """
        return int(min(available_bytes(), given_bytes(self.resources.memory_bytes)))

    # ------------------------------------------------------------------ the template

    def run(
        self,
        circuit: Circuit,
        *,
        shots: int | None,
        seed: int | None = None,
        result: ResultType | None = None,
        sampling: Sampling = Sampling.AUTO,
        details: RunDetails = NO_DETAILS,
    ) -> Result:
        """Run a valid circuit and return its result with provenance.

        Args:
            circuit: the circuit to run, which is not modified.
            shots: the number of shots; ``None`` for an exact result.
            seed: a number below ``2**32``; ``None`` draws one at random. The provenance of counts reports it.
            result: the type of the result; by default counts if there are shots, else probabilities.
            sampling: which sampler draws the shots.
            details: what belongs to the result type, such as observables.

        Raises:
            RequestError: shots or seed out of range, shots together with an exact result, or details that do not fit
                the result type or the circuit.
            CircuitInvalidError: nothing is measured, so there is nothing to count.
            UnsupportedError: the simulator cannot do what the circuit or the request asks.
            LimitError: what the run needs would not fit into memory; ``allowed`` says how much of it would.
            SimulatorError: the simulator itself failed, or broke the contract.
        """
        options = self._options(shots, seed, result, sampling, details)
        return self._run(circuit, self._check(circuit, options, shots), options, shots, seed)

    def run_points(
        self,
        circuit: Circuit,
        points: Points,
        *,
        shots: int | None,
        seed: int | None = None,
        result: ResultType | None = None,
        sampling: Sampling = Sampling.AUTO,
        details: RunDetails = NO_DETAILS,
    ) -> Iterator[Result]:
        """Run a valid circuit at one point after the other, and yield the result of each as soon as it is there.

        The result at point k is what :meth:`run` returns for the circuit bound there and the seed ``seed + k``. What
        does not depend on angles is done once: checks, lowering, the plan of a dynamic circuit, and building.

        Args:
            circuit: the circuit, which is not modified.
            points: the values of its parameters, which fit it.
            shots: as :meth:`run` takes it, like what follows.
            seed: the seed of point 0.
            result: the result type.
            sampling: which sampler draws the shots.
            details: what belongs to the result type.

        Raises:
            GatewayError: as :meth:`run`; an angle may have no finite value at a point.
        """
        seeds = [None if seed is None else (seed + point) % SEED_END for point in range(points.size)]
        if details.noise is not None or depends_on_angles(circuit.operations, frozenset(self.native_gates)):
            for point, seed_of_point in enumerate(seeds):
                bound = circuit.bind(points.at(point))
                yield self.run(
                    bound, shots=shots, seed=seed_of_point, result=result, sampling=sampling, details=details
                )
            return
        options = self._options(shots, seed, result, sampling, details)
        circuit_needs = self._check(circuit.bind(points.at(0)), options, shots)
        preparation = Preparation(points)
        for point, seed_of_point in enumerate(seeds):
            preparation.point = point
            yield self._run(circuit, circuit_needs, options, shots, seed_of_point, preparation)

    def _options(
        self, shots: int | None, seed: int | None, result: ResultType | None, sampling: Sampling, details: RunDetails
    ) -> RunOptions:
        """Return what a run asks for besides its circuit.

        Raises:
            RequestError: shots or seed out of range, or shots that do not fit the result type.
        """
        _check_numbers(shots, seed)
        kind = result_type(shots, result)
        return RunOptions(kind, sampling, seed is not None, own_sampler=not self.hands_over_states, details=details)

    def _run(
        self,
        circuit: Circuit,
        circuit_needs: Needs,
        options: RunOptions,
        shots: int | None,
        seed: int | None,
        preparation: Preparation | None = None,
    ) -> Result:
        """Run a circuit that was checked; of a sweep, the lowered circuit at the point of the preparation."""
        details = options.details
        deadline = time.monotonic() + _WAITS_S if self._deadline is None else self._deadline
        room = Room(self.name, self.available_bytes, deadline)
        drawn = secrets.randbelow(SEED_END) if seed is None else seed
        run = Run(shots or 0, drawn, options.sampling, room, details, preparation if self.shares_points else None)
        run.operations = circuit.operations
        with self._translating_errors(circuit_needs, options, room), room:
            with run.building():
                self._take_operations(circuit_needs, run)
                native_circuit = self._native(circuit, details, preparation)
            outcome = self._compute(options.result, native_circuit, run)
            self._check_outcome(outcome, options, circuit, shots)
        provenance = Provenance(
            simulator=self.name,
            version=self.version(),
            shots=shots,
            seed=run.seed if shots is not None and self.capabilities.seedable else None,
            sampler=run.sampler,
            build_s=run.build_s,
            run_s=run.run_s,
            sample_s=run.sample_s,
            threads=self.resources.threads if self.capabilities.threads else 1,
            notes=circuit.notes,
        )
        return outcome.with_provenance(provenance)

    def _native(self, circuit: Circuit, details: RunDetails, preparation: Preparation | None) -> Circuit:
        """Return the circuit that the method of a result type gets."""
        if preparation is None:
            return self._lowered(circuit, details)
        points = preparation.points
        template = preparation.kept("lowered", lambda: Template(self._lowered(circuit, details), points))
        return template.circuit if self.shares_points else template.at(preparation.point)

    def _lowered(self, circuit: Circuit, details: RunDetails) -> Circuit:
        """Return a circuit in native gates and with its noise, whose clbits are those that the result is about."""
        native = frozenset(self.native_gates)
        if details.noise is None:
            operations = lower(circuit.operations, native)
        else:
            operations = lower(noisy(circuit.operations, details.noise), native | CHANNELS)
        lowered = circuit.with_operations(operations)
        return lowered if details.clbits is None else with_outcome(lowered, details.clbits)

    def prepare(self, circuit: Circuit, run: Run) -> Prepared[N]:
        """Return what ``build`` makes of a lowered circuit, at the point of the run and of those that share it."""
        return Prepared(self, circuit, run.preparation)

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Return the counts of a lowered circuit. Each result type is computed by the method that has its name."""
        self.take_shots(circuit, run)
        with run.building():
            native = run.kept("sampled", lambda: self.prepare(with_all_clbits(circuit), run)).native()
        run.sampler = "native"
        with run.running():
            counts = self.sample(native, shots=run.shots, seed=run.seed)
            return without_hidden(counts, circuit)

    def memory(self, circuit: Circuit, run: Run) -> Memory:
        """Return the bits of each shot: the counts, in an order that the seed decides.

        The shots are independent, so that each order of them is as likely as any other.
        """
        self.take_memory(circuit, run)
        counts = self.counts(circuit, run)
        with run.running():
            return in_random_order(counts, run.seed)

    def expectation(self, circuit: Circuit, run: Run) -> Expectation:
        """Return the values of observables, by measuring each group of their strings at the end of the circuit.

        The values are estimated from shots, with a seed of its own for each group, or follow from exact probabilities.
        """
        sums, groups = run.kept("groups", lambda: grouped(run.details.observables or ()))
        estimate, native_gates = Estimate(sums, groups, run.shots), frozenset(self.native_gates)
        for number, group in enumerate(groups):
            with run.seeded_for(number):
                with run.building():
                    measuring = run.kept("measuring", partial(measuring_circuit, circuit, group.basis, native_gates))
                found = self._compute(ResultType.COUNTS if run.shots else ResultType.PROBABILITIES, measuring, run)
            with run.running():
                estimate.add(number, outcomes_of(found))
        return Expectation(
            estimate.values, estimate.std_errors, len(groups) if run.shots else 0, width=circuit.num_clbits
        )

    def _compute(self, kind: ResultType, circuit: Circuit, run: Run) -> Result:
        """Call the method that has the name of the result type.

        Raises:
            SimulatorError: the adapter declares the result type but has no such method.
        """
        compute: Callable[[Circuit, Run], Result] | None = getattr(self, kind, None)
        if compute is None:
            raise self._contract_error(f"it declares the result type {kind} and has no method of that name")
        return compute(circuit, run)

    # ------------------------------------------------------------------ checks

    def _check(self, circuit: Circuit, options: RunOptions, shots: int | None) -> Needs:
        """Return what the circuit needs, after refusing what the simulator does not declare."""
        circuit_needs = needs(circuit)
        refuse(circuit_needs, self.capabilities, options, simulator=self.name)
        check_details(options, circuit, shots)
        check_measured(circuit_needs, options, simulator=self.name)
        return circuit_needs

    # ------------------------------------------------------------------ memory

    def take_states(
        self, run: Run, num_qubits: int, waiting: int = 0, *, per_amplitude: int | None = None, answer: bool = False
    ) -> None:
        """Take room for state vectors, before anything is allocated.

        Args:
            run: the run under way.
            num_qubits: the number of qubits of the state that is computed.
            waiting: how many more states are kept meanwhile.
            per_amplitude: bytes per amplitude of the state that is computed, if the capabilities' number does not
                apply; nothing is taken where neither says it.
            answer: whether the state vector is the result.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of qubits that would.
        """
        each = per_amplitude or self.capabilities.bytes_per_amplitude
        if each is None:
            return
        of_answer = AMPLITUDE_OF_ANSWER if answer else 0
        of_all = each + STATE * waiting + of_answer
        if of_all << num_qubits <= UNCOUNTED:
            return

        def allowed(left: int) -> int:
            fitting = max((left // of_all).bit_length() - 1, 0)
            return fitting if self.capabilities.max_qubits is None else min(fitting, self.capabilities.max_qubits)

        parts = {"states": each << num_qubits, "branches": STATE * waiting << num_qubits,
                 "answer": of_answer << num_qubits}  # fmt: skip
        run.room.take_states(parts, num_qubits, allowed)

    def take_shots(self, circuit: Circuit, run: Run) -> None:
        """Take room for the shots that the simulator's own sampler draws, and for its outcomes.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of shots that would.
        """
        clbits = [op.clbits[0] for op in circuit.operations if op.name == "measure"]
        measured = len(set(clbits))
        bits = len(clbits) if self.costs.keeps_overwritten else measured
        run.room.take_shots(run.shots, max(self.costs.shot + self.costs.shot_bit * bits, 1))
        if self.costs.own_counts:
            run.room.take_outcomes(min(run.shots, 1 << measured), circuit.num_clbits)

    def take_memory(self, circuit: Circuit, run: Run) -> None:
        """Take room for the bits of each shot and for their text.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of shots that would.
        """
        run.room.take_answer(run.shots, _MEMORY_OF_SHOT + 3 * circuit.num_clbits)

    def _take_operations(self, circuit_needs: Needs, run: Run) -> None:
        """Take room for the operations, as they are once they are lowered.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of operations that would.
        """
        operations = circuit_needs.operations
        if len(operations) > _FEW_OPERATIONS:
            size = run.kept("size of operations", lambda: self._size_of_operations(circuit_needs, run))
            run.room.take_operations(size, len(operations))

    def _size_of_operations(self, circuit_needs: Needs, run: Run) -> int:
        """Return the bytes that the lowered operations take."""
        operations, costs = circuit_needs.operations, self.costs
        plain = costs.operation
        if run.sampling is Sampling.NATIVE:
            conditional = costs.conditional if circuit_needs.classical_control is not None else 0
            plain = max(plain, costs.native_operation, conditional)
        counts = lowered_counts(operations, frozenset(self.native_gates))
        return sum([times * max(plain, costs.by_gate.get(name, 0)) for name, times in counts.items()])

    def _check_outcome(self, outcome: Result, options: RunOptions, circuit: Circuit, shots: int | None) -> None:
        """Check that the result is of the right type and size and accounts for every shot."""
        if not isinstance(outcome, options.result.result_class):
            raise self._contract_error(f"a {type(outcome).__name__} for {options.result}")
        num_clbits = options.details.width(circuit.num_clbits)
        fault = outcome.fault(num_qubits=circuit.num_qubits, num_clbits=num_clbits, shots=shots)
        if fault is not None:
            raise self._contract_error(fault)

    def _contract_error(self, detail: str) -> SimulatorError:
        """Return the error for an adapter or simulator that breaks the contract."""
        return SimulatorError(
            f"{self.name} broke the contract: {detail}",
            simulator=self.name,
            version=self.version(),
            detail=detail,
        )

    @contextmanager
    def _translating_errors(self, circuit_needs: Needs, options: RunOptions, room: Room) -> Iterator[None]:
        """Turn whatever the framework raises into a SimulatorError; this is the only place that does so."""
        try:
            yield
        except LimitError as exc:
            if exc.limit != "qubits" or exc.requested is None or exc.allowed is None:
                raise
            others = supported_by(circuit_needs, options, simulator=self.name, memory_bytes=self.available_bytes())
            raise too_many_qubits(exc.message, exc.requested, exc.allowed, self.name, others) from exc.__cause__
        except GatewayError:
            raise
        except Exception as exc:
            if ran_out_of_memory(exc):
                raise OutOfMemory(f"{self.name} ran out of memory{self.advice(room)}", simulator=self.name) from exc
            raise SimulatorError(
                f"{self.name} failed: {type(exc).__name__}: {exc}",
                simulator=self.name,
                version=self.version(),
                detail=str(exc),
            ) from exc

    def advice(self, room: Room) -> str:
        """Return what a run that ran out of memory should ask less of: the end of the sentence that says so."""
        return _ADVICE.get(room.largest(), _ADVICE["states"])


_ADVICE = {
    "states": ": ask for fewer qubits",
    "branches": ", mostly for the states of its branches: ask for fewer measurements before the end, or fewer qubits",
    "operations": ", mostly for the operations of the circuit: ask for fewer operations",
    "shots": ", mostly for the shots that its own sampler draws: ask for fewer shots",
    "outcomes": ", mostly for the outcomes of the result: ask for fewer shots or fewer clbits",
    "answer": ", mostly for the answer: ask for counts instead, for fewer qubits or fewer shots",
}
"""The largest part of the estimate -> what to do."""


def _check_numbers(shots: int | None, seed: int | None) -> None:
    if shots is not None and shots < 1:
        raise RequestError(f"shots are at least 1, not {shots}; leave them out for an exact result", field="shots")
    if seed is not None and not 0 <= seed < SEED_END:
        raise RequestError(f"a seed is at least 0 and below 2**32, not {seed}", field="seed")


def measured_clbits(operations: list[Operation]) -> dict[int, int]:
    """Return clbit -> qubit for a circuit whose measurements all come last; the last one into a clbit counts."""
    return {op.clbits[0]: op.qubits[0] for op in operations if op.name == "measure"}


def with_all_clbits(circuit: Circuit) -> Circuit:
    """Return a circuit without hidden clbits, for samplers that know no such thing: they become ordinary ones."""
    if not circuit.num_hidden:
        return circuit
    return Circuit(circuit.num_qubits, circuit.num_clbits + circuit.num_hidden, circuit.operations)


def without_hidden(counts: Counts, circuit: Circuit) -> Counts:
    """Return counts over all clbits of a circuit as counts over those that are not hidden."""
    if not circuit.num_hidden:
        return counts
    totals: dict[str, int] = {}
    for key, times in counts.items():
        shown = key[circuit.num_hidden :]
        totals[shown] = totals.get(shown, 0) + times
    return Counts.trusted(totals, circuit.num_clbits)
