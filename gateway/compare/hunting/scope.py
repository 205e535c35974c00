"""What random circuits may contain, so that given simulators take them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from gateway.circuit.gates import GATES
from gateway.circuit.lowering import first_unlowerable
from gateway.circuit.operations import Operation
from gateway.results import Capabilities

_GENERIC_ANGLE = 0.4
"""An angle at which no gate is anything special."""

_QUARTERS = range(-8, 9)
_MOST_DRAWS = 40
"""The number of angles that are tried to find out whether a gate is taken at some multiples of pi/2."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What random circuits may contain.

    Args:
        gates: the gates that are taken at every angle.
        quarter_gates: the gates that are taken at some multiples of pi/2, and at no other angles.
        declared: the gates that a simulator declares, from which the above follow; ``None`` for all.
        mid_circuit: whether a qubit may be used or measured after it was measured.
        reset: whether qubits may be reset.
        conditions: whether operations may depend on clbits.
        max_qubits: the number of qubits that may be used; ``None`` for any.
    """

    gates: tuple[str, ...] = tuple(GATES)
    quarter_gates: tuple[str, ...] = ()
    declared: frozenset[str] | None = None
    mid_circuit: bool = True
    reset: bool = True
    conditions: bool = True
    max_qubits: int | None = None

    @classmethod
    def of(cls, capabilities: Capabilities) -> Scope:
        """Return what a simulator takes that declares these capabilities."""
        gates, quarter_gates, declared = tuple(GATES), tuple[str, ...](), None
        if capabilities.gates != "universal":
            declared = frozenset(capabilities.gates)
            gates, quarter_gates = _takable(declared)
        return cls(
            gates,
            quarter_gates,
            declared,
            mid_circuit=capabilities.mid_circuit_measurement,
            reset=capabilities.reset,
            conditions=capabilities.classical_control,
            max_qubits=capabilities.max_qubits,
        )

    def fitting(self, num_qubits: int) -> list[str]:
        """Return the names of the gates that act on at most so many qubits."""
        return [name for name in (*self.gates, *self.quarter_gates) if GATES[name].num_qubits <= num_qubits]

    def quarter_angles(self, name: str, random: Random) -> tuple[float, ...]:
        """Return random multiples of pi/2 at which one of the ``quarter_gates`` is taken."""
        assert self.declared is not None  # noqa: S101 - only those who declare gates have gates of quarter turns
        while (angles := _quarter_angles(name, self.declared, random)) is None:
            pass  # some angles were found before
        return angles


@lru_cache
def _takable(declared: frozenset[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the gates that come down to the declared ones at every angle, and those that do at some."""
    free = tuple(name for name in GATES if _is_taken(name, (_GENERIC_ANGLE,) * GATES[name].num_params, declared))
    random = Random(0)
    rest = [name for name in GATES if name not in free]
    return free, tuple(name for name in rest if _quarter_angles(name, declared, random) is not None)


def _quarter_angles(name: str, declared: Collection[str], random: Random) -> tuple[float, ...] | None:
    for _ in range(_MOST_DRAWS):
        params = tuple(random.choice(_QUARTERS) * math.pi / 2 for _ in range(GATES[name].num_params))
        if _is_taken(name, params, declared):
            return params
    return None


def _is_taken(name: str, params: Iterable[float], declared: Collection[str]) -> bool:
    operation = Operation(name, tuple(range(GATES[name].num_qubits)), tuple(params))
    return first_unlowerable([operation], declared) is None
