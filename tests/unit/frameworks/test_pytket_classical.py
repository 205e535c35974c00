"""pytket's classical operations and symbols, in and out."""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from random import Random

import numpy as np
import pytest
import sympy
from pytket.circuit import Bit, CircBox, ClBitVar, ClExpr, ClOp, ClRegVar, OpType, QControlBox, WiredClExpr, reg_eq
from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import Op as TketOp
from pytket.wasm import WasmModuleHandler
from support.circuits import random_classical_circuit
from support.frameworks import FRAMEWORKS
from support.simulation import assert_same_ensembles, outcomes, unitary

from gateway.circuit import Circuit, Comparison, Expression, bits, parameter
from gateway.errors import UnsupportedError
from gateway.frameworks import dump, parse

# ---------------------------------------------------------------------------- operations on bits


def after(make: Callable[[TketCircuit], object], number: int, size: int) -> int:
    """Return what the bits hold after something, if they hold a number before."""
    circuit = TketCircuit(0, size)
    circuit.add_c_setbits([bool(number >> place & 1) for place in range(size)], list(range(size)))
    make(circuit)
    found = parse(circuit)
    found.validate()
    ((key, chance),) = outcomes(found).items()
    assert chance == pytest.approx(1)
    return int(key, 2)


def with_bit(number: int, place: int, value: object) -> int:
    return number & ~(1 << place) | bool(value) << place


