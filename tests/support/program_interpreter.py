"""An interpreter of OpenQASM 3 programs, to compare ours with: one history of outcomes after the other.

It shares nothing with the code under test but the matrices of the gate table. The reference parser of the language
reads the text, and every statement is carried out as it stands, on a state vector and on values that are always known:
nothing is unrolled or made conditional. A program runs once for each history of outcomes.
"""

from __future__ import annotations

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openqasm3
from openqasm3 import ast

from gateway.circuit.gates import GATES

_NEGLIGIBLE = 1e-12
_LEAST = 1e-9
_MOST_HISTORIES = 20_000

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge, "&": operator.and_, "|": operator.or_, "^": operator.xor,
    "<<": operator.lshift, ">>": operator.rshift, "**": operator.pow,
}  # fmt: skip


class _Break(Exception):  # noqa: N818 - a way out, not a mistake
    pass


class _Continue(Exception):  # noqa: N818 - a way out, not a mistake
    pass


class _End(Exception):  # noqa: N818 - a way out, not a mistake
    pass


class _Return(Exception):  # noqa: N818 - as above
    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


@dataclass
class Variable:
    """A variable: an integer, a truth value, a float, or bits as an integer with a width."""

    kind: str
    width: int | None
    value: Any = None

    def assign(self, value: Any) -> None:
        """Store a value, cut to the width of the type."""
        number = value.value if isinstance(value, Word) else value
        if self.kind == "float":
            self.value = float(number)
        elif self.kind == "bool" or (self.kind == "bit" and self.width is None):
            self.value = bool(number)
        else:
            bits = self.width or 32
            number = math.trunc(number) % 2**bits
            self.value = number - 2**bits if self.kind == "int" and number >= 2 ** (bits - 1) else number

    def read(self) -> Any:
        """Return the value."""
        if self.value is None:
            msg = "a variable is read before it has a value"
            raise ValueError(msg)
        return Word(self.value, self.width) if self.kind in {"bit", "uint"} and self.width else self.value


@dataclass(frozen=True)
class Word:
    """An unsigned integer of some width."""

    value: int
    width: int


@dataclass
class History:
    """One run: the outcomes to take, those taken, and the probability of them."""

    outcomes: list[int]
    taken: list[int] = field(default_factory=list)
    probability: float = 1.0
    others: list[list[int]] = field(default_factory=list)


def distribution(text: str) -> dict[str, float]:
    """Return the exact probability of each outcome of a program: of its bits and outputs at the top level.

    Histories that are less likely than one in 10**12 are not followed to their end.
    """
    program = openqasm3.parse(text)
    histories: list[list[int]] = [[]]
    found: defaultdict[str, float] = defaultdict(float)
    count = 0
    while histories:
        count += 1
        if count > _MOST_HISTORIES:
            msg = "the program has too many histories"
            raise ValueError(msg)
        history = History(histories.pop())
        key = Interpreter(history).run(program)
        histories += history.others
        found[key] += history.probability
    return {key: probability for key, probability in found.items() if probability > _LEAST}


