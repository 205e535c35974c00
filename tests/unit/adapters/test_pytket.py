import random
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from pytket.extensions.qiskit import AerBackend, AerStateBackend, qiskit_convert
from pytket.extensions.qiskit.backends import aer
from qiskit_aer import AerSimulator
from support.reference import distribution
from support.statistics import assert_drawn_from

from adapters.pytket import PytketAdapter
from adapters.shared.seeds import spread
from gateway.circuit import Circuit
from gateway.circuit.circuit import Comparison
from gateway.circuit.gates import GATES
from gateway.errors import SimulatorError, UnsupportedError
from gateway.results import Sampling

SHOTS = 2_000


@pytest.fixture(scope="module")
def adapter():
    return PytketAdapter()


def one_of_each():
    """Return a circuit of five qubits with every native gate once."""
    rng = random.Random(1)
    circuit = Circuit(5)
    for name in PytketAdapter.native_gates:
        row = GATES[name]
        params = [rng.uniform(-7, 7) for _ in range(row.num_params)]
        circuit.gate(name, rng.sample(range(5), row.num_qubits), params)
    return circuit


def test_a_circuit_of_all_native_gates_is_valid_without_compilation(adapter):
    native = adapter.build(one_of_each())
    assert AerBackend().valid_circuit(native)
    assert AerStateBackend().valid_circuit(native)


def test_numbers_converted_without_sympy_give_the_same_state(adapter):
    native = adapter.build(one_of_each())
    with_sympy = AerStateBackend().run_circuit(native).get_state()
    assert np.allclose(adapter.evolve(native), with_sympy.reshape([2] * 5).T.reshape(-1), atol=1e-10)


@pytest.mark.parametrize("seed", [1, 2**31])
def test_its_own_sampler_draws_the_shots_that_pytkets_backend_draws(adapter, seed):
    circuit = Circuit(3, 3).h(0).ry(0.7, 1).rzz(0.3, 0, 1).measure(0, 2).x(2, when={2: 1}).measure(1, 0).measure(2, 1)
    native = adapter.build(circuit)
    backend = AerBackend(simulation_method="statevector")
    shots = backend.run_circuit(native, 500, seed=spread(seed)).get_counts()
    wanted = {"".join(map(str, bits[::-1])): times for bits, times in shots.items()}
    assert adapter.sample(native, shots=500, seed=seed) == wanted


def state_of_pytket_qiskit():
    """Return what the modules and classes of pytket-qiskit hold that a run could replace or fill."""
    backends = (AerBackend, AerStateBackend)
    return (dict(vars(qiskit_convert)), dict(vars(aer)), [dict(vars(one)) for one in backends],
            dict(AerBackend._circuit_data))  # fmt: skip


def test_runs_at_once_and_a_failing_one_leave_pytket_qiskit_as_it_was(adapter, monkeypatch):
    before = state_of_pytket_qiskit()
    monkeypatch.setattr(PytketAdapter, "take_states", lambda *args, **options: None)
    large = Circuit(45)
    for qubit in range(45):
        large.h(qubit)
    native, too_large = adapter.build(one_of_each()), adapter.build(large)
    together, during, run = Barrier(4), [], AerSimulator.run

    def observed(*args, **options):
        together.wait(timeout=60)
        during.append(state_of_pytket_qiskit())
        return run(*args, **options)

    monkeypatch.setattr(AerSimulator, "run", observed)
    with ThreadPoolExecutor(4) as pool:
        *runs, failing = [pool.submit(adapter.evolve, circuit) for circuit in (native, native, native, too_large)]
        states = [one.result() for one in runs]
        with pytest.raises(SimulatorError, match="Aer failed"):
            failing.result()
    assert all(np.allclose(state, states[0]) for state in states)
    assert during == [before] * 4
    assert state_of_pytket_qiskit() == before


def test_twelve_qubits_keep_their_order(adapter):
    state = adapter.evolve(adapter.build(Circuit(12).x(10).x(2)))
    assert np.flatnonzero(state).tolist() == [2**10 + 2**2]


def test_a_given_state_and_none_agree(adapter):
    native = adapter.build(one_of_each())
    zero = np.eye(1, 32, dtype=complex)[0]
    assert np.allclose(adapter.evolve(native), adapter.evolve(native, zero))


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_the_same_seed_gives_the_same_native_counts(adapter, seed):
    circuit = Circuit(3, 3).h(0).h(1).h(2).measure_all()
    first, second = (adapter.run(circuit, shots=100, seed=seed, sampling=Sampling.NATIVE) for _ in range(2))
    assert first == second


def test_clbit_0_is_rightmost_in_native_counts_of_many_clbits(adapter):
    circuit = Circuit(2, 12).x(0).measure(0, 0).measure(0, 10).measure(1, 3)
    assert adapter.run(circuit, shots=7, sampling=Sampling.NATIVE) == {"010000000001": 7}


@pytest.mark.parametrize("condition", [{0: 1}, {1: 0}, Comparison((1,), 1, equal=False), {1: 1, 0: 0}])
def test_native_conditions_on_one_clbit_or_all_follow_the_reference(adapter, condition):
    circuit = Circuit(3, 2).ry(1.0, 0).ry(2.0, 1).ry(0.7, 2).measure(0, 0).measure(1, 1)
    circuit.reset(2, when=condition).ry(1.0, 2, when=condition).cs(2, 1, when=condition).measure(2, 0)
    found = adapter.run(circuit, shots=SHOTS, seed=7, sampling=Sampling.NATIVE)
    assert_drawn_from(found, distribution(circuit))


@pytest.mark.parametrize("condition", [{0: 1, 2: 1}, Comparison((0, 1, 2), 5, equal=False)])
def test_a_condition_its_own_sampler_cannot_test_is_refused_and_auto_runs_it(adapter, condition):
    circuit = Circuit(1, 3).x(0).measure(0, 0).measure(0, 2).x(0, when=condition).measure(0, 1)
    with pytest.raises(UnsupportedError, match=r"clbits \[0, "):
        adapter.run(circuit, shots=10, sampling=Sampling.NATIVE)
    assert adapter.run(circuit, shots=10).keys() == distribution(circuit).keys()


def test_a_condition_on_a_number_too_large_for_pytket_is_refused_and_auto_runs_it(adapter):
    circuit = Circuit(1, 40).x(0).measure(0, 39).x(0, when=Comparison(tuple(range(40)), 1 << 39)).measure(0, 0)
    with pytest.raises(UnsupportedError, match="a number above 4294967295"):
        adapter.run(circuit, shots=10, sampling=Sampling.NATIVE)
    assert adapter.run(circuit, shots=10) == {f"1{0:039b}": 10}


def test_a_condition_that_contradicts_itself_never_holds(adapter):
    circuit = Circuit(1, 2).x(0).measure(0, 0)
    circuit.x(0, when=(Comparison((0,), 1), Comparison((0,), 0))).measure(0, 1)
    assert adapter.run(circuit, shots=10, sampling=Sampling.NATIVE) == {"11": 10}


def test_a_failure_inside_the_backend_becomes_a_simulator_error(adapter, monkeypatch):
    monkeypatch.setattr(PytketAdapter, "take_states", lambda *args, **options: None)
    circuit = Circuit(45)
    for qubit in range(45):
        circuit.h(qubit)
    circuit.measure_all()
    with pytest.raises(SimulatorError, match=r"Aer failed: .*memory"):
        adapter.run(circuit, shots=10)
