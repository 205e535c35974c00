"""The parts of a page or a report as HTML: marks, bars, bitstrings and code, all with classes of ``sheet.css``.

Nothing here needs a script, and no element has a ``style`` attribute, so that a page can forbid both. What is no
:class:`~gateway.look.markup.Html` is escaped wherever it is put into some.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources

from gateway.look.bitstrings import LONG, NO_CLBITS, Piece
from gateway.look.markup import Html, html, join
from gateway.look.theme import DARK, LIGHT

DEFINITIONS = Html(
    '<svg width="0" height="0" aria-hidden="true" focusable="false" class="definitions"><defs>'
    '<pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    '<rect class="stripe" width="1.6" height="5"/></pattern>'
    '<symbol id="mark-differs" viewBox="0 0 20 20"><rect class="filled" width="20" height="20"/>'
    '<path class="cut-out" d="M5.5 7.6h9M5.5 12.4h9M12.6 4.4 7.4 15.6"/></symbol>'
    '<symbol id="mark-unequal" viewBox="0 0 12 13"><path d="M1.5 4.6h9M1.5 8.4h9M8.3 1.4 3.7 11.6"/></symbol>'
    '<symbol id="mark-agrees" viewBox="0 0 20 20"><path d="M5.5 7.6h9M5.5 12.4h9"/></symbol>'
    '<symbol id="mark-failed" viewBox="0 0 20 20"><rect class="outline" x="1" y="1" width="18" height="18"/>'
    '<path d="M10 4.6v6.6M10 13.4v2.2"/></symbol>'
    '<symbol id="mark-cannot" viewBox="0 0 20 20"><path d="M5.5 10h9"/></symbol>'
    '<symbol id="mark-queued" viewBox="0 0 20 20"><path d="M4.6 10h.02M10 10h.02M15.4 10h.02"/></symbol>'
    '<symbol id="mark-down" viewBox="0 0 20 20"><circle class="outline" cx="10" cy="10" r="5"/></symbol>'
    '<symbol id="mark-running" viewBox="0 0 20 20"><rect class="outline" x="1" y="1" width="18" height="18"/>'
    '<path class="filled" d="M7.4 5.6v8.8L14.4 10z"/></symbol>'
    '<symbol id="mark-finished" viewBox="0 0 20 20"><path d="m5 10.4 3.4 3.6L15 6.4"/></symbol>'
    '<symbol id="mark-cancelled" viewBox="0 0 20 20"><path d="m6 6 8 8M14 6l-8 8"/></symbol>'
    "</defs></svg>"
)
"""What marks and stripes are drawn with; it stands once in a document, before all of them."""

_VOID = frozenset({"col", "input"})
"""Elements that have no content, and so no end."""

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""Control characters but for tabs and line ends, and those that change the direction of what follows."""

KEYWORDS = (
    "OPENQASM", "include", "qubit", "bit", "qreg", "creg", "gate", "def", "measure", "reset", "barrier", "if", "else",
    "for", "while", "in", "int", "uint", "float", "angle", "bool", "const", "input", "output", "let", "ctrl", "negctrl",
    "inv", "pow", "opaque", "return", "switch", "case", "default",
)  # fmt: skip
"""The words of OpenQASM that are told apart from names."""

_CODE = re.compile(rf"(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<keyword>\b(?:{'|'.join(KEYWORDS)})\b)", re.DOTALL)


@cache
def style_sheet(*, with_choice: bool = False) -> str:
    """Return the style sheet that pages and reports share, light or dark as the reader's system is.

    Args:
        with_choice: whether a ``data-theme`` of the root element, ``light`` or ``dark``, comes before the system.
    """
    sheet = resources.files(__package__).joinpath("sheet.css").read_text(encoding="utf-8")
    light, dark = (
        f"{{ color-scheme: {name}; {theme.variables()} }}" for name, theme in (("light", LIGHT), ("dark", DARK))
    )
    followers = ':root:not([data-theme="light"])' if with_choice else ":root"
    rules = [f":root {light}", f"@media (prefers-color-scheme: dark) {{ {followers} {dark} }}"]
    if with_choice:
        rules.append(f':root[data-theme="dark"] {dark}')
    return "\n".join([*rules, sheet])


def element(name: str, /, *parts: object, **attributes: object) -> Html:
    """Return an element; each part and attribute is escaped unless it is HTML.

    Args:
        name: such as ``td``.
        parts: what is in it.
        attributes: a trailing underscore is removed and others become hyphens, as in ``class_`` and ``aria_label``;
            ``None``, ``False`` and an empty text leave the attribute out, ``True`` has no value.
    """
    end = "" if name in _VOID else f"</{name}>"
    return join(Html(f"<{name}{_attributes(attributes)}>"), *parts, Html(end))


def table(
    heads: Sequence[Html], rows: Sequence[Html], *, class_: str = "", caption: object = "", **attributes: object
) -> Html:
    """Return a table.

    Args:
        heads: the ``th`` of the only row of the head; without any there is no head.
        rows: the ``tr`` of the body.
        class_: its class.
        caption: the ``caption`` and the ``colgroup``, if there are any.
        attributes: others; with ``role="table"`` the groups and the row of the head have theirs, too, so that it stays
            a table for a screen reader where a sheet lays it out otherwise.
    """
    group, row = ("rowgroup", "row") if attributes.get("role") == "table" else (None, None)
    head = element("thead", element("tr", *heads, role=row), role=group) if heads else ""
    return element("table", caption, head, element("tbody", *rows, role=group), class_=class_, **attributes)


