from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import msgspec
import pytest
from support.altered import InProcess, with_angle, without

from gateway.circuit import Circuit, parse
from gateway.compare.exact import distribution
from gateway.compare.hunting import participants
from gateway.compare.hunting.differences import Kind
from gateway.compare.hunting.generator import random_circuit
from gateway.compare.hunting.hunt import hunt
from gateway.compare.hunting.report import HuntReport
from gateway.errors import (
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    SimulatorNotInstalled,
    TransportError,
    UnsupportedError,
)
from gateway.results import CLIFFORD, ResultType

hunt = partial(hunt, seed=1, progress=None, minutes=5.0)

NEGATED = with_angle("rz", lambda angle: -angle)
COUNTS = {"result_types": (ResultType.COUNTS,)}


class Failing(InProcess):
    """Raises an error where it is told to."""

    def __init__(self, raises, error: BaseException, **options) -> None:
        super().__init__(**options)
        self._raises, self._error = raises, error

    def send(self, request):
        if any(self._raises(circuit) for circuit in request.circuit_list()):
            raise self._error
        return super().send(request)


class Mortal(InProcess):
    """Ends after some requests; answers again when it was asked for its status some times."""

    def __init__(self, lives: int, refusals: int = 0) -> None:
        super().__init__()
        self.lives, self.refusals, self.starts = lives, refusals, 0

    def send(self, request):
        self.lives -= 1
        if self.lives < 0:
            raise TransportError("it ended")
        return super().send(request)

    def status(self):
        self.starts += 1
        if self.lives < 0:
            if self.refusals:
                self.refusals -= 1
                raise TransportError("still down")
            self.lives = 10**9
        return super().status()


class Absent(InProcess):
    """A simulator whose framework is not on this machine."""

    def status(self):
        raise SimulatorNotInstalled("its framework is not installed", simulator="absent", requirement="absent==1")


def has(name: str):
    return lambda circuit: any(op.name == name for op in circuit.operations)


# ---------------------------------------------------------------------------- who differs


def test_nothing_is_found_among_right_simulators():
    report = hunt({"a": InProcess(), "b": InProcess(**COUNTS), "clifford": InProcess(gates=CLIFFORD)}, circuits=60)
    assert report.findings == ()
    assert report.exit_status == 0
    assert report.circuits == 60
    assert "3 simulators: nothing was found" in report.verdict
    assert report.simulators["a"].circuits == 60
    assert report.simulators["clifford"].not_taken > 20


def test_a_wrong_gate_is_found_reduced_and_named():
    report = hunt({"right": InProcess(), "wrong": InProcess(NEGATED)}, circuits=60)
    (finding,) = report.findings
    assert (finding.simulator, finding.culprits) == ("wrong", ("rz",))
    assert finding.circuits > 3
    assert len(finding.seeds) == len(finding.examples) == min(finding.circuits, 20)
    assert random_circuit(finding.seeds[0])[0] in finding.examples[0]
    assert finding.cause == "angle-negated:rz"
    assert "rz(" in finding.reproducer.openqasm
    assert finding.reproducer.minimal
    assert finding.reproducer.versions["wrong"]
    assert finding.reproducer.expected
    assert finding.reproducer.counts["wrong"]
    assert finding.reproducer.operations <= 5
    assert report.exit_status == 1
    assert "1 finding, in wrong" in report.verdict


def test_two_faults_of_one_simulator_are_two_findings():
    def alter(operation):
        return [last for other in NEGATED(operation) for last in without("cz")(other)]

    report = hunt({"wrong": InProcess(alter)}, circuits=60)
    assert {finding.culprits for finding in report.findings} == {("rz",), ("cz",)}


def test_one_simulator_alone_is_held_to_our_own():
    (finding,) = hunt({"wrong": InProcess(without("reset"))}, circuits=60).findings
    assert finding.simulator == "wrong"
    assert "reset" in finding.reproducer.openqasm


def test_a_simulator_without_exact_results_is_found_by_samples_that_are_drawn_again():
    report = hunt({"wrong": InProcess(with_angle("ry", lambda angle: angle / 2), **COUNTS)}, circuits=50)
    assert {finding.culprits for finding in report.findings} == {("ry",)}
    assert {finding.kind for finding in report.findings} == {Kind.COUNTS}
    assert report.confirmations >= 1


