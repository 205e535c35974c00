"""The commands that compare, on real servers: simulators of this machine, and a stranger's function behind a URL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.circuits import handed

from gateway import BackendServer, Circuit, Operation
from gateway.cli.main import main
from gateway.compare import Comparison
from gateway.compare.exact import distribution


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    """Serve a function that turns every rz the other way, and yield its address."""

    def turned(circuit: Circuit, shots: int) -> dict[str, int]:  # in here, so that it is sent to the server by value
        wrong = [Operation("rz", op.qubits, (-op.params[0],)) if op.name == "rz" else op for op in circuit.operations]
        exact = distribution(Circuit(circuit.num_qubits, circuit.num_clbits, wrong)).to_dict()
        counts = np.random.default_rng().multinomial(shots, list(exact.values()))
        return {key: int(count) for key, count in zip(exact, counts, strict=True) if count}

    with BackendServer(turned, port=0, name="turned") as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "phase.qasm"
    path.write_text(handed().to_openqasm3())
    return str(path)


def test_simulators_that_agree_give_0_and_a_record_and_a_report(file: str, tmp_path: Path, capsys):
    record, report = tmp_path / "r.json", tmp_path / "r.html"
    words = [
        "compare",
        file,
        "--on",
        "cirq,qulacs",
        "--runtime",
        "local",
        "--save",
        str(record),
        "--report",
        str(report),
    ]
    assert main(words) == 0
    assert "Both agree" in capsys.readouterr().out
    assert Comparison.load(record).all_agree
    assert "<html" in report.read_text()


def test_a_stranger_that_is_wrong_gives_1_and_the_cause_and_a_reproducer(file: str, wrong: str, capsys):
    assert main(["compare", file, "--on", "qulacs", "--at", wrong, "--runtime", "local", "--json"]) == 1
    comparison = json.loads(capsys.readouterr().out)
    row = comparison["cases"][0]["rows"][1]
    assert (row["verdict"], row["causes"][0]["name"]) == ("differs", "angle-negated:rz")
    assert comparison["cases"][0]["reproducers"][0]["operations"] <= 5


def test_one_that_does_not_answer_gives_2(file: str, capsys):
    assert main(["compare", file, "--on", "qulacs", "--at", "http://127.0.0.1:9", "--runtime", "local"]) == 2
    assert "127.0.0.1:9" in capsys.readouterr().out


def test_what_changed_since_an_older_record_is_said(file: str, tmp_path: Path, capsys):
    record = str(tmp_path / "r.json")
    words = ["compare", file, "--on", "qulacs", "--runtime", "local"]
    assert main([*words, "--save", record]) == 0
    assert main([*words, "--against", record]) == 0
    assert "nothing has changed" in capsys.readouterr().out


def test_locate_and_reduce_say_where_and_by_how_little(file: str, wrong: str, tmp_path: Path, capsys):
    assert main(["locate", file, "--at", wrong]) == 1
    assert "They differ after operation 3" in capsys.readouterr().out
    reduced = tmp_path / "reduced.qasm"
    assert main(["reduce", file, "--at", wrong, "--output", str(reduced)]) == 1
    assert "rz(" in reduced.read_text()


def test_two_that_agree_leave_nothing_to_locate(file: str, capsys):
    assert main(["locate", file, "--on", "qulacs", "--runtime", "local"]) == 0
    assert "agree" in capsys.readouterr().out


def test_verify_proves_an_installation(capsys):
    assert main(["verify", "--on", "qulacs", "--runtime", "local"]) == 0
    assert "qulacs" in capsys.readouterr().out


def test_parts_of_the_battery_are_chosen_by_name(capsys):
    words = ["verify", "--on", "qulacs", "--runtime", "local", "--groups"]
    assert main([*words, "bit order,seeds"]) == 0
    out = capsys.readouterr().out
    assert "seeds" in out
    assert "operand orders" not in out
    assert main([*words, "gaits"]) == 2
    assert "there is no group 'gaits': known are bit order, gates" in capsys.readouterr().err


def test_a_hunt_of_some_seconds_finds_nothing_in_a_right_simulator(capsys):
    assert main(["hunt", "--on", "qulacs", "--runtime", "local", "--minutes", "0.05", "--seed", "1"]) == 0
    assert "nothing was found" in capsys.readouterr().out
