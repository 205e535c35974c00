import random
import resource

import numpy as np
import pytest
from support.circuits import random_dynamic_circuit
from support.reference import distribution
from support.statistics import assert_drawn_from

from adapters import base
from adapters import mqt as mqt_adapter
from adapters.mqt import MqtAdapter
from adapters.shared.deferred import Step, defer
from adapters.shared.room import Room
from gateway.circuit import Circuit
from gateway.circuit.circuit import Comparison, bits
from gateway.circuit.gates import GATES
from gateway.errors import LimitError
from gateway.observables import observable_list
from gateway.results import ResultType, Sampling
from gateway.run_details import RunDetails

TELEPORT = (
    Circuit(3, 3)
    .u(0.7, 0.3, 0.1, 0).h(1).cx(1, 2).cx(0, 1).h(0).measure(0, 0).measure(1, 1)
    .x(2, when={1: 1}).z(2, when={0: 1}).measure(2, 2)
)  # fmt: skip


@pytest.fixture(scope="module")
def adapter():
    return MqtAdapter()


def assert_follows_the_reference(adapter, circuit):
    found, expected = adapter.run(circuit, shots=None), distribution(circuit)
    assert found.keys() == {key for key, chance in expected.items() if chance > 1e-12}
    assert all(abs(found[key] - expected[key]) < 1e-9 for key in found)


# ---------------------------------------------------------------------------- what is rewritten how


def test_a_circuit_measured_at_the_end_gets_no_fresh_qubit():
    deferred = defer(Circuit(2).h(0).cx(0, 1).measure_all())
    assert deferred.num_qubits == 2
    assert deferred.qubit_of_clbit == {0: 0, 1: 1}


def test_teleportation_needs_no_fresh_qubit_because_nothing_acts_on_the_measured_ones():
    deferred = defer(TELEPORT)
    assert deferred.num_qubits == 3
    assert deferred.steps[-2:] == [Step("x", (2,), (), {1: True}), Step("z", (2,), (), {0: True})]


def test_a_measured_qubit_is_copied_when_something_acts_on_it():
    deferred = defer(Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1))
    assert deferred.steps == [Step("h", (0,)), Step("x", (1,), (), {0: True}), Step("h", (0,))]
    assert deferred.qubit_of_clbit == {0: 1, 1: 0}


def test_a_clbit_that_is_measured_again_is_compared_again(adapter):
    unequal = (Comparison((0, 1), 3, equal=False),)
    circuit = (
        Circuit(4, 4)
        .h(0).x(1).measure(0, 0).measure(1, 1).x(2, when=unequal)
        .x(0).measure(0, 0).x(3, when=unequal)
        .measure(2, 2).measure(3, 3)
    )  # fmt: skip
    assert_follows_the_reference(adapter, circuit)
    assert adapter.run(circuit, shots=100, seed=1).keys() == {"0111", "1010"}


def test_a_reset_goes_on_with_a_fresh_qubit():
    deferred = defer(Circuit(1, 1).h(0).reset(0).x(0).measure(0, 0))
    assert deferred.steps == [Step("h", (0,)), Step("x", (1,))]
    assert deferred.qubit_of_clbit == {0: 1}


def test_a_reset_of_a_qubit_nothing_has_acted_on_does_nothing():
    assert defer(Circuit(2, 1).reset(0).reset(1).h(0).measure(0, 0)).num_qubits == 2


def test_a_clbit_never_written_compares_as_0():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={1: 0, 0: 1}).y(1, when={1: 1}).measure(1, 1)
    assert defer(circuit).steps == [Step("h", (0,)), Step("x", (1,), (), {0: True})]


def test_a_clbit_overwritten_before_anything_acts_still_disturbs_the_qubit(adapter):
    # The outcome in clbit 0 is lost, but the qubit was measured: the second h does not undo the first.
    circuit = Circuit(2, 2).h(0).measure(0, 0).measure(1, 0).x(1, when={0: 1}).h(0).measure(0, 1)
    assert adapter.run(circuit, shots=None) == pytest.approx({"00": 0.5, "10": 0.5})


# ---------------------------------------------------------------------------- against the reference


@pytest.mark.parametrize("name", GATES)
def test_every_gate_under_a_condition_follows_the_reference(adapter, name):
    row = GATES[name]
    rng = random.Random(name)
    size = row.num_qubits + 1
    circuit = Circuit(size, size)
    for qubit in range(size):
        circuit.u(*(rng.uniform(-3, 3) for _ in range(3)), qubit)
    qubits, params = range(1, size), [rng.uniform(-7, 7) for _ in range(row.num_params)]
    circuit.measure(0, 0).gate(name, rng.sample(qubits, len(qubits)), params, when={0: 0})
    for qubit in range(size):
        circuit.h(qubit)
    assert_follows_the_reference(adapter, circuit.measure_all())