def test_a_global_phase_that_no_outcome_shows_is_found_too():
    (finding,) = hunt({"wrong": InProcess(without("gphase"))}, circuits=150).findings
    assert (finding.kind, finding.culprits) == (Kind.STATE, ())
    assert "global phase" in finding.detail
    assert "gphase" in finding.reproducer.openqasm


def test_ignored_conditions_are_one_finding():
    ignoring = InProcess(lambda operation: [msgspec.structs.replace(operation, condition=())])
    (finding,) = hunt({"wrong": ignoring}, circuits=60).findings
    assert "if (" in finding.reproducer.openqasm
    assert finding.circuits > 3


# ---------------------------------------------------------------------------- errors


def test_an_error_where_others_succeed_is_found_once():
    crash = SimulatorError("failed at operation 17: 0x7ffe")
    report = hunt({"a": InProcess(), "b": Failing(has("swap"), crash)}, circuits=60)
    (finding,) = report.findings
    assert (finding.simulator, finding.kind, finding.cause) == ("b", Kind.ERROR, "SimulatorError")
    names = [op.name for op in parse(finding.reproducer.openqasm).operations]
    assert [name for name in names if name != "measure"] == ["swap"]
    assert finding.circuits > 3


def test_an_error_of_another_kind_than_ours_is_found_too():
    (finding,) = hunt({"b": Failing(has("swap"), ZeroDivisionError("by zero"))}, circuits=50).findings
    assert finding.cause == "SimulatorError"
    assert "ZeroDivisionError: by zero" in finding.detail


def test_a_refusal_of_what_is_declared_is_a_finding_and_one_of_the_rest_is_none():
    refusing = Failing(has("ccx"), UnsupportedError("no ccx"))
    (finding,) = hunt({"a": refusing, "b": InProcess(gates=CLIFFORD)}, circuits=60).findings
    assert (finding.simulator, finding.cause) == ("a", "UnsupportedError")


def test_a_wrong_number_of_shots_is_found():
    class Short(InProcess):
        def send(self, request):
            shots = None if request.shots is None else request.shots - 1
            return super().send(msgspec.structs.replace(request, shots=shots))

    (finding,) = hunt({"short": Short(**COUNTS)}, circuits=20).findings
    assert "999 outcomes for 1000 shots" in finding.detail


# ---------------------------------------------------------------------------- the end, and ends of backends


def test_ctrl_c_keeps_everything_that_was_found(tmp_path: Path):
    class Interrupting(InProcess):
        runs = 0

        def send(self, request):
            self.runs += 1
            if self.runs == 150:
                raise KeyboardInterrupt
            return super().send(request)

    path = tmp_path / "report.json"
    report = hunt({"wrong": InProcess(NEGATED), "b": Interrupting()}, save=path)
    assert report.interrupted
    assert report.findings[0].culprits == ("rz",)
    assert HuntReport.load(path) == report


