"""Each check of the doctor, from facts alone."""

from __future__ import annotations

import pytest

from gateway.containers import doctor
from gateway.containers.doctor import Verdict
from gateway.containers.engine import About, Container, Image
from gateway.errors import DockerPermissionDenied, DockerUnavailable
from gateway.simulators import SIMULATORS

ABOUT = About(version="28.0", architecture="amd64", cpus=4, memory_bytes=8 * 2**30, root="/var/lib/docker")
IMAGE = Image("sha256:1", ("simulator-gateway:abc",), {}, "amd64", 860_000_000)
QULACS = SIMULATORS["qulacs"]
WELL = Container("1", "gateway-qulacs-1", {}, "running", health="healthy", memory_bytes=2**30)


def exited(**facts: object) -> Container:
    return Container("1", "gateway-qulacs-1", {}, "exited", memory_bytes=2**30, **facts)


@pytest.mark.parametrize(
    ("finding", "what", "remedy"),
    [
        (
            doctor.check_engine(None, DockerUnavailable("no Docker engine answers at /x: none is installed: see docs")),
            "no Docker engine answers at /x",
            "see docs",
        ),
        (
            doctor.check_engine(
                None, DockerPermissionDenied("this user may not use it: sudo usermod -aG docker $USER")
            ),
            "this user may not",
            "usermod",
        ),
        (doctor.check_engine(ABOUT, None, remote=True), "another machine", "unset DOCKER_HOST"),
        (doctor.check_image(None, 0, "abc"), "simulator-gateway:abc is not there", "gateway build"),
        (doctor.check_image(None, 2, "abc"), "2 of other versions are", "gateway build"),
        (
            doctor.check_architecture(Image("1", (), {}, "arm64", 1), ABOUT),
            "the image is for arm64, this engine for amd64",
            "gateway build",
        ),
        (doctor.check_disk(10**9, image_present=False), "1.0 GB free", "docker system prune"),
        (doctor.check_disk(10**8, image_present=True), "running needs 0.2 GB", "docker system prune"),
        (doctor.check_memory(2 * 2**30, "4g"), "has 2 GiB, one container may use 4 GiB", "memory='1536m'"),
        (
            doctor.check_port(QULACS, "nginx (process 7)", ours=False, is_free=False),
            "taken by nginx (process 7)",
            "let Docker choose",
        ),
        (doctor.check_port(QULACS, None, ours=False, is_free=False), "a process this user cannot see", "stop that"),
        (
            doctor.check_container(exited(exit_code=137, oom_killed=True)),
            "ran out of its memory of 1 GiB",
            "more than 1 GiB",
        ),
        (
            doctor.check_container(exited(exit_code=3), "Worker failed to boot."),
            "exit code 3; its last words: Worker failed to boot.",
            "replaces it",
        ),
        (
            doctor.check_container(Container("1", "c", {}, "running", health="unhealthy", health_log="timed out")),
            "unhealthy: timed out",
            "docker rm -f c",
        ),
        (doctor.check_container(Container("1", "c", {}, "paused")), "paused", "docker unpause c"),
    ],
    ids=lambda value: value.check if isinstance(value, doctor.Finding) else "",
)
def test_a_problem_says_what_it_is_and_what_to_do(finding, what, remedy):
    assert finding.verdict is Verdict.PROBLEM
    assert what in finding.what
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    "finding",
    [
        doctor.check_engine(ABOUT, None),
        doctor.check_image(IMAGE, 1, "abc"),
        doctor.check_architecture(IMAGE, ABOUT),
        doctor.check_architecture(None, ABOUT),
        doctor.check_disk(10**10, image_present=False),
        doctor.check_memory(8 * 2**30, "4g"),
        doctor.check_port(QULACS, None, ours=False, is_free=True),
        doctor.check_port(QULACS, "the container x", ours=True, is_free=False),
        doctor.check_container(WELL),
    ],
    ids=lambda value: value.check,
)
def test_what_is_well_needs_no_remedy(finding):
    assert finding.verdict is Verdict.FINE
    assert finding.remedy == ""


def test_a_disk_that_cannot_be_seen_is_a_note():
    assert doctor.check_disk(None, image_present=True).verdict is Verdict.NOTE
