"""Records of comparisons as they really turn out, for tests of what shows them: reports, notebooks, terminals, plots.

The circuits are simulated and their shots drawn here, with fixed seeds. Times and memory are made up.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
from scipy import stats
from support.simulation import branches, moves

from gateway.circuit import Circuit, parse
from gateway.compare.record import (
    Case,
    Cause,
    Detectable,
    Machine,
    Record,
    Reference,
    Reproducer,
    Row,
    Spread,
    Test,
    Verdict,
)
from gateway.provenance import Provenance

Probabilities = dict[str, float]

VERSIONS = {
    "cirq": "cirq-core 1.7.0",
    "mqt": "mqt.ddsim 2.7.0",
    "qiskit": "qiskit-aer 0.18.2",
    "pytket": "pytket-qiskit 0.79.0",
    "rigetti": "pyquil 4.22.0",
    "qulacs": "qulacs 0.6.14",
    "stim": "stim 1.16.0",
}
SIX = ("cirq", "mqt", "qiskit", "pytket", "rigetti", "qulacs")
MACHINE = Machine(system="Linux 6.1 x86_64", processors=2, memory_bytes=8 * 2**30, python="3.11.2", gateway="0.9.0")
DETECTABLE = Detectable(hardest=0.044, depolarised=0.031, one_outcome=0.021, one_bit=0.013)
SHOTS = 10_000

PHASE_ESTIMATION = """OPENQASM 3;
include "stdgates.inc";

// Phase of rz(1.2 * pi), to three bits
qubit[3] n;
qubit t;
bit[3] c;

