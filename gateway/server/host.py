"""Hosts the application under gunicorn: one process takes HTTP requests, and its pool of processes simulates."""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError

from gateway.errors import GatewayError
from gateway.execution.content import whole
from gateway.execution.pool import WorkerPool
from gateway.execution.processors import usable
from gateway.execution.worker import Target
from gateway.execution.worker_process import ForkServer
from gateway.protocol import problem
from gateway.server.access.connections import IDLE_S
from gateway.server.access.fair_places import with_reserve
from gateway.server.access.tokens import tokens_of
from gateway.server.http.gunicorn_worker import HttpWorker
from gateway.server.lifeline import Lifeline
from gateway.settings import IN_MEMORY, Settings
from gateway.simulators import SIMULATORS

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.service import Interface, Service

SPARE_THREADS = 8
"""HTTP threads beyond those that wait for runs and jobs, so that all else has an answer under full load."""

_ENDS_WITHIN_S, _ENDS_ALONE_WITHIN_S = 2.0, 0.5

_OUR_ADAPTERS = {row.adapter for row in SIMULATORS.values()}

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QULACS_NUM_THREADS")


class GatewayApplication(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with our settings and no command line of its own."""

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
        self.listener = listener
        self.interfaces = interfaces
        self.announcements = announcements
        self.workers = settings.workers or max(1, usable() // settings.resources.threads)
        limits = settings.limits
        waiting = with_reserve(self.workers + limits.max_queue) + with_reserve(limits.max_polls)
        self.http_threads = waiting + SPARE_THREADS
        self.service: Service | None = None
        self._starts = 0
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        limits = self.settings.limits
        for name, value in {
            "bind": f"fd://{self.listener.fileno()}",
            "workers": 1,  # the pool of workers is one per process
            "worker_class": HttpWorker,
            "asgi_loop": "asyncio",
            "asgi_disconnect_grace_period": 0,
            "http_parser": "python",  # another one may be installed beside it, with other limits
            "timeout": 60,
            "graceful_timeout": math.ceil(self.settings.drain_s),
            "limit_request_field_size": limits.max_header_bytes,
            "keepalive": IDLE_S,
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_exit": _on_worker_exit,
            "pre_fork": self._count_start,
            "post_worker_init": self._watch_lifeline,
            **_tls(self.settings),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application; gunicorn calls this in the HTTP process, so the pool of workers starts there."""
        gc.disable()  # imports leave no garbage, and collecting it takes time
        try:
            app = self._application()
        except GatewayError as exc:
            raise AppImportError(
                f"gateway: {' '.join(exc.message.split())}"
            ) from exc  # gunicorn prints this sentence and no traceback
        except OSError as exc:  # of the system: too many processes or files
            raise AppImportError(f"gateway: the server cannot start: {exc}") from exc
        finally:
            gc.freeze()
            gc.enable()
        if self._starts == 1:
            for line in self.announcements:
                print(f"gateway: {line}", file=sys.stderr, flush=True)  # noqa: T201 - a person waits for it
        return app

    def run(self) -> None:
        """Serve until a signal ends the process; a start that failed ends with status 1, its cause written already."""
        logging.getLogger("gunicorn.error").addFilter(_is_new)
        arbiter = os.getpid()
        try:
            super().run()
        except SystemExit as exc:
            if os.getpid() == arbiter and exc.code == Arbiter.APP_LOAD_ERROR:
                raise SystemExit(1) from exc
            raise

    def _count_start(self, _arbiter: Any, _worker: Any) -> None:  # noqa: ANN401 - gunicorn's objects
        self._starts += 1

    def _application(self) -> Flask:
        fork_server = ForkServer(self.target.module)
        # Import these while another process imports the simulator: somebody waits for a container's start.
        from gateway.jobs.store import JobStore  # noqa: PLC0415

        settings, limits = self.settings, self.settings.limits
        # Open the store first: a database that cannot be used is then known before there are processes to end.
        store = JobStore(settings.jobs or IN_MEMORY, settings.jobs_name or "", durable=settings.durable)
        from gateway.server.access.web_pages import WebGuard  # noqa: PLC0415
        from gateway.server.http.app import create_app  # noqa: PLC0415
        from gateway.server.service import Service  # noqa: PLC0415

        tokens = tokens_of(settings.tokens, None if settings.tokens_file is None else Path(settings.tokens_file))
        pool = WorkerPool(self.target, limits, self.workers, fork_server=fork_server, folder=store.folder)
        self.service = Service.over(
            pool,
            limits,
            store=store,
            tokens=tokens,
            web_pages=WebGuard(settings.allowed_hosts, settings.allowed_origins),
            interfaces=self.interfaces,
            idle_s=settings.idle_s,
            on_idle=partial(os.kill, os.getppid(), signal.SIGTERM),
        )
        app = create_app(self.service)
        self.service.start()
        if self.announcements and self.target.path not in {None, *_OUR_ADAPTERS}:
            self._check_adapter(pool, self.service)
        return app

    def _check_adapter(self, pool: WorkerPool, service: Service) -> None:
        """Refuse to say that an adapter of somebody else's is served if it cannot be loaded."""
        try:
            answer = pool.describe()
            if answer.status != HTTPStatus.OK:
                raise problem.parse(whole(answer.body), answer.status, str(self.target.path))
        except GatewayError:
            service.close(0)
            raise

    def _watch_lifeline(self, worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
        fd = self.settings.lifeline_fd
        if fd is None:
            return

        lifeline = Lifeline(fd, self.settings.lifeline_pid)

        def watch() -> None:
            lifeline.wait()
            _signal_arbiter(worker.ppid, signal.SIGTERM)
            drain_s = self.settings.drain_s + _ENDS_WITHIN_S
            if lifeline.has_ended(drain_s) and self.settings.jobs in {None, IN_MEMORY}:
                drain_s = _ENDS_ALONE_WITHIN_S  # nobody will see the end of what runs
            time.sleep(drain_s)
            _signal_arbiter(worker.ppid, signal.SIGKILL)  # one that is stopped did not hear the first
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _signal_arbiter(arbiter: int, number: signal.Signals) -> None:
    if os.getppid() == arbiter:  # else it was killed, and its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.kill(arbiter, number)


def _tls(settings: Settings) -> dict[str, str]:
    if settings.tls_cert is None or settings.tls_key is None:
        return {}
    return {"certfile": settings.tls_cert, "keyfile": settings.tls_key}


def _is_new(record: logging.LogRecord) -> bool:
    """Say whether a line of gunicorn's tells something new; after a failed start, its cause was written already."""
    if record.msg == "Worker (pid:%s) exited with code %s.":
        return record.args is None or list(record.args)[-1:] != [Arbiter.APP_LOAD_ERROR]
    return record.levelno < logging.ERROR or record.msg not in {"Shutting down: %s", "Reason: %s"}


def _on_worker_exit(_arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's objects
    app: GatewayApplication = worker.app
    if app.service is not None:
        app.service.close(app.settings.drain_s / 2)  # the other half was for requests


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
        _log_to_stderr()
    gc.enable()  # off since the start, see gateway.cli.serve
    GatewayApplication(target, listener, settings, interfaces, announcements).run()


def _log_to_stderr() -> None:
    """Write each message of our logs as it is: the lines about runs are JSON already."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("gateway")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
