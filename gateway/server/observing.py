"""What is seen from outside: a log line for every run, and Prometheus metrics. Circuits are in neither."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.errors import GatewayError
from gateway.execution.pool import Executor
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller, Jobs
from gateway.jobs.running import Ran
from gateway.protocol import problem
from gateway.protocol.messages import encode

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_TRACE = re.compile(r"[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
_OK = 200

M = TypeVar("M", Counter, Histogram)

log = logging.getLogger("gateway.runs")


def trace_context(header: str | None) -> str | None:
    """Return a ``traceparent`` if it is one (W3C Trace Context, section 3.2), else ``None``."""
    return header if header is not None and _TRACE.fullmatch(header) else None


@dataclass(slots=True)
class Observer:
    """Counts and logs the runs of one server."""

    executor: Executor
    jobs: Jobs | None
    registry: CollectorRegistry
    requests: Counter
    runs: Counter
    stages: Histogram

    @classmethod
    def of(cls, executor: Executor) -> Observer:
        """Return an observer that has seen nothing yet."""
        registry = CollectorRegistry()
        made = cls(
            executor,
            None,
            registry,
            Counter("gateway_requests", "HTTP requests.", ("route", "status"), registry=registry),
            Counter("gateway_runs", "Runs, by how they ended.", ("kind", "outcome"), registry=registry),
            Histogram("gateway_stage_seconds", "Seconds of runs.", ("stage",), buckets=_SECONDS, registry=registry),
        )
        registry.register(_State(made))
        return made

    def metrics(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def responded(self, route: str | None, status: int) -> None:
        """Count a request; what has no route is counted as one, whatever it asked for."""
        _of(self.requests, route or "none", str(status)).inc()

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
        _of(self.stages, "wait").observe(ran.waited_s)
        fields = {"caller": ran.job.caller, "trace": ran.job.trace, "job": ran.job.id, "position": ran.position}
        self._note("job", ran.code, ran.answer.stages, ran.took_s, {**fields, "wait_s": round(ran.waited_s, 6)})

    def _note(
        self, kind: str, outcome: str, stages: tuple[float, float, float], took_s: float, fields: dict[str, object]
    ) -> None:
        _of(self.runs, kind, outcome).inc()
        seconds = dict(zip(("parse", "build", "run"), stages, strict=True))
        for stage, value in seconds.items():
            _of(self.stages, stage).observe(value)
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


@cache
def _of(metric: M, *labels: str) -> M:
    """Return the part of a metric that has these labels: looking it up takes longer than counting.

    There is a part for each route and each code, never for what a caller makes up.
    """
    return metric.labels(*labels)


class _State(Collector):
    """What is read at the moment somebody asks."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._began = time.time()

    def collect(self) -> Iterator[Metric]:
        """Yield the state of the lines, the workers and the jobs."""
        executor, jobs = self._observer.executor, self._observer.jobs
        yield GaugeMetricFamily("gateway_ready", "Whether the simulator is imported.", int(executor.ready))
        yield GaugeMetricFamily("gateway_workers", "Processes that simulate.", executor.workers)
        yield GaugeMetricFamily("gateway_waiting_runs", "Runs that wait for a worker.", executor.waiting)
        replaced = CounterMetricFamily("gateway_worker_restarts", "Workers replaced, by reason.", labels=("reason",))
        for reason, count in dict(executor.replaced).items():
            replaced.add_metric((reason,), count)
        yield replaced
        memory = GaugeMetricFamily("gateway_memory_bytes", "Resident memory.", labels=("process",))
        memory.add_metric(("server",), _resident_bytes(os.getpid()))
        memory.add_metric(("workers",), sum(map(_resident_bytes, executor.pids())))
        yield memory
        yield GaugeMetricFamily("gateway_start_time_seconds", "When the server began.", self._began)
        if jobs is not None:
            yield GaugeMetricFamily("gateway_queued_circuits", "Circuits of jobs that wait.", jobs.queued)
            states = GaugeMetricFamily("gateway_jobs", "Jobs that have not ended.", labels=("state",))
            for state, count in jobs.states().items():
                states.add_metric((state,), count)
            yield states


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
