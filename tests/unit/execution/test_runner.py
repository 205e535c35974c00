from __future__ import annotations

import json
import logging

import pytest
from support.fake import Does, FakeAdapter, fake
from support.fakes import NumpyAdapter
from support.raw import run_body

from gateway.circuit import Circuit, Expression, parameter
from gateway.counts import Counts
from gateway.errors import CircuitInvalidError, LimitError, RequestError, SimulatorError
from gateway.execution.function import Function
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import AnswerParts, Runner
from gateway.protocol.messages import BackendInfo, RunRequest, RunResponse, ServerLimits, decode, encode
from gateway.protocol.result_message import message_of
from gateway.provenance import Provenance
from gateway.results import ResultType
from gateway.version import __version__

BELL = "OPENQASM 3.0; include 'stdgates.inc'; qubit[2] q; bit[2] c; c = measure q;".replace("'", '"')


@pytest.fixture
def runner() -> Runner:
    return Runner(FakeAdapter(), ServerLimits(max_qubits=10, max_clbits=20, max_operations=5))


def test_text_and_circuits_are_run_alike(runner: Runner):
    results = runner.results(RunRequest(circuits=[BELL, fake(amount=3)], shots=[2, 5], seed=2**32 - 1))
    assert results == [{"00": 2}, {"00000011": 5}]
    assert [result.provenance.seed for result in results] == [2**32 - 1, 0]
    assert all(result.provenance.gateway_version == __version__ for result in results)


def test_parsing_is_timed_apart_from_running(runner: Runner):
    text, circuit = (result.provenance for result in runner.results(RunRequest(circuits=[BELL, fake()])))
    assert text.parse_s > 0
    assert circuit.run_s > 0


def test_the_wait_for_a_worker_is_in_the_provenance(runner: Runner):
    answer = runner.run(encode(RunRequest(circuits=fake())), None, 0.25)
    assert json.loads(answer.body)["results"][0]["provenance"]["queue_s"] == 0.25


class Filling(FakeAdapter):
    """Fills as many mebibytes as there are shots."""

    def sample(self, native: Circuit, *, shots: int, seed: int) -> Counts:
        return super().sample(native, shots=len(b"x" * (shots * 2**20)) // 2**20, seed=seed)


def test_each_run_says_its_own_peak_of_memory():
    runner = Runner(Filling(), ServerLimits())
    small, large, small_again = (
        result.provenance.peak_memory_bytes
        for result in runner.results(RunRequest(circuits=[fake(), fake(), fake()], shots=[1, 64, 1]))
    )
    assert large - small > 48 * 2**20
    assert large - small_again > 48 * 2**20


def test_the_failing_circuit_of_a_list_is_named(runner: Runner):
    with pytest.raises(SimulatorError, match="told to raise") as caught:
        runner.results(RunRequest(circuits=[fake(), fake(Does.RAISE)]))
    assert caught.value.circuit == 1
    with pytest.raises(SimulatorError, match="told to raise") as caught:
        runner.results(RunRequest(circuits=fake(Does.RAISE)))
    assert caught.value.circuit is None


def test_a_loop_has_as_many_turns_as_the_limit_says():
    runner = Runner(NumpyAdapter(), ServerLimits(max_loop_iterations=5))
    endless = Circuit(1, 1).while_({0: 0}).x(0).end()
    with pytest.raises(LimitError, match="the loop has not ended after 5 turns for 3 shots or more"):
        runner.results(RunRequest(circuits=endless.measure(0, 0), shots=3))


@pytest.mark.parametrize("what", ["qubits", "clbits", "operations"])
def test_the_limits_of_the_server_hold_for_text_and_for_circuits(runner: Runner, what):
    numbers = {"qubits": 1, "clbits": 1, "operations": 1} | {what: 21}
    text = f"OPENQASM 2.0; qreg q[{numbers['qubits']}]; creg c[{numbers['clbits']}];"
    text += "measure q[0] -> c[0];" * numbers["operations"]
    circuit = fake(clbits=numbers["clbits"])
    circuit.num_qubits = numbers["qubits"]
    for _ in range(numbers["operations"]):
        circuit.measure(0, 0)
    for source in (text, circuit):
        with pytest.raises(LimitError, match=what):
            runner.results(RunRequest(circuits=source))


def test_a_circuit_that_breaks_a_rule_is_refused_before_it_is_run(runner: Runner):
    body = run_body().replace(b'"u"', b'"nonsense"')
    with pytest.raises(CircuitInvalidError, match="no gate named 'nonsense'"):
        runner.results(decode(RunRequest, body))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"nonsense", 400, "request-invalid"),
        (run_body("nonsense"), 400, "circuit-syntax"),
        (run_body(fake(Does.RAISE)), 500, "simulator-error"),
        (run_body(fake(Does.WRONG_SUM)), 500, "simulator-error"),
        (run_body(fake(Does.PANIC)), 500, "internal-error"),
    ],
)
def test_every_failure_is_answered_with_a_problem(runner: Runner, body, status, code, caplog):
    answer = runner.run(body, None)
    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert bool(logged) == (status >= 500), "the traceback of what is our fault is in the log"
    assert all(record.exc_info for record in logged)


