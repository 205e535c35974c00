"""The image, and a container of it as we start them: promises 15 to 19 of tests/security."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import certifi
import docker
import pytest
from docker.models.containers import Container
from docker.models.images import Image
from support.waiting import wait_until

from gateway import BackendClient, Circuit
from gateway.containers import hardening
from gateway.containers import image as image_module
from gateway.containers.container import HOME_LABEL
from gateway.containers.engine import connect
from gateway.containers.vault import Vault
from gateway.errors import TransportError
from gateway.simulators import SIMULATORS, Simulator
from gateway.version import __version__

Start = Callable[..., Container]

ROOT = Path(__file__).resolve().parents[2]
RECIPE = ROOT / "images/simulators"
LIMIT_MB = 900
RESOURCES = hardening.ContainerLimits()
QULACS = SIMULATORS["qulacs"]
READY_WITHIN_S = 90


def run(container: Container, *command: str, user: str = "") -> tuple[int, str]:
    """Run a command in a container; return its exit code and what it wrote."""
    code, output = container.exec_run(list(command), user=user)
    return code, output.decode(errors="replace")


def python(container: Container, code: str) -> str:
    """Run Python in a container and return what it wrote."""
    exit_code, output = run(container, "python", "-c", code)
    assert exit_code == 0, output
    return output.strip()


def published(container: Container, port: int) -> int:
    container.reload()
    return int(container.ports[f"{port}/tcp"][0]["HostPort"])


def wait_ready(port: int) -> BackendClient:
    client = BackendClient("127.0.0.1", port)

    def answers() -> bool:
        try:
            return bool(client.status())
        except TransportError:
            return False

    wait_until(answers, f"an answer on port {port}", deadline_s=READY_WITHIN_S)
    return client


def bell_works_on(port: int) -> None:
    with wait_ready(port) as backend:
        counts = backend.run(Circuit(2).h(0).cx(0, 1).measure_all(), shots=200, seed=1)
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 200


@pytest.fixture
def qulacs(start: Start) -> Container:
    """A container as DockerSimulator and compose start it, answering."""
    container = start(
        *hardening.serve_command("qulacs", RESOURCES), ports={f"{QULACS.port}/tcp": (hardening.HOST_IP, None)}
    )
    wait_ready(published(container, QULACS.port)).close()
    return container


# ---------------------------------------------------------------------- what is in the image


def test_image_is_at_most_900_mb(image: Image) -> None:
    assert image.attrs["Size"] <= LIMIT_MB * 1e6


def test_image_says_what_it_is_and_how_it_is_run(image: Image, context: dict[str, bytes]) -> None:
    config = image.attrs["Config"]
    assert config["User"] == f"{hardening.UID}:{hardening.UID}"
    assert config["Entrypoint"] == ["gateway"]
    assert config["Cmd"] == ["serve", "--all", "--host", "0.0.0.0"]  # noqa: S104 - in the container
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"] == ["CMD", *hardening.HEALTHCHECK]
    assert config["Healthcheck"]["Interval"] == 30e9
    assert {f"{row.port}/tcp" for row in SIMULATORS.values()} <= set(config["ExposedPorts"])
    assert config["Labels"][hardening.CONTENT_LABEL] == image_module.content_tag(context)
    assert config["Labels"]["org.opencontainers.image.version"] == __version__
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_image_holds_no_installer_compiler_cache_or_leftover_of_the_build(
    image: Image, start: Start, context: dict[str, bytes]
) -> None:
    container = start("-c", "sleep 60", entrypoint="bash", network="none", network_mode="none")
    code, listing = run(container, "find", "/", "-xdev", "-printf", "%p\n", user="0")
    assert code == 0, listing
    recipe = [path for path in listing.splitlines() if path.startswith(f"{image_module.SOURCES}/images/")]
    assert {path.rpartition("/")[2] for path in recipe} == {
        "simulators",
        *(Path(path).name for path in context if path.startswith("images/")),
    }
    paths = set(listing.splitlines()) - set(recipe)
    names = {path.rpartition("/")[2] for path in paths}
    programs = {path.rpartition("/")[2] for path in paths if re.search(r"/s?bin/", path)}
    assert not {path for path in paths if re.match(r"/(build|root/\.cache|tmp/.)", path)}
    assert not {"cc", "gcc", "g++", "clang", "ld", "make", "cmake", "cargo", "pip", "pip3", "uv"} & programs
    assert (
        not {"ca-bundle.crt", "requirements-main.lock", "requirements-rigetti.lock", "pip.conf", "docker.sock"} & names
    )
    assert not {path for path in paths if re.search(r"-packages/(pip|setuptools|wheel)(-[^/]*)?$|\.whl$", path)}
    assert run(container, "python", "-m", "pip", "--version")[0] != 0
    assert run(container, "python", "-m", "ensurepip", "--version")[0] != 0
    assert not re.search(r"ca-bundle|PIP_|/build", str(image.history()))
    assert not re.search(r"PIP_|PROXY|CERT", str(image.attrs["Config"]["Env"]))


def test_nothing_in_the_image_can_be_written_by_a_server_but_its_jobs_the_doors_key_and_below_tmp(start: Start) -> None:
    container = start("-c", "sleep 60", entrypoint="bash", read_only=False)
    code, listing = run(container, "find", "/", "-xdev", "-writable", "-not", "-type", "l")
    assert code in {0, 1}  # 1: folders it may not even look into
    writable = [path for path in listing.splitlines() if path.startswith("/") and "Permission denied" not in path]
    allowed = ("/tmp", "/var/tmp", "/run/lock", hardening.JOBS_FOLDER, hardening.DOOR_KEY_FOLDER)  # noqa: S108 - the container's own
    assert [path for path in writable if not path.startswith(allowed)] == []


def python_of(row: Simulator) -> str:
    """Return the Python of a simulator's environment in the image."""
    return "python" if row.group == "main" else f"/opt/gateway/environments/{row.group}/bin/python"


