"""``gateway open`` as people start it, in front of servers that the tests have started."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support import wrong
from support.raw import JSON, Reply, Server
from support.serving import Served, serving, started

from gateway.backends.client import BackendClient
from gateway.backends.process import ServerProcess
from gateway.simulators import find

OWN_PORT, THROUGH_A_DOOR = "own port", "through a door"
WAYS = (OWN_PORT, THROUGH_A_DOOR)
"""The ways to a simulator; what is promised of one holds on the other."""

_REQUEST_LINE = re.compile(rb"((?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|get) (?:http://[^/ ]*)?)/")


@contextlib.contextmanager
def door(
    simulators: Mapping[str, Server | str],
    *options: str,
    env: Mapping[str, str] | None = None,
    port: int = 0,
    state: Path | None = None,
) -> Iterator[Served]:
    """Run ``gateway open`` until the end of the block, which begins once the door is ready.

    Args:
        simulators: name -> its server, or the address of one.
        *options: of ``gateway open``.
        env: more variables.
        port: 0 for any free one.
        state: the folder of its files; without one they end with the block.
    """
    with contextlib.ExitStack() as stack:
        folder = state or Path(stack.enter_context(TemporaryDirectory()))
        addresses = {name: url if isinstance(url, str) else address(url) for name, url in simulators.items()}
        words = [sys.executable, "-m", "gateway.cli", "open", "--port", str(port), "--no-start"]
        words += ["--comparisons", str(folder / "comparisons.sqlite")]
        words += [word for name, url in addresses.items() for word in ("--simulator", f"{name}={url}")]
        yield stack.enter_context(started([*words, *options], {"XDG_STATE_HOME": str(folder), **(env or {})}))


@contextlib.contextmanager
def simulators(*names: str) -> Iterator[dict[str, Server]]:
    """Run servers of simulators, one worker each, until the end of the block; ``turned`` is one that is wrong."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for name in names:
            process = ServerProcess(target=wrong.TARGET if name == "turned" else find(name).adapter, workers=1)
            stack.callback(process.stop)
            process.start()
            servers[name] = Server(process)
        yield servers


@contextlib.contextmanager
def reached(way: str, *options: str, own: Sequence[str] = ()) -> Iterator[Served]:
    """Serve the fake until the end of the block, reached in one of the :data:`WAYS`.

    Args:
        way: how it is reached.
        *options: of its server, and of the door before it as well.
        own: options of its server alone.
    """
    with serving(*options, *own) as served:
        if way == OWN_PORT:
            yield served
            return
        with door({"fake": served}, *options) as opened:
            yield Relayed(opened, served, "fake")


def address(server: Server, path: str = "") -> str:
    """Return the URL of a server."""
    return f"http://{server.process.host}:{server.port}{path}"


class Relayed(Served):
    """A simulator behind a door, spoken to through the door as if by its own port.

    Args:
        served: the door.
        simulator: the server of the simulator, whose processes are watched.
        name: of the simulator.
    """

    def __init__(self, served: Served, simulator: Server, name: str) -> None:
        self.process = self  # type: ignore[assignment]  # has a host too, and a pid
        self.host, self.port, self.pid = served.host, served.port, served.pid
        self._door, self._simulator = served, simulator
        self.prefix = f"/v1/simulators/{name}"

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        return super().request(method, self.prefix + path, body, JSON if headers is None else headers)

    def addressed(self, data: bytes) -> bytes:
        """Return bytes for the simulator's own port as they are sent to the door."""
        return _REQUEST_LINE.sub(rb"\g<1>" + self.prefix.encode() + b"/", data)

    def client(self, **options: Any) -> BackendClient:
        return BackendClient(address(self, self.prefix), **options)

    def processes(self) -> set[int]:
        return self._simulator.processes()

    def log(self) -> str:
        return self._door.log()
