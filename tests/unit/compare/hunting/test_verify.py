from __future__ import annotations

import json
import signal
import threading
from functools import partial

import msgspec
import numpy as np
import pytest
from support.altered import InProcess, with_angle, without
from support.faulty import FAULTS, faulty
from support.reference import distribution

from gateway.circuit.gates import GATES
from gateway.compare.hunting import battery, matrix_text
from gateway.compare.hunting.behaviour import behaviours
from gateway.compare.hunting.matrix import Outcome
from gateway.compare.hunting.scope import Scope
from gateway.compare.hunting.subject import SAMPLES_AT_MOST
from gateway.compare.hunting.verify import verify
from gateway.errors import RequestError, TransportError
from gateway.results import CLIFFORD, Capabilities, ResultType

BEYOND_THE_FAKES = {
    "more than 64 clbits",
    "a register of 40 qubits, mostly idle",
    "a comparison of 66 clbits",
    "random circuits with conditions",
}
"""Rows that the simulators of ``support.faulty`` fail even if they are right: they hold clbits in 64 bits."""

WITH_GATES = {
    "gate-dropped": ("gates", "rzx"),
    "angle-negated": ("gates", "rz"),
    "angle-halved": ("gates", "crx"),
    "angle-doubled": ("gates", "u"),
    "angle-in-degrees": ("gates", "ryy"),
    "angle-in-half-turns": ("gates", "p"),
    "angle-modulo": ("gates", "crz"),
    "angles-exchanged": ("gates", "u3"),
    "inverse-taken": ("gates", "s"),
    "operands-exchanged": ("operand orders", "cx"),
    "phase-lost": ("gates", "cp"),
}
GROUPS = {
    "readout-error": "gates",
    "depolarised": "gates",
    "condition-ignored": "conditions",
    "condition-inverted": "conditions",
    "condition-reversed": "conditions",
    "reset-ignored": "resets",
    "measurement-postponed": "measurements",
    "seed-ignored": "seeds",
    "shots-missing": "samples",
    "shots-correlated": "samples",
}
"""Fault -> the group in which it shows; the others are faults of reading, and show in ``bit order``."""


def failing(verification) -> set[str]:
    return {row.name for _, row, _ in verification.failing()} - BEYOND_THE_FAKES


# ---------------------------------------------------------------------------- who passes


def test_a_right_simulator_passes_every_row():
    found = verify({"numpy": InProcess()})
    assert not list(found.failing())
    assert found.all_pass
    assert found.exit_status == 0
    assert found.count("numpy", Outcome.PASSES) == len(found.rows) > 140
    assert found.verdict == "numpy passes every row that is offered."


def test_what_is_not_declared_is_not_offered_and_no_pass():
    poor = InProcess(
        result_types=(ResultType.COUNTS,), gates=CLIFFORD, reset=False, classical_control=False, seedable=False
    )
    found = verify({"poor": poor, "deaf": InProcess(result_types=(ResultType.COUNTS,), native_sampling=False)})
    assert not list(found.failing())
    outcomes = {(row.group, row.name): row.outcomes["poor"] for row in found.rows}
    assert outcomes["gates", "t"] is Outcome.NOT_OFFERED
    assert outcomes["gates", "rz"] is Outcome.PASSES
    assert {found.count("poor", Outcome.PASSES, group) for group in ("resets", "conditions", "seeds")} == {0}
    assert found.count("poor", Outcome.PASSES, "state vectors") == 0
    assert found.count("deaf", Outcome.PASSES, "own sampler") == 0
    assert found.all_pass


@pytest.mark.parametrize("cause", FAULTS)
def test_each_kind_of_fault_fails_a_row_that_says_what_it_is_about(cause):
    group, gate = WITH_GATES.get(cause, (GROUPS.get(cause, "bit order"), ""))
    wrong = faulty(f"{cause}:{gate}" if gate else cause)
    found = verify({"wrong": wrong}, groups=[group])
    assert failing(found)
    if gate:
        assert gate in failing(found)
    assert found.exit_status == 1
    assert "wrong fails" in found.verdict


@pytest.mark.parametrize("cause", ["bits-reversed", "clbit-stuck", "first-write-kept"])
def test_faults_are_found_by_counts_alone(cause):
    assert failing(verify({"wrong": faulty(cause, exact=False)}, groups=["bit order"]))


@pytest.mark.parametrize("name", ["rzx", "cu", "c4x", "xx_minus_yy"])
def test_a_wrong_gate_is_found_by_counts_alone(name):
    wrong = InProcess(without(name), result_types=(ResultType.COUNTS,))
    assert name in failing(verify({"wrong": wrong}, groups=["gates"]))


