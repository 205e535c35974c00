"""The traps of pyQuil's programs."""

from __future__ import annotations

import numpy as np
import pytest
from pyquil import Program
from pyquil.gates import CNOT, FENCE, HALT, MEASURE, PHASE, RESET, RX, RZ, H, S, T, X, Z
from pyquil.quilatom import Parameter, QubitPlaceholder, quil_cos, quil_exp, quil_sin
from pyquil.quilbase import DefGate, Pragma
from pyquil.simulation.matrices import QUANTUM_GATES
from support.frameworks import FRAMEWORKS
from support.simulation import unitary

from gateway.circuit import Circuit, Comparison
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError
from gateway.frameworks import parse

pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated function .*format_parameter")
"""pyQuil itself calls it for every expression."""

PREFIX = "DECLARE ro BIT[3]\n"


def same(program: Program) -> Circuit:
    """Return the shared circuit after comparing the two matrices."""
    found = parse(program)
    np.testing.assert_allclose(unitary(found), FRAMEWORKS["pyquil"].unitary(program, found.num_qubits), atol=1e-7)
    return found


def random_unitary(size: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]


# ---------------------------------------------------------------------------- gates


@pytest.mark.parametrize("name", sorted(QUANTUM_GATES.keys() - {"BARENCO"}))  # pyQuil's matrix of it is not unitary
def test_every_gate_of_pyquil_is_exact(name: str):
    gate = QUANTUM_GATES[name]
    params = gate.__code__.co_argcount if callable(gate) else 0
    size = len(gate(*range(params)) if params else gate)
    angles = f"({', '.join(str(0.3 + k) for k in range(params))})" if params else ""
    qubits = " ".join(map(str, range(size.bit_length() - 1)[::-1]))
    same(Program(f"{name}{angles} {qubits}"))


