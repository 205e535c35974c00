"""Many circuits are asked about at once, and each gets its own answer."""

from __future__ import annotations

import pytest
from support.circuits import bell, random_circuit
from support.faulty import Right
from support.planted import Raising

from gateway.circuit import Circuit
from gateway.compare.reproducer.asking import ask, distributions, has, samples, states
from gateway.compare.reproducer.clock import Clock, TimeIsUp
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.counts import Counts
from gateway.errors import BusyError, LimitError, SimulatorError, TransportError, UnsupportedError
from gateway.results import ResultType


class Counting(Raising):
    """Fails at a swap, and counts the requests."""

    def __init__(self) -> None:
        super().__init__(gate="swap")
        self.sizes: list[int] = []

    def send(self, request):
        self.sizes.append(len(request.circuit_list()))
        return super().send(request)


def with_swap() -> Circuit:
    return Circuit(2).swap(0, 1).measure_all()


def test_one_request_is_enough_where_nothing_fails():
    backend = Counting()
    answers = samples(backend, [bell()] * 20, Clock(), shots=10, seed=1)
    assert all(isinstance(answer, Sample) for answer in answers)
    assert backend.sizes == [20]


def test_a_circuit_that_fails_does_not_take_the_others_with_it():
    backend = Counting()
    circuits = [bell()] * 5 + [with_swap()] + [bell()] * 10
    answers = samples(backend, circuits, Clock(), shots=10, seed=1)
    assert [isinstance(answer, Sample) for answer in answers] == [True] * 5 + [False] + [True] * 10
    assert isinstance(answers[5], SimulatorError)
    assert len(backend.sizes) <= 9


def test_each_circuit_has_the_seed_of_its_place_even_if_another_one_fails():
    circuits = [bell(), bell(), with_swap(), bell()]
    together = ask(Counting(), circuits, Clock(), shots=100, seed=7)
    assert together[3] == Right().run(bell(), shots=100, seed=10)
    assert together[1] == Right().run(bell(), shots=100, seed=8)


def test_whatever_a_backend_of_ones_own_raises_is_an_error_of_the_simulator():
    class Careless(Right):
        def operations(self, circuit):
            raise KeyError("no such thing")

    (answer,) = samples(Careless(), [bell()], Clock(), shots=10, seed=1)
    assert isinstance(answer, SimulatorError)
    assert str(answer) == "KeyError: 'no such thing'"


@pytest.mark.parametrize("error", [TransportError("gone"), BusyError("full")], ids=lambda it: type(it).__name__)
def test_a_backend_that_cannot_be_asked_says_nothing_about_circuits(error: Exception):
    class Gone(Right):
        def send(self, request):
            raise error

    with pytest.raises(type(error), match=str(error)):
        distributions(Gone(), [bell(), bell()], Clock())


def test_a_result_that_cannot_be_that_of_its_circuit_is_an_error():
    class Narrow(Right):
        def send(self, request):
            return [Counts({"0": 10}) for _ in request.circuit_list()]

    (answer,) = samples(Narrow(), [bell()], Clock(), shots=10, seed=1)
    assert "bitstrings of 1 bits for 2 clbits" in str(answer)
    (answer,) = samples(Narrow(), [Circuit(1).h(0).measure_all()], Clock(), shots=11, seed=1)
    assert "10 outcomes for 11 shots" in str(answer)


def test_a_result_of_another_type_is_an_error():
    class Stubborn(Right):
        def _result(self, circuit, shots, seed):
            return super()._result(circuit, None, seed)

    (answer,) = samples(Stubborn(), [bell()], Clock(), shots=10, seed=1)
    assert str(answer) == "the simulator gave the result type probabilities instead of counts"


def test_our_own_simulator_answers_without_a_backend():
    circuits = [bell(), random_circuit(1, 40, 400).measure_all()]
    first, second = distributions(None, circuits, Clock())
    assert isinstance(first, Distribution)
    assert isinstance(second, LimitError)
    state, none = states(None, [Circuit(1).x(0), bell()], Clock())
    assert list(state) == [0, 1]
    assert isinstance(none, UnsupportedError)


def test_exact_results_are_had_from_our_own_simulator_and_from_those_that_declare_them():
    assert has(None, ResultType.PROBABILITIES)
    assert has(None, ResultType.STATEVECTOR)
    assert not has(None, ResultType.COUNTS)
    assert has(Right(), ResultType.PROBABILITIES)
    assert not has(Right(exact=False), ResultType.PROBABILITIES)
    assert not has(Right(), ResultType.STATEVECTOR)


def test_nothing_is_asked_when_the_time_is_over():
    clock = Clock()
    assert clock.timeout_s() is None
    clock.set(0)
    assert clock.timeout_s() == 1
    backend = Counting()
    with pytest.raises(TimeIsUp):
        samples(backend, [bell()], clock, shots=10, seed=1)
    with pytest.raises(TimeIsUp):
        distributions(None, [bell()], clock)
    assert backend.sizes == []
    clock.set(None)
    assert samples(backend, [bell()], clock, shots=10, seed=1)
