"""Two simulators are searched only with arguments that can be meant."""

from __future__ import annotations

import pytest
from support.circuits import bell
from support.faulty import Right, faulty

from gateway.circuit import Circuit
from gateway.compare import locate, reduce
from gateway.compare.pair import CircuitLike
from gateway.errors import LimitError, RequestError, UnsupportedError

SEARCHES = pytest.mark.parametrize("search", [locate, reduce])


@SEARCHES
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shots", 0), ("shots", -5), ("shots", None), ("shots", "x"), ("shots", 1.5), ("shots", True),
        ("seed", -1), ("seed", 2**40), ("seed", 0.5), ("seconds", -1), ("seconds", "long"),
    ],
)  # fmt: skip
def test_an_argument_that_cannot_be_meant_is_refused_before_anything_runs(search, field: str, value: object):
    class Untouched(Right):
        def send(self, request):
            raise AssertionError("it was run")

    with pytest.raises(RequestError, match=f"^{field} must be") as caught:
        search(bell(), Untouched(), **{field: value})
    assert caught.value.field == field


class Limited(Right):
    """Takes few shots, as a server with limits does."""

    def send(self, request):
        if max(shots or 0 for shots in request.shots_list()) > 20_000:
            raise LimitError("too many shots", limit="max_shots", requested=30_000, allowed=20_000)
        return super().send(request)


@SEARCHES
@pytest.mark.parametrize("has_exact", [True, False], ids=["exact", "samples"])
def test_more_shots_than_a_server_allows_are_the_callers_fault(search, has_exact: bool):
    class Wrong(Limited):
        def operations(self, circuit):
            return [op for op in circuit.operations if op.name != "h"]

    if not (search is locate and has_exact):  # which draws none
        with pytest.raises(LimitError, match="too many shots"):
            search(bell(), Wrong(exact=has_exact), shots=30_000)
    assert search(bell(), Wrong(exact=has_exact), shots=10_000)  # locate confirms with more, if it may


@SEARCHES
def test_what_a_simulator_says_of_the_request_is_no_fault_of_it(search):
    class Strict(Right):
        def send(self, request):
            raise RequestError("shots must be even", field="shots")

    with pytest.raises(RequestError, match="shots must be even"):
        search(bell(), Strict(), shots=11)


@SEARCHES
@pytest.mark.parametrize("error", [UnsupportedError("no rx", feature="rx"), LimitError("too wide", limit="qubits")])
def test_a_simulator_that_refuses_a_circuit_does_not_differ(search, error: Exception):
    class Refusing(Right):
        def operations(self, circuit):
            if "rx" in circuit.count_ops():
                raise error
            return circuit.operations

    with pytest.raises(type(error), match=str(error)):
        search(Circuit(2).h(0).rx(0.3, 1).cx(0, 1).measure_all(), Refusing(), seed=1)


@SEARCHES
def test_a_simulator_that_takes_no_gate_after_a_measurement_may_agree(search):
    class Simple(Right):
        def operations(self, circuit):
            names = [op.name for op in circuit.operations]
            if "measure" in names and set(names[names.index("measure") :]) != {"measure"}:
                raise UnsupportedError("nothing may follow a measurement", feature="mid-circuit measurement")
            return circuit.operations

    for has_exact in (True, False):
        with pytest.raises(RequestError, match="agree"):
            search(bell(), Simple(exact=has_exact), seed=1)


def test_both_searches_see_what_shows_only_when_further_qubits_are_measured():
    circuit: CircuitLike = Circuit(2, 1).h(0).x(1).measure(0, 0)
    assert locate(circuit, faulty("gate-dropped:x"), seed=1).index == 1
    assert reduce(circuit, faulty("gate-dropped:x"), seed=1).operations == 1
