"""The picture of a comparison that is drawn without matplotlib, and the one that is drawn with it."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree as ET

import pytest
from support import records

from gateway.compare.presentation.picture import png_picture, svg_picture
from gateway.errors import FrameworkNotInstalled, RequestError
from gateway.look.theme import LIGHT

WITHOUT_COUNTS = {"empty", "everybody_failed"}


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter() if element.tag.endswith("}text")]


@pytest.mark.parametrize("name", sorted(set(records.ALL) - WITHOUT_COUNTS))
def test_every_record_makes_a_picture_that_needs_no_sheet_and_loads_nothing(name: str) -> None:
    svg = svg_picture(records.ALL[name]())
    assert parsed(svg).get("aria-label")
    assert "class=" not in svg
    assert "style=" not in svg
    assert "var(" not in svg
    assert set(re.findall(r"url\(([^)]*)\)", svg)) <= {"#stripes"}
    assert set(re.findall(r"https?://[^\"<> ]+", svg)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("name", sorted(WITHOUT_COUNTS))
def test_where_nobody_has_counts_there_is_nothing_to_draw(name: str) -> None:
    with pytest.raises(RequestError, match="there is nothing to draw"):
        svg_picture(records.ALL[name]())


def test_a_picture_has_the_numbers_and_names_of_everybody() -> None:
    svg = svg_picture(records.one_differs())
    found = texts(svg)
    assert {"reference", "cirq", "≠ rigetti", "010", "57.8", "≠ 56.5"} <= set(found)
    assert found[-1].startswith("phase-estimation.qasm: per cent of 10,000 shots each; all 8 outcomes, in order")
    assert svg.count(f'fill="{LIGHT.differ}"') == 6 + 1
    assert f'fill="{LIGHT.differ}"' not in svg_picture(records.all_agree())


def test_what_is_left_out_is_summed_up() -> None:
    assert "761 more" in texts(svg_picture(records.many_simulators()))


def test_several_circuits_are_a_table_of_distances() -> None:
    found = texts(svg_picture(records.series()))
    assert {"cat-2.qasm", "cat-10.qasm", "rigetti", "≠ 0.2980"} <= set(found)


def test_markup_in_names_is_text() -> None:
    svg = svg_picture(records.hostile())
    assert "<script" not in svg
    assert parsed(svg).tag.endswith("}svg")


def test_a_png_is_drawn_by_matplotlib() -> None:
    assert png_picture(records.one_differs()).startswith(b"\x89PNG\r\n")


def test_without_matplotlib_a_png_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for name in ("gateway.look.plotting", "gateway.compare.presentation.plotting"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(FrameworkNotInstalled, match=r"pip install 'simulator-gateway\[plot\]'"):
        png_picture(records.one_differs())
    assert svg_picture(records.one_differs())
