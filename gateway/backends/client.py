"""BackendClient: sends circuits to a server over HTTP."""

from __future__ import annotations

import ipaddress
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import msgspec
import requests
from urllib3.exceptions import ReadTimeoutError

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.connections import InterruptibleAdapter
from gateway.backends.server_job import ServerJob
from gateway.errors import JobNotFound, RequestError, TransportError, TransportTimeout
from gateway.protocol import endpoints, problem
from gateway.protocol.encodings import ACCEPT_BOTH, Encoding
from gateway.protocol.endpoints import Endpoint
from gateway.protocol.messages import (
    BackendInfo,
    JobInfo,
    JobList,
    ReceivedJob,
    RunRequest,
    RunResponse,
    decode,
    encode,
)
from gateway.protocol.result_message import ResultMessage, result_of
from gateway.results import Capabilities, JobState, Result
from gateway.version import PROTOCOL

M = TypeVar("M")

CONNECT_TIMEOUT_S = 5.0
_PAUSES_S = (0.05, 0.2, 1.0)
"""The pauses before a request that broke off is sent again."""

_WITH_BODY = {"Content-Type": Encoding.JSON.media_type}

_BROKEN_CONNECTION = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
"""The errors that requests raises when a connection breaks; the second one comes in the middle of an answer."""

_LONGEST_WAIT_S = 1e9
"""The longest wait that a request names, some thirty years; JSON has no infinity."""

MOST_RESULTS = 1000
"""Results of a job that are asked for at once; the server sends fewer of them where they are large."""

GRACE_S = 15.0
"""The client waits for so long beyond the time that a request may wait for a worker and then run."""


