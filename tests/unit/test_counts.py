from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.notebook import Output

from gateway.counts import Counts, Probabilities, Statevector
from gateway.results import Provenance


def counts_of(width: int) -> st.SearchStrategy[Counts]:
    keys = st.integers(0, 2**width - 1).map(lambda number: format(number, f"0{width}b"))
    return st.dictionaries(keys, st.integers(0, 10**6)).map(lambda found: Counts(found, width=width))


def test_counts_are_a_mapping_equal_to_a_dictionary():
    counts = Counts({"01": 3, "10": 7})
    assert counts == {"01": 3, "10": 7}
    assert (counts["01"], len(counts), list(counts), "11" in counts) == (3, 2, ["01", "10"], False)
    assert (counts.shots, counts.width) == (10, 2)
    assert dict(counts) == counts.to_dict()


def test_counts_cannot_be_changed_through_the_dictionary_they_came_from():
    given_counts = {"0": 1}
    counts = Counts(given_counts)
    given_counts["0"] = 2
    counts.to_dict()["0"] = 3
    assert counts["0"] == 1
    with pytest.raises(TypeError, match="item assignment"):
        counts["0"] = 4


def test_outcomes_that_never_came_are_left_out():
    assert Counts({"0": 0, "1": 5}) == {"1": 5}


def test_numpy_integers_become_integers():
    counts = Counts({"0": np.int64(3), "1": np.uint8(0)})
    assert counts == {"0": 3}
    assert type(counts["0"]) is int


@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        ({"0": 1, "00": 1}, ValueError, "'00' is not a bitstring of 1 bits"),
        ({"2": 1}, ValueError, "'2' is not a bitstring"),
        ({"0 1": 1}, ValueError, "'0 1' is not a bitstring"),
        ({"0x1": 1}, ValueError, "'0x1' is not a bitstring"),
        ({"0": -1}, ValueError, "'0' has a negative count: -1"),
        ({"0": 1.0}, TypeError, "'float' object cannot be interpreted as an integer"),
        ({"0": "1"}, TypeError, "'str' object cannot be interpreted as an integer"),
        ({0: 1}, TypeError, "int"),
    ],
)
def test_what_is_no_count_of_bitstrings_is_refused(counts, error, message):
    with pytest.raises(error, match=message):
        Counts(counts)


def test_a_width_that_is_given_holds_for_every_key():
    assert Counts(width=3).width == 3
    with pytest.raises(ValueError, match="'01' is not a bitstring of 3 bits"):
        Counts({"01": 1}, width=3)


def test_a_circuit_without_clbits_has_the_empty_bitstring():
    counts = Counts({"": 5})
    assert (counts.width, counts.shots) == (0, 5)
    assert counts.marginal([]) == counts


def test_most_common_is_ranked_by_count_then_bitstring():
    counts = Counts({"11": 1, "00": 2, "10": 2, "01": 3})
    assert counts.most_common() == [("01", 3), ("00", 2), ("10", 2), ("11", 1)]
    assert counts.most_common(1) == [("01", 3)]


def test_probabilities_are_relative_frequencies():
    assert Counts({"0": 1, "1": 3}).probabilities() == {"0": 0.25, "1": 0.75}
    assert Counts().probabilities() == {}


def test_the_first_clbit_of_a_marginal_is_the_rightmost_character():
    counts = Counts({"100": 1, "110": 2, "001": 4})  # clbits 2, 1, 0 from left to right
    assert counts.marginal([0]) == {"0": 3, "1": 4}
    assert counts.marginal([2]) == {"1": 3, "0": 4}
    assert counts.marginal([1, 2]) == {"10": 1, "11": 2, "00": 4}
    assert counts.marginal([2, 1]) == {"01": 1, "11": 2, "00": 4}


@pytest.mark.parametrize("clbit", [-1, 2])
def test_a_marginal_of_a_clbit_that_is_not_there_is_refused(clbit):
    with pytest.raises(IndexError, match=f"clbit {clbit} is not one of the 2 clbits"):
        Counts({"00": 1}).marginal([clbit])


@given(counts_of(4), st.permutations(range(4)))
def test_a_marginal_of_all_clbits_is_a_permutation_that_can_be_undone(counts, order):
    back = [order.index(clbit) for clbit in range(4)]
    assert counts.marginal(order).marginal(back) == counts
    assert counts.marginal(order[:2]).shots == counts.shots


@given(counts_of(3), counts_of(3), counts_of(3))
def test_merging_adds_in_any_order(a, b, c):
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b).shots == a.shots + b.shots


def test_counts_of_different_widths_do_not_merge_unless_one_is_empty():
    with pytest.raises(ValueError, match="counts of 1 and 2 clbits cannot be merged"):
        Counts({"0": 1}).merge(Counts({"00": 1}))
    assert Counts({"0": 1}).merge(Counts()) == Counts().merge(Counts({"0": 1})) == {"0": 1}


@given(counts_of(2), counts_of(2))
def test_equal_counts_have_equal_hashes(a, b):
    assert (a == b) <= (hash(a) == hash(b))
    assert hash(Counts(width=1)) == hash(Counts(width=2))
    assert len({a, Counts(a.to_dict())}) == 1


