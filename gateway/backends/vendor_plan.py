"""What a request becomes at a machine: which circuits are handed over together, and with how many shots.

Machines take lists of circuits with one number of shots each: *submissions*. A circuit that asks for
more shots than the machine gives at once is in several of them, and its counts are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from gateway.circuit import Circuit
from gateway.errors import LimitError

MAX_SUBMISSIONS = 100
"""How many submissions one request may become; more is a mistake rather than a wish."""

_SEED_END = 2**32


class Terms(NamedTuple):
    """What a machine takes at once; ``None`` where it does not say."""

    max_qubits: int | None = None
    max_shots: int | None = None
    max_circuits: int | None = None


class Submission(NamedTuple):
    """What a machine is handed at once: so many shots of each of these circuits of a request."""

    circuits: tuple[int, ...]
    shots: int
    seed: int | None = None


def plan(shots: Sequence[int], seeds: Sequence[int] | None, terms: Terms, name: str = "") -> list[Submission]:
    """Return what is handed over, in the fewest submissions.

    Without seeds, all circuits of as many shots go together, up to ``max_circuits``. With seeds each has
    a submission of its own, so that its counts do not depend on its neighbours.

    Raises:
        LimitError: that would be more than ``MAX_SUBMISSIONS``.
    """
    shares: dict[tuple[int, int | None], list[int]] = {}
    for index, total in enumerate(shots):
        for number, share in enumerate(_shares(total, terms.max_shots, name)):
            seed = None if seeds is None else spread(seeds[index], number)
            shares.setdefault((share, seed), []).append(index)
    size = 1 if seeds is not None else terms.max_circuits or len(shots) * MAX_SUBMISSIONS
    planned = [
        Submission(tuple(indices[first : first + size]), share, seed)
        for (share, seed), indices in shares.items()
        for first in range(0, len(indices), size)
    ]
    if seeds is None and len(planned) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} would be handed {len(planned)} jobs for this request; at most {MAX_SUBMISSIONS} are submitted",
            limit="jobs",
            requested=len(planned),
            allowed=MAX_SUBMISSIONS,
        )
    return planned


def _shares(shots: int, most: int | None, name: str) -> list[int]:
    """Divide shots into full shares and a rest.

    Raises:
        LimitError: there would be more than ``MAX_SUBMISSIONS``.
    """
    if most is None or shots <= most:
        return [shots]
    full, rest = divmod(shots, most)
    if full + bool(rest) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} runs {most:,} shots at once, and a request may take it {MAX_SUBMISSIONS} times: "
            f"{shots:,} shots are too many",
            limit="shots",
            requested=shots,
            allowed=most * MAX_SUBMISSIONS,
        )
    return [most] * full + [rest] * bool(rest)


def seeds_of(seed: int | None, circuits: int) -> list[int]:
    """Return one seed per circuit: ``seed + k``, or drawn."""
    if seed is None:
        return [int(drawn) for drawn in np.random.default_rng().integers(_SEED_END, size=circuits)]
    return [(seed + index) % _SEED_END for index in range(circuits)]


def spread(seed: int, share: int = 0) -> int:
    """Return the seed below ``2**31`` of a share of a circuit's shots.

    Simulators of Qiskit's draw shot ``i`` of a dynamic circuit with the seed ``seed + i``, so neighbouring
    seeds must end up far apart.
    """
    return int(np.random.SeedSequence((seed, share)).generate_state(1)[0]) >> 1


def without_idle_qubits(circuit: Circuit) -> Circuit:
    """Return the circuit on those of its qubits that something acts on, renumbered in order; barriers do not act."""
    acted_on = {qubit for op in circuit.operations if op.name != "barrier" for qubit in op.qubits}
    if len(acted_on) == circuit.num_qubits:
        return circuit
    place = {qubit: index for index, qubit in enumerate(sorted(acted_on))}
    operations = []
    for op in circuit.operations:
        qubits = tuple([place[qubit] for qubit in op.qubits if qubit in place])
        if qubits or op.name != "barrier":
            operations.append(msgspec.structs.replace(op, qubits=qubits))
    return Circuit(len(acted_on), circuit.num_clbits, operations)
