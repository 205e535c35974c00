"""A page that users happen to visit cannot use the server on their machine: browsers say where requests are from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.raw import JSON, Server, run_body
from support.serving import Served, exchange, request, serving, statuses

FRIEND = "https://friend.example"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server that is also called sim.example, and may be called by pages of a friend."""
    with serving("--allow-host", "sim.example, other.example", "--allow-origin", FRIEND) as served:
        yield served


OURS = ["localhost", "LOCALHOST", "LocalHost:8088", "127.0.0.1", "127.0.0.1:1", "127.1.2.3", "[::1]",
"[::1]:8088", "10.0.0.7",
        "[fe80::1]:80", "sim.example", "SIM.Example:443", "other.example", "[::ffff:127.0.0.1]"]  # fmt: skip
NOT_OURS = ["evil.example", "EVIL.EXAMPLE:80", "127.0.0.1.evil.example", "127.0.0.1.nip.io:8088",
"localhost.evil.example", "localhost.",
            "evil.example:127.0.0.1", "xsim.example", "sim.example.evil.example", "", " ",
            "127.0.0.1@evil.example", "evil.example#127.0.0.1",
            "evil.example/127.0.0.1", "0x7f000001", "2130706433", "017700000001", "127.1",
            "[::1].evil.example", "[evil.example]", "::1",
            "127.0.0.1:80:evil.example", "[::1]evil.example", "localhost:evil.example",
            "localhost,evil.example", "*", "127.0.0.1\tevil"]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_a_server_is_called_by_its_addresses_and_its_names(server: Served, host: str):
    assert statuses(exchange(server, request("GET", "/v1/backend", host=host))) == [200]


@pytest.mark.parametrize("path", ["/v1/backend", "/healthz", "/metrics", "/openapi.json", "/nowhere"])
@pytest.mark.parametrize("host", NOT_OURS)
def test_promise_11_another_name_is_refused_for_it_may_be_rebound_to_this_machine(server: Served, host: str, path: str):
    answer = exchange(server, request("GET", path, host=host))
    assert statuses(answer) == [400]
    assert b'"bit_order"' not in answer


def test_a_page_cannot_choose_the_name_by_other_headers(server: Served):
    for header in ("X-Forwarded-Host: localhost", "Forwarded: host=localhost", "X-Original-Host: localhost"):
        assert statuses(exchange(server, request("GET", "/v1/backend", header, host="evil.example"))) == [400]
    for twice in (("Host: evil.example", "Host: localhost"), ("Host: localhost", "Host: evil.example")):
        assert statuses(exchange(server, request("GET", "/v1/backend", *twice, host=None))) == [400]


def test_the_host_of_an_absolute_address_counts_as_little(server: Served):
    answer = exchange(server, request("GET", "http://evil.example/v1/backend", host="evil.example"))
    assert statuses(answer) == [400]


def test_without_settings_only_addresses_are_names():
    with serving() as served:
        assert statuses(exchange(served, request("GET", "/v1/backend", host="sim.example"))) == [400]
        assert statuses(exchange(served, request("GET", "/v1/backend", f"Origin: {FRIEND}"))) == [403]


FOREIGN = ["https://evil.example", "null", "http://localhost", "http://127.0.0.1:{port}",
"http://friend.example", f"{FRIEND}:8443",
           f"{FRIEND}.evil.example", "https://FRIEND.example", "https://xfriend.example", "file://", "*", "",
           f"{FRIEND}/", "chrome-extension://x"]  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/run", "/v1/jobs"])
@pytest.mark.parametrize("origin", FOREIGN)
def test_promise_11_pages_of_other_origins_are_refused(server: Served, origin: str, path: str):
    headers = {**JSON, "Origin": origin.format(port=server.port)}
    reply = server.request("POST", path, run_body(), headers)
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")
    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "anything"])
def test_what_a_page_loads_without_an_origin_is_refused_too(server: Served, site: str):
    reply = server.request("GET", "/v1/backend", None, {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")


PAGES = ["/", "/docs"]
NAVIGATION = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What a browser says when it shows a page in a window because somebody has followed a link."""


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_people_may_follow_a_link_to_a_page(server: Served, path: str, method: str, site: str):
    headers = {**NAVIGATION, "Sec-Fetch-Site": site, "Sec-Fetch-User": "?1", "Referer": "https://evil.example/"}
    reply = server.request(method, path, None, headers)
    assert reply.status == 200
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin", "the site they come from has no hold of it"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "change",
    [
        {"Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Dest": "frame"},
        {"Sec-Fetch-Dest": "embed"},
        {"Sec-Fetch-Dest": "object"},
        {"Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "style", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Mode": "websocket"},
        {"Sec-Fetch-Dest": ""},
        {"Sec-Fetch-Mode": ""},
        {"Sec-Fetch-Dest": "document, iframe"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
def test_another_site_can_neither_frame_nor_read_nor_load_a_page(server: Served, path: str, change: dict[str, str]):
    reply = server.request("GET", path, None, {**NAVIGATION, **change})
    assert (reply.status, reply.json["code"]) == (403, "origin-refused")


@pytest.mark.parametrize(
    "path", ["/v1/backend", "/v1/jobs", "/metrics", "/openapi.json", "/docs/", "/nowhere", "/healthz"]
)
def test_a_link_leads_to_pages_only(server: Served, path: str):
    assert server.request("GET", path, None, NAVIGATION).status == 403


@pytest.mark.parametrize("path", [*PAGES, "/v1/run"])
def test_a_form_of_another_site_is_no_link(server: Served, path: str):
    reply = server.request("POST", path, b"x=1", {**NAVIGATION, "Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 403


@pytest.mark.parametrize("path", PAGES)
def test_a_link_by_another_name_is_refused(server: Served, path: str):
    lines = [f"{name}: {value}" for name, value in NAVIGATION.items()]
    assert statuses(exchange(server, request("GET", path, *lines, host="evil.example"))) == [400]


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_an_address_typed_by_the_user_is_answered(server: Served, site: str):
    assert server.request("GET", "/v1/backend", None, {"Sec-Fetch-Site": site}).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{FRIEND}.evil.example"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "GET"])
def test_a_preflight_of_another_origin_allows_nothing(server: Served, origin: str, method: str):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type",
    }
    reply = server.request("OPTIONS", "/v1/run", None, headers)
    assert reply.status == 403
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_pages_of_an_allowed_origin_may_ask_after_their_preflight(server: Served):
    headers = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = server.request("OPTIONS", "/v1/run", None, headers)
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "Content-Type"} <= set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    assert preflight.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in preflight.headers
    reply = server.request("POST", "/v1/run", run_body(), {**JSON, "Origin": FRIEND, "Sec-Fetch-Site": "cross-site"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, FRIEND)


SIMPLE = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
"text/plain; application/json", "", "application/jsonx",
          "text/html", "application/octet-stream", "application/x-python", "application/x-qpy"]  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/run", "/v1/jobs"])
@pytest.mark.parametrize("content_type", SIMPLE)
def test_promise_11_what_a_form_can_send_is_no_request(server: Served, content_type: str, path: str):
    reply = server.request("POST", path, run_body(), {"Content-Type": content_type})
    assert reply.status == 415


def test_a_script_of_a_page_cannot_run_an_answer_of_ours(server: Server):
    for path in ("/v1/backend", "/nowhere", "/v1/run"):
        reply = server.request("GET", path)
        assert reply.headers["Content-Type"].startswith(("application/json", "application/problem+json"))
