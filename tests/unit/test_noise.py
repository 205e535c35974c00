"""Noise models: what they say, and what is refused."""

from __future__ import annotations

import math

import msgspec
import pytest

from gateway.errors import LimitError, RequestError
from gateway.noise import MOST_RULES, NoiseModel, noise_of


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (NoiseModel().bit_flip(1.2), "from 0 to 1, and bit_flip has 1.2"),
        (NoiseModel().depolarizing(-0.1), "from 0 to 1, and depolarizing has -0.1"),
        (NoiseModel().phase_flip(math.nan), "from 0 to 1, and phase_flip has nan"),
        (NoiseModel().readout_error(0.1, 2), "from 0 to 1, and readout has 2"),
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
