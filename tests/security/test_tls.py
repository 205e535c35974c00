"""HTTPS: served with a certificate, verified by the client."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Files, make_certificate
from support.fake import fake
from support.serving import Served, client, environment, exchange, request, serving, statuses

from gateway.errors import TransportError


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_certificate(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture(scope="module")
def server(files: Files) -> Iterator[Served]:
    with serving("--tls-cert", str(files.certificate), "--tls-key", str(files.key)) as served:
        yield served


def test_a_client_that_trusts_the_certificate_runs_circuits_and_jobs(server: Served, files: Files):
    with client(server, tls=files.certificate) as trusting:
        assert trusting.url.startswith("https://")
        assert trusting.run(fake(amount=5), shots=3) == {"00000101": 3}
        assert trusting.run_async(fake(amount=4), shots=2).result(20) == {"00000100": 2}


def test_a_client_that_does_not_know_the_certificate_sends_nothing(server: Served, tmp_path: Path):
    stranger = make_certificate(tmp_path, "stranger")
    for trusted in (True, stranger.certificate):
        with (
            client(server, tls=trusted) as wary,
            pytest.raises(TransportError, match=r"cannot be trusted: .*self-signed"),
        ):
            wary.run(fake())


def test_a_certificate_for_another_name_is_not_taken(server: Served, files: Files):
    context = ssl.create_default_context(cafile=str(files.certificate))
    with (
        socket.create_connection((server.host, server.port), 10) as plain,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(plain, server_hostname="evil.example")


def test_plain_http_on_the_port_is_not_answered_with_anything_of_ours(server: Served, files: Files):
    assert b"bit_order" not in exchange(server, request("GET", "/v1/backend"))
    assert statuses(exchange(server, request("GET", "/healthz"), tls=True)) == [200]
    with client(server) as plain, pytest.raises(TransportError):
        plain.run(fake())
    with client(server, tls=files.certificate) as trusting:
        assert trusting.run(fake()).shots == 1024, "the server goes on"


def test_clients_that_leave_right_after_their_request_leave_no_failure_behind(server: Served, files: Files):
    context = ssl.create_default_context(cafile=str(files.certificate))
    context.check_hostname = False
    for k in range(200):
        with socket.create_connection((server.host, server.port), 10) as plain:
            if k % 2:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with context.wrap_socket(plain) as secure:
                secure.sendall(request("GET", "/healthz"))
    assert statuses(exchange(server, request("GET", "/healthz"), tls=True)) == [200]
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_versions_of_tls_that_are_broken_are_not_spoken(server: Served, version: ssl.TLSVersion):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    for bound in ("minimum_version", "maximum_version"):
        with pytest.warns(DeprecationWarning, match="TLSv1"):
            setattr(context, bound, version)
    with (
        socket.create_connection((server.host, server.port), 10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain)


@pytest.mark.parametrize("options", [("--tls-cert",), ("--tls-key",), ("--tls-cert", "--tls-key")])
def test_a_server_does_not_start_with_half_of_it_or_without_the_files(files: Files, tmp_path: Path, options):
    missing = len(options) == 2
    found = {"--tls-cert": files.certificate, "--tls-key": tmp_path / "missing" if missing else files.key}
    words = [word for option in options for word in (option, str(found[option]))]
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "serve", "--adapter", "support.fake:FakeAdapter", "--port", "0", *words],
        capture_output=True, text=True, env=environment(), timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == (1 if missing else 2)
    assert ("cannot read" if missing else "belong together") in done.stderr
