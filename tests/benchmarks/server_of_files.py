"""Serves large results and plain files: ``python server_of_files.py JOBS`` prints its port; for large_answers.py."""

from __future__ import annotations

import sys
from pathlib import Path

import cloudpickle
from flask import Blueprint

from gateway.circuit import Circuit
from gateway.execution.content import FileContent
from gateway.execution.function import Function
from gateway.execution.worker import Target
from gateway.listener import bind
from gateway.server.host import serve
from gateway.server.http.responses import respond
from gateway.server.service import Service
from gateway.settings import Settings


class Files:
    """An interface that serves files of any size."""

    announcements = ()

    def blueprint(self, _service: Service) -> Blueprint:
        """Return its one route, ``/file/BYTES``."""
        routes = Blueprint("files", __name__)
        routes.get("/file/<int:size>")(lambda size: respond(self._file(size)))
        return routes

    def _file(self, size: int) -> FileContent:
        if not hasattr(self, "_content"):
            self._content = FileContent(Path.cwd())
            self._content.append(bytes(size))
        return self._content

    def start(self, service: Service) -> None:
        """Do nothing: it has no sockets."""

    def close(self) -> None:
        """Do nothing."""


def run_func(circuit: Circuit, shots: int) -> dict[str, int]:
    """Return as many outcomes as shots."""
    return {format(number, "b").zfill(circuit.num_clbits): 1 for number in range(shots)}


def main(jobs: str) -> None:
    """Serve until the process is ended."""
    listener = bind("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    target = Target(pickled=cloudpickle.dumps(Function(run_func)))
    serve(target, listener, Settings(workers=1, quiet=True, jobs=jobs), (Files(),))


if __name__ == "__main__":
    main(sys.argv[1])
