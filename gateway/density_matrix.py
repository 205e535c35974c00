"""The density matrix of all qubits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gateway.arrays import Array
from gateway.counts import SUM_TOLERANCE, Result
from gateway.provenance import Provenance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["DensityMatrix"]


class DensityMatrix(Result, kind="density_matrix"):
    """The density matrix of all qubits at the end of a circuit, after its measurements.

    ``numpy.asarray(matrix)`` gives complex128 ``[2**n, 2**n]``.

    Args:
        entries: ``[2**n, 2**n]``; the indices are little-endian: qubit 0 is the least significant bit.
        width: number of clbits of the circuit.
        provenance: where the matrix comes from; it does not count for equality.

    Raises:
        ValueError: the entries are no square matrix.
    """

    __slots__ = ("_entries",)

    _entries: NDArray[np.complex128]

    with_idle_qubits = True
    of_clbits = False
    wire_type = list[tuple[float, float]]
    packed_type = Array

    def __init__(self, entries: ArrayLike, width: int = 0, provenance: Provenance | None = None) -> None:
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        self._refuse_to_begin_again()
        self._fill(np.array(entries, dtype=np.complex128), width, provenance)

    @classmethod
    def trusted(
        cls, entries: NDArray[np.complex128], width: int = 0, provenance: Provenance | None = None
    ) -> DensityMatrix:
        """Wrap a matrix without copying it; the caller hands it over and must not change it again.

        Raises:
            ValueError: it is not square.
        """
        self = cls.__new__(cls)
        self._fill(entries, width, provenance)
        return self

    def _fill(self, array: NDArray[np.complex128], width: int, provenance: Provenance | None) -> None:
        if array.ndim != 2 or array.shape[0] != array.shape[1]:  # noqa: PLR2004 - a matrix
            raise ValueError(f"a density matrix is square, not of the shape {array.shape}")
        array.flags.writeable = False
        for slot, value in (("_entries", array), ("width", width), ("provenance", provenance)):
            object.__setattr__(self, slot, value)

    def to_wire(self) -> list[tuple[float, float]]:
        """Return ``4**num_qubits`` pairs (real, imaginary), row by row; qubit 0 is the least significant bit."""
        flat = self._entries.reshape(-1)
        return list(zip(flat.real.tolist(), flat.imag.tolist(), strict=True))

    @classmethod
    def from_wire(cls, value: list[tuple[float, float]], width: int, provenance: Provenance) -> DensityMatrix:
        """Return the density matrix of a message.

        Raises:
            ValueError: the pairs are not those of a square matrix.
        """
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        pairs = np.array(value, dtype=np.float64).reshape(-1, 2)
        size = math.isqrt(len(pairs))
        return cls((pairs[:, 0] + 1j * pairs[:, 1]).reshape(size, -1), width, provenance)

    def to_packed(self) -> Array:
        """Return ``[2**num_qubits, 2**num_qubits]`` complex numbers; qubit 0 is the least significant bit."""
        return Array.of(self._entries, "<c16")

    @classmethod
    def from_packed(cls, value: Array, width: int, provenance: Provenance) -> DensityMatrix:
        """Return the density matrix of a message in MessagePack.

        Raises:
            ValueError: the array is no square matrix of complex numbers.
        """
        if value.dtype != "<c16":
            raise ValueError("the entries of a density matrix are complex numbers")
        return cls.trusted(value.numpy(), width, provenance)

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the JSON of a large matrix piece by piece."""
        return self.to_packed().json_pieces()

    @classmethod
    def amplitudes_of(cls, num_qubits: int) -> int:
        """Return the number of entries."""
        return 1 << 2 * num_qubits

    def wire_bytes(self) -> int:
        """Return the bytes of pairs of the shortest numbers."""
        return self._entries.size * len("[0.0,0.0],")

    @classmethod
    def least_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of as many pairs of the shortest numbers as there are entries."""
        return len("[0.0,0.0],") << 2 * num_qubits

    @classmethod
    def least_packed_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of as many complex numbers as there are entries."""
        return 16 << 2 * num_qubits

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: another number of entries, or a trace that is not 1."""
        if len(self._entries) != 1 << num_qubits:
            return f"a matrix of {len(self._entries)} rows for {num_qubits} qubits"
        trace = complex(self._entries.trace())
        return None if abs(trace - 1) <= SUM_TOLERANCE else f"the trace is {trace}, not 1"

    @property
    def num_qubits(self) -> int:
        """The number of qubits that the matrix describes."""
        return len(self._entries).bit_length() - 1

    @property
    def purity(self) -> float:
        """The trace of the square: 1 for a pure state, less for a mixture."""
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        return float(np.vdot(self._entries, self._entries).real)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - an entry for a pair, a row for a number
        return self._entries[index]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.complex128]:  # noqa: ANN401
        return self._entries.astype(dtype or self._entries.dtype)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DensityMatrix):
            return NotImplemented
        return self._entries.shape == other._entries.shape and bool((self._entries == other._entries).all())

    def __hash__(self) -> int:
        return hash((self._entries + 0).tobytes())  # + 0, since -0.0 is equal to 0.0

    def __repr__(self) -> str:
        return f"DensityMatrix({self.num_qubits} qubits)"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.density_matrix(self._entries, self.provenance)
