"""IQMBackend: runs circuits on IQM's machines through IQM's own client, tested with iqm-client 36."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any
from uuid import UUID

import requests

from gateway.backends.base import BackendStatus
from gateway.backends.qiskit import QiskitBackend, QiskitRun
from gateway.backends.vendor_job import Reading, VendorRun
from gateway.backends.vendor_plan import Terms
from gateway.errors import (
    AuthenticationError,
    BusyError,
    FrameworkNotInstalled,
    GatewayError,
    JobNotFound,
    LimitError,
    RequestError,
    SimulatorError,
    TransportError,
    TransportTimeout,
    UnsupportedError,
)
from gateway.results import JobState

try:
    from exa.common.errors import iqm_error
    from iqm.iqm_client import CircuitCompilationOptions
    from iqm.qiskit_iqm import IQMProvider
    from iqm.qiskit_iqm.iqm_backend import IQMBackendBase
    from iqm.station_control.client.authentication import ClientAuthenticationError, ClientConfigurationError
except ModuleNotFoundError as missing:
    raise FrameworkNotInstalled(
        f"an IQMBackend needs the package {missing.name!r}, which is not installed: "
        "pip install 'iqm-client[qiskit]', in an environment without the simulators' Qiskit",
        framework="iqm",
        requirement="iqm-client[qiskit]",
    ) from missing

log = logging.getLogger("gateway")

RESONANCE = "https://resonance.iqm.tech"
"""The address of IQM's cloud."""

MAX_SHOTS = 20_000
"""The number of shots that Resonance takes at once."""

_FIRST_POLL_S, _LONGEST_POLL_S = 0.05, 5.0
_CALIBRATION_CHANGED = "Server default calibration set has changed"


class IQMBackend(QiskitBackend):
    """Runs circuits on an IQM machine; all circuits with the same number of shots are one job.

    ::

        IQMBackend(token, "garnet").run(circuit, shots=1000)

    IQM's Qiskit package transpiles circuits to the machine's gates and connectivity. A request for more than
    ``max_shots`` becomes several jobs, whose counts are added up. Before each request the backend asks the
    server for its default calibration set and transpiles the circuits for that; the version in a result's
    provenance names the calibration set. A machine has no seed.

    Args:
        api_token: the token for IQM Resonance or for the server; ``IQM_TOKEN`` in the environment when omitted.
        device_instance: the name of the machine, such as ``"garnet"``, which may be omitted if the server has
            only one. Or a backend object of IQM, such as ``IQMFakeAdonis()``, with which nothing is sent anywhere.
        server_url: the address of the IQM server.
        calibration_set_id: the calibration set to use instead of the server's default.
        use_metrics: whether the transpiler considers the quality of each qubit and gate.
        use_timeslot: whether to submit to the queue of a booked time slot.
        compilation_options: IQM's ``CircuitCompilationOptions``.
        max_shots: the number of shots that the machine takes at once.
        optimization_level: the transpiler's optimisation level, 0 to 3.
        seed_transpiler: the transpiler's seed, which makes its output repeatable.

    Raises:
        AuthenticationError: the token is refused, or there is none.
        TransportError: the server cannot be reached.
        RequestError: there is no such machine or calibration set.
    """

    def __init__(  # noqa: PLR0913 - as Qrisp has them
        self,
        api_token: str | None = None,
        device_instance: Any = None,  # noqa: ANN401 - a name or an IQMBackendBase
        *,
        server_url: str = RESONANCE,
        calibration_set_id: str | UUID | None = None,
        use_metrics: bool = False,
        use_timeslot: bool = False,
        compilation_options: CircuitCompilationOptions | None = None,
        max_shots: int = MAX_SHOTS,
        optimization_level: int = 1,
        seed_transpiler: int = 0,
    ) -> None:
        self._settings: dict[str, Any] = {
            "api_token": api_token,
            "device_instance": device_instance,
            "server_url": server_url,
            "calibration_set_id": _parse_uuid(calibration_set_id),
            "use_metrics": use_metrics,
            "use_timeslot": use_timeslot,
            "compilation_options": compilation_options,
            "max_shots": max_shots,
            "optimization_level": optimization_level,
            "seed_transpiler": seed_transpiler,
        }
        self.name = str(device_instance or server_url)  # until the machine has reported its name
        if isinstance(device_instance, IQMBackendBase):
            self._local, backend, options = True, device_instance, {}
        else:
            self._local, backend = False, self._open_backend()
            options = {"use_timeslot": use_timeslot, "circuit_compilation_options": compilation_options}
        super().__init__(
            backend, optimization_level=optimization_level, seed_transpiler=seed_transpiler, run_options=options
        )
        self.terms = Terms(self.backend.num_qubits, max_shots, self.backend.max_circuits)

    def __repr__(self) -> str:
        return f"IQMBackend({self.name!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a pickled copy open a connection of its own."""
        return _reopen, (self._settings,)

    @property
    def calibration_set_id(self) -> UUID:
        """The calibration set that circuits are transpiled for."""
        name: UUID = self.backend.architecture.calibration_set_id
        return name

    @property
    def version(self) -> str:
        """The version of the client and, once it is known, the calibration set."""
        return _version(self.calibration_set_id if hasattr(self, "backend") else None)

    def _open_backend(self) -> Any:  # noqa: ANN401 - IQM's own IQMBackend
        settings = self._settings
        with self.translated():
            provider = IQMProvider(
                settings["server_url"], quantum_computer=settings["device_instance"], token=settings["api_token"]
            )
            return provider.get_backend(
                calibration_set_id=settings["calibration_set_id"], use_metrics=settings["use_metrics"]
            )

    def refresh(self) -> None:
        """Switch to the server's current default calibration set."""
        if self._local or self._settings["calibration_set_id"] is not None:
            return
        current = self.backend.client.get_dynamic_quantum_architecture(None).calibration_set_id
        if current != self.calibration_set_id:
            self.backend = self._open_backend()
            self._transpile = self._transpile.for_backend(self.backend)
            self.terms = self.terms._replace(max_qubits=self.backend.num_qubits)

    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:  # noqa: ARG002 - no seed
        """Submit one job.

        Raises:
            BusyError: the calibration set changed since the circuits were transpiled.
        """
        with _refusing_new_calibration(self.name):
            job = self.backend.run(list(natives), shots=shots, **self.run_options)
        return QiskitRun(job) if self._local else IQMRun(job)

    def find(self, vendor_id: str) -> VendorRun:
        """Ask the server for a job."""
        if self._local:
            return super().find(vendor_id)
        try:
            job_id = str(UUID(vendor_id))
        except ValueError as exc:
            raise JobNotFound(f"{self.name} has no job {vendor_id!r}: {exc}", job=vendor_id) from exc
        with _logging_messages():
            try:
                return IQMRun(self.backend.retrieve_job(job_id))
            except iqm_error.NotFoundError as exc:
                raise JobNotFound(f"{self.name} has no job {vendor_id!r}: {exc}", job=vendor_id) from exc

    def status(self) -> BackendStatus:
        """Ask the server for the machine's health; the message is its answer, whose form IQM does not document."""
        if self._local:
            return BackendStatus(self.name, self.version, online=True)
        with self.translated():
            try:
                health = self.backend.client.get_health()
            except iqm_error.SystemUnavailableError as exc:
                return BackendStatus(self.name, self.version, online=False, message=str(exc))
        return BackendStatus(self.name, self.version, online=True, message=json.dumps(health))

    def error(self, exc: Exception) -> GatewayError:
        """Return the gateway error for an exception of IQM's server or client, with its text."""
        error_class = next((ours for theirs, ours in _ERRORS if isinstance(exc, theirs)), None)
        if error_class is not None:
            return error_class(f"{self.name}: {exc}")
        return super().error(exc)


