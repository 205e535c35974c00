"""Serves results and plain files: ``python server_of_files.py JOBS [SIMULATOR]`` prints its port.

Without a simulator it serves a function that gives large results.
"""

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
from gateway.simulators import SIMULATORS


class Files:
    """An interface that serves files of any size."""

    announcements = ()

    def __init__(self) -> None:
        self._files: dict[int, FileContent] = {}

    def blueprint(self, _service: Service) -> Blueprint:
        """Return its one route, ``/file/BYTES``."""
        routes = Blueprint("files", __name__)
        routes.get("/file/<int:size>")(lambda size: respond(self._file(size)))
        return routes

    def _file(self, size: int) -> FileContent:
        if size not in self._files:
            self._files[size] = FileContent(Path.cwd())
            self._files[size].append(bytes(size))
        return self._files[size]

    def start(self, service: Service) -> None:
        """Do nothing: it has no sockets."""

    def close(self) -> None:
        """Do nothing."""


def run_func(circuit: Circuit, shots: int) -> dict[str, int]:
    """Return as many outcomes as shots."""
    return {format(number, "b").zfill(circuit.num_clbits): 1 for number in range(shots)}


def main(jobs: str, simulator: str | None = None) -> None:
    """Serve until the process is ended."""
    listener = bind("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    function = None if simulator else cloudpickle.dumps(Function(run_func))
    target = Target(path=SIMULATORS[simulator].adapter if simulator else None, pickled=function)
    serve(target, listener, Settings(workers=1, quiet=True, jobs=jobs), (Files(),))


if __name__ == "__main__":
    main(*sys.argv[1:])
