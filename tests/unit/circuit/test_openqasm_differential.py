"""Our two ways to read a statement and Qiskit's two loaders have to agree on what a text means."""

from __future__ import annotations

import itertools
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference import distribution, unitary

from gateway.circuit import Comparison, parse
from gateway.circuit.circuit import DEFAULT_LIMITS, Circuit
from gateway.circuit.conditions import merge
from gateway.circuit.gates import GATES
from gateway.circuit.openqasm.reader import read_program
from gateway.errors import GatewayError

qiskit = pytest.importorskip("qiskit")

CIRCUITS = Path(__file__).parents[2] / "circuits"
OPENQASM_2 = sorted((CIRCUITS / "openqasm2").glob("*.qasm"))
OPENQASM_3 = sorted((CIRCUITS / "openqasm3").glob("*.qasm"))

QISKIT_2_GATES = frozenset({
    "cx", "id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "p", "u1", "u2", "u3", "u", "U", "CX", "rx",
    "ry", "rz", "cy", "cz", "ch", "csx", "cp", "cu1", "crx", "cry", "crz", "cu3", "cu", "swap", "rxx", "rzz", "ccx",
    "cswap", "rccx",
})  # fmt: skip
NOT_IN_QISKIT_2 = {"beyond_the_include": "iswap", "trotter_heisenberg": "ryy"}
"""Files with a gate that Qiskit's loader asks a definition for."""
IN_QISKIT_3 = (
    "aliases",
    "bell",
    "fractional_powers",
    "global_phase",
    "many_controls",
    "old_declarations",
    "physical_qubits",
    "teleportation_if",
)
"""What Qiskit's loader of OpenQASM 3 can read."""
TWINS = {
    "bell": "bell",
    "bernstein_vazirani_bits": "bernstein_vazirani",
    "ghz_loop": "ghz",
    "iterative_phase_estimation": "iterative_phase_estimation",
    "repetition_code_def": "repetition_code",
    "teleportation_if": "teleportation",
}
"""The same experiment in OpenQASM 3 and in OpenQASM 2."""

# ------------------------------------------------------------------ Qiskit's circuits, simulated with Qiskit's matrices


@dataclass(frozen=True, slots=True)
class Branch:
    """A history: an unnormalised state as ``[2] * n``, axis ``n - 1 - k`` for qubit ``k``, and the clbits."""

    state: np.ndarray
    bits: int


def apply(state: np.ndarray, matrix: np.ndarray, qubits: list[int]) -> np.ndarray:
    count, size = len(qubits), state.ndim
    axes = [size - 1 - qubit for qubit in reversed(qubits)]
    moved = np.tensordot(matrix.reshape([2] * 2 * count), state, axes=(list(range(count, 2 * count)), axes))
    return np.moveaxis(moved, range(count), axes)


def project(branch: Branch, qubit: int, outcome: int) -> np.ndarray:
    return apply(branch.state, np.diag([1 - outcome, outcome]).astype(complex), [qubit])


def advance(branch: Branch, circuit, qubits: list[int], clbits: list[int]) -> list[Branch]:
    """Run a circuit, or a block of one, whose qubits and clbits are numbered by the two lists."""
    branches = [branch]
    place = {bit: qubits[k] for k, bit in enumerate(circuit.qubits)}
    slot = {bit: clbits[k] for k, bit in enumerate(circuit.clbits)}
    for item in circuit.data:
        where = [place[bit] for bit in item.qubits]
        into = [slot[bit] for bit in item.clbits]
        branches = [after for before in branches for after in step(before, item.operation, where, into, slot)]
    return [Branch(apply(b.state, np.exp(1j * float(circuit.global_phase)) * np.eye(2), [0]), b.bits) for b in branches]


def step(branch: Branch, operation, where: list[int], into: list[int], slot: dict) -> list[Branch]:
    if operation.name == "barrier":
        return [branch]
    if operation.name == "measure":
        kept = branch.bits & ~(1 << into[0])
        found = [Branch(project(branch, where[0], k), kept | k << into[0]) for k in (0, 1)]
    elif operation.name == "reset":
        flip = apply(project(branch, where[0], 1), np.array([[0, 1], [1, 0]], dtype=complex), where)
        found = [Branch(project(branch, where[0], 0), branch.bits), Branch(flip, branch.bits)]
    elif operation.name == "if_else":
        target, value = operation.condition
        read = list(target) if hasattr(target, "size") else [target]
        bits = sum((branch.bits >> slot[bit] & 1) << k for k, bit in enumerate(read))
        chosen = operation.params[0 if bits == value else 1]
        return [branch] if chosen is None else advance(branch, chosen, where, into)
    else:
        from qiskit.quantum_info import Operator  # noqa: PLC0415

        return [Branch(apply(branch.state, Operator(operation).data, where), branch.bits)]
    return [branch for branch in found if np.vdot(branch.state, branch.state).real > 1e-13]


