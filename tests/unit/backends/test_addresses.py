"""Addresses of servers are read as people write them, and refused with what would be right."""

from __future__ import annotations

import pytest

from gateway.backends.addresses import TOKEN_VARIABLE, Address, is_address, parse_address
from gateway.errors import RequestError


@pytest.mark.parametrize(
    ("text", "address", "spelt"),
    [
        ("http://lab:8088", Address("lab", 8088, tls=False), "lab:8088"),
        ("http://lab:8088/", Address("lab", 8088, tls=False), "lab:8088"),
        ("https://lab.example.org:8443", Address("lab.example.org", 8443, tls=True), "lab.example.org:8443"),
        ("https://lab.example.org", Address("lab.example.org", 443, tls=True), "lab.example.org:443"),
        ("http://lab", Address("lab", 80, tls=False), "lab:80"),
        ("HTTP://Lab:8088", Address("lab", 8088, tls=False), "lab:8088"),
        ("lab:8088", Address("lab", 8088, tls=False), "lab:8088"),
        ("127.0.0.1:8088", Address("127.0.0.1", 8088, tls=False), "127.0.0.1:8088"),
        ("[::1]:8088", Address("::1", 8088, tls=False), "[::1]:8088"),
        ("http://[::1]:8088", Address("::1", 8088, tls=False), "[::1]:8088"),
    ],
)
def test_an_address_is_read(text, address, spelt):
    assert is_address(text)
    assert (parse_address(text), str(parse_address(text))) == (address, spelt)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ftp://lab:21", "servers speak http or https, not ftp"),
        ("http://", "a host or a port is missing"),
        ("http://:8088", "a host or a port is missing"),
        ("lab:", "a host or a port is missing"),
        ("[::1]", "a host or a port is missing"),
        ("::1", "Port could not be cast"),
        ("http://lab:0", "a host or a port is missing"),
        ("http://la b:8088", "a host or a port is missing"),
        ("http://lab:eight", "Port could not be cast"),
        ("http://lab:70000", "Port out of range"),
        ("http://[::1:8088", "Invalid IPv6 URL"),
        ("http://lab:8088/v1/backend", "nothing follows the port"),
        ("http://lab:8088?token=1", "nothing follows the port"),
        ("http://lab:8088#x", "nothing follows the port"),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be(text, why):
    with pytest.raises(RequestError, match=r"is no address of a server \(.*write http://HOST:PORT") as caught:
        parse_address(text)
    assert why in caught.value.message
    assert caught.value.field == "backends"


def test_a_password_in_a_url_is_refused_without_being_repeated():
    with pytest.raises(RequestError, match=f"{TOKEN_VARIABLE} is the token") as caught:
        parse_address("http://ada:secret@lab:8088")
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("text", ["qulacs", "qiskit_mps", ""])
def test_names_are_no_addresses(text):
    assert not is_address(text)


def test_the_token_of_the_environment_is_sent(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, " abc\n")
    with Address("lab", 8088, tls=True).client(timeout_s=7) as client:
        assert client.url == "https://lab:8088"
        assert client.timeout_s == 7
        assert client._session.headers["Authorization"] == "Bearer abc"


def test_without_a_token_none_is_sent(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "")
    with Address("lab", 8088, tls=False).client() as client:
        assert "Authorization" not in client._session.headers


@pytest.mark.parametrize("token", ["sécret", "sec\nret"])
def test_a_token_that_no_header_can_hold_is_refused_without_being_repeated(token, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(RequestError, match="characters that no header can hold") as caught:
        Address("lab", 8088, tls=False).client()
    assert token not in caught.value.message
