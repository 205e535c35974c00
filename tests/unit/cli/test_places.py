"""What --on and --at name: simulators that start here, servers, and simulators behind a gateway."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest
from support import records
from support.circuits import bell
from support.directory import counting

from gateway.backends import auto
from gateway.backends.access import Access
from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.cli import circuits, comparing, listing, main, places
from gateway.cli.arguments import UsageError
from gateway.compare.comparison import Comparison
from gateway.errors import AuthenticationError, RequestError, SimulatorNotFound, TransportError
from gateway.protocol.door import (
    CircuitInfo,
    Estimate,
    Load,
    SimulatorInfo,
    SimulatorList,
    SimulatorState,
)
from gateway.protocol.messages import BackendInfo

DOOR = "http://door:8080"
SERVER = "http://server:8088"
BACKEND = counting()
SIMULATORS = SimulatorList(
    simulators=(
        SimulatorInfo(name="cirq", state=SimulatorState.READY, load=Load(running=1), backend=BACKEND),
        SimulatorInfo(name="qulacs", state=SimulatorState.DOWN, reason="nobody answers at qulacs:8088"),
    )
)


def is_gateway(way: Access) -> bool:
    if way.address.host == "down":
        raise TransportError("cannot reach http://down:1")
    if way.address.host == "guarded":
        raise AuthenticationError("the token is missing")
    return way.address.host == "door" and not way.address.path


@pytest.fixture(autouse=True)
def simulators(monkeypatch: pytest.MonkeyPatch) -> list[SimulatorInfo]:
    """Let ``door`` be the host of a gateway, whose simulators are returned, and ``server`` that of a simulator."""
    found = list(SIMULATORS.simulators)

    def behind(way: Access) -> SimulatorList | None:
        return SimulatorList(simulators=tuple(found)) if is_gateway(way) else None

    for module in (auto, listing, places):
        monkeypatch.setattr(module, "simulators_behind", behind)
    for module in (circuits, places):
        monkeypatch.setattr(module, "is_gateway", is_gateway)
    monkeypatch.setattr(BackendClient, "info", lambda self, **_: BACKEND)
    return found


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "bell.qasm"
    path.write_text(bell().to_openqasm3(), encoding="utf-8")
    return str(path)


def configure(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config" / "simulator-gateway" / "config.toml"
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_text(text)


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for flag in ("--on", "--at"):
        parser.add_argument(flag, action="append")
    return parser.parse_args(words)


def shown(found: places.Places) -> list[str]:
    return [each if isinstance(each, str) else each.address.url for each in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["--on", "cirq,mqt"], ["cirq", "mqt"]),
        (["--at", DOOR], [DOOR]),
        (["--at", SERVER], [SERVER]),
        (["--on", "cirq", "--at", SERVER], ["cirq", SERVER]),
        (["--on", "cirq", "--at", DOOR], [f"{DOOR}/v1/simulators/cirq"]),
        (["--on", "qulacs,cirq", "--at", DOOR], [f"{DOOR}/v1/simulators/{name}" for name in ("qulacs", "cirq")]),
        (["--on", f"{SERVER},cirq", "--at", DOOR], [SERVER, f"{DOOR}/v1/simulators/cirq"]),
        (["--on", "cirq", "--at", f"{DOOR}/v1/simulators/cirq"], ["cirq", f"{DOOR}/v1/simulators/cirq"]),
        (["--at", DOOR, "--at", SERVER], [DOOR, SERVER]),
        (["--on", "cirq", "--at", "down:1"], ["cirq", "http://down:1"]),
    ],
)
def test_names_and_urls_together_say_what_is_meant(words, expected):
    assert shown(places.named(given(*words))) == expected


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--on", "cirk", "--at", DOOR], SimulatorNotFound, f"{DOOR} has no simulator 'cirk': did you mean 'cirq'"),
        (
            ["--on", "cirq", "--at", f"{DOOR},{SERVER}"],
            UsageError,
            f"give one --at, .* such as {DOOR}/v1/simulators/ci",
        ),
        (["--on", "cirq", "--at", "http://guarded"], AuthenticationError, "the token is missing"),
        (["--at", "lab"], RequestError, "there is no gateway 'lab'"),
    ],
)
def test_what_does_not_fit_together_is_refused(words, error, message):
    with pytest.raises(error, match=message):
        places.named(given(*words))


def test_a_gateway_with_a_name_that_is_away_starts_nothing_here(tmp_path):
    configure(tmp_path, '[gateways.lab]\nurl = "http://down:1"\n')
    for ask in (places.named, places.gateway_of):
        with pytest.raises(TransportError, match="cannot reach http://down:1"):
            ask(given("--on", "cirq", "--at", "lab"))


# ---------------------------------------------------------------------- gateway run


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return where circuits were run."""
    where: list[str] = []

    def run(backend: Backend, *_: object, **__: object) -> Any:
        where.append(backend.url if isinstance(backend, BackendClient) else type(backend).__name__)
        raise RequestError("that is all")

    monkeypatch.setattr(Backend, "run", run)
    return where


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["--on", "cirq", "--at", DOOR], f"{DOOR}/v1/simulators/cirq"),
        (["--at", SERVER], SERVER),
        (["--at", f"{DOOR}/v1/simulators/qulacs"], f"{DOOR}/v1/simulators/qulacs"),
        (["--on", SERVER], SERVER),
    ],
)
def test_a_circuit_runs_at_the_place_that_is_named(words, place, file, ran):
    assert main(["run", file, *words]) == 1
    assert ran == [place]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--at", DOOR], 2, f"--on names the simulator behind {DOOR}; it has cirq, qulacs"),
        (["--at", DOOR, "--on", "cirk"], 1, "did you mean 'cirq'"),
        (["--at", SERVER, "--on", "cirq"], 2, f"{SERVER} is a server of one simulator: leave out --on"),
        (["--at", "down:1", "--on", "cirq"], 1, "cannot reach http://down:1"),
        (["--at", DOOR, "--on", "cirq", "--threads", "2"], 1, "--threads and --memory are for simulators that are"),
    ],
)
def test_a_run_that_is_not_named_well_is_refused(words, status, message, file, ran, capsys):
    assert main(["run", file, *words]) == status
    assert message in capsys.readouterr().err
    assert ran == []


