"""Renders the metrics of the door and of all simulators behind it as one text in the format of Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sized
from typing import Protocol

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from gateway.free_memory import resident_bytes
from gateway.server.telemetry.recorder import Recorder

LABEL = "simulator"
"""The label that says whose a metric is; one of that name that is there already becomes ``exported_simulator``."""

_EXPORTED = f"exported_{LABEL}"


class Active(Protocol):
    """What has comparisons that have not ended."""

    @property
    def queued(self) -> int:
        """The number of comparisons that wait."""

    @property
    def running(self) -> int:
        """The number of comparisons that run."""


def own(telemetry: Recorder, comparisons: Active, streams: Sized) -> str:
    """Return the door's own metrics; each name begins with ``gateway_door_``.

    Args:
        telemetry: counted requests and comparisons that have ended.
        comparisons: has those that have not.
        streams: the streams of events that are open.
    """
    return generate_latest(_Families(_own(telemetry, comparisons, streams))).decode()


def merged(own: str, texts: Mapping[str, str | None]) -> str:
    """Return metrics of several servers as one text, in which each family stands once.

    Args:
        own: the door's own metrics.
        texts: name of a simulator -> its metrics; ``None`` where they could not be had. A simulator whose text is no
            metrics, or has a family of another type than those before it, counts as if it had none.
    """
    up = GaugeMetricFamily("gateway_simulator_up", "Whether its metrics could be had.", labels=(LABEL,))
    families = {_written_name(family): family for family in (*text_string_to_metric_families(own), up)}
    for name, text in texts.items():
        up.add_metric((name,), int(text is not None and _add(families, name, text)))
    return generate_latest(_Families(iter(families.values()))).decode()


class _Families(Collector):
    """Metrics that were collected already."""

    def __init__(self, families: Iterator[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        """Return the metrics."""
        return self._families


def _add(families: dict[str, Metric], name: str, text: str) -> bool:
    """Add the metrics of a simulator, all or none, and say whether they were added."""
    try:
        found = _labelled(name, text)
    except ValueError:
        return False
    if any(families[key].type != family.type for key, family in found.items() if key in families):
        return False
    for key, family in found.items():
        families.setdefault(key, Metric(family.name, family.documentation, family.type)).samples += family.samples
    return True


def _labelled(name: str, text: str) -> dict[str, Metric]:
    """Return the metrics of a simulator with its name as a label.

    Raises:
        ValueError: the text is no metrics, or has one twice.
    """
    families: dict[str, Metric] = {}
    seen = set()
    for family in text_string_to_metric_families(text):
        kept = families.setdefault(_written_name(family), Metric(family.name, family.documentation, family.type))
        for sample in family.samples:
            labels = {_EXPORTED if key == LABEL else key: value for key, value in sample.labels.items()}
            kept.samples.append(sample._replace(labels={**labels, LABEL: name}))
            seen.add((sample.name, *sorted(labels.items())))
    if len(seen) != sum(len(family.samples) for family in families.values()):
        raise ValueError(f"the metrics of {name} have one twice")
    return families


def _written_name(family: Metric) -> str:
    """Return the name of a family as it stands in a text."""
    return f"{family.name}_total" if family.type == "counter" else family.name


def _own(telemetry: Recorder, comparisons: Active, streams: Sized) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "gateway_door_requests", "HTTP requests, those that were passed through included.", labels=("route", "status")
    )
    ended = CounterMetricFamily("gateway_door_ended", "What has ended, by how it ended.", labels=("kind", "outcome"))
    with telemetry.lock:
        for family, counts in ((requests, telemetry.requests), (ended, telemetry.runs)):
            for labels, count in counts.items():
                family.add_metric(labels, count)
    yield from (requests, ended)
    active = GaugeMetricFamily("gateway_door_comparisons", "Comparisons that have not ended.", labels=("state",))
    active.add_metric(("queued",), comparisons.queued)
    active.add_metric(("running",), comparisons.running)
    yield active
    yield GaugeMetricFamily("gateway_door_event_streams", "Streams of events that are open.", len(streams))
    yield GaugeMetricFamily("gateway_door_memory_bytes", "Resident memory.", resident_bytes(os.getpid()) or 0)
    yield GaugeMetricFamily("gateway_door_start_time_seconds", "When the door began.", telemetry.began)
