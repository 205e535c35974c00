"""Qiskit's loops, stores, classical variables, durations and parameters, in and out."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import AnnotatedOperation, Duration, Parameter, ParameterVector, PowerModifier
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    CUGate,
    PauliEvolutionGate,
    RGate,
    RXGate,
    RZZGate,
    UGate,
    XXPlusYYGate,
)
from qiskit.quantum_info import Operator, SparsePauliOp
from qiskit.synthesis import QDrift, SuzukiTrotter
from support.circuits import random_classical_circuit
from support.qiskit_interpreter import clbits_after, random_control_flow
from support.simulation import assert_same_ensembles, outcomes, unitary

from gateway.circuit import Circuit, Comparison, Expression, bits, parameter
from gateway.circuit.operations import NO_TIMING
from gateway.errors import UnsupportedError
from gateway.frameworks import dump, parse
from gateway.frameworks.qiskit.parsing import parameter_names

# ---------------------------------------------------------------------------- loops

Make = Callable[[QuantumCircuit], None]


def while_on_a_bit(circuit: QuantumCircuit) -> None:
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.while_loop((0, 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    circuit.x(1)
    circuit.measure(1, 1)


def while_on_an_expression(circuit: QuantumCircuit) -> None:
    with circuit.while_loop(expr.less(circuit.cregs[0], 2)):
        circuit.h([0, 1])
        circuit.measure([0, 1], [0, 1])


def for_with_break(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(5)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.break_loop()


def for_with_continue(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(3)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.continue_loop()
        circuit.x(1)
    circuit.measure(1, 1)


def while_with_both(circuit: QuantumCircuit) -> None:
    """Count turns modulo 2 on qubit 1, without those that are skipped; stop with chance 1/4 a turn."""
    with circuit.while_loop(expr.lift(True)):
        circuit.reset(2)
        circuit.h([0, 2])
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.continue_loop()
        circuit.x(1)
        circuit.measure(2, 0)
        with circuit.if_test((0, 1)):
            circuit.break_loop()
    circuit.measure(1, 1)


def break_of_an_inner_loop(circuit: QuantumCircuit) -> None:
    """Go twice through a loop that is left by its first turn, inside a loop that is not unrolled."""
    circuit.x(2)
    with circuit.while_loop((1, 0)):
        with circuit.for_loop(range(3)):
            circuit.x(0)
            circuit.measure(2, 0)
            with circuit.if_test((0, 1)):
                circuit.break_loop()
        circuit.measure(0, 0)
        circuit.h(1)
        circuit.measure(1, 1)
        circuit.reset(0)


def break_inside_a_switch(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(4)):
        circuit.h([0, 1])
        circuit.measure([0, 1], [0, 1])
        with circuit.switch(circuit.cregs[0]) as case:
            with case(3):
                circuit.break_loop()
            with case(case.DEFAULT):
                circuit.reset([0, 1])


LOOPS: dict[str, tuple[Make, dict[str, float]]] = {
    "while on a bit": (while_on_a_bit, {"10": 1}),
    "while on an expression": (while_on_an_expression, {"10": 0.5, "11": 0.5}),
    "for with break": (for_with_break, {"00": 1 / 32, "01": 31 / 32}),
    "for with continue": (for_with_continue, {"00": 0.25, "01": 0.25, "10": 0.25, "11": 0.25}),
    "while with both": (while_with_both, {"01": 1 / 3, "11": 2 / 3}),
    "break of an inner loop": (break_of_an_inner_loop, {"11": 1}),
    "break inside a switch": (break_inside_a_switch, {"00": 27 / 256, "01": 27 / 256, "10": 27 / 256, "11": 175 / 256}),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_end_when_qiskit_ends_them(name: str):
    make, wanted = LOOPS[name]
    circuit = QuantumCircuit(3, 2)
    make(circuit)
    found = parse(circuit)
    found.validate()
    assert outcomes(found) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("name", LOOPS)
def test_loops_do_the_same_there_and_back(name: str):
    circuit = QuantumCircuit(3, 2)
    LOOPS[name][0](circuit)
    found = parse(circuit)
    assert_same_ensembles(parse(dump(found, "qiskit")), found)


def test_a_loop_on_a_bit_stays_a_loop_on_that_bit():
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.h(0)
        circuit.measure(0, 0)
    wanted = Circuit(1, 1).while_({0: 0}).h(0).measure(0, 0).end()
    assert parse(circuit) == wanted
    assert parse(dump(wanted, "qiskit")) == wanted


def test_a_loop_over_a_variable_gives_it_each_value():
    circuit = QuantumCircuit(1, 3)
    with circuit.for_loop(range(1, 8), expr.Var.new("i", types.Uint(3))) as i, circuit.if_test(expr.equal(i, 5)):
        circuit.store(circuit.cregs[0], i)
    assert outcomes(parse(circuit)) == {"101": pytest.approx(1)}


# ---------------------------------------------------------------------------- classical values

UINT = types.Uint(4)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (expr.add, lambda a, b: a + b),
        (expr.sub, lambda a, b: a - b),
        (expr.mul, lambda a, b: a * b),
        (lambda a, b: expr.div(a, expr.bit_or(b, 1)), lambda a, b: a // (b | 1)),
        (lambda a, b: expr.bit_xor(expr.bit_not(a), b), lambda a, b: ~a ^ b),
        (expr.shift_left, lambda a, b: a << b),
        (expr.shift_right, lambda a, b: a >> b),
        (lambda a, b: expr.less(expr.sub(a, b), b), lambda a, b: (a - b) % 16 < b),
        (lambda a, b: expr.index(a, expr.bit_and(b, 3)), lambda a, b: a >> (b & 3) & 1),
        (lambda a, b: expr.logic_and(expr.greater(a, b), expr.not_equal(b, 2)), lambda a, b: a > b and b != 2),
        (lambda a, b: expr.logic_or(expr.less_equal(a, b), expr.equal(a, 9)), lambda a, b: a <= b or a == 9),
        (lambda a, _: expr.cast(expr.cast(a, types.Uint(2)), types.Bool()), lambda a, _: a & 3 != 0),
    ],
)  # fmt: skip
def test_a_store_writes_what_qiskit_means(value: Callable[..., object], meant: Callable[[int, int], int]):
    random = Random(7)
    for _ in range(12):
        a, b = random.randrange(16), random.randrange(16)
        circuit = QuantumCircuit(1, 4)
        first, second = circuit.add_var("a", expr.lift(a, UINT)), circuit.add_var("b", expr.lift(b, UINT))
        computed = value(first, second)
        circuit.store(circuit.cregs[0], expr.cast(computed, UINT))
        found = parse(circuit)
        found.validate()
        assert outcomes(found) == {format(int(meant(a, b)) % 16, "04b"): pytest.approx(1)}, (a, b)


def test_variables_are_hidden_and_keep_their_values():
    circuit = QuantumCircuit(2, 2)
    count = circuit.add_var("count", expr.lift(0, UINT))
    circuit.add_uninitialized_var(expr.Var.new("unused", types.Bool()))
    with circuit.for_loop(range(3)):
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.store(count, expr.add(count, 1))
    with circuit.if_test(expr.equal(count, 2)):
        circuit.x(1)
    circuit.measure(1, 1)
    found = parse(circuit)
    assert (found.num_clbits, found.num_hidden >= 5) == (2, True)
    assert outcomes(found) == pytest.approx({"00": 0.375, "01": 0.25, "10": 0.125, "11": 0.25})


def test_a_bit_a_register_and_an_indexed_bit_can_be_stored():
    register = ClassicalRegister(4, "c")
    circuit = QuantumCircuit(QuantumRegister(1), register)
    circuit.store(register, expr.lift(0b1001, UINT))
    circuit.store(register[1], True)
    circuit.store(expr.index(register, 3), expr.logic_not(register[3]))
    place = circuit.add_var("place", expr.lift(2, UINT))
    circuit.store(expr.index(register, place), expr.lift(register[0]))
    assert outcomes(parse(circuit)) == {"0111": pytest.approx(1)}


def test_a_variable_of_a_block_begins_anew_in_each_turn():
    circuit = QuantumCircuit(1, 2)
    with circuit.for_loop(range(3)):
        mine = circuit.add_var("mine", expr.lift(0, UINT))
        circuit.store(mine, expr.add(mine, 1))
        circuit.store(circuit.cregs[0], expr.cast(mine, types.Uint(2)))
    assert outcomes(parse(circuit)) == {"01": pytest.approx(1)}


def test_a_switch_on_a_variable_or_on_a_wide_expression_takes_the_case_of_its_value():
    register = ClassicalRegister(20, "c")
    circuit = QuantumCircuit(QuantumRegister(1), register, ClassicalRegister(2, "d"))
    kind = circuit.add_var("kind", expr.lift(2, UINT))
    circuit.store(register, expr.lift(77, types.Uint(20)))
    with circuit.switch(kind) as case:
        with case(2):
            circuit.store(circuit.clbits[20], True)
        with case(case.DEFAULT):
            circuit.store(circuit.clbits[21], True)
    with circuit.switch(expr.add(register, 1)) as case:
        with case(77):
            circuit.store(circuit.clbits[20], False)
        with case(78, 90):
            circuit.store(circuit.clbits[21], True)
        with case(case.DEFAULT):
            circuit.store(circuit.clbits[20], False)
    assert outcomes(parse(circuit)) == {"11" + format(77, "020b"): pytest.approx(1)}


# ---------------------------------------------------------------------------- durations


def test_durations_are_left_out_and_a_note_says_so():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.delay(100, 0)
    circuit.delay(1e-7, 1, unit="s")
    circuit.delay(expr.lift(Duration.ns(20)), 0)
    stretch = circuit.add_stretch("s")
    circuit.delay(stretch, 1)
    with circuit.box(duration=stretch):
        circuit.cx(0, 1)
    circuit.barrier(label="end")
    found = parse(circuit)
    assert found == Circuit(2).h(0).cx(0, 1).barrier(0, 1)
    assert found.notes == (NO_TIMING,)
    assert parse(QuantumCircuit(1)).notes == ()


def test_a_delay_inside_a_controlled_gate_is_noted_too():
    inner = QuantumCircuit(1, name="inner")
    inner.x(0)
    inner.delay(10, 0)
    circuit = QuantumCircuit(2)
    circuit.append(inner.to_instruction(), [0])
    assert parse(circuit).notes == (NO_TIMING,)


# ---------------------------------------------------------------------------- product formulas


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # about Qiskit's matrix
def test_a_product_formula_is_noted_unless_it_is_exact():
    def notes(operator: SparsePauliOp, synthesis: object = None) -> tuple[str, ...]:
        circuit = QuantumCircuit(2)
        circuit.append(PauliEvolutionGate(operator, time=0.4, synthesis=synthesis), [0, 1])
        return parse(circuit).notes

    assert notes(SparsePauliOp(["XX", "ZZ"])) == ()
    assert notes(SparsePauliOp(["XX", "ZI"])) == (
        "PauliEvolutionGate: taken as the product formula of its synthesis, LieTrotter",
    )
    assert "SuzukiTrotter" in notes(SparsePauliOp(["XX", "ZI"]), SuzukiTrotter(reps=2))[0]
    assert "QDrift" in notes(SparsePauliOp(["XX", "ZZ"]), QDrift(reps=2, seed=1))[0]


# ---------------------------------------------------------------------------- parameters


def test_parameters_stay_parameters():
    a, vector = Parameter("a"), ParameterVector("t", 3)
    circuit = QuantumCircuit(2, global_phase=a / 2)
    circuit.rx(2 * a + vector[2], 0)
    circuit.rzz(vector[0].sin() - 1, 0, 1)
    found = parse(circuit)
    assert set(found.parameters) == {"a", "t[0]", "t[2]"}
    values = {"a": 0.3, "t[0]": 1.1, "t[2]": -0.4}
    bound = circuit.assign_parameters({a: 0.3, vector[0]: 1.1, vector[2]: -0.4})
    np.testing.assert_allclose(unitary(found.bind(values)), Operator(bound).data, atol=1e-9)


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # about Qiskit's matrix
@pytest.mark.parametrize(
    "gate",
    [
        UGate(Parameter("a"), Parameter("b"), 0.3).control(2, annotated=False),
        CUGate(0.1, Parameter("a"), Parameter("b"), Parameter("c")),
        RGate(Parameter("a"), Parameter("b")),
        RGate(Parameter("a"), 0.4).control(1, ctrl_state=0, annotated=False),
        RXGate(Parameter("a")).power(3),
        RXGate(Parameter("a")).inverse(),
        RZZGate(Parameter("a") * Parameter("b")).control(1, annotated=True),
        XXPlusYYGate(Parameter("a"), Parameter("b")).control(1, annotated=False),
        PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"], [0.3, 0.4]), time=Parameter("a")),
    ],
    ids=lambda gate: gate.name,
)
def test_gates_with_parameters_are_exact_once_these_have_values(gate):
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    values = {"a": 0.7, "b": -1.3, "c": 2.1}
    bound = circuit.assign_parameters({found: values[found.name] for found in circuit.parameters})
    np.testing.assert_allclose(
        unitary(parse(circuit).bind({found.name: values[found.name] for found in circuit.parameters})),
        Operator(bound).data,
        atol=1e-9,
    )


def test_names_that_cannot_stay_are_replaced_and_told():
    parameters = [Parameter("$\\theta$"), Parameter("theta"), Parameter("2 x"), Parameter("φ")]
    circuit = QuantumCircuit(1)
    for found in parameters:
        circuit.rx(found, 0)
    assert parse(circuit).parameters == ("theta_2", "theta", "p_2_x", "φ")
    assert [parameter_names(circuit)[found] for found in parameters] == ["theta_2", "theta", "p_2_x", "φ"]


def test_a_dumped_circuit_has_qiskits_parameters():
    a, b = parameter("a"), parameter("v[1]")
    functions = ["sin", "cos", "tan", "asin", "acos", "atan", "exp", "sqrt", "abs"]
    angle = sum((Expression(name, (a,)) for name in functions), 0.5 * b - a / 3 + a**2 + Expression("log", (b,)))
    circuit = Circuit(2).rx(angle, 0).u(a, b, 1, 1).gphase(a)
    native = circuit.to("qiskit")
    assert [found.name for found in native.parameters] == ["a", "v[1]"]
    assert len(native.parameters[1].vector) == 2
    values = {"a": 0.3, "v[1]": 0.8}
    bound = native.assign_parameters({found: values[found.name] for found in native.parameters})
    np.testing.assert_allclose(Operator(bound).data, unitary(circuit.bind(values)), atol=1e-9)
    np.testing.assert_allclose(unitary(parse(native).bind(values)), unitary(circuit.bind(values)), atol=1e-9)


def test_a_fractional_power_of_an_angle_without_a_value_is_refused():
    circuit = QuantumCircuit(1)
    circuit.append(AnnotatedOperation(RXGate(Parameter("a")), PowerModifier(0.5)), [0])
    with pytest.raises(UnsupportedError, match=r"operation 0: annotated: a power of 0.5 needs values"):
        parse(circuit)


# ---------------------------------------------------------------------------- dump


@pytest.mark.parametrize("seed", range(40))
def test_loops_assignments_and_hidden_clbits_do_the_same_there_and_back(seed: int):
    circuit = random_classical_circuit(seed)
    assert_same_ensembles(parse(dump(circuit, "qiskit")), circuit)


@pytest.mark.needs("qiskit")
@pytest.mark.parametrize("seed", range(40, 52))
def test_aer_runs_what_is_dumped(seed: int):
    from qiskit import transpile  # noqa: PLC0415 - where Aer is
    from qiskit_aer import AerSimulator  # noqa: PLC0415

    circuit = random_classical_circuit(seed)
    simulator, shots = AerSimulator(method="statevector", seed_simulator=seed), 2000
    native = transpile(dump(circuit, "qiskit"), simulator, optimization_level=0)
    counts: dict[str, float] = {}
    for key, times in simulator.run(native, shots=shots).result().get_counts().items():
        shown = key.split()[-1]
        counts[shown] = counts.get(shown, 0) + times / shots
    wanted = outcomes(circuit)
    distance = sum(abs(counts.get(key, 0) - wanted.get(key, 0)) for key in counts.keys() | wanted.keys()) / 2
    # Hoeffding's bound on each of 4 outcomes: all 12 circuits exceed it with a chance below 1e-6 together.
    assert distance < 0.13


def test_values_that_change_places_are_stored_at_once():
    circuit = Circuit(1, 2).set([0], 1).set([0, 1], bits(1, 0))
    native = dump(circuit, "qiskit")
    assert [register.name for register in native.cregs] == ["c", "gateway_hidden"]
    assert outcomes(parse(native)) == {"10": pytest.approx(1)}


def test_a_counter_on_few_bits_is_stored_from_the_top():
    circuit = Circuit(1, 2)
    for _ in range(3):
        circuit.set([0, 1], bits(0, 1) + 1)
    native = dump(circuit, "qiskit")
    assert len(native.cregs) == 1
    assert outcomes(parse(native)) == {"11": pytest.approx(1)}


def test_arithmetic_on_many_clbits_is_arithmetic_of_qiskits():
    register = tuple(range(12))
    circuit = Circuit(1, 12).set(register, 4095).set(register, 3 * bits(*register) + 1 - bits(0, 1))
    circuit.set([0], Expression("<", (bits(*register[6:]) + 1, bits(*register[:6]))))
    assert_same_ensembles(parse(dump(circuit, "qiskit")), circuit)
    for op, other in (("%", 3), (">>", bits(*range(10, 20)))):
        wide = Circuit(1, 20).set([0], Expression(op, (bits(*range(10)), other)))
        with pytest.raises(UnsupportedError, match="Qiskit has no such operator"):
            dump(wide, "qiskit")


def test_successive_operations_of_one_condition_share_a_block_in_a_loop_as_well():
    circuit = Circuit(1, 2).while_(Comparison((0, 1), 0)).h(0, when={0: 0}).x(0, when={0: 0}).measure(0, 0).end()
    native = dump(circuit, "qiskit")
    (body,) = native.data[0].operation.blocks
    assert [instruction.name for instruction in body.data] == ["if_else", "measure"]
    assert parse(native) == circuit


def test_the_phase_of_a_loop_is_in_the_loop():
    circuit = Circuit(1, 1).while_({0: 0}).gphase(0.3).h(0).measure(0, 0).end()
    assert parse(dump(circuit, "qiskit")) == circuit


# ---------------------------------------------------------------------------- against an interpreter


@pytest.mark.parametrize("seed", range(60))
def test_random_control_flow_does_what_an_interpreter_of_qiskits_circuits_does(seed: int):
    circuit = random_control_flow(seed)
    found = parse(circuit)
    found.validate()
    wanted = "".join(map(str, reversed(clbits_after(circuit))))
    assert outcomes(found) == {wanted: pytest.approx(1)}


def test_a_chain_of_hundreds_of_operators_becomes_no_deep_expression():
    register = ClassicalRegister(400, "c")
    circuit = QuantumCircuit(QuantumRegister(1), register)
    circuit.store(register, expr.lift(7, types.Uint(400)))
    parity = expr.lift(register[0])
    for bit in list(register)[1:]:
        parity = expr.bit_xor(parity, bit)
    circuit.store(register[399], parity)
    circuit.rx(sum(Parameter(f"p{place}") for place in range(100)), 0)
    found = parse(circuit)
    found.validate()
    assert outcomes(Circuit(0, 400, found.operations[:2])) == {format(7 | 1 << 399, "0400b"): pytest.approx(1)}
    values = {f"p{place}": 0.01 * place for place in range(100)}
    assert found.bind(values).operations[-1].params[0] == pytest.approx(sum(values.values()))
