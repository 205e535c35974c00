"""Every foreign error ends as one of ours, with the way out in its message."""

from __future__ import annotations

import ssl

import pytest
import requests

from gateway.containers import engine
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
    monkeypatch.setattr(engine.shutil, "which", lambda _: program)

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
        Engine(Client()).about()


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
    assert Engine(None, address).is_remote is remote
