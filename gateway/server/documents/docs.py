"""The OpenAPI document made readable: each endpoint with parameters, body, answers, errors and calls to paste."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from typing import Any

from gateway.look.markup import Html, html, join
from gateway.look.sheet import element
from gateway.protocol import openapi
from gateway.protocol.endpoints import Endpoint
from gateway.protocol.openapi import Api
from gateway.server.documents.calls import CLIENT, TOKEN_VARIABLE, Calls
from gateway.server.documents.document import document, listing, section
from gateway.server.documents.schemas import anchor, default_of, fields, inline, markdown, rows_of, type_of
from gateway.version import __version__

_FIRST_ERROR = 400
_ADDRESS = "http://address.invalid"
"""Stands for the address of the server, which may have several, until somebody asks."""


def docs_page(api: Api, url: str, *, needs_token: bool = False, simulator: str = "qulacs") -> str:
    """Return the documentation of a server as an HTML document.

    Args:
        api: what the server answers.
        url: where it is, as who asks has called it; for the examples.
        needs_token: whether it demands tokens; its version is then left out.
        simulator: the name of a simulator for the examples, where the server has several.
    """
    return _docs_page(api, needs_token, simulator).replace(_ADDRESS, escape(url.rstrip("/")))


@cache
def _docs_page(api: Api, needs_token: bool, simulator: str) -> str:
    described = openapi.document(api)
    calls = Calls(api, _ADDRESS, needs_token, simulator)
    rows = [row for row in api.endpoints.values() if row.documented]
    relayed = [row for row in api.relayed.values() if row.documented]
    return document(
        f"{api.title}: API",
        "" if needs_token else f"version {__version__}",
        _introduction(api, needs_token=needs_token),
        section("In Python", listing(calls.client(), CLIENT)),
        section("Requests", _contents(rows)),
        section("Passed through to a simulator", _contents(relayed)) if relayed else "",
        *[_endpoint(row, described, calls) for row in (*rows, *relayed)],
        section("Messages", *[_schema(name, each) for name, each in described["components"]["schemas"].items()]),
    )


def _introduction(api: Api, *, needs_token: bool) -> Html:
    token = (
        join(
            "This server wants a token with each request, but for its probes and pages. The examples take it from ",
            element("code", f"${TOKEN_VARIABLE}"),
            ".",
        )
        if needs_token
        else "This server wants no token."
    )
    machine = join("For programs, there is ", element("a", "openapi.json", href="openapi.json"), ".")
    errors = join(
        "Bodies are JSON. An error is a ",
        element("a", "Problem", href=f"#{anchor('Problem')}"),
        ", whose code is a stable name.",
    )
    return element("section", *[element("p", each) for each in (api.description, errors, token, machine)])


def _contents(rows: list[Endpoint]) -> Html:
    links = [element("a", _request(row), href=f"#{row.operation}") for row in rows]
    return rows_of(("request", "what it does"), [(link, row.summary) for link, row in zip(links, rows, strict=True)])


def _request(row: Endpoint) -> Html:
    parts = [html(part) for part in row.path.split("/")]
    return element("code", row.method, " ", join(*[Html(f"{part}/<wbr>") for part in parts[:-1]], parts[-1]))


def _endpoint(row: Endpoint, described: Mapping[str, Any], calls: Calls) -> Html:
    operation = described["paths"][row.path][row.method.lower()]
    statuses = {int(status): each for status, each in operation["responses"].items()}
    errors = {status: each for status, each in statuses.items() if status >= _FIRST_ERROR}
    answers = {status: each for status, each in statuses.items() if status < _FIRST_ERROR}
    return section(
        _request(row),
        element("p", f"{row.summary}.{_needs(row)}"),
        _parameters(operation.get("parameters", [])),
        _body(operation.get("requestBody"), described),
        _part("Answer", rows_of(("status", "type", "meaning"), [_answer(*each) for each in answers.items()])),
        _errors(errors),
        _part("Examples", listing(calls.curl(row), "curl"), listing(calls.python(row), "Python")),
        id_=row.operation,
    )


def _needs(row: Endpoint) -> str:
    if not row.needs_token:
        return " It needs no token."
    return f" A token needs the right {row.right}." if row.right else ""


def _part(title: str, *content: object) -> Html:
    return element("div", element("h3", title), *content, class_="section-part")


def _parameters(parameters: list[dict[str, Any]]) -> Html:
    if not parameters:
        return Html()
    rows = [
        (
            element("code", each["name"]),
            each["in"],
            join(type_of(each["schema"]), default_of(each["schema"])),
            inline(each["description"]),
        )
        for each in parameters
    ]
    return _part("Parameters", rows_of(("name", "in the", "type", "meaning"), rows))


def _body(body: Mapping[str, Any] | None, described: Mapping[str, Any]) -> Html:
    if body is None:
        return Html()
    (schema,) = [each["schema"] for each in body["content"].values()]
    named = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return _part("Body", element("p", type_of(schema), ", as JSON"), fields(named))


def _answer(status: int, answer: Mapping[str, Any]) -> tuple[str, Html, str]:
    kinds = [
        join(element("code", kind), " ", type_of(each["schema"]) if "$ref" in each["schema"] else "")
        for kind, each in answer["content"].items()
    ]
    where = "; Location says where to ask for it" if "headers" in answer else ""
    return str(status), join(*[element("div", kind) for kind in kinds]), answer["description"] + where


def _errors(errors: Mapping[int, Mapping[str, Any]]) -> Html:
    summary = element("summary", f"Errors: {', '.join(map(str, errors))}")
    rows = [(str(status), each["description"]) for status, each in errors.items()]
    return element("details", summary, rows_of(("status", "meaning"), rows))


def _schema(name: str, schema: Mapping[str, Any]) -> Html:
    listed = element("p", type_of(schema)) if "enum" in schema else ""
    return section(name, markdown(schema.get("description", "")), listed, fields(schema), id_=anchor(name), level=3)
