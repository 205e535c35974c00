"""Comparisons of right and faulty simulators: who differs, what is said of those who fail, and what cannot be said."""

from __future__ import annotations

import signal
import sys
import threading

import msgspec
import numpy as np
import pytest
from support.altered import InProcess
from support.circuits import bell, handed, teleportation, wide
from support.faulty import Right, faulty

from gateway import Capabilities, Circuit, Counts, Probabilities, Provenance, Statevector, VirtualBackend
from gateway.backends.base import Backend
from gateway.circuit import Expression, bits
from gateway.compare import Comparison, compare
from gateway.compare.consistency import contradiction
from gateway.compare.progress import Progress
from gateway.compare.record import Verdict
from gateway.compare.verdict import standing
from gateway.errors import (
    CircuitSyntaxError,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorCrashed,
    SimulatorError,
    UnsupportedError,
)
from gateway.results import Precision, ResultType

QUIET = {"progress": None, "reproduce": False, "seed": 7}
PHASE = handed()


def verdicts(comparison) -> dict[str, str]:
    return {row.simulator: str(row.verdict) for row in comparison.rows}


class Failing(Right):
    """Raises what it is told to."""

    def __init__(self, error: BaseException, *, only_exact: bool = False, only: Circuit | None = None) -> None:
        super().__init__()
        self.error, self.only_exact, self.only = error, only_exact, only

    def send(self, request):
        is_meant = self.only is None or self.only in request.circuit_list()
        if is_meant and (not self.only_exact or request.shots is None):
            raise self.error
        return super().send(request)


class Panic(BaseException):
    """What frameworks written in Rust raise: no Exception."""


class Skewed(Right):
    """Draws from the right distribution, but for a share of shots that all give one outcome."""

    def __init__(self, outcome: int, share: float, **options) -> None:
        super().__init__(**options)
        self.outcome_, self.share = outcome, share

    def _result(self, circuit, shots, seed):
        result = super()._result(circuit, shots, seed)
        if shots is None:
            return result
        moved = round(shots * self.share)
        counts = super()._result(circuit, shots - moved, seed).to_dict()
        key = format(self.outcome_, f"0{circuit.num_clbits}b")
        counts[key] = counts.get(key, 0) + moved
        return Counts(counts, width=circuit.num_clbits, provenance=result.provenance)


class InSinglePrecision(Right):
    """Rounds its probabilities to 32 bits."""

    def noise(self, codes, probabilities):
        return codes, probabilities.astype(np.float32).astype(np.float64)

    def capabilities(self):
        return msgspec.structs.replace(super().capabilities(), precision=Precision.SINGLE)


# ---------------------------------------------------------------------- who differs


def test_simulators_that_agree_are_said_to_agree_and_what_would_have_been_found_is_said():
    comparison = compare(bell(), {"a": Right(), "b": Right()}, **QUIET)
    assert comparison.all_agree
    assert verdicts(comparison) == {"a": "agrees", "b": "agrees"}
    assert comparison.reference.kind == "exact"
    assert comparison.reference.witnesses[0] == "gateway"
    assert 0 < comparison.detectable < 0.1
    assert "agree" in comparison.verdict
    assert all(row.exact_difference < 1e-12 for row in comparison.rows)
    assert all(sum(row.counts.values()) == 10_000 for row in comparison.rows)


def test_circuits_with_loops_are_compared_and_diagnosed_but_not_reduced():
    circuit = Circuit(2, 2, num_hidden=1).h(0).measure(0, 2).while_({2: 1}).ry(0.7, 1).h(0).measure(0, 2).end()
    circuit.set((0,), Expression("not", (bits(2),))).measure(1, 1)
    without_ry = InProcess(lambda op: [] if op.name == "ry" else [op])
    comparison = compare(circuit, {"right": InProcess(), "wrong": without_ry}, **QUIET | {"reproduce": True})
    assert verdicts(comparison) == {"right": "agrees", "wrong": "differs"}
    (row,) = [row for row in comparison.rows if row.simulator == "wrong"]
    assert "gate-dropped:ry" in [cause.name for cause in row.causes]
    assert any("it was not reduced: a circuit with loops" in note for note in row.notes)


