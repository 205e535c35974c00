"""The verdict of a comparison in one sentence, and the standing of each simulator in one word.

The sentence names who agrees, who differs, how certain that is, the likely cause, and what to do next. Everything else
that shows a comparison (report, notebook, terminal) begins with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from gateway.compare.record import Case, Detectable, Record, Row, Verdict
from gateway.look import numbers

NAMES_AT_MOST = 6
"""So many simulators are named one by one; of more, the sentence says how many more there are."""

REFUSALS = ("UnsupportedError", "LimitError")
"""Errors that say that a simulator cannot run the circuit, not that it failed."""

JUDGED_LATER = "nobody is judged before all have"
"""What is said of those that have finished while others have not."""

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WOULD_BE_FOUND = "would have been found, 99 times in 100"


class Standing(StrEnum):
    """What one row amounts to; the value is the word that is shown."""

    AGREES = "agrees"
    DIFFERS = "differs"
    FAILED = "failed"
    REFUSED = "cannot run it"
    UNDECIDED = "undecided"
    FINISHED = "finished"
    """It has run, and nothing is said of it yet."""
    UNFINISHED = "has not run"


def standing(row: Row) -> Standing:
    """Return what a row amounts to."""
    if row.error:
        refused = row.error.partition(":")[0] in REFUSALS
        return Standing.REFUSED if refused else Standing.FAILED
    if row.verdict is Verdict.UNDECIDED and not row.counts and row.provenance is None:
        return Standing.UNFINISHED
    return Standing(row.verdict.value)


def message_of(error: str, simulator: str) -> str:
    """Return what an error of a row says, without its class, and without the simulator that stands before it."""
    name, _, message = error.partition(": ")
    return (message or name).strip().removeprefix(f"{simulator} failed: ")


def exact_results_agree(row: Row) -> bool:
    """Return whether the simulator has exact results, and they are those of the reference."""
    fidelity = 1.0 if row.fidelity is None else row.fidelity
    return exact_probabilities_agree(row) and 1 - fidelity <= (row.exact_tolerance or 0.0)


def exact_probabilities_agree(row: Row) -> bool:
    """Return whether the simulator has exact probabilities, and they are those of the reference."""
    return (
        row.exact_difference is not None
        and row.exact_tolerance is not None
        and row.exact_difference <= row.exact_tolerance
    )


def whole(record: Record) -> Standing:
    """Return the standing of a whole comparison: the worst news that it has."""
    found = {standing(row) for row in record.rows}
    if Standing.FINISHED in found:
        return Standing.FINISHED
    if record.interrupted and Standing.DIFFERS not in found:
        return Standing.UNFINISHED
    order = (Standing.DIFFERS, Standing.UNDECIDED, Standing.FAILED, Standing.AGREES, Standing.REFUSED)
    return next((worst for worst in order if worst in found), Standing.UNFINISHED)


def verdict_parts(record: Record) -> tuple[str, str]:
    """Return the verdict in two parts: the first clause, which is written bold, and the rest.

    The rest is empty or begins with a space; both together are one or several whole sentences.
    """
    rows = record.rows
    if not any(standing(row) is not Standing.UNFINISHED for row in rows):
        return ("Nothing had finished when it was interrupted." if record.interrupted else "Nothing was compared."), ""
    if _of(rows, Standing.FINISHED):
        return _so_far(rows)
    if record.interrupted:
        return _interrupted(record)
    if len(record.cases) > 1:
        return _several(record)
    return _differences(record) if _of(rows, Standing.DIFFERS) else _no_difference(record, record.cases[0])


def _so_far(rows: Sequence[Row]) -> tuple[str, str]:
    finished = len(rows) - len(_of(rows, Standing.UNFINISHED))
    return f"{finished} of {len(rows)} {'has' if finished == 1 else 'have'} finished;", f" {JUDGED_LATER}."


# ---------------------------------------------------------------- one circuit


def _differences(record: Record) -> tuple[str, str]:
    rows = record.rows
    agreeing, differing = _of(rows, Standing.AGREES), _of(rows, Standing.DIFFERS)
    who = [_who(agreeing, "agrees", "agree") if agreeing else "", _named(differing, "differs", "differ")]
    others = _others(rows)
    rest = _because(record, differing) + _reference(record.cases[0]) + (f" {others}." if others else "")
    return "; ".join(filter(None, who)), rest


def _no_difference(record: Record, case: Case) -> tuple[str, str]:
    rows = record.rows
    if _of(rows, Standing.UNDECIDED):
        return _groups(case)
    agreeing, others = _of(rows, Standing.AGREES), _others(rows)
    if not agreeing:
        return _nobody(rows)
    if others:
        first = f"{_who(agreeing, 'agrees', 'agree')}; {others}."
    elif len(agreeing) > 1:
        first = f"{_all(len(agreeing)).capitalize()} agree."
    else:
        first = f"{agreeing[0].simulator} agrees with the reference."
    shared = "; a fault that all share would not be seen" if case.reference.kind == "none" else ""
    return first, _found(case.detectable, case.rows) + _reference(case, shared)


def _nobody(rows: Sequence[Row]) -> tuple[str, str]:
    failed, refused = _of(rows, Standing.FAILED), _of(rows, Standing.REFUSED)
    if len(rows) == 1:
        name = rows[0].simulator
        return f"{name} {standing(rows[0])}:", f" {_first_line(message_of(rows[0].error, name))}"
    if failed and refused:
        return f"{len(failed)} failed, {len(refused)} cannot run it.", ""
    if failed:
        return f"{_all(len(failed)).capitalize()} failed.", ""
    return f"None of {len(refused)} can run it.", ""


def _groups(case: Case) -> tuple[str, str]:
    groups: dict[int | None, list[str]] = {}
    for row in _of(case.rows, Standing.UNDECIDED):
        groups.setdefault(row.group, []).append(row.simulator)
    *first, last = [_few(names, ", ") for names in groups.values()]
    others = _others(case.rows)
    end = _reference(case) + (f" {others}." if others else "")
    if not first:
        return f"Undecided: {last}.", end
    return f"{_in_words(len(groups)).capitalize()} groups: {'; '.join(first)}; and {last}.", end


def _others(rows: Sequence[Row]) -> str:
    failed, refused, late = (_of(rows, which) for which in (Standing.FAILED, Standing.REFUSED, Standing.UNFINISHED))
    said = [
        _who(failed, "failed", "failed") if failed else "",
        _who(refused, "cannot run it", "cannot run it") if refused else "",
        _who(late, "has not run", "have not run") if late else "",
    ]
    return ", ".join(filter(None, said))


# ---------------------------------------------------------------- several circuits, or a part of them


def _several(record: Record) -> tuple[str, str]:
    number = len(record.cases)
    differing = _of(record.rows, Standing.DIFFERS)
    undecided = [case for case in record.cases if _of(case.rows, Standing.UNDECIDED)]
    failures = _failures(record.rows)
    if differing:
        circuits = sum(bool(_of(case.rows, Standing.DIFFERS)) for case in record.cases)
        first = f"{circuits} of {number} circuits: {_counted(differing)}"
        return first, _because(record, differing) + _undecided(undecided) + failures
    if undecided:
        return f"{len(undecided)} of {number} circuits: undecided.", _no_reference(undecided) + failures
    if failures:
        return f"{number} circuits: nobody differs.", failures + _found_everywhere(record)
    simulators = dict.fromkeys(row.simulator for row in record.rows)
    several = len(simulators) > 1
    who = f"{_all(len(simulators)).capitalize()} agree" if several else f"{next(iter(simulators))} agrees"
    return f"{who} on {_all(number)} circuits.", _found_everywhere(record)


def _interrupted(record: Record) -> tuple[str, str]:
    rows = record.rows
    finished = [row for row in rows if standing(row) is not Standing.UNFINISHED]
    noun = "" if len(record.cases) == 1 else " runs"
    if len(finished) == len(rows):
        first = f"Interrupted when {len(finished)}{noun} had finished;"
    else:
        first = f"{len(finished)} of {len(rows)}{noun} had finished;"
    differing = _of(rows, Standing.DIFFERS)
    if not differing:
        failures = _failures(rows)
        return first, (" none of them differs." if len(finished) > 1 else " it does not differ.") + failures
    who = _counted(differing) if noun else _named(differing, "differs", "differ")
    return f"{first} {who}", _because(record, differing)


def _counted(rows: Sequence[Row]) -> str:
    """Return who differs, and for several simulators on how many circuits each does."""
    circuits = Counter(row.simulator for row in rows)
    if len(circuits) == 1:
        return f"{rows[0].simulator} differs"
    return f"{_few([f'{name} ({number})' for name, number in circuits.most_common()])} differ"


def _undecided(cases: Sequence[Case]) -> str:
    return f" {numbers.several(len(cases), 'circuit')} undecided." if cases else ""


def _failures(rows: Sequence[Row]) -> str:
    failed, refused = _of(rows, Standing.FAILED), _of(rows, Standing.REFUSED)
    were = "was" if len(refused) == 1 else "were"
    said = [f"{len(failed)} failed" if failed else "", f"{len(refused)} {were} refused" if refused else ""]
    text = " and ".join(filter(None, said))
    return f" Of {numbers.several(len(rows), 'run')}, {text}." if text else ""


def _found_everywhere(record: Record) -> str:
    known = [case.detectable for case in record.cases if case.detectable is not None]
    if not known:
        return _found(None, record.rows) or _no_reference(record.cases)
    worst = max(known, key=lambda detectable: (detectable.hardest, detectable.one_bit))
    lacking = sum(case.reference.kind == "none" for case in record.cases)
    return _found(worst, ()) + (f" {numbers.several(lacking, 'circuit')} had no reference." if lacking else "")


# ---------------------------------------------------------------- what differs, and why


def _because(record: Record, rows: Sequence[Row]) -> str:
    """Return the evidence against the simulators that differ, the likely cause, and that reproducers follow."""
    evidence, cause = _evidence(rows, record.false_alarm_rate), _cause(rows)
    exact = "its exact results agree" if len(rows) == 1 and exact_results_agree(rows[0]) else ""
    rest = [cause, exact, _reproducers(record)]
    return f"{evidence}{'; '.join(filter(None, rest))}."


def _evidence(rows: Sequence[Row], rate: float) -> str:
    values = [row.p_value for row in rows if row.p_value is not None and row.p_value <= rate]
    if len(values) == len(rows):
        at_most = " at most" if len(rows) > 1 and max(values) >= numbers.SMALLEST_P else ""
        return f" ({numbers.p_is(max(values))}{at_most})"
    if values:
        return ""
    off = [row.exact_difference for row in rows if row.exact_difference is not None]
    fidelities = [row.fidelity for row in rows if row.fidelity is not None and exact_probabilities_agree(row)]
    if fidelities:
        return f" (fidelity {min(fidelities):.3g})"
    return f" (exact probabilities off by {numbers.exact_difference(max(off))})" if off else ""


def _cause(rows: Sequence[Row]) -> str:
    details = [row.causes[0].detail if row.causes else "" for row in rows]
    simulators = len({row.simulator for row in rows})
    if len(set(details)) == 1:
        if not details[0]:
            return _unexplained(rows)
        whose = "its" if simulators == 1 else "their"
        others = min(len(row.causes) for row in rows) - 1
        more = f", or {numbers.several(others, 'other explanation')}" if others else ""
        return f": {whose} {_evidence_of(rows)} fit {details[0]}{more}"
    if simulators == len(rows) <= NAMES_AT_MOST:
        said = [_explained(row, detail) for row, detail in zip(rows, details, strict=True)]
        return f": {', '.join(said)}"
    return f": {sum(map(bool, details))} of {len(details)} differences are explained below"


def _unexplained(rows: Sequence[Row]) -> str:
    return f". Nothing tried explains {'it' if len(rows) == 1 else 'them'}"


def _explained(row: Row, detail: str) -> str:
    if not detail:
        return f"nothing tried explains {row.simulator}"
    return f"the {_evidence_of([row])} of {row.simulator} fit {detail}"


def _evidence_of(rows: Sequence[Row]) -> str:
    return "counts" if any(row.counts for row in rows) else "exact results"


def _reproducers(record: Record) -> str:
    found = [reproducer.operations for case in record.cases for reproducer in case.reproducers]
    if not found:
        return ""
    return f"{found[0]}-operation reproducer below" if len(found) == 1 else f"{len(found)} reproducers below"


# ---------------------------------------------------------------- what would have been found


def _found(detectable: Detectable | None, rows: Iterable[Row]) -> str:
    if detectable is None:
        off = [row.exact_difference for row in rows if row.exact_difference is not None]
        whose = "Its" if len(off) == 1 else "Their"
        return f" {whose} exact results agree to {numbers.exact_difference(max(off))}." if off else ""
    if detectable.hardest < 1:
        return f" A difference of {numbers.short_distance(detectable.hardest)} or more {_WOULD_BE_FOUND}."
    if detectable.one_bit < 1:
        clbit = f" A clbit that is off by {numbers.short_distance(detectable.one_bit)} or more {_WOULD_BE_FOUND};"
        return f"{clbit} a difference spread over all outcomes would not."
    return " So few shots would have shown no difference reliably."


def _reference(case: Case, remark: str = "") -> str:
    """Return what is to be said of a reference that is not shared by independent witnesses, or not by all."""
    reference = case.reference
    if reference.kind == "none":
        return _no_reference([case], remark)
    ours = [name for group in reference.others if "gateway" in group for name in group if name != "gateway"]
    if any("gateway" in group for group in reference.others):
        whom = _few(reference.witnesses)
        shared = f", and agrees with {_few(ours)}" if ours else ""
        return f" The gateway's own simulator contradicts {whom}{shared}: please report this circuit."
    if reference.kind == "single":
        names = numbers.listing(["the gateway" if name == "gateway" else name for name in reference.witnesses])
        if "gateway" not in reference.witnesses and _of(case.rows, Standing.UNDECIDED):
            return f" The only exact results are those of {names}, and others contradict them."
        return f" The reference is that of {names} alone."
    together = [group for group in reference.others if len(group) > 1]
    return "".join(f" {_few(group)} give the same exact results as each other." for group in together)


def _no_reference(cases: Iterable[Case], remark: str = "") -> str:
    notes = {case.reference.note for case in cases if case.reference.kind == "none"}
    note = notes.pop() if len(notes) == 1 else ""
    return f" No reference: {note.rstrip('.') or 'nobody has exact results'}{remark}."


# ---------------------------------------------------------------- names


def _of(rows: Iterable[Row], which: Standing) -> list[Row]:
    return [row for row in rows if standing(row) is which]


def _who(rows: Sequence[Row], one: str, many: str) -> str:
    """Return one simulator by its name, or several by their number, with the verb."""
    return f"{rows[0].simulator} {one}" if len(rows) == 1 else f"{len(rows)} {many}"


def _named(rows: Sequence[Row], one: str, many: str) -> str:
    return f"{_few([row.simulator for row in rows])} {one if len(rows) == 1 else many}"


def _few(names: Sequence[str], separator: str = "") -> str:
    shown = list(names[:NAMES_AT_MOST])
    if len(names) > NAMES_AT_MOST:
        shown.append(f"{len(names) - NAMES_AT_MOST} more")
    return separator.join(shown) if separator else numbers.listing(shown)


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if line.endswith(".") else f"{line}."


def _all(number: int) -> str:
    """Return all of several things in words: ``both``, or ``all 3``."""
    return {2: "both"}.get(number, f"all {number}")


def _in_words(number: int) -> str:
    return _SMALL[number] if number < len(_SMALL) else str(number)
