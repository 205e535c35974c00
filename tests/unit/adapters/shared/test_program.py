from __future__ import annotations

from adapters.shared.program import Assignment, End, Event, Loop, Segment, make_program
from gateway.circuit import Circuit, Expression, bits


def kinds(program):
    return [type(step) for step in program.steps]


def test_circuit_measured_last_is_one_segment():
    program = make_program(Circuit(2).h(0).cx(0, 1).measure_all())
    assert program.static
    assert program.final == {0: 0, 1: 1}


def test_gate_after_a_measurement_on_another_qubit_does_not_cut():
    assert make_program(Circuit(2, 2).h(0).measure(0, 0).h(1).measure(1, 1)).static


def test_measurement_of_a_qubit_used_later_cuts():
    program = make_program(Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1))
    assert kinds(program) == [Segment, Event, Segment]
    assert program.final == {1: 0}


def test_measurement_into_a_clbit_tested_later_cuts():
    program = make_program(Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1}))
    assert kinds(program) == [Segment, Event, Segment]
    assert program.steps[2].conditional == (0,)


def test_measurement_that_is_overwritten_unread_is_left_out():
    program = make_program(Circuit(2, 1).h(0).measure(0, 0).measure(1, 0))
    assert program.static
    assert program.final == {0: 1}


def test_measurement_under_a_conditional_one_is_kept():
    program = make_program(Circuit(3, 2).h(0).measure(0, 0).measure(1, 1).measure(2, 1, when={0: 1}))
    assert [step.qubit for step in program.steps if isinstance(step, Event)] == [0, 1, 2]


def test_last_reset_is_left_out():
    assert make_program(Circuit(2, 1).h(0).measure(0, 0).reset(1)).static


def test_a_reset_before_a_measurement_put_off_to_the_end_is_kept():
    assert make_program(Circuit(1, 1).x(0).reset(0).measure(0, 0)).steps[1] == Event(0, None, clears=True)


def test_barriers_are_left_out():
    assert make_program(Circuit(2, 1).h(0).barrier().measure(0, 0).barrier()).steps[0].gates[0].name == "h"


def test_segments_with_the_same_gates_have_the_same_number():
    program = make_program(Circuit(1, 3).h(0).measure(0, 0).h(0).measure(0, 1).x(0).measure(0, 2).h(0))
    assert [step.number for step in program.steps if isinstance(step, Segment)] == [0, 0, 1, 0]


def test_a_program_begins_with_a_segment_even_where_nothing_comes_before_a_loop():
    circuit = Circuit(1, 1).while_({0: 0}).x(0).measure(0, 0).end()
    assert kinds(make_program(circuit)) == [Segment, Loop, Segment, Event, End]


def test_a_qubit_that_nothing_uses_again_is_0_after_its_measurement():
    program = make_program(Circuit(3, 3).h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1).h(1))
    assert [step.clears for step in program.steps if isinstance(step, Event)] == [True, False]


def test_in_a_loop_what_comes_before_comes_again():
    circuit = Circuit(2, 2).measure(0, 0).while_({0: 0}).h(1).measure(1, 1).h(0).measure(0, 0).end()
    events = [step for step in make_program(circuit).steps if isinstance(step, Event)]
    assert [step.clears for step in events] == [False, False, False]


def test_a_measurement_into_a_hidden_clbit_that_nothing_reads_is_left_out():
    assert make_program(Circuit(1, 1, num_hidden=1).h(0).measure(0, 0).measure(0, 1)).static


def test_what_is_read_for_the_last_time_is_forgotten():
    circuit = Circuit(2, 1, num_hidden=2).h(0).measure(0, 1).set((2,), bits(1)).x(1, when={2: 1}).measure(1, 0)
    program = make_program(circuit)
    hidden, value = program.columns[1], program.columns[2]
    assert [step.forgotten for step in program.steps] == [(), (), (hidden,), (value,)]


def test_what_the_next_turn_of_a_loop_overwrites_is_forgotten_at_its_end():
    circuit = Circuit(1, 1, num_hidden=2)
    circuit.while_({0: 0}).h(0).measure(0, 1).set((2,), bits(1)).measure(0, 0).set((0,), bits(0, 2), when={2: 1}).end()
    program = make_program(circuit)
    columns = program.columns
    assignments = [step for step in program.steps if isinstance(step, Assignment)]
    assert [step.forgotten for step in assignments] == [(columns[1],), (columns[2],)]


def test_what_the_next_turn_of_a_loop_reads_is_kept():
    circuit = Circuit(1, 1, num_hidden=1).while_({0: 0}).x(0, when={1: 1}).h(0).measure(0, 1).measure(0, 0).end()
    program = make_program(circuit)
    loop = program.steps[1]
    assert loop.forgotten == (program.columns[1],)
    assert not any(step.forgotten for step in program.steps if isinstance(step, Event))


def test_clbits_of_the_outcome_are_never_forgotten():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).set((1,), Expression("not", (bits(0),))).h(0)
    assert not any(step.forgotten for step in make_program(circuit).steps)


def test_as_many_states_as_outcomes_and_shots_allow():
    program = make_program(Circuit(1, 3).h(0).measure(0, 0).h(0).measure(0, 1).h(0).measure(0, 2))
    assert (program.most_states(0), program.most_states(3), program.most_states(10**6)) == (4, 3, 4)
    assert (program.depth(0), program.depth(2)) == (2, 1)
