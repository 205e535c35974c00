"""All backends over a vendor's SDK behave alike, shown on a fake SDK."""

from __future__ import annotations

from math import pi

import pytest
from support.circuits import bell, teleportation
from support.sdk import FakeVendor

from gateway import Circuit
from gateway.backends.vendor_plan import MAX_SUBMISSIONS, Terms, plan, spread, without_idle_qubits
from gateway.errors import (
    CircuitInvalidError,
    CircuitSyntaxError,
    JobCancelled,
    JobNotFound,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.results import CLIFFORD, JobState, Progress


def measured(bits: int) -> Circuit:
    return Circuit(bits).measure_all()


# ---------------------------------------------------------------------------- what is sent together


def test_circuits_of_as_many_shots_are_one_submission():
    vendor = FakeVendor()
    found = vendor.run([measured(1), measured(2), measured(3)], shots=[10, 20, 10])
    assert found == [{"0": 10}, {"00": 20}, {"000": 10}]
    assert vendor.sent() == {(2, 10): 1, (1, 20): 1}


def test_more_shots_than_the_machine_gives_at_once_are_divided_and_added_up():
    vendor = FakeVendor(Terms(max_shots=20_000))
    found = vendor.run([measured(1), measured(2)], shots=[50_000, 1_000])
    assert found == [{"0": 50_000}, {"00": 1_000}]
    assert vendor.sent() == {(2, 20_000): 1, (1, 10_000): 1, (1, 1_000): 1}
    assert [counts.provenance.shots for counts in found] == [50_000, 1_000]
    assert found[0].provenance.run_s == 1.5  # three shares, of half a second each


def test_no_more_circuits_are_handed_over_than_the_machine_takes():
    vendor = FakeVendor(Terms(max_circuits=2))
    assert vendor.run([measured(1)] * 5, shots=7) == [{"0": 7}] * 5
    assert vendor.sent() == {(2, 7): 2, (1, 7): 1}


@pytest.mark.parametrize(
    ("terms", "circuits", "shots", "message"),
    [
        (Terms(max_shots=10), 1, 10 * MAX_SUBMISSIONS + 1, "1,001 shots are too many"),
        (Terms(max_circuits=1), MAX_SUBMISSIONS + 1, 1, "101 jobs"),
    ],
)
def test_a_request_that_would_become_too_many_jobs_is_refused_before_the_first(terms, circuits, shots, message):
    vendor = FakeVendor(terms)
    with pytest.raises(LimitError, match=message):
        vendor.run([measured(1)] * circuits, shots=shots)
    assert not vendor.runs


def test_as_many_jobs_as_allowed_are_submitted():
    vendor = FakeVendor(Terms(max_shots=10))
    assert vendor.run(measured(1), shots=10 * MAX_SUBMISSIONS) == {"0": 1000}


def test_with_seeds_each_circuit_is_sent_alone_and_does_not_depend_on_its_neighbours():
    vendor = FakeVendor(Terms(max_shots=10), seedable=True)
    found = vendor.run([measured(1), measured(1)], shots=[15, 5], seed=2**32 - 1)
    assert [(run.shots, run.seed) for run in vendor.runs] == [
        (10, spread(2**32 - 1)),
        (5, spread(2**32 - 1, 1)),
        (5, spread(0)),
    ]
    assert [counts.provenance.seed for counts in found] == [2**32 - 1, 0]


def test_a_seed_is_drawn_and_reported_where_there_are_seeds():
    vendor = FakeVendor(seedable=True)
    first, second = (vendor.run(measured(1)).provenance.seed for _ in range(2))
    assert 0 <= first < 2**32
    assert first != second
    assert vendor.runs[0].seed == spread(first)


def test_seeds_of_shares_and_of_neighbours_are_all_different():
    seeds = {spread(seed, share) for seed in range(100) for share in range(100)}
    assert len(seeds) > 9990  # of 2**31: a few may meet
    assert max(seeds) < 2**31


def test_a_plan_covers_every_shot_of_every_circuit():
    shots = [1, 5, 12, 7, 12]
    planned = plan(shots, None, Terms(max_shots=5, max_circuits=2))
    for index, asked in enumerate(shots):
        assert sum(part.shots * part.circuits.count(index) for part in planned) == asked
    assert all(part.shots <= 5 and len(part.circuits) <= 2 for part in planned)


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"shots": None}, UnsupportedError, "fake vendor does not have the result type probabilities; ask for shots"),
        (
            {"shots": None, "result": "statevector"},
            UnsupportedError,
            "result type statevector; ask for shots",
        ),
        ({"shots": None, "result": "counts"}, RequestError, "the result counts needs a number of shots"),
        (
            {"shots": 5, "result": "probabilities"},
            RequestError,
            "the result probabilities is exact: leave shots out",
        ),
        ({"seed": 1}, UnsupportedError, "fake vendor cannot be seeded"),
    ],
)
def test_what_no_machine_does_is_refused_before_anything_is_built(arguments, error, message):
    vendor = FakeVendor()
    with pytest.raises(error, match=message):
        vendor.run(measured(1), **arguments)
    assert not vendor.built


