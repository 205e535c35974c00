"""Cirq's loops, waits, wide conditions and symbols, in and out."""

from __future__ import annotations

from collections import Counter
from math import pi
from random import Random

import cirq
import numpy as np
import pytest
import sympy
from support.circuits import add_random_gate
from support.simulation import assert_same_ensembles, outcomes, unitary

from gateway.circuit import Circuit, Comparison, Expression, parameter
from gateway.circuit.operations import NO_TIMING
from gateway.errors import CircuitInvalidError, UnsupportedError
from gateway.frameworks import dump, parse
from gateway.frameworks.cirq.parsing import parameter_names

A, B, C = cirq.LineQubit.range(3)


def until(condition: cirq.Condition | str, *operations: cirq.Operation) -> cirq.CircuitOperation:
    """Return a loop of operations until a condition holds."""
    found = cirq.KeyCondition(cirq.MeasurementKey(condition)) if isinstance(condition, str) else condition
    return cirq.CircuitOperation(cirq.FrozenCircuit(*operations), use_repetition_ids=False, repeat_until=found)


# ---------------------------------------------------------------------------- loops


def test_a_loop_until_an_outcome_is_a_loop_on_that_clbit():
    found = parse(cirq.Circuit(until("m", cirq.H(A), cirq.measure(A, key="m")), cirq.measure(B, key="n")))
    assert found == Circuit(2, 2).while_({0: 0}).h(0).measure(0, 0).end().measure(1, 1)
    assert found.notes == ("a measurement key in a loop has the outcomes of the last turn",)


LOOPS = {
    "two bits": (
        [until(cirq.SympyCondition(sympy.Eq(sympy.Symbol("m"), 2)),
               cirq.H(A), cirq.H(B), cirq.measure(A, B, key="m"))],
        {"01": 1},
    ),
    "a turn that reads an outcome from before": (
        [cirq.H(A), cirq.measure(A, key="o"),
         until("m", cirq.H(B), cirq.X(C).with_classical_controls("o"), cirq.measure(B, key="m")),
         cirq.measure(C, key="n")],
        {"010": 0.5, "011": 1 / 6, "111": 1 / 3},
    ),
    "a loop in a loop": (
        [until("m", until("a", cirq.H(A), cirq.measure(A, key="a")), cirq.H(B), cirq.measure(B, key="m"), cirq.X(C)),
         cirq.measure(C, key="n")],
        {"011": 1 / 3, "111": 2 / 3},
    ),
    "a loop in a repeated circuit": (
        [cirq.CircuitOperation(cirq.FrozenCircuit(until("m", cirq.H(A), cirq.measure(A, key="m"), cirq.X(B))),
                               repetitions=2, use_repetition_ids=True),
         cirq.measure(B, key="n")],
        {"011": 5 / 9, "111": 4 / 9},
    ),
    "with a mapped key": (
        [until("m", cirq.H(A), cirq.measure(A, key="m")).with_measurement_key_mapping({"m": "other"}),
         cirq.X(B).with_classical_controls("other"), cirq.measure(B, key="n")],
        {"11": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_loops_end_when_cirq_ends_them(name: str):
    operations, wanted = LOOPS[name]
    circuit = cirq.Circuit(operations)
    found = parse(circuit)
    found.validate()
    assert outcomes(found) == pytest.approx(wanted, abs=1e-8)
    records = cirq.Simulator(seed=5).run(circuit, repetitions=400).records
    if "n" in records:  # those of the other keys are padded with zeros
        chance = sum(p for outcome, p in wanted.items() if outcome[0] == "1")
        assert abs(records["n"].mean() - chance) < 0.17  # Hoeffding: a false alarm has a chance below 1e-9


def test_a_loop_takes_one_turn_at_least():
    zero = cirq.BitMaskKeyCondition("m", target_value=0, equal_target=True)  # which Cirq's own simulator loses
    circuit = cirq.Circuit(until(zero, cirq.measure(A, key="m"), cirq.X(B)), cirq.measure(B, key="n"))
    assert outcomes(parse(circuit)) == {"10": pytest.approx(1)}


def test_a_loop_that_tests_its_key_before_it_measures_it_again_is_refused():
    loop = until("m", cirq.X(B).with_classical_controls("m"), cirq.measure(A, key="m"))
    twice = cirq.CircuitOperation(cirq.FrozenCircuit(loop), repetitions=1, use_repetition_ids=False)
    with pytest.raises(CircuitInvalidError, match="the key 'm' is tested before it is measured"):
        parse(cirq.Circuit(twice))


def test_another_outcome_of_a_loop_than_the_last_cannot_be_tested():
    first = cirq.KeyCondition(cirq.MeasurementKey("m"), index=0)
    circuit = cirq.Circuit(
        until("m", cirq.H(A), cirq.measure(A, key="m")), cirq.X(B).with_classical_controls(first), cirq.measure(B)
    )
    with pytest.raises(UnsupportedError, match="it tests another turn of a loop than the last"):
        parse(circuit)


def test_a_condition_that_cirq_changes_inside_of_an_operation_is_refused():
    first = cirq.KeyCondition(cirq.MeasurementKey("m"), index=0)
    for condition in (cirq.BitMaskKeyCondition("m", bitmask=2), first):
        inner = cirq.FrozenCircuit(cirq.measure(A, B, key="m"), cirq.X(A).with_classical_controls(condition))
        nested = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.CircuitOperation(inner)))
        with pytest.raises(UnsupportedError, match="Cirq loses the mask or the index"):
            parse(cirq.Circuit(nested))


def test_a_loop_under_a_control_without_measurement_is_conditional():
    inner = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(B) ** 0.5), repetitions=2)
    circuit = cirq.Circuit(cirq.H(A), cirq.measure(A, key="a"), inner.with_classical_controls("a"), cirq.measure(B))
    assert outcomes(parse(circuit)) == pytest.approx({"00": 0.5, "11": 0.5})


