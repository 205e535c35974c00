"""Arrays of numbers as results hold them and as MessagePack carries them: bytes, with their type and their shape.

The bytes are those of the numbers one after the other, little-endian, the last index fastest, which is how NumPy writes
them. NumPy is loaded only where somebody asks for an array of its own.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from numpy.typing import NDArray

Buffer = bytes | memoryview
"""Bytes that are written as they are; a view is written without a copy."""

NumberType = Literal["|u1", "<i8", "<u8", "<f8", "<c16"]
"""The types of the numbers of an array, as NumPy names them: bytes, integers, real and complex numbers."""

_ITEM_BYTES = {"|u1": 1, "<i8": 8, "<u8": 8, "<f8": 8, "<c16": 16}

_PAIR_BYTES = 48
"""About the bytes of a complex number in JSON."""

_AT_ONCE_BYTES = 2**18
"""JSON of about so many bytes is made at once; of a larger value, piece by piece."""

_LARGEST_OF_8_BITS, _LARGEST_OF_16_BITS = 2**8 - 1, 2**16 - 1


class Array(msgspec.Struct, frozen=True):
    """Numbers as bytes. Nobody may change the bytes once an array has them.

    Args:
        dtype: the type of the numbers, as NumPy names it: ``"<f8"``.
        shape: the length of each axis.
        data: the numbers, little-endian, the last axis fastest.

    Raises:
        ValueError: there are more or fewer bytes than the shape says.
    """

    dtype: NumberType
    shape: tuple[Annotated[int, Meta(ge=0)], ...]
    data: memoryview

    def __post_init__(self) -> None:
        expected = math.prod(self.shape) * _ITEM_BYTES[self.dtype]
        if len(self.data) != expected:
            raise ValueError(f"an array of {self.dtype} with the shape {list(self.shape)} has {expected:,} bytes")

    @classmethod
    def of(cls, values: NDArray[Any], dtype: NumberType) -> Array:
        """Return an array of NumPy's as ours; it is copied only where its bytes stand otherwise.

        The caller hands the array over and must not change it again.
        """
        import numpy as np  # noqa: PLC0415 - who reads a small result needs no numpy

        own = np.ascontiguousarray(values, dtype=dtype)
        data = own.reshape(-1).view(np.uint8).data.toreadonly() if own.size else memoryview(b"")
        return cls(dtype, own.shape, data)

    @classmethod
    def of_floats(cls, values: Iterable[float], dtype: NumberType, shape: tuple[int, ...] | None = None) -> Array:
        """Return an array of real numbers or of pairs of them, one after the other; by default it has one axis."""
        floats = array("d", values)
        if sys.byteorder == "big":
            floats.byteswap()
        data = memoryview(floats.tobytes())
        return cls(dtype, (len(data) // _ITEM_BYTES[dtype],) if shape is None else shape, data)

    @property
    def num_bytes(self) -> int:
        """The number of bytes."""
        return len(self.data)

    def numpy(self) -> NDArray[Any]:
        """Return the numbers as an array of NumPy's, which shares the bytes and cannot be written."""
        import numpy as np  # noqa: PLC0415 - who reads a small result needs no numpy

        return np.frombuffer(self.data.toreadonly(), dtype=self.dtype).reshape(self.shape)

    def floats(self, start: int = 0, stop: int | None = None) -> array[float]:
        """Return the real numbers from ``start`` up to ``stop``; a complex number counts as two."""
        floats = array("d", bytes(self.data[8 * start : None if stop is None else 8 * stop]))
        if sys.byteorder == "big":
            floats.byteswap()
        return floats

    def pairs(self, start: int, stop: int) -> list[tuple[float, float]]:
        """Return the complex numbers from ``start`` up to ``stop`` as pairs (real, imaginary)."""
        floats = self.floats(2 * start, 2 * stop)
        return list(zip(floats[::2], floats[1::2], strict=True))

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the pairs of complex numbers, one after the other, as JSON piece by piece; ``None`` if it is short."""
        return json_pieces(b"[]", math.prod(self.shape), _PAIR_BYTES, self.pairs)

    def parts(self) -> list[Buffer]:
        """Return the array in MessagePack, its bytes as a part of their own, which is no copy."""
        head = msgspec.msgpack.encode({"dtype": self.dtype, "shape": self.shape, "data": msgspec.Raw(b"")})
        return [head + _head_of_bytes(len(self.data)), self.data]

    def __reduce__(self) -> tuple[object, ...]:
        return _restored, (self.dtype, self.shape, bytes(self.data))


def _restored(dtype: NumberType, shape: tuple[int, ...], data: bytes) -> Array:
    return Array(dtype, shape, memoryview(data))


def _head_of_bytes(size: int) -> bytes:
    """Return what stands before so many bytes in MessagePack."""
    if size <= _LARGEST_OF_8_BITS:
        return b"\xc4" + size.to_bytes(1, "big")
    if size <= _LARGEST_OF_16_BITS:
        return b"\xc5" + size.to_bytes(2, "big")
    return b"\xc6" + size.to_bytes(4, "big")


def are_bitstrings(rows: Array, width: int) -> bool:
    """Return whether rows of bytes, ``[n, bytes]``, have so many bits each: as many bytes, and no further bit is 1."""
    size = -(-width // 8)
    if rows.dtype != "|u1" or len(rows.shape) != 2 or rows.shape[1] != size:  # noqa: PLR2004 - axes
        return False
    if not width % 8:
        return True
    return not bytes(rows.data[size - 1 :: size]).translate(None, bytes(range(1 << width % 8)))


def packed_parts(value: object) -> list[Buffer]:
    """Return a value in MessagePack, in parts: the bytes of arrays in it, at any depth of structs, are not copied."""
    if isinstance(value, Array):
        return value.parts()
    if not isinstance(value, msgspec.Struct):
        return [msgspec.msgpack.encode(value)]
    fields = [(name, getattr(value, name)) for name in value.__struct_fields__]
    if not any(isinstance(item, msgspec.Struct) for _, item in fields):
        return [msgspec.msgpack.encode(value)]
    parts: list[Buffer] = [bytes([0x80 | len(fields)])]  # a map of up to 15 entries
    for name, item in fields:
        parts += [msgspec.msgpack.encode(name), *packed_parts(item)]
    return parts


def json_pieces(
    brackets: bytes, number: int, item_bytes: int, some: Callable[[int, int], object]
) -> Iterator[bytes] | None:
    """Return the JSON of a list or an object piece by piece, ``None`` if it is short.

    Args:
        brackets: what stands around its items.
        number: how many items there are.
        item_bytes: about the bytes of one.
        some: returns the items from a first one up to another, as a list or a dictionary.
    """
    if number * item_bytes <= _AT_ONCE_BYTES:
        return None
    return _several_pieces(brackets, number, max(_AT_ONCE_BYTES // item_bytes, 1), some)


def _several_pieces(brackets: bytes, number: int, at_once: int, some: Callable[[int, int], object]) -> Iterator[bytes]:
    for start in range(0, number, at_once):
        items = msgspec.json.encode(some(start, min(start + at_once, number)))
        yield (b"," if start else brackets[:1]) + items[1:-1]
    yield brackets[1:]
