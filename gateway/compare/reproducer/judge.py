"""Decides whether a circuit shows the difference between two simulators, by the strongest evidence that there is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.circuit.operations import Operation
from gateway.compare.closeness import tolerance
from gateway.compare.reproducer.asking import STOPPING, distributions, has, samples, states
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.differences import difference, is_whole, largest_distance, p_value
from gateway.compare.reproducer.views import measures
from gateway.compare.running import EXCUSES, PROBE
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.errors import GatewayError, LimitError, RequestError, UnsupportedError
from gateway.look.numbers import integer
from gateway.results import Precision, ResultType

LEAST_SHARE = 0.01
"""A smaller circuit must show at least this share of the difference that the whole circuit shows, so that the search
does not slip from a fault to an inaccuracy."""

SUSPICIOUS = 1e-6
"""A sample with a smaller p-value is taken again, with another seed; both must have one. Chance does that once in
1e12 circuits, and a search looks at some thousand."""

REFUSALS = (UnsupportedError, LimitError)
"""Errors by which a simulator says that it does not take a circuit, which is no difference."""

T = TypeVar("T")
Key = tuple[int, int, tuple[Operation, ...]]


class Judge(ABC):
    """Decides whether circuits show the difference; it remembers what it has decided.

    Attributes:
        how: what it goes by, such as ``samples``.
        sections: into so many parts a search cuts a circuit, to ask about the ends of all of them together.
    """

    how: ClassVar[str]
    sections: ClassVar[int] = 8

    def __init__(self) -> None:
        self._verdicts: dict[Key, bool] = {}

    def shows(self, circuits: Sequence[Circuit]) -> list[bool]:
        """Return for each circuit whether it shows the difference; all are sent to the simulators together.

        Raises:
            GatewayError: a simulator cannot be asked at all.
            TimeIsUp: the time is over.
        """
        keys = [_key(circuit) for circuit in circuits]
        new = {key: circuit for key, circuit in zip(keys, circuits, strict=True) if key not in self._verdicts}
        if new:
            self._verdicts.update(zip(new, self._judge(list(new.values())), strict=True))
        return [self._verdicts[key] for key in keys]

    def confirming(self) -> Judge:
        """Return a judge whose verdicts do not depend on these: itself where chance plays no part."""
        return self

    @abstractmethod
    def _judge(self, circuits: list[Circuit]) -> list[bool]:
        """Return for each circuit whether it shows the difference."""


class ExactJudge(Judge):
    """Compares exact probabilities, or the state vectors of circuits that measure nothing.

    Args:
        a: a simulator with exact results.
        b: another one, or ``None`` for our own.
        clock: the time that all this may take.

    Attributes:
        least: the smallest difference that counts, where rounding does not explain a larger one.
    """

    how = "exact results"

    def __init__(self, a: Backend, b: Backend | None, clock: Clock) -> None:
        super().__init__()
        self._a, self._b, self._clock = a, b, clock
        self.least = 0.0
        precisions = {backend.capabilities().precision for backend in (a, b) if backend is not None}
        self._precision = Precision.SINGLE if Precision.SINGLE in precisions else Precision.DOUBLE

    def differences(self, circuits: list[Circuit]) -> list[float | GatewayError]:
        """Return for each circuit the largest difference of a probability, or the error of a simulator.

        Where the circuit measures nothing, it is that of an amplitude, when the states have the same global phase.
        """
        measured = [circuit for circuit in circuits if measures(circuit)]
        others = [circuit for circuit in circuits if not measures(circuit)]
        differences = iter(self._compared(measured, distributions, difference))
        distances = iter(self._compared(others, states, largest_distance))
        return [next(differences if measures(circuit) else distances) for circuit in circuits]

    def _compared(
        self,
        circuits: list[Circuit],
        results_of: Callable[[Backend | None, Sequence[Circuit], Clock], list[T | GatewayError]],
        difference: Callable[[T | GatewayError, T | GatewayError], float | None],
    ) -> list[float | GatewayError]:
        if not circuits:
            return []
        a, b = results_of(self._a, circuits, self._clock), results_of(self._b, circuits, self._clock)
        compared: list[float | GatewayError] = []
        for first, second in zip(a, b, strict=True):
            errors = [answer for answer in (first, second) if isinstance(answer, GatewayError)]
            compared.append(errors[0] if errors else difference(first, second) or 0.0)
        return compared

    def smallest(self, circuit: Circuit) -> float:
        """Return the difference that a circuit must show."""
        return max(self.least, tolerance(circuit, self._precision))

    def _judge(self, circuits: list[Circuit]) -> list[bool]:
        differences = self.differences(circuits)
        return [
            not isinstance(difference, GatewayError) and difference > self.smallest(circuit)
            for circuit, difference in zip(circuits, differences, strict=True)
        ]


class SampleJudge(Judge):
    """Compares a sample with exact probabilities where there are some, and otherwise with another sample.

    Args:
        a: the simulator that is judged.
        b: the one that it is compared with, or ``None`` for our own exact simulator.
        clock: the time that all this may take.
        shots: of each sample.
        seed: of the first sample.
        times: so many times the shots are drawn, where the simulators take as many.
    """

    how = "samples"

    def __init__(self, a: Backend, b: Backend | None, clock: Clock, *, shots: int, seed: int, times: int = 1) -> None:
        super().__init__()
        self._a, self._b, self._clock, self._shots, self._seed = a, b, clock, shots, seed
        self._times = times

    def confirming(self) -> Judge:
        """Return a judge with four times the shots, if the simulators take as many, and other seeds."""
        seed = (self._seed + 2**24) % 2**32
        return SampleJudge(self._a, self._b, self._clock, shots=self._shots, seed=seed, times=4)

    def p_values(self, circuits: list[Circuit], seed: int) -> list[float]:
        """Return for each circuit the p-value of its sample, corrected for the number of tests; 1 where one failed."""
        answers = self._samples(self._a, circuits, seed)
        references = self.references(circuits, (seed + 2**31) % 2**32)
        return [p_value(answer, reference) for answer, reference in zip(answers, references, strict=True)]

    def references(self, circuits: list[Circuit], seed: int) -> list[Distribution | Sample | GatewayError]:
        """Return the exact distributions of the other simulator, and samples where it has none, or else its error."""
        none = LimitError("the simulator has no exact results")
        references: list[Distribution | Sample | GatewayError] = [none] * len(circuits)
        if has(self._b, ResultType.PROBABILITIES):
            references = [*distributions(self._b, circuits, self._clock)]
        if self._b is not None:
            missing = [k for k, reference in enumerate(references) if not _is_reference(reference)]
            sampled = [circuits[k] for k in missing]
            answers = self._samples(self._b, sampled, seed) if sampled else []
            for k, answer in zip(missing, answers, strict=True):
                references[k] = answer
        return references

    def _samples(self, backend: Backend, circuits: list[Circuit], seed: int) -> list[Sample | GatewayError]:
        """Return a sample of each circuit, or the error that it gave."""
        try:
            return samples(backend, circuits, self._clock, shots=self._times * self._shots, seed=seed)
        except LimitError:
            if self._times == 1:
                raise
            self._times = 1
            return samples(backend, circuits, self._clock, shots=self._shots, seed=seed)

    def _judge(self, circuits: list[Circuit]) -> list[bool]:
        first = [p_value < SUSPICIOUS for p_value in self.p_values(circuits, self._seed)]
        suspects = [circuit for circuit, suspicious in zip(circuits, first, strict=True) if suspicious]
        again = iter(self.p_values(suspects, (self._seed + 2**16) % 2**32) if suspects else ())
        return [suspicious and next(again) < SUSPICIOUS for suspicious in first]


class FailureJudge(Judge):
    """Looks whether a simulator fails with the same error where another one does not fail.

    Errors are the same if their classes are, and their messages up to the first number or quotation.

    Args:
        a: the simulator that fails.
        b: the one that does not, or ``None`` for our own exact simulator.
        clock: the time that all this may take.
        shots: of each run.
        seed: of each run.
        error: the error of the whole circuit.
    """

    how = "an error"
    sections = 2  # a request that fails is split to find the culprit, and each failure may cost a new process

    def __init__(
        self, a: Backend, b: Backend | None, clock: Clock, *, shots: int, seed: int, error: GatewayError
    ) -> None:
        super().__init__()
        self._a, self._b, self._clock, self._shots, self._seed, self.error = a, b, clock, shots, seed, error
        self._errors: dict[Key, GatewayError] = {}

    def error_of(self, circuit: Circuit) -> GatewayError:
        """Return the error that a circuit gave; that of the whole circuit where it was not asked."""
        return self._errors.get(_key(circuit), self.error)

    def _judge(self, circuits: list[Circuit]) -> list[bool]:
        answers = samples(self._a, circuits, self._clock, shots=self._shots, seed=self._seed)
        fails = [isinstance(answer, GatewayError) and _kind(answer) == _kind(self.error) for answer in answers]
        for circuit, answer in zip(circuits, answers, strict=True):
            if isinstance(answer, GatewayError):
                self._errors[_key(circuit)] = answer
        if self._b is None:
            return fails
        failing = [circuit for circuit, fail in zip(circuits, fails, strict=True) if fail]
        others = iter(samples(self._b, failing, self._clock, shots=self._shots, seed=self._seed) if failing else ())
        return [fail and isinstance(next(others), Sample) for fail in fails]


def judge_of(
    circuits: Sequence[Circuit], a: Backend, b: Backend | None, clock: Clock, *, shots: int, seed: int
) -> tuple[Judge, Circuit]:
    """Return the first of some circuits that shows a difference, and the judge whose evidence shows it.

    Exact results are looked at first, then errors, then samples. A simulator that refuses a circuit, because it lacks
    a gate or memory, does not differ.

    Args:
        circuits: the circuit that is thought to show a difference, and further views of it. Errors count only for the
            first of them that can be compared at all.
        a: the simulator that is thought to be wrong.
        b: the one that it is compared with; ``None`` for our own exact simulator.
        clock: the time that all this may take.
        shots: of each run.
        seed: of the first run.

    Raises:
        RequestError: the two simulators agree on all these circuits.
        GatewayError: one refuses them, both fail or only the second one does, one cannot be asked, or all agree but
            exact results of one that gives some fail.
        TimeIsUp: the time is over.
    """
    failures: dict[ResultType, GatewayError] = {}
    is_compared = False
    for circuit in circuits:
        kind = ResultType.PROBABILITIES if measures(circuit) else ResultType.STATEVECTOR
        if kind in failures or not (has(a, kind) and has(b, kind)):
            continue
        exact_judge = ExactJudge(a, b, clock)
        (difference,) = exact_judge.differences([circuit])
        if isinstance(difference, GatewayError):
            failures[kind] = difference
        elif difference > exact_judge.smallest(circuit):
            exact_judge.least = LEAST_SHARE * difference
            return exact_judge, circuit
        else:
            is_compared |= kind is ResultType.STATEVECTOR
    found = _first_by_runs(circuits, a, b, clock, shots=shots, seed=seed, is_compared=is_compared)
    if found is not None:
        return found
    for kind, failure in failures.items():
        if not isinstance(failure, EXCUSES) and _gives_exact_results(a, b, kind, clock):
            raise failure
    msg = f"the simulators agree on this circuit, by all results that they have and by {integer(shots)} shots"
    raise RequestError(msg, field="circuit")


def _gives_exact_results(a: Backend, b: Backend | None, kind: ResultType, clock: Clock) -> bool:
    """Return whether both give exact results of anything, so that it is the circuit that has none."""
    if kind is ResultType.STATEVECTOR:
        return True  # nobody declares that without having written it
    return all(isinstance(distributions(each, [PROBE], clock)[0], Distribution) for each in (a, b))


def _first_by_runs(
    circuits: Sequence[Circuit],
    a: Backend,
    b: Backend | None,
    clock: Clock,
    *,
    shots: int,
    seed: int,
    is_compared: bool,
) -> tuple[Judge, Circuit] | None:
    """Return the first circuit that shows a difference by errors or samples, and the judge; ``None`` if none does.

    Once one circuit is compared, errors of the others count no more.
    """
    for circuit in filter(measures, circuits):
        try:
            judge = _judge_by_runs(circuit, a, b, clock, shots=shots, seed=seed)
        except STOPPING:
            raise
        except GatewayError:
            if not is_compared:
                raise
            continue
        if judge is not None and not (is_compared and isinstance(judge, FailureJudge)):
            return judge, circuit
        is_compared = True
    return None


def _judge_by_runs(
    circuit: Circuit, a: Backend, b: Backend | None, clock: Clock, *, shots: int, seed: int
) -> Judge | None:
    """Return the judge of errors or of samples that shows a difference, ``None`` if the two agree."""
    (answer,) = samples(a, [circuit], clock, shots=shots, seed=seed)
    if isinstance(answer, REFUSALS):
        raise answer
    if isinstance(answer, GatewayError):
        failure_judge = FailureJudge(a, b, clock, shots=shots, seed=seed, error=answer)
        if failure_judge.shows([circuit])[0]:
            return failure_judge
        raise answer
    sample_judge = SampleJudge(a, b, clock, shots=shots, seed=seed)
    if sample_judge.shows([circuit])[0]:
        return sample_judge
    (reference,) = sample_judge.references([circuit], seed)
    if isinstance(reference, GatewayError):
        raise reference
    return None


def _key(circuit: Circuit) -> Key:
    return circuit.num_qubits, circuit.num_clbits, tuple(circuit.operations)


def _is_reference(answer: Distribution | Sample | GatewayError) -> bool:
    return isinstance(answer, Distribution) and is_whole(answer)


def _kind(error: GatewayError) -> tuple[type[GatewayError], str]:
    return type(error), re.split(r"[\d'\"`(\[{]", error.message, maxsplit=1)[0]
