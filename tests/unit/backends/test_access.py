"""A token goes to the server that it is meant for, and to no other; certificates are trusted likewise."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from gateway.backends.access import CA_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE, access_to, default_place
from gateway.errors import RequestError

FILE = """
default = "lab"

[gateways.lab]
url = "https://lab:8443"
token = "of-lab"

[gateways.open]
url = "https://open/quantum"
"""


MINE = "of-mine"


def sent_to(where: str, **options: str) -> str:
    return access_to(where, **options).token


@pytest.fixture
def known(config: Path) -> Path:
    config.touch(0o600)
    config.write_text(FILE)
    return config


@pytest.mark.parametrize(
    ("where", "url", "variable", "token"),
    [
        ("http://lab:8088", None, " abc\n", "abc"),  # as it always was: a server that somebody named
        ("http://lab:8088", None, "", ""),
        ("http://lab:8088", "http://lab:8088", "abc", "abc"),
        ("http://lab:8088/v1/simulators/qulacs", "http://lab:8088", "abc", "abc"),
        ("http://other:8088", "http://lab:8088", "abc", ""),
        ("http://lab:8089", "http://lab:8088", "abc", ""),
        ("https://lab:8443", None, "abc", "of-lab"),
        ("https://lab:8443/v1/simulators/qulacs", None, None, "of-lab"),
        ("https://lab:8443", "https://lab:8443", "abc", "abc"),
        ("https://lab:8443", "lab", "abc", "abc"),
        ("https://lab:8443", "https://open", "abc", "of-lab"),
        ("http://lab:8443", None, None, ""),  # whoever listens in would have it
        ("lab", None, "abc", "of-lab"),
        ("lab", "https://lab:8443", "abc", "of-lab"),
        ("open", None, "abc", "abc"),
        ("open", "https://open", "abc", "abc"),
        ("open", "https://lab:8443", "abc", ""),
        ("https://open/other", None, None, ""),
    ],
)
@pytest.mark.usefixtures("known")
def test_a_token_goes_where_it_is_meant_to(where, url, variable, token, monkeypatch):
    for name, value in ((URL_VARIABLE, url), (TOKEN_VARIABLE, variable)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert sent_to(where) == token
    assert sent_to(where, token=MINE) == MINE
    assert sent_to(where, token="") == ""


def test_the_certificates_go_with_the_token(known, monkeypatch):
    monkeypatch.setenv(CA_VARIABLE, certifi.where())
    assert access_to("https://lab").certificates == certifi.where()
    assert access_to("http://lab").certificates == ""
    assert access_to("https://lab", certificates="").certificates == ""
    monkeypatch.setenv(URL_VARIABLE, "https://lab")
    assert access_to("https://lab").certificates == certifi.where()
    assert access_to("https://elsewhere").certificates == ""
    known.write_text(f'[gateways.a]\nurl = "https://elsewhere"\nca = "{certifi.where()}"\n')
    assert access_to("https://elsewhere").certificates == certifi.where()


def test_certificates_that_are_none_are_said(monkeypatch, tmp_path):
    monkeypatch.setenv(CA_VARIABLE, str(tmp_path / "none.pem"))
    with pytest.raises(RequestError, match=r"there are no certificates to trust in .*none\.pem: No such file"):
        access_to("https://lab")


@pytest.mark.parametrize("token", ["sécret", "sec\nret"])
def test_a_token_that_no_header_can_hold_is_refused_without_being_repeated(token, monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(RequestError, match=f"the token in {TOKEN_VARIABLE} has characters that no header") as caught:
        access_to("http://lab:8088")
    assert token not in caught.value.message
    with pytest.raises(RequestError, match="the token of the argument has characters") as caught:
        access_to("http://lab:8088", token=token)
    assert token not in caught.value.message


@pytest.mark.usefixtures("known")
def test_an_unknown_name_is_refused_with_the_closest():
    with pytest.raises(RequestError, match="there is no gateway 'lap': did you mean 'lab'") as caught:
        access_to("lap")
    assert caught.value.field == "at"


def test_without_any_names_it_is_said_how_to_add_one():
    with pytest.raises(RequestError, match="there is no gateway 'lab': gateway config add NAME URL adds one"):
        access_to("lab")


def test_of_two_with_the_same_url_and_different_tokens_one_is_named(known):
    known.write_text('[gateways.a]\nurl = "https://lab"\n[gateways.b]\nurl = "https://lab"\ntoken = "abc"\n')
    with pytest.raises(RequestError, match="a and b have the URL https://lab:443: give one of these names"):
        access_to("https://lab")
    assert sent_to("b") == "abc"


def test_of_several_that_have_an_address_the_nearest_counts(known):
    known.write_text(
        '[gateways.a]\nurl = "https://lab"\ntoken = "a"\n[gateways.b]\nurl = "https://lab/b"\ntoken = "b"\n'
    )
    assert sent_to("https://lab/b/v1/simulators/x") == "b"
    assert sent_to("https://lab/c") == "a"


def test_the_gateway_where_none_is_named_is_that_of_the_environment_or_that_of_the_file(known, monkeypatch):
    assert default_place() == "lab"
    monkeypatch.setenv(URL_VARIABLE, "http://here:8080")
    assert default_place() == "http://here:8080"
    monkeypatch.delenv(URL_VARIABLE)
    known.unlink()
    assert default_place() == ""


def test_what_is_shown_of_an_access_has_no_token():
    assert MINE not in repr(access_to("http://lab:80", token=MINE))
