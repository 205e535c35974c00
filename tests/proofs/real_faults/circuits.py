"""Circuits as people write them, each with the operation that some released simulator gets wrong among many others."""

from __future__ import annotations

from math import pi
from random import Random

from gateway.circuit import Circuit


def clifford_ansatz() -> Circuit:
    """An ansatz of ry and rz at Clifford angles, as error mitigation trains on, on 5 qubits."""
    random, circuit = Random(11), Circuit(5, 5)
    for layer in range(3):
        for qubit in range(5):
            circuit.rz(random.randrange(4) * pi / 2, qubit).ry(random.choice([-1, 1, 2]) * pi / 2, qubit)
        for qubit in range(layer % 2, 4, 2):
            circuit.cx(qubit, qubit + 1)
    for qubit in range(5):
        circuit.ry(pi / 2, qubit)
    return circuit.measure_all()


def double_cx_bricks() -> Circuit:
    """Random rotations between bricks of dcx, on 5 qubits."""
    random, circuit = Random(5), Circuit(5, 5)
    for layer in range(4):
        for qubit in range(5):
            circuit.ry(random.uniform(-pi, pi), qubit).rz(random.uniform(-pi, pi), qubit)
        for qubit in range(layer % 2, 4, 2):
            circuit.dcx(qubit, qubit + 1)
    return circuit.measure_all()


def _toffoli(circuit: Circuit, a: int, b: int, target: int) -> None:
    """Append ccx made of square roots of x (Barenco et al. 1995, lemma 6.1); csx three times is its inverse."""
    circuit.csx(b, target).cx(a, b).csx(b, target).csx(b, target).csx(b, target).cx(a, b).csx(a, target)


def grover() -> Circuit:
    """Grover's search for 101 among 8, twice iterated, the Toffoli gates made of csx."""
    circuit = Circuit(3, 3)
    for qubit in range(3):
        circuit.h(qubit)
    for _ in range(2):
        circuit.x(1).h(2)
        _toffoli(circuit, 0, 1, 2)
        circuit.h(2).x(1)
        for qubit in range(3):
            circuit.h(qubit).x(qubit)
        circuit.h(2)
        _toffoli(circuit, 0, 1, 2)
        circuit.h(2)
        for qubit in range(3):
            circuit.x(qubit).h(qubit)
    return circuit.measure_all()


def flagged_ansatz() -> Circuit:
    """Three qubits are entangled again and again; a flag qubit says when two of them are reset and a third is read."""
    random, circuit = Random(7), Circuit(4, 6)
    for step in range(2):
        for qubit in range(3):
            circuit.ry(random.uniform(0.5, 2.5), qubit)
        circuit.cx(0, 1).cx(1, 2).cx(2, 3).ry(random.uniform(0.5, 2.5), 3).measure(3, step)
        circuit.reset(0, when={step: 1}).reset(1, when={step: 1}).measure(2, 2, when={step: 0})
        circuit.x(2, when={step: 1}).reset(3)
    return circuit.measure(0, 3).measure(1, 4).measure(2, 5)


def repetition_code() -> Circuit:
    """Three rounds of syndromes of a repetition code: 3 data qubits, 2 ancillas that are measured and reset."""
    circuit = Circuit(5, 9)
    for qubit in range(3):
        circuit.ry(0.9 + 0.4 * qubit, qubit)
    for step in range(3):
        for check in range(2):
            ancilla = 3 + check
            circuit.cx(check, ancilla).cx(check + 1, ancilla).measure(ancilla, 2 * step + check).reset(ancilla)
        for qubit in range(3):
            circuit.rx(0.3 + 0.2 * qubit, qubit)
    for qubit in range(3):
        circuit.measure(qubit, 6 + qubit)
    return circuit


def read_twice() -> Circuit:
    """An entangled state of which one qubit is read twice, to see how often reading errs."""
    random, circuit = Random(11), Circuit(4, 5)
    for _ in range(3):
        for qubit in range(4):
            circuit.u3(random.uniform(0, pi), random.uniform(0, pi), random.uniform(0, pi), qubit)
        for qubit in range(3):
            circuit.cx(qubit, qubit + 1)
    return circuit.measure(0, 0).measure(1, 1).measure(2, 2).measure(3, 3).measure(3, 4)


