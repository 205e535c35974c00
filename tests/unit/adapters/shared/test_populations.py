from __future__ import annotations

import numpy as np
import pytest
from support.circuits import random_dynamic_circuit, random_program, teleportation
from support.fakes import NumpyAdapter
from support.reference import distribution
from support.statistics import assert_drawn_from

from adapters.shared.recall import Recall
from gateway.circuit import Circuit, Comparison, Expression, bits
from gateway.errors import CircuitInvalidError, LimitError


@pytest.fixture(autouse=True)
def every_state_is_computed(monkeypatch):
    """Let the number of computed states say how many different ones there are."""
    monkeypatch.setattr(Recall, "after", lambda *_: None)


@pytest.mark.parametrize("seed", range(40))
def test_exact_weights_of_the_branches_are_the_distribution(seed):
    circuit = random_dynamic_circuit(seed, num_operations=16)
    found = NumpyAdapter().run(circuit, shots=None)
    expected = distribution(circuit)
    keys = found.keys() | expected.keys()
    everywhere = {key: expected.get(key, 0.0) for key in keys}
    assert {key: found.get(key, 0.0) for key in keys} == pytest.approx(everywhere, abs=1e-9)


@pytest.mark.parametrize("shots", [1, 10, 100_000])
def test_shots_are_split_as_the_distribution_says(shots):
    for seed in range(10):
        circuit = random_dynamic_circuit(seed, num_operations=16)
        counts = NumpyAdapter().run(circuit, shots=shots, seed=seed)
        assert sum(counts.values()) == shots
        assert_drawn_from(counts, distribution(circuit))


def test_counts_over_many_seeds_are_multinomial():
    """Pearson's statistic, averaged over runs, is the number of outcomes less one.

    For n shots its variance is ``2 (k-1) + (sum 1/p - k^2 - 2k + 2) / n``; over R seeds the mean strays by five of
    its standard deviations with a probability below 6e-7 (normal approximation), and seeds are fixed.
    """
    circuit, shots, runs = teleportation(), 200, 400
    expected = distribution(circuit)
    adapter = NumpyAdapter()
    found = []
    for seed in range(runs):
        counts = adapter.run(circuit, shots=shots, seed=seed)
        found.append(sum((counts.get(key, 0) - shots * p) ** 2 / (shots * p) for key, p in expected.items()))
    k = len(expected)
    variance = 2 * (k - 1) + (sum(1 / p for p in expected.values()) - k**2 - 2 * k + 2) / shots
    assert abs(np.mean(found) - (k - 1)) < 5 * np.sqrt(variance / runs)


def test_rounding_noise_opens_no_branch():
    circuit = Circuit(1, 2)
    for _ in range(50):
        circuit.rx(0.1, 0).rx(-0.1, 0)
    adapter = NumpyAdapter()
    adapter.run(circuit.measure(0, 0).h(0).measure(0, 1), shots=None)
    assert adapter.evolved == 2


def test_an_outcome_that_became_impossible_opens_no_branch_after_unlikely_ones():
    circuit = Circuit(2, 3).rx(-3.0, 1).rx(3.0, 0).measure(1, 2).measure(0, 0).x(0)
    circuit.measure(0, 0, when=Comparison((1, 2), 1, equal=False))
    found = NumpyAdapter().run(circuit, shots=None)
    assert found == pytest.approx(distribution(circuit), abs=1e-12)
    assert sum(NumpyAdapter().run(circuit, shots=10_000_000, seed=1).values()) == 10_000_000


def test_conditions_see_the_bits_of_their_own_branch():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when=Comparison((0,), 1, equal=False)).measure(1, 1)
    assert NumpyAdapter().run(circuit, shots=None) == pytest.approx({"10": 0.5, "01": 0.5})


# ---------------------------------------------------------------------------- what is merged


def rounds(number):
    """Return rounds whose every measurement has two outcomes, while there are only four states and four outcomes."""
    circuit = Circuit(2, 2)
    for _ in range(number):
        circuit.h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    return circuit


@pytest.mark.parametrize("shots", [None, 10**6])
def test_the_cost_grows_with_the_rounds_and_not_with_the_histories(shots):
    few, many = NumpyAdapter(), NumpyAdapter()
    few.run(rounds(10), shots=shots)
    many.run(rounds(100), shots=shots)
    assert many.evolved <= 11 * few.evolved


