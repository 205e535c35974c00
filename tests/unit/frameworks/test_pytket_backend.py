"""Our backends as pytket expects backends to be."""

from __future__ import annotations

import numpy as np
import pytest
from pytket.backends import Backend as PytketBackend
from pytket.backends import ResultHandle, StatusEnum
from pytket.backends.backend import ResultHandleTypeError
from pytket.backends.backend_exceptions import CircuitNotRunError, CircuitNotValidError
from pytket.backends.backendinfo import BackendInfo
from pytket.circuit import BasisOrder, Bit, CircBox, OpType, Qubit, fresh_symbol
from pytket.circuit import Circuit as TketCircuit
from pytket.partition import PauliPartitionStrat
from pytket.pauli import Pauli, QubitPauliString
from pytket.utils import QubitPauliOperator
from pytket.utils.expectations import get_operator_expectation_value, get_pauli_expectation_value
from support.fake import Does, fake
from support.measuring import Measuring

from gateway.backends.base import Backend
from gateway.backends.local import LocalSimulator
from gateway.errors import JobCancelled, JobTimeout, SimulatorError
from gateway.frameworks.pytket.backend import GatewayBackend


@pytest.fixture(scope="module")
def backend(simulator: Backend) -> GatewayBackend:
    return GatewayBackend(simulator)


def test_it_says_what_it_can(backend: GatewayBackend):
    assert isinstance(backend, PytketBackend)
    can = (backend.supports_counts, backend.supports_shots, backend.supports_state, backend.supports_unitary)
    assert can == (True, True, False, False)
    assert (backend.supports_expectation, backend.supports_contextual_optimisation) == (True, True)
    assert not backend.persistent_handles


def test_its_info_has_the_simulators_name_and_what_it_takes(backend: GatewayBackend, simulator: Backend):
    info = backend.backend_info
    assert (info.name, info.device_name, info.version) == (
        "GatewayBackend", simulator.status().name, simulator.status().version,
    )  # fmt: skip
    assert {OpType.Barrier, OpType.Measure, OpType.CnRy, OpType.Conditional} <= info.gate_set
    assert (info.supports_reset, info.supports_midcircuit_measurement, info.supports_fast_feedforward) == (True,) * 3
    assert BackendInfo.from_dict(info.to_dict()) == info


def test_counts_have_pytkets_bit_order(backend: GatewayBackend):
    circuit = TketCircuit(3, 3).X(0).Measure(0, 2).Measure(1, 0).Measure(2, 1)
    result = backend.run_circuit(circuit, n_shots=10)
    assert result.get_counts() == {(0, 0, 1): 10}
    assert result.get_counts([Bit(2), Bit(0)]) == {(1, 0): 10}


def test_shots_are_a_sample_in_random_order_with_these_counts(backend: GatewayBackend):
    circuit = TketCircuit(3, 3).H(0).CX(0, 1).Measure(0, 2).Measure(1, 0).Measure(2, 1)
    result = backend.run_circuit(circuit, n_shots=400, seed=2)
    shots = result.get_shots()
    assert (shots.shape, shots.dtype) == ((400, 3), np.uint8)
    counts = result.get_counts()
    assert set(counts) == {(0, 0, 0), (1, 0, 1)}
    assert np.count_nonzero(shots[:, 0]) == np.count_nonzero(shots[:, 2]) == counts[1, 0, 1]
    assert not shots[:, 1].any()
    assert 100 < np.count_nonzero(np.diff(shots[:, 0].astype(int))) < 300  # 200 expected; sorted it would be 1
    assert np.array_equal(shots, result.get_shots())
    assert np.array_equal(result.get_shots([Bit(1), Bit(2)]), shots[:, [1, 2]])
    assert np.array_equal(result.get_shots(basis=BasisOrder.dlo), shots[:, ::-1])


@pytest.mark.parametrize("bits", [0, 1, 9])
@pytest.mark.parametrize("measured", [True, False])
def test_circuits_of_any_width_have_zeros_where_nothing_happens(backend: GatewayBackend, bits: int, measured: bool):
    circuit = TketCircuit(bits, bits)
    if measured:
        circuit.measure_all()
    result = backend.run_circuit(circuit, n_shots=4)
    assert result.get_counts() == {(0,) * bits: 4}
    assert np.array_equal(result.get_shots(), np.zeros((4, bits)))