class Interpreter:
    """Carries out a program for one history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.num_qubits = 0
        self.state = np.ones(1, dtype=complex)
        self.scopes: list[dict[str, Any]] = [{}]
        self.shown: list[Variable] = []
        self.subroutines: dict[str, ast.SubroutineDefinition] = {}

    def run(self, program: ast.Program) -> str:
        """Return the bitstring of the outcome, the first declaration rightmost."""
        with suppress(_End):
            self.block(program.statements)
        key = ""
        for variable in self.shown:
            width = variable.width or (1 if variable.kind in {"bit", "bool"} else 32)
            key = format(int(variable.value or 0) % 2**width, f"0{width}b") + key
        return key

    # ------------------------------------------------------------------ statements

    def block(self, statements: list[Any]) -> None:
        """Carry out statements in the current scope."""
        for statement in statements:
            getattr(self, f"on_{_name(statement)}")(statement)

    def nested(self, statements: list[Any]) -> None:
        """Carry out statements in a scope of their own."""
        self.scopes.append({})
        try:
            self.block(statements)
        finally:
            self.scopes.pop()

    def on_include(self, node: ast.Include) -> None: ...

    def on_delay_instruction(self, node: ast.DelayInstruction) -> None: ...

    def on_box(self, node: ast.Box) -> None:
        self.nested(node.body)

    def on_quantum_barrier(self, node: ast.QuantumBarrier) -> None: ...

    def on_qubit_declaration(self, node: ast.QubitDeclaration) -> None:
        size = 1 if node.size is None else self.value(node.size)
        self.scopes[-1][node.qubit.name] = list(range(self.num_qubits, self.num_qubits + size))
        self.num_qubits += size
        self.state = np.kron(np.eye(1, 2**size, dtype=complex)[0], self.state)

    def on_classical_declaration(self, node: ast.ClassicalDeclaration) -> None:
        if type(node.type).__name__ in {"DurationType", "StretchType"}:
            return
        variable = self.new_variable(node.type)
        if node.init_expression is not None:
            self.assign(variable, self.value(node.init_expression))
        elif variable.kind == "bit":
            variable.value = 0
        self.scopes[-1][node.identifier.name] = variable
        if len(self.scopes) == 1 and variable.kind == "bit":
            self.shown.append(variable)

    def on_constant_declaration(self, node: ast.ConstantDeclaration) -> None:
        variable = self.new_variable(node.type)
        variable.assign(self.value(node.init_expression))
        self.scopes[-1][node.identifier.name] = variable

    def on_iodeclaration(self, node: ast.IODeclaration) -> None:
        variable = self.new_variable(node.type)
        variable.value = 0
        self.scopes[-1][node.identifier.name] = variable
        self.shown.append(variable)

    def new_variable(self, kind: Any) -> Variable:
        """Return a variable of some type, without a value."""
        name = type(kind).__name__.removesuffix("Type").lower()
        size = getattr(kind, "size", None)
        return Variable(name, None if size is None else self.value(size))

    @staticmethod
    def assign(variable: Variable, value: Any) -> None:
        """Assign a value, which may be a list of outcomes."""
        if isinstance(value, list):
            value = sum(bit << place for place, bit in enumerate(value))
        variable.assign(value)

    def on_classical_assignment(self, node: ast.ClassicalAssignment) -> None:
        value = self.value(node.rvalue)
        if node.op.name != "=":
            value = self.binary(node.op.name[:-1], self.value(node.lvalue), value)
        self.store(node.lvalue, value)

    def store(self, target: Any, value: Any) -> None:
        """Assign to a variable or to some of its bits."""
        if type(target).__name__ == "Identifier":
            self.assign(self.find(target.name), value)
            return
        variable = self.find(target.name.name)
        places = self.places(target.indices[0], variable.width)
        number = value.value if isinstance(value, Word) else value
        bits = number if isinstance(number, list) else [int(number) >> k & 1 for k in range(len(places))]
        for place, bit in zip(places, bits, strict=True):
            variable.value = variable.value & ~(1 << place) | bit << place

    def on_quantum_measurement_statement(self, node: ast.QuantumMeasurementStatement) -> None:
        outcomes = self.value(node.measure)
        if node.target is not None:
            self.store(node.target, outcomes)

    def on_quantum_reset(self, node: ast.QuantumReset) -> None:
        for qubit in self.qubits(node.qubits):
            if self.measure(qubit):
                self.apply("x", [qubit], [])

    def on_quantum_gate(self, node: ast.QuantumGate) -> None:
        params = [float(plain(self.value(argument))) for argument in node.arguments]
        operands = [self.qubits(operand) for operand in node.qubits]
        for row in zip(*operands, strict=True):
            self.apply(node.name.name, list(row), params)

    def on_branching_statement(self, node: ast.BranchingStatement) -> None:
        self.nested(node.if_block if plain(self.value(node.condition)) else node.else_block)

    def on_switch_statement(self, node: ast.SwitchStatement) -> None:
        value = plain(self.value(node.target))
        for labels, body in node.cases:
            if value in [plain(self.value(label)) for label in labels]:
                self.nested(body.statements)
                return
        if node.default is not None:
            self.nested(node.default.statements)

    def on_while_loop(self, node: ast.WhileLoop) -> None:
        while plain(self.value(node.while_condition)):
            try:
                self.nested(node.block)
            except _Continue:
                continue
            except _Break:
                return

    def on_for_in_loop(self, node: ast.ForInLoop) -> None:
        values = node.set_declaration
        if type(values).__name__ == "RangeDefinition":
            step = 1 if values.step is None else self.value(values.step)
            start, end = plain(self.value(values.start)), plain(self.value(values.end))
            turns = list(range(start, end + (1 if step > 0 else -1), step))
        elif type(values).__name__ == "DiscreteSet":
            turns = [plain(self.value(value)) for value in values.values]
        else:
            word = self.value(values)
            turns = [word.value >> place & 1 for place in range(word.width)]
        for turn in turns:
            variable = self.new_variable(node.type)
            variable.assign(turn)
            self.scopes.append({node.identifier.name: variable})
            try:
                self.nested(node.block)
            except _Continue:
                continue
            except _Break:
                return
            finally:
                self.scopes.pop()

    def on_break_statement(self, node: ast.BreakStatement) -> None:
        raise _Break

    def on_continue_statement(self, node: ast.ContinueStatement) -> None:
        raise _Continue

    def on_end_statement(self, node: ast.EndStatement) -> None:
        raise _End

    def on_return_statement(self, node: ast.ReturnStatement) -> None:
        raise _Return(None if node.expression is None else self.value(node.expression))

    def on_subroutine_definition(self, node: ast.SubroutineDefinition) -> None:
        self.subroutines[node.name.name] = node

    def on_expression_statement(self, node: ast.ExpressionStatement) -> None:
        self.value(node.expression)

    # ------------------------------------------------------------------ values

    def value(self, node: Any) -> Any:
        """Return the value of an expression."""
        return getattr(self, f"of_{_name(node)}")(node)

    def of_integer_literal(self, node: Any) -> Any:
        return node.value

    of_float_literal = of_boolean_literal = of_integer_literal

    def of_bitstring_literal(self, node: Any) -> Any:
        return Word(node.value, node.width)

    def of_identifier(self, node: Any) -> Any:
        return math.pi if node.name == "pi" else self.find(node.name).read()

    def of_unary_expression(self, node: Any) -> Any:
        value, symbol = self.value(node.expression), node.op.name
        if symbol == "!":
            return not plain(value)
        if symbol == "-":
            return -plain(value)
        if isinstance(value, bool):
            return not value
        return Word(~value.value % 2**value.width, value.width) if isinstance(value, Word) else ~value

    def of_binary_expression(self, node: Any) -> Any:
        left, symbol = self.value(node.lhs), node.op.name
        if symbol in {"&&", "||"}:
            right = self.value(node.rhs)
            both = bool(plain(left)), bool(plain(right))
            return all(both) if symbol == "&&" else any(both)
        return self.binary(symbol, left, self.value(node.rhs))

    def binary(self, symbol: str, left: Any, right: Any) -> Any:
        """Return the value of an operation."""
        a, b = plain(left), plain(right)
        if symbol in {"/", "%"}:
            quotient = math.trunc(a / b) if symbol == "%" or isinstance(a, int) else a / b
            return quotient if symbol == "/" else a - b * quotient
        result = _BINARY[symbol](a, b)
        widths = [side.width for side in (left, right) if isinstance(side, Word)]
        if symbol in {"&", "|", "^"} and widths:
            return Word(result % 2 ** max(widths), max(widths))
        if symbol in {"<<", ">>"} and isinstance(left, Word):
            return Word(result % 2**left.width, left.width)
        if symbol in {"+", "-", "*"} and len(widths) == 2:
            return Word(result % 2 ** max(widths), max(widths))
        return result

    def of_cast(self, node: Any) -> Any:
        variable = self.new_variable(node.type)
        variable.assign(self.value(node.argument))
        return variable.read()

    def of_index_expression(self, node: Any) -> Any:
        word = self.value(node.collection)
        places = self.places(node.index, word.width)
        bits = [word.value >> place & 1 for place in places]
        single = isinstance(node.index, list) and type(node.index[0]).__name__ != "RangeDefinition"
        return bool(bits[0]) if single else Word(sum(bit << k for k, bit in enumerate(bits)), len(bits))

    def of_indexed_identifier(self, node: Any) -> Any:
        word = self.find(node.name.name).read()
        bits = [word.value >> place & 1 for place in self.places(node.indices[0], word.width)]
        return Word(sum(bit << k for k, bit in enumerate(bits)), len(bits))

    def of_quantum_measurement(self, node: Any) -> Any:
        return [self.measure(qubit) for qubit in self.qubits(node.qubit)]

    def of_function_call(self, node: Any) -> Any:
        name = node.name.name
        if name == "popcount":
            return plain(self.value(node.arguments[0])).bit_count()
        if name == "sin":
            return math.sin(plain(self.value(node.arguments[0])))
        definition = self.subroutines[name]
        scope: dict[str, Any] = {}
        for formal, actual in zip(definition.arguments, node.arguments, strict=True):
            if type(formal).__name__ == "QuantumArgument":
                scope[formal.name.name] = self.qubits(actual)
            else:
                variable = self.new_variable(formal.type)
                variable.assign(self.value(actual))
                scope[formal.name.name] = variable
        outer, self.scopes = self.scopes, [self.scopes[0], scope]
        try:
            self.block(definition.body)
        except _Return as signal:
            if definition.return_type is None:
                return None
            result = self.new_variable(definition.return_type)
            self.assign(result, signal.value)
            return result.read()
        finally:
            self.scopes = outer
        return None

    # ------------------------------------------------------------------ names and qubits

    def find(self, name: str) -> Any:
        """Return what a name stands for."""
        return next(scope[name] for scope in reversed(self.scopes) if name in scope)

    def places(self, index: Any, size: int) -> list[int]:
        """Return the places that an index names."""
        if type(index).__name__ == "DiscreteSet":
            return [plain(self.value(value)) % size for value in index.values]
        (element,) = index
        if type(element).__name__ == "RangeDefinition":
            return list(range(self.value(element.start), self.value(element.end) + 1))
        return [plain(self.value(element)) % size]

    def qubits(self, node: Any) -> list[int]:
        """Return the qubits that an operand names."""
        if type(node).__name__ == "Identifier":
            return list(self.find(node.name))
        if type(node).__name__ == "IndexExpression":
            register = self.qubits(node.collection)
            return [register[place] for place in self.places(node.index, len(register))]
        register = list(self.find(node.name.name))
        return [register[place] for place in self.places(node.indices[0], len(register))]

    def apply(self, name: str, qubits: list[int], params: list[float]) -> None:
        """Apply a gate of the table."""
        matrix = np.array(GATES[name].unitary(*params), dtype=complex)
        count, size = len(qubits), self.num_qubits
        axes = [size - 1 - qubit for qubit in reversed(qubits)]
        state = self.state.reshape([2] * size)
        moved = np.tensordot(matrix.reshape([2] * 2 * count), state, axes=(list(range(count, 2 * count)), axes))
        self.state = np.moveaxis(moved, range(count), axes).reshape(-1)

    def measure(self, qubit: int) -> int:
        """Measure a qubit: take the next outcome of the history, or note that there is another one."""
        is_one = np.arange(len(self.state)) >> qubit & 1 == 1
        one = float((np.abs(self.state[is_one]) ** 2).sum())
        history = self.history
        if len(history.taken) < len(history.outcomes):
            outcome = history.outcomes[len(history.taken)]
        else:
            outcome = int(one > 0.5) if min(one, 1 - one) < _NEGLIGIBLE else 0
            if min(one, 1 - one) >= _NEGLIGIBLE:
                history.others.append([*history.taken, 1])
        history.taken.append(outcome)
        weight = one if outcome else 1 - one
        history.probability *= weight
        if history.probability < _NEGLIGIBLE:  # a loop that may go on for ever
            raise _End
        self.state = np.where(is_one == bool(outcome), self.state, 0) / math.sqrt(weight)
        return outcome


def _name(node: Any) -> str:
    """Return the name of a node of the syntax tree in the spelling of methods."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(node).__name__).lower()


def plain(value: Any) -> Any:
    """Return a value as a number."""
    return value.value if isinstance(value, Word) else value
