"""Expectation values: what the observables of a request have on average in the state at the end of a circuit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.counts import Result
from gateway.provenance import Provenance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Expectation", "ExpectationValues"]


class ExpectationValues(msgspec.Struct, frozen=True):
    """Expectation values as they stand in a message.

    Args:
        values: one for each observable of the request, in order.
        std_errors: the standard error of each value; 0 where it is exact.
        groups: how many groups of Pauli strings were measured, each with all shots; 0 where the values are exact.
    """

    values: list[float]
    std_errors: list[float]
    groups: int = 0


class Expectation(Result, kind="expectation"):
    """The expectation value of each observable in the state at the end of a circuit, after its measurements.

    ``float(expectation)`` is the value of the only observable; ``numpy.asarray(expectation)`` gives all of them.

    Args:
        values: one for each observable of the request, in order.
        std_errors: the standard error of each value; 0 where it is exact, as all are when it is left out.
        groups: how many groups of Pauli strings were measured, each with all shots; 0 where the values are exact.
        width: number of clbits of the circuit.
        provenance: where the values come from; it does not count for equality.

    Raises:
        ValueError: there is another number of standard errors.
    """

    __slots__ = ("groups", "std_errors", "values")

    values: tuple[float, ...]
    std_errors: tuple[float, ...]
    groups: int

    may_be_estimated = True
    of_clbits = False
    needs = ("observables",)
    wire_type = ExpectationValues

    def __init__(
        self,
        values: Sequence[float],
        std_errors: Sequence[float] | None = None,
        groups: int = 0,
        *,
        width: int = 0,
        provenance: Provenance | None = None,
    ) -> None:
        self._refuse_to_begin_again()
        std_errors = [0.0] * len(values) if std_errors is None else std_errors
        if len(std_errors) != len(values):
            raise ValueError(f"{len(std_errors)} standard errors for {len(values)} values")
        slots = {
            "values": tuple(map(float, values)),
            "std_errors": tuple(map(float, std_errors)),
            "groups": groups,
            "width": width,
            "provenance": provenance,
        }
        for slot, value in slots.items():
            object.__setattr__(self, slot, value)

    def to_wire(self) -> ExpectationValues:
        """Return the values, their standard errors, and how many groups of strings were measured."""
        return ExpectationValues(list(self.values), list(self.std_errors), self.groups)

    @classmethod
    def from_wire(cls, value: ExpectationValues, width: int, provenance: Provenance) -> Expectation:
        """Return the expectation values of a message."""
        return cls(value.values, value.std_errors, value.groups, width=width, provenance=provenance)

    def wire_bytes(self) -> int:
        """Return the bytes of the values and their errors, with three characters each."""
        return len(self.values) * 2 * len("0.0,")

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: values that are no numbers, or errors of exact values."""
        if not all(map(math.isfinite, (*self.values, *self.std_errors))):
            return "an expectation value that is no finite number"
        if shots is None and any(self.std_errors):
            return "a standard error of an exact value"
        return None

    @property
    def value(self) -> float:
        """The value of the only observable.

        Raises:
            ValueError: there are several, whose values are ``values``.
        """
        (value,) = self._only(self.values)
        return value

    @property
    def std_error(self) -> float:
        """The standard error of the only value; 0 if it is exact.

        Raises:
            ValueError: there are several, which are ``std_errors``.
        """
        (std_error,) = self._only(self.std_errors)
        return std_error

    def _only(self, numbers: tuple[float, ...]) -> tuple[float, ...]:
        if len(numbers) != 1:
            raise ValueError(f"there are {len(numbers)} observables: their values are .values, one for each")
        return numbers

    def __float__(self) -> float:
        return self.value

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> float:
        return self.values[index]

    def __iter__(self) -> Iterator[float]:
        return iter(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.float64]:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        return np.array(self.values, dtype=dtype or np.float64, copy=copy if copy is not None else True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expectation):
            return NotImplemented
        return (self.values, self.std_errors) == (other.values, other.std_errors)

    def __hash__(self) -> int:
        return hash((self.values, self.std_errors))

    def __repr__(self) -> str:
        pairs = list(zip(self.values, self.std_errors, strict=True))
        texts = [f"{value:.6g} ± {error:.2g}" if error else f"{value:.6g}" for value, error in pairs[:8]]
        more = f", ... {len(pairs) - 8} more" if len(pairs) > 8 else ""  # noqa: PLR2004 - one line
        return f"Expectation({', '.join(texts)}{more})"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.expectation(self.values, self.std_errors, self.provenance)