@pytest.mark.parametrize(
    ("circuit", "able", "feature", "message"),
    [
        (teleportation(), {"classical_control": False}, "classical control", r"operation 7 \(x 2\)"),
        (Circuit(1).reset(0).measure_all(), {"reset": False}, "reset", r"operation 0 \(reset 0\)"),
        (
            Circuit(1, 2).measure(0, 0).barrier(0).measure(0, 1),
            {"mid_circuit_measurement": False},
            "mid-circuit measurement",
            r"operation 2 \(measure 0 -> 1\)",
        ),
    ],
)
def test_what_a_machine_lacks_is_refused_by_name(circuit, able, feature, message):
    with pytest.raises(UnsupportedError, match=message) as caught:
        FakeVendor(**able).run([bell(), circuit])
    assert (caught.value.feature, caught.value.simulator, caught.value.circuit) == (feature, "fake vendor", 1)
    assert circuit.operations[caught.value.operation].name == caught.value.gate
    assert "qulacs" in caught.value.supported_by
    FakeVendor().run([bell(), circuit])


@pytest.mark.parametrize("angle", [0.5, 1.6])
def test_a_machine_with_a_gate_set_refuses_what_does_not_come_down_to_it(angle):
    vendor = FakeVendor(gates=CLIFFORD)
    assert vendor.run(Circuit(1).rz(pi / 2, 0).measure_all(), shots=3) == {"0": 3}
    with pytest.raises(UnsupportedError, match=rf"operation 1 \(ry\({angle}\) 0\): fake vendor") as caught:
        vendor.run(Circuit(1).h(0).ry(angle, 0).measure_all())
    assert (caught.value.feature, caught.value.gate, caught.value.operation) == ("gate ry", "ry", 1)
    assert len(vendor.built) == 1


def test_more_qubits_than_the_machine_has_are_refused_but_idle_ones_do_not_count():
    vendor = FakeVendor(Terms(max_qubits=2))
    with pytest.raises(LimitError, match="uses 3 qubits; fake vendor has 2") as caught:
        vendor.run(measured(3))
    assert (caught.value.limit, caught.value.requested, caught.value.allowed) == ("qubits", 3, 2)
    assert caught.value.simulator == "fake vendor"
    assert "qulacs" in caught.value.supported_by
    wide = Circuit(100, 3).h(70).cx(70, 3).barrier().measure(3, 2)
    assert vendor.run(wide, shots=4) == {"000": 4}
    assert vendor.built == [Circuit(2, 3).h(1).cx(1, 0).barrier(0, 1).measure(0, 2)]


def test_a_circuit_without_idle_qubits_stays_as_it_is():
    circuit = bell()
    assert without_idle_qubits(circuit) is circuit
    assert without_idle_qubits(Circuit(3).barrier(0).gphase(0.5)) == Circuit(0).gphase(0.5)


