"""The pass matrix of a verification, rows of the battery by simulators, as frozen data."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from gateway.look import numbers


class Outcome(StrEnum):
    """What a row of the battery says of a simulator."""

    PASSES = "passes"
    FAILS = "fails"
    NOT_OFFERED = "not offered"
    """The simulator does not declare what the row needs; that is no pass."""
    NO_ANSWER = "no answer"
    """The simulator could not be reached."""
    NOT_EXAMINED = "not examined"
    """The verification was interrupted before."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a simulator fails a row.

    Args:
        expected: what should have come.
        came: what came instead.
        openqasm: the circuit that shows it, as OpenQASM 3 text; empty if it is about several or about none.
        seed: the seed of the run, where shots were drawn.
    """

    expected: str
    came: str
    openqasm: str = ""
    seed: int | None = None


class VerifiedRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of the matrix.

    Args:
        group: the part of the battery, such as ``bit order``.
        name: what the row shows, such as ``clbit 0 is the rightmost character``.
        outcomes: simulator -> what the row says of it.
        failures: simulator -> why it fails.
    """

    group: str
    name: str
    outcomes: dict[str, Outcome]
    failures: dict[str, Failure] = {}


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """The pass matrix of one or several simulators.

    Args:
        versions: simulator -> the version of its framework, in the caller's order.
        rows: the rows of the battery.
        notes: simulator -> what its user should know, such as why it did not answer.
        shots: the number of shots where samples were judged.
        seed: the seed of the first sample.
        false_alarm_rate: the probability that any right simulator fails any row.
        seconds: simulator -> how long it took.
        interrupted: whether Ctrl-C ended the verification.
    """

    versions: dict[str, str]
    rows: tuple[VerifiedRow, ...]
    notes: dict[str, str] = {}
    shots: int
    seed: int
    false_alarm_rate: float
    seconds: dict[str, float] = {}
    interrupted: bool = False

    @property
    def all_pass(self) -> bool:
        """Whether every simulator answered, passed something and fails nothing, and was examined to the end."""
        spoiling = (Outcome.FAILS, Outcome.NO_ANSWER, Outcome.NOT_EXAMINED)
        return bool(self.versions) and all(
            self.count(name, Outcome.PASSES) and not any(self.count(name, outcome) for outcome in spoiling)
            for name in self.versions
        )

    @property
    def exit_status(self) -> int:
        """0 if all pass, 1 if a simulator fails a row, 2 if one did not answer or was not examined to the end."""
        if any(self.count(name, Outcome.FAILS) for name in self.versions):
            return 1
        return 0 if self.all_pass else 2

    def count(self, simulator: str, outcome: Outcome, group: str | None = None) -> int:
        """Return how many rows, of one group or of all, say this of a simulator."""
        return sum(row.outcomes[simulator] is outcome for row in self.rows if group in {None, row.group})

    def failing(self) -> Iterator[tuple[str, VerifiedRow, Failure]]:
        """Yield each simulator that fails a row, the row, and why."""
        for row in self.rows:
            for name, failure in row.failures.items():
                yield name, row, failure

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        failing = {name: self.count(name, Outcome.FAILS) for name in self.versions}
        silent = [name for name in self.versions if self.count(name, Outcome.NO_ANSWER)]
        late = [name for name in self.versions if self.count(name, Outcome.NOT_EXAMINED)]
        passing = [name for name in self.versions if not failing[name] and name not in silent + late]
        parts = ["Interrupted"] if self.interrupted else []
        parts += [self._passing(passing)] if passing else []
        parts += [f"{name} fails {numbers.several(number, 'row')}" for name, number in failing.items() if number]
        parts += [f"{numbers.listing(silent)} did not answer"] if silent else []
        parts += [f"{name} was examined in {self._examined(name)}" for name in late]
        return f"{'; '.join(parts) or 'Nothing was verified'}."

    def _passing(self, names: list[str]) -> str:
        if len(names) > 1 and len(names) == len(self.versions):
            return f"All {len(names)} pass every row that they offer"
        return f"{numbers.listing(names)} {'passes' if len(names) == 1 else 'pass'} every row that is offered"

    def _examined(self, name: str) -> str:
        """Return in how many rows a simulator was examined."""
        done = len(self.rows) - self.count(name, Outcome.NOT_EXAMINED)
        return f"{done} of {numbers.several(len(self.rows), 'row')}"

    def to_dict(self) -> dict[str, Any]:
        """Return the matrix as plain data, for JSON."""
        return {"verdict": self.verdict, "all_pass": self.all_pass, **msgspec.to_builtins(self)}
