from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.circuits import bell

from gateway import Circuit, LocalSimulator, __version__, parameter
from gateway.cli import main
from gateway.cli.progress import Progress
from gateway.simulators import SIMULATORS

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
        ["run", "x.qasm", "--on", "qulacs", "--result", "magic"],
        ["run", "x.qasm", "--on", "qulacs", "--clbits", "1;2"],
        ["run", "x.qasm", "--on", "qulacs", "--set", "theta"],
        ["run", "x.qasm", "--on", "qulacs", "--set", "theta=much"],
        ["run", "x.qasm", "--on", "qulacs", "--set", "=0.3"],
        ["run", "x.qasm", "--on", "qulacs", "--set", "theta=0.3,"],
        ["run", "x.qasm", "--on", "qulacs", "--sampling", "magic"],
        ["run", "x.qasm", "--on", "qulacs", "--timeout", "-1"],
        ["run", "x.qasm", "--on", "qulacs", "--timeout", "soon"],
        ["compare"],
        ["compare", "x.qasm", "--shots", "10", "--resolution", "0.1"],
        ["compare", "x.qasm", "--time-limit", "soon"],
        ["compare", "x.qasm", "--repeat", "often"],
        ["hunt", "--minutes", "many"],
        ["list", "--frobnicate"],
        ["serve", "qulacs", "--port", "many"],
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(words, capsys):
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"gateway {words[0]}: ")
    assert line.endswith(f"; see gateway {words[0]} --help")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (
            ["run", "missing.qasm", "--on", "qulacs"],
            1,
            "cannot read the circuit in missing.qasm: No such file or directory",
        ),
        (["run", ".", "--on", "qulacs"], 1, "cannot read the circuit in .: Is a directory"),
        (["run", sys.executable, "--on", "qulacs"], 1, "is not text: byte"),
        (["run", "/dev/zero", "--on", "qulacs"], 1, "the circuit in /dev/zero is larger than the 33,554,432 bytes"),
        (["compare", "missing.qasm"], 2, "cannot read the circuit in missing.qasm"),
        (["run", "FILE", "--on", "qulac"], 1, "did you mean 'qulacs'"),
        (["run", "FILE", "--on", "qulacs", "--shots", "0"], 1, "shots"),
        (["run", "FILE", "--on", "qulacs", "--seed", "-1"], 1, "seed"),
        (["run", "FILE", "--at", "ftp://lab"], 1, "'ftp://lab' is no address of a server (servers speak http or https"),
        (["run", "FILE", "--at", "http://127.0.0.1:1"], 1, "cannot reach http://127.0.0.1:1: is the server running?"),
        (["compare", "FILE", "--on", "qulacs,qulacs"], 2, "qulacs is given twice"),
        (["compare", "FILE", "--on", "qulacs,nothing"], 2, "no simulator named 'nothing'"),
    ],
)
def test_a_failure_is_one_sentence_on_standard_error_and_a_status(words, status, message, file, capsys):
    assert main([file if word == "FILE" else word for word in words] + LOCAL) == status
    shown = capsys.readouterr()
    assert shown.err.startswith("gateway: ")
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out


@runs_qulacs
def test_run_shows_counts_and_where_they_come_from(file, capsys):
    assert main(["run", file, "--on", "qulacs", "--shots", "100", "--seed", "7", *LOCAL]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()[:3]] == ["outcome", "00", "11"]
    assert f"100 shots, qulacs {SIMULATORS['qulacs'].installed_version()}, seed 7, shared sampler; " in shown
    assert "clbit 0 rightmost" in shown


