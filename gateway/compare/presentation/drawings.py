"""The circuits of a report as pictures; the gates that a diagnosis names are filled."""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.circuit import Circuit, parse
from gateway.circuit.picture import PAGE, draw
from gateway.compare.record import Case
from gateway.compare.verdict import Standing, standing
from gateway.errors import GatewayError
from gateway.look.markup import Html, join
from gateway.look.sheet import element, scrolling

WIDTH = 960.0
"""The width in pixels at which pictures are folded; a sheet is a fifth narrower, and shows them that much smaller."""


@lru_cache(maxsize=64)
def parsed(text: str) -> Circuit | None:
    """Return the circuit of a text; ``None`` if it cannot be read, as that of a record that somebody edited."""
    try:
        return parse(text)
    except GatewayError:
        return None


def circuit(case: Case) -> Circuit | None:
    """Return the circuit of a comparison."""
    return parsed(case.openqasm)


def suspects(case: Case) -> frozenset[str]:
    """Return the gates of the circuit that the likeliest causes name, as in ``angle-negated:rz``."""
    found = circuit(case)
    if found is None:
        return frozenset()
    gates = {operation.name for operation in found.operations}
    named: set[str] = set()
    for row in case.rows:
        if standing(row) is Standing.DIFFERS and row.causes:
            named.update(re.split(r"[^a-zA-Z0-9_]+", row.causes[0].name.partition(":")[2]))
    return frozenset(named & gates)


def of_text(text: str, hot: frozenset[str]) -> Html:
    """Return the picture of an OpenQASM text, or nothing if it cannot be read."""
    found = parsed(text)
    return Html() if found is None else drawn(found, hot)


def drawn(circuit: Circuit, hot: frozenset[str]) -> Html:
    """Return the picture of a circuit, and a sentence about what of it is not drawn."""
    picture = draw(circuit, hot=hot, palette=PAGE, width=WIDTH)
    remark = element("p", picture.remark, class_="small soft") if picture.remark else ""
    return join(scrolling(Html(picture.svg), "Drawing of the circuit"), remark)
