"""The frame of a document: its head with the style sheet, its title, and its sections."""

from __future__ import annotations

from functools import cache
from importlib import resources

from gateway.look.markup import Html
from gateway.look.sheet import element, style_sheet, visible


def document(title: str, aside: object, *parts: object) -> str:
    """Return an HTML document that loads and runs nothing.

    Args:
        title: its title, and its heading.
        aside: what stands beside the heading.
        parts: its sections.
    """
    head = element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html('<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'),
        element("title", title),
        Html(f"<style>{_style()}</style>"),
    )
    heading = element("header", element("h1", title), element("p", aside, class_="soft small"), class_="what")
    body = element("body", element("main", heading, *parts, class_="document"))
    return visible(f"<!doctype html>\n{element('html', head, body, lang='en')}\n")


def section(title: object, *content: object, id_: str = "", level: int = 2) -> Html:
    """Return a section under a heading."""
    return element("section", element(f"h{level}", title), *content, id_=id_)


def listing(text: str, label: str) -> Html:
    """Return a text to copy, and what it is."""
    return element("figure", element("figcaption", label), element("pre", text, class_="code"))


@cache
def _style() -> str:
    own = resources.files(__package__).joinpath("document.css").read_text(encoding="utf-8")
    return f"\n{style_sheet()}\n{own}"