h n;
x t;
// controlled rz: once, twice, four times
rz(0.6 * pi) t; cx n[0], t; rz(-0.6 * pi) t; cx n[0], t;
rz(1.2 * pi) t; cx n[1], t; rz(-1.2 * pi) t; cx n[1], t;
rz(2.4 * pi) t; cx n[2], t; rz(-2.4 * pi) t; cx n[2], t;
// inverse Fourier transform
h n[2];
cp(-pi/2) n[2], n[1];
h n[1];
cp(-pi/4) n[2], n[0];
cp(-pi/2) n[1], n[0];
h n[0];
c[0] = measure n[2];
c[1] = measure n[1];
c[2] = measure n[0];
"""

TURNED = """OPENQASM 3;
include "stdgates.inc";
qubit q;
bit c;
h q;
rz(pi/2) q;
sx q;
c = measure q;
"""

REJECTED = tuple(
    Cause(name=name, detail=detail, p_value=0.0)
    for name, detail in (
        ("clbits-exchanged:0,2", "clbits 0 and 2 exchanged"),
        ("gate-dropped:rz", "the circuit with every rz dropped"),
        ("angle-halved:rz", "the circuit with every rz by half its angle"),
        ("angle-negated:cp", "the circuit with every cp turned the other way"),
        ("uniform-mixture", "a mixture with the uniform distribution, 84 %"),
    )
)


def distribution(circuit: Circuit) -> Probabilities:
    """Return bitstring -> probability of a small circuit."""
    weights: Probabilities = {}
    for bits, state in branches(circuit.num_qubits, moves(circuit)):
        key = f"{bits:0{circuit.num_clbits}b}"
        weights[key] = weights.get(key, 0) + float(np.vdot(state, state).real)
    return {key: weight for key, weight in sorted(weights.items()) if weight > 1e-15}


def turned(circuit: Circuit, name: str) -> Circuit:
    """Return a circuit with all angles of one gate negated."""
    operations = [
        msgspec.structs.replace(op, params=tuple(-angle for angle in op.params)) if op.name == name else op
        for op in circuit.operations
    ]
    return Circuit(circuit.num_qubits, circuit.num_clbits, operations)


def draw(probabilities: Mapping[str, float], shots: int, seed: int) -> dict[str, int]:
    """Return the counts of so many shots."""
    weights = np.array(list(probabilities.values()))
    numbers = np.random.default_rng(seed).multinomial(shots, weights / weights.sum())
    return {key: int(number) for key, number in zip(probabilities, numbers, strict=True) if number}


def distance(counts: Mapping[str, int], probabilities: Mapping[str, float]) -> float:
    shots = sum(counts.values())
    keys = counts.keys() | probabilities.keys()
    return sum(abs(counts.get(key, 0) / shots - probabilities.get(key, 0)) for key in keys) / 2


def row(name: str, counts: dict[str, int], reference: Mapping[str, float], place: int = 0, **changes: Any) -> Row:
    """Return the row of a simulator that gave these counts."""
    seen = np.array([counts.get(key, 0) for key in reference])
    expected = np.array(list(reference.values())) * sum(counts.values())
    impossible = sum(number for key, number in counts.items() if key not in reference)
    p_value = 0.0 if impossible else _chi_square(seen, expected)
    differs = p_value < 1e-6
    unit = 1e-3 * (1 + place % 5)
    fields = {
        "circuit": "circuit 1",
        "version": VERSIONS.get(name, f"{name} 1.0"),
        "verdict": Verdict.DIFFERS if differs else Verdict.AGREES,
        "p_value": p_value,
        "exact_difference": (2e-8, 4e-16, 3e-16, 3e-16, 0.56, 2e-16)[place % 6] if differs or place % 6 != 4 else 1e-16,
        "exact_tolerance": 1e-6,
        "distance": distance(counts, reference),
        "tests": all_tests(p_value, impossible),
        "counts": counts,
        "seed": 7,
        "timings": {
            "total": Spread(4.2 * unit, 4.0 * unit, 5.1 * unit),
            "queue": Spread(0.2 * unit, 0.1 * unit, 0.3 * unit),
            "parse": Spread(0.4 * unit, 0.4 * unit, 0.4 * unit),
            "build": Spread(0.6 * unit, 0.5 * unit, 0.9 * unit),
            "run": Spread(1.6 * unit, 1.5 * unit, 1.9 * unit),
            "sample": Spread(1.0 * unit, 1.0 * unit, 1.1 * unit),
            "transfer": Spread(0.4 * unit, 0.4 * unit, 0.5 * unit),
        },
        "peak_memory_bytes": (64 + 13 * place) * 2**20,
        "provenance": Provenance(
            simulator=name, version=VERSIONS.get(name, f"{name} 1.0"), shots=sum(counts.values()), seed=7, threads=1,
            sampler="shared", parse_s=0.4 * unit, build_s=0.6 * unit, run_s=2.6 * unit, gateway_version="0.9.0",
        ),
    }  # fmt: skip
    return Row(simulator=name, **{**fields, **changes})


def _chi_square(seen: np.ndarray, expected: np.ndarray) -> float:
    if len(seen) < 2:
        return 1.0
    return float(stats.chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen) - 1))


def all_tests(p_value: float, impossible: int = 0) -> tuple[Test, ...]:
    names = ("goodness-of-fit", "weighted-goodness-of-fit", "cross-entropy", "single-outcome", "clbit", "clbit-pair")
    fit = [
        Test(name=name, statistic=10.0 + place, p_value=min(p_value * (1 + place), 1))
        for place, name in enumerate(names)
    ]
    support = Test(name="support", statistic=impossible, p_value=0.0 if impossible else 1.0)
    same = Test(name="same-seed", statistic=0.0, p_value=1.0)
    return (support, *fit, same, Test(name="two-seeds", statistic=1.0, p_value=1.0))


def case(text: str, name: str, exact: Mapping[str, float], rows: Sequence[Row], **changes: Any) -> Case:
    circuit = parse(text)
    fields: dict[str, Any] = {
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "num_qubits": circuit.num_qubits,
        "num_clbits": circuit.num_clbits,
        "operations": len(circuit.operations),
        "depth": circuit.depth(),
        "shots": SHOTS,
        "reference": Reference(
            kind="exact",
            witnesses=("gateway", "cirq", "mqt", "qulacs", "qiskit"),
            independent=5,
            tolerance=1e-6,
            probabilities=dict(exact),
        ),
        "detectable": DETECTABLE,
    }
    rows = tuple(msgspec.structs.replace(row, circuit=name) for row in rows)
    return Case(name=name, openqasm=text, rows=rows, **{**fields, **changes})


def record(*cases: Case, **changes: Any) -> Record:
    fields = {"cases": cases, "repeat": 5, "seed": 7, "created": "2026-03-12T14:02:11Z", "machine": MACHINE}
    return Record(**{**fields, **changes})


# ---------------------------------------------------------------- the records


@cache
def all_agree(shots: int = SHOTS) -> Record:
    """Six simulators agree on three clbits of phase estimation."""
    exact = distribution(parse(PHASE_ESTIMATION))
    rows = [row(name, draw(exact, shots, place), exact, place) for place, name in enumerate(SIX)]
    return record(case(PHASE_ESTIMATION, "phase-estimation.qasm", exact, rows, shots=shots))


@cache
def one_differs() -> Record:
    """As :func:`all_agree`, but rigetti turned every rz the other way; explained and reduced."""
    agree = all_agree().cases[0]
    exact, wrong = agree.reference.probabilities, distribution(turned(parse(PHASE_ESTIMATION), "rz"))
    detail = "the circuit with every rz turned the other way"
    cause = Cause(name="angle-negated:rz", detail=detail, p_value=0.54, probabilities=wrong)
    off = row("rigetti", draw(wrong, SHOTS, 4), exact, 4, causes=(cause,), rejected=REJECTED)
    rows = tuple(off if old.simulator == "rigetti" else old for old in agree.rows)
    return record(msgspec.structs.replace(agree, rows=rows, reproducers=(reproducer(cause),)))


def reproducer(cause: Cause | None = None, **changes: Any) -> Reproducer:
    counts = {name: {"0": SHOTS} for name in SIX} | {"rigetti": {"1": SHOTS}}
    fields: dict[str, Any] = {
        "simulator": "rigetti", "circuit": "phase-estimation.qasm", "openqasm": TURNED, "operations": 3,
        "operations_before": 25, "shots": SHOTS, "seed": 7, "expected": {"0": 1.0}, "counts": counts,
        "versions": VERSIONS, "p_value": 0.0, "exact_difference": 1.0, "causes": (cause,) if cause else (),
    }  # fmt: skip
    return Reproducer(**{**fields, **changes})


@cache
def unexplained() -> Record:
    """As :func:`one_differs`, but nothing explains it, and nothing could be left out in time."""
    found = one_differs().cases[0]
    rows = tuple(msgspec.structs.replace(row, causes=()) for row in found.rows)
    left = reproducer(operations=9, minimal=False)
    return record(msgspec.structs.replace(found, rows=rows, reproducers=(left,)))


@cache
def two_groups() -> Record:
    """Three against two, and nobody has exact results."""
    exact, wrong = (one_differs().cases[0].reference.probabilities, distribution(turned(parse(PHASE_ESTIMATION), "rz")))
    rows = []
    for place, name in enumerate(("cirq", "mqt", "qulacs", "qiskit", "pytket")):
        group = int(place > 2)
        found = row(name, draw(wrong if group else exact, SHOTS, place), exact, place)
        rows.append(
            msgspec.structs.replace(
                found,
                verdict=Verdict.UNDECIDED,
                p_value=None,
                distance=None,
                exact_difference=None,
                group=group,
                tests=(),
            )
        )
    none = Reference(kind="none", note="nobody has exact results")
    return record(case(PHASE_ESTIMATION, "phase-estimation.qasm", {}, rows, reference=none, detectable=None))


@cache
def failures() -> Record:
    """Two agree, one ran out of memory, two cannot run the circuit, and one died with a long message."""
    exact = all_agree().cases[0].reference.probabilities
    rows = [row(name, draw(exact, SHOTS, place), exact, place) for place, name in enumerate(("cirq", "mqt"))]
    long = "SimulatorError: the simulator raised an error\n" + "\n".join(
        f'  File "simulator.py", line {line}, in run_{"x" * 90}' for line in range(40)
    )
    memory = "SimulatorCrashed: ran out of memory at operation 44 of 121 and was ended; the other runs went on"
    clifford = "UnsupportedError: rz(0.6π) is no Clifford gate, as are 5 more"
    errors = {"qibo": memory, "stim": clifford, "qiskit_stabilizer": clifford, "my_lab_backend_v2_eu": long}
    rows += [Row(simulator=name, verdict=Verdict.FAILED, error=error) for name, error in errors.items()]
    return record(case(PHASE_ESTIMATION, "phase-estimation.qasm", exact, rows))


def everybody_failed() -> Record:
    found = failures().cases[0]
    return record(msgspec.structs.replace(found, rows=found.rows[2:]))


@cache
def wide(num_clbits: int = 60) -> Record:
    """A cat state with one qubit flipped, read in the reverse order by a stranger's backend with a long name."""
    flip = 38
    text = f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{num_clbits}];\ncreg c[{num_clbits}];\nh q[0];\n'
    text += "".join(f"cx q[{place}], q[{place + 1}];\n" for place in range(num_clbits - 1))
    text += f"x q[{flip}];\nmeasure q -> c;\n"
    one = "".join("1" if place == flip else "0" for place in reversed(range(num_clbits)))
    other = one.translate(str.maketrans("01", "10"))
    exact = {one: 0.5, other: 0.5}
    rows = [
        row(name, draw(exact, SHOTS, place), exact, place) for place, name in enumerate(("mqt", "qiskit_mps", "stim"))
    ]
    cause = Cause(name="bits-reversed", detail="the circuit read with all bits reversed", p_value=0.7)
    reverse = {key[::-1]: number for key, number in draw(exact, SHOTS, 9).items()}
    rows.append(row("my_lab_backend_v2_eu", reverse, exact, 3, causes=(cause,), exact_difference=None))
    return record(case(text, "ghz-60.qasm", exact, rows))


