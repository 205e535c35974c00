"""QiskitBackend: any backend of Qiskit's, a simulator or a machine, behind the one interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from gateway.backends.base import BackendStatus
from gateway.backends.vendor import VendorBackend
from gateway.backends.vendor_errors import is_not_found, on_the_way
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
"""Qiskit's names of gates of our table, where they differ."""


class QiskitBackend(VendorBackend):
    """Runs circuits on a ``BackendV2`` of Qiskit's: Aer, fake backends, providers' machines.

    ::

        QiskitBackend().run(circuit)  # Aer, as Qrisp's QiskitBackend has it
        QiskitBackend(AerSimulator(method="stabilizer"))
        QiskitBackend(FakeManilaV2(), optimization_level=3)

    Circuits are transpiled for the backend by Qiskit's preset pass manager; qubits that nothing acts on
    are left out first. What the backend's target lacks is refused by name. More shots than the backend
    gives at once are divided among several of its jobs, a hundred at most, and added up.

    With a seed, or where the backend takes one (``seed_simulator`` among its options), each circuit is a
    job of its own, so that its counts do not depend on its neighbours; elsewhere all circuits of as many
    shots are one job. ``run_async()`` returns a job whose state, result and cancellation are those of
    Qiskit's; ``job(id)`` finds it again where the backend, or its service, can.

    Args:
        backend: the backend; ``AerSimulator()`` by default.
        optimization_level: of the transpiler, 0 to 3.
        seed_transpiler: makes transpiling repeatable.
        run_options: further arguments of ``backend.run``, except ``shots`` and ``seed_simulator``.
        name: what a result's provenance calls it; the backend's own name by default.

    Raises:
        RequestError: not a backend of Qiskit's, or an argument out of range.
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
        self.backend = _aer() if backend is None else backend
        if not isinstance(self.backend, BackendV2):
            raise RequestError(f"a backend of Qiskit's is a BackendV2, not {backend!r}", field="backend")
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
        """Version of the backend, or of Qiskit where it has none."""
        return self.backend.backend_version or f"qiskit {qiskit.__version__}"

    def build(self, circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
        """Transpile for the backend."""
        return self._transpile(circuit)

    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:
        """Call ``backend.run``."""
        options = {**self.run_options, **({} if seed is None else {"seed_simulator": seed})}
        return QiskitRun(self.backend.run(list(natives), shots=shots, **options))

    def find(self, vendor_id: str) -> VendorRun:
        """Ask the backend, or the service it belongs to, for a job.

        Raises:
            JobNotFound: the provider says that it has no such job.
        """
        service = getattr(self.backend, "service", None)
        retrieve = getattr(self.backend, "retrieve_job", None) or getattr(service, "job", None)
        if retrieve is None:
            return super().find(vendor_id)
        try:
            return QiskitRun(retrieve(vendor_id))
        except Exception as exc:
            if on_the_way(exc, self.name) is not None or not is_not_found(exc):
                raise
            raise JobNotFound(f"{self.name} has no job {vendor_id!r}: {exc}", job=vendor_id) from exc

    def status(self) -> BackendStatus:
        """Ask the backend for its status; one that cannot say is a simulator, which is always there."""
        with self.translated():
            return status_of(self.backend, self.name, self.version)

    def capabilities(self) -> Capabilities:
        """Return what the backend's target allows."""
        return capabilities_of(self.backend, seedable=self.seedable)

    def native_gates(self) -> tuple[str, ...]:
        """Return the gates of its target that our table has too."""
        return native_gates_of(self.backend)


class QiskitRun:
    """A job of a backend of Qiskit's."""

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
        """Return the counts of each circuit, and the seconds it took where the backend says so.

        Raises:
            SimulatorError: the backend says, without raising anything, that it failed.
        """
        result = self.job.result()
        if not result.success:
            why = next((one.status for one in result.results if not one.success), None) or result.status
            raise SimulatorError(f"{result.backend_name} failed: {why}", simulator=result.backend_name, detail=str(why))
        return [
            Reading(result.get_counts(index), getattr(one, "time_taken", None))
            for index, one in enumerate(result.results)
        ]

    def cancel(self) -> None:
        """Ask the provider to cancel the job."""
        self.job.cancel()


# ---------------------------------------------------------------------------- what backends of Qiskit's say


class Transpiler:
    """Puts circuits into the gates and the connectivity of a backend, by Qiskit's preset pass manager.

    Args:
        backend: a ``BackendV2``.
        name: of the backend, for errors.
        level: of optimisation, 0 to 3.
        seed: makes it repeatable.

    Raises:
        RequestError: there is no such level.
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
        """Leave the passes out of a copy, which makes its own."""
        return {name: value for name, value in self.__dict__.items() if name != "_passes"}

    def __call__(self, circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
        """Return the circuit in the backend's terms.

        Raises:
            UnsupportedError: the transpiler knows no way.
        """
        try:
            return self._passes.run(circuit.to("qiskit"))
        except TranspilerError as exc:
            raise UnsupportedError(
                f"{self.name} cannot run this circuit: {exc.message}", feature="transpilation", simulator=self.name
            ) from exc


def state_of(status: object) -> JobState:
    """Return the state a status means: a ``JobStatus``, or its name as IBM's jobs have it."""
    return _STATES[str(getattr(status, "name", status))]


def terms_of(backend: Any) -> Terms:  # noqa: ANN401
    """Return what a backend takes at once, as it says itself."""
    most = getattr(backend, "max_shots", None)
    if most is None and hasattr(backend, "configuration"):
        most = getattr(backend.configuration(), "max_shots", None)
    return Terms(backend.num_qubits, most, backend.max_circuits)


def capabilities_of(backend: Any, *, seedable: bool) -> Capabilities:  # noqa: ANN401
    """Return what a backend's target allows."""
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
    """Ask a backend whether it takes work, as providers' backends can say."""
    if not hasattr(backend, "status"):
        return BackendStatus(name, version, online=True)
    status = backend.status()
    words = f"{status.status_msg}, {status.pending_jobs} jobs wait" if status.pending_jobs else status.status_msg
    return BackendStatus(name, version, bool(status.operational), words or None)


def _aer() -> Any:  # noqa: ANN401 - an AerSimulator
    try:
        from qiskit_aer import AerSimulator  # noqa: PLC0415 - only where no backend is given
    except ModuleNotFoundError as exc:
        raise FrameworkNotInstalled(
            "without a backend of yours a QiskitBackend is Aer, which is not installed: "
            "pip install 'simulator-gateway[qiskit]'",
            framework="qiskit_aer",
            requirement="simulator-gateway[qiskit]",
        ) from exc
    return AerSimulator()
