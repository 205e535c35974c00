"""The package without its extras, as somebody installs it who only talks to servers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.raw import Server

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv/bin/uv"
MINORS = (14, 13, 12, 11)
pytestmark = pytest.mark.slow

WITHOUT_A_SERVER = """
import importlib.util
assert not any(map(importlib.util.find_spec, ("flask", "sqlalchemy", "docker", "qiskit", "pytest")))
from gateway import Circuit
from gateway.circuit import parse
circuit = Circuit(2).h(0).cx(0, 1).measure_all()
assert parse(circuit.to_openqasm3()) == parse(circuit.to_openqasm2()) == circuit
print(circuit.draw())
"""

WITH_A_SERVER = """
import sys
from gateway import BackendClient, Circuit
with BackendClient("127.0.0.1", int(sys.argv[1])) as client:
    print(client.info().name, sum(client.run(Circuit(1).measure_all(), shots=9).values()))
"""


def _runs(python: str) -> bool:
    """Return whether a command is a Python that works; pyenv has commands on the PATH that only say what to choose."""
    if shutil.which(python) is None:
        return False
    return not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest Python that is on the PATH, with the package and what it always needs."""
    home = tmp_path_factory.mktemp("bare") / "environment"
    newest = next(filter(_runs, (f"python3.{minor}" for minor in MINORS)), sys.executable)
    subprocess.run([UV, "venv", "-q", "--python", newest, home], check=True)
    lock = ROOT / "requirements-dev.lock"
    subprocess.run([UV, "pip", "install", "-q", "--python", home / "bin/python", "-c", lock, ROOT], check=True)
    return home / "bin/python"


def output(python: Path, *words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(words, cwd=python.parent, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_the_command_shows_its_help_and_the_simulators(python: Path):
    command = str(python.with_name("gateway"))
    assert output(python, command, "--help").startswith("usage: gateway")
    assert "pip install 'simulator-gateway[qulacs]'" in output(python, command, "list")


def test_circuits_are_read_written_and_drawn(python: Path):
    assert output(python, str(python), "-W", "error", "-c", WITHOUT_A_SERVER).strip()


def test_a_client_runs_circuits_on_a_server(python: Path, fake_server: Server):
    port = str(fake_server.process.port)
    assert output(python, str(python), "-W", "error", "-c", WITH_A_SERVER, port) == "fake 9\n"
