"""The sentences of a report, as plain text."""

from __future__ import annotations

from gateway.compare.presentation.matrix import DIFFERING, Column, Matrix
from gateway.compare.presentation.scaling import Scaling
from gateway.compare.presentation.tables import SimulatorLine, TestTable, TimeTable, tests
from gateway.compare.record import Case, Detectable, Record, Reproducer, Row
from gateway.compare.verdict import Standing, exact_results_agree, message_of, standing
from gateway.look import numbers
from gateway.look.bitstrings import explanations, readable
from gateway.look.outcomes import ALL_UP_TO, largest

_IN_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
MEMBERS = 5
"""So many simulators of a group are named."""

REPRODUCER_OUTCOMES = 4
"""So many outcomes of a reproducer are shown."""

LONGEST_FAILURE = 200
"""Of a longer line of an error so many characters are shown."""

_TARGETS = (0.1, 0.03, 0.01, 0.003, 0.001)
_LARGE = 0.5
"""The law of the root holds for smaller distances."""
"""Distances that somebody may want to see next."""


def title(record: Record) -> str:
    """Return what the report is about."""
    simulators = len({row.simulator for row in record.rows})
    on = f"{_in_words(simulators)} simulator{'s' * (simulators != 1)}"
    return f"Comparison of {on}" if len(record.cases) <= 1 else f"Comparison of {len(record.cases)} circuits on {on}"


def when(record: Record) -> str:
    """Return when a comparison was started, to the minute, as far as the text has this form."""
    day, separator, time = record.created.partition("T")
    return f"{day}, {time[:5]} UTC" if separator and time.endswith(("Z", "+00:00")) else record.created


def size(case: Case) -> str:
    """Return the size of a circuit."""
    return ", ".join(
        [
            numbers.several(case.num_qubits, "qubit"),
            numbers.several(case.num_clbits, "clbit"),
            numbers.several(case.operations, "operation"),
            f"depth {numbers.integer(case.depth)}",
        ]
    )


def remark(record: Record, found: Matrix | None) -> str:
    """Return what a second line beneath the verdict on one circuit says: how much stands out, or how well all agree."""
    (case,) = record.cases
    if any(standing(row) is Standing.DIFFERS for row in case.rows):
        return _stands_out(case, found)
    if not all(standing(row) is Standing.AGREES for row in case.rows):
        return ""
    exact = [row.exact_difference for row in case.rows if row.exact_difference is not None]
    agree = f"; exact results agree to {numbers.exact_difference(max(exact))}" if exact and case.detectable else ""
    shots = f"At {numbers.several(case.shots, 'shot')} each" if any(row.counts for row in case.rows) else ""
    return f"{shots}{agree}." if shots else ""


def _stands_out(case: Case, found: Matrix | None) -> str:
    said = []
    if found is not None and not found.of_clbits:
        number = sum(any(cells) for cells in zip(*_marks(found), strict=True)) if found.each else 0
        if number and (number < DIFFERING or not found.others):
            outcomes = numbers.several(found.total, "outcome")
            said.append(f"{numbers.integer(number)} of {outcomes} {'stands' if number == 1 else 'stand'} out")
    tried = sum(len(row.rejected) for row in case.rows if not row.causes)
    said += [f"{numbers.several(tried, 'explanation')} {'was' if tried == 1 else 'were'} tried"] if tried else []
    return _sentence("; ".join(said))


def _marks(found: Matrix) -> list[list[bool]]:
    return [[cell.differs for cell in column.cells] for column in found.each]


def in_a_line(line: SimulatorLine) -> str:
    """Return the numbers of a simulator in one line, for a narrow place."""
    parts = [f"distance {line.distance}" if line.distance else "", f"p {line.p}" if line.p else "", line.time]
    return ", ".join(filter(None, parts))


# ---------------------------------------------------------------- outcomes


def outcomes(matrix: Matrix, case: Case) -> str:
    """Return what the matrix of outcomes shows, and on which scale."""
    each = f"{numbers.several(case.shots, 'shot')} each"
    if matrix.of_clbits:
        return _clbits(matrix, case)
    number = matrix.total
    if number <= ALL_UP_TO:
        which = f"all {number} outcomes, in order" if number > 1 else "the only outcome"
    else:
        which = f"{len(matrix.labels)} of {numbers.integer(number)} outcomes, those that differ first"
        if not any(cell.differs for column in matrix.columns for cell in column.cells):
            which = f"the {len(matrix.labels)} most likely of {numbers.integer(number)} outcomes"
    return f"per cent of {each}; {which}; bars end at {100 * matrix.end:.3g}{numbers.NO_BREAK}%"


