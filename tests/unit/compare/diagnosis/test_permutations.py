"""Clbits in an order of their own: found where their frequencies tell, and not guessed where they do not."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.diagnosis import permutations
from gateway.compare.diagnosis.readings import rearranged
from gateway.compare.statistics.outcomes import Distribution


def turned(*angles: float) -> Distribution:
    circuit = Circuit(len(angles))
    for qubit, angle in enumerate(angles):
        circuit.ry(angle, qubit)
    return exact.distribution(circuit.measure_all())


def found(reference: Distribution, observed: Distribution, shots: float = 1e4) -> list[str]:
    hypotheses = permutations.permutations(reference, observed, shots)
    return [prediction.detail for hypothesis in hypotheses if (prediction := hypothesis.predict())]


def test_the_frequencies_of_the_clbits_tell_their_order():
    right = turned(0.3, 0.8, 1.4, 2.2)
    assert found(right, rearranged(right, [2, 0, 3, 1])) == [
        "the clbits in another order (0 from 2, 1 from 0, 2 from 3, 3 from 1)"
    ]


def test_the_prediction_is_what_was_observed():
    right = turned(0.3, 0.8, 1.4, 2.2)
    observed = rearranged(right, [1, 2, 0, 3])
    (hypothesis,) = permutations.permutations(right, observed, 1e4)
    prediction = hypothesis.predict()
    assert prediction is not None
    assert prediction.distribution.to_dict() == pytest.approx(observed.to_dict())
    assert hypothesis.parameters == 2


def test_pairs_tell_what_single_clbits_do_not():
    circuit = Circuit(6).h(0).cx(0, 1).h(2).ry(0.7, 3).cx(2, 3).h(4).ry(1.2, 5).cx(4, 5).cx(3, 4).measure_all()
    right = exact.distribution(circuit)
    observed = rearranged(right, [3, 5, 0, 4, 1, 2])
    predictions = [hypothesis.predict() for hypothesis in permutations.permutations(right, observed, 1e4)]
    assert observed.to_dict() in [pytest.approx(each.distribution.to_dict()) for each in predictions if each]


def test_an_order_that_is_right_and_one_of_two_clbits_are_none():
    right = turned(0.3, 0.8, 1.4, 2.2)
    assert found(right, right) == []
    assert found(right, rearranged(right, [1, 0, 2, 3])) == []


def test_clbits_that_are_alike_are_not_told_apart():
    right = turned(0.3, 0.8, 1.4, *[0.0] * 12)
    (only,) = found(right, rearranged(right, [2, 0, 1, *range(3, 15)]))
    assert only == "the clbits in another order (0 from 2, 1 from 0, 2 from 1)"


def test_where_nothing_tells_the_order_none_is_guessed():
    parity = Circuit(8)
    for qubit in range(7):
        parity.h(qubit).cx(qubit, 7)
    right = exact.distribution(parity.measure_all())
    random = Random(3)
    lopsided = Distribution(right.width, right.codes, np.array([random.random() for _ in right.codes]) / 64)
    assert found(right, lopsided, shots=10.0) == []


@pytest.mark.parametrize("width", [0, 1, 2])
def test_two_clbits_have_no_order_without_a_name(width):
    right = turned(*[0.4, 1.0][:width]) if width else Distribution.of({"": 1.0}, 0)
    assert found(right, right) == []


def test_very_many_outcomes_are_left_alone(monkeypatch):
    monkeypatch.setattr(permutations, "MOST_BITS", 63)
    right = turned(0.3, 0.8, 1.4, 2.2)
    assert found(right, rearranged(right, [2, 0, 3, 1])) == []


def test_a_search_that_takes_too_long_finds_nothing(monkeypatch):
    monkeypatch.setattr(permutations, "MOST_STEPS", 3)
    right = turned(0.3, 0.8, 1.4, 2.2)
    assert found(right, rearranged(right, [2, 0, 3, 1])) == []