PROVENANCE = Provenance(simulator="s", version="1")
RESULTS = [
    Counts({"01": 3}, provenance=PROVENANCE),
    Counts.trusted({"01": 3}, 2, PROVENANCE),
    Probabilities({"01": 1.0}, 2, PROVENANCE),
    Statevector([0.6, -0.8j], PROVENANCE, width=2),
]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))])  # noqa: S301
@pytest.mark.parametrize("result", RESULTS)
def test_a_result_can_be_copied_and_pickled(result, duplicate):
    again = duplicate(result)
    assert type(again) is type(result)
    assert again == result
    assert hash(again) == hash(result)
    assert (again.width, again.provenance) == (2, PROVENANCE)


@pytest.mark.parametrize("name", ["width", "provenance", "_counts", "_probabilities", "amplitudes", "remark"])
@pytest.mark.parametrize("result", RESULTS)
def test_nothing_of_a_result_can_be_set_or_deleted(result, name):
    kind = type(result).__name__
    with pytest.raises(AttributeError, match=f"{kind} cannot be changed, so '{name}' cannot be set"):
        setattr(result, name, None)
    with pytest.raises(AttributeError, match=f"{kind} cannot be changed, so '{name}' cannot be deleted"):
        delattr(result, name)
    assert (result.width, result.provenance) == (2, PROVENANCE)


def test_state_vectors_are_equal_when_their_amplitudes_are():
    amplitudes = [1, 0]
    state = Statevector(amplitudes)
    amplitudes[0] = 0
    assert state == Statevector([1.0, 0j], PROVENANCE)
    assert hash(state) == hash(Statevector([1.0, 0j]))
    assert state != Statevector([0, 1])
    assert state != [1, 0]
    assert list(state) == [1, 0]


def test_provenance_is_no_part_of_equality():
    assert Counts({"0": 1}, provenance=Provenance(simulator="s", version="1")) == Counts({"0": 1})


def test_long_counts_are_shown_in_short():
    assert repr(Counts({"0": 1, "1": 2})) == "Counts({'1': 2, '0': 1})"
    assert repr(Counts({format(k, "04b"): 1 for k in range(16)})).endswith("'0111': 1, ... 8 more})")


def test_probabilities_are_a_mapping_with_a_width():
    found = Probabilities({"0": 0.25, "1": 0.75}, 1)
    assert found == {"0": 0.25, "1": 0.75}
    assert (found["1"], len(found), found.most_common(1)) == (0.75, 2, [("1", 0.75)])
    assert repr(found) == "Probabilities({'1': 0.75, '0': 0.25})"
    assert hash(found) == hash(Probabilities({"0": 0.25, "1": 0.75}, 1))


def test_a_statevector_is_an_array_of_complex_numbers():
    state = Statevector([1, 0, 0, 1j])
    assert (state.num_qubits, len(state), state[3], repr(state)) == (2, 4, 1j, "Statevector(2 qubits)")
    assert np.asarray(state).dtype == np.complex128
    assert np.array_equal(np.asarray(state), [1, 0, 0, 1j])
    assert np.asarray(state, dtype=np.complex64).dtype == np.complex64


@pytest.mark.parametrize(
    ("outcome", "arguments"),
    [
        (Counts({"1": 2}), ({"0": 1},)),
        (Counts.trusted({"1": 2}, 1), ({"0": 1},)),
        (Probabilities({"1": 1.0}, 1), ({"0": 1.0}, 1)),
        (Statevector([0, 1]), ([1, 0],)),
    ],
)
def test_a_result_cannot_be_initialised_again(outcome, arguments):
    before = repr(outcome), hash(outcome)
    with pytest.raises(AttributeError, match="cannot be initialised again"):
        outcome.__init__(*arguments)
    assert (repr(outcome), hash(outcome)) == before


@given(counts_of(3), st.integers(0, 9))
def test_the_most_common_outcomes_are_the_first_of_a_whole_sort(counts: Counts, number: int):
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    assert counts.most_common() == ranked
    assert counts.most_common(number) == ranked[:number]
    assert Probabilities(dict(counts), 3).most_common(number) == ranked[:number]


@pytest.mark.parametrize(
    ("result", "row"),
    [
        (Counts({"01": 3, "10": 1}), ["01", "3", "75.0", ""]),
        (Probabilities({"01": 0.75, "10": 0.25}, 2), ["01", "0.750000", ""]),
        (Statevector([0, 1]), ["|1⟩", "+1.000000 +0.000000i", "1.0000", "", "→ +0.000π"]),
    ],
)
def test_a_notebook_shows_results_as_tables(result, row):
    assert Output(result._repr_html_()).rows[1] == row


def test_results_can_be_plotted():
    pytest.importorskip("matplotlib")
    for result in (Counts({"01": 3, "10": 1}), Probabilities({"01": 0.75, "10": 0.25}, 2)):
        (axes,) = result.plot(theme="dark").axes
        assert [patch.get_width() for patch in axes.patches] == [75, 25]
        assert result.plot(axes=axes) is axes.figure
