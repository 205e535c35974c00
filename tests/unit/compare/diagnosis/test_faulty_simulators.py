"""The faulty simulators of the tests: the right one is right, and the faults are repeatable."""

from __future__ import annotations

import pytest
from support import reference
from support.circuits import random_circuit, random_dynamic_circuit
from support.faulty import FAULTS, Right, WrongGate, faulty

from gateway.circuit import Circuit
from gateway.errors import UnsupportedError

RZ = Circuit(3).h(0).rz(0.4, 0).h(0).ry(1.0, 1).rx(0.3, 2).measure_all()


@pytest.mark.parametrize("seed", range(10))
def test_the_right_simulator_is_right(seed):
    circuit = random_dynamic_circuit(seed) if seed % 2 else random_circuit(seed, 5, 20).measure_all()
    assert Right().run(circuit, shots=None) == pytest.approx(reference.distribution(circuit))


@pytest.mark.parametrize("fault", FAULTS)
def test_the_seed_repeats_what_a_fault_gives_unless_that_is_the_fault(fault):
    simulator = faulty(f"{fault}:rz" if issubclass(FAULTS[fault], WrongGate) else fault)
    first, second = (simulator.run(RZ, shots=100, seed=4) for _ in range(2))
    assert (first == second) is (fault != "seed-ignored")


def test_more_clbits_than_an_integer_has_bits_are_refused():
    with pytest.raises(UnsupportedError, match="more than 62 clbits"):
        Right().run(Circuit(1, 63).measure(0, 62), shots=1)