def mark(name: str) -> Html:
    """Return a mark; its word stands beside it.

    Args:
        name: ``agrees``, ``differs``, ``failed``, ``cannot``, ``down``, ``queued``, ``running``, ``finished`` or
            ``cancelled``.
    """
    return Html(f'<svg class="mark mark-{name}" aria-hidden="true" focusable="false"><use href="#mark-{name}"/></svg>')


def unequal() -> Html:
    """Return the small bare mark that hangs before a number that differs."""
    return Html('<svg class="unequal" aria-hidden="true" focusable="false"><use href="#mark-unequal"/></svg>')


def bar(
    share: float,
    *,
    start: float = 0.0,
    differs: bool = False,
    hollow: bool = False,
    tick: float | None = None,
    chance: tuple[float, float] | None = None,
    span: tuple[float, float] | None = None,
) -> Html:
    """Return a bar on its scale; all numbers are shares of the scale, from 0 to 1.

    Args:
        share: where the bar ends.
        start: where it begins; a deviation to the left ends before it begins.
        differs: whether the bar is that of who differs.
        hollow: whether the bar is the reference itself.
        tick: where the reference is.
        chance: from where to where chance alone may lead.
        span: from where to where several measurements lie.
    """
    parts = ['<rect class="track" x="0" y="15" width="100%" height="1"/>']
    if chance is not None:
        parts.append(_rectangle("chance", *chance, top=0, height=15))
    if share != start:
        ends = min(start, share), max(start, share)
        parts.append(_rectangle("hollow" if hollow else "datum differs" if differs else "datum", *ends))
        if differs and not hollow:
            parts.append(_rectangle("stripes", *ends))
    if span is not None and span[0] < span[1]:
        parts.append(_line("span", _per_cent(span[0]), _per_cent(span[1]), 8, 8))
    if tick is not None:
        place = _per_cent(tick)
        parts += [_line("halo", place, place, 3, 13), _line("tick", place, place, 0, 15)]
    return Html(f'<svg class="bar" aria-hidden="true" focusable="false">{"".join(parts)}</svg>')


def bits(pieces: Sequence[Piece]) -> Html:
    """Return a bitstring from its pieces; the whole of it is the title where it is not written bit by bit."""
    if not pieces:
        return element("span", NO_CLBITS, class_="soft")
    whole = "".join(piece.bits for piece in pieces)
    written = "".join(piece.text for piece in pieces)
    kind = "bits long" if len(whole) >= LONG else "bits"
    return element("span", *map(_piece, pieces), class_=kind, title=whole if whole != written else None)


def breakable(text: str) -> Html:
    """Return a name that may be broken after each underscore."""
    return Html("_<wbr>".join(str(html(part)) for part in text.split("_")))


def scrolling(content: object, label: str) -> Html:
    """Return something that scrolls by itself where it is wider than its place, and so takes the focus."""
    return element("div", content, class_="scroll", tabindex=0, role="group", aria_label=label)


def choice(name: str, label: str, options: Mapping[str, str], chosen: str, *, class_: str = "") -> Html:
    """Return a switch of radio buttons; what it changes, the sheet finds by the value that is checked.

    Args:
        name: unique in the document.
        label: what is chosen.
        options: value -> text.
        chosen: the value of the one that is checked at first.
        class_: another class.
    """
    buttons = [
        element("label", element("input", type="radio", name=name, value=value, checked=value == chosen), text)
        for value, text in options.items()
    ]
    return element("div", *buttons, class_=f"choice {class_}".strip(), role="group", aria_label=label)


def code(text: str) -> Html:
    """Return OpenQASM with its keywords and comments told apart."""
    parts: list[object] = []
    end = 0
    for found in _CODE.finditer(text):
        parts += [text[end : found.start()], element("span", found.group(), class_=found.lastgroup)]
        end = found.end()
    return join(*parts, text[end:])


def visible(text: str) -> str:
    """Return a text or markup in which characters that would hide or reorder others are replaced."""
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _attributes(attributes: dict[str, object]) -> str:
    text = ""
    for name, value in attributes.items():
        if value is None or value is False or value == "":
            continue
        key = name.rstrip("_").replace("_", "-")
        text += f" {key}" if value is True else f' {key}="{escape(str(value))}"'
    return text


def _piece(piece: Piece) -> Html:
    parts = [element("b", text) if marked else html(text) for text, marked in piece.fragments]
    if piece.form == "number":
        parts[1] = element("small", parts[1])
    return element("i", *parts)


def _rectangle(kind: str, low: float, high: float, *, top: int = 3, height: int = 10) -> str:
    low, high = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    place = f'x="{_per_cent(low)}" y="{top}" width="{_per_cent(high - low)}" height="{height}"'
    return f'<rect class="{kind}" {place}/>'


def _line(kind: str, left: str, right: str, top: float, bottom: float) -> str:
    return f'<line class="{kind}" x1="{left}" x2="{right}" y1="{top}" y2="{bottom}"/>'


def _per_cent(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
