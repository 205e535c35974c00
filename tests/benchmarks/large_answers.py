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

from measuring import Row, compared, take_turns

from gateway.backends.client import BackendClient
from gateway.circuit import Circuit

NAME = "large"
TARGET = 2.0
CLBITS, KEYS = 60_000, 1_700
"""A result of 102 MB: as many bitstrings of as many characters."""

_CONTENT_LENGTH = b"content-length:"
_SERVER = Path(__file__).with_name("server_of_files.py")


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
            [sys.executable, _SERVER, f"sqlite:///{folder}/jobs.sqlite"],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
