"""The operation after which two simulators differ is found."""

from __future__ import annotations

import numpy as np
import pytest
from support.circuits import random_circuit
from support.faulty import Right, faulty
from support.planted import Raising, long_circuit

from gateway.circuit import Circuit
from gateway.compare.exact import statevector
from gateway.compare.reproducer import locate, reduce
from gateway.compare.reproducer.judge import Judge
from gateway.compare.reproducer.location import _Prefixes, _search
from gateway.counts import Statevector
from gateway.errors import JobTimeout, RequestError, SimulatorError, UnsupportedError
from gateway.results import Capabilities, ResultType


def index_of(circuit: Circuit, name: str) -> int:
    return [op.name for op in circuit.operations].index(name)


@pytest.mark.parametrize(("gate", "has_exact"), [("rz", True), ("cp", True), ("sx", True), ("ccx", False)])
def test_the_first_wrong_gate_is_found(gate: str, has_exact: bool):
    circuit = long_circuit(3)
    located = locate(circuit, faulty(f"gate-replaced:{gate}", exact=has_exact), seed=1)
    assert located.index == index_of(circuit, gate)
    assert located.operation == circuit.operations[located.index]
    assert located.circuit.operations[: located.length] == circuit.operations[: located.length]
    assert str(located).startswith(f"they differ after operation {located.index}: {gate}")
    assert located.how == ("exact results" if has_exact else "samples")


def test_a_phase_is_seen_in_another_basis():
    circuit = Circuit(1).h(0).h(0).h(0).rz(0.3, 0).rx(0.1, 0).measure_all()
    assert locate(circuit, faulty("angle-negated:rz")).index == 3


def test_a_wrong_measurement_is_found_where_it_is():
    circuit = Circuit(2, 2).x(0).measure(0, 0).x(0).measure(0, 0).measure(1, 1)
    assert locate(circuit, faulty("first-write-kept")).index == 3


def test_simulators_can_differ_before_any_operation():
    located = locate(Circuit(2).h(0).measure_all(), faulty("clbit-stuck", clbit=0, value=1))
    assert (located.length, located.index, located.operation) == (0, None, None)
    assert str(located).startswith("they differ before any operation, in what they measure")


def test_the_operation_that_makes_a_simulator_fail_is_found():
    circuit = long_circuit(0)
    located = locate(circuit, Raising(gate="swap", after="dcx"), Right(), seed=1)
    assert located.operation is not None
    assert located.operation.name == "swap"
    assert located.how == "an error"


def test_a_difference_that_comes_and_goes_is_found_where_it_comes():
    circuit = Circuit(1).x(0).x(0).h(0).h(0).x(0).id(0).measure_all()
    assert locate(circuit, faulty("gate-dropped:x")).index in {0, 4}


def test_an_answer_that_is_not_confirmed_is_looked_for_again_one_operation_at_a_time():
    class Fooled(Judge):
        """Sees a difference from the eighth operation on; whoever looks twice sees it from the third on."""

        how = "guesses"
        first = 8

        def confirming(self):
            judge = Fooled()
            judge.first = 3
            return judge

        def _judge(self, circuits):
            return [circuit.count_ops().get("x", 0) >= self.first for circuit in circuits]

    circuit = Circuit(1)
    for _ in range(40):
        circuit.x(0)
    assert _search(_Prefixes(circuit, with_states=False), Fooled()) == 3


def test_right_simulators_have_nothing_to_locate():
    with pytest.raises(RequestError, match="agree"):
        locate(random_circuit(1, 3, 20).measure_all(), Right(), seed=1)


def test_the_time_is_kept():
    with pytest.raises(JobTimeout, match="not found within 0 s"):
        locate(long_circuit(3), faulty("gate-dropped:h"), seconds=0)


class WithStates(Right):
    """Has state vectors too: those of the circuit without some gates."""

    def __init__(self, *without: str) -> None:
        super().__init__()
        self.without = without
        self.measured = 0

    def capabilities(self) -> Capabilities:
        return Capabilities(result_types=tuple(ResultType(kind) for kind in ("counts", "probabilities", "statevector")))

    def operations(self, circuit):
        return [op for op in circuit.operations if op.name not in self.without]

    def send(self, request):
        if request.result is not ResultType.STATEVECTOR:
            self.measured += len(request.circuit_list())
            return super().send(request)
        return [
            Statevector(np.exp(0.4j) * statevector(Circuit(circuit.num_qubits, 0, self.operations(circuit))))
            for circuit in request.circuit_list()
        ]


def test_states_are_compared_where_both_have_them_whatever_their_global_phase():
    circuit = Circuit(2).h(0).cx(0, 1).rz(0.3, 0).rx(0.2, 1).h(0).measure_all()
    simulator = WithStates("rz")
    assert locate(circuit, simulator).operation == circuit.operations[2]
    assert simulator.measured <= 4  # of the whole circuit, which measures
    assert locate(Circuit(2).h(0).cx(0, 1).cz(0, 1), WithStates("cz")).index == 2
    with pytest.raises(RequestError, match="agree"):
        locate(circuit, WithStates())


class Dead(Right):
    """Fails at a gate, or whatever it is given, and counts how often it was asked."""

    def __init__(self, gate: str = "") -> None:
        super().__init__(name="dead")
        self.gate, self.asked = gate, 0

    def send(self, request):
        self.asked += 1
        if not self.gate or any(self.gate in circuit.count_ops() for circuit in request.circuit_list()):
            raise SimulatorError("the engine is off: \x1b[31mred\nand more")
        return super().send(request)


def test_a_simulator_that_always_fails_is_asked_a_few_times():
    simulator = Dead()
    located = locate(random_circuit(1, 3, 200).measure_all(), simulator, seed=1)
    assert located.length == 0
    assert simulator.asked <= 5
    assert str(located) == "they differ before any operation: dead fails: the engine is off: \x1b[31mred"
    assert located.error.endswith("\nand more")


def test_where_a_simulator_begins_to_fail_it_is_asked_about_one_circuit_at_a_time():
    simulator = Dead("ccz")
    circuit = Circuit(3)
    for _ in range(100):
        circuit.h(0).cx(0, 1)
    located = locate(circuit.ccz(0, 1, 2).measure_all(), simulator, seed=1)
    assert located.index == 200
    assert simulator.asked <= 14
    assert "ccz" in str(located)
    assert "(dead fails: the engine is off" in str(located)


def test_the_name_of_the_one_that_fails_is_the_callers():
    located = locate(Circuit(1).h(0).measure_all(), Dead("h"), names=("left", "right"))
    assert located.error.startswith("left fails: ")


def test_a_circuit_with_loops_is_not_taken_apart():
    circuit = Circuit(1, 1).h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end()
    for search, what in ((locate, "taken apart"), (reduce, "reduced")):
        with pytest.raises(UnsupportedError, match=f"loops, assignments or hidden clbits cannot be {what}") as info:
            search(circuit, Right(), Right())
        assert info.value.operation == 2
