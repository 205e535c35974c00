"""Circuits meant to break a server: each is refused by name, at once, and the next one is served."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.raw import Server, run_body

from gateway.errors import CircuitSyntaxError, LimitError

"""Every refusal takes milliseconds; this is for a busy machine."""

V2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
V3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
GOOD = V2 + "qreg q[1]; creg c[1]; x q[0]; measure q[0] -> c[0];"


def doubling(depth: int, first: str) -> str:
    """Return gates of which each applies the one before it twice: 2**depth in the end."""
    gates = [f"gate g0 a {{ {first} a; }}"]
    gates += [f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}" for k in range(1, depth + 1)]
    return "\n".join([*gates, "", ""])


TEXTS = {
    "empty text": "",
    "no OpenQASM": "hello",
    "only a version": "OPENQASM 2.0",
    "an unknown version": "OPENQASM 9.0; qubit q;",
    "NUL characters": "\0" * 100,
    "no semicolon": V2 + "qreg q[1]\nx q[0];",
    "an unknown gate": V2 + "qreg q[1];\nfrobnicate q[0];",
    "an unknown gate in version 3": V3 + "qubit q;\nfrobnicate q;",
    "an index out of range": V2 + "qreg q[1];\nx q[1];",
    "an index far out of range": V2 + "qreg q[1];\nx q[99999999999999999999];",
    "a negative index beyond the register": V3 + "qubit[2] q;\nx q[-3];",
    "one qubit twice": V2 + "qreg q[2];\ncx q[0],q[0];",
    "one register twice": V2 + "qreg q[2];\ncx q,q;",
    "too many parameters": V2 + "qreg q[1];\nrx(1,2) q[0];",
    "too few parameters": V2 + "qreg q[1];\nrx q[0];",
    "too many qubits for a gate": V2 + "qreg q[3];\nh q[0],q[1];",
    "a huge register": V2 + "qreg q[1000000000];\nx q[0];",
    "a huge register in version 3": V3 + "qubit[1000000000] q;\nx q[0];",
    "a huge classical register": V2 + "qreg q[1]; creg c[1000000000];\nmeasure q[0] -> c[0];",
    "a register of 10,000 digits": V2 + f"qreg q[{'9' * 10_000}];",
    "registers of different sizes": V2 + "qreg a[2]; qreg b[3];\ncx a,b;",
    "gates doubled 40 times": V2 + doubling(40, "x") + "qreg q[1]; creg c[1]; g40 q[0]; measure q -> c;",
    "gates doubled 40 times in version 3": V3 + doubling(40, "x") + "qubit q; bit c; g40 q; c = measure q;",
    "a gate that applies itself": V2 + "gate f a { f a; }\nqreg q[1]; f q[0];",
    "parentheses 100,000 deep": V2 + "qreg q[1];\nrx(" + "(" * 100_000 + "1" + ")" * 100_000 + ") q[0];",
    "minus signs 100,000 deep": V2 + "qreg q[1];\nrx(" + "-" * 100_000 + "1) q[0];",
    "functions 50,000 deep": V2 + "qreg q[1];\nrx(" + "sin(" * 50_000 + "1" + ")" * 50_000 + ") q[0];",
    "parentheses 100,000 deep in version 3": V3 + "qubit q;\nrx(" + "(" * 100_000 + "1" + ")" * 100_000 + ") q;",
    "blocks 100,000 deep": V3 + "qubit q;\n" + "if (true) {" * 100_000 + "x q;" + "}" * 100_000,
    "a tower of powers": V2 + "qreg q[1];\nrx(9^9^9^9^9) q[0];",
    "a tower of powers in version 3": V3 + "qubit q;\nrx(9**9**9**9**9) q;",
    "a shift by a billion": V3 + "qubit q;\nrx(1 << 1000000000) q;",
    "an angle divided by zero": V2 + "qreg q[1];\nrx(1/0) q[0];",
    "an infinite angle": V2 + "qreg q[1];\nrx(1e999) q[0];",
    "the logarithm of zero": V2 + "qreg q[1];\nrx(ln(0)) q[0];",
    "the root of a negative number": V2 + "qreg q[1];\nrx(sqrt(-1)) q[0];",
    "an endless loop that does nothing": V3 + "qubit q;\nwhile (true) { }",
    "a loop of a billion rounds": V3 + "qubit q;\nfor int i in [0:1000000000] { x q; }",
    "the file of passwords": 'OPENQASM 2.0;\ninclude "/etc/passwd";\nqreg q[1];',
    "the file of passwords, from here": 'OPENQASM 2.0;\ninclude "../../../../../../etc/passwd";\nqreg q[1];',
    "the file of passwords in version 3": 'OPENQASM 3.0;\ninclude "/etc/passwd";\nqubit q;',
    "a device as include": 'OPENQASM 3.0;\ninclude "/dev/zero";\nqubit q;',
    "modifiers in an endless loop": V3 + "qubit q;\nwhile (true) { " + "pow(0.5) @ " * 190 + "h q; }",
    "a name of a million letters": V2 + "qreg q[1];\n" + "x" * 1_000_000 + " q[0];",
    "a calibration grammar": 'OPENQASM 3.0;\ndefcalgrammar "openpulse";\ncal { play(x); }\nqubit q;',
    "nothing measured": V2 + "qreg q[1];\nx q[0];",
}


def circuit(**fields: object) -> bytes:
    """Return a request whose circuit is an object that may be malformed."""
    return json.dumps({"circuits": {"num_qubits": 2, "num_clbits": 1, "operations": [], **fields}}).encode()


def operation(*fields: object) -> bytes:
    """Return a request with one operation that may be malformed, before a measurement."""
    return circuit(operations=[list(fields), ["measure", [0], [], [0]]])


OBJECTS = {
    "no qubits at all": circuit(num_qubits=0, num_clbits=0),
    "minus one qubit": circuit(num_qubits=-1),
    "a billion qubits": circuit(num_qubits=10**9),
    "a billion clbits": circuit(num_clbits=10**9),
    "half a qubit": circuit(num_qubits=0.5),
    "qubits true": circuit(num_qubits=True),
    "operations null": circuit(operations=None),
    "an operation that is text": circuit(operations=["x"]),
    "an operation of nothing": operation(),
    "an operation of a name": operation("x"),
    "an operation with a sixth field": operation("x", [0], [], [], [], 1),
    "a gate that does not exist": operation("frobnicate", [0]),
    "a gate named __class__": operation("__class__", [0]),
    "a gate on no qubit": operation("x", []),
    "a gate on too many qubits": operation("x", [0, 1]),
    "a gate on a qubit that does not exist": operation("x", [2]),
    "a gate on qubit -1": operation("x", [-1]),
    "a gate on qubit true": operation("x", [True]),
    "a gate on qubit 0.0": operation("x", [0.0]),
    "a gate on a qubit of 30 digits": operation("x", [10**30]),
    "a gate on one qubit twice": operation("cx", [0, 0]),
    "a rotation by nothing": operation("rx", [0], []),
    "a rotation by two angles": operation("rx", [0], [1, 2]),
    "a rotation by text": operation("rx", [0], ["pi"]),
    "a rotation by NaN": operation("rx", [0], [float("nan")]),
    "a rotation by infinity": operation("rx", [0], [float("inf")]),
    "a rotation by 1e999": circuit().replace(b"[]", b'[["rx",[0],[1e999]]]'),
    "a gate that writes": operation("x", [0], [], [0]),
    "a measurement into nothing": operation("measure", [0]),
    "a measurement into two": operation("measure", [0], [], [0, 0]),
    "a measurement into a clbit that does not exist": operation("measure", [0], [], [1]),
    "a condition on a clbit that does not exist": operation("x", [0], [], [], [[[1], 1, True]]),
    "a condition that cannot hold": operation("x", [0], [], [], [[[0], 2, True]]),
    "a condition with a value of 10,000 digits": operation("x", [0], [], [], [[[0], int("9" * 4000), True]]),
    "a condition on nothing": operation("x", [0], [], [], [[[], 0, True]]),
}


def _assert_refused(server: Server, body: bytes) -> dict[str, object]:
    before = server.processes()
    reply = server.run(body)
    assert 400 <= reply.status < 500, reply.body[:500]
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert server.run(run_body(GOOD, shots=3)).json["results"][0]["counts"] == {"1": 3}
    assert before <= server.processes(), "a worker was lost"  # others may have come: a server answers before all are up
    return reply.json


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_text_is_refused_and_the_next_circuit_served(qulacs_server: Server, name: str):
    found = _assert_refused(qulacs_server, run_body(TEXTS[name]))
    assert found["status"] in {400, 413, 422}
    assert len(str(found["detail"])) < 2000


@pytest.mark.parametrize("name", OBJECTS)
def test_hostile_objects_are_refused_and_the_next_circuit_served(qulacs_server: Server, name: str):
    found = _assert_refused(qulacs_server, OBJECTS[name])
    assert found["status"] in {400, 413}


@pytest.mark.parametrize("name", [name for name in TEXTS if "passwords" in name])
def test_no_byte_of_a_file_of_the_server_is_in_the_answer(qulacs_server: Server, name: str):
    answer = qulacs_server.run(run_body(TEXTS[name])).body.decode()
    for line in Path("/etc/passwd").read_text(encoding="utf-8").splitlines():
        assert line not in answer
    assert "root:" not in answer


def test_an_endless_loop_ends_with_the_deadline_at_the_latest(qulacs_server: Server):
    reply = qulacs_server.run(run_body(V3 + "qubit q;\nwhile (true) { x q; }", timeout_s=0.5))
    assert reply.json["code"] in {"job-timeout", "limit-exceeded"}
    assert qulacs_server.run(run_body(GOOD)).status == 200


def test_a_syntax_error_names_line_and_column(qulacs_server: Server):
    text = "OPENQASM 3.0;\nqubit q;\n\n   ?? q;\n"
    with qulacs_server.client() as client, pytest.raises(CircuitSyntaxError, match=r"^line 4, column 4: ") as caught:
        client.run(text)
    assert (caught.value.line, caught.value.column) == (4, 4)


def test_a_syntax_error_in_version_2_names_line_and_column_and_shows_the_statement(qulacs_server: Server):
    text = "OPENQASM 2.0;\nqreg q[1];\n\n   ?? q[0];\n"
    with qulacs_server.client() as client, pytest.raises(CircuitSyntaxError, match=r"^line 4.*\?\? q\[0\]") as caught:
        client.run(text)
    assert (caught.value.line, caught.value.column) == (4, 4)


def test_a_circuit_of_60_qubits_is_told_how_many_would_fit(qulacs_server: Server):
    text = V2 + "qreg q[60]; creg c[60]; h q; cx q[0],q[59]; measure q -> c;"
    with (
        qulacs_server.client() as client,
        pytest.raises(LimitError, match=r"60 qubits do not fit.*at most \d+") as caught,
    ):
        client.run(text)
    assert caught.value.limit == "qubits"
    assert caught.value.requested == 60
    assert 16 < caught.value.allowed < 60


def test_an_error_in_a_list_names_the_circuit(qulacs_server: Server):
    found = _assert_refused(qulacs_server, run_body([GOOD, GOOD, TEXTS["an unknown gate"]]))
    assert found["circuit"] == 2
    assert "frobnicate" in found["detail"]
    assert "circuit" not in _assert_refused(qulacs_server, run_body(TEXTS["an unknown gate"]))


def test_an_error_in_an_object_names_the_operation(qulacs_server: Server):
    found = _assert_refused(qulacs_server, OBJECTS["a gate on one qubit twice"])
    assert found["code"] == "circuit-invalid"
    assert found["operation"] == 0
    assert found["rule"] == "distinct qubits"
