from __future__ import annotations

from support.reference import unitary

from gateway.circuit import Circuit
from gateway.compare.hunting.culprits import culprits, written_out
from gateway.compare.hunting.scope import Scope
from gateway.results import CLIFFORD, Capabilities

CLIFFORD_SCOPE = Scope.of(Capabilities(result_types=(), gates=CLIFFORD))


def has(*names: str):
    """Return a predicate of circuits that have all these gates, as if a fault showed only where they are together."""
    return lambda circuit: set(names) <= {op.name for op in circuit.operations}


def test_the_gate_that_makes_the_difference_is_the_culprit():
    circuit = Circuit(2).h(0).rzx(0.7, 0, 1).swap(0, 1)
    assert culprits(circuit, Scope(), has("rzx")) == ("rzx",)


def test_gates_that_are_wrong_only_together_are_all_culprits():
    circuit = Circuit(2).h(0).rzx(0.7, 0, 1).swap(0, 1)
    assert culprits(circuit, Scope(), has("rzx", "swap")) == ("rzx", "swap")


def test_gates_that_hide_each_other_are_culprits_together():
    def shows(circuit: Circuit) -> bool:
        return not {"h", "swap"}.isdisjoint({op.name for op in circuit.operations})

    assert culprits(Circuit(2).h(0).swap(0, 1), Scope(), shows) == ("h", "swap")


def test_a_difference_that_no_gate_makes_has_no_culprit():
    circuit = Circuit(1, 1).h(0).measure(0, 0).reset(0)
    assert culprits(circuit, Scope(), lambda _: True) == ()


def test_the_simplest_gates_cannot_be_written_simpler():
    assert culprits(Circuit(2).u(1.0, 2.0, 3.0, 0).cx(0, 1), Scope(), lambda _: True) == ()


def test_a_circuit_is_the_same_with_gates_written_out():
    circuit = Circuit(3).h(0).ccx(0, 1, 2).rzx(0.7, 2, 0)
    written = written_out(circuit, {"ccx"}, Scope())
    assert {op.name for op in written.operations} == {"h", "rzx", "u", "cx"}
    assert abs(unitary(written) - unitary(circuit)).max() < 1e-12


def test_conditions_stay_with_what_is_written_out():
    circuit = Circuit(2, 1).measure(0, 0).swap(0, 1, when={0: 1})
    written = written_out(circuit, {"swap"}, Scope())
    assert {op.condition for op in written.operations if op.name == "cx"} == {circuit.operations[1].condition}


def test_gates_of_a_clifford_simulator_are_written_in_its_own():
    circuit = Circuit(2).iswap(0, 1)
    written = written_out(circuit, {"iswap"}, CLIFFORD_SCOPE)
    assert {op.name for op in written.operations} <= {"h", "s", "cx", "sdg", "x", "z", "gphase"}
    assert abs(unitary(written) - unitary(circuit)).max() < 1e-12


def test_what_cannot_be_written_out_is_said():
    poor = Scope.of(Capabilities(result_types=(), gates=("swap",)))
    assert written_out(Circuit(2).swap(0, 1), {"swap"}, poor) is None
