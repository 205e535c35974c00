"""Expectation values, memory, amplitudes, density matrices and chosen clbits, against the exact ones."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from support import reference
from support.circuits import bell, random_circuit, random_dynamic_circuit, random_program, teleportation, wide
from support.statistics import FALSE_ALARM, assert_drawn_from

from gateway.circuit import Circuit
from gateway.errors import LimitError, RequestError
from gateway.observables import Observable, PauliSum, observable_list
from gateway.results import ResultType

CLOSE = 1e-9
SHOTS = 4000


def random_sum(random: Random, num_qubits: int, num_terms: int) -> PauliSum:
    """Return a sum of random strings, the identity among them sometimes."""
    texts = ["".join(random.choices("IXYZ", k=num_qubits)) for _ in range(num_terms)]
    return PauliSum([(text, random.uniform(-2, 2)) for text in texts])


def values(circuit: Circuit, observables: object) -> list[float]:
    return [reference.expectation(circuit, terms) for terms in observable_list(observables)]


def bound(terms: Observable, shots: int) -> float:
    """Return how far an estimate may be from the exact value, with ``FALSE_ALARM`` (Hoeffding).

    A shot of a group gives a number between plus and minus the sum of the sizes of the group's coefficients.
    """
    size = sum(abs(term.coefficient) for term in terms)
    return size * math.sqrt(2 * math.log(2 / FALSE_ALARM) / shots)


def assert_estimates(found, circuit, observables, shots):
    assert all(error >= 0 for error in found.std_errors)
    for value, exact, terms in zip(found, values(circuit, observables), observable_list(observables), strict=True):
        assert abs(value - exact) <= bound(terms, shots)


# ---------------------------------------------------------------------- expectation values


@pytest.mark.parametrize("seed", range(3))
def test_exact_values_of_random_sums(expectation, fit, seed):
    circuit = fit(random_circuit(seed, 4, 30))
    observables = [random_sum(Random(seed + k), 4, 7) for k in range(4)]
    found = expectation(circuit, observables)
    assert found.values == pytest.approx(values(circuit, observables), abs=CLOSE)
    assert (found.groups, set(found.std_errors)) == (0, {0.0})


@pytest.mark.parametrize("letters", ["".join(pair) for pair in ("XI", "YI", "ZI", "IX", "IY", "IZ", "XY", "YY", "ZZ")])
def test_each_letter_at_its_own_qubit(expectation, letters):
    circuit = Circuit(2).h(0).s(0).x(1)  # Y of qubit 0 is 1, Z of qubit 1 is -1
    single = {"X": 0.0, "Y": 1.0, "Z": 0.0, "I": 1.0}[letters[1]], {"X": 0.0, "Y": 0.0, "Z": -1.0, "I": 1.0}[letters[0]]
    assert float(expectation(circuit, letters)) == pytest.approx(single[0] * single[1], abs=CLOSE)


def test_all_strings_at_once(expectation, fit):
    """As many strings as there are, which flip qubits in every combination."""
    circuit = fit(random_circuit(11, 3, 25))
    texts = [f"{a}{b}{c}" for a in "IXYZ" for b in "IXYZ" for c in "IXYZ"]
    assert expectation(circuit, texts).values == pytest.approx(values(circuit, texts), abs=CLOSE)


@pytest.mark.parametrize("seed", range(4))
def test_exact_values_after_measurements_resets_and_conditions(expectation, fit, seed):
    circuit = fit(random_dynamic_circuit(seed, 3, 3, 14))
    observables = ["ZII", "XIX", "IYI", random_sum(Random(seed), 3, 5)]
    assert expectation(circuit, observables).values == pytest.approx(values(circuit, observables), abs=CLOSE)


@pytest.mark.parametrize("seed", range(4))
def test_exact_values_after_loops_and_assignments(expectation, fit, seed):
    circuit = fit(random_program(seed))
    observables = ["ZII", "XIX", "IYI", random_sum(Random(seed), 3, 5)]
    assert expectation(circuit, observables).values == pytest.approx(values(circuit, observables), abs=CLOSE)


def test_a_measured_qubit_has_lost_its_phase(expectation):
    circuit = Circuit(3, 2).h(0).cx(0, 1).h(2).measure(0, 0).measure(1, 1)
    observables = ["IZZ", "IXX", "IIX", "XII", "XZZ"]
    assert expectation(circuit, observables).values == pytest.approx([1, 0, 0, 1, 1], abs=CLOSE)
    assert_estimates(expectation(circuit, observables, SHOTS, seed=1), circuit, observables, SHOTS)


def test_idle_qubits_are_in_the_state_0(expectation):
    observables = ["Z59", "X59", "Y0 X59", "Z0 Z59", "X3", "Z3 Z4"]
    circuit = Circuit(60).h(3).cx(3, 4)
    assert expectation(circuit, observables).values == pytest.approx([1, 0, 0, 1, 0, 1], abs=CLOSE)
    found = expectation(circuit, observables, 1000, seed=2)
    assert (found[0], found[3], found[5]) == (1, 1, 1)
    assert all(abs(found[k]) <= bound(PauliSum("X0").terms, 1000) for k in (1, 2, 4))


def test_values_of_nothing_but_the_identity(expectation):
    for shots in (None, 10):
        assert expectation(Circuit(2).h(0), ["II", {"II": -2.5}], shots).values == (1, -2.5)
        assert float(expectation(Circuit(0), "", shots)) == 1


@pytest.mark.parametrize("seed", range(2))
def test_estimates_of_random_sums(expectation, fit, seed):
    circuit = fit(random_circuit(seed + 20, 4, 30))
    observables = [random_sum(Random(seed + k), 4, 6) for k in range(3)]
    found = expectation(circuit, observables, SHOTS, seed=seed)
    assert_estimates(found, circuit, observables, SHOTS)
    assert found.groups > 1
    assert found.provenance.shots == SHOTS


def test_estimates_after_measurements_resets_and_conditions(expectation, fit):
    circuit = fit(random_dynamic_circuit(5, 3, 3, 14))
    observables = ["ZII", "XIX", "IYI"]
    assert_estimates(expectation(circuit, observables, SHOTS, seed=4), circuit, observables, SHOTS)


def test_the_standard_error_is_that_of_the_mean(expectation):
    (value,), (error,) = (
        getattr(expectation(Circuit(1).h(0), "Z", 500, seed=1), name) for name in ("values", "std_errors")
    )
    assert error == pytest.approx(math.sqrt((1 - value**2) / 499))


def test_strings_that_agree_share_their_shots_and_others_do_not(expectation):
    agreeing = ["ZZI", "IZZ", "ZIZ", "IIZ"]
    assert expectation(Circuit(3).h(0), agreeing, 10).groups == 1
    assert expectation(Circuit(3).h(0), ["XII", "IYI", "IIZ"], 10).groups == 1
    assert expectation(Circuit(3).h(0), ["XII", "YII", "ZII"], 10).groups == 3
    assert expectation(Circuit(2).h(0).cx(0, 1), {"ZZ": 1, "XX": 1}, 10).std_errors == (0,)


def test_a_single_shot_has_the_largest_error_there_can_be(expectation):
    found = expectation(Circuit(1).h(0), {"Z": 3, "X": 4}, 1, seed=1)
    assert found.std_error == pytest.approx(5)


def test_same_seed_same_estimate(seeded, expectation):
    first, again, other = (expectation(wide_gates(), ["Z0 X3", "Y1"], 100, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def wide_gates() -> Circuit:
    return Circuit(4).h(0).cx(0, 1).h(2).s(2).cx(2, 3).h(3)


# ---------------------------------------------------------------------- memory


def test_memory_has_the_shots_one_by_one(memory, fit):
    for circuit in map(fit, (bell(), wide(), teleportation())):
        found = memory(circuit, 1000, seed=1)
        assert (len(found), found.width) == (1000, circuit.num_clbits)
        assert_drawn_from(found.counts(), reference.distribution(circuit))


def test_memory_keeps_the_bit_order(memory):
    found = memory(Circuit(12, 12).x(0).x(9).measure(0, 1).measure(9, 10).measure(3, 3), 3)
    assert list(found) == ["010000000010"] * 3
    assert np.asarray(found)[0].nonzero()[0].tolist() == [1, 10]


def test_memory_is_in_no_order(memory):
    """Neighbours are equal by chance, half of the time (Hoeffding)."""
    found = memory(bell(), SHOTS, seed=2)
    equal = sum(one == next_one for one, next_one in pairwise(found))
    assert abs(equal / (SHOTS - 1) - 0.5) <= math.sqrt(math.log(2 / FALSE_ALARM) / (2 * (SHOTS - 1)))


def test_same_seed_same_memory(seeded, memory):
    first, again, other = (memory(bell(), 50, seed=seed) for seed in (7, 7, 8))
    assert first == again != other


def test_memory_of_a_billion_bits_is_refused(memory):
    with pytest.raises(LimitError) as caught:
        memory(Circuit(1, 100).h(0).measure(0, 0), 10_000_000)
    assert caught.value.limit in {"memory bits", "max_result_bytes"}
    assert caught.value.requested >= 10**9


# ---------------------------------------------------------------------- amplitudes and density matrices


def test_amplitudes_with_their_global_phase(amplitudes):
    circuit = random_circuit(4, 4, 30)
    column = reference.unitary(circuit)[:, 0]
    wanted = ["0000", "1000", "0001", "1111"]
    found = amplitudes(circuit, wanted)
    assert list(found) == wanted
    assert [found[key] for key in wanted] == pytest.approx([column[int(key, 2)] for key in wanted], abs=CLOSE)


def test_amplitudes_of_idle_qubits_need_no_memory(amplitudes):
    ends = ["0" * 38 + "11", "1" + "0" * 37 + "11", "0" * 40]
    found = amplitudes(Circuit(40).h(0).cx(0, 1), ends)
    assert list(found.values()) == pytest.approx([0.5**0.5, 0, 0.5**0.5], abs=CLOSE)


def test_a_density_matrix_is_the_outer_product_of_a_pure_state(density_matrix):
    circuit = random_circuit(8, 3, 25)
    column = reference.unitary(circuit)[:, 0]
    found = density_matrix(circuit)
    assert np.abs(np.asarray(found) - np.outer(column, column.conj())).max() <= CLOSE
    assert found.purity == pytest.approx(1)
    assert np.asarray(density_matrix(Circuit(0))).tolist() == [[1]]


@pytest.mark.parametrize("seed", range(3))
def test_a_density_matrix_after_measurements_and_loops_is_a_mixture(density_matrix, fit, seed):
    for circuit in map(fit, (random_dynamic_circuit(seed, 3, 3, 14), random_program(seed), bell(), teleportation())):
        found = np.asarray(density_matrix(circuit))
        assert np.abs(found - reference.density_matrix(circuit)).max() <= CLOSE


def test_a_density_matrix_too_large_is_refused_with_what_fits(density_matrix):
    with pytest.raises(LimitError) as caught:
        density_matrix(Circuit(30).h(0))
    assert caught.value.limit in {"qubits", "max_result_bytes"}
    assert 4 < caught.value.allowed < caught.value.requested


# ---------------------------------------------------------------------- chosen clbits


def test_counts_and_probabilities_of_chosen_clbits(run):
    circuit = Circuit(4, 4).x(0).x(2).measure(0, 0).measure(1, 1).measure(2, 2).measure(3, 3)
    assert run(circuit, shots=5, clbits=(2, 1)).counts == {"01": 5}
    assert run(circuit, shots=5, clbits=()).counts == {"": 5}
    if ResultType.PROBABILITIES in run.capabilities.result_types:
        found = run(circuit, shots=None, clbits=(1, 0, 3)).probabilities
        assert found == pytest.approx({"010": 1.0}, abs=CLOSE)


def test_memory_of_chosen_clbits(memory):
    circuit = Circuit(4, 4).x(0).x(2).measure(0, 0).measure(1, 1).measure(2, 2).measure(3, 3)
    assert list(memory(circuit, 2, clbits=(2, 1))) == ["01", "01"]


@pytest.mark.parametrize("seed", range(3))
def test_chosen_clbits_of_circuits_with_hidden_ones(run, fit, seed):
    circuit = fit(random_program(seed))
    marginal: dict[str, float] = {}
    for key, probability in reference.distribution(circuit).items():
        marginal[key[2] + key[0]] = marginal.get(key[2] + key[0], 0) + probability
    assert_drawn_from(run(circuit, shots=SHOTS, seed=seed, clbits=(2, 0)).counts, marginal)
    if ResultType.PROBABILITIES in run.capabilities.result_types:
        found = run(circuit, shots=None, clbits=(2, 0)).probabilities
        assert {key: found.get(key, 0) for key in marginal} == pytest.approx(marginal, abs=CLOSE)


def test_clbits_that_are_not_chosen_may_be_tested_or_written_several_times(run, fit):
    circuit = fit(teleportation())
    circuit.measure(2, 0)
    expected = reference.distribution(circuit)
    marginal: dict[str, float] = {}
    for key, probability in expected.items():
        marginal[key[0] + key[1]] = marginal.get(key[0] + key[1], 0) + probability
    counts = run(circuit, shots=SHOTS, seed=3, clbits=(1, 2)).counts
    assert_drawn_from(counts, marginal)


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "details", "field"),
    [
        ("expectation", {}, "observables"),
        ("expectation", {"observables": observable_list("Z2")}, "observables"),
        ("amplitudes", {}, "bitstrings"),
        ("amplitudes", {"bitstrings": ("000",)}, "bitstrings"),
        ("amplitudes", {"bitstrings": ("0a",)}, "bitstrings"),
        ("amplitudes", {"bitstrings": ("01", "01")}, "bitstrings"),
        ("statevector", {"bitstrings": ("01",)}, "bitstrings"),
        ("statevector", {"clbits": (0,)}, "clbits"),
        ("probabilities", {"clbits": (2,)}, "clbits"),
        ("probabilities", {"clbits": (1, 1)}, "clbits"),
        ("probabilities", {"observables": observable_list("Z0")}, "observables"),
    ],
)
def test_details_that_do_not_fit_are_refused_by_name(run, kind, details, field):
    if ResultType(kind) not in run.capabilities.result_types:
        return
    circuit = Circuit(2).h(0).cx(0, 1) if ResultType(kind).of_state else bell()
    with pytest.raises(RequestError) as caught:
        run(circuit, shots=None, result=ResultType(kind), **details)
    assert caught.value.field == field
