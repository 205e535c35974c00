"""Addresses of servers are read as people write them, and refused with what would be right."""

from __future__ import annotations

import pytest

from gateway.backends.addresses import Address, is_address, parse_address
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
        ("https://lab/quantum/qulacs", Address("lab", 443, tls=True, path="/quantum/qulacs"), "lab:443/quantum/qulacs"),
        ("https://lab/quantum//", Address("lab", 443, tls=True, path="/quantum"), "lab:443/quantum"),
        ("lab:80/v1/simulators/a", Address("lab", 80, tls=False, path="/v1/simulators/a"), "lab:80/v1/simulators/a"),
        ("http://[::1]:80/~ada/a%20b", Address("::1", 80, tls=False, path="/~ada/a%20b"), "[::1]:80/~ada/a%20b"),
    ],
)
def test_an_address_is_read(text, address, spelt):
    assert is_address(text)
    assert (parse_address(text), str(parse_address(text))) == (address, spelt)
    assert parse_address(address.url) == address


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
        ("http://lab:8088?token=1", "nothing follows the path"),
        ("http://lab:8088/a?", "nothing follows the path"),
        ("http://lab:8088#x", "nothing follows the path"),
        ("http://lab:8088/a//b", "its path has parts that are empty"),
        ("http://lab:8088/a/../b", "dots alone"),
        ("http://lab:8088/.", "dots alone"),
        ("http://lab:8088/a b", "hold other characters than a URL may"),
        ("http://lab:8088/ä", "hold other characters than a URL may"),
        ("http://lab:8088/v1/backend", "it is that of a request: leave out /v1/backend"),
        ("http://lab:8088/quantum/v1/", "leave out /v1"),
        ("http://lab:8088/v1/simulators", "leave out /v1/simulators"),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be(text, why):
    with pytest.raises(RequestError, match=r"is no address of a server \(.*write http://HOST:PORT") as caught:
        parse_address(text)
    assert why in caught.value.message
    assert caught.value.field == "backends"


@pytest.mark.parametrize(
    "text",
    [
        "http://ada:secret@lab:8088",
        "http://ada:secret@lab:eight",
        "ada:secret@lab:eight",
        "ftp://ada:secret@lab",
        "http://ada:secret/secret@lab",
        "http://ada:secret#secret@lab",
        "http://lab:8088/?token=secret",
        "http://lab:8088/#secret",
    ],
)
def test_a_password_or_a_token_in_a_url_is_refused_without_being_repeated(text):
    with pytest.raises(RequestError) as caught:
        parse_address(text)
    assert "secret" not in caught.value.message
    assert "secret" not in repr(caught.value)


@pytest.mark.parametrize("text", ["qulacs", "qiskit_mps", ""])
def test_names_are_no_addresses(text):
    assert not is_address(text)


@pytest.mark.parametrize(
    ("outer", "inner", "contains"),
    [
        ("https://lab", "https://lab:443/v1/simulators/qulacs", True),
        ("https://lab/a", "https://lab/a", True),
        ("https://lab/a", "https://lab/ab", False),
        ("https://lab/a", "https://lab", False),
        ("https://lab", "http://lab:443", False),
        ("https://lab", "https://lab:8443", False),
        ("https://lab", "https://lab.evil.example", False),
    ],
)
def test_an_address_contains_those_below_it_on_the_same_server(outer, inner, contains):
    assert parse_address(outer).contains(parse_address(inner)) is contains


@pytest.mark.parametrize(("host", "is_own"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("lab", False)])
def test_this_machine_is_known(host, is_own):
    assert Address(host, 80, tls=False).is_loopback is is_own
