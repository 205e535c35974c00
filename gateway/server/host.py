"""Host the application under gunicorn: one worker process for HTTP, with a pool for the work."""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from gateway.execution.pool import WorkerPool, begin_imports
from gateway.execution.processors import usable
from gateway.execution.worker import Target
from gateway.protocol.messages import ServerLimits
from gateway.server.access.tokens import Known, Tokens
from gateway.server.http.gunicorn_worker import HttpWorker

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.service import Interface, Service

SPARE_THREADS = 8
"""HTTP threads beyond those that wait for runs, so that health checks are answered under full load."""

KEEP_ALIVE_S = 75

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QULACS_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is hosted.

    Args:
        workers: processes that simulate; by default one per processor it may use.
        threads_per_run: OpenMP and BLAS threads of each worker.
        lifeline_fd: a pipe held open by the process that owns this server; when it closes, the
            server stops.
        log_level: of gunicorn.
        tokens: which are let in; everybody by default.
        tokens_file: more of them, read again when it changes.
        hosts: names under which the server may be called, see :mod:`gateway.server.access.web_pages`.
        origins: of web pages that may call it.
        jobs_url: of the database where jobs are kept; in memory by default.
        jobs_queue: name of this server's jobs in it.
        drain_s: seconds that runs have to end by themselves once the server is told to stop.
        tls: files with a certificate chain and its key, in PEM; without, HTTP is plain.
        idle_s: the server ends itself after so many seconds without a request; health checks do not count.
    """

    workers: int = field(default_factory=usable)
    threads_per_run: int = 1
    limits: ServerLimits = field(default_factory=ServerLimits)
    lifeline_fd: int | None = None
    log_level: str = "warning"
    tokens: tuple[Known, ...] = ()
    tokens_file: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    jobs_url: str | None = None
    jobs_queue: str = ""
    drain_s: float = 3
    tls: tuple[Path, Path] | None = None
    idle_s: float | None = None


class GatewayApplication(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with our settings and no command line of its own."""

    def __init__(
        self, target: Target, listener: socket.socket, settings: Settings, interfaces: tuple[Interface, ...] = ()
    ) -> None:
        self.target = target
        self.settings = settings
        self.listener = listener
        self.interfaces = interfaces
        self.service: Service | None = None
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        limits = self.settings.limits
        for name, value in {
            "bind": f"fd://{self.listener.fileno()}",
            "workers": 1,  # the pool of workers is one per process
            "worker_class": HttpWorker,
            "threads": self.settings.workers + limits.max_queue + limits.max_polls + SPARE_THREADS,
            "timeout": 60,
            "graceful_timeout": math.ceil(self.settings.drain_s),
            "limit_request_field_size": limits.max_header_bytes,
            "keepalive": KEEP_ALIVE_S,
            "loglevel": self.settings.log_level,
            "control_socket_disable": True,
            "worker_exit": _on_worker_exit,
            "post_worker_init": self._watch_lifeline,
            **_tls(self.settings.tls),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application; called in the HTTP worker, so the pool is born there."""
        gc.disable()  # nothing that is made while modules are imported becomes garbage
        try:
            return self._application()
        finally:
            gc.freeze()
            gc.enable()

    def _application(self) -> Flask:
        begin_imports(self.target)
        # Flask is imported while the simulator is: a container's start is waited for.
        from gateway.jobs.store import IN_MEMORY, JobStore  # noqa: PLC0415
        from gateway.server.access.web_pages import WebGuard  # noqa: PLC0415
        from gateway.server.http.app import create_app  # noqa: PLC0415
        from gateway.server.service import Service  # noqa: PLC0415

        settings, limits = self.settings, self.settings.limits
        tokens = Tokens(settings.tokens, settings.tokens_file)
        pool = WorkerPool(self.target, limits, settings.workers)
        self.service = Service.over(
            pool,
            limits,
            store=JobStore(settings.jobs_url or IN_MEMORY, settings.jobs_queue),
            tokens=tokens,
            web_pages=WebGuard(settings.hosts, settings.origins),
            interfaces=self.interfaces,
            idle_s=settings.idle_s,
            on_idle=partial(os.kill, os.getppid(), signal.SIGTERM),
        )
        app = create_app(self.service)
        self.service.start()
        return app

    def _watch_lifeline(self, worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
        fd = self.settings.lifeline_fd
        if fd is None:
            return

        def watch() -> None:
            with contextlib.suppress(OSError):
                os.read(fd, 1)
            if os.getppid() == worker.ppid:  # else the arbiter was killed, and its number may be another's by now
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker.ppid, signal.SIGTERM)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _tls(files: tuple[Path, Path] | None) -> dict[str, str]:
    return {} if files is None else {"certfile": str(files[0]), "keyfile": str(files[1])}


def _on_worker_exit(_arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's objects
    app: GatewayApplication = worker.app
    if app.service is not None:
        app.service.close(app.settings.drain_s / 2)  # the other half was for requests


def serve(
    target: Target,
    listener: socket.socket,
    settings: Settings | None = None,
    on_ready: Callable[[], None] | None = None,
    interfaces: tuple[Interface, ...] = (),
) -> None:
    """Serve until a signal ends the process.

    Args:
        target: what is served.
        listener: a listening socket, as from :func:`gateway.listener.bind`; handed over.
        settings: how.
        on_ready: called once before the first request is taken.
        interfaces: that are answered beside protocol version 1.
    """
    settings = settings or Settings()
    for name in _THREAD_SETTINGS:
        os.environ.setdefault(name, str(settings.threads_per_run))
    if settings.log_level == "info":
        _log_to_stderr()
    if on_ready is not None:
        on_ready()
    gc.enable()  # off since the start, see gateway.cli.serve
    GatewayApplication(target, listener, settings, interfaces).run()


def _log_to_stderr() -> None:
    """Write what the gateway has to say as it is: run lines are JSON already."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("gateway")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