@pytest.mark.parametrize("order", [("wrong", "a", "b"), ("a", "b", "wrong")])
def test_the_wrong_one_differs_wherever_it_stands(order):
    backends = {"a": Right(), "b": Right(), "wrong": faulty("angle-negated:rz")}
    comparison = compare(PHASE, {name: backends[name] for name in order}, **QUIET)
    assert verdicts(comparison) == dict.fromkeys(order, "agrees") | {"wrong": "differs"}
    row = comparison.rows[order.index("wrong")]
    assert row.p_value < 1e-12
    assert row.exact_difference > 0.01
    assert row.causes[0].name == "angle-negated:rz"


def test_two_per_cent_of_the_shots_in_impossible_outcomes_are_a_contradiction():
    comparison = compare(bell(), {"a": Right(), "leaky": Skewed(0b01, 0.0208)}, shots=10_000, **QUIET)
    assert verdicts(comparison) == {"a": "agrees", "leaky": "differs"}
    assert any(test.name == "support" and test.p_value < 1e-9 for test in comparison.rows[1].tests)


def test_a_bell_pair_drawn_57_to_43_differs_at_a_thousand_shots():
    biased = faulty("uneven", exact=False)
    biased.noise = lambda codes, probabilities: (codes, probabilities * [1.14, 0.86])
    comparison = compare(bell(), {"a": Right(), "biased": biased}, shots=4_000, **QUIET)
    assert comparison.rows[1].verdict is Verdict.DIFFERS


def test_a_difference_of_1e_6_which_no_sampling_would_show_is_a_finding():
    off = Right()
    off.noise = lambda codes, probabilities: (codes, probabilities + np.array([2e-6, -2e-6]))
    comparison = compare(bell(), {"a": Right(), "b": Right(), "off": off}, shots=1000, **QUIET)
    assert verdicts(comparison)["off"] == "differs"
    assert comparison.rows[2].exact_difference == pytest.approx(2e-6)


def test_a_simulator_may_be_off_by_what_its_own_precision_explains():
    backends = {"a": Right(), "single": InSinglePrecision()}
    comparison = compare(wide(), backends, shots=1000, **QUIET)
    assert comparison.rows[1].exact_difference > comparison.rows[0].exact_tolerance
    assert comparison.all_agree


@pytest.mark.parametrize(
    ("cause", "circuit"),
    [("seed-ignored", wide()), ("shots-missing", bell()), ("bits-reversed", Circuit(3).x(0).measure_all())],
)
def test_faults_of_the_sampler_and_of_the_reading_are_named(cause, circuit):
    comparison = compare(circuit, {"a": Right(), "wrong": faulty(cause)}, **QUIET)
    assert verdicts(comparison) == {"a": "agrees", "wrong": "differs"}
    assert cause in [found.name for found in comparison.rows[1].causes]


def test_a_wrong_gate_on_a_qubit_apart_is_no_readout_error_neither_of_the_circuit_nor_of_its_reproducer():
    circuit = Circuit(3).h(0).cx(0, 1).u3(0.3, 0.4, 0.5, 2).h(2).measure_all()
    backends = {"a": Right(), "wrong": faulty("angle-off:u3")}
    comparison = compare(circuit, backends, **QUIET | {"reproduce": True})
    (reproducer,) = comparison.cases[0].reproducers
    assert verdicts(comparison)["wrong"] == "differs"
    assert comparison.rows[1].causes == reproducer.causes == ()


def test_a_simulator_with_one_set_of_counts_for_every_seed_differs():
    comparison = compare(bell(), {"a": Right(), "fixed": faulty("seed-ignored", fixed=True)}, **QUIET)
    assert verdicts(comparison) == {"a": "agrees", "fixed": "differs"}


