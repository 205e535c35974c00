"""What is asked for is checked, and simulators are chosen, before anything runs."""

from __future__ import annotations

import msgspec
import pytest

from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.channel import Task, dump
from gateway.door.comparisons.checking import check
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.noise import NoiseModel
from gateway.protocol.door import ComparisonLimits, ComparisonRequest, NamedText
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.results import Capabilities, Sampling
from gateway.simulators import SIMULATORS

MEASURED = "OPENQASM 3; qubit[2] q; bit[2] c; h q[0]; c = measure q;"
T_GATE = "OPENQASM 3; qubit q; bit c; t q; c = measure q;"
STATE = "OPENQASM 3; qubit q; h q;"


def place(name: str, *, reason: str = "", capabilities: Capabilities | None = None, **limits: int) -> SimulatorAddress:
    found = capabilities or SIMULATORS[name].capabilities
    info = BackendInfo(
        name=name, version="1", gateway_version="1", capabilities=found, gates=[], native_gates=[],
        limits=ServerLimits(**limits),
    )  # fmt: skip
    return SimulatorAddress(url="http://127.0.0.1:1", info=info, reason=reason)


def task(*texts: str, simulators: dict[str, SimulatorAddress] | None = None, **fields: object) -> Task:
    circuits = tuple(NamedText(name=f"c{k}", openqasm=text) for k, text in enumerate(texts))
    known = {"qulacs": place("qulacs"), "stim": place("stim")} if simulators is None else simulators
    return Task(request=ComparisonRequest(circuits=circuits, **fields), simulators=known, limits=ComparisonLimits())


def test_a_task_is_the_same_after_its_way_through_the_pipe():
    sent = task(MEASURED, noise=NoiseModel().depolarizing(0.01), sampling=Sampling.NATIVE)
    assert msgspec.msgpack.decode(dump(sent), type=Task) == sent


def test_the_size_is_summed_up():
    assert check(task(MEASURED)).summary == "2 qubits, 3 operations"
    assert check(task(STATE, simulators={"qulacs": place("qulacs")})).summary == "1 qubit, 1 operation"
    assert check(task(MEASURED, T_GATE)).summary == "2 circuits, up to 2 qubits, 5 operations"


def test_simulators_that_are_named_are_taken_whatever_they_can_do():
    asked = msgspec.structs.replace(task(T_GATE).request, simulators=("stim",))
    assert check(msgspec.structs.replace(task(T_GATE), request=asked)).simulators == ("stim",)


def test_without_names_those_are_taken_that_are_ready_and_can_run_all_circuits():
    assert check(task(MEASURED)).simulators == ("qulacs", "stim")
    assert check(task(T_GATE)).simulators == ("qulacs",), "no simulator of stabilizers has a t gate"
    assert check(task(MEASURED, T_GATE)).simulators == ("qulacs",)
    known = {
        "down": place("qulacs", reason="It has ended."),
        "new": SimulatorAddress(url="http://a"),
        "up": place("cirq"),
    }
    assert check(task(MEASURED, simulators=known)).simulators == ("up",)


def test_what_else_is_asked_for_decides_too():
    known = {"cirq": place("cirq"), "qulacs": place("qulacs"), "mqt": place("mqt")}
    noisy = task(MEASURED, simulators=known, noise=NoiseModel().depolarizing(0.01))
    assert check(noisy).simulators == ("cirq", "qulacs")
    assert check(task(STATE, simulators={**known, "stim": place("stim")})).simulators[:2] == ("cirq", "qulacs")
    small = {"small": place("cirq", max_operations=2), "cirq": place("cirq")}
    assert check(task(MEASURED, simulators=small)).simulators == ("cirq",)


def test_if_nobody_can_the_reason_of_each_is_said():
    known = {
        "stim": place("stim"),
        "down": place("cirq", reason="It has ended."),
        "new": SimulatorAddress(url="http://a"),
    }
    with pytest.raises(UnsupportedError) as caught:
        check(task(T_GATE, simulators=known))
    said = caught.value.message
    assert said.startswith("no simulator can run this now: stim: operation 0 (t 0): stim does not have this gate")
    assert said.endswith("; down: It has ended; new: it has not answered yet")
    with pytest.raises(UnsupportedError, match="the door knows none"):
        check(task(MEASURED, simulators={}))


def test_a_circuit_that_is_refused_is_named_where_there_are_several():
    with pytest.raises(CircuitInvalidError, match=r"^line 1: there is no gate named 'nonsense'[^()]*$"):
        check(task("OPENQASM 3; qubit q; nonsense q;"))
    with pytest.raises(CircuitInvalidError, match=r"^line 1: there is no gate named 'nonsense'.* \(in c1\)$") as caught:
        check(task(MEASURED, "OPENQASM 3; qubit q; nonsense q;"))
    assert (caught.value.circuit, caught.value.line) == (1, 1)


def test_noise_needs_measurements():
    with pytest.raises(RequestError, match="measures nothing, and with noise"):
        check(task(STATE, noise=NoiseModel().depolarizing(0.01)))
