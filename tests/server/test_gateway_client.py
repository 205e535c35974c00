"""The client of a gateway, and the commands that go to one, on a real door in front of real simulators."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certificates import Files, make_certificate
from support.circuits import bell, handed
from support.doors import door, simulators
from support.fake import Does, fake
from support.raw import Server, descendants, port_to_keep, wait_for_end
from support.serving import serving
from support.waiting import wait_until

from gateway import GatewayClient
from gateway.backends.auto import open_backends
from gateway.backends.client import BackendClient
from gateway.cli.main import main
from gateway.compare import Comparison
from gateway.compare.progress import Event, Progress, Stage
from gateway.compare.record import Verdict
from gateway.errors import AuthenticationError, CircuitSyntaxError, Forbidden, TransportError
from gateway.protocol.door import ComparisonState, SimulatorState

ADA, BOB = "token-of-ada", "token-of-bob"


@pytest.fixture(autouse=True)
def _no_gateway_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GATEWAY_URL", "GATEWAY_TOKEN", "GATEWAY_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    """Two right simulators, and one that turns every rz the other way."""
    with simulators("cirq", "qulacs", "turned") as found:
        yield found


@pytest.fixture(scope="module")
def url(servers: dict[str, Server]) -> Iterator[str]:
    with door(servers) as opened:
        url = f"http://{opened.host}:{opened.port}"
        with GatewayClient(url) as client:
            wait_until_ready(client)
        yield url


@pytest.fixture
def lab(url: str) -> Iterator[GatewayClient]:
    with GatewayClient(url) as client:
        yield client


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "phase.qasm"
    path.write_text(handed().to_openqasm3())
    return str(path)


def wait_until_ready(client: GatewayClient) -> None:
    def ready() -> bool:
        return all(each.state is SimulatorState.READY for each in client.simulators().values())

    wait_until(ready, lambda: f"all simulators to be ready: {client.simulators()!r}")


# ---------------------------------------------------------------------- simulators


def test_the_simulators_are_listed_with_what_they_can_do(lab):
    found = lab.simulators()
    assert list(found) == ["cirq", "qulacs", "turned"]
    assert found["qulacs"].backend.capabilities.result_types
    assert "ready" in repr(found)
    assert lab.info().rights == ("run", "compare", "admin")


def test_a_simulator_gives_through_the_gateway_what_it_gives_at_its_own_port(lab, servers):
    own = servers["qulacs"]
    with lab.simulator("qulacs") as through, BackendClient(own.process.host, own.port) as direct:
        for circuits in (bell(), [bell(), handed()]):
            assert through.run(circuits, shots=100, seed=7) == direct.run(circuits, shots=100, seed=7)
        job = through.run_async([bell(), handed()], shots=100, seed=7)
        assert job.result(60) == direct.run([bell(), handed()], shots=100, seed=7)
        assert direct.job(job.id).result(60) == job.result(60)
        with pytest.raises(CircuitSyntaxError, match="line 1"):
            through.run("no OpenQASM")


def test_the_url_of_a_gateway_opens_all_its_simulators(url, servers):
    with open_backends(url) as opened:
        assert list(opened) == list(servers)
        assert opened["cirq"].run(bell(), shots=10).shots == 10
    with open_backends(f"{url}/v1/simulators/cirq") as opened:
        assert list(opened) == ["cirq"]


def test_a_circuit_is_described(lab):
    found = lab.circuit(bell())
    assert (found.num_qubits, found.errors) == (2, ())
    assert {each.simulator for each in found.estimates} == {"qulacs", "cirq", "turned"}
    assert lab.circuit("OPENQASM 3;\nfrobnicate q;\n").errors[0].line == 2


# ---------------------------------------------------------------------- comparisons


class Seen(Progress):
    """Remembers who has ended, and calls a function at each event."""

    def __init__(self, on_event=lambda _: None) -> None:
        self.simulators: tuple[str, ...] = ()
        self.ended: set[str] = set()
        self._on_event = on_event

    def start(self, simulators, circuits):
        self.simulators = tuple(simulators)

    def update(self, event: Event) -> None:
        if event.stage is Stage.FINISHED:
            self.ended.add(event.simulator)
        self._on_event(event)


def test_a_wrong_simulator_is_named_and_the_comparison_is_kept(lab):
    seen = Seen()
    found = lab.compare({"phase": handed()}, shots=4000, seed=7, progress=seen)
    assert {row.simulator: row.verdict for row in found.rows} == {
        "cirq": Verdict.AGREES,
        "qulacs": Verdict.AGREES,
        "turned": Verdict.DIFFERS,
    }
    assert found.rows[2].causes[0].name == "angle-negated:rz"
    assert seen.simulators == ("cirq", "qulacs", "turned")
    assert seen.ended == {"qulacs", "cirq", "turned"}
    kept = lab.comparisons(search="phase")[0]
    assert (kept.standing, kept.circuits) == ("differs", ("phase",))
    assert lab.comparison(kept.id).result() == found


def test_many_comparisons_at_once_all_end(lab):
    jobs = [lab.submit(bell(), ["qulacs", "cirq"], shots=100) for _ in range(6)]
    assert [job.result(120).all_agree for job in jobs] == [True] * 6
    assert all(job.status() is ComparisonState.FINISHED for job in jobs)


@pytest.fixture
def slow(servers: dict[str, Server]) -> Iterator[dict[str, Server]]:
    """A right simulator, and the fake, which waits where it is told to."""
    with serving() as fakes:
        yield {"qulacs": servers["qulacs"], "fake": fakes}


def test_ctrl_c_cancels_it_on_the_gateway_and_gives_what_has_finished(slow):

    def press(event: Event) -> None:
        if event.simulator == "qulacs" and event.stage is Stage.FINISHED:
            signal.raise_signal(signal.SIGINT)

    with door(slow) as opened, GatewayClient(f"http://{opened.host}:{opened.port}") as client:
        wait_until_ready(client)
        circuit = fake(Does.WAIT)
        found = client.compare(circuit, ["qulacs", "fake"], shots=10, exact=False, progress=Seen(press))
        assert found.interrupted
        assert found.rows[0].counts
        assert not found.rows[1].counts
        (kept,) = client.comparisons()
        assert kept.state is ComparisonState.CANCELLED


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed", "stopped"])
@pytest.mark.parametrize("has_stream", [True, False], ids=["stream", "polls"])
def test_a_gateway_that_restarts_meanwhile_loses_no_comparison(slow, tmp_path, has_stream, is_killed, monkeypatch):
    if not has_stream:
        monkeypatch.setattr("gateway.client.watching.Watch._events", refuse)
    port = port_to_keep()
    found: list[Comparison] = []
    with GatewayClient(f"http://127.0.0.1:{port}") as client:
        with door(slow, port=port, state=tmp_path) as opened:
            wait_until_ready(client)
            job = client.submit(fake(Does.SLEEP, 3), ["fake"], shots=10, reproduce=False)
            waiting = threading.Thread(target=lambda: found.append(job.result(120)))
            waiting.start()
            wait_until(lambda: client.comparison(job.id).status() is ComparisonState.RUNNING, "it to run")
            if is_killed:
                family = {opened.pid, *descendants(opened.pid)}
                os.kill(opened.pid, signal.SIGKILL)
                wait_for_end(family)
        with door(slow, port=port, state=tmp_path):
            waiting.join(120)
            assert found[0].rows[0].counts
            assert client.comparison(job.id).status() is ComparisonState.FINISHED


def refuse(*_: object) -> Iterator[None]:
    raise TransportError("a proxy lets no stream through")
    yield


def test_a_gateway_in_front_of_another_compares_what_is_behind_that(url):
    with (
        door({"far": f"{url}/v1/simulators/qulacs"}) as opened,
        GatewayClient(f"http://{opened.host}:{opened.port}") as near,
    ):
        wait_until_ready(near)
        assert near.simulator("far").run(bell(), shots=10).shots == 10
        assert near.compare(bell(), ["far"], shots=1000, progress=None).all_agree


# ---------------------------------------------------------------------- tokens and certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_certificate(tmp_path_factory.mktemp("certificates"), "lab")


@pytest.fixture(scope="module")
def guarded(certificate: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a gateway with HTTPS and tokens: Ada's for everything, and Bob's for runs alone."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    digest = {token: hashlib.sha256(token.encode()).hexdigest() for token in (ADA, BOB)}
    tokens.write_text(f"ada sha256:{digest[ADA]} run,compare\nbob sha256:{digest[BOB]} run\n")
    tokens.chmod(0o600)
    known = ["--tokens", str(tokens), "--door-key", str(tokens.with_name("door.key"))]
    tls = ["--tls-cert", str(certificate.certificate), "--tls-key", str(certificate.key)]
    with serving(*known) as fakes, door({"fake": fakes}, *known, *tls) as opened:
        url = f"https://{opened.host}:{opened.port}"
        with GatewayClient(url, token=ADA, certificates=certificate.certificate) as client:
            wait_until_ready(client)
        yield url


def test_a_token_and_a_certificate_let_one_in(guarded, certificate):
    with GatewayClient(guarded, token=ADA, certificates=certificate.certificate) as ada:
        assert (ada.info().name, ada.info().rights) == ("ada", ("run", "compare"))
        assert ada.simulator("fake").run(fake(), shots=3).shots == 3
        assert ada.compare(fake(), shots=3, exact=False, reproduce=False, progress=None).rows[0].counts
    with GatewayClient(guarded, token=BOB, certificates=certificate.certificate) as bob:
        assert bob.simulator("fake").run(fake(), shots=3).shots == 3
        with pytest.raises(Forbidden, match="compare"):
            bob.compare(fake(), progress=None)
    with (
        GatewayClient(guarded, token="", certificates=certificate.certificate) as nobody,
        pytest.raises(AuthenticationError),
    ):
        nobody.simulators()
    with GatewayClient(guarded, token=ADA) as trusting, pytest.raises(TransportError, match="cannot be trusted"):
        trusting.simulators()


def test_the_environment_names_the_gateway_its_token_and_its_certificate(guarded, certificate, monkeypatch, capsys):
    monkeypatch.setenv("GATEWAY_URL", guarded)
    monkeypatch.setenv("GATEWAY_TOKEN", ADA)
    monkeypatch.setenv("GATEWAY_CA", str(certificate.certificate))
    with GatewayClient() as ada:
        assert ada.info().name == "ada"
    assert main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "fake"


def test_a_name_stands_for_url_token_and_certificate(guarded, certificate, tmp_path, capsys):
    secret = tmp_path / "token"
    secret.write_text(ADA)
    circuit = tmp_path / "echo.qasm"
    circuit.write_text(fake(Does.ECHO, 5).to_openqasm3())
    words = ["--token-file", str(secret), "--ca", str(certificate.certificate)]
    assert main(["config", "add", "lab", guarded, *words]) == 0
    assert main(["run", str(circuit), "--at", "lab", "--on", "fake", "--shots", "7", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"00000101": 7}
    assert main(["run", str(circuit), "--at", "lab", "--shots", "7"]) == 0  # it has no other simulator


# ---------------------------------------------------------------------- commands


def test_a_comparison_at_a_gateway_prints_and_answers_what_one_here_does(file, url, tmp_path, capsys):
    record, report = tmp_path / "r.json", tmp_path / "r.html"
    words = ["compare", file, "--at", url, "--shots", "4000", "--seed", "7"]
    assert main([*words, "--save", str(record), "--report", str(report)]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("≠ 2 agree; turned differs")
    assert "Reproducer" in printed.out
    assert "left out" not in printed.err
    assert [row.simulator for row in Comparison.load(record).rows] == ["cirq", "qulacs", "turned"]
    assert "<html" in report.read_text()
    assert main([*words, "--on", "qulacs,cirq", "--against", str(record)]) == 0
    assert "= Both agree." in capsys.readouterr().out
    assert main([*words, "--on", "qulacs,nobody"]) == 2
    assert "nobody" in capsys.readouterr().err


def test_a_simulator_behind_a_gateway_is_compared_with_one_here(file, url, capsys):
    place = f"{url}/v1/simulators/turned"
    assert main(["compare", file, "--on", "qulacs", "--at", place, "--runtime", "local", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["cases"][0]["rows"]
    assert [(row["simulator"], row["verdict"]) for row in rows] == [("qulacs", "agrees"), ("turned", "differs")]


def test_simulators_behind_a_gateway_are_verified(url, capsys):
    assert main(["verify", "--at", url, "--on", "qulacs,cirq", "--groups", "bit order"]) == 0
    assert "All 2 pass" in capsys.readouterr().out


def test_simulators_behind_a_gateway_are_searched(file, url, capsys):
    assert main(["locate", file, "--at", url, "--on", "turned"]) == 1
    assert "They differ after operation 3" in capsys.readouterr().out
