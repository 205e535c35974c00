"""Circuit -> the framework's object, against a bare loop over the framework's own constructors."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from measuring import Row, compared, take_turns
from workloads import NUM_GATES, NUM_QUBITS, circuit_of, mixed_gates

from adapters.base import Adapter
from gateway.simulators import SIMULATORS, load

NAME = "build"
TARGET = 1.5


def measure(simulator: str, *, quick: bool) -> list[Row]:
    """Compare ``build`` of gates that all are native with the bare loop."""
    adapter = load(SIMULATORS[simulator].adapter)
    assert isinstance(adapter, Adapter)
    gates = mixed_gates()
    circuit = circuit_of(gates, NUM_QUBITS)
    assert {op.name for op in circuit.operations} <= set(adapter.native_gates)
    bare = partial(import_module(f"bare.{simulator}").build, gates, NUM_QUBITS)
    ours_s, bare_s = take_turns(partial(adapter.build, circuit), bare, rounds=7 if quick else 25)
    return [
        compared(NAME, f"{simulator} : bare loop", ours_s, bare_s, TARGET),
        Row(benchmark=NAME, case=f"{simulator}, one gate", ours_s=ours_s / NUM_GATES),
    ]
