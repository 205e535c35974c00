"""Stim (https://github.com/quantumlib/Stim), checked against 1.16.0.

Stabilizer circuits: Clifford gates, measurements, resets, and what depends on their outcomes, on thousands of qubits.
A gate whose angles make it a Clifford gate counts as one. Any other gate is refused before the adapter sees it,
because Stim itself would round it silently. Global phases, which no outcome shows, are left out.

Stim's sampler can express one kind of condition: a Pauli gate that depends on one clbit. If a condition is a
conjunction, or if anything but a Pauli gate depends on it, the shared driver follows each outcome once with Stim's
tableaux. It does the same for exact probabilities. The measurement of a stabilizer state gives 0, or 1, or either
with probability one half, so all of this is exact. The same seed gives the same counts only on machines whose vector
instructions are equally wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isqrt
from typing import ClassVar
from zlib import crc32

import numpy as np
import stim
from numpy.typing import NDArray

from adapters.base import Adapter, Run, with_all_clbits, without_hidden
from adapters.shared.costs import Costs
from adapters.shared.dense import counts_of_columns, without_idle_qubits
from adapters.shared.pauli import PauliSums, String, ones
from adapters.shared.populations import Bounds, SegmentCache, SegmentKey, follow, states_in_step
from adapters.shared.program import Program, make_program
from adapters.shared.room import hold_outcomes
from adapters.shared.state_results import compacted
from adapters.shared.tables import Table
from gateway.circuit import Circuit, Operation
from gateway.circuit.operations import CONTROL, Condition
from gateway.counts import Counts, Probabilities
from gateway.errors import LimitError, UnsupportedError
from gateway.expectation import Expectation
from gateway.noise import CHANNELS, Channel
from gateway.results import Sampling
from gateway.shot_memory import Memory
from gateway.simulators import SIMULATORS

Bits = NDArray[np.uint8]

MOST_OUTCOMES = 2**20
"""How many outcomes an exact distribution may have."""

_BYTES_AT_ONCE = 2**24
_CONTROLLED = {"x": "CX", "y": "CY", "z": "CZ"}


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """A circuit of Stim's.

    Args:
        circuit: the gates and measurements, with their conditions.
        measurement_of_clbit: clbit -> number of the measurement whose outcome it takes; the other clbits are 0.
        misread: number of a measurement -> the probabilities that 0 is written as 1 and 1 as 0, where they differ.
    """

    circuit: stim.Circuit
    measurement_of_clbit: dict[int, int]
    num_clbits: int
    misread: Mapping[int, tuple[float, ...]] = field(default_factory=dict)


class StimAdapter(Adapter[NativeCircuit | None]):
    """Stim's compiled sampler, and its tableau simulator for conditions that the sampler cannot express."""

    name = "stim"
    capabilities = SIMULATORS["stim"].capabilities
    costs = Costs(operation=800)
    native_gates: ClassVar[Mapping[str, str]] = {
        "gphase": "",
        "id": "I",
        "x": "X",
        "y": "Y",
        "z": "Z",
        "h": "H",
        "s": "S",
        "sdg": "S_DAG",
        "sx": "SQRT_X",
        "sxdg": "SQRT_X_DAG",
        "cx": "CX",
        "CX": "CX",
        "cy": "CY",
        "cz": "CZ",
        "swap": "SWAP",
        "iswap": "ISWAP",
    }

    def version(self) -> str:
        """Return Stim's version."""
        return str(stim.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit | None:
        """Convert to a circuit of Stim's; ``None`` if the circuit has something classical that Stim cannot express."""
        lines: list[str] = []
        measurement_of_clbit: dict[int, int] = {}
        num_measurements = 0
        misread: dict[int, tuple[float, ...]] = {}
        for op in circuit.operations:
            if op.name in CONTROL:
                return None
            if op.condition:
                try:
                    lines.append(_conditional_line(op, measurement_of_clbit, num_measurements))
                except _Inexpressible:
                    return None
            elif op.name == "measure":
                lines.append(_measurement(op))
                if op.params and op.params[0] != op.params[1]:
                    misread[num_measurements] = op.params
                measurement_of_clbit[op.clbits[0]] = num_measurements
                num_measurements += 1
            else:
                lines.append(_line(op))
        if misread and any(op.condition for op in circuit.operations):
            return None
        return NativeCircuit(stim.Circuit("\n".join(lines)), measurement_of_clbit, circuit.num_clbits, misread)

    def sample(self, native: NativeCircuit | None, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``Circuit.compile_sampler``."""
        if native is None:
            raise UnsupportedError(
                f"{self.name}'s own sampler knows Pauli gates that depend on one clbit, and nothing else of the kind: "
                "leave sampling at 'auto'",
                feature="native conditions",
                simulator=self.name,
            )
        if not native.measurement_of_clbit:
            return Counts.trusted({"0" * native.num_clbits: shots}, native.num_clbits)
        totals: dict[str, int] = {}
        for outcomes in _sampled(native, shots, seed):
            columns = {clbit: outcomes[:, number] for clbit, number in native.measurement_of_clbit.items()}
            _add(totals, counts_of_columns(columns, native.num_clbits))
            hold_outcomes(len(totals))
        return Counts.trusted(totals, native.num_clbits)

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Sample with Stim's sampler, or follow the outcomes if the sampler cannot express a condition."""
        with run.building():
            compact = without_idle_qubits(circuit)
            native = self.build(with_all_clbits(compact))
        if native is not None or run.sampling is Sampling.NATIVE:
            run.sampler = "native"
            _take_tableau(compact.num_qubits, run)
            with run.running():
                return without_hidden(self.sample(native, shots=run.shots, seed=run.seed), circuit)
        if run.details.noise is not None:
            raise UnsupportedError(
                f"{self.name} has noise where its own sampler runs the circuit: it knows Pauli gates that depend on "
                "one clbit with symmetric errors of readout, and no other condition",
                feature="noise with conditions",
                simulator=self.name,
            )
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        totals: dict[str, int] = {}
        with run.building():
            program = make_program(compact)
        at_once = max(_BYTES_AT_ONCE // (program.num_qubits + program.num_clbits + 1), 1)
        with run.running():
            for table, space in self._leaves(program, run, rng):
                rows = np.repeat(np.arange(len(table)), table.amounts)
                for begin in range(0, len(rows), at_once):
                    of_piece = rows[begin : begin + at_once]
                    _add(totals, _count(space.draw(len(of_piece), rng), program, table, of_piece))
                    hold_outcomes(len(totals))
        return Counts.trusted(totals, circuit.num_clbits)

    def expectation(self, circuit: Circuit, run: Run) -> Expectation:
        """Return the values of observables; exact ones from the tableau, where the circuit has a single state."""
        gates = None if run.shots or run.details.noise is not None else compacted(circuit)
        if gates is None:
            return super().expectation(circuit, run)
        sums = gates.on_busy_qubits(PauliSums.of(run.details.observables or ()))
        num_qubits = gates.circuit.num_qubits
        _take_tableau(num_qubits, run)
        with run.building():
            target = stim.Circuit("\n".join(map(_line, gates.circuit.operations)))
        with run.running():
            state = stim.TableauSimulator()
            state.set_num_qubits(num_qubits)
            state.do(target)
            values = sums.values(np.array([_peek(state, string, num_qubits) for string in sums.strings]))
        return Expectation(values, width=circuit.num_clbits)

    def memory(self, circuit: Circuit, run: Run) -> Memory:
        """Return the bits of each shot as Stim's sampler gives them, where the sampler can express the circuit."""
        with run.building():
            compact = without_idle_qubits(circuit)
            native = self.build(with_all_clbits(compact))
        if native is None:
            return super().memory(circuit, run)
        self.take_memory(circuit, run)
        run.sampler = "native"
        _take_tableau(compact.num_qubits, run)
        with run.running():
            packed = np.zeros((run.shots, -(-circuit.num_clbits // 8)), dtype=np.uint8)
            shown = {clbit: n for clbit, n in native.measurement_of_clbit.items() if clbit < circuit.num_clbits}
            begin = 0
            for outcomes in _sampled(native, run.shots, run.seed):
                rows = packed[begin : begin + len(outcomes)]
                for clbit, number in shown.items():
                    rows[:, clbit // 8] |= outcomes[:, number].astype(np.uint8) << clbit % 8
                begin += len(outcomes)
        return Memory.trusted(packed, circuit.num_clbits)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits.

        Raises:
            LimitError: more than ``MOST_OUTCOMES`` outcomes are possible.
        """
        if run.details.noise is not None:
            raise UnsupportedError(
                f"{self.name} draws shots of noisy circuits, and has no exact results of them: give shots",
                feature="exact probabilities with noise",
                simulator=self.name,
            )
        totals: dict[str, float] = {}
        with run.building():
            program = make_program(without_idle_qubits(circuit))
        with run.running():
            for table, space in self._leaves(program, run, None):
                _check_outcomes(len(totals) + space.outcomes * len(table))
                for row, weight in enumerate(table.amounts.tolist()):
                    share = weight / space.outcomes
                    for outcomes in space.all():
                        for key, times in _count(outcomes, program, table, np.full(len(outcomes), row)).items():
                            totals[key] = totals.get(key, 0.0) + share * times
                    hold_outcomes(len(totals))
        return Probabilities(totals, circuit.num_clbits)

    def _leaves(self, program: Program, run: Run, rng: np.random.Generator | None) -> Iterator[tuple[Table, Outcomes]]:
        """Yield each population at its end with the possible outcomes of the qubits that are measured last."""
        if program.static:
            _take_tableau(program.num_qubits, run)
        bounds = partial(self._bounds, program, run)
        for table, state in follow(program, _Simulation(program), rng, bounds, run.shots):
            yield table, _outcomes(state, program.measured, exact=rng is None)

    def _bounds(self, program: Program, run: Run) -> Bounds:
        return Bounds(
            partial(_take_tableaux, program, run),
            depth=program.depth(run.shots) + 1,
            in_step=states_in_step(program, run.shots, program.num_qubits**2),
            turns=self.max_loop_iterations,
            index_of=run.index_of_control,
        )


def _sampled(native: NativeCircuit, shots: int, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Yield outcomes, ``[m, measurements]``, for as many shots at a time as take little memory."""
    if not native.measurement_of_clbit:
        return
    sampler, rng = native.circuit.compile_sampler(seed=seed), np.random.default_rng(seed)
    # While it samples, Stim holds two bits of each qubit for every shot.
    of_shot = native.circuit.num_measurements + native.circuit.num_qubits // 4
    at_once = max(_BYTES_AT_ONCE // of_shot, 1)
    for begin in range(0, shots, at_once):
        outcomes = sampler.sample(min(at_once, shots - begin))
        for number, (zero_as_one, one_as_zero) in native.misread.items():
            chances = np.where(outcomes[:, number], one_as_zero, zero_as_one)
            outcomes[:, number] ^= rng.random(len(chances)) < chances
        yield outcomes


def _peek(state: stim.TableauSimulator, string: String, num_qubits: int) -> float:
    """Return the value of a Pauli string: 1, -1 or 0."""
    observable = stim.PauliString(num_qubits)
    for qubit in ones(string.support):
        observable[qubit] = _NUMBER[string.x >> qubit & 1, string.z >> qubit & 1]
    return float(state.peek_observable_expectation(observable))


_NUMBER = {(1, 0): 1, (1, 1): 2, (0, 1): 3}
"""Stim's numbers of the letters X, Y and Z."""


# ---------------------------------------------------------------------------- text


def _line(op: Operation) -> str:
    """Return an operation without a condition as a line of Stim's text; empty for a global phase."""
    if op.name in CHANNELS:
        return _channel(op)
    name = "R" if op.name == "reset" else StimAdapter.native_gates.get(op.name, "")
    return f"{name} {' '.join(map(str, op.qubits))}" if name else ""


def _measurement(op: Operation) -> str:
    """Return a measurement; the outcome is flipped where both are equally likely to be misread."""
    is_symmetric = op.params and op.params[0] == op.params[1]
    return f"M({op.params[0]}) {op.qubits[0]}" if is_symmetric else f"M {op.qubits[0]}"


def _channel(op: Operation) -> str:
    """Return a channel as one of Pauli gates; Stim's ``DEPOLARIZE1`` takes no probability above 3/4."""
    (probability,) = op.params
    where = " ".join(map(str, op.qubits))
    if op.name == Channel.DEPOLARIZING2:
        return f"PAULI_CHANNEL_2({','.join([repr(probability / 15)] * 15)}) {where}"
    if op.name == Channel.DEPOLARIZING:
        return f"PAULI_CHANNEL_1({','.join([repr(probability / 3)] * 3)}) {where}"
    return f"{'X_ERROR' if op.name == Channel.BIT_FLIP else 'Z_ERROR'}({probability!r}) {where}"


def _conditional_line(op: Operation, measurement_of_clbit: dict[int, int], num_measurements: int) -> str:
    """Return an operation with a condition as lines of Stim's text; empty if it has no effect.

    Args:
        op: the operation.
        measurement_of_clbit: clbit -> number of the last measurement into it.
        num_measurements: how many measurements come before the operation.

    Raises:
        _Inexpressible: Stim cannot express it.
    """
    bits = _assignment(op.condition, measurement_of_clbit)
    if bits is None or op.name in {"gphase", "id"}:
        return ""
    if op.name not in _CONTROLLED or len(bits) > 1:
        raise _Inexpressible
    if not bits:
        return _line(op)
    ((clbit, value),) = bits.items()
    line = f"{_CONTROLLED[op.name]} rec[{measurement_of_clbit[clbit] - num_measurements}] {op.qubits[0]}"
    return line if value else f"{line}\n{_line(op)}"


def _assignment(condition: Condition, measurement_of_clbit: dict[int, int]) -> dict[int, int] | None:
    """Return the value that each measured clbit must have for a condition to hold; ``None`` if it never holds.

    Clbits that nothing was measured into are 0.

    Raises:
        _Inexpressible: no single assignment says when the condition holds.
    """
    bits: dict[int, int] = {}
    for comparison in condition:
        values = {clbit: comparison.value >> place & 1 for place, clbit in enumerate(comparison.clbits)}
        may_be_equal = not any(value for clbit, value in values.items() if clbit not in measurement_of_clbit)
        values = {clbit: value for clbit, value in values.items() if clbit in measurement_of_clbit}
        if not comparison.equal:
            if may_be_equal and len(values) > 1:
                raise _Inexpressible
            if may_be_equal and not values:
                return None
            values = {clbit: 1 - value for clbit, value in values.items() if may_be_equal}
        elif not may_be_equal:
            return None
        if any(bits.setdefault(clbit, value) != value for clbit, value in values.items()):
            return None
    return bits


class _Inexpressible(Exception):  # noqa: N818 - reads as a fact
    """Stim's circuits cannot express a condition."""


# ---------------------------------------------------------------------------- following outcomes


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The possible outcomes of measuring some qubits of a stabilizer state, all equally likely.

    Each outcome is the sum, modulo 2, of one fixed outcome and some rows of a basis.

    Args:
        one: the fixed outcome, ``[k]``.
        basis: linearly independent rows, ``[r, k]``.
    """

    one: Bits
    basis: Bits

    @property
    def outcomes(self) -> int:
        """The number of possible outcomes."""
        return 1 << len(self.basis)

    def draw(self, shots: int, rng: np.random.Generator) -> Bits:
        """Draw outcomes at random and return them as ``[shots, k]``."""
        return self._combine(rng.integers(0, 2, size=(shots, len(self.basis)), dtype=np.uint8))

    def all(self) -> Iterator[Bits]:
        """Yield each outcome once, as ``[m, k]`` for as many at a time as take little memory."""
        rows = max(_BYTES_AT_ONCE // (16 * (len(self.basis) + 1) + len(self.one)), 1)
        for begin in range(0, self.outcomes, rows):
            numbers = np.arange(begin, min(begin + rows, self.outcomes))[:, None] >> np.arange(len(self.basis)) & 1
            yield self._combine(numbers.astype(np.uint8))

    def _combine(self, coefficients: Bits) -> Bits:
        outcomes: Bits = np.bitwise_xor(coefficients @ self.basis & 1, self.one, dtype=np.uint8)
        return outcomes


class _Simulation:
    """What the shared driver needs of Stim's tableau simulator.

    Args:
        program: what is run.
    """

    def __init__(self, program: Program) -> None:
        self._num_qubits = program.num_qubits
        self._circuits: SegmentCache[stim.Circuit] = SegmentCache(program)

    def advance(
        self, key: SegmentKey, gates: list[Operation], state: stim.TableauSimulator | None
    ) -> stim.TableauSimulator:
        """Return the state after gates."""
        circuit = self._circuits.get(key, len(gates), lambda: stim.Circuit("\n".join(map(_line, gates))))
        after = stim.TableauSimulator() if state is None else state.copy()
        after.set_num_qubits(self._num_qubits)
        after.do(circuit)
        return after

    def probability_of_one(self, state: stim.TableauSimulator, qubit: int) -> float:
        """Return the probability that measuring a qubit gives 1."""
        return float(1 - state.peek_z(qubit)) / 2

    def project(
        self, state: stim.TableauSimulator, qubit: int, outcome: int, *, flip: bool = False
    ) -> stim.TableauSimulator:
        """Return the state after an outcome."""
        after = state.copy()
        after.postselect_z(qubit, desired_value=bool(outcome))
        if flip:
            after.x(qubit)
        return after

    def fingerprint(self, state: stim.TableauSimulator) -> float:
        """Return a number below 1 that is made of the canonical stabilizers, which are the same for equal states."""
        return crc32(_canonical(state)) / 2**32

    def same(self, state: stim.TableauSimulator, other: stim.TableauSimulator) -> bool:
        """Return whether two states are the same."""
        return _canonical(state) == _canonical(other)


def _canonical(state: stim.TableauSimulator) -> bytes:
    return "".join(map(str, state.canonical_stabilizers())).encode()


def _take_tableau(num_qubits: int, run: Run) -> None:
    """Take room for the one tableau from which Stim's sampler has its reference sample: a byte for each pair."""
    run.room.take_states({"states": num_qubits**2}, num_qubits, isqrt)


def _take_tableaux(program: Program, run: Run, waiting: int) -> None:
    """Take room for the tableaux that wait, and for what reads the outcomes from one of them."""
    of_one = 12  # bytes for each pair of qubits; a tableau that waits needs one
    parts = {"states": of_one * program.num_qubits**2, "branches": waiting * program.num_qubits**2}
    run.room.take_states(parts, program.num_qubits, lambda left: isqrt(left // (of_one + waiting)))


def _outcomes(state: stim.TableauSimulator, qubits: list[int], *, exact: bool) -> Outcomes:
    """Return the possible outcomes of measuring some qubits.

    Pulled back through the circuit that made the state, each measured Z is a product of Paulis on qubits that are
    all 0. A Z inserted there changes nothing, but it flips the outcomes of those products that have an X or Y on its
    qubit. These flips span the differences between outcomes (Gidney, arXiv:2103.02202, section 2.2).

    Raises:
        LimitError: ``exact``, and more than ``MOST_OUTCOMES`` outcomes are possible.
    """
    flips = state.current_inverse_tableau().to_numpy()[2][qubits].T.astype(np.uint8)
    one = np.array(state.copy().measure_many(*qubits), dtype=np.uint8)
    rank = 0
    for column in range(len(qubits)):
        (rows_with_one,) = np.nonzero(flips[:, column])
        pivots = rows_with_one[rows_with_one >= rank]
        if not len(pivots):
            continue
        flips[[rank, pivots[0]]] = flips[[pivots[0], rank]]
        (rows_with_one,) = np.nonzero(flips[:, column])
        flips[rows_with_one[rows_with_one != rank]] ^= flips[rank]
        one ^= flips[rank] * one[column]
        rank += 1
        if exact:
            _check_outcomes(1 << rank)
    return Outcomes(one, flips[:rank])


def _count(outcomes: Bits, program: Program, table: Table, rows: NDArray[np.intp]) -> Counts:
    """Count the outcomes of a population, each with the clbits of its row that were written before the end."""
    place = {qubit: position for position, qubit in enumerate(program.measured)}
    columns = {clbit: outcomes[:, place[qubit]] for clbit, qubit in program.final.items()}
    for clbit, column in program.shown.items():
        of_table = table.column(column)
        if of_table.any():
            columns[clbit] = of_table[rows]
    if not columns:
        return Counts.trusted({"0" * program.num_clbits: len(outcomes)}, program.num_clbits)
    return counts_of_columns(columns, program.num_clbits)


def _add(totals: dict[str, int], counts: Counts) -> None:
    for key, times in counts.items():
        totals[key] = totals.get(key, 0) + times


def _check_outcomes(number: int) -> None:
    """Refuse a distribution over too many outcomes."""
    if number > MOST_OUTCOMES:
        raise LimitError(
            f"the circuit has at least {number:,} outcomes; exact probabilities are given for up to "
            f"{MOST_OUTCOMES:,}: ask for shots",
            limit="outcomes",
            requested=number,
            allowed=MOST_OUTCOMES,
        )
