"""Proves the reproducer: faults planted in circuits of 200 operations are reduced to hardly more than they need.

Each fault is a simulator that is wrong in one way, and has a circuit written by hand that shows it with as few
operations as anybody found. The reproducer gets long random circuits that show the fault, and must bring each of them
down to at most three operations more, within a minute, by exact results and by samples.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import pi

from support.faulty import Right, faulty
from support.planted import Combination, Descending, Raising, long_circuit, long_dynamic_circuit

from gateway.circuit import Circuit
from gateway.compare.reproducer import reduce
from gateway.compare.reproducer.compacting import num_operations
from gateway.errors import RequestError

MOST_ABOVE = 3
MOST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the smallest circuit that shows it, final measurements left out.

    Args:
        simulator: makes the simulator; called with ``exact=``.
        smallest: the circuit.
        long: seed -> a long circuit.
    """

    simulator: Callable[..., Right]
    smallest: Circuit
    long: Callable[[int], Circuit] = long_circuit


def named(cause: str) -> Callable[..., Right]:
    """Return what makes the simulator with a cause of the diagnosis."""
    return lambda **options: faulty(cause, **options)


def q(num_qubits: int, num_clbits: int = 0) -> Circuit:
    """Return an empty circuit."""
    return Circuit(num_qubits, num_clbits)


FAULTS = {
    "angle-negated:rz": Fault(named("angle-negated:rz"), q(1).h(0).rz(pi / 2, 0).sx(0)),
    "angle-halved:ry": Fault(named("angle-halved:ry"), q(1).ry(pi, 0)),
    "angle-doubled:rzz": Fault(named("angle-doubled:rzz"), q(2).h(0).rzz(pi / 2, 0, 1).h(0)),
    "angle-in-degrees:cry": Fault(named("angle-in-degrees:cry"), q(2).x(0).cry(1.0, 0, 1)),
    "angle-in-half-turns:u": Fault(named("angle-in-half-turns:u"), q(1).u(1.0, 0, 0, 0)),
    "angle-modulo:crx": Fault(named("angle-modulo:crx"), q(2).h(0).crx(2 * pi, 0, 1).h(0)),
    "inverse-taken:sx": Fault(named("inverse-taken:sx"), q(1).sx(0).s(0).h(0)),
    "inverse-taken:t": Fault(named("inverse-taken:t"), q(1).h(0).t(0).sx(0)),
    "operands-exchanged:cu3": Fault(named("operands-exchanged:cu3"), q(2).x(0).cu3(pi / 2, 0, 0, 0, 1)),
    "operands-exchanged:cswap": Fault(named("operands-exchanged:cswap"), q(3).x(0).x(1).cswap(0, 1, 2)),
    "phase-lost:cp": Fault(named("phase-lost:cp"), q(2).h(0).cp(pi, 0, 1).h(0)),
    "phase-lost:cu3": Fault(named("phase-lost:cu3"), q(2).h(0).cu3(0, 0, pi, 0, 1).h(0)),
    "gate-dropped:c3x": Fault(named("gate-dropped:c3x"), q(4).x(0).x(1).x(2).c3x(0, 1, 2, 3)),
    "gate-dropped:iswap": Fault(named("gate-dropped:iswap"), q(2).x(0).iswap(0, 1)),
    "angle-off:xx_plus_yy": Fault(named("angle-off:xx_plus_yy"), q(2).x(0).xx_plus_yy(1.0, 0.0, 0, 1)),
    "bits-reversed": Fault(named("bits-reversed"), q(2, 2).x(0)),
    "clbits-exchanged": Fault(named("clbits-exchanged"), q(2, 2).x(0)),
    "clbit-stuck": Fault(named("clbit-stuck"), q(1, 1)),
    "clbit-unwritten": Fault(named("clbit-unwritten"), q(1, 1).x(0)),
    "readout-error": Fault(named("readout-error"), q(1, 1)),
    "depolarised": Fault(named("depolarised"), q(1, 1)),
    "cx after t": Fault(lambda **o: Combination(first="t", then="cx", **o), q(2).x(0).t(0).cx(0, 1)),
    "rz after ch": Fault(lambda **o: Combination(first="ch", then="rz", **o), q(2).h(1).ch(0, 1).rz(pi, 1).h(1)),
    "descending ccx": Fault(lambda **o: Descending(gate="ccx", **o), q(3).x(1).x(2).ccx(2, 1, 0)),
    "raises at rccx": Fault(lambda **o: Raising(gate="rccx", **o), q(3).rccx(0, 1, 2)),
    "raises at swap after dcx": Fault(lambda **o: Raising(gate="swap", after="dcx", **o), q(2).dcx(0, 1).swap(0, 1)),
    "condition-ignored": Fault(named("condition-ignored"), q(1, 1).x(0, when={0: 1}), long_dynamic_circuit),
    "condition-inverted": Fault(named("condition-inverted"), q(1, 1).x(0, when={0: 1}), long_dynamic_circuit),
    "condition-reversed": Fault(
        named("condition-reversed"), q(2, 2).x(0).measure(0, 0).x(1, when={0: 1, 1: 0}), long_dynamic_circuit
    ),
    "reset-ignored": Fault(named("reset-ignored"), q(1).x(0).reset(0), long_dynamic_circuit),
    "measurement-postponed": Fault(named("measurement-postponed"), q(1, 1).measure(0, 0).x(0), long_dynamic_circuit),
    "first-write-kept": Fault(named("first-write-kept"), q(1, 1).x(0), long_dynamic_circuit),
}
"""Name -> fault. All causes of the diagnosis by which a distribution changes are of one of these kinds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one long circuit was reduced: the operations that are left, and the seconds that it took."""

    operations: int
    seconds: float


