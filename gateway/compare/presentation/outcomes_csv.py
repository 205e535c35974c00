"""All outcomes of a comparison as a table in CSV: one line for each circuit and outcome, for spreadsheets and plots."""

from __future__ import annotations

import csv
import io

from gateway.compare.presentation.flat_table import inert
from gateway.compare.record import Case, Record


def outcomes_csv(record: Record) -> str:
    """Return the table: circuit, outcome, probability by the reference, and the counts of each simulator.

    Outcomes are in numerical order, with clbit 0 as their rightmost character. The probability is empty without a
    reference, and the counts are where a simulator has none of the circuit. A text that a spreadsheet would compute has
    an apostrophe before it.
    """
    simulators = list(dict.fromkeys(row.simulator for row in record.rows))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["circuit", "outcome", "reference", *map(inert, simulators)])
    for case in record.cases:
        writer.writerows(_lines(case, simulators))
    return text.getvalue()


def _lines(case: Case, simulators: list[str]) -> list[list[object]]:
    known, name = case.reference.probabilities, inert(case.name)
    counts = {row.simulator: row.counts for row in case.rows if row.counts}
    outcomes = sorted(set(known).union(*counts.values()))
    return [
        [
            name,
            outcome,
            known.get(outcome, 0.0) if known else "",
            *[counts[simulator].get(outcome, 0) if simulator in counts else "" for simulator in simulators],
        ]
        for outcome in outcomes
    ]
