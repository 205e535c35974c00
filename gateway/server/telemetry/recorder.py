"""Counts requests and runs, and writes a log line for every run. Neither contains circuits."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime

from gateway.errors import GatewayError
from gateway.execution.content import whole
from gateway.execution.runner import Answer
from gateway.jobs.running import JobRun
from gateway.protocol import problem
from gateway.protocol.messages import encode

_OK = 200

log = logging.getLogger("gateway.runs")


class Histogram:
    """The number of values in each bucket, and the sum of all values.

    Attributes:
        buckets: for each bound, the number of values up to it and above the bound before; last, the number of values
            above all bounds.
        total: sum of the values.
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
        requests: (route, status) -> number of HTTP requests.
        runs: (kind, outcome) -> number of runs.
        stages: name of a stage -> histogram of its seconds.
        lock: protects these; hold it to read or change them.
        began: when the server began, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        self.runs: Counter[tuple[str, str]] = Counter()
        self.stages = {stage: Histogram() for stage in ("wait", "parse", "build", "run")}
        self.lock = threading.Lock()
        self.began = time.time()

    def request_answered(self, route: str | None, status: int) -> None:
        """Count a request; all requests without a route count together, whatever their path."""
        with self.lock:
            self.requests[route or "none", str(status)] += 1

    def ended(self, kind: str, outcome: str) -> None:
        """Count something else than a run that has ended."""
        with self.lock:
            self.runs[kind, outcome] += 1

    def run_answered(self, answer: Answer, took_s: float, caller: str, trace: str | None) -> None:
        """Record a synchronous run that has an answer."""
        outcome = "ok" if answer.status == _OK else problem.code_of(whole(answer.body))
        self._record("run", outcome, answer.stages, took_s, {"caller": caller, "trace": trace})

    def run_refused(self, error: GatewayError, took_s: float, caller: str, trace: str | None) -> None:
        """Record a synchronous run that ended with an error."""
        self._record("run", error.code, (0, 0, 0), took_s, {"caller": caller, "trace": trace})

    def job_run_ended(self, run: JobRun) -> None:
        """Record the run of a circuit of a job."""
        with self.lock:
            self.stages["wait"].add(run.waited_s)
        fields = {"caller": run.job.caller, "trace": run.job.trace, "job": run.job.id, "position": run.position}
        self._record("job", run.code, run.answer.stages, run.took_s, {**fields, "wait_s": round(run.waited_s, 6)})

    def _record(
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
