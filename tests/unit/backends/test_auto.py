"""What people name is opened under distinct names, all at once, and closed again; whatever fails stops no other."""

from __future__ import annotations

import threading

import pytest

from gateway.backends import auto, runtimes
from gateway.backends.access import Access
from gateway.backends.auto import Unavailable, open_backends
from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.backends.runtimes import Choice
from gateway.circuit import Circuit
from gateway.errors import RequestError, ServerStartError, SimulatorError, TransportError
from gateway.protocol.door import SimulatorInfo, SimulatorList, SimulatorState
from gateway.protocol.messages import BackendInfo
from gateway.results import Capabilities, ResultType

CAPABLE = Capabilities(result_types=(ResultType.COUNTS,))


class Simulated(LocalSimulator):
    """A local simulator that starts no process."""

    opened: list[Simulated]
    failing: dict[str, Exception]
    all_started: threading.Barrier | None = None

    def __init__(self, name: str, **options: object) -> None:
        self.name, self.options, self.is_closed = name, options, False
        self.opened.append(self)

    def start(self) -> BackendInfo:
        if self.all_started is not None:
            self.all_started.wait(timeout=60)
        if self.name in self.failing:
            raise self.failing[self.name]
        return info(self.name)

    def close(self) -> None:
        self.is_closed = True


class Mine(Backend):
    """A backend of somebody's own."""

    def __init__(self, name: str = "mine") -> None:
        self._name = name
        self.is_closed = False

    def send(self, request):
        raise NotImplementedError

    def status(self) -> BackendStatus:
        if not self._name:
            raise TransportError("it does not say")
        return BackendStatus(self._name, "1", online=True)

    def capabilities(self) -> Capabilities:
        return CAPABLE

    def close(self) -> None:
        self.is_closed = True


def info(name: str) -> BackendInfo:
    return BackendInfo(name=name, version="1", gateway_version="1", capabilities=CAPABLE, gates=[], native_gates=[])


@pytest.fixture(autouse=True)
def simulated(monkeypatch: pytest.MonkeyPatch) -> type[Simulated]:
    """Start no processes and no containers, and let every server answer with the name before its domain."""
    Simulated.opened, Simulated.failing = [], {}
    monkeypatch.setattr(runtimes, "LocalSimulator", Simulated)
    monkeypatch.setattr(auto, "choose", lambda wanted, names: Choice("local", f"{wanted} for {','.join(names)}"))

    def answer(client: BackendClient) -> BackendInfo:
        if client.host == "down":
            raise TransportError(f"cannot reach {client.url}", url=client.url)
        return info(client.host.partition(".")[0])

    monkeypatch.setattr(BackendClient, "info", answer)
    return Simulated


@pytest.mark.parametrize(
    "backends", ["qulacs,cirq", " qulacs , cirq ,", ["qulacs", "cirq"], ["qulacs,cirq"], ("qulacs", "cirq")]
)
def test_names_are_given_as_a_text_or_as_a_list(backends):
    with open_backends(backends) as opened:
        assert list(opened) == ["qulacs", "cirq"]


def test_simulators_get_the_options_and_are_closed_at_the_end(simulated):
    with open_backends("qulacs", timeout_s=3, threads=2, memory="1g") as opened:
        assert opened["qulacs"].options == {"timeout_s": 3, "threads": 2, "memory": "1g"}
    assert [simulator.is_closed for simulator in simulated.opened] == [True]


def test_they_are_closed_after_an_error_too(simulated):
    with pytest.raises(ZeroDivisionError, match="division"), open_backends("qulacs,cirq"):
        1 / 0  # noqa: B018 - it raises
    assert [simulator.is_closed for simulator in simulated.opened] == [True, True]


def test_they_start_at_the_same_time(simulated, monkeypatch):
    monkeypatch.setattr(simulated, "all_started", threading.Barrier(3))
    with open_backends("qulacs,cirq,mqt") as opened:
        assert len(opened) == 3