def test_a_wrong_gate_fails_only_what_uses_it():
    wrong = InProcess(with_angle("rzz", lambda angle: -angle))
    assert failing(verify({"wrong": wrong}, groups=["gates", "operand orders", "bit order"])) == {"rzz"}


def test_a_lost_global_phase_fails_the_state_vectors_alone():
    found = verify({"wrong": InProcess(without("gphase"))}, groups=["gates", "state vectors"])
    assert failing(found) >= {"every gate, global phase included"}
    assert {row.group for _, row, _ in found.failing()} == {"state vectors"}
    assert "another global phase" in {failure.came for _, _, failure in found.failing()}


# ---------------------------------------------------------------------------- what else may happen


class Ending(InProcess):
    """Cannot be reached after some requests."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self.lives = lives

    def send(self, request):
        self.lives -= 1
        if self.lives < 0:
            raise TransportError("cannot reach it")
        return super().send(request)


def test_a_simulator_that_ends_half_way_is_no_pass_and_the_others_are_verified():
    found = verify({"a": InProcess(), "ending": Ending(20)}, groups=["bit order", "gates"])
    assert found.count("a", Outcome.PASSES) == len(found.rows)
    assert found.count("ending", Outcome.PASSES) > 5
    assert found.count("ending", Outcome.NO_ANSWER) > 5
    assert "cannot reach it" in found.notes["ending"]
    assert not found.interrupted
    assert found.exit_status == 2
    assert "ending did not answer" in found.verdict


def test_a_simulator_that_never_answers_has_a_column_too():
    found = verify({"gone": Ending(0)}, groups=["resets"])
    assert found.count("gone", Outcome.NO_ANSWER) == len(found.rows)


def test_a_backend_that_raises_anything_when_it_is_asked_for_its_status_has_a_column_too():
    class Odd(InProcess):
        def status(self):
            raise OSError("no such device")

    found = verify({"odd": Odd()}, groups=["resets"])
    assert found.count("odd", Outcome.NO_ANSWER) == len(found.rows)
    assert "OSError: no such device" in found.notes["odd"]


class Interrupted(InProcess):
    """Has Ctrl-C pressed at its last request, which it does not answer."""

    def __init__(self, requests: int) -> None:
        super().__init__()
        self.requests, self.end = requests, threading.Event()

    def send(self, request):
        self.requests -= 1
        if self.requests > 0:
            return super().send(request)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        self.end.wait()
        raise TransportError("it is over")


def test_ctrl_c_ends_the_verification_at_once_and_keeps_what_has_been_examined():
    endless = Interrupted(20)
    found = verify({"endless": endless}, groups=["bit order", "gates"])
    endless.end.set()
    assert found.interrupted
    passed = found.count("endless", Outcome.PASSES)
    assert passed > 5
    assert found.count("endless", Outcome.NOT_EXAMINED) == len(found.rows) - passed
    assert found.verdict == f"Interrupted; endless was examined in {passed} of {len(found.rows)} rows."
    assert (found.exit_status, found.all_pass) == (2, False)
    text = str(found)
    assert f"… {found.count('endless', Outcome.NOT_EXAMINED, 'gates')} of {len(GATES)}" in text
    assert "… not examined" in text
    assert "not examined" in found._repr_html_()
    assert json.loads(json.dumps(found.to_dict()))["interrupted"]


def test_after_ctrl_c_nobody_is_asked_any_more():
    class Counting(InProcess):
        requests, thread = 0, None

        def send(self, request):
            self.requests += 1
            self.thread = threading.current_thread()
            if self.requests == 5:
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                over.wait()
            return super().send(request)

    over, counting = threading.Event(), Counting()
    assert verify({"a": counting}, groups=["gates"]).interrupted
    over.set()
    counting.thread.join()
    assert counting.requests == 5


def test_a_simulator_that_fails_has_failed_even_if_the_rest_is_interrupted():
    class Wrong(Interrupted):
        def send(self, request):
            results = super().send(request)
            return [] if self.requests == 10 else results

    wrong = Wrong(20)
    found = verify({"wrong": wrong}, groups=["gates"])
    wrong.end.set()
    assert found.interrupted
    assert found.exit_status == 1
    assert found.verdict.startswith("Interrupted; wrong fails 1 row; wrong was examined in")


def test_an_error_fails_its_row_with_its_class():
    class Crashing(InProcess):
        def send(self, request):
            if any(op.name == "swap" for circuit in request.circuit_list() for op in circuit.operations):
                raise ZeroDivisionError("by zero")
            return super().send(request)

    found = verify({"wrong": Crashing()}, groups=["gates"])
    ((_, row, failure),) = found.failing()
    assert row.name == "swap"
    assert "ZeroDivisionError: by zero" in failure.came


def test_a_function_that_gives_no_exact_probabilities_is_judged_by_its_counts_and_noted():
    class NoExact(InProcess):
        def send(self, request):
            if request.shots is None:
                raise ValueError("shots are needed")
            return super().send(request)

    found = verify({"function": NoExact()}, groups=["bit order", "resets"])
    assert not list(found.failing())
    assert "gives no exact probabilities" in found.notes["function"]


@pytest.mark.parametrize(
    "arguments", [{"shots": 0}, {"false_alarm_rate": 0}, {"groups": ["nothing"]}], ids=["shots", "rate", "group"]
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(RequestError, match=r"^(shots|false_alarm_rate) must be|no group 'nothing': known"):
        verify({"a": InProcess()}, **arguments)


def test_no_backend_is_refused():
    with pytest.raises(RequestError, match="no backend"):
        verify({})


# ---------------------------------------------------------------------------- the battery


SCOPES = {
    "all": Scope(),
    "clifford": Scope.of(Capabilities(result_types=(), gates=CLIFFORD)),
    "permutations": Scope.of(Capabilities(result_types=(), gates=("x", "cx"))),
}


@pytest.mark.parametrize("scope", SCOPES.values(), ids=list(SCOPES))
def test_every_circuit_of_the_battery_is_valid(scope):
    circuits = [circuit for row in battery.rows() for circuit in row.circuits(scope)]
    for circuit in circuits:
        circuit.validate()
    assert len(circuits) > 60


def test_every_gate_has_a_row_and_every_order_of_its_qubits():
    rows = list(battery.rows())
    assert {row.name for row in rows if row.group == "gates"} == set(GATES)
    (row,) = [row for row in rows if (row.group, row.name) == ("operand orders", "ccx")]
    orders = {op.qubits for circuit in row.circuits(Scope()) for op in circuit.operations if op.name == "ccx"}
    assert len(orders) == 6


def test_rows_have_distinct_names():
    names = [(row.group, row.name) for row in battery.rows()] + [(row.group, row.name) for row in behaviours()]
    assert len(set(names)) == len(names)


def test_the_battery_has_no_more_samples_than_its_rate_is_shared_among():
    circuits = sum(len(list(row.circuits(Scope()))) for row in battery.rows())
    own = sum(len(list(row.circuits(Scope()))) for row in battery.rows() if row.sampled)
    assert circuits + own + 50 < SAMPLES_AT_MOST


@pytest.mark.parametrize("name", ["rx", "cx", "cp", "c4x", "ecr", "cu"])
def test_the_circuits_of_a_gate_depend_on_it(name):
    (row,) = [row for row in battery.rows() if (row.group, row.name) == ("gates", name)]
    for circuit in row.circuits(Scope()):
        right = distribution(circuit)
        shorter = msgspec.structs.replace(circuit, operations=[op for op in circuit.operations if op.name != name])
        wrong = distribution(shorter)
        angles = [angle for op in circuit.operations if op.name == name for angle in op.params]
        if all(not np.isclose(np.sin(angle / 2), 0) for angle in angles):
            assert max(abs(right.get(key, 0) - wrong.get(key, 0)) for key in right.keys() | wrong.keys()) > 1e-4


# ---------------------------------------------------------------------------- what is shown


def test_the_matrix_is_shown_as_text_and_html_and_is_plain_data():
    found = verify({"right": InProcess(), "wrong": InProcess(without("rzx"))}, groups=["gates", "resets"])
    text = str(found)
    lines = text.splitlines()
    assert lines[0] == "right passes every row that is offered; wrong fails 1 row."
    assert lines[2].split() == ["right", "wrong"]
    assert [line.split() for line in lines[3:5]] == [
        ["gates", "=", str(len(GATES)), "≠", "1", "of", str(len(GATES))],
        ["resets", "=", "4", "=", "4"],
    ]
    assert "≠ wrong: gates, rzx" in text
    assert "rzx(" in text
    assert "a right simulator fails any row with probability 1e-6" in text
    html = found._repr_html_()
    assert html.count("<table") == 2
    assert "rzx" in html
    data = json.loads(json.dumps(found.to_dict()))
    assert data["all_pass"] is False
    assert data["rows"][0]["outcomes"] == {"right": "passes", "wrong": "passes"}


def test_many_failures_are_named_and_only_some_are_spelled_out():
    found = verify({"wrong": faulty("bits-reversed")}, groups=["gates", "bit order", "conditions"])
    text = matrix_text.to_text(found)
    assert text.count("expected") == 6
    assert len(text.splitlines()) < 220


def test_all_that_pass_are_said_together():
    found = verify({"a": InProcess(), "b": InProcess()}, groups=["resets"])
    assert found.verdict == "All 2 pass every row that they offer."


verify = partial(verify, shots=500)
