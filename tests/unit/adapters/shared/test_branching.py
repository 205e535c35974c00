from __future__ import annotations

import numpy as np
import pytest
from support.circuits import random_dynamic_circuit, teleportation
from support.fakes import NumpyAdapter
from support.reference import distribution
from support.statistics import assert_drawn_from

from adapters.shared.branching import make_plan
from gateway.circuit import Circuit, Comparison


def test_circuit_measured_last_is_one_segment():
    plan = make_plan(Circuit(2).h(0).cx(0, 1).measure_all())
    assert plan.static
    assert plan.final == {0: 0, 1: 1}
    assert plan.waiting(0) == 0


def test_gate_after_a_measurement_on_another_qubit_does_not_cut():
    assert make_plan(Circuit(2, 2).h(0).measure(0, 0).h(1).measure(1, 1)).static


def test_measurement_of_a_qubit_used_later_cuts():
    plan = make_plan(Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1))
    assert [segment.event.name if segment.event else None for segment in plan.segments] == ["measure", None]
    assert plan.final == {1: 0}


def test_measurement_into_a_clbit_tested_later_cuts():
    plan = make_plan(Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1}))
    assert len(plan.segments) == 2
    assert plan.segments[1].conditional == (0,)


def test_measurement_that_is_overwritten_unread_is_left_out():
    plan = make_plan(Circuit(2, 1).h(0).measure(0, 0).measure(1, 0))
    assert plan.static
    assert plan.final == {0: 1}


def test_measurement_under_a_conditional_one_is_kept():
    plan = make_plan(Circuit(3, 2).h(0).measure(0, 0).measure(1, 1).measure(2, 1, when={0: 1}))
    assert [segment.event.clbits for segment in plan.segments if segment.event] == [(0,), (1,), (1,)]


def test_last_reset_is_left_out():
    assert make_plan(Circuit(2, 1).h(0).measure(0, 0).reset(1)).static


def test_a_reset_before_a_measurement_put_off_to_the_end_is_kept():
    assert make_plan(Circuit(1, 1).x(0).reset(0).measure(0, 0)).segments[0].event.name == "reset"


def test_barriers_are_left_out():
    assert make_plan(Circuit(2, 1).h(0).barrier().measure(0, 0).barrier()).segments[0].gates[0].name == "h"


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
