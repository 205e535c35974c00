"""BackendClient: sends circuits to a server over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import requests
from msgspec import UNSET, UnsetType

from gateway.backends.access import Access, access_to, check_certificates
from gateway.backends.addresses import Address
from gateway.backends.base import Backend, BackendStatus
from gateway.backends.patience import repeatedly
from gateway.backends.server_job import ServerJob
from gateway.backends.transport import LONGEST_WAIT_S, Transport
from gateway.errors import JobNotFound, RequestError, TransportError
from gateway.protocol import endpoints
from gateway.protocol.endpoints import Endpoint
from gateway.protocol.messages import (
    BackendInfo,
    JobInfo,
    JobList,
    ReceivedJob,
    RunRequest,
    RunResponse,
    encode,
)
from gateway.protocol.result_message import ResultMessage, result_of
from gateway.results import Capabilities, JobState, Result
from gateway.version import PROTOCOL

DEFAULT_PORT = 8080

MOST_RESULTS = 1000
"""Results of a job that are asked for at once; the server sends fewer of them where they are large."""

GRACE_S = 15.0
"""The client waits for so long beyond the time that a request may wait for a worker and then run."""


class BackendClient(Backend):
    """Sends circuits to a server: a BackendServer, ``gateway serve``, or a simulator behind a gateway.

    ::

        BackendClient("127.0.0.1", 8088)
        BackendClient("https://lab.example:8443/simulators/qulacs", token="...")

    Args:
        host: the name or address of the server's machine; or the URL of the server, with the path under which a proxy
            or a gateway has it.
        port: the port of the server, 8080 by default; each simulator has its own in the registry. A URL has its own.
        token: the bearer token that is sent with each request. For a URL there is a default, which
            :mod:`gateway.backends.access` explains; an empty text sends none.
        tls: whether to speak HTTPS; or the path of a file or folder of certificates, which are trusted instead of
            the system's. A URL says whether; for one, ``True`` trusts the system's whatever the environment has.
        timeout_s: seconds that a run may take unless it has a timeout of its own; the server's limit by default.
        session: the session that carries the requests; tests give one with a transport of their own.

    Raises:
        RequestError: ``port`` is not the number of a port, the URL is malformed or contradicts other arguments, or
            there are no certificates at the path.
    """

    takes_parameters = True

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | UnsetType = UNSET,
        *,
        token: str | None = None,
        tls: bool | str | Path = False,
        timeout_s: float | None = None,
        session: requests.Session | None = None,
    ) -> None:
        is_url = "://" in host
        access = _access_by_url(host, port, token, tls) if is_url else _access(host, port, token, tls)
        self.host, self.port = access.address.host, access.address.port
        self.timeout_s = timeout_s
        self._words = repr(access.address.url) if is_url else f"{self.host!r}, {self.port}"
        self._transport = Transport(access, session)
        self.url = self._transport.url
        self._info: BackendInfo | None = None
        self._leaves_results_out = True
        self._sends_several_results = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._words})"

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request on the server."""
        timeout_s = request.timeout_s or self.timeout_s
        if timeout_s is not None and request.timeout_s is None:
            request = msgspec.structs.replace(request, timeout_s=timeout_s)
        limits = self.info().limits
        # A longer timeout is refused at once, and one of centuries is too long for a socket.
        patience_s = limits.max_wait_s + min(timeout_s or limits.timeout_s, limits.timeout_s) + GRACE_S
        results = self._transport.call(RunResponse, endpoints.RUN, patience_s, encode(request)).results
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
        body = encode(request)
        submit = partial(self._transport.call, ReceivedJob, endpoints.SUBMIT, 60.0, body, headers=headers)
        return ServerJob(self, repeatedly(submit))

    def job(self, job_id: str) -> ServerJob:
        """Return the job with this id, which another process may have submitted.

        Raises:
            JobNotFound: the server keeps no such job, or the job belongs to the holder of another token.
        """
        return ServerJob(self, self._without_results(partial(self._ask_repeatedly, endpoints.JOB, job_id)))

    def jobs(self, *, state: JobState | str | None = None, limit: int = 50) -> list[JobInfo]:
        """Return the latest jobs, the newest first, without their results."""
        query = {"limit": limit, **({} if state is None else {"state": str(state)})}
        return repeatedly(lambda: self._transport.call(JobList, endpoints.JOBS, 60.0, query=query)).jobs

    def rerun(self, job_id: str) -> ServerJob:
        """Run the circuits of a job once more, as a new job."""
        return ServerJob(self, self._transport.call(ReceivedJob, endpoints.RERUN, 60.0, job_id=_check_job_id(job_id)))

    def job_info(self, job_id: str, wait_s: float = 0, *, results: bool = True) -> ReceivedJob:
        """Return the state of a job; wait up to ``wait_s`` for its end.

        Args:
            job_id: the id of the job.
            wait_s: seconds to wait.
            results: whether the answer has the results, once the job has ended. Servers before this parameter send
                them anyway.
        """
        wait = {endpoints.WAIT_S.name: f"{min(wait_s, LONGEST_WAIT_S):g}"} if wait_s else {}

        def ask(query: Mapping[str, object]) -> ReceivedJob:
            query = {**wait, **query}
            return self._transport.call(
                ReceivedJob, endpoints.JOB, wait_s + 60.0, job_id=_check_job_id(job_id), query=query
            )

        return ask({}) if results else self._without_results(ask)

    def job_result(self, job_id: str, position: int) -> Result:
        """Return the result of one circuit of a job that has ended.

        Raises:
            ResultNotFound: the circuit has no answer.
            GatewayError: the circuit failed; in a job of a list of circuits the error has its number.
        """
        results = self._results_from(job_id, position, 60.0, {})
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
            query = {endpoints.COUNT.name: MOST_RESULTS, endpoints.WAIT_S.name: f"{min(wait_s, LONGEST_WAIT_S):g}"}
            try:
                results = self._results_from(job_id, position, wait_s + 60.0, query)
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
        return self._without_results(partial(self._ask_repeatedly, endpoints.CANCEL, job_id))

    def _ask_repeatedly(self, endpoint: Endpoint, job_id: str, query: Mapping[str, object]) -> ReceivedJob:
        job_id = _check_job_id(job_id)
        return repeatedly(lambda: self._transport.call(ReceivedJob, endpoint, 60.0, job_id=job_id, query=query))

    def _results_from(
        self, job_id: str, position: int, timeout_s: float, query: Mapping[str, object]
    ) -> list[ResultMessage]:
        """Return the results that one request for them gets."""
        job_id = _check_job_id(job_id)

        def call() -> RunResponse:
            return self._transport.call(
                RunResponse, endpoints.RESULT, timeout_s, query=query, job_id=job_id, position=position
            )

        return repeatedly(call).results

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
            info = self._transport.call(BackendInfo, endpoints.BACKEND, 60.0)
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
        self._transport.close()


