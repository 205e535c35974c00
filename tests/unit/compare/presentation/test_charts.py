"""The ruler of distances and the curves of times as SVG."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec
import pytest
from support import records

from gateway.compare.presentation import charts
from gateway.compare.presentation.scaling import Curve, Scaling, scaling
from gateway.compare.record import Case, Detectable, Spread

replace = msgspec.structs.replace


def case(hardest: float, **changes: object) -> Case:
    detectable = Detectable(hardest=hardest, depolarised=1, one_outcome=1, one_bit=1)
    return replace(records.one_differs().cases[0], detectable=detectable, **changes)


@pytest.mark.parametrize(("hardest", "place"), [(0.01, "50.00%"), (1e-4, "0.00%"), (1e-9, "0.00%"), (1.0, "100.00%")])
def test_a_distance_has_its_place_on_a_logarithmic_ruler(hardest: float, place: str) -> None:
    assert f'class="missed" x="0" y="22" width="{place}"' in charts.ruler(case(hardest))


def test_each_simulator_has_a_place_on_the_ruler() -> None:
    svg = charts.ruler(case(0.044))
    assert svg.count("<circle") == 5
    assert svg.count("M0-8 8 0 0 8-8 0z") == 1
    assert "5 that agree" in svg
    assert "rigetti 0.84" in svg


def test_several_that_differ_share_a_label() -> None:
    svg = charts.ruler(records.many_simulators().cases[0])
    assert "2 that differ" in svg
    assert "reversed" not in svg


def test_a_name_without_room_is_left_out() -> None:
    svg = charts.ruler(records.wide().cases[0])
    assert "my_lab_backend" not in svg
    assert "differs 1.0" in svg


def test_names_on_the_ruler_are_escaped() -> None:
    rows = tuple(replace(row, simulator="<b>") for row in case(0.1).rows)
    assert "&lt;b&gt; 0.84" in charts.ruler(case(0.1, rows=rows))


def test_each_simulator_has_a_curve_with_its_name_at_the_end() -> None:
    found = scaling(records.series())
    assert found is not None
    svg = charts.curves(found)
    assert len(re.findall(r'class="curve curve-\d"', svg)) == 4
    names = re.findall(r'x="([\d.]+)" y="([\d.]+)" text-anchor="start" class="name">(\w+)<', svg)
    assert {name for _, _, name in names} == {"cirq", "mqt", "qiskit", "rigetti"}
    heights = sorted(float(y) for _, y, _ in names)
    assert all(low + 14 <= high for low, high in pairwise(heights))


def test_the_scale_of_times_is_in_decades() -> None:
    seconds = tuple(Spread(time, time, time) for time in (5e-4, 2e-2, 3.0))
    svg = charts.curves(Scaling("qubits", (Curve("a", (1, 2, 3), seconds),)))
    for label in (
        "0.1\N{NO-BREAK SPACE}ms",
        "1\N{NO-BREAK SPACE}ms",
        "100\N{NO-BREAK SPACE}ms",
        "10\N{NO-BREAK SPACE}s",
    ):
        assert f">{label}<" in svg


def test_times_of_zero_and_many_sizes_are_drawn() -> None:
    seconds = tuple(Spread(0.0, 0.0, 0.0) for _ in range(100))
    svg = charts.curves(Scaling("layers", (Curve("a", tuple(range(100)), seconds),)))
    assert "nan" not in svg
    assert ">99<" in svg
    assert svg.count('y2="281"') <= 13
