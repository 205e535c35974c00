from __future__ import annotations

import numpy as np
import pytest
from support.circuits import teleportation
from support.fakes import NumpyAdapter

from adapters.shared.dense import counts_of_columns, counts_of_indices, without_idle_qubits
from adapters.shared.recall import Recall
from gateway.circuit import Circuit
from gateway.errors import UnsupportedError
from gateway.results import Sampling


@pytest.mark.parametrize("clbits", [[0], [3, 1], list(range(7)), list(range(9)), list(range(70)), [69, 0, 64]])
def test_columns_and_a_plain_loop_count_the_same(clbits):
    rng = np.random.default_rng(len(clbits))
    patterns = rng.integers(0, 2, size=(3, len(clbits)))
    drawn = patterns[rng.integers(0, 3, size=50)]
    expected: dict[str, int] = {}
    for row in drawn:
        key = ["0"] * 70
        for clbit, bit in zip(clbits, row, strict=True):
            key[69 - clbit] = str(bit)
        expected["".join(key)] = expected.get("".join(key), 0) + 1
    counts = counts_of_columns({clbit: drawn[:, k] for k, clbit in enumerate(clbits)}, 70)
    assert counts == expected
    assert counts.width == 70


def test_indices_are_counted_by_the_qubits_that_are_measured():
    counts = counts_of_indices(np.array([0b101, 0b111, 0b001]), {0: 2, 2: 0}, 3)
    assert counts == {"101": 2, "100": 1}


def test_idle_qubits_are_left_out_and_the_others_keep_their_order():
    compact = without_idle_qubits(Circuit(9, 2).h(7).cx(7, 2).barrier().measure(2, 1))
    assert (compact.num_qubits, compact.num_clbits) == (2, 2)
    assert [op.qubits for op in compact.operations] == [(1,), (1, 0), (0,)]


def test_circuit_of_no_qubits_gets_one():
    assert without_idle_qubits(Circuit().gphase(0.1)).num_qubits == 1


def test_time_does_not_grow_with_the_shots():
    few, many = NumpyAdapter(), NumpyAdapter()
    few.run(teleportation(), shots=1000, seed=1)
    many.run(teleportation(), shots=1_000_000, seed=1)
    assert many.evolved == few.evolved


def test_sampling_is_timed_as_a_part_of_the_run():
    adapter = NumpyAdapter()
    provenance = adapter.run(teleportation(), shots=1000, seed=1).provenance
    assert 0 < provenance.sample_s < provenance.run_s
    assert adapter.run(teleportation(), shots=None).provenance.sample_s is None


def test_segments_are_built_once_for_each_way_through_their_conditions(monkeypatch):
    monkeypatch.setattr(Recall, "after", lambda *_: None)
    adapter = NumpyAdapter()
    circuit = Circuit(2, 3).h(0).measure(0, 0).x(1, when={0: 1}).h(0).measure(0, 1).x(1, when={0: 1}).h(0)
    adapter.run(circuit.measure(0, 2).measure(1, 0), shots=1000, seed=1)
    # Built are h, h with x and h without; at first there is one state, then two, and then four.
    assert (adapter.builds, adapter.evolved) == (3, 7)


def test_own_sampler_without_dynamic_circuits_refuses_them():
    with pytest.raises(UnsupportedError, match="leave sampling at 'auto'"):
        NumpyAdapter().run(teleportation(), shots=1, sampling=Sampling.NATIVE)


def test_what_gates_do_to_a_small_state_is_computed_once():
    few, many = NumpyAdapter(), NumpyAdapter()
    for adapter, rounds in ((few, 10), (many, 100)):
        circuit = Circuit(2, 2)
        for _ in range(rounds):
            circuit.h(0).measure(0, 0).x(1, when={0: 1})
        adapter.run(circuit.measure(1, 1), shots=1000, seed=1)
    assert many.evolved == few.evolved
