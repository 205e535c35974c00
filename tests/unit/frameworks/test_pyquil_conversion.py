"""The traps of pyQuil's programs."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from pyquil import Program
from pyquil.gates import CNOT, FENCE, HALT, MEASURE, MOVE, PHASE, RESET, RX, RZ, H, S, T, X, Z
from pyquil.quilatom import Label, Parameter, QubitPlaceholder, quil_cos, quil_exp, quil_sin
from pyquil.quilbase import DefGate, Pragma
from pyquil.simulation.matrices import QUANTUM_GATES
from support.circuits import random_classical_circuit
from support.frameworks import FRAMEWORKS
from support.simulation import assert_same_ensembles, outcomes, unitary

from gateway.backends.base import Backend
from gateway.circuit import Circuit, Comparison, Expression, bits, parameter
from gateway.circuit.operations import NO_TIMING
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


def done(text: str) -> dict[str, float]:
    """Return the exact distribution of a program."""
    circuit = parse(Program("\n".join(line.strip() for line in text.splitlines())))
    circuit.validate()
    return outcomes(circuit)


def test_a_loop_while_a_bit_is_one_is_a_loop():
    program = Program()
    ro = program.declare("ro", "BIT", 1)
    program += Program(X(0), MEASURE(0, ro[0]))
    program.while_do(ro[0], Program(H(0), MEASURE(0, ro[0])))
    found = parse(program)
    assert [op.name for op in found.operations] == ["x", "measure", "while", "h", "measure", "end"]
    assert found.operations[2].condition == (ONE,)
    assert found.num_hidden == 0
    assert outcomes(found) == pytest.approx({"0": 1})


def test_a_loop_with_its_test_at_the_end_has_one_turn_at_least():
    found = parse(Program(PREFIX + "LABEL @AGAIN\nH 0\nMEASURE 0 ro[0]\nJUMP-UNLESS @AGAIN ro[0]"))
    assert [op.name for op in found.operations] == ["h", "measure", "while", "h", "measure", "end"]
    assert found.operations[2].condition == (ZERO,)
    assert outcomes(found) == pytest.approx({"001": 1})


def test_a_loop_may_be_left_in_its_middle():
    text = "LABEL @S\nX 0\nMEASURE 0 ro[0]\nJUMP-WHEN @E ro[1]\nX 1\nMEASURE 1 ro[1]\nJUMP @S\nLABEL @E"
    assert done(PREFIX + text) == {"010": 1.0}


@pytest.mark.parametrize(("turns", "outcome"), [(1, "1"), (4, "0"), (5, "1")])
def test_a_loop_of_pyquil_with_a_counter_has_so_many_turns(turns: int, outcome: str):
    program = Program()
    counter = program.declare("n", "INTEGER", 1)
    ro = program.declare("ro", "BIT", 1)
    program += Program(X(0)).with_loop(turns, counter, Label("begin"), Label("end"))
    program += MEASURE(0, ro[0])
    assert outcomes(parse(program)) == {outcome: 1.0}


def test_loops_and_branches_stand_in_each_other():
    text = """
        MOVE n 3
        LABEL @OUTER
        JUMP-UNLESS @DONE n
        MOVE m n
        LABEL @INNER
        X 0
        SUB m 1
        JUMP-WHEN @INNER m
        EQ ro[1] n 2
        JUMP-UNLESS @SKIP ro[1]
        X 1
        LABEL @SKIP
        SUB n 1
        JUMP @OUTER
        LABEL @DONE
        MEASURE 0 ro[0]
        MEASURE 1 ro[2]"""
    assert done(PREFIX + "DECLARE n INTEGER\nDECLARE m INTEGER" + text) == {"100": 1.0}  # X 0 six times


def test_the_label_where_branches_meet_may_begin_a_loop():
    text = """JUMP-WHEN @S ro[1]
        X 0
        LABEL @S
        MEASURE 0 ro[0]
        JUMP-UNLESS @E ro[0]
        X 0
        JUMP @S
        LABEL @E
        X 0
        MEASURE 0 ro[2]"""
    assert done(PREFIX + text) == {"100": 1.0}
    found = parse(Program("\n".join(line.strip() for line in (PREFIX + text).splitlines())))
    assert found.num_hidden == 0, "these are branches and loops"


class Machine:
    """Carries out classical programs one instruction at a time, as Quil says, independently of the conversion."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.memory = dict.fromkeys(["ro[0]", "ro[1]", "ro[2]", "n"], 0)

    def outcome(self) -> str | None:
        """Return the bits at the end; ``None`` if the program takes too many steps."""
        place = 0
        for _ in range(300):
            if place >= len(self.lines):
                return "".join(str(self.memory[f"ro[{k}]"]) for k in (2, 1, 0))
            word, *operands = self.lines[place].split()
            place = (
                self._jumped(word, operands, place) if word.startswith("JUMP") else self._done(word, operands, place)
            )
        return None

    def _jumped(self, word: str, operands: list[str], place: int) -> int:
        is_set = len(operands) > 1 and self.memory[operands[1]] != 0
        jumps = {"JUMP": True, "JUMP-WHEN": is_set, "JUMP-UNLESS": not is_set}[word]
        return self.lines.index(f"LABEL {operands[0]}") if jumps else place + 1

    def _done(self, word: str, operands: list[str], place: int) -> int:
        if word == "HALT":
            return len(self.lines)
        if word != "LABEL":
            target, *sources = operands
            values = [self.memory[source] if source in self.memory else int(source) for source in sources]
            self.memory[target] = {
                "NOT": lambda: 1 - self.memory[target],
                "MOVE": lambda: values[0],
                "XOR": lambda: self.memory[target] ^ values[0],
                "ADD": lambda: self.memory[target] + values[0],
                "SUB": lambda: self.memory[target] - values[0],
                "EQ": lambda: int(values[0] == values[1]),
                "LT": lambda: int(values[0] < values[1]),
            }[word]()
        return place + 1


