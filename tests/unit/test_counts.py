from __future__ import annotations

import copy
import pickle

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.notebook import Output

from gateway.arrays import Array
from gateway.counts import Counts, Probabilities, Statevector
from gateway.density_matrix import DensityMatrix
from gateway.outcomes import Outcomes
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import RunResponse, decode, encode
from gateway.protocol.result_message import parts_of, result_of
from gateway.results import Provenance
from gateway.shot_memory import Memory


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


def in_arrays(values: dict[str, float], width: int) -> Probabilities:
    return Probabilities.of_arrays(Outcomes.of(values, width), width, PROVENANCE)


EXACT = {"01": 0.25, "10": 0.75}
MANY = {format(k * 7 % 2**14, "014b"): 2 * (k + 1) / 2**14 / (2**14 + 1) for k in range(2**14)}


@pytest.mark.parametrize(("values", "width"), [(EXACT, 2), ({"": 1.0}, 0), ({"1" * 70: 1.0}, 70), (MANY, 14)])
def test_probabilities_in_arrays_are_those_of_a_dictionary(values, width):
    arrays, plain = in_arrays(values, width), Probabilities(dict(values), width)
    assert arrays.fault(num_qubits=1, num_clbits=width, shots=None) is None
    assert len(arrays) == len(plain)
    assert in_arrays(values, width) == in_arrays(values, width)
    assert in_arrays(values, width) != in_arrays({key: value / 2 for key, value in values.items()}, width)
    assert repr(arrays) == repr(plain)
    assert arrays.most_common(5) == plain.most_common(5)
    assert pickle.loads(pickle.dumps(arrays)) == plain  # noqa: S301 - its own
    assert arrays == plain == values
    assert list(arrays) == list(plain)
    assert hash(arrays) == hash(plain)
    assert arrays.to_wire() == plain.to_wire() == values
    assert plain.to_packed().dictionary(width) == values


@pytest.mark.parametrize(
    ("result", "ask"),
    [(in_arrays(MANY, 14), dict), (Statevector(range(2**10)), lambda state: state.amplitudes)],
    ids=["probabilities", "state"],
)
def test_a_pickle_has_the_arrays_and_not_what_was_made_of_them(result, ask):
    before = len(pickle.dumps(result))
    assert ask(result)
    assert len(pickle.dumps(result)) == before


def test_probabilities_in_arrays_say_what_is_wrong_with_them():
    assert in_arrays({"01": 0.5}, 2).fault(num_qubits=1, num_clbits=2, shots=None) == (
        "the probabilities sum to 0.5, not to 1"
    )
    assert in_arrays(EXACT, 2).fault(num_qubits=1, num_clbits=3, shots=None) == "bitstrings of 2 bits for 3 clbits"
    with pytest.raises(ValueError, match="bitstrings of 1 bytes for 9 clbits"):
        Probabilities.of_arrays(Outcomes.of(EXACT, 2), 9)


def test_probabilities_have_an_array_of_all_outcomes():
    for probabilities in (in_arrays(EXACT, 2), Probabilities(dict(EXACT), 2)):
        assert probabilities.to_array().tolist() == [0, 0.25, 0.75, 0]
    assert in_arrays({"": 1.0}, 0).to_array().tolist() == [1]


LARGE = [
    in_arrays(MANY, 14).with_provenance(PROVENANCE),
    Statevector(np.exp(1j * np.arange(2**14)) / 2**7, PROVENANCE),
    DensityMatrix(np.exp(1j * np.arange(2**14)).reshape(2**7, 2**7) / 2**7, 3, PROVENANCE),
    Memory(np.random.default_rng(1).integers(0, 2, (2**15, 17)), PROVENANCE),
]


@pytest.mark.parametrize("result", LARGE, ids=lambda result: result.kind)
def test_the_json_of_a_large_value_comes_in_pieces_and_is_the_same(result):
    pieces = list(result.json_pieces())
    assert b"".join(pieces) == msgspec.json.encode(result.to_wire())
    assert max(map(len, pieces)) < 2**20
    assert len(pieces) > 2


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("result", LARGE, ids=lambda result: result.kind)
def test_a_large_result_is_written_as_one_encoder_would_and_comes_back(result, encoding):
    around = frame(1, encoding)
    body = b"".join([around.beginning, *parts_of(result, encoding), around.end])
    assert body == encode(decode(RunResponse, body, encoding), encoding)
    (message,) = decode(RunResponse, body, encoding).results
    again = result_of(message)
    assert (again, again.width, again.provenance) == (result, result.width, PROVENANCE)
    assert hash(again) == hash(result)
    assert pickle.loads(pickle.dumps(again)) == result  # noqa: S301 - its own


