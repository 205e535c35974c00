"""The amplitudes of some basis states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.counts import SUM_TOLERANCE, Result
from gateway.provenance import Provenance

__all__ = ["Amplitudes"]


class Amplitudes(Result, Mapping[str, complex], kind="amplitudes"):
    """An immutable mapping from bitstrings over all qubits to their amplitudes, in the order of the request.

    Args:
        amplitudes: bitstring -> amplitude; qubit 0 is the rightmost character. The caller hands the dictionary over.
        width: number of clbits of the circuit.
        provenance: where the amplitudes come from; it does not count for equality.
    """

    __slots__ = ("_amplitudes",)

    _amplitudes: dict[str, complex]

    of_state = True
    is_pure = True
    of_clbits = False
    needs = ("bitstrings",)
    wire_type = dict[str, tuple[float, float]]

    def __init__(self, amplitudes: dict[str, complex], width: int = 0, provenance: Provenance | None = None) -> None:
        self._refuse_to_begin_again()
        for slot, value in (("_amplitudes", amplitudes), ("width", width), ("provenance", provenance)):
            object.__setattr__(self, slot, value)

    def to_wire(self) -> dict[str, tuple[float, float]]:
        """Return bitstring over all qubits -> pair (real, imaginary)."""
        return {bitstring: (amplitude.real, amplitude.imag) for bitstring, amplitude in self._amplitudes.items()}

    @classmethod
    def from_wire(cls, value: dict[str, tuple[float, float]], width: int, provenance: Provenance) -> Amplitudes:
        """Return the amplitudes of a message."""
        return cls({bitstring: complex(*pair) for bitstring, pair in value.items()}, width, provenance)

    def wire_bytes(self) -> int:
        """Return the bytes of the bitstrings with pairs of the shortest numbers."""
        length = len(next(iter(self._amplitudes), ""))
        return len(self._amplitudes) * (length + len('"":[0.0,0.0],'))

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: bitstrings of another width, or probabilities that sum to more than 1."""
        wrong = next((bitstring for bitstring in self._amplitudes if len(bitstring) != num_qubits), None)
        if wrong is not None:
            return f"the amplitude of {wrong!r} for {num_qubits} qubits"
        total = sum([abs(amplitude) ** 2 for amplitude in self._amplitudes.values()])
        return None if total <= 1 + SUM_TOLERANCE else f"the squares of the amplitudes sum to {total}"

    def __getitem__(self, bitstring: str) -> complex:
        return self._amplitudes[bitstring]

    def __iter__(self) -> Iterator[str]:
        return iter(self._amplitudes)

    def __len__(self) -> int:
        return len(self._amplitudes)

    def __hash__(self) -> int:
        return hash(frozenset(self._amplitudes.items()))

    def __repr__(self) -> str:
        entries = ", ".join([f"{key!r}: {value:.6g}" for key, value in list(self._amplitudes.items())[:8]])
        more = f", ... {len(self) - 8} more" if len(self) > 8 else ""  # noqa: PLR2004 - one line
        return f"Amplitudes({{{entries}{more}}})"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.amplitudes(self._amplitudes, self.provenance)
