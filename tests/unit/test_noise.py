"""Noise models: what they say, what is refused, and where their channels stand in a circuit."""

from __future__ import annotations

import math

import msgspec
import pytest

from gateway.circuit import Circuit, Operation
from gateway.errors import LimitError, RequestError
from gateway.noise import MOST_RULES, Channel, NoiseModel, noise_of

BELL = Circuit(2).h(0).cx(0, 1).measure_all()


def test_a_channel_follows_each_qubit_of_each_gate() -> None:
    noisy = NoiseModel().depolarizing(0.1).noisy(BELL.operations)
    assert [(op.name, op.qubits) for op in noisy] == [
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
    noisy = [(op.name, op.qubits, op.params) for op in model.noisy(BELL.operations) if op.name in set(Channel)]
    assert noisy == [("phase_flip", (0,), (0.2,)), ("bit_flip", (1,), (0.1,)), ("phase_flip", (0,), (0.2,))]


def test_a_channel_on_two_qubits_follows_gates_on_two_qubits_only() -> None:
    circuit = Circuit(3).h(0).cx(0, 1).ccx(0, 1, 2).cx(1, 2)
    noisy = NoiseModel().depolarizing2(0.1, qubits=[0, 1]).noisy(circuit.operations)
    assert [op.qubits for op in noisy if op.name == "depolarizing2"] == [(0, 1)]


def test_noise_has_the_condition_of_its_gate() -> None:
    circuit = Circuit(1, 1).measure(0, 0).x(0, when={0: 1})
    (channel,) = [op for op in NoiseModel().amplitude_damping(0.5).noisy(circuit.operations) if op.name in set(Channel)]
    assert channel.condition == circuit.operations[1].condition


def test_the_last_error_of_readout_of_a_qubit_counts() -> None:
    model = NoiseModel().readout_error(0.1).readout_error(0.2, 0.3, qubits=[1])
    assert [op.params for op in model.noisy(BELL.operations) if op.name == "measure"] == [(0.1, 0.1), (0.2, 0.3)]


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (NoiseModel().bit_flip(1.2), "from 0 to 1, and bit_flip has 1.2"),
        (NoiseModel().depolarizing(-0.1), "from 0 to 1, and depolarizing has -0.1"),
        (NoiseModel().phase_flip(math.nan), "from 0 to 1, and phase_flip has nan"),
        (NoiseModel().readout_error(0.1, 2), "from 0 to 1, and readout has 2"),
        (NoiseModel().bit_flip(0.1, gates=["cnot"]), "no gate named 'cnot'"),
        (NoiseModel().bit_flip(0.1, gates=["measure"]), "no gate named 'measure'"),
        (NoiseModel().bit_flip(0.1, qubits=[2]), "no qubit 2"),
        (NoiseModel().readout_error(0.1, qubits=[-1]), "no qubit -1"),
    ],
)
def test_a_model_that_cannot_be_is_refused(model: NoiseModel, match: str) -> None:
    with pytest.raises(RequestError, match=match) as caught:
        model.check(2)
    assert caught.value.field == "noise"


def test_a_model_of_very_many_rules_is_refused() -> None:
    rule = NoiseModel().bit_flip(0.1).channels
    with pytest.raises(LimitError, match=r"10,001 rules"):
        NoiseModel(channels=rule * (MOST_RULES + 1)).check(2)


def test_a_model_is_the_same_after_a_message() -> None:
    model = NoiseModel().depolarizing2(0.1, gates=["cx"]).readout_error(0.1, 0.2, qubits=[0])
    assert msgspec.json.decode(msgspec.json.encode(model), type=NoiseModel) == model


@pytest.mark.parametrize("probability", ["1.2", "-0.1", '"a"'])
def test_a_message_with_an_impossible_probability_is_refused(probability: str) -> None:
    text = f'{{"channels": [{{"channel": "bit_flip", "probability": {probability}}}]}}'
    with pytest.raises(RequestError, match="noise model is not right"):
        noise_of(text)


def test_a_line_of_text_says_a_model() -> None:
    expected = NoiseModel().depolarizing(0.001).depolarizing2(0.01).readout_error(0.02, 0.05)
    assert noise_of("depolarizing=0.001, depolarizing2=0.01,readout=0.02/0.05") == expected
    assert noise_of(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "depolarizing", "depolarising=0.1", "bit_flip=much", "readout=1/2/3", "bit_flip=0.1/0.2"]
)
def test_a_line_that_says_no_model_is_refused_with_the_names_that_there_are(text: str) -> None:
    with pytest.raises(RequestError, match="phase_damping, depolarizing2, readout"):
        noise_of(text)


def test_gates_keep_their_operations() -> None:
    assert NoiseModel().readout_error(0.1).noisy([Operation("x", (0,))]) == [Operation("x", (0,))]
