"""Large results, against plain files of the same size over the same server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from measuring import Row, compared, take_turns

from gateway.backends.client import BackendClient
from gateway.circuit import Circuit
from gateway.counts import Result

NAME = "large"
TARGET = 2.0
CLBITS, KEYS = 60_000, 1_700
"""A result of 102 MB: as many bitstrings of as many characters."""

SIMULATOR = "qulacs"
STATE_QUBITS, STATE_TARGET = 22, 2.0
OUTCOME_QUBITS, OUTCOME_TARGET = 20, 3.0

_CONTENT_LENGTH = b"content-length:"
_SERVER = Path(__file__).with_name("server_of_files.py")


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the seconds that results take to their readers, beside those of files."""
    return [_of_a_job(3 if quick else 9), *_exact(7 if quick else 25)]


def _of_a_job(rounds: int) -> Row:
    """Compare reading the result of a job with reading a file."""
    with _server() as port, BackendClient(port=port) as client:
        job = client.run_async(Circuit(1, CLBITS).measure(0, 0), shots=KEYS)
        assert job.result(300).shots == KEYS
        with socket.create_connection(("127.0.0.1", port)) as connection:
            read = partial(_read, connection)
            size = read(f"/v1/jobs/{job.id}")
            result_s, file_s = take_turns(
                lambda: read(f"/v1/jobs/{job.id}"),
                lambda: read(f"/file/{size}"),
                rounds=rounds,
                clock=perf_counter,
                summary=median,
                check=_check,
            )
    return compared(
        NAME, f"a result of {size / 1e6:.0f} MB : a plain file over the same server", result_s, file_s, TARGET
    )


def _exact(rounds: int) -> list[Row]:
    """Compare exact results, from the end of their run to an object of the client's, with as many raw bytes.

    What the run itself takes, as the result says, is left out.
    """
    state, outcomes = _uniform(STATE_QUBITS), _uniform(OUTCOME_QUBITS).measure_all()
    with ExitStack() as stack:
        port = stack.enter_context(_server(SIMULATOR))
        client = stack.enter_context(BackendClient(port=port))
        connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        return [
            _beside_raw_bytes(
                f"state vector of {STATE_QUBITS} qubits",
                lambda: client.run(state, result="statevector"),
                partial(_read, connection, f"/file/{16 << STATE_QUBITS}"),
                rounds,
                STATE_TARGET,
            ),
            _beside_raw_bytes(
                f"exact probabilities of {OUTCOME_QUBITS} qubits",
                lambda: client.run(outcomes, shots=None),
                partial(_read, connection, f"/file/{(-(-OUTCOME_QUBITS // 8) + 8) << OUTCOME_QUBITS}"),
                rounds,
                OUTCOME_TARGET,
            ),
        ]


def _beside_raw_bytes(what: str, run: Callable[[], Result], read: Callable[[], int], rounds: int, target: float) -> Row:
    ways: list[float] = []

    def result() -> Result:
        began = perf_counter()
        found = run()
        origin = found.provenance
        assert origin is not None
        ways.append(perf_counter() - began - origin.parse_s - origin.build_s - origin.run_s)
        return found

    result()  # everything that happens only once
    read()
    ways.clear()
    _, raw_s = take_turns(result, read, rounds=rounds, clock=perf_counter, summary=median)
    return compared(NAME, f"{what} : raw bytes, same connection", median(ways), raw_s, target)


def _uniform(num_qubits: int) -> Circuit:
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.h(qubit)
    return circuit


def _check(result: int, file: int) -> None:
    assert result == file > CLBITS * KEYS


def _read(connection: socket.socket, path: str) -> int:
    """Read an answer into memory, and return how many bytes it has."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = connection.recv(2**16).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 "), head
    lower = head.lower()
    start = lower.index(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
    size = int(lower[start:].split(b"\r\n", 1)[0])
    whole = bytearray(size)
    whole[: len(body)] = body
    missing = memoryview(whole)[len(body) :]
    while missing:
        received = connection.recv_into(missing)
        assert received, "the server closed the connection"
        missing = missing[received:]
    return size


# ---------------------------------------------------------------------- the server


@contextmanager
def _server(*simulator: str) -> Iterator[int]:
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, _SERVER, f"sqlite:///{folder}/jobs.sqlite", *simulator],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()
