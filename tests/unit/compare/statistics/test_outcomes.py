from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.statistics.outcomes import (
    Distribution,
    Sample,
    bits_of_codes,
    codes_of_bits,
    decode,
    encode,
    find,
    flipped,
    lookup,
)


@st.composite
def bitstrings(draw: st.DrawFn) -> tuple[list[str], int]:
    width = draw(st.sampled_from([0, 1, 2, 7, 8, 9, 61, 62, 63, 64, 65, 200]))
    return draw(st.lists(st.text("01", min_size=width, max_size=width), min_size=1, max_size=6)), width


@given(bitstrings())
def test_codes_are_bitstrings_and_keep_their_order(given_):
    strings, width = given_
    codes = encode(strings, width)
    assert decode(codes, width) == strings
    assert decode(np.sort(codes), width) == sorted(strings)
    bits = bits_of_codes(codes, width)
    assert [[int(character) for character in reversed(string)] for string in strings] == bits.tolist()
    assert (codes_of_bits(bits) == codes).all()


def test_bit_k_of_a_code_is_clbit_k_and_clbit_0_is_the_rightmost_character():
    assert encode(["001", "110"], 3).tolist() == [1, 6]


@given(bitstrings(), st.data())
def test_a_flipped_clbit_is_flipped_alone(given_, data):
    strings, width = given_
    if not width:
        return
    clbit = data.draw(st.integers(0, width - 1))
    place = width - 1 - clbit
    expected = [string[:place] + "10"[int(string[place])] + string[place + 1 :] for string in strings]
    assert decode(flipped(encode(strings, width), clbit, width), width) == expected


@pytest.mark.parametrize("codes", [np.array([0, 1, 2, 3]), np.array([1, 4, 6]), np.zeros(0, dtype=np.int64)])
def test_codes_are_found_among_all_codes_and_among_some(codes):
    wanted = np.array([0, 1, 3, 4, 6, 9])
    places, present = find(codes, wanted)
    assert present.tolist() == [code in codes for code in wanted.tolist()]
    assert codes[places[present]].tolist() == wanted[present].tolist()
    values = 1.0 + np.arange(len(codes))
    assert lookup(codes, values, wanted).tolist() == [
        float(values[codes == code].sum()) for code in wanted.tolist()
    ]  # fmt: skip


def test_mappings_come_back_without_what_does_not_occur():
    assert Sample.of({"10": 3, "01": 0, "00": 2}, 2).to_dict() == {"00": 2, "10": 3}
    assert Distribution.of({"1": 0.25, "0": 0.75}, 1).to_dict() == {"0": 0.75, "1": 0.25}
