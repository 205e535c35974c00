"""Gives tests real containers. Without an engine they are left out, and the last lines say so; in CI they fail."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import docker
import pytest
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.images import Image
from docker.models.volumes import Volume
from support.fake import Does
from support.waiting import wait_until

from gateway.containers import hardening
from gateway.containers import image as image_module
from gateway.containers.container import HOME_LABEL, Fleet
from gateway.containers.engine import connect
from gateway.containers.vault import FOLDER_VARIABLE, Vault
from gateway.version import __version__

HERE = Path(__file__).parent
PATHS = os.pathsep.join([str(HERE.parents[1]), str(HERE.parent)])
"""What programs of the tests may import from."""

LEFT_OUT = "no container engine answers"
TEST_LABEL = "org.simulator-gateway.test"
_IN_CI = os.environ.get("CI") == "true"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(1800))  # the first one may build the image


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say what was left out, after everything else that is printed."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    left_out = [one for one in skipped if isinstance(one.longrepr, tuple) and LEFT_OUT in one.longrepr[2]]
    if left_out:
        reporter.write_line(f"left out: {len(left_out)} docker tests, because {LEFT_OUT}", yellow=True)


def _connected() -> docker.DockerClient | str:
    """Return a client of the engine, or why there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the SDK forgets the socket that reached nobody
        try:
            client = docker.from_env(timeout=120)
            client.ping()
        except DockerException as exc:
            why = str(exc)
        else:
            return client
        gc.collect()
        return why


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The docker SDK, for looking at things from outside our own code."""
    client = _connected()
    if isinstance(client, str):
        if _IN_CI:
            pytest.fail(f"CI needs a container engine: {client}")
        pytest.skip(LEFT_OUT)
    yield client
    client.close()


@pytest.fixture(scope="session")
def context() -> dict[str, bytes]:
    """The build context as it is when the session begins: path -> bytes."""
    return image_module.context_files()


@pytest.fixture(scope="session")
def image(client: docker.DockerClient, context: dict[str, bytes]) -> Image:
    """The image of this very tree, found by its content tag or built: by compose already, or by the classic builder."""
    engine, content = connect(), image_module.content_tag(context)
    found = image_module.find(engine, content) or image_module.adopt(engine, content, lambda _step: None, Vault().home)
    if found is None:
        found = image_module.build(engine, lambda _step: None, files=context)
    image = client.images.get(found)
    image.tag(hardening.IMAGE, __version__)
    return image


@pytest.fixture
def network(client: docker.DockerClient) -> Iterator[str]:
    """A network as all our containers get it."""
    network = client.networks.create(
        f"gateway-test-{uuid.uuid4().hex[:8]}",
        driver=hardening.NETWORK_DRIVER,
        options=hardening.NETWORK_OPTIONS,
        labels={TEST_LABEL: "1"},
    )
    yield str(network.name)
    network.remove()


Start = Callable[..., Container]


@pytest.fixture
def start(client: docker.DockerClient, image: Image, network: str) -> Iterator[Start]:
    """Start a container of the image: locked down as ours are, on a network as ours; options override."""
    started: list[Container] = []

    def start(*command: str, hardened: bool = True, **options: object) -> Container:
        settings: dict[str, object] = {"network": network, "labels": {TEST_LABEL: "1"}}
        if hardened:
            settings |= hardening.create_options(hardening.ContainerLimits())
        options["environment"] = {hardening.ANONYMOUS_VARIABLE: "1", **dict(options.get("environment") or {})}
        container = client.containers.create(image.id, list(command) or None, **(settings | options))
        started.append(container)
        container.start()
        container.reload()
        return container

    yield start
    for container in started:
        try:
            container.remove(force=True, v=True)
        except NotFound:
            continue


# ---------------------------------------------------------------------- DockerSimulator


class Mine:
    """What is on the engine and on this machine of one test's own home."""

    def __init__(self, client: docker.DockerClient, folder: Path) -> None:
        self._client = client
        self.vault = Vault(folder)
        self.environment = {**os.environ, FOLDER_VARIABLE: str(folder), "PYTHONPATH": PATHS}
        self._processes: list[subprocess.Popen[str]] = []

    def containers(self) -> list[Container]:
        label = f"{HOME_LABEL}={self.vault.home}"
        return self._client.containers.list(all=True, filters={"label": label}, ignore_removed=True)

    def wait_until_doing(self, does: Does) -> None:
        """Wait until the fake does this in a container: the name of its process says so."""
        wait_until(lambda: does.name in "".join(map(_process_names, self.containers())), f"a run of {does.name}")

    def left_behind(self) -> list[str]:
        """Names of containers, volumes and files with tokens: empty when all is cleaned up."""
        return [one.name for one in (*self.containers(), *self.volumes())] + self.vault.containers()

    def volumes(self) -> list[Volume]:
        return self._client.volumes.list(filters={"label": f"{HOME_LABEL}={self.vault.home}"})

    def script(self, code: str, *arguments: str, through: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a program that uses the public interface, as a user's would.

        Args:
            code: what follows the imports.
            arguments: for the program.
            through: a command that runs it, such as ``nsenter``.
        """
        prelude = "import os, signal, sys\nfrom gateway import Circuit, DockerSimulator\n"
        prelude += (
            "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # whoever runs the tests by nohup lets it be ignored
        )
        prelude += "bell = Circuit(2).h(0).cx(0, 1).measure_all()\n"
        process = subprocess.Popen(
            [*through, sys.executable, "-c", prelude + textwrap.dedent(code), *arguments],
            env=self.environment,
            cwd=HERE.parents[1],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._processes.append(process)
        return process

    @staticmethod
    def line(process: subprocess.Popen[str]) -> str:
        """Return the next line a program prints; one that ended instead fails the test with what it said."""
        found = process.stdout.readline().strip()
        assert found, process.communicate()[1]
        return found

    def close(self) -> None:
        """End what still runs, and remove what is left."""
        for process in self._processes:
            process.kill()
            process.communicate()
        for container in self.containers():
            container.remove(force=True, v=True)
        for volume in self.volumes():
            volume.remove(force=True)

    def gateway(self, *words: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return subprocess.run(
            [sys.executable, "-m", "gateway.cli", *words],
            env=self.environment | (environment or {}),
            cwd=HERE.parents[1],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )


def _process_names(container: Container) -> str:
    try:
        return str(container.top(ps_args="-o pid,comm")["Processes"])
    except APIError:  # it does not run
        return ""


@pytest.fixture
def mine(client: docker.DockerClient, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mine]:
    """A home of the test's own: it meets no other container, and whatever it leaves is removed."""
    folder = tmp_path / "state"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setattr(
        Fleet, "foreign_containers", lambda *_: []
    )  # what compose may be running meanwhile is not the test's
    mine = Mine(client, folder)
    yield mine
    mine.close()


@pytest.fixture(scope="session")
def rogue(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose qulacs is the fake of the tests: it sleeps, crashes and allocates on demand."""
    yield from _derived(client, image, "class QulacsAdapter(FakeAdapter):\n    name = 'qulacs'\n", "rogue")


@pytest.fixture(scope="session")
def impostor(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose qulacs says that it is somebody else."""
    yield from _derived(client, image, "class QulacsAdapter(FakeAdapter):\n    name = 'cirq'\n", "impostor")


@pytest.fixture(scope="session")
def foreigner(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose server speaks another version of the protocol."""
    change = "sed -i 's/^PROTOCOL = .*/PROTOCOL = \"99\"/' /opt/gateway/src/gateway/version.py"
    yield from _derived(client, image, "", "foreigner", f"USER root\nRUN {change}\nUSER 10001")


@pytest.fixture(scope="session")
def stillborn(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose server ends as soon as it begins."""
    yield from _derived(client, image, "", "stillborn", 'ENTRYPOINT ["python", "-c", "raise SystemExit(\'no way\')"]')


@pytest.fixture(scope="session")
def ephemeral(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose container has ended before anybody can ask for its port."""
    yield from _derived(client, image, "", "ephemeral", 'ENTRYPOINT ["true"]')


@pytest.fixture(scope="session")
def mute(client: docker.DockerClient, image: Image) -> Iterator[str]:
    """An image whose container runs and never answers."""
    yield from _derived(client, image, "", "mute", 'ENTRYPOINT ["python", "-c", "import signal; signal.pause()"]')


def _derived(client: docker.DockerClient, image: Image, adapter: str, name: str, more: str = "") -> Iterator[str]:
    tag = f"simulator-gateway-test:{name}"
    lines = [f"FROM {image.id}", "LABEL org.simulator-gateway.content=test", more]
    files = {}
    if adapter:
        lines.insert(1, "COPY src /opt/gateway/src/")
        files["src/adapters/qulacs.py"] = b"from support.fake import FakeAdapter\n\n\n" + adapter.encode()
        files["src/support/fake.py"] = (HERE.parent / "support/fake.py").read_bytes()
    files["Dockerfile"] = "\n".join(lines).encode()
    client.images.build(fileobj=image_module.pack(files), custom_context=True, tag=tag, rm=True)
    yield tag
    client.images.remove(tag, force=True)