def far_neighbours() -> Circuit:
    """Random rotations and cx between qubits that are far apart, on 6 qubits."""
    random, circuit = Random(4), Circuit(6, 6)
    for _ in range(3):
        for qubit in range(6):
            circuit.ry(random.uniform(-pi, pi), qubit)
        for _ in range(3):
            circuit.cx(*random.sample(range(6), 2))
    return circuit.measure_all()


def ghz_tree() -> Circuit:
    """Two GHZ states grown as trees among 12 qubits, with rotations before and after."""
    circuit = Circuit(12, 12)
    for qubit in range(12):
        circuit.ry(0.2 * qubit, qubit)
    for control, target in [(2, 3), (2, 4), (3, 5), (8, 0), (8, 10), (10, 11), (0, 7), (6, 9), (1, 6), (4, 1)]:
        circuit.cx(control, target)
    for qubit in range(12):
        circuit.rx(0.3 + 0.1 * qubit, qubit)
    return circuit.measure_all()


def fourier() -> Circuit:
    """The quantum Fourier transform of a product state of 5 qubits, by cp."""
    circuit = Circuit(5, 5)
    for qubit in range(5):
        circuit.ry(0.7 + 0.5 * qubit, qubit)
    for target in range(4, -1, -1):
        circuit.h(target)
        for control in range(target - 1, -1, -1):
            circuit.cp(pi / 2 ** (target - control), control, target)
    for qubit in range(5):
        circuit.rx(0.4, qubit)
    return circuit.measure_all()


def many_gates() -> Circuit:
    """Many kinds of gates, some of them of the first copy of ``qelib1.inc`` and some of later ones, on 4 qubits."""
    random, circuit = Random(17), Circuit(4, 4)
    for _ in range(3):
        for qubit in range(4):
            circuit.u3(random.uniform(0, pi), random.uniform(0, pi), random.uniform(0, pi), qubit)
        circuit.swap(0, 2).sx(1).iswap(1, 3).dcx(2, 3).sxdg(0).cs(0, 1).cx(1, 2)
    return circuit.measure_all()


def max_cut() -> Circuit:
    """QAOA for the largest cut of a ring of 6, two layers of rzz and rx."""
    circuit = Circuit(6, 6)
    for qubit in range(6):
        circuit.h(qubit)
    for gamma, beta in [(0.8, 0.6), (1.3, 0.4)]:
        for qubit in range(6):
            circuit.rzz(gamma, qubit, (qubit + 1) % 6)
        for qubit in range(6):
            circuit.rx(2 * beta, qubit)
    return circuit.measure_all()


def some_are_read() -> Circuit:
    """An ansatz of 6 qubits of which 3 are measured."""
    random, circuit = Random(19), Circuit(6, 3)
    for layer in range(3):
        for qubit in range(6):
            circuit.ry(random.uniform(-pi, pi), qubit)
        for qubit in range(layer % 2, 5, 2):
            circuit.cx(qubit, qubit + 1)
    return circuit.measure(0, 0).measure(2, 1).measure(5, 2)


def random_clifford() -> Circuit:
    """40 random Clifford gates on 5 qubits."""
    random, circuit = Random(23), Circuit(5, 5)
    for _ in range(40):
        name = random.choice(["h", "s", "sdg", "sx", "cx", "cz"])
        circuit.gate(name, random.sample(range(5), 2 if name in {"cx", "cz"} else 1))
    return circuit.measure_all()


def phase_estimation() -> Circuit:
    """Three digits of a phase by phase estimation, with the controlled phases at the end made of sdg, t, tdg and cx."""
    circuit = Circuit(4, 3).x(3)
    for qubit in range(3):
        circuit.h(qubit).cp(2**qubit * 1.3, qubit, 3)
    for target in (2, 1, 0):
        for control in range(2, target, -1):
            _negative_phase(circuit, control, target)
        circuit.h(target)
    for qubit in range(3):
        circuit.measure(qubit, 2 - qubit)
    return circuit


def _negative_phase(circuit: Circuit, control: int, target: int) -> None:
    """Append cp of -pi/2 between neighbours, of -pi/4 otherwise, made of cx and gates of one qubit."""
    if control - target == 1:
        circuit.tdg(control).cx(control, target).t(target).cx(control, target).tdg(target)
    else:
        circuit.p(-pi / 8, control).cx(control, target).p(pi / 8, target).cx(control, target).p(-pi / 8, target)
