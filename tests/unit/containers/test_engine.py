"""Every foreign error ends as one of ours, with the way out in its message."""

from __future__ import annotations

import json
import multiprocessing
import ssl
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from gateway.containers import engine as engine_module
from gateway.containers.engine import Engine, connect, translate
from gateway.errors import (
    ContainerError,
    DiskFull,
    DockerPermissionDenied,
    DockerUnavailable,
    EngineRefused,
    ImageNotFound,
    PortTaken,
)

SOCKET = "unix:///var/run/docker.sock"


class FakeAPIError(Exception):
    """Shaped as the SDK's APIError."""

    def __init__(self, status: int, explanation: str) -> None:
        super().__init__(f"{status} Server Error")
        self.response = requests.Response()
        self.response.status_code = status
        self.explanation = explanation


def wrapped(inner: BaseException) -> Exception:
    """Wrap an error as the SDK does: its own around requests' around urllib3's around the system's."""
    outer = RuntimeError("Error while fetching server API version: ('Connection aborted.', ...)")
    outer.__cause__ = requests.ConnectionError("Connection aborted.", inner)
    return outer


@pytest.mark.parametrize(
    ("inner", "kind", "remedy"),
    [
        (PermissionError(13, "Permission denied"), DockerPermissionDenied, "usermod -aG docker"),
        (ConnectionRefusedError(111, "Connection refused"), DockerUnavailable, "systemctl start docker"),
        (ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"), DockerUnavailable, "DOCKER_CERT_PATH"),
        (TimeoutError("timed out"), DockerUnavailable, "docker info"),
        (ConnectionResetError(104, "Connection reset by peer"), DockerUnavailable, "the connection broke"),
        (ModuleNotFoundError("No module named 'docker'", name="docker"), DockerUnavailable, "pip install"),
        (ImportError("Install paramiko package to enable ssh:// support"), DockerUnavailable, r"docker\[ssh\]"),
        (OSError(28, "No space left on device"), DiskFull, "docker system prune"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_keeps_from_the_engine_becomes_its_own_error_with_a_remedy(inner, kind, remedy):
    error = translate(wrapped(inner), SOCKET)

    assert type(error) is kind
    with pytest.raises(kind, match=remedy):
        raise error


@pytest.mark.parametrize(("program", "remedy"), [("/usr/bin/docker", "systemctl start"), (None, "docs.docker.com")])
def test_a_missing_socket_is_told_apart_by_whether_docker_is_installed(monkeypatch, program, remedy):
    monkeypatch.setattr(engine_module.shutil, "which", lambda _: program)

    error = translate(wrapped(FileNotFoundError(2, "No such file or directory")), SOCKET)

    assert type(error) is DockerUnavailable
    assert remedy in error.message
    assert error.address == SOCKET


def test_another_address_than_the_default_says_where_it_comes_from():
    error = translate(wrapped(ConnectionRefusedError(111, "Connection refused")), "tcp://127.0.0.1:1")

    assert "127.0.0.1:1 (DOCKER_HOST or the Docker context names it)" in error.message


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, '{"message": "No such image: nowhere:1"}', ImageNotFound),
        (404, '{"message": "No such container: x"}', EngineRefused),
        (409, '{"message": "Conflict. The container name \\"/x\\" is already in use"}', EngineRefused),
        (500, '{"message": "write /var/lib/x: no space left on device"}', DiskFull),
        (500, "not even JSON", EngineRefused),
    ],
)
def test_what_the_engine_refuses_keeps_its_words(status, words, kind):
    error = translate(FakeAPIError(status, words), SOCKET)

    assert type(error) is kind
    assert isinstance(error, ContainerError)


ENDPOINT = "driver failed programming external connectivity on endpoint x (abc12345): "


@pytest.mark.parametrize(
    "words",
    [
        ENDPOINT + "Bind for 127.0.0.1:48231 failed: port is already allocated",
        ENDPOINT + "Error starting userland proxy: listen tcp4 127.0.0.1:48231: bind: address already in use",
    ],
)
def test_a_taken_port_is_named(words):
    error = translate(FakeAPIError(500, words), SOCKET)

    assert type(error) is PortTaken
    assert error.port == 48231
    assert "leave the port out" in error.message


def test_an_error_of_ours_comes_through_unchanged():
    class Client:
        def info(self):
            raise DiskFull("the disk is full")

    with pytest.raises(DiskFull, match=r"^the disk is full$"):
        Engine(lambda _: Client()).about()


def test_an_absent_engine_is_said_within_a_second(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

    with pytest.raises(DockerUnavailable, match="no Docker engine answers at /") as caught:
        connect()

    assert caught.value.address == f"unix://{tmp_path}/docker.sock"


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        (SOCKET, False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://localhost:2376", False),
        ("tcp://192.0.2.1:2376", True),
        ("ssh://somebody@example.org", True),
    ],
)
def test_an_engine_of_another_machine_is_recognised(address, remote):
    assert Engine(lambda _: None, address).is_remote is remote


class SlowEngine:
    """Speaks just enough of an engine's API over HTTP: pulls are held until ``let_go`` is set."""

    def __init__(self) -> None:
        self.pulling, self.let_go = threading.Event(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer({"ServerVersion": "1", "ApiVersion": "1.41", "NCPU": 2})

            def do_POST(self):
                outer.pulling.set()
                outer.let_go.wait()
                self._answer({"status": "done"})

            def _answer(self, words):
                body = json.dumps(words).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"tcp://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def slow_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowEngine]:
    slow = SlowEngine()
    monkeypatch.setenv("DOCKER_HOST", slow.address)
    yield slow
    slow.close()


def test_a_pull_changes_nothing_for_the_calls_of_other_threads(slow_engine: SlowEngine):
    engine = connect()
    shared = engine._client._target
    before = dict(vars(shared))
    with ThreadPoolExecutor(1) as threads:
        pulled = threads.submit(engine.pull, "registry.example.org/x:1", lambda _: None)
        slow_engine.pulling.wait()
        assert vars(shared) == before, "while it is under way"
        assert engine.about().cpus == 2
        slow_engine.let_go.set()
        pulled.result()
    assert vars(shared) == before


def test_a_registry_that_is_silent_is_given_up(slow_engine: SlowEngine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine_module, "PULL_SILENCE_S", 0.1)
    with pytest.raises(ImageNotFound, match=r"cannot be pulled: .* it did not answer in time") as caught:
        connect().pull("registry.example.org/x:1", lambda _: None)
    assert caught.value.image == "registry.example.org/x:1"


def test_a_forked_child_does_not_wait_for_what_a_thread_of_its_parent_holds(slow_engine: SlowEngine):
    engine = connect()
    with engine_module._lock:
        child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(connect() is engine))
        child.start()
        child.join()
    assert child.exitcode == 0
