from __future__ import annotations

import numpy as np
import pytest

from gateway import Circuit, Precision
from gateway.compare.closeness import allowance, largest_difference, tolerance
from gateway.compare.statistics.outcomes import Distribution
from gateway.compare.witnesses import OURS, Witness, choose, fidelity_and_phase

RIGHT = {"00": 0.5, "11": 0.5}
WRONG = {"00": 0.6, "11": 0.4}
SINGLE = tolerance(Circuit(2).h(0).cx(0, 1), Precision.SINGLE)


def witness(name: str, probabilities: dict[str, float], engine: str = "") -> Witness:
    return Witness(name, engine or name, Distribution.of(probabilities, 2), 1e-10)


def test_the_reference_is_what_two_independent_witnesses_share_whoever_comes_first():
    reference, source = choose([witness("wrong", WRONG), witness("a", RIGHT), witness("b", RIGHT)])
    assert (reference.kind, reference.witnesses, reference.independent) == ("exact", ("a", "b"), 2)
    assert reference.probabilities == RIGHT
    assert source.name == "a"


def test_two_front_ends_of_one_engine_are_one_witness():
    aer = [witness("qiskit", WRONG, "aer"), witness("pytket", WRONG, "aer")]
    reference, _ = choose([*aer, witness(OURS, RIGHT)])
    assert (reference.kind, reference.witnesses) == ("single", (OURS,))
    reference, _ = choose([*aer, witness("a", RIGHT), witness("b", RIGHT)])
    assert reference.witnesses == ("a", "b")


def test_a_single_witness_is_said_to_be_alone():
    reference, _ = choose([witness("a", RIGHT)], "too large")
    assert (reference.kind, reference.independent) == ("single", 1)
    assert "too large" in reference.note
    assert "nobody independent" in reference.note


def test_our_own_simulator_decides_between_two_that_contradict_each_other_and_is_outvoted_by_two():
    reference, _ = choose([witness(OURS, RIGHT), witness("a", WRONG)])
    assert (reference.kind, reference.witnesses) == ("single", (OURS,))
    reference, _ = choose([witness(OURS, RIGHT), witness("a", WRONG), witness("b", WRONG)])
    assert reference.witnesses == ("a", "b")
    assert "outvoted" in reference.note
    assert reference.others == ((OURS,),)


def test_of_two_groups_of_the_same_size_that_with_our_own_simulator_is_the_reference():
    liars = [witness("b", WRONG), witness("c", WRONG)]
    reference, _ = choose([witness(OURS, RIGHT), *liars, witness("a", RIGHT)])
    assert (reference.kind, reference.witnesses, reference.others) == ("exact", (OURS, "a"), (("b", "c"),))


def test_an_engine_that_gives_two_distributions_is_no_witness_for_either():
    split = [witness("front", WRONG, "e"), witness("other", WRONG), witness("back", RIGHT, "e")]
    reference, _ = choose(split)
    assert (reference.kind, reference.witnesses) == ("single", ("front", "other"))
    reference, source = choose([split[0], split[2]])
    assert (reference.kind, source) == ("none", None)


def test_rare_outcomes_are_not_hidden_by_the_tolerance_of_likely_ones():
    outcomes = 2**16
    flat, tilted = np.full(outcomes, 1 / outcomes), np.linspace(0.5, 1.5, outcomes) / outcomes
    exact = [Distribution(16, np.arange(outcomes), values) for values in (flat, tilted)]
    allowed = [allowance(1e-4, each) for each in exact]
    assert max(allowed) < largest_difference(*exact)
    peaked = Distribution.of({"0": 1.0}, 1)
    assert allowance(1e-4, peaked) == 1e-4


def test_without_a_majority_there_is_no_reference():
    tie = [witness("a", RIGHT), witness("b", RIGHT), witness("c", WRONG), witness("d", WRONG)]
    for witnesses in (tie, tie[1:3]):
        reference, source = choose(witnesses)
        assert reference.kind == "none"
        assert source is None
        assert "contradict" in reference.note
        assert len(reference.others) == 2


def test_without_witnesses_there_is_no_reference():
    reference, source = choose([], "30 qubits")
    assert (reference.kind, reference.note, source) == ("none", "30 qubits", None)


@pytest.mark.parametrize("off", [1e-6, 1e-3])
def test_a_difference_that_no_sampling_would_show_splits_the_witnesses(off: float):
    reference, _ = choose([witness("a", {"00": 0.5 + off, "11": 0.5 - off}), witness("b", RIGHT), witness("c", RIGHT)])
    assert reference.witnesses == ("b", "c")


def test_rounding_does_not_split_them():
    reference, _ = choose([witness("a", {"00": 0.5 + 1e-13, "11": 0.5 - 1e-13}), witness("b", RIGHT)])
    assert reference.witnesses == ("a", "b")


def test_single_precision_gets_more_room_and_the_numbers_come_from_the_more_precise():
    single = Witness("a", "a", Distribution.of({"00": 0.5 + 1e-7, "11": 0.5 - 1e-7}, 2), SINGLE)
    reference, source = choose([single, witness("b", RIGHT)])
    assert reference.witnesses == ("a", "b")
    assert source.name == "b"


def test_fidelity_and_global_phase_of_states():
    state = np.array([1, 1j]) / np.sqrt(2)
    assert fidelity_and_phase(state, state) == pytest.approx((1, 0))
    assert fidelity_and_phase(state * np.exp(0.3j), state) == pytest.approx((1, 0.3))
    assert fidelity_and_phase(state, np.array([1, -1j]) / np.sqrt(2))[0] == pytest.approx(0)


def test_states_of_equal_probabilities_are_told_apart_by_their_fidelity():
    plus, minus = np.array([1, 1]) / np.sqrt(2), np.array([1, -1]) / np.sqrt(2)
    witnesses = [
        Witness(name, name, Distribution.of_state(state), 1e-10, state)
        for name, state in {"a": plus, "b": minus, "c": plus * 1j}.items()
    ]
    reference, _ = choose(witnesses)
    assert reference.witnesses == ("a", "c")