def test_a_circuit_that_measures_nothing_is_beside_one_that_does(backend: GatewayBackend):
    circuits = [TketCircuit(2, 1).H(0), TketCircuit(1, 1).X(0).Measure(0, 0), TketCircuit(2).H(1)]
    results = backend.run_circuits(circuits, n_shots=[2, 3, 4])
    assert [result.get_counts() for result in results] == [{(0,): 2}, {(1,): 3}, {(): 4}]


def test_registers_are_found_by_their_bits(backend: GatewayBackend):
    circuit = TketCircuit()
    circuit.add_q_register("q", 2)
    circuit.add_c_register("z", 1)
    circuit.add_c_register("a", 1)
    circuit.X(Qubit("q", 1)).Measure(Qubit("q", 1), Bit("z", 0)).Measure(Qubit("q", 0), Bit("a", 0))
    assert backend.run_circuit(circuit, n_shots=5).get_counts([Bit("z", 0), Bit("a", 0)]) == {(1, 0): 5}


def test_scratch_bits_are_no_part_of_the_result(backend: GatewayBackend):
    circuit = TketCircuit(2, 2).X(0).Measure(0, 0)
    register = circuit.get_c_register("c")
    circuit.X(1, condition=register[0] ^ register[1]).Measure(1, 1)
    assert backend.run_circuit(circuit, n_shots=5).get_counts() == {(1, 1): 5}


@pytest.mark.parametrize("level", range(4))
def test_a_compiled_circuit_is_valid_and_does_the_same(backend: GatewayBackend, level: int):
    inner = CircBox(TketCircuit(2).H(0).CX(0, 1).add_phase(0.2))
    circuit = TketCircuit(3, 3).add_circbox(inner, [0, 2]).XXPhase3(0.3, 0, 1, 2)
    circuit.add_gate(OpType.CnRy, [0.4], [0, 1, 2]).measure_all()
    assert not backend.valid_circuit(circuit)
    compiled = backend.get_compiled_circuit(circuit, optimisation_level=level)
    assert backend.valid_circuit(compiled)
    np.testing.assert_allclose(_probabilities(compiled), _probabilities(circuit), atol=1e-9)
    seen = backend.run_circuits([circuit, compiled], n_shots=4000, valid_check=False, seed=1)
    first, second = (result.get_counts() for result in seen)
    assert sum(abs(first[key] - second[key]) for key in first | second) < 0.16 * 4000


def _probabilities(circuit: TketCircuit) -> np.ndarray:
    """Return pytket's own probabilities of the states before the final measurements."""
    bare = TketCircuit(circuit.n_qubits)
    for command in circuit.get_commands():
        if command.op.type not in {OpType.Measure, OpType.Barrier}:
            bare.add_gate(command.op, command.args)
    return np.abs(bare.get_statevector()) ** 2


def test_predicates_refuse_what_the_backend_does_not_take(backend: GatewayBackend):
    symbolic = TketCircuit(1, 1).Rx(fresh_symbol("a"), 0).Measure(0, 0)
    with pytest.raises(CircuitNotValidError, match="NoSymbols"):
        backend.process_circuit(symbolic, n_shots=3)
    unknown = TketCircuit(1, 1).add_gate(OpType.GPI, [0.3], [0]).Measure(0, 0)
    with pytest.raises(CircuitNotValidError, match="GateSet"):
        backend.process_circuit(unknown, n_shots=3)
    assert backend.run_circuit(unknown, n_shots=3, valid_check=False).get_counts()


def test_each_circuit_may_have_shots_of_its_own(backend: GatewayBackend):
    circuit = TketCircuit(1, 1).X(0).Measure(0, 0)
    results = backend.run_circuits([circuit, circuit], n_shots=[3, 4])
    assert [result.get_counts() for result in results] == [{(1,): 3}, {(1,): 4}]
    with pytest.raises(ValueError, match="n_shots"):
        backend.process_circuit(circuit)
    assert backend.process_circuits([], n_shots=3) == []


