from __future__ import annotations

import pytest

from gateway.circuit import Circuit
from gateway.execution.advice import advice_on_time
from gateway.protocol.messages import RunRequest, encode
from gateway.results import Sampling

FLAT = Circuit(2).h(0).measure_all()
MONITORED = Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1)
TEXT = "OPENQASM 2.0; qreg q[1]; creg c[2]; measure q[0] -> c[0]; reset q[0];"


def advice(circuits, **options):
    return advice_on_time(encode(RunRequest(circuits=circuits, **options)), runs_circuits=True)


@pytest.mark.parametrize(
    ("circuits", "options"),
    [
        (FLAT, {"shots": 10_000}),
        (FLAT, {"shots": None}),
        ([FLAT, FLAT], {"shots": [1, 2]}),
        (MONITORED, {"shots": None}),
    ],
)
def test_fewer_shots_are_not_advised_where_they_cost_nothing(circuits, options):
    assert "shots" not in advice(circuits, **options)


@pytest.mark.parametrize("circuits", [MONITORED, [FLAT, MONITORED], TEXT])
def test_measurements_on_the_way_are_named(circuits):
    assert "ask for fewer of them, for fewer qubits or shots" in advice(circuits, shots=100)


def test_own_samplers_and_functions_draw_shot_by_shot():
    assert advice(FLAT, shots=100, sampling=Sampling.NATIVE).startswith("ask for fewer shots")
    assert advice_on_time(encode(RunRequest(circuits=FLAT)), runs_circuits=False).startswith("ask for fewer shots")


@pytest.mark.parametrize("body", [b"{", b"x" * 2_000_000, encode(RunRequest(circuits="nonsense"))])
def test_a_request_that_nobody_can_read_gets_some_advice(body):
    assert advice_on_time(body, runs_circuits=True) == "ask for less, or for a longer timeout_s"


@pytest.mark.parametrize("times", [1, 20])
def test_a_short_text_of_many_operations_is_not_carried_out_once_more(times):
    loops = f"for int i in [1:1000] for int j in [1:{20 // times}]"
    text = f"OPENQASM 3.0; qubit q; {loops} U(0, 0, 0) q;"
    assert advice([text] * times) == "ask for less, or for a longer timeout_s"
