"""What a simulator declares is what it does; the rest is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from support.circuits import bell, teleportation

from adapters.base import Adapter
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import first_unlowerable
from gateway.circuit.operations import Operation
from gateway.errors import LimitError, RequestError, UnsupportedError
from gateway.observables import observable_list
from gateway.results import ResultType, Sampling


def entangled(num_qubits: int) -> Circuit:
    """Return a circuit that acts on all its qubits and has no small description as gates go."""
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.ry(0.1 + qubit, qubit)
    return circuit


NEEDS = {"observables": observable_list(["ZZ"]), "bitstrings": ("00", "11")}


@pytest.mark.parametrize("kind", ResultType, ids=str)
def test_result_type_works_exactly_if_declared(run, kind):
    circuit = Circuit(2).h(0).cx(0, 1) if kind.of_state else bell()
    shots = None if kind.is_exact else 10
    details = {name: NEEDS[name] for name in kind.result_class.needs}
    if kind in run.capabilities.result_types:
        assert run(circuit, shots=shots, result=kind, **details).result.kind == kind
    else:
        with pytest.raises(UnsupportedError) as caught:
            run(circuit, shots=shots, result=kind, **details)
        assert caught.value.feature == str(kind)


def test_all_of_them_count(run):
    assert ResultType.COUNTS in run.capabilities.result_types


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1),
        Circuit(1, 1).h(0).reset(0).measure(0, 0),
        teleportation(),
    ],
    ids=["mid-circuit", "reset", "control"],
)
def test_dynamic_feature_works_exactly_if_declared(run, fit, circuit):
    """Where it is not declared, ``run`` makes sure that it is refused."""
    assert sum(run(fit(circuit), shots=10).counts.values()) == 10


@pytest.mark.parametrize("name", GATES)
def test_gate_is_taken_exactly_if_it_comes_down_to_those_declared(run, name):
    for angle in (0.4, np.pi / 2, np.pi / 2 + 1e-9, -np.pi, 0.0):
        gate = GATES[name]
        circuit = Circuit(5).h(0).gate(name, range(gate.num_qubits), [angle] * gate.num_params).measure_all()
        assert sum(run(circuit, shots=10).counts.values()) == 10


def test_own_sampler_is_refused_if_there_is_none(run):
    if run.capabilities.native_sampling:
        assert run(bell(), shots=10, sampling=Sampling.NATIVE).provenance.sampler == "native"
    else:
        with pytest.raises(UnsupportedError) as caught:
            run(bell(), shots=10, sampling=Sampling.NATIVE)
        assert caught.value.feature == "native sampling"


@pytest.mark.parametrize("request_", [{"shots": None}, {"shots": 10}], ids=["exact", "counts"])
def test_too_many_qubits_are_refused_with_the_number_that_fits(sized, fit, request_):
    with pytest.raises(LimitError) as caught:
        sized(fit(entangled(60).measure_all()), **request_)
    assert caught.value.requested == 60
    assert 16 <= caught.value.allowed < 60
    assert str(caught.value.allowed) in caught.value.message
    assert caught.value.simulator not in caught.value.supported_by


def test_number_that_fits_is_really_computed(sized, fit, adapter, monkeypatch):
    """With little memory the limit is small enough to go right up to it."""
    per_amplitude = sized.capabilities.bytes_per_amplitude
    monkeypatch.setattr("adapters.base.available_bytes", lambda: per_amplitude * 2**17 + 1)
    with pytest.raises(LimitError) as caught:
        sized(fit(entangled(18).measure_all()), shots=10)
    assert caught.value.allowed == 17
    assert sum(sized(fit(entangled(17).measure_all()), shots=10).counts.values()) == 10


def test_state_vector_too_large_is_refused(sized):
    with pytest.raises(LimitError):
        sized(Circuit(60).h(0), shots=None, result=ResultType.STATEVECTOR)


@pytest.mark.parametrize("kind", [kind for kind in ResultType if not kind.is_exact], ids=str)
def test_counts_without_shots_are_refused(run, kind):
    with pytest.raises(RequestError, match="needs a number of shots"):
        run(bell(), shots=None, result=kind)


EXACT = [kind for kind in ResultType if kind.is_exact and not kind.may_be_estimated]


@pytest.mark.parametrize("kind", EXACT, ids=str)
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
    assert (provenance.shots, provenance.seed) == (25, 3 if run.capabilities.seedable else None)
    assert provenance.bit_order == "clbit0-rightmost"
    assert provenance.build_s >= 0 < provenance.run_s


def test_adapter_keeps_its_row_of_the_registry(adapter: Adapter, row):
    assert adapter.name == row.name
    assert adapter.native_gates.keys() <= GATES.keys()
    gates = adapter.capabilities.gates
    if gates == "universal":
        assert {"u", "cx", "gphase"} <= adapter.native_gates.keys()
        return
    assert adapter.native_gates.keys() <= set(gates) <= GATES.keys()
    for gate in map(GATES.get, gates):
        operation = Operation(gate.name, tuple(range(gate.num_qubits)), (0.3,) * gate.num_params)
        assert first_unlowerable([operation], adapter.native_gates) is None, gate.name
