"""Many clients at once, against an empty route of the same server; and small runs beside a long one."""

from __future__ import annotations

import selectors
import socket
import time
from statistics import median, quantiles
from threading import Thread
from time import perf_counter

from measuring import Row, compared, freeze
from workloads import bell, endless

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.errors import JobTimeout
from gateway.protocol.messages import RunRequest, encode

NAME = "serving"
SIMULATOR = "qulacs"
CLIENTS = 16
LEAST_SHARE = 0.6
NOT_STARVED = 3.0
SHOTS = 100

_CONTENT_LENGTH = b"content-length:"


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the rate of Bell pairs as a share of an empty route's, and the delay beside a long run."""
    with LocalSimulator(SIMULATOR, workers=2) as local:
        client = local.client()
        client.run(bell(), shots=SHOTS)
        return [_throughput(client, rounds=3 if quick else 9), _beside(client, 10.0 if quick else 60.0)]


# ---------------------------------------------------------------------- requests per second


def _throughput(client: BackendClient, rounds: int) -> Row:
    """Compare the seconds a request takes, in turns; one is the inverse of the rate.

    One loop over 16 connections sends prepared bytes and looks only for the end of each answer: it takes
    some 20 microseconds a request, which is a few percent of what the server takes for the empty one.
    """
    run = post("/v1/run", encode(RunRequest(circuits=bell(), shots=SHOTS, seed=1)))
    # With a length, the probe goes the way of every other request; without one, the event loop answers it.
    empty = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    times: tuple[list[float], list[float]] = ([], [])
    freeze()
    for _ in range(rounds):
        for request, seconds in zip((run, empty), times, strict=True):
            seconds.append(seconds_each(client.port, request, 2.0))
    case = f"{CLIENTS} clients, Bell pair : empty route ({1 / median(times[0]):.0f} : {1 / median(times[1]):.0f} /s)"
    return compared(NAME, case, median(times[0]), median(times[1]), 1 / LEAST_SHARE)


def post(path: str, body: bytes) -> bytes:
    """Return a request byte by byte."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def seconds_each(port: int, request: bytes, lasts_s: float) -> float:
    """Keep one request under way on each of 16 connections for a while."""
    selector = selectors.DefaultSelector()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CLIENTS)]
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, _Answer())
        connection.sendall(request)
    answered, began = 0, perf_counter()
    while perf_counter() - began < lasts_s:
        for key, _ in selector.select(1.0):
            sock, answer = key.fileobj, key.data
            assert isinstance(sock, socket.socket)
            if answer.ends_with(sock.recv(2**16)):
                answered += 1
                sock.sendall(request)
    took_s = perf_counter() - began
    for connection in connections:
        connection.close()
    return took_s / answered


class _Answer:
    """Finds the ends of answers on one connection."""

    def __init__(self) -> None:
        self._received = b""

    def ends_with(self, chunk: bytes) -> bool:
        """Take what came; say whether an answer is complete."""
        assert chunk, "the server closed the connection"
        self._received += chunk
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return False
        assert head.startswith(b"HTTP/1.1 200 "), head
        lower = head.lower()
        start = lower.index(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
        if len(body) < int(lower[start:].split(b"\r\n", 1)[0]):
            return False
        self._received = b""
        return True


# ---------------------------------------------------------------------- beside a long run


def _beside(client: BackendClient, long_s: float) -> Row:
    """Compare the 95th percentile of small runs while a long one holds a worker with that when none does."""
    alone = _p95(client, long_s / 2)
    long = Thread(target=_run_long, args=(client, long_s))
    long.start()
    time.sleep(1)  # it is under way
    beside = _p95(client, long_s - 2)
    assert long.is_alive(), "the long run ended too soon"
    long.join()
    return compared(NAME, f"p95 of small runs beside one of {long_s:g} s : alone", beside, alone, NOT_STARVED)


def _p95(client: BackendClient, lasts_s: float) -> float:
    times = []
    end = perf_counter() + lasts_s
    while (began := perf_counter()) < end:
        client.run(bell(), shots=SHOTS)
        times.append(perf_counter() - began)
    return quantiles(times, n=100)[94]


def _run_long(client: BackendClient, long_s: float) -> None:
    try:
        client.run(endless(), shots=1, timeout_s=long_s)
    except JobTimeout:
        return
    raise AssertionError("the long run came to an end")
