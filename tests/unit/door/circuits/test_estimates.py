"""Which simulators can run a circuit, and what it would cost."""

from __future__ import annotations

import msgspec
import pytest
from support.directory import all_known, known
from support.mutation import PROGRAMS

from gateway.circuit import parse
from gateway.circuit.needs import needs
from gateway.door.circuits.estimates import Asked, estimates
from gateway.door.examples import examples
from gateway.enforcement import RunOptions, refuse
from gateway.errors import GatewayError
from gateway.protocol.door import Estimate, SimulatorInfo, SimulatorState
from gateway.protocol.messages import ServerLimits
from gateway.results import Capabilities, ResultType
from gateway.simulators import SIMULATORS

HEAD = 'OPENQASM 3;\ninclude "stdgates.inc";\n'


def asked(text: str, shots: int | None = 10_000) -> Asked:
    circuit = parse(text)
    return Asked(circuit, needs(circuit), text, shots)


def of(text: str, simulator: SimulatorInfo, shots: int | None = 10_000) -> Estimate:
    return estimates(asked(text, shots), [simulator], {})[0]


def reason(text: str, simulator: SimulatorInfo, shots: int | None = 10_000) -> str:
    estimate = of(text, simulator, shots)
    assert estimate.runs is not bool(estimate.reason)
    return estimate.reason


def test_gates_that_a_simulator_lacks_are_named_with_their_line_and_number() -> None:
    text = HEAD + "qubit[2] q;\nbit[2] c;\nh q;\nrz(0.6 * pi) q[0]; rz(pi / 2) q;\nt q[0];\nrx(-0.1) q;\nc = measure q;"
    assert reason(text, known("stim")) == "rz(0.6π) in line 6 is no Clifford gate, as are 3 more."
    text = HEAD + "qubit[2] q;\nbit[2] c;\nt q[0];\nc = measure q;"
    assert reason(text, known("stim")) == "t in line 5 is no Clifford gate."
    text = HEAD + "qubit q;\nbit c;\nrx(-0.1) q; t q;\nc = measure q;"
    assert reason(text, known("stim")) == "rx(−0.1) in line 5 is no Clifford gate, as is 1 more."  # noqa: RUF001 - minus


def test_a_gate_from_a_definition_has_no_line() -> None:
    text = HEAD + "gate mine a { h a; t a; }\nqubit q;\nbit c;\nmine q;\nc = measure q;"
    assert reason(text, known("stim")) == "t is no Clifford gate."


def test_of_very_many_different_gates_nobody_counts_those_that_are_lacking() -> None:
    text = HEAD + "qubit q;\nbit c;\n" + "".join(f"rz({k / 7}) q;\n" for k in range(1, 3000)) + "c = measure q;"
    assert reason(text, known("stim")) == "rz(0.1429) in line 5 is no Clifford gate, and others may not be."


def test_a_state_that_does_not_fit_is_told_with_what_would() -> None:
    text = HEAD + "qubit[60] q;\nbit[60] c;\nh q;\nc = measure q;"
    simulator = known("qulacs", limits=ServerLimits(worker_memory_bytes=16 * 2**30 + 64 * 2**20))
    assert reason(text, simulator) == "Needs 2^60 amplitudes, 48 EiB; 28 qubits would fit."
    assert reason(text.replace("60", "3000"), simulator).startswith("Needs 2^3000 amplitudes, 2^3006 bytes; ")
    assert of(text.replace("60", "28"), simulator).runs
    assert of(text.replace("60", "29"), simulator).reason == "Needs 2^29 amplitudes, 24 GiB; 28 qubits would fit."


def test_idle_qubits_need_no_memory_unless_the_state_is_asked_for() -> None:
    text = HEAD + "qubit[60] q;\nbit c;\nh q[59];\nc = measure q[59];"
    assert of(text, known("qulacs")).runs
    assert "amplitudes" in reason(HEAD + "qubit[60] q;\nh q[59];", known("qulacs"))


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (ServerLimits(max_qubits=1), "Its server takes 1 qubit at most, and these are 2."),
        (ServerLimits(max_clbits=1), "Its server takes 1 clbit at most, and these are 2."),
        (ServerLimits(max_operations=3), "Its server takes 3 operations at most, and these are 4."),
        (ServerLimits(max_shots=5), "Its server takes 5 shots at most, and these are 10,000."),
        (ServerLimits(max_body_bytes=50), "Its server takes 50 bytes at most, and the text has 77 bytes."),
    ],
)
def test_the_limits_of_a_server_count(limits: ServerLimits, sentence: str) -> None:
    text = HEAD + "qubit[2] q;\nbit[2] c;\nh q;\nc = measure q;"
    assert reason(text, known("qulacs", limits=limits)) == sentence
    assert of(text, known("qulacs")).runs


