"""Where the channels of a noise model stand in a circuit."""

from __future__ import annotations

import pytest

from gateway.circuit import Circuit, Operation
from gateway.circuit import noisy as module
from gateway.circuit.noisy import check_gates, noisy
from gateway.errors import LimitError, RequestError
from gateway.noise import Channel, NoiseModel

BELL = Circuit(2).h(0).cx(0, 1).measure_all()


def test_a_channel_follows_each_qubit_of_each_gate() -> None:
    found = noisy(BELL.operations, NoiseModel().depolarizing(0.1))
    assert [(op.name, op.qubits) for op in found] == [
        ("h", (0,)),
        ("depolarizing", (0,)),
        ("cx", (0, 1)),
        ("depolarizing", (0,)),
        ("depolarizing", (1,)),
        ("measure", (0,)),
        ("measure", (1,)),
    ]


def test_a_channel_can_be_that_of_some_gates_and_qubits() -> None:
    model = NoiseModel().bit_flip(0.1, gates=["cx"], qubits=[1]).phase_flip(0.2, qubits=[0])
    found = [(op.name, op.qubits, op.params) for op in noisy(BELL.operations, model) if op.name in set(Channel)]
    assert found == [("phase_flip", (0,), (0.2,)), ("bit_flip", (1,), (0.1,)), ("phase_flip", (0,), (0.2,))]


def test_a_channel_on_two_qubits_follows_gates_on_two_qubits_only() -> None:
    circuit = Circuit(3).h(0).cx(0, 1).ccx(0, 1, 2).cx(1, 2)
    found = noisy(circuit.operations, NoiseModel().depolarizing2(0.1, qubits=[0, 1]))
    assert [op.qubits for op in found if op.name == "depolarizing2"] == [(0, 1)]


def test_noise_has_the_condition_of_its_gate() -> None:
    circuit = Circuit(1, 1).measure(0, 0).x(0, when={0: 1})
    (channel,) = [
        op for op in noisy(circuit.operations, NoiseModel().amplitude_damping(0.5)) if op.name in set(Channel)
    ]
    assert channel.condition == circuit.operations[1].condition


def test_the_last_error_of_readout_of_a_qubit_counts() -> None:
    model = NoiseModel().readout_error(0.1).readout_error(0.2, 0.3, qubits=[1])
    assert [op.params for op in noisy(BELL.operations, model) if op.name == "measure"] == [(0.1, 0.1), (0.2, 0.3)]


def test_gates_keep_their_operations() -> None:
    assert noisy([Operation("x", (0,))], NoiseModel().readout_error(0.1)) == [Operation("x", (0,))]


@pytest.mark.parametrize("name", ["cnot", "measure", ""])
def test_noise_after_what_is_no_gate_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"no gate named {name!r}"):
        check_gates(NoiseModel().bit_flip(0.1, gates=["cx", name]))


def test_a_rule_is_looked_at_once_for_all_gates_that_are_alike(monkeypatch) -> None:
    looks = []
    monkeypatch.setattr(module, "_after", lambda op, rule: looks.append((op, rule)) or [])
    circuit = Circuit(2)
    for _ in range(50):
        circuit.h(0).cx(0, 1).h(0)
    noisy(circuit.operations, NoiseModel().bit_flip(0.1).phase_flip(0.1))
    assert len(looks) == 4


def test_noise_of_too_many_operations_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_OPERATIONS", 6)
    assert len(noisy(BELL.operations, NoiseModel().depolarizing(0.1))) == 7, "a measurement has no more than it had"
    with pytest.raises(LimitError, match="operations with its noise") as caught:
        noisy(BELL.operations, NoiseModel().depolarizing(0.1).bit_flip(0.1))
    assert caught.value.allowed == 6
