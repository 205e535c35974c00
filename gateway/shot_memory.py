"""The memory: the bits of each shot, in the order in which the shots were drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from gateway.arrays import Array, are_bitstrings, json_pieces
from gateway.counts import Counts, Result
from gateway.errors import LimitError
from gateway.provenance import Provenance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MOST_BITS", "Memory"]

MOST_BITS = 2**29
"""So many bits, shots times clbits, may a memory have at most: 64 MiB, packed."""

_PIECE = 2**22


class Memory(Result, Sequence[str], kind="memory"):
    """The outcome of each shot, in order; a sequence of bitstrings, written as in Counts.

    ``numpy.asarray(memory)`` gives uint8 ``[shots, clbits]``, whose column k is clbit k.

    Args:
        bits: 0 and 1, ``[shots, clbits]``; column k is clbit k.
        provenance: where the memory comes from; it does not count for equality.

    Raises:
        ValueError: the array has not two dimensions, or other values than 0 and 1.
    """

    __slots__ = ("packed",)

    packed: NDArray[np.uint8]
    """Eight clbits to a byte, ``[shots, ceil(clbits / 8)]``, clbit 0 the least significant bit of the first byte."""

    is_exact = False
    takes = ("clbits",)
    wire_type = list[str]
    packed_type = Array

    def __init__(self, bits: ArrayLike, provenance: Provenance | None = None) -> None:
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        self._refuse_to_begin_again()
        array = np.asarray(bits)
        if array.ndim != 2 or (array.size and not np.isin(array, (0, 1)).all()):  # noqa: PLR2004 - shots and clbits
            raise ValueError("a memory is an array of 0 and 1 with a row for each shot and a column for each clbit")
        self._fill(np.packbits(array.astype(np.uint8), axis=1, bitorder="little"), array.shape[1], provenance)

    @classmethod
    def trusted(cls, packed: NDArray[np.uint8], width: int, provenance: Provenance | None = None) -> Memory:
        """Wrap packed bits without copying or checking them; the caller hands the array over."""
        self = cls.__new__(cls)
        self._fill(packed, width, provenance)
        return self

    def _fill(self, packed: NDArray[np.uint8], width: int, provenance: Provenance | None) -> None:
        packed.flags.writeable = False
        for slot, value in (("packed", packed), ("width", width), ("provenance", provenance)):
            object.__setattr__(self, slot, value)

    @classmethod
    def check_size(cls, num_qubits: int, num_clbits: int, shots: int) -> None:  # noqa: ARG003 - one signature
        """Refuse more than ``MOST_BITS`` bits.

        Raises:
            LimitError: there would be more.
        """
        if shots * num_clbits > MOST_BITS:
            raise LimitError(
                f"the memory of {shots:,} shots of {num_clbits:,} clbits has {shots * num_clbits:,} bits, and at most "
                f"{MOST_BITS:,} are given: ask for fewer shots, for some of the clbits, or for counts",
                limit="memory bits",
                requested=shots * num_clbits,
                allowed=MOST_BITS,
            )

    def to_wire(self) -> list[str]:
        """Return a bitstring for each shot."""
        return list(self)

    def to_packed(self) -> Array:
        """Return a row of bytes for each shot, in which clbit k is bit ``k % 8`` of byte ``k // 8``."""
        return Array.of(self.packed, "|u1")

    @classmethod
    def from_packed(cls, value: Array, width: int, provenance: Provenance) -> Memory:
        """Return the memory of a message in MessagePack.

        Raises:
            ValueError: the array has not as many bits for each shot as there are clbits.
        """
        if not are_bitstrings(value, width):
            raise ValueError(
                f"a memory of {width} clbits has {-(-width // 8)} bytes for each shot, and no further bits"
            )
        return cls.trusted(value.numpy(), width, provenance)

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the JSON of many shots piece by piece."""
        return json_pieces(
            b"[]", len(self), self.width + len('"",'), lambda start, stop: self._texts(self.packed[start:stop])
        )

    def wire_bytes(self) -> int:
        """Return the bytes of the bitstrings."""
        return len(self) * (self.width + len('"",'))

    @classmethod
    def least_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of a bitstring for each shot."""
        return shots * (num_clbits + len('"",'))

    @classmethod
    def least_packed_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of a row for each shot."""
        return shots * -(-num_clbits // 8)

    @classmethod
    def from_wire(cls, value: list[str], width: int, provenance: Provenance) -> Memory:
        """Return the memory of a message.

        Raises:
            ValueError: a text is no bitstring of the width.
        """
        return cls.trusted(packed_bitstrings(value, width), width, provenance)

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: another number of clbits or shots."""
        if self.width != num_clbits:
            return f"bitstrings of {self.width} bits for {num_clbits} clbits"
        return None if len(self) == shots else f"{len(self)} outcomes for {shots} shots"

    def counts(self) -> Counts:
        """Return how often each outcome came."""
        import numpy as np  # noqa: PLC0415 - the module is loaded with the messages

        if not self.width:
            return Counts({"": len(self)}, width=0, provenance=self.provenance)
        distinct, times = np.unique(self.packed, axis=0, return_counts=True)
        keys = list(Memory.trusted(distinct, self.width))
        return Counts.trusted(dict(zip(keys, times.tolist(), strict=True)), self.width, self.provenance)

    def marginal(self, clbits: Iterable[int]) -> Memory:
        """Return the memory of some clbits; the first one listed becomes clbit 0.

        Raises:
            IndexError: the memory has no such clbit.
        """
        import numpy as np  # noqa: PLC0415 - the module is loaded with the messages

        selection = list(clbits)
        for clbit in selection:
            if not 0 <= clbit < self.width:
                raise IndexError(f"clbit {clbit} is not one of the {self.width} clbits")
        packed = np.zeros((len(self), -(-len(selection) // 8)), dtype=np.uint8)
        for place, clbit in enumerate(selection):
            packed[:, place // 8] |= (self.packed[:, clbit // 8] >> clbit % 8 & 1) << place % 8
        return Memory.trusted(packed, len(selection), self.provenance)

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Memory: ...
    def __getitem__(self, index: int | slice) -> str | Memory:
        if isinstance(index, slice):
            return Memory.trusted(self.packed[index], self.width, self.provenance)
        return self._texts(self.packed[index][None])[0]

    def __iter__(self) -> Iterator[str]:
        rows = max(_PIECE // max(self.width, 1), 1)
        for begin in range(0, len(self), rows):
            yield from self._texts(self.packed[begin : begin + rows])

    def _texts(self, packed: NDArray[np.uint8]) -> list[str]:
        import numpy as np  # noqa: PLC0415 - the module is loaded with the messages

        if not self.width:
            return [""] * len(packed)
        bits = np.unpackbits(packed, axis=1, bitorder="little", count=self.width)
        characters = np.ascontiguousarray(bits[:, ::-1] + np.uint8(ord("0")))
        return cast("list[str]", characters.view(f"S{self.width}").reshape(-1).astype(f"U{self.width}").tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.uint8]:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415 - the module is loaded with the messages

        return np.unpackbits(self.packed, axis=1, bitorder="little", count=self.width).astype(dtype or np.uint8)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Memory):
            return NotImplemented
        return self.width == other.width and self.packed.tobytes() == other.packed.tobytes() and len(self) == len(other)

    def __hash__(self) -> int:
        return hash((self.width, self.packed.tobytes()))

    def __repr__(self) -> str:
        texts = ", ".join(map(repr, self[:8]))
        more = f", ... {len(self) - 8:,} more" if len(self) > 8 else ""  # noqa: PLR2004 - one line
        return f"Memory([{texts}{more}])"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.memory(self[:16], self.counts().to_dict(), len(self), self.provenance)


def packed_bitstrings(bitstrings: Sequence[str], width: int) -> NDArray[np.uint8]:
    """Return bitstrings packed as in :class:`Memory`.

    Raises:
        ValueError: a text is no bitstring of the width.
    """
    import numpy as np  # noqa: PLC0415 - the module is loaded with the messages

    if set(map(len, bitstrings)) - {width}:
        wrong = next(bitstring for bitstring in bitstrings if len(bitstring) != width)
        raise ValueError(f"{wrong!r:.80} is not a bitstring of {width} bits")
    packed = np.zeros((len(bitstrings), -(-width // 8)), dtype=np.uint8)
    rows = max(_PIECE // max(width, 1), 1)
    for begin in range(0, len(bitstrings) if width else 0, rows):
        text = "".join(bitstrings[begin : begin + rows]).encode("utf-8", "surrogatepass")
        bits = np.frombuffer(text, dtype=np.uint8) - ord("0")
        if len(bits) != len(bitstrings[begin : begin + rows]) * width or bits.max() > 1:
            raise ValueError("a bitstring has another character than 0 and 1")
        packed[begin : begin + rows] = np.packbits(bits.reshape(-1, width)[:, ::-1], axis=1, bitorder="little")
    return packed