# ---------------------------------------------------------------------------- waits and conditions


def test_a_wait_does_nothing_and_is_noted():
    circuit = cirq.Circuit(cirq.X(A), cirq.wait(A, nanos=10), cirq.Moment(cirq.wait(A, B, micros=1)), cirq.X(B))
    found = parse(circuit)
    assert (found, found.notes) == (Circuit(2).x(0).x(1), (NO_TIMING,))


def test_a_condition_on_too_many_bits_for_a_table_is_computed_into_a_hidden_clbit():
    qubits = cirq.LineQubit.range(7)
    m, n = sympy.symbols("m n")
    first = cirq.SympyCondition(sympy.And(sympy.Ne(m, n), m + 2 * n > 5))
    second = cirq.SympyCondition(sympy.Xor(sympy.Eq(m, 3), sympy.Not(n < m)))
    for seed in range(8):
        random = Random(seed)
        flips = [cirq.X(qubit) for qubit in qubits if random.random() < 0.5]
        circuit = cirq.Circuit(
            flips, cirq.measure(*qubits, key="m"), [cirq.X(qubit) for qubit in qubits if random.random() < 0.3],
            cirq.measure(*qubits, key="n"), cirq.reset(A), cirq.reset(B), cirq.X(A).with_classical_controls(first),
            cirq.X(B).with_classical_controls(second, "m"), cirq.measure(A, B, key="out"),
        )  # fmt: skip
        values = cirq.Simulator().run(circuit).measurements["out"][0]
        ((key, _),) = outcomes(parse(circuit)).items()
        assert [int(key[-15]), int(key[-16])] == values.tolist()


# ---------------------------------------------------------------------------- symbols

T, S = sympy.symbols("t s")

SYMBOLIC = [
    *[gate(exponent=T, global_shift=shift) for shift in (0, -0.5, 0.3) for gate in (
        cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate, cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate,
        cirq.CXPowGate, cirq.CYPowGate, cirq.CZPowGate, cirq.CCXPowGate, cirq.CCYPowGate, cirq.CCZPowGate,
        cirq.SwapPowGate, cirq.ISwapPowGate)],
    cirq.rx(2 * T + S), cirq.PhasedXPowGate(phase_exponent=T, exponent=S), cirq.FSimGate(T, S),
    cirq.PhasedXZGate(x_exponent=T, z_exponent=S, axis_phase_exponent=0.3), cirq.PhasedISwapPowGate(phase_exponent=T),
    cirq.GlobalPhaseGate(sympy.exp(sympy.I * T)), cirq.ControlledGate(cirq.X**T, control_values=[0]),
    cirq.ControlledGate(cirq.SWAP ** (T * S)), cirq.ControlledGate(cirq.ZPowGate(exponent=T, global_shift=0.25)),
    cirq.ParallelGate(cirq.Y**T, 2), cirq.PhaseGradientGate(num_qubits=3, exponent=T),
    cirq.CZ ** sympy.sin(T),
]  # fmt: skip