@pytest.mark.parametrize(
    "condition",
    [
        {0: 1},
        {1: 1, 0: 0},
        Comparison((1, 0), 1, equal=False),
        Comparison((0, 3), 1, equal=False),
        Comparison((0, 3), 2, equal=False),
        (Comparison((0, 1), 2), Comparison((2, 1), 3, equal=False)),
        (Comparison((0,), 1), Comparison((0,), 0)),
    ],
)
def test_conditional_gates_resets_and_measurements_follow_the_reference(adapter, condition):
    circuit = Circuit(3, 4).ry(1.0, 0).ry(2.0, 1).ry(0.7, 2).measure(0, 0).measure(1, 1).h(0)
    circuit.reset(2, when=condition).ry(0.5, 2, when=condition).measure(2, 1, when=condition)
    circuit.gphase(0.3, when=condition).h(2).measure(2, 2).measure(0, 3, when=condition)
    assert_follows_the_reference(adapter, circuit)


def test_teleportation_follows_the_reference(adapter):
    assert_follows_the_reference(adapter, TELEPORT)


# ---------------------------------------------------------------------------- DDSIM's own corners


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_the_same_seed_gives_the_same_counts_also_from_the_same_object(adapter, seed):
    native = adapter.build(Circuit(3).h(0).h(1).h(2).measure_all())
    assert adapter.sample(native, shots=100, seed=seed) == adapter.sample(native, shots=100, seed=seed)


def test_different_seeds_give_different_counts(adapter):
    native = adapter.build(Circuit(5).h(0).h(1).h(2).h(3).h(4).measure_all())
    seeds = (0, 1, 2**31, 2**32 - 2, 2**32 - 1)
    assert len({adapter.sample(native, shots=1000, seed=seed) for seed in seeds}) == len(seeds)


def test_two_clbits_may_show_one_qubit(adapter):
    circuit = Circuit(2, 4).h(0).x(1).measure(0, 0).measure(0, 2).measure(1, 3)
    assert adapter.run(circuit, shots=100, seed=1).keys() == {"1000", "1101"}


def test_the_last_write_to_a_clbit_wins(adapter):
    circuit = Circuit(2, 1).x(0).measure(0, 0).measure(1, 0)
    assert adapter.run(circuit, shots=10) == {"0": 10}


def test_a_measurement_that_never_happens_leaves_zeros(adapter):
    circuit = Circuit(1, 2).x(0).measure(0, 0, when={1: 1})
    assert adapter.run(circuit, shots=10) == {"00": 10}
    assert adapter.run(circuit, shots=None) == {"00": 1.0}


def test_counts_have_no_limit_of_qubits_and_exact_results_do(adapter):
    circuit = Circuit(200).h(0)
    for qubit in range(199):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    assert adapter.run(circuit, shots=100, seed=1).keys() == {"0" * 200, "1" * 200}
    with pytest.raises(LimitError, match="200 qubits do not fit"):
        adapter.run(circuit, shots=None)


def test_the_state_vector_is_little_endian_with_its_phase(adapter):
    state = adapter.state(adapter.build(Circuit(2).x(1).gphase(0.5)))
    assert np.allclose(state, [0, 0, np.exp(0.5j), 0])


@pytest.mark.parametrize("phase", [1e6, -1e6, 1e15, 1e300])
def test_a_large_global_phase_is_exact_and_takes_no_time(adapter, phase):
    found = np.asarray(adapter.run(Circuit(1).gphase(phase), shots=None, result=ResultType.STATEVECTOR))
    np.testing.assert_allclose(found, [np.exp(1j * phase), 0], atol=1e-12)


def uniform(num_qubits: int) -> Circuit:
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.h(qubit)
    return circuit


def test_outcomes_that_do_not_fit_are_refused(monkeypatch):
    monkeypatch.setattr(base, "available_bytes", lambda: 10 * 2**20)
    with pytest.raises(LimitError, match="outcomes of 16 clbits do not fit"):
        MqtAdapter().run(uniform(16).measure_all(), shots=300_000, seed=1)


def test_qubits_of_deferred_measurements_count_for_the_ceiling(monkeypatch):
    asked = []
    monkeypatch.setattr(base, "available_bytes", lambda: asked.append(True) or 2**30)
    adapter = MqtAdapter()
    adapter.run(uniform(2).measure_all(), shots=10)
    assert not asked
    circuit = Circuit(2, 20)
    for clbit in range(20):
        circuit.h(0).cx(0, 1).measure(0, clbit).reset(0)
    adapter.run(circuit, shots=10, sampling=Sampling.NATIVE)
    assert asked


def test_advice_after_a_run_leaves_no_ceiling():
    adapter, before = MqtAdapter(), resource.getrlimit(resource.RLIMIT_DATA)
    with Room("mqt", adapter.available_bytes, 0.0) as room:
        pass
    assert "decision diagram" in adapter.advice(room)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


# ---------------------------------------------------------------------------- what needs no vector


def ghz(num_qubits):
    circuit = Circuit(num_qubits).h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    return circuit


