"""pytket (https://docs.quantinuum.com/tket) -> the shared circuit, checked against pytket 2.18.5.

Angles and phases are in half-turns there. Qubits and bits are numbered in the order of
``Circuit.qubits`` and ``.bits``, which is that of their registers' names; an implicit permutation of
the qubits becomes swaps at the end. Scratch bits, which pytket adds for conditions that are more
than values of bits, are not part of the outcome; :mod:`gateway.frameworks.pytket.bits` says what they are.
Symbols become parameters; :func:`gateway.frameworks.shared.parameters.names_of` says how they are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from math import pi
from typing import Any

from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import CustomGate, OpType, QControlBox
from pytket.passes import AutoRebase
from sympy import Symbol

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.expressions import Angle
from gateway.circuit.gates import GATES as TABLE
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control
from gateway.errors import RequestError
from gateway.frameworks.pytket.bits import CLASSICAL, Bits, written_by
from gateway.frameworks.pytket.gates import ROWS
from gateway.frameworks.shared.parameters import multiplied, names_of
from gateway.frameworks.shared.refusals import Unreadable, refused
from gateway.frameworks.shared.symbols import angle_of
from gateway.frameworks.shared.synthesis import steps_of_unitary

_OTHERS: Mapping[Any, Callable[..., list[Step]]] = {
    OpType.V: lambda: [("rx", (0,), (pi / 2,))],
    OpType.Vdg: lambda: [("rx", (0,), (-pi / 2,))],
    OpType.CV: lambda: [("crx", (0, 1), (pi / 2,))],
    OpType.CVdg: lambda: [("crx", (0, 1), (-pi / 2,))],
    OpType.ZZMax: lambda: [("rzz", (0, 1), (pi / 2,))],
    OpType.TK1: lambda a, b, c: [("rz", (0,), (c,)), ("rx", (0,), (b,)), ("rz", (0,), (a,))],
    OpType.TK2: lambda a, b, c: [("rxx", (0, 1), (a,)), ("ryy", (0, 1), (b,)), ("rzz", (0, 1), (c,))],
    OpType.PhasedX: lambda angle, axis: [("u", (0,), (angle, axis - pi / 2, pi / 2 - axis))],
    OpType.ISWAP: lambda angle: [("xx_plus_yy", (0, 1), (-angle, 0.0))],
    OpType.ISWAPMax: lambda: [("iswap", (0, 1), ())],
}
"""Type of an operation -> function from its angles in radians to its steps."""

_CONTROLLED: Mapping[Any, str] = {
    OpType.CnX: "x", OpType.CnY: "y", OpType.CnZ: "z", OpType.CnRx: "rx", OpType.CnRy: "ry", OpType.CnRz: "rz",
}  # fmt: skip
"""Type of an operation on any number of qubits, of which the last is the target -> the gate under control."""

_BY_HAND = frozenset({OpType.Unitary1qBox, OpType.QControlBox})
"""Boxes for which the conversion has better steps than pytket's circuits."""

GATES = frozenset(ROWS) | frozenset(_OTHERS) | frozenset(_CONTROLLED) | {
    OpType.Measure, OpType.Reset, OpType.Barrier, OpType.Conditional, *CLASSICAL,
}  # fmt: skip
"""Types of operations that need no rewriting."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``pytket.Circuit``.

    Raises:
        RequestError: the object is not a ``Circuit``.
        UnsupportedError: the circuit has WebAssembly, a dummy box, an assertion, an angle with a function that angles
            do not have, or a computation whose result depends on the width of registers in between.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, TketCircuit):
        raise RequestError(f"a circuit of pytket is a Circuit, not a {type(circuit).__name__}", field="circuits")
    reader = _Reader(circuit)
    reader.read(_with_names(_without_permutation(circuit)))
    return Circuit(*reader.out.parts())


def _with_names(circuit: Any) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return the circuit with names that parameters of the shared circuit can have."""
    if not circuit.is_symbolic():
        return circuit
    symbols = circuit.free_symbols()
    names = names_of(symbol.name for symbol in symbols)
    others = {symbol: Symbol(names[symbol.name]) for symbol in symbols if names[symbol.name] != symbol.name}
    if others:
        circuit = circuit.copy()
        circuit.symbol_substitution(others)
    return circuit