def _clbits(matrix: Matrix, case: Case) -> str:
    seen = numbers.several(matrix.seen, "different outcome was", "different outcomes were")
    shots = numbers.several(case.shots, "shot")
    often = f"none of them more than {numbers.several(matrix.most, 'time')}"
    end = f"{100 * matrix.end:.3g}"
    what = f"difference from the reference in percentage points, scale ±{end}"
    if matrix.expected is None:
        what = f"bars end at {end}{numbers.NO_BREAK}%"
    return f"{seen} seen, {often}: single outcomes say little. Instead, how often each clbit is 1 in {shots}: {what}."


def notes(matrix: Matrix) -> str:
    """Return what has to be known to read the labels of a matrix."""
    if matrix.of_clbits:
        return ""
    clauses = explanations(readable([str(label) for label in matrix.labels])) if matrix.labels != ("",) else []
    return _sentence("; ".join([*clauses, "clbit 0 is the rightmost bit"]))


def matrix(matrix: Matrix) -> str:
    """Return what a matrix is, for those who do not see it."""
    if matrix.of_clbits:
        return "How often each clbit is 1, by simulator, in per cent"
    return "Share of the shots by outcome and simulator, in per cent"


def differing(matrix: Matrix) -> str:
    """Return the label of the rows that are shown because somebody differs there."""
    number = numbers.integer(matrix.differing)
    return f"{number} that differ, the largest difference first" if matrix.differing > 1 else f"{number} that differs"


def others(matrix: Matrix) -> str:
    """Return the label of the last row, which stands for what is left out."""
    return f"{numbers.integer(matrix.others)} more"


def members(column: Column) -> str:
    """Return the names of a column of several simulators, or of the first of them."""
    if column.names == (column.title,):
        return ""
    more = len(column.names) - MEMBERS
    return numbers.listing([*column.names[:MEMBERS], *([f"{more} more"] if more > 0 else [])])


def deviation(share: float, middle: float, end: float) -> str:
    """Return a deviation in percentage points, with its sign."""
    text = numbers.per_cent(abs(share - middle), end)
    return text if not float(text) else f"{'+' if share > middle else numbers.MINUS}{text}"


def probability(value: float, end: float) -> str:
    """Return a probability in per cent; one that is exactly zero is ``never``."""
    return numbers.per_cent(value, end) if value else "never"


# ---------------------------------------------------------------- causes and reproducers


def cause(row: Row) -> tuple[str, str, str]:
    """Return what is said of the likeliest cause, in three parts of which the middle one stands out."""
    if not row.causes:
        tried = f"; {numbers.several(len(row.rejected), 'explanation')} tried" if row.rejected else ""
        return f"Nothing tried explains {row.simulator}{tried}.", "", ""
    best = row.causes[0]
    evidence = "counts" if row.counts else "exact results"
    end = f" ({numbers.p_is(best.p_value)})"
    if exact_results_agree(row):
        end += "; its exact results agree with the reference"
    return f"The {evidence} of {row.simulator} fit ", best.detail, f"{end}."


def reproducer(found: Reproducer) -> str:
    """Return what was reduced to what."""
    end = "nothing more can be left out" if found.minimal else "more might be left out: time ran out"
    before, after = numbers.several(found.operations_before, "operation"), numbers.integer(found.operations)
    return f"{before} reduced to {after}; {end}"


def reproducer_evidence(found: Reproducer) -> str:
    """Return how certain the difference is that a reproducer shows, or how the simulator fails."""
    if found.error:
        return reproducer_failure(found)
    said = []
    if found.p_value is not None:
        said.append(numbers.p_is(found.p_value))
    if found.exact_difference is not None:
        what = "exact probabilities" if is_measured(found) else "amplitudes"
        said.append(f"{what} off by {numbers.exact_difference(found.exact_difference)}")
    return ", ".join(said)


def reproducer_failure(found: Reproducer) -> str:
    """Return who fails on a reproducer, and how: the first line of the error."""
    line = message_of(found.error, found.simulator).partition("\n")[0].rstrip(".")
    if len(line) > LONGEST_FAILURE:
        line = f"{line[:LONGEST_FAILURE].rstrip()} ..."
    return f"{found.simulator} fails: {line}"


