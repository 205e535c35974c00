"""What all simulators that hand over a dense state vector share.

The shared generator: with ``p`` the exact distribution of the measured qubits as float64,
normalised, shots are one draw ``numpy.random.default_rng(seed).multinomial(shots, p)`` (PCG64).
It costs the same for any number of shots, follows one seed rule for all simulators, and decides
the bit order in one place. In a dynamic circuit the same generator first splits the shots among
the branches, depth first, outcome 0 before outcome 1.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.base import Adapter, N, Run
from adapters.shared.branching import Branch, Explorer, Plan, SegmentKey, make_plan
from adapters.shared.states import Distribution, State, bitstrings, distribution, probability_of_one, project
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts, Probabilities, Statevector
from gateway.results import Sampling

NEGLIGIBLE = 1e-15
"""Exact probabilities below this are rounding noise and are left out."""


class DenseAdapter(Adapter[N]):
    """An adapter of a simulator whose state vector can be read and set."""

    hands_over_states = True

    @abstractmethod
    def evolve(self, native: N, state: State | None = None) -> State:
        """Return the state after a circuit of gates.

        Args:
            native: what ``build`` returned for gates only.
            state: the initial state, complex128 ``[2**n]``, little-endian, normalised; ``None``
                for all qubits 0. Not modified.

        Returns:
            A new array, complex128 ``[2**n]``, little-endian, owned by the caller.
        """

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Sample with the shared generator, or natively when asked to."""
        with run.building():
            compact = without_idle_qubits(circuit)
            plan = make_plan(compact)
        if run.sampling is Sampling.NATIVE:
            self.check_memory(plan.num_qubits)
            return super().counts(compact, run)
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        totals: dict[str, int] = {}
        for branch, probabilities in self._leaves(plan, rng, run):
            with run.running():
                drawn = rng.multinomial(branch.shots, probabilities)
                (hit,) = np.nonzero(drawn)
                for key, count in zip(_keys(plan, branch, hit), drawn[hit].tolist(), strict=True):
                    totals[key] = totals.get(key, 0) + count
        return Counts.trusted(totals, circuit.num_clbits)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits."""
        totals: dict[str, float] = {}
        with run.building():
            plan = make_plan(without_idle_qubits(circuit))
        for branch, probabilities in self._leaves(plan, None, run):
            with run.running():
                (hit,) = np.nonzero(probabilities > NEGLIGIBLE)
                weights = (branch.weight * probabilities[hit]).tolist()
                for key, weight in zip(_keys(plan, branch, hit), weights, strict=True):
                    totals[key] = totals.get(key, 0.0) + weight
        return Probabilities(totals, circuit.num_clbits)

    def statevector(self, circuit: Circuit, run: Run) -> Statevector:
        """Return the state after a circuit of gates."""
        self.check_memory(circuit.num_qubits)
        with run.building():
            native = self.build(Circuit(max(circuit.num_qubits, 1), 0, circuit.operations))
        with run.running():
            state = self.evolve(native)[: 2**circuit.num_qubits]
        return Statevector(state.tolist(), width=circuit.num_clbits)

    def _leaves(
        self, plan: Plan, rng: np.random.Generator | None, run: Run
    ) -> Iterator[tuple[Branch[State], Distribution]]:
        """Yield each branch at its end with the distribution of the qubits measured last."""
        self.check_memory(plan.num_qubits, plan.copies)
        built: dict[SegmentKey, N] = {}

        def advance(key: SegmentKey, gates: list[Operation], state: State | None) -> State:
            if key not in built:
                with run.building():
                    built[key] = self.build(Circuit(plan.num_qubits, 0, gates))
            with run.running():
                return self.evolve(built[key], state)

        measured = plan.measured
        for branch, state in Explorer(plan, advance, probability_of_one, project, rng).leaves(run.shots):
            with run.running():
                probabilities = distribution(state, measured)
            yield branch, probabilities


def _keys(plan: Plan, branch: Branch[State], indices: NDArray[np.int64]) -> list[str]:
    """Return the bitstrings of some outcomes of a branch."""
    place = {qubit: position for position, qubit in enumerate(plan.measured)}
    places = {clbit: place[qubit] for clbit, qubit in plan.final.items()}
    return bitstrings(indices, places, branch.bits, plan.num_clbits)


def without_idle_qubits(circuit: Circuit) -> Circuit:
    """Return an equivalent circuit whose qubits are all acted on; it has at least one.

    An idle qubit cannot change the outcome of any other, but doubles a state vector.
    """
    operations = [op for op in circuit.operations if op.name != "barrier"]
    used = set().union(*{op.qubits for op in operations})
    if len(used) == circuit.num_qubits > 0:
        return Circuit(circuit.num_qubits, circuit.num_clbits, operations)
    index = {qubit: place for place, qubit in enumerate(sorted(used))}
    return Circuit(
        max(len(index), 1),
        circuit.num_clbits,
        [
            Operation(op.name, tuple([index[qubit] for qubit in op.qubits]), op.params, op.clbits, op.condition)
            for op in operations
        ],
    )


def counts_of_indices(indices: NDArray[np.int64], measured: dict[int, int], num_clbits: int) -> Counts:
    """Count drawn basis states ``[shots]``, bit ``q`` of each being qubit ``q``.

    Args:
        indices: one basis state a shot.
        measured: clbit -> qubit it shows; clbits not in it are 0.
        num_clbits: width of the counts.
    """
    mask = 0
    for qubit in measured.values():
        mask |= 1 << qubit
    distinct, times = np.unique(indices & mask, return_counts=True)
    keys = bitstrings(distinct, measured, 0, num_clbits)
    return Counts.trusted(dict(zip(keys, times.tolist(), strict=True)), num_clbits)


def counts_of_columns(columns: Mapping[int, NDArray[Any]], num_clbits: int) -> Counts:
    """Count drawn bits that come as one column ``[shots]`` of 0 and 1 for each clbit.

    Args:
        columns: clbit -> its outcomes, at least one clbit; clbits not in it are 0.
        num_clbits: width of the counts.
    """
    packed = np.packbits(np.column_stack(list(columns.values())).astype(np.uint8), axis=1, bitorder="little")
    shots, used = packed.shape
    padded = np.zeros((shots, -(-used // 8) * 8), dtype=np.uint8)
    padded[:, :used] = packed
    # Sorting numbers of 64 bits takes a tenth of the time that sorting rows takes.
    words = padded.view("<u8")
    if words.shape[1] == 1:
        distinct, times = np.unique(words[:, 0], return_counts=True)
    else:
        distinct, times = np.unique(words, axis=0, return_counts=True)
    bits = np.unpackbits(distinct.reshape(len(times), -1).view(np.uint8), axis=1, bitorder="little")
    text = np.full((len(times), num_clbits), ord("0"), dtype=np.uint8)
    for place, clbit in enumerate(columns):
        text[:, num_clbits - 1 - clbit] += bits[:, place]
    keys = text.view(f"S{num_clbits}").reshape(-1).astype(f"U{num_clbits}").tolist()
    return Counts.trusted(dict(zip(keys, times.tolist(), strict=True)), num_clbits)
