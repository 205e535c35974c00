"""What is under siege: ``gateway serve`` of a simulator and of a function, with jobs on disk and tokens, and a door."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import cloudpickle
from siege.served import run_func
from support.raw import Server, alive, descendants
from support.serving import environment
from support.waiting import wait_until

from gateway.backends.client import BackendClient
from gateway.execution.function import Function
from gateway.execution.processors import usable
from gateway.protocol.messages import ServerLimits, encode
from gateway.resources import Resources
from gateway.settings import Settings

WORKERS = 2
MEMORY = 512 * 2**20
"""What one run may allocate, in bytes."""

TIMEOUT_S = 1.0
"""The longest run, so that runs that hang give the two workers back while others wait for their turn."""

HELPERS = 3 + 2 * (max(2, min(usable(), 4)) + 2 + 2)
"""The most processes beside a door: three fork servers, and a keeper and a process for each text that is looked at, for
each of two comparisons that are shown, and for each of two requests that are checked."""

_HAS_KEEPERS = importlib.util.find_spec("gateway.execution.forkserver") is not None
_BUGS = ("failed unexpectedly", "Exception in thread")
_ADDRESS = re.compile(r"(?:serving \S+|the door is open) at http://127\.0\.0\.1:(\d+)[ ,]")


class Besieged(Server):
    """A server that is attacked.

    Args:
        name: what it serves: ``qulacs`` or ``function``.
        folder: where its files are, the temporary ones too.
        tokens: the path of the file with the tokens.
    """

    def __init__(self, name: str, folder: Path, tokens: Path) -> None:
        self.name = name
        self.host = "127.0.0.1"
        self.jobs = folder / "jobs.sqlite"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self._log = folder / "log"
        self._tokens = tokens
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> Any:  # with a host and a pid, as the base class wants it
        return self

    @property
    def pid(self) -> int | None:
        assert self._process is not None
        return self._process.pid if self._process.poll() is None else None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment({"TMPDIR": str(self.temporary)}),
                start_new_session=True,
            )
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(self._settings())
        self.port = int(wait_until(self._address, lambda: f"the address of the server:\n{self.log()}")[1])
        wait_until(self._is_ready, lambda: f"the server to be ready:\n{self.log()}")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        everything = self.processes() | self.left_behind()
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        for pid in everything:
            if alive(pid):  # a server that was attacked may leave some
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def _command(self) -> list[str]:
        serve = [sys.executable, "-m", "gateway", "serve"]
        if self.name == "function":
            return [*serve, "--settings", "-"]
        limits = [f"--limit={name}={value}" for name, value in self._limits().items()]
        options = ["--port=0", f"--workers={WORKERS}", f"--jobs={self.jobs}", f"--tokens={self._tokens}"]
        return [*serve, self.name, *options, f"--memory={MEMORY}", *limits]

    def _limits(self) -> dict[str, float]:
        return {"timeout_s": TIMEOUT_S}

    def _settings(self) -> bytes:
        """Return what the server of the function reads from its standard input."""
        if self.name != "function":
            return b""
        settings = Settings(
            pickled=True,
            port=0,
            workers=WORKERS,
            jobs=str(self.jobs),
            tokens_file=str(self._tokens),
            resources=Resources(memory=MEMORY),
            limits=ServerLimits(**self._limits()),
        )
        return encode(settings) + b"\n" + cloudpickle.dumps(Function(run_func))

    def _address(self) -> re.Match[str] | None:
        assert self.pid is not None, f"the server has ended:\n{self.log()}"
        return _ADDRESS.search(self.log())

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return self.request("GET", "/readyz").status == 200
        return False

    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def bugs(self) -> Counter[str]:
        """Return the lines of its log that tell of a bug, and how often each is there.

        A simulator that fails leaves a traceback, too, but that is no bug of the server's.
        """
        return Counter(line[:200] for line in self.log().splitlines() if any(word in line for word in _BUGS))

    # ------------------------------------------------------------------ its processes

    def by_kind(self) -> dict[str, set[int]]:
        """Return the ids of its processes by what they do.

        A server may have keepers between its fork server and its workers.
        """
        arbiter = self.pid or 0
        http = _children(arbiter)
        fork_servers = {child for parent in http for child in _children(parent) if _is_fork_server(child)}
        forked = {child for parent in fork_servers for child in _children(parent)}
        keepers = forked if _HAS_KEEPERS else set()
        workers = {child for keeper in keepers for child in _children(keeper)} if _HAS_KEEPERS else forked
        runs = {child for parent in workers for child in descendants(parent) if alive(child)}
        known = {"arbiter": {arbiter}, "HTTP": http, "fork server": fork_servers, "keeper": keepers, "worker": workers}
        others = {pid for pid in descendants(arbiter) if alive(pid)} - set().union(*known.values()) - runs
        return {**known, "of a run": runs, "other": others}

    def zombies(self) -> set[int]:
        """Return the ids of its processes that have ended and that nobody has reaped."""
        return {pid for pid in descendants(self.pid or 0) if not alive(pid)}

    def left_behind(self) -> set[int]:
        """Return the ids of processes that its runs have started, wherever in the system they hang by now.

        They are known by the folder of temporary files in their environment, which no other server has.
        """
        mine = f"TMPDIR={self.temporary}".encode()
        kinds = self.by_kind()
        own = set().union(*(pids for kind, pids in kinds.items() if kind != "of a run"))
        found = set()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) not in own:
                with contextlib.suppress(OSError):
                    if mine in (entry / "environ").read_bytes().split(b"\0") and alive(int(entry.name)):
                        found.add(int(entry.name))
        return found

    # ------------------------------------------------------------------ its database

    @contextlib.contextmanager
    def locked_database(self) -> Iterator[None]:
        """Hold a lock on the database for as long as the block lasts, as another program may."""
        with contextlib.closing(sqlite3.connect(self.jobs, isolation_level=None, timeout=30)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")

    def states(self) -> dict[str, int]:
        """Return how many jobs are in each state, read in the file itself."""
        with contextlib.closing(sqlite3.connect(self.jobs, timeout=30)) as connection:
            return dict(connection.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())

    def waiting(self, token: str) -> dict[str, float]:
        """Return what waits for a worker, by its name."""
        return {name: self.metric(f"gateway_{name}", token) for name in ("waiting_runs", "queued_circuits")}

    def metric(self, name: str, token: str) -> float:
        """Return the value of a metric without labels."""
        text = self.request("GET", "/metrics", None, {"Authorization": f"Bearer {token}"}).body.decode()
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))


class BesiegedDoor(Besieged):
    """A door that is attacked in place of the servers behind it.

    Args:
        folder: where its files are, the temporary ones too.
        tokens: the path of the file with the tokens.
        behind: name -> the server of a simulator.
    """

    def __init__(self, folder: Path, tokens: Path, behind: Mapping[str, Besieged]) -> None:
        super().__init__("door", folder, tokens)
        self._behind = behind

    def prefix(self, name: str) -> str:
        """Return what comes before the paths of a simulator."""
        return f"/v1/simulators/{name}"

    def client_of(self, name: str, **options: Any) -> BackendClient:
        """Return a client of a simulator behind it."""
        return BackendClient(f"http://{self.host}:{self.port}{self.prefix(name)}", **options)

    def _command(self) -> list[str]:
        words = [sys.executable, "-m", "gateway", "open", "--port=0", "--no-start", f"--tokens={self._tokens}"]
        simulators = [f"--simulator={name}=http://{each.host}:{each.port}" for name, each in self._behind.items()]
        return [*words, f"--comparisons={self.jobs}", *simulators]

    def by_kind(self) -> dict[str, set[int]]:
        arbiter = self.pid or 0
        http = _children(arbiter)
        others = {pid for pid in descendants(arbiter) if alive(pid)} - http
        return {"arbiter": {arbiter}, "HTTP": http, "of a run": set(), "helper": others}

    def waiting(self, _token: str) -> dict[str, float]:
        return {}


def _children(pid: int) -> set[int]:
    """Return the ids of the children of a process that have not ended."""
    listings = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        children = {int(child) for listing in listings for child in listing.read_text().split()}
    except OSError:  # it ends
        return set()
    return {child for child in children if alive(child)}


def _is_fork_server(pid: int) -> bool:
    try:
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def line(name: str, token: str) -> str:
    """Return a line of a file of tokens."""
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()}\n"
