"""Runs every circuit of a comparison on every simulator, and keeps what has finished when it is interrupted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from gateway.backends.base import Backend
from gateway.compare.circuits import NamedCircuit
from gateway.compare.evidence import Evidence, OwnResult, own_result
from gateway.compare.observing import WIDEST_EXACT, Observation, Plan, failed, observe, warm_up
from gateway.compare.progress import Event, Progress, Stage
from gateway.compare.record import Record
from gateway.compare.referee import TESTS_OF_A_SIMULATOR
from gateway.compare.running import is_failure, side_by_side, what_it_raised
from gateway.compare.statistics.detectable import shots_needed
from gateway.errors import LimitError, SimulatorError

MOST_SHOTS = 10_000_000
"""What a server takes unless it was started with another limit; a resolution never asks for more."""


@dataclass(slots=True)
class Gathering:
    """The runs of one comparison.

    Args:
        backends: name -> backend.
        plan: how every simulator is run.
        record: what is asked for, without results.
        board: hears of the progress.
        interrupted: whether Ctrl-C or the time limit ended the runs early.
    """

    backends: Mapping[str, Backend]
    plan: Plan
    record: Record
    board: Progress
    interrupted: bool = False
    _ended: list[Evidence] = field(default_factory=list, init=False)
    """The circuits that all simulators have ended."""

    def run(self, circuits: Sequence[NamedCircuit]) -> list[Evidence]:
        """Run every circuit on every simulator; Ctrl-C ends the runs, and what there is counts."""
        evidence: list[Evidence] = []
        rate = self.record.false_alarm_rate / len(circuits)
        try:
            if self.plan.repeat > 1:
                self._warm_up()
            for circuit in circuits:
                result = own_result(circuit, self.plan.noise)
                plan = self._plan_for(circuit, result)
                shots = plan.shots * plan.repeat
                evidence.append(Evidence(circuit, shots, result, rate))
                self._observe_all(evidence[-1], plan)
                self._ended.append(evidence[-1])
        except KeyboardInterrupt:
            self.interrupted = True
        for item in evidence:
            for name in self.backends:
                item.observations.setdefault(name, Observation(name))
            item.observations = {name: item.observations[name] for name in self.backends}
        return evidence

    def _warm_up(self) -> None:
        for backend in self.backends.values():
            try:
                warm_up(backend)
            except BaseException as exc:
                if not is_failure(exc):
                    raise
                continue  # it fails again below, where it gets its row

    def _plan_for(self, circuit: NamedCircuit, result: OwnResult) -> Plan:
        """Return the plan with the shots that the resolution takes for this circuit.

        Raises:
            LimitError: it takes more shots than a server allows, or nobody knows how many it takes.
        """
        resolution = self.record.resolution
        if resolution is None or not circuit.is_measured:
            return self.plan
        if result.witness is None:
            raise LimitError(f"the shots for a resolution follow from the exact distribution: {result.why_not}")
        rate = self.record.false_alarm_rate / (TESTS_OF_A_SIMULATOR * len(self.backends))
        shots = -(-shots_needed(result.witness.exact, resolution, rate=rate) // self.plan.repeat)
        if shots > MOST_SHOTS:
            need = f"a resolution of {resolution:g} takes {shots:,} shots of {circuit.name}"
            raise LimitError(f"{need}: ask for a larger one", limit="shots", requested=shots, allowed=MOST_SHOTS)
        return replace(self.plan, shots=shots)

    def _observe_all(self, evidence: Evidence, plan: Plan) -> None:
        finished: dict[str, Observation] = {}

        def observe_one(name: str) -> None:
            finished[name] = self._observe(name, evidence, plan)
            self.board.partial(partial(self._so_far, [*self._ended], evidence, finished.copy()))

        try:
            if self.record.side_by_side:
                side_by_side(observe_one, list(self.backends))
            else:
                for name in self.backends:
                    observe_one(name)
        finally:
            evidence.observations.update(finished.copy())

    def _so_far(self, ended: Sequence[Evidence], running: Evidence, finished: Mapping[str, Observation]) -> Record:
        """Return what is known when simulators have finished the circuit that runs, and all have ended those before."""
        observations = {name: finished.get(name) or Observation(name) for name in self.backends}
        cases = [*[item.so_far(item.observations) for item in ended], running.so_far(observations)]
        return msgspec.structs.replace(self.record, cases=tuple(cases))

    def _observe(self, name: str, evidence: Evidence, plan: Plan) -> Observation:
        witness, circuit = evidence.own.witness, evidence.circuit
        few = witness is not None and len(witness.exact.codes) <= 1 << WIDEST_EXACT

        def report(stage: str, done: int = 0, total: int = 0) -> None:
            self.board.update(Event(simulator=name, circuit=circuit.name, stage=Stage(stage), done=done, total=total))

        start = time.perf_counter()
        if time.monotonic() > plan.deadline:
            self.interrupted = True
            return Observation(name)
        try:
            observation = observe(name, self.backends[name], circuit, plan, few_outcomes=few, report=report)
        except BaseException as exc:
            if not is_failure(exc):
                raise
            observation = failed(name, SimulatorError(what_it_raised(exc)))
        stage = Stage.FAILED if observation.error else Stage.FINISHED
        self.board.update(Event(simulator=name, circuit=circuit.name, stage=stage, seconds=time.perf_counter() - start))
        return observation
