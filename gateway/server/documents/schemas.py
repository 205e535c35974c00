"""JSON Schemas as HTML: types in words that lead to other schemas, and tables of fields."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gateway.look.markup import Html, join
from gateway.look.sheet import element

Schema = Mapping[str, Any]

_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def anchor(name: str) -> str:
    """Return the id of the part of the page that explains a schema."""
    return f"schema-{name}"


def type_of(schema: Schema) -> Html:
    """Return the type of a value in words; the name of another schema is a link."""
    return _either(_alternatives(schema))


def fields(schema: Schema) -> Html:
    """Return a table of the fields of an object, or of the items of an array whose items differ; empty for others."""
    if "properties" in schema:
        head, required = "field", set(schema.get("required", ()))
        parts = sorted(schema["properties"].items(), key=lambda part: part[0] not in required)
    elif "prefixItems" in schema:
        head = "item"
        parts = [(each.get("title", str(place)), each) for place, each in enumerate(schema["prefixItems"])]
        required = {each for each, _ in parts[: schema.get("minItems", 0)]}
    else:
        return Html()
    rows = [_cells(name, each, is_required=name in required) for name, each in parts]
    return rows_of((head, "type", "meaning"), rows)


def rows_of(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """Return a table whose rows are put one below the other where there is little room, and that stays a table."""
    head = element("tr", *[element("th", text, scope="col", role="columnheader") for text in heads], role="row")
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", role="rowheader"),
            *[element("td", cell, role="cell") for cell in row[1:]],
            role="row",
        )
        for row in rows
    ]
    parts = (element("thead", head, role="rowgroup"), element("tbody", *body, role="rowgroup"))
    return element("table", *parts, class_="rows", role="table")


def markdown(text: str) -> Html:
    """Return paragraphs, lists and code of a description as HTML."""
    return join(*[_paragraph(each) for each in text.split("\n\n") if each.strip()])


def inline(text: str) -> Html:
    """Return one line of a description as HTML."""
    return Html(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))


def _paragraph(text: str) -> Html:
    if not text.startswith("* "):
        return element("p", inline(" ".join(text.split())))
    items = [" ".join(item.split()) for item in re.split(r"^\* ", text, flags=re.MULTILINE) if item.strip()]
    return element("ul", *[element("li", inline(item)) for item in items])


def _cells(name: str, schema: Schema, *, is_required: bool) -> tuple[Html, ...]:
    field = join(element("code", name), element("small", "required", class_="soft") if is_required else "")
    return field, join(type_of(schema), default_of(schema)), inline(schema.get("description", ""))


def default_of(schema: Schema) -> Html:
    """Return the default of a value in words, if it has one that is worth a word."""
    value = schema.get("default")
    if "default" not in schema or isinstance(value, dict):
        return Html()
    shown = "empty" if value in ("", []) else element("code", value if isinstance(value, str) else json.dumps(value))
    return join("; default ", shown)


def _alternatives(schema: Schema) -> list[Html]:
    if "enum" in schema:
        return [element("code", str(value)) for value in schema["enum"]]
    if "anyOf" in schema:
        return list(dict.fromkeys(found for each in schema["anyOf"] for found in _alternatives(each)))
    return [_one_type(schema)]


def _one_type(schema: Schema) -> Html:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return element("a", name, href=f"#{anchor(name)}")
    kind = schema.get("type", "any value")
    if kind == "array" and schema.get("items"):
        return join("non-empty list of " if schema.get("minItems") else "list of ", _grouped(schema["items"]))
    if kind == "object" and schema.get("additionalProperties"):
        return join("object of ", _grouped(schema["additionalProperties"]))
    return join(kind, _bounds(schema))


def _grouped(schema: Schema) -> Html:
    found = _alternatives(schema)
    return found[0] if len(found) == 1 else join("(", _either(found), ")")


def _either(parts: Sequence[Html]) -> Html:
    *most, last = parts
    commas = [item for part in most for item in (part, ", ")][:-1]
    return join(*commas, " or ", last) if most else last


def _bounds(schema: Schema) -> str:
    if "maxLength" in schema:
        return f" of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    return ",".join(f" {sign} {_number(schema[key])}" for key, sign in _BOUNDS.items() if key in schema)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
