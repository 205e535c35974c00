from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.circuits import bell

from gateway import Circuit, __version__
from gateway.cli import main
from gateway.cli.progress import Progress
from gateway.cli.tables import outcome, table
from gateway.counts import Counts, Probabilities, Statevector
from gateway.results import CLIFFORD, Capabilities, ResultType
from gateway.simulators import SIMULATORS, Simulator

LOCAL = ["--runtime", "local"]


def runs_qulacs(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that starts a server of Qulacs."""
    return pytest.mark.slow(pytest.mark.needs("qulacs")(test))


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "bell.qasm"
    path.write_text(bell().to_openqasm3(), encoding="utf-8")
    return str(path)


def test_the_version_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"gateway {__version__}\n"


@pytest.mark.parametrize(
    "words", [["--help"], ["list", "--help"], ["run", "--help"], ["compare", "--help"], ["serve", "--help"]]
)
def test_help_is_given(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("usage: gateway")


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "x.qasm"],
        ["run", "x.qasm", "--on", "qulacs", "--shots", "many"],
        ["run", "x.qasm", "--on", "qulacs", "--exact", "--shots", "3"],
        ["run", "x.qasm", "--on", "qulacs", "--sampling", "magic"],
        ["run", "x.qasm", "--on", "qulacs", "--timeout", "-1"],
        ["run", "x.qasm", "--on", "qulacs", "--timeout", "soon"],
        ["list", "--frobnicate"],
        ["serve", "qulacs", "--port", "many"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(words, capsys):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gateway {words[0]}: ")
    assert line.endswith(f"; see gateway {words[0]} --help")


def test_list_shows_every_simulator_with_its_port_and_version(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for row in SIMULATORS.values():
        version = {row.installed_version()} - {None}
        assert any({row.name, str(row.port), *version} <= set(line.split()) for line in shown.splitlines())


def test_list_as_json_is_data(capsys):
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["port"] for row in found} == {row.name: row.port for row in SIMULATORS.values()}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "missing.qasm", "--on", "qulacs"],
            "cannot read the circuit in missing.qasm: No such file or directory",
        ),
        (["run", ".", "--on", "qulacs"], "cannot read the circuit in .: Is a directory"),
        (["run", sys.executable, "--on", "qulacs"], "is not text: byte"),
        (["run", "/dev/zero", "--on", "qulacs"], "the circuit in /dev/zero is larger than the 33,554,432 bytes"),
        (["compare", "missing.qasm"], "cannot read the circuit in missing.qasm"),
        (["run", "FILE", "--on", "qulac"], "did you mean 'qulacs'"),
        (["run", "FILE", "--on", "qulacs", "--shots", "0"], "shots"),
        (["run", "FILE", "--on", "qulacs", "--seed", "-1"], "seed"),
        (["compare", "FILE", "--on", "qulacs,nothing"], "no simulator named 'nothing'"),
    ],
)
def test_a_failure_is_one_sentence_on_standard_error_and_status_1(words, message, file, capsys):
    assert main([file if word == "FILE" else word for word in words] + LOCAL) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("gateway: ")
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out


@runs_qulacs
def test_run_shows_counts_and_where_they_come_from(file, capsys):
    assert main(["run", file, "--on", "qulacs", "--shots", "100", "--seed", "7", *LOCAL]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(("00  ", "11  "))
    assert f"qulacs {SIMULATORS['qulacs'].installed_version()}, seed 7" in shown
    assert "clbit 0 rightmost" in shown


@runs_qulacs
def test_run_as_json_is_data_with_provenance(file, capsys):
    assert main(["run", file, "--on", "qulacs", "--shots", "100", "--seed", "7", "--json", *LOCAL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["counts"]) == {"00", "11"}
    assert sum(found["counts"].values()) == 100
    assert (found["provenance"]["simulator"], found["provenance"]["seed"]) == ("qulacs", 7)


@runs_qulacs
def test_run_gives_exact_results_and_amplitudes(file, tmp_path, capsys):
    assert main(["run", file, "--on", "qulacs", "--exact", "--json", *LOCAL]) == 0
    assert json.loads(capsys.readouterr().out)["probabilities"] == pytest.approx({"00": 0.5, "11": 0.5})
    unmeasured = tmp_path / "state.qasm"
    unmeasured.write_text(Circuit(1).x(0).to_openqasm2(), encoding="utf-8")
    assert main(["run", str(unmeasured), "--on", "qulacs", "--statevector", "--json", *LOCAL]) == 0
    assert json.loads(capsys.readouterr().out)["statevector"] == [[0, 0], [1, 0]]


@runs_qulacs
def test_a_circuit_is_read_from_standard_input(file, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(file).read_bytes())))
    assert main(["run", "-", "--on", "qulacs", "--json", *LOCAL]) == 0
    assert set(json.loads(capsys.readouterr().out)["counts"]) == {"00", "11"}


@runs_qulacs
def test_an_error_of_the_server_is_shown_with_its_place(tmp_path, capsys):
    path = tmp_path / "wrong.qasm"
    path.write_text("OPENQASM 2.0;\nqreg q[1];\nfrobnicate q[0];\n", encoding="utf-8")
    assert main(["run", str(path), "--on", "qulacs", *LOCAL]) == 1
    assert "gateway: line 3" in capsys.readouterr().err


@runs_qulacs
def test_compare_exits_with_0_when_all_agree(file, capsys):
    assert main(["compare", file, "--on", "qulacs", "--shots", "500", "--seed", "1", "--json", *LOCAL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["shots"], found["reference"]) == (500, "exact (qulacs)")
    assert [row["agrees"] for row in found["rows"]] == [True]


@runs_qulacs
def test_compare_leaves_out_who_does_not_take_the_circuit_and_says_why(tmp_path, monkeypatch, capsys):
    able = Capabilities(result_types=(ResultType.COUNTS,), gates=CLIFFORD)
    narrow = Simulator(name="narrow", port=1, summary="", adapter="", distribution="", capabilities=able)
    monkeypatch.setattr("gateway.cli.circuits.rows", lambda: iter([narrow, SIMULATORS["qulacs"]]))
    path = tmp_path / "angle.qasm"
    path.write_text(Circuit(1).ry(0.5, 0).measure_all().to_openqasm3(), encoding="utf-8")
    assert main(["compare", str(path), "--shots", "500", "--seed", "1", "--json", *LOCAL]) == 0
    shown = capsys.readouterr()
    assert [row["simulator"] for row in json.loads(shown.out)["rows"]] == ["qulacs"]
    assert "left out: operation 0 (ry(0.5) 0): narrow does not have this gate" in shown.err


@runs_qulacs
def test_compare_exits_with_1_when_one_fails(tmp_path, capsys):
    path = tmp_path / "unmeasured.qasm"
    path.write_text(Circuit(1).h(0).to_openqasm3(), encoding="utf-8")
    assert main(["compare", str(path), "--on", "qulacs", *LOCAL]) == 1
    assert "failed" in capsys.readouterr().out


def test_columns_are_as_wide_as_their_longest_cell():
    assert table(["a", "count"], [["xyz", "1"], ["x", "1000"]], right="count").splitlines() == [
        "a    count",
        "───  ─────",
        "xyz      1",
        "x     1000",
    ]


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (Counts({"01": 3, "10": 1}), ["01  3  ██████████████████████████████", "10  1  ██████████"]),
        (Probabilities({"1": 1.0}, 1), ["1  1.000000  ████████████████████████████████████████"]),
        (Statevector([0.6, 0, 0, -0.8j]), ["|00>  +0.600000 +0.000000i", "|11>  -0.000000 -0.800000i"]),
        (Counts({"": 4}), ["  4  ████████████████████████████████████████"]),
    ],
)
def test_results_are_shown_in_lines(found, lines):
    assert outcome(found).splitlines() == lines


def test_long_results_end_with_how_much_more_there_is():
    assert outcome(Counts({format(k, "08b"): 1 for k in range(100)})).splitlines()[-1] == "... 68 more"


def test_a_word_is_said_only_about_what_takes_long(capsys, monkeypatch):
    with Progress("quick"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("gateway.cli.progress.QUIET_S", 0.0)
    progress = Progress("slow")
    with progress:
        progress._thread.join(0.1)
    assert capsys.readouterr().err == "gateway: slow\n"
