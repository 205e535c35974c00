"""What ``gateway compare`` prints: the verdict, who, where, why, how to repeat it, what could not have been seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway.cli.matrices import draw_matrix
from gateway.cli.tables import INDENT, Column, table
from gateway.compare.presentation import tables, words
from gateway.compare.presentation.marks import CHARACTERS
from gateway.compare.record import Case, Record, Reproducer
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.look import numbers
from gateway.look.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

MOST_CASES = 5
"""Of so many circuits with news the details are printed; a report has those of all."""


def draw(record: Record, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield what is printed of a comparison: of several circuits, the details of those that are no agreement."""
    yield verdict(record, terminal)
    if len(record.cases) == 1:
        if record.repeat > 1 or not _agree(record.cases[0]):
            yield ""
            yield from draw_case(record, record.cases[0], terminal)
        return
    yield ""
    yield _circuits(record, terminal)
    if record.repeat > 1:
        yield ""
        yield _times(record, terminal)
    cases = [case for case in record.cases if not _agree(case)]
    for case in cases[:MOST_CASES]:
        yield ""
        yield terminal.sentence((case.name, "bold"), ("  " + words.size(case), "dim"), indent=INDENT)
        yield ""
        yield from draw_case(record, case, terminal)
    if len(cases) > MOST_CASES:
        more = numbers.several(len(cases) - MOST_CASES, "more circuit")
        yield terminal.sentence((f"{more}: --report report.html shows all of them", "dim"), indent=INDENT)


def verdict(record: Record, terminal: Terminal) -> RenderableType:
    """Return the verdict in one sentence, with its mark."""
    first, rest = verdict_parts(record)
    return terminal.sentence((first, "bold"), rest, mark=CHARACTERS[whole(record)] or " ")


