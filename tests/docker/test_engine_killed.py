"""The engine itself dies during a run: a second one, in a network and mount namespace of its own, is killed.

It does not meet the first: in one namespace a second engine would take the first one's bridge away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import wait_until

_NEEDED = ("dockerd", "docker", "unshare", "nsenter", "ip")

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, _NEEDED)),
    reason="a second engine needs root, dockerd, unshare, nsenter and ip",
)

SCRIPT = """
from support.fake import Does, fake
simulator = DockerSimulator("qulacs", image=sys.argv[1])
simulator.start()
job = simulator.run_async(fake(Does.SLEEP, 60), shots=1)
print("accepted", flush=True)
try:
    job.result(50)
except Exception as exc:
    print(type(exc).__name__, exc, flush=True)
sys.stdin.readline()
print(dict(simulator.run(fake(), shots=3)), flush=True)
simulator.close()
"""


class SecondEngine:
    """An engine that may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.address = f"unix://{folder}/docker.sock"
        self._holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"])
        wait_until(self._has_its_own_network, "a network namespace of its own")
        self.inside = ["nsenter", f"--target={self._holder.pid}", "--net", "--mount"]
        subprocess.run([*self.inside, "ip", "link", "set", "lo", "up"], check=True)
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        folder = self._folder
        for stale in (folder / "pid", folder / "exec/containerd/containerd.pid"):
            stale.unlink(missing_ok=True)  # a zombie's number in it would count as a running engine
        options = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
        names = ["--containerd-namespace=second", "--containerd-plugins-namespace=second-plugins"]
        with (folder / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                [*self.inside, "dockerd", *options, *names, "--host", self.address], stdout=log, stderr=log
            )
        wait_until(
            lambda: self.docker("version").returncode == 0,
            lambda: f"the second engine: {(folder / 'log').read_text()[-2000:]}",
        )

    def _has_its_own_network(self) -> bool:
        return Path(f"/proc/{self._holder.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()

    def docker(self, *words: str, **options: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["docker", "--host", self.address, *words], capture_output=True, check=False, **options)

    def process_names(self) -> bytes:
        """Return the names of all processes in its containers."""
        ids = self.docker("ps", "-q").stdout.decode().split()
        return b"".join(self.docker("top", each, "-o", "pid,comm").stdout for each in ids)

    def kill(self, number: int = signal.SIGKILL) -> None:
        self._daemon.send_signal(number)  # nsenter has become dockerd
        self._daemon.wait(60)

    def close(self) -> None:
        self.kill(signal.SIGTERM)
        for process in Path("/proc").glob("[0-9]*"):  # what holds a container whose engine was killed
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_bytes()
                if b"shim" in words and str(self._folder).encode() in words:
                    os.kill(int(process.name), signal.SIGKILL)
        self._holder.kill()
        self._holder.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture
def second_engine(tmp_path: Path, rogue: str) -> Iterator[SecondEngine]:
    engine = SecondEngine(tmp_path)
    engine.start()
    with subprocess.Popen(["docker", "save", rogue], stdout=subprocess.PIPE) as saved:
        assert engine.docker("load", stdin=saved.stdout).returncode == 0
    yield engine
    engine.close()


def test_engine_killed_during_a_run_and_started_again(mine, rogue, second_engine):
    mine.environment["DOCKER_HOST"] = second_engine.address
    process = mine.script(SCRIPT, rogue, through=second_engine.inside)
    assert mine.line(process) == "accepted"
    wait_until(lambda: b"SLEEP" in second_engine.process_names(), "the run in the container")

    second_engine.kill()

    said = mine.line(process)
    assert said.startswith("DockerUnavailable the Docker engine went away during the run: ")
    assert said.endswith("the next run starts anew")
    second_engine.start()
    output, errors = process.communicate("\n", timeout=120)
    assert output == "{'00000000': 3}\n", errors
    assert process.returncode == 0
    assert second_engine.docker("ps", "-aq").stdout == b""
    assert mine.vault.containers() == []
