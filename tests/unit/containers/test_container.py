"""The right container is described, found or refused, without an engine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from gateway import DockerSimulator
from gateway.backends import docker as docker_backend
from gateway.containers.container import (
    CONTENT_LABEL,
    PORT_LABEL,
    SIMULATOR_LABEL,
    SPEC_LABEL,
    Spec,
)
from gateway.containers.engine import Container
from gateway.containers.hardening import ContainerLimits, serve_command
from gateway.errors import ContainerError, RequestError

SPEC = Spec(simulator="qulacs", image="sha256:1", content="abc")


def container(spec: Spec, **labels: str) -> Container:
    made = {
        SIMULATOR_LABEL: spec.simulator,
        CONTENT_LABEL: spec.content,
        SPEC_LABEL: spec.key,
        PORT_LABEL: str(spec.port or ""),
    }
    return Container("1", "c", made | labels, "running")


def test_a_container_fits_its_own_spec_and_no_other():
    others = [
        Spec("qulacs", "sha256:1", "abc", ContainerLimits(memory="1g")),
        Spec("qulacs", "sha256:1", "abc", environment=(("A", "1"),)),
        Spec("qulacs", "sha256:1", "abc", network="mine"),
        Spec("qulacs", "sha256:1", "abc", unique="1"),
        Spec("qulacs", "sha256:1", "other"),
        Spec("cirq", "sha256:1", "abc"),
        Spec("qulacs", "sha256:1", "abc", port=8088),
    ]

    assert SPEC.fits(container(SPEC))
    assert not any(other.fits(container(SPEC)) for other in others)
    assert len({spec.name("home") for spec in [SPEC, *others]}) == len(others) + 1


def test_without_a_port_of_its_own_a_spec_takes_any():
    assert SPEC.fits(container(Spec("qulacs", "sha256:1", "abc", port=8088)))


def test_names_of_other_homes_differ():
    assert SPEC.name("a") != SPEC.name("b")


def test_another_versions_container_is_stale_but_not_one_of_the_users_own_image():
    assert SPEC.is_stale(container(SPEC, **{CONTENT_LABEL: "older"}))
    assert not SPEC.is_stale(container(SPEC))
    assert not SPEC.is_stale(container(SPEC, **{CONTENT_LABEL: "image:x"}))
    assert not SPEC.is_stale(container(SPEC, **{SIMULATOR_LABEL: "cirq", CONTENT_LABEL: "older"}))


@pytest.mark.parametrize("memory", ["", "g", "0", "-1g", "lots", 0, -1])
def test_a_memory_that_is_none_is_refused(memory):
    with pytest.raises(RequestError, match="memory must be a number of bytes or a size such as 512m or 2g"):
        DockerSimulator("qulacs", memory=memory)


@pytest.mark.parametrize(
    ("memory", "limit"), [("2g", "2g"), (2**30, "1073741824b"), ("1.5g", "1610612736b"), ("1GiB", "1073741824b")]
)
def test_a_memory_is_bytes_or_a_size_and_reaches_the_engine_as_it_takes_it(memory, limit):
    assert DockerSimulator("qulacs", memory=memory).resources.memory == limit


def test_threads_of_a_run_reach_the_server_and_leave_fewer_workers():
    limits = DockerSimulator("qulacs", cpus=1, threads=4).resources
    assert serve_command("qulacs", limits)[-4:] == ["--workers", "1", "--threads", "4"]
    assert ContainerLimits(cpus=8, threads=4).workers == 2
    assert "--threads" not in serve_command("qulacs", ContainerLimits())
    with pytest.raises(RequestError, match="threads must be an integer of at least 1, not 0"):
        DockerSimulator("qulacs", threads=0)


def test_containers_whose_runs_have_other_threads_are_not_shared_and_one_thread_is_as_it_always_was():
    assert SPEC.key == replace(SPEC, resources=ContainerLimits(threads=1)).key
    assert SPEC.key != replace(SPEC, resources=ContainerLimits(threads=2)).key
    assert ContainerLimits().identity == ("4g", 2.0, 256)


@pytest.mark.parametrize("cpus", [0, -1, float("nan")])
def test_a_number_of_processors_that_is_none_is_refused(cpus):
    with pytest.raises(RequestError, match="cpus is a number above 0"):
        DockerSimulator("qulacs", cpus=cpus)


def test_an_unknown_simulator_is_refused_at_once():
    with pytest.raises(RequestError, match="did you mean 'qulacs'"):
        DockerSimulator("qulac")


def test_an_engine_of_another_machine_is_refused_with_the_way_out(monkeypatch):
    class Remote:
        is_remote = True
        address = "ssh://somebody@example.org"

    monkeypatch.setattr(docker_backend, "connect", Remote)

    with pytest.raises(ContainerError, match=r"on another machine.*ssh -L"):
        DockerSimulator("qulacs").start()


def test_importing_the_package_loads_neither_sdk_nor_frameworks():
    code = (
        "import sys, gateway; gateway.DockerSimulator; "
        "print([name for name in ('docker', 'flask', 'qulacs', 'cirq', 'qiskit') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"
