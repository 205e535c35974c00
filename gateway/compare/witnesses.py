"""The reference: the exact distribution that independent witnesses share.

The results of one participant alone convict others only with the help of a majority of samples. Our own plain simulator
is always one of the witnesses if the circuit is small enough for it. Simulators of one engine, such as two front ends
of Aer, count as one witness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit
from gateway.compare.closeness import allowance, largest_difference, tolerance
from gateway.compare.observing import Observation
from gateway.compare.record import Reference
from gateway.compare.statistics.outcomes import Distribution

OURS = "gateway"
"""The name of our own plain simulator among the witnesses."""


class Witness(NamedTuple):
    """Somebody who has an exact distribution.

    Args:
        name: of the simulator.
        engine: what computes.
        exact: the distribution.
        tolerance: the difference of probabilities that rounding may make.
        state: the state vector, for circuits without measurement.
    """

    name: str
    engine: str
    exact: Distribution
    tolerance: float
    state: NDArray[np.complex128] | None = None


def witnesses_of(observations: Sequence[Observation], ours: Witness | None, circuit: Circuit) -> list[Witness]:
    """Return everybody who has an exact distribution, our own simulator first."""
    theirs = [
        Witness(
            observation.simulator,
            observation.engine,
            observation.exact,
            allowance(tolerance(circuit, observation.precision), observation.exact),
            observation.state,
        )
        for observation in observations
        if observation.exact is not None and not observation.error
    ]
    return [*([] if ours is None else [ours]), *theirs]


def choose(witnesses: Sequence[Witness], why_not_ours: str = "") -> tuple[Reference, Witness | None]:
    """Return the reference, and the witness whose distribution it is.

    The most precise of the witnesses that share the distribution gives the numbers. An engine that gives several
    distributions contradicts itself and is no witness for any of them. Of groups with equally many
    independent witnesses, the one that our own simulator is in is taken, if need be that simulator alone; if it is in
    none of them, there is no reference. The groups that share another distribution are named.

    Args:
        witnesses: everybody who has an exact distribution.
        why_not_ours: why our own simulator has none.
    """
    if not witnesses:
        return Reference(kind="none", note=why_not_ours), None
    groups = _groups(witnesses)
    most = max(_independent(group, groups) for group in groups)
    largest = [group for group in groups if _independent(group, groups) == most]
    best = next((group for group in largest if group[0].name == OURS), largest[0])
    if not most or (len(largest) > 1 and best[0].name != OURS):
        return Reference(kind="none", note=_tie(groups), others=_names(groups)), None
    source = min(best, key=lambda witness: witness.tolerance)
    reference = Reference(
        kind="exact" if most > 1 else "single",
        witnesses=tuple(witness.name for witness in best),
        independent=most,
        tolerance=source.tolerance,
        probabilities=source.exact.to_dict(),
        note=_note(groups, best, why_not_ours),
        others=_names([group for group in groups if group is not best]),
    )
    return reference, source


def fidelity_and_phase(state: NDArray[np.complex128], other: NDArray[np.complex128]) -> tuple[float, float]:
    """Return the fidelity of two state vectors, and the global phase of the first relative to the second in radians."""
    overlap = complex(np.vdot(other, state))
    return min(abs(overlap) ** 2, 1.0), math.atan2(overlap.imag, overlap.real)


def _same(one: Witness, other: Witness) -> bool:
    allowed = max(one.tolerance, other.tolerance)
    if largest_difference(one.exact, other.exact) > allowed:
        return False
    if one.state is None or other.state is None:
        return True
    return 1 - fidelity_and_phase(one.state, other.state)[0] <= allowed


def _groups(witnesses: Sequence[Witness]) -> list[list[Witness]]:
    """Return the witnesses in groups that share a distribution."""
    groups: list[list[Witness]] = []
    for witness in witnesses:
        group = next((group for group in groups if all(_same(witness, member) for member in group)), None)
        if group is None:
            groups.append([witness])
        else:
            group.append(witness)
    return groups


def _independent(group: Sequence[Witness], groups: Sequence[Sequence[Witness]]) -> int:
    """Return how many engines are in this group alone."""
    elsewhere = {witness.engine for other in groups if other is not group for witness in other}
    return len({witness.engine for witness in group} - elsewhere)


def _names(groups: Sequence[Sequence[Witness]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(witness.name for witness in group) for group in groups)


def _tie(groups: Sequence[Sequence[Witness]]) -> str:
    names = "; ".join(", ".join(witness.name for witness in group) for group in groups)
    return f"the exact results contradict each other, and no majority is independent: {names}"


def _note(groups: Sequence[Sequence[Witness]], best: Sequence[Witness], why_not_ours: str) -> str:
    notes = [f"the gateway's own simulator could not check it: {why_not_ours}"] if why_not_ours else []
    if OURS not in [witness.name for witness in best] and any(group[0].name == OURS for group in groups):
        notes.append("the gateway's own simulator is outvoted: please report this circuit to us")
    if _independent(best, groups) == 1:
        notes.append("nobody independent shares it")
    return "; ".join(notes)
