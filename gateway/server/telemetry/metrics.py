"""Renders metrics in the text format of Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.execution.pool import Executor
from gateway.free_memory import resident_bytes
from gateway.jobs.manager import Jobs
from gateway.server.telemetry.recorder import Histogram, Recorder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(recorder: Recorder, executor: Executor, jobs: Jobs) -> bytes:
    """Return all metrics of a server in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Metrics(recorder, executor, jobs))
    return generate_latest(registry)


class _Metrics(Collector):
    """Collects what the recorder counted, and reads the state of workers and jobs when somebody asks."""

    def __init__(self, recorder: Recorder, executor: Executor, jobs: Jobs) -> None:
        self._recorder = recorder
        self._executor = executor
        self._jobs = jobs

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._counters()
        yield from self._workers()
        yield from self._active_jobs()

    def _counters(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("gateway_requests", "HTTP requests.", labels=("route", "status"))
        runs = CounterMetricFamily("gateway_runs", "Runs, by how they ended.", labels=("kind", "outcome"))
        stages = HistogramMetricFamily("gateway_stage_seconds", "Seconds of runs.", labels=("stage",))
        with self._recorder.lock:
            for family, counts in ((requests, self._recorder.requests), (runs, self._recorder.runs)):
                for labels, count in counts.items():
                    family.add_metric(labels, count)
            for stage, histogram in self._recorder.stages.items():
                stages.add_metric((stage,), _cumulative(histogram), histogram.total)
        yield from (requests, runs, stages)

    def _workers(self) -> Iterator[Metric]:
        """Yield the state of the workers, and the number of runs that wait for them."""
        yield GaugeMetricFamily("gateway_ready", "Whether the simulator is imported.", int(self._executor.ready))
        yield GaugeMetricFamily("gateway_workers", "Processes that simulate.", self._executor.workers)
        yield GaugeMetricFamily("gateway_waiting_runs", "Runs that wait for a worker.", self._executor.waiting)
        replaced = CounterMetricFamily("gateway_worker_restarts", "Workers replaced, by reason.", labels=("reason",))
        for reason, count in dict(self._executor.replaced).items():
            replaced.add_metric((reason,), count)
        yield replaced
        memory = GaugeMetricFamily("gateway_memory_bytes", "Resident memory.", labels=("process",))
        memory.add_metric(("server",), resident_bytes(os.getpid()) or 0)
        memory.add_metric(("workers",), sum(resident_bytes(pid) or 0 for pid in self._executor.pids()))
        yield memory
        yield GaugeMetricFamily("gateway_start_time_seconds", "When the server began.", self._recorder.began)

    def _active_jobs(self) -> Iterator[Metric]:
        """Yield the number of active jobs in each state."""
        yield GaugeMetricFamily("gateway_queued_circuits", "Circuits of jobs that wait.", self._jobs.queued)
        states = GaugeMetricFamily("gateway_jobs", "Jobs that have not ended.", labels=("state",))
        for state, count in self._jobs.states().items():
            states.add_metric((state,), count)
        yield states


def _cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    """Return for each bucket its bound, and the number of values up to that bound."""
    bounds = [*map(str, map(float, histogram.BOUNDS)), "+Inf"]
    return list(zip(bounds, accumulate(histogram.buckets), strict=True))
