"""The wire format of version 1, held by golden files: a change of these files is a change of the protocol.

Running this module, ``PYTHONPATH=. python tests/unit/protocol/test_messages.py``, writes those in MessagePack anew.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.amplitudes import Amplitudes
from gateway.arrays import Array
from gateway.circuit import Circuit, Comparison, parameter
from gateway.density_matrix import DensityMatrix
from gateway.errors import LimitError, RequestError
from gateway.expectation import Expectation, ExpectationValues
from gateway.noise import NoiseModel
from gateway.observables import observable_list
from gateway.outcomes import Outcomes
from gateway.protocol import messages, problem
from gateway.protocol.door import ComparisonRequest
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import (
    BackendInfo,
    Health,
    JobInfo,
    JobList,
    JobProgress,
    PackedJob,
    PackedJobInfo,
    PackedResponse,
    Problem,
    RawResponse,
    ReceivedJob,
    RunRequest,
    RunResponse,
    ServerLimits,
    decode,
    encode,
)
from gateway.protocol.result_message import PackedResult, ResultMessage, message_of, parts_of, result_of
from gateway.results import Capabilities, JobState, Provenance, ResultType, Sampling
from gateway.shot_memory import Memory

GOLDEN = Path(__file__).parents[2] / "golden"

PROVENANCE = Provenance(
    simulator="qulacs",
    version="0.6.14",
    shots=1000,
    seed=7,
    sampler="shared",
    queue_s=0.0625,
    parse_s=0.001,
    build_s=0.002,
    run_s=0.25,
    sample_s=0.125,
    gateway_version="0.1.0",
    threads=1,
    peak_memory_bytes=64 * 2**20,
)
EXACT = msgspec.structs.replace(PROVENANCE, shots=None, seed=None, sampler="none", sample_s=None)

TELEPORTED = (
    Circuit(3, 2)
    .u(0.5, -1.25, 3.0, 0)
    .h(1)
    .cx(1, 2)
    .barrier(0, 1)
    .measure(0, 0)
    .measure(1, 1)
    .x(2, when={1: 1})
    .z(2, when=Comparison((0, 1), 2, equal=False))
    .reset(0)
)

MESSAGES: dict[str, msgspec.Struct] = {
    "request": RunRequest(
        circuits=[TELEPORTED, "OPENQASM 3.0;\nqubit q;\nbit c;\nc = measure q;\n"],
        shots=[1000, 10],
        seed=7,
        result=ResultType.COUNTS,
        sampling=Sampling.NATIVE,
        timeout_s=2.5,
    ),
    "request-shortest": RunRequest(circuits="OPENQASM 2.0;"),
    "request-exact": RunRequest(circuits=Circuit(1).h(0), shots=None, result=ResultType.STATEVECTOR),
    "request-expectation": RunRequest(
        circuits=Circuit(4).h(0),
        result=ResultType.EXPECTATION,
        observables=observable_list(["ZZII", {"X0 Z3": 0.5, "": -2}]),
    ),
    "request-amplitudes": RunRequest(
        circuits=Circuit(2).h(0), result=ResultType.AMPLITUDES, bitstrings=("00", "11"), shots=None
    ),
    "request-memory": RunRequest(
        circuits=Circuit(1).h(0).measure_all(), result=ResultType.MEMORY, shots=3, clbits=(0,)
    ),
    "request-sweep": RunRequest(
        circuits=Circuit(2, 1).rx(parameter("theta") / 2, 0).rz(parameter("phi"), 1).measure(0, 0),
        seed=7,
        parameters={"theta": [0.0, 0.5, 1.0], "phi": 0.25},
    ),
    "request-noise": RunRequest(
        circuits="OPENQASM 3;",
        shots=10,
        noise=NoiseModel().depolarizing2(0.05, gates=["cx"], qubits=[0, 1]).readout_error(0.02, 0.05),
    ),
    "response": RunResponse(
        results=[
            ResultMessage(provenance=PROVENANCE, width=2, counts={"00": 990, "01": 10}),
            ResultMessage(provenance=EXACT, width=1, probabilities={"0": 0.25, "1": 0.75}),
            ResultMessage(provenance=EXACT, width=0, statevector=[(0.6, 0.0), (0.0, -0.8)]),
            message_of(Expectation([0.5, -1.5], [0.25, 0.0], 2, width=0, provenance=PROVENANCE)),
            message_of(Memory([[1, 0], [0, 0], [1, 1]], PROVENANCE)),
            message_of(Amplitudes({"00": 0.6, "11": -0.8j}, 0, EXACT)),
            message_of(DensityMatrix([[0.25, 0.125j], [-0.125j, 0.75]], 0, EXACT)),
        ]
    ),
    "backend": BackendInfo(
        name="qulacs",
        version="0.6.14",
        gateway_version="0.1.0",
        capabilities=Capabilities(result_types=(ResultType.COUNTS,), bytes_per_amplitude=48),
        gates=["h", "cx"],
        native_gates=["h"],
        limits=ServerLimits(),
        status="calibrating",
    ),
    "health": Health(),
    "job-queued": JobInfo(
        id="Lx2rPLTE1-t4bTWbpTsPWg",
        state=JobState.QUEUED,
        is_list=False,
        progress=JobProgress(0, 1),
        created_at=datetime(2026, 11, 25, 13, 5, 0, 250_000, UTC),
    ),
    "job-failed": JobInfo(
        id="Lx2rPLTE1-t4bTWbpTsPWg",
        state=JobState.FAILED,
        is_list=True,
        progress=JobProgress(2, 2),
        created_at=datetime(2026, 11, 25, 13, 5, 0, 250_000, UTC),
        started_at=datetime(2026, 11, 25, 13, 5, 1, 0, UTC),
        ended_at=datetime(2026, 11, 25, 13, 5, 2, 0, UTC),
        results=[ResultMessage(provenance=PROVENANCE, width=1, counts={"0": 1000}), None],
        errors=[
            Problem(
                type="urn:simulator-gateway:problem:job-timeout",
                title="The run took longer",
                status=504,
                detail="the run took longer than 1 s",
                code="job-timeout",
                circuit=1,
            )
        ],
    ),
    "job-without-results": JobInfo(
        id="Lx2rPLTE1-t4bTWbpTsPWg",
        state=JobState.DONE,
        is_list=True,
        progress=JobProgress(2, 2),
        created_at=datetime(2026, 11, 25, 13, 5, 0, 0, UTC),
        started_at=datetime(2026, 11, 25, 13, 5, 1, 0, UTC),
        ended_at=datetime(2026, 11, 25, 13, 5, 2, 0, UTC),
        result_bytes=72_000_028,
        failures=0,
    ),
    "jobs": JobList(
        jobs=[
            JobInfo(
                id="Lx2rPLTE1-t4bTWbpTsPWg",
                state=JobState.CANCELLED,
                is_list=False,
                progress=JobProgress(0, 1),
                created_at=datetime(2026, 11, 25, 13, 5, 0, 0, UTC),
                ended_at=datetime(2026, 11, 25, 13, 5, 2, 0, UTC),
            )
        ],
        next="Lx2rPLTE1-t4bTWbpTsPWg",
    ),
}


PACKED: dict[str, msgspec.Struct] = {
    "response": PackedResponse(
        results=[
            PackedResult(provenance=PROVENANCE, width=2, counts={"00": 990, "01": 10}),
            PackedResult(provenance=EXACT, width=1, probabilities=Outcomes.of({"0": 0.25, "1": 0.75}, 1)),
            PackedResult(provenance=EXACT, width=0, statevector=Array.of_floats([0.6, 0.0, 0.0, -0.8], "<c16")),
            PackedResult(provenance=PROVENANCE, width=0, expectation=ExpectationValues([0.5, -1.5], [0.25, 0.0], 2)),
            PackedResult(provenance=PROVENANCE, width=2, memory=Array("|u1", (3, 1), memoryview(b"\x01\x00\x03"))),
            PackedResult(provenance=EXACT, width=0, amplitudes={"00": (0.6, 0.0), "11": (0.0, -0.8)}),
            PackedResult(
                provenance=EXACT,
                width=0,
                density_matrix=Array.of_floats([0.25, 0.0, 0.0, 0.125, 0.0, -0.125, 0.75, 0.0], "<c16", (2, 2)),
            ),
        ]
    ),
    "job-failed": PackedJob(
        **{
            **msgspec.structs.asdict(MESSAGES["job-failed"]),
            "results": [PackedResult(provenance=PROVENANCE, width=1, counts={"0": 1000}), None],
            "errors": [msgspec.msgpack.encode(problem) for problem in MESSAGES["job-failed"].errors],
        }
    ),
    **{name: MESSAGES[name] for name in ("backend", "job-queued", "job-without-results", "jobs")},
}
"""The messages that a server sends in MessagePack as well."""


def message_types() -> set[type]:
    """Return what the module defines and sends as a whole."""
    structs = {
        found
        for found in vars(messages).values()
        if isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__module__ == messages.__name__
    }
    parts = {ServerLimits, JobProgress, Problem}
    other_sides = {
        RawResponse,
        ReceivedJob,
        PackedResponse,
        PackedJob,
        PackedJobInfo,
    }  # the same messages, read or written otherwise
    return structs - parts - other_sides


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def packed(name: str) -> bytes:
    return (GOLDEN / f"{name}.msgpack").read_bytes()


def without_layout(encoded: bytes) -> bytes:
    return msgspec.json.format(encoded, indent=0)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_written_as_in_its_golden_file(name: str):
    assert without_layout(encode(MESSAGES[name])) == without_layout(golden(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_golden_file_is_read_as_its_message(name: str):
    assert decode(type(MESSAGES[name]), golden(name)) == MESSAGES[name]


@pytest.mark.parametrize("name", PACKED)
def test_a_message_is_written_in_messagepack_as_in_its_golden_file(name: str):
    message = PACKED[name]
    written = encode(message if name != "job-failed" else MESSAGES[name], Encoding.MSGPACK)
    assert written == packed(name)


@pytest.mark.parametrize("name", PACKED)
def test_a_golden_file_in_messagepack_is_read_as_its_message(name: str):
    kind = {PackedResponse: RunResponse, PackedJob: ReceivedJob}.get(type(PACKED[name]), type(PACKED[name]))
    assert decode(kind, packed(name), Encoding.MSGPACK) == PACKED[name]


def test_results_are_written_in_messagepack_one_after_the_other():
    results = [result_of(message) for message in PACKED["response"].results]
    around = frame(len(results), Encoding.MSGPACK)
    parts = [part for result in results for part in parts_of(result, Encoding.MSGPACK)]
    assert b"".join([around.beginning, *parts, around.end]) == packed("response")


@pytest.mark.parametrize("number", [0, 15, 16, 2**16 - 1, 2**16])
def test_the_frame_of_any_number_of_results_is_that_of_an_encoder(number: int):
    around = frame(number, Encoding.MSGPACK)
    nothing = msgspec.msgpack.encode({"results": [None] * number})
    assert around.beginning + b"\xc0" * number + around.end == nothing


@pytest.mark.parametrize("name", PACKED)
def test_a_message_says_the_same_in_both_encodings(name: str):
    plain, other = (
        [result and result_of(result) for result in getattr(message, "results", None) or ()]
        for message in (MESSAGES[name], PACKED[name])
    )
    assert plain == other


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x93", b"\x91" * 200_000])
def test_what_is_no_messagepack_is_refused(body):
    with pytest.raises(RequestError, match=r"not MessagePack|must be an object"):
        decode(RunResponse, body, Encoding.MSGPACK)


def test_a_refusal_of_messagepack_says_where():
    body = msgspec.msgpack.encode({"results": [{"provenance": {"simulator": "s", "version": "1"}, "width": "2"}]})
    with pytest.raises(RequestError, match=r"results\[0\]\.width must be an integer, not the text '2'"):
        decode(RunResponse, body, Encoding.MSGPACK)


@pytest.mark.parametrize("name", ["", "x" * 256])
def test_the_refusal_of_a_text_says_how_long_it_may_be(name: str):
    body = {"circuits": [{"name": name, "openqasm": ""}]}
    with pytest.raises(RequestError, match=r"circuits\[0\]\.name must be text of 1 to 255 characters, not the text '"):
        decode(ComparisonRequest, json.dumps(body).encode())


def test_every_type_of_message_has_a_golden_file_and_every_golden_file_a_message():
    assert {type(message) for message in MESSAGES.values()} == message_types()
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*MESSAGES, "problem"}
    assert {path.stem for path in GOLDEN.glob("*.msgpack")} == set(PACKED)


def test_a_problem_is_written_and_read_as_in_its_golden_file():
    error = LimitError("60 qubits do not fit", circuit=1, limit="qubits", requested=60, allowed=28)
    assert without_layout(problem.dump(error)) == without_layout(golden("problem"))
    again = problem.parse(golden("problem"), 413, "http://x")
    assert (type(again), str(again), again.circuit, again.details) == (LimitError, str(error), 1, error.details)


REQUEST: dict[str, Any] = {"circuits": "OPENQASM 2.0;"}
INTEGER = "must be an integer"
SEED = "seed must be an integer from 0 to 4294967295 or null, not "
OPERATION = "must be the array [name, qubits, params, clbits, condition], of which the last 3 may be left out, not "


def circuits(*operations: object) -> list[object]:
    return [{}, {"num_qubits": 1, "operations": list(operations)}]


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"shots": 0}, "shots", "shots must be an integer of at least 1, a list of integers or null, not 0"),
        (
            {"shots": "7"},
            "shots",
            "shots must be an integer of at least 1, a list of integers or null, not the text '7'",
        ),
        ({"shots": True}, "shots", "shots must be an integer of at least 1, a list of integers or null, not true"),
        ({"shots": 1.0}, "shots", "shots must be an integer of at least 1, a list of integers or null, not 1.0"),
        ({"shots": [1, 0]}, "shots[1]", "shots[1] must be an integer of at least 1, not 0"),
        ({"seed": -1}, "seed", f"{SEED}-1"),
        ({"seed": 2**32}, "seed", f"{SEED}4294967296"),
        ({"seed": False}, "seed", f"{SEED}false"),
        ({"seed": [1]}, "seed", f"{SEED}a list of 1"),
        ({"timeout_s": 0}, "timeout_s", "timeout_s must be a number above 0 or null, not 0"),
        ({"timeout_s": "1"}, "timeout_s", "timeout_s must be a number above 0 or null, not the text '1'"),
        (
            {"result": "COUNTS"},
            "result",
            (
                "result must be 'counts', 'probabilities', 'statevector', 'expectation', 'memory', 'amplitudes', "
                "'density_matrix' or null, not the text 'COUNTS': did you mean 'counts'?"
            ),
        ),
        (
            {"result": 1},
            "result",
            (
                "result must be 'counts', 'probabilities', 'statevector', 'expectation', 'memory', 'amplitudes', "
                "'density_matrix' or null, not 1"
            ),
        ),
        ({"observables": []}, "observables", "observables must be a list that is not empty or null, not a list of 0"),
        ({"observables": [[]]}, "observables[0]", "observables[0] must be a list that is not empty, not a list of 0"),
        (
            {"bitstrings": []},
            "bitstrings",
            "bitstrings must be a list of texts that is not empty or null, not a list of 0",
        ),
        ({"clbits": [-1]}, "clbits[0]", "clbits[0] must be an integer of at least 0, not -1"),
        (
            {"observables": [[["XQ", [0, 1], 1]]]},
            "observables[0][0]",
            "observables[0][0]: a Pauli string consists of the letters X, Y and Z, not 'Q'",
        ),
        (
            {"observables": [[["X", [0], "1"]]]},
            "observables[0][0][2]",
            "observables[0][0][2] must be a number, not the text '1'",
        ),
        ({"sampling": None}, "sampling", "sampling must be 'auto' or 'native', not null"),
        ({"circuits": {"num_qubits": 1.5}}, "circuits.num_qubits", f"circuits.num_qubits {INTEGER}, not 1.5"),
        (
            {"circuits": circuits(["x", [0]], ["x", ["0"]])},
            "circuits[1].operations[1][1][0]",
            f"circuits[1].operations[1][1][0] {INTEGER}, not the text '0'",
        ),
        (
            {"circuits": circuits([])},
            "circuits[1].operations[0]",
            f"circuits[1].operations[0] {OPERATION}a list of 0",
        ),
        (
            {"circuits": circuits({"name": "x"})},
            "circuits[1].operations[0]",
            f"circuits[1].operations[0] {OPERATION}an object",
        ),
        (
            {"circuits": circuits(["x", [0], [], [], [], 1])},
            None,
            "an array in the request has more than 5 values",
        ),
        (
            {"circuits": [7]},
            "circuits[0]",
            "circuits[0] must be an object with the fields of Circuit or text, not 7",
        ),
        (
            {"circuits": {"num_qubit": 1}},
            "circuits.num_qubit",
            (
                "circuits has no field 'num_qubit': did you mean 'num_qubits'? "
                "Known are num_qubits, num_clbits, operations, num_hidden, notes"
            ),
        ),
        (
            {"shot": 1},
            "shot",
            (
                "the request has no field 'shot': did you mean 'shots'? "
                "Known are observables, bitstrings, clbits, noise, circuits, shots, seed, result, sampling, timeout_s, "
                "parameters"
            ),
        ),
        (
            {"xyz": 1},
            "xyz",
            (
                "the request has no field 'xyz': known are observables, bitstrings, clbits, noise, circuits, shots, "
                "seed, result, sampling, timeout_s, parameters"
            ),
        ),
    ],
)
def test_a_refusal_says_where_what_is_accepted_and_what_was_given(fields, field, sentence):
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$") as caught:
        decode(RunRequest, json.dumps(REQUEST | fields).encode())
    assert caught.value.field == field


def sweep(**parameters: object) -> RunRequest:
    return decode(RunRequest, json.dumps({"circuits": "x", "parameters": parameters}).encode())


def test_numbers_hold_for_all_points_and_lists_say_how_many_there_are():
    request = sweep(a=[1, 2.5, -3], b=0.5)
    points = request.points()
    assert (request.is_list, request.num_results, points.size) == (True, 3, 3)
    assert [points.at(k) for k in range(3)] == [{"a": 1.0, "b": 0.5}, {"a": 2.5, "b": 0.5}, {"a": -3.0, "b": 0.5}]


def test_numbers_alone_are_one_point_and_one_result():
    request = sweep(a=1, b=0.5)
    assert (request.is_list, request.num_results) == (False, 1)
    assert request.points().at(0) == {"a": 1.0, "b": 0.5}
    assert sweep(a=[1]).is_list
    assert sweep().points() is None


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"a": []}, "no point to run the circuit at"),
        ({"a": [1, 2], "b": [1, 2, 3]}, "lists of different lengths: 2, and 'b' 3"),
        ({"a": [1, 2], "b": []}, "lists of different lengths: 2, and 'b' 0"),
        ({"a": [1, 2], "b": [1]}, "lists of different lengths: 2, and 'b' 1"),
    ],
)
def test_lists_of_values_that_make_no_points_are_refused(parameters, match):
    with pytest.raises(RequestError, match=match) as caught:
        sweep(**parameters).points()
    assert caught.value.field == "parameters"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_point(value):
    with pytest.raises(RequestError, match="the value of 'a' at point 1 is not a finite number"):
        RunRequest(circuits="x", parameters={"a": [1.0, value]}).points()


def test_parameters_are_for_one_circuit():
    with pytest.raises(RequestError, match="parameters are for one circuit, and this is a list of 2") as caught:
        RunRequest(circuits=["x", "y"], parameters={"a": 1.0}).points()
    assert caught.value.field == "parameters"


@pytest.mark.parametrize("value", ["1", True, None, [1, "2"], [[1]]])
def test_a_value_of_another_type_is_refused(value):
    with pytest.raises(RequestError, match="parameters"):
        sweep(a=value)


def test_bound_circuits_take_the_place_of_parameters():
    circuit = Circuit(1, 1).rx(parameter("a"), 0).measure(0, 0)
    request = RunRequest(circuits=circuit, shots=[5], seed=3, parameters={"a": [0.5, 1.0]})
    several = messages.bound(request, circuit, request.points())
    assert several == RunRequest(circuits=[circuit.bind(a=0.5), circuit.bind(a=1.0)], shots=5, seed=3)
    request = RunRequest(circuits=circuit, parameters={"a": 0.5})
    assert messages.bound(request, circuit, request.points()) == RunRequest(circuits=circuit.bind(a=0.5))


def test_bound_circuits_that_are_too_large_together_are_refused():
    circuit = Circuit(1, 1).rx(parameter("a"), 0).measure(0, 0)
    request = RunRequest(circuits=circuit, parameters={"a": [0.5] * (messages.MOST_BOUND // 2 + 1)})
    with pytest.raises(LimitError, match="send fewer points at a time") as caught:
        messages.bound(request, circuit, request.points())
    assert (caught.value.limit, caught.value.allowed) == ("operations", messages.MOST_BOUND)


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        (b"{}", "circuits", "the request lacks the field 'circuits'"),
        (b"[]", None, "the request must be an object with the fields of RunRequest, not a list of 0"),
        (b'{"circuits":"x","seed":1e400}', "seed", "seed must be an integer from 0 to 4294967295 or null"),
    ],
)
def test_a_refusal_of_the_whole_or_of_what_cannot_be_read_back_is_a_sentence_too(body, field, sentence):
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$") as caught:
        decode(RunRequest, body)
    assert caught.value.field == field


def test_a_value_in_a_refusal_is_cut_when_it_is_long():
    with pytest.raises(RequestError, match=r"not the text 'aaa.*\.\.\.$") as caught:
        decode(RunRequest, json.dumps(REQUEST | {"seed": "a" * 10_000}).encode())
    assert len(str(caught.value)) < 200


def test_a_circuit_without_fields_is_the_empty_one():
    assert decode(RunRequest, b'{"circuits":{}}').circuits == Circuit()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nonsense", b'"\xff"', b'{"circuits":"\xff"}', b'{"circuits":"\\ud800"}', b"[" * 200_000]
)
def test_what_is_no_json_is_refused(body):
    with pytest.raises(RequestError, match=r"not JSON|must be an object"):
        decode(RunRequest, body)


@pytest.mark.parametrize(
    ("fields", "shots"),
    [
        ({}, 1024),
        ({"result": None}, 1024),
        ({"result": "counts"}, 1024),
        ({"result": "probabilities"}, None),
        ({"result": "statevector"}, None),
        ({"result": "statevector", "shots": 1024}, 1024),
        ({"shots": None}, None),
        ({"result": "counts", "shots": None}, None),
    ],
)
def test_shots_that_are_left_out_are_those_the_result_takes(fields, shots):
    request = decode(RunRequest, json.dumps(REQUEST | fields).encode())
    assert request.shots == shots
    assert decode(RunRequest, encode(request)) == request


def test_an_answer_with_a_field_of_a_later_version_is_read():
    body = json.loads(golden("response"))
    body["results"][0]["later"] = body["later"] = 1
    assert decode(RunResponse, json.dumps(body).encode()) == MESSAGES["response"]


def test_shots_are_spread_over_circuits():
    assert RunRequest(circuits="a", shots=3).shots_list() == [3]
    assert RunRequest(circuits=["a", "b"], shots=3).shots_list() == [3, 3]
    assert RunRequest(circuits=["a", "b"], shots=[3, 4]).shots_list() == [3, 4]
    assert RunRequest(circuits=["a", "b"], shots=None).shots_list() == [None, None]
    assert RunRequest(circuits="a", shots=[3]).shots_list() == [3]
    with pytest.raises(RequestError, match="3 numbers of shots for 2 circuits"):
        RunRequest(circuits=["a", "b"], shots=[1, 2, 3]).shots_list()


def test_ten_thousand_operations_come_back_as_they_were():
    circuit = Circuit(100, 100)
    for k in range(10_000):
        circuit.rx(k / 7, k % 100)
    request = RunRequest(circuits=circuit)
    assert decode(RunRequest, encode(request)) == request


@pytest.mark.parametrize("values", [{}, {"counts": {"0": 1}, "probabilities": {"0": 1.0}}, {"parity": 1.0}])
def test_a_result_without_exactly_one_value_that_is_known_here_is_refused(values):
    result = {"provenance": {"simulator": "s", "version": "1"}, "width": 1, **values}
    with pytest.raises(RequestError, match="exactly one of counts, probabilities, statevector"):
        decode(RunResponse, json.dumps({"results": [result]}).encode())


@pytest.mark.parametrize("message", MESSAGES["response"].results, ids=lambda message: result_of(message).kind)
def test_a_result_that_is_received_is_sent_on_unchanged(message):
    result = result_of(message)
    assert result.provenance == message.provenance
    assert message_of(result) == message


def write_golden_files() -> None:
    """Write the files in MessagePack, which nobody can edit by hand: run this module to do it."""
    for name, message in PACKED.items():
        written = encode(MESSAGES[name] if name == "job-failed" else message, Encoding.MSGPACK)
        (GOLDEN / f"{name}.msgpack").write_bytes(written)


if __name__ == "__main__":
    write_golden_files()