def test_what_a_circuit_needs_besides_gates_is_named() -> None:
    text = HEAD + "qubit q;\nbit[2] c;\nh q;\nc[0] = measure q;\nreset q;\nc[1] = measure q;"
    plain = Capabilities(result_types=(ResultType.COUNTS,), reset=False)
    assert reason(text, known("qulacs", capabilities=plain)) == "qulacs has no reset: reset in line 7."
    few = Capabilities(result_types=(ResultType.COUNTS,), max_qubits=1)
    text = HEAD + "qubit[2] q;\nbit[2] c;\nh q;\nc = measure q;"
    assert reason(text, known("qulacs", capabilities=few)) == "It has 1 qubit, and the circuit uses 2 qubits."
    assert "ask for shots" in reason(text, known("qulacs", capabilities=plain), shots=None)


def test_without_measurements_state_vectors_are_needed() -> None:
    text = HEAD + "qubit[2] q;\nh q;"
    assert reason(text, known("stim")).startswith("The circuit measures nothing, and stim has no state vectors")
    assert of(text, known("qulacs")).exact


def test_parameters_without_values_are_named() -> None:
    text = HEAD + "input float a;\ninput float b;\nqubit q;\nbit c;\nrx(a) q;\nc = measure q;"
    assert reason(text, known("qulacs")) == "The parameter a has no value: write a number."
    both = text.replace("rx(a)", "rx(a + b)")
    assert reason(both, known("qulacs")) == "The parameters a and b have no value: write numbers in their place."


def test_a_simulator_that_has_not_answered_yet_says_why() -> None:
    down = SimulatorInfo(name="qulacs", state=SimulatorState.DOWN, reason="No answer on port 8088.")
    assert of(HEAD + "qubit q;", down) == Estimate(simulator="qulacs", runs=False, reason="No answer on port 8088.")
    assert reason(HEAD + "qubit q;", SimulatorInfo(name="qulacs", state=SimulatorState.STARTING))


def test_exact_results_of_many_outcomes_are_not_promised() -> None:
    text = HEAD + "qubit[21] q;\nbit[21] c;\nh q[0];\nc = measure q;"
    question = asked(text)
    assert not estimates(question, [known("qulacs")], {})[0].exact
    question.outcomes = 2
    assert estimates(question, [known("qulacs")], {})[0].exact
    assert not estimates(question, [known("qulacs", capabilities=Capabilities(result_types=(ResultType.COUNTS,)))], {})[
        0
    ].exact


def test_seconds_are_those_of_the_machine_that_was_observed() -> None:
    question = asked(examples()[0].openqasm)
    once, twice = (estimates(question, [known("qulacs")], factors)[0] for factors in ({}, {"qulacs": 2.0}))
    assert once.seconds is not None
    assert twice.seconds == pytest.approx(2 * once.seconds)
    assert once.memory_bytes == twice.memory_bytes
    assert 0 < once.memory_bytes < 2**30  # type: ignore[operator]  # it is known


def test_a_stranger_has_no_time_and_no_memory() -> None:
    backend = msgspec.structs.replace(known("qulacs").backend, name="theirs")
    estimate = of(examples()[0].openqasm, SimulatorInfo(name="theirs", state=SimulatorState.READY, backend=backend))
    assert estimate.runs
    assert estimate.seconds is estimate.memory_bytes is None


@pytest.mark.parametrize("number", range(0, len(PROGRAMS), 7))
def test_a_circuit_runs_exactly_where_a_simulator_would_not_refuse_it(number: int) -> None:
    try:
        question = asked(PROGRAMS[number])
    except GatewayError:
        return
    for estimate in estimates(question, all_known(), {}):
        row = SIMULATORS[estimate.simulator]
        try:
            refuse(question.needs, row.capabilities, RunOptions(question.kind), simulator=row.name)
            is_refused = False
        except GatewayError:
            is_refused = True
        assert estimate.runs is not is_refused or "amplitudes" in estimate.reason
