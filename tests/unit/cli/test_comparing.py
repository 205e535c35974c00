"""The commands that compare simulators call the library, print what it says, and tell it by their status."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import records
from support.circuits import bell

from gateway import compare as api
from gateway.backends import auto, runtimes
from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.backends.runtimes import Choice
from gateway.circuit import Circuit
from gateway.cli import fitting, main, places, runtime
from gateway.compare.record import Record, Verdict
from gateway.compare.verdict import verdict_parts
from gateway.errors import RequestError, TransportError
from gateway.noise import NoiseModel
from gateway.results import CLIFFORD, Capabilities, ResultType
from gateway.simulators import SIMULATORS, Simulator

LOCAL = ("--runtime", "local")


class Recorded(Record, frozen=True, kw_only=True):
    """A record with the methods that the command uses."""

    def save(self, path: str | Path) -> Path:
        Path(path).write_bytes(msgspec.json.encode(self))
        return Path(path)

    def report(self, path: str | Path) -> Path:
        Path(path).write_text("".join(verdict_parts(self)), encoding="utf-8")
        return Path(path)

    def against(self, older: Recorded) -> str:
        return f"Since {older.created[:10]} nothing has changed."

    @classmethod
    def load(cls, path: str | Path) -> Recorded:
        return msgspec.json.decode(Path(path).read_bytes(), type=cls)


def recorded(record: Record, **changes: object) -> Recorded:
    fields = {name: getattr(record, name) for name in record.__struct_fields__} | {"repeat": 1}
    return Recorded(**{**fields, **changes})


class Compare:
    """Stands for the library's function: remembers how it was called, and returns or raises what it is told."""

    def __init__(self) -> None:
        self.outcome: object = recorded(records.all_agree())
        self.circuits: Any = None
        self.backends: list[str] = []
        self.options: dict[str, Any] = {}

    def __call__(self, circuits: object, backends: dict[str, Backend], **options: object) -> object:
        self.circuits, self.backends, self.options = circuits, list(backends), options
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def _nobody_is_there(client: BackendClient) -> None:
    raise TransportError(f"cannot reach {client.url}")


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Replace the library's function, and let every simulator start at once."""
    stand_in = Compare()
    monkeypatch.setitem(vars(api), "compare", stand_in)
    monkeypatch.setitem(vars(api), "Comparison", Recorded)
    monkeypatch.setattr(LocalSimulator, "start", lambda self: None)
    monkeypatch.setattr(BackendClient, "info", _nobody_is_there)
    monkeypatch.setattr(places, "is_gateway", lambda way: False)
    monkeypatch.setattr(Simulator, "installed_version", lambda self: "1.0")
    return stand_in


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "bell.qasm"
    path.write_text(bell().to_openqasm3(), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("record", "status", "begins"),
    [
        (recorded(records.all_agree()), 0, "= All 6 agree."),
        (recorded(records.one_differs()), 1, "≠ 5 agree; rigetti differs"),
        (recorded(records.two_groups()), 2, "  Two groups: cirq, mqt, qulacs; and qiskit, pytket."),
        (recorded(records.failures()), 2, "! 2 agree; 2 failed, 2 cannot run it."),
        (recorded(records.everybody_failed()), 2, "! 2 failed, 2 cannot run it."),
        (recorded(records.one_differs(), interrupted=True), 1, "≠ Interrupted when 6 had finished; rigetti differs"),
        (recorded(records.record()), 2, "… Nothing was compared."),
    ],
)
def test_the_status_says_whether_they_agree(record, status, begins, compare, file, capsys):
    compare.outcome = record
    assert main(["compare", file, "--on", "cirq,qulacs", *LOCAL, "--save", f"{file}.json"]) == status
    assert capsys.readouterr().out.startswith(begins)


def test_every_option_reaches_the_library(compare, file):
    words = "--resolution 0.01 --seed 7 --repeat 5 --side-by-side --no-exact --no-reproducer --sampling native"
    words += " --time-limit 10m --timeout 90s --threads 2 --noise depolarizing=0.1"
    assert main(["compare", file, "--on", "cirq, qulacs", *words.split(), *LOCAL]) == 0
    assert compare.backends == ["cirq", "qulacs"]
    assert compare.circuits == {"bell.qasm": Path(file).read_text()}
    assert compare.options == {
        "shots": None,
        "resolution": 0.01,
        "seed": 7,
        "repeat": 5,
        "exact": False,
        "side_by_side": True,
        "sampling": "native",
        "noise": NoiseModel().depolarizing(0.1),
        "timeout_s": 90.0,
        "time_limit_s": 600.0,
        "reproduce": False,
    }


