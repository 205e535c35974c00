from __future__ import annotations

import threading

import pytest
from support.circuits import bell

from gateway import VirtualBackend
from gateway.errors import CircuitInvalidError, SimulatorError, UnsupportedError
from gateway.version import __version__


def zeros(circuit, shots):
    return {"0" * circuit.num_clbits: 1.0 if shots is None else shots}


def test_a_function_runs_here_with_provenance():
    with VirtualBackend(zeros, name="mine", version="1.2") as backend:
        counts = backend.run(bell(), shots=10)
    assert counts == {"00": 10}
    assert (counts.provenance.simulator, counts.provenance.version) == ("mine", "1.2")
    assert (counts.provenance.shots, counts.provenance.gateway_version) == (10, __version__)
    assert counts.provenance.run_s > 0


def test_text_and_lists_are_taken_and_the_function_sees_circuits():
    seen = []

    def run_func(circuit, shots):
        seen.append((circuit, shots))
        return zeros(circuit, shots)

    found = VirtualBackend(run_func).run([bell().to_openqasm3(), bell()], shots=[3, 4])
    assert found == [{"00": 3}, {"00": 4}]
    assert seen == [(bell(), 3), (bell(), 4)]


def test_without_shots_the_function_gives_probabilities():
    assert VirtualBackend(zeros).run(bell(), shots=None) == {"00": 1.0}


def test_the_token_and_the_seed_reach_a_function_that_takes_them():
    seen = []

    def run_func(circuit, shots, token, seed=None):
        seen.append((token, seed))
        return zeros(circuit, shots)

    VirtualBackend(run_func, token="t").run([bell()] * 2, seed=5)  # noqa: S106
    assert seen == [("t", 5), ("t", 6)]
    with pytest.raises(UnsupportedError, match="cannot be seeded"):
        VirtualBackend(zeros).run(bell(), seed=1)


def test_what_the_function_returns_is_held_to_the_contract():
    with pytest.raises(SimulatorError, match="9 outcomes for 10 shots") as caught:
        VirtualBackend(lambda circuit, shots: {"00": shots - 1}).run([bell()], shots=10)
    assert caught.value.circuit == 0
    with pytest.raises(SimulatorError, match=r"function failed: ZeroDivisionError"):
        VirtualBackend(lambda circuit, shots: {"00": 1 // 0}).run(bell())


def test_a_broken_circuit_never_reaches_the_function():
    broken = bell()
    broken.num_clbits = 1
    with pytest.raises(CircuitInvalidError, match="clbit 1"):
        VirtualBackend(lambda circuit, shots: pytest.fail("it was called")).run(broken)


def test_a_deadline_is_refused_because_the_function_cannot_be_stopped():
    with pytest.raises(UnsupportedError, match="serve the function with a BackendServer") as caught:
        VirtualBackend(zeros).run(bell(), timeout_s=5)
    assert caught.value.feature == "timeout_s"


def test_calls_of_several_jobs_never_overlap():
    inside = threading.Semaphore(1)
    all_begun = threading.Event()

    def run_func(circuit, shots):
        assert inside.acquire(blocking=False)
        all_begun.wait(60)  # the first call stays inside until the others could come
        inside.release()
        return zeros(circuit, shots)

    with VirtualBackend(run_func) as backend:
        jobs = [backend.run_async(bell(), shots=k) for k in range(1, 6)]
        all_begun.set()
        assert [job.result(10) for job in jobs] == [{"00": k} for k in range(1, 6)]


def test_the_ping_function_is_its_status():
    status = VirtualBackend(zeros, ping_func=lambda: "calibrating", name="mine").status()
    assert (status.name, status.online, status.message) == ("mine", True, "calibrating")
    assert not VirtualBackend(zeros, ping_func=lambda: False).status().online
    assert not VirtualBackend(zeros).capabilities().seedable


def test_a_function_of_one_argument_is_refused():
    with pytest.raises(TypeError, match=r"run_func takes \(circuit, shots\)"):
        VirtualBackend(lambda circuit: {})