def test_servers_have_the_names_that_they_give_of_themselves():
    with open_backends(["http://qulacs.lab:8088", "https://cirq.lab", "[::1]:8090"]) as opened:
        assert list(opened) == ["qulacs", "cirq", "::1"]
        assert [backend.url for backend in opened.values()] == [
            "http://qulacs.lab:8088",
            "https://cirq.lab:443",
            "http://[::1]:8090",
        ]


@pytest.mark.parametrize(
    ("backends", "names"),
    [
        ("qulacs,qulacs.lab:8088", ["qulacs", "qulacs@qulacs.lab:8088"]),
        ("qulacs.lab:8088,qulacs", ["qulacs@qulacs.lab:8088", "qulacs"]),
        ("qulacs.a:1,qulacs.b:1", ["qulacs@qulacs.a:1", "qulacs@qulacs.b:1"]),
        ("qulacs.a:1,qulacs.a:2", ["qulacs@qulacs.a:1", "qulacs@qulacs.a:2"]),
    ],
)
def test_who_has_the_name_of_another_has_its_place_too(backends, names):
    with open_backends(backends) as opened:
        assert list(opened) == names


def test_ones_own_backends_stay_open_and_names_are_not_asked_for_where_there_are_some():
    mine = Mine("")
    with open_backends({"mine": mine, "theirs": "qulacs", "lab": "http://qulacs.lab:8088"}) as opened:
        assert list(opened) == ["mine", "theirs", "lab"]
        assert opened["mine"] is mine
        assert opened["theirs"].name == "qulacs"
        assert opened["lab"].url == "http://qulacs.lab:8088"
    assert not mine.is_closed


def test_ones_own_backends_in_a_list_are_asked_for_their_names():
    lab = BackendClient("qulacs.lab", 8088)
    with open_backends([Mine(), Mine(), "qulacs", lab]) as opened:
        assert list(opened) == ["mine", "mine 2", "qulacs", "qulacs@qulacs.lab:8088"]


def test_one_backend_is_a_list_of_one_and_one_that_says_no_name_has_that_of_its_class():
    mine = Mine("")
    with open_backends(mine) as opened:
        assert opened == {"Mine": mine}


def test_a_name_of_a_list_never_takes_one_that_is_fixed():
    with open_backends([Mine("qulacs"), "qulacs"]) as opened:
        assert list(opened) == ["qulacs 2", "qulacs"]


def test_whoever_cannot_be_opened_stops_no_other_and_raises_why_at_every_call(simulated):
    simulated.failing["cirq"] = ServerStartError("it does not come up", exit_code=3)
    with open_backends("qulacs,cirq,down:8088") as opened:
        assert list(opened) == ["qulacs", "cirq", "down:8088"]
        calls = ("status", "capabilities")
        for call in calls:
            with pytest.raises(ServerStartError, match="it does not come up") as caught:
                getattr(opened["cirq"], call)()
            assert caught.value.exit_code == 3
        bell = Circuit(1).h(0).measure_all()
        for call in (lambda backend: backend.run(bell), lambda backend: backend.run_async(bell)):
            with pytest.raises(TransportError, match="cannot reach http://down:8088"):
                call(opened["down:8088"])
        with pytest.raises(TransportError, match="cannot reach"):
            opened["down:8088"].job("1")
    assert isinstance(opened["cirq"], Unavailable)
    assert simulated.opened[1].is_closed


def test_the_runtime_is_said_once_before_anything_starts():
    said: list[Choice] = []
    with open_backends("qulacs,http://lab:8088", runtime="docker", on_choice=said.append):
        assert said == [Choice("local", "docker for qulacs")]


def test_servers_alone_need_no_runtime():
    said: list[Choice] = []
    with open_backends("http://lab:8088", on_choice=said.append):
        assert said == []


