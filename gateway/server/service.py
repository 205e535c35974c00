"""Holds all parts of a server in one object, which is made at the start and handed to whatever answers requests."""

from __future__ import annotations

import contextlib
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from gateway.errors import BusyError, GatewayError
from gateway.execution.pool import Executor, Stop
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller, Jobs
from gateway.jobs.store import JobStore
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.server.access.authentication import Authentication
from gateway.server.access.fair_places import FairPlaces
from gateway.server.access.web_pages import WebGuard
from gateway.server.idle_limit import IdleLimit
from gateway.server.spreading import run_shares, shares
from gateway.server.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint


class Interface(Protocol):
    """An interface beside protocol version 1, such as the one for released clients of Qrisp.

    The program that starts the server makes it, from settings of its own. The server needs no more of it than this.
    """

    @property
    def announcements(self) -> tuple[str, ...]:
        """The lines about its own sockets that the server writes when it starts: ``by Thrift at 127.0.0.1:9010``."""

    def blueprint(self, service: Service) -> Blueprint:
        """Return its routes, which authenticate the senders of requests themselves."""

    def start(self, service: Service) -> None:
        """Start to answer on its own sockets, in the process that takes HTTP requests."""

    def close(self) -> None:
        """Close its sockets and end its threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts of one server.

    Args:
        executor: runs circuits.
        store: keeps jobs, and what interfaces keep beside them.
        jobs: accepts jobs and has their circuits run.
        limits: bounds that no request may exceed.
        authentication: decides who is let in.
        web_pages: decides which web pages and host names are let in.
        telemetry: counts and logs requests and runs.
        polls: bounds the number of requests that wait for jobs at the same time.
        runs: bounds the number of requests that run or wait for a worker at the same time.
        idle_limit: ends a server without requests; ``None`` where there is no such limit.
        interfaces: the interfaces for older clients, beside protocol version 1.
    """

    executor: Executor
    store: JobStore
    jobs: Jobs
    limits: ServerLimits
    authentication: Authentication
    web_pages: WebGuard
    telemetry: Recorder
    polls: FairPlaces
    runs: FairPlaces
    idle_limit: IdleLimit | None
    interfaces: tuple[Interface, ...]

    @classmethod
    def over(
        cls,
        executor: Executor,
        limits: ServerLimits | None = None,
        *,
        store: JobStore | None = None,
        authentication: Authentication | None = None,
        web_pages: WebGuard | None = None,
        interfaces: tuple[Interface, ...] = (),
        idle_s: float | None = None,
        on_idle: Callable[[], None] = lambda: None,
    ) -> Service:
        """Return the service around an executor; it continues the jobs that an earlier server left.

        Args:
            executor: a :class:`~gateway.execution.pool.WorkerPool` or, in tests, an
                :class:`~gateway.execution.pool.InlineExecutor`; the service closes it.
            limits: bounds that no request may exceed.
            store: keeps the jobs; in memory by default. The service closes it.
            authentication: decides who is let in; by default everybody is.
            web_pages: decides which web pages and host names are let in.
            interfaces: the interfaces for older clients; the service closes them.
            idle_s: seconds without a request after which ``on_idle`` is called; by default it never is.
            on_idle: ends the server.
        """
        limits, store, telemetry = limits or ServerLimits(), store or JobStore(), Recorder()
        jobs = Jobs(executor, store, limits, telemetry.job_run_ended)
        idle_limit = None if idle_s is None else IdleLimit(idle_s, on_idle, lambda: any(jobs.states().values()))
        return cls(
            executor=executor,
            store=store,
            jobs=jobs,
            limits=limits,
            authentication=authentication or Authentication(),
            web_pages=web_pages or WebGuard(),
            telemetry=telemetry,
            polls=FairPlaces(limits.max_polls),
            runs=FairPlaces(executor.workers + limits.max_queue),
            idle_limit=idle_limit,
            interfaces=interfaces,
        )

    def start(self) -> None:
        """Start whatever works beside the HTTP requests: the idle limit and the sockets of interfaces."""
        if self.idle_limit is not None:
            self.idle_limit.start()
        for interface in self.interfaces:
            interface.start(self)

    def run(
        self,
        request: bytes,
        caller: Caller,
        timeout_s: float,
        trace: str | None = None,
        encoding: Encoding = Encoding.JSON,
        *,
        message: RunRequest | None = None,
        stop: Stop | None = None,
    ) -> Answer:
        """Run a RunRequest for a caller who waits for the answer.

        Args:
            request: the request, already checked against the limits.
            caller: who sends it.
            timeout_s: seconds until the run is killed.
            trace: the trace context of the request.
            encoding: how the results are to be written.
            message: the same request decoded, so that the points of a sweep are divided among the free workers.
            stop: ends the run, as when the caller has left.

        Raises:
            GatewayError: there is no answer.
        """
        began = time.monotonic()
        try:
            with self.runs.place(caller.name) as has_place:
                if not has_place:
                    raise BusyError(
                        "as many of your requests run or wait as may, and no more are queued: try again later",
                        retry_after_s=1.0,
                    )
                run = partial(self._run_one, caller, timeout_s, encoding, stop)
                parts = [] if message is None else shares(message, self.executor.idle)
                answer = run_shares(run, parts, self.limits.max_result_bytes, encoding) if parts else run(request)
        except GatewayError as exc:
            self.telemetry.run_refused(exc, time.monotonic() - began, caller.name, trace)
            raise
        self.telemetry.run_answered(answer, time.monotonic() - began, caller.name, trace)
        return answer

    def _run_one(
        self, caller: Caller, timeout_s: float, encoding: Encoding, stop: Stop | None, request: bytes
    ) -> Answer:
        return self.executor.run(request, caller.token, timeout_s, caller=caller.name, stop=stop, encoding=encoding)

    def waiting_place(self, caller: str) -> AbstractContextManager[bool]:
        """Return a context that says whether a caller may wait for a job, and that keeps the place until it ends."""
        return self.polls.place(caller)

    def busy(self) -> AbstractContextManager[None]:
        """Return the context of a call that is no HTTP request, so that the server does not seem idle meanwhile."""
        return contextlib.nullcontext() if self.idle_limit is None else self.idle_limit.busy()

    def stop_taking(self) -> None:
        """Begin no run of a job any more; those under way may go on."""
        self.jobs.stop_taking()

    def close(self, within_s: float = 0) -> None:
        """Close all parts; runs of jobs under way have ``within_s`` seconds to end."""
        with contextlib.ExitStack() as ending:  # closes the last part first, and each part even if another fails
            ending.callback(self.executor.close)
            ending.callback(self.jobs.close, within_s)
            for interface in self.interfaces:
                ending.callback(interface.close)
