"""verify(): proves an installation, row by row of a battery, through the interface of backends alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from gateway.backends.auto import Backends, Unavailable, open_backends
from gateway.compare.arguments import check_number, check_rate
from gateway.compare.hunting import battery
from gateway.compare.hunting.behaviour import Behaviour, behaviours
from gateway.compare.hunting.matrix import Failure, Outcome, VerifiedRow
from gateway.compare.hunting.participant import Participant
from gateway.compare.hunting.subject import Failed, NotOffered, Subject
from gateway.compare.hunting.verification import Verification
from gateway.compare.running import side_by_side
from gateway.errors import GatewayError, RequestError, TransportError

SHOTS = 1000
FALSE_ALARM_RATE = 1e-6

Examine = Callable[[Subject], None]


def verify(
    backends: Backends,
    *,
    groups: Collection[str] | None = None,
    shots: int = SHOTS,
    seed: int = 1,
    false_alarm_rate: float = FALSE_ALARM_RATE,
    timeout_s: float | None = 60.0,
) -> Verification:
    """Hold simulators to a battery: bit order, every gate, operand orders, dynamic circuits, seeds, shots.

    Exact results are held to the exact distribution; samples are judged at the stated rate. What a simulator does not
    declare is no pass: its cell says ``not offered``. Ctrl-C ends the verification at once: what has been examined by
    then is returned, and the rest is ``not examined``.

    Args:
        backends: as :func:`gateway.backends.auto.open_backends` takes them: names, URLs, or a mapping to backends.
        groups: the parts of the battery, such as ``bit order`` and ``gates``; all by default.
        shots: the number of shots where samples are judged.
        seed: the seed of the samples; the same seed gives the same verification of simulators that heed seeds.
        false_alarm_rate: the probability that any right simulator fails any row.
        timeout_s: the seconds after which a run is ended.

    Raises:
        RequestError: there is no backend or no such group, or an argument is out of range.
    """
    check_number("shots", shots, lowest=1, whole=True)
    check_number("seed", seed, lowest=0, whole=True)
    check_rate(false_alarm_rate)
    check_number("timeout_s", timeout_s, above=0)
    examinations = _examinations(groups)
    with open_backends(backends) as opened:
        columns = {name: _Column(Participant(name, backend, timeout_s)) for name, backend in opened.items()}
        examine = partial(
            _examine, examinations=examinations, shots=shots, seed=seed, rate=false_alarm_rate / len(opened)
        )
        is_interrupted = False
        try:
            side_by_side(examine, list(columns.values()))
        except KeyboardInterrupt:
            is_interrupted = True
            for column in columns.values():
                column.end()
    return Verification(
        versions={name: column.participant.version for name, column in columns.items()},
        rows=tuple(_row(index, each, columns) for index, each in enumerate(examinations)),
        notes={name: column.note for name, column in columns.items() if column.note},
        shots=shots,
        seed=seed,
        false_alarm_rate=false_alarm_rate,
        seconds={name: column.seconds for name, column in columns.items()},
        interrupted=is_interrupted,
    )


@dataclass(slots=True)
class _Column:
    """What one simulator made of the rows that it has been examined in: for each the outcome, and why if it fails.

    Args:
        participant: the simulator.
        cells: the outcomes so far.
        note: what its user should know.
        seconds: how long it took.
        is_over: whether the verification was interrupted; nothing is added then.
    """

    participant: Participant
    cells: list[tuple[Outcome, Failure | None]] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0
    is_over: bool = False

    def end(self) -> None:
        """Add nothing any more, and ask the simulator nothing any more."""
        self.is_over = True
        self.participant.backend = Unavailable(TransportError("the verification was interrupted"))

    def cell(self, index: int) -> tuple[Outcome, Failure | None]:
        """Return what the simulator made of a row."""
        return self.cells[index] if index < len(self.cells) else (Outcome.NOT_EXAMINED, None)


def _examinations(groups: Collection[str] | None) -> list[Behaviour]:
    """Return the rows of some groups.

    Raises:
        RequestError: there is no such group.
    """
    everything = [*(Behaviour(row.group, row.name, partial(_hold, row)) for row in battery.rows()), *behaviours()]
    known = dict.fromkeys(each.group for each in everything)
    for group in groups or ():
        if group not in known:
            raise RequestError(f"there is no group {group!r}: known are {', '.join(known)}", field="groups")
    return [each for each in everything if groups is None or each.group in groups]


def _hold(row: battery.Row, subject: Subject) -> None:
    subject.hold_to_distributions(list(row.circuits(subject.scope)), sampled=row.sampled)


def _examine(column: _Column, *, examinations: Sequence[Behaviour], shots: int, seed: int, rate: float) -> None:
    """Examine one simulator; it is not asked any more once it cannot be reached."""
    began = perf_counter()
    try:
        column.participant.start()
        subject = Subject(column.participant, shots=shots, seed=seed, rate=rate)
        for each in examinations:
            cell = _cell(each.examine, subject)
            if column.is_over:
                return
            column.cells.append(cell)
            column.seconds = perf_counter() - began
        column.note = column.participant.note
    except GatewayError as exc:
        if not column.is_over:
            column.note = f"{type(exc).__name__}: {exc}"
            column.cells += [(Outcome.NO_ANSWER, None)] * (len(examinations) - len(column.cells))
            column.seconds = perf_counter() - began


def _cell(examine: Examine, subject: Subject) -> tuple[Outcome, Failure | None]:
    """Return what a row says of a subject.

    Raises:
        TransportError: the subject cannot be reached.
    """
    try:
        examine(subject)
    except NotOffered:
        return Outcome.NOT_OFFERED, None
    except Failed as exc:
        return Outcome.FAILS, exc.failure
    return Outcome.PASSES, None


def _row(index: int, row: Behaviour, columns: Mapping[str, _Column]) -> VerifiedRow:
    cells = {simulator: column.cell(index) for simulator, column in columns.items()}
    return VerifiedRow(
        group=row.group,
        name=row.name,
        outcomes={simulator: outcome for simulator, (outcome, _) in cells.items()},
        failures={simulator: failure for simulator, (_, failure) in cells.items() if failure is not None},
    )
