"""Writes a circuit as OpenQASM 2 or 3 text.

The text is deterministic and says exactly what the circuit does, including the global phase. It defines
each gate that the standard include lacks, so that any tool can read it. Angles survive bit for bit: the
text has Python's shortest float, or a fraction of pi that is exactly the same number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Self

from gateway.circuit.conditions import assignments, bits_of, wide_inequalities
from gateway.circuit.expressions import Expression, parameters_of
from gateway.circuit.gates import GATES, Step
from gateway.circuit.operations import CONTROL, CircuitData, Comparison, Operation
from gateway.errors import UnsupportedError

QELIB1 = frozenset("U CX u3 u2 u1 cx id x y z h s sdg t tdg rx ry rz cz cy ch ccx crz cu1 cu3".split())  # noqa: SIM905
"""The two gates of OpenQASM 2 itself and ``qelib1.inc`` as in arXiv:1707.03429; later copies have more gates."""
STDGATES = frozenset(
    """U gphase p x y z h s sdg t tdg sx rx ry rz cx cy cz cp crx cry crz ch swap ccx cswap cu CX id
    u1 u2 u3""".split(),  # noqa: SIM905 - a list of words reads best as words
)
"""The two gates of OpenQASM 3 itself and its ``stdgates.inc``."""

_DENOMINATORS = (1, 2, 3, 4, 6, 8, 12, 16)
_FINEST = 48  # the least common multiple of the denominators


def dump_openqasm2(circuit: CircuitData) -> str:
    """Return the circuit as OpenQASM 2.

    OpenQASM 2 can only test whole registers, so the conditions decide how the clbits are cut into registers.
    It has no statement for a global phase, so the text applies phases to both states of one qubit.

    Raises:
        UnsupportedError: OpenQASM 2 cannot express a condition, a loop, an assignment, a hidden clbit, a parameter, or
            the phase of a circuit without qubits.
    """
    for index, op in enumerate(circuit.operations):
        what = _beyond_openqasm2(op, circuit.num_clbits)
        if what:
            msg = f"operation {index} ({op.name}) {what}; OpenQASM 2 cannot express that, OpenQASM 3 can"
            raise UnsupportedError(msg, feature=what, operation=index)
    return _Writer2(circuit).text()


def dump_openqasm3(circuit: CircuitData) -> str:
    """Return the circuit as OpenQASM 3, which can express every circuit.

    A hidden clbit becomes a variable of type ``bool``, and a parameter an ``input``.

    Raises:
        UnsupportedError: a parameter has the name of a word of the language.
    """
    return _Writer3(circuit).text()


def _beyond_openqasm2(op: Operation, num_clbits: int) -> str:
    """Return what OpenQASM 2 cannot say of an operation; empty if it can be said, apart from its condition."""
    if op.name in CONTROL:
        return "is an assignment" if op.name == "set" else "belongs to a loop"
    if any(clbit >= num_clbits for clbit in op.clbits):
        return "writes to a hidden clbit"
    if any(clbit >= num_clbits for test in op.condition for clbit in test.clbits):
        return "tests a hidden clbit"
    return "has a parameter without a value" if Expression in map(type, op.params) else ""


# ---------------------------------------------------------------------------- numbers


@lru_cache(maxsize=4096)
def _number(value: float) -> str:
    """Return text that both languages read as exactly this float."""
    finest = value * _FINEST / math.pi
    if 0 < abs(value) < 100 and abs(finest - round(finest)) < 1e-6:  # noqa: PLR2004 - worth a closer look
        for denominator in _DENOMINATORS:
            numerator = round(value * denominator / math.pi)
            if numerator and numerator * math.pi / denominator == value:
                head = {1: "pi", -1: "-pi"}.get(numerator, f"{numerator}*pi")
                return head if denominator == 1 else f"{head}/{denominator}"
    mantissa, e, exponent = repr(float(value)).partition("e")
    return mantissa + ("" if "." in mantissa else ".0") + e + exponent


class _Formal(float):
    """A formal angle of a definition: arithmetic on it gives the text of the expression."""

    text: str

    def __new__(cls, text: str) -> Self:
        self = super().__new__(cls, math.nan)
        self.text = text
        return self

    def __neg__(self) -> _Formal:
        return _Formal(f"-{self.text}")

    def __add__(self, other: float) -> _Formal:
        return _Formal(f"({self.text}+{_angle(other)})")

    def __sub__(self, other: float) -> _Formal:
        return _Formal(f"({self.text}-{_angle(other)})")

    def __truediv__(self, other: float) -> _Formal:
        return _Formal(f"{self.text}/{other:g}")


def _angle(value: float | Expression) -> str:
    if isinstance(value, Expression):
        return _angle_of_parameters(value)
    return value.text if isinstance(value, _Formal) else _number(value)


_SPELLING = {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}


def _angle_of_parameters(value: float | str | Expression) -> str:
    """Return the text of an angle that depends on parameters."""
    if not isinstance(value, Expression):
        return _number(float(value))
    if value.op == "parameter":
        return str(value.args[0])
    args = [_angle_of_parameters(arg) for arg in value.args]
    if value.op == "abs":
        return f"sqrt({args[0]}*{args[0]})"
    if value.op.isalpha():
        return f"{_SPELLING.get(value.op, value.op)}({args[0]})"
    return f"(-{args[0]})" if len(args) == 1 else f"({args[0]} {value.op} {args[1]})"


# ---------------------------------------------------------------------------- registers


class _Clbits:
    """The registers of a text, into which the clbits are cut in their order.

    Args:
        count: the number of clbits of the outcome.
        runs: runs of clbits that should be registers; a run that overlaps an earlier one becomes none.
        name: how the names of registers begin.
        hidden: how the names of hidden clbits begin.
    """

    def __init__(self, count: int, runs: Iterable[range], name: str = "c", hidden: str = "h") -> None:
        self.hidden = hidden
        distinct: dict[range, None] = {}
        in_a_run = [False] * count
        for run in runs:
            if run not in distinct and not any(in_a_run[clbit] for clbit in run):
                distinct[run] = None
                in_a_run[run.start : run.stop] = [True] * len(run)
        cuts = sorted({0, count, *(run.start for run in distinct), *(run.stop for run in distinct)})
        registers = [range(start, stop) for start, stop in pairwise(cuts)]
        several = len(registers) > 1
        self.names = {register: f"{name}{place}" if several else name for place, register in enumerate(registers)}
        self.bits = [f"{name}[{place}]" for register, name in self.names.items() for place in range(len(register))]


def _run(clbits: Iterable[int]) -> range | None:
    """Return the range that the clbits fill, in whatever order; ``None`` if they leave gaps."""
    in_order = sorted(clbits)
    run = range(in_order[0], in_order[-1] + 1)
    return run if len(run) == len(in_order) else None


# ---------------------------------------------------------------------------- writers


class _Writer3:
    """Writes OpenQASM 3."""

    header = 'OPENQASM 3.0;\ninclude "stdgates.inc";'
    known = STDGATES

    def __init__(self, circuit: CircuitData) -> None:
        self.circuit = circuit
        angles = [angle for op in circuit.operations if op.name != "set" for angle in op.params]
        self.parameters = list(dict.fromkeys(name for angle in angles for name in _parameters(angle)))
        self.qubits = _free("q", self.parameters)
        self.clbits = _Clbits(
            circuit.num_clbits, self.runs_of_conditions(), _free("c", self.parameters), _free("h", self.parameters)
        )
        self.clbits.bits += [f"{self.clbits.hidden}{place}" for place in range(circuit.num_hidden)]

    def runs_of_conditions(self) -> Iterator[range]:
        """Yield the runs of clbits that conditions test."""
        for operation in self.circuit.operations:
            for comparison in operation.condition:
                run = _run(comparison.clbits)
                is_register = run is not None and len(run) > 1 and tuple(run) == comparison.clbits
                if run is not None and is_register and run.stop <= self.circuit.num_clbits:
                    yield run

    def text(self) -> str:
        """Return the whole text."""
        lines = [self.header]
        names_so_far: set[str] = set()
        for name in dict.fromkeys(operation.name for operation in self.circuit.operations):
            lines += self.definitions(name, names_so_far)
        lines += self.registers()
        depth = 0
        for index, operation in enumerate(self.circuit.operations):
            depth -= operation.name == "end"
            lines += ["  " * depth + line for line in self.statements(operation, index)]
            depth += operation.name == "while"
        return "\n".join(lines) + "\n"

    def registers(self) -> Iterator[str]:
        """Yield the declarations."""
        for name in self.parameters:
            if name in _WORDS:
                msg = f"the parameter {name!r} has the name of a word of OpenQASM; give it another one"
                raise UnsupportedError(msg, feature=f"parameter {name}")
            yield f"input float {name};"
        if self.circuit.num_qubits:
            yield f"qubit[{self.circuit.num_qubits}] {self.qubits};"
        for run, name in self.clbits.names.items():
            yield f"bit[{len(run)}] {name};"
        for name in self.clbits.bits[self.circuit.num_clbits :]:
            yield f"bool {name} = false;"

    def definitions(self, name: str, names_so_far: set[str]) -> Iterator[str]:
        """Yield the definition of a gate after the definitions of the gates that it needs."""
        gate = GATES.get(name)
        if gate is None or name in self.known or name in names_so_far:
            return
        names_so_far.add(name)
        formal = [_Formal(param) for param in gate.params.split()]
        steps: list[Step] = [("U", (0,), tuple(formal))]
        if gate.definition is not None:
            steps = gate.definition(*formal)
        for inner, _, _ in steps:
            yield from self.definitions(inner, names_so_far)
        qubits = [f"q{place}" for place in range(gate.num_qubits)]
        calls = [call for step in steps for call in self.calls(*step, qubits)]
        angles = f"({','.join(param.text for param in formal)})" if formal else ""
        yield f"gate {name}{angles} {','.join(qubits)} {{ {''.join(f'{call} ' for call in calls)}}}"

    def calls(self, name: str, places: tuple[int, ...], params: tuple[float, ...], qubits: list[str]) -> list[str]:
        """Return a gate call as statements; ``qubits`` has the names of the gate's qubits."""
        angles = f"({','.join(map(_angle, params))})" if params else ""
        where = ",".join([qubits[place] for place in places])
        return [f"{name}{angles} {where};" if where else f"{name}{angles};"]

    def statements(self, operation: Operation, index: int) -> Iterable[str]:
        """Return the statements of one operation; messages name its ``index``."""
        name, qubits = operation.name, operation.qubits
        register = self.qubits
        if name == "barrier":
            every = qubits == tuple(range(self.circuit.num_qubits))
            names = register if every else ",".join([f"{register}[{qubit}]" for qubit in qubits])
            return [f"barrier {names};"] if qubits else []
        if name in {"while", "end"}:
            return ["}"] if name == "end" else [f"while ({self.tests(operation)}) {{"]
        if name == "set":
            statements = self.assignments(operation)
        elif name == "measure":
            statements = [self.measurement(f"{register}[{qubits[0]}]", self.clbits.bits[operation.clbits[0]])]
        else:
            operands = [f"{register}[{qubit}]" for qubit in qubits]
            statements = self.calls(name, tuple(range(len(qubits))), operation.params, operands)
        return self.conditional(operation, statements, index) if operation.condition else statements

    def measurement(self, qubit: str, clbit: str) -> str:
        """Return the statement of a measurement."""
        return f"{clbit} = measure {qubit};"

    def conditional(self, operation: Operation, statements: list[str], index: int) -> Iterable[str]:  # noqa: ARG002
        """Return the statements under the operation's condition."""
        return [f"if ({self.tests(operation)}) {{ {' '.join(statements)} }}"]

    def tests(self, operation: Operation) -> str:
        """Return the text of the operation's condition."""
        return " && ".join([self.test(comparison) for comparison in operation.condition])

    def assignments(self, operation: Operation) -> list[str]:
        """Return the statements of a ``set``; a value of several bits is computed before the first of them changes."""
        (value,), clbits = operation.params, operation.clbits
        if not isinstance(value, Expression):
            return [f"{self.clbits.bits[clbit]} = {int(value) >> place & 1};" for place, clbit in enumerate(clbits)]
        number = self.value(value)
        if len(clbits) == 1:
            return [f"{self.clbits.bits[clbits[0]]} = bool({number} & 1);"]
        name = _free("value", self.parameters)
        statements = [
            f"uint[{len(part)}] {name}{first or ''} = {number if not first else f'({number}) >> {first}'};"
            for first, part in _parts(clbits)
        ]
        for first, part in _parts(clbits):
            statements += [
                f"{self.clbits.bits[clbit]} = {name}{first or ''}[{place}];" for place, clbit in enumerate(part)
            ]
        return ["{", *statements, "}"] if not operation.condition else statements

    def value(self, value: float | str | Expression) -> str:
        """Return the text of a classical value, a whole number of any size."""
        if not isinstance(value, Expression):
            return str(int(value))
        if value.op == "bits":
            return self.number_of([int(clbit) for clbit in value.args])  # type: ignore[arg-type]  # they are numbers
        args = [self.value(arg) for arg in value.args]
        if value.op in _VALUES:
            return _VALUES[value.op].format(*args)
        return f"({value.op}{args[0]})" if len(args) == 1 else f"({args[0]} {value.op} {args[1]})"

    def number_of(self, clbits: list[int]) -> str:
        """Return the text of clbits, read as a number."""
        for run, name in self.clbits.names.items():
            if len(clbits) > 1 and clbits == list(run):
                return f"int({name})"
        bits = [f"int({self.clbits.bits[clbit]})" for clbit in clbits]
        return f"({' | '.join([f'({bit} << {place})' if place else bit for place, bit in enumerate(bits)])})"

    def test(self, comparison: Comparison) -> str:
        """Return the text of a comparison: of a whole register where possible, else of single bits."""
        clbits, sign = comparison.clbits, "==" if comparison.equal else "!="
        if len(clbits) == 1:
            return f"{self.clbits.bits[clbits[0]]} {sign} {comparison.value}"
        run = _run(clbits)
        if run in self.clbits.names and tuple(run or ()) == clbits:
            return f"{self.clbits.names[run]} {sign} {comparison.value}"
        bits = [f"{self.clbits.bits[clbit]} == {bit}" for clbit, bit in bits_of(comparison)]
        return f"{'' if comparison.equal else '!'}({' && '.join(bits)})"


