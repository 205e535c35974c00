"""The commands about containers, as a user types them, with a real engine."""

from __future__ import annotations

import json
import socket

import pytest

from gateway.simulators import SIMULATORS

BELL = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; creg c[2]; h q[0]; cx q[0],q[1]; measure q -> c;'
NAME = "qulacs"
PORT = SIMULATORS[NAME].port


@pytest.fixture
def bell(tmp_path) -> str:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return str(path)


def test_up_ps_logs_run_down(mine, bell):
    up = mine.gateway("up", NAME)
    assert up.returncode == 0, up.stdout + up.stderr
    assert f"http://127.0.0.1:{PORT}" in up.stdout
    (container,) = mine.containers()

    again = mine.gateway("up", NAME, "--json")
    assert json.loads(again.stdout)[0]["container"] == container.name

    (row,) = [row for row in json.loads(mine.gateway("ps", "--json").stdout) if row["container"] == container.name]
    assert (row["simulator"], row["kept"], row["address"]) == (NAME, True, f"http://127.0.0.1:{PORT}")
    assert container.name in mine.gateway("ps").stdout

    assert "serving qulacs" in mine.gateway("logs", container.name).stdout

    ran = mine.gateway("run", bell, "--on", NAME, "--runtime", "docker", "--json")
    assert sum(json.loads(ran.stdout)["counts"].values()) == 1024
    assert [one.name for one in mine.containers()] == [container.name]

    down = mine.gateway("down", NAME)
    assert down.returncode == 0
    assert container.name in down.stdout
    assert mine.left_behind() == []


def test_down_and_ps_with_nothing_there_are_no_error(mine):
    assert mine.gateway("down").returncode == 0
    assert mine.gateway("ps").returncode == 0


def test_logs_of_nothing_say_what_there_is(mine):
    found = mine.gateway("logs", "nobody")

    assert found.returncode == 1
    assert "gateway ps shows those there are" in found.stderr


def test_a_port_that_is_taken_fails_one_simulator_and_says_by_whom(mine):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", PORT))
        taken.listen()
        up = mine.gateway("up", NAME)
        doctor = mine.gateway("doctor", NAME)

    assert up.returncode == 1
    assert f"failed: port {PORT} of 127.0.0.1 is taken by" in up.stdout
    assert doctor.returncode == 1
    assert f"wanted for {NAME}, taken by" in doctor.stdout
    assert mine.left_behind() == []


def test_build_says_what_it_made(mine):
    built = mine.gateway("build", "--json")

    assert built.returncode == 0
    assert json.loads(built.stdout)["architecture"] in {"amd64", "arm64"}


def test_doctor_finds_nothing_wrong_and_says_so_in_json_too(mine):
    found = mine.gateway("doctor", NAME, "--json")

    checks = {one["check"]: one for one in json.loads(found.stdout)}
    for check in ("engine", "image", "architecture", "disk", "memory", "tokens", f"port {PORT}"):
        assert checks[check]["verdict"] == "fine", checks[check]


def test_doctor_names_an_engine_that_does_not_answer(mine, tmp_path):
    found = mine.gateway("doctor", environment={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})

    assert found.returncode == 1
    assert "PROBLEM  engine  no Docker engine answers at" in found.stdout
    assert "->" in found.stdout


def test_doctor_says_why_a_container_ended(mine):
    assert mine.gateway("up", NAME).returncode == 0
    (container,) = mine.containers()
    container.kill()
    container.wait()

    found = mine.gateway("doctor", NAME)

    assert found.returncode == 1
    assert f"{container.name}  ended with exit code 137" in found.stdout
    assert "the next run or gateway up replaces it" in found.stdout


@pytest.mark.parametrize("words", [["run", "--on", NAME], ["compare", "--on", "qulacs,mqt"]], ids=lambda w: w[0])
def test_auto_takes_docker_when_the_image_is_there_and_says_so(mine, bell, words):
    found = mine.gateway(words[0], bell, *words[1:])

    assert found.returncode == 0, found.stderr
    assert "gateway: running in Docker containers: an engine answers and has the image" in found.stderr
    assert mine.left_behind() == []


def test_auto_takes_local_processes_without_an_engine_and_says_why(mine, bell, tmp_path):
    found = mine.gateway("run", bell, "--on", NAME, environment={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})

    assert found.returncode == 0, found.stderr
    assert "gateway: running in processes of this machine: no Docker engine answers" in found.stderr


def test_follow_shows_the_log_until_it_is_stopped(mine):
    assert mine.gateway("up", NAME).returncode == 0
    code = "from gateway.cli import main\nsys.exit(main(['logs', 'qulacs', '--follow']))"
    process = mine.script(code)

    assert "serving qulacs" in mine.line(process)
    mine.containers()[0].kill()
    process.communicate(timeout=20)
    assert process.returncode == 0
