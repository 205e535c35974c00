"""What a server shows to people, for the states that a running server is seldom in, and types in words."""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise, product

import pytest
from support.directory import counting
from support.page import Page

from gateway.errors import SimulatorNotInstalled
from gateway.protocol import door
from gateway.protocol.endpoints import ENDPOINTS, JOB, RERUN
from gateway.protocol.openapi import SIMULATOR, document
from gateway.server.documents.calls import Calls
from gateway.server.documents.docs import docs_page
from gateway.server.documents.schemas import default_of, fields, inline, markdown, type_of
from gateway.server.documents.simulator import locked_page, simulator_page

URL = "http://127.0.0.1:8086"
INFO = counting(version="0.6.11")


def read(markup: str) -> Page:
    return Page(markup.replace('<link rel="icon" href="data:,">', ""), links=("docs", "openapi.json"))


def plain(markup: str) -> str:
    """Return HTML without its elements."""
    return unescape(re.sub(r"<[^>]*>", "", markup))


# ---------------------------------------------------------------------------- the page of a simulator


def test_a_simulator_of_the_registry_says_what_it_is():
    page = read(simulator_page(INFO, "1 worker", URL, needs_token=False))
    assert page.title == "qulacs"
    assert "Qulacs state vector: it runs circuits that are sent to this address." in page.text
    assert "Ready: 1 worker." in page.text
    assert "version 0.6.11, Simulator Gateway 1.0" in page.text


def test_while_the_simulator_is_imported_the_page_says_so():
    page = read(simulator_page(None, "", URL, needs_token=False))
    assert "Starting: the simulator is not imported yet." in page.text
    assert f"curl -s {URL}/v1/run" in page.text


def test_a_failure_is_said_in_its_own_words():
    error = SimulatorNotInstalled("qulacs is not installed: pip install <it>")
    page = read(simulator_page(error, "", URL, needs_token=False))
    assert "Failed: qulacs is not installed: pip install <it>" in page.text


@pytest.mark.parametrize(("status", "words"), [("calibrating", "calibrating"), (None, "it does not say why")])
def test_one_that_takes_no_work_says_why(status: str | None, words: str):
    offline = counting("mine", "1", online=False, status=status)
    text = read(simulator_page(offline, "1 worker", URL, needs_token=False)).text
    assert f"Takes no work: {words}." in text
    assert "Ready" not in text


def test_the_page_for_those_without_a_token_is_the_same_for_every_simulator():
    text = read(locked_page(URL)).text
    assert "This server wants a token." in text
    assert "Authorization: Bearer TOKEN" in text
    assert "$GATEWAY_TOKEN" in text


def test_an_address_is_no_markup():
    for page in (locked_page("http://<b>"), docs_page(SIMULATOR, 'http://<b>"')):
        assert "<b>" not in page


# ---------------------------------------------------------------------------- documentation


@pytest.mark.parametrize(("api", "needs_token"), [*product((SIMULATOR, door.API), (False, True))])
def test_the_documentation_of_either_server_is_whole(api, needs_token):
    markup = docs_page(api, URL, needs_token=needs_token, simulator="my simulator")
    page = read(markup)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for link in re.findall(r'href="#([^"]*)"', markup):
        assert link in ids
    headings = {text for level, text in page.headings if level == 2}
    assert {f"{row.method} {row.path}" for row in api.documented} <= headings
    assert set(document(api)["components"]["schemas"]) <= {text for level, text in page.headings if level == 3}
    assert ("$GATEWAY_TOKEN" in page.text) == needs_token
    assert ("Passed through to a simulator" in headings) == bool(api.relayed)
    assert "address.invalid" not in markup


