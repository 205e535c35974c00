"""Servers of simulators that are not ours: of another distribution, or an adapter named by its class."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import BackendClient, LocalSimulator
from gateway.circuit import Circuit
from gateway.errors import RequestError, SimulatorNotInstalled

ROOT = Path(__file__).parents[2]
BELL = Circuit(2).h(0).cx(0, 1).measure_all()
ROW = """
from gateway.results import Capabilities
from gateway.simulators import Simulator

ROW = Simulator(
    name="theirs", port=0, summary="Theirs", adapter="support.fakes:NumpyAdapter", distribution="theirs",
    capabilities=Capabilities(result_types=("counts",)),
)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a distribution that offers a simulator is installed."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "theirs.py").write_text(ROW)
    (tmp_path / "theirs-1.5.dist-info").mkdir()
    (tmp_path / "theirs-1.5.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.5\n")
    (tmp_path / "theirs-1.5.dist-info/entry_points.txt").write_text("[gateway.simulators]\ntheirs = theirs:ROW\n")
    return tmp_path


@pytest.mark.usefixtures("site")
def test_a_simulator_of_another_distribution_runs_by_its_name():
    with LocalSimulator("theirs", workers=1) as simulator:
        counts = simulator.run(BELL, shots=100, seed=1)
    assert set(counts) == {"00", "11"}


def test_an_adapter_runs_by_its_class():
    with LocalSimulator(adapter="support.fakes:NumpyAdapter", workers=1) as simulator:
        counts = simulator.run(BELL, shots=100, seed=1)
        assert repr(simulator) == "LocalSimulator('support.fakes:NumpyAdapter')"
    assert set(counts) == {"00", "11"}


@pytest.mark.parametrize(
    ("adapter", "error", "message"),
    [
        ("no_such_module:X", RequestError, "no module 'no_such_module'"),
        ("support.fakes:NoSuch", RequestError, "module 'support.fakes' has no class 'NoSuch'"),
        ("pathlib:Path", RequestError, "'pathlib:Path' is no adapter"),
        ("nonsense", RequestError, "written module:Class"),
        ("support.fake:NotInstalledAdapter", SimulatorNotInstalled, "'a_framework_nobody_has'"),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_refused_at_the_start_with_what_is_wrong(adapter, error, message):
    with LocalSimulator(adapter=adapter, workers=1) as simulator, pytest.raises(error, match=re.escape(message)):
        simulator.start()


@pytest.mark.parametrize("arguments", [{}, {"name": "qulacs", "adapter": "support.fakes:NumpyAdapter"}])
def test_a_simulator_is_named_in_exactly_one_way(arguments):
    with pytest.raises(RequestError, match="adapter='module:Class', and not both"):
        LocalSimulator(**arguments)


@pytest.mark.parametrize("words", [["theirs"], ["--adapter", "support.fakes:NumpyAdapter"]])
def test_the_command_serves_what_is_not_ours(site: Path, words: list[str]):
    environment = {**os.environ, "PYTHONPATH": f"{site}:{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "gateway.cli", "serve", *words, "--port=0", "--workers=1"]
    with subprocess.Popen(command, cwd=site, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            port = int(re.search(r":(\d+) ", server.stderr.readline())[1])
            with BackendClient("127.0.0.1", port) as client:
                assert set(client.run(BELL, shots=100, seed=1)) == {"00", "11"}
        finally:
            server.terminate()
