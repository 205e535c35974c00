"""What a hunt finds, as frozen data."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.compare.hunting.differences import Kind
from gateway.compare.record import Reproducer
from gateway.look import numbers

FORMAT = 1
"""The version of the report's format; a reader refuses a newer one."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fault of one simulator, as one or several circuits showed it.

    Args:
        simulator: the simulator; ``gateway`` if all others agree against our own exact simulator.
        kind: what differs.
        detail: what was seen first, as the end of a sentence that begins with the simulator's name.
        cause: the name of the hypothesis that explains it, or the class of the error; empty if nothing does.
        culprits: the gates that the simulator gets wrong: written in simpler gates, the circuit comes out right.
        reproducer: the smallest circuit that shows it.
        openqasm: the first circuit that showed it, whole, as OpenQASM 3 text.
        circuits: how many circuits showed it.
        examples: the first of them: seed and profile of random circuits, paths of files.
        seeds: the seeds of the random circuits among these; :func:`gateway.compare.hunting.generator.random_circuit`
            gives them again, with the scope of the simulator that a circuit was made for.
    """

    simulator: str
    kind: Kind
    detail: str
    cause: str = ""
    culprits: tuple[str, ...] = ()
    reproducer: Reproducer
    openqasm: str
    circuits: int = 1
    examples: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()

    def __str__(self) -> str:
        more = f" ({numbers.several(self.circuits, 'circuit')})" if self.circuits > 1 else ""
        known = self.cause or " and ".join(self.culprits)
        return f"{self.simulator}: {f'{known}: ' if known else ''}it {self.detail}{more}"


class Tally(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one simulator was asked in a hunt.

    Args:
        version: the version of its framework.
        circuits: how many circuits it ran.
        exact: for how many of them it gave exact results.
        samples: for how many it gave counts.
        not_taken: how many circuits it does not take, or could not run for their size.
        restarts: how often it ended and answered again.
        note: what its user should know, such as why it is lost.
    """

    version: str = ""
    circuits: int = 0
    exact: int = 0
    samples: int = 0
    not_taken: int = 0
    restarts: int = 0
    note: str = ""


class HuntRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a hunt found, and how far it came.

    Args:
        format: the version of this format.
        simulators: simulator -> what it was asked.
        findings: the faults, in the order in which they were found.
        circuits: how many circuits were tried.
        files: how many of them came from files.
        without_reference: how many were too large for an exact reference, so that simulators were compared with each
            other.
        skipped: file -> why it was not tried.
        seconds: how long the hunt took.
        seed: the seed of the first random circuit; each later one has the next.
        shots: the number of shots of the first sample of each circuit.
        confirmations: how many samples were drawn again with more shots.
        unexamined: how many differences were not looked into, since their simulator had 30 findings already.
        false_alarm_rate: the probability that samples led to any finding about a right simulator.
        unsaved: why the report could not be written where it was to be saved.
        interrupted: whether Ctrl-C ended the hunt.
        created: when it was started, in UTC, as ISO 8601.
    """

    format: int = FORMAT
    simulators: dict[str, Tally]
    findings: tuple[Finding, ...] = ()
    circuits: int = 0
    files: int = 0
    without_reference: int = 0
    skipped: dict[str, str] = {}
    seconds: float = 0.0
    seed: int
    shots: int
    confirmations: int = 0
    unexamined: int = 0
    false_alarm_rate: float
    unsaved: str = ""
    interrupted: bool = False
    created: str = ""

    @property
    def exit_status(self) -> int:
        """0 if nothing was found, 1 if something was, 2 if a simulator was lost or nothing could be tried."""
        if self.findings:
            return 1
        is_lost = any(not tally.circuits for tally in self.simulators.values())
        return 2 if is_lost or not self.circuits else 0

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        tried = f"{numbers.several(self.circuits, 'circuit')} on {numbers.several(len(self.simulators), 'simulator')}"
        if not self.findings:
            return f"{tried}: nothing was found."
        names = list(dict.fromkeys(finding.simulator for finding in self.findings))
        return f"{tried}: {numbers.several(len(self.findings), 'finding')}, in {numbers.listing(names)}."

    @property
    def statement(self) -> str:
        """What was tried, and how sure the findings are."""
        ended = "interrupted" if self.interrupted else "ended"
        large = f", {self.without_reference} of them too large for an exact reference" if self.without_reference else ""
        rest = f" {self.unexamined} more differences were not looked into." if self.unexamined else ""
        rest += f" The report could not be saved: {self.unsaved}." if self.unsaved else ""
        return (
            f"Circuits with seeds from {self.seed} on, {self.files} from files{large}; {ended} after "
            f"{numbers.seconds(self.seconds)}. Exact results were held to the exact distribution; suspicious samples "
            f"were drawn again with ten times the shots or more, {numbers.several(self.confirmations, 'time')}. A "
            "sample accuses a right simulator with probability "
            f"{numbers.scientific(self.false_alarm_rate)} at most in the whole hunt.{rest}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {"verdict": self.verdict, **msgspec.to_builtins(self)}