def draw_case(record: Record, case: Case, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield what is printed of one circuit."""
    yield _simulators(case, terminal)
    yield from _reasons(case, terminal)
    if not any(standing(row) in {Standing.DIFFERS, Standing.UNDECIDED} for row in case.rows):
        return
    matrix = draw_matrix(case, record.false_alarm_rate, terminal)
    yield from ["", *matrix] if matrix else []
    yield from _causes(record, case, terminal)
    for reproducer in case.reproducers:
        yield ""
        yield from draw_reproducer(reproducer, terminal)
    yield ""
    yield terminal.sentence((_missed(case), "dim"), indent=INDENT)


def draw_reproducer(found: Reproducer, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield what is printed of a reproducer: what it shows, and its text, which can be copied as it is."""
    facts = shows(found) or words.reproducer_evidence(found)
    yield terminal.sentence(
        ("Reproducer", "bold"), f"  {facts}", (f"; {words.reproducer(found)}", "dim"), indent=INDENT
    )
    yield terminal.verbatim(found.openqasm.rstrip("\n"), indent=INDENT + 2)


def shows(found: Reproducer) -> str:
    """Return what the reproducer shows: one outcome, as often as it should come and as often as it came."""
    counts = found.counts.get(found.simulator, {})
    shots = sum(counts.values())
    if not shots or not found.expected:
        return ""
    outcomes = sorted(found.expected.keys() | counts.keys())
    bits = max(outcomes, key=lambda bits: abs(found.expected.get(bits, 0.0) - counts.get(bits, 0) / shots))
    expected, number = found.expected.get(bits, 0.0), counts.get(bits, 0)
    right = {0.0: "never", 1.0: "always"}.get(round(expected, 12), f"in {numbers.per_cent(expected)} %")
    wrong = f"in {numbers.integer(number)} of {numbers.several(shots, 'shot')}" if number else "never"
    what = bits or "its only outcome"
    return f"the reference gives {what} {right}, {found.simulator} {wrong}"


# ---------------------------------------------------------------------- tables


def _circuits(record: Record, terminal: Terminal) -> RenderableType:
    """Return a row for each circuit: its name, and who does not agree."""
    rows: list[list[str | Text]] = []
    for case in record.cases:
        others = [row for row in case.rows if standing(row) is not Standing.AGREES]
        names = {found: [row.simulator for row in others if standing(row) is found] for found in Standing}
        parts: list[str | tuple[str, str]] = []
        for found in (Standing.DIFFERS, Standing.UNDECIDED, Standing.FAILED, Standing.REFUSED, Standing.UNFINISHED):
            if names[found]:
                parts += ["  " if parts else "", *_marked(found, f"{numbers.listing(names[found])} {found}")]
        detectable = "" if case.detectable is None else numbers.short_distance(case.detectable.hardest)
        rows.append(
            [terminal.text(case.name), terminal.text(*(parts or _marked(Standing.AGREES, "all agree"))), detectable]
        )
    return table(terminal, [Column("circuit"), Column("verdict"), Column("would be found", right=True, rank=1)], rows)


def _times(record: Record, terminal: Terminal) -> RenderableType:
    """Return the median time of each circuit on each simulator."""
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    rows: list[list[str | Text]] = []
    for case in record.cases:
        times = {name: line.time for line in tables.simulators(case) for name in line.names}
        rows.append([case.name, *(times.get(name, "") for name in names)])
    return table(terminal, [Column("time"), *(Column(name, right=True) for name in names)], rows)


def _simulators(case: Case, terminal: Terminal) -> RenderableType:
    columns = [
        Column("simulator"),
        Column("version", rank=5),
        Column("verdict"),
        Column("distance", right=True, rank=2),
        Column("p", right=True),
        Column("exact diff.", right=True, rank=3),
        Column("time", right=True, rank=4),
        Column("memory", right=True, rank=6),
    ]
    rows = [_simulator(name, line, terminal) for line in tables.simulators(case) for name in line.names]
    present = [place for place in range(len(columns)) if place in {0, 2} or any(row[place].plain for row in rows)]
    return table(terminal, [columns[place] for place in present], [[row[place] for place in present] for row in rows])


def _simulator(name: str, line: tables.SimulatorLine, terminal: Terminal) -> list[Text]:
    weight = "bold" if line.standing is Standing.DIFFERS else ""
    return [
        terminal.text((name, weight)),
        terminal.text(line.version),
        terminal.text(*_marked(line.standing, line.says)),
        *(terminal.text((number, weight)) for number in (line.distance, line.p, line.exact)),
        terminal.text(line.time),
        terminal.text(line.memory),
    ]


def _marked(found: Standing, says: str) -> list[str | tuple[str, str]]:
    is_loud = found in {Standing.DIFFERS, Standing.FAILED}
    mark = CHARACTERS[found]
    return [(mark, "red" if is_loud else ""), " " if mark else "", (says, "bold" if found is Standing.DIFFERS else "")]


def _reasons(case: Case, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield why simulators have no result; those with the same reason share a sentence."""
    for line in tables.simulators(case):
        for reason in line.reasons:
            names = f"{numbers.listing(list(line.names))}: "
            is_said = reason.startswith(f"{line.names[0]} ")
            yield terminal.sentence("" if is_said else names, reason, indent=INDENT)


def _causes(record: Record, case: Case, terminal: Terminal) -> Iterator[RenderableType]:
    """Yield what explains each difference; of a single one the verdict says it."""
    is_single = sum(standing(row) is Standing.DIFFERS for row in record.rows) == 1
    for row in case.rows:
        if row.causes and not is_single and standing(row) is Standing.DIFFERS:
            before, cause, after = words.cause(row)
            yield ""
            yield terminal.sentence(before, (cause, "bold"), after, indent=INDENT)


def _missed(case: Case) -> str:
    """Return what could not have been seen, and by what the simulators were judged, in short."""
    found, exact = case.detectable, _exact(case)
    sentences = []
    if found is not None and found.hardest < 1:
        distance = numbers.short_distance(found.hardest)
        sentences.append(f"A distance below {distance} may have been missed by the samples{exact}.")
    elif found is not None:
        clbit = (
            f"; a clbit that is off by {numbers.short_distance(found.one_bit)} is found" if found.one_bit < 1 else ""
        )
        sentences.append(f"So few shots show no difference that is spread over all outcomes{clbit}{exact}.")
    elif case.reference.kind == "none":
        sentences.append("Without a reference it is not known how small a difference would have been seen.")
    return " ".join([*sentences, *_reference(case)])


def _exact(case: Case) -> str:
    off = {
        row.simulator: row.exact_difference
        for row in case.rows
        if standing(row) is Standing.AGREES and row.exact_difference is not None
    }
    if not off:
        return ""
    who = f"the {len(off)} that agree do so" if len(off) > 1 else f"{next(iter(off))} agrees"
    return f"; exact results were compared too: {who} to {numbers.exact_difference(max(off.values()))}"


def _reference(case: Case) -> list[str]:
    reference = case.reference
    if reference.kind == "exact":
        witnesses = numbers.several(reference.independent, "independent witness", "independent witnesses")
        return [f"Reference: exact, {witnesses}."]
    return [] if reference.kind == "none" else [f"Reference: {reference}."]


def _agree(case: Case) -> bool:
    return all(standing(row) is Standing.AGREES for row in case.rows)
