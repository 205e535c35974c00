"""A function behind a URL, verified and hunted over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gateway import BackendServer, Circuit
from gateway.compare import hunt, verify
from gateway.compare.exact import distribution
from gateway.compare.hunting.matrix import Outcome


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    def without_cy(circuit, shots, seed=None):
        """Run a circuit without its cy gates; exact results are not to be had."""
        operations = [op for op in circuit.operations if op.name != "cy"]
        outcomes = distribution(Circuit(circuit.num_qubits, circuit.num_clbits, operations)).to_dict()
        chances = np.array(list(outcomes.values()))
        counts = np.random.default_rng(seed).multinomial(shots, chances / chances.sum())
        return dict(zip(outcomes, counts.tolist(), strict=True))

    with BackendServer(without_cy, port=0, workers=1, name="lab", version="1.2") as server:
        yield f"http://127.0.0.1:{server.port}"


def test_the_gate_that_a_function_lacks_fails_its_row_and_nothing_else(url):
    found = verify(url, groups=["bit order", "gates", "resets", "seeds"])
    assert found.versions == {"lab": "1.2"}
    assert [(row.group, row.name) for _, row, _ in found.failing()] == [("gates", "cy")]
    assert found.count("lab", Outcome.PASSES, "seeds") == 3
    assert "gives no exact probabilities" in found.notes["lab"]


def test_a_hunt_finds_that_gate(url):
    (finding,) = hunt(url, circuits=60, minutes=5, seed=3, progress=None).findings
    assert (finding.simulator, finding.culprits, finding.cause) == ("lab", ("cy",), "gate-dropped:cy")
    assert finding.reproducer.operations <= 3
    assert finding.reproducer.versions["lab"] == "1.2"
