"""What a record says twice, and in two ways: a file that somebody else wrote, or changed, may contradict itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from gateway.compare.record import MOST_SHOTS, SUM_TOLERANCE, Case, Record, Row, Verdict


def contradiction(record: Record) -> str:
    """Return the first contradiction of a record, which begins with the field; empty if there is none."""
    found = (f"cases[{place}].{said}" for place, case in enumerate(record.cases) for said in _of_case(case))
    return next(found, "")


def _of_case(case: Case) -> Iterator[str]:
    """Return what contradicts itself in a case; without measurement, outcomes are those of the qubits."""
    measured = any(row.counts for row in case.rows)
    widths = {case.num_clbits} if measured else {case.num_clbits, case.num_qubits}
    probabilities = case.reference.probabilities
    if not _are_outcomes(probabilities, widths):
        yield f"reference.probabilities has {_no_outcomes(case)}"
    if (case.reference.kind == "none") == bool(probabilities):
        yield f"reference.kind is {case.reference.kind}, and reference.probabilities says otherwise"
    if probabilities and not abs(sum(probabilities.values()) - 1) <= SUM_TOLERANCE:
        yield "reference.probabilities do not sum to 1"
    for place, row in enumerate(case.rows):
        yield from (f"rows[{place}].{said}" for said in _of_row(row, case, widths))
    for place, reproducer in enumerate(case.reproducers):
        outcomes = [*reproducer.expected, *(key for counts in reproducer.counts.values() for key in counts)]
        if not _are_outcomes(dict.fromkeys(outcomes, 0), {len(key) for key in outcomes}):
            yield f"reproducers[{place}].counts has outcomes that are no bitstrings of one length"


def _of_row(row: Row, case: Case, widths: set[int]) -> Iterator[str]:
    if not _are_outcomes(row.counts, widths):
        yield f"counts has {_no_outcomes(case)}"
    if sum(row.counts.values()) > MOST_SHOTS:
        yield f"counts has more than {MOST_SHOTS:,} shots"
    added_up = sum((Counter(run.counts) for run in row.runs if run.added), Counter[str]())
    if not all(_are_outcomes(run.counts, widths) for run in row.runs):
        yield f"runs has {_no_outcomes(case)}"
    if row.runs and added_up != Counter(row.counts):
        yield "runs has other shots than counts"
    if bool(row.error) != (row.verdict is Verdict.FAILED):
        yield f"verdict is {row.verdict}, and error says otherwise"
    for name, causes in (("causes", row.causes), ("rejected", row.rejected)):
        for place, cause in enumerate(causes):
            if not _are_outcomes(cause.probabilities, widths):
                yield f"{name}[{place}].probabilities has {_no_outcomes(case)}"


def _are_outcomes(values: Mapping[str, float], widths: set[int]) -> bool:
    """Return whether the keys are bitstrings of one and the same of these lengths."""
    lengths = {len(key) for key in values}
    return len(lengths) <= 1 and lengths <= widths and not any(key.strip("01") for key in values)


def _no_outcomes(case: Case) -> str:
    return f"outcomes that are no bitstrings of {case.num_clbits} clbits"
