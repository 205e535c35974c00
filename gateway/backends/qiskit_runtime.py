"""QiskitRuntimeBackend: runs circuits on IBM's machines through the Sampler of qiskit-ibm-runtime."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests

from gateway.backends.base import BackendStatus
from gateway.backends.qiskit import (
    Transpiler,
    capabilities_of,
    native_gates_of,
    state_of,
    status_of,
    terms_of,
)
from gateway.backends.vendor import VendorBackend
from gateway.backends.vendor_errors import cause_chain
from gateway.backends.vendor_job import Reading, VendorRun
from gateway.backends.vendor_plan import Terms
from gateway.circuit import Circuit
from gateway.errors import (
    AuthenticationError,
    BusyError,
    FrameworkNotInstalled,
    GatewayError,
    JobNotFound,
    JobTimeout,
    LimitError,
    RequestError,
    TransportError,
    TransportTimeout,
)
from gateway.results import Capabilities, JobState

try:
    import qiskit_ibm_runtime
    from ibm_cloud_sdk_core import ApiException
    from qiskit.providers import BackendV2, QiskitBackendNotFoundError
    from qiskit_ibm_runtime import Batch, QiskitRuntimeService, Session
    from qiskit_ibm_runtime.accounts import AccountNotFoundError, InvalidAccountError
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import (
        IBMInputValueError,
        IBMNotAuthorizedError,
        RuntimeJobMaxTimeoutError,
        RuntimeJobNotFound,
    )
    from qiskit_ibm_runtime.executor_sampler import Sampler
except ModuleNotFoundError as missing:
    raise FrameworkNotInstalled(
        f"a QiskitRuntimeBackend needs the package {missing.name!r}, which is not installed: "
        "pip install 'qiskit-ibm-runtime>=0.51'",
        framework="qiskit_ibm_runtime",
        requirement="qiskit-ibm-runtime>=0.51",
    ) from missing

MODES = {"job": None, "session": Session, "batch": Batch}
"""Execution mode -> the class of the session that its jobs share, ``None`` for single jobs."""

CHANNELS = ("ibm_quantum_platform", "ibm_cloud")


class QiskitRuntimeBackend(VendorBackend):
    """Runs circuits on IBM's machines; all circuits of a request are one job of the Sampler primitive.

    ::

        with QiskitRuntimeBackend(token, "ibm_torino", mode="session") as backend:
            backend.run(circuit, shots=1000)

    The Sampler is the client-side one, ``qiskit_ibm_runtime.executor_sampler.Sampler``, an
    implementation of Qiskit's ``BaseSamplerV2``; its predecessor ``SamplerV2`` is deprecated since 0.50.
    The first run opens a session or batch, and :meth:`close_session` or :meth:`close` closes it. Later runs
    are refused instead of opening another one, because a session costs money while it is open.

    A machine has no seed. In the SDK's local mode, with a fake backend or Aer as ``backend``, there is a
    seed, and nothing is sent anywhere.

    Args:
        api_token: the token for IBM Cloud; the account saved on this machine when omitted.
        backend: the name of a machine, or a backend object; the least busy machine when omitted.
        channel: ``"ibm_quantum_platform"``, or ``"ibm_cloud"``, its older name.
        mode: ``"job"``, ``"session"`` or ``"batch"``.
        instance: the CRN or the name of the service instance; the SDK chooses one when omitted.
        max_time: seconds, or a text like ``"2h 30m"``, after which a session or batch ends.
        optimization_level: the transpiler's optimisation level, 0 to 3.
        seed_transpiler: the transpiler's seed, which makes its output repeatable.
        options: the options of the Sampler as a mapping: ``{"twirling": {"enable_gates": True}}``. Twirling makes the
            Sampler round the shots up, and a run fails if its counts do not sum to the shots of the request.
        service_options: further arguments of ``QiskitRuntimeService``, such as ``url`` or ``proxies``.

    Raises:
        AuthenticationError: the token is refused, or there is none.
        TransportError: IBM Cloud cannot be reached.
        RequestError: there is no such machine, channel, mode or instance.
    """

    def __init__(  # noqa: PLR0913 - as Qrisp has them, and those of the two SDKs
        self,
        api_token: str | None = None,
        backend: Any = None,  # noqa: ANN401 - a name or a BackendV2
        *,
        channel: str = "ibm_quantum_platform",
        mode: str = "job",
        instance: str | None = None,
        max_time: int | str | None = None,
        optimization_level: int = 1,
        seed_transpiler: int = 0,
        options: Mapping[str, Any] | None = None,
        service_options: Mapping[str, Any] | None = None,
    ) -> None:
        _check_choice("mode", mode, MODES)
        _check_choice("channel", channel, CHANNELS)
        self.mode = mode
        self.max_time = max_time
        self.options = dict(options or {})
        self.name = backend if isinstance(backend, str) else "IBM Quantum"  # until the machine has reported its name
        self._account: dict[str, Any] = {
            "api_token": api_token,
            "channel": channel,
            "instance": instance,
            "service_options": dict(service_options or {}),
        }
        self._service: Any = None
        if isinstance(backend, BackendV2):
            self.backend: Any = backend
            self._service = getattr(backend, "service", None)
        else:
            with self.translated():
                self._service = _service(api_token, channel, instance, self._account["service_options"])
                self.backend = self._service.least_busy() if backend is None else self._service.backend(backend)
        self.name = self.backend.name
        self._transpile = Transpiler(self.backend, self.name, level=optimization_level, seed=seed_transpiler)
        self.terms: Terms = terms_of(self.backend)
        self.seedable = self._service is None  # the local mode
        self._session: Any = None
        self._closed = False
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"QiskitRuntimeBackend({self.name!r}, mode={self.mode!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Let a pickled copy open a connection of its own to the same machine."""
        backend = self.backend if self._service is None else self.name
        settings = {
            "mode": self.mode,
            "max_time": self.max_time,
            "optimization_level": self._transpile.level,
            "seed_transpiler": self._transpile.seed,
            "options": self.options,
        }
        return _reopen, ({**self._account, **settings, "backend": backend},)

    @property
    def version(self) -> str:
        """The version of the machine, or of the SDK while the machine is unknown."""
        backend = getattr(self, "backend", None)
        return getattr(backend, "backend_version", None) or f"qiskit-ibm-runtime {qiskit_ibm_runtime.__version__}"

    def build(self, circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
        """Transpile a circuit to the machine's instruction set."""
        return self._transpile(circuit)

    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:
        """Submit circuits as one job of the Sampler."""
        options = self.options if seed is None else _with_seed(self.options, seed)
        with self._execution_context() as context:
            return RuntimeRun(Sampler(mode=context, options=options).run(natives, shots=shots))

    @contextmanager
    def _execution_context(self) -> Iterator[Any]:
        """Yield the machine, session or batch that the Sampler runs in; a session or batch is opened at first use."""
        session_class = MODES[self.mode]
        if session_class is None:
            yield self.backend
            return
        with self._lock:
            if self._closed:
                raise RequestError(
                    f"the {self.mode} of this backend was closed: make another QiskitRuntimeBackend", field="mode"
                )
            if self._session is None:
                self._session = session_class(self.backend, max_time=self.max_time)
            yield self._session

    @property
    def session_id(self) -> str | None:
        """IBM's id of the open session or batch; ``None`` in local mode."""
        return None if self._session is None else self._session.session_id

    def close_session(self) -> None:
        """Close the session or batch and refuse further runs; runs under way continue to their end."""
        with self._lock, self.translated():
            self._closed = self.mode != "job"
            session, self._session = self._session, None
            if session is not None:
                session.close()

    def close(self) -> None:
        """Close the session or batch, if there is one."""
        self.close_session()
        super().close()

    def find(self, vendor_id: str) -> VendorRun:
        """Ask IBM for a job by its id."""
        if self._service is None:
            return super().find(vendor_id)
        return RuntimeRun(self._service.job(vendor_id))

    def status(self) -> BackendStatus:
        """Ask whether the machine takes work, and how many jobs are waiting."""
        with self.translated():
            return status_of(self.backend, self.name, self.version)

    def capabilities(self) -> Capabilities:
        """Return the capabilities that follow from the machine's target."""
        return capabilities_of(self.backend, seedable=self.seedable)

    def native_gates(self) -> tuple[str, ...]:
        """Return the gates of its instruction set that our table has too."""
        return native_gates_of(self.backend)

    def error(self, exc: Exception) -> GatewayError:
        """Return the gateway error for an exception of IBM's SDK, with its text."""
        causes = list(cause_chain(exc))
        text = str(exc.args[0] if len(exc.args) == 1 else exc) or type(exc).__name__
        for cause in causes:
            if isinstance(cause, requests.Timeout):
                return TransportTimeout(f"{text} ({cause})")
            if isinstance(cause, requests.ConnectionError):
                return TransportError(f"IBM Quantum cannot be reached: {text} ({cause})")
        answer = next((str(cause) for cause in causes if isinstance(cause, ApiException)), None)
        if isinstance(exc, (IBMNotAuthorizedError, AccountNotFoundError, InvalidAccountError)):
            return AuthenticationError(f"{text} ({answer})" if answer else text)
        status = next(
            (cause.status_code for cause in causes if isinstance(cause, (RequestsApiError, ApiException))), None
        )
        if status in _BY_STATUS:
            return _BY_STATUS[status](text)
        if isinstance(exc, QiskitBackendNotFoundError):
            return RequestError(f"{self.name}: {text}", field="backend")
        if isinstance(exc, RuntimeJobNotFound):
            return JobNotFound(text)
        if isinstance(exc, RuntimeJobMaxTimeoutError):
            return JobTimeout(text)
        if isinstance(exc, IBMInputValueError):
            return AuthenticationError(text) if "does not have access" in text else RequestError(text)
        return super().error(exc)


class RuntimeRun:
    """A job of IBM's Sampler."""

    def __init__(self, job: Any) -> None:  # noqa: ANN401 - a RuntimeJobV2 or a LocalRuntimeJob
        self.job = job

    @property
    def id(self) -> str:
        """IBM's id of the job."""
        return str(self.job.job_id())

    def state(self) -> JobState:
        """Ask IBM for the status of the job."""
        return state_of(self.job.status())

    def readings(self) -> list[Reading]:
        """Return the counts of each circuit; the classical registers are joined, the first one rightmost."""
        return [Reading(result.join_data().get_counts()) for result in self.job.result()]

    def cancel(self) -> None:
        """Ask IBM to cancel the job."""
        self.job.cancel()


_BY_STATUS: dict[int | None, type[GatewayError]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    413: LimitError,
    429: BusyError,
    503: BusyError,
}
"""HTTP status of an answer of IBM -> the class of our error."""


def _service(token: str | None, channel: str, instance: str | None, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Log in. Without an instance the SDK chooses one, and ``auto`` keeps it from warning about that."""
    return QiskitRuntimeService(channel=channel, token=token, instance=instance or "auto", **options)


def _reopen(arguments: dict[str, Any]) -> QiskitRuntimeBackend:
    return QiskitRuntimeBackend(**arguments)


def _check_choice(field: str, value: object, choices: Any) -> None:  # noqa: ANN401 - a container of texts
    if value not in choices:
        raise RequestError(f"{field} is {' or '.join(map(repr, choices))}, not {value!r}", field=field)


def _with_seed(options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {**options, "simulator": {**options.get("simulator", {}), "seed_simulator": seed}}
