"""The shared circuit -> pyQuil (https://pyquil-docs.rigetti.com), checked against pyQuil 4.22.0.

Qubit ``k`` is Quil's qubit ``k``. Clbits are the bits of a region ``ro``. Barriers are fences. Parameter ``theta`` is
``REAL`` memory of that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from math import pi
from typing import Any

from pyquil import Program
from pyquil.gates import FENCE, MEASURE, RESET
from pyquil.quilatom import Label, MemoryReference, quil_cos, quil_exp, quil_sin, quil_sqrt
from pyquil.quilbase import Gate, Jump, JumpTarget, JumpUnless, JumpWhen

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import assignments, bits_of
from gateway.circuit.emitter import decided
from gateway.circuit.expressions import ARITHMETIC, Expression
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.pyquil.gates import PLAIN
from gateway.frameworks.pyquil.memory import HIDDEN_REGION
from gateway.frameworks.pyquil.values import VALUES_REGION, Values
from gateway.frameworks.shared.operations import grouped
from gateway.frameworks.shared.refusals import refused

_STEPS: Mapping[str, Callable[..., list[tuple[str, tuple[float, ...]]]]] = {
    "sdg": lambda: [("PHASE", (-pi / 2,))],
    "tdg": lambda: [("PHASE", (-pi / 4,))],
    "sx": lambda: [("H", ()), ("PHASE", (pi / 2,)), ("H", ())],
    "sxdg": lambda: [("H", ()), ("PHASE", (-pi / 2,)), ("H", ())],
    "u2": lambda phi, lam: [("PHASE", (lam,)), ("RY", (pi / 2,)), ("PHASE", (phi,))],
    "u": lambda theta, phi, lam: [("PHASE", (lam,)), ("RY", (theta,)), ("PHASE", (phi,))],
    "gphase": lambda angle: [("PHASE", (angle,)), ("X", ())] * 2,
}
"""One-qubit gate or phase -> function from the angles to gates of Quil's standard.

