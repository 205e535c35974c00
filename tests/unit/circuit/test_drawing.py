from __future__ import annotations

import random

import pytest

from gateway.circuit import Circuit, Comparison, Operation, bits
from gateway.circuit.drawing import draw
from gateway.circuit.gates import GATES


def random_circuit(qubits: int, operations: int, seed: int = 1) -> Circuit:
    rng = random.Random(seed)
    circuit = Circuit(qubits, qubits)
    fitting = [gate for gate in GATES.values() if gate.num_qubits <= qubits]
    for _ in range(operations):
        gate = rng.choice(fitting)
        when = {rng.randrange(qubits): 1} if qubits and rng.random() < 0.1 else None
        params = [rng.uniform(-7, 7) for _ in range(gate.num_params)]
        circuit.gate(gate.name, rng.sample(range(qubits), gate.num_qubits), params, when=when)
        if qubits and rng.random() < 0.1:
            circuit.measure(rng.randrange(qubits), rng.randrange(qubits)).barrier()
    return circuit


def test_a_bell_pair_looks_like_its_textbook_picture():
    assert draw(Circuit(2, 2).h(0).cx(0, 1).measure(0, 0).measure(1, 1)).split("\n") == [
        "q0: ─┤h├─●─┤M├─────",
        "q1: ─────X──╫──┤M├─",
        "c:  ════════0═══1══",
    ]


def test_operations_are_packed_as_early_as_they_fit():
    assert draw(Circuit(3).h(0).h(1).h(2).h(1)).split("\n") == ["q0: ─┤h├─────", "q1: ─┤h├─┤h├─", "q2: ─┤h├─────"]


def test_a_line_crosses_the_qubits_it_does_not_touch():
    assert draw(Circuit(3).cx(2, 0)).split("\n") == ["q0: ─X─", "q1: ─┼─", "q2: ─●─"]


def test_controls_swaps_resets_and_barriers_have_marks():
    drawing = draw(Circuit(3).ccx(0, 1, 2).cswap(0, 1, 2).reset(0).barrier(0, 2).crz(0.5, 0, 1))
    assert [drawing.count(mark) for mark in ("●", "×", "┤0├", "░", "┤rz(0.5)├")] == [4, 2, 1, 2, 1]  # noqa: RUF001


def test_a_gate_whose_qubits_differ_says_which_is_which():
    assert "┤rzx(π/2):0├" in draw(Circuit(2).rzx(1.5707963267948966, 1, 0)).split("\n")[1]


def test_conditions_stand_on_the_line_of_the_clbits():
    drawing = draw(Circuit(2, 3).x(0, when={0: 0, 1: 1}).measure(1, 2, when={0: 1}))
    assert drawing.split("\n")[-1] == "c:  ═0,1=2═0=1→2═"


def test_a_global_phase_has_a_row_of_its_own():
    assert draw(Circuit(1).gphase(3.141592653589793)).split("\n") == ["phase:  gphase(π)", "q0:    ───────────"]


@pytest.mark.parametrize(
    "circuit", [Circuit(), Circuit(0, 3), Circuit(3), Circuit().gphase(1), Circuit(0, 1).barrier()]
)
def test_circuits_without_anything_can_be_drawn(circuit):
    assert draw(circuit)


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
def test_every_gate_can_be_drawn_in_any_order_of_qubits(gate):
    circuit = Circuit(6, 2)
    qubits = list(range(gate.num_qubits))
    for order in (qubits, qubits[::-1]):
        circuit.gate(gate.name, order, [0.1] * gate.num_params)
        circuit.gate(gate.name, order, [0.1] * gate.num_params, when={0: 1, 1: 0})
    drawing = draw(circuit)
    assert [line.split(":")[0] for line in drawing.split("\n\n")[0].split("\n")][-7:] == [
        *(f"q{k}" for k in range(6)),
        "c",
    ]


@pytest.mark.parametrize("width", [20, 60, 100])
def test_long_drawings_are_wrapped_between_columns(width):
    lines = draw(random_simple(200), width=width).split("\n")
    assert max(map(len, lines)) <= width
    assert lines.count("") > 1
    for block in "\n".join(lines).split("\n\n"):
        assert [line.split(":")[0] for line in block.split("\n")] == ["q0", "q1", "q2"]


def random_simple(operations: int) -> Circuit:
    rng = random.Random(3)
    circuit = Circuit(3)
    for _ in range(operations):
        circuit.gate(rng.choice(["h", "x", "t"]), (rng.randrange(3),))
    return circuit


def test_all_lines_of_a_block_are_of_one_length():
    for block in draw(random_circuit(5, 200)).split("\n\n"):
        lengths = {len(line) for line in block.split("\n") if not line.startswith("phase")}
        assert len(lengths) == 1


@pytest.mark.timeout(120)
def test_thousands_of_operations_are_drawn():
    circuit = random_circuit(20, 5000)
    drawing = draw(circuit)
    assert drawing.count("┤M├") == circuit.count_ops()["measure"]


def test_a_drawing_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch):
    for columns in (30, 70):
        monkeypatch.setenv("COLUMNS", str(columns))
        widest = max(map(len, random_simple(200).draw().split("\n")))
        assert columns - 5 < widest <= columns
    monkeypatch.delenv("COLUMNS")
    assert max(map(len, draw(random_simple(200)).split("\n"))) <= 100, "the tests run in no terminal"


def test_a_drawing_is_bounded_and_says_what_it_leaves_out():
    circuit = Circuit(1, 0, [Operation("h", (0,))] * 1_000_000)
    drawing = draw(circuit)
    assert drawing.endswith("\n\n(the first 10,000 of 1,000,000 operations)")
    assert drawing.count("┤h├") == 10_000


def test_assignments_stand_beside_the_clbits_and_loops_cross_all_wires():
    circuit = Circuit(2, 2).h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end().set([1], bits(0))
    assert draw(circuit, width=100) == (
        "q0: ─┤h├─┤M├─────[─────┤h├─┤M├──]──────────\n"
        "q1: ──────╫──────[──────────╫───]──────────\n"
        "c:  ══════0══while 0=1══════0══end═1:=c[0]═"
    )


def test_a_circuit_with_hidden_clbits_only_has_a_row_for_them():
    circuit = Circuit(1, 0, [Operation("set", (), (1,), (0,)), Operation("x", (0,), (), (), (Comparison((0,), 1),))], 1)
    assert draw(circuit, width=100) == "q0: ──────┤x├─\nc:  ═0:=1═0=1═"