def qiskit_distribution(circuit) -> dict[str, float]:
    size = circuit.num_qubits
    zero = np.zeros([2] * size, dtype=complex)
    zero[(0,) * size] = 1
    found: defaultdict[str, float] = defaultdict(float)
    for branch in advance(Branch(zero, 0), circuit, list(range(size)), list(range(circuit.num_clbits))):
        found[format(branch.bits, f"0{circuit.num_clbits}b")] += float(np.vdot(branch.state, branch.state).real)
    return dict(found)


def load_2(text: str):
    from qiskit import qasm2  # noqa: PLC0415

    return qasm2.loads(
        text,
        custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
        custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
    )


def load_3(text: str):
    from qiskit import qasm3  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Qiskit, about Qiskit
        return qasm3.loads(text)


def assert_same_distribution(ours: Circuit, found: dict[str, float]) -> None:
    expected = distribution(ours)
    for key in expected.keys() | found.keys():
        assert expected.get(key, 0) == pytest.approx(found.get(key, 0), abs=1e-9), key


@pytest.mark.parametrize("path", OPENQASM_2, ids=lambda path: path.stem)
def test_openqasm_2_means_what_it_means_to_qiskit(path: Path) -> None:
    text = path.read_text()
    if path.stem in NOT_IN_QISKIT_2:
        with pytest.raises(qiskit.QiskitError, match=f"'{NOT_IN_QISKIT_2[path.stem]}' is not defined"):
            load_2(text)
        return
    theirs = qiskit.qasm2.loads(text) if path.stem == "shadowing" else load_2(text)
    assert_same_distribution(parse(text), qiskit_distribution(theirs))


@pytest.mark.parametrize("name", IN_QISKIT_3)
def test_openqasm_3_means_what_it_means_to_qiskit(name: str) -> None:
    text = (CIRCUITS / "openqasm3" / f"{name}.qasm").read_text()
    assert_same_distribution(parse(text), qiskit_distribution(load_3(text)))


@pytest.mark.parametrize(("name", "twin"), TWINS.items())
def test_the_same_experiment_in_both_languages_has_the_same_outcomes(name: str, twin: str) -> None:
    ours = parse((CIRCUITS / "openqasm3" / f"{name}.qasm").read_text())
    other = parse((CIRCUITS / "openqasm2" / f"{twin}.qasm").read_text())
    assert_same_distribution(ours, distribution(other))


# ------------------------------------------------------------------ the same circuits, built by hand


def vqe_ring() -> Circuit:
    circuit = Circuit(4, 4)
    for layer in range(3):
        for k in range(4):
            circuit.ry(0.3 + 0.2 * k - 0.25 * layer, k)
        for k in range(4):
            circuit.cx(k, (k + 1) % 4)
    return circuit.measure_all()


def qft_loops() -> Circuit:
    circuit = Circuit(4, 4).x(0).x(2).rx(0.4, 1)
    for k in (3, 2, 1, 0):
        circuit.h(k)
        for j in range(k - 1, -1, -1):
            circuit.cp(np.pi / 2 ** (k - j), k, j)
    circuit.swap(0, 3).swap(1, 2).p(0.3, 0)
    for k in range(4):
        circuit.h(k)
    return circuit.measure_all()


def subroutine_values() -> Circuit:
    circuit = Circuit(3, 3).rx(np.pi, 0).rx(np.pi / 2, 1).rx(np.pi / 6, 2).ry(np.pi / 12, 0)
    return circuit.measure_all()


def subroutines() -> Circuit:
    circuit = Circuit(5, 6).ry(1.1, 0).cx(0, 1).ry(0.7, 2).cx(2, 3).rx(0.6, 1)
    circuit.reset(4).cx(0, 4).cx(1, 4).measure(4, 0).reset(4).cx(2, 4).cx(3, 4).measure(4, 1).x(1, when={0: 1})
    for k in range(4):
        circuit.measure(k, 2 + k)
    return circuit


def compile_time_while() -> Circuit:
    return Circuit(5, 5).ry(0.2, 0).ry(0.4, 2).ry(0.8, 3).ry(1.6, 4).cx(0, 1).measure_all()