def _without_permutation(circuit: Any) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return the circuit with swaps in place of the implicit permutation of qubits at its end, if it has one."""
    if circuit.has_implicit_wireswaps:
        circuit = circuit.copy()
        circuit.replace_implicit_wire_swaps()
    return circuit


class _Reader:
    """Carries out commands of pytket on an emitter.

    Args:
        circuit: the circuit, which has all the qubits and bits.
        inside: the index of the operation that the circuit is a part of, for error messages.
    """

    def __init__(self, circuit: Any, *, inside: int | None = None) -> None:  # noqa: ANN401 - a pytket Circuit
        self.out = Emitter(DEFAULT_LIMITS)
        self.index = inside or 0
        self._top = inside is None
        self._qubits = dict(zip(circuit.qubits, self.out.new_qubits(circuit.n_qubits), strict=True))
        self._bits = Bits(circuit.bits, self.out)
        self._last_uses: dict[Any, int] = {}
        """Bit -> place of the last command that has it."""
        self._place = 0
        self._boxes = 0

    def read(self, circuit: Any) -> None:  # noqa: ANN401 - a pytket Circuit
        """Carry out the circuit of this reader."""
        places, gate, rows = self._qubits, self.out.gate, ROWS
        angles = self._angles if circuit.is_symbolic() else _in_radians
        if circuit.phase:
            gate(("gphase", (), self._angles([circuit.phase])))
        commands = circuit.get_commands()
        if circuit.n_bits:
            self._last_uses = {bit: place for place, command in enumerate(commands) for bit in command.args}
        for self._place, command in enumerate(commands):
            if self._top:
                self.index = self._place
            op, args = command.op, command.args
            row = rows.get(op.type)
            if row is not None:
                gate((row, tuple([places[arg] for arg in args]), angles(op.params)))
            else:
                self._carry_out(op, args)

    def _angles(self, half_turns: Sequence[Any]) -> tuple[Angle, ...]:
        """Return angles in half-turns, some of them perhaps symbols, in radians."""
        return tuple(map(self._angle, half_turns))

    def _angle(self, half_turns: Any) -> Angle:  # noqa: ANN401 - a number or an expression of sympy
        try:
            return pi * float(half_turns)
        except TypeError:
            return multiplied(angle_of(half_turns, partial(refused, self.index)), pi)

    def _carry_out(self, op: Any, args: Sequence[Any]) -> None:  # noqa: ANN401 - a pytket Op
        kind = op.type
        if kind == OpType.Conditional:
            self._conditional(op, args)
        elif kind == OpType.Measure:
            self._will_change(args[1:])
            self.out.measure(self._qubits[args[0]], self._bits.clbit(args[1]))
        elif kind == OpType.Reset:
            self.out.reset(self._qubits[args[0]])
        elif kind == OpType.Barrier:
            self.out.barrier(tuple([self._qubits[arg] for arg in args if arg in self._qubits]))
        elif kind in CLASSICAL:
            with self._naming(op):
                for assignment in self._bits.assignments(op, args):
                    self._will_change(assignment.bits)
                    self._bits.carry_out(assignment)
        else:
            self._unitary(op, args)

    def _conditional(self, op: Any, args: Sequence[Any]) -> None:  # noqa: ANN401 - a Conditional
        """Carry out an operation under a condition; what it may change is in clbits before."""
        inner = args[op.width :]
        with self._naming(op):
            decision = self._bits.decide(args[: op.width], op.value)
        written = written_by(op.op, inner)
        self._will_change(written)
        for bit in written:
            self._bits.clbit(bit)
        self.out.choose([(decision, partial(self._carry_out, op.op, inner))])

    def _will_change(self, bits: Sequence[Any]) -> None:
        first_use = self._place + (not self._boxes)  # a later part of the same box may read a bit as well
        self._bits.will_change(bits, is_needed=lambda bit: self._last_uses.get(bit, -1) >= first_use)

    @contextmanager
    def _naming(self, op: Any) -> Iterator[None]:  # noqa: ANN401
        """Turn an Unreadable into a refusal that names the operation."""
        try:
            yield
        except Unreadable as exc:
            raise refused(self.index, op.type.name, str(exc)) from exc

    # ------------------------------------------------------------------ gates and boxes

    def _unitary(self, op: Any, args: Sequence[Any]) -> None:  # noqa: ANN401
        inner = None if op.type in _BY_HAND else _circuit_of(op)
        if inner is not None or any(arg not in self._qubits for arg in args):
            self._carry_out_box(op, inner, args)
            return
        where = [self._qubits[arg] for arg in args]
        for name, places, params in self._steps(op, len(where)):
            self.out.gate((name, tuple([where[place] for place in places]), params))

    def _carry_out_box(self, op: Any, inner: Any, args: Sequence[Any]) -> None:  # noqa: ANN401
        """Carry out the circuit of a box, whose qubits and then bits are the arguments."""
        if inner is None:
            raise refused(self.index, op.type.name, "it is no gate, measurement or reset")
        inner = _without_permutation(inner)
        units = dict(zip([*inner.qubits, *inner.bits], args, strict=True))
        if inner.phase:
            self.out.gate(("gphase", (), self._angles([inner.phase])))
        self._boxes += 1
        for command in inner.get_commands():
            self._carry_out(command.op, [units[arg] for arg in command.args])
        self._boxes -= 1

    def _steps(self, op: Any, size: int) -> list[Step]:  # noqa: ANN401
        """Return an operation as steps on qubits numbered from 0."""
        kind = op.type
        if kind in ROWS:
            return [(ROWS[kind], tuple(range(size)), self._angles(op.params))]
        if kind in _OTHERS:
            return _OTHERS[kind](*self._angles(op.params))
        if kind in _CONTROLLED:
            inner = (_CONTROLLED[kind], (size - 1,), self._angles(op.params))
            return control([inner], range(size - 1))
        if kind == OpType.Unitary1qBox:
            return steps_of_unitary(op.get_matrix(), [0])
        if isinstance(op, QControlBox):
            return self._control_steps(op)
        inner_circuit = _circuit_of(op)
        if inner_circuit is None:
            inner_circuit = self._rebase(op, size)
        return _steps_of(inner_circuit, self.index)

    def _control_steps(self, box: Any) -> list[Step]:  # noqa: ANN401 - a QControlBox
        controls, op = box.get_n_controls(), box.get_op()
        inner = [
            (name, tuple([place + controls for place in places]), params)
            for name, places, params in self._steps(op, op.n_qubits)
        ]
        bits = box.get_control_state_bits()
        return control(inner, range(controls), [place for place in range(controls) if not bits[place]])

    def _rebase(self, op: Any, size: int) -> Any:  # noqa: ANN401
        """Return pytket's own circuit for a gate that is not in the table."""
        if not op.is_gate():
            raise refused(self.index, op.type.name, "it is no gate, measurement or reset")
        circuit = TketCircuit(size)
        circuit.add_gate(op, list(range(size)))
        AutoRebase({OpType.CX, OpType.TK1}).apply(circuit)
        return circuit


def _in_radians(half_turns: Sequence[float]) -> tuple[float, ...]:
    return tuple([pi * turns for turns in half_turns])


def _circuit_of(op: Any) -> Any:  # noqa: ANN401
    """Return the circuit of a box or custom gate; ``None`` if the operation has none."""
    if op.type == OpType.DummyBox or not (hasattr(op, "get_circuit") or isinstance(op, CustomGate)):
        return None
    return op.get_circuit()


def _steps_of(circuit: Any, index: int) -> list[Step]:  # noqa: ANN401 - a pytket Circuit
    """Return a circuit of gates as steps on its qubits."""
    inner = _Reader(circuit, inside=index)
    inner.read(_without_permutation(circuit))
    operations = inner.out.operations
    others = [op.name for op in operations if op.name not in TABLE and op.name != "barrier"]
    if others:
        raise refused(index, others[0], "it stands inside a box that is to be a gate")
    return [(op.name, op.qubits, op.params) for op in operations]
