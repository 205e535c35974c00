"""``docker compose up --wait``: the door and every simulator in a container of its own, from the rendered file."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import requests
from docker.models.containers import Container
from docker.models.images import Image
from support.waiting import wait_until

from gateway import BackendClient, Circuit
from gateway.cli.open import DOOR_PORT
from gateway.containers import hardening
from gateway.simulators import SIMULATORS
from gateway.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"gateway-test-{os.getpid()}"
PROJECT_LABEL = f"com.docker.compose.project={PROJECT}"
DOOR = "gateway"
AT_DOOR = f"http://127.0.0.1:{DOOR_PORT}"
RESOURCES = hardening.ContainerLimits()
WAIT_S = 300


def compose(*arguments: str, **environment: str) -> str:
    """Run docker compose in the project's root and return what it wrote."""
    command = ["docker", "compose", "-f", "compose.yaml", "-p", PROJECT, *arguments]
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "COMPOSE_"))}
    done = subprocess.run(
        command, cwd=ROOT, env=unset | environment, capture_output=True, text=True, timeout=WAIT_S + 60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def services(*arguments: str, **environment: str) -> set[str]:
    """Return which services would have a container; "image" only builds."""
    return set(compose(*arguments, "config", "--services", **environment).split()) - {"image"}


@pytest.fixture(scope="module")
def up(client: docker.DockerClient, image: Image) -> Iterator[dict[str, Container]]:
    """Every simulator, up and healthy: compose itself says so, or fails."""
    image.tag(hardening.IMAGE, __version__)  # other tests build images under this name
    try:
        compose("up", "--detach", "--wait", "--wait-timeout", str(WAIT_S), "--no-build")
        yield {
            container.labels["com.docker.compose.service"]: container
            for container in client.containers.list(filters={"label": PROJECT_LABEL})
        }
    finally:
        compose("down", "--volumes")
    assert client.containers.list(all=True, filters={"label": PROJECT_LABEL}) == []
    assert client.networks.list(filters={"label": PROJECT_LABEL}) == []


def test_up_starts_every_simulator_and_ends_when_all_are_healthy(up: dict[str, Container], image: Image) -> None:
    assert set(up) == {*SIMULATORS, DOOR}
    assert {container.health for container in up.values()} == {"healthy"}
    assert {container.image.id for container in up.values()} == {image.id}


@pytest.mark.parametrize("name", SIMULATORS)
def test_every_simulator_answers_on_its_own_port(up: dict[str, Container], name: str) -> None:
    with BackendClient("127.0.0.1", SIMULATORS[name].port) as backend:
        assert backend.status().name == name
        assert backend.run(Circuit(3).x(0).cx(0, 2).measure_all(), shots=100, seed=1) == {"101": 100}


def test_the_door_has_the_page_and_runs_circuits_on_every_simulator(up: dict[str, Container]) -> None:
    assert "Simulator Gateway" in requests.get(f"{AT_DOOR}/", timeout=60).text
    for name in SIMULATORS:
        with BackendClient(f"{AT_DOOR}/v1/simulators/{name}") as backend:
            assert backend.run(Circuit(3).x(0).cx(0, 2).measure_all(), shots=100, seed=1) == {"101": 100}


@pytest.mark.parametrize("name", [*SIMULATORS, DOOR])
def test_containers_are_locked_down_as_the_sdk_locks_them_down(up: dict[str, Container], name: str) -> None:
    attributes = up[name].attrs
    host = attributes["HostConfig"]
    wanted = hardening.create_options(RESOURCES)
    assert attributes["Config"]["User"] == wanted["user"]
    assert host["ReadonlyRootfs"] is wanted["read_only"]
    assert host["Tmpfs"] == wanted["tmpfs"]
    assert host["CapDrop"] == wanted["cap_drop"]
    assert host["SecurityOpt"] == wanted["security_opt"]
    assert host["Dns"] == wanted["dns"]
    assert host["DnsOptions"] == wanted["dns_opt"]
    assert host["NanoCpus"] == wanted["nano_cpus"]
    assert host["PidsLimit"] == wanted["pids_limit"]
    assert host["Init"] is wanted["init"]
    assert host["Memory"] == host["MemorySwap"] == (2 if name == DOOR else 4) * 2**30
    ulimits = hardening.DOOR_ULIMITS if name == DOOR else hardening.ULIMITS
    assert {(one["Name"], one["Soft"], one["Hard"]) for one in host["Ulimits"]} == {
        (kind, value, value) for kind, value in ulimits
    }
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    port = DOOR_PORT if name == DOOR else SIMULATORS[name].port
    assert host["PortBindings"] == {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    if name != DOOR:
        assert attributes["Config"]["Cmd"] == [*hardening.serve_command(name, RESOURCES), "--allow-host", name]


@pytest.mark.parametrize("name", [*SIMULATORS, DOOR])
def test_containers_write_to_their_own_volume_and_the_door_alone_writes_its_key(
    up: dict[str, Container], name: str
) -> None:
    mounts = {mount["Destination"]: mount for mount in up[name].attrs["Mounts"]}
    writable = {folder for folder, mount in mounts.items() if mount["RW"]}
    assert {mount["Type"] for mount in mounts.values()} == {"volume"}
    assert hardening.DOOR_KEY_FOLDER in mounts
    if name == DOOR:
        assert writable == {hardening.JOBS_FOLDER, hardening.DOOR_KEY_FOLDER}
        assert set(mounts) - writable == {hardening.ACCESS_FOLDER, hardening.CERTIFICATE_FOLDER}
    else:
        assert writable == {hardening.JOBS_FOLDER}
        assert set(mounts) - writable == {hardening.ACCESS_FOLDER, hardening.DOOR_KEY_FOLDER}


def test_the_networks_lead_nowhere(client: docker.DockerClient, up: dict[str, Container]) -> None:
    networks = {
        network.attrs["Labels"]["com.docker.compose.network"]: network.attrs
        for network in client.networks.list(filters={"label": PROJECT_LABEL}, greedy=True)
    }
    assert set(networks) == {"outside", "simulators", *(f"door-{name}" for name in SIMULATORS)}
    for name in ("outside", "simulators"):
        assert networks[name]["Options"] == hardening.NETWORK_OPTIONS
    assert len(networks["simulators"]["Containers"]) == len(SIMULATORS)
    assert set(networks["outside"]["Containers"]) == {up[DOOR].id}
    for name in SIMULATORS:
        assert networks[f"door-{name}"]["Internal"] is True
        assert set(networks[f"door-{name}"]["Containers"]) == {up[DOOR].id, up[name].id}


def test_the_door_reaches_simulators_and_these_reach_neither_the_door_nor_one_another(
    up: dict[str, Container],
) -> None:
    behind = {name: _addresses(up[name], SIMULATORS[name].port) for name in SIMULATORS}
    assert {name for name, places in behind.items() if reached(up[DOOR], places)} == set(SIMULATORS)
    assert reached(up[DOOR], NOWHERE) == []
    first, *others = SIMULATORS
    elsewhere = [place for name in others for place in behind[name]]
    assert reached(up[first], behind[first]), "what is looked for is found where it is to be found"
    assert reached(up[first], [*elsewhere, *_addresses(up[DOOR], DOOR_PORT), *NOWHERE]) == []


NOWHERE = [("1.1.1.1", 443), ("8.8.8.8", 53)]


def _addresses(container: Container, port: int) -> list[tuple[str, int]]:
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    return [(network["IPAddress"], port) for network in networks]


def reached(container: Container, places: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the places to which a connection can be made from inside a container."""
    program = (
        "import json, socket, sys\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def is_reached(place):\n"
        "    try:\n"
        "        socket.create_connection(place, 3).close()\n"
        "    except OSError:\n"
        "        return False\n"
        "    return True\n"
        "places = json.loads(sys.argv[1])\n"
        "with ThreadPoolExecutor(64) as pool:\n"
        "    found = list(pool.map(is_reached, map(tuple, places)))\n"
        "print(json.dumps([place for place, there in zip(places, found) if there]))\n"
    )
    code, output = container.exec_run(["python", "-c", program, json.dumps(places)], demux=True)
    assert code == 0, output
    return [(address, port) for address, port in json.loads(output[0])]


def test_a_simulator_that_is_down_says_what_starts_it(up: dict[str, Container]) -> None:
    up["stim"].stop()
    try:
        wait_until(lambda: _states()["stim"]["state"] == "down", "the door to see it")
        assert "'docker compose --profile stim up --wait' starts it" in _states()["stim"]["reason"]
        assert _states()["cirq"]["state"] == "ready"
    finally:
        up["stim"].start()
    wait_until(lambda: _states()["stim"]["state"] == "ready", "the door to see that it is back", deadline_s=60)


def _states() -> dict[str, dict[str, str]]:
    listed = requests.get(f"{AT_DOOR}/v1/simulators", timeout=60).json()["simulators"]
    return {one["name"]: one for one in listed}


def test_profiles_start_only_some(client: docker.DockerClient) -> None:
    assert services() == {*SIMULATORS, DOOR}
    assert services("--profile", "qulacs", "--profile", "cirq") == {"qulacs", "cirq", DOOR}
    assert services(COMPOSE_PROFILES="mqt") == {"mqt", DOOR}


def test_limits_and_token_are_settable_by_environment(client: docker.DockerClient) -> None:
    settings = {
        "GATEWAY_MEMORY": "512m",
        "GATEWAY_CPUS": "0.5",
        "GATEWAY_PIDS": "99",
        "GATEWAY_WORKERS": "1",
        "GATEWAY_TOKEN_SHA256": "ab" * 32,
    }
    service = json.loads(compose("config", "--format", "json", **settings))["services"]["qulacs"]
    assert int(service["mem_limit"]) == int(service["memswap_limit"]) == 512 * 2**20
    assert (service["cpus"], service["pids_limit"]) == (0.5, 99)
    assert "--workers 1 " in " ".join(service["command"])
    assert service["environment"]["GATEWAY_TOKEN_SHA256"] == "ab" * 32


def test_the_door_and_all_simulators_take_the_same_tokens_and_the_certificate_is_the_doors_alone() -> None:
    settings = {"GATEWAY_ACCESS": "./access", "GATEWAY_CERTIFICATE": "/certificate", "GATEWAY_BIND": "192.0.2.1"}
    services = json.loads(compose("config", "--format", "json", **settings))["services"]
    for name in (*SIMULATORS, DOOR):
        mounts = {mount["target"]: mount for mount in services[name]["volumes"]}
        assert mounts[hardening.ACCESS_FOLDER]["source"] == str(ROOT / "access")
        assert mounts[hardening.ACCESS_FOLDER]["read_only"] is True
        assert services[name]["environment"]["GATEWAY_TOKENS_FILE"] == f"{hardening.ACCESS_FOLDER}/tokens"
        assert (hardening.CERTIFICATE_FOLDER in mounts) is (name == DOOR)
    door = services[DOOR]
    assert door["environment"]["GATEWAY_PUBLISHED_AT"] == "192.0.2.1"
    assert door["environment"]["GATEWAY_TLS_KEY"] == f"{hardening.CERTIFICATE_FOLDER}/key.pem"
    assert [port["host_ip"] for port in door["ports"]] == ["192.0.2.1"]
    assert {port["host_ip"] for name in SIMULATORS for port in services[name]["ports"]} == {"127.0.0.1"}
    assert "GATEWAY_ANONYMOUS" not in door["environment"]
