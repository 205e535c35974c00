"""A result type that the gateway does not have: the probability that an even number of clbits is 1.

A new result type takes no more than this class and the method ``parity`` of an adapter.
"""

from __future__ import annotations

from gateway.counts import Result
from gateway.provenance import Provenance


class Parity(Result, kind="parity"):
    __slots__ = ("even",)

    wire_type = float

    def __init__(self, even: float, width: int, provenance: Provenance | None = None) -> None:
        for name, value in (("even", even), ("width", width), ("provenance", provenance)):
            object.__setattr__(self, name, value)

    def to_wire(self) -> float:
        return self.even

    @classmethod
    def from_wire(cls, value: float, width: int, provenance: Provenance) -> Parity:
        return cls(value, width, provenance)

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:
        return None if 0 <= self.even <= 1 else f"a probability of {self.even}"
