from __future__ import annotations

import random

import pytest

from gateway.look.bitstrings import NO_CLBITS, TIMES, explanations, pieces, plain, plain_text, readable


def texts(bitstring: str, *, whole: bool = False) -> list[str]:
    return [piece.text for piece in pieces(bitstring, whole=whole)]


def test_up_to_four_bits_stand_together():
    assert texts("1010") == ["1010"]


def test_from_five_bits_on_they_stand_in_fours_from_the_right():
    assert texts("10101") == ["1", "0101"]
    assert texts("11111010") == ["1111", "1010"]


def test_long_runs_are_written_by_their_length_from_21_bits_on():
    assert texts("0" * 20) == ["0000"] * 5
    assert texts("0" * 21) == [f"0{TIMES}21"]
    assert texts("0" * 21 + "1" + "0" * 38) == [f"0{TIMES}21", "1", f"0{TIMES}38"]


def test_a_run_of_eight_is_written_out():
    assert texts("01" * 7 + "0" * 8) == ["01", "0101", "0101", "0101", "0000", "0000"]


def test_fours_keep_their_places_beside_a_run():
    assert texts("1" * 12 + "010101010") == [f"1{TIMES}12", "0", "1010", "1010"]


def test_what_is_longer_than_64_characters_keeps_24_at_each_end():
    assert texts("10" * 32) == ["1010"] * 16
    parts = pieces("10" * 150)
    assert [piece.form for piece in parts if piece.form != "bits"] == ["gap"]
    gap = next(place for place, piece in enumerate(parts) if piece.form == "gap")
    assert parts[gap].text == "… 252 bits …"
    assert [sum(len(piece.text) for piece in side) for side in (parts[:gap], parts[gap + 1 :])] == [24, 24]


def test_runs_count_as_they_are_written_when_a_bitstring_is_shortened():
    assert texts("0" * 5000 + "01" * 5) == [f"0{TIMES}5001", "1", "0101", "0101"]


@pytest.mark.parametrize("width", [1, 4, 5, 20, 21, 63, 64, 65, 66, 127, 300, 4096])
def test_the_pieces_are_the_whole_bitstring_whatever_it_is(width):
    rng = random.Random(width)
    for chance in (0.01, 0.1, 0.5):
        bitstring = "".join(["01"[rng.random() < chance] for _ in range(width)])
        for whole in (False, True):
            parts = pieces(bitstring, whole=whole)
            assert "".join(piece.bits for piece in parts) == bitstring
            assert sum(len(piece.text) for piece in parts if piece.form != "gap") <= 64 or whole


def test_differences_from_the_first_outcome_are_marked_from_21_bits_on():
    first, other = "01" * 11, "01" * 10 + "11"
    fragments = [piece.fragments for piece in pieces(other, first)]
    assert fragments == [
        *[[(text, False)] for text in ["01", *["0101"] * 4]],
        [("01", False), ("1", True), ("1", False)],
    ]
    assert not any(marked for piece in pieces("1111", "0000") for _, marked in piece.fragments)


def test_a_run_is_marked_if_all_its_bits_are_unlike():
    zeros, ones, mixed = "0" * 30, "1" * 30, "1" * 29 + "0"
    assert pieces(zeros, ones)[0].fragments[0] == ("0", True)
    assert pieces(zeros, mixed)[0].fragments[0] == ("0", False)


def changed(bitstring: str, *places: int) -> str:
    return "".join(["10"[int(bit)] if place in places else bit for place, bit in enumerate(bitstring)])


@pytest.mark.parametrize(
    ("places", "text"),
    [
        ((), "… 252 bits …"),
        ((150,), "… 252 bits, clbit 149 unlike …"),
        ((100, 150), "… 252 bits, clbits 149 and 199 unlike …"),
        ((100, 110, 120, 150), "… 252 bits, 4 unlike …"),
    ],
)
def test_a_gap_names_the_clbits_that_are_unlike_those_of_the_first_outcome(places, text):
    first = "10" * 150
    (gap,) = [piece for piece in pieces(changed(first, *places), first) if piece.form == "gap"]
    assert gap.text == text
    assert [fragment for fragment, is_marked in gap.fragments if is_marked] == [text[12:-2]] * bool(places)


def test_outcomes_that_are_shown_together_never_look_alike():
    first = "10" * 150
    few = [changed(first, place) for place in (140, 150, 160)]
    many = [changed(first, *range(place, place + 10)) for place in (50, 150)]
    written = [plain_text(parts) for parts in readable([first, *few, *many])]
    assert len(set(written)) == 6
    assert written[-2:] == many, "shortened they would look alike"
    assert all("…" in text for text in written[:-2])


def test_a_terminal_has_no_gaps_but_around_runs():
    assert plain("10101010") == "10101010"
    assert plain("0" * 21 + "1" + "0" * 38) == f"0{TIMES}21 1 0{TIMES}38"


def test_without_clbits_there_are_words_instead_of_bits():
    assert pieces("") == []
    assert plain("") == NO_CLBITS
    assert readable([""]) == [[]]
    assert readable([]) == []


def test_a_note_explains_what_is_unusual():
    assert explanations(readable(["0101", "0110"])) == []
    assert explanations(readable(["1" * 60, "0" * 60])) == [
        f"1{TIMES}60 stands for 60 ones",
        "bits unlike those of the first outcome are underlined",
    ]
