"""Programs of OpenQASM 2 made at random, read by us and by Qiskit, must do the same."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import qiskit.qasm2
from hypothesis import given, note, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister, IfElseOp
from qiskit.quantum_info import Operator
from support.simulation import Move, assert_same_branches, branches, moves

from gateway.circuit import Circuit, Limits
from gateway.circuit.gates import GATES
from gateway.circuit.openqasm.classical_statements import Becomes
from gateway.circuit.openqasm.reader import read_program
from gateway.errors import GatewayError

NAMES = [
    "u3", "u2", "u1", "cx", "id", "u", "p", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "sx",
    "sxdg", "cz", "cy", "swap", "ch", "ccx", "cswap", "crx", "cry", "crz", "cu1", "cp", "cu3", "csx", "cu", "rxx",
    "rzz", "rccx", "rc3x", "c3x", "c3sqrtx", "U", "CX",
]  # fmt: skip
"""What Qiskit knows after ``include "qelib1.inc"`` with its legacy instructions; its u0 wants an integer."""
SHAPES = [
    "{}{}{}", "{0}/2", "{0}/(2+1)", "{0}^2", "{0}^2^1", "-{0}", "({0})", "sin({0})", "exp(cos({0}))",
    "sqrt(2+sin({0}))", "ln(3+cos({0}))", "-({0})^2", "tan(0.5*sin({0}))",
]  # fmt: skip


def expression(rng: random.Random, names: list[str], depth: int = 2) -> str:
    """Return a constant expression whose value is real and finite."""
    if depth == 0 or rng.random() < 0.4:
        return rng.choice(["pi", "0.5", "1", "2", ".25", "1.5e-1", "3.", f"{rng.uniform(0, 6):.6f}", *names, *names])
    left, right = expression(rng, names, depth - 1), expression(rng, names, depth - 1)
    return rng.choice(SHAPES).format(left, rng.choice("+-*"), right)


def call(rng: random.Random, gates: dict[str, tuple[int, int]], qubits: list[str], names: list[str]) -> str:
    """Return a call of one of the gates (name -> numbers of parameters and qubits) on distinct qubits."""
    name = rng.choice([name for name, (_, wires) in gates.items() if wires <= len(qubits)])
    count, wires = gates[name]
    params = ", ".join([expression(rng, names) for _ in range(count)])
    angles = f"({params})" if params else rng.choice(["", "", "()"])
    return f"{name}{angles} {', '.join(rng.sample(qubits, wires))};"


def statement(rng, gates, sizes, bits, *, may_branch: bool) -> str:
    singles = [f"q{place}[{index}]" for place, size in enumerate(sizes) for index in range(size)]
    clbits = [f"c{place}[{index}]" for place, size in enumerate(bits) for index in range(size)]
    size, place = rng.choice(sizes), rng.randrange(len(bits))
    whole = [f"q{place}" for place, each in enumerate(sizes) if each == size]
    others = [single for single in singles if single.partition("[")[0] not in whole]
    gate = call(rng, gates, singles, [])
    choices = [
        gate,
        gate,
        call(rng, gates, [*whole, *others], []),
        f"if(c{place}=={rng.randrange(2 ** bits[place])}) {gate}",
        f"barrier {','.join(singles)};",
    ]
    if may_branch:
        choices += [f"measure {rng.choice(singles)} -> {rng.choice(clbits)};", f"reset {rng.choice(singles)};"] * 2
        choices += ["measure q0 -> c0;"] * (sizes[0] == bits[0])
    return rng.choice(choices)


def program(rng: random.Random) -> str:
    gates = {name: (GATES[name].num_params, GATES[name].num_qubits) for name in NAMES}
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', "opaque secret(t) a,b;"]
    for number in range(rng.randint(0, 2)):
        params = ["theta", "phi"][: rng.randint(0, 2)]
        wires = ["a", "b", "c"][: rng.randint(1, 3)]
        body = " ".join([call(rng, gates, wires, params) for _ in range(rng.randint(0, 3))])
        angles = f"({','.join(params)})" if params else ""
        lines.append(f"gate made_{number}{angles} {','.join(wires)} {{ {body} }}")
        gates[f"made_{number}"] = (len(params), len(wires))
    sizes = [rng.randint(1, 2) for _ in range(rng.randint(1, 3))]
    bits = [rng.randint(1, 2) for _ in range(rng.randint(1, 2))]
    lines += [f"qreg q{place}[{size}];" for place, size in enumerate(sizes)]
    lines += [f"creg c{place}[{size}];" for place, size in enumerate(bits)]
    lines += [statement(rng, gates, sizes, bits, may_branch=turn < 3) for turn in range(rng.randint(1, 10))]
    return rng.choice(["\n", " ", " // note ;}\n"]).join([*lines, ""])


def moves_of_qiskit(circuit: QuantumCircuit) -> list[Move]:
    """Return what a Qiskit circuit does, in the terms of our test simulator."""

    def tested(condition: tuple[ClassicalRegister, int]) -> Callable[[int], bool]:
        register, value = condition
        clbits = [circuit.find_bit(bit).index for bit in register]
        return lambda bits: sum((bits >> clbit & 1) << place for place, clbit in enumerate(clbits)) == value

    found = []

    def walk(inner: QuantumCircuit, qubits: list[int], clbits: list[int], when: Callable[[int], bool]) -> None:
        for item in inner.data:
            on = [qubits[inner.find_bit(bit).index] for bit in item.qubits]
            into = [clbits[inner.find_bit(bit).index] for bit in item.clbits]
            if isinstance(item.operation, IfElseOp):
                walk(item.operation.blocks[0], on, into, tested(item.operation.condition))
            elif item.operation.name in {"measure", "reset"}:
                found.append(Move(None, tuple(on), into[0] if into else None, when))
            elif item.operation.name != "barrier":
                found.append(Move(Operator(item.operation).data, tuple(on), None, when))

    walk(circuit, list(range(circuit.num_qubits)), list(range(circuit.num_clbits)), lambda _: True)
    return found


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_random_openqasm_2_programs_do_the_same_as_in_qiskit(seed):
    text = program(random.Random(seed))
    note(text)
    theirs = qiskit.qasm2.loads(
        text,
        custom_instructions=qiskit.qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
        custom_classical=qiskit.qasm2.LEGACY_CUSTOM_CLASSICAL,
    )
    ours = Circuit(*read_program(text, Limits()))
    ours.validate()
    assert (ours.num_qubits, ours.num_clbits) == (theirs.num_qubits, theirs.num_clbits)
    assert_same_branches(
        branches(ours.num_qubits, moves(ours)),
        branches(theirs.num_qubits, moves_of_qiskit(theirs)),
    )


@given(st.text(alphabet=st.sampled_from(list('qcxif gate({[]})=;,>-/*"\n0123.π measure')), max_size=80))
@settings(max_examples=300, deadline=None)
def test_random_characters_raise_nothing_but_our_own_errors(tail):
    for head in ("OPENQASM 2.0; qreg q[2]; creg c[2];", "OPENQASM 3; qubit[2] q; bit[2] c;"):
        with contextlib.suppress(GatewayError, Becomes):
            Circuit(*read_program(head + tail, Limits())).validate()
