"""Makes the workloads: flat lists of gates, and the circuits and texts of these gates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from random import Random

from gateway.circuit import Circuit, Operation

Gate = tuple[str, tuple[int, ...], tuple[float, ...]]
"""Name, qubits, angles: what the bare loops read."""

NUM_GATES = 10_000
NUM_QUBITS = 12
FIXED = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "cx", "cz", "swap")
TURNING = ("rx", "ry", "rz", "p", "cp")
QELIB1 = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "cx", "cz")
"""Those that Qiskit's parser knows without being told of more."""
PAIRS = frozenset({"cx", "cz", "swap", "cp"})
"""Every framework has all of these as gates of its own."""


def mixed_gates(
    num_gates: int = NUM_GATES,
    num_qubits: int = NUM_QUBITS,
    fixed: Sequence[str] = FIXED,
    turning: Sequence[str] = TURNING,
) -> list[Gate]:
    """Return random gates, every other one with an angle that occurs nowhere else."""
    random = Random(7)
    gates: list[Gate] = []
    for index in range(num_gates):
        name = random.choice(turning if index % 2 else fixed)
        qubits = tuple(random.sample(range(num_qubits), 2 if name in PAIRS else 1))
        gates.append((name, qubits, (random.uniform(-3, 3),) if name in turning else ()))
    return gates


def wide_gates(num_qubits: int = 20) -> list[Gate]:
    """Return an entangled state of which 1,000,000 shots show about 155,000 different outcomes."""
    qubits = range(num_qubits)
    gates: list[Gate] = [("ry", (q,), (0.72 + 0.02 * q,)) for q in qubits]
    gates += [("cx", (q, q + 1), ()) for q in qubits[:-1]]
    gates += [("rz", (q,), (0.3 + 0.1 * q,)) for q in qubits]
    gates += [("ry", (q,), (0.25,)) for q in qubits]
    gates += [("cx", (q + 1, q), ()) for q in qubits[:-1:2]]
    return gates


def product_gates(num_qubits: int = 20) -> list[Gate]:
    """Return a state of about as many outcomes that a decision diagram holds in one node for each qubit."""
    return [("ry", (q,), (0.72 + 0.02 * q,)) for q in range(num_qubits)]


def circuit_of(gates: Iterable[Gate], num_qubits: int) -> Circuit:
    """Return the gates as a circuit without measurements."""
    return Circuit(num_qubits, 0, [Operation(name, qubits, params) for name, qubits, params in gates])


# ------------------------------------------------------------------ text


def unique_angle(random: Random) -> str:
    """Return an angle as programs write it."""
    return repr(random.uniform(-3, 3))


def fraction_of_pi(random: Random) -> str:
    """Return an angle as people and the Fourier transform write it."""
    sign, times, part = random.choice(("", "-")), random.randint(1, 31), 2 ** random.randint(1, 10)
    return f"{sign}pi/{part}" if times == 1 else f"{sign}{times}*pi/{part}"


def texts(angle: Callable[[Random], str]) -> tuple[str, str]:
    """Return the same circuit as OpenQASM 2 and as OpenQASM 3: half of its gates are ``rz``, all is measured."""
    random = Random(11)
    lines = []
    for name, qubits, params in mixed_gates(fixed=QELIB1, turning=["rz"]):
        argument = f"({angle(random)})" if params else ""
        lines.append(f"{name}{argument} {', '.join(f'q[{q}]' for q in qubits)};")
    body = "\n".join(lines)
    n = NUM_QUBITS
    return (
        f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{n}];\ncreg c[{n}];\n{body}\nmeasure q -> c;\n',
        f'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[{n}] q;\nbit[{n}] c;\n{body}\nc = measure q;\n',
    )


# ------------------------------------------------------------------ circuits that are run


def bell() -> Circuit:
    """Return two qubits that are found equal."""
    return Circuit(2).h(0).cx(0, 1).measure_all()


def teleportation() -> Circuit:
    """Return a state on qubit 0 brought to qubit 2 and measured into clbit 2."""
    circuit = Circuit(3, 3).u(1.1, 0.4, 0.7, 0)
    return _teleport(circuit).measure(2, 2)


def dynamic() -> Circuit:
    """Return 200 random gates on 12 qubits with three resets among them, then a teleportation; all is measured."""
    circuit = Circuit(NUM_QUBITS, NUM_QUBITS)
    for index, (name, qubits, params) in enumerate(mixed_gates(200)):
        circuit.gate(name, qubits, params)
        if index == 100:
            circuit.reset(6)
    _teleport(circuit.reset(1).reset(2))
    for qubit in range(2, NUM_QUBITS):
        circuit.measure(qubit, qubit)
    return circuit


def _teleport(circuit: Circuit) -> Circuit:
    """Bring qubit 0 to qubit 2; qubits 1 and 2 are 0."""
    circuit.h(1).cx(1, 2).cx(0, 1).h(0)
    return circuit.measure(0, 0).measure(1, 1).x(2, when={1: 1}).z(2, when={0: 1})


def rounds(number: int = 200) -> Circuit:
    """Return rounds of a coin that decides whether another qubit is flipped: four states, ``2**200`` histories."""
    circuit = Circuit(2, 2)
    for _ in range(number):
        circuit.h(0).measure(0, 0).x(1, when={0: 1})
    return circuit.measure(1, 1)


def syndromes(number: int = 100) -> Circuit:
    """Return a repetition code of distance 3: three qubits, whose parities are measured round after round."""
    circuit = Circuit(5, 3 + 2 * number).h(0).h(1).h(2)
    for clbit in range(3, 3 + 2 * number, 2):
        circuit.cx(0, 3).cx(1, 3).cx(1, 4).cx(2, 4)
        circuit.measure(3, clbit).measure(4, clbit + 1).reset(3).reset(4)
    return circuit.measure(0, 0).measure(1, 1).measure(2, 2)


def phase_estimation(num_bits: int = 20) -> Circuit:
    """Return the estimation of a phase with one qubit that is used for each bit, the last one first."""
    circuit = Circuit(2, num_bits).x(1)
    for bit in range(num_bits):
        circuit.reset(0).h(0).cp(2 * math.pi * 0.314159265 * 2 ** (num_bits - 1 - bit), 0, 1)
        for known in range(bit):
            circuit.p(-math.pi / 2 ** (bit - known), 0, when={known: 1})
        circuit.h(0).measure(0, bit)
    return circuit


def random_bits(number: int = 20) -> Circuit:
    """Return one qubit that is reset, put into a superposition and measured, again and again."""
    circuit = Circuit(1, number)
    for clbit in range(number):
        circuit.reset(0).h(0).measure(0, clbit)
    return circuit


def endless() -> Circuit:
    """Return a circuit that takes any simulator of state vectors many minutes."""
    num_qubits = 22
    layer = [gate for qubit in range(num_qubits) for gate in (("h", (qubit,), ()), ("rz", (qubit,), (0.1 + qubit,)))]
    return circuit_of(layer * 1500, num_qubits).measure_all()
