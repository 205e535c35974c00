"""Deployments come without a token, so their number, their bytes and their age have bounds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.jobs.store import JobStore
from gateway.legacy.qrisp import store as module
from gateway.legacy.qrisp.jobs import _Recent
from gateway.legacy.qrisp.store import MAX_AGE_S, DeploymentStore


@pytest.fixture
def deployments() -> Iterator[DeploymentStore]:
    store = JobStore()
    yield DeploymentStore(store)
    store.close()


class Clock:
    def __init__(self) -> None:
        self.seconds = 1e9

    def now(self) -> float:
        self.seconds += 1
        return self.seconds

    monotonic = now


def kept(deployments: DeploymentStore, numbers: list[int]) -> list[int]:
    return [number for number in numbers if deployments.get(number) is not None]


def test_the_number_of_deployments_is_bounded_after_each_of_them(
    deployments: DeploymentStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_DEPLOYMENTS", 3)
    numbers = [deployments.add(b"program") for _ in range(5)]
    assert kept(deployments, numbers) == numbers[2:]


def test_the_bytes_of_deployments_are_bounded_after_each_of_them(
    deployments: DeploymentStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "MAX_BYTES", 20)
    numbers = [deployments.add(b"8 bytes.") for _ in range(5)]
    assert kept(deployments, numbers) == numbers[3:]


def test_a_deployment_is_neither_given_out_nor_kept_after_a_day(
    deployments: DeploymentStore, monkeypatch: pytest.MonkeyPatch
):
    clock = Clock()
    monkeypatch.setattr(deployments, "_clock", clock)
    old = deployments.add(b"old")
    assert deployments.get(old) == b"old"
    clock.seconds += MAX_AGE_S
    assert deployments.get(old) is None
    new = deployments.add(b"new")
    clock.seconds -= MAX_AGE_S  # the old one would be given out now if it were still there
    assert kept(deployments, [old, new]) == [new]


def test_what_is_kept_in_memory_is_forgotten_after_a_day_too(monkeypatch: pytest.MonkeyPatch):
    clock = Clock()
    monkeypatch.setattr("gateway.legacy.qrisp.jobs.time", clock)
    recent: _Recent[str] = _Recent(5)
    recent.add(7, "deployment")
    assert recent.get(7) == "deployment"
    clock.seconds += MAX_AGE_S
    assert recent.get(7) is None
