"""A judge finds the strongest evidence, asks about each circuit once, and is not misled by chance."""

from __future__ import annotations

import numpy as np
import pytest
from support.altered import InProcess
from support.circuits import bell, random_circuit
from support.faulty import Right, faulty
from support.planted import Raising

from gateway import VirtualBackend
from gateway.circuit import Circuit
from gateway.compare import locate, reduce
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.differences import largest_distance
from gateway.compare.reproducer.judge import ExactJudge, FailureJudge, SampleJudge, judge_of
from gateway.counts import Counts
from gateway.errors import LimitError, RequestError, SimulatorError
from gateway.results import Capabilities, Precision, ResultType


def choose(circuit: Circuit, a, b=None, **options):
    return judge_of([circuit], a, b, Clock(), **{"shots": 1_000, "seed": 1} | options)[0]


def test_exact_results_are_the_strongest_evidence():
    assert isinstance(choose(bell(), faulty("gate-dropped:h")), ExactJudge)
    assert isinstance(choose(bell(), faulty("gate-dropped:h"), Right()), ExactJudge)
    assert isinstance(choose(bell(), faulty("gate-dropped:h", exact=False)), SampleJudge)
    assert isinstance(choose(bell(), faulty("gate-dropped:h"), Right(exact=False)), SampleJudge)
    assert isinstance(choose(bell(), Raising(gate="h"), Right()), FailureJudge)


def test_a_sampler_that_is_wrong_is_found_though_the_exact_results_are_right():
    class OneSided(Right):
        def draw(self, probabilities, shots, seed):
            return np.array([shots, *[0] * (len(probabilities) - 1)])

    assert isinstance(choose(bell(), OneSided()), SampleJudge)


def test_a_tiny_difference_counts_if_rounding_does_not_explain_it():
    circuit = Circuit(1).h(0).ry(1e-7, 0).measure_all()
    assert choose(circuit, faulty("angle-negated:ry")).shows([circuit]) == [True]

    class Single(Right):
        def capabilities(self):
            types = (ResultType.COUNTS, ResultType.PROBABILITIES)
            return Capabilities(result_types=types, precision=Precision.SINGLE)

        def operations(self, circuit):
            return Circuit(1).h(0).ry(-1e-7, 0).measure_all().operations

    with pytest.raises(RequestError, match="agree"):
        choose(circuit, Single())


def test_a_smaller_circuit_has_to_show_a_fair_share_of_the_difference():
    judge = choose(Circuit(1).ry(1.0, 0).measure_all(), faulty("angle-halved:ry"))
    assert judge.shows([Circuit(1).ry(angle, 0).measure_all() for angle in (1.5, 0.01, 0.0)]) == [True, False, False]


def test_each_circuit_is_asked_about_once():
    class Counting(Right):
        circuits = 0

        def send(self, request):
            self.circuits += len(request.circuit_list())
            return super().send(request)

    simulator = Counting()
    judge = ExactJudge(simulator, None, Clock())
    circuits = [bell(), random_circuit(1, 2, 3).measure_all(), bell()]
    assert judge.shows(circuits) == judge.shows(circuits) == [False] * 3
    assert simulator.circuits == 2


def test_right_samples_are_hardly_ever_suspected():
    judge = SampleJudge(Right(exact=False), Right(exact=False), Clock(), shots=200, seed=3)
    p_values = judge.p_values([random_circuit(seed, 3, 20).measure_all() for seed in range(200)], 1)
    assert min(p_values) > 1e-5


def test_a_suspicion_has_to_be_confirmed():
    class OnceWrong(Right):
        """Gives all shots to one outcome, with one seed only."""

        def draw(self, probabilities, shots, seed):
            wrong = np.array([shots, *[0] * (len(probabilities) - 1)])
            return wrong if seed == 5 else super().draw(probabilities, shots, seed)

    judge = SampleJudge(OnceWrong(exact=False), None, Clock(), shots=1_000, seed=5)
    assert judge.p_values([bell()], 5)[0] < 1e-12
    assert judge.shows([bell()]) == [False]


def test_the_samples_of_another_simulator_stand_in_where_it_has_no_exact_result():
    class TooLarge(Right):
        def _result(self, circuit, shots, seed):
            if shots is None:
                raise MemoryError("too large")
            return super()._result(circuit, shots, seed)

    wrong = faulty("gate-dropped:h", exact=False)
    assert SampleJudge(wrong, TooLarge(), Clock(), shots=1_000, seed=1).shows([bell()]) == [True]
    assert SampleJudge(Right(exact=False), TooLarge(), Clock(), shots=1_000, seed=1).shows([bell()]) == [False]


def test_only_the_same_error_is_followed():
    error = SimulatorError("no kernel for gate 7 of this kind")
    judge = FailureJudge(Raising(gate="h", name="no kernel for gate 9"), None, Clock(), shots=10, seed=1, error=error)
    assert judge.shows([bell()]) == [True]
    judge = FailureJudge(Raising(gate="h", name="out of luck"), None, Clock(), shots=10, seed=1, error=error)
    assert judge.shows([bell()]) == [False]


def test_an_error_that_both_raise_is_no_difference():
    with pytest.raises(SimulatorError, match="no kernel"):
        choose(bell(), Raising(gate="h"), Raising(gate="h"))


def test_states_are_as_far_apart_as_their_amplitudes_whatever_the_global_phase():
    state = np.array([0.6, 0.8j])
    assert largest_distance(state, 1j * state) == pytest.approx(0)
    assert largest_distance(state, np.array([0.6, -0.8j])) > 0.3
    assert largest_distance(np.array([1, 0]), np.array([0, 1])) == pytest.approx(1)


def test_nobody_is_said_to_agree_with_one_who_does_not_answer():
    with pytest.raises(SimulatorError, match="no kernel"):
        choose(bell(), Right(), Raising(gate="h"))
    wide = random_circuit(1, 40, 400)
    wide.num_clbits = 40

    class Silent(Right):
        def _result(self, circuit, shots, seed):
            return Counts({"0" * circuit.num_clbits: shots})

    with pytest.raises(LimitError, match="40 qubits at a time"):
        choose(wide.measure_all(), Silent(exact=False))


@pytest.mark.parametrize("search", [locate, reduce])
def test_exact_results_that_fail_for_this_circuit_alone_are_no_agreement(search):
    class FailsOnT(InProcess):
        def send(self, request):
            if request.shots is None and any(op.name == "t" for op in request.circuit_list()[0].operations):
                raise SimulatorError("no t")
            return super().send(request)

    with pytest.raises(SimulatorError, match="no t"):
        search(Circuit(1).h(0).t(0).h(0).measure_all(), FailsOnT(), seed=1)


@pytest.mark.parametrize("search", [locate, reduce])
def test_a_function_that_gives_counts_alone_agrees_by_these(search):
    function = VirtualBackend(lambda circuit, shots: {"0": int(shots)})
    with pytest.raises(RequestError, match="agree on this circuit"):
        search(Circuit(1).rz(0.3, 0).measure_all(), function, seed=1)
