"""Commands choose containers or local processes, and say which."""

from __future__ import annotations

import pytest

from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.cli import runtime
from gateway.containers.engine import Container
from gateway.containers.hardening import CONTENT_LABEL, SIMULATOR_LABEL
from gateway.errors import DockerUnavailable
from gateway.simulators import SIMULATORS, Simulator


class FakeEngine:
    """Has an image or not, and runs what it is told."""

    def __init__(self, *, image: bool = False, running: tuple[str, ...] = ()) -> None:
        self._image = image
        self._running = running

    def image(self, reference):
        return None

    def images_labelled(self, label):
        assert label.startswith(CONTENT_LABEL)
        return ["sha256:1"] if self._image else []

    def containers(self, *labels):
        return [Container(name, name, {SIMULATOR_LABEL: name}, "running") for name in self._running]


def choose(monkeypatch, engine, names=("qulacs",)):
    def connect():
        if isinstance(engine, Exception):
            raise engine
        return engine

    monkeypatch.setattr(runtime, "connect", connect)
    return runtime.choose("auto", names)


def test_an_image_that_is_there_decides_for_docker_and_that_is_said(monkeypatch, capsys):
    assert choose(monkeypatch, FakeEngine(image=True)).runtime == "docker"
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("gateway: running in Docker containers: an engine answers and has the image")
    assert said.out == ""


def test_containers_of_all_of_them_decide_for_docker(monkeypatch):
    assert choose(monkeypatch, FakeEngine(running=("qiskit", "cirq")), ["qiskit"]).runtime == "docker"
    assert choose(monkeypatch, FakeEngine(running=("cirq",)), ["qiskit"]).runtime == "local"


def test_without_an_engine_it_is_this_machine_and_the_reason_is_said(monkeypatch, capsys):
    error = DockerUnavailable("no Docker engine answers at /x: it does not run: start it")

    assert choose(monkeypatch, error).runtime == "local"
    assert "processes of this machine: no Docker engine answers at /x (--runtime" in capsys.readouterr().err


def test_what_is_not_installed_here_is_run_where_it_can_be_built(monkeypatch):
    monkeypatch.setattr(Simulator, "installed_version", lambda _: None)

    choice = choose(monkeypatch, FakeEngine(), ["qulacs", "unknown"])

    assert choice.runtime == "docker"
    assert "qulacs not installed here" in choice.why


@pytest.mark.parametrize(("wanted", "kind"), [("docker", DockerSimulator), ("local", LocalSimulator)])
def test_what_is_asked_for_is_taken_without_a_word(monkeypatch, capsys, wanted, kind):
    choice = runtime.choose(wanted, list(SIMULATORS))

    assert isinstance(runtime.backend(choice.runtime, "qulacs", None), kind)
    assert capsys.readouterr().err == ""
