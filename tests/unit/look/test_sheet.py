"""The parts of a page or a report as HTML."""

from __future__ import annotations

import re

import pytest
from support.page import Page

from gateway.look import sheet
from gateway.look.bitstrings import pieces, readable
from gateway.look.markup import Html


def test_what_is_no_html_is_escaped() -> None:
    assert sheet.element("td", "<b>", Html("<i>x</i>")) == "<td>&lt;b&gt;<i>x</i></td>"
    assert sheet.element("td", title="\"'<") == '<td title="&quot;&#x27;&lt;"></td>'


def test_attributes_that_say_nothing_are_left_out() -> None:
    written = sheet.element("p", class_="", id=None, hidden=True, aria_label="a", tabindex=0, open=False)
    assert written == '<p hidden aria-label="a" tabindex="0"></p>'


def test_every_mark_is_defined() -> None:
    defined = set(re.findall(r'id="mark-(\w+)"', sheet.DEFINITIONS))
    marks = {"agrees", "differs", "failed", "cannot", "down", "queued", "running", "finished", "cancelled"}
    assert defined == marks | {"unequal"}
    assert 'href="#mark-agrees"' in sheet.mark("agrees")
    assert 'href="#mark-unequal"' in sheet.unequal()


def test_a_bar_has_a_tick_a_band_and_stripes_if_it_differs() -> None:
    drawn = sheet.bar(0.5, differs=True, tick=0.25, chance=(0.2, 0.3), span=(0.4, 0.6))
    assert '<rect class="chance" x="20.00%" y="0" width="10.00%" height="15"/>' in drawn
    assert '<rect class="datum differs" x="0.00%" y="3" width="50.00%" height="10"/>' in drawn
    assert '<rect class="stripes"' in drawn
    assert '<line class="tick" x1="25.00%"' in drawn
    assert '<line class="span" x1="40.00%" x2="60.00%"' in drawn
    assert "style=" not in drawn


def test_a_bar_may_go_to_the_left() -> None:
    assert 'class="datum" x="30.00%" y="3" width="20.00%"' in sheet.bar(0.3, start=0.5)


def test_a_bar_stays_on_its_scale() -> None:
    drawn = sheet.bar(7.0, tick=2.0, chance=(-1.0, 3.0))
    assert max(float(share) for share in re.findall(r"([\d.]+)%", drawn)) == 100
    assert "datum" not in sheet.bar(0.0)


def test_a_copied_bitstring_is_the_key() -> None:
    assert re.sub("<[^>]+>", "", sheet.bits(pieces("10110011"))) == "10110011"
    assert sheet.bits([]) == '<span class="soft">no clbits</span>'


def test_a_shortened_bitstring_has_all_of_it_as_its_title() -> None:
    first, second = "0" * 60, "0" * 30 + "1" + "0" * 29
    written = sheet.bits(readable([first, second])[1])
    assert f'title="{second}"' in written
    assert "<b>1</b>" in written
    assert "<small>\N{MULTIPLICATION SIGN}30</small>" in written


def test_code_is_shown_as_it_is_with_keywords_and_comments_told_apart() -> None:
    text = 'OPENQASM 3; // <b> if\n/* bit */ include "a&b";\nbitten q;'
    written = sheet.code(text)
    assert Page(f"<p>{written}</p>").text == text
    assert '<span class="keyword">OPENQASM</span>' in written
    assert '<span class="comment">// &lt;b&gt; if</span>' in written
    assert '<span class="comment">/* bit */</span>' in written
    assert "bitten" in written


def test_a_name_may_be_broken_after_underscores() -> None:
    assert sheet.breakable("my_<b>_x") == "my_<wbr>&lt;b&gt;_<wbr>x"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ufeff"])
def test_characters_that_hide_or_reorder_others_are_replaced(character: str) -> None:
    assert sheet.visible(f"a{character}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_lines_tabs_and_letters_of_all_scripts_stay() -> None:
    assert sheet.visible("a\tb\r\nπ ≠ é 中\N{NO-BREAK SPACE}") == "a\tb\r\nπ ≠ é 中\N{NO-BREAK SPACE}"


def test_the_style_sheet_has_both_themes_and_loads_nothing() -> None:
    style = sheet.style_sheet()
    assert style.startswith(":root { color-scheme: light; --paper: #ffffff;")
    assert "@media (prefers-color-scheme: dark) { :root { color-scheme: dark; --paper: #141618;" in style
    assert "http" not in style
    assert "@import" not in style
