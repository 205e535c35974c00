from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import unitary

from gateway.circuit.circuit import Circuit
from gateway.circuit.gates import GATES, Step
from gateway.circuit.modifiers import control, inverse, power, repetitions
from gateway.errors import UnsupportedError

ANGLES = (0.7, -1.9, 2.6, 0.3)
DIAGONAL = ("z", "s", "t", "p", "u1", "rz", "cz", "cp", "crz", "rzz", "ccz", "gphase")
WITHOUT_ROOT = {"pswap", "rxxyyzz", "dcx", "rccx", "rc3x"}


def step(name: str, first: int = 0) -> Step:
    gate = GATES[name]
    return (name, tuple(range(first, first + gate.num_qubits)), ANGLES[: gate.num_params])


def matrix(steps: list[Step], num_qubits: int) -> np.ndarray:
    circuit = Circuit(num_qubits)
    for name, qubits, params in steps:
        circuit.gate(name, qubits, params)
    return unitary(circuit)


def controlled(inner: np.ndarray, controls: int, wanted: int | None = None) -> np.ndarray:
    """The matrix with the controls as the least significant qubits."""
    wanted = (1 << controls) - 1 if wanted is None else wanted
    full = np.eye(len(inner) << controls, dtype=complex)
    rows = [i for i in range(len(full)) if i & ((1 << controls) - 1) == wanted]
    full[np.ix_(rows, rows)] = inner
    return full


def principal(inner: np.ndarray, exponent: float) -> np.ndarray:
    """The power by eigenvalues; a unitary is normal, so its Schur form is diagonal."""
    from scipy.linalg import schur  # noqa: PLC0415

    triangle, basis = schur(inner, output="complex")
    angles = np.angle(np.diag(triangle))
    angles = np.where(angles < -math.pi + 1e-9, math.pi, angles)
    return basis @ np.diag(np.exp(1j * angles * exponent)) @ basis.conj().T


@pytest.mark.parametrize("name", GATES)
def test_the_inverse_of_every_gate_undoes_it(name: str) -> None:
    size = GATES[name].num_qubits
    steps = [step(name), *inverse([step(name)])]
    assert np.allclose(matrix(steps, size), np.eye(2**size))


@pytest.mark.parametrize("controls", [1, 2])
@pytest.mark.parametrize("name", GATES)
def test_every_gate_under_controls_is_the_controlled_matrix(name: str, controls: int) -> None:
    size = GATES[name].num_qubits
    made = control([step(name, controls)], range(controls))
    expected = controlled(matrix([step(name)], size), controls)
    assert np.allclose(matrix(made, size + controls), expected)


@pytest.mark.parametrize("name", GATES)
def test_every_whole_power_is_exact(name: str) -> None:
    size = GATES[name].num_qubits
    plain = matrix([step(name)], size)
    for exponent in (0, 1, 2, 3, -1, -2):
        assert np.allclose(matrix(power([step(name)], exponent), size), np.linalg.matrix_power(plain, exponent))


@pytest.mark.parametrize("name", sorted(GATES.keys() - WITHOUT_ROOT))
def test_every_other_power_is_the_principal_one(name: str) -> None:
    size = GATES[name].num_qubits
    plain = matrix([step(name)], size)
    for exponent in (0.5, -0.3, 1 / 3, 2.5):
        assert np.allclose(matrix(power([step(name)], exponent), size), principal(plain, exponent))


@pytest.mark.parametrize("name", sorted(WITHOUT_ROOT))
def test_a_root_that_is_not_known_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"of {name} is not known"):
        power([step(name)], 0.5)


@pytest.mark.parametrize("controls", [3, 4, 6])
@pytest.mark.parametrize("name", ["x", "y", "z", "h", "p", "sx", "rx", "ry", "rz", "u", "gphase"])
def test_many_controls_need_no_further_qubit(name: str, controls: int) -> None:
    size = GATES[name].num_qubits
    made = control([step(name, controls)], range(controls))
    expected = controlled(matrix([step(name)], size), controls)
    assert np.allclose(matrix(made, size + controls), expected)


def test_eight_controls_borrow_qubits_and_give_them_back() -> None:
    made = control([("x", (8,), ())], range(8))
    assert np.allclose(matrix(made, 9), controlled(matrix([("x", (0,), ())], 1), 8))


def test_the_cost_of_controls_grows_no_faster_than_their_square() -> None:
    for controls in (8, 16, 32):
        assert len(control([("x", (controls,), ())], range(controls))) < 8 * controls**2


