"""Host the application under gunicorn: one worker process for HTTP, with a pool for the work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication

from gateway.execution.pool import WorkerPool, begin_imports
from gateway.execution.worker import Target
from gateway.protocol.messages import ServerLimits
from gateway.server.admission import Admission

if TYPE_CHECKING:
    from flask import Flask

Busy = Callable[[], AbstractContextManager[None]]

SPARE_THREADS = 8
"""HTTP threads beyond those that wait for runs, so that health checks are answered under full load."""

KEEP_ALIVE_S = 75
STOP_WITHIN_S = 3
_THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "QULACS_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is hosted.

    Args:
        workers: processes that simulate; by default one per usable processor.
        threads_per_run: OpenMP and BLAS threads of each worker.
        lifeline_fd: a pipe held open by the process that owns this server; when it closes, the
            server stops.
        log_level: of gunicorn.
        token_digests: SHA-256, in hex, of the tokens that are let in; empty lets everybody in.
        idle_s: the server ends itself after so many seconds without a request; health checks do not count.
        thrift_fd: a listening socket on which old Qrisp clients are answered, see :mod:`gateway.server.thrift`.
    """

    workers: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    threads_per_run: int = 1
    limits: ServerLimits = field(default_factory=ServerLimits)
    lifeline_fd: int | None = None
    log_level: str = "warning"
    token_digests: tuple[str, ...] = ()
    idle_s: float | None = None
    thrift_fd: int | None = None


class GatewayApplication(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with our settings and no command line of its own."""

    def __init__(self, target: Target, listener: socket.socket, settings: Settings) -> None:
        self.target = target
        self.settings = settings
        self.listener = listener
        super().__init__()

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        limits = self.settings.limits
        for name, value in {
            "bind": f"fd://{self.listener.fileno()}",
            "workers": 1,  # the pool of workers is one per process
            "worker_class": "gthread",
            "threads": self.settings.workers + limits.max_queue + SPARE_THREADS,
            "timeout": 60,
            "graceful_timeout": STOP_WITHIN_S,
            "keepalive": KEEP_ALIVE_S,
            "loglevel": self.settings.log_level,
            "control_socket_disable": True,
            "worker_exit": _close_pool,
            "post_worker_init": self._watch_lifeline,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application; called in the HTTP worker, so the pool is born there."""
        begin_imports(self.target)
        # Flask is imported while the simulator is: a container's start is waited for.
        from gateway.server.app import create_app  # noqa: PLC0415
        from gateway.server.idle import IdleLimit  # noqa: PLC0415

        limits = self.settings.limits
        pool = WorkerPool(self.target, limits, self.settings.workers)
        app = create_app(pool, limits, self.settings.token_digests)
        app.extensions["gateway_pool"] = pool
        busy: Busy = contextlib.nullcontext
        if self.settings.idle_s is not None:
            idle = IdleLimit(self.settings.idle_s, partial(os.kill, os.getppid(), signal.SIGTERM))
            idle.watch(app)
            busy = idle.busy
        if self.settings.thrift_fd is not None:
            _start_thrift(self.settings.thrift_fd, pool, Admission(limits, self.settings.token_digests), busy)
        return app

    def _watch_lifeline(self, worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
        fd = self.settings.lifeline_fd
        if fd is None:
            return

        def watch() -> None:
            with contextlib.suppress(OSError):
                os.read(fd, 1)
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.ppid, signal.SIGTERM)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _start_thrift(fd: int, pool: WorkerPool, admission: Admission, busy: Busy) -> None:
    from gateway.server.qrisp_runs import ObjectService  # noqa: PLC0415 - few servers need it
    from gateway.server.thrift import ThriftServer  # noqa: PLC0415

    limit = admission.limits.max_body_bytes
    listener = socket.socket(fileno=os.dup(fd))  # the arbiter keeps the other for the next worker
    ThriftServer(ObjectService(pool, admission), listener, max_message_bytes=limit, busy=busy).start()


def _close_pool(_arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's objects
    pool = getattr(getattr(worker, "wsgi", None), "extensions", {}).get("gateway_pool")
    if pool is not None:
        pool.close()


def serve(
    target: Target,
    listener: socket.socket,
    settings: Settings | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until a signal ends the process.

    Args:
        target: what is served.
        listener: a listening socket, as from :func:`gateway.listener.bind`; handed over.
        settings: how.
        on_ready: called once before the first request is taken.
    """
    settings = settings or Settings()
    for name in _THREAD_SETTINGS:
        os.environ.setdefault(name, str(settings.threads_per_run))
    if on_ready is not None:
        on_ready()
    GatewayApplication(target, listener, settings).run()
