"""What all simulators gave for one circuit, and the case of the record that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from gateway.compare import exact
from gateway.compare.circuits import NamedCircuit
from gateway.compare.closeness import allowance, tolerance
from gateway.compare.observing import Observation
from gateway.compare.record import Case, Detectable, Reference, Row, Verdict
from gateway.compare.referee import TESTS_OF_A_SIMULATOR, against_each_other, against_reference, far_from, row_of
from gateway.compare.statistics.detectable import detectable
from gateway.compare.statistics.outcomes import Distribution
from gateway.compare.statistics.tests import prepare
from gateway.compare.witnesses import OURS, Witness, choose, witnesses_of
from gateway.errors import GatewayError
from gateway.noise import NoiseModel


@dataclass(frozen=True, slots=True)
class OwnResult:
    """What our own plain simulator says of a circuit: the distribution and perhaps the state, or why it has none."""

    witness: Witness | None
    why_not: str = ""


def own_result(circuit: NamedCircuit, noise: NoiseModel | None = None) -> OwnResult:
    """Ask our own plain simulator."""
    state = None
    try:
        if noise is not None:
            found = exact.noisy_distribution(circuit.circuit, noise)
        elif circuit.is_measured:
            found = exact.distribution(circuit.circuit)
        else:
            state = exact.statevector(circuit.circuit)
            found = Distribution.of_state(state)
        return OwnResult(Witness(OURS, OURS, found, allowance(tolerance(circuit.circuit), found), state))
    except GatewayError as exc:  # it is too large, or has no state: those who run it will say so, too
        return OwnResult(None, exc.message)


@dataclass(slots=True)
class Evidence:
    """What all simulators gave for one circuit.

    Args:
        circuit: the circuit.
        shots: on each simulator, all repetitions together.
        own: what our own plain simulator says of it.
        rate: the probability that any right simulator is said to differ on this circuit.
        observations: name -> what the simulator gave.
        reference: what the samples are compared with, once the case is made; ``None`` if there is no reference.
    """

    circuit: NamedCircuit
    shots: int
    own: OwnResult
    rate: float
    observations: dict[str, Observation] = field(default_factory=dict)
    reference: Distribution | None = None

    def so_far(self, observations: Mapping[str, Observation]) -> Case:
        """Return the case while simulators still run: how far those that have ended are from whoever is known.

        Args:
            observations: name -> what the simulator gave, or an empty one if it has not ended.
        """
        circuit, ours = self.circuit.circuit, self.own.witness
        known = witnesses_of([] if ours else list(observations.values()), ours, circuit)
        reference, witness = choose(known, self.own.why_not)
        rows = []
        for seen in observations.values():
            row = row_of(seen, self.circuit.name, self.shots)
            has_ended = seen.counts or seen.exact is not None
            if has_ended and not seen.error and witness is not None:
                row = far_from(row, seen, witness, circuit)
            verdict = Verdict.FAILED if seen.error else Verdict.FINISHED if has_ended else Verdict.UNDECIDED
            rows.append(msgspec.structs.replace(row, verdict=verdict))
        return self._case(reference, rows)

    def case(self) -> Case:
        """Return the case with the evidence in its rows, and without verdicts."""
        observations = list(self.observations.values())
        circuit = self.circuit.circuit
        reference, witness = choose(witnesses_of(observations, self.own.witness, circuit), self.own.why_not)
        rows = [row_of(observation, self.circuit.name, self.shots) for observation in observations]
        found: Detectable | None = None
        if witness is None:
            rows = against_each_other(rows, [observation.sample() for observation in observations])
        else:
            self.reference = witness.exact
            prepared = prepare(witness.exact, error=reference.tolerance)
            pairs = zip(rows, observations, strict=True)
            rows = [
                row if seen.error else against_reference(row, seen, prepared, witness, circuit) for row, seen in pairs
            ]
            if self.circuit.is_measured:
                rate = self.rate / (TESTS_OF_A_SIMULATOR * max(len(rows), 1))
                found = detectable(prepared, self.shots, rate=rate)
        return msgspec.structs.replace(self._case(reference, rows), detectable=found)

    def _case(self, reference: Reference, rows: Sequence[Row]) -> Case:
        circuit = self.circuit.circuit
        return Case(
            name=self.circuit.name,
            openqasm=self.circuit.text,
            sha256=self.circuit.sha256,
            num_qubits=circuit.num_qubits,
            num_clbits=circuit.num_clbits,
            operations=len(circuit.operations),
            depth=circuit.depth(),
            shots=self.shots,
            reference=reference,
            rows=tuple(rows),
        )
