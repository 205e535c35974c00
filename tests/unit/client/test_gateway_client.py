"""The client of a gateway against one that answers from a script: no port is opened."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import requests
from support.circuits import bell
from support.directory import counting
from support.records import all_agree
from support.scripted_gateway import (
    CANCEL,
    COMPARE,
    COMPARISON,
    EVENTS,
    RECORD,
    Script,
    Stream,
    event,
    fields_of,
    info,
)

import gateway as package
from gateway.backends import patience, transport
from gateway.client.gateway_client import GatewayClient
from gateway.compare.comparison import Comparison
from gateway.compare.progress import Event, Progress, Stage
from gateway.errors import (
    BusyError,
    CircuitError,
    JobCancelled,
    JobNotFound,
    JobTimeout,
    OutOfMemory,
    RequestError,
    SimulatorNotFound,
    TransportError,
)
from gateway.noise import NoiseModel
from gateway.protocol import problem
from gateway.protocol.door import (
    CircuitInfo,
    ComparisonList,
    ComparisonProgress,
    ComparisonState,
    DoorInfo,
    Load,
    SimulatorInfo,
    SimulatorList,
    SimulatorProgress,
    SimulatorState,
)
from gateway.protocol.messages import Problem

TEXT = bell().to_openqasm3()
ABC = "abc"
FOUND = (200, msgspec.json.encode(all_agree()))
FINISHED = info("finished", has_record=True)
BACKEND = counting()
SIMULATORS = SimulatorList(
    simulators=(
        SimulatorInfo(name="qulacs", state=SimulatorState.READY, load=Load(running=2, waiting=1), backend=BACKEND),
        SimulatorInfo(name="mqt", state=SimulatorState.DOWN, reason="nobody answers at mqt:8090"),
    )
)


class Seen(Progress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.began: tuple[object, object] | None = None
        self.events: list[Event] = []
        self.sentences: list[str] = []
        self.is_finished = False

    def start(self, simulators, circuits):
        self.began = (tuple(simulators), tuple(circuits))

    def update(self, event):
        self.events.append(event)

    def sentence(self, text):
        self.sentences.append(text)

    def finish(self):
        self.is_finished = True


def test_a_client_loads_none_of_the_statistics():
    program = (
        "import sys, gateway; gateway.GatewayClient; print(*sorted({'flask', 'scipy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "\n"


# ---------------------------------------------------------------------- where it is


@pytest.mark.usefixtures("gateway")
@pytest.mark.parametrize(
    ("url", "variable", "default", "expected"),
    [
        (None, None, "", "http://127.0.0.1:8080"),
        (None, "https://lab/q", 'default = "a"\n', "https://lab:443/q"),
        (None, "a", "", "https://a:443"),
        (None, None, 'default = "a"\n', "https://a:443"),
        ("a", "https://lab", "", "https://a:443"),
        ("http://b:1", "https://lab", 'default = "a"\n', "http://b:1"),
    ],
)
def test_the_gateway_is_the_one_that_is_named(url, variable, default, expected, tmp_path, monkeypatch):
    config = tmp_path / "simulator-gateway" / "config.toml"
    config.parent.mkdir()
    config.write_text(f'{default}[gateways.a]\nurl = "https://a"\n')
    config.chmod(0o600)
    if variable is not None:
        monkeypatch.setenv("GATEWAY_URL", variable)
    with package.GatewayClient(url) as client:
        assert client.url == expected
        assert repr(client) == f"GatewayClient({expected!r})"


def test_a_token_is_sent_by_the_client_and_by_its_backends(script: Script):
    session = requests.Session()
    session.mount("http://", script)
    script.on("GET /v1/door", DoorInfo(version="1", name="ada"))
    script.on("GET /v1/simulators", SIMULATORS)
    script.on("GET /v1/simulators/qulacs/v1/backend", BACKEND)
    client = GatewayClient("http://127.0.0.1:8080", token=ABC, session=session)
    assert client.info().name == "ada"
    assert client.simulator("qulacs").status().name == "qulacs"
    assert {sent.headers["Authorization"] for sent in script.sent} == {"Bearer abc"}


# ---------------------------------------------------------------------- simulators and circuits


def test_simulators_are_a_mapping_that_shows_itself(gateway, script):
    script.on("GET /v1/simulators", SIMULATORS)
    found = gateway.simulators()
    assert list(found) == ["qulacs", "mqt"]
    assert found["mqt"].state is SimulatorState.DOWN
    lines = repr(found).splitlines()
    assert lines[0].split()[:4] == ["simulator", "version", "state", "load"]
    assert lines[1].split()[:7] == ["qulacs", "0.6", "ready", "2", "running,", "1", "waiting"]
    assert lines[-1] == "mqt: nobody answers at mqt:8090"
    shown = found._repr_html_()
    assert "2 simulators" in shown
    assert "1 ready" in shown
    assert "○ down" in shown


def test_a_simulator_is_a_backend_at_its_path(gateway, script):
    script.on("GET /v1/simulators", SIMULATORS)
    assert gateway.simulator("mqt").url == "http://lab:8080/v1/simulators/mqt"


def test_an_unknown_simulator_is_refused_with_the_closest(gateway, script):
    script.on("GET /v1/simulators", SIMULATORS)
    with pytest.raises(SimulatorNotFound, match="http://lab:8080 has no simulator 'qulas': did you mean 'qulacs'"):
        gateway.simulator("qulas")


def test_a_circuit_is_described(gateway, script, tmp_path):
    script.on("POST /v1/circuits", CircuitInfo(num_qubits=2))
    (tmp_path / "a.qasm").write_text("no OpenQASM")
    for circuit, text in ((bell(), TEXT), (tmp_path / "a.qasm", "no OpenQASM"), ("nor this", "nor this")):
        assert gateway.circuit(circuit, shots=None, resolution=0.1).num_qubits == 2
        asked = {"openqasm": text, "shots": None, "resolution": 0.1, "drawing": True}
        assert asked.items() <= fields_of(script.sent[-1]).items()


# ---------------------------------------------------------------------- a comparison


def test_a_comparison_is_asked_for_watched_and_fetched(gateway, script):
    script.on(COMPARE, info())
    script.on(EVENTS, Stream(b"retry: 1000\n\n: \n\n", event(1, info("running")), event(2, FINISHED)))
    script.on(RECORD, FOUND)
    found = gateway.compare({"bell": bell()}, ["qulacs", "cirq"], progress=None, shots=100, seed=7)
    assert found.verdict == Comparison.from_json(FOUND[1], "").verdict
    assert fields_of(script.asked(COMPARE)[0]) == {
        "circuits": [{"name": "bell", "openqasm": TEXT}],
        "simulators": ["qulacs", "cirq"],
        "shots": 100,
        "seed": 7,
    }


def test_every_argument_of_a_comparison_travels(gateway, script, tmp_path):
    script.on(COMPARE, info())
    (tmp_path / "a.qasm").write_text(TEXT)
    job = gateway.submit(
        [tmp_path / "a.qasm", TEXT],
        "qulacs, cirq",
        resolution=0.01,
        repeat=3,
        false_alarm_rate=1e-3,
        exact=False,
        side_by_side=True,
        sampling="native",
        noise=NoiseModel().depolarizing(0.1),
        timeout_s=5.0,
        time_limit_s=60.0,
        reproduce=False,
    )
    assert (job.id, repr(job)) == ("abc", "<comparison abc queued at http://lab:8080>")
    sent = fields_of(script.sent[0])
    assert [each["name"] for each in sent.pop("circuits")] == ["a.qasm", "circuit 2"]
    assert sent.pop("noise")
    assert sent == {
        "simulators": ["qulacs", "cirq"],
        "resolution": 0.01,
        "repeat": 3,
        "false_alarm_rate": 1e-3,
        "exact": False,
        "side_by_side": True,
        "sampling": "native",
        "timeout_s": 5.0,
        "time_limit_s": 60.0,
        "reproduce": False,
    }


@pytest.mark.parametrize(
    ("circuits", "simulators", "options", "error", "message"),
    [
        ([], None, {}, RequestError, "there is no circuit to compare"),
        ("no OpenQASM", None, {}, CircuitError, "line 1"),
        (TEXT, None, {"shots": 0}, RequestError, "shots must be a whole number from 1 on, not 0"),
        (TEXT, None, {"shots": 1, "resolution": 0.1}, RequestError, "give shots, or a resolution"),
        (TEXT, None, {"seed": "a"}, RequestError, "seed must be a whole number"),
        (TEXT, None, {"noise": 7}, RequestError, "noise is a NoiseModel, not 7"),
        (TEXT, None, {"sampling": "some"}, RequestError, "sampling must be 'auto' or 'native', not the text 'some'"),
        (TEXT, None, {"exact": object()}, RequestError, "an argument has a value that no message holds"),
        (TEXT, [], {}, RequestError, "there is no simulator: name one"),
        (TEXT, " ,", {}, RequestError, "there is no simulator: name one"),
        (TEXT, [7], {}, RequestError, r"simulators are given by their names, not as \[7\]"),
        (TEXT, 7, {}, RequestError, "simulators are given by their names, not as 7"),
        (TEXT, "a", {"progress": "loud"}, RequestError, "progress must be 'auto', None or a Progress"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent(
    circuits, simulators, options, error, message, gateway, script
):
    with pytest.raises(error, match=message):
        gateway.compare(circuits, simulators, **options)
    assert script.sent == []


def test_the_time_of_a_run_is_that_of_the_client_unless_another_is_given(gateway, script):
    script.on(COMPARE, info())
    gateway.timeout_s = 9.0
    gateway.submit(TEXT)
    gateway.submit(TEXT, timeout_s=3.0)
    assert [fields_of(sent)["timeout_s"] for sent in script.sent] == [9.0, 3.0]


def test_a_request_whose_connection_breaks_is_sent_again_under_the_same_key(gateway, script, monkeypatch):
    monkeypatch.setattr(patience, "_PAUSES_S", (0.0,))
    script.on(COMPARE, requests.ConnectionError("reset"), info())
    gateway.submit(TEXT)
    first, second = script.sent
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body
    gateway.submit(TEXT)
    assert script.sent[2].headers["Idempotency-Key"] != first.headers["Idempotency-Key"]


# ---------------------------------------------------------------------- its progress


def line(simulator: str, stage: str, share: float | None = None, seconds: float = 0.0) -> SimulatorProgress:
    return SimulatorProgress(simulator=simulator, stage=stage, share=share, seconds=seconds)


def test_the_progress_is_told_as_that_of_a_comparison_that_runs_here(gateway, script):
    first = ComparisonProgress(lines=(line("cirq", "running", 0.5, 1.0), line("qulacs", "queued")))
    second = ComparisonProgress(
        lines=(line("cirq", "finished", 1.0, 2.0), line("qulacs", "queued")), sentence="none differs so far"
    )
    third = msgspec.structs.replace(second, stage="comparing")
    states = [info("running", progress=each) for each in (first, first, second, third)]
    script.on(COMPARE, info(before=2))
    script.on(EVENTS, Stream(*(event(n, each) for n, each in enumerate([*states, FINISHED]))))
    script.on(RECORD, FOUND)
    seen = Seen()
    gateway.compare(TEXT, progress=seen)
    assert seen.began == (("cirq", "qulacs"), ("",))
    assert seen.is_finished
    assert seen.events == [
        Event(simulator="cirq", stage=Stage.RUNNING, done=500, total=1000, seconds=1.0),
        Event(simulator="qulacs", stage=Stage.QUEUED),
        Event(simulator="cirq", stage=Stage.FINISHED, done=1000, total=1000, seconds=2.0),
        Event(stage=Stage.COMPARING),
    ]
    assert seen.sentences == ["2 comparisons before this one", "", "none differs so far", "none differs so far", ""]


def test_a_stage_of_a_later_version_is_a_stage_of_running(gateway, script):
    script.on(COMPARE, info("running", progress=ComparisonProgress(lines=(line("cirq", "levitating"),), stage="new")))
    script.on(EVENTS, Stream(event(1, FINISHED)))
    script.on(RECORD, FOUND)
    seen = Seen()
    gateway.compare(TEXT, progress=seen)
    assert seen.events == [Event(simulator="cirq", stage=Stage.RUNNING)]


def test_a_stream_that_breaks_off_is_resumed_after_its_last_event(gateway, script):
    broken = Stream(event(41, info("running")), requests.exceptions.ChunkedEncodingError("cut off"))
    silent = Stream(event(42, info("running")))
    script.on(EVENTS, broken, requests.ConnectionError("refused"), silent, Stream(event(43, FINISHED)))
    script.on(COMPARISON, info())
    assert gateway.comparison("abc").wait().state is ComparisonState.FINISHED
    asked = script.asked(EVENTS)
    assert [sent.headers.get("Last-Event-ID") for sent in asked] == [None, "41", "41", "42"]
    assert {sent.headers["Accept"] for sent in asked} == {"text/event-stream"}
    assert broken.is_closed


@pytest.mark.parametrize(
    "refusal",
    [
        (503, problem.dump(BusyError("as many streams are open as may"))),
        (404, b"<html>no such page</html>"),
        (200, b"<html>log in</html>"),
        requests.ReadTimeout("silent"),
        Stream(requests.ConnectionError(requests.packages.urllib3.exceptions.ReadTimeoutError(None, "", "silent"))),
        Stream(b"data: no event\n\n"),
        Stream(b"x" * 2000),
        Stream(b""),
    ],
    ids=["busy", "missing", "page", "timeout", "silent", "nonsense", "endless", "empty"],
)
def test_where_no_stream_comes_through_the_gateway_is_asked(refusal, gateway, script, monkeypatch):
    monkeypatch.setattr(transport, "_LONGEST_LINE", 1000)
    script.on(EVENTS, refusal)
    script.on(COMPARISON, info("queued"), info("running"), FINISHED)
    assert gateway.comparison("abc").wait().state is ComparisonState.FINISHED
    assert len(script.asked(EVENTS)) == 1
    assert [sent.path_url.partition("?")[2] for sent in script.asked(COMPARISON)] == ["", "wait_s=1", "wait_s=1"]


def test_a_comparison_that_is_gone_is_said(gateway, script):
    script.on(COMPARISON, info())
    script.on(EVENTS, (404, problem.dump(JobNotFound("there is no comparison 'abc'", job="abc"))))
    with pytest.raises(JobNotFound, match="there is no comparison 'abc'"):
        gateway.comparison("abc").wait()


def test_patience_with_a_gateway_that_is_away_ends(gateway, script, monkeypatch):
    clock = itertools.count(0.0, 20.0)
    monkeypatch.setattr("gateway.client.watching.time.monotonic", lambda: next(clock))
    script.on(COMPARISON, info())
    script.on(EVENTS, requests.ConnectionError("refused"))
    with pytest.raises(TransportError, match=r"cannot reach http://lab:8080.*; the comparison goes on there, as abc$"):
        gateway.comparison("abc").wait()


def test_a_wait_ends_when_it_should_and_the_comparison_goes_on(gateway, script):
    script.on(COMPARISON, info())
    script.on(EVENTS, Stream(event(1, info("running"))))
    job = gateway.comparison("abc")
    with pytest.raises(JobTimeout, match=r"no end after 0 s; the comparison goes on, as abc$") as caught:
        job.result(0)
    assert caught.value.timeout_s == 0
    assert job.status() is ComparisonState.QUEUED
    script.on(EVENTS, requests.ConnectionError("refused"))
    with pytest.raises(JobTimeout, match=r"goes on, as abc, as far as is known \(cannot reach http://lab:8080"):
        job.wait(0)


# ---------------------------------------------------------------------- its end


def test_ctrl_c_cancels_it_and_what_has_finished_is_returned(gateway, script):
    script.on(COMPARE, info())
    script.on(
        EVENTS,
        Stream(event(1, info("running")), KeyboardInterrupt()),
        Stream(event(2, info("cancelled", has_record=True))),
    )
    script.on(CANCEL, info("running", cancelled_by="ada"))
    script.on(RECORD, FOUND)
    seen = Seen()
    assert gateway.compare(TEXT, progress=seen).all_agree
    assert len(script.asked(CANCEL)) == 1
    assert seen.is_finished


def test_ctrl_c_before_anything_has_finished_is_raised(gateway, script):
    script.on(COMPARE, info())
    script.on(EVENTS, Stream(KeyboardInterrupt()))
    script.on(CANCEL, info("cancelled"))
    with pytest.raises(KeyboardInterrupt):
        gateway.compare(TEXT, progress=None)
    assert len(script.asked(CANCEL)) == 1


def test_one_that_failed_raises_its_error(gateway, script):
    error = Problem(type="", title="", status=507, detail="memory ran out", code="out-of-memory")
    script.on(COMPARISON, info("failed", error=error))
    for ask in (gateway.comparison("abc").result, gateway.comparison("abc").record):
        with pytest.raises(OutOfMemory, match="memory ran out"):
            ask()


def test_one_that_was_cancelled_says_by_whom_and_gives_what_had_finished(gateway, script):
    script.on(COMPARISON, info("cancelled", cancelled_by="ada", has_record=True))
    script.on(RECORD, FOUND)
    job = gateway.comparison("abc")
    with pytest.raises(JobCancelled, match=r"the comparison was cancelled by ada; record\(\) has what had finished"):
        job.result()
    assert job.record().all_agree


@pytest.mark.parametrize(("state", "is_cancelled"), [("cancelled", True), ("running", True), ("finished", False)])
def test_cancelling_says_whether_it_is_cancelled(state, is_cancelled, gateway, script):
    script.on(COMPARISON, info())
    script.on(CANCEL, info(state))
    assert gateway.comparison("abc").cancel() is is_cancelled


@pytest.mark.parametrize("content", [b"{}", b"", b'{"format": 999}', b"<html></html>"])
def test_a_record_that_is_none_is_said(content, gateway, script):
    script.on(COMPARISON, FINISHED)
    script.on(RECORD, (200, content))
    with pytest.raises(TransportError, match="http://lab:8080/v1/comparisons/abc/record"):
        gateway.comparison("abc").result()


@pytest.mark.parametrize("comparison_id", ["", ".", "..", "a/b"])
def test_what_is_no_id_is_not_asked_for(comparison_id, gateway, script):
    with pytest.raises(JobNotFound, match="there is no comparison"):
        gateway.comparison(comparison_id)
    assert script.sent == []


# ---------------------------------------------------------------------- past comparisons


def test_past_comparisons_are_listed_page_by_page(gateway, script):
    pages = [
        ComparisonList(comparisons=(FINISHED,) * 2, next="two", total=5),
        ComparisonList(comparisons=(FINISHED,) * 2, total=5),
    ]
    script.on("GET /v1/comparisons", *pages)
    found = gateway.comparisons(show="mine", search="bell")
    assert (len(found), found.total, found[0].id, len(found[1:])) == (4, 5, "abc", 3)
    assert [sent.path_url.partition("?")[2] for sent in script.sent] == [
        "show=mine&search=bell&limit=50",
        "show=mine&search=bell&before=two&limit=48",
    ]
    script.on("GET /v1/comparisons", *pages)
    assert len(gateway.comparisons(limit=1)) == 1


def test_past_comparisons_show_themselves(gateway, script):
    done = info("finished", verdict="Both agree.", standing="agrees", by="ada")
    script.on("GET /v1/comparisons", ComparisonList(comparisons=(done, info("running")), total=7))
    found = gateway.comparisons()
    head, first, second = repr(found).splitlines()
    assert head.split() == ["id", "created", "circuits", "simulators", "verdict", "by"]
    assert "2026-12-01 09:30  bell.qasm  cirq and qulacs  = Both agree.  ada" in first
    assert second.endswith("running")
    assert "2 comparisons" in found._repr_html_()
    assert "of 7" in found._repr_html_()


def test_no_comparison_is_no_table(gateway, script):
    script.on("GET /v1/comparisons", ComparisonList())
    assert repr(gateway.comparisons()) == "no comparison"
    assert "0 comparisons" in gateway.comparisons()._repr_html_()


def test_files_are_read_here(gateway, script):
    with pytest.raises(RequestError, match="cannot read the circuit file /none"):
        gateway.submit(Path("/none"))