def test_broken_circuits_are_refused_here():
    vendor = FakeVendor()
    with pytest.raises(CircuitInvalidError, match=r"measures nothing.*measure_all"):
        vendor.run(Circuit(1).h(0))
    with pytest.raises(CircuitSyntaxError, match="line 1") as caught:
        vendor.run([bell(), "OPENQASM 3; qubit["])
    assert caught.value.circuit == 1
    assert not vendor.runs


# ---------------------------------------------------------------------------- what comes back


def test_spaces_are_taken_out_of_what_comes_back_and_equal_outcomes_added():
    vendor = FakeVendor()
    vendor.counts = lambda circuit, shots: {"0 0": shots - 3, "00": 2, "11": 1, "01": 0}
    assert vendor.run(bell(), shots=10) == {"00": 9, "11": 1}


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"0": 10}, "'0' is not a bitstring of 2 clbits"),
        ({"000": 10}, "'000' is not a bitstring of 2 clbits"),
        ({"0x1": 10}, "'0x1' is not a bitstring"),
        ({"00": 9}, "9 outcomes for 10 shots"),
        ({"00": 10, "01": 1}, "11 outcomes for 10 shots"),
        ({}, "0 outcomes for 10 shots"),
    ],
)
def test_a_machine_that_breaks_the_contract_is_named(counts, message):
    vendor = FakeVendor()
    vendor.counts = lambda circuit, shots: counts
    with pytest.raises(SimulatorError, match=f"fake vendor broke the contract: {message}") as caught:
        vendor.run(bell(), shots=10)
    assert (caught.value.simulator, caught.value.version) == ("fake vendor", "7")


def test_a_missing_result_is_named():
    vendor = FakeVendor()
    job = vendor.run_async([bell(), bell()], shots=10)
    vendor.runs[0].circuits.pop()
    with pytest.raises(SimulatorError, match="1 results for 2 circuits"):
        job.result()


def test_provenance_names_the_machine():
    found = FakeVendor().run(bell(), shots=10).provenance
    assert (found.simulator, found.version, found.shots, found.seed) == ("fake vendor", "7", 10, None)
    assert (found.sampler, found.run_s) == ("native", 0.5)
    assert found.build_s > 0
    assert FakeVendor().run(bell().to_openqasm3()).provenance.parse_s > 0


# ---------------------------------------------------------------------------- jobs


@pytest.fixture
def vendor() -> FakeVendor:
    """Jobs wait until they are told to go on."""
    vendor = FakeVendor(Terms(max_shots=10))
    vendor.at_once = False
    return vendor


def test_a_jobs_state_is_that_of_its_parts(vendor: FakeVendor):
    job = vendor.run_async([bell(), bell()], shots=[10, 5])
    first, second = vendor.runs
    assert (job.status(), job.progress(), job.done()) == (JobState.QUEUED, Progress(0, 2), False)
    first.now = JobState.RUNNING
    assert job.status() is JobState.RUNNING
    first.now = JobState.DONE
    assert (job.status(), job.progress()) == (JobState.RUNNING, Progress(1, 2))
    second.now = JobState.DONE
    assert (job.status(), job.progress(), job.done()) == (JobState.DONE, Progress(2, 2), True)
    assert job.result() == [{"00": 10}, {"00": 5}]


def test_a_job_that_has_its_result_asks_the_vendor_no_more(vendor: FakeVendor):
    vendor.at_once = True
    job = vendor.run_async(bell(), shots=10)
    assert job.result() == {"00": 10}
    asked = vendor.runs[0].asked
    assert (job.result(5), job.status(), job.progress()) == ({"00": 10}, JobState.DONE, Progress(1, 1))
    assert vendor.runs[0].asked == asked


def test_waiting_for_a_result_ends_in_time_and_leaves_the_job_alone(vendor: FakeVendor):
    job = vendor.run_async(bell(), shots=10)
    with pytest.raises(JobTimeout, match=r"no result after 0\.02 s; the job goes on"):
        job.result(0.02)
    assert job.status() is JobState.QUEUED
    vendor.runs[0].now = JobState.DONE
    assert job.result(5) == {"00": 10}


