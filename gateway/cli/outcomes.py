"""What ``gateway run`` prints: counts, probabilities or amplitudes, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway.amplitudes import Amplitudes
from gateway.cli.bars import bar
from gateway.cli.tables import GAP, INDENT, Column, natural_width, table
from gateway.counts import Counts, Probabilities, Result, Statevector
from gateway.density_matrix import DensityMatrix
from gateway.expectation import Expectation
from gateway.look import numbers
from gateway.look.bitstrings import Piece, explanations, plain_text, readable
from gateway.look.outcomes import ROWS, scale_end, shown
from gateway.look.results import described, quantity
from gateway.look.terminal import Terminal
from gateway.provenance import Provenance
from gateway.shot_memory import Memory

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_LONGEST_BAR = 60
_SHORTEST_BAR = 8
_NEGLIGIBLE = 1e-12


class _Sheet(NamedTuple):
    """How one result is shown.

    Args:
        what: what the labels are.
        values: bitstring -> shots or probability.
        total: what they sum up to; bars are shares of it.
        columns: those between label and bar.
        cells: the texts of these; of an outcome, or ``None`` for those left out, its value, and where bars end.
        facts: what the note says first.
        order: which bit is where.
    """

    what: str
    values: Mapping[str, float]
    total: float
    columns: Sequence[Column]
    cells: Callable[[str | None, float, float], Sequence[str]]
    facts: str
    order: str = "clbit 0 rightmost"


def draw(result: Result, terminal: Terminal) -> list[RenderableType]:
    """Return what is printed of a result."""
    if isinstance(result, Counts):
        return _draw(_counts(result), result.provenance, terminal)
    if isinstance(result, Probabilities):
        return _draw(_probabilities(result), result.provenance, terminal)
    if isinstance(result, Statevector):
        return _draw(_state_vector(result), result.provenance, terminal)
    if isinstance(result, Amplitudes):
        return _draw(_some_amplitudes(result), result.provenance, terminal)
    if isinstance(result, Memory):
        return [*_draw(_counts(result.counts()), result.provenance, terminal), _in_order(result, terminal)]
    if isinstance(result, DensityMatrix):
        return _draw(_diagonal(result), result.provenance, terminal)
    if isinstance(result, Expectation):
        return _values(result, terminal)
    return [terminal.text(repr(result))]


def pieces(bitstrings: Sequence[str], terminal: Terminal) -> list[list[Piece]]:
    """Return the pieces of outcomes that are shown together; what is not underlined here is not marked as unlike."""
    outcomes = readable(bitstrings) if bitstrings else []
    if terminal.is_coloured:
        return outcomes
    return [[piece._replace(unlike=(False,) * len(piece.unlike)) for piece in outcome] for outcome in outcomes]


def label(outcome: Sequence[Piece], terminal: Terminal) -> Text:
    """Return a bitstring; bits unlike those of the first outcome are underlined."""
    text = terminal.text(plain_text(outcome))
    position = 0
    for fragment, is_unlike in (part for piece in outcome for part in piece.fragments):
        position = text.plain.index(terminal.spell(fragment), position)
        end = position + len(terminal.spell(fragment))
        if is_unlike:
            text.stylize("underline", position, end)
        position = end
    return text


def _counts(counts: Counts) -> _Sheet:
    shots = counts.shots

    def cells(_: str | None, number: float, end: float) -> Sequence[str]:
        return numbers.integer(round(number)), numbers.per_cent(number / shots, end)

    columns = [Column("shots", right=True), Column("%", right=True, rank=1)]
    return _Sheet("outcome", counts, shots, columns, cells, numbers.several(shots, "shot"))


def _probabilities(values: Probabilities) -> _Sheet:
    def cells(_: str | None, value: float, _end: float) -> Sequence[str]:
        return (numbers.probability(value),)

    return _Sheet("outcome", values, 1.0, [Column("probability", right=True)], cells, "exact")


def _state_vector(state: Statevector) -> _Sheet:
    amplitudes = _present(state)
    squares = {bits: abs(amplitude) ** 2 for bits, amplitude in amplitudes.items()}

    def cells(bits: str | None, value: float, _: float) -> Sequence[str]:
        return "" if bits is None else _complex(amplitudes[bits]), f"{value:.4f}"

    columns = [Column("amplitude", right=True), Column("probability", right=True, rank=1)]
    return _Sheet("state", squares, 1.0, columns, cells, "", "qubit 0 rightmost")


def _some_amplitudes(amplitudes: Amplitudes) -> _Sheet:
    squares = {bits: abs(amplitude) ** 2 for bits, amplitude in amplitudes.items()}

    def cells(bits: str | None, value: float, _: float) -> Sequence[str]:
        return "" if bits is None else _complex(amplitudes[bits]), f"{value:.4f}"

    columns = [Column("amplitude", right=True), Column("probability", right=True, rank=1)]
    return _Sheet("state", squares, 1.0, columns, cells, "", "qubit 0 rightmost")


def _diagonal(matrix: DensityMatrix) -> _Sheet:
    width = matrix.num_qubits
    diagonal = {
        f"{index:0{width}b}" if width else "": float(matrix[index, index].real)
        for index in range(len(matrix))
        if matrix[index, index].real > _NEGLIGIBLE
    }

    def cells(_: str | None, value: float, _end: float) -> Sequence[str]:
        return (numbers.probability(value),)

    facts = f"the diagonal of a density matrix of purity {matrix.purity:.6f}"
    return _Sheet("state", diagonal, 1.0, [Column("probability", right=True)], cells, facts, "qubit 0 rightmost")


def _in_order(memory: Memory, terminal: Terminal) -> RenderableType:
    first = memory[:ROWS]
    more = f", ... {numbers.integer(len(memory) - len(first))} more" if len(memory) > len(first) else ""
    return terminal.sentence((f"in order: {', '.join(first)}{more}", "dim"), indent=INDENT)


def _values(result: Expectation, terminal: Terminal) -> list[RenderableType]:
    """Return the table of expectation values, and a note on where they come from."""
    is_exact = not result.groups
    columns = [Column("observable", right=True), Column("value", right=True)]
    columns += [] if is_exact else [Column("standard error", right=True)]
    rows: list[list[str | Text]] = [
        [str(index), quantity(value), *([] if is_exact else [f"{error:.2g}"])]
        for index, (value, error) in enumerate(zip(result.values, result.std_errors, strict=True))
    ]
    groups = numbers.several(result.groups, "group")
    facts = "exact" if is_exact else f"estimated from {groups} of strings, each measured with all shots"
    note = "; ".join(filter(None, [facts, described(result.provenance), _duration(result.provenance)]))
    return [table(terminal, columns, rows), terminal.sentence((note, "dim"), indent=INDENT)]


def _present(state: Statevector) -> Mapping[str, complex]:
    """Return the amplitudes that are not zero, by the bits of their index."""
    import numpy as np

    width, amplitudes = state.num_qubits, np.asarray(state, copy=False)
    present = np.flatnonzero(np.abs(amplitudes) ** 2 > _NEGLIGIBLE)
    keys = [f"{index:0{width}b}" if width else "" for index in present.tolist()]
    return dict(zip(keys, amplitudes[present].tolist(), strict=True))


def _complex(amplitude: complex) -> str:
    return f"{amplitude.real:+.6f} {amplitude.imag:+.6f}i".replace("-", numbers.MINUS)


def _draw(sheet: _Sheet, origin: Provenance | None, terminal: Terminal) -> list[RenderableType]:
    """Return the table of outcomes, and a note with all that has to be known to read it."""
    selection = shown(sheet.values)
    outcomes = pieces(selection.bitstrings, terminal)
    shares = [sheet.values[bits] / sheet.total for bits in selection.bitstrings]
    end = scale_end(shares)
    labels = [label(outcome, terminal) for outcome in outcomes]
    texts = [sheet.cells(bits, sheet.values[bits], end) for bits in selection.bitstrings]
    if selection.others:
        labels.append(terminal.text(f"{numbers.integer(selection.others)} more"))
        texts.append(sheet.cells(None, selection.rest, end))
        shares.append(0.0)
    columns = [Column(sheet.what), *sheet.columns]
    rows: list[list[str | Text]] = [[text, *cells] for text, cells in zip(labels, texts, strict=True)]
    width = min(terminal.width - natural_width(columns, rows) - GAP, _LONGEST_BAR)
    if width >= _SHORTEST_BAR:
        columns.append(Column(""))
        rows = [[*row, bar(share / end, width)] for row, share in zip(rows, shares, strict=True)]
    bars = f"bars end at {100 * end:.4g} %" if width >= _SHORTEST_BAR and rows else ""
    clauses = [", ".join(filter(None, [sheet.facts, described(origin)])), *explanations(outcomes), sheet.order, bars]
    note = "; ".join(filter(None, [*clauses, _duration(origin)]))
    return [table(terminal, columns, rows), terminal.sentence((note, "dim"), indent=INDENT)]


def _duration(origin: Provenance | None) -> str:
    seconds = 0.0 if origin is None else origin.parse_s + origin.build_s + origin.run_s
    return f"parse, build and run took {numbers.seconds(seconds)}" if seconds else ""
