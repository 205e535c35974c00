"""A result type is one class, and one method of the adapters that declare it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.circuits import bell
from support.fakes import ZeroAdapter

from gateway.counts import Counts, Statevector
from gateway.errors import SimulatorError
from gateway.results import Capabilities, ResultType

TESTS = Path(__file__).parents[1]


def test_a_new_result_type_goes_from_the_adapter_through_the_protocol_to_the_backend():
    """In an interpreter of its own: the messages know the classes that there are when they are loaded."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])}
    command = [sys.executable, "-m", "support.parity_all_the_way"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    outcome = json.loads(done.stdout)
    assert (outcome["class"], outcome["even"], outcome["width"]) == ("Parity", 1.0, 2)
    assert outcome["simulator"] == "numpy"
    assert outcome["fields"] == ["parity", "provenance", "width"]
    assert outcome["on the wire"] == 1.0
    assert "numpy does not have the result type parity" in outcome["not declared"]
    assert "numpy broke the contract: a probability of 2.0" in outcome["faulty"]


class DeclaresTooMuch(ZeroAdapter):
    capabilities = Capabilities(result_types=(ResultType.COUNTS, ResultType.PROBABILITIES), native_dynamic=True)


class Mistaken(DeclaresTooMuch):
    def probabilities(self, circuit, run):
        return Counts({"00": 1})


def test_a_declared_result_type_without_its_method_breaks_the_contract():
    with pytest.raises(SimulatorError, match="declares the result type probabilities and has no method of that name"):
        DeclaresTooMuch().run(bell(), shots=None)


def test_a_method_that_returns_another_kind_of_result_breaks_the_contract():
    with pytest.raises(SimulatorError, match="a Counts for probabilities"):
        Mistaken().run(bell(), shots=None)


@pytest.mark.parametrize(
    ("result", "fault"),
    [
        (Counts({"00": 7}), None),
        (Counts({"00": 6}), "6 outcomes for 7 shots"),
        (Counts({"0": 7}), "bitstrings of 1 bits for 2 clbits"),
        (ResultType.PROBABILITIES.result_class({"00": 1.0}, 2), None),
        (ResultType.PROBABILITIES.result_class({"00": 0.75}, 2), "the probabilities sum to 0.75, not to 1"),
        (ResultType.PROBABILITIES.result_class({"0": 1.0}, 1), "bitstrings of 1 bits for 2 clbits"),
        (Statevector([1, 0, 0, 0]), None),
        (Statevector([1, 0]), "2 amplitudes for 2 qubits"),
    ],
)
def test_a_result_says_what_is_wrong_with_it(result, fault):
    assert result.fault(num_qubits=2, num_clbits=2, shots=7) == fault
