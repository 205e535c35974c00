"""Comparisons while doors and simulators are killed, and while the disk is full: each accepted one ends, once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any, Self

import msgspec
import pytest
import requests
from support.comparisons import request
from support.disks import can_mount
from support.fake import TARGET, Does
from support.raw import descendants, port_to_keep, wait_for_end
from support.supervised import Supervised, environment
from support.waiting import wait_until

from gateway.compare.comparison import Comparison
from gateway.protocol.door import ComparisonRequest

COMPARISONS = 200
KILLS = 10
KILL_EVERY = COMPARISONS // (KILLS + 1)
"""Something is killed each time so many more comparisons have ended."""

_USAGE_ERROR = 2
DISK_BYTES = 2 * 2**20


class Door:
    """A ``gateway open`` on a port and with a file that stay the same when it is started again.

    Args:
        folder: of its file and its log.
        simulators: name -> URL.
        before: words before its command.
    """

    def __init__(self, folder: Path, simulators: dict[str, str], *before: str) -> None:
        self._folder = folder
        self.port = port_to_keep()
        self.url = f"http://127.0.0.1:{self.port}"
        places = [f"--simulator={name}={url}" for name, url in simulators.items()]
        self._command = [
            *before, sys.executable, "-m", "gateway", "open", "--no-start", f"--port={self.port}", "--drain=1s",
            f"--comparisons={folder}/disk/comparisons.sqlite", *places,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "disk").mkdir()

    def start(self) -> None:
        """Start it, and wait until it takes requests; what killed processes hold it waits for, or is started again."""

        def answers() -> bool:
            assert self.process is None or self.process.poll() != _USAGE_ERROR, self.log()
            if self.process is None or self.process.poll() is not None:
                with (self._folder / "log").open("ab") as log:
                    self.process = subprocess.Popen(self._command, env=environment(), stdout=log, stderr=log)
            try:
                return requests.get(f"{self.url}/readyz", timeout=5).ok
            except requests.RequestException:
                return False

        wait_until(answers, lambda: f"a door that takes requests:\n{self.log()[-3000:]}", look_every_s=0.05)

    def log(self) -> str:
        """Return what it has written."""
        return (self._folder / "log").read_text(errors="replace")

    def kill(self) -> None:
        """Kill its first process; the others notice that they are orphans, and answer until then."""
        assert self.process is not None
        below = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        wait_for_end(below)

    def kill_http(self) -> None:
        """Kill the process that takes requests; the first one starts another."""
        for child in _children(self._first()):
            os.kill(child, signal.SIGKILL)

    def kill_comparison(self, random: Random) -> None:
        """Kill a process that is deeper down: of a comparison, what forks them, or what stands between."""
        if deeper := sorted(descendants(self._first()) - set(_children(self._first()))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(deeper), signal.SIGKILL)

    def _first(self) -> int:
        assert self.process is not None
        return self.process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it whatever it does; a test that has failed must not leave it to the next ones."""
        if self.process is not None and self.process.poll() is None:
            for pid in {self.process.pid, *descendants(self.process.pid)}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        """Stop it, and see that it leaves no process behind."""
        assert self.process is not None
        below = descendants(self.process.pid)
        self.process.terminate()
        self.process.wait(60)
        wait_for_end(below)

    # ------------------------------------------------------------------ requests

    def submit(self, asked: ComparisonRequest, key: str) -> requests.Response:
        """Submit a comparison."""
        return requests.post(
            f"{self.url}/v1/comparisons",
            data=msgspec.json.encode(asked),
            headers={"Content-Type": "application/json", "Idempotency-Key": key},
            timeout=60,
        )

    def submit_in_the_end(self, asked: ComparisonRequest, key: str) -> str:
        """Submit a comparison again and again, with one key, until it is accepted; return its id."""

        def accepted() -> str:
            with contextlib.suppress(requests.RequestException):
                reply = self.submit(asked, key)
                assert reply.status_code in {202, 422, 500, 503}, reply.text
                return str(reply.json()["id"]) if reply.status_code == 202 else ""
            return ""

        return wait_until(accepted, f"comparison {key} to be accepted", look_every_s=0.1)

    def get(self, path: str) -> Any:
        """Return what is at a path, as soon as somebody answers."""

        def answer() -> requests.Response | None:
            with contextlib.suppress(requests.RequestException):
                reply = requests.get(f"{self.url}{path}", timeout=60)
                return None if reply.status_code == 503 else reply
            return None

        reply = wait_until(answer, lambda: f"an answer at {path}\n{self.log()[-3000:]}", look_every_s=0.1)
        assert reply.ok, reply.text
        return reply.json()


def _children(pid: int) -> list[int]:
    return [child for child in descendants(pid) if _parent_of(child) == pid]


def _parent_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


@pytest.fixture
def simulators(tmp_path: Path) -> Iterator[dict[str, Supervised]]:
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(Supervised(tmp_path / f"{name}.sqlite", target=TARGET, workers=2))
            for name in ("one", "two")
        }


def _urls(simulators: dict[str, Supervised]) -> dict[str, str]:
    return {name: f"http://127.0.0.1:{server.port}" for name, server in simulators.items()}


def _restarted(server: Supervised) -> None:
    server.kill_all()
    server.start()


