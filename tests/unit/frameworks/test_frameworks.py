"""What holds for the conversions to and from every framework."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from support.circuits import angles, random_circuit, random_dynamic_circuit, teleportation
from support.frameworks import FRAMEWORKS, Framework
from support.simulation import assert_same_ensembles, unitary

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks import dump, framework_of, parse
from gateway.frameworks.sources import as_circuit, as_source

CLOSE = 1e-7
SEEDS = range(12)


@pytest.fixture(params=FRAMEWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def framework(name: str) -> Framework:
    return FRAMEWORKS[name]


def same_matrix(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, atol=CLOSE)


# ---------------------------------------------------------------------------- gates


@pytest.mark.parametrize("gate", GATES.values(), ids=lambda gate: gate.name)
def test_every_gate_of_the_table_is_the_same_there_and_back_with_its_phase(name: str, framework: Framework, gate):
    random = Random(gate.name)
    circuit = Circuit(max(gate.num_qubits, 1))
    circuit.gate(gate.name, random.sample(range(circuit.num_qubits), gate.num_qubits), angles(random, gate))
    native = dump(circuit, name)
    same_matrix(framework.unitary(native, circuit.num_qubits), unitary(circuit))
    same_matrix(unitary(parse(native)), unitary(circuit))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_circuits_are_the_same_there_and_back_with_their_phase(name: str, framework: Framework, seed: int):
    circuit = random_circuit(seed, num_qubits=5, num_gates=25)
    native = dump(circuit, name)
    same_matrix(framework.unitary(native, 5), unitary(circuit))
    back = parse(native)
    assert (back.num_qubits, back.num_clbits) == (5, 0)
    same_matrix(unitary(back), unitary(circuit))


@pytest.mark.parametrize("angle", [0.0, -0.0, 1e-13, np.pi, -np.pi, 2 * np.pi, 4 * np.pi, 1000.25])
def test_angles_beyond_a_turn_keep_their_sign(name: str, framework: Framework, angle: float):
    circuit = Circuit(2).rx(angle, 0).crz(angle, 0, 1).p(angle, 1).rzz(angle, 0, 1).cu(angle, 0, 0, angle, 1, 0)
    native = dump(circuit, name)
    same_matrix(framework.unitary(native, 2), unitary(circuit))
    same_matrix(unitary(parse(native)), unitary(circuit))


# ---------------------------------------------------------------------------- bits


def outcome(circuit: Circuit) -> list[object]:
    """Return what a circuit of X, measurements and barriers does, moments aside: per qubit and per clbit."""
    kept = [op for op in circuit.operations if op.name in {"x", "measure"}]
    qubits = [[str(op) for op in kept if qubit in op.qubits] for qubit in range(circuit.num_qubits)]
    clbits = [[str(op) for op in kept if clbit in op.clbits] for clbit in range(circuit.num_clbits)]
    return [circuit.num_qubits, circuit.num_clbits, qubits, clbits]


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit(3, 3).x(0).measure(0, 2).measure(1, 0).measure(2, 1),
        Circuit(4, 2).x(2).measure(2, 0).measure(0, 1),
        Circuit(12, 12).x(11).measure_all(),
        Circuit(12, 12).x(3).measure(3, 11).measure(10, 2).measure(2, 10).measure(0, 0).measure(1, 1),
        Circuit(3, 5).x(1).measure(1, 3),
        Circuit(2, 4).measure(0, 0),
        Circuit(5).x(0),
        Circuit(3, 3).measure_all(),
        Circuit(2, 2).x(0).barrier().measure_all(),
    ],
    ids=["permuted", "idle qubits", "12 in order", "12 out of order", "gaps", "last clbits", "idle", "no gates",
         "barrier"],
)  # fmt: skip
def test_measured_bits_and_idle_qubits_are_kept(name: str, framework: Framework, circuit: Circuit):
    if not framework.idle_clbits:
        circuit = Circuit(circuit.num_qubits, operations=circuit.operations)
        circuit.num_clbits = max([clbit + 1 for op in circuit.operations for clbit in op.clbits], default=0)
    assert outcome(parse(dump(circuit, name))) == outcome(circuit)


def test_a_circuit_without_operations_keeps_its_size(name: str):
    found = parse(dump(Circuit(3), name))
    assert (found.num_qubits, found.num_clbits) == (3, 0)
    assert {op.name for op in found.operations} <= {"id"}


def test_a_circuit_of_nothing_is_one_of_nothing(name: str):
    assert parse(dump(Circuit(), name)) == Circuit()


# ---------------------------------------------------------------------------- dynamic circuits


def dynamic(framework: Framework, seed: int) -> Circuit:
    circuit = random_dynamic_circuit(seed)
    if not framework.conditional_measurement:
        circuit.operations = [op for op in circuit.operations if op.name != "measure" or not op.condition]
    return circuit


@pytest.mark.parametrize("seed", range(40))
def test_dynamic_circuits_do_the_same_there_and_back_or_are_refused(name: str, framework: Framework, seed: int):
    circuit = dynamic(framework, seed)
    if not framework.dynamic:
        with pytest.raises(UnsupportedError, match=r"operation \d+: "):
            dump(circuit, name)
        return
    assert_same_ensembles(parse(dump(circuit, name)), circuit)


def test_teleportation_does_the_same_there_and_back(name: str, framework: Framework):
    if not framework.dynamic:
        with pytest.raises(UnsupportedError, match=r"operation 7: .*condition"):
            dump(teleportation(), name)
        return
    assert_same_ensembles(parse(dump(teleportation(), name)), teleportation())


def test_a_conditional_measurement_is_kept_or_refused(name: str, framework: Framework):
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1).measure(1, 1, when={0: 1})
    if framework.conditional_measurement:
        assert_same_ensembles(parse(dump(circuit, name)), circuit)
        return
    with pytest.raises(UnsupportedError, match=r"operation 3: .*condition"):
        dump(circuit, name)


def test_a_phase_without_qubits_is_kept_or_refused(name: str, framework: Framework):
    circuit = Circuit().gphase(0.25)
    if framework.phase:
        assert parse(dump(circuit, name)) == circuit
        return
    with pytest.raises(UnsupportedError, match="phase"):
        dump(circuit, name)


# ---------------------------------------------------------------------------- the ways in and out


def test_its_circuits_are_taken_wherever_a_circuit_is(name: str):
    circuit = Circuit(2, 2).h(0).cx(0, 1).measure_all()
    native = circuit.to(name)
    assert framework_of(native) == name
    for taken in (as_circuit(native), as_source(native)):
        assert_same_ensembles(taken, circuit)


def test_backends_run_its_circuits(name: str, real_backend: Backend):
    native = Circuit(3, 3).x(0).x(2).measure(0, 1).measure(1, 0).measure(2, 2).to(name)
    assert real_backend.run(native, shots=10) == {"110": 10}
    assert [dict(found) for found in real_backend.run([native, native], shots=10)] == [{"110": 10}] * 2


def test_a_broken_circuit_is_not_dumped(name: str):
    circuit = Circuit(1)
    circuit.operations.append(Circuit(2).x(1).operations[0])
    with pytest.raises(CircuitInvalidError, match="qubit 1"):
        dump(circuit, name)


def test_what_is_no_circuit_of_it_is_refused_with_the_class_it_takes(framework: Framework):
    with pytest.raises(RequestError, match=r"a circuit of \w+ is an? .*, not an? \w+"):
        parse(framework.other())