_VALUES = {
    "not": "int(!({0} != 0))",
    "and": "int({0} != 0 && {1} != 0)",
    "or": "int({0} != 0 || {1} != 0)",
    "if": "(int({0} != 0) * {1} + int({0} == 0) * {2})",
    "signed": "int[{1}]({0})",
    "wrap": "int(uint[{1}]({0}))",
    "popcount": "popcount(uint[1024]({0}))",
    **{sign: f"int({{0}} {sign} {{1}})" for sign in ("==", "!=", "<", "<=", ">", ">=")},
}
"""Operators of classical values that OpenQASM 3 spells in another way, or has not."""

_WIDEST = 1_024
_WORDS = frozenset(
    """OPENQASM angle array barrier bit bool box break cal case complex const continue creg ctrl def default defcal
    defcalgrammar delay duration durationof else end euler extern false float for gate gphase if in include input int
    inv let measure mutable negctrl nop output pi pow pragma qreg qubit readonly reset return stretch switch tau true
    uint while""".split(),  # noqa: SIM905 - a list of words reads best as words
)


def _parts(clbits: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield clbits in parts that a variable can hold, each with the place of its first one."""
    for first in range(0, len(clbits), _WIDEST):
        yield first, clbits[first : first + _WIDEST]


def _parameters(angle: float | Expression) -> Iterator[str]:
    return parameters_of(angle) if isinstance(angle, Expression) else iter(())


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name such that no taken one is equal to it or to it with a number."""
    numbered = {each.rstrip("0123456789") for each in taken}
    while name in numbered:
        name += "_"
    return name


class _Writer2(_Writer3):
    """Writes OpenQASM 2, overriding what differs from OpenQASM 3."""

    header = 'OPENQASM 2.0;\ninclude "qelib1.inc";'
    known = QELIB1 | {"gphase"}  # see calls

    def runs_of_conditions(self) -> Iterator[range]:
        """Yield the runs of clbits that conditions test."""
        for index, operation in enumerate(self.circuit.operations):
            assignment = self.assignment(operation, index)
            run = _run(assignment) if assignment else None
            if run is not None:
                yield run

    def registers(self) -> Iterator[str]:
        """Yield the declarations."""
        if self.circuit.num_qubits:
            yield f"qreg q[{self.circuit.num_qubits}];"
        for run, name in self.clbits.names.items():
            yield f"creg {name}[{len(run)}];"

    def calls(self, name: str, places: tuple[int, ...], params: tuple[float, ...], qubits: list[str]) -> list[str]:
        """Return a gate call; a global phase becomes phases on both states of a qubit."""
        if name != "gphase":
            return super().calls(name, places, params, qubits)
        if not self.circuit.num_qubits:
            msg = "OpenQASM 2 cannot express the global phase of a circuit without qubits; OpenQASM 3 can"
            raise UnsupportedError(msg, feature="global phase")
        qubit, angle = qubits[0] if qubits else "q[0]", _angle(params[0])
        return [f"u1({angle}) {qubit};", f"x {qubit};", f"u1({angle}) {qubit};", f"x {qubit};"]

    def measurement(self, qubit: str, clbit: str) -> str:
        """Return the statement of a measurement."""
        return f"measure {qubit} -> {clbit};"

    def conditional(self, operation: Operation, statements: list[str], index: int) -> Iterable[str]:
        """Return each statement under the operation's condition; an empty list if the condition contradicts itself."""
        assignment = self.assignment(operation, index)
        if assignment is None:
            return []
        run = _run(assignment)
        name = None if run is None else self.clbits.names.get(run)
        if name is None:
            clbits = ", ".join(map(str, sorted(assignment)))
            msg = f"tests the clbits {clbits}, which no register can hold alone"
            raise self.inexpressible(operation, index, msg)
        value = sum(bit << place for place, (_, bit) in enumerate(sorted(assignment.items())))
        return [f"if({name}=={value}) {statement}" for statement in statements]

    def assignment(self, operation: Operation, index: int) -> dict[int, int] | None:
        """Return the value that each tested clbit must have; ``None`` if the condition contradicts itself."""
        wide = wide_inequalities(operation.condition)
        assignment = assignments(tuple(part for part in operation.condition if part not in wide))
        if assignment and wide:
            what = f"needs the clbits {wide[0].clbits} to differ from {wide[0].value}"
            raise self.inexpressible(operation, index, what)
        return assignment[0] if assignment else None

    def inexpressible(self, operation: Operation, index: int, what: str) -> UnsupportedError:
        """Return the error for a condition that OpenQASM 2 cannot express."""
        msg = f"operation {index} ({operation.name}) {what}; OpenQASM 2 cannot express that, OpenQASM 3 can"
        return UnsupportedError(msg, feature="condition")
