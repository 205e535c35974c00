from __future__ import annotations

from itertools import product
from math import pi

import numpy as np
import pytest
from support.simulation import assert_same_behaviour, unitary

from gateway.circuit import Circuit
from gateway.circuit.clifford import GENERATORS, TOLERANCE, tableau
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import first_unlowerable, lower
from gateway.errors import UnsupportedError
from gateway.results import CLIFFORD

TURNS = [k * pi / 2 for k in range(-5, 10)]
FEWEST = GENERATORS | {"gphase"}
SETS = [frozenset(CLIFFORD), FEWEST]
IDS = ["all", "fewest"]

PAULIS = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]


def is_clifford(matrix: np.ndarray) -> bool:
    """Say by brute force whether every product of Paulis becomes one, up to sign."""
    operators = PAULIS if len(matrix) == 2 else [np.kron(a, b) for a, b in product(PAULIS, repeat=2)]
    moved = [matrix @ operator @ matrix.conj().T for operator in operators]
    return all(any(np.allclose(m, s * p, atol=1e-9) for p in operators for s in (1, -1)) for m in moved)


def on_its_qubits(name, params=()):
    """Return a circuit of one gate, its qubits in reverse order."""
    gate = GATES[name]
    return Circuit(max(gate.num_qubits, 1)).gate(name, range(gate.num_qubits)[::-1], params)


def draws(gate, random):
    if not gate.params:
        return [()]
    turns = [tuple(random.choice(TURNS, gate.num_params)) for _ in range(12)]
    near = [tuple(angle + 0.3 * random.integers(0, 2, gate.num_params)) for angle in np.array(turns[:6])]
    return [*turns, *near]


def test_the_clifford_gates_of_the_table_are_those_that_are_clifford_whatever_their_angles():
    fixed = {gate.name for gate in GATES.values() if not gate.params and tableau(gate.unitary())}
    assert fixed | {"gphase", "u0"} == set(CLIFFORD)


@pytest.mark.parametrize("native", SETS, ids=IDS)
@pytest.mark.parametrize("name", [gate.name for gate in GATES.values() if 1 <= gate.num_qubits <= 2])
def test_a_gate_that_is_clifford_at_its_angles_becomes_clifford_gates_with_its_phase(name, native):
    random = np.random.default_rng(len(name))
    for params in draws(GATES[name], random):
        circuit = on_its_qubits(name, [float(param) for param in params])
        if is_clifford(np.array(GATES[name].unitary(*params))):
            lowered = Circuit(circuit.num_qubits, 0, lower(circuit.operations, native))
            assert {op.name for op in lowered.operations} <= native
            np.testing.assert_allclose(unitary(lowered), unitary(circuit), atol=1e-11, err_msg=str(params))
        else:
            assert first_unlowerable(circuit.operations, native) == 0, params


@pytest.mark.parametrize(
    ("gate", "names"),
    [
        (Circuit(1).rz(pi / 2, 0), ["s", "gphase"]),
        (Circuit(1).p(pi, 0), ["z"]),
        (Circuit(1).u(pi / 2, 0, pi, 0), ["h"]),
        (Circuit(1).rx(-pi / 2, 0), ["sxdg", "gphase"]),
        (Circuit(2).cp(pi, 0, 1), ["cz"]),
        (Circuit(2).cu3(pi, 0, pi, 0, 1), ["cx"]),
        (Circuit(1).rz(4 * pi, 0), ["id"]),
    ],
    ids=lambda value: str(value.operations[0]) if isinstance(value, Circuit) else "",
)
def test_a_gate_that_is_another_one_at_its_angle_becomes_that_one(gate, names):
    assert [op.name for op in lower(gate.operations, frozenset(CLIFFORD))] == names


@pytest.mark.parametrize("beyond", [0.5, pi / 2 + 1e-9, pi / 2 - 1e-11, pi / 4, 1e-10])
@pytest.mark.parametrize("name", ["rx", "ry", "rz", "p", "rxx", "ryy", "rzz", "rzx"])
def test_an_angle_is_never_rounded(name, beyond):
    circuit = Circuit(2, 1).h(0).gate(name, range(GATES[name].num_qubits), [beyond])
    assert first_unlowerable(circuit.operations, CLIFFORD) == 1
    with pytest.raises(UnsupportedError, match=rf"operation 1 \({name}\(.*comes down to nothing") as caught:
        lower(circuit.operations, frozenset(CLIFFORD))
    assert (caught.value.operation, caught.value.gate) == (1, name)


def test_an_angle_within_the_stated_tolerance_is_a_multiple_of_a_quarter_turn():
    assert first_unlowerable(Circuit(1).rz(pi / 2 + TOLERANCE / 2, 0).operations, CLIFFORD) is None


@pytest.mark.parametrize("multiple", [1, 2, 3, -5, 10**3, 10**6 + 1, -(10**6) - 2, 2_500_003])
@pytest.mark.parametrize("name", ["rx", "ry", "rz", "p"])
def test_a_large_angle_that_is_as_close_to_a_multiple_as_doubles_are_is_that_multiple(name: str, multiple: int):
    circuit = getattr(Circuit(1), name)(multiple * (pi / 2), 0)
    lowered = Circuit(1, 0, lower(circuit.operations, frozenset(CLIFFORD)))
    small = getattr(Circuit(1), name)(multiple % 8 * (pi / 2), 0)
    np.testing.assert_allclose(unitary(lowered), unitary(small), atol=1e-12)


@pytest.mark.parametrize("angle", [10**6 * (pi / 2) + 1e-8, 10**6 * (pi / 2) + 1e-9, 1e17, 2.0**60, 1e300])
def test_a_large_angle_that_is_no_multiple_or_too_coarse_to_tell_is_not_rounded(angle: float):
    assert first_unlowerable(Circuit(1).ry(angle, 0).operations, CLIFFORD) == 0


def test_a_refusal_shows_all_digits_of_an_angle():
    with pytest.raises(UnsupportedError, match=r"operation 0 \(ry\(1\.5707963267998966\) 0\)"):
        lower(Circuit(1).ry(pi / 2 + 5e-12, 0).operations, frozenset(CLIFFORD))


@pytest.mark.parametrize("name", ["t", "tdg", "ch", "cs", "csx", "ccx", "ccz", "cswap", "rccx", "rc3x", "c3x", "c4x"])
def test_a_gate_that_is_no_clifford_gate_is_beyond(name):
    assert first_unlowerable(on_its_qubits(name).operations, CLIFFORD) == 0


def test_the_phase_of_a_conditional_gate_is_conditional_too():
    circuit = Circuit(2, 1).h(0).measure(0, 0).rz(pi / 2, 1, when={0: 1})
    lowered = Circuit(2, 1, lower(circuit.operations, frozenset(CLIFFORD)))
    assert [op.condition for op in lowered.operations[2:]] == [circuit.operations[2].condition] * 2
    assert_same_behaviour(circuit, lowered)


def test_without_the_generators_a_gate_comes_down_by_its_definition_only():
    native = {"sx", "p", "cx", "gphase"}
    assert first_unlowerable(Circuit(2).z(0).cp(0.3, 0, 1).operations, native) is None
    assert first_unlowerable(Circuit(2).z(0).h(0).operations, native) == 1


def test_of_equal_gates_the_first_that_is_beyond_is_named():
    circuit = Circuit(2).rz(pi, 0).rz(0.1, 0).rz(pi, 1).rz(0.1, 1)
    assert first_unlowerable(circuit.operations, CLIFFORD) == 1
