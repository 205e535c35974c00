"""Circuits that another framework's interface runs together, each with an outcome or an error of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from support.fake import Does, fake
from support.raw import Server

from gateway.backends import batch
from gateway.backends.base import Backend
from gateway.backends.batch import NOTHING_MEASURED, Batch, KeptBatch, QuickBatch, Sweep, converted, run_together, start
from gateway.backends.client import BackendClient
from gateway.backends.virtual import VirtualBackend
from gateway.circuit import Circuit
from gateway.circuit.expressions import parameter
from gateway.counts import Counts
from gateway.errors import (
    CircuitInvalidError,
    GatewayError,
    JobCancelled,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    UnsupportedError,
)
from gateway.observables import PauliSum
from gateway.results import JobState


@pytest.fixture(scope="module")
def machine(fake_server: Server) -> Iterator[Backend]:
    """A server that takes at most 10 circuits, 10,000 shots and a MiB at once; see support/fake.py."""
    with BackendClient("127.0.0.1", fake_server.port) as client:
        yield client


@pytest.fixture(scope="module")
def real_server(qulacs_server: Server) -> Iterator[Backend]:
    with BackendClient("127.0.0.1", qulacs_server.port) as client:
        yield client


def echo(amount: int, clbits: int = 3) -> Circuit:
    return fake(Does.ECHO, amount, clbits=clbits)


def test_each_circuit_has_its_outcome_or_its_error(machine: Backend):
    refused = UnsupportedError("operation 0: mystery: it is unknown", feature="mystery")
    batch = Batch(machine, [echo(1), refused, fake(Does.RAISE), echo(2)], [5] * 4)
    first, second, third, fourth = batch.outcomes()
    assert (first, fourth) == ({"001": 5}, {"010": 5})
    assert second is refused
    assert isinstance(third, SimulatorError)
    assert batch.status() is JobState.DONE
    assert batch.error() is None


def test_a_batch_without_any_outcome_has_failed(machine: Backend):
    batch = Batch(machine, [fake(Does.RAISE), fake(Does.RAISE)], [5, 5])
    assert isinstance(batch.error(), SimulatorError)
    assert batch.status() is JobState.FAILED
    nothing_to_run = Batch(machine, [refused := GatewayError("no")], [5])
    assert nothing_to_run.error() is refused
    assert nothing_to_run.status() is JobState.FAILED


def test_an_empty_batch_is_done(machine: Backend):
    batch = Batch(machine, [], [])
    assert batch.outcomes() == []
    assert batch.status() is JobState.DONE
    assert batch.cancel() is False


def test_more_circuits_than_a_server_takes_are_several_requests_in_order(machine: Backend):
    batch = Batch(machine, [echo(k, clbits=5) for k in range(23)], [k + 1 for k in range(23)], seed=2**32 - 12)
    assert batch.outcomes() == [{f"{k:05b}": k + 1} for k in range(23)]
    assert len(batch._parts) == 3


def test_circuits_that_are_too_large_together_are_several_requests(machine: Backend):
    circuits = [Circuit(1, 3, [*echo(k).operations, *Circuit(1).h(0).operations * 30_000]) for k in range(4)]
    batch = Batch(machine, circuits, [2] * 4)
    assert batch.outcomes() == [{f"{k:03b}": 2} for k in range(4)]
    assert len(batch._parts) > 1


def test_too_many_shots_are_the_error_of_their_circuit_alone(machine: Backend):
    batch = Batch(machine, [echo(1), echo(2), echo(3)], [5, 10_001, 6])
    first, second, third = batch.outcomes()
    assert (first, third) == ({"001": 5}, {"011": 6})
    assert isinstance(second, LimitError)
    assert (second.limit, second.allowed) == ("max_shots", 10_000)
    assert isinstance(Batch(machine, [echo(1)], [10_001]).error(), LimitError)


def test_a_wait_that_is_too_short_can_be_repeated(machine: Backend):
    batch = Batch(machine, [fake(Does.SLEEP, 1)], [1])
    with pytest.raises(JobTimeout, match=r"0\.01 s"):
        batch.outcomes(0.01)
    assert len(batch.outcomes()) == 1


def test_a_batch_can_be_cancelled(machine: Backend):
    batch = Batch(machine, [fake(Does.SLEEP, 15)], [1])
    assert batch.status() in {JobState.QUEUED, JobState.RUNNING}
    assert batch.cancel()
    assert batch.status() is JobState.CANCELLED
    with pytest.raises(JobCancelled, match="the job was cancelled"):
        batch.raise_if_cancelled()


def test_what_has_been_sent_is_cancelled_if_the_rest_is_refused(machine: Backend, monkeypatch: pytest.MonkeyPatch):
    jobs = []

    def run_async(circuits: list[Circuit], **options: object) -> object:
        if jobs and options["shots"] is None:
            raise UnsupportedError("no exact results", feature="probabilities")
        jobs.append(BackendClient.run_async(machine, circuits, **options))
        return jobs[-1]

    monkeypatch.setattr(machine, "run_async", run_async)
    with pytest.raises(UnsupportedError, match="no exact results"):
        Batch(machine, [fake(Does.SLEEP, 15), echo(1)], [1, None])
    assert [job.status() for job in jobs] == [JobState.CANCELLED]


def test_a_conversion_that_refuses_one_source_goes_on_with_the_next():
    def parse(source: int) -> Circuit:
        if source == 1:
            raise CircuitInvalidError("source 1 is odd", rule="even")
        return Circuit(source)

    first, second, third = converted(parse, range(3))
    assert (first, third) == (Circuit(0), Circuit(2))
    assert isinstance(second, CircuitInvalidError)


# ---------------------------------------------------------------------------- nothing measured


def test_a_circuit_that_measures_nothing_has_its_clbits_as_they_were():
    received = []

    def run_func(circuit: Circuit, shots: int | None) -> dict[str, float]:
        received.append(circuit)
        ones = 0.25 if shots is None else shots // 4
        return {
            "1" + "0" * (circuit.num_clbits - 1): ones,
            "0" * circuit.num_clbits: 1 - ones if shots is None else shots - ones,
        }

    machine = VirtualBackend(run_func)
    circuits = [Circuit(2, 2).h(0), Circuit(0, 0), Circuit(3, 1)]
    sampled = Batch(machine, circuits, [8] * 3).outcomes()
    assert sampled == [{"00": 8}, {"": 8}, {"0": 8}]
    assert [type(counts) for counts in sampled] == [Counts] * 3
    assert [counts.width for counts in sampled] == [2, 0, 1]
    assert [counts.provenance.shots for counts in sampled] == [8] * 3
    assert Batch(machine, circuits, [None] * 3).outcomes() == [{"00": 1.0}, {"": 1.0}, {"0": 1.0}]
    assert received[0] == Circuit(2, 3).h(0).measure(0, 2)
    assert received[0].notes == (NOTHING_MEASURED,)
    assert circuits[0] == Circuit(2, 2).h(0), "the caller's circuit is not changed"


def test_a_kept_job_is_read_as_the_batch_that_started_it(real_server: Backend):
    batch = Batch(real_server, [Circuit(1, 2).x(0), Circuit(1, 1).x(0).measure(0, 0)], [3, 3])
    kept = KeptBatch(real_server.job(batch.id))
    assert batch.outcomes() == kept.outcomes() == [{"00": 3}, {"1": 3}]
    assert [NOTHING_MEASURED in counts.provenance.notes for counts in kept.outcomes()] == [True, False]
    assert (kept.id, kept.status(), kept.cancel()) == (batch.id, JobState.DONE, False)


def test_machines_that_run_a_job_as_one_give_its_error_to_each_circuit():
    def run_func(circuit: Circuit, shots: int | None) -> dict[str, int]:
        raise OSError("the fridge is warm")

    first, second = Batch(VirtualBackend(run_func), [echo(1), echo(2)], [1, 1]).outcomes()
    assert isinstance(first, SimulatorError)
    assert first is second


# ---------------------------------------------------------------------------- without a job


def test_circuits_run_together_without_a_job(machine: Backend):
    circuits = [echo(k, clbits=5) for k in range(23)]
    assert run_together(machine, circuits, [2] * 23) == [{f"{k:05b}": 2} for k in range(23)]
    with pytest.raises(SimulatorError, match="fake"):
        run_together(machine, [echo(1), fake(Does.RAISE)], [1, 1])
    with pytest.raises(LimitError, match="max_shots"):
        run_together(machine, [echo(1), echo(2)], [1, 10_001])


def test_short_circuits_of_which_one_fails_have_outcomes_as_well(machine: Backend):
    running = start(machine, [echo(1), fake(Does.RAISE), echo(2)], [5] * 3)
    assert isinstance(running, QuickBatch)
    first, second, third = running.outcomes()
    assert (first, third) == ({"001": 5}, {"010": 5})
    assert isinstance(second, SimulatorError)
    assert (running.status(), running.error()) == (JobState.DONE, None)


def test_a_short_circuit_that_fails_runs_once(machine: Backend, monkeypatch: pytest.MonkeyPatch):
    sent = []
    send = BackendClient.send
    monkeypatch.setattr(BackendClient, "send", lambda self, request: sent.append(request) or send(self, request))
    running = start(machine, [fake(Does.RAISE)], [5])
    assert isinstance(running.error(), SimulatorError)
    assert running.status() is JobState.FAILED
    assert len(sent) == 1


def test_what_is_no_fault_of_a_circuit_is_raised(machine: Backend):
    running = start(machine, [echo(1), echo(2)], [1, 1], seed=1.5)
    with pytest.raises(RequestError, match="seed"):
        running.outcomes()
    assert running.status() is JobState.FAILED


@pytest.mark.parametrize(("circuit", "shots"), [(Circuit(23).h(0), 1), (Circuit(2).h(0), 10**7)])
def test_what_may_take_long_is_a_job(circuit: Circuit, shots: int):
    running = start(VirtualBackend(lambda one, shots: {"0" * one.num_clbits: shots}), [circuit] * 16, [shots] * 16)
    assert isinstance(running, Batch)
    assert running.outcomes() == [{"": shots}] * 16


# ---------------------------------------------------------------------------- sweeps


def swept(size: int) -> Sweep:
    circuit = Circuit(2, 2).rx(parameter("a"), 0).x(1).measure(0, 0).measure(1, 1)
    return Sweep(circuit, {"a": [math.pi * (point % 2) for point in range(size)]}, size)


@pytest.mark.parametrize("how", [Batch, QuickBatch])
def test_a_sweep_has_an_outcome_for_each_point(real_server: Backend, how: type[Batch | QuickBatch]):
    one = Circuit(1, 1).x(0).measure(0, 0)
    outcomes = how(real_server, [one, swept(3), one, swept(1)], [2, 5, 3, 4]).outcomes()
    assert outcomes == [{"1": 2}, {"10": 5}, {"11": 5}, {"10": 5}, {"1": 3}, {"10": 4}]


def test_the_same_sweep_may_come_twice(real_server: Backend):
    sweep = swept(2)
    assert run_together(real_server, [sweep, sweep], [1, 2]) == [{"10": 1}, {"11": 1}, {"10": 2}, {"11": 2}]


def test_points_have_the_seeds_that_circuits_would_have(real_server: Backend):
    circuit = Circuit(4, 4).rx(parameter("a"), 0).h(1).h(2).h(3).measure_all()
    angles = [0.1, 0.7, 2.0]
    sweep = Sweep(circuit, {"a": angles}, 3)
    bound = [circuit.bind(a=angle) for angle in angles]
    together = run_together(real_server, [sweep], [50], seed=2**32 - 2)
    assert together == run_together(real_server, bound, [50] * 3, seed=2**32 - 2)


def test_more_points_than_a_server_takes_are_several_requests(qulacs_server: Server, monkeypatch: pytest.MonkeyPatch):
    sent = []
    with BackendClient("127.0.0.1", qulacs_server.port) as client:
        run = client.run
        monkeypatch.setattr(client, "run", lambda circuit, **how: sent.append(how) or run(circuit, **how))
        monkeypatch.setattr(batch, "MOST_POINTS", 4)
        assert run_together(client, [swept(9)], [2]) == [{"10": 2}, {"11": 2}] * 4 + [{"10": 2}]
    assert [len(how["parameters"]["a"]) for how in sent] == [4, 4, 1]


def test_a_sweep_may_measure_nothing(real_server: Backend):
    sweep = Sweep(Circuit(1, 1).rx(parameter("a"), 0), {"a": [0.1, 0.2]}, 2)
    assert run_together(real_server, [sweep], [3]) == [{"0": 3}] * 2


def test_a_sweep_has_expectation_values(real_server: Backend):
    sweep = Sweep(Circuit(1).rx(parameter("a"), 0), {"a": [0.0, math.pi]}, 2)
    first, second = run_together(real_server, [sweep], [None], observables=[(PauliSum("Z").terms,)])
    assert [first.value, second.value] == pytest.approx([1, -1])
