"""Counts requests and runs, and writes a log line for every run. Circuits are in neither."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime

from gateway.errors import GatewayError
from gateway.execution.runner import Answer
from gateway.jobs.running import JobRun
from gateway.protocol import problem
from gateway.protocol.messages import encode

_OK = 200

log = logging.getLogger("gateway.runs")


class Histogram:
    """How many values lie in each bucket, and their sum.

    Attributes:
        buckets: for each bound, how many values are at most that and above the one before; then how many are above all.
    """

    BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
    """Seconds."""

    def __init__(self) -> None:
        self.buckets = [0] * (len(self.BOUNDS) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.buckets[bisect_left(self.BOUNDS, value)] += 1
        self.total += value


class Recorder:
    """Counts and logs what one server does.

    Attributes:
        requests: (route, status) -> HTTP requests.
        runs: (kind, outcome) -> runs.
        stages: name of a stage -> its seconds.
        lock: held to read or change these.
        began: when the server began, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.runs: Counter[tuple[str, str]] = Counter()
        self.stages = {stage: Histogram() for stage in ("wait", "parse", "build", "run")}
        self.lock = threading.Lock()
        self.began = time.time()

    def request_answered(self, route: str | None, status: int) -> None:
        """Count a request; all requests without a route are counted together, whatever they asked for."""
        with self.lock:
            self.requests[route or "none", str(status)] += 1

    def run_answered(self, answer: Answer, took_s: float, caller: str, trace: str | None) -> None:
        """Note a synchronous run that was answered."""
        outcome = "ok" if answer.status == _OK else problem.code_of(answer.body)
        self._note("run", outcome, answer.stages, took_s, {"caller": caller, "trace": trace})

    def run_refused(self, error: GatewayError, took_s: float, caller: str, trace: str | None) -> None:
        """Note a synchronous run that had no answer."""
        self._note("run", error.code, (0, 0, 0), took_s, {"caller": caller, "trace": trace})

    def job_run_ended(self, run: JobRun) -> None:
        """Note a run of a job's circuit."""
        with self.lock:
            self.stages["wait"].add(run.waited_s)
        fields = {"caller": run.job.caller, "trace": run.job.trace, "job": run.job.id, "position": run.position}
        self._note("job", run.code, run.answer.stages, run.took_s, {**fields, "wait_s": round(run.waited_s, 6)})

    def _note(
        self, kind: str, outcome: str, stages: tuple[float, float, float], took_s: float, fields: dict[str, object]
    ) -> None:
        seconds = dict(zip(("parse", "build", "run"), stages, strict=True))
        with self.lock:
            self.runs[kind, outcome] += 1
            for stage, value in seconds.items():
                self.stages[stage].add(value)
        if log.isEnabledFor(logging.INFO):
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "kind": kind,
                "outcome": outcome,
                "took_s": round(took_s, 6),
                **{f"{stage}_s": round(value, 6) for stage, value in seconds.items()},
                **{name: value for name, value in fields.items() if value not in {None, ""}},
            }
            log.info(encode(line).decode())
