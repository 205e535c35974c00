from __future__ import annotations

import math
import random
import re
from xml.etree import ElementTree as ET

import pytest
from support.circuits import teleportation

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.gates import GATES
from gateway.circuit.pen import Part
from gateway.circuit.picture import NOTEBOOK, PAGE, draw
from gateway.look.sheet import style_sheet

SVG = "{http://www.w3.org/2000/svg}"


def root(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own


def elements(text: str, name: str) -> list[ET.Element]:
    return root(text).findall(f"{SVG}{name}")


def words(circuit: Circuit, **arguments) -> list[str]:
    return [str(element.text) for element in elements(draw(circuit, **arguments).svg, "text")]


def wires(text: str) -> list[float]:
    paths = [str(path.get("d")) for path in elements(text, "path")]
    return [float(match[1]) for path in paths if (match := re.fullmatch(r"M[\d.]+ ([\d.]+)H[\d.]+", path))]


def test_each_qubit_has_a_wire_and_the_clbits_a_double_one():
    picture = draw(Circuit(3, 2).h(0))
    assert wires(picture.svg) == [22, 60, 98, 126.5, 129.5]
    assert [word for word in words(Circuit(3, 2).h(0)) if word != "h"] == ["q0", "q1", "q2", "c"]


def test_gates_have_names_and_angles():
    assert words(Circuit(1).rz(-0.6 * 3.141592653589793, 0).sx(0)) == ["q0", "rz", "−0.6π", "sx"]  # noqa: RUF001 - minus


def test_measurements_have_the_number_of_their_clbit_and_conditions_their_comparison():
    circuit = Circuit(1, 3).measure(0, 2).x(0, when={0: 0, 1: 1}).measure(0, 1, when={2: 1})
    assert words(circuit) == ["q0", "c", "2", "c0,1=2", "x", "c2=1→1"]
    both = (Comparison((0,), 1), Comparison((1, 2), 3, equal=False))
    assert "c0=1&c1,2≠3" in words(Circuit(1, 3).x(0, when=both))


def test_a_global_phase_stands_above_the_qubits():
    picture = draw(Circuit(1, 1).h(0).gphase(3.141592653589793))
    assert {"phase", "gphase", "π"} <= set(words(Circuit(1, 1).h(0).gphase(3.141592653589793)))
    assert wires(picture.svg)[0] == 60, "the first qubit is in the second row"


@pytest.mark.parametrize(
    ("circuit", "name", "number"),
    [
        (Circuit(3).ccx(0, 1, 2), "circle", 3),
        (Circuit(2).swap(0, 1), "path", 2 + 1 + 2),
        (Circuit(2).barrier(), "path", 2 + 2),
        (Circuit(1).reset(0), "rect", 1),
        (Circuit(1, 1).measure(0, 0), "circle", 1),
    ],
)
def test_controls_targets_swaps_barriers_resets_and_measurements_have_their_shapes(circuit, name, number):
    assert len(elements(draw(circuit, palette=PAGE).svg, name)) == number


def test_a_notebook_has_every_letter_on_a_tile():
    text = draw(teleportation()).svg
    tiles = [[float(str(tile.get(key))) for key in ("x", "y", "width", "height")] for tile in elements(text, "rect")]
    for letter in elements(text, "text"):
        x, y = float(str(letter.get("x"))), float(str(letter.get("y"))) - 4
        assert any(left < x < left + width and top < y < top + height for left, top, width, height in tiles)
        assert letter.get("fill") == NOTEBOOK.letter


def test_a_page_gives_the_picture_its_looks_by_classes():
    svg = draw(teleportation(), hot={"h"}, palette=PAGE).svg
    assert not re.search(r"\b(?:fill|stroke|style|font-size|id)=", svg)
    classes = {str(element.get("class")) for element in root(svg).iter()}
    assert classes == {"circuit", "g", "gt", "gp", "m", "ctl", "v", "w", "ql", "ci", "g hot", "gt hot"}


def test_the_sheet_has_a_rule_for_each_class_of_a_picture():
    circuit = Circuit(2, 1).rz(0.1, 0).cx(0, 1).swap(0, 1).barrier().measure(0, 0)
    svg = draw(circuit, hot={"rz", "cx", "swap"}, palette=PAGE).svg
    for found in {str(element.get("class")) for element in root(svg).iter()} - {"circuit"}:
        assert f"svg.circuit .{found.replace(' ', '.')}" in style_sheet()


@pytest.mark.parametrize("palette", [NOTEBOOK, PAGE], ids=["notebook", "page"])
def test_the_operations_that_are_named_stand_out_and_no_others(palette):
    text = draw(Circuit(2).rz(0.5, 0).h(1).rz(0.25, 1), hot={"rz"}, palette=palette).svg
    is_hot = [palette.look(Part.BOX, hot=True) in ET.tostring(rect).decode() for rect in elements(text, "rect")]
    assert is_hot[-3:] == [True, False, True]
    assert text.count(palette.look(Part.BOX, hot=True)) == 2


def test_a_picture_in_one_row_says_where_each_column_is():
    circuit = Circuit(2, 1).h(0).rz(0.123, 1).cx(0, 1).barrier().measure(1, 0)
    for _ in range(40):
        circuit.h(0).rx(0.25, 0)
    picture = draw(circuit, palette=PAGE, width=math.inf)
    assert wires(picture.svg) == [22, 60, 88.5, 91.5]
    assert len(picture.columns) == 83
    assert list(picture.columns) == sorted(set(picture.columns))
    boxes = [(float(str(rect.get("x"))), float(str(rect.get("width")))) for rect in elements(picture.svg, "rect")]
    assert all(min(abs(left + width / 2 - x) for x in picture.columns) < 1 for left, width in boxes)
    assert str(root(picture.svg).get("data-columns")).split() == [f"{x:.0f}" for x in picture.columns]
    assert root(picture.svg).get("data-qubits") == "22 60"
    assert draw(Circuit(2), width=math.inf).columns == ()


@pytest.mark.parametrize("hot", ["cx", "swap", "measure", "reset", "barrier"])
def test_any_operation_can_stand_out(hot):
    circuit = Circuit(2, 1).cx(0, 1).swap(0, 1).reset(0).barrier().measure(0, 0)
    assert NOTEBOOK.hot not in draw(circuit).svg
    assert (NOTEBOOK.hot in draw(circuit, hot={hot}).svg) is (hot != "barrier")


def test_a_wide_circuit_is_folded_into_rows_of_about_equal_width():
    circuit = Circuit(2)
    for _ in range(30):
        circuit.h(0)
    picture = draw(circuit, width=500)
    assert picture.width <= 500
    assert wires(picture.svg) == [22, 60, 116, 154, 210, 248]
    assert draw(circuit, width=5000).height < picture.height
    assert words(circuit, width=500).count("h") == 30


@pytest.mark.parametrize("width", [60.0, 200.0, 900.0])
def test_nothing_is_drawn_outside_of_the_picture(width):
    rng = random.Random(4)
    circuit = Circuit(5, 3).gphase(0.3)
    for gate in rng.sample(list(GATES.values()), len(GATES)):
        when = {rng.randrange(3): 1} if rng.random() < 0.3 else None
        circuit.gate(gate.name, rng.sample(range(5), gate.num_qubits), [0.1] * gate.num_params, when=when)
        circuit.measure(rng.randrange(5), rng.randrange(3))
    picture = draw(circuit, width=width)
    for rect in elements(picture.svg, "rect"):
        left, top, wide, high = [float(str(rect.get(key))) for key in ("x", "y", "width", "height")]
        assert left >= 0
        assert top >= 0
        assert left + wide <= picture.width
        assert top + high <= picture.height


def test_boxes_do_not_overlap():
    picture = draw(
        Circuit(3, 9).u(0.123456, 1.23456, 2.3456, 0).rzz(0.1, 1, 2).measure(0, 8).x(2, when={0: 1, 7: 0}).h(0)
    )
    boxes = [
        [float(str(rect.get(key))) for key in ("x", "y", "width", "height")] for rect in elements(picture.svg, "rect")
    ]
    for place, (left, top, width, height) in enumerate(boxes):
        for other_left, other_top, other_width, other_height in boxes[:place]:
            apart = left >= other_left + other_width or other_left >= left + width
            assert apart or top >= other_top + other_height or other_top >= top + height


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_every_gate_can_be_drawn_in_any_order_of_qubits(gate):
    circuit = Circuit(6, 2)
    for order in (range(gate.num_qubits), reversed(range(gate.num_qubits))):
        circuit.gate(gate.name, list(order), [0.1] * gate.num_params, when={0: 1, 1: 0})
    assert len(elements(draw(circuit).svg, "text")) > 6


@pytest.mark.parametrize(
    "circuit", [Circuit(), Circuit(0, 3), Circuit(3), Circuit().gphase(1), Circuit(0, 1).barrier(), Circuit(1, 300)]
)
def test_circuits_without_anything_can_be_drawn(circuit):
    picture = draw(circuit)
    assert root(picture.svg).tag == f"{SVG}svg"
    assert not picture.remark


def test_a_million_operations_make_a_bounded_picture_that_says_what_is_left_out():
    circuit = Circuit(20, 20, [Operation("h", (place % 20,)) for place in range(1_000_000)])
    picture = draw(circuit)
    assert picture.remark == "The first 2,000 of 1,000,000 operations are drawn."
    assert len(picture.svg) < 1_000_000
    assert picture.description.endswith("; and 999,960 operations more")


def test_of_many_qubits_the_first_are_drawn():
    picture = draw(Circuit(300, 300).h(0).cx(0, 299).h(200).measure_all())
    assert picture.remark.startswith("Qubits 0 to 47 of 300")
    assert len(wires(picture.svg)) % 50 == 0, "48 qubits and a double line for the clbits, in each block"
    assert "q48" not in picture.svg.partition(">")[2]


def test_a_picture_has_the_circuit_in_words():
    picture = draw(Circuit(2, 1).h(0).cx(0, 1).measure(1, 0))
    assert picture.description == "2 qubits, 1 clbit: h on q0; cx on q0, q1; measure on q1 into c0"
    assert root(picture.svg).get("aria-label") == picture.description


def test_qubits_may_have_names():
    assert words(Circuit(2, 1).h(1), names=["n[0]", "<t>"])[:3] == ["n[0]", "<t>", "c"]
    assert words(Circuit(300), names=[f"n[{qubit}]" for qubit in range(300)])[47:] == ["n[47]", "⋮"]


def test_a_hostile_name_is_text():
    circuit = Circuit(1, 0, [Operation('<script>alert(1)</script>"', (0,))])
    picture = draw(circuit)
    assert root(picture.svg).tag == f"{SVG}svg"
    assert "<script" not in picture.svg