@pytest.mark.parametrize(("cancels", "end"), [(True, "was cancelled"), (False, "could not be cancelled")])
def test_a_run_past_its_deadline_is_cancelled_at_the_vendors(vendor: FakeVendor, cancels, end):
    vendor.cancels = cancels
    with pytest.raises(JobTimeout, match=rf"no result after 0\.02 s; the job job0\+job1 {end}") as caught:
        vendor.run(bell(), shots=15, timeout_s=0.02)
    assert caught.value.timeout_s == 0.02
    assert {run.now for run in vendor.runs} == {JobState.CANCELLED if cancels else JobState.QUEUED}


def test_an_interrupted_run_is_cancelled_at_the_vendors(vendor: FakeVendor, monkeypatch: pytest.MonkeyPatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("support.sdk.FakeRun.readings", interrupted)
    with pytest.raises(KeyboardInterrupt):
        vendor.run(bell(), shots=10)
    assert vendor.runs[0].now is JobState.CANCELLED


def test_a_job_cannot_have_a_deadline(vendor: FakeVendor):
    with pytest.raises(UnsupportedError, match="cancel the job when it is late"):
        vendor.run_async(bell(), timeout_s=5)
    assert not vendor.runs


def test_a_cancelled_job_says_so(vendor: FakeVendor):
    job = vendor.run_async(bell(), shots=15)
    vendor.runs[0].now = JobState.DONE
    assert job.cancel()
    assert [run.now for run in vendor.runs] == [JobState.DONE, JobState.CANCELLED]
    assert job.status() is JobState.CANCELLED
    with pytest.raises(JobCancelled, match="the job job1 of fake vendor was cancelled"):
        job.result()


def test_a_job_that_has_ended_cannot_be_cancelled(vendor: FakeVendor):
    vendor.at_once = True
    job = vendor.run_async(bell(), shots=10)
    assert not job.cancel()
    assert job.result() == {"00": 10}


def test_a_failed_job_says_what_the_vendor_said(vendor: FakeVendor):
    job = vendor.run_async(bell(), shots=10)
    vendor.runs[0].now, vendor.runs[0].failure = JobState.FAILED, ValueError("the fridge is warm")
    assert job.status() is JobState.FAILED
    for _ in range(2):
        with pytest.raises(SimulatorError, match="fake vendor failed: ValueError: the fridge is warm") as caught:
            job.result(5)
    assert caught.value.detail == "the fridge is warm"


def test_what_was_submitted_is_cancelled_when_the_rest_cannot_be(vendor: FakeVendor):
    vendor.fails_at = 1
    with pytest.raises(TransportError, match="fake vendor cannot be reached: the vendor hung up"):
        vendor.run(bell(), shots=15)
    assert vendor.runs[0].now is JobState.CANCELLED


@pytest.mark.parametrize(
    ("circuits", "shots", "job_id"),
    [
        (bell(), 10, "job0"),
        ([bell()], 10, "[job0]"),
        ([bell(), bell()], 10, "[job0@0.1]"),
        (bell(), 25, "job0@0.0+job1"),
        ([bell(), measured(1), bell()], [25, 10, 3], "[job0@0.0.1+job1+job2@2]"),
    ],
)
def test_a_job_is_found_again_by_its_id_whatever_it_became(circuits, shots, job_id):
    vendor = FakeVendor(Terms(max_shots=10))
    job = vendor.run_async(circuits, shots=shots)
    again = vendor.job(job.id)
    assert again.result() == job.result()
    assert type(again.result()) is type(job.result())
    assert again.id == job.id == job_id


def test_a_job_of_several_circuits_is_found_by_the_vendors_own_name():
    vendor = FakeVendor()
    vendor.run_async([bell(), measured(1)], shots=10)
    assert vendor.job("job0").result() == [{"00": 10}, {"0": 10}]


@pytest.mark.parametrize("job_id", ["nobody", "job0+nobody", "", "[]", "[job0", "job0+", "job0@", "job0@x", "job0@-1"])
def test_another_id_is_no_job(job_id):
    vendor = FakeVendor()
    vendor.run_async(bell())
    with pytest.raises(JobNotFound):
        vendor.job(job_id)
