"""What the shots of a comparison find: computed from the exact distribution, where that is small enough to wait for."""

from __future__ import annotations

from typing import NamedTuple

from gateway.circuit import Circuit
from gateway.circuit.needs import Needs
from gateway.compare import exact
from gateway.compare.closeness import allowance, tolerance
from gateway.compare.exact.bounds import Bounds
from gateway.compare.gathering import MOST_SHOTS
from gateway.compare.referee import TESTS_OF_A_SIMULATOR
from gateway.compare.statistics.detectable import detectable, shots_needed
from gateway.compare.statistics.reference import PreparedReference
from gateway.compare.statistics.tests import prepare
from gateway.errors import GatewayError
from gateway.look import numbers

FALSE_ALARM_RATE = 1e-6
"""That of a comparison which asks for no other."""

BOUNDS = Bounds(amplitudes=2**17, values=2**24, outcomes=2**16, work=2**26, turns=1_000)
"""What is computed while somebody types, which takes some tenths of a second at most."""

MOST_OPERATIONS = 20_000
"""A circuit with more operations is not looked at."""

_NINETY_NINE = "99 times in 100"


class Sight(NamedTuple):
    """What the shots of a comparison find.

    Args:
        note: a sentence about it; empty where there is nothing to say.
        distance: the total variation distance that these shots find; ``None`` where nobody knows.
        shots: of each simulator, if a resolution chooses them and it is known how many that takes.
        outcomes: the number of different outcomes; ``None`` if it is not known.
    """

    note: str = ""
    distance: float | None = None
    shots: int | None = None
    outcomes: int | None = None


def look(circuit: Circuit, needs: Needs, shots: int | None, resolution: float | None, simulators: int) -> Sight:
    """Return what a comparison finds.

    Args:
        circuit: the circuit.
        needs: its needs.
        shots: of each simulator; ``None`` for exact results.
        resolution: the distance that chooses the shots instead.
        simulators: how many simulators take part.
    """
    if needs.measurement is None:
        return Sight("The circuit measures nothing: state vectors are compared, without shots.")
    if needs.unbound is not None:
        return Sight()
    late = "How many shots this resolution takes is computed when the comparison begins." if resolution else ""
    if len(circuit.operations) > MOST_OPERATIONS:
        return Sight(late)
    try:
        distribution = exact.distribution(circuit, bounds=BOUNDS)
    except GatewayError:
        return Sight(late)
    outcomes = len(distribution.codes)
    error = allowance(tolerance(circuit), distribution)
    if shots is None and resolution is None:
        return Sight(_of_exact(error), outcomes=outcomes)
    prepared = prepare(distribution, error=error)
    rate = FALSE_ALARM_RATE / (TESTS_OF_A_SIMULATOR * max(simulators, 1))
    if resolution is not None:
        return _of_resolution(prepared, resolution, rate)._replace(outcomes=outcomes)
    return _of_shots(prepared, shots or 1, rate)._replace(outcomes=outcomes)


def _of_exact(error: float) -> str:
    return f"Exact results find a probability that is off by {numbers.exact_difference(error)} or more, without shots."


def _of_resolution(prepared: PreparedReference, resolution: float, rate: float) -> Sight:
    needed = shots_needed(prepared, resolution, rate=rate)
    what = f"A resolution of {resolution:g} takes {numbers.several(needed, 'shot')} on each simulator"
    if needed > MOST_SHOTS:
        return Sight(f"{what}, and {numbers.integer(MOST_SHOTS)} are the most: a larger one takes fewer.")
    return Sight(f"{what}.", resolution, needed)


def _of_shots(prepared: PreparedReference, shots: int, rate: float) -> Sight:
    found = detectable(prepared, shots, rate=rate)
    who = f"{numbers.several(shots, 'shot')} {'finds' if shots == 1 else 'find'}"
    if found.hardest < 1:
        distance = numbers.short_distance(found.hardest)
        return Sight(f"{who} a distance of {distance} or more, {_NINETY_NINE}.", found.hardest)
    if found.one_bit < 1:
        clbit = f"a clbit that is off by {numbers.short_distance(found.one_bit)} or more"
        return Sight(f"{who} {clbit}, {_NINETY_NINE}; a difference spread over all outcomes takes more.")
    return Sight(f"{who} no difference reliably: more would.")
