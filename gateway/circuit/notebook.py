"""A circuit as IPython shows it: a picture in a notebook, and text in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.circuit.picture import draw
from gateway.look import markup
from gateway.look.numbers import integer, several

if TYPE_CHECKING:
    from gateway.circuit.circuit import Circuit

_DEPTH_UP_TO = 100_000
"""The number of operations up to which the depth is computed, which takes a microsecond for each."""


_TEXT_UP_TO = 500
"""The number of operations up to which a circuit is drawn in text without being asked."""


def show(circuit: Circuit) -> markup.Html:
    """Return a circuit's size and picture."""
    depth = f", depth {integer(circuit.depth())}" if len(circuit.operations) <= _DEPTH_UP_TO else ""
    picture = draw(circuit)
    image = markup.picture(picture.svg, picture.description, picture.width, picture.height)
    remark = markup.note(picture.remark) if picture.remark else ""
    return markup.block(markup.title("Circuit", _size(circuit) + depth), image, remark)


def draw_briefly(circuit: Circuit) -> str:
    """Return the drawing of a circuit in text, or only the size of one whose drawing would be long."""
    return circuit.draw() if len(circuit.operations) <= _TEXT_UP_TO else f"Circuit({_size(circuit)})"


def _size(circuit: Circuit) -> str:
    numbers = [(circuit.num_qubits, "qubit"), (circuit.num_clbits, "clbit"), (len(circuit.operations), "operation")]
    return ", ".join([several(number, noun) for number, noun in numbers])
