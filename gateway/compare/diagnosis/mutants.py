"""Mutants: circuits that a wrong simulator runs in place of the one it was given, each simulated exactly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import chain

from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.diagnosis.dynamic_mutants import dynamic_mutants
from gateway.compare.diagnosis.gate_mutants import Mutant, gate_mutants
from gateway.compare.diagnosis.hypotheses import Hypothesis, Prediction
from gateway.compare.diagnosis.readings import rearranged
from gateway.compare.exact.control_flow import has_control_flow
from gateway.errors import LimitError


def mutants(circuit: Circuit) -> Iterator[Hypothesis]:
    """Yield the hypotheses that another circuit was run; those that would run the same one are left out.

    Where there are loops, assignments or hidden clbits, the hypotheses are about gates alone.
    """
    right = circuit.operations
    seen: set[tuple[str, int]] = set()
    dynamic = () if has_control_flow(circuit) else dynamic_mutants(circuit)
    for mutant in chain(dynamic, gate_mutants(circuit)):
        key = mutant.name, hash(tuple(mutant.circuit.operations))
        if mutant.circuit.operations != right and key not in seen and _is_finite(mutant.circuit):
            seen.add(key)
            yield Hypothesis(mutant.name, partial(_predicted, mutant, circuit.num_clbits))


def _is_finite(circuit: Circuit) -> bool:
    """Return whether no angle has become infinite, as twice the largest number has."""
    return all(math.isfinite(angle) for op in circuit.operations if op.name != "set" for angle in op.params)


def _predicted(mutant: Mutant, width: int) -> Prediction | None:
    """Return the exact distribution of the circuit's own clbits; ``None`` if the mutant is too large to simulate."""
    try:
        distribution = exact.distribution(mutant.circuit)
    except LimitError:
        return None
    if distribution.width > width:
        distribution = rearranged(distribution, range(width))
    return Prediction(distribution, mutant.detail)