def forked(zero: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Return the matrix whose most significant qubit chooses; ``to_unitary_mut`` of pyQuil mixes them up."""
    nothing = np.zeros_like(zero)
    return np.block([[zero, nothing], [nothing, one]])


def controlled(matrix: np.ndarray) -> np.ndarray:
    return forked(np.eye(len(matrix)), matrix)


RX_, RY_, RZ_, U_ = (QUANTUM_GATES[name] for name in ("RX", "RY", "RZ", "U"))
MODIFIED = {
    "DAGGER S 0": np.diag([1, -1j]),
    "DAGGER RX(0.3) 0": RX_(-0.3),
    "CONTROLLED RX(0.3) 1 0": controlled(RX_(0.3)),
    "DAGGER CONTROLLED PHASE(0.3) 1 0": np.diag([1, 1, 1, np.exp(-0.3j)]),
    "CONTROLLED DAGGER RZ(0.3) 1 0": controlled(RZ_(-0.3)),
    "CONTROLLED CONTROLLED H 2 1 0": controlled(controlled(QUANTUM_GATES["H"])),
    "FORKED RX(0.3, 1.4) 1 0": forked(RX_(0.3), RX_(1.4)),
    "FORKED FORKED RZ(0.1, 0.2, 0.3, 0.4) 2 1 0": forked(forked(RZ_(0.1), RZ_(0.2)), forked(RZ_(0.3), RZ_(0.4))),
    "CONTROLLED FORKED RY(0.3, 1.4) 2 1 0": controlled(forked(RY_(0.3), RY_(1.4))),
    "FORKED CONTROLLED RY(0.3, 1.4) 2 1 0": forked(controlled(RY_(0.3)), controlled(RY_(1.4))),
    "DAGGER FORKED U(0.1, 0.2, 0.3, 0.4, 0.5, 0.6) 1 0": forked(U_(-0.1, -0.3, -0.2), U_(-0.4, -0.6, -0.5)),
    "CONTROLLED SWAP 2 1 0": controlled(QUANTUM_GATES["SWAP"]),
    "CONTROLLED XY(0.4) 2 1 0": controlled(QUANTUM_GATES["XY"](0.4)),
}


@pytest.mark.parametrize("text", MODIFIED)
def test_modifiers_are_exact_however_nested(text: str):
    np.testing.assert_allclose(unitary(parse(Program(text))), MODIFIED[text], atol=1e-9)


def defined(name: str, matrix: np.ndarray, *qubits: int, modifiers: str = "") -> Program:
    program = Program(DefGate(name, matrix))
    program += Program(f"{modifiers} {name} {' '.join(map(str, qubits))}")
    return program


@pytest.mark.parametrize("size", [2, 4, 8])
def test_a_gate_defined_by_a_matrix_is_exact_its_first_qubit_most_significant(size: int):
    matrix = random_unitary(size, size)
    qubits = range(size.bit_length() - 1)
    found = unitary(parse(defined("MINE", matrix, *qubits[::-1])))
    np.testing.assert_allclose(found, matrix, atol=1e-9)
    controlled = unitary(parse(defined("MINE", matrix, len(qubits), *qubits[::-1], modifiers="CONTROLLED DAGGER")))
    np.testing.assert_allclose(controlled[size:, size:], matrix.conj().T, atol=1e-9)
    np.testing.assert_allclose(controlled[:size, :size], np.eye(size), atol=1e-9)


def test_a_gate_defined_with_parameters_is_that_of_their_values():
    t = Parameter("t")
    definition = DefGate("TURN", np.array([[quil_cos(t), -quil_sin(t)], [quil_sin(t), quil_cos(t)]]), [t])
    program = Program(definition, definition.get_constructor()(0.15)(0))
    np.testing.assert_allclose(unitary(parse(program)), QUANTUM_GATES["RY"](0.3), atol=1e-9)
    phase = DefGate("TWIST", np.array([[1, 0], [0, quil_exp(1j * t)]]), [t])
    program = Program(phase, phase.get_constructor()(0.15)(0))
    np.testing.assert_allclose(unitary(parse(program)), QUANTUM_GATES["PHASE"](0.15), atol=1e-9)


def test_a_gate_defined_in_the_program_takes_precedence_over_none_of_the_same_name():
    with pytest.raises(UnsupportedError, match="operation 0: NOWHERE: no matrix defines it"):
        parse(Program("NOWHERE 0"))


def test_a_permutation_that_undoes_itself_is_exact_and_another_is_refused():
    toffoli = Program("DEFGATE PERM AS PERMUTATION:\n    0,1,2,3,4,5,7,6\nPERM 2 1 0")
    np.testing.assert_allclose(unitary(parse(toffoli)), QUANTUM_GATES["CCNOT"], atol=1e-9)
    with pytest.raises(UnsupportedError, match="PERM: which way its permutation maps"):
        parse(Program("DEFGATE PERM AS PERMUTATION:\n    1,2,3,0\nPERM 1 0"))


def test_other_definitions_are_refused_by_name():
    with pytest.raises(UnsupportedError, match="EXPO: it is defined by a sum of Pauli operators"):
        parse(Program("DEFGATE EXPO(%t) a b AS PAULI-SUM:\n    XX(-%t/4) a b\nEXPO(0.3) 0 1"))
    with pytest.raises(UnsupportedError, match="DEFCIRCUIT"):
        parse(Program("DEFCIRCUIT BELL a b:\n    H a\n    CNOT a b\nBELL 0 1"))


# ---------------------------------------------------------------------------- qubits and memory


def test_qubits_keep_their_numbers():
    assert parse(Program(X(3), CNOT(3, 1))) == Circuit(4).x(3).cx(3, 1)


def test_clbits_are_the_bits_of_all_regions_in_the_order_declared():
    names = ["zz", "ro", "aa", "m", "b"]
    program = Program()
    for name in names:
        program.declare(name, "BIT", 2)
    for qubit, name in enumerate(names):
        program += MEASURE(qubit, (name, 1))
    found = parse(program)
    assert found.num_clbits == 10
    assert [op.clbits for op in found.operations] == [(1,), (3,), (5,), (7,), (9,)]


def test_reset_fence_and_harmless_pragmas():
    program = Program(RESET(), H(0), FENCE(0, 1), Pragma("PRESERVE_BLOCK"), RESET(1), HALT, X(0))
    assert parse(program) == Circuit(2).reset(0).reset(1).h(0).barrier(0, 1).reset(1)


@pytest.mark.filterwarnings("ignore:Call to deprecated method get_qubits")  # measure_all itself does
def test_measure_all_reads_into_ro():
    program = Program(H(0), CNOT(0, 1)).measure_all()
    assert parse(program) == Circuit(2, 2).h(0).cx(0, 1).measure(0, 0).measure(1, 1)


# ---------------------------------------------------------------------------- control flow


def conditions(program: Program) -> list[tuple[str, tuple[Comparison, ...]]]:
    return [(op.name, op.condition) for op in parse(program).operations]


ONE, ZERO = Comparison((0,), 1), Comparison((0,), 0)


def test_if_then_and_else_have_opposite_conditions_however_nested():
    program = Program()
    ro = program.declare("ro", "BIT", 2)
    inner = Program(X(0)).if_then(ro[1], Program(H(0)))
    program.if_then(ro[0], inner, Program(Z(0)))
    assert sorted(conditions(program)) == sorted(
        [("x", (ONE,)), ("h", (ONE, Comparison((1,), 1))), ("z", (ZERO,))],
    )


def test_jumps_over_a_block_are_conditions():
    text = PREFIX + "JUMP-WHEN @END ro[0]\nX 0\nLABEL @END\nJUMP-UNLESS @LAST ro[0]\nZ 0\nLABEL @LAST\nH 0"
    assert conditions(Program(text)) == [("x", (ZERO,)), ("z", (ONE,)), ("h", ())]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("LABEL @START\nX 0\nMEASURE 0 ro[0]\nJUMP-WHEN @START ro[0]", "LABEL"),
        ("X 0\nJUMP @END\nLABEL @END", "JUMP"),
        ("JUMP-WHEN @NOWHERE ro[0]", "JUMP-WHEN"),
    ],
)
def test_other_jumps_are_refused(text: str, name: str):
    with pytest.raises(UnsupportedError, match=rf"operation \d+: {name}: "):
        parse(Program(PREFIX + text))


def test_a_loop_while_a_bit_is_one_is_refused():
    program = Program()
    ro = program.declare("ro", "BIT", 1)
    program.while_do(ro[0], Program(X(0), MEASURE(0, ro[0])))
    with pytest.raises(UnsupportedError, match=r"operation \d+: LABEL: "):
        parse(program)


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("X 0\nNOT ro[0]", "NOT"),
        ("MOVE ro[0] 1", "MOVE"),
        ("DELAY 0 1.0", "DELAY"),
        ("MEASURE 0", "MEASURE"),
        ('PRAGMA ADD-KRAUS X 0 "(0 1 1 0)"', "PRAGMA ADD-KRAUS"),
        ('PRAGMA READOUT-POVM 0 "(0.9 0.1 0.1 0.9)"', "PRAGMA READOUT-POVM"),
    ],
)
def test_what_has_no_equivalent_is_refused_by_name(text: str, name: str):
    with pytest.raises(UnsupportedError, match=rf"operation \d+: {name}: ") as caught:
        parse(Program(PREFIX + text))
    assert caught.value.feature == name


def test_memory_under_two_names_is_refused():
    with pytest.raises(UnsupportedError, match="SHARING: the memory region b is another name"):
        parse(Program("DECLARE a BIT[2]\nDECLARE b BIT[2] SHARING a\nX 0"))


def test_parameters_without_a_value_are_named():
    program = Program()
    theta = program.declare("theta", "REAL", 2)
    program += RX(2 * theta[1] + np.pi, 0)
    with pytest.raises(CircuitInvalidError, match=r"no value: theta\[1\]; bind"):
        parse(program)
    with pytest.raises(CircuitInvalidError, match=r"no value: %angle; bind"):
        parse(Program(RZ(Parameter("angle"), 0)))


def test_malformed_programs_are_refused():
    with pytest.raises(CircuitInvalidError, match="qubits are placeholders"):
        parse(Program(H(QubitPlaceholder())))
    with pytest.raises(CircuitInvalidError, match=r"operation 0: .* is not a declared bit"):
        parse(Program("MEASURE 0 ro[0]"))
    with pytest.raises(CircuitInvalidError, match=r"operation \d: .* is not a declared bit"):
        parse(Program("DECLARE ro BIT[1]\nMEASURE 0 ro[1]"))
    with pytest.raises(CircuitInvalidError, match="is not real"):
        parse(Program("RX(0.3i) 0"))
    with pytest.raises(LimitError, match="qubits"):
        parse(Program("X 1000000"))


# ---------------------------------------------------------------------------- dump


def test_a_dumped_program_is_what_a_user_of_pyquil_would_write():
    circuit = Circuit(2, 2).h(0).cx(0, 1).s(0).t(1).measure(0, 1).barrier(0).reset(1)
    wanted = Program("DECLARE ro BIT[2]")
    wanted += Program(H(0), CNOT(0, 1), S(0), T(1), MEASURE(0, ("ro", 1)), FENCE(0), RESET(1))
    assert circuit.to("pyquil") == wanted


def test_a_dumped_program_uses_no_modifiers_which_simulators_ignore():
    circuit = Circuit(2).sdg(0).tdg(0).cy(0, 1).csx(0, 1)
    gates = circuit.to("pyquil").instructions
    assert all(not gate.modifiers for gate in gates)
    assert gates[0] == PHASE(-np.pi / 2, 0)