def test_a_qubit_that_is_reset_and_used_again_has_one_state():
    circuit = Circuit(1, 20)
    for clbit in range(20):
        circuit.reset(0).h(0).measure(0, clbit)
    adapter = NumpyAdapter()
    counts = adapter.run(circuit, shots=1000, seed=2)
    assert len(counts) > 990
    assert adapter.evolved <= 40


def test_states_that_differ_by_a_millionth_are_not_merged():
    angle = 2e-6
    circuit = Circuit(2, 2).h(0).measure(0, 0).reset(0).ry(angle, 1, when={0: 1}).h(1).measure(1, 1)
    exact = NumpyAdapter().run(circuit, shots=None)
    chances = [exact[f"1{first}"] / (exact[f"0{first}"] + exact[f"1{first}"]) for first in (0, 1)]
    assert chances[0] - chances[1] == pytest.approx(np.sin(angle) / 2, rel=1e-6)


def test_states_that_differ_in_rounding_only_are_merged():
    """One outcome is followed by gates that cancel each other but for rounding errors."""
    circuit = Circuit(2, 1).h(0).measure(0, 0).reset(0)
    for angle in (0.1, 0.7, -0.8):
        circuit.rx(angle, 1, when={0: 1})
    adapter = NumpyAdapter()
    adapter.run(circuit.measure(1, 0).h(1).measure(1, 0, when={0: 0}).h(1).measure(1, 0), shots=None)
    assert adapter.evolved == 5  # with the gates and without; after that there is one state, and then there are two