def connect(
    access: Access, *, timeout_s: float | None = None, session: requests.Session | None = None
) -> BackendClient:
    """Return a client of the server that an access leads to.

    Args:
        access: where the server is, and what it is sent and trusted with; nothing else is looked up.
        timeout_s: seconds that a run may take unless it has a timeout of its own.
        session: the session that carries the requests.
    """
    address = access.address
    return BackendClient(
        address.url, token=access.token, tls=access.certificates or address.tls, timeout_s=timeout_s, session=session
    )


def _access(host: str, port: int | UnsetType, token: str | None, tls: bool | str | Path) -> Access:
    """Return the access to a server by host and port; nothing but the arguments counts."""
    port = DEFAULT_PORT if port is UNSET else port
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 2**16:
        raise RequestError(f"a port is a number from 1 to 65535, not {port!r}", field="port")
    certificates = check_certificates(tls) if isinstance(tls, str | Path) else ""
    return Access(Address(host, port, bool(tls)), token or "", certificates)


def _access_by_url(url: str, port: int | UnsetType, token: str | None, tls: bool | str | Path) -> Access:
    if port is not UNSET:
        raise RequestError(f"a URL has its port: {url!r:.200} and {port!r} cannot both be given", field="port")
    certificates = None if tls is False else "" if tls is True else tls
    access = access_to(url, token=token, certificates=certificates)
    if tls and not access.address.tls:
        raise RequestError(f"{access.address.url} is not HTTPS, and tls says that it is", field="tls")
    return access


def _check_job_id(job_id: str) -> str:
    """Return the id of a job.

    Raises:
        JobNotFound: the id would change the path to something other than a job.
    """
    if not job_id.strip(".") or "/" in job_id:
        raise JobNotFound(f"there is no job {job_id!r}", job=job_id)
    return job_id
