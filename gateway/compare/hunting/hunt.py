"""hunt(): random circuits and files on any set of backends, for so many minutes; who differs is found and reduced."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from time import monotonic

import msgspec

from gateway.backends.auto import Backends, open_backends
from gateway.circuit import parse
from gateway.compare.arguments import check_number, check_rate
from gateway.compare.files import check_path
from gateway.compare.hunting.accusation import Accusation, Trial
from gateway.compare.hunting.findings import Findings, Reduced
from gateway.compare.hunting.generator import random_circuit
from gateway.compare.hunting.judge import Judge
from gateway.compare.hunting.observation import is_measured
from gateway.compare.hunting.participants import Participants
from gateway.compare.hunting.reducing import reduced
from gateway.compare.hunting.report import HuntReport
from gateway.compare.progress import Event, Progress, Stage, progress_of
from gateway.errors import GatewayError, RequestError
from gateway.look import numbers

MINUTES = 10.0
SHOTS = 1000
FALSE_ALARM_RATE = 1e-6
TIMEOUT_S = 30.0
"""The seconds after which a run is ended; random circuits take milliseconds."""

REDUCING_S = 60.0
"""The seconds that the reduction of one finding may take."""

LATE_S = 10.0
"""The seconds that a reduction may take after the end of the hunt."""

SAVING_S = 30.0
"""The seconds after which the report is written again, so that a hunt that is killed leaves what it found."""

_PROGRESS_S = 0.5


def hunt(  # noqa: PLR0913 - all but the first by keyword
    backends: Backends,
    *,
    minutes: float = MINUTES,
    circuits: int | None = None,
    folder: str | Path | None = None,
    seed: int | None = None,
    shots: int = SHOTS,
    false_alarm_rate: float = FALSE_ALARM_RATE,
    timeout_s: float | None = TIMEOUT_S,
    save: str | Path | None = None,
    progress: object = "auto",
) -> HuntReport:
    """Try random circuits on simulators for so many minutes, and report who differs, with the smallest such circuits.

    Exact results are held to our own exact simulator. Samples are too where there are no others, and a suspicious one
    is drawn again with fresh seeds and ten times the shots before it counts. An error is a finding where others give
    results; a refusal of what a simulator does not declare is none. One backend is enough.

    Ctrl-C ends the hunt; everything found until then is in the report. A backend that ends is started again, or left
    out until it answers.

    Args:
        backends: as :func:`gateway.backends.auto.open_backends` takes them: names, URLs, or a mapping to backends.
        minutes: how long to hunt; a circuit that is being reduced then may take ten seconds more.
        circuits: how many circuits to try at most. With a seed and enough minutes, a hunt can be repeated.
        folder: a folder whose ``.qasm`` files, at any depth, are tried first.
        seed: the seed of the first random circuit; each later one has the next. Drawn at random by default.
        shots: the number of shots of the first sample of each circuit.
        false_alarm_rate: the probability that samples lead to any finding about a right simulator.
        timeout_s: the seconds after which each run is ended, where the backend can end one.
        save: the path of a file to which the report is written after each finding, every half a minute, and at the end.
        progress: ``"auto"``, ``None`` or a :class:`~gateway.compare.progress.Progress`.

    Raises:
        RequestError: there is no backend or no such folder, or an argument is out of range or no path of a file.
        SimulatorNotInstalled: a simulator is not on this machine at all.
    """
    check_number("minutes", minutes, above=0)
    check_number("circuits", circuits, lowest=1, whole=True)
    check_number("seed", seed, lowest=0, whole=True)
    check_number("shots", shots, lowest=1, whole=True)
    check_rate(false_alarm_rate)
    check_number("timeout_s", timeout_s, above=0)
    if folder is not None and not Path(folder).is_dir():
        raise RequestError(f"there is no folder {folder}", field="folder")
    if save is not None:
        check_path(save, field="save")
    with open_backends(backends) as opened:
        participants = Participants(opened, timeout_s)
        run = _Hunt(
            participants,
            minutes=minutes,
            circuits=circuits,
            seed=secrets.randbits(31) if seed is None else seed,
            shots=shots,
            rate=false_alarm_rate,
            save=None if save is None else Path(save),
            progress=progress_of(progress),
        )
        try:
            return run.run(None if folder is None else Path(folder))
        finally:
            participants.close()


class _Hunt:
    """A hunt that is under way."""

    def __init__(
        self,
        participants: Participants,
        *,
        minutes: float,
        circuits: int | None,
        seed: int,
        shots: int,
        rate: float,
        save: Path | None,
        progress: Progress,
    ) -> None:
        self._participants = participants
        self._seed = seed
        self._shots = shots
        self._save = save
        self._progress = progress
        self._judge = Judge(participants, shots=shots, rate=rate, random=Random(seed))
        self._findings = Findings(self._reduced, participants.scope)
        self._created = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = monotonic()
        self._total_s = 60 * minutes
        self._most_circuits = math.inf if circuits is None else circuits
        self._shown = self._saved = 0.0
        self._circuits = self._files = 0
        self._skipped: dict[str, str] = {}
        self._interrupted = False

    def run(self, folder: Path | None) -> HuntReport:
        """Try one circuit after the other until time is over, and return the report."""
        self._progress.start(list(self._participants.tallies), [""])
        try:
            for trial in self._trials(folder):
                self._try(trial)
        except KeyboardInterrupt:
            self._interrupted = True
        finally:
            self._progress.finish()
        return self._report()

    @property
    def _seconds(self) -> float:
        return monotonic() - self._began

    @property
    def _is_over(self) -> bool:
        return self._seconds >= self._total_s or self._circuits >= self._most_circuits

    # ------------------------------------------------------------------ circuits

    def _trials(self, folder: Path | None) -> Iterator[Trial]:
        for path in sorted(folder.rglob("*.qasm")) if folder is not None else []:
            if self._is_over:
                self._skipped[str(path)] = "the hunt was over"
                continue
            yield from self._from_file(path)
        seed = self._seed
        while not self._is_over:
            scopes = [participant.scope for participant in self._participants.present()]
            if not scopes:
                return
            scope = Random(seed).choice(scopes)
            profile, circuit = random_circuit(seed, scope)
            yield Trial(circuit, f"seed {seed}, {profile}", seed)
            seed += 1

    def _from_file(self, path: Path) -> Iterator[Trial]:
        """Yield the circuit of a file, measured if it is not."""
        try:
            circuit = parse(path.read_text(encoding="utf-8"))
        except (GatewayError, OSError, ValueError) as exc:
            self._skipped[str(path)] = f"{type(exc).__name__}: {exc}"
            return
        self._files += 1
        yield Trial(circuit if is_measured(circuit) else circuit.measure_all(), str(path))

    def _try(self, trial: Trial) -> None:
        observations = self._participants.observe(trial.circuit, self._judge.plan())
        self._circuits += 1
        for accusation in self._judge.accusations(trial.circuit, observations):
            self._findings.add(trial, accusation)
            self._report()
        if self._seconds - self._saved > SAVING_S:
            self._report()
        self._show()

    def _reduced(self, trial: Trial, accusation: Accusation) -> Reduced:
        seconds = max(min(REDUCING_S, self._total_s - self._seconds), LATE_S)
        return reduced(self._participants, trial, accusation, seconds)

    # ------------------------------------------------------------------ what is shown

    def _show(self) -> None:
        seconds = self._seconds
        if seconds - self._shown < _PROGRESS_S:
            return
        self._shown = seconds
        for name in self._participants.tallies:
            event = Event(simulator=name, stage=Stage.RUNNING, done=int(seconds), total=int(self._total_s) or 1)
            self._progress.update(event)
        found = numbers.several(len(self._findings.all()), "finding")
        lost = "".join(f"; {name} does not answer" for name in self._participants.lost)
        self._progress.sentence(f"{numbers.several(self._circuits, 'circuit')} tried; {found} so far{lost}.")

    def _report(self) -> HuntReport:
        report = HuntReport(
            simulators=dict(self._participants.tallies),
            findings=self._findings.all(),
            circuits=self._circuits,
            files=self._files,
            without_reference=self._judge.without_reference,
            skipped=dict(self._skipped),
            seconds=self._seconds,
            seed=self._seed,
            shots=self._shots,
            unexamined=self._findings.unexamined,
            confirmations=self._judge.spending.tests,
            false_alarm_rate=self._judge.spending.rate,
            interrupted=self._interrupted,
            created=self._created,
        )
        self._saved = self._seconds
        try:
            if self._save is not None:
                report.save(self._save)
        except (OSError, RequestError) as exc:  # what was found is not lost for that
            return msgspec.structs.replace(report, unsaved=str(exc))
        return report
