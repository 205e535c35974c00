from __future__ import annotations

from pathlib import Path

import pytest

from gateway.circuit import Circuit
from gateway.circuit.convert import as_circuit, as_source
from gateway.errors import CircuitSyntaxError, RequestError

TEXT = "OPENQASM 3.0;\nqubit q;\nbit c;\nc = measure q;\n"
MEASURED = Circuit(1, 1).measure(0, 0)


def test_circuits_and_text_are_passed_on_as_they_are():
    assert as_source(MEASURED) is MEASURED
    assert as_source(TEXT) is TEXT
    assert as_source("not even OpenQASM") == "not even OpenQASM"


def test_a_path_is_read(tmp_path: Path):
    path = tmp_path / "circuit.qasm"
    path.write_text(TEXT, encoding="utf-8")
    assert as_source(path) == TEXT
    assert as_circuit(path) == MEASURED


def test_text_becomes_a_circuit_where_one_is_needed():
    assert as_circuit(TEXT) == as_circuit(MEASURED) == MEASURED
    with pytest.raises(CircuitSyntaxError, match="line 1"):
        as_circuit("not even OpenQASM")


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content):
    path = tmp_path / "circuit.qasm"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=r"cannot read the circuit file .*circuit\.qasm"):
        as_source(path)


@pytest.mark.parametrize("source", [None, 7, b"OPENQASM 3;", {"num_qubits": 1}, [MEASURED]])
def test_anything_else_is_refused_by_its_type(source):
    with pytest.raises(RequestError, match=f"not {type(source).__name__}") as caught:
        as_source(source)
    assert caught.value.field == "circuits"
