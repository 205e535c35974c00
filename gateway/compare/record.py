"""What a comparison finds, as frozen data: the record that is saved, merged, shown and compared with later ones.

Every bitstring has clbit 0 as its rightmost character. Durations are in seconds, sizes in bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.noise import NoiseModel
from gateway.provenance import Provenance

FORMAT = 1
"""The version of the record's format; a reader refuses a newer one."""


MOST_SHOTS = 2**53
"""No simulator of a record has more shots; up to here every number of shots is a float, too."""

SMALLEST_RATE = 1e-100
"""The smallest rate of false alarms: of a smaller one, a share for each of many tests would round to 0."""

SUM_TOLERANCE = 1e-3
"""How far the sum of a reference's probabilities may be from 1."""

Share = Annotated[float, Meta(ge=0, le=1)]
"""A probability that the comparison computed, a distance or a fidelity."""

NotNegative = Annotated[float, Meta(ge=0)]
"""A difference, or a probability as a simulator says it: of wrong ones, the sum may be anything."""

Number = Annotated[int, Meta(ge=0)]
Counted = Annotated[int, Meta(ge=0, le=MOST_SHOTS)]


class Verdict(StrEnum):
    """What is said of one simulator."""

    AGREES = "agrees"
    DIFFERS = "differs"
    FAILED = "failed"
    UNDECIDED = "undecided"
    """There is no reference, and no majority of simulators that agree with each other."""
    FINISHED = "finished"
    """It has run, others have not yet, and nothing is said of anybody before all have: only while it goes on."""


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """One statistical test of one simulator.

    Args:
        name: ``support``, ``goodness-of-fit``, ``weighted-goodness-of-fit``, ``cross-entropy``, ``single-outcome``,
            ``clbit``, ``clbit-pair``, ``parity``; between two samples the same names; ``shots``,
            ``same-seed``, ``two-seeds``, and ``two-runs`` where no seeds are taken.
        statistic: the value of the statistic; its scale is that of the test.
        p_value: before the correction for the number of tests; already corrected for the outcomes or clbits among
            which the test takes the most striking.
        points_at: what the test points at, such as ``outcome 010`` or ``clbits 0 and 3``; empty if at nothing.
        other: the simulator whose samples were compared; empty for a test against the reference.
    """

    name: str
    statistic: float
    p_value: Share
    points_at: str = ""
    other: str = ""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A hypothesis that explains what a simulator gave.

    Args:
        name: a stable name, such as ``bits-reversed`` or ``angle-negated:rz``.
        detail: the hypothesis as the end of the sentence "its counts fit ...".
        p_value: of the counts under this hypothesis.
        probabilities: bitstring -> probability under this hypothesis, of the outcomes worth showing; may be empty.
    """

    name: str
    detail: str
    p_value: Share
    probabilities: dict[str, NotNegative] = {}


class Spread(msgspec.Struct, frozen=True):
    """Repeated measurements of one duration or size: their median, the smallest and the largest."""

    median: float
    lowest: float
    highest: float


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one comparison gave of the counts that a merged record adds up.

    Args:
        seed: of the first repetition; each later one has the next.
        repeat: the number of repetitions.
        shots: that were asked for, all repetitions together.
        counts: bitstring -> shots, of all repetitions together.
        added: whether it is part of the row's counts; of runs that share seeds, only the one with the most shots is,
            and the others are tested by themselves.
    """

    seed: int | None = None
    repeat: Annotated[int, Meta(ge=1)] = 1
    shots: Counted
    counts: dict[str, Counted]
    added: bool = True


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One simulator's results for one circuit, and what is said of them.

    Args:
        simulator: the name by which the caller listed the backend.
        circuit: the name of the circuit.
        version: the version of the simulator's framework; empty if it never answered.
        verdict: what is said of the simulator.
        p_value: the smallest p-value of all its tests, corrected by Holm's method over all tests of all simulators;
            ``None`` where nothing was tested.
        exact_difference: the largest absolute difference of its exact probabilities from the reference's.
        exact_tolerance: the difference that rounding explains.
        fidelity: of its state vector with the reference's, for circuits without measurement.
        global_phase: of its state vector relative to the reference's, in radians; no measurement can show it.
        distance: the total variation distance of its frequencies from the reference's probabilities.
        tests: all tests of its counts.
        causes: hypotheses that explain a difference, the most likely first.
        rejected: hypotheses that were tried and do not, those that come nearest first.
        counts: bitstring -> shots, of all repetitions together, and in a merged record of all runs.
        runs: in a merged record, the runs that the counts are made of, so that none is added twice.
        engine: what computes; simulators of one engine are one witness.
        notes: what could not be looked at, and why.
        error: why it failed, as ``Class: message``; empty if it did not.
        seed: the seed of the first run.
        timings: stage -> seconds: ``total``, and of it ``queue``, ``parse``, ``build``, ``run``, ``sample``,
            ``transfer``, as far as the backend says them.
        peak_memory_bytes: of the run, where the backend says it.
        provenance: of the first run.
        group: without a reference, the number of the group of simulators whose samples agree; 0 is the largest.
    """

    simulator: str
    circuit: str = ""
    version: str = ""
    verdict: Verdict = Verdict.UNDECIDED
    p_value: Share | None = None
    exact_difference: NotNegative | None = None
    exact_tolerance: NotNegative | None = None
    fidelity: Share | None = None
    global_phase: float | None = None
    distance: Share | None = None
    tests: tuple[Test, ...] = ()
    causes: tuple[Cause, ...] = ()
    rejected: tuple[Cause, ...] = ()
    counts: dict[str, Counted] = {}
    runs: tuple[Run, ...] = ()
    engine: str = ""
    notes: tuple[str, ...] = ()
    error: str = ""
    seed: int | None = None
    timings: dict[str, Spread] = {}
    peak_memory_bytes: int | None = None
    provenance: Provenance | None = None
    group: Number | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the simulators were compared with.

    Args:
        kind: ``exact`` if at least two independent witnesses share the distribution, ``single`` if there was only
            one exact distribution, ``none`` if the samples were compared with each other.
        witnesses: the names of those who share it; ``gateway`` is our own plain simulator.
        independent: how many of them are independent of each other.
        tolerance: the largest difference of probabilities that counts as the same.
        probabilities: bitstring -> exact probability; empty without a reference.
        note: why there is no better reference.
        others: the names of those whose exact results contradict it, in groups that share theirs; without a reference,
            all groups that contradict each other.
    """

    kind: Literal["exact", "single", "none"]
    witnesses: tuple[str, ...] = ()
    independent: Number = 0
    tolerance: NotNegative = 0.0
    probabilities: dict[str, NotNegative] = {}
    note: str = ""
    others: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        if self.kind == "none":
            return "none: the samples were compared with each other"
        names = ", ".join(self.witnesses)
        return f"exact ({names})" if self.kind == "exact" else f"exact, one witness alone ({names})"


