"""Circuits with resets, conditions, and measurements on whose outcome something depends, come out right."""

from __future__ import annotations

from math import pi

import pytest
from support.circuits import random_dynamic_circuit, random_program, teleportation
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway.circuit import Circuit, Comparison, Expression, bits

SHOTS = 4000

CIRCUITS = {
    "teleportation": teleportation(),
    "reset of an entangled qubit": Circuit(2, 2).ry(0.9, 0).cx(0, 1).reset(0).measure(0, 0).measure(1, 1),
    "reset leaves the others": Circuit(3, 3).h(0).cx(0, 1).cx(1, 2).reset(1).h(1).measure_all(),
    "reset of a superposition in use": Circuit(1, 1).h(0).reset(0).ry(0.5, 0).measure(0, 0),
    "qubit used again": Circuit(1, 2).ry(1.2, 0).measure(0, 0).reset(0).ry(0.7, 0).measure(0, 1),
    "measured, then used": Circuit(2, 2).h(0).measure(0, 0).h(0).cx(0, 1).measure(0, 1),
    "measured, then a control": Circuit(2, 2).ry(0.8, 0).measure(0, 0).cx(0, 1).measure(1, 1),
    "measured twice": Circuit(1, 2).ry(1.0, 0).measure(0, 0).measure(0, 1),
    "measured twice with a flip between": Circuit(1, 2).ry(1.0, 0).measure(0, 0).x(0).measure(0, 1),
    "overwritten by a measured qubit": Circuit(2, 1).ry(1.0, 0).ry(2.0, 1).measure(0, 0).measure(1, 0).h(0),
    "gate if equal": Circuit(2, 2).ry(1.1, 0).measure(0, 0).x(1, when={0: 1}).measure(1, 1),
    "gate if unequal": Circuit(2, 2).ry(1.1, 0).measure(0, 0).x(1, when=Comparison((0,), 1, equal=False)).measure(1, 1),
    "gate if bits unequal": Circuit(3, 3)
    .ry(1.1, 0)
    .ry(0.7, 1)
    .measure(0, 0)
    .measure(1, 1)
    .x(2, when=Comparison((0, 1), 2, equal=False))
    .measure(2, 2),
    "gate if several bits": Circuit(4, 4)
    .ry(1.1, 0)
    .ry(2.0, 1)
    .ry(1.7, 2)
    .measure(0, 0)
    .measure(1, 1)
    .measure(2, 2)
    .ry(0.4, 3, when=Comparison((2, 0, 1), 5))
    .measure(3, 3),
    "two comparisons": Circuit(3, 3)
    .ry(1.1, 0)
    .ry(2.0, 1)
    .measure(0, 0)
    .measure(1, 1)
    .x(2, when=(Comparison((0,), 1), Comparison((1,), 1, equal=False)))
    .measure(2, 2),
    "two comparisons that exclude each other": Circuit(2, 2)
    .h(0)
    .measure(0, 0)
    .x(1, when=(Comparison((0,), 1), Comparison((0,), 0)))
    .measure(1, 1),
    "clbit not written yet is 0": Circuit(2, 3).h(0).measure(0, 0).x(1, when={2: 0}).x(1, when={2: 1}).measure(1, 1),
    "written and unwritten clbits": Circuit(2, 3)
    .h(0)
    .measure(0, 0)
    .x(1, when=Comparison((0, 2), 1))
    .h(1, when=Comparison((0, 2), 1, equal=False))
    .measure(1, 1),
    "condition on an overwritten clbit": Circuit(3, 2)
    .ry(0.6, 0)
    .ry(2.2, 1)
    .measure(0, 0)
    .measure(1, 0)
    .x(2, when={0: 1})
    .measure(2, 1),
    "clbit overwritten after its condition": Circuit(2, 1).ry(0.6, 0).measure(0, 0).x(1, when={0: 1}).measure(1, 0),
    "conditional measurement": Circuit(2, 2).ry(1.1, 0).h(1).measure(0, 0).measure(1, 1, when={0: 1}),
    "conditional measurement over an earlier one": Circuit(3, 2)
    .ry(1.1, 0)
    .ry(2.0, 1)
    .measure(0, 0)
    .measure(1, 1)
    .measure(2, 1, when={0: 1}),
    "condition on a conditional measurement": Circuit(3, 3)
    .ry(1.1, 0)
    .ry(2.0, 1)
    .measure(0, 0)
    .measure(1, 1, when={0: 1})
    .x(2, when={1: 1})
    .measure(2, 2),
    "conditional reset": Circuit(2, 3).h(0).x(1).measure(0, 0).reset(1, when={0: 1}).measure(1, 1),
    "conditional reset of an entangled qubit": Circuit(3, 3)
    .h(0)
    .ry(0.9, 1)
    .cx(1, 2)
    .measure(0, 0)
    .reset(1, when={0: 1})
    .measure(1, 1)
    .measure(2, 2),
    "conditional composite gate": Circuit(5, 2)
    .h(0)
    .x(1)
    .x(2)
    .x(3)
    .measure(0, 0)
    .c4x(3, 1, 2, 0, 4, when={0: 1})
    .measure(4, 1),
    "conditional phase between": Circuit(2, 2).h(0).h(1).measure(0, 0).s(1, when={0: 1}).h(1).measure(1, 1),
    "conditional global phase": Circuit(1, 1).h(0).measure(0, 0).gphase(0.4, when={0: 1}).h(0).measure(0, 0),
    "condition into the last measurement": Circuit(2, 2)
    .x(0)
    .measure(0, 0)
    .measure(1, 1)
    .x(1, when={0: 1})
    .measure(1, 1),
    "repeat until it fails": Circuit(2, 4)
    .h(0)
    .measure(0, 0)
    .h(0, when={0: 1})
    .measure(0, 1)
    .h(0, when={1: 1})
    .measure(0, 2)
    .x(1, when=Comparison((0, 1, 2), 7))
    .measure(1, 3),
    "certain outcome after a huge angle": Circuit(2, 3)
    .x(0)
    .rxx(pi / 2, 1, 0)
    .cx(0, 1)
    .u2(-3141593.0, pi, 0)
    .measure(1, 0)
    .x(1)
    .measure(1, 1)
    .measure(0, 2),
    "idle qubits between": Circuit(9, 3).h(2).measure(2, 0).x(7, when={0: 1}).measure(7, 2),
    "hidden clbit": Circuit(2, 1, num_hidden=1).ry(1.0, 0).measure(0, 1).x(1, when={1: 1}).measure(1, 0),
    "measured into a hidden clbit": Circuit(2, 1, num_hidden=1).ry(1.0, 0).measure(0, 1).ry(0.4, 1).measure(1, 0),
    "constant": Circuit(1, 4).set((3, 0, 1), 6).ry(1.0, 0).measure(0, 2).set((1,), 0),
    "constant under a condition": Circuit(1, 3).ry(1.0, 0).measure(0, 0).set((1, 2), 2, when={0: 1}),
    "copied": Circuit(1, 3).ry(1.0, 0).measure(0, 0).set((2,), bits(0)).x(0).measure(0, 0),
    "swapped": Circuit(2, 2).ry(1.0, 0).ry(2.0, 1).measure(0, 0).measure(1, 1).set((0, 1), bits(1, 0)),
    "parity": Circuit(3, 4)
    .ry(1.0, 0).ry(2.0, 1).ry(0.4, 2)
    .measure(0, 0).measure(1, 1).measure(2, 2)
    .set((3,), Expression("^", (Expression("^", (bits(0), bits(1))), bits(2)))),
    "sum of outcomes, negative": Circuit(2, 5, num_hidden=2)
    .ry(1.0, 0).ry(2.0, 1)
    .measure(0, 5).measure(1, 6)
    .set((0, 1, 2, 3, 4), Expression("-", (Expression("*", (bits(5), 3)), bits(6) * 5))),
    "division where the divisor is never 0": Circuit(1, 3)
    .ry(1.0, 0).measure(0, 0)
    .set((1, 2), Expression("/", (3, bits(0) + 1))),
    "repeat until success": Circuit(2, 2)
    .h(0).measure(0, 0)
    .while_({0: 1}).ry(0.3, 1).h(0).measure(0, 0).end()
    .measure(1, 1),
    "loop that is never begun": Circuit(1, 1).x(0).while_({0: 1}).x(0).end().measure(0, 0),
    "loop over a counter": Circuit(1, 3, num_hidden=2)
    .set((3, 4), 3).while_(Comparison((3, 4), 0, equal=False))
    .ry(0.4, 0).set((3, 4), Expression("-", (bits(3, 4), 1)))
    .end().measure(0, 0),
    "loop in a loop": Circuit(2, 3)
    .set((0,), 1).while_({0: 1})
    .h(0).measure(0, 1).while_({1: 1}).ry(0.3, 1).h(0).measure(0, 1).end()
    .ry(1.2, 0).measure(0, 0).reset(0).end()
    .measure(1, 2),
    "conditional gates in a loop": Circuit(2, 3)
    .h(0).measure(0, 0)
    .while_({0: 1}).h(0).measure(0, 1).ry(0.5, 1, when={1: 1}).reset(0).h(0).measure(0, 0).end()
    .measure(1, 2),
    "loop after a loop": Circuit(1, 2)
    .h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end()
    .ry(1.0, 0).measure(0, 1).while_({1: 1}).ry(1.0, 0).measure(0, 1).end(),
    "more clbits than a machine word": Circuit(2, 70).ry(1.0, 0).measure(0, 66).x(1, when={66: 1}).measure(1, 3),
}  # fmt: skip


