"""Turns deployments and orders of old Qrisp clients into jobs of this server, like all others."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.errors import GatewayError, JobNotFound, RequestError
from gateway.execution.content import whole
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp import deployments
from gateway.legacy.qrisp.deployments import Deployment, JobOrder, JobView
from gateway.legacy.qrisp.store import MAX_AGE_S, NUMBER_END, DeploymentStore
from gateway.legacy.qrisp.whole_answers import room_for
from gateway.protocol.messages import JobInfo, RunResponse, decode, encode
from gateway.protocol.result_message import result_of
from gateway.results import JobState, Result
from gateway.server.access.request_limits import check_limits
from gateway.server.service import Service

WAIT_S = 10.0
"""Seconds that a request for a job waits for its end; without that, clients ask ten times a second."""

_MAX_REFUSALS = 1000
_MAX_IN_MEMORY = 256
_MAX_BYTES_IN_MEMORY = 2**16
"""Deployments and jobs up to this size stay in memory too, because the next requests of a client need them."""

T = TypeVar("T")


class _Recent(Generic[T]):
    """Keeps the newest items of one kind in memory, by number, for as long as deployments are kept.

    Args:
        most: the number of items to keep.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: OrderedDict[int, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, number: int, item: T) -> None:
        """Keep an item, and forget the oldest beyond the number to keep."""
        with self._lock:
            self._items[number] = time.monotonic(), item
            while len(self._items) > self._most:
                self._items.popitem(last=False)

    def get(self, number: int) -> T | None:
        """Return an item, ``None`` if it is not kept any more."""
        since_s, item = self._items.get(number, (0.0, None))
        return item if time.monotonic() - since_s < MAX_AGE_S else None


class _RecentJob(NamedTuple):
    """A job that this process accepted a moment ago."""

    job_id: str
    owner: str
    texts: list[str]


class JobService:
    """Answers the messages of :mod:`gateway.legacy.qrisp.deployments`.

    The integer id of a job is part of its idempotency key, by which the job is looked up among the caller's own jobs.
    Where nobody needs a token, everybody is the same caller, as on ``/v1/jobs``. The id of a deployment cannot be
    guessed: clients send deployments without a token, so whoever knows the id may run it.

    Args:
        service: the service of the server.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs = service.jobs
        self._deployments = DeploymentStore(service.store)
        self._refusals: _Recent[GatewayError] = _Recent(_MAX_REFUSALS)
        self._recent_deployments: _Recent[Deployment] = _Recent(_MAX_IN_MEMORY)
        self._recent_jobs: _Recent[_RecentJob] = _Recent(_MAX_IN_MEMORY)

    def deploy(self, content: bytes) -> dict[str, Any]:
        """Store the programs of a deployment; they are parsed only when a job runs them."""
        deployment = decode(Deployment, content)
        deployment.check()
        number = self._deployments.add(encode(deployment))
        if len(content) <= _MAX_BYTES_IN_MEMORY:
            self._recent_deployments.add(number, deployment)
        return deployments.deployment_answer(number, deployment, datetime.now(UTC))

    def order(self, content: bytes, caller: Caller) -> dict[str, Any]:
        """Submit a job for a deployment.

        Raises:
            GatewayError: the order is refused.
        """
        order = decode(JobOrder, content)
        deployment = self._recent_deployments.get(order.deployment_id) or self._load_deployment(order.deployment_id)
        request = order.request(deployment)
        check_limits(request, self._service.limits)
        body, number = encode(request), secrets.randbelow(NUMBER_END)
        job = self._jobs.submit(request, body, caller, key=_key(number))
        if len(body) <= _MAX_BYTES_IN_MEMORY:
            texts = [program.quantum_circuit for program in deployment.programs]
            self._recent_jobs.add(number, _RecentJob(job.id, caller.owner, texts))
        return deployments.order_answer(number)

    def _load_deployment(self, number: int) -> Deployment:
        body = self._deployments.get(number)
        if body is None:
            raise RequestError(f"there is no deployment {number}: deploy it again", field="deploymentId")
        return decode(Deployment, body)

    def refuse(self, error: GatewayError) -> int:
        """Return an id for an order that was refused; a request for this id is answered with the reason.

        Clients ignore the status when they order a job, and look only at the answer about its id.
        """
        number = -1 - secrets.randbelow(NUMBER_END)
        self._refusals.add(number, error)
        return number

    @contextlib.contextmanager
    def view(self, number: int, caller: Caller) -> Iterator[JobView]:
        """Yield the view of a job, after a wait for its end; it is to be forgotten when the ``with`` statement ends.

        Raises:
            JobNotFound: the caller has no such job.
            LimitError: its results are too large for these clients.
            GatewayError: the error with which the order was refused.
        """
        refusal = self._refusals.get(number)
        if refusal is not None:
            raise refusal
        recent = self._recent_jobs.get(number)
        if recent is not None and recent.owner != caller.owner:
            recent = None
        job_id = recent.job_id if recent is not None else self._jobs.find_key(_key(number), caller)
        if job_id is None:
            raise JobNotFound(f"there is no job {number} of yours here", job=str(number))
        job = self._wait(job_id, caller)
        is_done = job.state is JobState.DONE
        with room_for((job.result_bytes or 0) if is_done else 0):
            yield JobView(
                number=number,
                state=job.state,
                created_at=job.created_at,
                ended_at=job.ended_at,
                texts=self._texts(job_id, caller, recent) if is_done else (),
                results=[self._result(job_id, k, caller) for k in range(job.progress.total)] if is_done else (),
                message=self._message(job, caller),
            )

    def _texts(self, job_id: str, caller: Caller, recent: _RecentJob | None) -> list[str]:
        return deployments.texts_of(self._jobs.requests(job_id, caller)) if recent is None else recent.texts

    def _wait(self, job_id: str, caller: Caller) -> JobInfo:
        with self._service.waiting_place(caller.name) as may_wait:
            wait_s = min(WAIT_S, self._service.limits.max_poll_s) if may_wait else 0
            return self._jobs.info(job_id, caller, wait_s)

    def _result(self, job_id: str, position: int, caller: Caller) -> Result:
        answer = self._jobs.result(job_id, position, caller)
        return result_of(decode(RunResponse, whole(answer.body)).results[0])

    def _message(self, job: JobInfo, caller: Caller) -> str | None:
        if job.state is JobState.FAILED:
            return self._jobs.failure(job.id, caller)
        return "the job was cancelled" if job.state is JobState.CANCELLED else None


def _key(number: int) -> str:
    """Return the idempotency key of a job that clients know by its number."""
    return f"qrisp-{number}"