def test_without_options_the_library_decides(compare, file):
    assert main(["compare", file, "--on", "cirq", "--on", "qulacs", *LOCAL]) == 0
    assert compare.backends == ["cirq", "qulacs"]
    assert compare.options["shots"] is None
    assert compare.options["time_limit_s"] is None
    assert compare.options["exact"]
    assert compare.options["reproduce"]


def test_servers_are_given_beside_names_or_among_them(compare, file, capsys):
    assert main(["compare", file, "--on", "cirq,http://lab:1", "--at", "lab:2", "--at", "https://lab:3", *LOCAL]) == 0
    assert compare.backends == ["cirq", "lab:1", "lab:2", "lab:3"]


def test_servers_alone_start_nothing(compare, file, capsys):
    assert main(["compare", file, "--at", "lab:1,lab:2"]) == 0
    assert compare.backends == ["lab:1", "lab:2"]
    assert capsys.readouterr().err == ""


def test_circuits_have_the_names_of_their_files_and_their_paths_where_these_are_the_same(
    compare, tmp_path, monkeypatch
):
    paths = [tmp_path / "a" / "bell.qasm", tmp_path / "b" / "bell.qasm", tmp_path / "ghz.qasm"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(bell().to_openqasm3(), encoding="utf-8")
    assert main(["compare", *map(str, paths), "--on", "cirq", *LOCAL]) == 0
    assert list(compare.circuits) == [str(paths[0]), str(paths[1]), "ghz.qasm"]


@pytest.mark.parametrize("nothing", ["", " ", ","])
@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["compare", "FILE"], "--on"),
        (["compare", "FILE", "--on", "cirq"], "--on"),
        (["compare", "FILE", "--on", "cirq"], "--at"),
        (["compare", "FILE", "--on", "cirq"], "--against"),
        (["locate", "FILE", "--on", "cirq"], "--at"),
        (["reduce", "FILE"], "--on"),
        (["hunt"], "--on"),
        (["hunt", "--on", "cirq"], "--folder"),
        (["verify"], "--at"),
        (["verify", "--on", "cirq"], "--groups"),
        (["run", "FILE"], "--on"),
        (["run", "FILE"], "--at"),
    ],
)
def test_a_flag_that_is_given_nothing_does_not_stand_for_all(words, flag, nothing, compare, file, monkeypatch, capsys):
    for name in ("locate", "reduce", "hunt", "verify"):
        monkeypatch.setitem(vars(api), name, compare)
    given = [file if word == "FILE" else word for word in words]
    assert main([*given, flag, nothing, *LOCAL]) == 2
    assert capsys.readouterr().err == f"gateway {words[0]}: {flag} is given nothing: {nothing!r}\n"
    assert compare.circuits is None


@pytest.mark.parametrize(("flag", "several"), [("--at", "http://a:1,http://b:2"), ("--on", "cirq,qulacs")])
def test_a_run_takes_one_simulator(flag, several, file, capsys):
    assert main(["run", file, flag, several]) == 2
    expected = f"gateway run: {flag} takes one, not {several!r}: gateway compare takes several\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("command", ["compare", "locate", "reduce", "hunt", "verify"])
def test_the_help_says_what_the_exit_status_says(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert "Exit status: 0 if " in capsys.readouterr().out


def test_the_same_file_twice_is_refused(compare, file, capsys):
    assert main(["compare", file, file, "--on", "cirq", *LOCAL]) == 2
    assert capsys.readouterr().err == f"gateway compare: {file} is given twice\n"


def test_an_error_in_a_circuit_is_shown_before_anything_starts(compare, tmp_path, capsys):
    path = tmp_path / "broken.qasm"
    path.write_text("OPENQASM 3;\nqubit q;\nfrobnicate q;\n", encoding="utf-8")
    assert main(["compare", str(path), "--on", "cirq", *LOCAL]) == 2
    assert capsys.readouterr().err.splitlines()[:3] == [
        "gateway: broken.qasm, line 3: there is no gate named 'frobnicate'; define it with 'gate'",
        "    2  qubit q;",
        "    3  frobnicate q;",
    ]
    assert compare.circuits is None


def test_record_and_report_are_written_and_named(compare, file, tmp_path, capsys):
    record, report = tmp_path / "r.json", tmp_path / "r.html"
    assert main(["compare", file, "--on", "cirq", "--save", str(record), "--report", str(report), *LOCAL]) == 0
    assert capsys.readouterr().out.endswith(f"\n\n  Record: {record}\n  Report: {report}\n")
    assert Recorded.load(record) == compare.outcome
    assert report.read_text(encoding="utf-8").startswith("All 6 agree.")


def test_an_older_record_says_what_has_changed(compare, file, tmp_path, capsys):
    old = recorded(records.all_agree()).save(tmp_path / "old.json")
    assert main(["compare", file, "--on", "cirq", "--against", str(old), *LOCAL]) == 0
    assert capsys.readouterr().out.endswith("\n\n  Since 2026-03-12 nothing has changed.\n")


def test_an_older_record_that_is_missing_is_noticed_before_anything_runs(compare, file, capsys):
    assert main(["compare", file, "--on", "cirq", "--against", "no.json", *LOCAL]) == 2
    assert capsys.readouterr().err == "gateway: no.json: No such file or directory\n"
    assert compare.circuits is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "r.pdf"], "a report is named .html or .md, not 'r.pdf'"),
        (["--report", ""], "a report is named .html or .md, not ''"),
        (["--report", "no/r.html"], "--report: there is no folder no for no/r.html"),
        (["--save", "no/r.json"], "--save: there is no folder no for no/r.json"),
        (["--save", "."], "--save: a file is needed, and '.' is that of a folder"),
        (["--save", ""], "--save: a file is needed, and '' is no name"),
    ],
)
def test_what_could_not_be_written_is_refused_before_anything_runs(words, message, compare, file, capsys):
    assert main(["compare", file, "--on", "cirq", *words, *LOCAL]) == 2
    assert capsys.readouterr().err == f"gateway compare: {message}\n"
    assert compare.circuits is None


