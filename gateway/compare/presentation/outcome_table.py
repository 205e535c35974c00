"""The matrix of outcomes as a table of HTML, with a bar in each cell, and the key to it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.compare.presentation import words
from gateway.compare.presentation.matrix import Cell, Column, Matrix
from gateway.look import numbers
from gateway.look.bitstrings import LONG, readable
from gateway.look.markup import Html, html, join
from gateway.look.sheet import bar, bits, breakable, element, mark, table, unequal

PHONE_COLUMNS = 3
"""So many columns beside the labels fit on a phone."""

MIDDLE = 5
"""From so many clbits on, bitstrings need a wider column."""


def outcome_table(found: Matrix, *, caption: object = "", reference: bool = True) -> Html:
    """Return a matrix as a table.

    Args:
        found: the matrix.
        caption: what the table is; one with a caption has no heads.
        reference: whether the reference has a column of its own.
    """
    columns = _columns(found)
    rows = []
    for place, label in enumerate(_labels(found)):
        cells = [_cell(found, column.cells[place], place, kind) for column, kind in columns]
        expected = [_expected(found, place)] if reference and found.expected is not None else []
        rows.append(element("tr", element("th", label, scope="row"), *expected, *cells))
    if found.others:
        rows.append(_others(found, columns))
    heads = [] if caption else _heads(found, columns)
    caption = join(caption, element("colgroup", Html('<col class="label">')))
    return table(heads, rows, class_=_kinds(found, columns), caption=caption)


def _kinds(found: Matrix, columns: Sequence[tuple[Column, str]]) -> str:
    width = 0 if found.of_clbits else len(str(found.labels[0]))
    kinds = ["matrix", "" if width < MIDDLE else "middle" if width < LONG - MIDDLE else "long"]
    kinds.append("signed" if found.of_clbits and found.expected is not None else "")
    kinds.append("ungrouped" if len(columns) == len(found.columns) > PHONE_COLUMNS else "")
    return " ".join(filter(None, kinds))


def _columns(found: Matrix) -> list[tuple[Column, str]]:
    """Return the columns with their class: where the place is narrow, one stands for all that agree."""
    together = [column for column in found.grouped if len(column.names) > 1]
    if len(together) != 1 or together[0] in found.columns:
        return [(column, "") for column in found.columns]
    (group,) = together
    each = [(column, "wide-only" if set(column.names) <= set(group.names) else "") for column in found.columns]
    return [(group, "narrow-only"), *each]


def _labels(found: Matrix) -> list[Html]:
    if found.of_clbits:
        return [html(f"clbit{numbers.NO_BREAK}{clbit}") for clbit in found.labels]
    return [bits(pieces) for pieces in readable([str(label) for label in found.labels])]


def _heads(found: Matrix, columns: Sequence[tuple[Column, str]]) -> list[Html]:
    heads = [element("th", "clbit" if found.of_clbits else "outcome", scope="col")]
    if found.expected is not None:
        unit = "% ones, exact" if found.of_clbits else "exact, %"
        heads.append(element("th", element("span", "reference", class_="name"), element("small", unit), scope="col"))
    return heads + [_column_head(column, kind) for column, kind in columns]


def _column_head(column: Column, kind: str) -> Html:
    under = "differs" if column.differs else words.members(column)
    title = element("span", breakable(column.title))
    name = element("span", mark("differs") if column.differs else "", title, class_="name")
    return element("th", name, element("small", breakable(under)) if under else "", scope="col", class_=kind)


def _expected(found: Matrix, place: int) -> Html:
    expected = found.expected or ()
    share = expected[place]
    end = max(expected) if found.of_clbits else found.end
    text = numbers.per_cent(share) if found.of_clbits else words.probability(share, found.end)
    return element("td", _drawn(text, bar(share / end if end else 0.0, hollow=True)))


def _cell(found: Matrix, cell: Cell, place: int, kind: str) -> Html:
    middle = found.expected[place] if found.of_clbits and found.expected is not None else None
    if middle is None:
        text, drawn = numbers.per_cent(cell.share, found.end), _share_bar(found, cell, place)
    else:
        text, drawn = words.deviation(cell.share, middle, found.end), _deviation_bar(found, cell, middle)
    if not cell.differs:
        return element("td", _drawn(text, drawn), class_=kind)
    hidden = element("span", join(text, element("b", " differs", class_="hidden")))
    return element("td", element("div", unequal(), hidden, drawn, class_="cell"), class_=f"differs {kind}".strip())


def _drawn(text: str, drawn: Html) -> Html:
    return element("div", element("span", text), drawn, class_="cell")


def _share_bar(found: Matrix, cell: Cell, place: int) -> Html:
    end = found.end
    return bar(
        cell.share / end,
        differs=cell.differs,
        tick=None if found.expected is None else found.expected[place] / end,
        chance=None if cell.chance is None else (cell.chance[0] / end, cell.chance[1] / end),
        span=(cell.lowest / end, cell.highest / end),
    )


def _deviation_bar(found: Matrix, cell: Cell, middle: float) -> Html:
    def place(share: float) -> float:
        return 0.5 + (share - middle) / found.end / 2

    return bar(
        place(cell.share),
        start=0.5,
        differs=cell.differs,
        tick=0.5,
        chance=None if cell.chance is None else (place(cell.chance[0]), place(cell.chance[1])),
        span=(place(cell.lowest), place(cell.highest)),
    )


def _others(found: Matrix, columns: Sequence[tuple[Column, str]]) -> Html:
    def cell(text: str, kind: str) -> Html:
        return element("td", element("div", element("span", text), class_="cell"), class_=kind)

    sign = "±" if found.of_clbits else ""
    cells = [cell(f"{sign}{numbers.per_cent(column.others, found.end)}", kind) for column, kind in columns]
    if found.expected is not None:
        first = "at most" if found.of_clbits else numbers.per_cent(found.others_expected, found.end)
        cells.insert(0, cell(first, ""))
    return element("tr", element("th", words.others(found), scope="row"), *cells, class_="others")


def key(found: Matrix) -> Html:
    """Return what bars, ticks, bands and stripes mean, as far as they occur."""

    def sample(*parts: str) -> Html:
        return Html(f'<svg aria-hidden="true" focusable="false">{"".join(parts)}</svg>')

    entries: list[tuple[Html, str]] = [(sample('<rect class="datum" x="0" y="3" width="20" height="10"/>'), "shots")]
    if found.expected is not None:
        tick = '<svg class="narrow" aria-hidden="true"><line class="tick" x1="1" x2="1" y1="0" y2="15"/></svg>'
        entries.append((Html(tick), "reference"))
        entries.append(
            (sample('<rect class="chance" x="0" y="0" width="20" height="15"/>'), "what chance alone may do")
        )
    if any(cell.differs for column in found.columns for cell in column.cells):
        shape = 'x="0" y="3" width="24" height="10"/>'
        striped = sample(f'<rect class="datum differs" {shape}', f'<rect class="stripes" {shape}')
        entries.append((join(striped, unequal()), "differs"))
    if any(len(column.names) > 1 for column in found.columns):
        span = sample('<line class="span" x1="0" x2="20" y1="8" y2="8"/>')
        entries.append((span, "from the lowest to the highest of a group"))
    return element("p", *[element("span", drawn, text) for drawn, text in entries], class_="key")