def loop_kinds() -> Circuit:
    circuit = Circuit(5, 5).ry(0.8, 4).ry(0.4, 2).x(1).x(3).h(0).h(2).h(3)
    for angle in (0.1, 0.2):
        for k in range(5):
            circuit.rx(angle, k)
    return circuit.measure_all()


def switch_measured() -> Circuit:
    circuit = Circuit(4, 4).h(0).ry(1.9, 1).measure(0, 0).measure(1, 1)
    circuit.x(2, when={0: 0, 1: 0})
    for one in (0, 1):
        circuit.ry(0.5, 2, when={0: one, 1: 1 - one}).h(3, when={0: one, 1: 1 - one})
    return circuit.x(3, when={0: 1, 1: 1}).measure(2, 2).measure(3, 3)


def switch_constant() -> Circuit:
    return Circuit(4, 4).h(0).x(1).ry(0.6, 2).h(3).measure_all()


def if_else_nested() -> Circuit:
    circuit = Circuit(4, 4).h(0).ry(1.2, 1).measure(0, 0).measure(1, 1)
    circuit.x(2, when={0: 1}).h(3, when={0: 1, 1: 1}).ry(0.3, 3, when={0: 1, 1: 0})
    return circuit.ry(0.9, 2, when={0: 0, 1: 1}).x(3, when={0: 0, 1: 0}).measure(2, 2).measure(3, 3)


def bit_conditions() -> Circuit:
    circuit = Circuit(4, 4).h(0).ry(0.8, 1).ry(2.1, 2).measure(0, 0).measure(1, 1).measure(2, 2)
    for m in range(8):
        a, b, c = m & 1, m >> 1 & 1, m >> 2
        when = {0: a, 1: b, 2: c}
        for holds, gate, angle in (
            (a != b, "ry", 0.4),
            (a and not c, "rx", 0.5),
            (b or c, "ry", 0.6),
            (m > 2 and m != 5, "rx", 0.7),
            (m, "ry", 0.2),
            (a == c, "ry", 0.3),
        ):
            if holds:
                circuit.gate(gate, [3], [angle], when)
    return circuit.measure(3, 3)


def syndrome_wide() -> Circuit:
    circuit = Circuit(4, 4).h(0).h(1).h(2).measure(0, 0).measure(1, 1).measure(2, 2)
    for m in range(8):
        when = {0: m & 1, 1: m >> 1 & 1, 2: m >> 2}
        if m == 5:
            circuit.x(3, when)
        if m != 3:
            circuit.ry(0.4, 3, when)
        if m >= 6:
            circuit.h(3, when)
        circuit.rx(0.3 + 0.6 * (m == 3), 3, when)
    return circuit.measure(3, 3)


def variables() -> Circuit:
    circuit = Circuit(3, 3).rx(-0.7, 0).ry(0.25, 1).rz(np.pi / 2, 1).rx(np.pi / 4, 1).ry(0.6, 2)
    return circuit.ry(0.6, 0).measure_all()


def slices() -> Circuit:
    circuit = Circuit(6, 6).x(1).x(3).x(5).h(5).ry(0.5, 0).ry(0.5, 3).cx(4, 5).cx(2, 3).cx(0, 1)
    for qubit, clbit in ((3, 0), (4, 1), (5, 2), (0, 5), (1, 4), (2, 3)):
        circuit.measure(qubit, clbit)
    return circuit


def end_and_scopes() -> Circuit:
    return Circuit(2, 2).rx(0.6, 0).ry(0.5, 1).ry(0.6, 1).rx(0.3, 1).cx(0, 1).measure_all()


BY_HAND = (
    bit_conditions,
    compile_time_while,
    end_and_scopes,
    if_else_nested,
    loop_kinds,
    qft_loops,
    slices,
    subroutine_values,
    subroutines,
    switch_constant,
    switch_measured,
    syndrome_wide,
    variables,
    vqe_ring,
)


@pytest.mark.parametrize("build", BY_HAND, ids=lambda build: build.__name__)
def test_unrolled_programs_equal_the_circuit_built_by_hand(build) -> None:
    text = (CIRCUITS / "openqasm3" / f"{build.__name__}.qasm").read_text()
    assert_same_distribution(parse(text), distribution(build()))


# ------------------------------------------------------------------ our two ways


@pytest.mark.parametrize("path", OPENQASM_3, ids=lambda path: path.stem)
def test_both_ways_make_the_same_circuit(path: Path) -> None:
    text = path.read_text()
    fast, slow = [Circuit(*read_program(text, DEFAULT_LIMITS, is_fast=is_fast)) for is_fast in (True, False)]
    assert normalised(fast) == normalised(slow)


