"""Rewrites a circuit into the gates that a simulator has.

A gate that is not native is replaced by its definition in the gate table, and so on down to native gates. If that
does not end in native gates, as for ``u`` on a simulator of Clifford gates, the angles matter: a gate that *is* a
Clifford gate at its angles becomes native gates, exactly. Any other gate is refused; no angle is rounded beyond
:data:`gateway.circuit.clifford.TOLERANCE`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from functools import lru_cache

from gateway.circuit.clifford import GENERATORS, same_gate, synthesise
from gateway.circuit.gates import GATES, Step
from gateway.circuit.operations import NON_GATES, Operation
from gateway.errors import UnsupportedError

_GENERIC = 0.7
"""An angle at which no gate is a simpler one."""


def lower(operations: list[Operation], native_gates: frozenset[str]) -> list[Operation]:
    """Return the operations with every gate that is not native replaced by native ones.

    Measurements, resets and barriers stay as they are. If nothing has to change, the function returns
    the list itself. The result equals the circuit exactly, global phase included. Each operation
    carries the condition of the gate it replaces.

    Args:
        operations: validated operations.
        native_gates: the names of the simulator's gates. ``u``, ``cx`` and ``gphase`` are enough for every gate;
            ``h``, ``s``, ``cx`` and ``gphase`` are enough for every Clifford gate.

    Raises:
        UnsupportedError: a gate cannot be expressed in native gates; ``operation`` is its index.
    """
    names = {operation.name for operation in operations}
    if all(name in native_gates or name in NON_GATES for name in names):
        return operations
    native_operations: list[Operation] = []
    for index, op in enumerate(operations):
        if op.name in native_gates or op.name in NON_GATES:
            native_operations.append(op)
            continue
        steps = _in_native_gates(op.name, op.params, native_gates)
        if steps is None:
            raise _refusal(op, index)
        for name, places, params in steps:
            qubits = tuple([op.qubits[place] for place in places])
            native_operations.append(Operation(name, qubits, params, (), op.condition))
    return native_operations


def depends_on_angles(operations: list[Operation], native_gates: frozenset[str]) -> bool:
    """Return whether :func:`lower` needs the values of angles, so that it cannot take parameters.

    It does where a gate may be a Clifford gate at some angles, and where a definition does more than arithmetic.
    """
    if "u" not in native_gates and native_gates >= GENERATORS:
        return True
    first_of_each = {op.name: op for op in reversed(operations) if op.name not in NON_GATES}
    try:
        lower(list(first_of_each.values()), native_gates)
    except TypeError:  # an expression is no number
        return True
    except UnsupportedError:  # whatever the angles are
        return False
    return False


def lowered_counts(operations: list[Operation], native_gates: frozenset[str]) -> Counter[str]:
    """Return how often each operation occurs after :func:`lower`, without making the operations."""
    counts: Counter[str] = Counter()
    for name, times in Counter([op.name for op in operations]).items():
        if name in native_gates or name in NON_GATES:
            counts[name] += times
            continue
        steps = _in_native_gates(name, (_GENERIC,) * GATES[name].num_params, native_gates)
        if steps is not None:
            for native_name, _, _ in steps:
                counts[native_name] += times
            continue
        for op in operations:  # a Clifford gate, whose angles say which gates it becomes
            if op.name == name:
                counts.update(
                    native_name for native_name, _, _ in _in_native_gates(name, op.params, native_gates) or ()
                )
    return counts


def first_unlowerable(operations: Iterable[Operation], native_gates: Collection[str]) -> int | None:
    """Return the index of the first operation that :func:`lower` would refuse; ``None`` if there is none."""
    native = frozenset(native_gates)
    lowerable: set[tuple[str, tuple[float, ...]]] = set()
    for index, op in enumerate(operations):
        if op.name in native or op.name in NON_GATES or (op.name, op.params) in lowerable:
            continue
        if _in_native_gates(op.name, op.params, native) is None:
            return index
        lowerable.add((op.name, op.params))
    return None


@lru_cache(maxsize=4096)
def _in_native_gates(name: str, params: tuple[float, ...], native: frozenset[str]) -> tuple[Step, ...] | None:
    """Return one gate as native steps on the positions of its own qubits; ``None`` if that is impossible."""
    if name in native:
        return ((name, tuple(range(GATES[name].num_qubits)), params),)
    if "u" in native or not native >= GENERATORS:
        return _by_definition(name, params, native)
    return same_gate(name, params, native) or _by_definition(name, params, native) or synthesise(name, params, native)


def _by_definition(name: str, params: tuple[float, ...], native: frozenset[str]) -> tuple[Step, ...] | None:
    definition = GATES[name].definition
    if definition is None:
        return None
    steps: list[Step] = []
    for inner, places, inner_params in definition(*params):
        inner_steps = _in_native_gates(inner, inner_params, native)
        if inner_steps is None:
            return None
        for native_name, inner_places, native_params in inner_steps:
            steps.append((native_name, tuple([places[place] for place in inner_places]), native_params))
    return tuple(steps)


def _refusal(op: Operation, index: int) -> UnsupportedError:
    return UnsupportedError(
        f"operation {index} ({op.with_all_digits()}): this gate comes down to nothing the simulator has",
        feature=f"gate {op.name}",
        operation=index,
        gate=op.name,
    )
