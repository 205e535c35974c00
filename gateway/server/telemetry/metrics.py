"""What Prometheus is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.server.telemetry.observer import Observer, Spread


def render(observer: Observer) -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Metrics(observer))
    return generate_latest(registry)


class _Metrics(Collector):
    """What an observer has counted, and what is read at the moment somebody asks."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._counted()
        yield from self._found()

    def _counted(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("gateway_requests", "HTTP requests.", labels=("route", "status"))
        runs = CounterMetricFamily("gateway_runs", "Runs, by how they ended.", labels=("kind", "outcome"))
        stages = HistogramMetricFamily("gateway_stage_seconds", "Seconds of runs.", labels=("stage",))
        with self._observer.lock:
            for family, counts in ((requests, self._observer.requests), (runs, self._observer.runs)):
                for labels, count in counts.items():
                    family.add_metric(labels, count)
            for stage, spread in self._observer.stages.items():
                stages.add_metric((stage,), _buckets(spread), spread.total)
        yield from (requests, runs, stages)

    def _found(self) -> Iterator[Metric]:
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
        yield GaugeMetricFamily("gateway_start_time_seconds", "When the server began.", self._observer.began)
        if jobs is not None:
            yield GaugeMetricFamily("gateway_queued_circuits", "Circuits of jobs that wait.", jobs.queued)
            states = GaugeMetricFamily("gateway_jobs", "Jobs that have not ended.", labels=("state",))
            for state, count in jobs.states().items():
                states.add_metric((state,), count)
            yield states


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    bounds = [*map(str, map(float, spread.BOUNDS)), "+Inf"]
    return list(zip(bounds, accumulate(spread.inside), strict=True))


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0
