from __future__ import annotations

import pickle

import msgspec
import numpy as np
import pytest

from gateway.arrays import Array, packed_parts
from gateway.outcomes import Outcomes

ARRAYS = [
    np.array([0.5, -0.0, 1e-300]),
    np.arange(6, dtype=np.uint8).reshape(2, 3),
    np.array([[1 + 2j], [3 - 4j]]),
    np.empty((0, 2), np.uint8),
    np.arange(300, dtype=np.uint64),
    np.arange(70_000, dtype=np.int64),
]


@pytest.mark.parametrize("values", ARRAYS, ids=lambda values: str(values.shape))
def test_an_array_comes_back_from_messagepack_as_it_was(values: np.ndarray):
    array = Array.of(values, values.dtype.str)
    encoded = b"".join(array.parts())
    assert encoded == msgspec.msgpack.encode(array)
    again = msgspec.msgpack.decode(encoded, type=Array).numpy()
    assert again.dtype == values.dtype
    assert np.array_equal(again, values)


def test_the_bytes_of_an_array_are_not_copied_and_cannot_be_changed():
    values = np.arange(4.0)
    array = Array.of(values, "<f8")
    assert np.shares_memory(array.numpy(), values)
    assert array.parts()[-1].obj is array.data.obj
    with pytest.raises(ValueError, match="read-only"):
        array.numpy()[0] = 1
    with pytest.raises(TypeError, match="read-only"):
        array.data[0] = 1


def test_an_array_that_stands_otherwise_in_memory_is_written_in_order():
    values = np.arange(6.0).reshape(2, 3).T
    assert np.array_equal(Array.of(values, "<f8").numpy(), values)
    assert np.array_equal(Array.of(np.array([1, 2], dtype=">f8"), "<f8").numpy(), [1, 2])


def test_numbers_of_python_become_an_array_and_back():
    assert Array.of_floats([1, 2.5], "<f8").numpy().tolist() == [1, 2.5]
    assert Array.of_floats([1, 2.5], "<c16").numpy().tolist() == [1 + 2.5j]
    assert list(Array.of_floats([1, 2, 3], "<f8").floats(1, 3)) == [2, 3]


@pytest.mark.parametrize("shape", [(3,), (), (2, 2)])
def test_bytes_that_are_no_array_of_the_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"has \d+ bytes"):
        Array("<f8", shape, memoryview(bytes(16)))
    encoded = msgspec.msgpack.encode({"dtype": "<f8", "shape": shape, "data": bytes(16)})
    with pytest.raises(msgspec.ValidationError, match="bytes"):
        msgspec.msgpack.decode(encoded, type=Array)


@pytest.mark.parametrize("fields", [{"dtype": "|O"}, {"shape": [-2]}, {"data": "text"}])
def test_what_is_no_array_is_refused(fields):
    encoded = msgspec.msgpack.encode({"dtype": "<f8", "shape": [2], "data": bytes(16)} | fields)
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(encoded, type=Array)


def test_an_array_can_be_pickled():
    again = pickle.loads(pickle.dumps(Array.of(np.arange(3.0), "<f8")))  # noqa: S301 - its own
    assert again.numpy().tolist() == [0, 1, 2]


OUTCOMES = {"000000001": 0.25, "100000000": 0.5, "011111111": 0.25}


def test_bitstrings_are_rows_of_bytes_with_clbit_0_as_the_lowest_bit_of_the_first():
    outcomes = Outcomes.of(OUTCOMES, 9)
    assert outcomes.keys.numpy().tolist() == [[1, 0], [0, 1], [255, 0]]
    assert outcomes.values.numpy().tolist() == [0.25, 0.5, 0.25]
    assert outcomes.dictionary(9) == OUTCOMES
    assert outcomes.dictionary(9, 1, 2) == {"100000000": 0.5}
    assert list(outcomes.dictionary(9)) == list(OUTCOMES)


def test_a_circuit_without_clbits_has_the_empty_bitstring():
    outcomes = Outcomes.of({"": 1.0}, 0)
    assert (len(outcomes), outcomes.dictionary(0), outcomes.largest(1).dictionary(0)) == (1, {"": 1.0}, {"": 1.0})


def test_structs_with_arrays_are_written_as_one_encoder_would():
    outcomes = Outcomes.of(OUTCOMES, 9)
    assert b"".join(packed_parts(outcomes)) == msgspec.msgpack.encode(outcomes)
    assert b"".join(packed_parts({"a": 1})) == msgspec.msgpack.encode({"a": 1})


@pytest.mark.parametrize(
    "arrays",
    [
        {"values": Array.of(np.zeros(2), "<f8")},
        {"keys": Array.of(np.zeros((3, 2)), "<f8")},
        {"keys": Array.of(np.zeros(3, np.uint8), "|u1")},
    ],
    ids=["other lengths", "another type", "one axis"],
)
def test_arrays_that_do_not_fit_together_are_refused(arrays):
    outcomes = Outcomes.of(OUTCOMES, 9)
    with pytest.raises(ValueError, match="keys are bytes"):
        msgspec.structs.replace(outcomes, **arrays)


@pytest.mark.parametrize("number", range(1, 6))
def test_the_largest_are_those_of_a_whole_sort(number: int):
    values = {format(k, "010b"): float(v) for k, v in enumerate(np.random.default_rng(number).integers(0, 4, 1024))}
    ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    assert sorted(Outcomes.of(values, 10).largest(number * 50).dictionary(10)) == sorted(dict(ranked[: number * 50]))