def test_expectation_values_and_amplitudes_of_60_qubits_come_from_the_diagram(adapter):
    observables = observable_list(["Z0 Z59", "Z0", "X" * 60, "X" * 58 + "YY", {"Z7 Z8": 2, "": 0.5}])
    found = adapter.run(ghz(60), shots=None, result=ResultType.EXPECTATION, details=RunDetails(observables=observables))
    assert found.values == pytest.approx([1, 0, 1, -1, 2.5], abs=1e-9)
    details = RunDetails(bitstrings=("0" * 60, "1" * 60, "01" * 30))
    amplitudes = adapter.run(ghz(60), shots=None, result=ResultType.AMPLITUDES, details=details)
    assert list(amplitudes.values()) == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-9)


def test_a_state_without_structure_is_taken_as_a_vector(adapter, monkeypatch):
    rng, circuit = random.Random(4), Circuit(14)
    for _ in range(3):
        for qubit in range(14):
            circuit.u(*[rng.uniform(0, 6) for _ in range(3)], qubit)
        for qubit in range(13):
            circuit.cx(qubit, qubit + 1)
    details = RunDetails(observables=observable_list(["Z0 X13", "Y3 Y4", {"Z1": 1, "X2 X3": -2}]))
    vector = adapter.run(circuit, shots=None, result=ResultType.EXPECTATION, details=details)
    monkeypatch.setattr("adapters.mqt._SMALL", 0)  # any diagram is small enough
    diagram = adapter.run(circuit, shots=None, result=ResultType.EXPECTATION, details=details)
    assert diagram.values == pytest.approx(vector.values, abs=1e-9)


# ---------------------------------------------------------------------------- diagrams that the shared driver follows


def monitored(num_qubits, layers):
    """Return layers without structure, each of which is followed by a measurement."""
    rng = random.Random(3)
    circuit = Circuit(num_qubits, layers)
    for layer in range(layers):
        for qubit in range(num_qubits):
            circuit.u(*(rng.uniform(-3, 3) for _ in range(3)), qubit)
        for qubit in range(layer % 2, num_qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
        circuit.measure(layer % num_qubits, layer)
    return circuit


def test_few_measurements_on_the_way_are_deferred_and_many_are_followed(adapter):
    few, many = (adapter.run(monitored(3, layers), shots=10) for layers in (5, 12))
    assert (few.provenance.sampler, many.provenance.sampler) == ("native", "shared")


def test_measurements_on_the_way_follow_the_reference(adapter):
    circuit = monitored(3, 11)
    assert_follows_the_reference(adapter, circuit)
    assert_drawn_from(adapter.run(circuit, shots=20_000, seed=1), distribution(circuit))


@pytest.mark.parametrize("seed", range(10))
def test_random_circuits_that_are_followed_follow_the_reference(adapter, seed):
    circuit = random_dynamic_circuit(seed, num_operations=40)
    circuit.set((0,), bits(0))  # the reason to follow them
    assert_follows_the_reference(adapter, circuit)


def test_diagrams_that_differ_by_a_millionth_are_not_merged(adapter):
    circuit = Circuit(2, 3).h(0).measure(0, 0).reset(0).ry(2e-6, 1, when={0: 1}).h(1).measure(1, 1).set((2,), 0)
    exact = adapter.run(circuit, shots=None)
    chances = [exact[f"01{first}"] / (exact[f"00{first}"] + exact[f"01{first}"]) for first in (0, 1)]
    assert chances[0] - chances[1] == pytest.approx(1e-6, rel=1e-4)


def test_equal_diagrams_are_merged(adapter, monkeypatch):
    projected = []
    original = mqt_adapter._Simulation.project
    monkeypatch.setattr(
        mqt_adapter._Simulation, "project", lambda *args, **kw: projected.append(1) or original(*args, **kw)
    )
    circuit = Circuit(2, 2)
    for _ in range(50):
        circuit.h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    counts = adapter.run(circuit, shots=10**6, seed=1)
    assert len(counts) == 4
    assert len(projected) < 50 * 4 * 3


def test_wide_circuits_with_loops_are_followed_to_their_last_measurement(adapter):
    circuit = Circuit(40, 40).h(0)
    for qubit in range(39):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(0, 0).while_({0: 0}).x(0).measure(0, 0).end().measure(0, 0)
    for qubit in range(1, 40):
        circuit.measure(qubit, qubit)
    counts = adapter.run(circuit, shots=1000, seed=1)
    assert counts.keys() == {"1" * 40, "0" * 39 + "1"}
    assert abs(counts["1" * 40] - 500) < 120


def test_room_for_all_amplitudes_is_held_while_outcomes_are_followed(adapter, monkeypatch):
    held, close = [], Room.close

    def closing(room):
        held.append(room.parts["states"])
        close(room)

    monkeypatch.setattr(Room, "close", closing)
    circuit = Circuit(16, 1).h(0)
    for qubit in range(15):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(0, 0).while_({0: 1}).x(15).measure(15, 0).end()
    adapter.run(circuit, shots=None)
    assert held == [adapter.capabilities.exact_bytes_per_amplitude << 16]
