from __future__ import annotations

import msgspec
import pytest
from support.circuits import bell
from support.fakes import NumpyAdapter, ZeroAdapter

from adapters import base
from adapters.base import measured_clbits
from gateway.circuit import Circuit, parameter
from gateway.circuit.points import Points
from gateway.counts import Counts
from gateway.errors import CircuitInvalidError, LimitError, OutOfMemory, RequestError, SimulatorError, UnsupportedError
from gateway.resources import Resources
from gateway.results import ResultType, Sampling


def test_run_reports_counts_and_where_they_come_from():
    result = ZeroAdapter().run(bell(), shots=7, seed=5)
    assert (result, result.width) == ({"00": 7}, 2)
    assert (result.provenance.simulator, result.provenance.version) == ("zero", "1.0")
    assert (result.provenance.seed, result.provenance.shots, result.provenance.sampler) == (5, 7, "native")


def test_build_sees_only_native_gates_and_measurements():
    adapter = ZeroAdapter()
    adapter.run(Circuit(3).h(0).ccx(0, 1, 2).barrier().measure_all(), shots=1)
    names = {op.name for op in adapter.built[0].operations}
    assert names <= {"u", "cx", "gphase", "barrier", "measure"}


def test_seed_is_drawn_and_reported_when_none_is_given():
    seeds = {ZeroAdapter().run(bell(), shots=1).provenance.seed for _ in range(4)}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**32 for seed in seeds)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range_is_refused(seed):
    with pytest.raises(RequestError, match="below 2\\*\\*32"):
        ZeroAdapter().run(bell(), shots=1, seed=seed)


@pytest.mark.parametrize("shots", [0, -1])
def test_shots_below_1_are_refused(shots):
    with pytest.raises(RequestError, match="at least 1"):
        ZeroAdapter().run(bell(), shots=shots)


class TooNarrow(ZeroAdapter):
    def sample(self, native, *, shots, seed):
        return Counts({"0": shots})


class Ragged(ZeroAdapter):
    def sample(self, native, *, shots, seed):
        return Counts.trusted({"0": shots - 1, "00": 1}, 2)


class LosesAShot(ZeroAdapter):
    def sample(self, native, *, shots, seed):
        return Counts({"00": shots - 1})


@pytest.mark.parametrize(
    ("adapter", "match"),
    [(TooNarrow, "bitstrings of 1 bits for 2 clbits"), (Ragged, "bitstrings"), (LosesAShot, "6 outcomes for 7 shots")],
)
def test_simulator_that_breaks_the_contract_is_found_out(adapter, match):
    with pytest.raises(SimulatorError, match=match) as caught:
        adapter().run(bell(), shots=7)
    assert (caught.value.simulator, caught.value.version) == ("zero", "1.0")


class Raises(ZeroAdapter):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def sample(self, native, *, shots, seed):
        raise self.error


def test_what_the_framework_raises_becomes_a_simulator_error_with_its_words():
    cause = KeyError("no such gate")
    with pytest.raises(SimulatorError, match="zero failed: KeyError: 'no such gate'") as caught:
        Raises(cause).run(bell(), shots=1)
    assert caught.value.__cause__ is cause
    assert caught.value.detail == "'no such gate'"


@pytest.mark.parametrize("error", [MemoryError(), ImportError("x.so: cannot map zero-fill pages")])
def test_running_out_of_memory_is_an_error_of_its_own(error: Exception):
    with pytest.raises(OutOfMemory, match="ran out of memory"):
        Raises(error).run(bell(), shots=1)


def test_own_errors_pass_as_they_are():
    error = UnsupportedError("cannot", feature="this")
    with pytest.raises(UnsupportedError) as caught:
        Raises(error).run(bell(), shots=1)
    assert caught.value is error


def test_result_type_that_is_not_declared_is_refused_by_name():
    with pytest.raises(UnsupportedError, match="zero does not have the result type probabilities") as caught:
        ZeroAdapter().run(bell(), shots=None)
    assert caught.value.feature == "probabilities"


@pytest.mark.parametrize(("shots", "kind"), [(None, ResultType.COUNTS), (5, ResultType.PROBABILITIES)])
def test_shots_belong_to_counts_and_to_nothing_else(shots, kind):
    with pytest.raises(RequestError) as caught:
        NumpyAdapter().run(bell(), shots=shots, result=kind)
    assert caught.value.field == "shots"


def test_circuit_that_measures_nothing_is_refused_before_anything_is_built():
    adapter = ZeroAdapter()
    with pytest.raises(CircuitInvalidError, match="measure_all"):
        adapter.run(Circuit(2).h(0), shots=1)
    assert not adapter.built


def uniform(num_qubits):
    circuit = Circuit(num_qubits)
    for qubit in range(num_qubits):
        circuit.h(qubit)
    return circuit.measure_all()


