"""An interruption at any moment of a request leaves nothing behind that would make the next request wait."""

from __future__ import annotations

import contextlib
import gc
import itertools
import queue
import sys
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from gateway.backends.client import BackendClient
from gateway.backends.connections import ConnectionStack, InterruptibleAdapter
from gateway.backends.docker import DockerSimulator


class Echo(BaseHTTPRequestHandler):
    """Answers with the path."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was interrupted
            super().handle()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def client_session(url: str) -> requests.Session:
    """Return the session of a client of the server."""
    return BackendClient("127.0.0.1", urlsplit(url).port)._transport.session


def container_session(url: str) -> requests.Session:
    """Return the session of a client of a container."""
    return DockerSimulator("qulacs")._client_for(urlsplit(url).port, None)._transport.session


def interrupt_after(returns: int) -> None:
    """Interrupt this thread, as Ctrl-C does, when so many functions have returned."""
    left = itertools.count(returns, -1)

    def count(_frame: FrameType, event: str, _what: object) -> None:
        if event == "return" and next(left) == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(count)


@pytest.mark.timeout(60)  # a lock that nobody gives back is waited for until then
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Python says that it lost one
def test_a_request_of_a_client_interrupted_anywhere_leaves_the_next_one_free(url: str):
    interruptions = 0
    with client_session(url) as session, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of sockets that never reached the pool
        session.get(url)
        for returns in itertools.count():
            try:
                interrupt_after(returns)
                session.get(url)
                ended = sys.getprofile() is not None
            except KeyboardInterrupt:
                interruptions, ended = interruptions + 1, False
            finally:
                sys.setprofile(None)
            assert session.get(f"{url}/{returns}").text == f"/{returns}", "the answer to this request, not to another"
            if ended:
                break
        gc.collect()
    assert interruptions > 100


def test_a_stack_returns_what_was_put_last_and_refuses_one_too_many():
    stack = ConnectionStack(2)
    stack.put("first")
    stack.put("second")

    with pytest.raises(queue.Full):
        stack.put("third")
    assert stack.qsize() == 2
    assert [stack.get(), stack.get()] == ["second", "first"]
    with pytest.raises(queue.Empty):
        stack.get(block=True)


def idle(pool: HTTPConnectionPool) -> HTTPConnection:
    """Return the connection that the next request would use."""
    assert isinstance(pool.pool, ConnectionStack)
    connection = pool.pool.get()
    pool.pool.put(connection)
    return connection


@pytest.mark.parametrize("session_of", [client_session, container_session])
def test_idle_connections_are_used_again_and_closed_with_the_session(url: str, session_of):
    with session_of(url) as session:
        session.get(url)
        pools = session.get_adapter(url).poolmanager.pools
        (key,) = pools.keys()
        first = idle(pools[key])
        session.get(url)
        assert idle(pools[key]) is first
    assert first.is_closed


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_through_a_proxy_are_kept_in_a_stack_too(scheme: str):
    proxy = InterruptibleAdapter().proxy_manager_for("http://127.0.0.1:1")

    assert isinstance(proxy.connection_from_url(f"{scheme}://example.org").pool, ConnectionStack)


def test_a_session_that_the_caller_gives_is_left_as_it_is(url: str):
    """Its pool may block until a connection is free, which a stack cannot."""
    adapter = HTTPAdapter(pool_maxsize=1, pool_block=True)
    with requests.Session() as session:
        session.mount("http://", adapter)

        BackendClient("127.0.0.1", urlsplit(url).port, session=session)

        assert session.get_adapter(url) is adapter
        assert [session.get(url).status_code for _ in range(2)] == [200, 200]