def test_dynamic_circuits_are_compared_with_our_own_simulator_too():
    comparison = compare(teleportation(), {"a": Right(exact=False)}, **QUIET)
    assert comparison.reference.witnesses == ("gateway",)
    assert comparison.all_agree


# ---------------------------------------------------------------------- who fails


@pytest.mark.parametrize(
    "error",
    [
        SimulatorError("out of order"),
        UnsupportedError("no reset"),
        SimulatorCrashed("killed"),
        ZeroDivisionError("odd"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_one_that_fails_has_a_row_with_its_error_and_does_not_stop_the_others(error):
    comparison = compare(bell(), {"failing": Failing(error), "a": Right()}, **QUIET)
    assert verdicts(comparison) == {"failing": "failed", "a": "agrees"}
    assert comparison.rows[0].error == f"{type(error).__name__}: {error}"
    assert not comparison.all_agree


def test_one_whose_exact_result_fails_is_compared_by_its_samples():
    comparison = compare(bell(), {"a": Failing(LimitError("too large"), only_exact=True)}, **QUIET)
    assert comparison.all_agree
    assert "too large" in comparison.rows[0].notes[0]


def test_bitstrings_of_a_wrong_width_are_a_failure():
    class Narrow(Right):
        def _result(self, circuit, shots, seed):
            made = Provenance(simulator="narrow", version="1")
            return Counts({"0": shots or 1}, width=1, provenance=made)

    comparison = compare(bell(), {"a": Right(), "narrow": Narrow(exact=False)}, **QUIET)
    assert comparison.rows[1].verdict is Verdict.FAILED
    assert "1 bits for a circuit of 2 clbits" in comparison.rows[1].error


def test_when_all_fail_nothing_agrees():
    comparison = compare(bell(), {"a": Failing(SimulatorError("x")), "b": Failing(SimulatorError("y"))}, **QUIET)
    assert set(verdicts(comparison).values()) == {"failed"}
    assert not comparison.all_agree


def test_a_time_limit_leaves_the_rest_unfinished():
    comparison = compare(bell(), {"a": Right(), "b": Right()}, time_limit_s=1e-9, **QUIET)
    assert comparison.interrupted
    assert set(verdicts(comparison).values()) == {"undecided"}


def test_ctrl_c_keeps_what_has_finished():
    comparison = compare(bell(), {"a": Right(), "b": Failing(KeyboardInterrupt()), "c": Right()}, **QUIET)
    assert comparison.interrupted
    assert verdicts(comparison) == {"a": "agrees", "b": "undecided", "c": "undecided"}
    assert [bool(row.counts) for row in comparison.rows] == [True, False, False]


class Leaving(Right):
    """Ends the program wherever it is asked."""

    def capabilities(self):
        raise SystemExit(3)

    def send(self, request):
        raise SystemExit(3)


@pytest.mark.parametrize("options", [{}, {"side_by_side": True}, {"repeat": 2}], ids=str)
@pytest.mark.parametrize(
    ("backend", "error"),
    [
        (Failing(SystemExit(3)), "SimulatorError: it raised SystemExit: 3"),
        (Failing(SystemExit()), "SimulatorError: it raised SystemExit"),
        (Failing(Panic("index out of bounds")), "SimulatorError: it raised Panic: index out of bounds"),
        (Leaving(), "SimulatorError: it raised SystemExit: 3"),
    ],
    ids=["exit", "exit without a number", "a panic", "exit of all"],
)
def test_a_simulator_that_would_end_the_program_is_a_failure_of_its_own(backend, error, options):
    comparison = compare(bell(), {"a": Right(), "b": backend, "c": Right()}, **QUIET, **options)
    assert verdicts(comparison) == {"a": "agrees", "b": "failed", "c": "agrees"}
    assert comparison.rows[1].error == error


@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_signal_that_ends_the_program_ends_it_while_a_simulator_runs(side_by_side):
    class Signalled(Right):
        def send(self, request):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
            if threading.current_thread() is not threading.main_thread():
                end.wait()
            raise SimulatorError("it is over")

    end = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    try:
        with pytest.raises(SystemExit, match="7"):
            compare(bell(), {"a": Signalled()}, side_by_side=side_by_side, **QUIET)
    finally:
        signal.signal(signal.SIGTERM, before)
        end.set()


def test_ctrl_c_side_by_side_keeps_all_that_has_finished_and_waits_for_nobody():
    begun, end, threads = threading.Event(), threading.Event(), []

    class Quick(Right):
        def send(self, request):
            threads.append(threading.current_thread())
            begun.set()
            return super().send(request)

    class Endless(Right):
        def send(self, request):
            begun.wait(60)
            threads[0].join(60)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            end.wait()

    comparison = compare(bell(), {"endless": Endless(), "a": Quick()}, side_by_side=True, **QUIET)
    end.set()
    assert comparison.interrupted
    assert verdicts(comparison) == {"endless": "undecided", "a": "agrees"}


def test_one_that_times_out_is_a_failure():
    comparison = compare(bell(), {"a": Right(), "slow": Failing(JobTimeout("late"))}, **QUIET)
    assert verdicts(comparison) == {"a": "agrees", "slow": "failed"}


@pytest.mark.parametrize("error", [SimulatorError("no"), SimulatorCrashed("gone")])
def test_an_exact_result_that_fails_for_this_circuit_alone_is_a_failure_and_the_counts_are_kept(error):
    (row,) = compare(bell(), {"a": Failing(error, only_exact=True, only=bell())}, **QUIET).rows
    assert row.verdict is Verdict.FAILED
    assert type(error).__name__ in row.error
    assert sum(row.counts.values()) == 10_000


def test_seeds_that_fail_are_a_failure():
    class FailsLater(Right):
        def send(self, request):
            if len(request.circuit_list()) > 1:
                raise SimulatorError("no list")
            return super().send(request)

    (row,) = compare(bell(), {"a": FailsLater()}, **QUIET).rows
    assert (row.verdict, row.error) == (Verdict.FAILED, "SimulatorError: no list")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_results_that_are_no_numbers_are_a_failure(value):
    class NoNumbers(Right):
        def send(self, request):
            if request.result is ResultType.STATEVECTOR:
                return [Statevector(np.full(4, value, dtype=complex))]
            if request.shots is None:
                return [Probabilities({"00": value, "11": value}, 2)]
            return super().send(request)

        def capabilities(self):
            return msgspec.structs.replace(super().capabilities(), result_types=tuple(ResultType))

    for circuit in (bell(), Circuit(2).h(0)):
        comparison = compare(circuit, {"a": NoNumbers()}, **QUIET)
        assert verdicts(comparison) == {"a": "failed"}
        assert "cannot be right" in comparison.verdict


# ---------------------------------------------------------------------- who is believed


def test_our_own_simulator_decides_between_two_and_two():
    backends = {name: faulty("bits-reversed", name=name) for name in ("b", "c")} | {"a": Right(name="a")}
    comparison = compare(PHASE, backends, **QUIET)
    assert verdicts(comparison) == {"a": "agrees", "b": "differs", "c": "differs"}
    assert "b and c give the same exact results as each other" in comparison.verdict


def test_two_that_share_a_fault_are_not_approved():
    comparison = compare(PHASE, {name: faulty("bits-reversed", name=name) for name in ("b", "c")}, **QUIET)
    assert verdicts(comparison) == {"b": "undecided", "c": "undecided"}
    assert comparison.verdict == (
        "Undecided: b, c. The gateway's own simulator contradicts b and c: please report this circuit."
    )


# ---------------------------------------------------------------------- without a reference


HUGE = Circuit(40)
for _qubit in range(40):
    HUGE.ry(0.7 + _qubit / 40, _qubit)
for _qubit in range(39):
    HUGE.cx(_qubit, _qubit + 1)


class Drawn(Backend):
    """Gives counts of a circuit that nobody can simulate: bits with a bias."""

    def __init__(self, bias: float, seed: int) -> None:
        self.bias, self.seed = bias, seed

    def send(self, request):
        width = request.circuit_list()[0].num_clbits
        results = []
        for number, shots in enumerate(request.shots_list()):
            random = np.random.default_rng([self.seed, (request.seed or 0) + number])
            bits = (random.random((shots, width)) < self.bias).astype(int)
            counts: dict[str, int] = {}
            for row in bits:
                key = "".join(map(str, row))
                counts[key] = counts.get(key, 0) + 1
            results.append(
                Counts(counts, width=width, provenance=Provenance(simulator=f"drawn{self.seed}", version="1"))
            )
        return results

    def status(self):
        raise NotImplementedError

    def capabilities(self):
        return Capabilities(result_types=(ResultType.COUNTS,), seedable=False)


def huge() -> Circuit:
    return Circuit(HUGE.num_qubits, 0, list(HUGE.operations)).measure_all()


def test_where_nobody_has_an_exact_result_the_majority_is_right():
    backends = {"a": Drawn(0.5, 1), "b": Drawn(0.5, 2), "c": Drawn(0.6, 3)}
    comparison = compare(huge(), backends, shots=2000, **QUIET)
    assert comparison.reference.kind == "none"
    assert verdicts(comparison) == {"a": "agrees", "b": "agrees", "c": "differs"}
    assert comparison.detectable is None


def test_two_that_differ_without_a_reference_are_undecided():
    comparison = compare(huge(), {"a": Drawn(0.5, 1), "b": Drawn(0.6, 2)}, shots=2000, **QUIET)
    assert verdicts(comparison) == {"a": "undecided", "b": "undecided"}
    assert {row.group for row in comparison.rows} == {0, 1}


def test_one_alone_without_a_reference_is_undecided():
    comparison = compare(huge(), {"a": Drawn(0.5, 1)}, shots=200, **QUIET)
    assert verdicts(comparison) == {"a": "undecided"}


# ---------------------------------------------------------------------- several circuits, state vectors, shots


def test_several_circuits_have_a_case_each_and_one_rate_of_false_alarms():
    comparison = compare([bell(), PHASE], {"a": Right(), "wrong": faulty("angle-negated:rz")}, **QUIET)
    assert [case.name for case in comparison.cases] == ["circuit 1", "circuit 2"]
    assert [str(row.verdict) for row in comparison.rows] == ["agrees", "agrees", "agrees", "differs"]
    assert [row.circuit for row in comparison.rows] == ["circuit 1", "circuit 1", "circuit 2", "circuit 2"]


def test_a_resolution_chooses_the_shots():
    coarse, fine = (compare(bell(), {"a": Right()}, resolution=value, **QUIET) for value in (0.1, 0.02))
    assert fine.cases[0].shots > 20 * coarse.cases[0].shots
    assert fine.detectable <= 0.02


def test_a_resolution_beyond_what_a_server_takes_says_how_many_shots_it_would_need():
    with pytest.raises(LimitError, match=r"takes [\d,]+ shots") as caught:
        compare(wide(), {"a": Right()}, resolution=1e-4, **QUIET)
    assert caught.value.requested > caught.value.allowed


def test_repetitions_add_their_shots_and_their_times_are_medians():
    comparison = compare(bell(), {"a": Right()}, shots=500, repeat=3, **QUIET)
    row = comparison.rows[0]
    assert comparison.cases[0].shots == sum(row.counts.values()) == 1500
    assert row.timings["total"].lowest <= row.timings["total"].median <= row.timings["total"].highest


def test_simulators_may_run_side_by_side():
    comparison = compare(PHASE, {name: Right() for name in "abcdef"}, side_by_side=True, **QUIET)
    assert comparison.all_agree
    assert comparison.side_by_side


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": True}, "shots"),
        ({"shots": 10, "resolution": 0.1}, "shots"),
        ({"resolution": 2.0}, "resolution"),
        ({"repeat": 0}, "repeat"),
        ({"repeat": "3"}, "repeat"),
        ({"false_alarm_rate": 5e-324}, "false_alarm_rate"),
        ({"false_alarm_rate": 1.0}, "false_alarm_rate"),
        ({"false_alarm_rate": "x"}, "false_alarm_rate"),
        ({"resolution": "x"}, "resolution"),
        ({"resolution": float("nan")}, "resolution"),
        ({"seed": "x"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"sampling": "other"}, "sampling"),
        ({"timeout_s": -1}, "timeout_s"),
        ({"time_limit_s": "5"}, "time_limit_s"),
        ({"time_limit_s": 0}, "time_limit_s"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments, field):
    with pytest.raises(RequestError) as caught:
        compare(bell(), {"a": Right()}, **({"progress": None} | arguments))
    assert caught.value.field == field


@pytest.mark.parametrize("circuits", [[], {}, 7], ids=repr)
def test_what_is_no_circuit_is_refused(circuits):
    with pytest.raises(RequestError, match="circuit"):
        compare(circuits, {"a": Right()}, progress=None)


def test_a_text_that_is_no_program_is_refused_before_anything_runs():
    with pytest.raises(CircuitSyntaxError):
        compare("OPENQASM 3; qubit[2 q;", {"a": Failing(SimulatorError("ran"))}, progress=None)


def test_a_circuit_that_measures_nothing_needs_state_vectors_and_the_row_says_what_to_do():
    (row,) = compare(Circuit(1).h(0), {"a": Right()}, **QUIET).rows
    assert row.verdict is Verdict.FAILED
    assert "add measure_all()" in row.error


def test_one_that_takes_no_seeds_draws_its_own_and_the_row_says_so():
    function = VirtualBackend(lambda circuit, shots: {"00": shots // 2, "11": shots - shots // 2})
    (row,) = compare(bell(), {"a": function}, **QUIET).rows
    assert row.verdict is Verdict.AGREES
    assert "takes no seeds" in row.notes[0]


def test_runs_without_seeds_that_always_give_the_same_counts_differ():
    function = VirtualBackend(lambda circuit, shots: {"00": shots // 2, "11": shots - shots // 2})
    (row,) = compare(bell(), {"a": function}, repeat=5, **QUIET).rows
    assert row.verdict is Verdict.DIFFERS
    assert [test.points_at for test in row.tests if test.name == "two-runs"] == ["all runs gave equal counts"]


def test_a_state_vector_of_another_phase_between_its_amplitudes_differs_and_the_sentence_says_the_fidelity():
    class Conjugated(Right):
        def send(self, request):
            return [Statevector(np.array([0.5**0.5, -1j * 0.5**0.5]))]

        def capabilities(self):
            return msgspec.structs.replace(super().capabilities(), result_types=tuple(ResultType))

    comparison = compare(Circuit(1).h(0).s(0), {"a": Conjugated()}, **QUIET)
    assert verdicts(comparison) == {"a": "differs"}
    assert "a differs (fidelity" in comparison.verdict
    assert "agree" not in comparison.verdict


def test_the_norm_of_a_state_vector_of_single_precision_may_be_a_little_off():
    class Rounded(Right):
        def send(self, request):
            return [Statevector(np.array([0.5**0.5, 0.5**0.5]) * (1 - 1e-6))]

        def capabilities(self):
            kinds = {"result_types": tuple(ResultType), "precision": Precision.SINGLE}
            return msgspec.structs.replace(super().capabilities(), **kinds)

    assert verdicts(compare(Circuit(1).h(0), {"a": Rounded()}, **QUIET)) == {"a": "agrees"}


def test_a_circuit_without_a_state_is_refused_by_its_row_alone():
    comparison = compare([bell(), Circuit(1).h(0).reset(0)], {"a": Right()}, **QUIET)
    assert [str(row.verdict) for row in comparison.rows] == ["agrees", "failed"]


def test_a_time_for_each_run_is_not_dropped_where_a_run_cannot_be_stopped():
    function = VirtualBackend(lambda circuit, shots: {"00": shots})
    (row,) = compare(bell(), {"a": function}, timeout_s=5, **QUIET).rows
    assert row.verdict is Verdict.FAILED
    assert "cannot be stopped" in row.error


class WrongOnce(Right):
    """Is wrong in its first run, and never again."""

    def __init__(self) -> None:
        super().__init__(exact=False)
        self.wrong = faulty("bits-reversed")

    def send(self, request):
        wrong, self.wrong = self.wrong, None
        return super().send(request) if wrong is None else wrong.send(request)


def test_a_difference_that_does_not_show_again_is_no_reproducer_and_the_row_says_so():
    circuit = Circuit(3).x(0).h(1).measure_all()
    comparison = compare(circuit, {"a": Right(), "once": WrongOnce()}, **(QUIET | {"reproduce": True}))
    assert verdicts(comparison) == {"a": "agrees", "once": "differs"}
    assert comparison.cases[0].reproducers == ()
    assert "it was not reduced" in comparison.rows[1].notes[-1]


class Listening(Progress):
    """Keeps what it is told of partial results, and asks for each only when all is over."""

    def __init__(self) -> None:
        self.heard = []

    def partial(self, so_far):
        self.heard.append(so_far)

    def words(self) -> list[dict[str, str]]:
        return [{row.simulator: str(standing(row)) for row in so_far().rows} for so_far in self.heard]


def test_partial_results_are_those_of_the_moment_and_judge_nobody():
    listening = Listening()
    backends = {"one": Right(), "wrong": faulty("bits-reversed"), "other": Right()}
    compare(PHASE, backends, shots=1_000, **QUIET | {"progress": listening})
    late = "has not run"
    assert listening.words() == [
        {"one": "finished", "wrong": late, "other": late},
        {"one": "finished", "wrong": "finished", "other": late},
        {"one": "finished", "wrong": "finished", "other": "finished"},
    ]


def test_partial_results_have_counts_distances_and_times_and_are_a_record_that_can_be_kept():
    listening = Listening()
    comparison = compare(PHASE, {"one": Right(), "other": Right()}, shots=1_000, **QUIET | {"progress": listening})
    partial = listening.heard[-1]()
    copy = msgspec.json.decode(msgspec.json.encode(partial), type=Comparison)
    assert copy == partial
    assert contradiction(copy) == ""
    for row, final in zip(partial.rows, comparison.rows, strict=True):
        assert row.counts == final.counts
        assert row.distance == final.distance
        assert row.exact_difference == final.exact_difference
        assert row.timings == final.timings
        assert row.p_value is None


def test_partial_results_of_one_that_failed_and_of_several_circuits_and_threads_are_complete():
    listening = Listening()
    broken = Failing(SimulatorError("it broke"), only=bell())
    backends = {"one": Right(), "broken": broken}
    circuits = {"phase": PHASE, "bell": bell()}
    compare(circuits, backends, shots=100, side_by_side=True, **QUIET | {"progress": listening})
    assert len(listening.heard) == 4
    assert [len(so_far().cases) for so_far in listening.heard] == [1, 1, 2, 2]
    assert {row.simulator: str(standing(row)) for row in listening.heard[-1]().cases[1].rows} == {
        "one": "finished",
        "broken": "failed",
    }
    assert contradiction(listening.heard[-1]()) == ""