OPERATIONS: dict[str, tuple[Callable[[TketCircuit], object], Callable[[int], int]]] = {
    "SetBits": (lambda c: c.add_c_setbits([True, False], [2, 0]), lambda b: b & 0b1010 | 4),
    "CopyBits": (lambda c: c.add_c_copybits([0, 1], [2, 3]), lambda b: b & 3 | (b & 3) << 2),
    "RangePredicate": (
        lambda c: c.add_c_range_predicate(2, 5, [0, 1, 2], 3),
        lambda b: with_bit(b, 3, 2 <= b & 7 <= 5),
    ),
    "RangePredicate of all above": (
        lambda c: c.add_c_range_predicate(2, 2**32 - 1, [0, 1], 3),
        lambda b: with_bit(b, 3, b & 3 >= 2),
    ),
    "RangePredicate of anything": (lambda c: c.add_c_range_predicate(0, 7, [0, 1, 2], 3), lambda b: b | 8),
    "AND": (lambda c: c.add_c_and(0, 3, 1), lambda b: with_bit(b, 1, b & 1 and b & 8)),
    "OR": (lambda c: c.add_c_or(0, 3, 1), lambda b: with_bit(b, 1, b & 1 or b & 8)),
    "XOR": (lambda c: c.add_c_xor(0, 3, 1), lambda b: with_bit(b, 1, (b ^ b >> 3) & 1)),
    "NOT": (lambda c: c.add_c_not(2, 0), lambda b: with_bit(b, 0, not b & 4)),
    "ExplicitPredicate": (
        lambda c: c.add_c_predicate([k in {1, 6} for k in range(8)], [0, 1, 2], 3),
        lambda b: with_bit(b, 3, b & 7 in {1, 6}),
    ),
    "ExplicitModifier": (
        lambda c: c.add_c_modifier([k in {0, 2, 5} for k in range(8)], [2, 0], 1),
        lambda b: with_bit(b, 1, (b >> 2 & 1) + 2 * (b & 1) + 4 * (b >> 1 & 1) in {0, 2, 5}),
    ),
    "ClassicalTransform": (
        lambda c: c.add_c_transform([(k + 3) % 8 for k in range(8)], [1, 2, 3]),
        lambda b: b & 1 | ((b >> 1) + 3) % 8 << 1,
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_on_bits_do_what_pytket_says(name: str):
    make, meant = OPERATIONS[name]
    for number in range(16):
        assert after(make, number, 4) == meant(number), number


def test_a_predicate_of_many_bits_is_looked_up():
    random = Random(3)
    table = [random.random() < 0.5 for _ in range(128)]
    for number in (0, 3, 77, 126, 127):
        found = after(lambda c: c.add_c_predicate(table, list(range(7)), 7), number, 8)
        assert found == with_bit(number, 7, table[number])


def test_operations_on_registers_go_bit_by_bit():
    circuit = TketCircuit()
    first, second, third = (circuit.add_c_register(name, 2) for name in "abc")
    circuit.add_c_setreg(2, first)
    circuit.add_c_copyreg(first, second)
    circuit.add_c_not_to_registers(second, third)
    circuit.add_c_or_to_registers(first, third, third)
    circuit.add_c_xor_to_registers(first, third, second)
    assert outcomes(parse(circuit)) == {"110110": pytest.approx(1)}


def test_conditions_apply_to_classical_operations_as_well():
    circuit = TketCircuit(1, 3).X(0).Measure(0, 0)
    circuit.add_c_setbits([True, True], [1, 2], condition_bits=[0], condition_value=1)
    circuit.add_c_setbits([False], [0], condition=reg_eq(circuit.get_c_register("c"), 7))
    circuit.add_c_copybits([0], [1], condition_bits=[0], condition_value=1)
    assert outcomes(parse(circuit)) == {"110": pytest.approx(1)}


# ---------------------------------------------------------------------------- expressions


def with_expression(expression: ClExpr, outputs: list[int]) -> Callable[[TketCircuit], object]:
    """Return what appends an expression of register 0 (bits 0 to 2), register 1 (bits 3 to 5) and bit 0 (bit 6)."""
    singles = {0: [6]} if "b0" in str(expression) else {}
    registers = {k: list(range(3 * k, 3 * k + 3)) for k in (0, 1) if f"r{k}" in str(expression)}
    used = [place for places in (*singles.values(), *registers.values(), outputs) for place in places]
    wired = WiredClExpr(
        expression,
        {k: used.index(places[0]) for k, places in singles.items()},
        {k: list(map(used.index, places)) for k, places in registers.items()},
        list(map(used.index, outputs)),
    )
    return lambda circuit: circuit.add_clexpr(wired, [circuit.bits[place] for place in used])


A, B, S = ClRegVar(0), ClRegVar(1), ClBitVar(0)
HIGH = [7, 8, 9]

EXPRESSIONS: list[tuple[ClExpr, Callable[[int, int, int], int]]] = [
    (ClExpr(ClOp.RegAdd, [A, B]), lambda a, b, _: a + b),
    (ClExpr(ClOp.RegSub, [A, B]), lambda a, b, _: a - b),
    (ClExpr(ClOp.RegMul, [A, 3]), lambda a, *_: 3 * a),
    (ClExpr(ClOp.RegDiv, [A, ClExpr(ClOp.RegOr, [B, 1])]), lambda a, b, _: a // (b | 1)),
    (ClExpr(ClOp.RegPow, [A, 3]), lambda a, *_: a**3),
    (ClExpr(ClOp.RegNeg, [A]), lambda a, *_: -a),
    (ClExpr(ClOp.RegNot, [ClExpr(ClOp.RegXor, [A, B])]), lambda a, b, _: ~(a ^ b)),
    (ClExpr(ClOp.RegAnd, [A, ClExpr(ClOp.RegOne, [])]), lambda a, *_: a),
    (ClExpr(ClOp.RegLsh, [A, 1]), lambda a, *_: a << 1),
    (ClExpr(ClOp.RegRsh, [A, ClExpr(ClOp.RegAnd, [B, 3])]), lambda a, b, _: a >> (b & 3)),
    (ClExpr(ClOp.RegAnd, [ClExpr(ClOp.RegSub, [A, B]), 3]), lambda a, b, _: (a - b) & 3),
    (ClExpr(ClOp.RegLt, [ClExpr(ClOp.RegAdd, [A, 1]), B]), lambda a, b, _: a + 1 < b),
    (ClExpr(ClOp.RegGeq, [A, B]), lambda a, b, _: a >= b),
    (ClExpr(ClOp.RegNeq, [A, B]), lambda a, b, _: a != b),
    (ClExpr(ClOp.BitXor, [S, ClExpr(ClOp.RegGt, [A, B])]), lambda a, b, s: s ^ (a > b)),
    (ClExpr(ClOp.BitNot, [S]), lambda *now: 1 - now[2]),
    (ClExpr(ClOp.BitEq, [S, ClExpr(ClOp.BitZero, [])]), lambda *now: now[2] == 0),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "meant"), EXPRESSIONS, ids=lambda value: str(value) * isinstance(value, ClExpr))
def test_expressions_give_what_pytket_means(expression: ClExpr, meant: Callable[[int, int, int], int]):
    random = Random(str(expression))
    for number in random.sample(range(128), 12):
        found = after(with_expression(expression, HIGH), number, 10)
        value = int(meant(number & 7, number >> 3 & 7, number >> 6 & 1))
        assert found == number | (value & 7) << 7, number


@pytest.mark.parametrize(
    "expression",
    [
        ClExpr(ClOp.RegLt, [ClExpr(ClOp.RegSub, [A, B]), A]),
        ClExpr(ClOp.RegRsh, [ClExpr(ClOp.RegNeg, [A]), 1]),
        ClExpr(ClOp.RegEq, [ClExpr(ClOp.RegNot, [A]), B]),
        ClExpr(ClOp.RegPow, [A, B]),
    ],
)
def test_a_value_that_depends_on_how_wide_pytkets_registers_are_is_refused(expression: ClExpr):
    circuit = TketCircuit(1, 10)
    with_expression(expression, HIGH)(circuit)
    with pytest.raises(UnsupportedError, match="operation 0: ClExpr: "):
        parse(circuit)


def test_webassembly_is_refused_by_name():
    types, functions = "0109026000006001 7f017f", "0303020001"
    exports, code = "070e0204696e69740000036f6e650001", "0a090202000b040020000b"
    module = WasmModuleHandler(bytes.fromhex(f"0061736d01000000{types}{functions}{exports}{code}"))
    circuit = TketCircuit(1, 2).H(0)
    circuit.add_wasm("one", module, [1], [1], circuit.bits)
    with pytest.raises(UnsupportedError, match=r"operation \d: WASM: ") as caught:
        parse(circuit)
    assert caught.value.feature == "WASM"


# ---------------------------------------------------------------------------- scratch bits


def test_a_scratch_bit_that_is_read_after_its_sources_changed_is_a_hidden_clbit():
    circuit = TketCircuit(1, 2)
    register = circuit.get_c_register("c")
    circuit.add_c_setreg(1, register)
    circuit.X(0, condition=reg_eq(register, 1))
    circuit.add_c_setreg(2, register)
    circuit.X(0, condition=reg_eq(register, 1))
    circuit.Measure(0, 0)
    assert outcomes(parse(circuit)) == {"11": pytest.approx(1)}


def test_a_scratch_bit_of_many_bits_is_computed_when_it_is_tested():
    circuit = TketCircuit(1, 20)
    register = circuit.get_c_register("c")
    circuit.add_c_setreg(999, register)
    condition = register[0] ^ register[1]
    for bit in list(register)[2:]:
        condition = condition ^ bit
    circuit.X(0, condition=condition)
    circuit.Measure(0, 19)
    parity = (999).bit_count() % 2
    assert outcomes(parse(circuit)) == {format(999 | parity << 19, "020b"): pytest.approx(1)}


def test_a_box_under_a_condition_computes_conditions_of_its_own():
    inner = TketCircuit(1, 3)
    inner.X(0, condition=inner.bits[0] ^ inner.bits[1])
    inner.Measure(0, 2)
    for first, second, outer, wanted in ((1, 0, 1, 1), (1, 1, 1, 0), (1, 0, 0, 0)):
        circuit = TketCircuit(1, 4)
        circuit.add_c_setbits([bool(first), bool(second), bool(outer)], [0, 1, 3])
        box = CircBox(inner)
        units = [circuit.qubits[0], *[Bit(place) for place in range(3)]]
        scratch = [Bit("scratch", place) for place in range(inner.n_bits - 3)]
        for bit in scratch:
            circuit.add_bit(bit)
        circuit.add_circbox(box, [*units, *scratch], condition_bits=[Bit(3)], condition_value=1)
        (key,) = outcomes(parse(circuit))
        assert int(key[-3]) == wanted


# ---------------------------------------------------------------------------- symbols


def test_symbols_become_parameters_in_radians():
    a, b = sympy.symbols("a b")
    circuit = TketCircuit(2).Rx(a, 0).Rz(2 * b, 0).CX(0, 1).add_phase(a / 2)
    found = parse(circuit)
    assert found.parameters == ("a", "b")
    circuit.symbol_substitution({a: 0.5, b: 0.25})
    wanted = FRAMEWORKS["pytket"].unitary(circuit, 2)
    np.testing.assert_allclose(unitary(found.bind(a=0.5, b=0.25)), wanted, atol=1e-9)


SYMBOLIC = [OpType.TK1, OpType.TK2, OpType.PhasedX, OpType.FSim, OpType.CU3, OpType.ISWAP, OpType.GPI2, OpType.ZZPhase]
NUMBERS = {OpType.TK1: (3, 1), OpType.TK2: (3, 2), OpType.PhasedX: (2, 1), OpType.FSim: (2, 2), OpType.CU3: (3, 2),
           OpType.ISWAP: (1, 2), OpType.GPI2: (1, 1), OpType.ZZPhase: (1, 2)}  # fmt: skip


@pytest.mark.parametrize("kind", SYMBOLIC, ids=lambda kind: kind.name)
def test_gates_with_symbols_are_exact_once_these_have_values(kind):
    num_params, num_qubits = NUMBERS[kind]
    symbols = sympy.symbols("a b c")[:num_params]
    circuit = TketCircuit(num_qubits + 1).add_gate(kind, list(symbols), list(range(num_qubits)))
    circuit.add_qcontrolbox(QControlBox(TketOp.create(kind, list(symbols))), list(range(num_qubits + 1)))
    values = dict(zip(symbols, (0.3, 1.7, 3.9), strict=False))
    found = parse(circuit).bind({symbol.name: value for symbol, value in values.items()})
    circuit.symbol_substitution(values)
    np.testing.assert_allclose(unitary(found), FRAMEWORKS["pytket"].unitary(circuit, num_qubits + 1), atol=1e-7)


def test_a_function_that_angles_do_not_have_is_refused_by_name():
    circuit = TketCircuit(1).H(0).Rx(sympy.sinh(sympy.Symbol("a")), 0)
    with pytest.raises(UnsupportedError, match="operation 1: sinh: "):
        parse(circuit)


def test_a_dumped_circuit_has_pytkets_symbols_in_half_turns():
    a = parameter("a")
    circuit = Circuit(2).rx(pi * a, 0).rz(2 * a + Expression("sin", (a,)), 1).u(a, 0.3, a / 2, 0).gphase(a)
    native = circuit.to("pytket")
    assert native.free_symbols() == {sympy.Symbol("a")}
    assert native.get_commands()[0].op.params[0] == sympy.Symbol("a")
    np.testing.assert_allclose(unitary(parse(native).bind(a=0.7)), unitary(circuit.bind(a=0.7)), atol=1e-9)
    native.symbol_substitution({sympy.Symbol("a"): 0.7})
    np.testing.assert_allclose(FRAMEWORKS["pytket"].unitary(native, 2), unitary(circuit.bind(a=0.7)), atol=1e-9)


# ---------------------------------------------------------------------------- dump


def without_loops(seed: int) -> Circuit:
    circuit = random_classical_circuit(seed)
    return circuit.with_operations([op for op in circuit.operations if op.name not in {"while", "end"}])


@pytest.mark.parametrize("seed", range(40))
def test_assignments_and_hidden_clbits_do_the_same_there_and_back(seed: int):
    circuit = without_loops(seed)
    assert_same_ensembles(parse(dump(circuit, "pytket")), circuit)


def kinds(circuit: Circuit) -> list[str]:
    return [str(command.op.type).removeprefix("OpType.") for command in dump(circuit, "pytket")]


def test_an_assignment_becomes_the_plainest_operation_that_says_it():
    c = (0, 1, 2)
    assert kinds(Circuit(0, 3).set(c, 5)) == ["SetBits"]
    assert kinds(Circuit(0, 6).set(c, bits(3, 4, 5))) == ["CopyBits"]
    assert kinds(Circuit(0, 6).set(c, bits(0, 1, 2) + bits(3, 4, 5))) == ["ClExpr"]
    assert kinds(Circuit(0, 3).set([2], Expression("^", (bits(0), bits(1))))) == ["ClExpr"]
    assert kinds(Circuit(0, 3).set([2], Expression("popcount", (bits(0, 1),)))) == ["ExplicitPredicate"]
    assert kinds(Circuit(0, 3).set([0, 1], bits(1, 0))) == ["ClassicalTransform"]


def test_an_assignment_that_changes_its_own_condition_happens_once():
    circuit = Circuit(0, 2).set([0], Expression("not", (bits(0),)), when=Comparison((0, 1), 3, equal=False))
    assert outcomes(parse(dump(circuit, "pytket"))) == {"01": pytest.approx(1)}


def test_what_pytket_cannot_say_is_refused_by_name():
    with pytest.raises(UnsupportedError, match="operation 0: while: pytket has no loops"):
        dump(Circuit(1, 1).while_({0: 0}).h(0).measure(0, 0).end(), "pytket")
    wide = Expression("%", (bits(*range(20)), 3))
    with pytest.raises(UnsupportedError, match=r"operation 0 .*: pytket has no such expression"):
        dump(Circuit(1, 20).set([0], wide), "pytket")


def test_a_chain_of_many_operators_becomes_no_deep_expression():
    circuit = TketCircuit(0, 101)
    circuit.add_c_setbits([place < 7 for place in range(101)], list(range(101)))
    parity = circuit.bits[0] ^ circuit.bits[1]
    for bit in circuit.bits[2:100]:
        parity = parity ^ bit
    circuit.add_clexpr_from_logicexp(parity, [circuit.bits[100]])
    found = parse(circuit)
    found.validate()
    assert outcomes(found) == {format(127 | 1 << 100, "0101b"): pytest.approx(1)}
