from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import sympy

from gateway import Backend, BackendStatus, Capabilities, Circuit, Counts, Probabilities, Provenance, Statevector
from gateway.circuit import parameter
from gateway.errors import CircuitInvalidError, JobCancelled, JobTimeout, LimitError, RequestError
from gateway.observables import PauliTerm
from gateway.protocol.messages import RunRequest, decode, encode
from gateway.results import Result, ResultType, Sampling
from gateway.run_details import RunDetails

CIRCUIT = Circuit(1, 1).measure(0, 0)
PROVENANCE = Provenance(simulator="recorder", version="1")


class Recorder(Backend):
    """Remembers requests and answers each circuit with its index."""

    def __init__(self) -> None:
        self.requests: list[RunRequest] = []
        self.gate = threading.Event()
        self.gate.set()

    def send(self, request: RunRequest) -> list[Result]:
        self.gate.wait(5)
        self.requests.append(request)
        return [
            Counts({"1": index + 1}, width=1, provenance=PROVENANCE) for index in range(len(request.circuit_list()))
        ]

    def status(self) -> BackendStatus:
        return BackendStatus("recorder", "1", online=True)

    def capabilities(self) -> Capabilities:
        return Capabilities(result_types=(ResultType.COUNTS,))


@pytest.fixture
def backend():
    with Recorder() as recorder:
        yield recorder


def test_the_defaults_of_a_run_are_1024_shots_without_a_seed(backend: Recorder):
    backend.run(CIRCUIT)
    assert backend.requests == [RunRequest(circuits=CIRCUIT)]
    assert backend.requests[0].shots == 1024
    assert backend.requests[0].seed is None


@pytest.mark.parametrize(
    ("arguments", "shots"),
    [
        ({"result": "counts"}, 1024),
        ({"result": "probabilities"}, None),
        ({"result": "statevector"}, None),
        ({"result": "expectation"}, None),
        ({"result": "memory"}, 1024),
        ({"result": ResultType.STATEVECTOR}, None),
        ({"result": "statevector", "shots": 1024}, 1024),
        ({"shots": None}, None),
    ],
)
def test_shots_that_are_left_out_are_those_the_result_takes(backend: Recorder, arguments, shots):
    backend.run(CIRCUIT, **arguments)
    backend.run_async(CIRCUIT, **arguments).result(5)
    assert [request.shots for request in backend.requests] == [shots, shots]


def test_a_wrong_argument_is_refused_in_words_of_python(backend: Recorder):
    sentence = "shots must be an integer of at least 1, a list of integers or None, not True"
    with pytest.raises(RequestError, match=f"^{sentence}$"):
        backend.run(CIRCUIT, shots=True)


def test_every_argument_reaches_the_request(backend: Recorder):
    backend.run([CIRCUIT, "text"], shots=(3, 4), seed=5, result="counts", sampling="native", timeout_s=6)
    assert backend.requests == [
        RunRequest(
            circuits=[CIRCUIT, "text"],
            shots=[3, 4],
            seed=5,
            result=ResultType.COUNTS,
            sampling=Sampling.NATIVE,
            timeout_s=6,
        )
    ]


def test_short_forms_send_what_run_sends(backend: Recorder):
    backend.sample(CIRCUIT)
    backend.sample([CIRCUIT, CIRCUIT], [3, 4], seed=5, sampling="native", timeout_s=6)
    backend.statevector(CIRCUIT, timeout_s=7)
    backend.expectation(CIRCUIT, "Z")
    backend.expectation([CIRCUIT], ["Z", {"X": 2}], shots=8, seed=9)
    z, x = PauliTerm("Z", (0,)), PauliTerm("X", (0,), 2.0)
    assert backend.requests == [
        RunRequest(circuits=CIRCUIT, shots=1024, result=ResultType.COUNTS),
        RunRequest(
            circuits=[CIRCUIT, CIRCUIT],
            shots=[3, 4],
            seed=5,
            result=ResultType.COUNTS,
            sampling=Sampling.NATIVE,
            timeout_s=6,
        ),
        RunRequest(circuits=CIRCUIT, result=ResultType.STATEVECTOR, shots=None, timeout_s=7),
        RunRequest(circuits=CIRCUIT, result=ResultType.EXPECTATION, shots=None, observables=((z,),)),
        RunRequest(circuits=[CIRCUIT], result=ResultType.EXPECTATION, shots=8, seed=9, observables=((z,), (x,))),
    ]


