"""docs/deployment.md is true: its commands are run as they stand, and what it says of them holds."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import docker
import pytest
import requests
from docker.models.images import Image
from support.waiting import wait_until

from gateway import BackendClient, Circuit, GatewayClient
from gateway.containers import hardening
from gateway.errors import AuthenticationError, Forbidden, TransportError
from gateway.results import JobState
from gateway.version import __version__

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
NAME = "lab.example.org"
SIMULATORS = ("cirq", "qulacs")
"""Those that are started; a group has them all."""

BELL = Circuit(2).h(0).cx(0, 1).measure_all()
FLIPPED = Circuit(3).x(0).cx(0, 2).measure_all()


def block(heading: str, language: str = "sh", number: int = 0) -> str:
    """Return a block of the document: the one of this number below a heading."""
    section = re.split(r"^## ", DOCUMENT, flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith(f"{heading}\n"))
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found[number]


class Deployment:
    """A folder as a person has it who deploys, with a project of its own on the engine."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.ann = self.bob = ""
        for name in ("compose.yaml", ".env"):
            shutil.copy(ROOT / name, folder / name)
        hidden = "\n".join(f"  {name}: {{ports: !reset []}}" for name in SIMULATORS)
        (folder / "compose.override.yaml").write_text(f"services:\n{hidden}\n")  # other tests use these ports
        commands = folder / "bin"
        commands.mkdir()
        _write_command(commands / "gateway", f'exec {sys.executable} -m gateway "$@"')
        _write_command(commands / "sudo", 'exec "$@"')
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "COMPOSE_"))}
        self.environment = kept | {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "COMPOSE_PROJECT_NAME": f"gateway-deployment-{port}",
            "COMPOSE_PROFILES": ",".join(SIMULATORS),
            "GATEWAY_PORT": str(port),
        }

    def attempt(self, text: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the lines of a block."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text.replace(f"{NAME}:8080", f"127.0.0.1:{self.port}")],
            cwd=self.folder,
            env=self.environment | environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )

    def run(self, text: str, given: str = "") -> str:
        """Run the lines of a block, none of which fails, and return what they print."""
        done = self.attempt(text, given)
        assert done.returncode == 0, (
            f"{done.stdout}\n{done.stderr}\n{self.attempt('docker compose logs --tail 30').stdout}"
        )
        return done.stdout

    def let_people_in(self) -> None:
        """Give Ann and Bob their tokens."""
        self.ann, self.bob = self.run(block("People")).split()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> str:
        return str(self.folder / "certificate/cert.pem")

    def client(self, token: str | None) -> GatewayClient:
        return GatewayClient(self.url, token=token, certificates=self.certificate)

    def simulator(self, name: str, token: str | None) -> BackendClient:
        return BackendClient(f"{self.url}/v1/simulators/{name}", token=token, tls=self.certificate)