@pytest.mark.parametrize("name", SIMULATORS)
def test_everything_a_simulator_imports_is_compiled_already(start: Start, name: str) -> None:
    container = start("-c", "sleep 120", entrypoint="bash")
    module, _, adapter = SIMULATORS[name].adapter.partition(":")
    _code, trace = run(
        container,
        python_of(SIMULATORS[name]),
        "-v",
        "-c",
        f"import gateway.server.host, {module}; {module}.{adapter}().version()",
    )
    assert f"import '{module}'" in trace
    compiled_now = re.findall(r"# code object from '?(/(?:opt|usr)/\S+\.py)\b(?!c)", trace)
    assert compiled_now == []


# ---------------------------------------------------------------------- how it behaves


def test_a_container_is_confined_seen_from_inside(qulacs: Container) -> None:
    processes = python(
        qulacs,
        "import glob\n"
        "for path in glob.glob('/proc/[0-9]*/status'):\n"
        "    fields = dict(line.split(':', 1) for line in open(path).read().splitlines())\n"
        "    print(*(fields[key].split()[0] for key in ('Uid', 'Gid', 'CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp')))\n",
    )
    assert set(processes.splitlines()) == {f"{hardening.UID} {hardening.UID} {0:016x} {0:016x} 1 2"}
    for path in ("/opt/gateway/x", "/etc/x", "/x"):
        code, said = run(qulacs, "touch", path)
        assert (code, "Read-only file system" in said) == (1, True), said
    code, said = run(qulacs, "bash", "-c", "cp /bin/true /tmp/x && /tmp/x")
    assert (code, "Permission denied" in said) == (126, True), said
    code, said = run(qulacs, "bash", "-c", "head -c 100M /dev/zero > /tmp/full; s=$?; rm /tmp/full; exit $s")
    assert (code, "No space left" in said) == (1, True), said
    assert run(qulacs, "unshare", "-U", "true")[0] == 1
    assert python(qulacs, "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))") == "(0, 0)"


def test_a_container_is_limited_seen_from_inside(qulacs: Container) -> None:
    limits = python(
        qulacs,
        "import os\n"
        "def read(*paths):\n"
        "    return next(open(path).read().split() for path in paths if os.path.exists(path))\n"
        "base = '/sys/fs/cgroup/'\n"
        "memory = read(base + 'memory.max', base + 'memory/memory.limit_in_bytes')[0]\n"
        "pids = read(base + 'pids.max', base + 'pids/pids.max')[0]\n"
        "quota = read(base + 'cpu.max', base + 'cpu/cpu.cfs_quota_us')[0]\n"
        "print(memory, pids, int(quota) / 100000)\n",
    )
    memory, pids, cpus = limits.split()
    assert int(memory) == 4 * 2**30
    assert int(pids) == RESOURCES.pids
    assert float(cpus) == RESOURCES.cpus


