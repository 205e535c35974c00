"""An interpreter of Qiskit's circuits whose qubits are never in superposition: a second opinion on control flow.

It knows X, CX, measurements, resets, stores, and all of Qiskit's control flow, and follows Qiskit's documentation.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.controlflow import CASE_DEFAULT


class _Break(Exception):  # noqa: N818 - control flow, no error
    pass


class _Continue(Exception):  # noqa: N818 - control flow, no error
    pass


def clbits_after(circuit: QuantumCircuit) -> list[int]:
    """Return the value of each clbit after a circuit."""
    interpreter = _Interpreter()
    clbits = dict.fromkeys(circuit.clbits, 0)
    interpreter.run(circuit, dict.fromkeys(circuit.qubits, 0), clbits)
    return list(clbits.values())


class _Interpreter:
    def __init__(self) -> None:
        self.variables: dict[Any, int] = {}

    def run(self, circuit: Any, qubits: dict[Any, int], clbits: dict[Any, int]) -> None:
        for instruction in circuit.data:
            self.step(instruction, qubits, clbits)

    def block(self, block: Any, instruction: Any, qubits: dict[Any, int], clbits: dict[Any, int]) -> None:
        """Run a block on bits of its own, and bring their values back, however it is left."""
        inner_qubits = {inner: qubits[outer] for inner, outer in zip(block.qubits, instruction.qubits, strict=True)}
        inner_clbits = {inner: clbits[outer] for inner, outer in zip(block.clbits, instruction.clbits, strict=True)}
        try:
            self.run(block, inner_qubits, inner_clbits)
        finally:
            qubits.update(zip(instruction.qubits, [inner_qubits[bit] for bit in block.qubits], strict=True))
            clbits.update(zip(instruction.clbits, [inner_clbits[bit] for bit in block.clbits], strict=True))

    def step(self, instruction: Any, qubits: dict[Any, int], clbits: dict[Any, int]) -> None:
        operation, where, name = instruction.operation, instruction.qubits, instruction.name
        if name == "x":
            qubits[where[0]] ^= 1
        elif name == "cx":
            qubits[where[1]] ^= qubits[where[0]]
        elif name == "reset":
            qubits[where[0]] = 0
        elif name == "measure":
            clbits[instruction.clbits[0]] = qubits[where[0]]
        elif name == "store":
            self.store(operation.lvalue, self.value(operation.rvalue, clbits), clbits)
        elif name in {"break_loop", "continue_loop"}:
            raise _Break if name == "break_loop" else _Continue
        else:
            self.control(instruction, qubits, clbits)

    def control(self, instruction: Any, qubits: dict[Any, int], clbits: dict[Any, int]) -> None:
        operation, name = instruction.operation, instruction.name
        if name == "if_else":
            holds = self.holds(operation.condition, clbits)
            blocks = operation.blocks[:1] if holds else operation.blocks[1:]
        elif name == "switch_case":
            target = self.read(operation.target, clbits)
            cases = list(operation.cases_specifier())
            found = [block for labels, block in cases if target in labels]
            blocks = found or [block for labels, block in cases if CASE_DEFAULT in labels]
        else:
            self.loop(instruction, qubits, clbits)
            return
        for block in blocks:
            self.block(block, instruction, qubits, clbits)

    def loop(self, instruction: Any, qubits: dict[Any, int], clbits: dict[Any, int]) -> None:
        operation = instruction.operation
        turns = iter(operation.params[0]) if instruction.name == "for_loop" else None
        while True:
            if turns is None and not self.holds(operation.condition, clbits):
                return
            if turns is not None:
                value = next(turns, None)
                if value is None:
                    return
                if operation.params[1] is not None:
                    self.variables[operation.params[1]] = value
            try:
                self.block(operation.blocks[0], instruction, qubits, clbits)
            except _Break:
                return
            except _Continue:
                continue

    def store(self, target: Any, value: int, clbits: dict[Any, int]) -> None:
        if target.standalone:
            self.variables[target] = value
        elif isinstance(target.var, Clbit):
            clbits[target.var] = value
        else:
            clbits.update({bit: value >> place & 1 for place, bit in enumerate(target.var)})

    def holds(self, condition: Any, clbits: Mapping[Any, int]) -> bool:
        if isinstance(condition, expr.Expr):
            return bool(self.value(condition, clbits))
        return self.read(condition[0], clbits) == int(condition[1])

    def read(self, target: Any, clbits: Mapping[Any, int]) -> int:
        if isinstance(target, Clbit):
            return clbits[target]
        if isinstance(target, ClassicalRegister):
            return sum(clbits[bit] << place for place, bit in enumerate(target))
        return self.value(target, clbits)

    def value(self, node: Any, clbits: Mapping[Any, int]) -> int:
        if isinstance(node, expr.Var):
            return self.variables[node] if node.standalone else self.read(node.var, clbits)
        if isinstance(node, expr.Value):
            return int(node.value)
        if isinstance(node, expr.Cast):
            return _fitted(self.value(node.operand, clbits), node.type)
        if isinstance(node, expr.Index):
            return self.value(node.target, clbits) >> self.value(node.index, clbits) & 1
        if isinstance(node, expr.Unary):
            operand = self.value(node.operand, clbits)
            return _fitted(~operand if node.op == expr.Unary.Op.BIT_NOT else not operand, node.type)
        return _fitted(_OPERATORS[node.op](self.value(node.left, clbits), self.value(node.right, clbits)), node.type)


def _fitted(value: int, kind: Any) -> int:
    return int(value != 0) if isinstance(kind, types.Bool) else int(value) % 2**kind.width


_OP = expr.Binary.Op
_OPERATORS: dict[Any, Callable[[int, int], int]] = {
    _OP.BIT_AND: operator.and_, _OP.BIT_OR: operator.or_, _OP.BIT_XOR: operator.xor, _OP.ADD: operator.add,
    _OP.SUB: operator.sub, _OP.MUL: operator.mul, _OP.EQUAL: operator.eq, _OP.NOT_EQUAL: operator.ne,
    _OP.LESS: operator.lt, _OP.LESS_EQUAL: operator.le, _OP.GREATER: operator.gt, _OP.GREATER_EQUAL: operator.ge,
    _OP.LOGIC_AND: lambda a, b: a and b, _OP.LOGIC_OR: lambda a, b: a or b,
}  # fmt: skip


# ---------------------------------------------------------------------------- random circuits

UINT = types.Uint(3)


def random_control_flow(seed: int) -> QuantumCircuit:
    """Return a random circuit that the interpreter runs, with nested control flow of all kinds."""
    random, circuit = Random(seed), QuantumCircuit(3, 3)
    variables = [circuit.add_var(f"v{place}", expr.lift(random.randrange(8), UINT)) for place in range(2)]
    _Writer(random, circuit, variables).steps(6, depth=3, in_loop=False)
    for place in range(3):
        with circuit.if_test((circuit.clbits[place], 0)):
            circuit.measure(place, place)
    return circuit


class _Writer:
    def __init__(self, random: Random, circuit: QuantumCircuit, variables: list[Any]) -> None:
        self.random = random
        self.circuit = circuit
        self.variables = variables
        self.counters = 0

    def steps(self, number: int, *, depth: int, in_loop: bool) -> None:
        for _ in range(number):
            if depth and self.random.random() < 0.55:
                self.control(depth - 1, in_loop=in_loop)
            else:
                self.step()

    def step(self) -> None:
        circuit, random = self.circuit, self.random
        first, second = random.sample(range(3), 2)
        kind = random.randrange(6)
        if kind == 0:
            circuit.x(first)
        elif kind == 1:
            circuit.cx(first, second)
        elif kind == 2:
            circuit.measure(first, second)
        elif kind == 3:
            circuit.store(random.choice(self.variables), self.number())
        elif kind == 4:
            circuit.store(circuit.clbits[first], self.truth())
        else:
            circuit.store(circuit.cregs[0], self.number())

    def control(self, depth: int, *, in_loop: bool) -> None:
        circuit, random = self.circuit, self.random
        kind = random.choice(["if", "else", "switch", "for", "while", *(["leave"] * 2 if in_loop else [])])
        if kind == "leave":
            with circuit.if_test(self.condition()):
                self.steps(1, depth=0, in_loop=in_loop)
                (circuit.break_loop if random.random() < 0.5 else circuit.continue_loop)()
        elif kind == "switch":
            with circuit.switch(random.choice([circuit.cregs[0], self.number()])) as case:
                labels = random.sample(range(8), 3)
                with case(*labels[:2]):
                    self.steps(2, depth=depth, in_loop=in_loop)
                with case(labels[2]):
                    self.steps(1, depth=depth, in_loop=in_loop)
                with case(case.DEFAULT):
                    self.steps(1, depth=depth, in_loop=in_loop)
        elif kind == "for":
            with circuit.for_loop(range(random.randint(1, 3))):
                self.steps(2, depth=depth, in_loop=True)
        elif kind == "while":
            self.counters += 1
            count = circuit.add_var(f"count{self.counters}", expr.lift(0, UINT))
            with circuit.while_loop(expr.logic_and(expr.less(count, random.randint(1, 3)), self.truth())):
                circuit.store(count, expr.add(count, 1))
                self.steps(2, depth=depth, in_loop=True)
        else:
            with circuit.if_test(self.condition()) as otherwise:
                self.steps(2, depth=depth, in_loop=in_loop)
            if kind == "else":
                with otherwise:
                    self.steps(2, depth=depth, in_loop=in_loop)

    def condition(self) -> Any:
        if self.random.random() < 0.5:
            return self.truth()
        target = self.random.choice([self.circuit.cregs[0], *self.circuit.clbits])
        return target, self.random.randrange(2)

    def number(self, depth: int = 2) -> Any:
        kind = self.random.randrange(6) if depth else self.random.randrange(3)
        if kind == 0:
            return expr.lift(self.random.randrange(8), UINT)
        if kind == 1:
            return expr.lift(self.circuit.cregs[0])
        if kind == 2:
            return self.random.choice(self.variables)
        make = self.random.choice([expr.add, expr.sub, expr.mul, expr.bit_and, expr.bit_or, expr.bit_xor])
        return make(self.number(depth - 1), self.number(depth - 1))

    def truth(self) -> Any:
        kind = self.random.randrange(4)
        if kind == 0:
            return expr.lift(self.random.choice(self.circuit.clbits))
        if kind == 1:
            return expr.index(self.number(), self.random.randrange(3))
        if kind == 2:
            return expr.logic_not(self.random.choice(self.circuit.clbits))
        make = self.random.choice([expr.equal, expr.not_equal, expr.less, expr.less_equal, expr.greater])
        return make(self.number(1), self.number(1))
