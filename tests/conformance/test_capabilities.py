"""What a simulator declares is what it does; the rest is refused by name."""

from __future__ import annotations

import pytest
from support.circuits import bell, teleportation

from adapters.base import Adapter
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.errors import LimitError, RequestError, UnsupportedError
from gateway.results import ResultType, Sampling


def entangled(num_qubits: int) -> Circuit:
    """Return a circuit that acts on all its qubits and has no small description as gates go."""
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.ry(0.1 + qubit, qubit)
    return circuit


@pytest.mark.parametrize("kind", ResultType, ids=str)
def test_result_type_works_exactly_if_declared(run, kind):
    circuit = Circuit(2).h(0).cx(0, 1) if kind is ResultType.STATEVECTOR else bell()
    shots = 10 if kind is ResultType.COUNTS else None
    if kind in run.capabilities.result_types:
        outcome = run(circuit, shots=shots, result=kind)
        assert getattr(outcome, str(kind)) is not None
    else:
        with pytest.raises(UnsupportedError) as caught:
            run(circuit, shots=shots, result=kind)
        assert caught.value.feature == str(kind)


def test_all_of_them_count(run):
    assert ResultType.COUNTS in run.capabilities.result_types


@pytest.mark.parametrize(
    ("declared", "circuit"),
    [
        ("mid_circuit_measurement", Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1)),
        ("reset", Circuit(1, 1).h(0).reset(0).measure(0, 0)),
        ("classical_control", teleportation()),
    ],
    ids=["mid-circuit", "reset", "control"],
)
def test_dynamic_feature_works_exactly_if_declared(run, declared, circuit):
    if getattr(run.capabilities, declared):
        assert sum(run(circuit, shots=10).counts.values()) == 10
    else:
        with pytest.raises(UnsupportedError):
            run(circuit, shots=10)


def test_own_sampler_is_refused_if_there_is_none(run):
    if run.capabilities.native_sampling:
        assert run(bell(), shots=10, sampling=Sampling.NATIVE).provenance.sampler == "native"
    else:
        with pytest.raises(UnsupportedError) as caught:
            run(bell(), shots=10, sampling=Sampling.NATIVE)
        assert caught.value.feature == "native sampling"


@pytest.mark.parametrize("request_", [{"shots": None}, {"shots": 10}], ids=["exact", "counts"])
def test_too_many_qubits_are_refused_with_the_number_that_fits(run, request_):
    if run.capabilities.bytes_per_amplitude is None:
        pytest.skip("its memory does not follow from the number of qubits")
    with pytest.raises(LimitError) as caught:
        run(entangled(60).measure_all(), **request_)
    assert caught.value.requested == 60
    assert 16 <= caught.value.allowed < 60
    assert str(caught.value.allowed) in caught.value.message


def test_number_that_fits_is_really_computed(run, adapter, monkeypatch):
    """With little memory the limit is small enough to go right up to it."""
    per_amplitude = run.capabilities.bytes_per_amplitude
    if per_amplitude is None:
        pytest.skip("its memory does not follow from the number of qubits")
    monkeypatch.setattr("adapters.base.available_bytes", lambda: per_amplitude * 2**17 + 1)
    with pytest.raises(LimitError) as caught:
        run(entangled(18).measure_all(), shots=10)
    assert caught.value.allowed == 17
    assert sum(run(entangled(17).measure_all(), shots=10).counts.values()) == 10


def test_state_vector_too_large_is_refused(run):
    if run.capabilities.bytes_per_amplitude is None:
        pytest.skip("its memory does not follow from the number of qubits")
    with pytest.raises(LimitError):
        run(Circuit(60).h(0), shots=None, result=ResultType.STATEVECTOR)


def test_counts_without_shots_are_refused(run):
    with pytest.raises(RequestError, match="shots"):
        run(bell(), shots=None, result=ResultType.COUNTS)


@pytest.mark.parametrize("kind", [ResultType.PROBABILITIES, ResultType.STATEVECTOR], ids=str)
def test_exact_results_with_shots_are_refused(run, kind):
    with pytest.raises(RequestError, match="leave shots out"):
        run(bell(), shots=10, result=kind)


@pytest.mark.parametrize("shots", [0, -5])
def test_shots_below_1_are_refused(run, shots):
    with pytest.raises(RequestError, match="shots"):
        run(bell(), shots=shots)


def test_provenance_says_where_the_result_comes_from(run, row):
    provenance = run(bell(), shots=25, seed=3).provenance
    assert provenance.simulator == row.name
    assert provenance.version[0].isdigit()
    assert (provenance.shots, provenance.seed) == (25, 3)
    assert provenance.bit_order == "clbit0-rightmost"
    assert provenance.build_s >= 0 < provenance.run_s


def test_adapter_keeps_its_row_of_the_registry(adapter: Adapter, row):
    assert adapter.name == row.name
    assert adapter.native_gates.keys() <= GATES.keys()
    assert {"u", "cx", "gphase"} <= adapter.native_gates.keys()