There are no modifiers among them, because pyQuil's simulators ignore modifiers.
"""

_NATIVE = frozenset(PLAIN) | frozenset(_STEPS)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a Program
    """Return a ``Program`` in standard gates, with a region ``ro`` if there are clbits.

    Conditions become ``if_then``, loops jumps, and classical values are computed in a region of whole numbers. Hidden
    clbits have a region of their own. Parameters are ``REAL`` memory. A global phase becomes phases on both states of
    qubit 0. An idle last qubit gets an identity, since a Quil program does not declare its number of qubits.

    Raises:
        UnsupportedError: a circuit without qubits has a global phase, or Quil cannot compute a classical value or
            an angle exactly.
    """
    writer = _Writer(circuit)
    for index, op in enumerate(circuit.operations):
        if op.name == "gphase" and not circuit.num_qubits:
            raise refused(index, "gphase", "Quil has no phase without a qubit")
    writer.write(lower(circuit.operations, _NATIVE))
    return writer.whole_program()


class _Writer:
    """Writes operations as instructions.

    Args:
        circuit: the circuit.
    """

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._program = Program()
        self._test = MemoryReference(HIDDEN_REGION, circuit.num_hidden)
        self._values = Values(self._bit, self._test)
        self._loops: list[int] = []
        self._num_loops = 0
        self._reals = _sizes_of_reals(circuit.parameters)

    def whole_program(self) -> Any:  # noqa: ANN401 - a Program
        """Return the program with its declarations first."""
        program = Program()
        num_hidden = self._circuit.num_hidden + self._values.uses_test
        for name, kind, size in (
            ("ro", "BIT", self._circuit.num_clbits),
            (HIDDEN_REGION, "BIT", num_hidden),
            (VALUES_REGION, "INTEGER", self._values.size),
            *[(name, "REAL", size) for name, size in self._reals.items()],
        ):
            if size:
                program.declare(name, kind, size)
        program += self._program
        last = self._circuit.num_qubits - 1
        if last >= 0 and last not in program.get_qubit_indices():
            program += Gate("I", [], [last])
        return program

    def write(self, operations: list[Operation]) -> None:
        """Write native operations."""
        for is_mark, part in groupby(operations, key=lambda op: op.name in {"while", "end"}):
            if is_mark:
                for op in part:
                    self._end() if op.name == "end" else self._begin(op.condition)
                continue
            for condition, block in grouped(part):
                self._write_block(condition, block)

    def _write_block(self, condition: Condition, operations: list[Operation]) -> None:
        alternatives = assignments(condition)
        if len(alternatives) > 1 and any(op.name == "set" for op in operations):
            # An assignment under one alternative must not decide about the next one.
            self._program += self._values.tested(decided([condition]))
            self._program.if_then(self._test, Program(list(self._instructions(operations))), Program())
            return
        # Blocks that test several assignments in turn must not change what the next one tests.
        blocks = [operations] if len(alternatives) == 1 else [[op] for op in operations]
        for block in blocks:
            for assignment in alternatives:
                self._program += self._conditional(self._instructions(block), assignment)

    def _conditional(self, instructions: Iterable[Any], assignment: dict[int, int]) -> Any:  # noqa: ANN401 - a Program
        """Return instructions as a program, inside one ``if_then`` for each clbit of an assignment."""
        block = Program(list(instructions))
        for clbit, bit in reversed(assignment.items()):
            outer = Program()
            outer.if_then(self._bit(clbit), *((block, Program()) if bit else (Program(), block)))
            block = outer
        return block

    # ------------------------------------------------------------------ loops

    def _begin(self, condition: Condition) -> None:
        """Write the beginning of a loop, which tests one bit."""
        number = self._num_loops
        self._num_loops += 1
        self._loops.append(number)
        self._program += JumpTarget(Label(f"LOOP{number}"))
        bits = bits_of(condition[0]) if len(condition) == 1 and condition[0].equal else []
        end = Label(f"END{number}")
        if len(bits) == 1:
            ((clbit, bit),) = bits
            self._program += (JumpUnless if bit else JumpWhen)(end, self._bit(clbit))
            return
        self._program += self._values.tested(decided([condition]))
        self._program += JumpUnless(end, self._test)

    def _end(self) -> None:
        number = self._loops.pop()
        self._program += Jump(Label(f"LOOP{number}"))
        self._program += JumpTarget(Label(f"END{number}"))

    # ------------------------------------------------------------------ operations

    def _bit(self, clbit: int) -> MemoryReference:
        hidden = clbit - self._circuit.num_clbits
        return MemoryReference("ro", clbit) if hidden < 0 else MemoryReference(HIDDEN_REGION, hidden)

    def _instructions(self, operations: Iterable[Operation]) -> Iterable[Any]:
        for op in operations:
            if op.name == "measure":
                yield MEASURE(op.qubits[0], self._bit(op.clbits[0]))
            elif op.name == "set":
                yield from self._values.written(list(map(self._bit, op.clbits)), op.params[0])
            else:
                yield from _quantum_instructions(op)


def _quantum_instructions(op: Operation) -> Iterable[Any]:
    if op.name == "reset":
        yield RESET(op.qubits[0])
    elif op.name == "barrier":
        yield FENCE(*op.qubits)
    elif op.name in PLAIN:
        yield Gate(PLAIN[op.name], list(map(_quils_angle, op.params)), list(op.qubits))
    else:
        for name, params in _STEPS[op.name](*op.params):
            yield Gate(name, list(map(_quils_angle, params)), list(op.qubits or (0,)))


# ---------------------------------------------------------------------------- parameters

_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:\[(\d+)\])?")
_RESERVED = frozenset({"ro", "pi", "i", HIDDEN_REGION, VALUES_REGION})
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"sin": quil_sin, "cos": quil_cos, "sqrt": quil_sqrt, "exp": quil_exp}


def _sizes_of_reals(parameters: Iterable[str]) -> dict[str, int]:
    """Return the name and the size of the memory for each parameter: ``theta``, or ``theta[3]`` of an array.

    Raises:
        UnsupportedError: Quil cannot have a name, or ``theta`` stands beside ``theta[3]``.
    """
    sizes: dict[str, int] = {}
    alone: set[str] = set()
    for parameter in parameters:
        match = _NAME.fullmatch(parameter)
        if match is None or match[1].lower() in _RESERVED:
            raise UnsupportedError(f"no memory of Quil can be named {parameter}", feature=f"parameter {parameter}")
        name, place = match.groups()
        if place is None:
            alone.add(name)
        sizes[name] = max(sizes.get(name, 0), 1 if place is None else int(place) + 1, 1 if place is None else 2)
    twice = sorted(name for name in alone if sizes[name] > 1)
    if twice:
        raise UnsupportedError(f"{twice[0]} is a parameter, and an array of them", feature=f"parameter {twice[0]}")
    return sizes


def _quils_angle(angle: Any) -> Any:  # noqa: ANN401 - a number or an expression, and one of pyQuil
    """Return an angle as an expression of pyQuil.

    Raises:
        UnsupportedError: Quil has no such function.
    """
    if not isinstance(angle, Expression):
        return angle
    if angle.op == "parameter":
        name, _, place = str(angle.args[0]).removesuffix("]").partition("[")
        return MemoryReference(name, int(place or 0))
    function = _FUNCTIONS.get(angle.op)
    if function is None and angle.op.isalpha():
        raise UnsupportedError(f"Quil has no function for {angle}", feature=f"function {angle.op}")
    args = [_quils_angle(arg) for arg in angle.args]
    return (function or ARITHMETIC[angle.op][1])(*args)
