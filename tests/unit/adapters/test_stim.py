from __future__ import annotations

import subprocess
import sys

import pytest
from support.circuits import bell
from support.reference import distribution
from support.serving import environment
from support.statistics import assert_drawn_from

from adapters import base
from adapters.stim import MOST_OUTCOMES, StimAdapter
from gateway.circuit import Circuit, Comparison
from gateway.errors import LimitError, UnsupportedError
from gateway.observables import PauliSum, observable_list
from gateway.results import ResultType, Sampling
from gateway.run_details import RunDetails


@pytest.fixture(scope="module")
def adapter():
    return StimAdapter()


def ghz(num_qubits):
    circuit = Circuit(num_qubits).h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    return circuit.measure_all()


@pytest.mark.parametrize("num_qubits", [50, 1000])
def test_a_wide_state_is_sampled_and_its_probabilities_are_exact(adapter, num_qubits):
    ends = {"0" * num_qubits, "1" * num_qubits}
    counts = adapter.run(ghz(num_qubits), shots=1000, seed=1)
    assert set(counts) == ends
    assert 400 < counts["0" * num_qubits] < 600
    assert dict(adapter.run(ghz(num_qubits), shots=None)) == dict.fromkeys(ends, 0.5)


def test_probabilities_of_too_many_outcomes_are_refused_with_how_many_there_may_be(adapter):
    circuit = Circuit(1000)
    for qubit in range(1000):
        circuit.h(qubit)
    with pytest.raises(LimitError, match="ask for shots") as caught:
        adapter.run(circuit.measure_all(), shots=None)
    assert (caught.value.limit, caught.value.allowed) == ("outcomes", MOST_OUTCOMES)
    assert caught.value.requested > MOST_OUTCOMES
    assert len(adapter.run(circuit, shots=100, seed=1)) == 100


def test_an_angle_that_stim_would_round_is_refused(adapter):
    with pytest.raises(UnsupportedError, match=r"operation 1 \(ry\(0.5\) 0\): stim does not have this gate") as caught:
        adapter.run(Circuit(1).h(0).ry(0.5, 0).measure_all(), shots=10)
    assert (caught.value.gate, caught.value.operation) == ("ry", 1)
    assert "qulacs" in caught.value.supported_by


SAYABLE = {
    "if a bit is 1": Circuit(2, 2).h(0).measure(0, 0).y(1, when={0: 1}).measure(1, 1),
    "if a bit is 0": Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 0}).measure(1, 1),
    "if a bit differs": Circuit(2, 2).h(0).measure(0, 0).x(1, when=Comparison((0,), 1, equal=False)).measure(1, 1),
    "a phase between": Circuit(2, 2).h(0).h(1).measure(0, 0).z(1, when={0: 1}).h(1).measure(1, 1),
    "an overwritten bit": Circuit(3, 2).h(0).measure(0, 0).x(1).measure(1, 0).x(2, when={0: 1}).measure(2, 1),
    "bits that show nothing": Circuit(2, 3).h(0).measure(0, 0).x(1, when={0: 1, 2: 0}).measure(1, 1),
    "never": Circuit(2, 3).h(0).measure(0, 0).x(1, when={2: 1}).h(1, when={0: 1, 2: 1}).measure(1, 1),
}
BEYOND = {
    "a conjunction": Circuit(3, 3).h(0).h(1).measure(0, 0).measure(1, 1).x(2, when={0: 1, 1: 0}).measure(2, 2),
    "bits that differ": Circuit(3, 3)
    .h(0)
    .h(1)
    .measure(0, 0)
    .measure(1, 1)
    .x(2, when=(Comparison((0, 1), 3, equal=False), Comparison((0,), 0)))
    .measure(2, 2),
    "no Pauli gate": Circuit(2, 2).h(0).measure(0, 0).h(1, when={0: 1}).measure(1, 1),
    "a reset": Circuit(2, 2).h(0).x(1).measure(0, 0).reset(1, when={0: 1}).measure(1, 1),
    "a measurement": Circuit(2, 2).h(0).x(1).measure(0, 0).measure(1, 1, when={0: 1}),
}


@pytest.mark.parametrize("circuit", SAYABLE.values(), ids=list(SAYABLE))
def test_a_condition_that_stim_can_say_goes_to_its_sampler(adapter, circuit):
    counts = adapter.run(circuit, shots=2000, seed=3, sampling=Sampling.NATIVE)
    assert counts.provenance.sampler == "native"
    assert_drawn_from(counts, distribution(circuit))


@pytest.mark.parametrize("circuit", BEYOND.values(), ids=list(BEYOND))
def test_a_condition_that_stim_cannot_say_is_followed_by_the_shared_driver(adapter, circuit):
    counts = adapter.run(circuit, shots=2000, seed=3)
    assert counts.provenance.sampler == "shared"
    assert_drawn_from(counts, distribution(circuit))
    assert adapter.run(circuit, shots=2000, seed=3) == counts
    with pytest.raises(UnsupportedError, match="leave sampling at 'auto'") as caught:
        adapter.run(circuit, shots=2000, sampling=Sampling.NATIVE)
    assert caught.value.feature == "native conditions"