def test_a_run_that_ends_its_process_is_left_to(runner: Runner):
    with pytest.raises(SystemExit, match="3"):
        runner.run(run_body(fake(Does.SYS_EXIT, 3)), None)


def test_the_description_names_what_is_served(runner: Runner):
    answer = InlineExecutor(runner).describe()
    assert answer.status == 200
    info = decode(BackendInfo, answer.body)
    assert (info.name, info.protocol, info.online, info.status) == ("fake", "1", True, None)
    assert info.limits.max_qubits == 10
    assert info.capabilities == FakeAdapter.capabilities


def test_the_description_of_a_function_asks_whether_it_takes_work():
    runner = Runner(Function(lambda circuit, shots: {}, lambda: False), ServerLimits())
    assert not decode(BackendInfo, runner.describe().body).online


def test_the_token_reaches_a_function_that_takes_one():
    runner = Runner(Function(lambda circuit, shots, token: {"1" * 8: len(token)}), ServerLimits())
    assert runner.run(run_body(shots=6), "secret").status == 200
    assert runner.run(run_body(shots=5), "secret").status == 500


def refusal_of(limits: ServerLimits, request: RunRequest, runnable: object = None) -> dict[str, object]:
    """Return the problem that an answer is which exceeds a limit."""
    answer = Runner(runnable or FakeAdapter(), limits).run(encode(request), None)
    assert answer.status == 413
    return json.loads(answer.body)


def test_an_answer_that_is_too_large_is_refused_with_its_size_and_what_to_do():
    def run_func(circuit: Circuit, shots: int) -> dict[str, int]:
        return {f"{number:0{circuit.num_clbits}b}": 1 for number in range(shots)}

    limits = ServerLimits(max_result_bytes=10_000)
    problem = refusal_of(limits, RunRequest(circuits=Circuit(1, 1_000).measure(0, 0), shots=20), Function(run_func))
    assert (problem["limit"], problem["allowed"]) == ("max_result_bytes", 10_000)
    assert problem["requested"] > 20_000
    assert "fewer shots" in problem["detail"]
    assert "fewer clbits" in problem["detail"]


def test_a_list_of_answers_counts_as_one_and_the_error_names_the_circuit():
    one = len(Runner(FakeAdapter(), ServerLimits()).run(encode(RunRequest(circuits=[fake()])), None).body)
    problem = refusal_of(ServerLimits(max_result_bytes=3 * one), RunRequest(circuits=[fake()] * 10))
    assert problem["limit"] == "max_result_bytes"
    assert 0 < problem["circuit"] < 9


