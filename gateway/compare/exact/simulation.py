"""The exact distribution of a circuit, and the state that it ends in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.compare.exact.bounds import DEFAULT_BOUNDS, Bounds
from gateway.compare.exact.branches import Branches
from gateway.compare.exact.control_flow import run_in_order
from gateway.compare.exact.kernels import multiply
from gateway.compare.exact.outcomes import Outcomes, product, read
from gateway.compare.exact.plan import Part, make_plan
from gateway.compare.statistics.outcomes import Distribution
from gateway.errors import UnsupportedError


def distribution(circuit: Circuit, *, bounds: Bounds = DEFAULT_BOUNDS) -> Distribution:
    """Return the exact distribution of the clbits at the end; those that are never written are 0.

    Only what the clbits depend on is simulated, parts of the circuit that share no qubit and no clbit apart, and a
    qubit is held only from its first operation to its last. So 20 qubits that interact are the limit, not 20 qubits.
    Probabilities are right to about 1e-15 for each operation; those below 1e-22 are left out.

    Args:
        circuit: a valid circuit; gates, measurements, resets, conditions, assignments and loops in any order.
        bounds: what is refused because it would take too much memory or time.

    Raises:
        LimitError: the circuit is too large, or a loop does not end; ``limit`` says by what: ``amplitudes``, ``work``,
            ``outcomes`` or ``turns``.
    """
    if any(op.name in {"set", "while"} for op in circuit.operations):
        return product([run_in_order(circuit, bounds)], circuit.num_clbits, bounds)
    parts = make_plan(circuit)
    work = 0
    for part in parts:
        qubits, part_work = part.smallest_work()
        work += part_work
        bounds.check_branches(1, qubits)
    bounds.check_work(work)
    return product((_run(part, bounds) for part in parts), circuit.num_clbits, bounds)


def statevector(circuit: Circuit, *, bounds: Bounds = DEFAULT_BOUNDS) -> NDArray[np.complex128]:
    """Return the state of all qubits after a circuit of gates, global phase included.

    Returns:
        complex128 ``[2**num_qubits]``, qubit 0 the least significant bit of the index.

    Raises:
        UnsupportedError: the circuit measures, resets or tests clbits; ``operation`` is the first index.
        LimitError: the circuit is too large; ``limit`` is ``amplitudes`` or ``work``.
    """
    for index, op in enumerate(circuit.operations):
        if op.condition or op.name in {"measure", "reset", "set", "while"}:
            msg = f"operation {index} ({op}): a circuit with measurements, resets or clbits has no single state"
            raise UnsupportedError(msg, feature="statevector of a measured circuit", operation=index)
    bounds.check_branches(1, circuit.num_qubits)
    bounds.check_work(len(circuit.operations) << circuit.num_qubits)
    state = np.zeros(2**circuit.num_qubits, dtype=np.complex128)
    state[0] = 1
    for op in circuit.operations:
        if op.name in GATES:
            multiply(state, op.qubits, op.name, op.params)
    return state


def _run(part: Part, bounds: Bounds) -> Outcomes:
    """Return the outcomes of a part."""
    branches = Branches(part.wires(), bounds)
    for index, op in enumerate(part.operations):
        branches.apply(op)
        if op.name not in GATES or index in part.forgotten:
            branches.forget(part.forgotten.get(index, ()))
    return read(part, branches, bounds)
