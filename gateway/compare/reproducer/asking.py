"""Asks a backend about many circuits at once, and says for each what came, or why nothing did.

Where a backend is ``None``, our own exact simulator is asked. Every function raises an error of ``STOPPING`` if the
backend cannot be asked at all, RequestError or LimitError if it refuses what the caller asked for whatever the circuit
is, such as the number of shots, and TimeIsUp if the time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gateway.backends.base import Backend, CircuitLike
from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.reproducer.clock import Clock
from gateway.compare.running import run_within
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.counts import Counts, Probabilities, Statevector
from gateway.errors import (
    AuthenticationError,
    BusyError,
    ContainerError,
    GatewayError,
    LimitError,
    RequestError,
    SimulatorError,
    TransportError,
)
from gateway.results import Result, ResultType

DEFAULT_SHOTS = 10_000
"""The shots of a run where the exact results show nothing, or there are none."""

STOPPING = (AuthenticationError, BusyError, ContainerError, TransportError)
"""Errors that say nothing about a circuit."""

_SHOTS = ("shots", "max_shots")
"""The names of limits on what the caller asked for, and not on the circuit."""

State = NDArray[np.complex128]
R = TypeVar("R", bound=Result)
T = TypeVar("T")


def has(backend: Backend | None, result_type: ResultType) -> bool:
    """Return whether a backend has results of a type, as our own exact simulator has exact ones."""
    return result_type.is_exact if backend is None else result_type in backend.capabilities().result_types


def distributions(
    backend: Backend | None, circuits: Sequence[Circuit], clock: Clock
) -> list[Distribution | GatewayError]:
    """Return the exact distribution of each circuit, or the error that it gave; its sum may not be 1."""
    if backend is None:
        return [_own(exact.distribution, circuit, clock) for circuit in circuits]
    answers = ask(backend, circuits, clock, ResultType.PROBABILITIES)
    return [_converted(answer, Probabilities, lambda it: Distribution.of(it, it.width)) for answer in answers]


def states(backend: Backend | None, circuits: Sequence[Circuit], clock: Clock) -> list[State | GatewayError]:
    """Return the state vector of each circuit, or the error that it gave."""
    if backend is None:
        return [_own(exact.statevector, circuit, clock) for circuit in circuits]
    answers = ask(backend, circuits, clock, ResultType.STATEVECTOR)
    return [_converted(answer, Statevector, np.asarray) for answer in answers]


def samples(
    backend: Backend, circuits: Sequence[Circuit], clock: Clock, *, shots: int, seed: int
) -> list[Sample | GatewayError]:
    """Return a sample of each circuit, or the error that it gave."""
    return [sample_of(answer) for answer in ask(backend, circuits, clock, shots=shots, seed=seed)]


def sample_of(answer: Result | GatewayError) -> Sample | GatewayError:
    """Return counts as a sample; an error stays one."""
    return _converted(answer, Counts, lambda it: Sample.of(it, it.width))


def ask(
    backend: Backend,
    circuits: Sequence[Circuit],
    clock: Clock,
    result: ResultType = ResultType.COUNTS,
    *,
    shots: int | None = None,
    seed: int | None = None,
) -> list[Result | GatewayError]:
    """Run circuits in one request; if it fails, find out by halves which of them it is about.

    A result that cannot belong to its circuit, such as one of another width, is an error too. Probabilities with a
    wrong sum are none: they are compared, and differ.
    """
    clock.check()
    batch: list[CircuitLike] = list(circuits)
    try:
        results = run_within(backend, batch, clock.timeout_s(), shots=shots, seed=seed, result=result)
    except STOPPING:
        raise
    except Exception as exc:
        if isinstance(exc, RequestError) or (isinstance(exc, LimitError) and exc.limit in _SHOTS):
            raise
        if len(circuits) == 1:
            return [exc if isinstance(exc, GatewayError) else SimulatorError(f"{type(exc).__name__}: {exc}")]
        middle = len(circuits) // 2
        first = ask(backend, circuits[:middle], clock, result, shots=shots, seed=seed)
        seed = None if seed is None else (seed + middle) % 2**32
        return first + ask(backend, circuits[middle:], clock, result, shots=shots, seed=seed)
    return [_checked(answer, circuit, shots) for answer, circuit in zip(results, circuits, strict=True)]


def _checked(result: Result, circuit: Circuit, shots: int | None) -> Result | GatewayError:
    width = circuit.num_clbits
    if isinstance(result, Probabilities) and result.width == width and all(len(key) == width for key in result):
        return result
    fault = result.fault(num_qubits=circuit.num_qubits, num_clbits=width, shots=shots)
    return result if fault is None else SimulatorError(f"the result cannot be that of the circuit: {fault}")


def _converted(answer: Result | GatewayError, kind: type[R], convert: Callable[[R], T]) -> T | GatewayError:
    """Return what a result of the right kind is converted to; an error stays one."""
    if isinstance(answer, kind):
        return convert(answer)
    if isinstance(answer, GatewayError):
        return answer
    return SimulatorError(f"the simulator gave the result type {answer.kind} instead of {kind.kind}")


def _own(simulate: Callable[[Circuit], T], circuit: Circuit, clock: Clock) -> T | GatewayError:
    """Return what our own exact simulator gives."""
    clock.check()
    try:
        return simulate(circuit)
    except GatewayError as exc:
        return exc