def test_an_answer_as_large_as_the_limit_is_given():
    request = encode(RunRequest(circuits=[fake()] * 3, seed=1))
    runner = Runner(FakeAdapter(), ServerLimits())
    size = max(len(runner.run(request, None).body) for _ in range(5)) + 100  # times have more or fewer digits
    answer = Runner(FakeAdapter(), ServerLimits(max_result_bytes=size)).run(request, None)
    assert answer.status == 200
    assert len(decode(RunResponse, answer.body).results) == 3


class NeverRun(FakeAdapter):
    def run(self, circuit: Circuit, **options: object) -> Counts:
        raise AssertionError("it was run")


def test_a_state_vector_that_is_certainly_too_large_is_refused_before_it_is_computed():
    request = RunRequest(circuits=Circuit(24).h(0), result=ResultType.STATEVECTOR)
    problem = refusal_of(ServerLimits(max_result_bytes=2**20), request, NeverRun())
    assert problem["requested"] >= 10 * 2**24
    assert "counts instead of a state vector" in problem["detail"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_an_answer_is_written_as_its_message_is(number: int):
    text = AnswerParts(10**6)
    provenance = Provenance(simulator="fake", version="1")
    results = [Counts({"01": 3 + index}, provenance=provenance) for index in range(number)]
    for result in results:
        text.add(result)
    assert text.body() == encode(RunResponse(results=list(map(message_of, results))))


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        ("decode", "while the request was read: ask for fewer operations or circuits"),
        ("read", "while the request was read: ask for fewer operations or circuits"),
        ("parts_of", "while the answer was written: ask for fewer circuits or shots"),
    ],
)
def test_memory_that_runs_out_beside_the_simulation_is_said_to_have(
    runner: Runner, function, advice, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise MemoryError

    body = encode(RunRequest(circuits="OPENQASM 3.0; bit[1] c; qubit[1] q; c[0] = measure q[0];", shots=1))
    monkeypatch.setattr(f"gateway.execution.runner.{function}", fail)
    answer = runner.run(body, None)
    assert answer.status == 507
    assert advice in json.loads(answer.body)["detail"]


def echo() -> Circuit:
    """Return a circuit that makes the fake echo the parameter ``n``."""
    return Circuit(1, 8).u(float(Does.ECHO), parameter("n"), 0, 0).measure(0, 0)


def test_a_circuit_runs_at_each_point_with_a_seed_of_its_own(runner: Runner):
    request = RunRequest(circuits=echo(), shots=5, seed=2**32 - 1, parameters={"n": [3, 0, 5]})
    results = runner.results(request)
    assert results == [{"00000011": 5}, {"00000000": 5}, {"00000101": 5}]
    assert [result.provenance.seed for result in results] == [2**32 - 1, 0, 1]
    assert all(result.provenance.gateway_version == __version__ for result in results)


def test_the_first_point_has_the_time_of_parsing(runner: Runner):
    answer = runner.run(encode(RunRequest(circuits=echo(), parameters={"n": [3, 0]})), None)
    first, second = (result["provenance"]["parse_s"] for result in json.loads(answer.body)["results"])
    assert first > 0
    assert second == 0
    assert answer.stages[0] == first


def test_a_circuit_with_a_value_for_each_parameter_gives_one_result(runner: Runner):
    assert runner.results(RunRequest(circuits=echo(), shots=5, parameters={"n": 3})) == [{"00000011": 5}]


def test_the_failing_point_is_named(runner: Runner):
    circuit = Circuit(1, 8).u(parameter("does"), 0, 0, 0).measure(0, 0)
    request = RunRequest(circuits=circuit, shots=5, parameters={"does": [Does.ECHO, Does.RAISE]})
    with pytest.raises(SimulatorError, match="told to raise") as caught:
        runner.results(request)
    assert caught.value.circuit == 1
    with pytest.raises(SimulatorError, match="told to raise") as caught:
        runner.results(RunRequest(circuits=circuit, shots=5, parameters={"does": Does.RAISE}))
    assert caught.value.circuit is None


@pytest.mark.parametrize(
    ("parameters", "match"),
    [({"m": [1.0]}, "no parameter 'm': its parameters are n"), ({"n": [1.0], "m": 1.0}, "no parameter 'm'")],
)
def test_parameters_that_do_not_fit_are_refused_before_the_first_run(runner: Runner, parameters, match):
    with pytest.raises(RequestError, match=match) as caught:
        runner.results(RunRequest(circuits=echo(), parameters=parameters))
    assert (caught.value.field, caught.value.circuit) == ("parameters", None)


def test_a_parameter_without_a_value_is_refused_in_both_ways(runner: Runner):
    with pytest.raises(CircuitInvalidError, match="the parameter 'n' has no value"):
        runner.results(RunRequest(circuits=echo()))
    circuit = echo().rx(parameter("m"), 0)
    with pytest.raises(RequestError, match="the parameter 'n' has no value: its parameters are n, m"):
        runner.results(RunRequest(circuits=circuit, parameters={"m": 1.0}))


def test_an_expression_without_parameters_runs_as_the_number_that_it_is():
    ran = []
    runner = Runner(Function(lambda circuit, shots: ran.append(circuit) or {"0": shots}), ServerLimits())
    runner.results(RunRequest(circuits=Circuit(1, 1).rx(Expression("+", (1, 2)), 0).measure(0, 0)))
    assert [circuit.operations[0].params for circuit in ran] == [(3,)]
    with pytest.raises(CircuitInvalidError, match="division by zero"):
        runner.results(RunRequest(circuits=Circuit(1, 1).rx(Expression("/", (1, 0)), 0).measure(0, 0)))


def test_an_angle_without_a_value_at_a_later_point_is_refused_before_the_first_run():
    ran = []
    runner = Runner(Function(lambda circuit, shots: ran.append(circuit) or {"0": shots}), ServerLimits())
    circuit = Circuit(1, 1).rx(1 / parameter("n"), 0).measure(0, 0)
    with pytest.raises(CircuitInvalidError, match="division by zero") as caught:
        runner.results(RunRequest(circuits=circuit, parameters={"n": [1.0, 0.0]}))
    assert caught.value.circuit == 1
    assert not ran


def test_a_function_gets_the_bound_circuit_of_each_point():
    def angle(circuit: Circuit, shots: int, seed: int) -> dict[str, int]:
        return {format(int(circuit.operations[0].params[1]) + seed, "08b"): shots}

    runner = Runner(Function(angle), ServerLimits())
    request = RunRequest(circuits=echo(), shots=5, seed=1, parameters={"n": [3, 0]})
    assert runner.results(request) == [{"00000100": 5}, {"00000010": 5}]


class Lists(Function):
    """Takes all circuits of a request together."""

    def run_list(self, circuits: list[Circuit], request: RunRequest) -> list[Counts]:
        self.request = request
        provenance = Provenance(simulator="lists", version="1")
        return [Counts({format(k, "08b"): 1}, provenance=provenance) for k in range(len(circuits))]


def test_a_machine_with_a_queue_gets_the_bound_circuits_of_all_points_together():
    lists = Lists(lambda circuit, shots: {})
    results = Runner(lists, ServerLimits()).results(RunRequest(circuits=echo(), seed=1, parameters={"n": [3, 0]}))
    assert [next(iter(result)) for result in results] == ["00000000", "00000001"]
    assert lists.request.circuits == [echo().bind(n=3), echo().bind(n=0)]
    assert lists.request.parameters is None


def test_results_of_all_points_that_are_certainly_too_large_are_refused_before_the_first_run():
    circuit = Circuit(4).rx(parameter("n"), 0)
    request = RunRequest(circuits=circuit, result=ResultType.STATEVECTOR, parameters={"n": [0.0] * 50})
    runner = Runner(NumpyAdapter(), ServerLimits(max_result_bytes=5_000))
    answer = runner.run(encode(request), None)
    assert (answer.status, json.loads(answer.body)["limit"]) == (413, "max_result_bytes")
    assert runner.runnable.evolved == 0
