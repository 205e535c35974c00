"""Deployments and jobs for old Qrisp clients, as jobs of this server like all others."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from gateway.errors import GatewayError, JobNotFound, RequestError
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp import deployments
from gateway.legacy.qrisp.deployments import Deployment, JobOrder, JobView
from gateway.legacy.qrisp.store import NUMBER_END, DeploymentStore
from gateway.protocol.messages import SentJob, decode, encode
from gateway.protocol.result_message import ResultMessage, result_of
from gateway.results import JobState, Result
from gateway.server.access.request_limits import check_limits
from gateway.server.service import Service

WAIT_S = 10.0
"""How long a question for a job is held back until there is something to say; else clients ask ten times a second."""

_KEPT_REFUSALS = 1000
_AT_HAND = 256
_SMALL = 2**16
"""What the next requests of a client will ask for is kept at hand as well, if it is not large."""

T = TypeVar("T")


class _Recent(Generic[T]):
    """The newest things of a kind, by number.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[int, T] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, number: int, thing: T) -> None:
        """Keep one more, and forget the oldest beyond the number of those that are kept."""
        with self._lock:
            self._kept[number] = thing
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def get(self, number: int) -> T | None:
        """Return one, if it is still kept."""
        return self._kept.get(number)


class _Ordered(NamedTuple):
    """A job that was ordered here."""

    job_id: str
    owner: str
    texts: list[str]


class JobService:
    """Answers the messages of :mod:`gateway.legacy.qrisp.deployments`.

    The integer id of a job is part of its idempotency key, and is looked for among the caller's own jobs. Where
    nobody needs a token everybody is the same caller, as on ``/v1/jobs``. The id of a deployment cannot be
    guessed: it is sent without a token, so whoever knows it may have it run.

    Args:
        service: of the server.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._jobs = service.jobs
        self._deployments = DeploymentStore(service.store)
        self._refusals: _Recent[GatewayError] = _Recent(_KEPT_REFUSALS)
        self._deployed: _Recent[Deployment] = _Recent(_AT_HAND)
        self._ordered: _Recent[_Ordered] = _Recent(_AT_HAND)

    def deploy(self, sent: bytes) -> dict[str, Any]:
        """Keep programs, which are looked at only when they are run."""
        deployment = decode(Deployment, sent)
        deployment.check()
        number = self._deployments.add(encode(deployment))
        if len(sent) <= _SMALL:
            self._deployed.add(number, deployment)
        return deployments.deployed(number, deployment, datetime.now(UTC))

    def order(self, sent: bytes, caller: Caller) -> dict[str, Any]:
        """Submit a job for a deployment.

        Raises:
            GatewayError: it is refused.
        """
        order = decode(JobOrder, sent)
        deployment = self._deployed.get(order.deployment_id) or self._stored(order.deployment_id)
        request = order.request(deployment)
        check_limits(request, self._service.limits)
        body, number = encode(request), secrets.randbelow(NUMBER_END)
        job = self._jobs.submit(request, body, caller, key=_key(number))
        if len(body) <= _SMALL:
            texts = [program.quantum_circuit for program in deployment.programs]
            self._ordered.add(number, _Ordered(job.id, caller.owner, texts))
        return deployments.ordered(number)

    def _stored(self, number: int) -> Deployment:
        body = self._deployments.get(number)
        if body is None:
            raise RequestError(f"there is no deployment {number}: deploy it again", field="deploymentId")
        return decode(Deployment, body)

    def refuse(self, error: GatewayError) -> int:
        """Return an id for a job that was refused: whoever asks for it is told why.

        The clients look at no status when they order a job, but at what they are told about its id.
        """
        number = -1 - secrets.randbelow(NUMBER_END)
        self._refusals.add(number, error)
        return number

    def view(self, number: int, caller: Caller) -> JobView:
        """Return where a job stands, waiting a while for its end.

        Raises:
            JobNotFound: the caller has no such job.
            GatewayError: the one it was refused with.
        """
        refusal = self._refusals.get(number)
        if refusal is not None:
            raise refusal
        ordered = self._ordered.get(number)
        if ordered is not None and ordered.owner != caller.owner:
            ordered = None
        job_id = ordered.job_id if ordered is not None else self._jobs.find_key(_key(number), caller)
        if job_id is None:
            raise JobNotFound(f"there is no job {number} of yours here", job=str(number))
        job = self._wait(job_id, caller)
        done = job.state is JobState.DONE
        return JobView(
            number=number,
            state=job.state,
            created_at=job.created_at,
            ended_at=job.ended_at,
            texts=self._texts(job_id, caller, ordered) if done else (),
            results=list(map(_result, filter(None, job.results or ()))) if done else (),
            message=_message(job),
        )

    def _texts(self, job_id: str, caller: Caller, ordered: _Ordered | None) -> list[str]:
        return deployments.texts_of(self._jobs.requests(job_id, caller)) if ordered is None else ordered.texts

    def _wait(self, job_id: str, caller: Caller) -> SentJob:
        with self._service.waiting_place() as may_wait:
            wait_s = min(WAIT_S, self._service.limits.max_poll_s) if may_wait else 0
            return self._jobs.info(job_id, caller, wait_s)


def _key(number: int) -> str:
    """Return the idempotency key of a job that clients know by its number."""
    return f"qrisp-{number}"


def _result(raw: msgspec.Raw) -> Result:
    return result_of(msgspec.json.decode(raw, type=ResultMessage))


def _message(job: SentJob) -> str | None:
    if job.state is JobState.FAILED:
        return str(msgspec.json.decode((job.errors or [msgspec.Raw(b'{"detail": ""}')])[0])["detail"])
    return "the job was cancelled" if job.state is JobState.CANCELLED else None
