"""QiskitBackend: runs circuits on any backend of Qiskit, be it a simulator or a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from gateway.backends.base import BackendStatus
from gateway.backends.vendor import VendorBackend
from gateway.backends.vendor_errors import access_error, is_not_found
from gateway.backends.vendor_job import Reading, VendorRun
from gateway.backends.vendor_plan import Terms
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.errors import (
    FrameworkNotInstalled,
    JobNotFound,
    RequestError,
    SimulatorError,
    UnsupportedError,
)
from gateway.results import Capabilities, JobState, ResultType

try:
    import qiskit
    from qiskit.providers import BackendV2
    from qiskit.transpiler import generate_preset_pass_manager
    from qiskit.transpiler.exceptions import TranspilerError
except ModuleNotFoundError as missing:
    raise FrameworkNotInstalled(
        f"a QiskitBackend needs the package {missing.name!r}, which is not installed: "
        "pip install 'simulator-gateway[qiskit]'",
        framework="qiskit",
        requirement="simulator-gateway[qiskit]",
    ) from missing

LEVELS = range(4)
"""Optimisation levels of Qiskit's transpiler."""

_STATES = {
    "INITIALIZING": JobState.QUEUED,
    "QUEUED": JobState.QUEUED,
    "VALIDATING": JobState.QUEUED,
    "RUNNING": JobState.RUNNING,
    "DONE": JobState.DONE,
    "ERROR": JobState.FAILED,
    "CANCELLED": JobState.CANCELLED,
}
_NAMES = {"global_phase": "gphase", "mcx": "c3x", "c3sx": "c3sqrtx", "rcccx": "rc3x"}
"""Qiskit's name -> our name of a gate, where the two differ."""


