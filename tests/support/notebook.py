"""The rules that a notebook's output keeps, so that every host shows it: see :mod:`gateway.look.markup`."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ELEMENTS = {
    "b", "br", "code", "details", "div", "img", "pre", "span", "strong", "summary", "table", "tbody", "td", "th",
    "thead", "tr", "u",
}  # fmt: skip
EMPTY = {"br", "img"}
ATTRIBUTES = {"alt", "height", "src", "style", "title", "width"}
COLOR = re.compile(r"#[0-9a-f]{6}|rgba\([\d,.]+\)")
PROPERTIES = {
    "background", "background-color", "background-image", "background-size", "border", "border-bottom",
    "border-collapse", "border-left", "color", "cursor", "display", "font-family", "font-size", "font-variant-numeric",
    "font-weight", "height", "left", "line-height", "margin", "max-height", "max-width", "opacity", "overflow",
    "overflow-wrap", "overflow-x", "padding", "padding-bottom", "padding-left", "padding-top", "position", "text-align",
    "top", "vertical-align", "white-space", "width",
}  # fmt: skip


class Output(HTMLParser):
    """Reads an output and refuses what a notebook might remove or run.

    Attributes:
        rows: the text of each cell, by row.
        text: all the text.
        titles: the titles of elements.
    """

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.titles: list[str] = []
        self.feed(markup)
        self.close()
        assert not self.open, f"elements without an end: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES, name
            assert name != "src" or str(value).startswith("data:image/svg+xml;base64,")
            if name == "style":
                check_style(str(value))
            if name == "title":
                self.titles.append(str(value))
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check_style(style: str) -> None:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        assert colon, style
        assert name in PROPERTIES, name
        assert "var(" not in value, "a host has no variables of ours"
        assert "url(" not in value, "nothing is loaded"
        for color in re.findall(r"#\w+|\w+\([^)]*\)", value.replace("linear-gradient(", "")):
            assert COLOR.fullmatch(color), color
