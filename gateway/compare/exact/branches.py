"""The state of a part of a circuit: arrays with one row for each history of measured values.

A qubit is in the state, or its value is known in every branch: 0 before the first operation on it, and what was
measured afterwards. An operation acts at once on all branches in which its condition holds.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Condition, Operation
from gateway.circuit.conditions import bits_of
from gateway.circuit.expressions import clbits_read, value_of_clbits
from gateway.circuit.gates import GATES
from gateway.compare.exact.bounds import Bounds
from gateway.compare.exact.kernels import Amplitudes, multiply, squares
from gateway.compare.exact.merging import merge
from gateway.compare.exact.plan import Wire, takes_out

NEGLIGIBLE = 1e-22
"""Probabilities below this are rounding noise: that of an amplitude is about 1e-16 for each operation."""

Rows = NDArray[np.intp]
Values = NDArray[np.uint8]


class Branches:
    """All branches of one part of a circuit; at first there is one, and everything is 0.

    Args:
        wires: the qubits and clbits of the part.
        bounds: how large the branches may become.

    Attributes:
        amplitudes: complex128 ``[branches, 2**len(qubits)]``; the squared norm of a row is the branch's probability.
        qubits: those in the state; the first one is the least significant bit of the index.
        values: uint8 ``[branches, wires]``: of the clbits, and of the qubits outside of the state.
        columns: qubit or clbit -> its column of ``values``.
    """

    def __init__(self, wires: Iterable[Wire], bounds: Bounds) -> None:
        self.columns = {wire: column for column, wire in enumerate(wires)}
        self.amplitudes: Amplitudes = np.ones((1, 1), dtype=np.complex128)
        self.values = np.zeros((1, len(self.columns)), dtype=np.uint8)
        self.qubits: list[int] = []
        self._bounds = bounds
        self._work = 0
        self._alike = False  # whether several branches may have equal values

    def apply(self, op: Operation) -> None:
        """Apply an operation.

        Raises:
            LimitError: the branches become too large, or the work too much.
        """
        rows = self._where(op.condition) if op.condition else np.arange(len(self.values))
        if not len(rows):
            return
        if op.name in GATES:
            self._gate(op, rows)
        elif op.name == "set":
            self._assign(op, rows)
        elif op.qubits[0] in self.qubits:
            self._observe(op, rows)
        else:
            self._copy(op, rows)

    def forget(self, wires: Iterable[Wire]) -> None:
        """Set values that nothing reads any more to 0, and merge the branches that nothing tells apart then."""
        for wire in wires:
            self.values[:, self.columns[wire]] = 0
            self._alike |= wire[0] == "clbit"
        if self._alike:
            self.amplitudes, self.values, self._alike = merge(self.amplitudes, self.values)

    def keep_where(self, clbit: int, condition: Condition) -> float:
        """Write to a clbit whether a condition holds, and return the probability that it does."""
        rows = self._where(condition)
        self.values[:, self.columns["clbit", clbit]] = 0
        self.values[rows, self.columns["clbit", clbit]] = 1
        self._alike = True
        return float(squares(self.amplitudes[rows]).sum())

    def drop_where(self, condition: Condition) -> None:
        """Leave out the branches in which a condition holds, which are as good as impossible."""
        rows = self._where(condition)
        if len(rows):
            self.amplitudes = np.delete(self.amplitudes, rows, axis=0)
            self.values = np.delete(self.values, rows, axis=0)

    # ------------------------------------------------------------------ operations

    def _assign(self, op: Operation, rows: Rows) -> None:
        """Write a classical value, which is computed once for all branches that have the same clbits to read."""
        (value,) = op.params
        read = list(dict.fromkeys(clbits_read(value)))
        seen = self.values[rows][:, [self.columns["clbit", clbit] for clbit in read]]
        kinds, groups = np.unique(seen, axis=0, return_inverse=True)
        for number, kind in enumerate(kinds.tolist() if read else [[]]):
            bits = dict(zip(read, kind, strict=True))
            result = value_of_clbits(value, bits.__getitem__)
            chosen = rows[groups.reshape(-1) == number] if read else rows
            for place, clbit in enumerate(op.clbits):
                self.values[chosen, self.columns["clbit", clbit]] = result >> place & 1
        self._alike = True

    def _where(self, condition: Condition) -> Rows:
        """Return the branches in which a condition holds."""
        holds = np.ones(len(self.values), dtype=bool)
        for comparison in condition:
            clbits, bits = zip(*bits_of(comparison), strict=True)
            columns = [self.columns["clbit", clbit] for clbit in clbits]
            holds &= (self.values[:, columns] == bits).all(axis=1) == comparison.equal
        return np.flatnonzero(holds)

    def _gate(self, op: Operation, rows: Rows) -> None:
        for qubit in op.qubits:
            if qubit not in self.qubits:
                self._bring_in(qubit)
        self._count(len(rows))
        bits = tuple([self.qubits.index(qubit) for qubit in op.qubits])
        if len(rows) == len(self.amplitudes):
            multiply(self.amplitudes, bits, op.name, op.params)
        else:
            amplitudes = self.amplitudes[rows]
            multiply(amplitudes, bits, op.name, op.params)
            self.amplitudes[rows] = amplitudes

    def _bring_in(self, qubit: int) -> None:
        """Make a qubit, whose value is known, the most significant one of the state."""
        branches, size = self.amplitudes.shape
        self._bounds.check_branches(branches, len(self.qubits) + 1)
        amplitudes = np.zeros((branches, 2, size), dtype=np.complex128)
        amplitudes[np.arange(branches), self.values[:, self.columns["qubit", qubit]]] = self.amplitudes
        self.amplitudes = amplitudes.reshape(branches, 2 * size)
        self.values[:, self.columns["qubit", qubit]] = 0
        self.qubits.append(qubit)

    def _copy(self, op: Operation, rows: Rows) -> None:
        """Measure or reset a qubit whose value is known."""
        column = self.columns["qubit", op.qubits[0]]
        if op.name == "reset":
            self.values[rows, column] = 0
        for clbit in op.clbits:
            self.values[rows, self.columns["clbit", clbit]] = self.values[rows, column]

    def _observe(self, op: Operation, rows: Rows) -> None:
        """Measure or reset a qubit of the state in some branches: each outcome that is possible becomes a branch."""
        self._count(len(rows))
        self._alike |= not op.clbits
        place, leaves = self.qubits.index(op.qubits[0]), takes_out(op)
        state = self.amplitudes.reshape(len(self.amplitudes), -1, 2, 2**place)
        chances = squares(state if len(rows) == len(state) else state[rows]).sum(axis=(1, 3))
        possible = [rows[chances[:, outcome] > NEGLIGIBLE] for outcome in (0, 1)]
        others = np.delete(np.arange(len(self.amplitudes)), rows)
        branches = len(others) + sum(map(len, possible))
        self._bounds.check_branches(branches, len(self.qubits) - leaves, len(self.columns))
        amplitudes, values = [], []
        if len(others):
            amplitudes.append(state[others])
            values.append(self.values[others])
        for outcome, chosen in enumerate(possible):
            after = state[:, :, outcome][chosen]
            amplitudes.append(after if leaves else _with_qubit(after, 0 if op.name == "reset" else outcome))
            values.append(self._values_after(op, chosen, outcome))
        self.amplitudes = np.concatenate(amplitudes).reshape(branches, -1)
        self.values = np.concatenate(values)
        if leaves:
            self.qubits.remove(op.qubits[0])

    def _values_after(self, op: Operation, rows: Rows, outcome: int) -> Values:
        """Return the values of some branches after an outcome."""
        values = self.values[rows]
        values[:, [self.columns["clbit", clbit] for clbit in op.clbits]] = outcome
        if takes_out(op):
            values[:, self.columns["qubit", op.qubits[0]]] = outcome
        return values

    def _count(self, branches: int) -> None:
        """Count the amplitudes that an operation changes."""
        self._work += branches << len(self.qubits)
        self._bounds.check_work(self._work)


def _with_qubit(amplitudes: Amplitudes, value: int) -> Amplitudes:
    """Return amplitudes ``[branches, high, low]`` with a qubit of that value between high and low."""
    state = np.zeros((len(amplitudes), amplitudes.shape[1], 2, amplitudes.shape[2]), dtype=np.complex128)
    state[:, :, value] = amplitudes
    return state
