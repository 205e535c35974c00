"""All outcomes of a comparison as a table in CSV: one line for each circuit and outcome, for spreadsheets and plots."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat

from gateway.compare.presentation.flat_table import inert
from gateway.compare.record import Case, Record


def outcomes_csv(record: Record) -> str:
    """Return the table: circuit, outcome, probability by the reference, and the counts of each simulator.

    Outcomes are in numerical order, with clbit 0 as their rightmost character. The probability is empty without a
    reference, and the counts are where a simulator has none of the circuit. A text that a spreadsheet would compute has
    an apostrophe before it.
    """
    simulators = list(dict.fromkeys(row.simulator for row in record.rows))
    head = _line(["circuit", "outcome", "reference", *map(inert, simulators)])
    return "\n".join([head, *[line for case in record.cases for line in _lines(case, simulators)], ""])


def _lines(case: Case, simulators: Sequence[str]) -> Iterator[str]:
    """Return the lines of a circuit; a million of them take seconds, of which the csv module would make many more."""
    known, name = case.reference.probabilities, _line([inert(case.name)])
    counts = {row.simulator: row.counts for row in case.rows if row.counts}
    outcomes = sorted(set(known).union(*counts.values()))
    numbers = [_column(known, outcomes, 0.0), *[_column(counts.get(name, {}), outcomes, 0) for name in simulators]]
    return map(",".join, zip(repeat(name), outcomes, *numbers, strict=False))


def _column(values: Mapping[str, float], outcomes: Sequence[str], absent: float) -> Iterable[str]:
    """Return the number of each outcome as text; empty if there are no numbers at all."""
    return map(str, map(values.get, outcomes, repeat(absent))) if values else repeat("")


def _line(fields: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()
