from __future__ import annotations

import socket

import pytest

from gateway.errors import ServerStartError
from gateway.listener import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_port_zero_finds_a_free_one(host):
    with bind(host, 0) as listener:
        port = listener.getsockname()[1]
        assert port > 0
        with socket.create_connection((host, port), timeout=2):
            pass


def test_a_taken_port_is_named_with_a_way_out():
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(ServerStartError, match=rf"port {port} .*taken.*choose another port \(0 finds a free one\)"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 2**16), ("127.0.0.1", -1), ("192.0.2.1", 0), ("no.such.host.invalid", 0)]
)
def test_an_impossible_address_is_named(host, port):
    with pytest.raises(ServerStartError, match=f"cannot listen on {host}:{port}: "):
        bind(host, port)
