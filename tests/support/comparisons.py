"""Comparisons as a door keeps them, without its port: on servers of the fake, which does what a circuit tells it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from support.fake import TARGET, Does, fake
from support.raw import Server
from support.waiting import wait_until

from gateway.backends.process import ServerProcess
from gateway.compare.comparison import Comparison
from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.manager import Comparisons
from gateway.door.comparisons.store import ComparisonStore
from gateway.jobs.manager import Caller
from gateway.protocol.door import ComparisonInfo, ComparisonLimits, ComparisonRequest, NamedText

ME = Caller("", "127.0.0.1")


class Fakes:
    """Servers of the fake under several names.

    Args:
        names: the names.
        workers: how many runs each does at the same time.
    """

    def __init__(self, *names: str, workers: int = 2) -> None:
        self.servers = {name: Server(ServerProcess(target=TARGET, workers=workers)) for name in names}
        self.addresses: dict[str, SimulatorAddress] = {}
        for name, server in self.servers.items():
            info = server.process.start()
            server.port = server.process.port
            self.addresses[name] = SimulatorAddress(url=f"http://127.0.0.1:{server.port}", info=info)

    def doing(self, does: Does) -> dict[str, set[int]]:
        """Return name -> the processes in which it does this now, of those that do it."""
        return {name: pids for name, server in self.servers.items() if (pids := server.doing(does))}

    def wait_until_doing(self, does: Does, runs: int = 1) -> None:
        """Wait until so many runs do this, on all servers together."""
        wait_until(
            lambda: sum(map(len, self.doing(does).values())) == runs,
            lambda: f"{runs} runs of {does.name}; there are {self.doing(does)}",
        )

    def let_go(self) -> None:
        """Let all runs of ``Does.WAIT`` end."""
        for server in self.servers.values():
            server.let_go()

    def stop(self) -> None:
        """Stop the servers."""
        for server in self.servers.values():
            server.process.stop()


@contextlib.contextmanager
def comparisons_of(
    path: Path | str,
    addresses: Callable[[], dict[str, SimulatorAddress]],
    *,
    within_s: float = 0,
    at_once: int = 2,
    **limits: Any,
) -> Iterator[Comparisons]:
    """Run the comparisons in a file."""
    comparisons = Comparisons(ComparisonStore(path), lambda _: addresses(), ComparisonLimits(**limits), at_once=at_once)
    try:
        comparisons.start()
        yield comparisons
    finally:
        comparisons.close(within_s)


def request(*does: Does, amount: float = 0, name: str = "circuit", **fields: Any) -> ComparisonRequest:
    """Ask for a comparison of circuits that make the fake do something."""
    circuits = tuple(
        NamedText(name=f"{name} {k}", openqasm=fake(each, amount).to_openqasm3()) for k, each in enumerate(does, 1)
    )
    return ComparisonRequest(circuits=circuits, **{"shots": 20, "exact": False, **fields})


def latest(comparisons: Comparisons, comparison_id: str) -> Comparison | None:
    """Return the record, or what has finished of one that runs; ``None`` if there is none."""
    kept = comparisons.latest_kept(comparison_id, ME)
    return None if kept is None else msgspec.json.decode(kept.text(), type=Comparison)


def ended(comparisons: Comparisons, info: ComparisonInfo, caller: Caller = ME) -> ComparisonInfo:
    """Wait for the end of a comparison, and return what is said about it then."""
    return wait_until(
        lambda: found if (found := comparisons.info(info.id, caller, 5)).state.is_final else None,
        lambda: f"the end of {comparisons.info(info.id, caller)}",
    )
