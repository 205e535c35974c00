from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from support.circuits import bell

from gateway import Circuit
from gateway.circuit import parse
from gateway.compare.circuits import named_circuits
from gateway.errors import CircuitInvalidError, CircuitSyntaxError, RequestError

TEXT = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[1] a; bit b; h q[0]; a[0] = measure q[0]; b = measure q[1];'


def test_one_circuit_a_list_and_a_mapping_have_names():
    assert [circuit.name for circuit in named_circuits(bell())] == ["circuit"]
    assert [circuit.name for circuit in named_circuits([bell(), TEXT])] == ["circuit 1", "circuit 2"]
    assert [circuit.name for circuit in named_circuits({"bell": bell()})] == ["bell"]


def test_files_have_their_own_names_and_equal_names_get_numbers(tmp_path: Path):
    (tmp_path / "a").mkdir()
    paths = [tmp_path / "bell.qasm", tmp_path / "a" / "bell.qasm"]
    for path in paths:
        path.write_text(TEXT)
    assert [circuit.name for circuit in named_circuits(paths)] == ["bell.qasm", "bell.qasm (2)"]
    assert named_circuits(paths[0])[0].name == "bell.qasm"


def test_the_text_is_the_callers_own_where_there_is_one():
    (of_text,), (of_circuit,) = named_circuits(TEXT), named_circuits(bell())
    assert of_text.source == of_text.text == TEXT
    assert of_text.sha256 == sha256(TEXT.encode()).hexdigest()
    assert parse(of_circuit.text) == bell()


@pytest.mark.parametrize(
    ("declared", "sizes"),
    [
        ("bit[2] a; bit b;", (2, 1)),
        ("bit[2] a; // bit[7] z;\n/* creg y[3]; */ bit b;", (2, 1)),
        ("bit a; bit[2] b;", (1, 2)),
        ("const int n = 2; bit[n] a; bit b;", None),
    ],
)
def test_the_sizes_of_registers_come_from_the_text(declared: str, sizes: tuple[int, ...] | None):
    written = "b[0]" if "] b" in declared else "b"
    text = f'OPENQASM 3; include "stdgates.inc"; qubit[2] q; {declared} h q[0]; {written} = measure q[0];'
    assert named_circuits(text)[0].registers == sizes


def test_the_sizes_of_registers_are_read_in_version_2_too():
    text = "OPENQASM 2.0; qreg q[1]; creg a[3]; creg b[2]; measure q[0] -> a[0];"
    assert named_circuits(text)[0].registers == (3, 2)


def test_a_circuit_that_was_no_text_has_no_registers():
    assert named_circuits(bell())[0].registers is None


def test_a_circuit_says_whether_it_measures():
    assert named_circuits(bell())[0].is_measured
    assert not named_circuits(Circuit(1).h(0))[0].is_measured


@pytest.mark.parametrize("circuits", [[], {}, 7, [7], None], ids=repr)
def test_what_is_no_circuit_is_refused(circuits):
    with pytest.raises(RequestError, match="circuit"):
        named_circuits(circuits)


def test_a_wrong_circuit_is_refused():
    with pytest.raises(CircuitSyntaxError):
        named_circuits("OPENQASM 3; qubit[2 q;")
    wrong = Circuit(1)
    wrong.operations.append(bell().operations[1])
    with pytest.raises(CircuitInvalidError):
        named_circuits(wrong)


def test_a_record_s_text_calls_every_gate_by_its_name_so_that_it_shows_the_same_fault_again():
    circuit = Circuit(4).c3x(0, 1, 2, 3).rzx(0.3, 0, 1).measure_all()
    (named,) = named_circuits(circuit)
    assert parse(named.text) == circuit
