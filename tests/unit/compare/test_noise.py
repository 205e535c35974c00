"""Comparisons with noise: the reference has it too, and what cannot be compared is refused."""

from __future__ import annotations

import msgspec
import pytest

from adapters.cirq import CirqAdapter
from adapters.qulacs import QulacsAdapter
from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare import compare
from gateway.compare.comparison import Comparison
from gateway.errors import RequestError
from gateway.execution.runner import Runner
from gateway.noise import NoiseModel
from gateway.protocol.messages import ServerLimits

QUIET = {"progress": None, "seed": 5}
NOISE = NoiseModel().depolarizing(0.02).readout_error(0.05)
BELL = Circuit(2).h(0).cx(0, 1).measure_all()


class Here(Backend):
    """An adapter in this process; ``forgets`` leaves the noise out, as a faulty simulator would."""

    def __init__(self, adapter, *, forgets: bool = False) -> None:
        self._runner, self._forgets = Runner(adapter, ServerLimits()), forgets

    def send(self, request):
        request = msgspec.structs.replace(request, noise=None) if self._forgets else request
        return self._runner.results(request)

    def capabilities(self):
        return self._runner.runnable.capabilities

    def status(self):
        raise NotImplementedError


def test_simulators_with_the_same_noise_agree(tmp_path) -> None:
    comparison = compare(BELL, {"cirq": Here(CirqAdapter()), "qulacs": Here(QulacsAdapter())}, noise=NOISE, **QUIET)
    assert comparison.all_agree
    assert comparison.reference.witnesses == ("gateway", "cirq", "qulacs")
    assert Comparison.load(comparison.save(tmp_path / "noisy.json")).noise == NOISE


def test_a_simulator_that_forgets_the_noise_differs() -> None:
    backends = {"cirq": Here(CirqAdapter()), "qulacs": Here(QulacsAdapter(), forgets=True)}
    comparison = compare(BELL, backends, noise=NOISE, **QUIET)
    assert [str(row.verdict) for row in comparison.rows] == ["agrees", "differs"]


def test_comparisons_of_different_noise_are_not_merged() -> None:
    backends = {"cirq": Here(CirqAdapter())}
    with pytest.raises(RequestError, match="other noise"):
        compare(BELL, backends, noise=NOISE, **QUIET).merge(compare(BELL, backends, **QUIET))


@pytest.mark.parametrize(
    ("circuit", "noise", "match"),
    [
        (BELL, "depolarizing", "noise is a NoiseModel"),
        (BELL, NoiseModel().bit_flip(2), "from 0 to 1"),
        (BELL, NoiseModel().bit_flip(0.1, qubits=[7]), "no qubit 7"),
        (Circuit(1).h(0), NOISE, "measures nothing"),
    ],
)
def test_noise_that_cannot_be_is_refused_before_anything_runs(circuit, noise, match) -> None:
    with pytest.raises(RequestError, match=match):
        compare(circuit, {"cirq": Here(CirqAdapter())}, noise=noise, **QUIET)
