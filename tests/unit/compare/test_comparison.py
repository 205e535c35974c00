from __future__ import annotations

import json

import pytest

from gateway import Backend, BackendStatus, Capabilities, Circuit, Provenance
from gateway.compare import compare
from gateway.counts import Counts, Probabilities
from gateway.errors import GatewayError, JobTimeout, LimitError, RequestError, SimulatorError, UnsupportedError
from gateway.protocol.messages import RunRequest
from gateway.results import Result, ResultType

BELL = Circuit(2).h(0).cx(0, 1).measure_all()
EXACT = {"00": 0.5, "11": 0.5}


class Stub(Backend):
    """Gives the counts and probabilities it was told to, or raises them."""

    def __init__(
        self, zeros: float = 0.5, *, exact: object = None, error: GatewayError | None = None, seedable=True
    ) -> None:
        self.zeros, self.exact, self.error, self.seedable = zeros, exact, error, seedable
        self.requests: list[RunRequest] = []

    def send(self, request: RunRequest) -> list[Result]:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        if request.seed is not None and not self.seedable:
            raise UnsupportedError("cannot be seeded")
        provenance = Provenance(simulator="stub", version="1.5", seed=request.seed, parse_s=0.1, build_s=0.2, run_s=0.5)
        if request.shots is None:
            if isinstance(self.exact, GatewayError):
                raise self.exact
            return [Probabilities(self.exact, 2, provenance)]
        zeros = round(request.shots * self.zeros)
        return [Counts({"00": zeros, "11": request.shots - zeros}, width=2, provenance=provenance)]

    def status(self) -> BackendStatus:
        if self.error is not None:
            raise self.error
        return BackendStatus("stub", "1.5", online=True)

    def capabilities(self) -> Capabilities:
        exact = (ResultType.PROBABILITIES,) if self.exact is not None else ()
        return Capabilities(result_types=(ResultType.COUNTS, *exact))


def test_simulators_that_agree_are_said_to_agree():
    found = compare(BELL, {"a": Stub(0.5), "b": Stub(0.51, exact=EXACT)}, shots=10_000, seed=3)
    assert found.all_agree
    assert found.reference == "exact (b)"
    first, second = found.rows
    assert (first.simulator, first.version, first.seed, first.error) == ("a", "1.5", 3, None)
    assert first.leading == (("00", 5000), ("11", 5000))
    assert first.distance == 0
    assert second.distance == pytest.approx(0.01)
    assert first.bound == second.bound > 0.01
    assert first.convert_s == pytest.approx(0.3)
    assert first.run_s == 0.5


def test_one_that_differs_is_named_and_the_others_are_not():
    found = compare(BELL, {"a": Stub(0.5, exact=EXACT), "wrong": Stub(0.6)}, shots=10_000)
    assert [row.agrees for row in found.rows] == [True, False]
    assert not found.all_agree


def test_one_that_fails_has_a_row_with_its_error_and_does_not_stop_the_others():
    failing = Stub(error=SimulatorError("it broke"))
    found = compare(BELL, {"failing": failing, "a": Stub(exact=EXACT)})
    assert [row.simulator for row in found.rows] == ["failing", "a"]
    assert found.rows[0].error == "SimulatorError: it broke"
    assert (found.rows[0].agrees, found.rows[1].agrees) == (False, True)
    assert not found.all_agree


@pytest.mark.parametrize(
    "error",
    [LimitError("too large"), UnsupportedError("cannot"), JobTimeout("too slow"), SimulatorError("out of order")],
    ids=lambda error: error.code,
)
def test_the_next_one_gives_the_exact_distribution_when_one_cannot(error):
    found = compare(BELL, {"a": Stub(exact=error), "b": Stub(exact=EXACT)})
    assert found.reference == "exact (b)"
    assert found.all_agree


def test_without_an_exact_distribution_all_counts_are_pooled():
    found = compare(BELL, {"a": Stub(0.5), "b": Stub(0.5), "wrong": Stub(0.9)}, shots=10_000)
    assert found.reference == "pooled"
    assert not found.rows[2].agrees


def test_when_all_fail_there_is_nothing_to_compare_with():
    found = compare(BELL, {"a": Stub(error=SimulatorError("x")), "b": Stub(error=SimulatorError("y"))})
    assert [row.error for row in found.rows] == ["SimulatorError: x", "SimulatorError: y"]


def test_a_backend_without_seeds_is_compared_without_one():
    assert compare(BELL, {"a": Stub(exact=EXACT, seedable=False)}).all_agree


def test_every_backend_gets_the_same_circuit_shots_seed_and_sampling():
    backends = {"a": Stub(exact=EXACT), "b": Stub()}
    compare(BELL, backends, shots=77, seed=5, sampling="native")
    for backend in backends.values():
        counted = [request for request in backend.requests if request.shots == 77]
        assert [(request.circuits, request.seed, str(request.sampling)) for request in counted] == [(BELL, 5, "native")]


def test_progress_is_reported_and_the_result_is_plain_data():
    words: list[str] = []
    found = compare(BELL, {"a": Stub(exact=EXACT)}, report=words.append)
    assert "a: running" in words
    assert json.loads(json.dumps(found.to_dict()))["rows"][0]["simulator"] == "a"


def test_what_is_no_circuit_is_refused():
    with pytest.raises(RequestError, match="a circuit is"):
        compare(7, {"a": Stub()})
