from __future__ import annotations

import re
from base64 import b64decode

import pytest
from support.notebook import Output

from gateway.look import markup
from gateway.look.bitstrings import TIMES, readable
from gateway.look.markup import Bold, Column, Html

HOSTILE = """<script>alert(1)</script><img src=x onerror="alert(2)">&amp;'"</td>"""


@pytest.mark.parametrize(
    "make",
    [
        markup.block,
        lambda text: markup.title(text, text),
        markup.note,
        markup.strong,
        markup.quiet,
        markup.code,
        markup.mark,
        lambda text: markup.folded(text, text),
        markup.listing,
        lambda text: markup.table([Column(text, under=text)], [[text], [Bold(text)]]),
        markup.scrolling,
        lambda text: markup.picture(f"<svg>{text}</svg>", text, 1, 1),
    ],
)
def test_nothing_that_comes_from_outside_is_markup(make):
    output = make(HOSTILE)
    assert "<script" not in output
    assert "<img src=x" not in output
    assert Output(output).text in {"", HOSTILE, 2 * HOSTILE, f"{HOSTILE} {HOSTILE}", 4 * HOSTILE}


def test_markup_that_was_escaped_is_not_escaped_again():
    assert markup.block(markup.strong("a < b")) == markup.block(Html("<strong>a &lt; b</strong>"))


def test_a_text_that_was_put_together_by_hand_is_no_markup():
    assert "&lt;strong&gt;" in markup.block("it is " + markup.strong("so"))


def test_a_table_has_the_cells_it_was_given():
    columns = [Column("simulator"), Column("distance", right=True), Column("", under="0 to 60 %")]
    output = Output(markup.table(columns, [["qulacs", "0.0067", ""], [Bold("rigetti"), "0.8429", ""]]))
    assert output.rows == [
        ["simulator", "distance", "0 to 60 %"],
        ["qulacs", "0.0067", ""],
        ["rigetti", "0.8429", ""],
    ]


def test_a_row_has_as_many_cells_as_there_are_columns():
    with pytest.raises(ValueError, match="longer"):
        markup.table([Column("a"), Column("b")], [["1"]])


def test_the_parts_of_a_bar_stand_where_they_belong():
    bar = markup.bar(0.4, tick=0.5, chance=(0.45, 0.55), differs=True)
    Output(bar)
    assert re.findall(r"(left|width):([\d.]+%)", bar) == [
        ("left", "45.0%"),
        ("width", "10.0%"),
        ("width", "40.0%"),
        ("left", "50.0%"),
    ]


@pytest.mark.parametrize("share", [-1.0, 0.0, 1e-9, 1.0, 7.0])
def test_a_bar_stays_on_its_scale(share):
    bar = markup.bar(share, tick=share, chance=(share, share + 1), hollow=True) + markup.progress(share)
    Output(bar)
    assert all(0 <= float(per_cent) <= 100 for per_cent in re.findall(r"([-\d.]+)%", bar))


def test_a_bitstring_can_be_copied_without_gaps_and_is_whole_in_its_title():
    bitstring = "10" * 30
    output = Output(markup.bits(readable([bitstring])[0]))
    assert output.text == bitstring
    assert output.titles == [bitstring]


def test_a_long_bitstring_is_whole_in_its_title():
    bitstring = "10" * 150
    output = Output(markup.bits(readable([bitstring])[0]))
    assert len(output.text) < 70
    assert output.titles == [bitstring]


def test_a_run_stands_apart_from_its_neighbours_without_any_style():
    output = Output(markup.bits(readable(["0" * 21 + "1" + "0" * 38])[0]))
    assert output.text == f"0{TIMES}21 1 0{TIMES}38"


def test_bits_unlike_those_of_the_first_outcome_are_underlined():
    assert "<u><b>1</b></u>" in markup.bits(readable(["0" * 60, "0" * 30 + "1" + "0" * 29])[1])


def test_a_short_bitstring_is_just_text():
    assert markup.bits(readable(["010"])[0]) == "010"
    assert Output(markup.bits([])).text == "no clbits"


def test_a_picture_is_in_the_document_itself():
    picture = markup.picture("<svg>é</svg>", "an e", 10.4, 20)
    Output(picture)
    data = re.search(r"base64,([^\"]+)", picture)
    assert data is not None
    assert b64decode(data[1]).decode() == "<svg>é</svg>"
    assert 'alt="an e" width="10" height="20"' in picture