def test_short_forms_return_a_list_for_a_list(backend: Recorder):
    assert backend.sample(CIRCUIT) == {"1": 1}
    assert backend.sample([CIRCUIT, CIRCUIT]) == [{"1": 1}, {"1": 2}]
    assert isinstance(backend.expectation([CIRCUIT], "Z"), list)
    assert isinstance(backend.statevector((CIRCUIT,)), list)


def test_details_reach_the_request_as_they_stand_in_a_message(backend: Recorder):
    backend.run(CIRCUIT, result="memory", clbits=range(1))
    backend.run_async(CIRCUIT, result="amplitudes", bitstrings=["0", "1"]).result(5)
    assert backend.requests[0].details() == RunDetails(clbits=(0,))
    assert backend.requests[1].details() == RunDetails(bitstrings=("0", "1"))
    assert decode(RunRequest, encode(backend.requests[1])) == backend.requests[1]


def test_a_detail_that_there_is_not_is_no_argument(backend: Recorder):
    with pytest.raises(TypeError, match=r"run\(\) got an unexpected keyword argument 'observable'"):
        backend.run(CIRCUIT, observable="Z")
    with pytest.raises(TypeError, match="'shot'"):
        backend.sample(CIRCUIT, shot=3)


@pytest.mark.parametrize("wrong", ["Q", {"Z": 1j}, {"Z": float("nan")}, [], {}])
def test_what_is_no_observable_is_refused_before_anything_is_sent(backend: Recorder, wrong):
    with pytest.raises(RequestError) as caught:
        backend.expectation(CIRCUIT, wrong)
    assert caught.value.field == "observables"
    assert not backend.requests


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"observables": []}, "observables"),
        ({"bitstrings": "01"}, "bitstrings"),
        ({"bitstrings": []}, "bitstrings"),
        ({"clbits": 3}, "clbits"),
        ({"shots": 0}, "shots"),
        ({"shots": -1}, "shots"),
        ({"shots": 1.5}, "shots"),
        ({"shots": True}, "shots"),
        ({"shots": "7"}, "shots"),
        ({"shots": [0]}, "shots"),
        ({"shots": [1, 2]}, "shots"),
        ({"shots": []}, "shots"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"result": "unitary"}, "result"),
        ({"sampling": "magic"}, "sampling"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": -1}, "timeout_s"),
        ({"timeout_s": float("nan")}, "timeout_s"),
        ({"timeout_s": float("inf")}, "timeout_s"),
        ({"timeout_s": "1"}, "timeout_s"),
    ],
)
def test_a_wrong_argument_is_refused_by_name_before_anything_is_sent(backend: Recorder, arguments, field):
    for call in (backend.run, backend.run_async):
        with pytest.raises(RequestError, match=field) as caught:
            call(CIRCUIT, **arguments)
        assert caught.value.field.partition("[")[0] == field
    assert not backend.requests


@pytest.mark.parametrize("circuits", [None, 7, b"x", [None], [[CIRCUIT]], {"a": 1}, [CIRCUIT, 7]])
def test_what_is_no_circuit_is_refused_before_anything_is_sent(backend: Recorder, circuits):
    with pytest.raises(RequestError, match="a circuit is a Circuit, OpenQASM text, the Path of a file"):
        backend.run(circuits)
    with pytest.raises(RequestError, match="the list of circuits is empty"):
        backend.run([])
    assert not backend.requests


def test_integers_of_numpy_are_told_apart_from_floats(backend: Recorder):
    with pytest.raises(RequestError, match="shots"):
        backend.run(CIRCUIT, shots=np.float64(10))


