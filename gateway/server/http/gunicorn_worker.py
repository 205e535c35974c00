"""The process of gunicorn's that takes requests."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any, Protocol

from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from gateway.server.service import Service


class Hosted(Protocol):
    """What gunicorn calls an application; loading it into a process makes the service."""

    service: Service | None


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """A threaded worker that is not held up by slow clients, and tells the service when it has to end."""

    app: Hosted
    send_within_s = 60
    """A client that takes nothing of its answer for so long is given up."""

    def load_wsgi(self) -> None:
        """Load the application, and begin to look after connections."""
        super().load_wsgi()
        self._service.slow_requests.watch(self.cfg.threads // 2)

    @property
    def _service(self) -> Service:
        assert self.app.service is not None  # noqa: S101 - loaded before the first request is taken
        return self.app.service

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection and its verdict on it
        """Take one request off a connection."""
        # The listener's own setting would not reach those who connected before it was made.
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
            req.force_close()  # it will be refused, and where the next request begins may be seen differently
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        """Begin nothing more; what runs has the time that is left."""
        if self.app.service is not None:  # else the signal came while the application was loaded
            self.app.service.stop_taking()
        super().handle_exit(sig, frame)
