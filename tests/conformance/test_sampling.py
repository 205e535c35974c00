"""Counts follow the exact distribution, whoever draws them, within bounds of a stated false-alarm rate."""

from __future__ import annotations

import pytest
from support.circuits import bell, random_circuit, teleportation, wide
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway.circuit import Circuit, Comparison, bits
from gateway.errors import UnsupportedError

SHOTS = 4000
BY_NATIVE_DYNAMIC = {
    "teleportation": teleportation(),
    "reset": Circuit(2, 2).ry(0.9, 0).cx(0, 1).reset(0).ry(0.3, 0).measure(0, 0).measure(1, 1),
    "used again": Circuit(1, 2).ry(1.2, 0).measure(0, 0).reset(0).ry(0.7, 0).measure(0, 1),
    "overwritten": Circuit(3, 2).ry(0.6, 0).ry(2.2, 1).measure(0, 0).measure(1, 0).x(2, when={0: 1}).measure(2, 1),
    "hidden clbit": Circuit(2, 1, num_hidden=1).ry(0.9, 0).measure(0, 1).x(1, when={1: 1}).measure(1, 0),
    "not yet written": Circuit(2, 3).h(0).measure(0, 0).x(1, when={2: 0}).x(1, when={2: 1}).measure(1, 1),
}
BEYOND = {
    "conditional measurement": Circuit(2, 2).ry(1.1, 0).h(1).measure(0, 0).measure(1, 1, when={0: 1}),
    "assignment": Circuit(1, 2).ry(1.1, 0).measure(0, 0).set((1,), bits(0)),
    "loop": Circuit(1, 2).h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end().ry(0.4, 0).measure(0, 1),
    "conditional reset": Circuit(2, 2).ry(1.1, 0).h(1).measure(0, 0).reset(1, when={0: 1}).measure(1, 1),
    "unequal bits": Circuit(3, 3)
    .ry(1.1, 0)
    .ry(0.7, 1)
    .measure(0, 0)
    .measure(1, 1)
    .x(2, when=Comparison((0, 1), 2, equal=False))
    .measure(2, 2),
}
NATIVE_SHOTS = 400
"""The frameworks' own samplers repeat a dynamic circuit shot by shot."""


@pytest.mark.parametrize("shots", [1, 2, 1000, 100_000])
def test_counts_follow_the_distribution_at_any_number_of_shots(run, fit, shots):
    for seed, circuit in enumerate(map(fit, (bell(), wide(), random_circuit(3, 5, 30).measure_all()))):
        counts = run(circuit, shots=shots, seed=seed).counts
        assert sum(counts.values()) == shots
        assert_drawn_from(counts, distribution(circuit))


def test_own_sampler_follows_the_distribution(native, fit):
    for circuit in map(fit, (bell(), wide(), random_circuit(3, 5, 30).measure_all())):
        assert_drawn_from(native(circuit, SHOTS).counts, distribution(circuit))


def test_own_sampler_does_not_show_hidden_clbits(native):
    circuit = Circuit(3, 2, num_hidden=2).x(0).measure(0, 2).measure(1, 3).measure(0, 1).measure(2, 0)
    assert native(circuit, 10).counts == {"10": 10}


def test_own_sampler_keeps_the_bit_order(native):
    expected = ["0"] * 70
    circuit = Circuit(5, 70).x(0).x(3).cx(0, 4)
    for clbit, qubit in ((0, 0), (9, 1), (10, 3), (64, 4), (69, 2), (2, 0)):
        circuit.measure(qubit, clbit)
        expected[69 - clbit] = "1" if qubit in {0, 3, 4} else "0"
    assert native(circuit, 10).counts == {"".join(expected): 10}


def test_own_sampler_leaves_idle_qubits_out(native):
    assert native(Circuit(40, 2).x(39).measure(39, 1).measure(3, 0), 10).counts == {"10": 10}


def test_own_sampler_lets_a_later_measurement_overwrite(native):
    assert native(Circuit(2, 1).x(0).measure(0, 0).measure(1, 0), 10).counts == {"0": 10}
    assert native(Circuit(2, 1).x(1).measure(0, 0).measure(1, 0), 10).counts == {"1": 10}


def test_provenance_says_who_drew(run, native):
    assert native(bell(), 10).provenance.sampler == "native"
    assert run(bell(), shots=10).provenance.sampler in {"shared", "native"}


def test_provenance_of_an_exact_result_has_no_sampler(run, probabilities):
    assert run(bell(), shots=None).provenance.sampler == "none"


@pytest.mark.parametrize("circuit", BY_NATIVE_DYNAMIC.values(), ids=list(BY_NATIVE_DYNAMIC))
def test_own_sampler_runs_dynamic_circuits_or_refuses_them_by_name(run, native, fit, circuit):
    circuit = fit(circuit)
    if run.capabilities.native_dynamic:
        assert_drawn_from(native(circuit, NATIVE_SHOTS).counts, distribution(circuit))
    else:
        with pytest.raises(UnsupportedError, match="auto") as caught:
            native(circuit, NATIVE_SHOTS)
        assert caught.value.feature == "native dynamic circuits"
        assert caught.value.simulator == run(bell(), shots=1).provenance.simulator


@pytest.mark.parametrize("circuit", BEYOND.values(), ids=list(BEYOND))
def test_own_sampler_runs_what_few_can_say_or_refuses_it_by_name(native, fit, circuit):
    """Not every framework can say it; none may say something else instead."""
    circuit = fit(circuit)
    try:
        counts = native(circuit, NATIVE_SHOTS).counts
    except UnsupportedError as refusal:
        assert refusal.feature.startswith("native")  # noqa: PT017 - either way is right
    else:
        assert_drawn_from(counts, distribution(circuit))