def test_headings_go_down_one_level_at_a_time():
    levels = [level for level, _ in read(docs_page(door.API, URL)).headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


# ---------------------------------------------------------------------------- calls


def test_a_call_about_a_job_makes_the_job_first():
    calls = Calls(SIMULATOR, URL)
    first, second = calls.curl(JOB).splitlines()
    assert first.startswith(f"JOB=$(curl -s {URL}/v1/jobs -H 'Content-Type: application/json' -d '{{\"circuits\"")
    assert second == f'curl -s "{URL}/v1/jobs/$JOB?wait_s=60"'
    assert calls.curl(RERUN).splitlines()[-1] == f"curl -s \"{URL}/v1/jobs/$JOB/rerun\" -d ''"


def test_what_is_there_only_after_the_end_is_waited_for():
    calls = Calls(door.API, URL, simulator="qulacs")
    lines = calls.curl(door.RECORD).splitlines()
    assert lines[1] == f'curl -s "{URL}/v1/comparisons/$COMPARISON?wait_s=60" > /dev/null'
    assert lines[2] == f'curl -s "{URL}/v1/comparisons/$COMPARISON/record"'
    assert len(calls.curl(door.CANCEL).splitlines()) == 2


def test_a_token_is_sent_where_one_is_needed_and_nowhere_else():
    calls = Calls(SIMULATOR, URL, needs_token=True)
    for row in ENDPOINTS.values():
        for text in (calls.curl(row), calls.python(row)):
            assert ("GATEWAY_TOKEN" in text) == row.needs_token


def test_the_name_of_a_simulator_is_quoted():
    call = Calls(door.API, URL, simulator="my 'own' simulator").curl(door.RELAYED["simulator-backend"])
    assert call == f"curl -s {URL}/v1/simulators/my%20%27own%27%20simulator/v1/backend"


@pytest.mark.parametrize("api", [SIMULATOR, door.API], ids=["simulator", "door"])
def test_the_program_with_our_client_names_the_server(api):
    text = Calls(api, URL, simulator='my "own"').client()
    compile(text, "client", "exec")
    assert f'Client("{URL}") as ' in text
    assert ('simulator("my \\"own\\"")' in text) == bool(api.relayed)


@pytest.mark.parametrize("needs_token", [False, True])
def test_every_call_in_python_can_be_compiled_and_has_a_number_of_seconds(needs_token: bool):
    calls = Calls(door.API, URL, needs_token=needs_token)
    for row in door.API.documented:
        text = calls.python(row)
        compile(text, row.operation, "exec")
        assert text.count("requests.") == text.count("timeout=")


# ---------------------------------------------------------------------------- schemas


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "integer ≥ 1"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, "number > 0, < 1"),
        (
            {"type": "string", "minLength": 1, "maxLength": 255},
            "string of 1 to 255 characters",
        ),
        ({"enum": ["a", "b", "c"]}, "a, b or c"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"anyOf": [{"$ref": "#/x/A"}, {"$ref": "#/x/A"}]}, "A"),
        ({"type": "array", "items": {"$ref": "#/x/A"}}, "list of A"),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, "non-empty list of string"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "list of (string or null)"),
        ({"type": "array", "items": False}, "array"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "object of number"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({}, "any value"),
    ],
)
def test_a_type_in_words(schema, words):
    assert plain(type_of(schema)) == words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, ""),
        ({"default": None}, "; default null"),
        ({"default": True}, "; default true"),
        ({"default": 0}, "; default 0"),
        ({"default": "auto"}, "; default auto"),
        ({"default": ""}, "; default empty"),
        ({"default": []}, "; default empty"),
        ({"default": {"max_shots": 1}}, ""),
    ],
)
def test_a_default_in_words(schema, words):
    assert plain(default_of(schema)) == words


def test_required_fields_come_first_and_say_so():
    page = Page(
        fields(
            {
                "properties": {"may": {"type": "string", "default": "x"}, "must": {"type": "integer"}},
                "required": ["must"],
            }
        )
    )
    assert page.tables == [
        [["field", "type", "meaning"], ["mustrequired", "integer", ""], ["may", "string; default x", ""]]
    ]


def test_items_of_an_array_are_told_by_their_places_and_names():
    page = Page(
        fields({"prefixItems": [{"type": "string", "title": "name"}, {"type": "integer", "default": 0}], "minItems": 1})
    )
    assert [row[0] for row in page.tables[0]] == ["item", "namerequired", "1"]
    assert fields({"type": "string"}) == ""


def test_markdown_has_paragraphs_lists_and_code_and_no_markup_of_its_own():
    text = "One `a<b` line\nand more.\n\n* first\n  goes on\n* second <b>"
    assert markdown(text) == (
        "<p>One <code>a&lt;b</code> line and more.</p><ul><li>first goes on</li><li>second &lt;b&gt;</li></ul>"
    )
    assert inline("a `b` <c>") == "a <code>b</code> &lt;c&gt;"
