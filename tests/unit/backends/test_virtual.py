from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

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


def deep(circuit, shots):
    return (
        {"0" * circuit.num_clbits: 1} if shots == 1 else NESTED.run(circuit, shots=shots - 1).to_dict() | {"00": shots}
    )


NESTED = VirtualBackend(deep)


def test_a_function_may_run_circuits_on_its_own_backend():
    assert NESTED.run(bell(), shots=20) == {"00": 20}
    assert NESTED.run_async(bell(), shots=20).result(60) == {"00": 20}


def test_a_function_that_calls_itself_for_ever_fails():
    def endless(circuit, shots):
        return backend.run(circuit, shots=shots)

    backend = VirtualBackend(endless)
    with pytest.raises(SimulatorError, match="RecursionError"):
        backend.run(bell())
    assert backend._turns.holder is None


def in_a_thread(backend):
    results = []
    thread = threading.Thread(target=lambda: results.append(error_of(backend)))
    thread.start()
    thread.join()
    raise results[0]


def error_of(backend):
    try:
        backend.run(bell())
    except SimulatorError as exc:
        return exc


def in_a_pool(backend):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(backend.run, bell()).result()


def in_a_pool_that_is_left(backend):
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(backend.run, bell())
    future.result()


@pytest.mark.parametrize(
    "calls",
    [
        in_a_thread,
        in_a_pool,
        in_a_pool_that_is_left,
        lambda backend: backend.run_async(bell()).result(),
        lambda backend: asyncio.run(asyncio.to_thread(backend.run, bell())),
    ],
    ids=["thread", "future", "pool", "job", "asyncio"],
)
def test_a_function_that_waits_for_its_own_backend_in_another_thread_is_refused(calls):
    def run_func(circuit, shots):
        if shots == 1:
            return {"00": 1}
        calls(backend)
        raise AssertionError("the run in the other thread was refused")

    backend = VirtualBackend(run_func, name="mine")
    with pytest.raises(SimulatorError, match="mine waits for a run of its own backend in another thread"):
        backend.run(bell(), shots=2)
    assert backend.run(bell(), shots=1) == {"00": 1}


def test_runs_of_other_threads_wait_for_their_turn():
    order, begun, go_on = [], threading.Event(), threading.Event()

    def run_func(circuit, shots):
        order.append(shots)
        begun.set()
        assert go_on.wait(60)
        order.append(shots)
        return {"00": shots}

    backend = VirtualBackend(run_func)
    jobs = [backend.run_async(bell(), shots=1)]
    assert begun.wait(60)
    jobs += [backend.run_async(bell(), shots=shots) for shots in (2, 3)]
    threading.Timer(0.5, go_on.set).start()
    assert [job.result(60).shots for job in jobs] == [1, 2, 3]
    assert order[::2] == order[1::2]


@pytest.mark.parametrize("number", [2, 5])
def test_functions_that_wait_for_each_other_in_several_threads_end_and_only_one_is_refused(number):
    began = threading.Barrier(number)
    backends = []

    def calling(index):
        def run(circuit, shots):
            if shots > 1:
                began.wait(30)
                backends[(index + 1) % number].run(circuit, shots=1)
            return zeros(circuit, shots)

        return run

    backends += [VirtualBackend(calling(index), name=f"function {index}") for index in range(number)]
    with ThreadPoolExecutor(number) as threads:
        runs = [threads.submit(backend.run, bell(), shots=2) for backend in backends]
        errors = [run.exception(30) for run in runs]
    assert [type(error) for error in errors if error is not None] == [SimulatorError]
    assert "run circuits on each other's backends" in str(next(filter(None, errors)))
