"""The findings of a hunt while it runs: what is found again is merged, and what is new is reduced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from gateway.circuit import Circuit
from gateway.compare.hunting.accusation import Accusation, Trial
from gateway.compare.hunting.culprits import written_out
from gateway.compare.hunting.differences import Kind
from gateway.compare.hunting.hunt_record import Finding
from gateway.compare.hunting.scope import Scope
from gateway.compare.record import Reproducer
from gateway.compare.reproducer.compacting import num_operations
from gateway.compare.writing import openqasm_of

MOST_EXAMPLES = 20
"""The number of circuits that a finding names; it counts all."""

MOST_FINDINGS = 30
"""The number of findings of one simulator after which its differences are only counted."""


class Reduced(NamedTuple):
    """What is left of a circuit that shows a difference.

    Args:
        circuit: the smallest circuit that was found.
        reproducer: the same as a record, with what was expected and what came.
        culprits: the gates that the simulator gets wrong, if it is gates.
        is_interrupted: whether Ctrl-C ended the reduction.
    """

    circuit: Circuit
    reproducer: Reproducer
    culprits: tuple[str, ...] = ()
    is_interrupted: bool = False


@dataclass(slots=True)
class _Known:
    """A finding, what is left of its circuit, and what its errors have in common."""

    finding: Finding
    reduced: Reduced
    shape: str


@dataclass(slots=True)
class Findings:
    """The findings so far.

    Args:
        reduce: a function from a circuit and an accusation to what is left of the circuit.
        scope: a function from the name of a simulator to what it takes.
        unexamined: how many differences were neither explained nor reduced, since their simulator had enough findings.
    """

    reduce: Callable[[Trial, Accusation], Reduced]
    scope: Callable[[str], Scope]
    unexamined: int = 0
    _known: list[_Known] = field(default_factory=list)

    def all(self) -> tuple[Finding, ...]:
        """Return the findings in the order in which they were found."""
        return tuple(known.finding for known in self._known)

    def add(self, trial: Trial, accusation: Accusation) -> None:
        """Add a difference: to the finding that explains it, or as a new one, reduced.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the finding is added as far as it is reduced.
        """
        mine = [known for known in self._known if known.finding.simulator == accusation.simulator]
        explaining = self._explaining(mine, trial.circuit, accusation)
        if explaining is not None:
            explaining.finding = _merged(explaining.finding, trial)
        elif len(mine) >= MOST_FINDINGS:
            self.unexamined += 1
        else:
            self._add_new(mine, trial, accusation)

    def _add_new(self, mine: Sequence[_Known], trial: Trial, accusation: Accusation) -> None:
        try:
            reduced = self.reduce(trial, accusation)
        except KeyboardInterrupt:
            reduced = _unreduced(trial, accusation)
        finding = _finding(trial, accusation, reduced)
        same = next((known for known in mine if _is_same(known, finding, reduced)), None)
        if same is not None:
            same.finding = _merged(same.finding, trial)
        else:
            self._known.append(_Known(finding, reduced, accusation.difference.shape))
        if reduced.is_interrupted:
            raise KeyboardInterrupt

    def _explaining(self, mine: Sequence[_Known], circuit: Circuit, accusation: Accusation) -> _Known | None:
        """Return the known finding of which a difference is another case: it goes away with what the finding is about.

        A circuit with several known faults goes to the first of them.
        """
        if accusation.difference.shape:
            return next((known for known in mine if known.shape == accusation.difference.shape), None)
        concerned: list[_Known] = []
        rest = circuit
        for known in mine:
            other = None if known.shape else self._freed(circuit, known)
            if other is None or other == circuit:
                continue
            if not accusation.shows(other):
                return known
            concerned.append(known)
            rest = self._freed(rest, known) or rest
        return concerned[0] if len(concerned) > 1 and not accusation.shows(rest) else None

    def _freed(self, circuit: Circuit, known: _Known) -> Circuit | None:
        """Return a circuit without what a known finding is about; ``None`` where that cannot be said."""
        if known.reduced.culprits:
            return written_out(circuit, known.reduced.culprits, self.scope(known.finding.simulator))
        return _without(circuit, known.reduced.circuit)


def _unreduced(trial: Trial, accusation: Accusation) -> Reduced:
    operations = num_operations(trial.circuit)
    reproducer = Reproducer(
        simulator=accusation.simulator,
        circuit=trial.name,
        openqasm=openqasm_of(trial.circuit),
        operations=operations,
        operations_before=operations,
        minimal=False,
    )
    return Reduced(trial.circuit, reproducer, is_interrupted=True)


def _finding(trial: Trial, accusation: Accusation, reduced: Reduced) -> Finding:
    difference, causes = accusation.difference, reduced.reproducer.causes
    return Finding(
        simulator=accusation.simulator,
        kind=difference.kind,
        detail=difference.detail,
        cause=causes[0].name if causes else difference.shape.partition(":")[0],
        culprits=reduced.culprits,
        reproducer=reduced.reproducer,
        openqasm=openqasm_of(trial.circuit),
        examples=(trial.name,),
        seeds=_seeds(trial),
    )


def _merged(finding: Finding, trial: Trial) -> Finding:
    circuits = finding.circuits + 1
    if circuits > MOST_EXAMPLES:
        return msgspec.structs.replace(finding, circuits=circuits)
    examples, seeds = (*finding.examples, trial.name), (*finding.seeds, *_seeds(trial))
    return msgspec.structs.replace(finding, circuits=circuits, examples=examples, seeds=seeds)


def _seeds(trial: Trial) -> tuple[int, ...]:
    return () if trial.seed is None else (trial.seed,)


def _without(circuit: Circuit, reduced: Circuit) -> Circuit | None:
    """Return a circuit without conditional operations or resets, if those are what is left in a reduced one."""
    has_conditions = any(op.condition for op in reduced.operations)
    has_resets = any(op.name == "reset" for op in reduced.operations)
    if not has_conditions and not has_resets:
        return None
    operations = [
        op
        for op in circuit.operations
        if not (has_conditions and op.condition) and not (has_resets and op.name == "reset")
    ]
    return circuit.with_operations(operations)


def _is_same(known: _Known, finding: Finding, reduced: Reduced) -> bool:
    """Return whether two findings have the same culprits, the same cause, or the same operations in the same order."""
    if known.finding.culprits or finding.culprits:
        return known.finding.culprits == finding.culprits
    if known.shape or finding.kind in {Kind.ERROR, Kind.SILENCE}:
        return False  # errors of one shape were merged before
    if known.finding.cause or finding.cause:
        return known.finding.cause == finding.cause
    return known.finding.kind is finding.kind and _sequence(known.reduced.circuit) == _sequence(reduced.circuit)


def _sequence(circuit: Circuit) -> list[tuple[str, bool]]:
    return [(operation.name, bool(operation.condition)) for operation in circuit.operations]