def random_jumps(seed: int) -> list[str]:
    random = Random(seed)
    lines = []
    for _ in range(random.randint(4, 14)):
        bit, other = (f"ro[{random.randrange(3)}]" for _ in range(2))
        lines.append(
            random.choice([
                f"NOT {bit}", f"MOVE {bit} {other}", f"XOR {bit} {other}", "ADD n 1", "SUB n 1",
                f"EQ {bit} n {random.randrange(3)}", f"LT {bit} n {random.randrange(4)}",
            ])
        )  # fmt: skip
    for number in range(random.randint(1, 3)):
        lines.insert(random.randint(0, len(lines)), f"LABEL @L{number}")
        for _ in range(random.randint(1, 2)):
            kind = random.choice(["JUMP-WHEN", "JUMP-WHEN", "JUMP-UNLESS", "JUMP-UNLESS", "JUMP", "HALT"])
            tested = random.choice(["n", "ro[0]", "ro[1]"]) if kind != "JUMP" else ""
            line = "HALT" if kind == "HALT" else f"{kind} @L{number} {tested}".strip()
            lines.insert(random.randint(0, len(lines)), line)
    return lines


def test_any_jumps_lead_where_they_lead():
    halting = structured = 0
    for seed in range(400):
        lines = random_jumps(seed)
        expected = Machine(lines).outcome()
        if expected is None:
            continue
        halting += 1
        found = parse(Program(f"{PREFIX}DECLARE n INTEGER\n" + "\n".join(lines)))
        structured += found.num_hidden in {0, 64}
        assert outcomes(found) == {expected: 1.0}, "\n".join(lines)
    assert halting > 200
    assert 50 < structured < halting, "both ways to read jumps are covered"


def test_jumps_that_are_no_branches_and_loops_are_carried_out_as_they_stand():
    assert done(PREFIX + "X 0\nJUMP @END\nX 0\nLABEL @END\nMEASURE 0 ro[0]") == {"001": 1.0}
    into_a_loop = """H 0
        MEASURE 0 ro[0]
        JUMP-WHEN @MIDDLE ro[0]
        LABEL @TOP
        X 1
        MEASURE 1 ro[1]
        LABEL @MIDDLE
        H 2
        MEASURE 2 ro[2]
        JUMP-WHEN @TOP ro[2]"""
    expected = {"000": 1 / 6, "001": 1 / 3, "010": 1 / 3, "011": 1 / 6}
    assert done(PREFIX + into_a_loop) == pytest.approx(expected, abs=1e-9)