@cache
def flat(num_clbits: int = 16, shots: int = 4_000) -> Record:
    """Far more outcomes than shots; one simulator reads a clbit wrongly now and then, one has no counts."""
    weights = np.random.default_rng(0).exponential(size=2**num_clbits)
    exact = {f"{code:0{num_clbits}b}": float(weight) for code, weight in enumerate(weights / weights.sum())}
    right = {"p_value": 0.3, "verdict": Verdict.AGREES, "distance": None, "tests": all_tests(0.3, 0)}
    names = ("cirq", "mqt", "qiskit", "pytket", "qulacs")
    rows = [row(name, draw(exact, shots, place), exact, place, **right) for place, name in enumerate(names)]
    cause = Cause(name="readout-error:13", detail="a readout error of 30 % on clbit 13", p_value=0.4)
    wrong: dict[str, int] = {}
    for key, number in draw(exact, shots, 5).items():
        low = key[: num_clbits - 14] + "0" + key[num_clbits - 13 :]
        for _ in range(number):
            read = low if np.random.default_rng(len(wrong)).random() < 0.3 else key
            wrong[read] = wrong.get(read, 0) + 1
    rows.append(row("qsim", wrong, exact, 5, p_value=0.0, verdict=Verdict.DIFFERS, distance=None, causes=(cause,)))
    text = f"OPENQASM 3;\nqubit[{num_clbits}] q;\nbit[{num_clbits}] c;\n" + "".join(
        f"U({angle:.2f}, 0, 2) q[{place}];\n" for place, angle in enumerate(np.linspace(1, 3, num_clbits))
    )
    limits = Detectable(hardest=1.0, depolarised=0.2, one_outcome=0.05, one_bit=0.013)
    return record(
        case(text + "c = measure q;\n", "supremacy.qasm", exact, rows, shots=shots, detectable=limits), repeat=1
    )


