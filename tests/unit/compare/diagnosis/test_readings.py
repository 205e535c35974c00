from __future__ import annotations

import pytest

from gateway.compare.diagnosis.marginals import ones
from gateway.compare.diagnosis.readings import exchanges, inverted, readings, rearranged, splits, stuck, with_coins
from gateway.compare.statistics.outcomes import Distribution

RIGHT = Distribution.of({"0001": 0.5, "0110": 0.3, "1010": 0.2}, 4)
WIDE = Distribution.of({"1" + 69 * "0": 0.75, 69 * "0" + "1": 0.25}, 70)


def predictions(name: str, **options) -> dict[str, dict[str, float]]:
    """Return detail -> bitstring -> probability of all readings of one name."""
    hypotheses = [*readings(RIGHT, range(4), **options), *exchanges(RIGHT, range(4), guess=not options)]
    found = [hypothesis.predict() for hypothesis in hypotheses if hypothesis.name == name]
    return {prediction.detail: prediction.distribution.to_dict() for prediction in found}


def test_a_rearrangement_takes_each_clbit_from_its_source():
    assert rearranged(RIGHT, [1, 0, 2, 3]).to_dict() == {"0010": 0.5, "0101": 0.3, "1001": 0.2}


def test_a_rearrangement_may_leave_clbits_out_and_adds_what_becomes_equal():
    assert rearranged(RIGHT, [2]).to_dict() == pytest.approx({"0": 0.7, "1": 0.3})


def test_an_inverted_clbit_is_the_opposite_in_every_outcome():
    assert inverted(RIGHT, 3).to_dict() == {"0010": 0.2, "1001": 0.5, "1110": 0.3}


def test_a_stuck_clbit_is_always_the_same():
    assert stuck(RIGHT, 0, 0).to_dict() == {"0000": 0.5, "0110": 0.3, "1010": 0.2}
    assert stuck(RIGHT, 0, 1).to_dict() == {"0001": 0.5, "0111": 0.3, "1011": 0.2}


def test_relabelling_works_beyond_the_width_of_an_integer():
    assert rearranged(WIDE, range(70)[::-1]).to_dict() == {"1" + 69 * "0": 0.25, 69 * "0" + "1": 0.75}
    assert stuck(WIDE, 69, 0).to_dict() == {70 * "0": 0.75, 69 * "0" + "1": 0.25}


def test_the_reference_stays_as_it_is():
    inverted(RIGHT, 0)
    stuck(WIDE, 0, 1)
    assert RIGHT.to_dict() == {"0001": 0.5, "0110": 0.3, "1010": 0.2}
    assert WIDE.probabilities.tolist() == [0.25, 0.75]


def test_bits_are_reversed_as_a_whole():
    detail = "the bits of every outcome read in reverse"
    assert predictions("bits-reversed") == {detail: {"0101": 0.2, "0110": 0.3, "1000": 0.5}}


def test_known_registers_are_reversed_each_or_in_their_order():
    within = predictions("register-bits-reversed", registers=(3, 1))
    order = predictions("registers-reversed", registers=(3, 1))
    assert within == {
        "the bits of each register (of 3 and 1 clbits) read in reverse": {"0011": 0.3, "0100": 0.5, "1010": 0.2}
    }
    assert order == {"the registers (of 3 and 1 clbits) read in reverse order": {"0010": 0.5, "0101": 0.2, "1100": 0.3}}


@pytest.mark.parametrize("registers", [(4,), ()])
def test_a_single_register_has_no_order(registers):
    assert not predictions("registers-reversed", registers=registers)
    assert not predictions("register-bits-reversed", registers=registers)


def test_unknown_registers_are_two_of_any_sizes_or_several_of_one_size():
    assert splits(6) == [(1, 5), (2, 4), (3, 3), (4, 2), (5, 1), (2, 2, 2)]
    assert splits(1) == splits(0) == []
    assert len(predictions("registers-reversed")) == 3


def test_all_clbits_or_those_that_are_written_may_be_inverted_at_once_and_all_be_stuck():
    found = predictions("clbit-inverted", written=[0, 1, 3])
    assert found["every clbit inverted"] == {"0101": 0.2, "1001": 0.3, "1110": 0.5}
    assert found["every clbit that is written inverted"] == {"0001": 0.2, "1010": 0.5, "1101": 0.3}
    assert "every clbit that is written inverted" not in predictions("clbit-inverted", written=range(4))
    assert predictions("clbit-stuck")["every clbit always 0"] == {"0000": 1.0}
    assert predictions("clbit-stuck")["every clbit always 1"] == {"1111": 1.0}


def test_a_single_clbit_is_not_all_clbits():
    details = {hypothesis.predict().detail for hypothesis in readings(Distribution.of({"0": 1.0}, 1), [0])}
    assert details == {"clbit 0 inverted", "clbit 0 always 0", "clbit 0 always 1", "clbit 0 never written"}


def test_coins_are_1_by_chance_whatever_the_other_clbits_are():
    expected = {"0100": 0.15, "0110": 0.15, "1000": 0.1, "1010": 0.1, "0001": 0.25, "0011": 0.25}
    assert with_coins(RIGHT, {1: 0.5}).to_dict() == pytest.approx(expected)
    assert with_coins(RIGHT, {}) is RIGHT


def test_every_pair_of_clbits_may_be_exchanged():
    found = predictions("clbits-exchanged")
    assert len(found) == 6
    assert found["clbits 0 and 1 exchanged"] == {"0010": 0.5, "0101": 0.3, "1001": 0.2}


def test_an_unwritten_clbit_is_0_unless_conditions_test_it():
    found = predictions("clbit-unwritten", tested={1, 2, 3})
    assert found == {"clbit 0 never written": {"0000": 0.5, "0110": 0.3, "1010": 0.2}}


def test_without_clbits_there_is_nothing_to_read_wrong():
    nothing = Distribution.of({"": 1.0}, 0)
    assert not [*readings(nothing, []), *exchanges(nothing, [], guess=True)]


def test_how_often_each_clbit_is_1_is_known_beforehand():
    of_circuit = readings(RIGHT, range(4), written=[0, 2], registers=(3, 1))
    for hypothesis in [*of_circuit, *exchanges(RIGHT, range(4), guess=True)]:
        assert ones(hypothesis.predict().distribution) == pytest.approx(hypothesis.ones)
