"""Calls the Flask application: makes its environment from a request, and its answer out of what it returns."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.execution.content import PIECE_BYTES, FileContent

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Headers = list[tuple[bytes, bytes]]

_CONTENT_LENGTH = b"content-length"
_WITHOUT_PREFIX = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class Pieces:
    """The rest of an answer, which any thread may read, one piece after the other.

    Args:
        iterable: what the application returned.
    """

    def __init__(self, iterable: Iterable[bytes]) -> None:
        self._iterator: Iterator[bytes] = iter(iterable)
        self._close: Callable[[], None] = getattr(iterable, "close", lambda: None)
        self._lock = threading.Lock()
        self._is_closed = False

    def next(self) -> bytes | None:
        """Return the next piece, ``None`` after the last.

        Raises:
            Exception: whatever the source of the answer raises.
        """
        with self._lock:
            return None if self._is_closed else next(self._iterator, None)

    def close(self) -> None:
        """Give back what the answer is read from, once nobody reads."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._close()


@dataclass(slots=True)
class Answer:
    """An answer of the application.

    Args:
        status: the status of HTTP.
        headers: its headers.
        body: the whole body or, of a large one, the first piece.
        rest: the other pieces of a large body.
    """

    status: int
    headers: Headers
    body: bytes = b""
    rest: Pieces | None = None


def environ_of(scope: dict[str, Any], body: IO[bytes]) -> WSGIEnvironment:
    """Return the environment of a request (PEP 3333) from its ASGI scope."""
    (server, port), (client, client_port) = scope["server"] or ("", 0), scope["client"] or ("", 0)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path_of(scope["raw_path"]),
        "QUERY_STRING": scope["query_string"].decode("latin-1").partition("#")[0],
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": client,
        "REMOTE_PORT": str(client_port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = _WITHOUT_PREFIX.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def path_of(target: bytes) -> str:
    """Return the path of a request's target as WSGI has it; the target may be a whole URL (RFC 9112, 3.2.2)."""
    if not target.startswith(b"/"):
        try:
            target = urlsplit(target).path
        except ValueError:
            target = b""  # a path that nobody has
    return unquote_to_bytes(target.partition(b"#")[0]).decode("latin-1")


def call(application: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Return the answer of an application to a request; of a large one, only the first piece is read.

    Raises:
        Exception: whatever the source of the answer raises.
    """
    answer = Answer(500, [])

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        answer.status = int(status[:3])
        answer.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return _refuse_to_write

    start: StartResponse = start_response
    pieces = Pieces(application(environ, start))
    try:
        answer.body = pieces.next() or b""
        if PIECE_BYTES < _length(answer.headers) > len(answer.body) > 0:
            answer.rest = pieces
        else:
            answer.body += b"".join(iter(pieces.next, None))
    finally:
        if answer.rest is None:
            pieces.close()
    if len(answer.body) > PIECE_BYTES:
        _keep_in_file(answer)
    return answer


def _keep_in_file(answer: Answer) -> None:
    """Keep all of an answer but the first piece in a file: its client may take a long time for it."""
    content = FileContent()
    with contextlib.suppress(OSError):  # where the disk is full, it stays in memory
        content.append(memoryview(answer.body)[PIECE_BYTES:])
        answer.body, answer.rest = answer.body[:PIECE_BYTES], Pieces(content.pieces())


def _length(headers: Headers) -> int:
    return next((int(value) for name, value in headers if name.lower() == _CONTENT_LENGTH), 0)


def _refuse_to_write(_: bytes) -> object:
    raise NotImplementedError("no application of ours writes by the old way of WSGI")
