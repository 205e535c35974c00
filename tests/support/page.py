"""Reads the HTML of a page or report, and refuses what such a file must not hold."""

from __future__ import annotations

import re
from collections.abc import Collection
from html.parser import HTMLParser

EMPTY = {"br", "circle", "col", "input", "line", "meta", "path", "rect", "use", "wbr"}
FORBIDDEN = frozenset({"base", "button", "embed", "form", "iframe", "img", "link", "object", "script", "video"})


class Page(HTMLParser):
    """A document whose elements all have an end, and which loads and runs nothing.

    Args:
        markup: the document.
        links: where links may lead, beside parts of the document itself.

    Attributes:
        text: all the text outside of ``style`` and ``title``.
        style: the style sheets.
        title: the title.
        tables: for each table its rows, each a list of the texts of its cells.
        headings: the level and the text of each heading.
        classes: all classes in use.
        attributes: every attribute of every element.
        forbidden: elements that it must not have.
    """

    forbidden = FORBIDDEN

    def __init__(self, markup: str, links: Collection[str] = ()) -> None:
        super().__init__(convert_charrefs=True)
        self.links = links
        self.open: list[str] = []
        self.text = self.style = self.title = ""
        self.tables: list[list[list[str]]] = []
        self.headings: list[tuple[int, str]] = []
        self.classes: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(markup)
        self.close()
        assert not self.open, f"elements without an end: {self.open}"
        assert "url(" not in self.style.replace("url(#", "")
        assert "@import" not in self.style

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in self.forbidden, tag
        assert tag != "input" or dict(attrs)["type"] == "radio", "a report has switches, and asks for nothing"
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style", "a policy forbids attributes of style"
            assert name not in {"src", "srcset", "action"}, name
            assert name != "href" or value in self.links or re.fullmatch(r"#[\w-]+", value or ""), value
            self.attributes.append((tag, name, value or ""))
        self.classes.update((dict(attrs).get("class") or "").split())
        if tag not in EMPTY:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        if re.fullmatch(r"h\d", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag not in EMPTY:
            assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"style", "title"}:
            setattr(self, self.open[-1], getattr(self, self.open[-1]) + data)
            return
        self.text += data
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data
        if any(re.fullmatch(r"h\d", tag) for tag in self.open):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def table(self, head: str) -> list[list[str]]:
        """Return the rows of the first table whose first cell is this text."""
        return next(table for table in self.tables if table and table[0] and table[0][0] == head)


class Part(Page):
    """What the page of the gateway shows of a comparison: it may have buttons for the page's script."""

    forbidden = FORBIDDEN - {"button"}
