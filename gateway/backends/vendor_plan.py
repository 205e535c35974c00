"""Divides a request into submissions, which a machine takes one at a time.

A *submission* is a list of circuits with one number of shots for all of them. A circuit that needs more shots than
the machine takes at once is part of several submissions, and its counts are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from gateway.circuit import Circuit
from gateway.errors import LimitError

MAX_SUBMISSIONS = 100
"""The largest number of submissions of one request; a request that needs more is most likely a mistake."""

_SEED_END = 2**32


class Terms(NamedTuple):
    """The limits of one submission to a machine; ``None`` where the machine does not state one."""

    max_qubits: int | None = None
    max_shots: int | None = None
    max_circuits: int | None = None


class Submission(NamedTuple):
    """A part of a request that a machine takes at once: the indices of some circuits, and the shots of each."""

    circuits: tuple[int, ...]
    shots: int
    seed: int | None = None


def plan(shots: Sequence[int], seeds: Sequence[int] | None, terms: Terms, name: str = "") -> list[Submission]:
    """Return the smallest number of submissions that together run a request.

    Without seeds, circuits with the same number of shots are submitted together, up to ``max_circuits`` at once. With
    seeds each circuit has a submission of its own, so that its counts do not depend on the other circuits.

    Raises:
        LimitError: the request needs more than ``MAX_SUBMISSIONS``.
    """
    shares: dict[tuple[int, int | None], list[int]] = {}
    for index, total in enumerate(shots):
        for number, share in enumerate(_shares(total, terms.max_shots, name)):
            seed = None if seeds is None else spread(seeds[index], number)
            shares.setdefault((share, seed), []).append(index)
    size = 1 if seeds is not None else terms.max_circuits or len(shots) * MAX_SUBMISSIONS
    submissions = [
        Submission(tuple(indices[first : first + size]), share, seed)
        for (share, seed), indices in shares.items()
        for first in range(0, len(indices), size)
    ]
    if seeds is None and len(submissions) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} would be handed {len(submissions)} jobs for this request; at most {MAX_SUBMISSIONS} are submitted",
            limit="jobs",
            requested=len(submissions),
            allowed=MAX_SUBMISSIONS,
        )
    return submissions


def _shares(shots: int, max_shots: int | None, name: str) -> list[int]:
    """Divide shots into shares of the largest size and a remainder.

    Raises:
        LimitError: there would be more than ``MAX_SUBMISSIONS`` shares.
    """
    if max_shots is None or shots <= max_shots:
        return [shots]
    full, remainder = divmod(shots, max_shots)
    if full + bool(remainder) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} runs {max_shots:,} shots at once, and a request may take it {MAX_SUBMISSIONS} times: "
            f"{shots:,} shots are too many",
            limit="shots",
            requested=shots,
            allowed=max_shots * MAX_SUBMISSIONS,
        )
    return [max_shots] * full + [remainder] * bool(remainder)


def seeds_of(seed: int | None, circuits: int) -> list[int]:
    """Return one seed per circuit: ``seed + k`` for circuit k, or random ones if ``seed`` is ``None``."""
    if seed is None:
        return [int(number) for number in np.random.default_rng().integers(_SEED_END, size=circuits)]
    return [(seed + index) % _SEED_END for index in range(circuits)]


def spread(seed: int, share: int = 0) -> int:
    """Return the seed, below ``2**31``, for one share of a circuit's shots.

    Qiskit's simulators draw shot ``i`` of a dynamic circuit with the seed ``seed + i``, so neighbouring
    seeds must end up far apart.
    """
    return int(np.random.SeedSequence((seed, share)).generate_state(1)[0]) >> 1


def without_idle_qubits(circuit: Circuit) -> Circuit:
    """Return the circuit without its idle qubits, on which nothing or only barriers act; the others are renumbered."""
    acted_on = {qubit for op in circuit.operations if op.name != "barrier" for qubit in op.qubits}
    if len(acted_on) == circuit.num_qubits:
        return circuit
    new_index = {qubit: index for index, qubit in enumerate(sorted(acted_on))}
    operations = []
    for op in circuit.operations:
        qubits = tuple([new_index[qubit] for qubit in op.qubits if qubit in new_index])
        if qubits or op.name != "barrier":
            operations.append(msgspec.structs.replace(op, qubits=qubits))
    return Circuit(len(acted_on), circuit.num_clbits, operations)
