"""Hosts an application under gunicorn: one process takes the requests of all connections."""

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
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError

from gateway.errors import GatewayError
from gateway.server.access.connections import IDLE_S
from gateway.server.http.gunicorn_worker import HttpWorker
from gateway.server.lifeline import Lifeline
from gateway.settings import ListenerSettings

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.http.front import Front, Hosted

_ENDS_WITHIN_S, _ENDS_ALONE_WITHIN_S = 2.0, 0.5


class HostedApplication(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with our settings and no command line of its own.

    Args:
        listener: a listening socket; the server closes it.
        settings: how to serve.
        http_threads: the most requests that are answered at the same time.
        announcements: lines that are written to standard error once the server takes requests.
        keeps_nothing: whether nothing is left of what runs once the process that started this one has ended.
    """

    def __init__(
        self,
        listener: socket.socket,
        settings: ListenerSettings,
        http_threads: int,
        announcements: Sequence[str] = (),
        *,
        keeps_nothing: bool = False,
    ) -> None:
        self.listener = listener
        self.listener_settings = settings
        self.http_threads = http_threads
        self.announcements = announcements
        self.service: Hosted | None = None
        self._keeps_nothing = keeps_nothing
        self._starts = 0
        super().__init__()

    @abstractmethod
    def make(self) -> Flask:
        """Make the service and return its application, in the process that takes requests.

        Raises:
            GatewayError: the server cannot start.
        """

    @abstractmethod
    def make_front(self, application: Flask) -> Front:
        """Return what stands between the connections and the application; called once that is made."""

    def load_config(self) -> None:
        """Hand our settings to gunicorn."""
        settings = self.listener_settings
        for name, value in {
            "bind": f"fd://{self.listener.fileno()}",
            "workers": 1,  # what works beside it is one per process, too
            "worker_class": HttpWorker,
            "asgi_loop": "asyncio",
            "asgi_disconnect_grace_period": 0,
            "http_parser": "python",  # another one may be installed beside it, with other limits
            "timeout": 60,
            "graceful_timeout": math.ceil(settings.drain_s),
            "limit_request_field_size": settings.limits.max_header_bytes,
            "keepalive": IDLE_S,
            "loglevel": "warning",
            "control_socket_disable": True,
            "worker_exit": _on_worker_exit,
            "pre_fork": self._count_start,
            "post_worker_init": self._watch_lifeline,
            **_tls(settings),
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Return the application; gunicorn calls this in the HTTP process, so what works beside it starts there."""
        gc.disable()  # imports leave no garbage, and collecting it takes time
        try:
            app = self.make()
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

    def _watch_lifeline(self, worker: Any) -> None:  # noqa: ANN401 - gunicorn's worker
        settings = self.listener_settings
        if settings.lifeline_fd is None:
            return

        lifeline = Lifeline(settings.lifeline_fd, settings.lifeline_pid)

        def watch() -> None:
            lifeline.wait()
            _signal_arbiter(worker.ppid, signal.SIGTERM)
            drain_s = settings.drain_s + _ENDS_WITHIN_S
            if lifeline.has_ended(drain_s) and self._keeps_nothing:
                drain_s = _ENDS_ALONE_WITHIN_S  # nobody will see the end of what runs
            time.sleep(drain_s)
            _signal_arbiter(worker.ppid, signal.SIGKILL)  # one that is stopped did not hear the first
            os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _signal_arbiter(arbiter: int, number: signal.Signals) -> None:
    if os.getppid() == arbiter:  # else it was killed, and its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.kill(arbiter, number)


def _tls(settings: ListenerSettings) -> dict[str, str]:
    if settings.tls_cert is None or settings.tls_key is None:
        return {}
    return {"certfile": settings.tls_cert, "keyfile": settings.tls_key}


def _is_new(record: logging.LogRecord) -> bool:
    """Say whether a line of gunicorn's tells something new; after a failed start, its cause was written already."""
    if record.msg == "Worker (pid:%s) exited with code %s.":
        return record.args is None or list(record.args)[-1:] != [Arbiter.APP_LOAD_ERROR]
    return record.levelno < logging.ERROR or record.msg not in {"Shutting down: %s", "Reason: %s"}


def _on_worker_exit(_arbiter: Any, worker: Any) -> None:  # noqa: ANN401 - gunicorn's objects
    app: HostedApplication = worker.app
    if app.service is not None:
        app.service.close(app.listener_settings.drain_s / 2)  # the other half was for requests


def log_to_stderr() -> None:
    """Write each message of our logs as it is: the lines about runs are JSON already."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("gateway")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