def test_a_program_may_halt_in_a_branch():
    text = "H 0\nMEASURE 0 ro[0]\nJUMP-WHEN @ON ro[0]\nX 1\nMEASURE 1 ro[1]\nHALT\nLABEL @ON\nX 2\nMEASURE 2 ro[2]"
    assert done(PREFIX + text) == pytest.approx({"010": 0.5, "101": 0.5})


def test_a_label_that_is_not_there_is_named():
    with pytest.raises(CircuitInvalidError, match=r"operation 1: JUMP-WHEN @NOWHERE ro\[0\] leads to a label"):
        parse(Program(PREFIX + "JUMP-WHEN @NOWHERE ro[0]"))


# ---------------------------------------------------------------------------- classical instructions


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("X 0\nMEASURE 0 ro[0]\nMOVE ro[1] ro[0]\nNOT ro[1]", "001"),
        ("MOVE ro[0] 1\nIOR ro[1] ro[0]\nXOR ro[0] ro[1]\nAND ro[1] 1", "010"),
        ("MOVE ro[2] 1\nEXCHANGE ro[2] ro[0]", "001"),
        ("MOVE n[0] 5\nADD n[0] 2\nMUL n[0] n[0]\nEQ ro[0] n[0] 49\nGE ro[1] n[0] 50\nLE ro[2] n[0] 49", "101"),
        ("MOVE n[0] 3\nSUB n[1] n[0]\nLT ro[0] n[1] 0\nEQ ro[1] n[1] -3\nGT ro[2] n[1] n[0]", "011"),
        ("MOVE n[0] -7\nASHR n[0] 1\nEQ ro[0] n[0] -4\nNEG n[0]\nSHL n[0] 2\nEQ ro[1] n[0] 16", "011"),
        ("MOVE n[0] -1\nSHR n[0] 1\nGT ro[0] n[0] 0\nADD n[0] 1\nLT ro[1] n[0] 0", "011"),  # it wraps at 64 bits
        ("MOVE n[0] 6\nNOT n[0]\nEQ ro[0] n[0] -7\nCONVERT ro[1] n[0]\nCONVERT n[1] ro[1]\nEQ ro[2] n[1] 1", "111"),
        ("MOVE o 255\nADD o 1\nEQ ro[0] o 0\nMOVE o -1\nEQ ro[1] o 255", "011"),  # an octet has no sign
        ("MOVE n[1] 4\nEXCHANGE n[0] n[1]\nEQ ro[0] n[0] 4\nEQ ro[1] n[1] 0", "011"),
    ],
)
def test_classical_instructions_compute_as_quil_says(text: str, outcome: str):
    assert done(PREFIX + "DECLARE n INTEGER[2]\nDECLARE o OCTET\n" + text) == {outcome: 1.0}


def test_what_is_measured_and_goes_nowhere_is_measured_all_the_same():
    found = parse(Program(PREFIX + "H 0\nMEASURE 0\nH 0\nMEASURE 0 ro[0]"))
    assert (found.num_clbits, found.num_hidden) == (3, 1)
    assert outcomes(found) == pytest.approx({"000": 0.5, "001": 0.5})


def test_delays_and_pragmas_without_an_effect_are_noted():
    found = parse(Program('X 0\nDELAY 0 1e-6\nDELAY 0 "rf" 1e-6\nNOP\nPRAGMA MAYBE 0 "so"\nPRAGMA PRESERVE_BLOCK'))
    assert found == Circuit(1).x(0)
    assert found.notes == (NO_TIMING, "the pragma MAYBE has no effect here")


# ---------------------------------------------------------------------------- circuits that a program defines


def test_a_defined_circuit_is_what_it_stands_for_wherever_it_is_called():
    text = """DEFCIRCUIT TURNED(%t) a b:
    RX(%t/2) a
    CNOT a b
DEFCIRCUIT TWICE(%s) x:
    TURNED(%s) x 3
    TURNED(-%s+pi) 3 x
TURNED(0.5) 1 0
TWICE(0.25) 2"""
    turned = Circuit(4).rx(0.25, 1).cx(1, 0).rx(0.125, 2).cx(2, 3).rx((np.pi - 0.25) / 2, 3).cx(3, 2)
    np.testing.assert_allclose(unitary(parse(Program(text))), unitary(turned), atol=1e-12)


