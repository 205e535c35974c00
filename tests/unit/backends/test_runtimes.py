"""Simulators run in containers or in local processes, for a reason."""

from __future__ import annotations

import pytest

from gateway.backends import runtimes
from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.containers.engine import Container
from gateway.containers.hardening import CONTENT_LABEL, SIMULATOR_LABEL
from gateway.errors import DockerUnavailable, RequestError
from gateway.simulators import SIMULATORS, Offer, Simulator


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

    monkeypatch.setattr(runtimes, "connect", connect)
    return runtimes.choose("auto", names)


def test_an_image_that_is_there_decides_for_docker(monkeypatch):
    choice = choose(monkeypatch, FakeEngine(image=True))
    assert (choice.runtime, choice.why) == ("docker", "an engine answers and has the image")


def test_containers_of_all_of_them_decide_for_docker(monkeypatch):
    assert choose(monkeypatch, FakeEngine(running=("qiskit", "cirq")), ["qiskit"]).runtime == "docker"
    assert choose(monkeypatch, FakeEngine(running=("cirq",)), ["qiskit"]).runtime == "local"


def test_without_an_engine_it_is_this_machine_for_the_engines_reason(monkeypatch):
    choice = choose(monkeypatch, DockerUnavailable("no Docker engine answers at /x: it does not run: start it"))
    assert (choice.runtime, choice.why) == ("local", "no Docker engine answers at /x")


def test_what_is_not_installed_here_is_run_where_it_can_be_built(monkeypatch):
    monkeypatch.setattr(Simulator, "installed_version", lambda _: None)

    choice = choose(monkeypatch, FakeEngine(), ["qulacs", "unknown"])

    assert choice.runtime == "docker"
    assert "qulacs not installed here" in choice.why


def test_simulators_of_other_people_are_in_no_image(monkeypatch):
    monkeypatch.setattr(runtimes, "offers", lambda name: [Offer(name, "theirs 1.0", None)])
    choice = choose(monkeypatch, FakeEngine(image=True), ["qulacs", "theirs"])
    assert (choice.runtime, choice.why) == ("local", "the image does not hold theirs")


@pytest.mark.parametrize(("wanted", "kind"), [("docker", DockerSimulator), ("local", LocalSimulator)])
def test_what_is_asked_for_is_taken(wanted, kind):
    assert isinstance(runtimes.choose(wanted, list(SIMULATORS)).simulator("qulacs"), kind)


@pytest.mark.parametrize("wanted", ["podman", "", None])
def test_another_runtime_is_refused(wanted):
    with pytest.raises(RequestError, match="a runtime is one of auto, docker, local, not"):
        runtimes.choose(wanted, ["qulacs"])