def test_a_hunt_too_is_refused_a_file_that_could_not_be_written(compare, monkeypatch, capsys):
    monkeypatch.setitem(vars(api), "hunt", compare)
    assert main(["hunt", "--on", "cirq", "--save", ".", *LOCAL]) == 2
    assert capsys.readouterr().err == "gateway hunt: --save: a file is needed, and '.' is that of a folder\n"
    assert compare.circuits is None


def test_a_file_that_cannot_be_written_costs_nobody_the_comparison(compare, file, tmp_path, monkeypatch, capsys):
    def full(self: Recorded, path: str) -> Path:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(Recorded, "save", full)
    assert main(["compare", file, "--on", "cirq", "--save", str(tmp_path / "r.json"), *LOCAL]) == 2
    shown = capsys.readouterr()
    assert shown.out.startswith("= All 6 agree.")
    assert shown.err == f"gateway: {tmp_path / 'r.json'}: No space left on device\n"


def test_what_was_interrupted_is_kept(compare, file, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    compare.outcome = recorded(records.all_agree(), interrupted=True)
    assert main(["compare", file, "--on", "cirq", *LOCAL]) == 2
    (path,) = tmp_path.glob("comparison-*.json")
    assert Recorded.load(path) == compare.outcome
    assert f"Record: {path.name}" in capsys.readouterr().out


def test_as_json_it_is_the_record_and_nothing_else(compare, file, tmp_path, capsys):
    assert main(["compare", file, "--on", "cirq", "--json", "--save", str(tmp_path / "r.json"), *LOCAL]) == 0
    assert msgspec.json.decode(capsys.readouterr().out, type=Recorded) == compare.outcome


@pytest.mark.parametrize(
    ("error", "status"), [(RequestError("no"), 2), (KeyboardInterrupt(), 130), (OSError(28, "No space left"), 2)]
)
def test_a_failure_of_the_whole_comparison_is_no_difference(error, status, compare, file, capsys):
    compare.outcome = error
    assert main(["compare", file, "--on", "cirq", *LOCAL]) == status
    assert capsys.readouterr().out == ""


# ---------------------------------------------------------------------- which simulators


def offer(name: str, capabilities: Capabilities) -> Simulator:
    return Simulator(name=name, port=1, summary="", adapter="", distribution=name, capabilities=capabilities)


ABLE = Capabilities(result_types=tuple(ResultType))
NARROW = Capabilities(result_types=(ResultType.COUNTS,), gates=CLIFFORD)


@pytest.fixture
def angle(tmp_path: Path) -> str:
    """The file of a circuit that takes more than Clifford gates."""
    path = tmp_path / "angle.qasm"
    path.write_text(Circuit(1).ry(0.5, 0).measure_all().to_openqasm3(), encoding="utf-8")
    return str(path)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer one simulator that takes everything, and one of Clifford gates."""
    rows = [offer("narrow", NARROW), SIMULATORS["qulacs"]]
    monkeypatch.setattr(fitting, "rows", lambda: iter(rows))


@pytest.mark.usefixtures("registry")
def test_all_that_take_the_circuits_are_compared_and_it_is_said_why_others_are_not(compare, angle, capsys):
    assert main(["compare", angle, *LOCAL]) == 0
    assert compare.backends == ["qulacs"]
    assert "gateway: left out: operation 0 (ry(0.5) 0): narrow does not have this gate" in capsys.readouterr().err


@pytest.mark.usefixtures("registry")
def test_a_circuit_without_measurement_is_for_those_who_give_state_vectors(compare, tmp_path, capsys):
    path = tmp_path / "state.qasm"
    path.write_text(Circuit(1).h(0).to_openqasm3(), encoding="utf-8")
    assert main(["compare", str(path), *LOCAL]) == 0
    assert compare.backends == ["qulacs"]


@pytest.mark.usefixtures("registry", "compare")
def test_what_is_not_installed_is_left_out_and_if_nothing_is_left_that_is_an_error(file, monkeypatch, capsys):
    monkeypatch.setattr(Simulator, "installed_version", lambda self: None)
    assert main(["compare", file, *LOCAL]) == 2
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "gateway: left out: qulacs is not installed",
        "gateway: no simulator is left: gateway list says what is installed and how to install more",
    ]


@pytest.mark.usefixtures("registry")
def test_the_choice_of_the_runtime_is_said_once(compare, angle, monkeypatch, capsys):
    choice = Choice("local", "no engine answers")
    for module in (runtimes, auto, runtime):
        monkeypatch.setattr(module, "choose", lambda wanted, names: choice if wanted == "auto" else Choice(wanted, ""))
    line = "gateway: running in processes of this machine: no engine answers (--runtime decides)"
    for words in (["--on", "qulacs"], []):
        assert main(["compare", angle, *words]) == 0
        assert [text for text in capsys.readouterr().err.splitlines() if "running in" in text] == [line]


# ---------------------------------------------------------------------- locate, reduce, hunt, verify


class Search:
    """Stands for ``locate`` and ``reduce``: remembers how it was called, and returns or raises what it is told."""

    def __init__(self, outcome: object) -> None:
        self.outcome = outcome
        self.backends: list[str] = []
        self.options: dict[str, object] = {}

    def __call__(self, circuit: Circuit, *backends: Any, **options: object) -> object:
        assert circuit == Circuit.from_openqasm(bell().to_openqasm3())
        self.backends, self.options = [backend.name for backend in backends], options
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


AGREEMENT = RequestError("the simulators agree on this circuit, by 1,000 shots", field="circuit")


@pytest.mark.usefixtures("compare")
def test_reduce_prints_a_circuit_that_can_be_copied_and_writes_it(file, tmp_path, monkeypatch, capsys):
    search = Search(records.reproducer())
    monkeypatch.setitem(vars(api), "reduce", search)
    output = tmp_path / "small.qasm"
    words = ["--on", "rigetti,qulacs", "--seed", "3", "--shots", "500", "--time-limit", "2m", "--output", str(output)]
    assert main(["reduce", file, *words, *LOCAL]) == 1
    assert (search.backends, search.options) == (["rigetti", "qulacs"], {"seed": 3, "shots": 500, "seconds": 120.0})
    assert output.read_text(encoding="utf-8") == records.TURNED
    shown = capsys.readouterr().out
    assert shown.startswith("≠ rigetti differs from ")
    assert "; 3-operation reproducer below.\n\n  Reproducer  the reference gives 0 always, rigetti never" in shown
    assert "    rz(pi/2) q;\n" in shown


@pytest.mark.usefixtures("compare")
@pytest.mark.parametrize("output", ["", ".", "nowhere/small.qasm"])
def test_reduce_refuses_at_once_what_it_could_not_write(output, file, monkeypatch, capsys):
    search = Search(records.reproducer())
    monkeypatch.setitem(vars(api), "reduce", search)
    assert main(["reduce", file, "--on", "rigetti", "--output", output, *LOCAL]) == 2
    assert capsys.readouterr().err.startswith("gateway reduce: --output: ")
    assert search.backends == []


@pytest.mark.usefixtures("compare")
def test_a_reproducer_that_cannot_be_written_leaves_the_old_file_and_names_it(file, tmp_path, monkeypatch, capsys):
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(vars(api), "reduce", Search(records.reproducer()))
    output = tmp_path / "small.qasm"
    output.write_text("old", encoding="utf-8")
    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(Path, "write_text", full)
    assert main(["reduce", file, "--on", "rigetti", "--output", str(output), *LOCAL]) == 2
    assert capsys.readouterr().err == f"gateway: {output}: No space left on device\n"
    assert output.read_text(encoding="utf-8") == "old"


@pytest.mark.usefixtures("compare")
def test_a_reproducer_is_data_too(file, monkeypatch, capsys):
    monkeypatch.setitem(vars(api), "reduce", Search(records.reproducer()))
    assert main(["reduce", file, "--on", "rigetti", "--json", *LOCAL]) == 1
    assert json.loads(capsys.readouterr().out)["openqasm"] == records.TURNED


@pytest.mark.usefixtures("compare")
def test_locate_says_after_which_operation(file, monkeypatch, capsys):
    search = Search("they differ after operation 1: cx 0 1 (exact probabilities)")
    monkeypatch.setitem(vars(api), "locate", search)
    assert main(["locate", file, "--on", "rigetti", *LOCAL]) == 1
    assert (search.backends, search.options) == (["rigetti"], {})
    assert capsys.readouterr().out == "≠ They differ after operation 1: cx 0 1 (exact probabilities).\n"


@pytest.mark.usefixtures("compare")
@pytest.mark.parametrize("command", ["locate", "reduce"])
def test_where_simulators_agree_there_is_nothing_to_find(command, file, monkeypatch, capsys):
    monkeypatch.setitem(vars(api), command, Search(AGREEMENT))
    assert main([command, file, "--on", "rigetti", *LOCAL]) == 0
    assert capsys.readouterr().out == "= The simulators agree on this circuit, by 1,000 shots.\n"
    assert main([command, file, "--on", "rigetti", "--json", *LOCAL]) == 0
    assert capsys.readouterr().out == "null\n"


@pytest.mark.usefixtures("compare")
@pytest.mark.parametrize("command", ["locate", "reduce"])
def test_another_error_is_a_failure(command, file, monkeypatch, capsys):
    monkeypatch.setitem(vars(api), command, Search(RequestError("shots must be at least 1", field="shots")))
    assert main([command, file, "--on", "rigetti", *LOCAL]) == 2
    assert capsys.readouterr().err == "gateway: shots must be at least 1\n"


@pytest.mark.usefixtures("compare")
@pytest.mark.parametrize("words", [[], ["--on", "cirq,qulacs,mqt"], ["--on", "cirq,mqt", "--at", "lab:1"]])
@pytest.mark.parametrize("command", ["locate", "reduce"])
def test_one_or_two_simulators_are_searched(command, words, file, monkeypatch, capsys):
    monkeypatch.setitem(vars(api), command, Search(None))
    assert main([command, file, *words]) == 2
    assert "name two simulators, or one to compare it with the exact result" in capsys.readouterr().err


class Report:
    """What a hunt or a verification returns."""

    exit_status = 1

    def to_dict(self) -> dict[str, object]:
        return {"verdict": "1 finding"}

    def __str__(self) -> str:
        return "1 finding in rigetti.\n  ≠ it turns rz the other way"


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (
            ["hunt", "--minutes", "0.5", "--folder", "circuits", "--seed", "3", "--save", "h.json"],
            {"minutes": 0.5, "circuits": None, "folder": "circuits", "seed": 3, "save": "h.json"},
        ),
        (
            ["hunt", "--timeout", "2m", "--circuits", "7"],
            {"minutes": 10.0, "circuits": 7, "folder": None, "seed": None, "save": None, "timeout_s": 120.0},
        ),
        (["verify", "--seed", "5"], {"seed": 5, "groups": None}),
        (
            ["verify", "--groups", "bit order, gates", "--groups", "seeds"],
            {"groups": ["bit order", "gates", "seeds"], "seed": 1},
        ),
    ],
)
def test_hunt_and_verify_print_what_they_found_and_have_its_status(words, options, compare, monkeypatch, capsys):
    called: dict[str, Any] = {}

    def stand_in(backends: dict[str, Backend], **given: object) -> Report:
        called.update(given, backends=list(backends))
        return Report()

    monkeypatch.setitem(vars(api), words[0], stand_in)
    assert main([*words, "--on", "rigetti", *LOCAL]) == 1
    assert called == {**options, "backends": ["rigetti"]}
    assert capsys.readouterr().out == "≠ 1 finding in rigetti.\n  ≠ it turns rz the other way\n"
    assert main([*words, "--on", "rigetti", "--json", *LOCAL]) == 1
    assert json.loads(capsys.readouterr().out) == {"verdict": "1 finding"}


def test_serving_and_helping_load_no_rich():
    code = "import sys; from gateway.cli import main, serve, commands, complaints; print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_verdict_of_failed_is_no_agreement():
    row = records.all_agree().rows[0]
    failed = msgspec.structs.replace(row, verdict=Verdict.FAILED, error="SimulatorError: no")
    assert not records.record(records.case(records.TURNED, "a", {}, [row, failed])).all_agree
