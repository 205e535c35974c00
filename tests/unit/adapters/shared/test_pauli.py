"""Pauli strings: exact values from a state, groups that are measured together, and estimates from outcomes."""

from __future__ import annotations

from functools import reduce
from itertools import product
from random import Random

import numpy as np
import pytest

from adapters.shared.pauli import Estimate, Outcomes, PauliSums, String, expectations, groups_of, rotate
from gateway.observables import PauliSum, observable_list

LETTERS = {"I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}


def random_state(num_qubits: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    state = rng.normal(size=2**num_qubits) + 1j * rng.normal(size=2**num_qubits)
    return state / np.linalg.norm(state)


def exact(state: np.ndarray, text: str) -> float:
    matrix = reduce(np.kron, [LETTERS[letter] for letter in text])
    return float(np.vdot(state, matrix @ state).real)


def sums_of(*texts: str) -> PauliSums:
    return PauliSums.of([PauliSum(text).terms for text in texts])


@pytest.mark.parametrize("num_qubits", [1, 2, 3, 4])
def test_every_string_has_its_value(num_qubits):
    state = random_state(num_qubits, num_qubits)
    texts = ["".join(letters) for letters in product("IXYZ", repeat=num_qubits)]
    sums = sums_of(*texts)
    assert sums.values(expectations(state, sums.strings)) == pytest.approx([exact(state, text) for text in texts])


def test_strings_one_by_one_have_the_same_values_as_together():
    state, random = random_state(7, 3), Random(5)
    texts = ["".join(random.choices("IXYZ", k=7)) for _ in range(30)]
    together = expectations(state, sums_of(*texts).strings)
    alone = [expectations(state, sums_of(text).strings)[0] for text in texts]
    assert together == pytest.approx(alone)
    assert alone == pytest.approx([exact(state, text) for text in texts])


def test_a_state_that_is_not_quite_normalised_gives_no_other_values():
    state = random_state(3, 1)
    assert expectations(1.5 * state, sums_of("XYZ").strings) == pytest.approx([exact(state, "XYZ")])


def test_the_state_of_a_simulator_is_not_changed():
    state = random_state(3, 1)
    before = state.copy()
    expectations(state, sums_of("XYZ", "ZZZ", "IIX").strings)
    rotate(state, {0: "X", 2: "Y"})
    assert (state == before).all()


@pytest.mark.parametrize("letter", "XYZ")
def test_after_the_turn_of_a_basis_z_is_the_letter(letter):
    state = random_state(3, 2)
    turned = rotate(state, {1: letter})
    assert exact(turned, "IZI") == pytest.approx(exact(state, f"I{letter}I"))
    assert np.linalg.norm(turned) == pytest.approx(1)


def test_each_string_is_kept_once_with_all_its_coefficients():
    sums = PauliSums.of(observable_list([{"ZZ": 1, "XI": 2}, "XI", [("ZZ", (1, 0), 0.5)]]))
    assert sums.strings == [String(0, 3), String(2, 0)]
    assert sums.values(np.array([10.0, 100.0])) == [210, 100, 5]


@pytest.mark.parametrize(
    ("texts", "groups"),
    [
        (["ZZI", "IZZ", "ZIZ", "IIZ"], [{"ZZI", "IZZ", "ZIZ", "IIZ"}]),
        (["XX", "YY", "ZZ"], [{"XX"}, {"YY"}, {"ZZ"}]),
        (["XI", "IY", "XY", "ZI"], [{"XI", "IY", "XY"}, {"ZI"}]),
        (["III", "XYZ", "IYI"], [{"XYZ", "IYI"}]),
        (["II"], []),
    ],
)
def test_strings_with_equal_letters_where_they_meet_are_a_group(texts, groups):
    sums = sums_of(*texts)
    found = [{texts[position] for position in group.positions} for group in groups_of(sums.strings)]
    assert found == groups


def test_no_two_strings_of_a_group_contradict_each_other_and_none_is_lost():
    random = Random(9)
    sums = sums_of(*["".join(random.choices("IXYZ", k=5)) for _ in range(80)])
    groups = groups_of(sums.strings)
    positions = [position for group in groups for position in group.positions]
    assert sorted(positions) == [place for place, string in enumerate(sums.strings) if string.support]
    for group in groups:
        for position in group.positions:
            string = sums.strings[position]
            for qubit, letter in group.basis.items():
                own = {(0, 0): None, (1, 0): "X", (1, 1): "Y", (0, 1): "Z"}[
                    string.x >> qubit & 1, string.z >> qubit & 1
                ]
                assert own in {None, letter}


def test_an_estimate_is_the_mean_of_the_shots_with_its_standard_error():
    sums = PauliSums.of(observable_list([{"ZZ": 1, "IZ": 2, "II": 10}, "ZI"]))
    estimate = Estimate(sums, groups_of(sums.strings), shots=4)
    estimate.add(0, Outcomes(np.array([[0, 0], [1, 0], [1, 1]], dtype=np.uint8), np.array([2.0, 1.0, 1.0])))
    shots = np.array([1 + 2, 1 + 2, -1 - 2, 1 - 2])
    assert estimate.values == pytest.approx([10 + shots.mean(), 0.5])
    assert estimate.std_errors[0] == pytest.approx(shots.std(ddof=1) / 2)


def test_the_errors_of_groups_add_up():
    sums = PauliSums.of(observable_list([{"Z": 3, "X": 4}]))
    groups = groups_of(sums.strings)
    estimate = Estimate(sums, groups, shots=2)
    for number in range(2):
        estimate.add(number, Outcomes(np.array([[0], [1]], dtype=np.uint8), np.array([1.0, 1.0])))
    assert estimate.values == [0]
    assert estimate.std_errors == pytest.approx([5])


def test_outcomes_are_added_piece_by_piece(monkeypatch):
    rng = np.random.default_rng(2)
    outcomes = Outcomes(rng.integers(0, 2, size=(50, 3), dtype=np.uint8), rng.integers(1, 9, size=50).astype(float))
    sums = PauliSums.of(observable_list([{"ZZI": 0.3, "IZZ": -2, "IIZ": 1}, "ZIZ"]))
    found = []
    for size in (2**18, 12):
        monkeypatch.setattr("adapters.shared.pauli._PIECE", size)
        estimate = Estimate(sums, groups_of(sums.strings), shots=int(outcomes.weights.sum()))
        estimate.add(0, outcomes)
        found.append(estimate.values + estimate.std_errors)
    assert found[0] == pytest.approx(found[1])


def test_exact_probabilities_give_values_without_errors():
    sums = sums_of("ZI")
    estimate = Estimate(sums, groups_of(sums.strings), shots=0)
    estimate.add(0, Outcomes(np.array([[0], [1]], dtype=np.uint8), np.array([0.75, 0.25])))
    assert (estimate.values, estimate.std_errors) == ([0.5], [0])