class QiskitBackend(VendorBackend):
    """Runs circuits on a ``BackendV2`` of Qiskit: Aer, fake backends, providers' machines.

    ::

        QiskitBackend().run(circuit)  # Aer, as Qrisp's QiskitBackend has it
        QiskitBackend(AerSimulator(method="stabilizer"))
        QiskitBackend(FakeManilaV2(), optimization_level=3)

    Qiskit's preset pass manager transpiles each circuit for the backend, after the qubits that nothing acts on
    were removed. A circuit that needs something which the backend's target lacks is refused. If a run needs
    more shots than the backend takes at once, they are divided among several jobs, a hundred at most, and the
    counts are added up.

    Where the backend takes a seed (``seed_simulator`` is one of its options), each circuit is a job of its own,
    so that its counts do not depend on the other circuits; elsewhere all circuits with the same number of shots
    are one job. ``run_async()`` returns a job that passes state, result and cancellation on to Qiskit's job;
    ``job(id)`` finds it again if the backend or its service keeps jobs.

    Args:
        backend: the backend; ``AerSimulator()`` by default.
        optimization_level: the transpiler's optimisation level, 0 to 3.
        seed_transpiler: the transpiler's seed, which makes its output repeatable.
        run_options: further arguments of ``backend.run``, except ``shots`` and ``seed_simulator``.
        name: the simulator's name in a result's provenance; the backend's own name by default.

    Raises:
        RequestError: ``backend`` is not a backend of Qiskit, or an argument is out of range.
    """

    def __init__(
        self,
        backend: Any = None,  # noqa: ANN401 - a BackendV2
        *,
        optimization_level: int = 1,
        seed_transpiler: int = 0,
        run_options: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.backend = _default_backend() if backend is None else backend
        if not isinstance(self.backend, BackendV2):
            raise RequestError(f"the backend must be a BackendV2 of Qiskit, not {backend!r}", field="backend")
        self.run_options = dict(run_options or {})
        reserved = self.run_options.keys() & {"shots", "seed_simulator"}
        if reserved:
            raise RequestError(
                f"{min(reserved)} belongs to a run, not to the backend: hand it to run()", field="run_options"
            )
        self.name = name or self.backend.name or type(self.backend).__name__
        self._transpile = Transpiler(self.backend, self.name, level=optimization_level, seed=seed_transpiler)
        self.terms = terms_of(self.backend)
        self.seedable = hasattr(self.backend.options, "seed_simulator")

    def __repr__(self) -> str:
        return f"QiskitBackend({self.backend!r})"

    @property
    def version(self) -> str:
        """The version of the backend, or of Qiskit where the backend has none."""
        return self.backend.backend_version or f"qiskit {qiskit.__version__}"

    def build(self, circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
        """Transpile a circuit for the backend."""
        return self._transpile(circuit)

    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:
        """Submit circuits by calling ``backend.run``."""
        options = {**self.run_options, **({} if seed is None else {"seed_simulator": seed})}
        return QiskitRun(self.backend.run(list(natives), shots=shots, **options))

    def find(self, vendor_id: str) -> VendorRun:
        """Ask the backend, or the service that it belongs to, for a job.

        Raises:
            JobNotFound: the provider has no such job.
        """
        service = getattr(self.backend, "service", None)
        retrieve = getattr(self.backend, "retrieve_job", None) or getattr(service, "job", None)
        if retrieve is None:
            return super().find(vendor_id)
        try:
            return QiskitRun(retrieve(vendor_id))
        except Exception as exc:
            if access_error(exc, self.name) is not None or not is_not_found(exc):
                raise
            raise JobNotFound(f"{self.name} has no job {vendor_id!r}: {exc}", job=vendor_id) from exc

    def status(self) -> BackendStatus:
        """Ask the backend for its status; a backend without one is a simulator, which is always online."""
        with self.translated():
            return status_of(self.backend, self.name, self.version)

    def capabilities(self) -> Capabilities:
        """Return the capabilities that follow from the backend's target."""
        return capabilities_of(self.backend, seedable=self.seedable)

    def native_gates(self) -> tuple[str, ...]:
        """Return the gates of its target that our table has too."""
        return native_gates_of(self.backend)


class QiskitRun:
    """A job of a Qiskit backend."""

    def __init__(self, job: Any) -> None:  # noqa: ANN401 - a JobV1
        self.job = job

    @property
    def id(self) -> str:
        """The id that the provider gave the job."""
        return str(self.job.job_id())

    def state(self) -> JobState:
        """Ask the provider for the status of the job."""
        return state_of(self.job.status())

    def readings(self) -> list[Reading]:
        """Return the counts of each circuit, and the duration of its run where the backend reports it.

        Raises:
            SimulatorError: the result says that the job failed.
        """
        result = self.job.result()
        if not result.success:
            reason = (
                next((circuit_result.status for circuit_result in result.results if not circuit_result.success), None)
                or result.status
            )
            raise SimulatorError(
                f"{result.backend_name} failed: {reason}", simulator=result.backend_name, detail=str(reason)
            )
        return [
            Reading(result.get_counts(index), getattr(circuit_result, "time_taken", None))
            for index, circuit_result in enumerate(result.results)
        ]

    def cancel(self) -> None:
        """Ask the provider to cancel the job."""
        self.job.cancel()


# ---------------------------------------------------------------------------- properties of Qiskit's backends


class Transpiler:
    """Converts circuits to the gates and the connectivity of a backend, with Qiskit's preset pass manager.

    Args:
        backend: a ``BackendV2``.
        name: the name of the backend, for errors.
        level: the optimisation level, 0 to 3.
        seed: the seed, which makes the output repeatable.

    Raises:
        RequestError: there is no such optimisation level.
    """

    def __init__(self, backend: Any, name: str, *, level: int, seed: int) -> None:  # noqa: ANN401
        if type(level) is not int or level not in LEVELS:
            raise RequestError(f"an optimisation level is 0, 1, 2 or 3, not {level!r}", field="optimization_level")
        self.backend = backend
        self.name = name
        self.level = level
        self.seed = seed

    def for_backend(self, backend: Any) -> Transpiler:  # noqa: ANN401
        """Return a transpiler with these settings for another backend."""
        return Transpiler(backend, self.name, level=self.level, seed=self.seed)

    @cached_property
    def _passes(self) -> Any:  # noqa: ANN401 - a StagedPassManager, which takes Aer 50 ms to make
        return generate_preset_pass_manager(self.level, backend=self.backend, seed_transpiler=self.seed)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the passes out of a pickled copy, which creates its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_passes"}

    def __call__(self, circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
        """Return the circuit in the gates and the connectivity of the backend.

        Raises:
            UnsupportedError: the transpiler cannot convert the circuit.
        """
        try:
            return self._passes.run(circuit.to("qiskit"))
        except TranspilerError as exc:
            raise UnsupportedError(
                f"{self.name} cannot run this circuit: {exc.message}", feature="transpilation", simulator=self.name
            ) from exc


def state_of(status: object) -> JobState:
    """Return the state for a status of Qiskit, which is a ``JobStatus`` or, for IBM's jobs, its name."""
    return _STATES[str(getattr(status, "name", status))]


def terms_of(backend: Any) -> Terms:  # noqa: ANN401
    """Return the limits of one submission that a backend states."""
    max_shots = getattr(backend, "max_shots", None)
    if max_shots is None and hasattr(backend, "configuration"):
        max_shots = getattr(backend.configuration(), "max_shots", None)
    return Terms(backend.num_qubits, max_shots, backend.max_circuits)


def capabilities_of(backend: Any, *, seedable: bool) -> Capabilities:  # noqa: ANN401
    """Return the capabilities that follow from a backend's target."""
    names = set(backend.operation_names)
    return Capabilities(
        result_types=(ResultType.COUNTS,),
        reset="reset" in names,
        classical_control="if_else" in names,
        seedable=seedable,
        max_qubits=backend.num_qubits,
        native_dynamic="if_else" in names,
    )


def native_gates_of(backend: Any) -> tuple[str, ...]:  # noqa: ANN401
    """Return the gates of a backend's target that our table has too."""
    names = {_NAMES.get(name, name) for name in backend.operation_names}
    return tuple(name for name in GATES if name in names)


def status_of(backend: Any, name: str, version: str) -> BackendStatus:  # noqa: ANN401
    """Ask a provider's backend whether it takes work; one without a status counts as online."""
    if not hasattr(backend, "status"):
        return BackendStatus(name, version, online=True)
    status = backend.status()
    message = f"{status.status_msg}, {status.pending_jobs} jobs wait" if status.pending_jobs else status.status_msg
    return BackendStatus(name, version, bool(status.operational), message or None)


def _default_backend() -> Any:  # noqa: ANN401 - an AerSimulator
    try:
        from qiskit_aer import AerSimulator  # noqa: PLC0415 - only where no backend is given
    except ModuleNotFoundError as exc:
        raise FrameworkNotInstalled(
            "a QiskitBackend without an argument uses Aer, which is not installed: "
            "pip install 'simulator-gateway[qiskit]'",
            framework="qiskit_aer",
            requirement="simulator-gateway[qiskit]",
        ) from exc
    return AerSimulator()