@pytest.mark.parametrize("circuit", [*SAYABLE.values(), *BEYOND.values()], ids=[*SAYABLE, *BEYOND])
def test_probabilities_with_conditions_are_exact(adapter, circuit):
    assert dict(adapter.run(circuit, shots=None)) == pytest.approx(distribution(circuit))


def test_many_shots_of_a_wide_circuit_are_drawn_in_parts(adapter, monkeypatch):
    monkeypatch.setattr("adapters.stim._BYTES_AT_ONCE", 300)
    for circuit in (bell(), BEYOND["a conjunction"]):
        assert_drawn_from(adapter.run(circuit, shots=2000, seed=3), distribution(circuit))


def test_each_outcome_of_linked_qubits_is_found_once(adapter):
    circuit = Circuit(6).h(0).h(1).cx(0, 2).cx(1, 2).cx(2, 3).x(3).cz(0, 4).h(4).s(5).measure_all()
    assert dict(adapter.run(circuit, shots=None)) == pytest.approx(distribution(circuit))


def test_a_circuit_whose_measurements_never_happen_shows_zeros(adapter):
    circuit = Circuit(2, 2).x(0).measure(0, 0, when={1: 1})
    assert dict(adapter.run(circuit, shots=5)) == {"00": 5}
    assert dict(adapter.run(circuit, shots=None)) == {"00": 1.0}


PEAK = """
from resource import RUSAGE_SELF, getrusage
from adapters.stim import StimAdapter
from gateway.circuit import Circuit
circuit = Circuit(2048, 1).h(0)
for qubit in range(2047):
    circuit.cx(qubit, qubit + 1)
adapter = StimAdapter()
adapter.run(circuit.measure(2047, 0), shots=10)
before = getrusage(RUSAGE_SELF).ru_maxrss
adapter.run(circuit, shots=500_000)
print(getrusage(RUSAGE_SELF).ru_maxrss - before)
"""


def test_many_shots_of_many_qubits_are_drawn_in_parts():
    found = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True, env=environment())
    assert int(found.stdout) < 64 * 2**10  # KiB; all at once would take 256 MB


def test_a_tableau_that_does_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr(base, "available_bytes", lambda: 10**7)
    with pytest.raises(LimitError, match=r"4000 qubits do not fit .* at most [0-9,]+ do"):
        StimAdapter().run(ghz(4000), shots=1)


# ---------------------------------------------------------------------- expectation values and memory


def test_expectation_values_of_thousands_of_qubits_come_from_the_tableau(adapter):
    gates = Circuit(2000, 0, [op for op in ghz(2000).operations if op.name != "measure"])
    every_x = PauliSum([("X" * 2000, range(2000), 1)])
    details = RunDetails(observables=observable_list(["Z0 Z1999", "Z7", every_x, {"Z1 Z2": 2, "": 0.5}]))
    found = adapter.run(gates, shots=None, result=ResultType.EXPECTATION, details=details)
    assert found.values == (1, 0, 1, 2.5)
    estimate = adapter.run(gates, shots=10, seed=1, result=ResultType.EXPECTATION, details=details)
    assert (estimate[0], estimate[2], estimate[3]) == (1, 1, 2.5)


def test_a_memory_is_in_the_order_of_the_sampler_in_as_many_parts_as_it_draws(adapter, monkeypatch):
    circuit = Circuit(3, 12).h(0).cx(0, 1).measure(0, 0).measure(1, 9).measure(2, 4).x(2).measure(2, 11)
    monkeypatch.setattr("adapters.stim._BYTES_AT_ONCE", 300)
    found = adapter.run(circuit, shots=1000, seed=1, result=ResultType.MEMORY)
    assert found.provenance.sampler == "native"
    assert_drawn_from(found.counts(), distribution(circuit))
    counts = adapter.run(circuit, shots=1000, seed=1)
    assert found.counts() == counts


def test_a_memory_after_a_condition_that_the_sampler_lacks_is_drawn_by_the_driver(adapter):
    circuit = Circuit(2, 2).h(0).measure(0, 0).h(1, when={0: 1}).measure(1, 1)
    found = adapter.run(circuit, shots=500, seed=1, result=ResultType.MEMORY)
    assert found.provenance.sampler == "shared"
    assert_drawn_from(found.counts(), distribution(circuit))


def test_a_memory_of_nothing_that_is_measured_into_it_is_zeros(adapter):
    circuit = Circuit(1, 9).h(0).measure(0, 0)
    found = adapter.run(circuit, shots=3, result=ResultType.MEMORY, details=RunDetails(clbits=(3, 8)))
    assert list(found) == ["00"] * 3