def test_the_only_simulator_behind_a_gateway_needs_no_name(file, ran, simulators):
    simulators.pop()
    assert main(["run", file, "--at", DOOR]) == 1
    assert ran == [f"{DOOR}/v1/simulators/cirq"]
    simulators.pop()
    assert main(["run", file, "--at", DOOR]) == 2


def test_without_a_place_a_run_goes_to_the_default_gateway_and_says_so(
    file, ran, simulators, monkeypatch, tmp_path, capsys
):
    simulators.pop()
    configure(tmp_path, f'default = "lab"\n[gateways.lab]\nurl = "{DOOR}"\n')
    assert main(["run", file]) == 1
    assert "at the gateway lab: gateway config names it (--on and --runtime start simul" in capsys.readouterr().err
    monkeypatch.setenv("GATEWAY_URL", f"{DOOR}/v1/simulators/qulacs")
    assert main(["run", file]) == 1
    assert f"at the gateway {DOOR}/v1/simulators/qulacs: GATEWAY_URL names it" in capsys.readouterr().err
    assert ran == [f"{DOOR}/v1/simulators/cirq", f"{DOOR}/v1/simulators/qulacs"]
    assert main(["run", file, "--runtime", "local"]) == 2
    assert "--on names a simulator, or --at the URL of one" in capsys.readouterr().err


# ---------------------------------------------------------------------- gateway compare, verify


class Gateway:
    """Stands for a client of a gateway: remembers what it is asked for."""

    asked: list[tuple[object, ...]]
    outcome: Comparison

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def compare(self, texts, names, **options):
        self.asked.append((self.url, texts, names, options))
        return self.outcome

    def simulators(self):
        return {each.name: each for each in SIMULATORS.simulators}

    def circuit(self, text, *, drawing):
        estimate = Estimate(simulator="cirq", runs=False, reason="cirq takes no such gate")
        return CircuitInfo(estimates=(Estimate(simulator="qulacs", runs=False), estimate))


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> type[Gateway]:
    Gateway.asked = []
    Gateway.outcome = msgspec.convert(msgspec.to_builtins(records.all_agree()), Comparison)
    monkeypatch.setattr(comparing, "GatewayClient", Gateway)
    return Gateway


@pytest.mark.parametrize(
    ("words", "names"), [(["--at", DOOR], None), (["--at", DOOR, "--on", "cirq,qulacs"], ["cirq", "qulacs"])]
)
def test_a_comparison_at_a_gateway_is_the_gateways(words, names, gateway, file, tmp_path, capsys):
    options = ["--seed", "7", "--resolution", "0.01", "--no-exact", "--time-limit", "10m", "--timeout", "9"]
    record = tmp_path / "r.json"
    assert main(["compare", file, *words, *options, "--save", str(record)]) == 0
    ((url, texts, asked, given),) = gateway.asked
    assert (url, texts, asked) == (DOOR, {"bell.qasm": Path(file).read_text()}, names)
    assert (given["seed"], given["resolution"], given["exact"]) == (7, 0.01, False)
    assert (given["time_limit_s"], given["timeout_s"], given["noise"]) == (600.0, 9.0, None)
    assert capsys.readouterr().out.startswith("= All 6 agree.")
    assert Comparison.load(record).all_agree