def test_handles_lead_to_status_and_result(backend: GatewayBackend):
    circuits = [TketCircuit(1, 1).Measure(0, 0), TketCircuit(1, 1).X(0).Measure(0, 0)]
    handles = backend.process_circuits(circuits, n_shots=2)
    assert [result.get_counts() for result in backend.get_results(handles)] == [{(0,): 2}, {(1,): 2}]
    again = ResultHandle.from_str(str(handles[1]))
    assert backend.circuit_status(again).status is StatusEnum.COMPLETED
    assert backend.get_result(again, timeout=5).get_counts() == {(1,): 2}
    backend.cancel(again)
    assert backend.circuit_status(again).status is StatusEnum.COMPLETED
    backend.pop_result(handles[0])
    with pytest.raises(CircuitNotRunError):
        backend.get_result(handles[0])
    assert backend.get_result(handles[1]).get_counts() == {(1,): 2}
    with pytest.raises(ResultHandleTypeError, match="does not match expected identifier types"):
        backend.circuit_status(ResultHandle(1, "x"))


def test_a_result_is_kept_until_it_is_removed(backend: GatewayBackend):
    handle = backend.process_circuit(TketCircuit(1, 1).Measure(0, 0), n_shots=2)
    first = backend.get_result(handle)
    assert backend.get_result(handle) is first
    assert backend.pop_result(handle)["result"] is first
    with pytest.raises(CircuitNotRunError):
        backend.circuit_status(handle)
    with pytest.raises(CircuitNotRunError):
        backend.cancel(ResultHandle("nobody", 0))


@pytest.mark.parametrize("postprocess", [True, False])
def test_outcomes_may_be_computed_after_the_run(backend: GatewayBackend, postprocess: bool):
    circuit = TketCircuit(3, 3).X(0).X(1).H(2).CX(2, 1).measure_all()
    result = backend.run_circuit(circuit, n_shots=400, postprocess=postprocess, seed=1)
    counts = result.get_counts()
    assert set(counts) == {(1, 1, 0), (1, 0, 1)}
    assert min(counts.values()) > 140
    shots = result.get_shots()
    assert shots[:, 0].all()
    assert np.array_equal(shots[:, 1], 1 - shots[:, 2])


def test_a_seed_makes_counts_repeatable(backend: GatewayBackend):
    circuit = TketCircuit(2, 2).H(0).H(1).measure_all()
    first, second = (backend.run_circuit(circuit, n_shots=100, seed=4).get_counts() for _ in range(2))
    assert first == second


def test_an_error_of_the_simulator_is_raised_and_told(failing: Backend):
    backend = GatewayBackend(failing)
    handle = backend.process_circuit(fake(Does.RAISE).to("pytket"), n_shots=3)
    with pytest.raises(SimulatorError, match="fake"):
        backend.get_result(handle)
    status = backend.circuit_status(handle)
    assert status.status is StatusEnum.ERROR
    assert "SimulatorError" in status.message


def test_a_circuit_that_fails_leaves_the_others_their_results(failing: Backend):
    backend = GatewayBackend(failing)
    circuits = [fake(does, 5, clbits=3).to("pytket") for does in (Does.ECHO, Does.RAISE, Does.ECHO)]
    first, second, third = backend.process_circuits(circuits, n_shots=3)
    for handle in (first, third):
        assert backend.get_result(handle).get_counts() == {(1, 0, 1): 3}
        assert backend.circuit_status(handle).status is StatusEnum.COMPLETED
    assert backend.circuit_status(second).status is StatusEnum.ERROR
    with pytest.raises(SimulatorError, match="fake"):
        backend.get_result(second)


def test_a_job_is_waited_for_and_cancelled(failing: Backend):
    backend = GatewayBackend(failing)
    handle = backend.process_circuit(fake(Does.SLEEP, 15).to("pytket"), n_shots=3)
    with pytest.raises(JobTimeout, match=r"0\.01 s"):
        backend.get_result(handle, timeout=0.01)
    assert backend.circuit_status(handle).status in {StatusEnum.QUEUED, StatusEnum.RUNNING}
    backend.cancel(handle)
    assert backend.circuit_status(handle).status is StatusEnum.CANCELLED
    with pytest.raises(JobCancelled, match="cancelled"):
        backend.get_result(handle)


def test_a_run_ends_after_its_timeout(failing: Backend):
    handle = GatewayBackend(failing).run_circuit
    with pytest.raises(JobTimeout, match=r"0\.2 s"):
        handle(fake(Does.SLEEP, 15).to("pytket"), n_shots=3, timeout_s=0.2)


@pytest.mark.slow
@pytest.mark.needs("stim")
def test_a_simulator_of_some_gates_refuses_the_others_before_the_run():
    with LocalSimulator("stim", workers=1) as stim:
        backend = GatewayBackend(stim)
        clifford = TketCircuit(2, 2).H(0).CX(0, 1).Rz(0.5, 0).measure_all()
        assert backend.valid_circuit(clifford)
        assert set(backend.run_circuit(clifford, n_shots=20).get_counts()) <= {(0, 0), (1, 1)}
        with pytest.raises(CircuitNotValidError, match="GateSet"):
            backend.process_circuit(clifford.T(0), n_shots=3)