def _write_command(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def deploying(folder: Path) -> Iterator[Deployment]:
    deployment = Deployment(folder, free_port())
    try:
        yield deployment
    finally:
        deployment.run("docker compose down --volumes")


@pytest.fixture(scope="module")
def released(image: Image) -> Iterator[Image]:
    """The image of this tree, under the name that compose.yaml has for it."""
    image.tag(hardening.IMAGE, __version__)
    yield image
    image.tag(hardening.IMAGE, __version__)


@pytest.fixture(scope="module")
def lab(released: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The door at every address of this machine, with a certificate and tokens for two."""
    with deploying(tmp_path_factory.mktemp("lab")) as deployment:
        deployment.let_people_in()
        deployment.run(block("A certificate"))
        deployment.run(block("Open the door"))
        yield deployment


# ---------------------------------------------------------------------- who is let in


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1"])  # noqa: S104 - refused
def test_an_address_that_other_machines_can_reach_is_refused_without_tokens(
    released: Image, tmp_path: Path, address: str
) -> None:
    with deploying(tmp_path) as deployment:
        done = deployment.attempt("docker compose run --rm -T --no-deps gateway", GATEWAY_BIND=address)
        assert done.returncode == 2
        assert f"other machines can reach {address}, where the port of this container is published" in done.stderr


def test_a_folder_without_tokens_lets_nobody_in_and_opens_nothing(released: Image, tmp_path: Path) -> None:
    with deploying(tmp_path) as deployment:
        done = deployment.attempt("docker compose run --rm -T --no-deps gateway", GATEWAY_ACCESS="./empty")
        assert done.returncode == 1
        assert "cannot read the tokens in /etc/simulator-gateway/tokens: No such file" in done.stderr


def test_ann_may_run_and_compare_and_bob_may_run(lab: Deployment) -> None:
    for token, name, rights in ((lab.ann, "ann", ("run", "compare")), (lab.bob, "bob", ("run",))):
        with lab.client(token) as client, lab.simulator("qulacs", token) as qulacs:
            assert (client.info().name, client.info().rights) == (name, rights)
            assert qulacs.run(FLIPPED, shots=100, seed=1) == {"101": 100}
    with lab.client(lab.ann) as client:
        assert client.compare(BELL, list(SIMULATORS), shots=1000, progress=None).all_agree
    with lab.client(lab.bob) as client, pytest.raises(Forbidden, match="needs the right 'compare'"):
        client.submit(BELL)


def test_people_see_their_own_jobs_and_comparisons_alone(lab: Deployment) -> None:
    with lab.client(lab.ann) as ann, lab.client(lab.bob) as bob:
        mine = ann.submit(BELL, list(SIMULATORS), shots=1000)
        mine.wait()
        assert mine.id in {each.id for each in ann.comparisons()}
        assert mine.id not in {each.id for each in bob.comparisons()}
    with lab.simulator("cirq", lab.ann) as ann_at_cirq, lab.simulator("cirq", lab.bob) as bob_at_cirq:
        job = ann_at_cirq.run_async(FLIPPED, shots=10)
        assert job.result(60) == {"101": 10}
        assert job.id not in {each.id for each in bob_at_cirq.jobs()}


@pytest.mark.parametrize("token", [None, "wrong"])
def test_without_a_token_nobody_is_let_in(lab: Deployment, token: str | None) -> None:
    with lab.client(token) as client, pytest.raises(AuthenticationError):
        client.simulators()
    with lab.simulator("qulacs", token) as qulacs, pytest.raises(AuthenticationError):
        qulacs.run(FLIPPED)


def test_the_door_speaks_https_alone_and_is_known_by_its_certificate(lab: Deployment) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(lab.url, timeout=60)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(lab.url.replace("https", "http"), timeout=60)
    ask = f"curl -sS --resolve {NAME}:{lab.port}:127.0.0.1 --cacert certificate/cert.pem"
    assert json.loads(lab.run(f"{ask} https://{NAME}:{lab.port}/readyz")) == {"status": "ready"}
    refused = lab.run(f"{ask} -H 'Host: other.{NAME}' https://{NAME}:{lab.port}/v1/door")
    assert json.loads(refused)["code"] == "host-refused"


def test_other_machines_reach_the_door(client: docker.DockerClient, lab: Deployment, released: Image) -> None:
    """A container on another network is as far away from it as another machine is."""
    (network,) = client.networks.get("bridge").attrs["IPAM"]["Config"]
    program = (
        "import ssl, urllib.request\n"
        f"url = 'https://{ip_network(network['Subnet'])[1]}:{lab.port}/readyz'\n"
        "context = ssl._create_unverified_context()  # the certificate has another name\n"
        "print(urllib.request.urlopen(url, timeout=30, context=context).read().decode())\n"
    )
    output = client.containers.run(released.id, ["-c", program], entrypoint="python", remove=True, network="bridge")
    assert json.loads(output) == {"status": "ready"}


def test_a_gateway_with_a_name_runs_and_compares_from_a_terminal(lab: Deployment) -> None:
    (lab.folder / "bell.qasm").write_text(BELL.to_openqasm2())
    add, run, compare = block("Open the door", number=1).splitlines()
    lab.run(add, given=f"{lab.ann}\n")
    assert "00" in lab.run(run)
    assert "agree" in lab.run(compare)


def test_a_line_that_is_added_or_removed_holds_at_once(lab: Deployment) -> None:
    carl = lab.run("gateway token carl --file access/tokens").strip()
    with lab.client(carl) as client:
        wait_until(lambda: _is_let_in(client), "the door to know the new token")
    with lab.simulator("cirq", carl) as cirq:
        assert cirq.run(FLIPPED, shots=10) == {"101": 10}
    lab.run("sed -i /^carl/d access/tokens")  # it makes another file of this name, as editors do
    with lab.client(carl) as client:
        wait_until(lambda: not _is_let_in(client), "the door to forget the token")
    with lab.simulator("cirq", carl) as cirq, pytest.raises(AuthenticationError):
        cirq.run(FLIPPED)


def _is_let_in(client: GatewayClient) -> bool:
    try:
        client.info()
    except AuthenticationError:
        return False
    return True


# ---------------------------------------------------------------------- what is kept


def test_an_upgrade_loses_no_job_and_no_comparison(
    client: docker.DockerClient, lab: Deployment, released: Image
) -> None:
    pull, build, up = block("Upgrade").splitlines()
    assert (pull, build) == ("git pull", "docker compose build")
    with lab.client(lab.ann) as ann, lab.simulator("qulacs", lab.ann) as qulacs:
        compared = ann.submit(BELL, list(SIMULATORS), shots=1000)
        record = compared.record() if compared.wait().has_record else None
        waiting = qulacs.run_async([FLIPPED] * 300, shots=200_000)
        newer, _ = client.images.build(
            fileobj=io.BytesIO(f"FROM {released.id}\nLABEL org.simulator-gateway.test=newer\n".encode()),
            tag=f"{hardening.IMAGE}:{__version__}",
        )
        lab.run(up)
        running = lab.run("docker inspect $(docker compose ps --quiet) --format '{{.Image}}'").split()
        assert set(running) == {newer.id}
        assert [counts == {"101": 200_000} for counts in waiting.result(300)] == [True] * 300
        again = ann.comparison(compared.id)
        assert again.record() == record
        newer_one = ann.submit(BELL, list(SIMULATORS), shots=1000)
        assert newer_one.wait().standing == "agrees"


def test_a_backup_is_made_while_all_runs_and_comes_back_into_empty_volumes(lab: Deployment) -> None:
    with lab.client(lab.ann) as ann, lab.simulator("cirq", lab.bob) as cirq:
        compared = ann.submit(BELL, list(SIMULATORS), shots=1000)
        compared.wait()
        record = compared.record()
        job = cirq.run_async(FLIPPED, shots=77)
        assert job.result(60) == {"101": 77}
        lab.run(block("Backup"))
        assert {file.stem for file in (lab.folder / "backup").iterdir()} == {"gateway", *SIMULATORS}
        later = cirq.run_async(FLIPPED, shots=78)
        assert later.result(60) == {"101": 78}
        lab.run("docker compose down --volumes")
        with pytest.raises(TransportError):
            ann.info()
        lab.run(block("Restore"))
        assert ann.comparison(compared.id).record() == record
        assert cirq.job(job.id).result(60) == {"101": 77}
        assert {each.id: each.state for each in cirq.jobs()}.get(job.id) is JobState.DONE
        assert later.id not in {each.id for each in cirq.jobs()}


def test_a_backup_is_not_put_back_under_a_running_server(lab: Deployment) -> None:
    lab.run(block("Backup"))
    done = lab.attempt("docker compose run --rm -T --no-deps cirq restore - < backup/cirq.tar")
    assert done.returncode == 1
    assert "another server uses the job database" in done.stderr


# ---------------------------------------------------------------------- behind a proxy


@pytest.fixture(scope="module")
def proxied(released: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The door behind nginx: the address with its prefix, the certificate, and Ann's token."""
    nginx = _find_nginx()
    with deploying(tmp_path_factory.mktemp("proxied")) as deployment:
        deployment.let_people_in()
        deployment.run(block("A certificate"))
        (deployment.folder / ".env").write_text(f"GATEWAY_ACCESS=./access\nGATEWAY_ALLOWED_HOSTS={NAME}\n")
        deployment.run("docker compose up --wait")
        port = free_port()
        server = (
            block("Behind a reverse proxy", "nginx")
            .replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
            .replace("/etc/ssl/lab", str(deployment.folder / "certificate"))
            .replace("127.0.0.1:8080", f"127.0.0.1:{deployment.port}")
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {deployment.folder}/{kind};\n" for kind in kinds)
        (deployment.folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {deployment.folder}/nginx.pid; error_log stderr;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{places}{server}\n}}\n"
        )
        proxy = subprocess.Popen([nginx, "-c", str(deployment.folder / "nginx.conf")])
        try:
            url = f"https://127.0.0.1:{port}/quantum"
            wait_until(lambda: _answers(url, deployment.certificate), "nginx and the door to answer")
            yield url, deployment.certificate, deployment.ann
        finally:
            proxy.terminate()
            proxy.wait()


def _find_nginx() -> str:
    """Return the program, which is installed where it is missing and can be."""
    done = subprocess.run([ROOT / "scripts/proxy"], capture_output=True, text=True, check=False)
    found = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip(done.stderr)
    assert found is not None, done.stderr
    return found


def _answers(url: str, certificate: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", verify=certificate, timeout=10).ok
    except requests.exceptions.ConnectionError:
        return False


def test_clients_go_through_a_proxy_with_a_prefix(proxied: tuple[str, str, str]) -> None:
    url, certificate, token = proxied
    with GatewayClient(url, token=token, certificates=certificate) as client:
        assert client.info().name == "ann"
        assert client.simulator("qulacs").run(FLIPPED, shots=100) == {"101": 100}
        assert client.compare(BELL, list(SIMULATORS), shots=1000, progress=None).all_agree
    with BackendClient(f"{url}/v1/simulators/cirq", token=token, tls=certificate) as cirq:
        job = cirq.run_async(FLIPPED, shots=100)
        assert job.result(60) == {"101": 100}


def test_the_page_comes_with_all_that_belongs_to_it(proxied: tuple[str, str, str]) -> None:
    url, certificate, _ = proxied
    page = requests.get(f"{url}/", verify=certificate, timeout=60)
    assert page.ok
    asked = re.findall(r'(?:src|href)="((?!data:|#)[^"]+)"', page.text)
    assert asked
    for address in asked:
        assert not address.startswith("/"), f"{address} leads out of the prefix"
        if not re.match(r"https?:", address):
            assert requests.get(f"{url}/{address}", verify=certificate, timeout=60).ok


def test_a_page_may_send_requests_to_the_gateway_that_it_came_from(proxied: tuple[str, str, str]) -> None:
    url, certificate, token = proxied
    own = re.match(r"https://[^/]+", url)
    assert own is not None
    headers = {"Authorization": f"Bearer {token}", "Origin": own[0]}
    text = {"openqasm": BELL.to_openqasm2(), "shots": 100}
    assert requests.post(f"{url}/v1/circuits", json=text, headers=headers, verify=certificate, timeout=60).ok
    other = headers | {"Origin": "https://elsewhere.example"}
    refused = requests.post(f"{url}/v1/circuits", json=text, headers=other, verify=certificate, timeout=60)
    assert (refused.status_code, refused.json()["code"]) == (403, "origin-refused")


def test_progress_comes_through_a_proxy_as_it_happens(proxied: tuple[str, str, str]) -> None:
    """The comparison is cancelled after its first event: were events kept back until the end, there would be none."""
    url, certificate, token = proxied
    with GatewayClient(url, token=token, certificates=certificate) as client:
        job = client.submit(BELL, list(SIMULATORS), shots=1_000_000, repeat=500)
        answer = requests.get(
            f"{url}/v1/comparisons/{job.id}/events",
            headers={"Authorization": f"Bearer {token}"},
            verify=certificate,
            stream=True,
            timeout=60,
        )
        events = (json.loads(line[5:]) for line in answer.iter_lines() if line.startswith(b"data:"))
        first = next(events)
        assert first["state"] in {"queued", "running"}
        threading.Thread(target=job.cancel).start()
        assert [event["state"] for event in events][-1] == "cancelled"
