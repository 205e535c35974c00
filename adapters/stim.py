"""Stim (https://github.com/quantumlib/Stim), checked against 1.16.0.

Stabilizer circuits: Clifford gates, measurements, resets, and what depends on their outcomes, on thousands of qubits.
A gate whose angles make it a Clifford gate is one; any other is refused before it gets here, since Stim itself would
round it in silence. Global phases, which no outcome shows, are left out.

Stim's sampler runs a circuit whose conditions it can say: a Pauli gate that depends on one clbit. Where a condition
is a conjunction, or a gate, measurement or reset of another kind depends on it, the shared driver follows the
outcomes, each once, with Stim's tableaux; so it does for exact probabilities. A measurement of a stabilizer state
gives 0, 1 or either with probability one half, so all of this is exact. Stim gives the same counts for the same seed
on machines with equally wide vector instructions only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from adapters.base import Adapter, Run
from adapters.shared.branching import Branch, Explorer, Plan, SegmentKey, make_plan
from adapters.shared.dense import counts_of_columns, without_idle_qubits
from gateway.circuit import Circuit, Operation
from gateway.circuit.operations import Condition
from gateway.counts import Counts, Probabilities
from gateway.errors import LimitError, UnsupportedError
from gateway.results import Sampling
from gateway.simulators import SIMULATORS

Bits = NDArray[np.uint8]

MOST_OUTCOMES = 2**20
"""How many outcomes an exact distribution may have."""

_BYTES_AT_ONCE = 2**26
_CONTROLLED = {"x": "CX", "y": "CY", "z": "CZ"}


@dataclass(frozen=True, slots=True)
class Program:
    """A circuit of Stim's.

    Args:
        circuit: with its conditions.
        shown: clbit -> number of the measurement it shows; the other clbits are 0.
    """

    circuit: stim.Circuit
    shown: dict[int, int]
    num_clbits: int


class StimAdapter(Adapter[Program | None]):
    """Stim's compiled sampler, and its tableau simulator where that cannot say a condition."""

    name = "stim"
    capabilities = SIMULATORS["stim"].capabilities
    native_gates = {  # noqa: RUF012 - a table, as every adapter has one
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

    def build(self, circuit: Circuit) -> Program | None:
        """Convert to a circuit of Stim's, ``None`` if it has a condition that Stim cannot say."""
        lines: list[str] = []
        shown: dict[int, int] = {}
        measured = 0
        for op in circuit.operations:
            if op.condition:
                try:
                    lines.append(_conditional(op, shown, measured))
                except _Unsayable:
                    return None
            elif op.name == "measure":
                lines.append(f"M {op.qubits[0]}")
                shown[op.clbits[0]] = measured
                measured += 1
            else:
                lines.append(_line(op))
        return Program(stim.Circuit("\n".join(lines)), shown, circuit.num_clbits)

    def sample(self, native: Program | None, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``Circuit.compile_sampler``."""
        if native is None:
            raise UnsupportedError(
                f"{self.name}'s own sampler knows Pauli gates that depend on one clbit, and no other condition: "
                "leave sampling at 'auto'",
                feature="native conditions",
                simulator=self.name,
            )
        if not native.shown:
            return Counts.trusted({"0" * native.num_clbits: shots}, native.num_clbits)
        sampler = native.circuit.compile_sampler(seed=seed)
        at_once = max(_BYTES_AT_ONCE // native.circuit.num_measurements, 1)
        totals: dict[str, int] = {}
        for begin in range(0, shots, at_once):
            drawn = sampler.sample(min(at_once, shots - begin))
            columns = {clbit: drawn[:, number] for clbit, number in native.shown.items()}
            _add(totals, counts_of_columns(columns, native.num_clbits))
        return Counts.trusted(totals, native.num_clbits)

    def counts(self, circuit: Circuit, run: Run) -> Counts:
        """Sample with Stim's sampler, or follow the outcomes where it cannot say a condition."""
        with run.building():
            compact = without_idle_qubits(circuit)
            native = self.build(compact)
        if native is not None or run.sampling is Sampling.NATIVE:
            run.sampler = "native"
            with run.running():
                return self.sample(native, shots=run.shots, seed=run.seed)
        run.sampler = "shared"
        rng = np.random.default_rng(run.seed)
        totals: dict[str, int] = {}
        plan = make_plan(compact)
        at_once = _BYTES_AT_ONCE // (plan.num_qubits + 1)
        with run.running():
            for branch, space in _leaves(plan, run.shots, rng):
                for begin in range(0, branch.shots, at_once):
                    drawn = space.draw(min(at_once, branch.shots - begin), rng)
                    _add(totals, _counted(drawn, plan, branch))
        return Counts.trusted(totals, circuit.num_clbits)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits.

        Raises:
            LimitError: more than ``MOST_OUTCOMES`` outcomes are possible.
        """
        totals: dict[str, float] = {}
        with run.building():
            plan = make_plan(without_idle_qubits(circuit))
        with run.running():
            for branch, space in _leaves(plan, 0, None):
                _check_outcomes(len(totals) + space.outcomes)
                share = branch.weight / space.outcomes
                for key in _counted(space.all(), plan, branch):
                    totals[key] = totals.get(key, 0.0) + share
        return Probabilities(totals, circuit.num_clbits)


# ---------------------------------------------------------------------------- text


def _line(op: Operation) -> str:
    """Return an operation without a condition as a line of Stim's."""
    name = "R" if op.name == "reset" else StimAdapter.native_gates.get(op.name, "")
    return f"{name} {' '.join(map(str, op.qubits))}" if name else ""


def _conditional(op: Operation, shown: dict[int, int], measured: int) -> str:
    """Return an operation with a condition.

    Args:
        op: the operation.
        shown: clbit -> number of the measurement it shows so far.
        measured: how many measurements there have been.

    Raises:
        _Unsayable: Stim has no words for it.
    """
    bits = _required(op.condition, shown)
    if bits is None or op.name in {"gphase", "id"}:
        return ""
    if op.name not in _CONTROLLED or len(bits) > 1:
        raise _Unsayable
    if not bits:
        return _line(op)
    ((clbit, value),) = bits.items()
    line = f"{_CONTROLLED[op.name]} rec[{shown[clbit] - measured}] {op.qubits[0]}"
    return line if value else f"{line}\n{_line(op)}"


def _required(condition: Condition, shown: dict[int, int]) -> dict[int, int] | None:
    """Return the values that measured clbits must have for a condition to hold, ``None`` if it never does.

    Clbits that show no measurement are 0.

    Raises:
        _Unsayable: it is not a matter of given values.
    """
    bits: dict[int, int] = {}
    for comparison in condition:
        values = {clbit: comparison.value >> place & 1 for place, clbit in enumerate(comparison.clbits)}
        may_be_equal = not any(value for clbit, value in values.items() if clbit not in shown)
        values = {clbit: value for clbit, value in values.items() if clbit in shown}
        if not comparison.equal:
            if may_be_equal and len(values) > 1:
                raise _Unsayable
            if may_be_equal and not values:
                return None
            values = {clbit: 1 - value for clbit, value in values.items() if may_be_equal}
        elif not may_be_equal:
            return None
        if any(bits.setdefault(clbit, value) != value for clbit, value in values.items()):
            return None
    return bits


class _Unsayable(Exception):  # noqa: N818 - reads as a fact
    """Stim's circuits have no words for a condition."""


# ---------------------------------------------------------------------------- following outcomes


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The possible outcomes of measuring some qubits of a stabilizer state, all equally likely.

    They are the sums, modulo 2, of one of them and any rows of a basis.

    Args:
        one: ``[k]``.
        basis: ``[r, k]``, linearly independent.
    """

    one: Bits
    basis: Bits

    @property
    def outcomes(self) -> int:
        """How many there are."""
        return 1 << len(self.basis)

    def draw(self, shots: int, rng: np.random.Generator) -> Bits:
        """Return outcomes drawn at random, ``[shots, k]``."""
        return self._of(rng.integers(0, 2, size=(shots, len(self.basis)), dtype=np.uint8))

    def all(self) -> Bits:
        """Return each outcome once."""
        numbers = np.arange(self.outcomes)[:, None] >> np.arange(len(self.basis)) & 1
        return self._of(numbers.astype(np.uint8))

    def _of(self, coefficients: Bits) -> Bits:
        drawn: Bits = np.bitwise_xor(coefficients @ self.basis & 1, self.one, dtype=np.uint8)
        return drawn


def _leaves(
    plan: Plan, shots: int, rng: np.random.Generator | None
) -> Iterator[tuple[Branch[stim.TableauSimulator], Outcomes]]:
    """Yield each history of outcomes with those of the qubits measured last."""
    built: dict[SegmentKey, stim.Circuit] = {}

    def advance(key: SegmentKey, gates: list[Operation], state: stim.TableauSimulator | None) -> stim.TableauSimulator:
        if key not in built:
            built[key] = stim.Circuit("\n".join(map(_line, gates)))
        after = stim.TableauSimulator() if state is None else state.copy()
        after.set_num_qubits(plan.num_qubits)
        after.do(built[key])
        return after

    for branch, state in Explorer(plan, advance, _chance_of_one, _projected, rng).leaves(shots):
        yield branch, _outcomes(state, plan.measured, exact=rng is None)


def _chance_of_one(state: stim.TableauSimulator, qubit: int) -> float:
    return float(1 - state.peek_z(qubit)) / 2


def _projected(
    state: stim.TableauSimulator,
    qubit: int,
    outcome: int,
    chance: float,  # noqa: ARG001 - vectors need it
    *,
    flip: bool = False,
) -> stim.TableauSimulator:
    after = state.copy()
    after.postselect_z(qubit, desired_value=bool(outcome))
    if flip:
        after.x(qubit)
    return after


def _outcomes(state: stim.TableauSimulator, qubits: list[int], *, exact: bool) -> Outcomes:
    """Return the possible outcomes of measuring some qubits, for exact results if there are not too many.

    Each measured Z is, before the state's own circuit, a product of Paulis on qubits that are all 0. A Z put in
    there changes nothing, and flips the outcomes of exactly those products that have an X or Y on its qubit: these
    flips span the differences between outcomes (Gidney, arXiv:2103.02202, section 2.2).
    """
    flips = state.current_inverse_tableau().to_numpy()[2][qubits].T.astype(np.uint8)
    one = np.array(state.copy().measure_many(*qubits), dtype=np.uint8)
    rank = 0
    for column in range(len(qubits)):
        (having,) = np.nonzero(flips[:, column])
        pivots = having[having >= rank]
        if not len(pivots):
            continue
        flips[[rank, pivots[0]]] = flips[[pivots[0], rank]]
        (having,) = np.nonzero(flips[:, column])
        flips[having[having != rank]] ^= flips[rank]
        one ^= flips[rank] * one[column]
        rank += 1
        if exact:
            _check_outcomes(1 << rank)
    return Outcomes(one, flips[:rank])


def _counted(drawn: Bits, plan: Plan, branch: Branch[Any]) -> Counts:
    """Count outcomes of a branch, the clbits written before its end included."""
    place = {qubit: position for position, qubit in enumerate(plan.measured)}
    columns = {clbit: drawn[:, place[qubit]] for clbit, qubit in plan.final.items()}
    always = np.ones(len(drawn), dtype=np.uint8)
    columns |= {clbit: always for clbit in range(plan.num_clbits) if branch.bits >> clbit & 1 and clbit not in columns}
    if not columns:
        return Counts.trusted({"0" * plan.num_clbits: len(drawn)}, plan.num_clbits)
    return counts_of_columns(columns, plan.num_clbits)


def _add(totals: dict[str, int], counts: Counts) -> None:
    for key, times in counts.items():
        totals[key] = totals.get(key, 0) + times


def _check_outcomes(number: int) -> None:
    """Refuse what would be a distribution of more outcomes than anybody can hold."""
    if number > MOST_OUTCOMES:
        raise LimitError(
            f"the circuit has at least {number:,} outcomes; exact probabilities are given for up to "
            f"{MOST_OUTCOMES:,}: ask for shots",
            limit="outcomes",
            requested=number,
            allowed=MOST_OUTCOMES,
        )
