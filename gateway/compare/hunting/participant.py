"""A backend that takes part in a hunt or a verification: what it can do, and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.compare.hunting.scope import Scope
from gateway.compare.running import is_failure, what_it_raised
from gateway.enforcement import RunOptions, check_measured, refuse
from gateway.errors import (
    CircuitInvalidError,
    GatewayError,
    LimitError,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.results import Capabilities, Result, ResultType, Sampling

_PROBE = Circuit(1).measure_all()


class Participant:
    """A backend that is asked for results.

    Args:
        name: the name by which the caller listed the backend.
        backend: the backend, which stays the caller's.
        timeout_s: the seconds after which each run is ended, where the backend can end one.

    Attributes:
        capabilities: what the backend declares, without exact probabilities where it fails to give any: a function
            behind a server cannot declare that it has none.
        scope: what circuits may contain so that it takes them.
        version: the version of its framework.
        note: what its user should know about the above; empty if nothing.
    """

    capabilities: Capabilities
    scope: Scope
    version: str = ""
    note: str = ""

    def __init__(self, name: str, backend: Backend, timeout_s: float | None = None) -> None:
        self.name = name
        self.backend = backend
        self.timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"Participant({self.name!r})"

    def start(self) -> None:
        """Ask the backend what it can do, and try it out.

        Raises:
            GatewayError: it does not answer.
        """
        try:
            self.version = self.backend.status().version
            self.capabilities = self.backend.capabilities()
        except BaseException as exc:
            if isinstance(exc, GatewayError) or not is_failure(exc):
                raise
            raise self._failure(what_it_raised(exc)) from exc
        self.note = ""
        self.scope = Scope.of(self.capabilities)
        self._try_out()

    def _try_out(self) -> None:
        """Find out whether runs can have a timeout, and whether exact probabilities are given."""
        try:
            self.ask([_PROBE], ResultType.COUNTS, shots=1)
        except UnsupportedError as exc:
            if exc.feature == "timeout_s":
                self.timeout_s = None
        except TransportError:
            raise
        except GatewayError:
            pass  # every circuit will show it
        if ResultType.PROBABILITIES in self.capabilities.result_types:
            try:
                self.ask([_PROBE], ResultType.PROBABILITIES)
            except SimulatorError as exc:
                self.note = f"gives no exact probabilities: {exc}"
                self.capabilities = _without(self.capabilities, ResultType.PROBABILITIES)

    def offers(self, kind: ResultType) -> bool:
        """Return whether the backend declares a result type."""
        return kind in self.capabilities.result_types

    def takes(self, circuit: Circuit, kind: ResultType, sampling: Sampling = Sampling.AUTO) -> bool:
        """Return whether the backend declares everything that a run needs."""
        seeded = kind is ResultType.COUNTS and self.capabilities.seedable
        options = RunOptions(kind, sampling, seeded=seeded)
        needed = needs(circuit)
        try:
            check_measured(needed, options, simulator=self.name)
            refuse(needed, self.capabilities, options, simulator=self.name, memory_bytes=0)
        except (CircuitInvalidError, UnsupportedError, LimitError):
            return False
        return True

    def ask(
        self,
        circuits: Sequence[Circuit],
        kind: ResultType,
        *,
        shots: int | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling.AUTO,
    ) -> list[Result]:
        """Run circuits in one request, and return their results.

        Args:
            circuits: circuits that the backend takes.
            kind: the result type.
            shots: the number of shots of each circuit; ``None`` for exact results.
            seed: the seed of the first one; left out where the backend cannot be seeded.
            sampling: who draws the shots.

        Raises:
            GatewayError: the run failed.
            SimulatorError: a result does not fit its circuit, or the backend raised an error of another kind.
        """
        results = self._run(tuple(circuits), kind, shots, seed, sampling)
        if len(results) != len(circuits):
            raise self._failure(f"{len(results)} results for {len(circuits)} circuits")
        for index, (circuit, result) in enumerate(zip(circuits, results, strict=True)):
            fault = result.fault(num_qubits=circuit.num_qubits, num_clbits=circuit.num_clbits, shots=shots)
            if fault is not None:
                raise self._failure(fault, index)
        return results

    def _run(
        self, circuits: tuple[Circuit, ...], kind: ResultType, shots: int | None, seed: int | None, sampling: Sampling
    ) -> list[Result]:
        try:
            return self.backend.run(
                circuits,
                shots=shots,
                seed=seed if self.capabilities.seedable and shots is not None else None,
                result=kind,
                sampling=sampling,
                timeout_s=self.timeout_s,
            )
        except BaseException as exc:
            if isinstance(exc, GatewayError) or not is_failure(exc):
                raise
            raise self._failure(what_it_raised(exc)) from exc

    def _failure(self, detail: str, index: int | None = None) -> SimulatorError:
        message = f"{self.name} failed: {detail}"
        return SimulatorError(message, circuit=index, simulator=self.name, version=self.version, detail=detail)


def _without(capabilities: Capabilities, kind: ResultType) -> Capabilities:
    rest = tuple(each for each in capabilities.result_types if each is not kind)
    return msgspec.structs.replace(capabilities, result_types=rest)