@pytest.mark.parametrize(
    ("name", "controls", "expected"),
    [
        ("x", 1, "cx"), ("x", 2, "ccx"), ("x", 3, "c3x"), ("x", 4, "c4x"), ("cx", 1, "ccx"), ("ccx", 2, "c4x"),
        ("z", 1, "cz"), ("z", 2, "ccz"), ("cz", 1, "ccz"), ("p", 1, "cp"), ("u1", 1, "cp"), ("u", 1, "cu"),
        ("U", 1, "cu"), ("swap", 1, "cswap"), ("h", 1, "ch"), ("sx", 1, "csx"), ("rx", 1, "crx"), ("ry", 1, "cry"),
        ("rz", 1, "crz"), ("s", 1, "cs"), ("sdg", 1, "csdg"), ("gphase", 1, "p"), ("gphase", 2, "cp"),
        ("csx", 2, "c3sqrtx"),
    ],
)  # fmt: skip
def test_rows_of_the_table_are_used_where_they_exist(name: str, controls: int, expected: str) -> None:
    assert [made for made, _, _ in control([step(name, controls)], range(controls))] == [expected]


def test_open_controls_act_where_they_are_zero() -> None:
    made = control([("ry", (2,), (0.4,))], [0, 1], [1])
    assert np.allclose(matrix(made, 3), controlled(matrix([("ry", (0,), (0.4,))], 1), 2, wanted=0b01))


def test_a_gate_and_its_inverse_around_need_no_control() -> None:
    steps: list[Step] = [("h", (1,), ()), ("t", (2,), ()), ("rz", (1,), (0.3,)), ("tdg", (2,), ()), ("h", (1,), ())]
    made = control(steps, [0])
    assert [name for name, _, _ in made] == ["h", "t", "crz", "tdg", "h"]


def test_barriers_are_dropped_under_a_control() -> None:
    assert control([("barrier", (1,), ()), ("x", (1,), ())], [0]) == [("cx", (0, 1), ())]


def test_a_single_rotation_is_scaled_instead_of_repeated() -> None:
    assert power([("rx", (0,), (0.25,))], 8) == [("rx", (0,), (2.0,))]
    assert repetitions([("rx", (0,), (0.25,))], 10**9) == 1
    assert repetitions([("h", (0,), ())], 10**9) == 10**9


def test_a_root_of_several_gates_on_one_qubit_is_one_gate() -> None:
    steps: list[Step] = [("gphase", (), (math.pi,)), ("h", (0,), ()), ("t", (0,), ())]
    assert np.allclose(matrix(power(steps, 0.5), 1), principal(matrix(steps, 1), 0.5))


def test_a_root_of_gates_that_do_not_come_apart_is_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"of these 2 gates together is not known"):
        power([("h", (0,), ()), ("cx", (0, 1), ())], 0.5)


@st.composite
def gate_lists(draw: st.DrawFn, qubits: int = 3) -> list[Step]:
    names = [name for name, gate in GATES.items() if gate.num_qubits <= qubits]
    steps: list[Step] = []
    for name in draw(st.lists(st.sampled_from(names), max_size=6)):
        places = draw(st.permutations(range(qubits)))[: GATES[name].num_qubits]
        count = GATES[name].num_params
        params = draw(st.lists(st.floats(-7, 7), min_size=count, max_size=count))
        steps.append((name, tuple(places), tuple(params)))
    return steps


@settings(max_examples=60, deadline=None)
@given(gate_lists())
def test_inverse_and_control_of_any_list_are_exact(steps: list[Step]) -> None:
    plain = matrix(steps, 3)
    assert np.allclose(matrix(inverse(steps), 3), plain.conj().T)
    shifted = [(name, tuple(qubit + 2 for qubit in qubits), params) for name, qubits, params in steps]
    assert np.allclose(matrix(control(shifted, [0, 1]), 5), controlled(plain, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(DIAGONAL), min_size=1, max_size=5), st.data())
def test_roots_of_diagonal_gates_are_principal(names: list[str], data: st.DataObject) -> None:
    steps: list[Step] = []
    for name in names:
        places = data.draw(st.permutations(range(3)))[: GATES[name].num_qubits]
        steps.append((name, tuple(places), ANGLES[: GATES[name].num_params]))
    assert np.allclose(matrix(power(steps, 0.5), 3), principal(matrix(steps, 3), 0.5))
