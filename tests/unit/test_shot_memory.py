"""The bits of each shot, packed and as bitstrings."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gateway.errors import LimitError
from gateway.provenance import Provenance
from gateway.shot_memory import MOST_BITS, Memory, packed_bitstrings

ORIGIN = Provenance(simulator="s", version="1")
BITS = [[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 0]]


def test_column_0_is_the_rightmost_character():
    memory = Memory(BITS)
    assert list(memory) == ["001", "110", "001", "000"]
    assert (memory[1], memory[-1], len(memory), memory.width) == ("110", "000", 4, 3)
    assert list(memory[1:3]) == ["110", "001"]
    assert np.asarray(memory).tolist() == BITS
    assert memory.packed.tolist() == [[1], [6], [1], [0]]


@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 17, 70])
def test_any_width_goes_there_and_back(width):
    bits = np.random.default_rng(width).integers(0, 2, size=(50, width))
    memory = Memory(bits)
    assert np.asarray(memory).tolist() == bits.tolist()
    again = Memory.from_wire(memory.to_wire(), width, ORIGIN)
    assert again == memory
    assert again.provenance is ORIGIN


def test_without_clbits_there_are_empty_bitstrings():
    memory = Memory(np.zeros((3, 0)))
    assert (list(memory), memory.counts(), memory.width) == (["", "", ""], {"": 3}, 0)
    assert Memory.from_wire(["", ""], 0, ORIGIN) == Memory(np.zeros((2, 0))) != memory


def test_counts_of_a_memory():
    counts = Memory(BITS, ORIGIN).counts()
    assert (counts, counts.width, counts.provenance) == ({"001": 2, "110": 1, "000": 1}, 3, ORIGIN)


def test_the_first_clbit_listed_becomes_clbit_0():
    assert list(Memory(BITS).marginal([2, 0])) == ["10", "01", "10", "00"]
    assert list(Memory(np.eye(20, dtype=int)).marginal([19, 9, 0]))[9] == "010"
    with pytest.raises(IndexError, match="clbit 3 is not one of the 3 clbits"):
        Memory(BITS).marginal([3])


def test_it_can_be_compared_copied_and_not_changed():
    memory = Memory(BITS)
    assert memory == pickle.loads(pickle.dumps(memory)) != Memory(BITS[:3])  # noqa: S301 - our own
    assert hash(memory) == hash(Memory(BITS))
    with pytest.raises(AttributeError, match="cannot be changed"):
        memory.width = 2
    with pytest.raises(ValueError, match="read-only"):
        memory.packed[0] = 0


@pytest.mark.parametrize("bits", [[0, 1], [[0, 2]], [[0.5]]])
def test_other_arrays_are_refused(bits):
    with pytest.raises(ValueError, match="an array of 0 and 1"):
        Memory(bits)


@pytest.mark.parametrize("texts", [["01", "0"], ["0x"], ["0é"], ["0/"]])
def test_texts_that_are_no_bitstrings_are_refused(texts):
    with pytest.raises(ValueError, match="bitstring"):
        packed_bitstrings(texts, 2)


def test_a_billion_bits_are_refused_before_they_are_drawn():
    Memory.check_size(1, 2**10, 2**19)
    with pytest.raises(LimitError, match="ask for fewer shots") as caught:
        Memory.check_size(1, 100, 10_000_000)
    assert (caught.value.requested, caught.value.allowed) == (10**9, MOST_BITS)


def test_it_says_what_is_wrong_with_it():
    memory = Memory(BITS)
    assert memory.fault(num_qubits=1, num_clbits=3, shots=4) is None
    assert memory.fault(num_qubits=1, num_clbits=2, shots=4) == "bitstrings of 3 bits for 2 clbits"
    assert memory.fault(num_qubits=1, num_clbits=3, shots=5) == "4 outcomes for 5 shots"


def test_it_is_shown_in_order():
    assert repr(Memory([[0]] * 10)) == f"Memory([{', '.join(8 * [repr('0')])}, ... 2 more])"
    html = Memory([[0], [1]] * 20)._repr_html_()
    assert "In order: 0, 1, 0, 1" in html
    assert "24 more" in html