DECLARATIONS = """OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q; bit[3] c; qubit a; bit b;
h q[0];
c = measure q;
"""
A_LOOP = "for int unused in [0:0] { }\n"
STATEMENTS = (CIRCUITS / "flat_statements.txt").read_text().splitlines()
"""Right ones and wrong ones, as people write them in flat files."""


def outcome(text: str) -> Circuit | None:
    """Return the circuit a text is read as, without barriers, which change no result; ``None`` if it is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            circuit = parse(text)
    except GatewayError:
        return None
    return normalised(circuit)


def normalised(circuit: Circuit) -> Circuit:
    """Return a circuit without barriers, in which conditions that mean the same are the same."""
    kept = [
        msgspec.structs.replace(operation, condition=merge(tuple(map(one_way, operation.condition))))
        for operation in circuit.operations
        if operation.name != "barrier"
    ]
    return circuit.with_operations(kept)


def one_way(comparison: Comparison) -> Comparison:
    """Say of a single bit what it is, where a comparison says what it is not."""
    if len(comparison.clbits) == 1 and not comparison.equal:
        return Comparison(comparison.clbits, 1 - comparison.value)
    return comparison


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_loop_anywhere_in_a_text_changes_nothing_of_what_else_is_accepted_and_means(statement: str) -> None:
    flat, unrolled = outcome(DECLARATIONS + statement), outcome(DECLARATIONS + A_LOOP + statement)
    assert flat == unrolled


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("true", True),
        ("false", False),
        ("!false", True),
        ("!true", False),
        ("1 == 1", True),
        ("1 == 2", False),
        ("true && true", True),
        ("true && false", False),
        ("always", True),
    ],
)
def test_a_condition_that_is_known_at_once_keeps_or_drops_its_branch(condition: str, *, holds: bool) -> None:
    text = f"{DECLARATIONS}const bool always = true;" if condition == "always" else DECLARATIONS
    circuit = parse(f"{text} if ({condition}) {{ x q[1]; }} else {{ y q[1]; }}")
    assert circuit.operations[-1] == Circuit(3).gate("x" if holds else "y", [1]).operations[0]


def test_an_else_belongs_to_the_nearest_if() -> None:
    *_, then, otherwise = parse(f"{DECLARATIONS} if (c[0]) if (c[1]) x q[0]; else y q[0];").operations
    first = Comparison((0,), 1)
    assert (then.name, then.condition) == ("x", (first, Comparison((1,), 1)))
    assert (otherwise.name, otherwise.condition) == ("y", (first, Comparison((1,), 0)))


@st.composite
def angles(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(["pi", "0.25", "1.5e-1", ".5", "2.0", "3"]))
    left, right = draw(angles(depth - 1)), draw(angles(depth - 1))
    form = draw(
        st.sampled_from(["{}+{}", "{}-{}", "{}*{}", "({}-{})", "-{}*{}", "sin({})+{}", "cos({})*{}", "{}/2.0-{}"])
    )
    return form.format(left, right)


@st.composite
def operands(draw: st.DrawFn, count: int, *, distinct: bool) -> list[str]:
    """Qubits of ``a[2]`` and ``b[2]``, single ones or whole registers; no register holds two of them."""
    singles = ["a[0]", "a[1]", "b[0]", "b[1]"]
    if count == 1 and not distinct:
        return [draw(st.sampled_from([*singles, "a", "b"]))]
    if count == 2 and not distinct and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from([["a", "b"], ["b", "a"], ["a[0]", "b"], ["b", "a[1]"], ["a", "b[0]"]]))
    return draw(st.permutations(singles))[:count]


@st.composite
def programs(draw: st.DrawFn, version: int = 2, known: frozenset[str] = frozenset(GATES)) -> str:
    header = 'OPENQASM 2.0;\ninclude "qelib1.inc";' if version == 2 else 'OPENQASM 3.0;\ninclude "stdgates.inc";'
    registers = "qreg a[2]; creg c[2]; qreg b[2]; creg d[1];"
    if version == 3 and draw(st.booleans()):
        registers = "qubit[2] a; bit[2] c; qubit[2] b; bit[1] d;"
    body = [header, "gate mine(t) p, r { rx(t/2.0) p; cx p, r; u3(t, -t, 0.5) r; }", registers]
    names = [name for name, gate in GATES.items() if 1 <= gate.num_qubits <= 3 and name in known]
    body += [draw(statements([*names, "mine"], version)) for _ in range(draw(st.integers(1, 8)))]
    if draw(st.booleans()):
        body.append("measure a -> c;")
    return "\n".join(body)


@st.composite
def statements(draw: st.DrawFn, names: list[str], version: int) -> str:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.sampled_from(["barrier a;", "barrier a, b[0];", "reset a[0];", "reset b;"]))
    if kind == 1:
        arrow = draw(
            st.sampled_from(["measure {} -> {};", "{1} = measure {0};" if version == 3 else "measure {} -> {};"])
        )
        return arrow.format(*draw(st.sampled_from([("a[0]", "c[1]"), ("b[1]", "d[0]"), ("b", "c"), ("a", "c")])))
    name = draw(st.sampled_from(names))
    count, params = (2, 1) if name == "mine" else (GATES[name].num_qubits, GATES[name].num_params)
    values = ", ".join(draw(angles()) for _ in range(params))
    call = f"{name}({values})" if params else name
    known = ["if (true) ", "if (!false) ", "if (false) ", "if (1 == 1) "] if version == 3 else []
    condition = draw(st.sampled_from(["", "", "", "if(c==1) ", "if (d == 0) ", "if(c==2)", *known]))
    return f"{condition}{call} {', '.join(draw(operands(count, distinct=False)))};"


@settings(max_examples=60, deadline=None)
@given(programs(version=3))
def test_both_ways_agree_on_any_flat_openqasm_3(text: str) -> None:
    assert parse(text) == Circuit(*read_program(text, DEFAULT_LIMITS, is_fast=False))


@settings(max_examples=30, deadline=None)
@given(programs(version=2, known=QISKIT_2_GATES))
def test_qiskit_agrees_on_any_openqasm_2_it_knows(text: str) -> None:
    theirs = load_2(text)
    assert_same_distribution(parse(text), qiskit_distribution(theirs))


# ------------------------------------------------------------------ the reference itself


@pytest.mark.parametrize("name", [name for name, gate in GATES.items() if gate.num_qubits])
def test_the_reference_multiplies_matrices_in_qiskits_order(name: str) -> None:
    from qiskit import QuantumCircuit  # noqa: PLC0415
    from qiskit.circuit.library import UnitaryGate  # noqa: PLC0415
    from qiskit.quantum_info import Operator  # noqa: PLC0415

    gate = GATES[name]
    params = (0.3, 0.7, -1.1, 0.2)[: gate.num_params]
    qubits = [4, 1, 3, 0, 2][: gate.num_qubits]
    theirs = QuantumCircuit(5)
    theirs.h([0, 3])
    theirs.append(UnitaryGate(np.array(gate.unitary(*params), dtype=complex), check_input=False), qubits)
    theirs.cx(4, 1)
    ours = Circuit(5).h(0).h(3).gate(name, qubits, params).cx(4, 1)
    assert np.allclose(unitary(ours), Operator(theirs).data)


def test_the_reference_agrees_with_aer_on_measurements_resets_and_conditions() -> None:
    from qiskit_aer import AerSimulator  # noqa: PLC0415

    shots = 10_000
    simulator = AerSimulator(seed_simulator=11, max_parallel_threads=1)
    for name in ("repetition_code", "iterative_phase_estimation", "conditional_register"):
        text = (CIRCUITS / "openqasm2" / f"{name}.qasm").read_text()
        counts = simulator.run(load_2(text), shots=shots).result().get_counts()
        exact = distribution(parse(text))
        found = {key.replace(" ", ""): count / shots for key, count in counts.items()}
        distance = sum(abs(exact.get(key, 0) - found.get(key, 0)) for key in exact.keys() | found.keys()) / 2
        assert distance < 0.03, name  # the seed is fixed


def test_the_reference_defers_measurements_only_where_nothing_depends_on_them() -> None:
    circuit = Circuit(2, 2).h(0).measure(0, 0).cx(0, 1).measure(1, 1).measure(0, 0)
    assert distribution(circuit) == pytest.approx({"00": 0.5, "11": 0.5})
    overwritten = Circuit(2, 1).x(0).measure(0, 0).measure(1, 0)
    assert distribution(overwritten) == pytest.approx({"0": 1.0})
    tested = Circuit(2, 2).h(0).measure(0, 1).x(1, when={1: 1}).reset(0).measure(1, 0)
    assert distribution(tested) == pytest.approx({"00": 0.5, "11": 0.5})


def test_the_reference_says_nothing_of_a_circuit_without_clbits() -> None:
    assert distribution(Circuit(2).h(0)) == pytest.approx({"": 1.0})


def test_the_lists_of_exceptions_name_files_that_exist() -> None:
    names = {path.stem for path in itertools.chain(OPENQASM_2, OPENQASM_3)}
    assert names >= {*NOT_IN_QISKIT_2, *IN_QISKIT_3, *TWINS, *TWINS.values()}
