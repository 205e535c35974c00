"""Hosts the server of a simulator: one process takes HTTP requests, and its pool of processes simulates."""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import GatewayError
from gateway.execution.content import whole
from gateway.execution.pool import WorkerPool
from gateway.execution.processors import usable
from gateway.execution.worker import Target
from gateway.execution.worker_process import ForkServer
from gateway.protocol import problem
from gateway.server.access.door_key import DoorKey
from gateway.server.access.fair_places import with_reserve
from gateway.server.access.tokens import tokens_of
from gateway.server.hosting import HostedApplication, log_to_stderr
from gateway.settings import IN_MEMORY, Settings
from gateway.simulators import SIMULATORS

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.http.front import Front
    from gateway.server.service import Interface, Service

SPARE_THREADS = 8
"""HTTP threads beyond those that wait for runs and jobs, so that all else has an answer under full load."""

_OUR_ADAPTERS = {row.adapter for row in SIMULATORS.values()}

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QULACS_NUM_THREADS")


class SimulatorApplication(HostedApplication):
    """The server of one simulator, function or backend under gunicorn."""

    made: Service

    def __init__(
        self,
        target: Target,
        listener: socket.socket,
        settings: Settings,
        interfaces: tuple[Interface, ...] = (),
        announcements: Sequence[str] = (),
    ) -> None:
        self.target = target
        self.settings = settings
        self.interfaces = interfaces
        self.workers = settings.workers or max(1, usable() // settings.resources.threads)
        limits = settings.limits
        waiting = with_reserve(self.workers + limits.max_queue) + with_reserve(limits.max_polls)
        super().__init__(
            listener,
            settings,
            waiting + SPARE_THREADS,
            announcements,
            keeps_nothing=settings.jobs in {None, IN_MEMORY},
        )

    def make(self) -> Flask:
        """Start the pool of workers, and return the application."""
        fork_server = ForkServer(self.target.module)
        # Import these while another process imports the simulator: somebody waits for a container's start.
        from gateway.jobs.store import JobStore  # noqa: PLC0415

        settings, limits = self.settings, self.settings.limits
        # Open the store first: a database that cannot be used is then known before there are processes to end.
        store = JobStore(settings.jobs or IN_MEMORY, settings.jobs_name or "", durable=settings.durable)
        from gateway.server.access.authentication import Authentication  # noqa: PLC0415
        from gateway.server.access.web_pages import WebGuard  # noqa: PLC0415
        from gateway.server.http.app import create_app  # noqa: PLC0415
        from gateway.server.service import Service  # noqa: PLC0415

        door_key = None if settings.door_key_file is None else DoorKey(Path(settings.door_key_file))
        tokens = tokens_of(settings.tokens, None if settings.tokens_file is None else Path(settings.tokens_file))
        pool = WorkerPool(self.target, limits, self.workers, fork_server=fork_server, folder=store.folder)
        service = Service.over(
            pool,
            limits,
            store=store,
            authentication=Authentication(tokens, door_key),
            web_pages=WebGuard(settings.allowed_hosts, settings.allowed_origins),
            interfaces=self.interfaces,
            idle_s=settings.idle_s,
            on_idle=partial(os.kill, os.getppid(), signal.SIGTERM),
        )
        self.service = self.made = service
        app = create_app(service)
        service.start()
        if self.announcements and self.target.path not in {None, *_OUR_ADAPTERS}:
            self._check_adapter(pool, service)
        return app

    def make_front(self, application: Flask) -> Front:
        """Return the front of the service, which answers probes itself."""
        from gateway.server.http.front import Front  # noqa: PLC0415 - as above
        from gateway.server.http.handlers import probes  # noqa: PLC0415 - as above

        return Front(self.made, application, self.http_threads, probes(self.made))

    def _check_adapter(self, pool: WorkerPool, service: Service) -> None:
        """Refuse to say that an adapter of somebody else's is served if it cannot be loaded."""
        try:
            answer = pool.describe()
            if answer.status != HTTPStatus.OK:
                raise problem.parse(whole(answer.body), answer.status, str(self.target.path))
        except GatewayError:
            service.close(0)
            raise


def serve(
    target: Target,
    listener: socket.socket,
    settings: Settings | None = None,
    interfaces: tuple[Interface, ...] = (),
    announcements: Sequence[str] = (),
) -> None:
    """Serve until a signal ends the process.

    Args:
        target: the simulator, function or backend to serve.
        listener: a listening socket, as from :func:`gateway.listener.bind`; the server closes it.
        settings: how to serve.
        interfaces: the interfaces for older clients, beside protocol version 1.
        announcements: lines that are written to standard error once the server takes requests.
    """
    settings = settings or Settings()
    for name in _THREAD_SETTINGS:
        os.environ[name] = str(settings.resources.threads)
    if not settings.quiet:
        log_to_stderr()
    gc.enable()  # off since the start, see gateway.cli.serve
    SimulatorApplication(target, listener, settings, interfaces, announcements).run()
