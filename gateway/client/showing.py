"""Shows how a comparison of a gateway goes on, by what shows the progress of one that runs here."""

from __future__ import annotations

from gateway.compare.progress import Event, Progress, Stage
from gateway.look import numbers
from gateway.protocol.door import ComparisonInfo, ComparisonState, SimulatorProgress

_PARTS = 1000
"""So many parts a share is told in."""


class Showing:
    """Tells a display what has changed from one state to the next.

    A gateway tells of all circuits of a simulator together, so the events name no circuit.

    Args:
        progress: the display.
        info: the first state.
    """

    def __init__(self, progress: Progress, info: ComparisonInfo) -> None:
        self._progress = progress
        self._lines: dict[str, SimulatorProgress] = {}
        self._told = ("", "")
        progress.start(info.simulators, [""])
        self.show(info)

    def show(self, info: ComparisonInfo) -> None:
        """Tell of a state."""
        if info.progress is not None:
            for line in info.progress.lines:
                if self._lines.get(line.simulator) != line:
                    self._lines[line.simulator] = line
                    self._progress.update(_event(line))
        stage = "" if info.progress is None else info.progress.stage
        sentence = _sentence(info)
        if (stage, sentence) != self._told:
            self._told = (stage, sentence)
            if stage in set(Stage):
                self._progress.update(Event(stage=Stage(stage)))
            self._progress.sentence(sentence)


def _event(line: SimulatorProgress) -> Event:
    stage = Stage(line.stage) if line.stage in set(Stage) else Stage.RUNNING
    done = 0 if line.share is None else round(line.share * _PARTS)
    total = 0 if line.share is None else _PARTS
    return Event(simulator=line.simulator, stage=stage, done=done, total=total, seconds=line.seconds)


def _sentence(info: ComparisonInfo) -> str:
    if info.state is ComparisonState.QUEUED and info.before:
        return f"{numbers.several(info.before, 'comparison')} before this one"
    return "" if info.progress is None else info.progress.sentence
