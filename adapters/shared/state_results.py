"""Results that follow from the state of all qubits: state vectors, amplitudes, density matrices, exact expectations."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from adapters.base import Adapter, N, Run
from adapters.shared.pauli import Outcomes, PauliSums, String, Values, expectations, ones, rotate
from adapters.shared.states import State, distribution
from gateway.amplitudes import Amplitudes
from gateway.circuit import Circuit, Operation
from gateway.circuit.needs import needs
from gateway.counts import Statevector
from gateway.density_matrix import DensityMatrix
from gateway.enforcement import AMPLITUDE_OF_ANSWER
from gateway.expectation import Expectation


class Compact(NamedTuple):
    """The gates of a circuit on its busy qubits.

    Args:
        circuit: the gates; it has at least one qubit.
        place: qubit -> its number in that circuit, for the busy ones.
        measured: the qubits that the circuit measures after its gates, as a mask.
    """

    circuit: Circuit
    place: dict[int, int]
    measured: int

    def on_busy_qubits(self, string: String) -> String | None:
        """Return a string on the qubits of the circuit, ``None`` if its value is surely 0.

        Idle qubits are in the state 0: their Z is 1, and what flips them gives 0. So does what flips a qubit that was
        measured, since that qubit is in one of two states then.
        """
        idle = string.support & ~sum(1 << qubit for qubit in self.place)
        if string.x & (idle | self.measured):
            return None
        return String(*(sum(1 << self.place[qubit] for qubit in ones(mask & ~idle)) for mask in string))


def compact(circuit: Circuit) -> Compact | None:
    """Return the gates of a circuit, ``None`` if it is more than gates that measurements follow."""
    if needs(circuit).dynamic is not None:
        return None
    gates = [op for op in circuit.operations if op.name not in {"barrier", "measure"}]
    busy = set().union(*{op.qubits for op in gates})
    place = {qubit: number for number, qubit in enumerate(sorted(busy))}
    measured = sum({1 << op.qubits[0] for op in circuit.operations if op.name == "measure"})
    if len(busy) < circuit.num_qubits:
        gates = [Operation(op.name, tuple([place[qubit] for qubit in op.qubits]), op.params) for op in gates]
    return Compact(Circuit(max(len(busy), 1), 0, gates), place, measured)


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
            return Statevector(state[: 2**circuit.num_qubits].tolist(), width=circuit.num_clbits)

    def amplitudes(self, circuit: Circuit, run: Run) -> Amplitudes:
        """Return the amplitudes of the basis states that were asked for; idle qubits are not simulated."""
        wanted = run.details.bitstrings or ()
        gates = compact(circuit)
        assert gates is not None  # noqa: S101 - a circuit without a single state was refused
        self.take_final_state(gates.circuit.num_qubits, run)
        state = self.final_state(gates.circuit, run)
        with run.running():
            found = {bitstring: _amplitude(state, bitstring, gates.place) for bitstring in wanted}
        return Amplitudes(found, circuit.num_clbits)

    def density_matrix(self, circuit: Circuit, run: Run) -> DensityMatrix:
        """Return the density matrix of the state after a circuit of gates: a pure state's outer product."""
        n = circuit.num_qubits
        self._take_matrix(n, run)
        state = self.final_state(Circuit(max(n, 1), 0, circuit.operations), run)[: 2**n]
        with run.running():
            return DensityMatrix(np.outer(state, state.conj()), circuit.num_clbits)

    def expectation(self, circuit: Circuit, run: Run) -> Expectation:
        """Return the values of observables: exact ones from the state, where the circuit has a single one."""
        gates = None if run.shots else compact(circuit)
        if gates is None:
            return super().expectation(circuit, run)
        sums = PauliSums.of(run.details.observables or ())
        values = self.values_of_strings(gates, sums, run)
        return Expectation(sums.values(values), width=circuit.num_clbits)

    def values_of_strings(self, gates: Compact, sums: PauliSums, run: Run) -> Values:
        """Return the exact value of each string, ``[strings]``."""
        strings = [gates.on_busy_qubits(string) for string in sums.strings]
        sure = [string for string in strings if string is not None]
        values = np.zeros(len(strings))
        if any(string.support for string in sure):
            self.take_final_state(gates.circuit.num_qubits, run, extra=_OF_PRODUCTS)
            state = self.final_state(gates.circuit, run)
            with run.running():
                values[[string is not None for string in strings]] = expectations(state, sure)
        else:
            values[[string is not None for string in strings]] = 1.0
        return values

    def _take_matrix(self, num_qubits: int, run: Run) -> None:
        """Take room for a density matrix, before anything is allocated.

        Raises:
            LimitError: it does not fit; ``allowed`` is the number of qubits that would.
        """
        of_entry = AMPLITUDE_OF_ANSWER

        def allowed(left: int) -> int:
            return max((left // of_entry).bit_length() - 1, 0) // 2

        run.room.take_states({"answer": of_entry << 2 * num_qubits}, num_qubits, allowed)


_OF_PRODUCTS = 32
"""Bytes for each amplitude: its products with others, and their sums."""


def _amplitude(state: State, bitstring: str, place: dict[int, int]) -> complex:
    """Return the amplitude of a basis state of all qubits, of which ``state`` has the busy ones."""
    index = 0
    for qubit, character in enumerate(reversed(bitstring)):
        if character == "1":
            if qubit not in place:
                return 0j
            index |= 1 << place[qubit]
    return complex(state[index])


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
    """
    place = gates.place
    coins = {q for q, letter in basis.items() if letter != "Z" and (q not in place or gates.measured >> q & 1)}
    drawn = [qubit for qubit in basis if qubit in place and qubit not in coins]
    turned = rotate(state, {place[qubit]: basis[qubit] for qubit in drawn})
    times = rng.multinomial(shots, distribution(turned, [place[qubit] for qubit in drawn]))
    (indices,) = np.nonzero(times)
    weights = times[indices].astype(np.float64)
    if coins:
        indices, weights = np.repeat(indices, times[indices]), np.ones(shots)
    bits = np.zeros((len(indices), len(basis)), dtype=np.uint8)
    for column, qubit in enumerate(basis):
        if qubit in coins:
            bits[:, column] = rng.integers(0, 2, size=len(indices), dtype=np.uint8)
        elif qubit in place:
            bits[:, column] = indices >> drawn.index(qubit) & 1
    return Outcomes(bits, weights)
