"""``docker compose up --wait``: every simulator in a container of its own, from the rendered file."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from docker.models.images import Image

from gateway import BackendClient, Circuit
from gateway.containers import hardening
from gateway.simulators import SIMULATORS
from gateway.version import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = f"gateway-test-{os.getpid()}"
PROJECT_LABEL = f"com.docker.compose.project={PROJECT}"
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
    assert set(up) == set(SIMULATORS)
    assert {container.health for container in up.values()} == {"healthy"}
    assert {container.image.id for container in up.values()} == {image.id}


@pytest.mark.parametrize("name", SIMULATORS)
def test_every_simulator_answers_on_its_own_port(up: dict[str, Container], name: str) -> None:
    with BackendClient("127.0.0.1", SIMULATORS[name].port) as backend:
        assert backend.status().name == name
        assert backend.run(Circuit(3).x(0).cx(0, 2).measure_all(), shots=100, seed=1) == {"101": 100}


@pytest.mark.parametrize("name", SIMULATORS)
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
    assert host["Memory"] == host["MemorySwap"] == 4 * 2**30
    assert {(one["Name"], one["Soft"], one["Hard"]) for one in host["Ulimits"]} == {
        (kind, value, value) for kind, value in hardening.ULIMITS
    }
    assert attributes["Config"]["Cmd"] == hardening.serve_command(name, RESOURCES)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    port = SIMULATORS[name].port
    assert host["PortBindings"] == {f"{port}/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    (mount,) = attributes["Mounts"]
    assert (mount["Type"], mount["Destination"]) == ("volume", hardening.JOBS_FOLDER)


def test_the_network_leads_nowhere(client: docker.DockerClient, up: dict[str, Container]) -> None:
    (network,) = client.networks.list(filters={"label": PROJECT_LABEL}, greedy=True)
    assert network.attrs["Options"] == hardening.NETWORK_OPTIONS
    assert len(network.attrs["Containers"]) == len(SIMULATORS)


def test_profiles_start_only_some(client: docker.DockerClient) -> None:
    assert services() == set(SIMULATORS)
    assert services("--profile", "qulacs", "--profile", "cirq") == {"qulacs", "cirq"}
    assert services(COMPOSE_PROFILES="mqt") == {"mqt"}


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
    assert service["command"][-2:] == ["--workers", "1"]
    assert service["environment"]["GATEWAY_TOKEN_SHA256"] == "ab" * 32