class BackendClient(Backend):
    """Sends circuits to a BackendServer.

    Args:
        host: the name or address of the server's machine.
        port: the port of the server; each simulator has its own in the registry.
        token: the bearer token that is sent with each request.
        tls: whether to speak HTTPS; or the path of a file or folder of certificates, which are trusted instead of
            the system's.
        timeout_s: seconds that a run may take unless it has a timeout of its own; the server's limit by default.
        session: the session that carries the requests; tests give one with a transport of their own.

    Raises:
        RequestError: ``port`` is not the number of a port, or there are no certificates at the path.
    """

    takes_parameters = True

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8080,
        *,
        token: str | None = None,
        tls: bool | str | Path = False,
        timeout_s: float | None = None,
        session: requests.Session | None = None,
    ) -> None:
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 2**16:
            raise RequestError(f"a port is a number from 1 to 65535, not {port!r}", field="port")
        self.host = host
        self.port = port
        self.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
        self.timeout_s = timeout_s
        self._session = session or _interruptible_session()
        if _is_loopback(host):
            self._session.trust_env = False  # no proxy stands between a machine and itself
        if isinstance(tls, str | Path):
            self._session.verify = _check_certificates(tls)
        self._session.headers["Accept"] = ACCEPT_BOTH
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"
        self._info: BackendInfo | None = None
        self._leaves_results_out = True
        self._sends_several_results = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host!r}, {self.port})"

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request on the server."""
        timeout_s = request.timeout_s or self.timeout_s
        if timeout_s is not None and request.timeout_s is None:
            request = msgspec.structs.replace(request, timeout_s=timeout_s)
        limits = self.info().limits
        # A longer timeout is refused at once, and one of centuries is too long for a socket.
        patience_s = limits.max_wait_s + min(timeout_s or limits.timeout_s, limits.timeout_s) + GRACE_S
        results = self._call(RunResponse, endpoints.RUN, patience_s, encode(request)).results
        if len(results) != request.num_results:
            raise TransportError(
                f"{self.url} answered {request.num_results} circuits with {len(results)} results", url=self.url
            )
        return [self._result(message) for message in results]

    def _result(self, message: ResultMessage) -> Result:
        """Return the result in a message of the server's."""
        try:
            return result_of(message)
        except ValueError as exc:
            raise TransportError(f"{self.url} sent a result that is none: {exc}", url=self.url) from exc

    def begin(self, request: RunRequest, *, key: str | None = None) -> ServerJob:
        """Submit a request as a job, which the server keeps, and return once the server has accepted it.

        When the connection breaks, the request is sent again, and an idempotency key makes sure that the job
        runs only once. Callers who want to try for longer give a ``key`` of their own.
        """
        if self.timeout_s is not None and request.timeout_s is None:
            request = msgspec.structs.replace(request, timeout_s=self.timeout_s)
        headers = {endpoints.IDEMPOTENCY_KEY.name: key or secrets.token_hex(16)}
        return ServerJob(self, self._call_repeatedly(ReceivedJob, endpoints.SUBMIT, 60.0, encode(request), headers))

    def job(self, job_id: str) -> ServerJob:
        """Return the job with this id, which another process may have submitted.

        Raises:
            JobNotFound: the server keeps no such job, or the job belongs to the holder of another token.
        """
        return ServerJob(
            self,
            self._without_results(
                lambda query: self._call_repeatedly(ReceivedJob, endpoints.JOB, 60.0, job_id=job_id, query=query)
            ),
        )

    def jobs(self, *, state: JobState | str | None = None, limit: int = 50) -> list[JobInfo]:
        """Return the latest jobs, the newest first, without their results."""
        query = {"limit": limit, **({} if state is None else {"state": str(state)})}
        return self._call_repeatedly(JobList, endpoints.JOBS, 60.0, query=query).jobs

    def rerun(self, job_id: str) -> ServerJob:
        """Run the circuits of a job once more, as a new job."""
        return ServerJob(self, self._call(ReceivedJob, endpoints.RERUN, 60.0, job_id=job_id))

    def job_info(self, job_id: str, wait_s: float = 0, *, results: bool = True) -> ReceivedJob:
        """Return the state of a job; wait up to ``wait_s`` for its end.

        Args:
            job_id: the id of the job.
            wait_s: seconds to wait.
            results: whether the answer has the results, once the job has ended. Servers before this parameter send
                them anyway.
        """
        wait = {endpoints.WAIT_S.name: f"{min(wait_s, _LONGEST_WAIT_S):g}"} if wait_s else {}

        def ask(query: Mapping[str, object]) -> ReceivedJob:
            return self._call(ReceivedJob, endpoints.JOB, wait_s + 60.0, job_id=job_id, query={**wait, **query})

        return ask({}) if results else self._without_results(ask)

    def job_result(self, job_id: str, position: int) -> Result:
        """Return the result of one circuit of a job that has ended.

        Raises:
            ResultNotFound: the circuit has no answer.
            GatewayError: the circuit failed; in a job of a list of circuits the error has its number.
        """
        results = self._call_repeatedly(RunResponse, endpoints.RESULT, 60.0, job_id=job_id, position=position).results
        if len(results) != 1:
            raise TransportError(f"{self.url} answered one circuit with {len(results)} results", url=self.url)
        return self._result(results[0])

    def job_results(self, job_id: str, position: int, *, wait_s: float = 0) -> list[Result]:
        """Return the results of some circuits of a job that follow one another: at least the first one.

        Args:
            job_id: the id of the job.
            position: the number of the first circuit.
            wait_s: seconds to wait for its result. Servers before this parameter do not wait.

        Raises:
            ResultNotFound: the first circuit has no answer, or none yet.
            GatewayError: it failed; in a job of a list of circuits the error has its number.
        """
        if self._sends_several_results:
            query = {endpoints.COUNT.name: MOST_RESULTS, endpoints.WAIT_S.name: f"{min(wait_s, _LONGEST_WAIT_S):g}"}
            try:
                results = self._call_repeatedly(
                    RunResponse, endpoints.RESULT, wait_s + 60.0, job_id=job_id, position=position, query=query
                ).results
            except RequestError as exc:
                if exc.field not in query:
                    raise
                self._sends_several_results = False
            else:
                if not 1 <= len(results) <= MOST_RESULTS:
                    raise TransportError(f"{self.url} sent {len(results)} results", url=self.url)
                return [self._result(message) for message in results]
        return [self.job_result(job_id, position)]

    def cancel_job(self, job_id: str) -> ReceivedJob:
        """Cancel a job unless it has ended, and return its state."""
        return self._without_results(
            lambda query: self._call_repeatedly(ReceivedJob, endpoints.CANCEL, 60.0, job_id=job_id, query=query)
        )

    def _without_results(self, ask: Callable[[Mapping[str, object]], ReceivedJob]) -> ReceivedJob:
        """Ask for a job without its results; ask again for all of it if the server is older than that parameter."""
        if self._leaves_results_out:
            try:
                return ask({endpoints.RESULTS.name: "false"})
            except RequestError as exc:
                if exc.field != endpoints.RESULTS.name:
                    raise
            self._leaves_results_out = False
        return ask({})

    def info(self, *, fresh: bool = False) -> BackendInfo:
        """Return the server's description of itself; the server is asked once, or each time with ``fresh``."""
        if self._info is None or fresh:
            info = self._call(BackendInfo, endpoints.BACKEND, 60.0)
            if info.protocol != PROTOCOL:
                raise TransportError(
                    f"{self.url} speaks protocol {info.protocol}, this client speaks {PROTOCOL}: "
                    "install the same version on both sides",
                    url=self.url,
                )
            self._info = info
        return self._info

    def status(self) -> BackendStatus:
        """Ask the server whether it takes work."""
        info = self.info(fresh=True)
        return BackendStatus(info.name, info.version, info.online, info.status)

    def capabilities(self) -> Capabilities:
        """Return what the server's simulator can do."""
        return self.info().capabilities

    def close(self) -> None:
        """Close the connections."""
        super().close()
        self._session.close()

    def _call_repeatedly(
        self,
        kind: type[M],
        endpoint: Endpoint,
        timeout_s: float,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        job_id: str | None = None,
        position: int | None = None,
        query: Mapping[str, object] = MappingProxyType({}),
    ) -> M:
        """Send a request that does no harm when it arrives twice, and send it again if the connection breaks."""

        def call() -> M:
            return self._call(kind, endpoint, timeout_s, body, headers, job_id=job_id, position=position, query=query)

        for pause_s in _PAUSES_S:
            try:
                return call()
            except TransportTimeout:
                raise
            except TransportError as exc:
                cause = exc.__cause__
                if isinstance(cause, requests.exceptions.SSLError) or not isinstance(cause, _BROKEN_CONNECTION):
                    raise
            time.sleep(pause_s)
        return call()

    def _call(
        self,
        kind: type[M],
        endpoint: Endpoint,
        timeout_s: float,
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        job_id: str | None = None,
        position: int | None = None,
        query: Mapping[str, object] = MappingProxyType({}),
    ) -> M:
        """Send one request and return the message in the answer; errors of other libraries become ours here."""
        headers = {**headers, **_trace_context(), **(_WITH_BODY if body is not None else {})}
        url = self.url + endpoint.url(_check_job_id(job_id), query, position=position)
        timeouts = (CONNECT_TIMEOUT_S, timeout_s)
        try:
            response = self._session.request(
                endpoint.method, url, data=body, headers=headers, timeout=timeouts, allow_redirects=False, stream=True
            )
            content = b"".join(response.iter_content(None))  # in one piece, which is read without a copy
        except requests.Timeout as exc:
            raise TransportTimeout(f"{url} did not answer within {timeout_s:g} s", url=url) from exc
        except requests.exceptions.SSLError as exc:
            raise TransportError(f"{self.url} cannot be trusted: {_cause(exc)}", url=url) from exc
        except requests.ConnectionError as exc:
            if any(isinstance(error, ReadTimeoutError) for error in exc.args):  # in the middle of the answer
                raise TransportTimeout(f"{url} did not finish its answer within {timeout_s:g} s", url=url) from exc
            raise TransportError(f"cannot reach {self.url}: is the server running? ({_cause(exc)})", url=url) from exc
        except (requests.RequestException, OSError) as exc:  # OSError: a file of certificates has disappeared
            raise TransportError(f"{url}: {exc}", url=url) from exc
        if response.status_code != endpoint.status:
            raise problem.parse(content, response.status_code, url)
        try:
            return decode(kind, content, Encoding.of_media_type(response.headers.get("Content-Type")))
        except RequestError as exc:
            raise TransportError(f"{url} did not answer as a simulator gateway does: {exc}", url=url) from exc