def test_a_container_is_confined_and_limited_by_inspect(qulacs: Container) -> None:
    host = qulacs.attrs["HostConfig"]
    assert qulacs.attrs["Config"]["User"] == f"{hardening.UID}:{hardening.UID}"
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["PidsLimit"] == RESOURCES.pids
    assert host["Memory"] == host["MemorySwap"] == 4 * 2**30
    assert host["NanoCpus"] == RESOURCES.cpus * 1e9
    assert host["NetworkMode"] not in {"host", "bridge", "default"}
    assert {host["PidMode"], host["UTSMode"], host["UsernsMode"]} == {""}
    assert not host["Devices"]


def test_a_fork_bomb_ends_at_the_limit_and_the_server_lives(qulacs: Container) -> None:
    _code, said = run(qulacs, "bash", "-c", "for i in $(seq 400); do sleep 5 & done 2>&1 | tail -1; exit 0")
    assert "Resource temporarily unavailable" in said or "fork" in said
    bell_works_on(published(qulacs, QULACS.port))


def test_ports_are_on_loopback_only_and_no_engine_socket_is_inside(qulacs: Container) -> None:
    bindings = [one for ports in qulacs.attrs["NetworkSettings"]["Ports"].values() for one in ports or ()]
    assert {one["HostIp"] for one in bindings} == {"127.0.0.1"}
    (mount,) = qulacs.attrs["Mounts"]
    assert (mount["Type"], mount["Destination"]) == ("volume", hardening.JOBS_FOLDER)
    port = published(qulacs, QULACS.port)
    listening = {
        fields[1].partition(":")[0]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[3] == "0A" and int(fields[1].partition(":")[2], 16) == port
    }
    assert listening <= {"0100007F"}
    assert "docker.sock" not in run(qulacs, "find", "/", "-xdev", "-name", "*.sock")[1]
    assert "docker.sock" not in run(qulacs, "cat", "/proc/net/unix")[1]


def test_nothing_outside_and_no_other_container_is_reached_from_inside(start: Start, qulacs: Container) -> None:
    other = start(*hardening.serve_command("qulacs", RESOURCES))
    (neighbour,) = (one["IPAddress"] for one in other.attrs["NetworkSettings"]["Networks"].values())
    wait_until(lambda: _is_reached(neighbour), "the host to reach it: somebody is there", deadline_s=READY_WITHIN_S)
    attempts = python(
        qulacs,
        "import socket\n"
        f"for address in (({neighbour!r}, {QULACS.port}), ('1.1.1.1', 443), ('8.8.8.8', 53)):\n"
        "    try:\n"
        "        socket.create_connection(address, 2)\n"
        "        print('tcp', address)\n"
        "    except OSError:\n"
        "        pass\n"
        "query = bytes.fromhex('000101000001000000000000076578616d706c65036f72670000010001')\n"
        "for server in ('127.0.0.11', '1.1.1.1'):\n"
        "    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    udp.settimeout(2)\n"
        "    try:\n"
        "        udp.sendto(query, (server, 53))\n"
        "        answer = udp.recv(512)\n"
        "        if answer[6:8] != b'\\0\\0': print('dns', server)\n"
        "    except OSError:\n"
        "        pass\n"
        "for name in ('pypi.org',):\n"
        "    try:\n"
        "        print('name', socket.getaddrinfo(name, 443))\n"
        "    except OSError:\n"
        "        pass\n",
    )
    assert attempts == ""


def _is_reached(address: str) -> bool:
    try:
        socket.create_connection((address, QULACS.port), 2).close()
    except OSError:
        return False
    return True


def test_one_container_serves_every_simulator(start: Start) -> None:
    """``docker run -p ... IMAGE``, as plain as a user types it: not locked down, no init."""
    ports = {f"{row.port}/tcp": (hardening.HOST_IP, None) for row in SIMULATORS.values()}
    container = start(hardened=False, ports=ports)
    for row in SIMULATORS.values():
        bell_works_on(published(container, row.port))
    code, said = run(container, *hardening.HEALTHCHECK)
    assert code == 0, said
    _stops_within(container, 6)


@pytest.mark.parametrize("hardened", [True, False])
def test_a_container_stops_within_seconds_with_and_without_init(start: Start, hardened: bool) -> None:
    container = start(
        *hardening.serve_command("qulacs", RESOURCES),
        hardened=hardened,
        ports={f"{QULACS.port}/tcp": ("127.0.0.1", None)},
    )
    wait_ready(published(container, QULACS.port)).close()
    _stops_within(container, 4)


def _stops_within(container: Container, seconds: int) -> None:
    """Stop a container that has so long to end by itself before the engine kills it."""
    container.stop(timeout=seconds)
    container.reload()
    assert container.attrs["State"]["ExitCode"] in {0, 143}, "137 would be the engine's SIGKILL"


