"""The report: one HTML file without scripts, which loads nothing and is light or dark as its reader's system is."""

from __future__ import annotations

from importlib import resources

from gateway.compare.presentation import words
from gateway.compare.presentation.article import article
from gateway.compare.presentation.sections import Section
from gateway.compare.record import Record
from gateway.compare.verdict import verdict_parts
from gateway.look.markup import Html
from gateway.look.sheet import DEFINITIONS, element, style_sheet, visible

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the file: nothing but show it. Were anything not escaped, it would still not run."""


def html_report(record: Record, *, since: str = "") -> str:
    """Return a comparison of one or several circuits as an HTML document.

    Args:
        record: the comparison.
        since: a sentence about what has changed since an earlier record; it stands under the verdict.
    """
    parts = article(record, Section(), since=since)
    sheet = element("article", _title(record), *parts, class_="sheet")
    return visible(f"<!doctype html>\n{element('html', _head(record), _body(sheet), lang='en')}\n")


def _head(record: Record) -> Html:
    own = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    name = f" - {record.cases[0].name}" if len(record.cases) == 1 else ""
    return element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="color-scheme" content="light dark">'),
        element("title", f"{verdict_parts(record)[0].rstrip('.;:')}{name}"),
        Html(f"<style>\n{style_sheet()}\n{own}</style>"),
    )


def _body(sheet: Html) -> Html:
    return element("body", DEFINITIONS, element("main", sheet))


def _title(record: Record) -> Html:
    named = element("span", record.cases[0].name) if len(record.cases) == 1 else ""
    return element(
        "header", element("h1", words.title(record)), named, element("span", words.when(record)), class_="what"
    )
