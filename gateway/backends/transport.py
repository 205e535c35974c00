"""What clients of servers share: the session, the token, TLS, and the one place where others' errors become ours."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ReadTimeoutError

from gateway.backends.access import Access
from gateway.backends.connections import InterruptibleAdapter
from gateway.errors import GatewayError, RequestError, TransportError, TransportTimeout
from gateway.protocol import problem
from gateway.protocol.encodings import ACCEPT_BOTH, Encoding
from gateway.protocol.endpoints import Endpoint
from gateway.protocol.messages import decode

M = TypeVar("M")

CONNECT_TIMEOUT_S = 5.0

LONGEST_WAIT_S = 1e9
"""The longest wait that a request names, some thirty years; JSON has no infinity."""

_WITH_BODY = {"Content-Type": Encoding.JSON.media_type}
_NOTHING: Mapping[str, object] = MappingProxyType({})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LONGEST_TITLE = 100
_LONGEST_LINE = 2**24
_BEGINNING_BYTES = 2**16
"""What is read of an answer that is no stream in the place of one: it may have no end."""

_FROM_A_PROXY = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "a proxy stands before the server, and takes no request as large as this",
    HTTPStatus.BAD_GATEWAY: "a proxy stands before the server, and cannot reach it",
    HTTPStatus.SERVICE_UNAVAILABLE: "a proxy stands before the server, and says that it takes no work",
    HTTPStatus.GATEWAY_TIMEOUT: "a proxy stands before the server, and did not wait for its answer",
}


class Answer(NamedTuple):
    """What a server answered, whatever it is.

    Args:
        url: what was asked for.
        status: the status of HTTP.
        headers: the headers, whose names have no case.
        content: the body.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """The type of the body."""
        return self.headers.get("Content-Type", "")

    def message(self, kind: type[M]) -> M:
        """Return the message in the body.

        Raises:
            TransportError: there is none.
        """
        try:
            return decode(kind, self.content, Encoding.of_media_type(self.media_type))
        except RequestError as exc:
            what = f"it sent a web page{self._title()}" if self._is_page else str(exc)
            message = f"{self.url} did not answer as a simulator gateway does: {what}"
            raise TransportError(message, url=self.url) from exc

    def error(self) -> GatewayError:
        """Return what is wrong, for an answer of another status than was expected."""
        location = self.headers.get("Location", "")
        if self.status // 100 == 3 and location:  # noqa: PLR2004 - statuses of redirects begin with 3
            return TransportError(
                f"{self.url} redirects to {location!r:.200}, and redirects are not followed: give the URL of the "
                "server itself",
                url=self.url,
            )
        if self._is_page:
            why = _FROM_A_PROXY.get(HTTPStatus(self.status)) if self.status in set(HTTPStatus) else None
            return TransportError(
                f"{self.url} answered {self.status} with a web page{self._title()}: "
                f"{why or 'what answers there is no simulator gateway, or stands before it'}",
                url=self.url,
            )
        return problem.parse(self.content, self.status, self.url)

    @property
    def _is_page(self) -> bool:
        return self.media_type.lower().startswith("text/html") or _PAGE.match(self.content) is not None

    def _title(self) -> str:
        found = _TITLE.search(self.content[:10_000].decode(errors="replace"))
        title = " ".join(unescape(found[1]).split())[:_LONGEST_TITLE] if found else ""
        return f" ({title!r})" if title else ""


