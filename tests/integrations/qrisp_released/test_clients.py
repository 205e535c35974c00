"""Released Qrisp clients, as they were published, against the servers of all simulators."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Callable
from typing import Any

import pytest
import qrisp
from qrisp.circuit.standard_operations import XGate

VERSION = tuple(int(part) for part in importlib.metadata.version("qrisp").split("."))
SENDS_NULL_SHOTS = VERSION >= (0, 4, 13)
SENDS_OPENQASM_3 = VERSION >= (0, 6)


def measured(qc: Any) -> Any:
    """Measure qubit k into clbit k."""
    for qubit, clbit in zip(qc.qubits, qc.clbits, strict=True):
        qc.measure(qubit, clbit)
    return qc


def test_two_floats_are_multiplied(backend):
    a, b = qrisp.QuantumFloat(2), qrisp.QuantumFloat(2)
    a[:], b[:] = 2, 3
    assert (a * b).get_measurement(backend=backend) == {6: 1.0}


def test_several_registers_are_measured_together(backend):
    a, b = qrisp.QuantumFloat(2), qrisp.QuantumFloat(2)
    a[:], b[:] = 1, 3
    product = a * b
    assert qrisp.multi_measurement([a, b, product], backend=backend) == {(1, 3, 3): 1.0}


def test_a_superposition_of_floats_stays_one(backend):
    a = qrisp.QuantumFloat(2)
    qrisp.h(a[0])
    doubled = a + a
    found = qrisp.multi_measurement([a, doubled], backend=backend)
    assert set(found) == {(0, 0), (1, 2)}
    # five standard deviations of 10,000 shots, the fewest that any version asks for
    assert found[0, 0] == pytest.approx(0.5, abs=0.025)


def test_bits_are_in_order(backend):
    qc = qrisp.QuantumCircuit(3, 3)
    qc.x(0)
    assert backend.run(measured(qc), 100) == {"001": 100}


def test_counts_sum_to_the_shots(backend):
    qc = qrisp.QuantumCircuit(2, 2)
    qc.h(0)
    qc.cx(0, 1)
    counts = backend.run(measured(qc), 1000)
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 1000


def test_custom_gates_nested_inverted_and_controlled(backend):
    inner = qrisp.QuantumCircuit(2)
    inner.h(0)
    inner.cx(0, 1)
    inner.rz(0.3, 1)
    flat = inner.to_gate("inner")
    outer = qrisp.QuantumCircuit(2)
    outer.append(flat, outer.qubits)
    outer.p(0.7, 0)
    nested = outer.to_gate("outer")
    qc = qrisp.QuantumCircuit(4, 4)
    qc.append(nested, [qc.qubits[2], qc.qubits[1]])
    qc.append(nested.inverse(), [qc.qubits[2], qc.qubits[1]])
    qc.x(0)
    qc.append(flat.control(1), [qc.qubits[0], qc.qubits[1], qc.qubits[2]])
    qc.append(flat.inverse(), [qc.qubits[1], qc.qubits[2]])
    qc.append(XGate().control(3, ctrl_state="100"), [qc.qubits[0], qc.qubits[1], qc.qubits[2], qc.qubits[3]])
    assert backend.run(measured(qc), 100) == {"1001": 100}


def test_every_gate_that_qrisp_has(backend):
    qc = qrisp.QuantumCircuit(2)
    for name in ("x", "y", "z", "h", "s", "t", "sx", "s_dg", "t_dg", "sx_dg"):
        getattr(qc, name)(0)
    for name in ("rx", "ry", "rz", "p"):
        getattr(qc, name)(0.3, 1)
    qc.u3(0.1, 0.2, 0.3, 1)
    for name in ("cx", "cy", "cz", "swap"):
        getattr(qc, name)(0, 1)
    for name in ("cp", "rxx", "rzz"):
        getattr(qc, name)(0.4, 0, 1)
    there_and_back = qc.to_gate("all")
    circuit = qrisp.QuantumCircuit(2, 2)
    circuit.append(there_and_back, circuit.qubits)
    circuit.barrier(circuit.qubits)
    circuit.append(there_and_back.inverse(), circuit.qubits)
    circuit.x(1)
    assert backend.run(measured(circuit), 100) == {"10": 100}


def test_a_classically_controlled_gate(backend, wire):
    qc = qrisp.QuantumCircuit(2, 2)
    qc.x(0)
    qc.measure(qc.qubits[0], qc.clbits[0])
    qc.append(XGate().c_if(), [qc.qubits[1]], [qc.clbits[0]])
    qc.measure(qc.qubits[1], qc.clbits[1])
    if wire == "rest" and not SENDS_OPENQASM_3:
        with pytest.raises(Exception, match=r"c_if_x|classical"):
            backend.run(qc, 100)
    else:
        assert backend.run(qc, 100) == {"11": 100}


def test_no_shots_are_exact_where_the_client_can_say_so(backend):
    a = qrisp.QuantumFloat(1)
    qrisp.ry(2 * math.asin(math.sqrt(0.3)), a[0])
    found = a.get_measurement(backend=backend)
    assert found == pytest.approx({0: 0.7, 1: 0.3}, abs=1e-9 if SENDS_NULL_SHOTS else 0.025)


def test_a_circuit_that_measures_nothing_is_an_error_in_words(backend):
    with pytest.raises(Exception, match="measures nothing"):
        backend.run(qrisp.QuantumCircuit(1, 1), 100)


@pytest.mark.parametrize("shots", [0, -1, 10**9])
def test_a_number_of_shots_that_is_refused_is_an_error_in_words(connect: Callable[[str], Any], shots):
    qc = qrisp.QuantumCircuit(1, 1)
    with pytest.raises(Exception, match="shots"):
        connect("qulacs").run(measured(qc), shots)


def test_a_client_goes_on_after_an_error(connect: Callable[[str], Any]):
    client = connect("qulacs")
    with pytest.raises(Exception, match="measures nothing"):
        client.run(qrisp.QuantumCircuit(1, 1), 100)
    assert client.run(measured(qrisp.QuantumCircuit(1, 1)), 100) == {"0": 100}


def test_a_thrift_client_pings(backend, wire, simulator):
    if wire == "rest":
        assert not hasattr(backend, "ping")
    else:
        assert (backend.ping().name, backend.ping().online) == (simulator, True)
