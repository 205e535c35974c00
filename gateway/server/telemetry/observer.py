"""What is seen from outside: a log line for every run, and Prometheus metrics. Circuits are in neither."""

from __future__ import annotations

import logging
import re
import threading
import time
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime

from gateway.errors import GatewayError
from gateway.execution.pool import Executor
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller, Jobs
from gateway.jobs.running import Ran
from gateway.protocol import problem
from gateway.protocol.messages import encode

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_TRACE = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_OK = 200

log = logging.getLogger("gateway.runs")


def trace_context(header: str | None) -> str | None:
    """Return a ``traceparent`` if it is one (W3C Trace Context, section 3.2), else ``None``."""
    return header if header is not None and _TRACE.fullmatch(header) else None


class Spread:
    """How values are spread: how many are in each bucket, and their sum.

    Attributes:
        inside: for each bound, how many values are at most that and above the one before; then how many are above all.
    """

    BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
    """Seconds."""

    def __init__(self) -> None:
        self.inside = [0] * (len(self.BOUNDS) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Take in a value."""
        self.inside[bisect_left(self.BOUNDS, value)] += 1
        self.total += value


class Observer:
    """Counts and logs the runs of one server.

    Args:
        executor: where they are run.

    Attributes:
        jobs: of the server, once there are some.
        requests: (route, status) -> HTTP requests.
        runs: (kind, outcome) -> runs.
        stages: name of a stage -> its seconds.
        lock: held to read or change these.
    """

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.jobs: Jobs | None = None
        self.requests: Counter[tuple[str, str]] = Counter()
        self.runs: Counter[tuple[str, str]] = Counter()
        self.stages = {stage: Spread() for stage in ("wait", "parse", "build", "run")}
        self.lock = threading.Lock()
        self.began = time.time()

    def metrics(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        from gateway.server.telemetry.metrics import render  # noqa: PLC0415 - a server's start need not wait for the library

        return render(self)

    def responded(self, route: str | None, status: int) -> None:
        """Count a request; what has no route is counted as one, whatever it asked for."""
        with self.lock:
            self.requests[route or "none", str(status)] += 1

    def run(self, asked: bytes, caller: Caller, timeout_s: float, trace: str | None = None) -> Answer:
        """Run a RunRequest for somebody who waits for it, and note it.

        Raises:
            GatewayError: there is no answer.
        """
        began = time.monotonic()
        try:
            answer = self.executor.run(asked, caller.token, timeout_s, caller=caller.name)
        except GatewayError as exc:
            self.refused(exc, time.monotonic() - began, caller.name, trace)
            raise
        self.ran(answer, time.monotonic() - began, caller.name, trace)
        return answer

    def ran(self, answer: Answer, took_s: float, caller: str, trace: str | None) -> None:
        """Note a synchronous run that was answered."""
        outcome = "ok" if answer.status == _OK else problem.code_of(answer.body)
        self._note("run", outcome, answer.stages, took_s, {"caller": caller, "trace": trace})

    def refused(self, error: GatewayError, took_s: float, caller: str, trace: str | None) -> None:
        """Note a synchronous run that had no answer."""
        self._note("run", error.code, (0, 0, 0), took_s, {"caller": caller, "trace": trace})

    def ran_for_job(self, ran: Ran) -> None:
        """Note a run of a job's circuit."""
        with self.lock:
            self.stages["wait"].add(ran.waited_s)
        fields = {"caller": ran.job.caller, "trace": ran.job.trace, "job": ran.job.id, "position": ran.position}
        self._note("job", ran.code, ran.answer.stages, ran.took_s, {**fields, "wait_s": round(ran.waited_s, 6)})

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