class Transport:
    """Sends requests to one server. Redirects are not followed: a token would go where nobody sent it.

    Args:
        access: where the server is, and what it is sent and trusted with.
        session: the session that carries the requests; tests give one with a transport of their own.
    """

    def __init__(self, access: Access, session: requests.Session | None = None) -> None:
        self.url = access.address.url
        self.session = session or _interruptible_session()
        self._certificates = access.certificates or None
        if access.address.is_loopback:
            self.session.trust_env = False  # no proxy stands between a machine and itself
        self.session.headers["Accept"] = ACCEPT_BOTH
        if access.token:
            self.session.auth = BearerToken(access.token)

    def call(
        self,
        kind: type[M],
        endpoint: Endpoint,
        timeout_s: float,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        query: Mapping[str, object] = _NOTHING,
        **parts: str | int,
    ) -> M:
        """Send one request, and return the message in the answer.

        Args:
            kind: the type of the message.
            endpoint: the row of the request.
            timeout_s: the seconds that the server may take to answer.
            body: the body of the request.
            headers: further headers.
            query: the parameters of the query.
            parts: what stands for the names in the path, such as ``job_id``.

        Raises:
            GatewayError: the one that the server answered.
            TransportError: the server cannot be reached, or is none of ours.
        """
        return self.fetch(endpoint, timeout_s, body, headers=headers, query=query, **parts).message(kind)

    def fetch(
        self,
        endpoint: Endpoint,
        timeout_s: float,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        query: Mapping[str, object] = _NOTHING,
        **parts: str | int,
    ) -> Answer:
        """Send one request, and return the answer with its body as it is; see :meth:`call`."""
        answer = self.ask(endpoint, timeout_s, body, headers=headers, query=query, **parts)
        if answer.status != endpoint.status:
            raise answer.error()
        return answer

    def ask(
        self,
        endpoint: Endpoint,
        timeout_s: float,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        query: Mapping[str, object] = _NOTHING,
        **parts: str | int,
    ) -> Answer:
        """Send one request, and return whatever is answered.

        Raises:
            TransportError: the server cannot be reached.
        """
        url = self.url + _path(endpoint, query, parts)
        with self._ours(url, timeout_s):
            response = self._send(endpoint.method, url, timeout_s, body, headers)
            content = b"".join(response.iter_content(None))  # in one piece, which is read without a copy
        return Answer(url, response.status_code, response.headers, content)

    def stream(
        self, endpoint: Endpoint, silence_s: float, *, headers: Mapping[str, str] = _NO_HEADERS, **parts: str | int
    ) -> Generator[bytes]:
        """Send one request, and yield the lines of the answer as they come, without their ends.

        Args:
            endpoint: the row of the request.
            silence_s: the seconds for which the server may send nothing.
            headers: further headers.
            parts: what stands for the names in the path.

        Raises:
            GatewayError, TransportError: as :meth:`call`; also in the middle, and then the connection is closed.
        """
        url = self.url + _path(endpoint, {}, parts)
        with self._ours(url, silence_s):
            headers = {**headers, "Accept": endpoint.media_type}
            response = self._send(endpoint.method, url, silence_s, None, headers)
            with response:
                is_expected = response.headers.get("Content-Type", "").startswith(endpoint.media_type)
                if response.status_code != endpoint.status or not is_expected:
                    beginning = next(response.iter_content(_BEGINNING_BYTES), b"")
                    raise Answer(url, response.status_code, response.headers, beginning).error()
                yield from _lines(response, url)

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def _send(
        self, method: str, url: str, timeout_s: float, body: bytes | None, headers: Mapping[str, str]
    ) -> requests.Response:
        return self.session.request(
            method,
            url,
            data=body,
            headers={**headers, **_trace_context(), **(_WITH_BODY if body is not None else {})},
            timeout=(CONNECT_TIMEOUT_S, timeout_s),
            allow_redirects=False,
            stream=True,
            verify=self._certificates,
        )

    @contextmanager
    def _ours(self, url: str, timeout_s: float) -> Iterator[None]:
        """Turn errors of other libraries into ours."""
        try:
            yield
        except requests.ConnectTimeout as exc:
            raise TransportTimeout(f"{self.url} took no connection within {CONNECT_TIMEOUT_S:g} s", url=url) from exc
        except requests.Timeout as exc:
            raise TransportTimeout(f"{url} did not answer within {timeout_s:g} s", url=url) from exc
        except requests.exceptions.SSLError as exc:
            raise TransportError(f"{self.url} cannot be trusted: {_cause(exc)}", url=url) from exc
        except requests.ConnectionError as exc:
            if any(isinstance(error, ReadTimeoutError) for error in exc.args):  # in the middle of the answer
                raise TransportTimeout(f"{url} did not finish its answer within {timeout_s:g} s", url=url) from exc
            raise TransportError(f"cannot reach {self.url}: is the server running? ({_cause(exc)})", url=url) from exc
        except GatewayError:  # some are OSErrors, too
            raise
        except (requests.RequestException, OSError) as exc:  # OSError: a file of certificates has disappeared
            raise TransportError(f"{url}: {exc}", url=url) from exc


class BearerToken(AuthBase):
    """Sends a token, and keeps requests from sending a password of ``~/.netrc`` in its place.

    Args:
        token: the token.
    """

    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header to a request."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _path(endpoint: Endpoint, query: Mapping[str, object], parts: Mapping[str, str | int]) -> str:
    others = {name: value for name, value in parts.items() if name != "job_id"}
    return endpoint.url(str(parts.get("job_id", "")), query, **others)


def _lines(response: requests.Response, url: str) -> Iterator[bytes]:
    """Yield the lines of an answer as they come; the last one only if it has an end.

    Raises:
        TransportError: one does not end.
    """
    line = bytearray()
    for byte in response.iter_content(1):  # more than one would wait until there are as many
        if byte == b"\n":
            yield bytes(line.removesuffix(b"\r"))
            line.clear()
        elif len(line) < _LONGEST_LINE:
            line += byte
        else:
            raise TransportError(f"{url} sent a line of more than {_LONGEST_LINE:,} bytes", url=url)


def _interruptible_session() -> requests.Session:
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, InterruptibleAdapter())
    return session


def _trace_context() -> dict[str, str]:
    """Return the headers that carry the current trace, if OpenTelemetry traces this program."""
    propagate = sys.modules.get("opentelemetry.propagate")
    headers: dict[str, str] = {}
    if propagate is not None:
        propagate.inject(headers)
    return headers


def _cause(exc: BaseException) -> str:
    """Return the innermost reason of a connection error as text."""
    reason = getattr(exc.args[0], "reason", exc.args[0]) if exc.args else exc
    while isinstance(reason, BaseException) and reason.args and isinstance(reason.args[-1], BaseException):
        reason = reason.args[-1]
    return str(reason).rpartition(": ")[2] or type(exc).__name__
