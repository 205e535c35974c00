"""The report of a hunt as text, in Markdown, and as HTML that any notebook shows."""

from __future__ import annotations

from gateway.compare.hunting.hunt_record import Finding, HuntRecord
from gateway.compare.hunting.matrix_text import few_lines
from gateway.look import markup, numbers

_CIRCUITS_AT_MOST = 6
"""The text has the circuits of so many findings; Markdown, HTML and data have all."""

_LIKELY = 4
"""The number of outcomes of a reduced circuit that are written down."""


def to_text(report: HuntRecord) -> str:
    """Return the report as lines of text: each finding, and for the first of them the circuit that shows it."""
    lines = [report.verdict]
    for number, finding in enumerate(report.findings):
        lines.append(f"  {finding}")
        if number < _CIRCUITS_AT_MOST:
            lines += [f"      {line}" for line in few_lines(finding.reproducer.openqasm)]
    if len(report.findings) > _CIRCUITS_AT_MOST:
        lines.append("  The circuits of all findings are in the report that is saved, and in JSON.")
    lines += [f"  {name} {tally.note}" for name, tally in report.simulators.items() if tally.note]
    return "\n".join([*lines, report.statement])


def to_markdown(report: HuntRecord) -> str:
    """Return the report in Markdown."""
    parts = [f"# {report.verdict}", report.statement, _simulators(report)]
    parts += [_finding(number, finding) for number, finding in enumerate(report.findings, 1)]
    parts += [f"* `{path}` was not tried: {why}" for path, why in report.skipped.items()]
    return "\n\n".join(parts) + "\n"


def to_html(report: HuntRecord) -> str:
    """Return the report as HTML."""
    columns = [
        markup.Column("finding"), markup.Column("what"), markup.Column("circuits", right=True),
        markup.Column("operations", "reduced", right=True),
    ]  # fmt: skip
    rows = [
        [
            markup.join(markup.mark(), " ", markup.strong(finding.simulator)),
            _what(finding),
            numbers.integer(finding.circuits),
            numbers.integer(finding.reproducer.operations),
        ]
        for finding in report.findings
    ]
    circuits = [
        markup.folded(f"{finding.simulator}: {_what(finding)}", markup.listing(finding.reproducer.openqasm))
        for finding in report.findings
    ]
    notes = [markup.note(f"{name} {tally.note}") for name, tally in report.simulators.items() if tally.note]
    table = markup.table(columns, rows) if rows else ""
    return markup.block(markup.title(report.verdict), table, *circuits, *notes, markup.note(report.statement))


def _simulators(report: HuntRecord) -> str:
    head = f"| simulator | version | circuits | exact | samples | not taken | restarts | |\n|{'---|' * 8}"
    rows = [
        f"| {name} | {tally.version} | {tally.circuits:,} | {tally.exact:,} | {tally.samples:,} | {tally.not_taken:,} "
        f"| {tally.restarts} | {_cell(tally.note)} |"
        for name, tally in report.simulators.items()
    ]
    return "\n".join([head, *rows])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _finding(number: int, finding: Finding) -> str:
    reproducer = finding.reproducer
    lines = [f"## {number}. {finding.simulator}: {_cell(_what(finding))}", f"It {_cell(finding.detail)}."]
    if reproducer.causes:
        lines.append(f"Its results fit {reproducer.causes[0].detail}.")
    size = f"{numbers.several(reproducer.operations, 'operation')} of {reproducer.operations_before}"
    left = "nothing can be left out" if reproducer.minimal else "it may be reduced further"
    lines.append(f"Reduced to {size}; {left}:")
    lines.append(f"```text\n{reproducer.openqasm.rstrip()}\n```")
    lines += _outcomes(finding)
    versions = ", ".join(f"{name} {version}" for name, version in reproducer.versions.items())
    shown = f"Shown by {numbers.several(finding.circuits, 'circuit')}: {'; '.join(finding.examples[:5])}."
    return "\n\n".join([*lines, *([f"Versions: {versions}."] if versions else []), shown])


def _outcomes(finding: Finding) -> list[str]:
    reproducer = finding.reproducer
    lines = [f"* expected: {_probabilities(reproducer.expected)}"] if reproducer.expected else []
    for name, counts in reproducer.counts.items():
        shots = sum(counts.values()) or 1
        frequencies = {outcome: times / shots for outcome, times in counts.items()}
        lines.append(f"* {name}: {_probabilities(frequencies)} of {numbers.several(shots, 'shot')}")
    return ["\n".join(lines)] if lines else []


def _probabilities(probabilities: dict[str, float]) -> str:
    likely = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))
    more = f", {len(likely) - _LIKELY} more" if len(likely) > _LIKELY else ""
    return ", ".join(f"`{outcome}` {probability:.4f}" for outcome, probability in likely[:_LIKELY]) + more


def _what(finding: Finding) -> str:
    """Return the cause, the gates that are wrong, or else what was seen."""
    if finding.cause:
        return finding.cause
    return f"{numbers.listing(list(finding.culprits))}, wrong" if finding.culprits else finding.detail
