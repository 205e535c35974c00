"""A server that stands where a door expects a simulator: it keeps what it is sent, and answers as it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_LENGTH = re.compile(rb"^content-length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding: *chunked\r?$", re.IGNORECASE | re.MULTILINE)


Does = bytes | Callable[[socket.socket], object]


class Upstream:
    """Answers the requests of all connections, each in a thread of its own.

    Attributes:
        port: where it listens, on loopback.
        answers: a piece of a target -> the bytes that answer requests for it, whatever they are, or what is done with
            the connection; the first that is found counts, and other requests are answered with ``{}``. After bytes
            without a length or an end the connection is closed.
        requests: all that came, one entry for each request that this reader sees.
    """

    def __init__(self, answers: Mapping[str, Does]) -> None:
        self.answers = dict(answers)
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        """The address for ``--simulator NAME=URL``."""
        return f"http://127.0.0.1:{self.port}"

    def received(self, piece: str) -> list[bytes]:
        """Return the requests with something in their first line."""
        return [request for request in self.requests if piece.encode() in request.partition(b"\r\n")[0]]

    def serve(self) -> None:
        """Take connections until :meth:`close`."""
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            rest = b""
            while True:
                request, rest = _one_request(connection, rest)
                if not request:
                    return
                self.requests.append(request)
                target = request.split(b" ", 2)[1].decode("latin-1") if b" " in request else ""
                answer = next((answer for piece, answer in self.answers.items() if piece in target), EMPTY)
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)
                if not _says_where_it_ends(answer):
                    return


@contextlib.contextmanager
def upstream(answers: Mapping[str, Does]) -> Iterator[Upstream]:
    """Run an :class:`Upstream` until the end of the block."""
    running = Upstream(answers)
    thread = threading.Thread(target=running.serve, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join(10)


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return an answer as it should be."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def silent(connection: socket.socket) -> None:
    """Answer nothing until the other side hangs up."""
    while connection.recv(2**16):
        pass


def _one_request(connection: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    """Return the next request as a reader sees it that believes a length, and then chunks; and what came after it."""
    head_end = -1
    while (head_end := received.find(b"\r\n\r\n")) < 0:
        if not (part := connection.recv(2**16)):
            return received, b""
        received += part
    head, end = received[: head_end + 2], head_end + 4
    if length := _LENGTH.search(head):
        end += int(length[1])
    elif _CHUNKED.search(head):
        while (last := received.find(b"0\r\n\r\n", end)) < 0:
            if not (part := connection.recv(2**16)):
                return received, b""
            received += part
        end = last + 5
    while len(received) < end:
        if not (part := connection.recv(2**16)):
            return received, b""
        received += part
    return received[:end], received[end:]


def _says_where_it_ends(sent: bytes) -> bool:
    head, _, body = sent.partition(b"\r\n\r\n")
    length = _LENGTH.search(head + b"\r\n")
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")
