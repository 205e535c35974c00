"""What a server shows to people: the page at its root and its documentation, which load and run nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.page import Page
from support.pasting import examples, outputs
from support.raw import Reply, Server
from support.serving import Served, serving

from gateway.backends.server import BackendServer
from gateway.circuit import Circuit
from gateway.protocol.endpoints import ENDPOINTS
from gateway.version import __version__

SIMULATOR = ("--adapter", "support.fakes:NumpyAdapter")
TOKEN = "token-of-ann"  # noqa: S105 - of a test
PATHS = ("/", "/docs")
_ICON = '<link rel="icon" href="data:,">'


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server that wants no token."""
    with serving(*SIMULATOR) as started:
        yield started


@pytest.fixture(scope="module")
def guarded() -> Iterator[Served]:
    """A server that wants a token."""
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    with serving(*SIMULATOR, env={"GATEWAY_TOKEN_SHA256": digest}) as started:
        yield started


def get(server: Server, path: str, **headers: str) -> Reply:
    return server.request("GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()})


def text_of(reply: Reply) -> str:
    """Return the text of a page, after seeing that it loads and runs nothing."""
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    return page_of(reply).text


def page_of(reply: Reply) -> Page:
    return Page(reply.body.decode().replace(_ICON, ""), links=("docs", "openapi.json"))


def links_of(reply: Reply) -> set[str]:
    return set(re.findall(r'<a href="([^"]*)"', reply.body.decode()))


# ---------------------------------------------------------------------------- the page at the root


def test_the_root_says_what_is_served_in_which_state_and_how_to_use_it(served: Served):
    reply = get(served, "/", Accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    text = text_of(reply)
    assert "numpy" in text
    assert f"Simulator Gateway {__version__}" in text
    assert "Ready: 2 workers, 0 waiting runs, 0 queued jobs, 0 running jobs." in text
    assert "Limits: 4,096 qubits, 10,000,000 shots of a circuit, 1,000 circuits of a request" in text
    assert f"curl -s http://127.0.0.1:{served.port}/v1/run" in text
    assert links_of(reply) == {"docs"}


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", ""])
def test_whatever_a_client_accepts_it_gets_the_page(served: Served, accept: str):
    assert "Ready" in text_of(get(served, "/", Accept=accept))


@pytest.mark.parametrize("path", PATHS)
def test_a_head_request_has_the_headers_alone(served: Served, path: str):
    reply = served.request("HEAD", path, None, {})
    assert (reply.status, reply.body) == (200, b"")
    assert int(reply.headers["Content-Length"]) == len(get(served, path).body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_is_only_read(served: Served, path: str, method: str):
    reply = served.request(method, path, b"{}", {"Content-Type": "application/json"})
    assert (reply.status, reply.json["code"]) == (405, "method-not-allowed")


def test_links_may_bring_parameters_of_their_own(served: Served):
    assert "Ready" in text_of(get(served, "/?utm_source=chat&x=<script>"))


def test_a_function_of_ones_own_has_the_page_too_and_its_words_are_no_markup():
    def run(circuit: Circuit, shots: int, token: str) -> dict[str, int]:
        return {"0" * circuit.num_clbits: shots}

    with BackendServer(run, lambda: "<b>warm</b>", port=0, workers=1, name="<i>lab", version="1.2") as server:
        reply = Server(server).request("GET", "/", None, {})  # type: ignore[arg-type]  # it has a host and a port
        text = text_of(reply)
    assert "<i>lab" in text
    assert "<b>warm</b>." in text
    assert "version 1.2, Simulator Gateway" in text
    assert b"<b>" not in reply.body


# ---------------------------------------------------------------------------- tokens


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic eDp5", "Bearer"])
def test_without_a_token_the_page_says_no_more_than_that_it_wants_one(guarded: Served, authorization: str):
    reply = get(guarded, "/", **({"Authorization": authorization} if authorization else {}))
    text = text_of(reply)
    assert "This server wants a token." in text
    assert links_of(reply) == {"docs"}
    for told in ("numpy", __version__, "Ready", "worker", "4,096"):
        assert told not in text


def test_with_a_token_the_page_says_everything(guarded: Served):
    text = text_of(get(guarded, "/", Authorization=f"Bearer {TOKEN}"))
    assert "numpy" in text
    assert "Ready" in text
    assert "$GATEWAY_TOKEN" in text
    assert TOKEN not in text


def test_the_documentation_is_for_everybody_but_tells_no_version_to_those_without_a_token(guarded: Served):
    text = text_of(get(guarded, "/docs"))
    assert "This server wants a token with each request" in text
    assert __version__ not in text
    assert get(guarded, "/openapi.json").status == 401


# ---------------------------------------------------------------------------- the documentation


def test_the_documentation_has_every_request_of_the_document(served: Served):
    reply = get(served, "/docs")
    page = page_of(reply)
    paths = json.loads(get(served, "/openapi.json").body)["paths"]
    headings = [text for level, text in page.headings if level == 2]
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in headings
            assert operation["summary"] in page.text
            for parameter in operation.get("parameters", ()):
                assert parameter["name"] in page.text
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links_of(reply)} <= {*ids, "openapi.json"}


def test_every_message_is_explained_field_by_field(served: Served):
    page = page_of(get(served, "/docs"))
    schemas = json.loads(get(served, "/openapi.json").body)["components"]["schemas"]
    cells = {row[0].removesuffix("required") for table in page.tables for row in table}
    assert set(schemas) <= {text for level, text in page.headings if level == 3}
    assert {name for schema in schemas.values() for name in schema.get("properties", ())} <= cells


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", ["served", "guarded"])
def test_every_example_works_as_it_is_pasted(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str, path: str
):
    server: Served = request.getfixturevalue(name)
    monkeypatch.setenv("GATEWAY_TOKEN", TOKEN if name == "guarded" else "")
    headers = {"Authorization": f"Bearer {TOKEN}"} if name == "guarded" else {}
    page = get(server, path, **headers).body.decode()
    documented = sum(row.documented for row in ENDPOINTS.values())
    assert len(examples(page)) == (2 * documented + 1 if path == "/docs" else 2)
    for text, printed in outputs(page):
        assert printed.strip()
        for refusal in ("problem", "'code'", '"code":"'):
            assert refusal not in printed, f"{text}\n{printed}"


# ---------------------------------------------------------------------------- headers


@pytest.mark.parametrize("path", PATHS)
def test_a_page_allows_browsers_nothing_but_to_show_it(served: Served, path: str):
    reply = get(served, path)
    (style,) = re.findall(r"<style>(.*?)</style>", reply.body.decode(), re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Set-Cookie" not in reply.headers


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_that_has_the_page_is_told_that_it_is_the_same(served: Served, path: str):
    first = get(served, path)
    assert first.headers["Cache-Control"] == "no-cache"
    again = get(served, path, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert get(served, path, If_None_Match='W/"another"').status == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_compressed_for_those_who_take_that(served: Served, path: str):
    plain, packed = get(served, path), get(served, path, Accept_Encoding="gzip, deflate, br")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert "Content-Encoding" not in get(served, path, Accept_Encoding="gzip;q=0, identity").headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("host", ["localhost:8083", "127.1.2.3", "[::1]:8083"])
def test_examples_name_the_address_by_which_the_server_was_called(served: Served, host: str):
    assert f'requests.get("http://{host}/v1/backend", timeout=' in text_of(get(served, "/docs", Host=host))


def test_pages_say_nothing_of_the_machine(served: Served):
    for path in PATHS:
        text = get(served, path).body.decode()
        for told in (str(Path(__file__).parents[2]), os.environ["HOME"] + "/", "site-packages", ".py"):
            assert told not in text