@pytest.mark.timeout(600)  # on a machine with much else to do
def test_two_hundred_comparisons_end_while_doors_and_simulators_are_killed(
    simulators: dict[str, Supervised], tmp_path: Path
):
    random = Random(12)
    with Door(tmp_path, _urls(simulators)) as door:
        kinds: list[Callable[[], None]] = [
            door.kill,
            door.kill_http,
            lambda: door.kill_comparison(random),
            lambda: _restarted(simulators["one"]),
            lambda: _restarted(simulators["two"]),
        ]
        kills = [kinds[k % len(kinds)] for k in range(KILLS)]
        random.shuffle(kills)
        one = request(Does.ECHO, simulators=("one", "two"))
        with ThreadPoolExecutor(4) as clients:
            ids = list(clients.map(lambda k: door.submit_in_the_end(one, str(k)), range(COMPARISONS // 2)))
            submitting = [
                clients.submit(door.submit_in_the_end, one, str(k)) for k in range(COMPARISONS // 2, COMPARISONS)
            ]
            for number, kill in enumerate(kills, 1):
                _wait_for_ends(door, number * KILL_EVERY)
                kill()
                door.start()
            ids += [each.result() for each in submitting]
        _wait_for_ends(door, COMPARISONS)
        assert len(set(ids)) == COMPARISONS
        infos = [door.get(f"/v1/comparisons/{name}") for name in ids]
        assert {info["state"] for info in infos} <= {"finished", "failed"}
        listed = _listed(door)
        assert Counter(listed) == Counter(ids), "each is there once"
        for info in infos:
            if info["state"] == "finished":
                record = msgspec.convert(door.get(f"/v1/comparisons/{info['id']}/record"), type=Comparison)
                assert [row.simulator for row in record.rows] == ["one", "two"]
                assert {str(row.verdict) for row in record.rows} <= {"agrees", "failed"}
            else:
                assert info["error"]["detail"]
        assert Counter(info["state"] for info in infos)["finished"] > COMPARISONS * 0.9
        door.stop()


def _wait_for_ends(door: Door, number: int) -> None:
    wait_until(
        lambda: door.get("/v1/comparisons?show=ended&limit=1").get("total", 0) >= number,
        lambda: f"{number} ends; there are {door.get('/v1/comparisons?show=ended&limit=1')}\n{door.log()[-3000:]}",
        look_every_s=0.1,
    )


def _listed(door: Door) -> list[str]:
    """Return the ids of all comparisons, from all pages of the list."""
    found: list[str] = []
    query = "limit=50"
    while query:
        page = door.get(f"/v1/comparisons?{query}")
        found += [info["id"] for info in page["comparisons"]]
        query = f"limit=50&before={page['next']}" if "next" in page else ""
    return found


# ---------------------------------------------------------------------- a full disk


class SmallDisk(Door):
    """A door whose file is on a file system of its own, which a test fills."""

    def __init__(self, folder: Path, simulators: dict[str, str]) -> None:
        mount = f'mount -t tmpfs -o size={DISK_BYTES} none {folder}/disk && exec "$@"'
        super().__init__(folder, simulators, "unshare", "-rm", "sh", "-c", mount, "sh")

    @property
    def _filler(self) -> Path:
        return Path(f"/proc/{self._first()}/root{self._folder}/disk/filler")

    def fill(self) -> None:
        """Leave no byte."""
        with contextlib.suppress(OSError), self._filler.open("ab", buffering=0) as file:
            while True:
                file.write(b"\0" * 512)

    def make_room(self) -> None:
        """Remove what fills it."""
        self._filler.unlink()


@pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a file system of their own (unshare -rm)")
def test_a_full_disk_refuses_new_comparisons_and_loses_none(simulators: dict[str, Supervised], tmp_path: Path):
    with SmallDisk(tmp_path, _urls(simulators)) as door:
        waits = request(Does.ECHO, Does.WAIT, simulators=("one",))
        accepted = [door.submit_in_the_end(waits, "waits")]
        simulators["one"].wait_until_doing(Does.WAIT)
        door.fill()
        large = request(*[Does.ECHO] * 20, name="x" * 200)
        wait_until(lambda: _fills(door, large, accepted), "a comparison that finds no room")
        before = _listed(door)
        assert sorted(before) == sorted(accepted), "what was refused is not there"
        cancelled = requests.delete(f"{door.url}/v1/comparisons/{accepted[0]}", timeout=60).json()
        assert cancelled["cancelled_by"]
        wait_until(lambda: "is not written yet" in door.log(), "an end that finds no room")
        assert door.get(f"/v1/comparisons/{accepted[0]}")["state"] == "running", "nothing is said before it is kept"
        door.make_room()
        _wait_for_ends(door, len(accepted))
        assert door.get(f"/v1/comparisons/{accepted[0]}")["state"] == "cancelled"
        assert door.get(f"/v1/comparisons/{accepted[0]}/record")["interrupted"] is True
        again = door.submit_in_the_end(large, "again")
        wait_until(lambda: door.get(f"/v1/comparisons/{again}")["state"] == "finished", "a comparison like before")
        door.stop()


def _fills(door: Door, large: ComparisonRequest, accepted: list[str]) -> bool:
    """Submit one more comparison, and say whether the disk is full."""
    reply = door.submit(large, f"fills {len(accepted)}")
    if reply.status_code == 202:
        accepted.append(reply.json()["id"])
        return False
    assert (reply.status_code, reply.json()["code"]) == (507, "storage-full"), reply.text
    return True
