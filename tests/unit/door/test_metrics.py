"""The metrics of the door and of all simulators are one text, which Prometheus takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.fake import FakeAdapter, fake
from support.raw import run_body

from gateway.door.metrics import merged, own
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.protocol.messages import ServerLimits
from gateway.server.http.app import create_app
from gateway.server.service import Service
from gateway.server.telemetry.recorder import Recorder

Series = dict[tuple[str, ...], float]


class Comparisons:
    """Some that have not ended."""

    queued = 3
    running = 2


@pytest.fixture(scope="module")
def text() -> Iterator[str]:
    """The metrics of a simulator's server that has run something."""
    service = Service.over(InlineExecutor(Runner(FakeAdapter(), ServerLimits())))
    client = create_app(service).test_client()
    for path in ("/healthz", "/nowhere"):
        client.get(path)
    client.post("/v1/run", data=run_body(fake()), content_type="application/json")
    yield client.get("/metrics").get_data(as_text=True)
    service.close()


@pytest.fixture
def doors() -> str:
    """The metrics of a door."""
    telemetry = Recorder()
    telemetry.request_answered("/v1/comparisons", 202)
    telemetry.request_answered(None, 404)
    telemetry.ended("comparison", "finished")
    return own(telemetry, Comparisons(), [object()] * 4)


def series(text: str) -> Series:
    """Return the series of a text, after seeing that each family and each series stands in it once."""
    for kind in ("HELP", "TYPE"):
        names = Counter(line.split(" ")[2] for line in text.splitlines() if line.startswith(f"# {kind} "))
        assert set(names.values()) == {1}
    found = [
        ((sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))), sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    assert len(found) == sum(not line.startswith("#") for line in text.splitlines())
    return dict(found)


def test_the_door_says_what_it_does(doors: str):
    found = series(doors)
    assert found["gateway_door_requests_total", "route=/v1/comparisons", "status=202"] == 1
    assert found["gateway_door_requests_total", "route=none", "status=404"] == 1
    assert found["gateway_door_ended_total", "kind=comparison", "outcome=finished"] == 1
    assert found["gateway_door_comparisons", "state=queued"] == 3
    assert found["gateway_door_comparisons", "state=running"] == 2
    assert found["gateway_door_event_streams",] == 4
    assert found["gateway_door_memory_bytes",] > 2**20
    assert {name for name, *_ in found} == {name for name, *_ in found if name.startswith("gateway_door_")}


def test_every_series_of_a_simulator_is_there_with_its_name(doors: str, text: str):
    found, single = series(merged(doors, {"cirq": text, "qulacs": text})), series(text)
    for (name, *labels), value in single.items():
        for simulator in ("cirq", "qulacs"):
            assert found[(name, *sorted([*labels, f"simulator={simulator}"]))] == value
    assert len(found) == len(series(doors)) + 2 * len(single) + 2
    assert series(doors).items() <= found.items()


def test_kinds_and_explanations_are_those_of_the_simulators(doors: str, text: str):
    def heads(text: str) -> set[str]:
        return {line for line in text.splitlines() if line.startswith("#")}

    assert heads(text) | heads(doors) < heads(merged(doors, {"cirq": text}))


def test_one_that_is_down_says_so(doors: str, text: str):
    found = series(merged(doors, {"cirq": None, "qulacs": text}))
    assert found["gateway_simulator_up", "simulator=cirq"] == 0
    assert found["gateway_simulator_up", "simulator=qulacs"] == 1
    assert len([labels for _, *labels in found if "simulator=cirq" in labels]) == 1


@pytest.mark.parametrize(
    "damaged",
    [
        "<!doctype html><p>Bad gateway",
        '{"code": "unauthenticated"}',
        "gateway_ready",
        "gateway_ready one",
        'gateway_ready{x="1} 1',
        'gateway_ready{x="1",x="2"} 1',
        "# TYPE gateway_ready banana\ngateway_ready 1",
        "gateway_ready 1\ngateway_ready 1",
        "# TYPE gateway_ready histogram\ngateway_ready_count 1",
        "# TYPE gateway_requests_total gauge\ngateway_requests_total 1",
    ],
)
def test_what_is_no_metrics_or_fits_no_others_counts_as_nothing(doors: str, text: str, damaged: str):
    alone, found = series(merged(doors, {"qulacs": text})), series(merged(doors, {"qulacs": text, "odd": damaged}))
    assert found == {**alone, ("gateway_simulator_up", "simulator=odd"): 0}


def test_labels_values_and_names_are_kept_whatever_they_are():
    text = 'x_total{simulator="own",path="a\\\\b\\"c\\nd}"} +Inf\ny NaN\nz 1 1700000000000\n'
    written = merged("", {'a"b\\': text})
    assert 'x_total{exported_simulator="own",path="a\\\\b\\"c\\nd}",simulator="a\\"b\\\\"} +Inf' in written
    assert 'y{simulator="a\\"b\\\\"} NaN' in written
    assert 'z{simulator="a\\"b\\\\"} 1.0 1700000000000' in written


def test_a_door_behind_a_door_is_a_simulator_like_others(doors: str, text: str):
    inner = merged(doors, {"cirq": text, "qulacs": None})
    found = series(merged(doors, {"lab": inner, "qulacs": text}))
    assert found["gateway_simulator_up", "simulator=lab"] == 1
    assert found["gateway_simulator_up", "exported_simulator=qulacs", "simulator=lab"] == 0
    assert found["gateway_ready", "exported_simulator=cirq", "simulator=lab"] == 1
    assert found["gateway_door_event_streams", "simulator=lab"] == 4


def test_without_simulators_there_is_the_door_alone(doors: str):
    assert series(merged(doors, {})) == series(doors)