def reproducer_verdict(found: Reproducer) -> tuple[str, str]:
    """Return what a reduction found, in two parts: the first clause, which is written bold, and the rest."""
    operations = f"{numbers.integer(found.operations)}-operation"
    if found.error:
        return f"{reproducer_failure(found)};", f" {operations} reproducer below."
    others = [name for name in found.counts if name != found.simulator]
    evidence = reproducer_evidence(found)
    certain = f" ({evidence})" if evidence else ""
    against = f" from {others[0]}" if others else ""
    return f"{found.simulator} differs{against}", f"{certain}; {operations} reproducer below."


def is_measured(found: Reproducer) -> bool:
    """Return whether the circuit of a reproducer measures anything; otherwise state vectors are compared."""
    return bool(found.counts) or "measure" in found.openqasm


def expected_shots(found: Reproducer, bitstring: str) -> str:
    """Return how many shots the reference expects of an outcome, or without shots its probability."""
    value = found.expected.get(bitstring, 0.0)
    return f"{found.shots * value:,.6g}" if found.shots else f"{value:.4g}"


def reproducer_outcomes(found: Reproducer, most: int) -> list[str]:
    """Return the outcomes of a reproducer that say most, in numerical order."""
    weights = dict(found.expected)
    for counts in found.counts.values():
        shots = sum(counts.values())
        for bits, number in counts.items():
            weights[bits] = max(weights.get(bits, 0.0), number / shots)
    return sorted(bits for bits, _ in largest(weights, most))


def reproducer_counts(found: Reproducer) -> list[tuple[str, dict[str, int]]]:
    """Return simulators with their counts; those with the very same counts are named together."""
    names: list[list[str]] = []
    distinct: list[dict[str, int]] = []
    for name, counts in found.counts.items():
        if counts not in distinct:
            distinct.append(counts)
            names.append([])
        names[distinct.index(counts)].append(name)
    return [(numbers.listing(group), counts) for group, counts in zip(names, distinct, strict=True)]


# ---------------------------------------------------------------- what could not have been seen


def missed(case: Case) -> list[str]:
    """Return the sentences that say which differences may have been missed."""
    found = case.detectable
    sentences = (
        _missed_by_samples(found)
        if found
        else ["Without a reference it is not known how small a difference would have been seen."]
    )
    agreeing = [row for row in case.rows if standing(row) is Standing.AGREES and row.exact_difference is not None]
    if agreeing:
        off = max(row.exact_difference or 0.0 for row in agreeing)
        who = f"the {len(agreeing)} that agree do so" if len(agreeing) > 1 else f"{agreeing[0].simulator} agrees"
        sentences.append(f"Exact results were compared too: {who} to {numbers.exact_difference(off)}.")
    more = _more_shots(case.shots, found) if found else ""
    return [*sentences, *([more] if more else [])]


def _missed_by_samples(found: Detectable) -> list[str]:
    kinds = [
        (found.hardest, "where it is spread at random over all outcomes"),
        (found.depolarised, "for a mixture with the uniform distribution"),
        (found.one_outcome, "for one outcome too likely"),
        (found.one_bit, "for one clbit inverted now and then"),
    ]
    seen = [f"{numbers.short_distance(value)} {kind}" for value, kind in kinds if value < 1]
    blind = [kind for value, kind in kinds if value >= 1]
    sentences = []
    if seen:
        sentences.append(
            f"Between samples, a total variation distance below {numbers.listing(seen)} may have been missed."
        )
    if blind:
        sentences.append(f"So few shots find none {numbers.listing(blind)}.")
    return sentences


def finer(case: Case) -> float | None:
    """Return the next smaller distance that somebody may want to see, if it is known how many shots that takes."""
    found = case.detectable
    return None if found is None else _finer(found)


def _finer(found: Detectable) -> float | None:
    if found.hardest >= _LARGE:
        return None
    return next((target for target in _TARGETS if target < found.hardest), None)


def _more_shots(shots: int, found: Detectable) -> str:
    """Return how many shots the next smaller distance takes: what is seen shrinks with the root of their number."""
    target = _finer(found)
    if target is None:
        return ""
    needed = float(f"{shots * (found.hardest / target) ** 2:.2e}")
    return f"To see {target:g} takes about {numbers.integer(round(needed))} shots each."


# ---------------------------------------------------------------- times and provenance


def times(table: TimeTable, record: Record) -> str:
    """Return what the times are."""
    unit = {"ms": "milliseconds", "s": "seconds"}[table.unit]
    repeated = f", median of {record.repeat} runs" if record.repeat > 1 else ""
    beside = "; simulators ran side by side, so that their times cannot be compared" if record.side_by_side else ""
    return unit + repeated + beside