def test_each_call_of_a_defined_circuit_has_its_own_labels():
    text = """DEFCIRCUIT UNTIL q:
    LABEL @AGAIN
    H q
    MEASURE q ro[0]
    JUMP-UNLESS @AGAIN ro[0]
UNTIL 0
UNTIL 1
MEASURE 0 ro[1]
MEASURE 1 ro[2]"""
    assert outcomes(parse(Program(PREFIX + text))) == pytest.approx({"111": 1})


def test_a_defined_circuit_that_calls_itself_or_gets_wrong_numbers_is_an_error():
    with pytest.raises(CircuitInvalidError, match="LOOP calls itself"):
        parse(Program("DEFCIRCUIT LOOP a:\n    LOOP a\nLOOP 0"))
    with pytest.raises(CircuitInvalidError, match="F takes 0 parameters and 2 qubits"):
        parse(Program("DEFCIRCUIT F a b:\n    CNOT a b\nF 0"))


def test_defined_circuits_that_double_are_refused_before_they_fill_memory():
    doubling = "\n".join(f"DEFCIRCUIT C{k} a:\n    C{k + 1} a\n    C{k + 1} a" for k in range(30))
    with pytest.raises(LimitError, match="expand to"):
        parse(Program(f"{doubling}\nDEFCIRCUIT C30 a:\n    X a\nC0 0"))


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("DIV n 2", "DIV"),
        ("LOAD n ro n", "LOAD"),
        ("STORE ro n 1", "STORE"),
        ("SHL n n", "SHL"),
        ("ADD x 1.0", "REAL"),
        ("LABEL @A\nMOVE x 1.0\nJUMP-WHEN @A ro[0]", "MOVE"),
        ("RX(n) 0", "angle"),
        ("WAIT", "WAIT"),
        ('PRAGMA ADD-KRAUS X 0 "(0 1 1 0)"', "PRAGMA ADD-KRAUS"),
        ('PRAGMA READOUT-POVM 0 "(0.9 0.1 0.1 0.9)"', "PRAGMA READOUT-POVM"),
    ],
)
def test_what_has_no_equivalent_is_refused_by_name(text: str, name: str):
    with pytest.raises(UnsupportedError, match=rf"operation \d+: {name}: ") as caught:
        parse(Program(f"{PREFIX}DECLARE n INTEGER\nDECLARE x REAL\n{text}"))
    assert caught.value.feature == name


def test_memory_under_two_names_is_refused():
    with pytest.raises(UnsupportedError, match="SHARING: the memory region b is another name"):
        parse(Program("DECLARE a BIT[2]\nDECLARE b BIT[2] SHARING a\nX 0"))


def test_real_memory_is_a_parameter_until_it_gets_a_number():
    program = Program()
    theta, phi = program.declare("theta", "REAL", 2), program.declare("phi", "REAL", 1)
    program += [RX(2 * theta[1] + np.pi, 0), RZ(quil_sin(phi) / 2, 0), MOVE(phi, 0.5), RX(phi, 0)]
    expected = Circuit(1).rx(2 * parameter("theta[1]") + np.pi, 0).rz(Expression("sin", (parameter("phi"),)) / 2, 0)
    expected.rx(0.5, 0)
    found = parse(program)
    assert found.parameters == ("theta[1]", "phi")
    values = {"theta[1]": 0.3, "phi": 0.7}
    np.testing.assert_allclose(unitary(found.bind(values)), unitary(expected.bind(values)), atol=1e-12)


def test_parameters_of_gates_under_modifiers_stay_parameters():
    program = Program("DECLARE t REAL\nCONTROLLED RX(t) 1 0\nDAGGER PHASE(2*t) 0\nCONTROLLED CONTROLLED RZ(t) 2 1 0")
    bound = Program("CONTROLLED RX(0.3) 1 0\nDAGGER PHASE(0.6) 0\nCONTROLLED CONTROLLED RZ(0.3) 2 1 0")
    np.testing.assert_allclose(unitary(parse(program).bind(t=0.3)), unitary(parse(bound)), atol=1e-12)