def test_a_path_is_read_here_and_not_on_the_server(backend: Recorder, tmp_path: Path):
    (tmp_path / "c.qasm").write_text("OPENQASM 3.0;", encoding="utf-8")
    backend.run(tmp_path / "c.qasm")
    assert backend.requests[0].circuits == "OPENQASM 3.0;"
    with pytest.raises(RequestError, match=r"cannot read the circuit file .*missing\.qasm"):
        backend.run(tmp_path / "missing.qasm")
    with pytest.raises(RequestError, match=r"cannot read the circuit file .*null byte"):
        backend.run(tmp_path / "\0")


def test_one_circuit_gives_one_outcome_and_a_sequence_a_list(backend: Recorder):
    assert backend.run(CIRCUIT) == {"1": 1}
    assert backend.run([CIRCUIT]) == [{"1": 1}]
    assert backend.run((CIRCUIT, CIRCUIT)) == [{"1": 1}, {"1": 2}]


def test_results_become_counts_probabilities_or_a_statevector_with_provenance(backend: Recorder):
    results = [
        Counts({"01": 3}, width=2, provenance=PROVENANCE),
        Probabilities({"01": 1.0}, 2, PROVENANCE),
        Statevector([0.6, -0.8j], PROVENANCE),
    ]
    backend.send = lambda _: results
    counts, probabilities, state = backend.run([CIRCUIT] * 3)
    assert isinstance(counts, Counts)
    assert (counts, counts.width) == ({"01": 3}, 2)
    assert isinstance(probabilities, Probabilities)
    assert (probabilities, probabilities.width) == ({"01": 1.0}, 2)
    assert isinstance(state, Statevector)
    assert state.amplitudes == (0.6, -0.8j)
    assert all(found.provenance is PROVENANCE for found in (counts, probabilities, state))


def test_a_job_goes_from_running_to_done(backend: Recorder):
    backend.gate.clear()
    job = backend.run_async([CIRCUIT] * 2, shots=3)
    with pytest.raises(JobTimeout, match="the run goes on"):
        job.result(timeout_s=0.01)
    assert job.status() == "running"
    backend.gate.set()
    assert job.result(5) == [{"1": 1}, {"1": 2}]
    assert (job.status(), job.done()) == ("done", True)


def test_a_timeout_of_the_run_itself_is_not_taken_for_one_of_the_waiting(backend: Recorder):
    def send(_: RunRequest) -> list[Result]:
        raise JobTimeout("the run took too long", timeout_s=1)

    backend.send = send
    job = backend.run_async(CIRCUIT)
    with pytest.raises(JobTimeout, match="the run took too long"):
        job.result(5)
    assert job.status() == "failed"


def test_closing_cancels_what_waits_and_lets_finish_what_runs():
    backend = Recorder()
    backend.gate.clear()
    jobs = [backend.run_async(CIRCUIT) for _ in range(9)]  # eight run at a time
    assert jobs[8].status() == "queued"
    backend.close()
    backend.gate.set()
    with pytest.raises(JobCancelled, match="cancelled"):
        jobs[8].result(5)
    assert jobs[0].result(5) == {"1": 1}


SWEPT = Circuit(1, 1).rx(parameter("a"), 0).ry(parameter("b"), 0).measure(0, 0)


class TakesParameters(Recorder):
    """Gets the parameters themselves."""

    takes_parameters = True

    def send(self, request: RunRequest) -> list[Result]:
        self.requests.append(request)
        return [Counts({"1": k + 1}, width=1, provenance=PROVENANCE) for k in range(request.num_results)]


