"""Our backends as pytket expects backends to be."""

from __future__ import annotations

import numpy as np
import pytest
from pytket.backends import Backend as PytketBackend
from pytket.backends import ResultHandle, StatusEnum
from pytket.backends.backend import ResultHandleTypeError
from pytket.backends.backend_exceptions import CircuitNotRunError, CircuitNotValidError
from pytket.circuit import Bit, CircBox, OpType, Qubit, fresh_symbol
from pytket.circuit import Circuit as TketCircuit
from pytket.partition import PauliPartitionStrat
from pytket.pauli import Pauli, QubitPauliString
from pytket.utils import QubitPauliOperator
from pytket.utils.expectations import get_operator_expectation_value, get_pauli_expectation_value
from support.fake import Does, fake

from gateway.backends.base import Backend
from gateway.errors import SimulatorError
from gateway.frameworks.pytket.backend import GatewayBackend


@pytest.fixture(scope="module")
def backend(simulator: Backend) -> GatewayBackend:
    return GatewayBackend(simulator)


def test_it_says_what_it_can(backend: GatewayBackend):
    assert isinstance(backend, PytketBackend)
    can = (backend.supports_counts, backend.supports_shots, backend.supports_state, backend.supports_unitary)
    assert can == (True, False, False, False)
    assert not backend.persistent_handles


def test_counts_have_pytkets_bit_order(backend: GatewayBackend):
    circuit = TketCircuit(3, 3).X(0).Measure(0, 2).Measure(1, 0).Measure(2, 1)
    result = backend.run_circuit(circuit, n_shots=10)
    assert result.get_counts() == {(0, 0, 1): 10}
    assert result.get_counts([Bit(2), Bit(0)]) == {(1, 0): 10}


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


# ---------------------------------------------------------------------------- pytket's own utilities


def test_pytkets_expectation_values_run_on_it(backend: GatewayBackend):
    bell = TketCircuit(2).H(0).CX(0, 1)
    zz, yy, xx = (QubitPauliString([Qubit(0), Qubit(1)], [pauli] * 2) for pauli in (Pauli.Z, Pauli.Y, Pauli.X))
    assert get_pauli_expectation_value(bell, zz, backend, 50) == 1
    assert get_pauli_expectation_value(bell, yy, backend, 50) == -1
    operator = QubitPauliOperator({xx: 0.5, QubitPauliString(): 0.25})
    for together in (None, PauliPartitionStrat.CommutingSets):
        assert get_operator_expectation_value(bell, operator, backend, 50, together) == pytest.approx(0.75)
