"""A Bell pair over HTTP, against an empty route of the same server."""

from __future__ import annotations

from functools import partial
from statistics import median
from time import perf_counter

import requests
from measuring import Row, compared, take_turns
from workloads import bell

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.counts import Counts

NAME = "round-trip"
TARGET = 3.0
SHOTS = 1_000


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare ``BackendClient.run`` with ``GET /healthz``, both on a connection that is kept."""
    with LocalSimulator(simulator, workers=1) as local, requests.Session() as session:
        client = local.client()
        assert isinstance(client, BackendClient)
        session.trust_env = False  # as the client does on this machine
        run = partial(client.run, bell(), shots=SHOTS, seed=1)
        # With a length, the probe goes the way of every other request; without one, the event loop answers it.
        empty = partial(session.get, f"{client.url}/healthz", headers={"Content-Length": "0"}, timeout=10)
        for _ in range(20):  # everything that happens only once
            run()
        ours_s, empty_s = take_turns(
            run, empty, rounds=100 if quick else 500, clock=perf_counter, summary=median, check=_check
        )
    return [compared(NAME, f"{simulator} : empty route", ours_s, empty_s, TARGET)]


def _check(counts: Counts, response: requests.Response) -> None:
    assert counts.shots == SHOTS
    assert set(counts) == {"00", "11"}
    assert response.status_code == requests.codes.ok