@pytest.mark.parametrize(
    ("backends", "message"),
    [
        ("", "there is no backend"),
        ([], "there is no backend"),
        ({}, "there is no backend"),
        (",", "there is no backend"),
        ("qulac", "did you mean 'qulacs'"),
        (["cirq", "qulac"], "did you mean 'qulacs'"),
        ("http://lab:x", "no address of a server"),
        ("qulacs,qulacs", "qulacs is given twice"),
        ("http://lab:8088,lab:8088", "lab:8088 is given twice"),
        (3, "backends are names of simulators"),
        (None, "backends are names of simulators"),
        ([3], "backends are names of simulators"),
        ({"a": 3}, "backends are names of simulators"),
        ({3: "qulacs"}, "a backend is known by a name, not by 3"),
        ({" ": "qulacs"}, "a backend is known by a name"),
        ({"a": "qulacs,cirq"}, "'a' is the name of one backend"),
        ({"a": ""}, "'a' is the name of one backend"),
    ],
)
def test_what_cannot_be_opened_is_refused_before_anything_starts(backends, message, simulated):
    with pytest.raises(RequestError, match=message), open_backends(backends):
        pass
    assert simulated.opened == []


def test_the_same_backend_twice_is_refused():
    mine = Mine()
    with pytest.raises(RequestError, match="given twice"), open_backends([mine, mine]):
        pass


def test_in_a_mapping_the_same_may_have_two_names():
    with open_backends({"one": "qulacs", "two": "qulacs"}) as opened:
        assert list(opened) == ["one", "two"]


def test_threads_are_for_simulators_that_are_started():
    with pytest.raises(RequestError, match="for simulators that are started here"), open_backends("lab:1", threads=2):
        pass


def test_an_offer_that_is_broken_is_refused(monkeypatch):
    def broken(name: str) -> None:
        raise SimulatorError("it cannot be used", simulator=name)

    monkeypatch.setattr(auto, "find", broken)
    with pytest.raises(SimulatorError, match="cannot be used"), open_backends("theirs"):
        pass


def test_an_address_is_said_where_the_server_gives_no_name():
    with open_backends("https://down") as opened:
        assert list(opened) == ["down:443"]


# ---------------------------------------------------------------------- gateways


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let ``door`` be the host of a gateway, and return the names of the simulators behind it."""
    names = ["cirq", "qulacs"]

    def answer(client: BackendClient) -> BackendInfo:
        if client.url == "http://door:8080":
            raise RequestError("there is nothing at /v1/backend")
        return info(client.url.rpartition("/")[2])

    def behind(access: Access) -> SimulatorList | None:
        simulators = tuple(SimulatorInfo(name=name, state=SimulatorState.DOWN) for name in names)
        return SimulatorList(simulators=simulators) if access.address.host == "door" else None

    monkeypatch.setattr(BackendClient, "info", answer)
    monkeypatch.setattr(auto, "simulators_behind", behind)
    return names


def test_a_gateway_opens_all_its_simulators_under_their_names(gateway):
    with open_backends("http://door:8080", timeout_s=3) as opened:
        assert {name: client.url for name, client in opened.items()} == {
            name: f"http://door:8080/v1/simulators/{name}" for name in gateway
        }
        assert all(client.timeout_s == 3 for client in opened.values())


def test_a_simulator_behind_a_gateway_has_its_place_where_another_has_its_name(gateway):
    with open_backends(["qulacs", "http://door:8080"]) as opened:
        assert list(opened) == ["qulacs", "cirq", "qulacs@door:8080/v1/simulators/qulacs"]


def test_a_gateway_is_no_single_backend(gateway):
    message = "'mine' is the name of one backend, and http://door:8080 is a gateway with 2: .*/v1/simulators/cirq"
    with pytest.raises(RequestError, match=message), open_backends({"mine": "http://door:8080"}):
        pass
    gateway.pop()
    with open_backends({"mine": "http://door:8080"}) as opened:
        assert list(opened) == ["mine"]
    gateway.pop()
    with (
        pytest.raises(RequestError, match="http://door:8080 is a gateway without simulators"),
        open_backends("http://door:8080"),
    ):
        pass


def test_what_is_neither_raises_what_it_answered(monkeypatch, gateway):
    def refuse(_: BackendClient) -> BackendInfo:
        raise RequestError("there is nothing at /v1/backend")

    monkeypatch.setattr(BackendClient, "info", refuse)
    with open_backends("http://lab:8080") as opened, pytest.raises(RequestError, match="there is nothing at"):
        opened["lab:8080"].status()
