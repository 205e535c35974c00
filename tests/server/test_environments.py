"""Simulators of other groups run in environments of their own."""

from __future__ import annotations

import sys

import pytest

from gateway import LocalSimulator
from gateway.circuit import Circuit
from gateway.simulators import SIMULATORS

ELSEWHERE = [row.name for row in SIMULATORS.values() if row.python() != sys.executable]


def test_some_simulators_have_an_environment_of_their_own():
    assert ELSEWHERE


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_server_runs_in_the_environment_of_its_simulator(name):
    bell = Circuit(2).h(0).cx(0, 1).measure_all()
    with LocalSimulator(name, workers=1) as simulator:
        counts = simulator.run(bell, shots=100, seed=1)
    assert set(counts) == {"00", "11"}
    assert counts.provenance.version == SIMULATORS[name].installed_version()
