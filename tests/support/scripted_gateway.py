"""A gateway that answers from a script, without a port; the real one is in tests/server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import requests
from requests.adapters import BaseAdapter

from gateway.protocol import door
from gateway.protocol.door import ComparisonInfo, ComparisonState
from gateway.protocol.messages import encode

CREATED = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def info(state: str = "queued", **fields: object) -> ComparisonInfo:
    named = {"simulators": ("cirq", "qulacs"), "circuits": ("bell.qasm",), **fields}
    return ComparisonInfo(id="abc", state=ComparisonState(state), created=CREATED, **named)


def event(number: int, state: ComparisonInfo) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (number, encode(state))


class Script(BaseAdapter):
    """Answers requests in turn: ``"GET /v1/door"`` -> what is answered one after the other; the last one again."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[object]] = {}
        self.sent: list[requests.PreparedRequest] = []
        self.timeouts: list[float] = []

    def on(self, request: str, *answers: object) -> None:
        """Answer with a message, ``(status, body)``, a stream of bytes, or an error that is raised."""
        self.answers[request] = list(answers)

    def asked(self, request: str) -> list[requests.PreparedRequest]:
        return [sent for sent in self.sent if f"{sent.method} {sent.path_url.partition('?')[0]}" == request]

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        self.sent.append(request)
        self.timeouts.append(timeout[1])
        answers = self.answers[f"{request.method} {request.path_url.partition('?')[0]}"]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        response = requests.Response()
        response.url, response.request, response.status_code = request.url, request, 200
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, tuple):
            response.status_code, content = answer
            response.headers["Content-Type"] = "text/html" if content.startswith(b"<") else "application/json"
            response.raw = io.BytesIO(content)
        elif isinstance(answer, Stream):
            response.headers["Content-Type"] = "text/event-stream"
            response.raw = answer
        else:
            response.status_code = 202 if request.method == "POST" and request.path_url == "/v1/comparisons" else 200
            response.raw = io.BytesIO(encode(answer))
        return response

    def close(self):
        pass


class Stream:
    """The body of an answer that comes in parts; an exception among them is raised."""

    def __init__(self, *parts: bytes | BaseException) -> None:
        self._bytes = self._all(parts)
        self.is_closed = False

    def _all(self, parts: tuple[bytes | BaseException, ...]) -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, BaseException):
                raise part
            for value in part:
                yield bytes([value])

    def read(self, _size: int) -> bytes:
        return next(self._bytes, b"")

    def close(self) -> None:
        self.is_closed = True

    release_conn = close


def fields_of(request: requests.PreparedRequest) -> dict[str, object]:
    return json.loads(request.body)


RECORD = f"GET {door.RECORD.path.replace('{comparison_id}', 'abc')}"
EVENTS = f"GET {door.EVENTS.path.replace('{comparison_id}', 'abc')}"
COMPARISON = f"GET {door.COMPARISON.path.replace('{comparison_id}', 'abc')}"
CANCEL = f"DELETE {door.COMPARISON.path.replace('{comparison_id}', 'abc')}"
COMPARE = "POST /v1/comparisons"