def test_health_check_fails_when_nobody_listens_and_when_the_server_hangs(start: Start, qulacs: Container) -> None:
    idle = start("-c", "sleep 60", entrypoint="bash")
    assert run(idle, *hardening.HEALTHCHECK) == (1, "nobody listens yet\n")
    assert run(qulacs, *hardening.HEALTHCHECK) == (0, "")
    assert run(qulacs, "bash", "-c", "pkill -STOP -f gateway || kill -STOP $(pidof gateway python python3)")[0] in {
        0,
        1,
    }
    code, said = run(qulacs, *hardening.HEALTHCHECK)
    assert code == 1, said


# ---------------------------------------------------------------------- how it is built


def test_a_change_in_our_code_installs_nothing(
    client: docker.DockerClient, image: Image, context: dict[str, bytes]
) -> None:
    files = context | {"gateway/version.py": context["gateway/version.py"] + f"# {uuid.uuid4()}\n".encode()}
    steps: list[image_module.Step] = []
    built = image_module.build(connect(), steps.append, files=files)
    image.tag(hardening.IMAGE, __version__)  # first: what loses its last name stays, without one
    client.images.remove(built, force=True)
    assert built != image.id
    done = [step.what for step in steps]
    assert any("COPY gateway" in what for what in done)
    assert [what for what in done if "pip" in what or "prepare.py" in what.partition("COPY")[0]] == []


def names_of(client: docker.DockerClient, label: str) -> list[str]:
    """Return the ids of images without a name that have a label."""
    return [one.id for one in client.images.list(filters={"dangling": True, "label": label})]


def test_a_build_leaves_no_image_without_a_name_behind_and_touches_nobody_elses(
    client: docker.DockerClient, image: Image, context: dict[str, bytes], small_context: Path
) -> None:
    files = {path: (small_context / path).read_bytes() for path in context}
    files["images/simulators/prepare.py"] += f"# {uuid.uuid4()}\n".encode()  # so that nothing is cached
    mine, others = (f"{image_module.BUILDER_LABEL}={one}" for one in ("of-this-test", "of-another-user"))
    client.images.build(fileobj=io.BytesIO(f"FROM scratch\nLABEL {others}\n".encode()), rm=True)
    before = {one.id for one in client.images.list(filters={"dangling": True})}
    steps: list[image_module.Step] = []
    built: list[str] = []
    try:
        built.append(image_module.build(connect(), steps.append, files=files, builder="of-this-test"))
        assert any("--require-hashes" in step.what for step in steps)
        assert {one.id for one in client.images.list(filters={"dangling": True})} == before
        steps.clear()
        files["gateway/version.py"] += b"# changed\n"
        built.append(image_module.build(connect(), steps.append, files=files, builder="of-this-test"))
        assert not any("--require-hashes" in step.what for step in steps), "the first part is still there"
        assert {one.id for one in client.images.list(filters={"dangling": True})} == before
        assert names_of(client, mine) == []
        assert client.images.get(built[-1]).labels[image_module.BUILDER_LABEL] == ""
        assert len(names_of(client, others)) == 1
    finally:
        for one in names_of(client, others):
            client.images.remove(one)
        image.tag(hardening.IMAGE, __version__)
        for one in built:
            client.images.remove(one, force=True)


MARK = "left-by-the-test"


@pytest.fixture(scope="module")
def small_context(tmp_path_factory: pytest.TempPathFactory, context: dict[str, bytes]) -> Path:
    """The real build context, but with a lock of two packages, so that a build takes seconds."""
    root = tmp_path_factory.mktemp("context")
    for path, data in context.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    for name in ("compose.yaml", ".dockerignore", ".env"):
        shutil.copy(ROOT / name, root / name)
    for group, package in (("main", "setuptools"), ("rigetti", "rpcq")):
        lock = root / f"images/simulators/requirements-{group}.lock"
        entry = re.search(rf"^{package}==.*?(?:[^\\]\n)", lock.read_text(), re.MULTILINE | re.DOTALL)
        lock.write_text(entry[0])
    return root


def classic(root: Path, tag: str, args: dict[str, str]) -> None:
    files = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    client = docker.from_env(timeout=600)
    client.images.build(
        fileobj=image_module.pack(files),
        custom_context=True,
        dockerfile="images/simulators/Dockerfile",
        tag=tag,
        buildargs=args,
        rm=True,
        forcerm=True,
    )
    client.close()


