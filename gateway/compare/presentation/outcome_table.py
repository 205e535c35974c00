"""The matrix of outcomes as a table of HTML, with a bar in each cell, and the key to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.compare.presentation import words
from gateway.compare.presentation.matrix import SIDE_BY_SIDE, Cell, Column, Matrix
from gateway.look import numbers
from gateway.look.bitstrings import LONG, readable
from gateway.look.markup import Html, html, join
from gateway.look.sheet import bar, bits, breakable, element, mark, table, unequal

PHONE_COLUMNS = 3
"""So many columns beside the labels fit on a phone."""

EACH = "each"
"""The value of the switch that shows a column for each simulator."""

MIDDLE = 5
"""From so many clbits on, bitstrings need a wider column."""


def outcome_table(
    found: Matrix, *, caption: object = "", reference: bool = True, stages: Mapping[str, str] | None = None
) -> Html:
    """Return a matrix as a table.

    Args:
        found: the matrix.
        caption: what the table is; one with a caption has no heads.
        reference: whether the reference has a column of its own.
        stages: simulator -> what it does, such as ``running``, of those that have not ended; ``None`` when all have.
    """
    columns = _columns(found)
    rows = []
    for place, label in enumerate(_labels(found)):
        if found.differing:
            rows += _row_head(found, place)
        cells = [_cell(found, column.cells[place] if column.cells else None, place, kind) for column, kind in columns]
        expected = [_expected(found, place)] if reference and found.expected is not None else []
        rows.append(element("tr", element("th", label, scope="row", role="rowheader"), *expected, *cells, role="row"))
    if found.others:
        rows.append(_others(found, columns))
    heads = [] if caption else _heads(found, columns, stages)
    title = caption or element("caption", element("span", words.matrix(found), class_="hidden"))
    title = join(title, element("colgroup", Html('<col class="label">')))
    return table(heads, rows, class_=_kinds(found, columns), caption=title, role="table")


def has_groups(found: Matrix) -> bool:
    """Return whether simulators share columns, at least where there is little room."""
    return any(kind for _, kind in _columns(found))


def is_wide(found: Matrix) -> bool:
    """Return whether simulators share columns wherever they are shown."""
    return any(kind == "each-only" for _, kind in _columns(found))


def _row_head(found: Matrix, place: int) -> list[Html]:
    """Return the row that says why the rows beneath it are shown, if one begins there."""
    text = {0: words.differing(found), found.differing: "then the most likely"}.get(place)
    if text is None:
        return []
    head = element("th", text, scope="rowgroup", role="rowheader", colspan=PHONE_COLUMNS)
    return [element("tr", head, role="row", class_="why")]


def _kinds(found: Matrix, columns: Sequence[tuple[Column, str]]) -> str:
    width = 0 if found.of_clbits else len(str(found.labels[0]))
    kinds = ["matrix", "" if width < MIDDLE else "middle" if width < LONG - MIDDLE else "long"]
    kinds.append("signed" if found.of_clbits and found.expected is not None else "")
    narrow = sum(kind in {"", "narrow-only", "groups-only"} for _, kind in columns) + (found.expected is not None)
    kinds.append("ungrouped" if narrow > PHONE_COLUMNS else "")
    return " ".join(filter(None, kinds))


def _columns(found: Matrix) -> list[tuple[Column, str]]:
    """Return the columns with their class: where there is little room, one stands for all that agree.

    Of more than six simulators it does so everywhere, unless the switch asks for each.
    """
    together = [column for column in found.grouped if len(column.names) > 1]
    members = {name for column in together for name in column.names}
    is_wide = len(found.each) > SIDE_BY_SIDE or any(column in found.columns for column in together)
    group_kind, each_kind = ("groups-only", "each-only") if is_wide else ("narrow-only", "wide-only")
    each = [(column, each_kind if column.title in members or not column.cells else "") for column in found.each]
    return [*[(column, group_kind) for column in together], *each]


def _labels(found: Matrix) -> list[Html]:
    if found.of_clbits:
        return [html(f"clbit{numbers.NO_BREAK}{clbit}") for clbit in found.labels]
    return [bits(pieces) for pieces in readable([str(label) for label in found.labels])]


def _heads(found: Matrix, columns: Sequence[tuple[Column, str]], stages: Mapping[str, str] | None) -> list[Html]:
    heads = [_head("clbit" if found.of_clbits else "outcome")]
    if found.expected is not None:
        unit = "% ones, exact" if found.of_clbits else "exact, %"
        heads.append(_head(element("span", "reference", class_="name"), element("small", unit)))
    return heads + [_column_head(column, kind, stages) for column, kind in columns]


def _column_head(column: Column, kind: str, stages: Mapping[str, str] | None) -> Html:
    under, drawn = words.members(column), Html()
    if column.differs:
        under, drawn = "differs", mark("differs")
    elif stages is not None and not column.cells:
        under = stages.get(column.title, "queued")
        drawn = mark("queued" if under == "queued" else "running")
    elif stages is not None and len(column.names) == 1:
        under = "finished"
    name = element("span", drawn, element("span", breakable(column.title)), class_="name")
    return _head(name, element("small", breakable(under)) if under else "", class_=kind)


def _head(*parts: object, class_: str = "") -> Html:
    return element("th", *parts, scope="col", role="columnheader", class_=class_)


def _expected(found: Matrix, place: int) -> Html:
    return element("td", _drawn(*expectation(found, place)), role="cell")


def _cell(found: Matrix, cell: Cell | None, place: int, kind: str) -> Html:
    if cell is None:
        return element("td", role="cell", class_=kind)
    text, drawn = content(found, cell, place)
    if not cell.differs:
        return element("td", _drawn(text, drawn), role="cell", class_=kind)
    hidden = element("span", join(text, element("b", " differs", class_="hidden")))
    whole = element("div", unequal(), hidden, drawn, class_="cell")
    return element("td", whole, role="cell", class_=f"differs {kind}".strip())


def expectation(found: Matrix, place: int) -> tuple[str, Html]:
    """Return what the reference expects at a row, as text and as a hollow bar."""
    expected = found.expected or ()
    share = expected[place]
    end = max(expected) if found.of_clbits else found.end
    text = numbers.per_cent(share) if found.of_clbits else words.probability(share, found.end)
    return text, bar(share / end if end else 0.0, hollow=True)


def content(found: Matrix, cell: Cell, place: int) -> tuple[str, Html]:
    """Return what stands in a cell, as text and as a bar."""
    middle = found.expected[place] if found.of_clbits and found.expected is not None else None
    if middle is None:
        return numbers.per_cent(cell.share, found.end), _share_bar(found, cell, place)
    return words.deviation(cell.share, middle, found.end), _deviation_bar(found, cell, middle)


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
        return element("td", element("div", element("span", text), class_="cell"), role="cell", class_=kind)

    sign = "±" if found.of_clbits else ""
    cells = [
        cell(f"{sign}{numbers.per_cent(column.others, found.end)}" if column.cells else "", kind)
        for column, kind in columns
    ]
    if found.expected is not None:
        first = "at most" if found.of_clbits else numbers.per_cent(found.others_expected, found.end)
        cells.insert(0, cell(first, ""))
    head = element("th", words.others(found), scope="row", role="rowheader")
    return element("tr", head, *cells, role="row", class_="others")


def key(found: Matrix) -> Html:
    """Return what bars, ticks, bands and stripes mean, as far as they occur."""

    def sample(*parts: str) -> Html:
        return Html(f'<svg aria-hidden="true" focusable="false">{"".join(parts)}</svg>')

    shots = sample('<rect class="datum" x="0" y="3" width="20" height="10"/>')
    entries: list[tuple[Html, str, str]] = [(shots, "shots", "")]
    if found.expected is not None:
        tick = '<svg class="narrow" aria-hidden="true"><line class="tick" x1="1" x2="1" y1="0" y2="15"/></svg>'
        entries.append((Html(tick), "reference", ""))
        entries.append(
            (sample('<rect class="chance" x="0" y="0" width="20" height="15"/>'), "what chance alone may do", "")
        )
    if any(cell.differs for column in found.columns for cell in column.cells):
        shape = 'x="0" y="3" width="24" height="10"/>'
        striped = sample(f'<rect class="datum differs" {shape}', f'<rect class="stripes" {shape}')
        entries.append((join(striped, unequal()), "differs", ""))
    spans = "" if is_wide(found) or any(len(column.names) > 1 for column in found.columns) else "narrow-only"
    if has_groups(found):
        span = sample('<line class="span" x1="0" x2="20" y1="8" y2="8"/>')
        entries.append((span, "from the lowest to the highest of a group", spans))
    return element("p", *[element("span", drawn, text, class_=kind) for drawn, text, kind in entries], class_="key")