class IQMRun(QiskitRun):
    """A job on an IQM server."""

    def state(self) -> JobState:
        """Ask the server for the state of the job."""
        with _logging_messages():
            return super().state()

    def readings(self) -> list[Reading]:
        """Wait until the job has ended, and return the counts of each circuit.

        Raises:
            SimulatorError: the job failed; the message quotes the server.
        """
        delay_s = _FIRST_POLL_S  # the client's own method to wait draws a progress bar
        while not self.state().ended:
            time.sleep(delay_s)
            delay_s = min(delay_s * 1.5, _LONGEST_POLL_S)
        with _logging_messages():
            result = self.job.result()
            reason = None if result.success else self.job.error_message() or "the server does not say why"
        if reason is not None:
            raise SimulatorError(
                f"{result.backend_name} failed: {reason}", simulator=result.backend_name, detail=reason
            )
        return [
            Reading(result.get_counts(index), version=_version(getattr(circuit_result, "calibration_set_id", None)))
            for index, circuit_result in enumerate(result.results)
        ]

    def cancel(self) -> None:
        """Ask the server to cancel the job; a job that has ended stays as it is."""
        with _logging_messages():
            self.job.cancel()


_ERRORS: tuple[tuple[Any, type[GatewayError]], ...] = (
    ((iqm_error.AuthenticationError, iqm_error.ForbiddenError, ClientAuthenticationError), AuthenticationError),
    ((iqm_error.CircuitValidationError, iqm_error.CircuitTranspilationError), UnsupportedError),
    (
        (iqm_error.NotFoundError, iqm_error.ValidationError, iqm_error.InvalidOperationError, ClientConfigurationError),
        RequestError,
    ),
    (iqm_error.DataSizeError, LimitError),
    ((iqm_error.RateLimitError, iqm_error.SystemUnavailableError), BusyError),
    ((iqm_error.OperationTimeoutError, requests.Timeout), TransportTimeout),
    ((iqm_error.BadGatewayError, requests.ConnectionError), TransportError),
    (json.JSONDecodeError, TransportError),
    (ValueError, UnsupportedError),  # IQM's way to say that a circuit has no form on the machine
)
"""Error classes of IQM's client -> our class; the first row that fits is used."""


def _parse_uuid(text: str | UUID | None) -> UUID | None:
    try:
        return text if text is None or isinstance(text, UUID) else UUID(text)
    except (ValueError, AttributeError) as exc:
        raise RequestError(
            f"the name of a calibration set is a UUID, not {text!r}", field="calibration_set_id"
        ) from exc


def _version(calibration_set_id: UUID | None) -> str:
    client = f"iqm-client {metadata.version('iqm-client')}"
    return client if calibration_set_id is None else f"{client}, calibration set {calibration_set_id}"


@contextmanager
def _logging_messages() -> Iterator[None]:
    """Write the server's messages about a job to the log; the client turns them into warnings."""
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        yield
    for message in messages:
        log.info("%s", message.message)


@contextmanager
def _refusing_new_calibration(name: str) -> Iterator[None]:
    """Raise an error instead of the client's warning that the calibration set has changed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=_CALIBRATION_CHANGED)
        try:
            yield
        except UserWarning as exc:
            if not str(exc).startswith(_CALIBRATION_CHANGED):
                raise
            raise BusyError(
                f"{name} was calibrated anew while the circuits were prepared: run them again ({exc})",
                retry_after_s=0.0,
            ) from exc


def _reopen(settings: dict[str, Any]) -> IQMBackend:
    return IQMBackend(**settings)