def fastest_to_slowest(found: TimeTable) -> str:
    """Return the shortest and the longest run, with the names of their simulators."""
    lines = sorted(found.lines, key=lambda line: line.seconds.median)
    ends = [f"{numbers.seconds(line.seconds.median, numbers.NO_BREAK)} ({line.name})" for line in lines]
    return ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def tested(found: TestTable, record: Record) -> str:
    """Return how many tests there were, and how often they are wrong."""
    alarms = f"one false alarm in {numbers.integer(round(1 / record.false_alarm_rate))} comparisons, Holm-corrected"
    return f"{numbers.several(len(found.lines), 'kind')}, {numbers.integer(found.number)} in all; {alarms}"


def reference(case: Case) -> str:
    """Return in a few words what the samples were compared with."""
    found = case.reference
    if found.kind == "none":
        return "none: the samples were compared with each other"
    if found.kind == "single":
        return "exact, one witness alone"
    return f"exact, {_in_words(found.independent)} independent witnesses"


def growth(found: Scaling, record: Record) -> str:
    """Return what the curves are."""
    runs = (
        f"; median of {record.repeat} runs; upright lines span the shortest and the longest"
        if record.repeat > 1
        else ""
    )
    return f"of a run, against the number of {found.unit}{runs}"


def provenance(record: Record, case: Case) -> list[tuple[str, str]]:
    """Return how the results of a circuit came about, as terms and what is said of them."""
    seeds, samplers = _seeds(record, case), _samplers(case)
    return [
        ("circuit", f"{case.name}, {_language(case)}, sha256 {case.sha256}"),
        ("asked for", _asked(record, case)),
        *([("seeds", seeds)] if seeds else []),
        *([("sampler", samplers)] if samplers else []),
        ("reference", _reference(case)),
        ("bit order", "clbit 0 is the rightmost character"),
        ("false alarms", _false_alarms(record, case)),
        ("machine", _machine(record)),
        ("gateway", f"simulator-gateway {record.machine.gateway}, record format {record.format}"),
    ]


def _language(case: Case) -> str:
    return "OpenQASM 2" if case.openqasm.lstrip().startswith("OPENQASM 2") else "OpenQASM 3"


def _asked(record: Record, case: Case) -> str:
    parts = [
        f"{numbers.several(case.shots, 'shot')} each",
        f"in {record.repeat} runs" if record.repeat > 1 else "",
        "no seed" if record.seed is None else f"seed {record.seed}",
        f"{record.sampling} sampler" if record.sampling != "auto" else "",
        f"noise: {record.noise}" if record.noise is not None else "",
        "exact results too" if any(row.exact_difference is not None for row in case.rows) else "",
        f"to find a distance of {record.resolution:g}" if record.resolution is not None else "",
    ]
    return ", ".join(filter(None, parts))


def _samplers(case: Case) -> str:
    """Return what drew the shots, which with ``auto`` each simulator chose."""
    return numbers.listing(
        list(dict.fromkeys(row.provenance.sampler for row in case.rows if row.provenance and row.counts))
    )


def _machine(record: Record) -> str:
    machine = record.machine
    parts = [
        numbers.several(machine.processors, "processor"),
        f"{machine.memory_bytes / 2**30:,.3g}{numbers.NO_BREAK}GiB",
        machine.system,
        f"Python {machine.python}",
    ]
    order = "runs were side by side" if record.side_by_side else "runs followed one another"
    return f"{', '.join(parts)}; {order}"


def _seeds(record: Record, case: Case) -> str:
    """Return the seed of each simulator where each drew its own."""
    if record.seed is not None:
        return ""
    return ", ".join(f"{row.simulator} {row.seed}" for row in case.rows if row.seed is not None)


def _reference(case: Case) -> str:
    reference = case.reference
    names = numbers.listing(["the gateway" if name == "gateway" else name for name in reference.witnesses])
    if reference.kind == "none":
        text = "none: the samples were compared with each other"
    elif reference.kind == "single":
        text = f"exact, but of one witness alone: {names}"
    else:
        witnesses = numbers.several(reference.independent, "independent witness", "independent witnesses")
        text = f"exact; {witnesses} to {numbers.scientific(reference.tolerance)}: {names}"
    return f"{text} ({reference.note})" if reference.note else text


def _false_alarms(record: Record, case: Case) -> str:
    number = tests(case, record.false_alarm_rate).number
    chance = f"one in {numbers.integer(round(1 / record.false_alarm_rate))} comparisons"
    return f"{chance}, corrected by Holm's method over {numbers.several(number, 'test')}" if number else chance


def _in_words(number: int) -> str:
    return _IN_WORDS[number] if number < len(_IN_WORDS) else numbers.integer(number)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
