"""What a run holds in memory by the estimate, against what it may use."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from adapters.shared.memory import available_bytes
from gateway.circuit import Circuit
from gateway.claims import Account
from gateway.errors import BusyError, LimitError, RequestError
from gateway.noise import NoiseModel
from gateway.resources import Resources
from gateway.results import ResultType, Sampling
from gateway.run_details import RunDetails
from gateway.simulators import SIMULATORS, load
from tests.support.fakes import NumpyAdapter

MIB = 2**20


@pytest.fixture
def limited():
    """Return an adapter whose runs may hold 64 MiB besides the reserve."""
    adapter = NumpyAdapter()
    adapter.use(Resources(memory=128 * MIB))
    return adapter


def uniform(num_qubits, num_clbits=None):
    circuit = Circuit(num_qubits, num_clbits or num_qubits)
    for qubit in range(num_qubits):
        circuit.h(qubit).measure(qubit, qubit)
    return circuit


@pytest.mark.parametrize("shots", [None, 100_000])
def test_bitstrings_that_do_not_fit_are_refused_before_they_are_written(limited, shots):
    with pytest.raises(
        LimitError, match=r"outcomes of 20,000 clbits do not fit .* fewer shots or fewer clbits"
    ) as caught:
        limited.run(uniform(12, 20_000), shots=shots)
    assert (caught.value.limit, caught.value.requested) == ("outcomes", 4_096)
    assert 0 < caught.value.allowed < 4_096


def test_few_outcomes_fit_however_wide_they_are(limited):
    circuit = Circuit(11, 20_000).h(0)
    for qubit in range(10):
        circuit.cx(qubit, qubit + 1).measure(qubit, qubit)
    assert len(limited.run(circuit, shots=None)) == 2


def test_outcomes_of_branches_are_counted_as_they_grow(limited):
    circuit = Circuit(1, 3_000)
    for clbit in range(14):
        circuit.h(0).measure(0, clbit)
    with pytest.raises(LimitError, match="outcomes of 3,000 clbits") as caught:
        limited.run(circuit, shots=None)
    assert caught.value.limit == "outcomes"


def test_outcomes_that_readout_errors_add_are_counted():
    adapter = load(SIMULATORS["qulacs"].adapter)
    adapter.use(Resources(memory=128 * MIB))
    circuit = Circuit(1, 24)
    for clbit in range(24):
        circuit.measure(0, clbit)
    details = RunDetails(noise=NoiseModel().readout_error(0.1))
    with pytest.raises(LimitError, match="outcomes of 24 clbits do not fit") as caught:
        adapter.run(circuit, shots=None, details=details)
    assert (caught.value.limit, caught.value.requested) == ("outcomes", 2**19)


def test_branches_with_the_same_outcome_are_counted_once(limited):
    circuit = Circuit(1, 3_000)
    for _ in range(12):
        circuit.h(0).measure(0, 0)
    assert len(limited.run(circuit, shots=None)) == 2


def test_a_state_vector_counts_its_answer(limited):
    with pytest.raises(LimitError, match="20 qubits do not fit") as caught:
        limited.run(Circuit(20).h(0), shots=None, result=ResultType.STATEVECTOR)
    allowed = caught.value.allowed
    assert len(limited.run(Circuit(allowed).h(0), shots=None, result=ResultType.STATEVECTOR)) == 2**allowed


def test_operations_that_do_not_fit_are_refused_with_the_number_that_does(limited):
    circuit = Circuit(1)
    for _ in range(40_000):
        circuit.h(0)
    with pytest.raises(LimitError, match="40,001 operations do not fit") as caught:
        limited.run(circuit.measure_all(), shots=1)
    assert caught.value.limit == "operations"
    assert 1_000 < caught.value.allowed < 40_000


def test_shots_of_the_simulators_own_sampler_are_counted(limited):
    with pytest.raises(LimitError, match="1,000,000 shots do not fit") as caught:
        limited.run(uniform(4), shots=1_000_000, sampling=Sampling.NATIVE)
    assert caught.value.limit == "shots"
    assert limited.run(uniform(4), shots=1_000_000).shots == 1_000_000  # the shared sampler needs no memory for shots


def test_a_measured_qubit_that_is_reset_takes_no_state_more(limited):
    circuit = Circuit(18, 200)
    for qubit in range(18):
        circuit.h(qubit)
    for clbit in range(100):
        circuit.reset(0).measure(0, clbit)
    assert limited.run(circuit, shots=2).shots == 2


@pytest.mark.parametrize("text", ["2e9", "2_000_000_000", "much", "1", "-2g", " "])
def test_a_variable_that_is_no_size_is_refused_wherever_it_is_read(text, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_MEMORY_BYTES", text)
    for read in (available_bytes, NumpyAdapter().available_bytes, lambda: load("tests.support.fakes:NumpyAdapter")):
        with pytest.raises(RequestError, match="GATEWAY_MEMORY_BYTES must be"):
            read()


@pytest.mark.parametrize(("text", "mib"), [("2g", 2048), (" 400000000", 381), ("1.5GiB", 1536)])
def test_a_variable_that_is_a_size_is_what_a_run_may_hold(text, mib, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_MEMORY_BYTES", text)
    assert available_bytes() // MIB <= mib - 64
    assert NumpyAdapter().available_bytes() // MIB <= mib - 64


def test_what_the_settings_give_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GATEWAY_MEMORY_BYTES", "512m")
    adapter = NumpyAdapter()
    adapter.use(Resources(memory="256m"))
    assert adapter.available_bytes() == 192 * MIB


def test_a_run_waits_for_the_memory_of_others_and_is_then_told_to_try_again(monkeypatch: pytest.MonkeyPatch, tmp_path):
    account = Account(tmp_path / "runtime")
    monkeypatch.setattr("adapters.shared.room.ACCOUNT", account)
    monkeypatch.setattr("adapters.shared.room.unclaimed_bytes", lambda: 64 * MIB)
    others = account.claim(60 * MIB, lambda: 64 * MIB, 0)
    adapter = NumpyAdapter()
    adapter.end_by(time.monotonic() + 0.05)
    with pytest.raises(BusyError, match="other runs on this machine hold the memory"):
        adapter.run(uniform(18), shots=1)
    assert adapter.run(uniform(4), shots=1).shots == 1  # a small run claims nothing
    account.release(others)
    assert adapter.run(uniform(18), shots=1).shots == 1
    assert account._claims == []


WITHOUT_STRUCTURE = """
import resource
from gateway.circuit import Circuit
from gateway.errors import OutOfMemory
from gateway.simulators import SIMULATORS, load

circuit = Circuit(17)
for layer in range(6):
    for qubit in range(17):
        circuit.u(0.3 * qubit + layer, 0.7 * layer + qubit, 0.1 + 0.2 * qubit * layer, qubit)
    for qubit in range(layer % 2, 16, 2):
        circuit.cx(qubit, qubit + 1)
adapter = load(SIMULATORS["mqt"].adapter)
before = resource.getrlimit(resource.RLIMIT_DATA)
try:
    adapter.run(circuit.measure_all(), shots=10)
except OutOfMemory as exc:
    print(exc)
assert resource.getrlimit(resource.RLIMIT_DATA) == before
assert adapter.run(Circuit(2).h(0).cx(0, 1).measure_all(), shots=5).shots == 5
"""


@pytest.mark.needs("mqt")
def test_a_decision_diagram_without_structure_ends_with_a_sentence_about_it():
    # In a process of its own: one that has run other circuits takes what these have freed.
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_STRUCTURE],
        env={**os.environ, "GATEWAY_MEMORY_BYTES": "64m", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "states without structure" in process.stdout
