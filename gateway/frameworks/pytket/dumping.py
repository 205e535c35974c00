"""The shared circuit -> pytket (https://docs.quantinuum.com/tket), checked against pytket 2.18.5.

Angles and phases are in half-turns there. Qubit ``k`` is ``q[k]``, clbit ``k`` is ``c[k]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import Any

from pytket.circuit import Circuit as TketCircuit

from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import lower
from gateway.frameworks.pytket.gates import TYPES
from gateway.frameworks.shared.common import cubes


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a pytket Circuit
    """Return a ``pytket.Circuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    A condition that is not a list of values, ``!=`` of several clbits, becomes several that are.
    """
    target = TketCircuit(circuit.num_qubits, circuit.num_clbits)
    for op in lower(circuit.operations, frozenset(TYPES)):
        if op.name == "barrier":
            target.add_barrier(list(op.qubits))
        elif op.name == "gphase" and not op.condition:
            target.add_phase(op.params[0] / pi)
        elif not op.condition:
            _append(target, op, {})
        else:
            for bits in cubes(op.condition):
                value = sum(bit << place for place, bit in enumerate(bits.values()))
                _append(target, op, {"condition_bits": list(bits), "condition_value": value})
    return target


def _append(target: Any, op: Operation, when: Mapping[str, Any]) -> None:  # noqa: ANN401 - a pytket Circuit
    target.add_gate(TYPES[op.name], [angle / pi for angle in op.params], [*op.qubits, *op.clbits], **when)