@pytest.mark.parametrize("sampling", Sampling, ids=str)
def test_state_too_large_for_the_memory_is_refused_with_the_number_that_fits(monkeypatch, sampling):
    monkeypatch.setattr(base, "available_bytes", lambda: 64 * 2**18 + 5)
    adapter = NumpyAdapter()
    with pytest.raises(LimitError, match="at most 18") as caught:
        adapter.run(uniform(19), shots=1, sampling=sampling)
    assert (caught.value.limit, caught.value.requested, caught.value.allowed) == ("qubits", 19, 18)
    assert not adapter.builds


def test_branches_of_a_dynamic_circuit_are_counted_into_the_memory(monkeypatch):
    monkeypatch.setattr(base, "available_bytes", lambda: 64 * 2**18)
    circuit = uniform(18)
    circuit.h(0).measure(0, 0)  # the first measurement is cut off: the state that a branch begins with is kept
    with pytest.raises(LimitError, match="at most 17"):
        NumpyAdapter().run(circuit, shots=1)


def test_small_states_are_not_held_against_the_memory(monkeypatch):
    monkeypatch.setattr(base, "available_bytes", lambda: 0)
    assert NumpyAdapter().run(bell(), shots=3).shots == 3


def test_a_run_keeps_to_the_memory_it_was_given():
    adapter = NumpyAdapter()
    adapter.use(Resources(memory=64 * 2**20 + 64 * 2**17))
    with pytest.raises(LimitError, match="at most 17") as caught:
        adapter.run(uniform(18), shots=1)
    assert caught.value.allowed == 17
    adapter.use(Resources())
    assert adapter.run(uniform(18), shots=1).shots == 1


def test_the_provenance_says_how_many_threads_a_simulator_could_use(monkeypatch):
    adapter = NumpyAdapter()
    adapter.use(Resources(threads=3))
    assert adapter.run(bell(), shots=1).provenance.threads == 1
    threaded = msgspec.structs.replace(NumpyAdapter.capabilities, threads=True)
    monkeypatch.setattr(NumpyAdapter, "capabilities", threaded)
    assert adapter.run(bell(), shots=1).provenance.threads == 3


def test_later_measurement_wins_a_clbit():
    assert measured_clbits(Circuit(2, 1).measure(0, 0).measure(1, 0).operations) == {0: 1}


class Rebinding(NumpyAdapter):
    """Rebinds what it has built."""

    shares_points = True

    def __init__(self) -> None:
        super().__init__()
        self.rebound: list[tuple[Circuit, Circuit, tuple[int, ...]]] = []

    def rebind(self, native, circuit, changed):
        self.rebound.append((native, circuit, changed))
        return circuit


def test_a_circuit_is_built_once_for_all_points_and_rebound_at_the_others():
    adapter = Rebinding()
    circuit = Circuit(1, 1).h(0).rx(parameter("a"), 0).measure(0, 0)
    results = list(adapter.run_points(circuit, Points({"a": [0.1, 0.2, 0.3]}, 3), shots=None))
    assert adapter.builds == 1
    gates = [Circuit(1, 0, circuit.bind(a=value).operations[:2]) for value in (0.1, 0.2, 0.3)]
    assert adapter.rebound == [(gates[0], gates[1], (1,)), (gates[1], gates[2], (1,))]
    assert results == [adapter.run(circuit.bind(a=value), shots=None) for value in (0.1, 0.2, 0.3)]


def test_what_no_parameter_changes_is_built_once_and_not_rebound():
    adapter = Rebinding()
    circuit = Circuit(2, 2).h(0).measure(0, 0).rx(parameter("a"), 1, when={0: 1}).measure(1, 1)
    list(adapter.run_points(circuit, Points({"a": [0.1, 0.2]}, 2), shots=None))
    assert [changed for _, _, changed in adapter.rebound] == [(0,)]


def test_a_sweep_is_checked_before_its_first_point():
    adapter = ZeroAdapter()
    sweep = adapter.run_points(bell().rx(parameter("a"), 0), Points({"a": [0.1]}, 1), shots=None)
    with pytest.raises(UnsupportedError, match="probabilities"):
        next(sweep)
    assert not adapter.built


def test_an_adapter_that_shares_nothing_gets_numbers_at_each_point():
    adapter = ZeroAdapter()
    circuit = Circuit(1, 1).h(0).rx(parameter("a"), 0).measure(0, 0)
    results = list(adapter.run_points(circuit, Points({"a": [0.1, 0.2]}, 2), shots=5, seed=1))
    assert results == [{"0": 5}, {"0": 5}]
    alone = ZeroAdapter()
    for point, value in enumerate((0.1, 0.2)):
        alone.run(circuit.bind(a=value), shots=5, seed=1 + point)
    assert adapter.built == alone.built
