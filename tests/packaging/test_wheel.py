"""The package works as a wheel, installed in a fresh environment outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway.containers.image import content_tag
from gateway.simulators import SIMULATORS

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv/bin/uv"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hatchling.builders.wheel import WheelBuilder  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("wheel")
    return Path(next(iter(WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"]))))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, one simulator and the server, and knows of no checkout."""
    home = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([UV, "venv", "-q", "--python", sys.executable, home], check=True)
    wanted = f"simulator-gateway[docker,qulacs,server] @ {wheel.as_uri()}"
    lock = ROOT / "requirements-dev.lock"
    subprocess.run([UV, "pip", "install", "-q", "--python", home / "bin/python", "-c", lock, wanted], check=True)
    return home / "bin/python"


def run(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    folder = python.parents[2]
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=200)


def test_the_wheel_says_that_it_is_typed_and_brings_what_the_image_is_made_of(wheel: Path):
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert {"gateway/py.typed", "adapters/py.typed"} <= names
    groups = {row.group for row in SIMULATORS.values()}
    locks = {f"gateway/containers/data/requirements-{group}.lock" for group in groups}
    assert locks | {"gateway/containers/data/Dockerfile", "gateway/containers/data/healthcheck"} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"gateway", "adapters"}


@pytest.mark.parametrize("words", [["--help"], ["list"], ["--version"]])
def test_the_command_works(python: Path, words: list[str]):
    done = run(python, str(python.with_name("gateway")), *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_what_is_not_installed_is_listed_with_the_line_that_installs_it(python: Path):
    shown = run(python, str(python.with_name("gateway")), "list").stdout
    assert "pip install 'simulator-gateway[mqt]'" in shown
    assert f"8088 qulacs {SIMULATORS['qulacs'].installed_version()}" in " ".join(shown.split())


def test_a_simulator_runs(python: Path):
    script = """
import gateway
from gateway import Circuit, LocalSimulator

if __name__ == "__main__":
    assert "site-packages" in gateway.__file__, gateway.__file__
    counts = LocalSimulator("qulacs").run(Circuit(2).h(0).cx(0, 1).measure_all(), shots=100, seed=7)
    print(sorted(counts))
"""
    done = run(python, str(python), "-W", "error", "-c", script)
    assert (done.stdout, done.returncode) == ("['00', '11']\n", 0), done.stderr


def test_the_context_of_the_image_is_that_of_the_checkout(python: Path):
    done = run(python, str(python), "-c", "from gateway.containers.image import content_tag; print(content_tag())")
    assert done.stdout.strip() == content_tag(), done.stderr


def test_a_type_checker_sees_its_types(python: Path):
    snippet = "from gateway import Circuit\nreveal_type(Circuit(2).h(0))"
    done = run(python, str(ROOT / ".venv/bin/mypy"), "--strict", "--python-executable", str(python), "-c", snippet)
    assert 'Revealed type is "gateway.circuit.circuit.Circuit"' in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout
