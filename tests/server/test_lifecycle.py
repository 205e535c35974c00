"""How servers come up, what functions they serve, and that nothing is left of them."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake import Does, FakeAdapter, fake
from support.raw import alive, descendants, name_of, wait_for_end
from support.waiting import wait_until

from gateway import BackendClient, BackendServer, Circuit, LocalSimulator
from gateway.backends.process import ServerProcess
from gateway.errors import (
    JobTimeout,
    RequestError,
    ServerStartError,
    SimulatorCrashed,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.protocol.messages import ServerLimits
from gateway.simulators import SIMULATORS, Simulator


@pytest.fixture(autouse=True)
def fake_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let LocalSimulator("fake") start the fake, which needs no framework."""
    row = Simulator(
        name="fake",
        port=9999,
        summary="",
        adapter="support.fake:FakeAdapter",
        distribution="fake",
        capabilities=FakeAdapter.capabilities,
    )
    monkeypatch.setitem(SIMULATORS, row.name, row)


MEASURED = Circuit(2).h(0).measure_all()


@pytest.fixture(scope="module")
def server() -> Iterator[BackendServer]:
    """A closure of three arguments that does what its circuit says, in one worker."""
    greeting = "hello"

    def run_func(circuit, shots, token):
        does = circuit.operations[0].name
        if does == "x":  # how many letters the token has
            return {format(len(token or ""), f"0{circuit.num_clbits}b"): shots}
        if does == "y":
            threading.Event().wait(30)
        if does == "z":
            os.kill(os.getpid(), signal.SIGKILL)
        if does == "s":
            raise KeyError(greeting)
        if does == "t":
            return {"0 0": shots - 1, "1 1": 1}
        if shots is None:
            return {"00": 0.25, "11": 0.75}
        return {"00": shots}

    with BackendServer(run_func, lambda: greeting, port=0, name="mine", version="1.2", workers=1) as started:
        yield started


def told(gate: str) -> Circuit:
    return Circuit(2).gate(gate, [0]).measure_all()


def test_a_function_is_served_with_the_token_of_each_caller(server: BackendServer):
    with BackendClient(port=server.port) as anonymous, BackendClient(port=server.port, token="abc") as caller:  # noqa: S106
        assert anonymous.run(told("x")) == {"00": 1024}
        assert caller.run(told("x")) == {"11": 1024}
        assert anonymous.run(told("x")) == {"00": 1024}


def test_a_function_sees_shots_none_and_may_write_spaces(server: BackendServer):
    with BackendClient(port=server.port) as client:
        assert client.run(told("h"), shots=None) == {"00": 0.25, "11": 0.75}
        assert client.run(told("t"), shots=10) == {"00": 9, "11": 1}


def test_the_name_the_version_and_the_words_of_a_function_are_reported(server: BackendServer):
    with BackendClient(port=server.port) as client:
        status = client.status()
        assert (status.name, status.version, status.online, status.message) == ("mine", "1.2", True, "hello")
        found = client.run(told("h")).provenance
        assert (found.simulator, found.version) == ("mine", "1.2")
        assert not client.capabilities().seedable
        with pytest.raises(UnsupportedError, match="mine cannot be seeded"):
            client.run(told("h"), seed=1)


def test_a_function_that_fails_hangs_or_crashes_fails_its_own_run_only(server: BackendServer):
    with BackendClient(port=server.port) as client:
        with pytest.raises(SimulatorError, match="mine failed: KeyError: 'hello'"):
            client.run(told("s"))
        with pytest.raises(JobTimeout, match="was killed"):
            client.run(told("y"), timeout_s=0.3)
        with pytest.raises(SimulatorCrashed, match="SIGKILL"):
            client.run(told("z"))
        assert client.run(told("h")) == {"00": 1024}


def test_a_function_that_forks_and_returns_in_its_child_too_answers_nobody_else():
    def run_func(circuit, shots, seed=None):
        import os  # noqa: PLC0415 - it runs in another process

        if seed == 1:
            child = os.fork()
            if child == 0:
                return {"1" * circuit.num_clbits: shots}
            os.waitpid(child, 0)  # whatever it answers is there before the next run begins
        return {format(seed, f"0{circuit.num_clbits}b"): shots}

    with BackendServer(run_func, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        measured = Circuit(4).measure_all()
        for seed in (1, 2, 3):
            assert client.run(measured, shots=5, seed=seed) == {format(seed, "04b"): 5}


def test_a_taken_port_is_said_at_once(server: BackendServer):
    second = BackendServer(lambda circuit, shots: {}, port=server.port)
    with pytest.raises(ServerStartError, match=f"port {server.port} of 127.0.0.1 is taken"):
        second.start()


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("127.0.0.1", -1), ("192.0.2.1", 0)])
def test_an_address_that_cannot_be_had_is_said_at_once(host, port):
    with pytest.raises(ServerStartError, match=f"cannot listen on {host}:{port}"):
        BackendServer(lambda circuit, shots: {}, port=port, host=host).start()


def test_a_server_answers_once_it_is_started_and_no_more_once_it_is_stopped():
    server = BackendServer(lambda circuit, shots: {"0" * circuit.num_clbits: shots}, port=0, workers=1)
    assert (server.host, server.port) == ("127.0.0.1", 0)
    info = server.start()
    assert (info.name, info.online) == ("function", True)
    first_port = server.port
    assert first_port > 0
    assert server.start().name == "function"  # starting twice is no error
    assert server.port == first_port
    with BackendClient(port=first_port) as client:
        assert client.run(MEASURED, shots=3) == {"00": 3}
    pids = {server._process.pid, *descendants(server._process.pid)}
    server.stop()
    server.stop()
    wait_for_end(pids)
    with BackendClient(port=first_port) as client, pytest.raises(TransportError, match="is the server running"):
        client.run(MEASURED)
    with socket.create_server(("127.0.0.1", first_port)):
        pass  # the port is free again


@pytest.mark.parametrize(
    "holds",
    [threading.Lock(), socket.socket()],
    ids=["a lock", "a socket"],
)
def test_a_function_that_cannot_be_copied_says_what_to_do(holds):
    def run_func(circuit, shots):
        return holds

    with pytest.raises(RequestError, match=r"cannot be copied.*open what it holds inside the function") as caught:
        BackendServer(run_func)
    assert caught.value.field == "run_func"
    if isinstance(holds, socket.socket):
        holds.close()


@pytest.mark.parametrize(
    "run_func",
    [lambda circuit: {}, lambda a, b, c, d: {}],
    ids=["one", "four"],
)
def test_a_function_of_another_number_of_arguments_is_refused(run_func):
    with pytest.raises(TypeError, match=r"\(circuit, shots\) or \(circuit, shots, token\)"):
        BackendServer(run_func)


def test_a_partial_function_and_a_method_are_functions_too():
    class Machine:
        def run(self, circuit, shots):
            return {}

    def run_func(noise, circuit, shots):
        return {}

    BackendServer(Machine().run)
    BackendServer(functools.partial(run_func, 0.1))


def test_local_simulators_of_one_name_share_a_server_and_one_with_settings_has_its_own():
    with LocalSimulator("fake") as first, LocalSimulator("fake") as second:
        first.start()
        second.start()
        assert first.client().port == second.client().port
        with LocalSimulator("fake", workers=1) as own:
            assert own.run(fake(amount=1), shots=2) == {"00000001": 2}
            assert own.client().port != first.client().port
            pid = own._process.pid
        assert not alive(pid)
    assert first._process.running, "a shared server outlives its users"
    again = LocalSimulator("fake")
    assert again.status().name == "fake"
    again._process.stop()


def test_a_local_simulator_whose_server_died_starts_it_again():
    with LocalSimulator("fake", limits=ServerLimits(timeout_s=5)) as simulator:
        assert simulator.run(fake(amount=1), shots=2) == {"00000001": 2}
        os.kill(simulator._process.pid, signal.SIGKILL)
        wait_until(lambda: not simulator._process.running, "the end of the server")
        assert simulator.run(fake(amount=2), shots=2) == {"00000010": 2}
        with pytest.raises(JobTimeout, match="longer than 5 s"):
            simulator.run(fake(Does.SLEEP, 20))


