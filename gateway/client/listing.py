"""Lists that a gateway gives, which a terminal and a notebook show as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

from gateway.look import markup, numbers
from gateway.protocol.door import ComparisonInfo, SimulatorInfo, SimulatorState
from gateway.simulator_list import ABILITIES, abilities, plain_table

_UNKNOWN = "\N{EN DASH}"
_MARKS = {SimulatorState.READY: "", SimulatorState.STARTING: "… ", SimulatorState.DOWN: "○ "}
_STANDINGS = {"agrees": "= ", "differs": "≠ ", "failed": "! "}


class Simulators(Mapping[str, SimulatorInfo]):
    """Name -> simulator behind a gateway, in the gateway's order, those that are down as well.

    Args:
        simulators: all of them.
    """

    def __init__(self, simulators: Iterable[SimulatorInfo]) -> None:
        self._simulators = {each.name: each for each in simulators}

    def __getitem__(self, name: str) -> SimulatorInfo:
        return self._simulators[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._simulators)

    def __len__(self) -> int:
        return len(self._simulators)

    def __repr__(self) -> str:
        head = ("simulator", "version", "state", "load", *ABILITIES)
        rows = [[each.name, version(each), each.state, load(each), *_abilities(each)] for each in self.values()]
        return "\n".join([plain_table(head, rows), *self._notes()])

    def _repr_html_(self) -> str:
        ready = sum(each.state is SimulatorState.READY for each in self.values())
        heads = ("simulator", "version", "state", "load", *ABILITIES)
        columns = [markup.Column(head, right=head == "gates") for head in heads]
        rows = [
            [
                markup.Bold(each.name),
                markup.quiet(version(each)),
                state(each),
                markup.quiet(load(each)),
                *_abilities(each),
            ]
            for each in self.values()
        ]
        return markup.block(
            markup.title(numbers.several(len(self), "simulator"), f"{ready} ready"),
            markup.table(columns, rows),
            *map(markup.note, self._notes()),
        )

    def _notes(self) -> list[str]:
        return [f"{each.name}: {each.reason}" for each in self.values() if each.reason]


class Comparisons(Sequence[ComparisonInfo]):
    """Comparisons of a gateway, the newest first.

    Args:
        comparisons: those that were asked for.

    Attributes:
        total: how many the gateway keeps that match.
    """

    def __init__(self, comparisons: Sequence[ComparisonInfo], total: int) -> None:
        self._comparisons = tuple(comparisons)
        self.total = total

    @overload
    def __getitem__(self, index: int) -> ComparisonInfo: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ComparisonInfo, ...]: ...

    def __getitem__(self, index: int | slice) -> ComparisonInfo | tuple[ComparisonInfo, ...]:
        return self._comparisons[index]

    def __len__(self) -> int:
        return len(self._comparisons)

    def __repr__(self) -> str:
        rows = [[each.id, *_summary(each)] for each in self]
        return plain_table(("id", *_HEADS), rows) if rows else "no comparison"

    def _repr_html_(self) -> str:
        columns = [markup.Column(head, mono=head == "id") for head in ("id", *_HEADS)]
        rows = [[markup.quiet(each.id), *_summary(each)] for each in self]
        aside = "" if len(self) == self.total else f"of {numbers.integer(self.total)}"
        title = markup.title(numbers.several(len(self), "comparison"), aside)
        return markup.block(title, markup.table(columns, rows) if rows else "")


def version(simulator: SimulatorInfo) -> str:
    """Return the version of a simulator's framework, as far as it is known."""
    return simulator.backend.version if simulator.backend is not None else _UNKNOWN


def state(simulator: SimulatorInfo) -> str:
    """Return the state of a simulator, with a mark if it takes no work."""
    return f"{_MARKS[simulator.state]}{simulator.state}"


def load(simulator: SimulatorInfo) -> str:
    """Return in words what a simulator has to do."""
    if simulator.load is None:
        return _UNKNOWN
    running, waiting = simulator.load.running, simulator.load.waiting
    parts = [f"{number:,} {what}" for number, what in ((running, "running"), (waiting, "waiting")) if number]
    return ", ".join(parts) or "idle"


def _abilities(simulator: SimulatorInfo) -> list[str]:
    if simulator.backend is None:
        return [_UNKNOWN] * len(ABILITIES)
    return abilities(simulator.backend.capabilities)


_HEADS = ("created", "circuits", "simulators", "verdict", "by")


def _summary(info: ComparisonInfo) -> list[str]:
    """Return the cells below :data:`_HEADS`."""
    verdict = f"{_STANDINGS.get(info.standing, '')}{info.verdict}" if info.verdict else str(info.state)
    return [
        f"{info.created:%Y-%m-%d %H:%M}",
        numbers.listing(list(info.circuits)),
        numbers.listing(list(info.simulators)),
        verdict,
        info.by,
    ]