class Detectable(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest total variation distance that is found 99 times in 100, by kind of fault; 1 where none is.

    Args:
        hardest: every outcome a little too likely or too unlikely, at random.
        depolarised: mixing with the uniform distribution.
        one_outcome: one outcome too likely.
        one_bit: one clbit inverted now and then.
    """

    hardest: Share
    depolarised: Share
    one_outcome: Share
    one_bit: Share


class Reproducer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The smallest circuit that shows a difference, ready to be sent as a bug report.

    Args:
        simulator: the one that differs.
        circuit: the name of the circuit that was reduced.
        openqasm: the reduced circuit as OpenQASM 3 text.
        operations: its number of operations that are no final measurements.
        operations_before: that of the whole circuit.
        minimal: whether nothing can be left out; false when time ran out.
        shots: the number of shots of the counts below.
        seed: their seed.
        expected: bitstring -> exact probability of the reduced circuit; empty without a reference.
        counts: simulator -> bitstring -> shots of the reduced circuit.
        versions: simulator -> version.
        p_value: of the counts of the one that differs.
        exact_difference: the largest difference of its exact probabilities, where it has some.
        causes: hypotheses that explain the reduced circuit.
        error: how the simulator fails, as ``Class: message``, where the other one does not; empty if it does not.
    """

    simulator: str
    circuit: str = ""
    openqasm: str
    operations: Number
    operations_before: Number
    minimal: bool = True
    shots: Counted | None = None
    seed: int | None = None
    expected: dict[str, NotNegative] = {}
    counts: dict[str, dict[str, Counted]] = {}
    versions: dict[str, str] = {}
    p_value: Share | None = None
    exact_difference: NotNegative | None = None
    causes: tuple[Cause, ...] = ()
    error: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One circuit of a comparison.

    Args:
        name: the file's name, or ``circuit 1``.
        openqasm: the text of the circuit, in OpenQASM 3 unless the caller gave a text.
        sha256: of the text.
        num_qubits: of the circuit.
        num_clbits: of the circuit.
        operations: the number of its operations.
        depth: its depth.
        shots: on each simulator, all repetitions together; in a merged record, of the simulator that has the fewest.
        reference: what the simulators were compared with.
        detectable: what these shots would have found; ``None`` without a reference.
        rows: one for each simulator, in the caller's order.
        reproducers: one for each simulator that differs and could be reduced.
    """

    name: str
    openqasm: str
    sha256: str
    num_qubits: Number
    num_clbits: Number
    operations: Number
    depth: Number
    shots: Counted
    reference: Reference
    detectable: Detectable | None = None
    rows: tuple[Row, ...] = ()
    reproducers: tuple[Reproducer, ...] = ()


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that the comparison was started on."""

    system: str
    processors: int
    memory_bytes: int
    python: str
    gateway: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A whole comparison: one or several circuits on the same simulators.

    Args:
        format: the version of this format.
        cases: one for each circuit.
        repeat: how often each circuit was run on each simulator.
        seed: the seed of the first run on each simulator; ``None`` if each drew its own.
        sampling: ``auto``, or ``native`` for the frameworks' own samplers.
        noise: of all runs; ``None`` for none.
        false_alarm_rate: the probability that any of the right simulators is said to differ.
        resolution: the distance that the shots were chosen for; ``None`` if the caller chose the shots.
        side_by_side: whether the simulators ran at the same time, so that their times cannot be compared.
        created: when it was started, in UTC, as ISO 8601.
        machine: where it was started.
        interrupted: whether Ctrl-C or the time limit ended it early; what had finished is in it.
    """

    format: int = FORMAT
    cases: tuple[Case, ...] = ()
    repeat: Annotated[int, Meta(ge=1)] = 1
    seed: int | None = None
    sampling: str = "auto"
    noise: NoiseModel | None = None
    false_alarm_rate: Annotated[float, Meta(ge=SMALLEST_RATE, lt=1)] = 1e-6
    resolution: Annotated[float, Meta(gt=0, lt=1)] | None = None
    side_by_side: bool = False
    created: str = ""
    machine: Machine
    interrupted: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all circuits."""
        return tuple(row for case in self.cases for row in case.rows)

    @property
    def all_agree(self) -> bool:
        """Whether there are rows and every one of them agrees."""
        return bool(self.rows) and all(row.verdict is Verdict.AGREES for row in self.rows)

    @property
    def reference(self) -> Reference | None:
        """The reference of the first circuit; for several circuits, each case has its own."""
        return self.cases[0].reference if self.cases else None

    @property
    def detectable(self) -> float | None:
        """The total variation distance that is found 99 times in 100 for the hardest fault."""
        distances = [case.detectable.hardest for case in self.cases if case.detectable is not None]
        return max(distances) if distances else None
