"""A comparison as a flat table in CSV: one line for each circuit and simulator, for spreadsheets and plots."""

from __future__ import annotations

import csv
import io

from gateway.compare.presentation.tables import STAGES
from gateway.compare.record import Case, Record, Row
from gateway.compare.verdict import standing

_TIMES = [f"{stage}{part}_s" for stage in ("total", *STAGES) for part in ("", "_lowest", "_highest")]

_FORMULAS = ("=", "+", "-", "@", "\t", "\n")

COLUMNS = [
    "circuit", "sha256", "num_qubits", "num_clbits", "operations", "depth", "shots", "repeat", "reference",
    "detectable_distance", "simulator", "version", "verdict", "group", "p_value", "distance", "exact_difference",
    "cause", "outcomes", "seed", *_TIMES, "peak_memory_bytes", "error",
]  # fmt: skip


def csv_table(record: Record) -> str:
    """Return the table, whose first line names the columns; what is not known is empty.

    Times are in seconds, each as the median, the shortest and the longest of all repetitions. Numbers have all digits.
    A text that a spreadsheet would compute has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    lines = [{**_circuit(record, case), **_row(row)} for case in record.cases for row in case.rows]
    writer.writerows({name: inert(value) for name, value in line.items()} for line in lines)
    return text.getvalue()


def inert(value: object) -> object:
    """Return a value that is one field, and that spreadsheets do not compute, as they do texts that begin like that."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _circuit(record: Record, case: Case) -> dict[str, object]:
    return {
        "circuit": case.name,
        "sha256": case.sha256,
        "num_qubits": case.num_qubits,
        "num_clbits": case.num_clbits,
        "operations": case.operations,
        "depth": case.depth,
        "shots": case.shots,
        "repeat": record.repeat,
        "reference": case.reference.kind,
        "detectable_distance": case.detectable.hardest if case.detectable else None,
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "simulator": row.simulator,
        "version": row.version,
        "verdict": standing(row).value,
        "group": row.group,
        "p_value": row.p_value,
        "distance": row.distance,
        "exact_difference": row.exact_difference,
        "cause": row.causes[0].name if row.causes else None,
        "outcomes": len(row.counts) or None,
        "seed": row.seed,
        **_times(row),
        "peak_memory_bytes": row.peak_memory_bytes,
        "error": row.error,
    }


def _times(row: Row) -> dict[str, float]:
    return {
        name: seconds
        for stage, spread in row.timings.items()
        for name, seconds in (
            (f"{stage}_s", spread.median),
            (f"{stage}_lowest_s", spread.lowest),
            (f"{stage}_highest_s", spread.highest),
        )
        if name in _TIMES
    }
