"""Which web pages may send requests: those of allowed sites and, where a server has some that do, its own."""

from __future__ import annotations

import pytest
from flask import Flask

from gateway.errors import GatewayError
from gateway.server.access.web_pages import WebGuard
from gateway.server.http.responses import on_gateway_error


def status(guard: WebGuard, origin: str, host: str, **headers: str) -> int:
    """Return the status of a request that a page sends."""
    app = Flask("guarded")
    guard.watch(app)
    app.register_error_handler(GatewayError, on_gateway_error)
    app.add_url_rule("/v1/x", "x", lambda: "seen", methods=["POST"])
    sent = {"Origin": origin, "Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return app.test_client().post("/v1/x", headers=sent).status_code


OWN = [
    ("http://127.0.0.1:8080", "127.0.0.1:8080"),
    ("http://localhost:8080", "localhost:8080"),
    ("http://LOCALHOST:8080", "localhost:8080"),
    ("http://[::1]:8080", "[::1]:8080"),
    ("https://gateway.example", "gateway.example"),
    ("http://10.0.0.7", "10.0.0.7"),
]
FOREIGN = [
    ("http://127.0.0.1:8081", "127.0.0.1:8080"),
    ("http://localhost:8080", "127.0.0.1:8080"),
    ("https://evil.example", "127.0.0.1:8080"),
    ("null", "127.0.0.1:8080"),
    ("", "127.0.0.1:8080"),
    ("127.0.0.1:8080", "127.0.0.1:8080"),
    ("file://127.0.0.1:8080", "127.0.0.1:8080"),
    ("http://127.0.0.1:8080/", "127.0.0.1:8080"),
    ("http://127.0.0.1:8080.evil.example", "127.0.0.1:8080"),
    ("http://user@127.0.0.1:8080", "127.0.0.1:8080"),
    ("http://127.0.0.1:8080, http://127.0.0.1:8080", "127.0.0.1:8080"),
]


@pytest.mark.parametrize(("origin", "host"), OWN)
def test_pages_of_the_server_itself_send_requests_where_it_has_such_pages(origin: str, host: str):
    for site in ({}, {"Sec_Fetch_Site": "same-origin"}):
        assert status(WebGuard(["gateway.example"], own_pages=True), origin, host, **site) == 200
        assert status(WebGuard(["gateway.example"]), origin, host, **site) == 403


def test_names_of_hosts_are_the_same_in_capitals():
    assert WebGuard(["Lab.Example"]).is_ours("lab.example")
    assert WebGuard(["lab.example"]).is_ours("LAB.example:8080")
    assert not WebGuard(["Lab.Example"]).is_ours("lab.example.org")


@pytest.mark.parametrize(("origin", "host"), FOREIGN)
def test_pages_of_others_do_not(origin: str, host: str):
    assert status(WebGuard(own_pages=True), origin, host) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything", "same-origin, cross-site"])
def test_what_the_browser_calls_foreign_is_foreign_whatever_the_origin(site: str):
    assert status(WebGuard(own_pages=True), *OWN[0], Sec_Fetch_Site=site) == 403


def test_a_name_that_leads_here_makes_no_page_its_own():
    """A page of evil.example whose name was made to lead to this machine."""
    guard = WebGuard(own_pages=True)
    assert status(guard, "http://evil.example:8080", "evil.example:8080", Sec_Fetch_Site="same-origin") == 400


def test_allowed_origins_are_still_allowed():
    guard = WebGuard(origins=["https://friend.example"], own_pages=True)
    assert status(guard, "https://friend.example", "127.0.0.1:8080", Sec_Fetch_Site="cross-site") == 200
