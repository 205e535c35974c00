"""A large result of a job, against a plain file of the same size over the same server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from measuring import Row, compared, take_turns

from gateway.backends.client import BackendClient
from gateway.circuit import Circuit
from gateway.execution.content import FileContent
from gateway.listener import bind

if TYPE_CHECKING:
    from flask import Blueprint

    from gateway.server.service import Service

NAME = "large"
TARGET = 2.0
CLBITS, KEYS = 60_000, 1_700
"""A result of 102 MB: as many bitstrings of as many characters."""

_CONTENT_LENGTH = b"content-length:"


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the seconds that a result takes to its reader, beside those of a file."""
    with _server() as port, BackendClient(port=port) as client:
        job = client.run_async(Circuit(1, CLBITS).measure(0, 0), shots=KEYS)
        assert job.result(300).shots == KEYS
        with socket.create_connection(("127.0.0.1", port)) as connection:
            read = partial(_read, connection)
            size = read(f"/v1/jobs/{job.id}")
            result_s, file_s = take_turns(
                lambda: read(f"/v1/jobs/{job.id}"),
                lambda: read(f"/file/{size}"),
                rounds=3 if quick else 9,
                clock=perf_counter,
                summary=median,
                check=_check,
            )
    return [
        compared(NAME, f"a result of {size / 1e6:.0f} MB : a plain file over the same server", result_s, file_s, TARGET)
    ]


def _check(result: int, file: int) -> None:
    assert result == file > CLBITS * KEYS


def _read(connection: socket.socket, path: str) -> int:
    """Read an answer, and return how many bytes it has."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = connection.recv(2**16).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    lower = head.lower()
    start = lower.index(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
    size = int(lower[start:].split(b"\r\n", 1)[0])
    missing, buffer = size - len(body), bytearray(2**20)
    while missing:
        received = connection.recv_into(buffer)
        assert received, "the server closed the connection"
        missing -= received
    return size


# ---------------------------------------------------------------------- the server


@contextmanager
def _server() -> Iterator[int]:
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, __file__, f"sqlite:///{folder}/jobs.sqlite"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


class _Files:
    """An interface that serves files of any size."""

    announcements = ()

    def blueprint(self, _service: Service) -> Blueprint:
        from flask import Blueprint  # noqa: PLC0415 - only the server needs it

        from gateway.server.http.responses import respond  # noqa: PLC0415

        routes = Blueprint("files", __name__)
        routes.get("/file/<int:size>")(lambda size: respond(self._file(size)))
        return routes

    def _file(self, size: int) -> FileContent:
        if not hasattr(self, "_content"):
            self._content = FileContent(Path.cwd())
            self._content.append(bytes(size))
        return self._content

    def start(self, service: Service) -> None:
        pass

    def close(self) -> None:
        pass


def _many(circuit: Circuit, shots: int) -> dict[str, int]:
    return {format(number, "b").zfill(circuit.num_clbits): 1 for number in range(shots)}


def _serve(jobs: str) -> None:
    import cloudpickle  # noqa: PLC0415 - only the server needs it

    from gateway.execution.function import Function  # noqa: PLC0415
    from gateway.execution.worker import Target  # noqa: PLC0415
    from gateway.server.host import serve  # noqa: PLC0415
    from gateway.settings import Settings  # noqa: PLC0415

    listener = bind("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)
    target = Target(pickled=cloudpickle.dumps(Function(_many)))
    serve(target, listener, Settings(workers=1, quiet=True, jobs=jobs), (_Files(),))


if __name__ == "__main__":
    _serve(sys.argv[1])