def _interruptible_session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, InterruptibleAdapter())
    return session


def _check_job_id(job_id: str | None) -> str:
    """Return the id of a job, or an empty text where the path of the request has none.

    Raises:
        JobNotFound: the id would change the path to something other than a job.
    """
    if job_id is None:
        return ""
    if not job_id.strip(".") or "/" in job_id:
        raise JobNotFound(f"there is no job {job_id!r}", job=job_id)
    return job_id


def _trace_context() -> dict[str, str]:
    """Return the headers that carry the current trace, if OpenTelemetry traces this program."""
    propagate = sys.modules.get("opentelemetry.propagate")
    headers: dict[str, str] = {}
    if propagate is not None:
        propagate.inject(headers)
    return headers


def _check_certificates(tls: str | Path) -> str:
    """Return the path of a file or folder of certificates, after checking that it holds some.

    Raises:
        RequestError: the path does not exist, or holds no certificates.
    """
    try:
        path = Path(tls)
        folder = path.is_dir()
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            cafile=None if folder else path, capath=path if folder else None
        )
    except (OSError, ValueError) as exc:  # ssl.SSLError is an OSError
        why = getattr(exc, "strerror", None) or exc
        raise RequestError(f"tls must name certificates to trust, not {tls!s:.200}: {why}", field="tls") from exc
    return str(path)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _cause(exc: BaseException) -> str:
    """Return the innermost reason of a connection error as text."""
    reason = getattr(exc.args[0], "reason", exc.args[0]) if exc.args else exc
    return str(reason).rpartition(": ")[2] or type(exc).__name__
