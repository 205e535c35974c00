"""A reduction leaves a circuit that shows the difference, and of which nothing can be left out."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from support.altered import Distorted, InProcess, big_endian, with_wrong_phase
from support.circuits import bell, random_circuit
from support.faulty import Right, faulty
from support.planted import Combination, Raising, long_circuit, long_dynamic_circuit

from gateway.circuit import Circuit, parse
from gateway.compare import compare, exact
from gateway.compare.closeness import largest_difference
from gateway.compare.record import Reproducer, Verdict
from gateway.compare.reproducer import locate, reduce
from gateway.compare.reproducer.asking import distributions
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.views import measures
from gateway.errors import AuthenticationError, RequestError, SimulatorError, TransportError
from gateway.results import ResultType

T_THEN_CX = Circuit(2).t(0).cx(0, 1)

EXACT = pytest.mark.parametrize("has_exact", [True, False], ids=["exact", "samples"])


def assert_shows(reproducer: Reproducer, simulator: Right) -> None:
    """Fail unless the exact probabilities of a simulator differ on the text of a reproducer."""
    assert difference_on(parse(reproducer.openqasm), simulator) > 1e-3


def difference_on(circuit: Circuit, simulator: Right) -> float:
    simulator.exact = True
    (wrong,) = distributions(simulator, [circuit], Clock())
    return largest_difference(wrong, exact.distribution(circuit))


@EXACT
@pytest.mark.parametrize(
    ("cause", "planted", "needed"),
    [
        ("angle-negated:rz", Circuit(1).rz(1.7, 0), 3),
        ("operands-exchanged:cu3", Circuit(2).cu3(1.1, 0.9, 0.3, 1, 0), 2),
        ("gate-dropped:c3x", Circuit(4).c3x(1, 0, 3, 2), 4),
        ("bits-reversed", Circuit(), 1),
        ("clbit-stuck", Circuit(), 0),
    ],
)
def test_a_fault_in_a_long_circuit_is_reduced_to_what_it_needs(
    cause: str, planted: Circuit, needed: int, has_exact: bool
):
    simulator = faulty(cause, exact=has_exact)
    length = 200 if has_exact else 40
    reproducer = reduce(long_circuit(4, num_operations=length, planted=planted), simulator, seed=1)
    assert reproducer.operations <= needed + 1
    assert reproducer.operations_before >= length
    assert reproducer.minimal
    assert_shows(reproducer, simulator)


@EXACT
@pytest.mark.parametrize(
    ("cause", "needed"),
    [("condition-reversed", 3), ("reset-ignored", 2), ("measurement-postponed", 2), ("first-write-kept", 1)],
)
def test_a_fault_of_dynamic_circuits_is_reduced_to_what_it_needs(cause: str, needed: int, has_exact: bool):
    simulator = faulty(cause, exact=has_exact)
    reproducer = reduce(long_dynamic_circuit(13, num_operations=200 if has_exact else 60), simulator, seed=1)
    assert reproducer.operations <= needed + 1
    assert_shows(reproducer, simulator)


def test_a_fault_of_a_combination_keeps_both_of_its_gates():
    simulator = Combination(first="t", then="cx")
    reproducer = reduce(long_circuit(1, planted=T_THEN_CX), simulator, seed=1)
    assert reproducer.operations <= 4
    assert "t q[" in reproducer.openqasm
    assert "cx q[" in reproducer.openqasm
    assert_shows(reproducer, simulator)


def test_nothing_can_be_left_out_of_the_result():
    simulator = faulty("phase-lost:cu3")
    circuit = parse(reduce(long_circuit(5), simulator, seed=1).openqasm)
    for index in range(len(circuit.operations)):
        rest = [*circuit.operations[:index], *circuit.operations[index + 1 :]]
        assert difference_on(Circuit(circuit.num_qubits, circuit.num_clbits, rest), simulator) < 1e-9


def test_the_reproducer_has_what_a_report_needs():
    simulator = faulty("angle-negated:rz")
    reproducer = reduce(long_circuit(3), simulator, seed=11, shots=500)
    circuit = parse(reproducer.openqasm)
    assert (reproducer.simulator, reproducer.versions) == ("angle-negated:rz", {"angle-negated:rz": "1.0"})
    assert (reproducer.shots, reproducer.seed) == (500, 11)
    assert reproducer.expected == pytest.approx(exact.distribution(circuit).to_dict())
    assert sum(reproducer.counts["angle-negated:rz"].values()) == 500
    assert reproducer.exact_difference == pytest.approx(difference_on(circuit, simulator))
    assert reproducer.p_value is not None
    assert reproducer.p_value < 1e-12
    assert reproducer.error == ""


def test_two_simulators_without_exact_results_are_compared_by_their_samples():
    wrong, right = faulty("gate-dropped:ch", exact=False), Right(exact=False)
    reproducer = reduce(random_circuit(2, 3, 60).ch(0, 1).ch(1, 2).measure_all(), wrong, right, seed=1)
    assert set(reproducer.counts) == {"gate-dropped:ch", "right"}
    assert reproducer.operations <= 3
    assert_shows(reproducer, wrong)


def test_names_are_those_of_the_caller_or_made_different():
    wrong, right = faulty("gate-dropped:h", name="same"), Right(name="same")
    assert set(reduce(bell(), wrong, right).counts) == {"same", "same (2)"}
    assert set(reduce(bell(), wrong, right, names=("left", "right")).counts) == {"left", "right"}


@EXACT
def test_right_simulators_have_nothing_to_reduce(has_exact: bool):
    with pytest.raises(RequestError, match="agree on this circuit"):
        reduce(random_circuit(1, 4, 40).measure_all(), Right(exact=has_exact), seed=1)


def test_chance_is_not_taken_for_a_fault():
    for seed in range(50):
        with pytest.raises(RequestError, match="agree"):
            reduce(bell(), Right(exact=False), Right(exact=False), seed=seed, shots=100)


def test_a_circuit_that_measures_nothing_is_measured_in_the_basis_that_shows_the_fault():
    reproducer = reduce(Circuit(2).x(0).h(1).t(1).cx(0, 1), faulty("inverse-taken:t"), seed=1)
    assert reproducer.operations <= 4
    assert_shows(reproducer, faulty("inverse-taken:t"))


def test_idle_qubits_and_clbits_are_left_out_as_far_as_the_fault_lets_them():
    wide = Circuit(9, 9).x(2).h(5).cx(5, 7).measure(2, 6).measure(5, 5).measure(7, 3)
    reduced = parse(reduce(wide, faulty("gate-dropped:x")).openqasm)
    assert (reduced.num_qubits, reduced.num_clbits) == (1, 1)
    reduced = parse(reduce(wide, faulty("clbits-exchanged", clbit=6, other=7)).openqasm)
    assert (reduced.num_qubits, reduced.num_clbits) == (1, 8)


# ---------------------------------------------------------------------------- failures


def test_an_error_that_only_one_simulator_raises_is_reduced_too():
    reproducer = reduce(
        long_circuit(0, planted=Circuit(2).dcx(0, 1).t(0).swap(0, 1)),
        Raising(gate="swap", after="dcx"),
        Right(),
        seed=1,
    )
    assert reproducer.operations == 2
    assert reproducer.error.startswith("SimulatorError: raises at swap: no kernel for it (operation ")
    assert [op.name for op in parse(reproducer.openqasm).operations if op.name != "measure"] == ["dcx", "swap"]
    assert list(reproducer.counts) == ["right"]


def test_another_error_on_the_way_is_not_followed():
    class TwoErrors(Raising):
        def operations(self, circuit):
            if len(circuit.operations) < 10:
                raise RuntimeError("too short")
            return super().operations(circuit)

    reproducer = reduce(
        long_circuit(0, planted=Circuit(2).dcx(0, 1).t(0).swap(0, 1)), TwoErrors(gate="swap"), Right(), seed=1
    )
    assert "no kernel for it" in reproducer.error
    assert len(parse(reproducer.openqasm).operations) == 10


def test_an_error_that_both_raise_is_the_callers():
    with pytest.raises(RuntimeError, match="no kernel"):
        reduce(
            long_circuit(0, planted=Circuit(2).dcx(0, 1).t(0).swap(0, 1)),
            Raising(gate="swap", name="same"),
            Raising(gate="swap", name="same"),
            seed=1,
        )


def test_candidates_on_which_a_simulator_fails_do_not_show_the_difference():
    class Fragile(Combination):
        """Fails on every circuit with an odd number of operations."""

        def operations(self, circuit):
            if len(circuit.operations) % 2:
                raise ValueError("odd")
            return super().operations(circuit)

    circuit = long_circuit(1, planted=T_THEN_CX)
    assert len(circuit.operations) % 2 == 0
    reproducer = reduce(circuit, Fragile(first="t", then="cx"), seed=1)
    assert len(parse(reproducer.openqasm).operations) % 2 == 0
    assert reproducer.operations <= 6


def test_a_result_of_another_width_is_a_failure():
    class Wide(Right):
        def _result(self, circuit, shots, seed):
            wide = Circuit(circuit.num_qubits, circuit.num_clbits + 1, circuit.operations)
            return super()._result(wide if "t" in circuit.count_ops() else circuit, shots, seed)

    reproducer = reduce(long_circuit(0, planted=Circuit(2).dcx(0, 1).t(0).swap(0, 1)), Wide(exact=False), seed=1)
    assert "bitstrings of" in reproducer.error
    assert reproducer.operations == 1


def test_missing_shots_are_a_failure():
    reproducer = reduce(bell(), faulty("shots-missing"), seed=1)
    assert "9999 outcomes for 10000 shots" in reproducer.error


# ---------------------------------------------------------------------------- interruptions


class Ending(Combination):
    """Raises something after so many requests."""

    def __init__(self, *, error: BaseException, after: int) -> None:
        super().__init__(first="t", then="cx")
        self.error, self.requests = error, after

    def send(self, request):
        self.requests -= 1
        if self.requests == 0:
            raise self.error
        return super().send(request)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), TransportError("the server is gone")], ids=lambda it: type(it).__name__
)
def test_an_interrupted_reduction_keeps_the_smallest_circuit_so_far(error: BaseException):
    simulator = Ending(error=error, after=12)
    reproducer = reduce(long_circuit(1, planted=T_THEN_CX), simulator, seed=1)
    assert not reproducer.minimal
    assert 4 < reproducer.operations < 190
    assert_shows(reproducer, simulator)


def test_the_time_is_kept():
    simulator = Combination(first="t", then="cx")
    reproducer = reduce(long_circuit(1, planted=T_THEN_CX), simulator, seed=1, seconds=0)
    assert not reproducer.minimal
    assert reproducer.operations == reproducer.operations_before
    assert_shows(reproducer, simulator)


def test_a_simulator_that_cannot_be_asked_at_all_is_an_error():
    with pytest.raises(AuthenticationError, match="no token"):
        reduce(bell(), Ending(error=AuthenticationError("no token"), after=1), seed=1)


def test_the_progress_is_told_of_every_smaller_circuit():
    reported: list[int] = []
    reduce(
        long_circuit(1, planted=T_THEN_CX),
        Combination(first="t", then="cx"),
        seed=1,
        progress=lambda circuit: reported.append(len(circuit.operations)),
    )
    assert len(reported) > 5
    assert reported[-1] <= 6


def test_the_same_seed_gives_the_same_reproducer():
    circuit = long_circuit(4, num_operations=20, planted=Circuit(2).cry(0.3, 0, 1))
    first, second = [reduce(circuit, faulty("angle-off:cry", exact=False), seed=5) for _ in range(2)]
    assert first == second


# ---------------------------------------------------------------------------- state vectors, and sums that are not 1


@pytest.mark.parametrize("change", [big_endian, np.conj, lambda state: 0.5 * state, with_wrong_phase])
def test_a_wrong_state_vector_is_reduced_to_a_circuit_that_measures_nothing(change):
    circuit = random_circuit(1, 4, 60)
    simulator = Distorted(change)
    (row,) = compare(circuit, {"distorted": simulator}, progress=None, reproduce=False).rows
    assert row.verdict in {Verdict.DIFFERS, Verdict.FAILED}
    assert locate(circuit, simulator, seed=1).how == "exact results"
    reproducer = reduce(circuit, simulator, seed=1)
    small = parse(reproducer.openqasm)
    assert not measures(small)
    assert len(small.operations) == reproducer.operations <= 4
    assert reproducer.minimal
    assert reproducer.exact_difference is not None
    assert reproducer.exact_difference > 0.01
    assert (reproducer.error, reproducer.counts, reproducer.shots) == ("", {}, None)
    assert set(reproducer.versions) == {"distorted"}
    assert compare(small, {"distorted": simulator}, progress=None, reproduce=False).rows[0].verdict is row.verdict


def test_a_global_phase_is_no_difference():
    simulator = Distorted(lambda state: 1j * state)
    for search in (locate, reduce):
        with pytest.raises(RequestError, match="agree"):
            search(random_circuit(1, 3, 20), simulator, seed=1)


def test_where_the_state_vectors_are_right_the_counts_are_looked_at():
    class Stuck(InProcess):
        """Measures every qubit as 0."""

        def send(self, request):
            if request.result is ResultType.STATEVECTOR:
                return super().send(request)
            circuits = [
                Circuit(circuit.num_qubits, circuit.num_clbits, [op for op in circuit.operations if op.clbits])
                for circuit in request.circuit_list()
            ]
            return super().send(msgspec.structs.replace(request, circuits=circuits))

    circuit = Circuit(2).h(1).x(0).cx(0, 1)
    reproducer = reduce(circuit, Stuck(), seed=1)
    assert measures(parse(reproducer.openqasm))
    assert reproducer.operations == 1
    assert locate(circuit, Stuck(), seed=1).how == "exact results"


def test_probabilities_with_a_wrong_sum_differ():
    simulator = Distorted(scale=2.0)
    reproducer = reduce(random_circuit(1, 3, 20).measure_all(), simulator, seed=1)
    assert reproducer.operations == 0
    assert reproducer.exact_difference == pytest.approx(1.0)
    assert measures(parse(reproducer.openqasm))
    assert locate(bell(), simulator, seed=1).how == "exact results"
    with pytest.raises(RequestError, match="agree"):  # such probabilities are no reference for counts
        reduce(bell(), Right(exact=False), simulator, seed=1)


# ---------------------------------------------------------------------------- what is left can be run


class Dead(Right):
    """Fails whatever it is given, and counts how often it was asked."""

    asked = 0

    def send(self, request):
        self.asked += 1
        raise SimulatorError("the engine is off")


def test_a_measurement_is_always_left():
    for simulator in (Dead(), faulty("clbit-stuck", clbit=0, value=1), faulty("shots-missing")):
        reproducer = reduce(random_circuit(1, 3, 20).measure_all(), simulator, seed=1)
        small = parse(reproducer.openqasm)
        assert (reproducer.operations, len(small.operations)) == (0, 1)
        assert measures(small)


def test_the_reproducer_says_nothing_of_a_simulator_that_is_gone_when_the_search_is_over():
    class Leaving(Combination):
        requests = 12

        def send(self, request):
            self.requests -= 1
            if self.requests <= 0:
                raise TransportError("the server is gone")
            return super().send(request)

    reproducer = reduce(long_circuit(1, planted=T_THEN_CX), Leaving(first="t", then="cx"), seed=1)
    assert (reproducer.error, reproducer.counts, reproducer.minimal) == ("", {}, False)
