"""Results that follow from the state of all qubits: state vectors, amplitudes, density matrices, exact expectations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from adapters.base import Adapter, N, Run
from adapters.shared.pauli import Outcomes, PauliSums, String, expectations, ones, rotate
from adapters.shared.room import take_outcomes
from adapters.shared.states import State, distribution
from gateway.amplitudes import Amplitudes
from gateway.circuit import Circuit, Operation
from gateway.circuit.needs import needs
from gateway.circuit.operations import NON_GATES
from gateway.circuit.widening import with_outcome
from gateway.counts import Statevector
from gateway.density_matrix import DensityMatrix
from gateway.enforcement import AMPLITUDE_OF_ANSWER
from gateway.expectation import Expectation


class Compact(NamedTuple):
    """The gates of a circuit on its busy qubits.

    Args:
        circuit: the gates; it has at least one qubit.
        place: qubit -> its number in that circuit, for the busy ones.
        idle: the others, as a mask.
        measured: the qubits that the circuit measures after its gates, as a mask.
    """

    circuit: Circuit
    place: dict[int, int]
    idle: int
    measured: int

    def on_busy_qubits(self, sums: PauliSums) -> PauliSums:
        """Return observables of the same values on the qubits of the circuit.

        Idle qubits are in the state 0: their Z is 1, and a string that flips one has the value 0. So has a string that
        flips a qubit that was measured, since that qubit is in one of two states then.
        """
        if not self.idle and not self.measured:
            return sums
        never = self.idle | self.measured
        kept = [position for position, string in enumerate(sums.strings) if not string.x & never]
        place = np.full(len(sums.strings), -1, dtype=np.int64)
        place[kept] = np.arange(len(kept))
        parts = [
            (place[positions[place[positions] >= 0]], coefficients[place[positions] >= 0])
            for positions, coefficients in sums.parts
        ]
        return PauliSums([self._moved(sums.strings[position]) for position in kept], parts)

    def _moved(self, string: String) -> String:
        """Return a string without idle qubits, on the qubits of the circuit."""
        x, z = (sum([1 << self.place[qubit] for qubit in ones(mask & ~self.idle)]) for mask in string)
        return String(x, z)

    def index_of(self, bitstring: str) -> int | None:
        """Return the index of a basis state of all qubits; ``None`` where an idle qubit would be 1, which is never."""
        index = 0
        for qubit, character in enumerate(reversed(bitstring)):
            if character == "1":
                if qubit not in self.place:
                    return None
                index |= 1 << self.place[qubit]
        return index


def compacted(circuit: Circuit) -> Compact | None:
    """Return the gates of a circuit, ``None`` if it is more than gates that measurements follow."""
    if needs(circuit).dynamic is not None:
        return None
    gates = [op for op in circuit.operations if op.name not in {"barrier", "measure"}]
    busy = set().union(*{op.qubits for op in gates})
    place = {qubit: number for number, qubit in enumerate(sorted(busy))}
    measured = sum({1 << op.qubits[0] for op in circuit.operations if op.name == "measure"})
    if len(busy) < circuit.num_qubits:
        gates = [Operation(op.name, tuple([place[qubit] for qubit in op.qubits]), op.params) for op in gates]
    idle = (1 << circuit.num_qubits) - 1 - sum([1 << qubit for qubit in busy])
    return Compact(Circuit(max(len(busy), 1), 0, gates), place, idle, measured)


def on_busy_qubits(circuit: Circuit, sums: PauliSums) -> PauliSums:
    """Return observables of the same values on the busy qubits of any circuit, in order."""
    busy = set().union(*{op.qubits for op in circuit.operations if op.name != "barrier"})
    place = {qubit: number for number, qubit in enumerate(sorted(busy))}
    idle = (1 << circuit.num_qubits) - 1 - sum([1 << qubit for qubit in busy])
    return Compact(circuit, place, idle, 0).on_busy_qubits(sums)


def used_to_the_end(circuit: Circuit) -> Circuit:
    """Return a circuit of the same states, of which no measurement or reset can be put off, nor any clbit be seen."""
    rest = [Operation("u", (qubit,), (0.0, 0.0, 0.0)) for qubit in range(circuit.num_qubits)]
    hidden = with_outcome(circuit, ())
    return hidden.with_operations([*hidden.operations, *rest])


class StateResults(Adapter[N]):
    """An adapter of a simulator whose state can be read after a circuit of gates."""

    @abstractmethod
    def final_state(self, circuit: Circuit, run: Run) -> State:
        """Return the state after a lowered circuit of gates, which has at least one qubit.

        The room for the state is taken. Building and simulating are added to the times of the run.

        Returns:
            complex128 ``[2**n]``, little-endian.
        """

    @abstractmethod
    def final_states(self, circuit: Circuit, run: Run) -> Iterator[tuple[float, State]]:
        """Yield the states in which a lowered circuit can end, each with its exact weight; the weights sum to 1.

        The room for the states is taken. Each state is complex128 ``[2**n]``, little-endian.
        """

    @abstractmethod
    def take_final_state(self, num_qubits: int, run: Run, *, extra: int = 0, answer: bool = False) -> None:
        """Take room for the state of some qubits.

        Args:
            num_qubits: the number of qubits.
            run: the run under way.
            extra: bytes for each amplitude that are needed besides.
            answer: whether the state vector is the result.

        Raises:
            LimitError: it does not fit.
        """

    def statevector(self, circuit: Circuit, run: Run) -> Statevector:
        """Return the state after a circuit of gates."""
        self.take_final_state(circuit.num_qubits, run, answer=True)
        state = self.final_state(Circuit(max(circuit.num_qubits, 1), 0, circuit.operations), run)
        with run.running():
            return Statevector.trusted(state[: 2**circuit.num_qubits], circuit.num_clbits)

    def amplitudes(self, circuit: Circuit, run: Run) -> Amplitudes:
        """Return the amplitudes of the basis states that were asked for; idle qubits are not simulated."""
        gates = run.kept("compacted", lambda: compacted(circuit))
        assert gates is not None  # noqa: S101 - a circuit without a single state was refused
        indices = {bitstring: gates.index_of(bitstring) for bitstring in run.details.bitstrings or ()}
        busy = [index for index in indices.values() if index is not None]
        found = dict(zip(busy, self.some_amplitudes(gates.circuit, busy, run), strict=True))
        amplitudes = {bitstring: 0j if index is None else found[index] for bitstring, index in indices.items()}
        return Amplitudes(amplitudes, circuit.num_clbits)

    def some_amplitudes(self, circuit: Circuit, indices: Sequence[int], run: Run) -> list[complex]:
        """Return amplitudes of the state after a circuit of gates; the indices are little-endian."""
        self.take_final_state(circuit.num_qubits, run)
        state = self.final_state(circuit, run)
        with run.running():
            return [complex(state[index]) for index in indices]

    def density_matrix(self, circuit: Circuit, run: Run) -> DensityMatrix:
        """Return the density matrix at the end of a circuit: the outer products of its states with their weights."""
        size = 2**circuit.num_qubits
        self.take_matrix(circuit.num_qubits, run)
        matrix = np.zeros((size, size), dtype=np.complex128)
        for weight, state in self._mixture(circuit, run):
            with run.running():
                matrix += weight * np.outer(state[:size], state[:size].conj())
        return DensityMatrix.trusted(matrix, circuit.num_clbits)

    def _mixture(self, circuit: Circuit, run: Run) -> Iterator[tuple[float, State]]:
        if all(op.name not in NON_GATES and not op.condition for op in circuit.operations if op.name != "barrier"):
            yield 1.0, self.final_state(Circuit(max(circuit.num_qubits, 1), 0, circuit.operations), run)
        else:
            yield from self.final_states(used_to_the_end(circuit), run)

    def expectation(self, circuit: Circuit, run: Run) -> Expectation:
        """Return the values of observables: exact ones from the state, where the circuit has a single one."""
        is_mixed = run.shots or run.details.noise is not None
        gates = None if is_mixed else run.kept("compacted", lambda: compacted(circuit))
        if gates is None:
            return super().expectation(circuit, run)
        sums = run.kept("sums", lambda: gates.on_busy_qubits(PauliSums.of(run.details.observables or ())))
        needs_state = any(string.support for string in sums.strings)
        values = self.values_of(gates.circuit, sums, run) if needs_state else sums.values(np.ones(len(sums.strings)))
        return Expectation(values, width=circuit.num_clbits)

    def values_of(self, circuit: Circuit, sums: PauliSums, run: Run) -> list[float]:
        """Return the exact value of each observable in the state after a circuit of gates."""
        self.take_final_state(circuit.num_qubits, run, extra=_OF_PRODUCTS)
        state = self.final_state(circuit, run)
        with run.running():
            return sums.values(expectations(state, sums.strings))

    def take_matrix(self, num_qubits: int, run: Run, *, of_entry: int = 0) -> None:
        """Take room for a density matrix that is the result, before anything is allocated.

        Args:
            num_qubits: the number of qubits.
            run: the run under way.
            of_entry: bytes for each entry that are needed besides.

        Raises:
            LimitError: it does not fit; ``allowed`` is the number of qubits that would.
        """
        of_entry += AMPLITUDE_OF_ANSWER

        def allowed(left: int) -> int:
            return max((left // of_entry).bit_length() - 1, 0) // 2

        run.room.take_states({"answer": of_entry << 2 * num_qubits}, num_qubits, allowed)


_OF_PRODUCTS = 32
"""Bytes for each amplitude: its products with others, and their sums."""


def draw(state: State, gates: Compact, basis: Mapping[int, str], shots: int, rng: np.random.Generator) -> Outcomes:
    """Draw outcomes of measuring some qubits of a circuit in X, Y or Z.

    An idle qubit gives 0 in Z. In X and Y it gives either outcome, whatever the others give, and so does a qubit that
    the circuit has measured.

    Args:
        state: the state after ``gates``.
        gates: of the circuit.
        basis: qubit of the circuit -> the letter in which it is measured.
        shots: at least one.
        rng: the generator that draws.

    Raises:
        LimitError: the outcomes do not fit into the memory that the run may use.
    """
    place = gates.place
    coins = {q for q, letter in basis.items() if letter != "Z" and (q not in place or gates.measured >> q & 1)}
    drawn = [qubit for qubit in basis if qubit in place and qubit not in coins]
    turned = rotate(state, {place[qubit]: basis[qubit] for qubit in drawn})
    times = rng.multinomial(shots, distribution(turned, [place[qubit] for qubit in drawn]))
    (indices,) = np.nonzero(times)
    weights = times[indices].astype(np.float64)
    take_outcomes(shots if coins else len(indices), len(basis))
    if coins:
        indices, weights = np.repeat(indices, times[indices]), np.ones(shots)
    bits = np.zeros((len(indices), len(basis)), dtype=np.uint8)
    for column, qubit in enumerate(basis):
        if qubit in coins:
            bits[:, column] = rng.integers(0, 2, size=len(indices), dtype=np.uint8)
        elif qubit in place:
            bits[:, column] = indices >> drawn.index(qubit) & 1
    return Outcomes(bits, weights)