@cache
def many_simulators() -> Record:
    """Twelve simulators, two of which differ, with ten clbits: more outcomes than are shown."""
    weights = np.random.default_rng(1).dirichlet(np.full(1024, 0.05))
    exact = {f"{code:010b}": float(weight) for code, weight in enumerate(weights) if weight > 1e-12}
    rows = [row(f"simulator_{place}", draw(exact, SHOTS, place), exact, place) for place in range(10)]
    swapped = {key[::-1]: number for key, number in draw(exact, SHOTS, 20).items()}
    rows += [row("reversed", swapped, exact, 10), row("uniform", draw(dict.fromkeys(exact, 1.0), SHOTS, 3), exact, 11)]
    text = "OPENQASM 3;\nqubit[10] q;\nbit[10] c;\nh q[0];\nc = measure q;\n"
    return record(case(text, "random-10.qasm", exact, rows))


@cache
def series(sizes: Sequence[int] = (2, 4, 6, 8, 10)) -> Record:
    """Cat states of growing size on four simulators, whose times grow differently; one differs from 6 qubits on."""
    growth: dict[str, Callable[[int], float]] = {
        "cirq": lambda size: 1e-3 + 2e-6 * 2**size,
        "mqt": lambda size: 2e-3 + 1e-5 * size,
        "qiskit": lambda size: 1.5e-3 + 1e-6 * 2**size,
        "rigetti": lambda size: 8e-4 * math.exp(size / 3),
    }
    cases = []
    for size in sizes:
        text = f"OPENQASM 3;\nqubit[{size}] q;\nbit[{size}] c;\nU(pi/2, 0, pi) q[0];\n"
        text += "".join(f"ctrl @ U(pi, 0, pi) q[{place}], q[{place + 1}];\n" for place in range(size - 1))
        exact = {"0" * size: 0.5, "1" * size: 0.5}
        rows = []
        for place, (name, seconds) in enumerate(growth.items()):
            right = {"0" * size: 0.8, "1" * size: 0.2} if name == "rigetti" and size > 5 else exact
            total = seconds(size)
            timings = {"total": Spread(total, 0.9 * total, 1.2 * total), "run": Spread(0.7 * total, 0.6 * total, total)}
            rows.append(row(name, draw(right, SHOTS, place + size), exact, place, timings=timings))
        cases.append(case(text + "c = measure q;\n", f"cat-{size}.qasm", exact, rows))
    return record(*cases)


