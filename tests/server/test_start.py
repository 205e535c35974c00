"""``gateway serve`` says in one sentence what is wrong, before it says that it serves."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.fake import TARGET, fake
from support.serving import client, environment, serving

from gateway import BackendServer, Circuit, LocalSimulator
from gateway.backends.client import BackendClient
from gateway.errors import (
    LimitError,
    OutOfMemory,
    RequestError,
    ServerStartError,
    SimulatorError,
    SimulatorNotInstalled,
)
from gateway.jobs.store import JobStore
from gateway.resources import LEAST_MEMORY
from gateway.simulators import SIMULATORS, Simulator

SERVE = [sys.executable, "-m", "gateway", "serve"]


def started(*words: str, cwd: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a server that must end by itself."""
    return subprocess.run(
        [*SERVE, *words], capture_output=True, text=True, timeout=60, check=False, env=environment(more), cwd=cwd
    )


def refused(done: subprocess.CompletedProcess[str], status: int) -> str:
    """Return the one sentence with which a server ended instead of serving."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("gateway: ")
    assert (done.stdout, done.returncode) == ("", status), done.stderr
    return done.stderr.removeprefix("gateway: ").rstrip("\n")


FAKE = ("--adapter", TARGET, "--port", "0")


# ---------------------------------------------------------------------- the database of jobs


def test_a_job_database_that_is_none_is_refused(tmp_path: Path):
    file = tmp_path / "jobs.sqlite"
    file.write_text("this is no database, however long it is" * 100, encoding="utf-8")
    assert "not a database" in refused(started(*FAKE, "--jobs", str(file)), 1)


def test_a_job_database_in_a_folder_that_cannot_be_made_is_refused():
    assert "/proc/none" in refused(started(*FAKE, "--jobs", "/proc/none/jobs.sqlite"), 1)


def test_a_job_database_of_a_newer_version_is_refused(tmp_path: Path):
    file = tmp_path / "jobs.sqlite"
    with serving("--jobs", str(file)) as served:
        assert client(served).run_async(fake()).result(30)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where name like '%version%'")]
        column = connection.execute(f"pragma table_info({tables[0]})").fetchall()[0][1]
        connection.execute(f"update {tables[0]} set {column} = 1000")  # noqa: S608 - names of our own tables
    assert "newer" in refused(started(*FAKE, "--jobs", str(file)), 1)


def damaged(kind: str, folder: Path) -> str:
    """Make something that is no database, and return its path."""
    path = folder / "jobs"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "head of a database":
            path.write_bytes(b"SQLite format 3\0")
        case "database with a broken page":
            JobStore(f"sqlite:///{path}").close()
            path.write_bytes(path.read_bytes()[:200] + os.urandom(8000))
        case "database that was cut":
            JobStore(f"sqlite:///{path}").close()
            path.write_bytes(path.read_bytes()[:5000])
        case "link in a circle":
            path.symlink_to(path)
        case "below a file":
            path.write_bytes(b"")
            return str(path / "jobs")
        case device:
            return device
    return str(path)


DAMAGES = (
    "folder", "pipe", "head of a database", "database with a broken page", "database that was cut", "link in a circle",
    "below a file", "/dev/null", "/dev/zero", "sqlite://///", "sqlite:///file:jobs?uri=true", "sqlite:///x?timeout=soon",
    "sqlite+nodriver:///x", "postgresql://127.0.0.1:99999/jobs", "postgresql://127.0.0.1:1/jobs?nonsense=3",
)  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_no_database_is_refused_in_a_sentence_on_the_command_line_and_in_python(kind: str, tmp_path: Path):
    jobs = damaged(kind, tmp_path)
    sentence = refused(started(*FAKE, "--jobs", jobs, cwd=str(tmp_path)), 1)
    assert "job database" in sentence
    with pytest.raises(ServerStartError) as caught:
        LocalSimulator(adapter=TARGET, jobs=jobs).start()
    assert "job database" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 1


@pytest.mark.skipif(shutil.which("unshare") is None, reason="this machine has no program unshare")
def test_a_database_that_may_only_be_read_is_refused(tmp_path: Path):
    JobStore(f"sqlite:///{tmp_path}/jobs").close()
    mount = f'mount -t tmpfs none {tmp_path} && mount -o remount,ro {tmp_path} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", *SERVE, *FAKE, "--jobs", f"{tmp_path}/jobs"],
        capture_output=True, text=True, timeout=60, check=False, env=environment(),
    )  # fmt: skip
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"this machine lets nobody mount: {done.stderr}")
    assert "Read-only file system" in refused(done, 1)


def test_a_database_that_takes_connections_and_never_answers_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://127.0.0.1:{silent.getsockname()[1]}/jobs"
        assert "timeout" in refused(started(*FAKE, "--jobs", url), 1)


@pytest.mark.parametrize("jobs", ["nothing://x", "postgresql://127.0.0.1:1/jobs"])
def test_a_database_that_cannot_be_reached_is_refused(jobs: str):
    assert "job database" in refused(started(*FAKE, "--jobs", jobs), 1)


def test_jobs_are_named_by_path_or_by_url(tmp_path: Path):
    path = tmp_path / "jobs.sqlite"
    with serving("--jobs", str(path)) as served:
        job = client(served).run_async(fake(amount=3)).id
    with serving(env={"GATEWAY_JOBS": f"sqlite:///{path}"}) as served:
        assert client(served).job(job).result(30) == {"00000011": 1024}
    with LocalSimulator("qulacs", jobs=f"sqlite:///{tmp_path / 'local.sqlite'}") as simulator:
        job = simulator.run_async(Circuit(1).x(0).measure_all()).id
    with LocalSimulator("qulacs", jobs=tmp_path / "local.sqlite") as simulator:
        assert simulator.job(job).result(30) == {"1": 1024}
    with pytest.raises(RequestError, match="jobs"):
        LocalSimulator("qulacs", jobs="")


# ---------------------------------------------------------------------- tokens, TLS, ports, frameworks


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "tokens: No such file or directory"), ("what is this", "tokens, line 1: a token is written as")],
)
def test_tokens_that_cannot_be_read_are_refused(content: str | None, sentence: str, tmp_path: Path):
    file = tmp_path / "tokens"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert sentence in refused(started(*FAKE, "--tokens", str(file)), 1)


def test_a_digest_in_the_environment_that_is_none_is_refused():
    name = "GATEWAY_TOKEN_SHA256"
    assert name in refused(started(*FAKE, **{name: "secret"}), 1)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("one", "two"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "2"),
                *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
            ],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:x", "-in", "one.key", "-out", "locked.key"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    os.mkfifo(folder / "pipe")
    (folder / "text.pem").write_text("no certificate", encoding="utf-8")
    (folder / "broken.pem").write_text(
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize(
    ("cert", "key", "sentence"),
    [
        ("one.pem", "two.key", "the certificate in one.pem does not fit the private key in two.key"),
        ("text.pem", "one.key", "there is no certificate in PEM in text.pem"),
        ("one.pem", "text.pem", "there is no private key in PEM in text.pem"),
        ("one.pem", "missing.key", "cannot read the private key in missing.key: No such file or directory"),
        ("one.pem", "locked.key", "the private key in locked.key is encrypted: a server cannot ask for its password"),
        ("pipe", "one.key", "cannot read the certificate in pipe: it is not a regular file"),
        ("one.pem", "/dev/zero", "cannot read the private key in /dev/zero: it is not a regular file"),
        (".", "one.key", "cannot read the certificate in .: it is a folder"),
        ("broken.pem", "one.key", "the certificate in broken.pem with the private key in one.key cannot be used: "),
    ],
)
def test_a_certificate_with_which_nobody_could_be_served_is_refused(certificates: Path, cert, key, sentence):
    done = subprocess.run(
        [*SERVE, *FAKE, "--tls-cert", cert, "--tls-key", key],
        cwd=certificates, capture_output=True, text=True, timeout=60, check=False, env=environment(),
    )  # fmt: skip
    assert refused(done, 1).startswith(sentence)


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = started("--adapter", TARGET, "--port", str(port))
    assert refused(done, 1).startswith(f"port {port} of 127.0.0.1 is taken")


@pytest.mark.parametrize("adapter", ["no_such_module:Adapter", "support.fake", "support.nothing:Adapter", ":", ""])
def test_an_adapter_that_is_nowhere_is_refused(adapter: str):
    assert f"there is no adapter at {adapter!r}" in refused(started("--adapter", adapter, "--port", "0"), 2)


@pytest.mark.parametrize(
    ("adapter", "sentence"),
    [
        ("os:getcwd", "'os:getcwd' is no adapter"),
        ("os:nothing", "the module 'os' has no class 'nothing'"),
        ("broken:Adapter", "the simulator could not be loaded: SyntaxError: "),
        ("leaves:Adapter", "the simulator could not be loaded: SystemExit: 3"),
    ],
)
def test_an_adapter_that_cannot_be_loaded_is_refused(adapter: str, sentence: str, tmp_path: Path):
    (tmp_path / "broken.py").write_text("def (", encoding="utf-8")
    (tmp_path / "leaves.py").write_text("raise SystemExit(3)", encoding="utf-8")
    path = f"{tmp_path}:{environment({})['PYTHONPATH']}"
    assert sentence in refused(started("--adapter", adapter, "--port", "0", PYTHONPATH=path), 1)


def test_a_framework_that_is_absent_is_refused_with_the_line_that_installs_it(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.machinery as m\nfind = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = classmethod(lambda cls, name, path=None, target=None: "
        "None if name.startswith('qulacs') else find(name, path, target))\n",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    sentence = refused(started("qulacs", "--port", "0", PYTHONPATH=path), 1)
    assert sentence.startswith("the simulator 'qulacs' needs the package 'qulacs', which is not installed: pip")


def test_a_local_simulator_without_its_framework_starts_no_server(monkeypatch: pytest.MonkeyPatch):
    row = Simulator(
        name="absent",
        port=9999,
        summary="",
        adapter=TARGET,
        distribution="numpy",
        packages=("a_framework_nobody_has",),
        capabilities=SIMULATORS["qulacs"].capabilities,
    )
    monkeypatch.setitem(SIMULATORS, row.name, row)
    simulator = LocalSimulator("absent")
    with pytest.raises(SimulatorNotInstalled, match=r"a_framework_nobody_has.*simulator-gateway\[absent\]"):
        simulator.start()
    assert not simulator._process.running


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "name a simulator, or give --all or --adapter"),
        (("qulac",), "there is no simulator named 'qulac': did you mean 'qulacs'?"),
        (
            ("qulacs", "cirq", "--port", "1"),
            "several simulators are served on their own ports: leave --adapter, --port",
        ),
        (("qulacs", "cirq", "--jobs", "x"), "several simulators cannot share the file of jobs 'x': leave --jobs and"),
        (("--settings", "/no/such/file"), "cannot read the settings in /no/such/file: No such file or directory"),
        (("qulacs", "--host", "0.0.0.0"), "other machines can reach 0.0.0.0: name the tokens that may use the server"),  # noqa: S104 - refused
    ],
)
def test_wrong_usage_ends_with_status_2(words, sentence):
    assert refused(started(*words), 2).startswith(sentence)


# ---------------------------------------------------------------------- what is said, and settings that reach a server


def test_serving_is_said_once_and_nothing_before_it():
    with serving() as served:
        lines = [line for line in served.log().splitlines() if not line.startswith("{")]
    assert len(lines) == 1
    assert lines[0].startswith(f"gateway: serving {TARGET} at http://127.0.0.1:{served.port} ")


def test_a_file_of_settings_reaches_the_server(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text("[limits]\nmax_shots = 5\n[resources]\nthreads = 3\n", encoding="utf-8")
    with serving("--settings", str(file)) as served, client(served) as backend:
        assert backend.info().limits.max_shots == 5
        assert backend.run(fake(), shots=1).provenance.threads == 1  # the fake uses one, whatever it may use
        with pytest.raises(LimitError, match="shots"):
            backend.run(fake(), shots=6)


def test_settings_of_other_servers_in_the_environment_are_not_those_of_a_backend(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_JOBS", "/proc/none/jobs.sqlite")
    monkeypatch.setenv("GATEWAY_TOKEN_SHA256", "0" * 64)
    monkeypatch.setenv("GATEWAY_LIMIT_MAX_SHOTS", "1")
    with BackendServer(lambda circuit, shots: {"0" * circuit.num_clbits: shots}, port=0) as server:
        assert BackendClient(port=server.port).run(Circuit(1).measure_all(), shots=2) == {"0": 2}


def test_threads_and_memory_of_a_local_simulator_are_held_to_and_reported():
    small = Circuit(2).h(0).cx(0, 1).measure_all()
    large = Circuit(24).h(0).cx(0, 23).measure_all()
    for qubit in range(24):
        large.operations.insert(0, Circuit(24).h(qubit).operations[0])
    with LocalSimulator("qulacs", threads=2, memory="256m", workers=1) as simulator:
        assert simulator.run(small).provenance.threads == 2
        error = refusal_of(simulator, large)
    assert (error.limit, error.requested) == ("qubits", 24)
    assert error.allowed < 24


@pytest.mark.parametrize("name", ["qulacs", "stim"])
def test_the_least_memory_is_enough_for_a_small_circuit_and_counts_none_of_what_a_run_imports(name: str):
    with LocalSimulator(name, memory=LEAST_MEMORY, workers=1) as simulator:
        counts = simulator.run(Circuit(2).h(0).cx(0, 1).measure_all(), shots=100, seed=1)
    assert set(counts) == {"00", "11"}


def refusal_of(simulator: LocalSimulator, circuit: Circuit) -> LimitError:
    with pytest.raises(LimitError, match="24 qubits do not fit") as caught:
        simulator.run(circuit)
    return caught.value


def allocating() -> Callable[[Circuit, int], dict[str, int]]:
    """Return a function that is copied to the server as it stands: what is imported cannot be found there."""

    def allocate(circuit, shots):
        bytearray(2**29)
        return {"0" * circuit.num_clbits: shots}

    return allocate


def telling_threads() -> Callable[[Circuit, int], dict[str, int]]:
    def tell_threads(_circuit, shots):
        import os  # noqa: PLC0415 - in the server

        return {format(int(os.environ["OMP_NUM_THREADS"]), "04b"): shots}

    return tell_threads


def test_a_function_may_allocate_the_memory_it_is_given_and_no_more():
    circuit = Circuit(1).measure_all()
    with BackendServer(allocating(), port=0, memory="256m", workers=1) as server:
        backend = BackendClient(port=server.port)
        with pytest.raises((OutOfMemory, SimulatorError), match="emory"):
            backend.run(circuit)
    with BackendServer(allocating(), port=0, memory="2g", workers=1) as server:
        assert BackendClient(port=server.port).run(circuit, shots=3) == {"0": 3}


def test_a_function_is_given_the_threads_it_may_use():
    with (
        BackendServer(telling_threads(), port=0, threads=3, workers=1) as server,
        BackendClient(port=server.port) as backend,
    ):
        assert backend.run(Circuit(4, 4).measure_all(), shots=1) == {"0011": 1}


@pytest.mark.parametrize("wrong", [{"threads": 0}, {"memory": "much"}, {"memory": 0}])
def test_resources_that_no_run_can_use_are_refused_when_a_backend_is_made(wrong):
    with pytest.raises(RequestError, match="must be"):
        LocalSimulator("qulacs", **wrong)
    with pytest.raises(RequestError, match="must be"):
        BackendServer(telling_threads(), **wrong)


def test_a_pipe_is_read_as_settings_and_refused_if_nobody_writes_into_it(tmp_path: Path):
    pipe = tmp_path / "settings"
    os.mkfifo(pipe)
    assert "nobody writes into this pipe" in refused(started(*FAKE, "--settings", str(pipe)), 2)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(pipe.write_text, "workers = 0", encoding="utf-8")
        assert "workers must be an integer from 1 to 1024, not 0" in refused(started(*FAKE, "--settings", str(pipe)), 2)


def test_more_workers_than_any_machine_can_have_are_refused():
    sentence = refused(started(*FAKE, "--workers", "100000"), 2)
    assert sentence == "--workers must be an integer from 1 to 1024, not 100000"