def assert_same(found, expected):
    keys = found.keys() | expected.keys()
    everywhere = {key: expected.get(key, 0.0) for key in keys}
    assert {key: found.get(key, 0.0) for key in keys} == pytest.approx(everywhere, abs=1e-9)


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=list(CIRCUITS))
def test_probabilities_are_exact(probabilities, fit, circuit):
    circuit = fit(circuit)
    assert_same(probabilities(circuit), distribution(circuit))


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=list(CIRCUITS))
def test_counts_follow_the_distribution(run, fit, circuit):
    circuit = fit(circuit)
    assert_drawn_from(run(circuit, shots=SHOTS, seed=11).counts, distribution(circuit))


@pytest.mark.parametrize("seed", range(25))
def test_random_dynamic_circuit_is_exact(probabilities, fit, seed):
    circuit = fit(random_dynamic_circuit(seed))
    assert_same(probabilities(circuit), distribution(circuit))


@pytest.mark.parametrize("seed", range(12))
def test_random_program_is_exact(probabilities, fit, seed):
    circuit = fit(random_program(seed))
    assert_same(probabilities(circuit), distribution(circuit))


@pytest.mark.parametrize("seed", range(100, 104))
def test_random_program_is_sampled_right(run, fit, seed):
    circuit = fit(random_program(seed))
    assert_drawn_from(run(circuit, shots=SHOTS, seed=seed).counts, distribution(circuit))


@pytest.mark.parametrize("seed", range(100, 106))
def test_random_dynamic_circuit_is_sampled_right(run, fit, seed):
    circuit = fit(random_dynamic_circuit(seed))
    assert_drawn_from(run(circuit, shots=SHOTS, seed=seed).counts, distribution(circuit))


def test_one_shot_takes_one_branch(run, fit):
    assert sum(run(fit(teleportation()), shots=1, seed=5).counts.values()) == 1


def test_mostly_idle_register_costs_nothing(run):
    circuit = Circuit(40, 2).x(7).measure(7, 0).x(32, when={0: 1}).measure(32, 1)
    assert run(circuit, shots=10).counts == {"11": 10}