def reduced(fault: Fault, seed: int, *, exact: bool) -> Outcome | None:
    """Reduce the long circuit of a seed; ``None`` if it does not show the fault."""
    began = time.monotonic()
    try:
        reproducer = reduce(fault.long(seed), fault.simulator(exact=exact), seed=seed, seconds=MOST_SECONDS)
    except RequestError:
        return None
    return Outcome(reproducer.operations, time.monotonic() - began)


def main(argv: list[str]) -> int:
    """Print a table and return 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="scripts/prove reproducer", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="two circuits for each fault instead of ten")
    parser.add_argument("--fault", metavar="NAME", action="append", choices=FAULTS, help="only this one; repeatable")
    arguments = parser.parse_args(argv)
    circuits, names = 2 if arguments.quick else 10, arguments.fault or list(FAULTS)
    print(f"{'fault':<26}{'by':<10}{'circuits':>9}{'needed':>8}{'left at most':>14}{'seconds at most':>17}")
    missed = 0
    for name in names:
        for exact in (True, False):
            outcomes = _several(FAULTS[name], circuits, exact=exact)
            missed += _shown(name, FAULTS[name], outcomes, exact=exact)
    print(f"{missed} of {2 * len(names)} miss the bound of {MOST_ABOVE} more operations and {MOST_SECONDS:g} seconds")
    return int(missed > 0)


def _several(fault: Fault, number: int, *, exact: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for seed in range(20 * number):
        if len(outcomes) == number:
            break
        outcome = reduced(fault, seed, exact=exact)
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def _shown(name: str, fault: Fault, outcomes: list[Outcome], *, exact: bool) -> bool:
    """Print a row, and return whether it misses a bound."""
    needed = num_operations(fault.smallest)
    left = max((outcome.operations for outcome in outcomes), default=-1)
    seconds = max((outcome.seconds for outcome in outcomes), default=0.0)
    missed = not outcomes or left > needed + MOST_ABOVE or seconds > MOST_SECONDS
    by = "exact" if exact else "samples"
    row = f"{name:<26}{by:<10}{len(outcomes):>9}{needed:>8}{left:>14}{seconds:>17.1f}"
    print(row + ("  missed" if missed else ""), flush=True)
    return missed