@pytest.mark.parametrize(
    ("kind", "array", "message"),
    [
        (DensityMatrix, Array.of(np.zeros((2, 3)), "<c16"), "a density matrix is square"),
        (DensityMatrix, Array.of(np.zeros((2, 2)), "<f8"), "the entries of a density matrix are complex"),
        (Memory, Array.of(np.zeros((2, 2), np.uint8), "|u1"), "a memory of 3 clbits has 1 bytes for each shot"),
        (Memory, Array.of(np.zeros(2, np.uint8), "|u1"), "a memory of 3 clbits has 1 bytes for each shot"),
        (Memory, Array.of(np.array([[7], [8]], np.uint8), "|u1"), "and no further bits"),
        (
            Probabilities,
            Outcomes(Array.of(np.array([[7], [8]], np.uint8), "|u1"), Array.of_floats([0.5, 0.5], "<f8")),
            "of 3 clbits in which further bits are 1",
        ),
    ],
)
def test_an_array_that_is_no_value_of_the_kind_is_refused(kind, array, message):
    with pytest.raises(ValueError, match=message):
        kind.from_packed(array, 3, PROVENANCE)


def test_the_json_of_a_small_value_comes_whole():
    assert in_arrays(EXACT, 2).json_pieces() is None
    assert Statevector([1, 0]).json_pieces() is None


def test_amplitudes_are_those_of_the_array_that_was_handed_over():
    array = np.array([0.6, -0.8j])
    state = Statevector.trusted(array, 3)
    assert state == Statevector([0.6, -0.8j])
    assert state.width == 3
    assert np.shares_memory(np.asarray(state, copy=False), array)
    assert not np.shares_memory(np.asarray(state), array)
    assert state.amplitudes == (0.6, -0.8j)
    assert (state[0:1], state[-1], list(state)) == ((0.6,), -0.8j, [0.6, -0.8j])
    assert type(state[0]) is complex
    with pytest.raises(IndexError):
        state[2]
    with pytest.raises(TypeError):
        state[0.5]
    np.asarray(state)[0] = 1  # a copy, which may be changed
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(state, copy=False)[0] = 1


@pytest.mark.parametrize("array", [Array.of(np.zeros(2), "<f8"), Array.of(np.zeros((2, 2)), "<c16")])
def test_an_array_that_is_no_vector_of_amplitudes_is_refused(array):
    with pytest.raises(ValueError, match="amplitudes are complex numbers"):
        Statevector.of_array(array)


def test_equal_state_vectors_have_equal_hashes_whatever_the_sign_of_a_zero():
    assert Statevector([0.0, 1]) == Statevector([-0.0, complex(1, -0.0)])
    assert hash(Statevector([0.0, 1])) == hash(Statevector([-0.0, complex(1, -0.0)]))
    assert Statevector([1]) != Statevector([1, 0])


@pytest.mark.parametrize("clbits", [[0], [1, 0], [13, 2, 7], [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [5, 5], []])
def test_a_marginal_of_arrays_is_that_of_a_dictionary(clbits):
    arrays, plain = in_arrays(MANY, 14).marginal(clbits), Probabilities(dict(MANY), 14).marginal(clbits)
    assert arrays.width == plain.width == len(clbits)
    assert list(arrays) == list(plain)
    assert dict(arrays) == pytest.approx(dict(plain))


def test_a_marginal_of_arrays_of_a_clbit_that_is_not_there_is_refused():
    with pytest.raises(IndexError, match="clbit 2 is not one of the 2 clbits"):
        in_arrays(EXACT, 2).marginal([2])


def test_a_marginal_of_many_clbits_is_in_order():
    wide = {format(1 << k, "0200b"): 0.005 for k in range(200)}
    arrays, plain = in_arrays(wide, 200), Probabilities(dict(wide), 200)
    for clbits in (list(range(199, -1, -1)), list(range(0, 200, 2))):
        assert dict(arrays.marginal(clbits)) == pytest.approx(dict(plain.marginal(clbits)))