def test_what_a_gateway_found_has_the_statuses_of_what_is_found_here(gateway, file, capsys):
    for found, status in ((records.one_differs(), 1), (records.failures(), 2)):
        gateway.outcome = msgspec.convert(msgspec.to_builtins(found), Comparison)
        assert main(["compare", file, "--at", DOOR, "--json"]) == status
        assert json.loads(capsys.readouterr().out)["cases"]


def test_why_simulators_of_a_gateway_took_no_part_is_said_where_none_was_named(gateway, file, capsys):
    found = records.all_agree()
    case = found.cases[0]
    rows = tuple(row for row in case.rows if row.simulator not in {"cirq", "qulacs"})
    found = msgspec.structs.replace(found, cases=(msgspec.structs.replace(case, rows=rows),))
    gateway.outcome = msgspec.convert(msgspec.to_builtins(found), Comparison)
    assert main(["compare", file, "--at", DOOR]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "gateway: left out: cirq takes no such gate",
        "gateway: left out: nobody answers at qulacs:8088",
    ]
    assert main(["compare", file, "--at", DOOR, "--on", "mqt"]) == 0
    assert capsys.readouterr().err == ""


def test_a_gateway_that_goes_away_afterwards_costs_nobody_the_comparison(gateway, file, monkeypatch, capsys):
    def fail(_: Gateway) -> None:
        raise TransportError("cannot reach http://lab:8080")

    monkeypatch.setattr(Gateway, "simulators", fail)
    assert main(["compare", file, "--at", DOOR]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("= All 6 agree.")
    assert shown.err == "gateway: who was left out could not be asked for: cannot reach http://lab:8080\n"


def test_a_comparison_that_names_nothing_goes_to_the_default_gateway(gateway, file, monkeypatch, capsys):
    monkeypatch.setenv("GATEWAY_URL", DOOR)
    assert main(["compare", file]) == 0
    assert f"at the gateway {DOOR}: GATEWAY_URL names it" in capsys.readouterr().err
    assert len(gateway.asked) == 1


def test_resources_are_for_simulators_that_start_here(gateway, file, capsys):
    assert main(["compare", file, "--at", DOOR, "--memory", "1g"]) == 2
    assert "--threads and --memory are for simulators that are started here" in capsys.readouterr().err
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--at", DOOR], ["cirq", "qulacs"]),
        (["--at", DOOR, "--on", "qulacs"], ["qulacs"]),
        (["--at", SERVER], ["qulacs"]),
    ],
)
def test_a_verification_opens_what_is_behind_a_gateway(words, names, monkeypatch, capsys):
    monkeypatch.setattr(BackendClient, "info", info_of)
    opened: list[str] = []

    def verify(backends: dict[str, Backend], **_: object) -> object:
        opened.extend(backends)
        raise RequestError("that is all")

    monkeypatch.setattr("gateway.compare.verify", verify, raising=False)
    assert main(["verify", *words]) == 2
    assert "that is all" in capsys.readouterr().err
    assert opened == names


def info_of(client: BackendClient, **_: object) -> BackendInfo:
    if client.url == DOOR:
        raise RequestError("there is nothing at /v1/backend")
    return BACKEND


# ---------------------------------------------------------------------- gateway list


def test_the_simulators_of_a_gateway_are_listed(capsys):
    assert main(["list", "--at", DOOR]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["simulator", "version", "state", "load"]
    assert lines[1].split() == ["cirq", "0.6", "ready", "1", "running"]
    assert lines[2].split()[:4] == ["qulacs", "\N{EN DASH}", "○", "down"]
    assert lines[3].strip() == "nobody answers at qulacs:8088"
    assert main(["list", "--at", DOOR, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["cirq", "qulacs"]
    assert main(["list", "--at", DOOR, "--abilities"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[0] == "cirq"


def test_a_server_of_one_simulator_is_listed_alone(capsys):
    assert main(["list", "--at", SERVER]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == ["qulacs", "0.6", "ready"]


def test_the_default_gateway_is_listed_unless_this_machine_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(listing, "_state", lambda port: "down")
    monkeypatch.setenv("GATEWAY_URL", DOOR)
    assert main(["list"]) == 0
    found = capsys.readouterr()
    assert "cirq" in found.out
    assert f"these are behind the gateway {DOOR} (--local shows those of this machine)" in found.err
    assert main(["list", "--local"]) == 0
    assert "8088" in capsys.readouterr().out
