"""Which simulators there are, as a mapping that a terminal and a notebook show as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.resources import machine_memory_bytes
from gateway.results import Capabilities, ResultType


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSimulator:
    """What is known about a simulator without starting it.

    Args:
        name: its name in the registry.
        summary: a few words that describe it.
        version: the version of its framework here or in the environment of its group; ``None`` if it is not installed.
        port: the port that its server takes by default.
        capabilities: what it can do.
        installing: the command that installs it.
        offered_by: the distribution that offers it; empty for our own.
    """

    name: str
    summary: str
    version: str | None
    port: int
    capabilities: Capabilities
    installing: str
    offered_by: str = ""

    @property
    def is_installed(self) -> bool:
        """Whether a LocalSimulator of this name can run."""
        return self.version is not None

    @property
    def state(self) -> str:
        """The state in words: ``ready`` or ``not installed``."""
        return "ready" if self.is_installed else "not installed"

    def _repr_html_(self) -> str:
        return SimulatorList([self])._repr_html_()


class SimulatorList(Mapping[str, ListedSimulator]):
    """Name -> simulator, in order of the registry: our own, and then those of other distributions.

    Args:
        simulators: all of them.
        faults: a sentence for each simulator of another distribution that cannot be used.
    """

    def __init__(self, simulators: Iterable[ListedSimulator], faults: Sequence[str] = ()) -> None:
        self._simulators = {simulator.name: simulator for simulator in simulators}
        self.faults = tuple(faults)

    def __getitem__(self, name: str) -> ListedSimulator:
        return self._simulators[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._simulators)

    def __len__(self) -> int:
        return len(self._simulators)

    def __repr__(self) -> str:
        head = ["simulator", "version", "state", *ABILITIES, "qubits at most", "what it is"]
        rows = [
            [each.name, each.version or "", each.state, *_with_width(each.capabilities), each.summary]
            for each in self.values()
        ]
        return "\n".join([plain_table(head, rows), *self._notes()])

    def _repr_html_(self) -> str:
        from gateway.look import markup, numbers  # noqa: PLC0415 - a server shows nothing

        ready = sum(each.is_installed for each in self.values())
        missing = len(self) - ready
        aside = f"{ready} ready" + (f", {missing} not installed" if missing else "")
        heads = ("simulator", "version", "state", *ABILITIES, "qubits at most", "what it is")
        columns = [markup.Column(head, right=head in {"gates", "qubits at most"}) for head in heads]
        rows = [
            [
                markup.Bold(each.name),
                markup.quiet(each.version or ""),
                each.state if each.is_installed else f"○ {each.state}",
                *_with_width(each.capabilities),
                markup.quiet(each.summary),
            ]
            for each in self.values()
        ]
        notes = [markup.note(note) for note in self._notes()]
        return markup.block(
            markup.title(numbers.several(len(self), "simulator"), aside), markup.table(columns, rows), *notes
        )

    def _notes(self) -> list[str]:
        """Return a sentence about the last column, and one for whatever does not run here."""
        memory = f"{machine_memory_bytes() / 2**30:.0f}\N{NO-BREAK SPACE}GiB"
        missing = [each for each in self.values() if not each.is_installed]
        containers = f"; DockerSimulator({missing[0].name!r}) runs it in a container" if missing else ""
        return [
            f"Qubits at most: what fits into the {memory} of this machine; {_NONE} depends on the circuit.",
            *(f"{each.name}: {each.installing}{'' if each.offered_by else containers}" for each in missing),
            *self.faults,
        ]


ABILITIES = ("exact", "state vector", "mid-circuit", "conditions", "gates")
"""The heads of the columns that :func:`abilities` fills."""


def abilities(capabilities: Capabilities) -> list[str]:
    """Return the cells of a table below the heads of :data:`ABILITIES`."""
    return [
        _mark(ResultType.PROBABILITIES in capabilities.result_types),
        _mark(ResultType.STATEVECTOR in capabilities.result_types),
        _mark(capabilities.mid_circuit_measurement),
        _mark(capabilities.classical_control),
        "all" if capabilities.gates == "universal" else str(len(capabilities.gates)),
    ]


def plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as lines of text, whose columns are as wide as they have to be."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows))


def _with_width(capabilities: Capabilities) -> list[str]:
    """Return the abilities, and the qubits that fit into the memory of this machine."""
    most = capabilities.most_qubits(machine_memory_bytes())
    return [*abilities(capabilities), _NONE if most is None else f"{most:,}"]


def _mark(value: bool) -> str:
    return "yes" if value else _NONE


_NONE = "\N{EN DASH}"
