"""A circuit that runs at many points gives at each of them what the bound circuit gives alone, to the last bit."""

from __future__ import annotations

from math import pi

import pytest

from adapters.base import Adapter
from gateway.circuit import Circuit, parameter
from gateway.circuit.gates import GATES
from gateway.circuit.points import Points
from gateway.observables import observable_list
from gateway.results import Result, ResultType, Sampling
from gateway.run_details import RunDetails

SHOTS = 200
SEED = 2**32 - 2
"""The seeds of later points begin at 0 again."""

A, B = parameter("a"), parameter("b")


def gates(num_clbits: int = 0) -> Circuit:
    """Return gates of many kinds, native and lowered, on qubits of which one is idle."""
    circuit = Circuit(4, num_clbits).h(0).h(3)
    circuit.rx(A, 0).ry(A + B, 1).rz(-B, 0).p(A * 2, 3).u(A, B, A - B, 1).cx(0, 1).rzz(B, 1, 3).rxx(A, 0, 3)
    circuit.crz(2 * A, 0, 1).cu(A, B, -A, B, 1, 3).xx_plus_yy(A, B, 0, 3).cu3(B, A, B, 3, 1).gphase(A).rx(0.5 * pi, 1)
    return circuit.h(0).ry(B, 3)


def turns() -> Circuit:
    """Return gates that are Clifford gates where the parameters are quarters of a turn."""
    return Circuit(4, 4).h(0).rx(A, 0).ry(A + B, 1).cx(0, 1).rz(-B, 0).p(A, 3).cx(1, 3).u(A, B, A, 1).h(0).ry(B, 3)


def rotations(num_clbits: int = 0) -> Circuit:
    """Return gates whose angles a simulator may be able to change in a circuit that it has."""
    circuit = Circuit(4, num_clbits).h(0).h(1).rx(A, 3)
    circuit.rx(A, 0).ry(A + B, 1).rz(-B, 2).rxx(A, 0, 1).ryy(B, 1, 2).rzz(A - B, 2, 0).rzx(B, 1, 0).ms(A, 0, 2)
    return circuit.rx(0.3, 1).cx(0, 1).rz(A, 0).ry(B, 0)


def measured(circuit: Circuit) -> Circuit:
    return circuit.measure(0, 2).measure(1, 0).measure(3, 1)


def dynamic(circuit: Circuit) -> Circuit:
    """Append measurements, a reset and conditions to gates."""
    circuit.measure(0, 0).rx(A, 1, when={0: 1}).ry(B, 3).reset(0).ry(A, 0).measure(1, 1)
    return circuit.rx(A + B, 3, when={0: 0, 1: 1}).measure(0, 2).measure(3, 3)


@pytest.fixture
def is_universal(adapter: Adapter) -> bool:
    return adapter.capabilities.gates == "universal"


@pytest.fixture
def points(is_universal) -> Points:
    if is_universal:
        return Points({"a": [0.3, 2.9, 0.0, -1.7, 0.3], "b": [1.1, 1.1, -0.4, 40.0, 1.1]}, 5)
    return Points({"a": [0.0, pi / 2, -pi, pi / 2], "b": [pi / 2, pi / 2, 0.0, 1.5 * pi]}, 4)


@pytest.fixture
def assert_same(adapter: Adapter, points: Points):
    """Return what compares a sweep with single runs."""

    def compare(circuit: Circuit, *, shots: int | None, **options: object) -> None:
        seed = None if shots is None or not adapter.capabilities.seedable else SEED
        alone = [
            adapter.run(
                circuit.bind(points.at(k)), shots=shots, seed=None if seed is None else (seed + k) % 2**32, **options
            )
            for k in range(points.size)
        ]
        together = list(adapter.run_points(circuit, points, shots=shots, seed=seed, **options))
        for one, other in zip(alone, together, strict=True):
            assert type(one) is type(other)
            assert without_times(one) == without_times(other)
            if seed is not None or shots is None:
                assert one.to_wire() == other.to_wire()

    return compare


def without_times(result: Result) -> object:
    """Return what the provenance says about the run itself."""
    provenance = result.provenance
    return provenance.shots, provenance.sampler, provenance.seed if provenance.seed in SEEDS else None, result.width


SEEDS = {(SEED + k) % 2**32 for k in range(5)}


@pytest.fixture
def circuit(is_universal) -> Circuit:
    return gates(4) if is_universal else turns()


@pytest.mark.parametrize("sampling", Sampling, ids=str)
def test_counts_of_each_point_are_those_of_the_circuit_alone(assert_same, circuit, sampling):
    assert_same(measured(circuit), shots=SHOTS, sampling=sampling)


@pytest.mark.parametrize("sampling", Sampling, ids=str)
def test_counts_of_rotations_are_those_of_the_circuit_alone(assert_same, is_universal, sampling):
    if is_universal:
        assert_same(rotations(3).measure(0, 0).measure(1, 1).measure(2, 2), shots=SHOTS, sampling=sampling)


