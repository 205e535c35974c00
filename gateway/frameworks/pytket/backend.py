"""Our backends as a ``pytket.backends.Backend``, checked against pytket 2.18.5.

The host needs pytket but no simulator. pytket compiles a circuit only as far as its user says: boxes,
conditions and nearly every gate go to the simulator as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pytket.backends import Backend as PytketBackend
from pytket.backends import CircuitStatus, ResultHandle, StatusEnum
from pytket.backends.backend_exceptions import CircuitNotRunError
from pytket.backends.backendresult import BackendResult
from pytket.circuit import OpType
from pytket.passes import (
    AutoRebase,
    DecomposeBoxes,
    FullPeepholeOptimise,
    RemoveRedundancies,
    SequencePass,
    SynthesiseTket,
)
from pytket.predicates import GateSetPredicate, MaxNQubitsPredicate, NoSymbolsPredicate
from pytket.utils.outcomearray import OutcomeArray

from gateway.backends.base import Backend
from gateway.backends.job import Job
from gateway.counts import Counts
from gateway.errors import JobCancelled
from gateway.frameworks.pytket.bits import SCRATCH
from gateway.frameworks.pytket.parsing import GATES, parse
from gateway.results import JobState

_STATES = {
    JobState.QUEUED: StatusEnum.QUEUED,
    JobState.RUNNING: StatusEnum.RUNNING,
    JobState.DONE: StatusEnum.COMPLETED,
    JobState.FAILED: StatusEnum.ERROR,
    JobState.CANCELLED: StatusEnum.CANCELLED,
}


class GatewayBackend(PytketBackend):
    """One of our backends as one of pytket's. It gives counts, and no single shots.

    Args:
        backend: one of our backends: a LocalSimulator, a DockerSimulator, ...
    """

    _supports_counts = True
    _supports_contextual_optimisation = True
    _persistent_handles = False

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self._backend = backend
        self._max_qubits = backend.capabilities().max_qubits

    @property
    def required_predicates(self) -> list[Any]:
        """The requirements on a circuit: no symbols, known gates, and not too many qubits."""
        predicates = [NoSymbolsPredicate(), GateSetPredicate(set(GATES))]
        return predicates if self._max_qubits is None else [*predicates, MaxNQubitsPredicate(self._max_qubits)]

    def rebase_pass(self) -> Any:  # noqa: ANN401 - a BasePass
        """Return the pass that rewrites a circuit into gates that this backend knows."""
        return AutoRebase({OpType.CX, OpType.TK1})

    def default_compilation_pass(self, optimisation_level: int = 2) -> Any:  # noqa: ANN401 - a BasePass
        """Return the pass that turns any circuit into one for this backend.

        Args:
            optimisation_level: 0 only opens boxes and rebases, 1 simplifies quickly, 2 and 3 thoroughly.
        """
        simplify = {0: [], 1: [SynthesiseTket()]}.get(optimisation_level, [FullPeepholeOptimise()])
        return SequencePass([DecomposeBoxes(), *simplify, self.rebase_pass(), RemoveRedundancies()])

    @property
    def _result_id_type(self) -> tuple[type, ...]:
        return (str, int)

    def process_circuits(
        self,
        circuits: Sequence[Any],
        n_shots: int | Sequence[int | None] | None = None,
        valid_check: bool = True,
        **kwargs: Any,  # noqa: ANN401 - pytket's signature
    ) -> list[ResultHandle]:
        """Submit circuits as one job.

        Args:
            circuits: circuits of pytket.
            n_shots: the number of shots for all circuits, or one number per circuit.
            valid_check: whether to check :attr:`required_predicates` first.
            **kwargs: ``seed`` and ``timeout_s``.

        Raises:
            ValueError: the number of shots is missing.
            CircuitNotValidError: a predicate does not hold.
            UnsupportedError, CircuitInvalidError: see :func:`gateway.frameworks.pytket.parsing.parse`.
        """
        circuits = list(circuits)
        shots = PytketBackend._get_n_shots_as_list(n_shots, len(circuits), optional=False)  # noqa: SLF001 - for backends
        if valid_check:
            self._check_all_circuits(circuits)
        if not circuits:
            return []
        job = self._backend.run_async(
            [parse(circuit) for circuit in circuits],
            shots=shots,
            seed=kwargs.get("seed"),
            timeout_s=kwargs.get("timeout_s"),
        )
        handles = [ResultHandle(job.id, place) for place in range(len(circuits))]
        for handle, circuit in zip(handles, circuits, strict=True):
            self._cache[handle] = {"job": job, "clbits": _clbits(circuit)}
        return handles

    def circuit_status(self, handle: ResultHandle) -> CircuitStatus:
        """Return the state of a circuit's job, and the error message if it failed."""
        job, _ = self._submitted(handle)
        state = job.status()
        return CircuitStatus(_STATES[state], _message(job) if state is JobState.FAILED else "")

    def cancel(self, handle: ResultHandle) -> None:
        """Cancel the job of a circuit, and with it the other circuits of the same call."""
        self._submitted(handle)[0].cancel()

    def get_result(self, handle: ResultHandle, **kwargs: Any) -> BackendResult:  # noqa: ANN401 - pytket's signature
        """Wait for the result of a circuit.

        Args:
            handle: the handle of the circuit.
            **kwargs: ``timeout``, in seconds.

        Raises:
            CircuitNotRunError: the handle does not belong to this backend.
            GatewayError: the run failed.
        """
        job, clbits = self._submitted(handle)
        return _result(job.result(kwargs.get("timeout"))[int(handle[1])], clbits)

    def _submitted(self, handle: ResultHandle) -> tuple[Job[Any], list[Any]]:
        """Return the job of a circuit and its clbits, which pytket's own methods do not keep."""
        self._check_handle_type(handle)
        if handle not in self._cache:
            raise CircuitNotRunError(handle)
        return self._cache[handle]["job"], self._cache[handle]["clbits"]


def _message(job: Job[Any]) -> str:
    try:
        job.result(0)
    except JobCancelled:
        return "cancelled"
    except Exception as exc:  # noqa: BLE001 - whatever it is, it is what the status is asked for
        return f"{type(exc).__name__}: {exc}"
    return ""


def _clbits(circuit: Any) -> list[Any]:  # noqa: ANN401 - a pytket Circuit
    """Return the bits that are clbits, in order."""
    return [bit for bit in circuit.bits if bit.reg_name != SCRATCH]


def _result(counts: Counts, clbits: Sequence[Any]) -> BackendResult:
    """Return counts as a result of pytket, with bits in pytket's order."""
    rows: Iterator[tuple[list[int], int]] = ((list(map(int, reversed(key))), times) for key, times in counts.items())
    outcomes = Counter({OutcomeArray.from_readouts(np.array([row], dtype=np.uint8)): times for row, times in rows})
    return BackendResult(c_bits=clbits, counts=outcomes)