def buildkit(root: Path, tag: str, args: dict[str, str]) -> None:
    given = [word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")]
    command = ["docker", "buildx", "build", "--quiet", "-f", "images/simulators/Dockerfile", "-t", tag, *given, "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def compose(root: Path, tag: str, args: dict[str, str]) -> None:
    text = re.sub(r"^( +)image: .*:.*", rf"\1image: {tag}", (root / "compose.yaml").read_text(), flags=re.MULTILINE)
    (root / "compose.test.yaml").write_text(text)
    given = [word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")]
    command = ["docker", "compose", "-f", "compose.test.yaml", "build", "--quiet", *given]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("bundle", ["with a CA bundle", "without a CA bundle"])
@pytest.mark.parametrize("builder", [classic, buildkit, compose])
def test_every_builder_builds_and_leaves_no_trace_of_bundle_and_index(
    client: docker.DockerClient, image: Image, small_context: Path, builder: Callable[..., None], bundle: str
) -> None:
    """The bundle and the index settings are marked; the mark is in no layer, no history and no setting."""
    given = image_module.ca_bundle()
    ca_file = small_context / "images/simulators/ca-bundle.crt"
    ca_file.unlink(missing_ok=True)
    args = {"PIP_TRUSTED_HOST": MARK, "PIP_INDEX_URL": image_module.build_args("").get("PIP_INDEX_URL", "")}
    if bundle.startswith("without"):  # where a proxy re-signs traffic: no certificate is checked, the hashes are
        args["PIP_TRUSTED_HOST"] += " pypi.org files.pythonhosted.org" if given else ""
    else:
        ca_file.write_bytes((given or Path(certifi.where()).read_bytes()) + f"\n# {MARK}\n".encode())
    tag = f"{hardening.IMAGE}:test-builders"
    builder(small_context, tag, args)
    made = client.images.get(tag)
    try:
        assert MARK not in str(made.history()) + str(made.attrs)
        assert not [chunk for chunk in _overlapping(made.save(chunk_size=2**20)) if MARK.encode() in chunk]
    finally:
        client.images.remove(tag)


def test_an_image_that_compose_built_is_found_by_its_content_and_not_built_again(
    client: docker.DockerClient, image: Image, context: dict[str, bytes], small_context: Path, tmp_path: Path
) -> None:
    files = {path: (small_context / path).read_bytes() for path in context}
    bundle = image_module.ca_bundle()
    if bundle:
        (small_context / "images/simulators/ca-bundle.crt").write_bytes(bundle)
    content, engine, steps = image_module.content_tag(files), connect(), []
    try:
        compose(small_context, f"{hardening.IMAGE}:{__version__}", image_module.environment_args())
        built = client.images.get(f"{hardening.IMAGE}:{__version__}")
        assert built.labels[hardening.CONTENT_LABEL] == image_module.UNKNOWN
        assert _finding("image", small_context)["verdict"] == "fine"
        found = client.images.get(image_module.ensure(engine, tmp_path, steps.append, content=content))
        assert found.labels[hardening.CONTENT_LABEL] == content
        assert found.attrs["RootFS"] == built.attrs["RootFS"], "the same layers: nothing was built"
        assert image_module.find(engine, content) == found.id
        engine.remove_image(f"{hardening.IMAGE}:{content}")
        assert json.loads(_gateway("build", "--json", root=small_context))["id"] == image_module.find(engine, content)
        assert client.images.get(f"{hardening.IMAGE}:{content}").attrs["RootFS"] == built.attrs["RootFS"]
        changed = image_module.content_tag(files | {"gateway/version.py": b"changed"})
        assert image_module.adopt(engine, changed, steps.append, Vault(tmp_path).home) is None
        assert engine.containers(f"{HOME_LABEL}={Vault(tmp_path).home}") == []
    finally:
        for tag in (content, __version__):
            engine.remove_image(f"{hardening.IMAGE}:{tag}")
        image.tag(hardening.IMAGE, __version__)


def _gateway(*words: str, root: Path) -> str:
    """Return what the command prints that is installed in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.stdout


def _finding(name: str, root: Path) -> dict[str, str]:
    found: list[dict[str, str]] = json.loads(_gateway("doctor", "--json", root=root))
    return next(finding for finding in found if finding["check"] == name)


def _overlapping(chunks: Iterator[bytes]) -> Iterator[bytes]:
    tail = b""
    for chunk in chunks:
        yield tail + chunk
        tail = chunk[-len(MARK) :]
