"""Measures two figures without a target: reading a request, and handing it to another process."""

from __future__ import annotations

from statistics import median
from time import perf_counter, process_time

from measuring import Row, take_turns
from workloads import NUM_QUBITS, bell, circuit_of, mixed_gates

from gateway.execution.pool import InlineExecutor, WorkerPool
from gateway.execution.runner import Runner
from gateway.execution.worker import Target
from gateway.protocol.messages import RunRequest, ServerLimits, decode, encode
from gateway.simulators import SIMULATORS, load

NAME = "overhead"
TIMEOUT_S = 60.0


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the cost of reading 10,000 operations, and of a worker process."""
    return [*_reading(7 if quick else 25), _handing_over(100 if quick else 500)]


def _reading(rounds: int) -> list[Row]:
    circuit = circuit_of(mixed_gates(), NUM_QUBITS).measure_all()
    body = encode(RunRequest(circuits=circuit))
    decode_s, validate_s = take_turns(
        lambda: decode(RunRequest, body), circuit.validate, rounds=rounds, clock=process_time
    )
    return [
        Row(benchmark=NAME, case="decode 10,000 operations of JSON", ours_s=decode_s),
        Row(benchmark=NAME, case="validate 10,000 operations", ours_s=validate_s),
    ]


def _handing_over(rounds: int) -> Row:
    """Compare a Bell pair in a worker process with one in this process."""
    path, limits = SIMULATORS["qulacs"].adapter, ServerLimits()
    body = encode(RunRequest(circuits=bell(), shots=1_000, seed=1))
    inline = InlineExecutor(Runner(load(path), limits))
    pool = WorkerPool(Target(path), limits, workers=1)
    try:
        assert pool.run(body, None, TIMEOUT_S).status == inline.run(body, None, TIMEOUT_S).status
        pool_s, inline_s = take_turns(
            lambda: pool.run(body, None, TIMEOUT_S),
            lambda: inline.run(body, None, TIMEOUT_S),
            rounds=rounds,
            clock=perf_counter,
            summary=median,
        )
    finally:
        pool.close()
    return Row(benchmark=NAME, case="worker process, one call", ours_s=pool_s - inline_s)
