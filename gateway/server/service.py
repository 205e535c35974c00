"""What a server consists of, in one object that is made at its start and handed to everything that answers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Protocol

from gateway.errors import GatewayError
from gateway.execution.pool import Executor
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller, Jobs
from gateway.jobs.store import JobStore
from gateway.protocol.messages import ServerLimits
from gateway.server.access.authentication import Authentication
from gateway.server.access.slow_requests import SlowRequests
from gateway.server.access.tokens import Tokens
from gateway.server.access.web_pages import WebGuard
from gateway.server.idle_limit import IdleLimit
from gateway.server.telemetry.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Blueprint


class Interface(Protocol):
    """An interface that is answered beside protocol version 1, such as the one of released clients.

    Whoever starts the server makes it, from settings of its own. The server asks no more of it than this.
    """

    @property
    def announcements(self) -> tuple[str, ...]:
        """What is said about its own sockets when the server starts: ``by Thrift at 127.0.0.1:9010``."""

    def blueprint(self, service: Service) -> Blueprint:
        """Return its routes; they find out by themselves who sends a request."""

    def start(self, service: Service) -> None:
        """Begin to answer on sockets of its own, in the process that takes requests."""

    def close(self) -> None:
        """End what was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts of one server.

    Args:
        executor: runs circuits.
        store: keeps jobs, and what interfaces keep beside them.
        jobs: accepts jobs and has their circuits run.
        limits: what a request may not exceed.
        authentication: who is let in.
        web_pages: which web pages and host names are let in.
        telemetry: counts and logs requests and runs.
        slow_requests: breaks off requests that arrive too slowly.
        polls: as many requests may wait for jobs at the same time.
        idle_limit: ends a server that nobody asks anything; ``None`` where there is no such limit.
        interfaces: that are answered beside protocol version 1.
    """

    executor: Executor
    store: JobStore
    jobs: Jobs
    limits: ServerLimits
    authentication: Authentication
    web_pages: WebGuard
    telemetry: Recorder
    slow_requests: SlowRequests
    polls: BoundedSemaphore
    idle_limit: IdleLimit | None
    interfaces: tuple[Interface, ...]

    @classmethod
    def over(
        cls,
        executor: Executor,
        limits: ServerLimits | None = None,
        *,
        store: JobStore | None = None,
        tokens: Tokens | None = None,
        web_pages: WebGuard | None = None,
        interfaces: tuple[Interface, ...] = (),
        idle_s: float | None = None,
        on_idle: Callable[[], None] = lambda: None,
    ) -> Service:
        """Return the service of an executor; jobs that an earlier server left are taken up.

        Args:
            executor: a :class:`~gateway.execution.pool.WorkerPool` or, in tests, an
                :class:`~gateway.execution.pool.InlineExecutor`; handed over.
            limits: what a request may not exceed.
            store: where jobs are kept; in memory by default. Handed over.
            tokens: that are let in; by default everybody is.
            web_pages: which web pages and host names are let in.
            interfaces: that are answered beside protocol version 1; handed over.
            idle_s: seconds without a request after which ``on_idle`` is called; never by default.
            on_idle: what ends the server.
        """
        limits, store, telemetry = limits or ServerLimits(), store or JobStore(), Recorder()
        jobs = Jobs(executor, store, limits, telemetry.job_run_ended)
        idle_limit = None if idle_s is None else IdleLimit(idle_s, on_idle, lambda: any(jobs.states().values()))
        return cls(
            executor=executor,
            store=store,
            jobs=jobs,
            limits=limits,
            authentication=Authentication(tokens or Tokens()),
            web_pages=web_pages or WebGuard(),
            telemetry=telemetry,
            slow_requests=SlowRequests(limits.max_arrival_s),
            polls=BoundedSemaphore(limits.max_polls),
            idle_limit=idle_limit,
            interfaces=interfaces,
        )

    def start(self) -> None:
        """Begin what goes on beside the answering of HTTP requests."""
        if self.idle_limit is not None:
            self.idle_limit.start()
        for interface in self.interfaces:
            interface.start(self)

    def run(self, request: bytes, caller: Caller, timeout_s: float, trace: str | None = None) -> Answer:
        """Run a RunRequest for a caller who waits for the answer.

        Args:
            request: held to the limits already.
            caller: who sends it.
            timeout_s: its deadline.
            trace: the trace context of the request.

        Raises:
            GatewayError: there is no answer.
        """
        began = time.monotonic()
        try:
            answer = self.executor.run(request, caller.token, timeout_s, caller=caller.name)
        except GatewayError as exc:
            self.telemetry.run_refused(exc, time.monotonic() - began, caller.name, trace)
            raise
        self.telemetry.run_answered(answer, time.monotonic() - began, caller.name, trace)
        return answer

    @contextlib.contextmanager
    def waiting_place(self) -> Iterator[bool]:
        """Say whether one more request may wait for a job, and keep its place while it does."""
        may_wait = self.polls.acquire(blocking=False)
        try:
            yield may_wait
        finally:
            if may_wait:
                self.polls.release()

    def busy(self) -> AbstractContextManager[None]:
        """Return what is entered for as long as something other than an HTTP request is under way."""
        return contextlib.nullcontext() if self.idle_limit is None else self.idle_limit.busy()

    def stop_taking(self) -> None:
        """Begin nothing more; what runs may go on."""
        self.jobs.stop_taking()

    def close(self, within_s: float = 0) -> None:
        """End everything; what jobs have under way may end by itself for so long."""
        with contextlib.ExitStack() as ending:  # the last one first, and each though another fails
            ending.callback(self.executor.close)
            ending.callback(self.jobs.close, within_s)
            for interface in self.interfaces:
                ending.callback(interface.close)