@pytest.mark.parametrize("gate", SYMBOLIC, ids=str)
def test_gates_with_symbols_are_exact_once_these_have_values(gate: cirq.Gate):
    qubits = cirq.LineQubit.range(max(1, gate.num_qubits()))
    circuit = cirq.Circuit(cirq.I.on_each(*qubits), gate.on(*qubits[::-1][: gate.num_qubits()]))
    values = {"t": 0.37, "s": -1.2}
    found = parse(circuit)
    assert found.parameters
    found = found.bind({name: values[name] for name in found.parameters})
    wanted = cirq.resolve_parameters(circuit, values).unitary(qubit_order=qubits[::-1], dtype=np.complex128)
    np.testing.assert_allclose(unitary(found), wanted, atol=1e-7)


def test_operations_with_symbols_but_no_gate_are_exact():
    phasor = cirq.PauliStringPhasor(cirq.X(A) * cirq.Z(B), exponent_neg=T)
    circuit = cirq.Circuit(phasor, cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(A) ** S), repetitions=3))
    wanted = cirq.resolve_parameters(circuit, {"t": 0.3, "s": 0.2}).unitary(qubit_order=[B, A], dtype=np.complex128)
    np.testing.assert_allclose(unitary(parse(circuit).bind(t=0.3, s=0.2)), wanted, atol=1e-7)


def test_a_decomposition_that_loses_a_phase_with_symbols_is_refused():
    class Careless(cirq.Gate):
        def __init__(self, angle: object) -> None:
            self.angle = angle

        def _num_qubits_(self) -> int:
            return 2

        def _is_parameterized_(self) -> bool:
            return cirq.is_parameterized(self.angle)

        def _parameter_names_(self) -> frozenset[str]:
            return frozenset(cirq.parameter_names(self.angle))

        def _resolve_parameters_(self, resolver: cirq.ParamResolver, recursive: bool) -> Careless:
            return Careless(resolver.value_of(self.angle, recursive))

        def _has_unitary_(self) -> bool:
            return not self._is_parameterized_()

        def _unitary_(self) -> object:
            return NotImplemented if self._is_parameterized_() else np.exp(1j * float(self.angle)) * np.eye(4)

        def _decompose_(self, qubits: object) -> list[cirq.Operation]:
            return []

    with pytest.raises(UnsupportedError, match="loses a phase that depends on its parameters"):
        parse(cirq.Circuit(Careless(T).on(A, B)))


def test_names_that_cannot_stay_are_replaced():
    circuit = cirq.Circuit(cirq.X(A) ** sympy.Symbol("a-b"), cirq.Y(A) ** sympy.Symbol("a_b"))
    assert parse(circuit).parameters == ("a_b_2", "a_b")
    assert parameter_names(circuit) == {"a-b": "a_b_2", "a_b": "a_b"}


def test_a_function_that_angles_do_not_have_is_refused_by_name():
    with pytest.raises(UnsupportedError, match=r"operation 1: .*sinh: an angle has no such function"):
        parse(cirq.Circuit(cirq.H(A), cirq.X(A) ** sympy.sinh(T)))
    silent = cirq.BooleanHamiltonianGate(["a", "b"], ["a ^ b"], T)  # does not say that it has a parameter
    with pytest.raises(UnsupportedError, match=r"operation 0: .*may need values"):
        parse(cirq.Circuit(silent.on(A, B)))
    repeated = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(A)), repetitions=sympy.Symbol("n"))
    with pytest.raises(UnsupportedError, match=r"operation 0: .*needs values for its parameters"):
        parse(cirq.Circuit(repeated))