def test_a_gate_that_a_matrix_defines_needs_values():
    with pytest.raises(UnsupportedError, match="operation 1: BARENCO: a matrix defines it"):
        parse(Program("DECLARE t REAL\nBARENCO(t, 0.1, 0.2) 0 1"))


def test_formal_parameters_have_no_value():
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


@pytest.mark.parametrize("seed", range(60))
def test_loops_and_classical_values_do_the_same_there_and_back_or_are_refused(seed: int):
    circuit = random_classical_circuit(seed)
    try:
        program = circuit.to("pyquil")
    except UnsupportedError as error:
        assert error.feature == "operator popcount"  # noqa: PT017 - of what else than its bits
        return
    found = parse(program)
    found.validate()
    assert_same_ensembles(found, circuit)


def test_a_dumped_loop_is_what_a_user_of_pyquil_would_write():
    circuit = Circuit(1, 1).while_({0: 0}).h(0).measure(0, 0).end()
    wanted = "DECLARE ro BIT[1]\nLABEL @LOOP0\nJUMP-WHEN @END0 ro[0]\nH 0\nMEASURE 0 ro[0]\nJUMP @LOOP0\nLABEL @END0"
    assert circuit.to("pyquil") == Program(wanted)


def test_a_dumped_copy_of_a_bit_is_a_move():
    circuit = Circuit(1, 2).measure(0, 0).set([1], bits(0))
    assert circuit.to("pyquil").out().splitlines()[-2:] == ["MEASURE 0 ro[0]", "MOVE ro[1] ro[0]"]


def test_hidden_clbits_stay_hidden_there_and_back():
    circuit = Circuit(1, 1, num_hidden=1).h(0).measure(0, 1).set([0], Expression("not", (bits(1),)))
    found = parse(circuit.to("pyquil"))
    assert found.num_clbits == 1
    assert_same_ensembles(found, circuit)


def test_what_quil_cannot_compute_is_refused_by_name():
    wide = Circuit(0, 64).set([0], bits(*range(64)) + 1)
    with pytest.raises(UnsupportedError, match="more than the 64 bits"):
        wide.to("pyquil")
    with pytest.raises(UnsupportedError, match="no instruction for") as caught:
        Circuit(0, 2).set([0], Expression("/", (bits(0, 1), 2))).to("pyquil")
    assert caught.value.feature == "operator /"


def test_parameters_are_real_memory_there_and_back():
    theta, elements = parameter("theta"), [parameter("phi[0]"), parameter("phi[2]")]
    circuit = Circuit(2).rx(theta / 2, 0).rz(elements[0] + elements[1], 1).cp(Expression("cos", (theta,)), 0, 1)
    program = circuit.to("pyquil")
    assert sorted(program.out().splitlines()[:2]) == ["DECLARE phi REAL[3]", "DECLARE theta REAL[1]"]
    values = {"theta": 0.3, "phi[0]": 0.4, "phi[2]": 1.5}
    found = parse(program)
    assert set(found.parameters) == values.keys()
    np.testing.assert_allclose(unitary(found.bind(values)), unitary(circuit.bind(values)), atol=1e-12)


@pytest.mark.parametrize("name", ["ro", "pi", "\u03b8"])
def test_a_parameter_that_no_memory_can_be_named_for_is_refused(name: str):
    with pytest.raises(UnsupportedError, match=f"no memory of Quil can be named {name}"):
        Circuit(1).rx(parameter(name), 0).to("pyquil")
    with pytest.raises(UnsupportedError, match="t is a parameter, and an array of them"):
        Circuit(1).rx(parameter("t"), 0).rx(parameter("t[1]"), 0).to("pyquil")


def test_a_backend_runs_a_program_with_a_counter_and_a_loop_that_depends_on_outcomes(real_backend: Backend):
    text = """DECLARE ro BIT[2]
DECLARE tries INTEGER
LABEL @AGAIN
ADD tries 1
RX(2*pi/3) 0
MEASURE 0 ro[0]
JUMP-UNLESS @AGAIN ro[0]
GT ro[1] tries 1"""
    found = real_backend.run(Program(text), shots=None, result="probabilities")
    assert dict(found) == pytest.approx({"01": 0.75, "11": 0.25})