def test_a_server_that_ends_before_it_answers_shows_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "gunicorn").mkdir()
    (tmp_path / "gunicorn" / "__init__.py").write_text("raise SystemExit('gunicorn is out of order')")
    monkeypatch.syspath_prepend(tmp_path)  # the server looks where this process does
    with pytest.raises(ServerStartError, match="gunicorn is out of order") as caught:
        ServerProcess(target="support.fake:FakeAdapter").start()
    assert caught.value.exit_code == 1
    assert "out of order" in caught.value.log


@pytest.mark.parametrize(
    ("package", "does"),
    [("flask", "LocalSimulator('qulacs').start()"), ("cloudpickle", "BackendServer(lambda circuit, shots: {})")],
)
def test_without_the_extra_server_the_line_that_installs_it_is_given(package, does):
    script = f"""
        import sys
        from importlib.machinery import PathFinder

        class AllBut:
            @staticmethod
            def find_spec(name, path=None, target=None):
                return None if name == {package!r} else PathFinder.find_spec(name, path, target)

        sys.meta_path[sys.meta_path.index(PathFinder)] = AllBut
        from gateway import BackendServer, LocalSimulator
        from gateway.errors import ServerStartError
        try:
            {does}
        except ServerStartError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.stdout == (
        f"a server needs the package {package!r}, which is not installed: pip install 'simulator-gateway[server]'\n"
    ), done.stderr


ENDINGS = {
    "return": ("", None),
    "an exception": ("raise ValueError('as it should')", None),
    "sys.exit": ("sys.exit(3)", None),
    "os._exit": ("os._exit(0)", None),
    "SIGTERM": ("signal.pause()", signal.SIGTERM),
    "SIGINT": ("signal.pause()", signal.SIGINT),
    "SIGKILL": ("signal.pause()", signal.SIGKILL),
    "SIGKILL during a run": ("simulator.run(fake(Does.SLEEP_WITH_GIL, 60))", signal.SIGKILL),
}


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[subprocess.Popen[bytes], Path]]]:
    """Start one owner of a server for each ending, all at once."""
    started = {}
    for ending, (statement, _) in ENDINGS.items():
        folder = tmp_path_factory.mktemp("owner")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(folder)}
        script = f"""
            import os, signal, sys
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by jobs in the background
            from support.fake import Does, FakeAdapter, fake
            from gateway import LocalSimulator
            from gateway.simulators import SIMULATORS, Simulator

            SIMULATORS["fake"] = Simulator(
                name="fake", port=9999, summary="", distribution="fake",
                adapter="support.fake:FakeAdapter", capabilities=FakeAdapter.capabilities,
            )
            simulator = LocalSimulator("fake")
            simulator.run(fake())
            print("ready", flush=True)
            sys.stdin.readline()
            print("goes on", flush=True)
            {statement}
        """
        owner = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        started[ending] = owner, folder
    yield started
    for owner, _ in started.values():
        with owner:
            owner.kill()


@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_is_left_however_the_owner_ends(ending: str, owners):
    owner, folder = owners[ending]
    sent = ENDINGS[ending][1]
    with owner:
        assert owner.stdout.readline() == b"ready\n"
        pids = descendants(owner.pid)
        assert len(pids) >= 4, "gunicorn, its worker, the fork server and a worker of ours"
        owner.stdin.write(b"\n")
        owner.stdin.flush()
        assert owner.stdout.readline() == b"goes on\n"
        if "during a run" in ending:
            doing = Does.SLEEP_WITH_GIL.name
            wait_until(lambda: any(name_of(pid) == doing for pid in descendants(owner.pid)), "the run to begin")
        if sent is not None:
            owner.send_signal(sent)
    wait_for_end(pids)
    assert not [path for path in folder.rglob("*") if "gateway" in path.name]


def test_a_fork_of_the_owner_does_not_stop_its_server():
    with LocalSimulator("fake", workers=1) as simulator:
        assert simulator.run(fake()).shots == 1024
        script_pid = os.fork()
        if script_pid == 0:
            simulator._process.stop()
            os._exit(0)
        os.waitpid(script_pid, 0)
        assert simulator._process.running
        assert simulator.run(fake()).shots == 1024