def test_counts_of_a_dynamic_circuit_are_those_of_the_circuit_alone(assert_same, circuit):
    assert_same(dynamic(circuit), shots=SHOTS)


def test_counts_of_a_dynamic_circuit_of_rotations_are_those_of_the_circuit_alone(assert_same, is_universal):
    if is_universal:
        assert_same(dynamic(rotations(4)), shots=SHOTS)


@pytest.mark.usefixtures("probabilities")
def test_probabilities_of_each_point_are_those_of_the_circuit_alone(assert_same, circuit):
    assert_same(measured(circuit), shots=None)
    assert_same(dynamic(circuit), shots=None)


OBSERVABLES = observable_list(["ZZIZ", {"X0 X3": 0.5, "Z1": -1, "": 2}, {"Y0 Y1": 1, "X2": 3}])
KINDS = [
    (ResultType.MEMORY, SHOTS, {}),
    (ResultType.MEMORY, SHOTS, {"clbits": (2, 0)}),
    (ResultType.EXPECTATION, None, {"observables": OBSERVABLES}),
    (ResultType.EXPECTATION, SHOTS, {"observables": OBSERVABLES}),
]


@pytest.mark.parametrize("circuit_of", [measured, dynamic], ids=["static", "dynamic"])
@pytest.mark.parametrize(("kind", "shots", "details"), KINDS, ids=lambda value: str(value)[:20])
def test_other_results_of_each_point_are_those_of_the_circuit_alone(
    assert_same, adapter, circuit, circuit_of, kind, shots, details
):
    if kind in adapter.capabilities.result_types:
        assert_same(circuit_of(circuit), shots=shots, result=kind, details=RunDetails(**details))


def test_expectation_values_of_the_simulators_own_sampler_are_those_of_the_circuit_alone(assert_same, adapter, circuit):
    if ResultType.EXPECTATION in adapter.capabilities.result_types and adapter.capabilities.native_sampling:
        details = RunDetails(observables=OBSERVABLES)
        assert_same(circuit, shots=SHOTS, result=ResultType.EXPECTATION, details=details, sampling=Sampling.NATIVE)


@pytest.mark.parametrize(
    ("kind", "details"), [(ResultType.AMPLITUDES, {"bitstrings": ("0000", "1011")}), (ResultType.DENSITY_MATRIX, {})]
)
def test_parts_of_states_of_each_point_are_those_of_the_circuit_alone(assert_same, adapter, kind, details):
    if kind in adapter.capabilities.result_types:
        assert_same(gates(), shots=None, result=kind, details=RunDetails(**details))


@pytest.mark.parametrize("circuit_of", [measured, dynamic], ids=["static", "dynamic"])
def test_density_matrices_of_mixtures_at_each_point_are_those_of_the_circuit_alone(assert_same, adapter, circuit_of):
    if ResultType.DENSITY_MATRIX in adapter.capabilities.result_types:
        assert_same(circuit_of(gates(4)), shots=None, result=ResultType.DENSITY_MATRIX)


@pytest.mark.usefixtures("exact_run")
@pytest.mark.parametrize("gate", [gate for gate in GATES.values() if gate.num_params], ids=lambda gate: gate.name)
def test_state_vectors_of_every_gate_are_those_of_the_circuit_alone(assert_same, gate):
    n = max(gate.num_qubits, 1)
    circuit = Circuit(n)
    for qubit in range(n):
        circuit.u(0.3 + qubit, 0.2, 0.1, qubit)
    angles = [(A, B, A - B, A * B)[k % 4] for k in range(gate.num_params)]
    circuit.barrier().gate(gate.name, range(gate.num_qubits)[::-1], angles).rx(A, 0).ry(B, 0)
    assert_same(circuit, shots=None, result=ResultType.STATEVECTOR)


@pytest.mark.usefixtures("exact_run")
def test_state_vectors_of_each_point_are_those_of_the_circuit_alone(assert_same):
    assert_same(gates(), shots=None, result=ResultType.STATEVECTOR)
    assert_same(rotations(), shots=None, result=ResultType.STATEVECTOR)


def test_wide_counts_of_each_point_are_those_of_the_circuit_alone(assert_same):
    circuit = Circuit(14, 14)
    for qubit in range(14):
        circuit.h(qubit).rz(A + B, qubit).h(qubit).measure(qubit, 13 - qubit)
    assert_same(circuit, shots=50)


def test_a_point_is_not_changed_by_those_before_it(adapter: Adapter, points: Points, circuit):
    again = [points.size - 1, 0, points.size - 1]
    order = Points({name: [column[k] for k in again] for name, column in points.columns.items()}, 3)
    options = {"shots": SHOTS} if adapter.capabilities.seedable else {"shots": None}
    first = next(adapter.run_points(measured(circuit), order.part(0, 1), seed=5, **options))
    last = list(adapter.run_points(measured(circuit), order, seed=3, **options))[2]
    assert first.to_wire() == last.to_wire()