@pytest.mark.parametrize(
    "values",
    [
        [0.0, 0.5, 1.0],
        (0, 0.5, 1),
        np.linspace(0, 1, 3),
        np.linspace(0, 1, 3, dtype=np.float32),
        [np.float64(0.0), np.float32(0.5), np.int64(1)],
    ],
)
def test_values_of_parameters_are_lists_or_arrays(values):
    backend = TakesParameters()
    results = backend.run(SWEPT, parameters={"a": values, "b": np.float64(0.25)})
    assert results == [{"1": 1}, {"1": 2}, {"1": 3}]
    assert backend.requests[0].parameters == {"a": [0.0, 0.5, 1.0], "b": 0.25}
    assert backend.run_async(SWEPT, parameters={"a": values, "b": 1}).result(5) == results


def test_numbers_alone_give_one_result():
    backend = TakesParameters()
    assert backend.run(SWEPT, parameters={"a": np.array(0.5), "b": 1}) == {"1": 1}
    assert backend.requests[0].parameters == {"a": 0.5, "b": 1.0}
    job = backend.run_async(SWEPT, parameters={"a": [0.5] * 4, "b": 1})
    assert len(job.result(5)) == 4
    assert job.progress() == (4, 4)


def test_a_backend_without_parameters_gets_a_circuit_for_each_point(backend: Recorder):
    assert backend.run(SWEPT, parameters={"a": [0.5, 1.0], "b": 2.0}, seed=3, shots=7) == [{"1": 1}, {"1": 2}]
    assert backend.run_async(SWEPT, parameters={"a": 0.5, "b": 2.0}).result(5) == {"1": 1}
    several, one = backend.requests
    assert several == RunRequest(circuits=[SWEPT.bind(a=0.5, b=2.0), SWEPT.bind(a=1.0, b=2.0)], shots=7, seed=3)
    assert one == RunRequest(circuits=SWEPT.bind(a=0.5, b=2.0))


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ([0.5], "a mapping from names"),
        ({"a": "1", "b": 1}, "parameters"),
        ({"a": True, "b": 1}, "parameters"),
        ({"a": 1j, "b": 1}, "parameters"),
        ({"a": [True], "b": 1}, "parameters"),
        ({"a": np.zeros((2, 2)), "b": 1}, "parameters"),
        ({"a": np.complex128(1 + 1j), "b": 1}, "parameters"),
        ({"a": np.array(1j), "b": 1}, "parameters"),
        ({"a": np.array("1"), "b": 1}, "parameters"),
        ({"a": [np.True_], "b": 1}, "parameters"),
        ({"a": 10**400, "b": 1}, "a number of radians, not 1000"),
        ({"a": [sympy.Symbol("x")], "b": 1}, "a number of radians, not x"),
        ({"a": [], "b": 1}, "no point"),
        ({"a": [1.0], "b": [1.0, 2.0]}, "different lengths"),
        ({"a": [np.nan], "b": 1}, "not a finite number"),
        ({"a": 1.0}, "the parameter 'b' has no value: its parameters are a, b"),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, "no parameter 'c': its parameters are a, b"),
    ],
)
def test_parameters_that_are_none_or_do_not_fit_are_refused(backend: Recorder, parameters, match):
    with pytest.raises(RequestError, match=match):
        backend.run(SWEPT, parameters=parameters)
    assert not backend.requests


def test_an_angle_without_a_value_at_a_point_is_refused(backend: Recorder):
    with pytest.raises(CircuitInvalidError, match="division by zero"):
        backend.run(Circuit(1, 1).rx(1 / parameter("a"), 0).measure(0, 0), parameters={"a": [1.0, 0.0]})


@pytest.mark.parametrize("values", [range(10**9), np.broadcast_to(0.5, 10**9)], ids=["range", "array"])
def test_a_thousand_million_points_are_refused_at_once(backend: Recorder, values):
    with pytest.raises(LimitError, match="1,000,000,000 values") as caught:
        backend.run(SWEPT, parameters={"a": values, "b": 1})
    assert (caught.value.limit, caught.value.requested) == ("max_points", 10**9)


def test_parameters_of_a_list_of_circuits_are_refused(backend: Recorder):
    with pytest.raises(RequestError, match="parameters are for one circuit"):
        backend.run([SWEPT, SWEPT], parameters={"a": 1.0, "b": 1.0})