def test_a_dumped_circuit_has_cirqs_symbols():
    a, b = parameter("a"), parameter("b")
    angle = Expression("sqrt", (a,)) - b / 2
    circuit = Circuit(2).rx(a, 0).p(2 * b, 1).u(a, b, 0.3, 0).u2(0.1, b, 1).gphase(a).cu(a, b, 0.2, 0.3, 0, 1)
    circuit.rzz(angle, 0, 1).xx_plus_yy(a, b, 1, 0).u(a, 0.1, b, 0, when=None)
    native = circuit.to("cirq")
    assert cirq.parameter_names(native) == {"a", "b"}
    assert "a" in str(native)  # Cirq draws it
    values = {"a": 0.7, "b": -1.1}
    bound = cirq.resolve_parameters(native, values).unitary(qubit_order=[B, A], dtype=np.complex128)
    np.testing.assert_allclose(bound, unitary(circuit.bind(values)), atol=1e-9)
    np.testing.assert_allclose(unitary(parse(native).bind(values)), unitary(circuit.bind(values)), atol=1e-9)
    assert parse(Circuit(1).p(pi * a, 0).to("cirq")) == Circuit(1).p(pi * a, 0)


# ---------------------------------------------------------------------------- dump


def random_repeat_until(seed: int) -> Circuit:
    """Return a loop that begins for certain and measures what it tests, between other operations."""
    random, circuit = Random(seed), Circuit(3, 3, num_hidden=1)
    clbits = random.sample(range(4), 4)
    add_random_gate(circuit, random)
    circuit.measure(random.randrange(3), clbits[3])
    tested = tuple(clbits[: random.randint(1, 2)])
    condition = (
        Comparison(tested, 0) if random.random() < 0.5 else Comparison(tested, 2 ** len(tested) - 1, equal=False)
    )
    circuit.while_(condition)
    add_random_gate(circuit, random, when=(Comparison((clbits[3],), random.randrange(2)),))
    for clbit in tested:
        qubit = random.randrange(3)
        circuit.reset(qubit).h(qubit).measure(qubit, clbit)
        add_random_gate(circuit, random, when=(Comparison((clbit,), 1),))
    circuit.end().measure(random.randrange(3), clbits[2])
    add_random_gate(circuit, random, when=(Comparison((clbits[0], clbits[2]), 1),))
    return circuit.measure(0, clbits[0])


@pytest.mark.parametrize("seed", range(25))
def test_loops_do_the_same_there_and_back(seed: int):
    circuit = random_repeat_until(seed)
    assert_same_ensembles(parse(dump(circuit, "cirq")), circuit)


@pytest.mark.parametrize("seed", range(25, 28))
def test_cirq_runs_what_is_dumped(seed: int):
    circuit = random_repeat_until(seed)
    shots = 300
    records = cirq.Simulator(seed=seed).run(dump(circuit, "cirq"), repetitions=shots).records
    looped = {key for key, values in records.items() if values.shape[1] > 1}
    shown = [clbit for clbit in range(3) if f"c[{clbit}]" in records and f"c[{clbit}]" not in looped]
    columns = np.array([records[f"c[{clbit}]"][:, -1, 0] for clbit in shown]).T.reshape(shots, len(shown))
    counts = Counter(tuple(row) for row in columns.tolist())
    wanted: dict[tuple[int, ...], float] = {}
    for key, chance in outcomes(circuit).items():
        outcome = tuple(int(key[-1 - clbit]) for clbit in shown)
        wanted[outcome] = wanted.get(outcome, 0) + chance
    for outcome in counts.keys() | wanted.keys():  # Hoeffding: below 1e-8 for all together
        assert abs(counts[outcome] / shots - wanted.get(outcome, 0)) < 0.2


@pytest.mark.parametrize(
    ("circuit", "match"),
    [
        (Circuit(1, 1).set([0], 1), "operation 0: set: Cirq has no assignment"),
        (Circuit(1, 1).h(0).measure(0, 0).while_({0: 1}).h(0).measure(0, 0).end(), "operation 2: while: .*first turn"),
        (Circuit(1, 2).while_({0: 0}).h(0).measure(0, 1).end(), "operation 0: while: .*measures all that"),
        (Circuit(2, 2).while_({0: 0}).x(0, when={1: 1}).measure(0, 0).measure(1, 1).end(), "operation 1: x: it tests"),
        (Circuit(0, 0).gphase(parameter("a")), "operation 0: gphase: "),
    ],
)
def test_what_cirq_does_not_have_is_refused_by_name(circuit: Circuit, match: str):
    with pytest.raises(UnsupportedError, match=match):
        dump(circuit, "cirq")


def test_hidden_clbits_come_back_hidden():
    circuit = Circuit(1, 1, num_hidden=2).h(0).measure(0, 1).x(0, when={1: 1}).measure(0, 0)
    assert parse(dump(circuit, "cirq")) == circuit
