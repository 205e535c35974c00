"""Which gates of a circuit a simulator gets wrong, found by asking it for the same circuit in simpler gates.

A gate is a culprit if the difference goes away when the gate is written in simpler gates, by its definition in the
table. Circuits that differ for the same gate are the same finding, whatever surrounds the gate; and a circuit that
still differs when all known culprits are written out has another fault, which is worth reducing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import lower
from gateway.compare.hunting.scope import Scope
from gateway.errors import UnsupportedError

_SIMPLEST = frozenset({"u", "cx", "gphase"})


def culprits(circuit: Circuit, scope: Scope, shows: Callable[[Circuit], bool]) -> tuple[str, ...]:
    """Return the gates of a circuit that a simulator gets wrong, in alphabetical order; none if no gate explains it.

    Args:
        circuit: a circuit that shows a difference, reduced.
        scope: what the simulator takes.
        shows: whether another circuit shows the difference.
    """
    names = {op.name for op in circuit.operations if op.name in GATES} - _simplest(scope)
    alone = [name for name in sorted(names) if _is_right_without({name}, circuit, scope, shows)]
    if alone or len(names) < 2 or not _is_right_without(names, circuit, scope, shows):  # noqa: PLR2004
        return tuple(alone)
    return tuple(sorted(names))


def written_out(circuit: Circuit, names: Collection[str], scope: Scope) -> Circuit | None:
    """Return a circuit with the gates of some names written in the simplest gates; ``None`` if they cannot be."""
    simplest = _simplest(scope)
    try:
        operations = [
            simple
            for op in circuit.operations
            for simple in (lower([op], simplest) if op.name in names and op.name not in simplest else [op])
        ]
    except UnsupportedError:
        return None
    return circuit.with_operations(operations)


def _is_right_without(names: Collection[str], circuit: Circuit, scope: Scope, shows: Callable[[Circuit], bool]) -> bool:
    simple = written_out(circuit, names, scope)
    return simple is not None and not shows(simple)


def _simplest(scope: Scope) -> frozenset[str]:
    return _SIMPLEST if scope.declared is None else scope.declared & {*_SIMPLEST, "h", "s", "x", "z", "sdg"}
