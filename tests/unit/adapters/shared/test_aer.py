import threading

import pytest
from qiskit_aer.jobs import utils

from adapters.shared.aer import CallingThread, run_in_calling_thread
from gateway.circuit import Circuit
from gateway.results import Sampling
from gateway.simulators import SIMULATORS, load


def fail():
    raise KeyError("no such thing")


def test_work_is_done_where_it_is_submitted():
    assert CallingThread().submit(threading.current_thread).result() is threading.current_thread()


def test_an_exception_is_handed_on():
    with pytest.raises(KeyError, match="no such thing"):
        CallingThread().submit(fail).result()


@pytest.mark.parametrize("name", ["pytket", "qiskit"])
def test_a_run_on_aer_starts_no_thread(monkeypatch: pytest.MonkeyPatch, name):
    monkeypatch.setattr(utils, "DEFAULT_EXECUTOR", None)  # put back afterwards
    adapter = load(SIMULATORS[name].adapter)
    before = set(threading.enumerate())
    assert adapter.run(Circuit(1).x(0).measure_all(), shots=3) == {"1": 3}
    assert set(threading.enumerate()) <= before  # a thread of another test may have ended meanwhile


def test_aer_still_has_the_executor_that_is_replaced(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(utils, "DEFAULT_EXECUTOR", utils.DEFAULT_EXECUTOR)
    run_in_calling_thread()
    assert isinstance(utils.DEFAULT_EXECUTOR, CallingThread)


@pytest.mark.parametrize("name", ["pytket", "qiskit"])
def test_a_conditional_operation_on_which_nothing_depends_does_no_harm(name):
    circuit = Circuit(3, 2).x(0).measure(1, 1, when={0: 0}).x(2, when={1: 1})
    found = load(SIMULATORS[name].adapter).run(circuit, shots=7, sampling=Sampling.NATIVE)
    assert found == {"00": 7}
