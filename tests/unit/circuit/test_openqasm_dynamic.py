"""Programs that depend on measurements mean what an interpreter finds that carries them out as they stand."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from support import program_interpreter
from support.dynamic_programs import Programs
from support.reference import distribution

from gateway.circuit import parse
from gateway.circuit.circuit import DEFAULT_LIMITS, Circuit
from gateway.circuit.openqasm import control_flow
from gateway.circuit.openqasm.reader import read_program
from gateway.errors import LimitError, UnsupportedError

_SEEDS = 60
CIRCUITS = Path(__file__).parents[2] / "circuits" / "openqasm3"
DYNAMIC = """angles_of_outcomes boolean_of_outcomes copied_outputs else_if_chain end_under_a_condition
    exclusive_or_of_outcomes for_with_measured_break for_with_measured_continue if_overwrites_its_condition
    integer_of_outcomes iterative_phase_loop loop_over_outcomes magic_state_feed_forward nested_if_measures_inside
    nested_loops_on_outcomes repeat_until_one repeat_until_success_counted scheduled_feed_forward
    signed_arithmetic_of_outcomes subroutine_returns_bit subroutine_returns_integer subroutine_with_loop
    switch_on_integer switch_on_snapshot syndrome_loop teleport_twice variables_change_kind while_with_break
    while_with_continue wide_comparisons""".split()  # noqa: SIM905 - a list of words reads best as words


@pytest.mark.parametrize("name", DYNAMIC)
def test_a_program_of_the_corpus_means_what_the_interpreter_finds(name: str) -> None:
    text = (CIRCUITS / f"{name}.qasm").read_text()
    assert distribution(parse(text)) == pytest.approx(program_interpreter.distribution(text), abs=1e-8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("repeat_until_one", {"1": 1}),
        ("repeat_until_success_counted", {"011": 1 / 2, "101": 1 / 4, "111": 1 / 8, "110": 1 / 8}),
        ("while_with_break", {"11": 1}),
        ("while_with_continue", {"11": 1}),
        ("for_with_measured_break", {"00001": 1 / 2, "01010": 1 / 4, "10100": 1 / 8, "11000": 1 / 8}),
        ("if_overwrites_its_condition", {"00": 1 / 4, "10": 1 / 2, "11": 1 / 4}),
        ("nested_if_measures_inside", {"000": 1 / 2, "001": 1 / 4, "011": 1 / 8, "110": 1 / 8}),
        ("syndrome_loop", {"111": 1}),
        ("iterative_phase_loop", {"101": 1}),
        ("end_under_a_condition", {"01": 1 / 2, "10": 1 / 2}),
        ("nested_loops_on_outcomes", {"11": 1}),
        ("scheduled_feed_forward", {"00": 1 / 2, "11": 1 / 2}),
    ],
)
def test_a_program_of_the_corpus_has_the_distribution_that_its_first_line_says(name: str, expected) -> None:
    found = distribution(parse((CIRCUITS / f"{name}.qasm").read_text()))
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_generated_programs_mean_what_the_interpreter_finds(seed: int) -> None:
    text = Programs(Random(seed)).text()
    try:
        circuit = parse(text)
    except UnsupportedError as exc:
        assert exc.feature == "type float", "nothing else of what is generated is refused"  # noqa: PT017 - sometimes
        return
    circuit.validate()
    assert distribution(circuit) == pytest.approx(program_interpreter.distribution(text), abs=1e-8)


@pytest.mark.parametrize("seed", range(0, _SEEDS, 6))
def test_the_fast_way_changes_nothing_of_what_depends_on_measurements(seed: int) -> None:
    text = Programs(Random(seed), size=14).text()
    try:
        slow = read_program(text, DEFAULT_LIMITS, is_fast=False)
    except UnsupportedError as exc:
        with pytest.raises(UnsupportedError, match=exc.feature):
            parse(text)
        return
    assert distribution(parse(text)) == pytest.approx(distribution(Circuit(*slow)))


_AFTER_THE_END = "output bit[3] R; qubit q; bit b; h q; b = measure q; if (b) end;"


@pytest.mark.parametrize(
    "rest",
    [
        "end; x q; R[0] = measure q;",
        "end; R[0] = 1;",
        'bool v = true; if (v) end; R = "011"; R[2] = 1;',
        "for int i in [0:2] { if (i == 1) end; R[0] = 1; } R[1] = 1;",
        "h q; R[0] = measure q; if (R[0]) end; end; R[1] = 1;",
    ],
)
def test_nothing_happens_after_an_end_that_all_come_to_who_have_not_ended_before(rest: str) -> None:
    text = f"OPENQASM 3.0; include 'stdgates.inc'; {_AFTER_THE_END} {rest}".replace("'", '"')
    assert distribution(parse(text)) == pytest.approx(program_interpreter.distribution(text), abs=1e-9)


def test_any_number_of_jumps_may_follow_each_other_in_a_subroutine() -> None:
    text = """OPENQASM 3.0; include "stdgates.inc"; qubit q;
        def first_one(qubit a) -> uint[8] { uint[8] tries = 0; bool r; REPEATED return tries; }
        output uint[8] R; R = first_one(q);"""
    repeated = "h a; r = measure a; tries += 1; if (r) { x a; return tries; } "
    circuit = parse(text.replace("REPEATED", repeated * 150))
    circuit.validate()
    few = text.replace("REPEATED", repeated * 3)
    assert distribution(parse(few)) == pytest.approx(program_interpreter.distribution(few), abs=1e-9)


@pytest.mark.parametrize("seed", range(0, _SEEDS, 2))
def test_what_follows_jumps_means_the_same_in_one_branch_and_in_many(monkeypatch, seed: int) -> None:
    monkeypatch.setattr(control_flow, "_DEEPEST_REST", 0)
    text = Programs(Random(seed), size=14).text()
    try:
        circuit = parse(text)
    except UnsupportedError:
        return
    circuit.validate()
    assert distribution(circuit) == pytest.approx(program_interpreter.distribution(text), abs=1e-8)


def test_what_follows_jumps_is_looked_through_once() -> None:
    looks = []

    class Step:
        jumps = frozenset({"end"})

        @property
        def writes(self) -> frozenset[object]:
            looks.append(self)
            return frozenset()

    rests = control_flow._rests([Step() for _ in range(100)])
    assert len(rests) == 99
    assert len(looks) <= 100


@pytest.mark.parametrize("middle", ["", "h q; b = measure q; if (b) v = -1;"])
def test_bits_hold_a_negative_number_in_twos_complement_whether_it_is_known_or_not(middle: str) -> None:
    text = (
        f"OPENQASM 3.0; include 'stdgates.inc'; qubit q; bit b; output bit[3] R; int[4] v = -2; {middle} R = bit[3](v);"
    )
    text = text.replace("'", '"')
    assert distribution(parse(text)) == pytest.approx(program_interpreter.distribution(text), abs=1e-9)


# ------------------------------------------------------------------ as others write them


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # a register that is copied and changed, as Stim writes detectors
            """def mr(qubit a) -> bit { bit b; b = measure a; reset a; return b; } qubit[2] q; bit[2] m; bit[3] d;
            x q[0]; m[0] = mr(q[0]); d[0] = m[0] ^ 1; m[1] = mr(q[0]) ^ mr(q[1]); d[1] = m[1] ^ m[0] ^ 0;
            d[2] = d[1];""",
            {"11001": 1},
        ),
        (  # AutoQASM: the output is declared first, names have underscores, bits begin as strings of zeros
            """output bit return_value; qubit[1] __qubits__; bit __bit_0__ = "0"; x __qubits__[0];
            __bit_0__ = measure __qubits__[0]; return_value = __bit_0__;""",
            {"11": 1},
        ),
        (  # an output of few bits made from outcomes
            """qubit[2] pair; output uint[2] answer; h pair[1]; cx pair[0], pair[1]; h pair[0];
            bool first = measure pair[0]; bool second = measure pair[1];
            answer = (1 - int(second)) * 2 + (1 - int(first));""",
            {"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25},
        ),
        (  # index sets on both sides
            "qubit[5] q; bit[5] c; x q[3]; x q[2]; c[{3, 1, 4}] = measure q[{4, 2, 3}];",
            {"10010": 1},
        ),
        (  # a subroutine that uses a register declared after it
            "def flip() { x q[1]; c[1] = measure q[1]; } qubit[2] q; bit[2] c; flip();",
            {"10": 1},
        ),
        (  # the same bit is tested and copied after it was overwritten with a constant
            "qubit q; bit[2] c; x q; c[0] = measure q; c[1] = c[0]; c[0] = 0; if (c[1]) { c[0] = !c[0]; }",
            {"11": 1},
        ),
        (  # bits that begin as ones belong to the outcome if anything depends on outcomes later
            'qubit q; bit[2] r = "10"; bit c; x q; c = measure q; if (c) { r = "01"; }',
            {"101": 1},
        ),
        ("qubit[2] q; measure q; bit c; x q[0]; c = measure q[0]; measure q[1];", {"1": 1}),
        (
            "qubit q; bit[2] c; x q; c[0] = measure q; rx(pi * c[0]) q; ry(pi * (c[0] + 1)) q; c[1] = measure q;",
            {"01": 1},
        ),
        (
            "qubit[2] q; bit c; int[4] n = -3; h q[0]; bit b = measure q[0]; if (b) n += 6; c = n > 0;",
            {"00": 0.5, "11": 0.5},
        ),
    ],
)
def test_programs_as_other_tools_write_them(text: str, expected) -> None:
    circuit = parse(f'OPENQASM 3.0; include "stdgates.inc"; {text}')
    circuit.validate()
    assert distribution(circuit) == pytest.approx(expected)


def test_an_output_integer_without_a_width_has_32_bits_and_other_integers_are_hidden() -> None:
    circuit = parse("OPENQASM 3.0; qubit q; output int n; int m; bit c; c = measure q; m = c; n = m - 1;")
    assert (circuit.num_clbits, circuit.num_hidden) == (33, 1)
    assert distribution(circuit) == pytest.approx({"0" + "1" * 32: 1})


def test_parameters_of_a_text_are_parameters_of_the_circuit() -> None:
    text = """OPENQASM 3.0; input float theta; input angle phi; const float half = 0.5;
    gate g(a) x_ { rz(a / 2) x_; } gate general(a) x_ { ctrl @ gphase(a) x_; }
    qubit[2] q; rx(half * theta + pi) q[0]; g(-phi) q[1]; general(theta ** 2) q[0]; inv @ ry(sin(theta)) q[0];
    for int i in [1:2] { cp(theta / i) q[0], q[1]; } bit c = measure q[0]; if (c) { rx(theta * c) q[1]; }"""
    circuit = parse(text)
    circuit.validate()
    assert circuit.parameters == ("theta", "phi")
    angles = [op.params[0] for op in circuit.bind(theta=0.3, phi=0.4).operations if op.params]
    assert angles == pytest.approx([0.15 + 3.141592653589793, -0.2, 0.09, -0.29552020666, 0.3, 0.15, 0, 0.3])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uint[64] v = 1; if (b) v = 2; v = v ^ 0xFFFFFFFFFFFFFFFF; output uint[64] R; R = v;", (2**64 - 2, 2**64 - 3)),
        ("uint[128] v = 1; if (b) v = 2; v = v + (1 << 100); output uint[128] R; R = v;", (2**100 + 1, 2**100 + 2)),
    ],
)
def test_numbers_of_any_size_meet_values_that_depend_on_outcomes(text: str, expected: tuple[int, int]) -> None:
    header = 'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit b; h q; b = measure q; '
    circuit = parse(header + text)
    circuit.validate()
    width = circuit.num_clbits - 1
    assert distribution(circuit) == pytest.approx(
        {f"{number:0{width}b}{outcome}": 0.5 for outcome, number in enumerate(expected)}
    )


def test_a_program_that_may_end_in_too_many_places_is_too_large_and_no_mistake_of_syntax() -> None:
    header = 'OPENQASM 3.0; include "stdgates.inc"; qubit q; bit b; '
    with pytest.raises(LimitError, match="may end in too many places"):
        parse(header + "b = measure q; if (b) end; x q; " * 500)
