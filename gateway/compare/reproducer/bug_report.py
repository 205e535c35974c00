"""Writes a reproducer as a bug report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.backends.addresses import is_address
from gateway.compare.record import Reproducer
from gateway.look.numbers import exact_difference, integer, listing, p_is, several
from gateway.simulators import SIMULATORS

MOST_OUTCOMES = 16
"""A table has at most so many outcomes, those that matter most."""


def bug_report(reproducer: Reproducer) -> str:
    """Return a reproducer as Markdown that can be sent as it is to those who write the simulator.

    It says what was expected and what came instead, has the circuit as OpenQASM, versions, seed and figures, and
    tells how to see it again. Bitstrings have clbit 0 as their rightmost character.
    """
    return "\n".join(_lines(reproducer)) + "\n"


def _lines(reproducer: Reproducer) -> Iterator[str]:
    name = reproducer.simulator
    yield f"# {name} {reproducer.versions.get(name, '')}".rstrip() + f": {_headline(reproducer)}"
    yield f"\n{_summary(reproducer)}"
    yield f"\n## Circuit\n\n```qasm\n{reproducer.openqasm.rstrip()}\n```"
    if reproducer.error:
        yield f"\n## What came\n\n```text\n{reproducer.error}\n```"
    if reproducer.expected or reproducer.counts:
        yield "\n## What was expected, and what came\n"
        yield from _table(reproducer)
    yield "\n## Evidence\n"
    yield from [f"- {line}" for line in _evidence(reproducer)]
    yield "\n## To see it again\n"
    yield f"Save the circuit as `reproducer.qasm`.{_addresses(reproducer)}\n\n```console\n$ {_command(reproducer)}\n```"


def _headline(reproducer: Reproducer) -> str:
    if reproducer.error:
        return f"{reproducer.error.partition(':')[0]} on a circuit of {several(reproducer.operations, 'operation')}"
    return f"wrong results for a circuit of {several(reproducer.operations, 'operation')}"


def _summary(reproducer: Reproducer) -> str:
    """Return in a sentence or two how the circuit was found, and what explains it."""
    of_file = f" `{reproducer.circuit}`" if reproducer.circuit else ""
    before = several(reproducer.operations_before, "operation")
    reduced = f"It was reduced from a circuit{of_file} of {before}"
    left = "; nothing can be left out." if reproducer.minimal else "; more might be left out."
    causes = [
        f"\n\nPossible cause: `{cause.name}`; its results fit {cause.detail} ({p_is(cause.p_value)})."
        for cause in reproducer.causes
    ]
    return reduced + left + "".join(causes)


def _table(reproducer: Reproducer) -> Iterator[str]:
    """Yield a table of the outcomes with their exact probabilities and their counts."""
    outcomes = _outcomes(reproducer)
    exact = ["exact probability"] if reproducer.expected else []
    titles = ["outcome", *exact, *[f"shots of {name}" for name in reproducer.counts]]
    yield f"| {' | '.join(titles)} |"
    yield f"|---|{'---:|' * (len(titles) - 1)}"
    for outcome in outcomes[:MOST_OUTCOMES]:
        cells = [f"`{outcome}`"]
        if reproducer.expected:
            cells.append(_probability(reproducer.expected.get(outcome, 0.0)))
        cells += [integer(counts.get(outcome, 0)) for counts in reproducer.counts.values()]
        yield f"| {' | '.join(cells)} |"
    if len(outcomes) > MOST_OUTCOMES:
        yield f"\nand {integer(len(outcomes) - MOST_OUTCOMES)} more outcomes."
    yield "\nThe rightmost character is clbit 0."


def _outcomes(reproducer: Reproducer) -> list[str]:
    """Return all outcomes: in numerical order if they are few, else those that differ most first."""
    everywhere: list[Mapping[str, float]] = [reproducer.expected, *reproducer.counts.values()]
    outcomes = sorted({outcome for results in everywhere for outcome in results})
    if len(outcomes) <= MOST_OUTCOMES:
        return outcomes
    counts: Mapping[str, float] = reproducer.counts.get(reproducer.simulator, {})
    expected: Mapping[str, float] = next((results for results in everywhere if results and results is not counts), {})
    shots, total = sum(counts.values()) or 1, sum(expected.values()) or 1
    return sorted(outcomes, key=lambda key: -abs(counts.get(key, 0) / shots - expected.get(key, 0) / total))


def _probability(value: float) -> str:
    return f"{value:.6g}" if value else "never"


def _evidence(reproducer: Reproducer) -> Iterator[str]:
    versions = [f"{name} {version}".rstrip() for name, version in reproducer.versions.items()]
    if versions:
        yield f"Simulators: {listing(versions)}."
    if reproducer.exact_difference is not None:
        difference = exact_difference(reproducer.exact_difference)
        is_measured = reproducer.counts or "measure" in reproducer.openqasm
        what = "exact probabilities" if is_measured else "amplitudes"
        yield f"The {what} of {reproducer.simulator} differ from the expected ones by up to {difference}."
        if not is_measured:
            yield "The circuit measures nothing: its state vectors were compared, whatever their global phases."
    if reproducer.p_value is not None:
        yield f"Chance explains the counts of {reproducer.simulator} with {p_is(reproducer.p_value)}."
    if reproducer.shots is not None and reproducer.seed is not None:
        yield f"{several(reproducer.shots, 'shot')} each, seed {reproducer.seed}."


def _command(reproducer: Reproducer) -> str:
    known, others = _names(reproducer)
    addresses = [_address(name) or "URL" for name in others]
    given = [("on", ",".join(known)), ("at", ",".join(addresses))]
    given += [("shots", str(reproducer.shots or "")), ("seed", "" if reproducer.seed is None else str(reproducer.seed))]
    return " ".join(["gateway compare reproducer.qasm", *[f"--{name} {value}" for name, value in given if value]])


def _addresses(reproducer: Reproducer) -> str:
    """Return whose address the reader has to put into the command, as a sentence after another one; mostly empty."""
    unknown = [f"`{name}`" for name in _names(reproducer)[1] if not _address(name)]
    if not unknown:
        return ""
    if len(unknown) == 1:
        return f" {unknown[0]} is a server or a backend of somebody's own: put its address in the place of URL."
    names = listing(unknown)
    return (
        f" {names} are servers or backends of somebody's own: put their addresses in the places of URL, in this order."
    )


def _names(reproducer: Reproducer) -> tuple[list[str], list[str]]:
    """Return the simulators that anybody can start, and the others."""
    names = dict.fromkeys([reproducer.simulator, *reproducer.versions, *reproducer.counts])
    return [name for name in names if name in SIMULATORS], [name for name in names if name not in SIMULATORS]


def _address(name: str) -> str:
    """Return the address in a name such as ``qulacs@lab:8088``; empty if there is none."""
    place = name.rpartition("@")[2]
    return place if is_address(place) else ""