def test_a_phase_of_one_branch_against_another_never_shows():
    circuit = Circuit(2, 2).h(0).measure(0, 0).z(0).gphase(1.3, when={0: 1}).s(0).reset(0).h(1)
    adapter, without = NumpyAdapter(), NumpyAdapter()
    found = adapter.run(circuit.h(0).measure(0, 1).h(0), shots=None)
    assert found == pytest.approx({"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25})
    without.run(Circuit(2, 2).h(0).measure(0, 0).reset(0).h(0).measure(0, 1).h(0), shots=None)
    assert adapter.evolved == without.evolved + 2


def test_what_nothing_reads_any_more_is_forgotten():
    """Each round has a coin of its own among the hidden clbits, which is read once."""
    circuit = Circuit(2, 1, num_hidden=30)
    for coin in range(1, 31):
        circuit.reset(0).h(0).measure(0, coin).x(1, when={coin: 1})
    adapter = NumpyAdapter()
    assert adapter.run(circuit.measure(1, 0), shots=None) == pytest.approx({"0": 0.5, "1": 0.5})
    assert adapter.evolved < 150


# ---------------------------------------------------------------------------- loops and values


def endless():
    return Circuit(1, 1).x(0).measure(0, 0).h(0).while_({0: 1}).h(0).end()


@pytest.mark.parametrize(("shots", "how_often"), [(7, "for 7 shots or more"), (None, "with the probability 1 or more")])
def test_a_loop_that_does_not_end_is_an_error_that_says_how_often(shots, how_often):
    with pytest.raises(LimitError, match=f"operation 3: the loop has not ended after 10,000 turns {how_often}") as info:
        NumpyAdapter().run(endless(), shots=shots)
    assert (info.value.limit, info.value.allowed) == ("max_loop_iterations", 10_000)


def test_a_loop_has_as_many_turns_as_the_settings_say():
    adapter = NumpyAdapter()
    adapter.limit_loops(3)
    circuit = Circuit(1, 2).set((0, 1), 3).while_(Comparison((0, 1), 0, equal=False))
    circuit.x(0).set((0, 1), Expression("-", (bits(0, 1), 1))).end()
    assert adapter.run(circuit.measure(0, 0), shots=3) == {"01": 3}
    adapter.limit_loops(2)
    with pytest.raises(LimitError, match="after 2 turns for 3 shots"):
        adapter.run(circuit, shots=3)


def test_exact_results_have_all_of_the_weight_but_for_a_trillionth():
    adapter = NumpyAdapter()
    adapter.limit_loops(30)
    circuit = Circuit(1, 1).h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end()
    with pytest.raises(LimitError, match=r"with the probability 4\.7e-10 or more"):
        adapter.run(circuit, shots=None)
    adapter.limit_loops(50)
    assert adapter.run(circuit, shots=None) == pytest.approx({"0": 1.0}, abs=1e-12)


def test_a_division_by_zero_is_an_error_where_it_happens():
    circuit = Circuit(1, 2).h(0).measure(0, 0).set((1,), Expression("/", (1, bits(0))))
    with pytest.raises(CircuitInvalidError, match=r"operation 2: the value .* divides by zero") as info:
        NumpyAdapter().run(circuit, shots=100)
    assert info.value.operation == 2
    never = Circuit(1, 2).x(0).measure(0, 0).set((1,), Expression("/", (1, bits(0))))
    assert NumpyAdapter().run(never, shots=100) == {"11": 100}


def test_errors_name_the_operation_of_the_circuit_that_was_sent():
    circuit = Circuit(9, 2).h(4).barrier().c3x(4, 5, 6, 7).measure(4, 0).set((1,), Expression("%", (1, bits(0))))
    with pytest.raises(CircuitInvalidError, match="operation 4: "):
        NumpyAdapter().run(circuit, shots=100)


@pytest.mark.parametrize("seed", range(30))
def test_programs_have_the_distribution_of_the_reference(seed):
    circuit = random_program(seed)
    found, expected = NumpyAdapter().run(circuit, shots=None), distribution(circuit)
    keys = sorted(found.keys() | expected.keys())
    assert [found.get(key, 0.0) for key in keys] == pytest.approx([expected.get(k, 0.0) for k in keys], abs=1e-9)


def test_the_same_seed_gives_the_same_counts():
    circuit = random_program(3)
    runs = [NumpyAdapter().run(circuit, shots=5000, seed=seed) for seed in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]


# ---------------------------------------------------------------------------- how many states wait


def different(number):
    """Return events after which all states are different: a qubit is turned by another angle after each outcome."""
    circuit = Circuit(2, 1, num_hidden=1)
    for k in range(number):
        circuit.reset(0).h(0).measure(0, 1).ry(0.3 + 2.0**-k, 1, when={1: 1})
    return circuit.measure(1, 0)


class Crowded(NumpyAdapter):
    """Has memory for so many states that wait."""

    most = 0

    def take_states(self, run, num_qubits, waiting=0, **_):
        if waiting > self.most:
            raise LimitError("too many", limit="qubits", requested=num_qubits, allowed=1)


@pytest.mark.parametrize("most", [10, 20, 1000])
def test_where_few_states_fit_one_history_is_followed_after_the_other(most):
    circuit = different(8)
    adapter, roomy = Crowded(), NumpyAdapter()
    adapter.most = most
    expected = distribution(circuit)
    assert adapter.run(circuit, shots=None) == pytest.approx(expected, abs=1e-12)
    assert_drawn_from(adapter.run(circuit, shots=4000, seed=1), expected)
    roomy.run(circuit, shots=None)
    roomy.run(circuit, shots=4000, seed=1)
    assert adapter.evolved >= roomy.evolved


def test_not_even_the_states_of_one_history_fit():
    adapter = Crowded()
    with pytest.raises(LimitError, match="too many"):
        adapter.run(different(8), shots=None)


def test_too_many_states_in_a_loop_are_refused_by_name():
    circuit = Circuit(2, 1, num_hidden=1).set((0,), 1).while_({0: 1})
    circuit.reset(0).h(0).measure(0, 1).ry(0.3, 1, when={1: 1}).rz(0.7, 1)
    circuit.reset(0).ry(3.0, 0).measure(0, 0).end()
    adapter = Crowded()
    adapter.most = 12
    with pytest.raises(LimitError, match="different states or more at a time, which do not fit") as info:
        adapter.run(circuit, shots=1_000_000)
    assert info.value.limit == "branches"


def test_rows_that_do_not_fit_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(NumpyAdapter, "available_bytes", lambda _: 2**25)
    circuit = Circuit(1, 40)
    for clbit in range(40):
        circuit.reset(0).h(0).measure(0, clbit)
    with pytest.raises(LimitError, match="outcomes of 39 clbits do not fit") as info:
        NumpyAdapter().run(circuit, shots=None)
    assert info.value.limit == "outcomes"
