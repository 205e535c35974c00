"""Adapts the process of gunicorn's that takes requests."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any, Protocol

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from gateway.server.service import Service


class Hosted(Protocol):
    """An application of gunicorn's; its service exists once the process has loaded it."""

    service: Service | None


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """A threaded worker that slow clients cannot hold up, and that tells the service when it has to end."""

    app: Hosted
    send_within_s = 60
    """A client that takes nothing of its response for so many seconds is given up."""

    def load_wsgi(self) -> None:
        """Load the application, and start to watch for slow requests."""
        super().load_wsgi()
        self._service.slow_requests.watch(self.cfg.threads // 2)

    @property
    def _service(self) -> Service:
        assert self.app.service is not None  # noqa: S101 - loaded before the first request is taken
        return self.app.service

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection and its verdict on it
        """Take one request off a connection."""
        # A setting of the listener would miss clients that connected before it was made.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", self.send_within_s, 0))
        slow_requests = self._service.slow_requests
        fd = slow_requests.begin(conn)
        try:
            return super().handle(conn)
        finally:
            slow_requests.arrived(fd)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - as above
        """Answer a request whose head has arrived."""
        names = {name for name, _ in req.headers}
        if names.isdisjoint({"CONTENT-LENGTH", "TRANSFER-ENCODING"}):
            self._service.slow_requests.arrived(conn.sock.fileno())
        if "CONTENT-LENGTH" not in names and (req.method == "POST" or "TRANSFER-ENCODING" in names):
            req.force_close()  # it will be refused, and two readers may disagree where the next one begins
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        """Begin no run of a job any more; those under way have the time that is left."""
        if self.app.service is not None:  # else the signal came while the application was loaded
            self.app.service.stop_taking()
        super().handle_exit(sig, frame)
