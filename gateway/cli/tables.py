"""Formats results as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.counts import Counts, Probabilities, Statevector

if TYPE_CHECKING:
    from gateway.backends.base import Outcome
    from gateway.compare import Comparison, Row

MAX_OUTCOMES = 32
"""The number of outcomes that are shown before the rest is only counted."""

_NEGLIGIBLE = 1e-12


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Return a table with aligned columns.

    Args:
        head: the names of the columns.
        rows: the cells of each row as text.
        right: the names of the columns that are aligned right, separated by spaces.
    """
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    flush = {index for index, name in enumerate(head) if name in right.split()}

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if index in flush else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(head), line(["─" * width for width in widths]), *map(line, rows)])


def outcome(result: Outcome) -> str:
    """Return a result with its provenance as text."""
    lines, all_lines = _values(result)
    if all_lines > len(lines):
        lines.append(f"... {all_lines - len(lines):,} more")
    provenance = result.provenance
    if provenance is not None:
        seed = "" if provenance.seed is None else f", seed {provenance.seed}, {provenance.sampler} sampler"
        convert = _seconds(provenance.parse_s + provenance.build_s)
        lines.append(
            f"\n{provenance.simulator} {provenance.version}{seed}; clbit 0 rightmost; "
            f"convert {convert}, run {_seconds(provenance.run_s)}"
        )
    return "\n".join(lines)


def _values(result: Outcome) -> tuple[list[str], int]:
    """Return a line for each of the largest values, and the number of lines that all values would take."""
    if isinstance(result, Counts):
        shots = result.shots
        width = len(str(shots))
        ranked = result.most_common(MAX_OUTCOMES)
        return [f"{key}  {count:>{width}}  {_bar(count / shots)}" for key, count in ranked], len(result)
    if isinstance(result, Probabilities):
        return [f"{key}  {p:.6f}  {_bar(p)}" for key, p in result.most_common(MAX_OUTCOMES)], len(result)
    if isinstance(result, Statevector):
        width = result.num_qubits
        present = [(index, a) for index, a in enumerate(result.amplitudes) if abs(a) ** 2 > _NEGLIGIBLE]
        lines = [f"|{index:0{width}b}>  {a.real:+.6f} {a.imag:+.6f}i" for index, a in present[:MAX_OUTCOMES]]
        return lines, len(present)
    return [repr(result)], 1


def comparison(results: Comparison) -> str:
    """Return a comparison as a table with notes."""
    head = ["simulator", "version", "leading outcomes", "distance", "convert", "run", ""]
    body = table(head, [_cells(row) for row in results.rows], right="distance convert run")
    bound = next((row.bound for row in results.rows if row.bound is not None), None)
    limit = "" if bound is None else f"; chance alone stays below {bound:.4f}"
    notes = [
        (
            f"{results.shots:,} shots each; clbit 0 rightmost; "
            f"distance: total variation from the {results.reference} distribution{limit}"
        ),
        *(f"{row.simulator}: {row.error}" for row in results.rows if row.error is not None),
    ]
    return "\n".join([body, "", *notes])


def _cells(row: Row) -> list[str]:
    if row.error is not None:
        return [row.simulator, row.version, "", "", "", "", "failed"]
    leading = " ".join(f"{key}:{count}" for key, count in row.leading)
    return [
        row.simulator,
        row.version,
        leading,
        f"{row.distance:.4f}",
        _seconds(row.convert_s or 0),
        _seconds(row.run_s or 0),
        "agrees" if row.agrees else "DIFFERS",
    ]


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms"


def _bar(share: float) -> str:
    return "█" * round(40 * share)
