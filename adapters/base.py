"""The contract that every adapter keeps, and the template that runs a circuit through an adapter.

An adapter is a table of one-line constructors and a few functions. It decides nothing about bit order,
limits, lowering or seeds, because :meth:`Adapter.run` does that once for all simulators::

    validate -> refuse what the capabilities exclude -> lower -> build -> sample -> check

``build`` is a step of its own so that tests can compare its unitary, without sampling noise.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any, ClassVar, Generic, TypeVar

from adapters.shared.memory import available_bytes, given_bytes
from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import lower
from gateway.circuit.needs import Needs, needs
from gateway.counts import Counts
from gateway.enforcement import RunOptions, check_measured, refuse, result_type, supported_by, too_many_qubits
from gateway.errors import (
    GatewayError,
    LimitError,
    OutOfMemory,
    RequestError,
    SimulatorError,
)
from gateway.resources import Resources, ran_out_of_memory
from gateway.results import Capabilities, Provenance, Result, ResultType, Sampling

N = TypeVar("N")
"""The type of the framework's own circuits."""

SEED_END = 2**32
"""Seeds are below this: the largest range all frameworks take."""

ALWAYS_FITS = 16
"""A state of so many qubits needs a few MiB at most, so nobody looks up how much memory is free."""


class Run:
    """One run under way: what the request asks for, and what the provenance of the result will say.

    Args:
        shots: how often the circuit is run; 0 for an exact result.
        seed: the seed of all random draws.
        sampling: which sampler draws the shots.

    Attributes:
        sampler: which sampler drew the shots: ``shared``, ``native``, or ``none`` before anything was drawn.
        build_s: how many seconds the run has spent building so far.
        run_s: how many seconds it has spent simulating so far; building and simulating may alternate.
        sample_s: how many of these the shared sampler took; ``None`` unless it drew shots.
    """

    def __init__(self, shots: int = 0, seed: int = 0, sampling: Sampling = Sampling.AUTO) -> None:
        self.shots = shots
        self.seed = seed
        self.sampling = sampling
        self.sampler = "none"
        self.build_s = 0.0
        self.run_s = 0.0
        self.sample_s: float | None = None

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
        hands_over_states: whether the shared driver gets the simulator's states, draws the shots from
            them and runs dynamic circuits; otherwise the simulator's own sampler draws all shots.
    """

    name: ClassVar[str]
    native_gates: ClassVar[Mapping[str, Any]]
    capabilities: ClassVar[Capabilities]
    hands_over_states: ClassVar[bool] = False

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

    def use(self, resources: Resources) -> None:
        """Keep to these resources from now on. This method is called before the first run."""
        self.resources = resources

    def available_bytes(self) -> int:
        """Return how many bytes a run may allocate: what the machine has free, and no more than the resources allow."""
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
    ) -> Result:
        """Run a valid circuit and return its result with provenance.

        Args:
            circuit: the circuit to run, which is not modified.
            shots: the number of shots; ``None`` for an exact result.
            seed: a number below ``2**32``; ``None`` draws one at random. The provenance of counts reports it.
            result: the type of the result; by default counts if there are shots, else probabilities.
            sampling: which sampler draws the shots.

        Raises:
            RequestError: shots or seed out of range, or shots together with an exact result.
            CircuitInvalidError: nothing is measured, so there is nothing to count.
            UnsupportedError: the simulator cannot do what the circuit or the request asks.
            LimitError: the state would not fit into memory; ``allowed`` says how many qubits would.
            SimulatorError: the simulator itself failed, or broke the contract.
        """
        _check_numbers(shots, seed)
        kind = result_type(shots, result)
        options = RunOptions(kind, sampling, seed is not None, own_sampler=not self.hands_over_states)
        circuit_needs = self._check(circuit, options)
        run = Run(shots or 0, secrets.randbelow(SEED_END) if seed is None else seed, sampling)
        with self._translating_errors(circuit_needs, options):
            with run.building():
                operations = lower(circuit.operations, frozenset(self.native_gates))
                native_circuit = Circuit(circuit.num_qubits, circuit.num_clbits, operations)
            outcome = self._compute(kind, native_circuit, run)
            self._check_outcome(outcome, kind, circuit, shots)
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
        )
        return outcome.with_provenance(provenance)

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Return the counts of a lowered circuit. Each result type is computed by the method that has its name."""
        with run.building():
            native = self.build(circuit)
        run.sampler = "native"
        with run.running():
            return self.sample(native, shots=run.shots, seed=run.seed)

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

    def _check(self, circuit: Circuit, options: RunOptions) -> Needs:
        """Return what the circuit needs, after refusing what the simulator does not declare."""
        circuit_needs = needs(circuit)
        refuse(circuit_needs, self.capabilities, options, simulator=self.name)
        check_measured(circuit_needs, options, simulator=self.name)
        return circuit_needs

    def check_memory(self, num_qubits: int, copies: int = 1, *, per_amplitude: int | None = None) -> None:
        """Refuse a state vector that would not fit, before anything is allocated.

        Args:
            num_qubits: the number of qubits of the state that would be built.
            copies: how many states are held at once.
            per_amplitude: bytes per amplitude, if the capabilities' number does not apply.

        Raises:
            LimitError: ``allowed`` is the number of qubits that would fit.
        """
        per_amplitude = per_amplitude or self.capabilities.bytes_per_amplitude
        if per_amplitude is None or num_qubits <= ALWAYS_FITS:
            return
        room = self.available_bytes() // (per_amplitude * copies)
        allowed = max(room.bit_length() - 1, 0)
        if self.capabilities.max_qubits is not None:
            allowed = min(allowed, self.capabilities.max_qubits)
        if num_qubits > allowed:
            raise LimitError(
                f"{num_qubits} qubits do not fit into the memory {self.name} may use: at most {allowed} do",
                limit="qubits",
                requested=num_qubits,
                allowed=allowed,
            )

    def _check_outcome(self, outcome: Result, kind: ResultType, circuit: Circuit, shots: int | None) -> None:
        """Check that the result is of the right type and size and accounts for every shot."""
        if not isinstance(outcome, kind.result_class):
            raise self._contract_error(f"a {type(outcome).__name__} for {kind}")
        fault = outcome.fault(num_qubits=circuit.num_qubits, num_clbits=circuit.num_clbits, shots=shots)
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
    def _translating_errors(self, circuit_needs: Needs, options: RunOptions) -> Iterator[None]:
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
                text = f"{self.name} ran out of memory: ask for fewer qubits"
                raise OutOfMemory(text, simulator=self.name) from exc
            raise SimulatorError(
                f"{self.name} failed: {type(exc).__name__}: {exc}",
                simulator=self.name,
                version=self.version(),
                detail=str(exc),
            ) from exc


def _check_numbers(shots: int | None, seed: int | None) -> None:
    if shots is not None and shots < 1:
        raise RequestError(f"shots are at least 1, not {shots}; leave them out for an exact result", field="shots")
    if seed is not None and not 0 <= seed < SEED_END:
        raise RequestError(f"a seed is at least 0 and below 2**32, not {seed}", field="seed")


def measured_clbits(operations: list[Operation]) -> dict[int, int]:
    """Return clbit -> qubit for a circuit whose measurements all come last; the last one into a clbit counts."""
    return {op.clbits[0]: op.qubits[0] for op in operations if op.name == "measure"}
