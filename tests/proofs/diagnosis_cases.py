"""Draws circuits on which planted faults may show, and the faulty simulators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any

from support.faulty import FAULTS, UNNAMED, Right, faulty

from gateway.circuit import Circuit, Comparison
from gateway.circuit.gates import GATES

POOL = (
    "h", "x", "y", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz", "p", "u1", "u2", "u3", "u", "cx", "cy", "cz",
    "ch", "cs", "csdg", "csx", "cp", "cu1", "crx", "cry", "crz", "cu3", "cu", "swap", "iswap", "dcx", "ecr", "rxx",
    "ryy", "rzz", "rzx", "xx_plus_yy", "xx_minus_yy", "ccx", "cswap", "rccx",
)  # fmt: skip
ANGLED = tuple(name for name in POOL if GATES[name].num_params)
WRAPPED = ("crx", "cry", "crz", "cu3", "cu", "xx_plus_yy", "xx_minus_yy")
"""Gates that a turn of 2 pi does not leave as they are."""

ASYMMETRIC = (
    "cx",
    "cy",
    "ch",
    "csx",
    "crx",
    "cry",
    "crz",
    "cu3",
    "cu",
    "dcx",
    "ecr",
    "rzx",
    "xx_plus_yy",
    "ccx",
    "cswap",
)
NOT_THEIR_INVERSE = ("s", "sdg", "t", "tdg", "sx", "sxdg", "cs", "csdg", "csx", "iswap", "u2", "u3", "u", "cu3", "cu")
WITH_PHASE = ("cp", "cu1", "cs", "csdg", "cz", "cx", "cy", "ch", "csx", "cu3", "cu")

GATES_OF = {
    "gate-dropped": POOL,
    "angle-negated": ANGLED,
    "angle-halved": ANGLED,
    "angle-doubled": ANGLED,
    "angle-in-degrees": ANGLED,
    "angle-in-half-turns": ANGLED,
    "angle-modulo": WRAPPED,
    "angles-exchanged": tuple(name for name in POOL if GATES[name].num_params > 1),
    "inverse-taken": NOT_THEIR_INVERSE,
    "operands-exchanged": ASYMMETRIC,
    "phase-lost": WITH_PHASE,
    "angle-off": ANGLED,
    "gate-replaced": POOL,
}
"""Fault -> gates that can have it."""

DYNAMIC = frozenset({"condition-ignored", "condition-inverted", "condition-reversed", "reset-ignored",
                     "measurement-postponed", "first-write-kept"})  # fmt: skip
IN_SHOTS = frozenset({"seed-ignored", "shots-missing", "shots-correlated"})


@dataclass(frozen=True, slots=True)
class Case:
    """One circuit for a faulty simulator.

    Args:
        cause: the name that the diagnosis should give; that of the fault if it has none.
        circuit: what is run.
        simulator: what runs it.
        registers: the sizes of the registers of clbits, if they are known.
    """

    cause: str
    circuit: Circuit
    simulator: Right
    registers: tuple[int, ...] | None


def cases(fault: str, seed: int) -> Iterator[Case]:
    """Yield cases of a fault without end; on some of the circuits the fault does not show."""
    random = Random(f"{fault} {seed}")
    while True:
        gate = random.choice(GATES_OF[fault]) if fault in GATES_OF else None
        least = 4 if fault == "clbits-permuted" else 3  # every order of three clbits has a name of its own
        circuit = _circuit(random, gate, least=least, idle=fault == "idle-qubit-dropped", dynamic=fault in DYNAMIC)
        registers = _registers(random, circuit.num_clbits) if "register" in fault else None
        cause = fault if gate is None else f"{fault}:{gate}"
        yield Case(cause, circuit, faulty(cause, **_options(fault, random, circuit, registers)), registers)


def _options(fault: str, random: Random, circuit: Circuit, registers: Sequence[int] | None) -> dict[str, Any]:
    """Return what is random about a fault."""
    clbit, other = random.sample(range(circuit.num_clbits), 2)
    if fault in {"register-bits-reversed", "registers-reversed"}:
        return {"registers": registers}
    if fault == "clbits-exchanged":
        return {"clbit": clbit, "other": other}
    if fault == "clbits-permuted":
        return {"order": _order(random, circuit.num_clbits)}
    if fault == "clbit-unwritten":
        return {"clbit": clbit}
    if fault in {"clbit-inverted", "clbit-stuck"}:
        return {"clbit": random.choice([None, clbit, other]), "value": random.randrange(2)}
    if fault in {"readout-error", "two-faults"}:
        return {"clbit": random.choice([None, _dependent(random, circuit)]), "rate": random.uniform(0.02, 0.2)}
    if fault == "depolarised":
        return {"rate": random.uniform(0.02, 0.4)}
    return _options_in_shots(fault, random)


def _options_in_shots(fault: str, random: Random) -> dict[str, Any]:
    if fault == "seed-ignored":
        return {"fixed": random.random() < 0.5}
    if fault == "shots-missing":
        return {"missing": random.choice([-3, -1, 1, 10])}
    if fault == "shots-correlated":
        return {"repeats": random.choice([0, 4, 16])}
    return {"index": random.randrange(1000)} if fault == "one-operation-dropped" else {}


def _dependent(random: Random, circuit: Circuit) -> int | None:
    """Return a clbit whose qubit meets another; of one that depends on none, a readout error has no name for certain.

    All clbits are measured last, each from the qubit of its number.
    """
    meeting = {qubit for op in circuit.operations if GATES.get(op.name) and len(op.qubits) > 1 for qubit in op.qubits}
    return random.choice(sorted(meeting)) if meeting else None


def _registers(random: Random, width: int) -> tuple[int, ...]:
    first = random.randint(1, width - 1)
    return (first, width - first)


def _order(random: Random, width: int) -> list[int]:
    """Return an order that is none of registers: hardly any two neighbours stay neighbours."""
    while True:
        order = random.sample(range(width), width)
        if sum(abs(first - second) == 1 for first, second in pairwise(order)) <= 1:
            return order


def _circuit(random: Random, gate: str | None, *, least: int, idle: bool, dynamic: bool) -> Circuit:
    """Return gates of a few kinds on ``least`` to six qubits, all of which are measured."""
    size = random.randint(least, 6)
    circuit = Circuit(size, size)
    unused = {random.randrange(size - 1)} if idle else set()
    qubits = [qubit for qubit in range(size) if qubit not in unused]
    names = random.sample(POOL, 5) + ([gate] * 2 if gate else [])
    names = [name for name in names if GATES[name].num_qubits <= len(qubits)]
    for qubit in qubits:
        circuit.ry(random.uniform(0.3, 2.8), qubit)
    for _ in range(random.randint(8, 24)):
        _add_gate(circuit, random, random.choice(names), qubits)
    if dynamic:
        _add_dynamics(circuit, random, names, qubits)
    for qubit in qubits:
        circuit.rx(random.uniform(0.3, 2.8), qubit)
    return circuit.measure_all()


def _add_gate(circuit: Circuit, random: Random, name: str, qubits: Sequence[int], when: Any = None) -> None:
    angles = [random.uniform(-7, 7) for _ in range(GATES[name].num_params)]
    circuit.gate(name, random.sample(qubits, GATES[name].num_qubits), angles, when)


def _add_dynamics(circuit: Circuit, random: Random, names: Sequence[str], qubits: Sequence[int]) -> None:
    """Append measurements, resets and conditional gates."""
    for _ in range(3):
        first, second = random.sample(qubits, 2)
        circuit.measure(first, first).measure(second, second)
        when = Comparison((first, second), random.randrange(4), random.random() < 0.7)
        for _ in range(2):
            _add_gate(circuit, random, random.choice(names), qubits, when)
        circuit.reset(random.choice(qubits))
        _add_gate(circuit, random, random.choice(names), qubits)


NAMED = tuple(FAULTS)
NAMELESS = tuple(UNNAMED)