@runs_qulacs
def test_run_as_json_is_data_with_provenance(file, capsys):
    assert main(["run", file, "--on", "qulacs", "--shots", "100", "--seed", "7", "--json", *LOCAL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["counts"]) == {"00", "11"}
    assert sum(found["counts"].values()) == 100
    assert (found["provenance"]["simulator"], found["provenance"]["seed"]) == ("qulacs", 7)


def test_two_flags_that_name_the_type_of_the_result_are_wrong_usage(capsys):
    assert main(["run", "x.qasm", "--on", "qulacs", "--result", "counts", "--exact"]) == 2
    assert capsys.readouterr().err == "gateway run: --result and --exact both name the type of the result\n"


@runs_qulacs
def test_run_gives_the_results_that_are_named(file, tmp_path, capsys):
    unmeasured = tmp_path / "unmeasured.qasm"
    unmeasured.write_text('OPENQASM 3; include "stdgates.inc"; qubit[2] q; h q[0]; cx q[0], q[1];')
    base = ["run", str(unmeasured), "--on", "qulacs", "--json", *LOCAL]
    assert main([*base, "--result", "expectation", "--observable", "2 ZZ - 0.5 XX", "--observable", "Z0"]) == 0
    values = json.loads(capsys.readouterr().out)["expectation"]
    assert values == {"values": pytest.approx([1.5, 0]), "std_errors": [0, 0], "groups": 0}
    assert main([*base, "--result", "expectation", "--observable", "ZZ", "--shots", "10", "--seed", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["seed"] == 1
    assert main([*base, "--result", "amplitudes", "--bitstrings", "11, 01"]) == 0
    assert json.loads(capsys.readouterr().out)["amplitudes"] == {"11": [pytest.approx(0.5**0.5), 0], "01": [0, 0]}
    words = ["run", file, "--on", "qulacs", "--result", "memory", "--shots", "3", "--clbits", "0", "--json", *LOCAL]
    assert main(words) == 0
    assert [len(bits) for bits in json.loads(capsys.readouterr().out)["memory"]] == [1, 1, 1]


def test_a_parameter_that_is_set_twice_is_wrong_usage(capsys):
    assert main(["run", "x.qasm", "--on", "qulacs", "--set", "a=1", "--set", "a=2"]) == 2
    assert capsys.readouterr().err == "gateway run: --set gives a twice: separate several values by commas\n"


@pytest.fixture
def turned(monkeypatch):
    """Let every file hold a circuit with two parameters."""
    circuit = Circuit(1, 1).rx(parameter("theta") + parameter("phi"), 0).measure(0, 0)
    monkeypatch.setattr("gateway.cli.circuits.files.read", lambda _: circuit)


@runs_qulacs
@pytest.mark.usefixtures("turned")
def test_run_gives_a_result_for_each_value_of_a_parameter(capsys):
    words = ["run", "x.qasm", "--on", "qulacs", "--exact", "--set", "theta=0,3.141592653589793", "--set", "phi=0"]
    assert main([*words, "--json", *LOCAL]) == 0
    found = [one["probabilities"] for one in json.loads(capsys.readouterr().out)]
    assert found == [{"0": pytest.approx(1)}, {"1": pytest.approx(1)}]
    assert main([*words, *LOCAL]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("theta")] == ["theta = 0, phi = 0", "theta = 3.14159, phi = 0"]


@runs_qulacs
@pytest.mark.usefixtures("turned")
def test_run_gives_one_result_for_one_value_of_each_parameter(capsys):
    words = ["run", "x.qasm", "--on", "qulacs", "--exact", "--set", "theta=-1", "--set", "phi=1", "--json", *LOCAL]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["probabilities"] == {"0": pytest.approx(1)}


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
def test_an_error_of_the_server_is_shown_with_its_place_in_the_file(tmp_path, capsys):
    path = tmp_path / "wrong.qasm"
    path.write_text("OPENQASM 2.0;\nqreg q[1];\nfrobnicate q[0];\n", encoding="utf-8")
    assert main(["run", str(path), "--on", "qulacs", *LOCAL]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"gateway: {path}, line 3: there is no gate named 'frobnicate'; define it with 'gate'",
        "    2  qreg q[1];",
        "    3  frobnicate q[0];",
        "       ^^^^^^^^^^",
        "    4",
    ]


@runs_qulacs
def test_a_server_that_runs_is_used_where_it_is(file, capsys):
    with LocalSimulator("qulacs", threads=1) as simulator:
        url = simulator.client().url
        assert main(["run", file, "--at", url, "--shots", "100", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["provenance"]["simulator"] == "qulacs"
    assert shown.err == ""  # nothing was started, so that nothing is said about where


def test_a_server_has_its_own_threads(file, capsys):
    assert main(["run", file, "--at", "http://lab:8088", "--threads", "2"]) == 1
    assert "--threads and --memory are for simulators that are started here" in capsys.readouterr().err


def test_a_word_is_said_only_about_what_takes_long(capsys, monkeypatch):
    with Progress("quick"):
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("gateway.cli.progress.QUIET_S", 0.0)
    progress = Progress("slow")
    with progress:
        progress._thread.join(0.1)
    assert capsys.readouterr().err == "gateway: slow\n"