def test_ctrl_c_during_a_reduction_keeps_the_finding_as_it_is(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gateway.compare.hunting.hunt.reduced", interrupted)
    report = hunt({"wrong": InProcess(NEGATED)}, circuits=60)
    assert report.interrupted
    (finding,) = report.findings
    assert not finding.reproducer.minimal
    assert finding.reproducer.openqasm == finding.openqasm


def test_the_hunt_ends_when_its_time_is_over():
    report = hunt({"a": InProcess()}, minutes=1e-9)
    assert (report.circuits, report.interrupted) == (0, False)


def test_a_backend_that_ends_is_started_again_and_nothing_is_missed():
    report = hunt({"a": InProcess(), "mortal": Mortal(lives=30)}, circuits=50)
    assert report.findings == ()
    assert report.simulators["mortal"].restarts == 1
    assert report.simulators["mortal"].circuits == 50


def test_a_backend_that_does_not_come_back_is_left_out_and_the_others_go_on():
    report = hunt({"a": InProcess(), "mortal": Mortal(lives=30, refusals=10**9)}, circuits=50)
    assert report.simulators["a"].circuits == 50
    assert 5 < report.simulators["mortal"].circuits < 40
    assert "still down" in report.simulators["mortal"].note


def test_a_lost_backend_takes_part_again_when_it_answers(monkeypatch):
    monkeypatch.setattr(participants, "REVIVAL_S", 0.0)
    report = hunt({"a": InProcess(), "mortal": Mortal(lives=30, refusals=3)}, circuits=60)
    assert report.simulators["mortal"].circuits > 40
    assert report.simulators["mortal"].note == ""


def test_a_circuit_that_ends_a_backend_each_time_is_a_finding():
    report = hunt({"a": InProcess(), "b": Failing(has("iswap"), TransportError("it ended"))}, circuits=60)
    (finding,) = report.findings
    assert (finding.simulator, finding.cause) == ("b", "TransportError")


def test_a_simulator_that_is_not_installed_ends_the_hunt_at_once():
    with pytest.raises(SimulatorNotInstalled, match="is not installed"):
        hunt({"here": InProcess(), "absent": Absent()})


def test_a_hunt_in_which_nobody_answers_ends_at_once():
    report = hunt({"gone": Mortal(lives=-1, refusals=10**9)})
    assert (report.circuits, report.exit_status) == (0, 2)


# ---------------------------------------------------------------------------- circuits


def test_files_of_a_folder_are_tried_first_and_bad_ones_are_named(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "rz.qasm").write_text(Circuit(1).h(0).rz(0.7, 0).rx(0.4, 0).to_openqasm3())
    (tmp_path / "bad.qasm").write_text("this is none")
    report = hunt({"wrong": InProcess(NEGATED)}, folder=tmp_path, circuits=1)
    (finding,) = report.findings
    assert finding.examples == (str(tmp_path / "deep" / "rz.qasm"),)
    assert finding.seeds == ()
    assert report.files == 1
    assert [Path(path).name for path in report.skipped] == ["bad.qasm"]


def test_a_circuit_too_large_for_a_reference_is_compared_among_the_simulators(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.compare.hunting.differences.distribution", _too_large)
    circuit = Circuit(3).h(0).rz(0.7, 0).rx(0.4, 0).cx(0, 1).measure_all()
    (tmp_path / "a.qasm").write_text(circuit.to_openqasm3())
    backends = {"a": InProcess(), "wrong": InProcess(NEGATED), "b": InProcess(**COUNTS)}
    report = hunt(backends, folder=tmp_path, circuits=1)
    (finding,) = report.findings
    assert finding.simulator == "wrong"
    assert report.without_reference == 1


def test_one_simulator_alone_is_held_to_itself_where_there_is_no_reference(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.compare.hunting.differences.distribution", _too_large)

    def wrong_on_qubit_0(operation):
        return [] if operation.name == "rz" and operation.qubits == (0,) else [operation]

    (tmp_path / "a.qasm").write_text(Circuit(3).h(0).rz(0.7, 0).rx(0.4, 0).cx(0, 1).measure_all().to_openqasm3())
    (finding,) = hunt({"wrong": InProcess(wrong_on_qubit_0)}, folder=tmp_path, circuits=1, seed=5).findings
    assert "for a circuit that has the same distribution" in finding.detail


def _too_large(circuit):
    raise LimitError(f"{len(circuit.operations)} are too many")


def test_our_own_simulator_is_named_when_all_others_agree_against_it(monkeypatch):
    def wrong(circuit):
        operations = [op for op in circuit.operations if op.name != "y"]
        return distribution(Circuit(circuit.num_qubits, circuit.num_clbits, operations))

    monkeypatch.setattr("gateway.compare.hunting.differences.distribution", wrong)
    (finding,) = hunt({"a": InProcess(), "b": InProcess()}, circuits=50).findings
    assert finding.simulator == "gateway"
    assert "differs from a and b, which agree" in finding.detail


# ---------------------------------------------------------------------------- the report


def test_the_same_seed_and_number_of_circuits_find_the_same():
    first, second = (hunt({"wrong": InProcess(NEGATED)}, circuits=40) for _ in range(2))
    assert [finding.examples for finding in first.findings] == [finding.examples for finding in second.findings]


def test_the_text_has_the_circuits_of_the_first_findings_and_says_where_the_others_are():
    report = hunt({"wrong": InProcess(NEGATED)}, circuits=40)
    (finding,) = report.findings
    shown = [line for line in str(report).splitlines() if line.startswith("      ")]
    assert "\n".join(line.strip() for line in shown) == finding.reproducer.openqasm.strip()
    assert "in JSON" not in str(report)
    many = msgspec.structs.replace(report, findings=(finding,) * 7)
    assert str(many).count("OPENQASM") == 6
    assert "  The circuits of all findings are in the report that is saved, and in JSON." in str(many).splitlines()
    long = msgspec.structs.replace(finding.reproducer, openqasm="x q[0];\n" * 100)
    longer = msgspec.structs.replace(report, findings=(msgspec.structs.replace(finding, reproducer=long),))
    assert "      a circuit of 100 lines" in str(longer).splitlines()


def test_a_backend_that_would_end_the_program_is_a_finding():
    report = hunt({"a": InProcess(), "b": Failing(has("swap"), SystemExit(3))}, circuits=40)
    assert [finding.simulator for finding in report.findings] == ["b"]
    assert "it raised SystemExit: 3" in report.findings[0].detail


def test_a_report_is_saved_loaded_and_shown(tmp_path: Path):
    report = hunt({"right": InProcess(), "wrong": InProcess(NEGATED)}, circuits=40)
    path = tmp_path / "report.json"
    report.save(path)
    assert HuntReport.load(path) == report
    assert json.loads(path.read_bytes())["findings"][0]["simulator"] == "wrong"
    text = report.to_markdown()
    assert text.startswith("# 40 circuits on 2 simulators: 1 finding, in wrong.")
    assert "rz" in text
    assert "accuses a right simulator with probability 1e-6 at most in the whole hunt" in text
    assert "<table" in report._repr_html_()
    assert "wrong: angle-negated:rz: it gives" in str(report)
    assert "rz(" in report.findings[0].reproducer.openqasm
    assert json.dumps(report.to_dict())


@pytest.mark.parametrize("content", ["{}", "no json", '{"format": 99}'], ids=["empty", "no json", "newer"])
def test_what_is_no_report_is_refused(tmp_path: Path, content):
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(RequestError, match=r"report\.json"):
        HuntReport.load(path)


@pytest.mark.parametrize(
    "arguments",
    [
        {"minutes": 0},
        {"minutes": "1"},
        {"shots": 0},
        {"false_alarm_rate": 1},
        {"circuits": 0},
        {"folder": "nowhere"},
        {"save": "nowhere/report.json"},
        {"save": "."},
        {"save": ""},
    ],
)
def test_arguments_out_of_range_are_refused(arguments):
    (field,) = arguments
    with pytest.raises(RequestError, match=rf"^{field} must be|no folder|a file is needed"):
        hunt({"a": InProcess()}, **arguments)


def test_a_report_that_cannot_be_written_is_returned_all_the_same(tmp_path: Path):
    path = tmp_path / "report.json"

    class InTheWay(InProcess):
        def send(self, request):
            path.mkdir(exist_ok=True)
            return super().send(request)

    report = hunt({"wrong": InTheWay(NEGATED)}, circuits=40, save=path)
    assert len(report.findings) == 1
    assert "report.json" in report.unsaved
    assert "could not be saved" in str(report)


def test_a_hunt_that_is_killed_leaves_its_report(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("gateway.compare.hunting.hunt.SAVING_S", 0.0)
    path = tmp_path / "report.json"
    circuits = []

    class Watching(InProcess):
        def send(self, request):
            if path.exists():
                circuits.append(HuntReport.load(path).circuits)
            return super().send(request)

    hunt({"a": Watching()}, circuits=5, save=path)
    assert {1, 2, 3, 4} <= set(circuits)


def test_files_that_time_left_no_room_for_are_named(tmp_path: Path):
    for name in ("a.qasm", "b.qasm"):
        (tmp_path / name).write_text(Circuit(1).h(0).to_openqasm3())
    report = hunt({"a": InProcess()}, folder=tmp_path, circuits=1)
    assert report.skipped == {str(tmp_path / "b.qasm"): "the hunt was over"}


def test_a_small_circuit_that_never_ends_is_a_finding_and_a_large_one_is_none(tmp_path: Path):
    backends = {"a": InProcess(), "b": Failing(has("swap"), JobTimeout("no end after 30 s"))}
    (tmp_path / "a.qasm").write_text(Circuit(2).swap(0, 1).measure_all().to_openqasm3())
    (finding,) = hunt(backends, folder=tmp_path, circuits=1).findings
    assert (finding.kind, finding.cause) == (Kind.SILENCE, "JobTimeout")
    large = Circuit(14).swap(0, 1)
    (tmp_path / "a.qasm").write_text(large.measure_all().to_openqasm3())
    assert hunt(backends, folder=tmp_path, circuits=1).findings == ()


def test_no_backend_is_refused():
    with pytest.raises(RequestError, match="no backend"):
        hunt({})