HOSTILE = "<script>alert('x')</script>&\"'|`*_[a](javascript:b)\n\x1b[31m\u202e"


def hostile() -> Record:
    """Names, errors, notes and texts that would break out of markup, tables and terminals."""
    found = one_differs().cases[0]
    rows = [
        msgspec.structs.replace(old, simulator=f"{HOSTILE}{place}", version=HOSTILE)
        for place, old in enumerate(found.rows)
    ]
    cause = Cause(name=HOSTILE, detail=HOSTILE, p_value=0.5)
    rows[4] = msgspec.structs.replace(
        rows[4], causes=(cause,), tests=(Test(name=HOSTILE, statistic=1.0, p_value=0.0, points_at=HOSTILE),)
    )
    rows[0] = Row(simulator=f"{HOSTILE}0", verdict=Verdict.FAILED, error=f"{HOSTILE}: {HOSTILE}")
    made = reproducer(
        simulator=f"{HOSTILE}4",
        openqasm=f"// {HOSTILE}",
        counts={f"{HOSTILE}4": {"1": SHOTS}},
        versions={HOSTILE: HOSTILE},
    )
    reference = msgspec.structs.replace(found.reference, witnesses=(HOSTILE,), note=HOSTILE)
    changed = msgspec.structs.replace(
        found, name=HOSTILE, openqasm=f"// {HOSTILE}\n", rows=tuple(rows), reproducers=(made,), reference=reference
    )
    machine = msgspec.structs.replace(MACHINE, system=HOSTILE, python=HOSTILE, gateway=HOSTILE)
    return record(changed, created=HOSTILE, machine=machine)


def interrupted() -> Record:
    """Ctrl-C after three of six."""
    found = all_agree().cases[0]
    rows = [*found.rows[:3], *[Row(simulator=old.simulator, circuit=old.circuit) for old in found.rows[3:]]]
    return record(msgspec.structs.replace(found, rows=tuple(rows)), interrupted=True)


def empty() -> Record:
    """Nothing was compared."""
    return record()


def no_clbits() -> Record:
    """A circuit that measures nothing, whose only outcome is the empty bitstring."""
    rows = [row(name, {"": SHOTS}, {"": 1.0}, place) for place, name in enumerate(SIX)]
    return record(case("OPENQASM 3;\nqubit q;\nU(1, 0, 0) q;\n", "unmeasured.qasm", {"": 1.0}, rows))


ALL: dict[str, Callable[[], Record]] = {
    function.__name__: function
    for function in (all_agree, one_differs, unexplained, two_groups, failures, everybody_failed, wide, flat,
                     many_simulators, series, hostile, interrupted, empty, no_clbits)
}  # fmt: skip
