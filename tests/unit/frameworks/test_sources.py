from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from gateway.circuit import Circuit, openqasm, parse
from gateway.errors import CircuitSyntaxError, FrameworkNotInstalled, RequestError
from gateway.frameworks import conversions
from gateway.frameworks.sources import as_circuit, as_source

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


def test_a_framework_that_is_absent_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "qulacs", None)
    for module in ("dumping", "gates", "parsing"):  # another test may have loaded the conversion with its Qulacs
        monkeypatch.delitem(sys.modules, f"gateway.frameworks.qulacs.{module}", raising=False)
        monkeypatch.delattr(f"gateway.frameworks.qulacs.{module}", raising=False)
    with pytest.raises(FrameworkNotInstalled, match="pip install qulacs"):
        MEASURED.to("qulacs")


def test_a_package_that_an_installed_framework_lacks_is_not_taken_for_the_framework(monkeypatch):
    def load() -> NoReturn:
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setitem(conversions._CONVERSIONS, "qiskit", load)
    with pytest.raises(ModuleNotFoundError, match="scipy"):
        MEASURED.to("qiskit")


@pytest.mark.parametrize("home", ["gateway", "gateway.circuit", "gateway.circuit.circuit"])
def test_a_circuit_from_any_of_its_homes_can_be_converted_at_once(home):
    code = f"from {home} import Circuit; print(type(Circuit(1).h(0).to('qiskit')).__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "QuantumCircuit\n"


def test_the_parsers_old_path_leads_to_the_new_one():
    with pytest.warns(DeprecationWarning, match=r"now gateway\.circuit\.parse"):
        assert openqasm.parse is parse