# ---------------------------------------------------------------------------- pytket's own utilities


def test_pytkets_expectation_values_run_on_it(backend: GatewayBackend):
    bell = TketCircuit(2).H(0).CX(0, 1)
    zz, yy, xx = (QubitPauliString([Qubit(0), Qubit(1)], [pauli] * 2) for pauli in (Pauli.Z, Pauli.Y, Pauli.X))
    assert get_pauli_expectation_value(bell, zz, backend, 50) == 1
    assert get_pauli_expectation_value(bell, yy, backend, 50) == -1
    operator = QubitPauliOperator({xx: 0.5, QubitPauliString(): 0.25})
    for together in (None, PauliPartitionStrat.CommutingSets):
        assert get_operator_expectation_value(bell, operator, backend, 50, together) == pytest.approx(0.75)


def state() -> TketCircuit:
    """A state without symmetry, on registers whose order is not that of their names' lengths."""
    circuit = TketCircuit()
    for name, size in (("q", 2), ("a", 1)):
        circuit.add_q_register(name, size)
    for place, qubit in enumerate(circuit.qubits):
        circuit.Ry(0.2 + 0.15 * place, qubit).Rz(0.1 * place + 0.3, qubit)
    return circuit.CX(circuit.qubits[0], circuit.qubits[1]).CX(circuit.qubits[2], circuit.qubits[1])


@pytest.fixture(params=["asking", "measuring"])
def estimating(request: pytest.FixtureRequest, simulator: Backend) -> GatewayBackend:
    """A simulator that computes expectation values, and one whose circuits have to measure observables."""
    return GatewayBackend(simulator if request.param == "asking" else Measuring(simulator))


def test_exact_expectation_values_are_those_of_pytkets_state(estimating: GatewayBackend):
    circuit = state()
    first, second, third = circuit.qubits
    terms = {
        QubitPauliString(): 0.25,
        QubitPauliString([first, third], [Pauli.X, Pauli.Y]): -0.5,
        QubitPauliString([second], [Pauli.Z]): 1.5,
        QubitPauliString([first, second, third], [Pauli.Y, Pauli.I, Pauli.Z]): 0.7,
        QubitPauliString([third], [Pauli.X]): 0.3 + 0.4j,
    }
    operator = QubitPauliOperator(terms)
    expected = operator.state_expectation(circuit.get_statevector(), circuit.qubits)
    assert get_operator_expectation_value(circuit, operator, estimating) == pytest.approx(expected, abs=1e-9)
    for string in terms:
        exact = string.state_expectation(circuit.get_statevector(), circuit.qubits)
        assert get_pauli_expectation_value(circuit, string, estimating) == pytest.approx(exact, abs=1e-9)


def test_an_expectation_value_after_a_measurement_is_that_of_the_mixture(estimating: GatewayBackend):
    circuit = TketCircuit(2, 1).H(0).Measure(0, 0).X(1, condition_bits=[0], condition_value=1)
    zz, xx = (QubitPauliString([Qubit(0), Qubit(1)], [pauli] * 2) for pauli in (Pauli.Z, Pauli.X))
    assert estimating.get_pauli_expectation_value(circuit, zz) == pytest.approx(1)
    assert estimating.get_pauli_expectation_value(circuit, xx) == pytest.approx(0, abs=1e-9)


def test_operators_that_make_no_sense_are_refused(backend: GatewayBackend):
    with pytest.raises(ValueError, match=r"acts on q\[3\], which is not in the circuit"):
        backend.get_pauli_expectation_value(TketCircuit(2), QubitPauliString(Qubit(3), Pauli.Z))
    symbolic = QubitPauliOperator({QubitPauliString(Qubit(0), Pauli.Z): fresh_symbol("a")})
    with pytest.raises(ValueError, match=r"coefficient a\w* has symbols"):
        backend.get_operator_expectation_value(TketCircuit(2), symbolic)
    with pytest.raises(CircuitNotValidError, match="NoSymbols"):
        backend.get_pauli_expectation_value(TketCircuit(1).Rx(fresh_symbol("b"), 0), QubitPauliString())
