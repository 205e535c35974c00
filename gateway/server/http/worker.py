"""The process of gunicorn's that takes requests."""

from __future__ import annotations

from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from gateway.server.http.slow_requests import ARRIVALS

MAX_ARRIVAL_S = 30.0


class HttpWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """A threaded worker that is not held up by slow clients, and tells the jobs when it has to end."""

    max_arrival_s = MAX_ARRIVAL_S

    def init_process(self) -> None:
        """Start looking after connections."""
        ARRIVALS.watch(self.cfg.threads // 2)
        super().init_process()

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - gunicorn's connection and its verdict on it
        """Take one request off a connection."""
        fd = ARRIVALS.begin(conn, self.max_arrival_s)
        try:
            return super().handle(conn)
        finally:
            ARRIVALS.end(fd)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - as above
        """Answer a request whose head has arrived."""
        names = {name for name, _ in req.headers}
        if names.isdisjoint({"CONTENT-LENGTH", "TRANSFER-ENCODING"}):
            ARRIVALS.end(conn.sock.fileno())
        if "CONTENT-LENGTH" not in names and (req.method == "POST" or "TRANSFER-ENCODING" in names):
            req.force_close()  # it will be refused, and where the next request begins may be seen differently
        return super().handle_request(req, conn)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ANN401 - a frame
        """Begin nothing more; what runs has the time that is left."""
        jobs = getattr(self.wsgi, "extensions", {}).get("gateway_jobs")
        if jobs is not None:
            jobs.stop_taking()
        super().handle_exit(sig, frame)
