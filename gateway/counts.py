"""What a run returns: counts, probabilities or a state vector, each with its provenance.

Probabilities and state vectors hold arrays, as simulators hand them over and MessagePack carries them. Bitstrings and
Python's numbers are made of them only where somebody asks for these.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar, overload

from gateway.arrays import Array, are_bitstrings, json_pieces
from gateway.outcomes import Outcomes
from gateway.provenance import BIT_ORDER, Provenance

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["BIT_ORDER", "KINDS", "Counts", "Probabilities", "Result", "Statevector"]

_SHOWN = 8  # outcomes in a repr, which is one line
SUM_TOLERANCE = 1e-6
"""How far a sum of exact probabilities may be from 1."""


KINDS: dict[str, type[Result]] = {}
"""The name of a result type, as a request spells it -> its class."""


class Result:
    """What the run of one circuit returns. It cannot be changed.

    A result type is one subclass of this, ``class Counts(Result, kind="counts")``, and one method named
    ``counts`` of each adapter that declares it. The subclass says what a user is given, and how the value
    is written to the field ``counts`` of a message. Its ``__slots__`` name everything that it stores.

    The value is written the same way in JSON and in MessagePack (``wire_type``, ``to_wire``, ``from_wire``), unless the
    subclass says how it stands in MessagePack: as an :class:`~gateway.arrays.Array`, or as a struct that has some
    (``packed_type``, ``to_packed``, ``from_packed``).

    Attributes:
        width: number of clbits of the circuit; the length of every bitstring.
        provenance: where the result comes from; it does not count for equality.
    """

    __slots__ = ("provenance", "width")

    width: int
    provenance: Provenance | None

    kind: ClassVar[str]
    """The name of the result type in a request, of its field in a message, and of the adapter's method for it."""
    is_exact: ClassVar[bool] = True
    """Whether the result is computed instead of drawn; an exact result takes no shots."""
    may_be_estimated: ClassVar[bool] = False
    """Whether an exact result can be estimated from shots as well, where a request gives some."""
    of_state: ClassVar[bool] = False
    """Whether the result describes the state of all qubits, so that the circuit may not measure them."""
    is_pure: ClassVar[bool] = False
    """Whether the result describes a pure state, which a run with noise has not."""
    with_idle_qubits: ClassVar[bool] = False
    """Whether the result describes idle qubits as well, so that they are simulated."""
    of_clbits: ClassVar[bool] = True
    """Whether the result is about clbits, so that the circuit has to measure something."""
    needs: ClassVar[tuple[str, ...]] = ()
    """The fields of :class:`gateway.run_details.RunDetails` that a request for the result must have."""
    takes: ClassVar[tuple[str, ...]] = ()
    """The fields of these that it may have."""
    wire_type: ClassVar[Any]
    """The type of the result's field in a message in JSON."""
    packed_type: ClassVar[Any]
    """The type of the field in a message in MessagePack; by default the same."""

    def __init_subclass__(cls, *, kind: str) -> None:
        if "__slots__" not in vars(cls):
            raise TypeError(f"{cls.__name__} needs __slots__: a result cannot be changed")
        cls.kind = kind
        if "packed_type" not in vars(cls):
            cls.packed_type = cls.wire_type
        KINDS[kind] = cls

    def to_wire(self) -> Any:  # noqa: ANN401 - of its wire_type
        """Return the value as it is written in a message."""
        raise NotImplementedError

    @classmethod
    def from_wire(cls, value: Any, width: int, provenance: Provenance) -> Self:  # noqa: ANN401 - of its wire_type
        """Return the result for a value that was read from a message."""
        raise NotImplementedError

    def to_packed(self) -> Any:  # noqa: ANN401 - of its packed_type
        """Return the value as it is written in MessagePack."""
        return self.to_wire()

    @classmethod
    def from_packed(cls, value: Any, width: int, provenance: Provenance) -> Self:  # noqa: ANN401 - of its packed_type
        """Return the result for a value that was read from MessagePack.

        Raises:
            ValueError: the parts of the value do not fit together.
        """
        return cls.from_wire(value, width, provenance)

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the JSON of a large value piece by piece; ``None`` where ``to_wire`` takes little memory."""
        return None

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:
        """Return why this cannot be the result of a circuit of that size, or ``None`` when it can."""
        raise NotImplementedError

    def wire_bytes(self) -> int:
        """Return how many bytes the value has as text at least, at little cost; 0 where that is not known."""
        return 0

    @classmethod
    def amplitudes_of(cls, num_qubits: int) -> int:  # noqa: ARG003 - what others hold depends on it
        """Return how many complex numbers are handed out for a circuit of so many qubits."""
        return 0

    @classmethod
    def check_size(cls, num_qubits: int, num_clbits: int, shots: int) -> None:
        """Refuse a result that would be larger than the type allows, before the run.

        Args:
            num_qubits: the qubits of the circuit.
            num_clbits: the clbits that the result is about.
            shots: the shots; 0 for an exact result.

        Raises:
            LimitError: it would be larger.
        """

    @classmethod
    def least_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - what others know depends on it
        """Return how many bytes a result has as text at least, known before the run; 0 where it is not known."""
        return 0

    @classmethod
    def least_packed_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - as above
        """Return how many bytes a result has in MessagePack at least, known before the run; 0 where it is not."""
        return 0

    def marginal(self, clbits: Iterable[int]) -> Self:
        """Return the result about some clbits, the first one listed becoming clbit 0, if its type takes ``clbits``."""
        raise NotImplementedError

    def with_provenance(self, provenance: Provenance) -> Self:
        """Return the same result with another provenance; the value is shared, not copied."""
        return _restore(type(self), {**self._values(), "provenance": provenance})

    def _values(self) -> dict[str, Any]:
        return {slot: getattr(self, slot) for slot in (*type(self).__slots__, "width", "provenance")}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed, so {name!r} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed, so {name!r} cannot be deleted")

    def _refuse_to_begin_again(self) -> None:
        """Refuse a second call of ``__init__``, which would change the result; each constructor calls this first.

        Raises:
            AttributeError: the result has its values already.
        """
        if hasattr(self, "width"):
            raise AttributeError(f"{type(self).__name__} cannot be changed, so it cannot be initialised again")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self._values())


R = TypeVar("R", bound=Result)
V = TypeVar("V", int, float)


def _restore(kind: type[R], values: Mapping[str, Any]) -> R:
    """Return a result with these values in its slots, without the checks of its constructor."""
    result = kind.__new__(kind)
    for slot, value in values.items():
        object.__setattr__(result, slot, value)
    return result


# The classes below fill their slots with these setters, which bypass the refusing __setattr__ and are as fast as it.
_set_width, _set_provenance = (vars(Result)[slot].__set__ for slot in ("width", "provenance"))


class Counts(Result, Mapping[str, int], kind="counts"):
    """An immutable mapping from bitstring to the number of shots that gave it.

    Bit order, once and for all: **clbit 0 is the rightmost character**. A key has exactly one
    character per clbit of the circuit, measured or not (an unmeasured clbit is ``0``), no spaces
    and no hex.

    Args:
        counts: bitstring -> number of shots; entries of zero are dropped. Ownership stays with
            the caller: the mapping is copied.
        width: number of clbits; taken from the first key when omitted.
        provenance: where the counts come from; it does not count for equality.

    Raises:
        ValueError: keys of different widths, other characters than 0 and 1, negative counts.
        TypeError: a count that is no integer, of Python or NumPy.
    """

    __slots__ = ("_counts",)

    _counts: dict[str, int]

    is_exact = False
    takes = ("clbits",)
    wire_type = dict[str, int]

    def __init__(
        self,
        counts: Mapping[str, int] | None = None,
        *,
        width: int | None = None,
        provenance: Provenance | None = None,
    ) -> None:
        self._refuse_to_begin_again()
        counts = counts or {}
        if width is None:
            width = len(next(iter(counts), ""))
        integers = {key: operator.index(value) for key, value in counts.items()}
        for key, value in integers.items():
            if len(key) != width or key.strip("01"):
                msg = f"{key!r} is not a bitstring of {width} bits"
                raise ValueError(msg)
            if value < 0:
                msg = f"{key!r} has a negative count: {value}"
                raise ValueError(msg)
        _set_width(self, width)
        _set_provenance(self, provenance)
        _set_counts(self, {key: value for key, value in integers.items() if value})

    @classmethod
    def trusted(cls, counts: dict[str, int], width: int, provenance: Provenance | None = None) -> Counts:
        """Wrap a dictionary of counts without copying or checking it, at constant cost.

        The caller vouches for the contents, hands the dictionary over and must not change it again.
        """
        self = cls.__new__(cls)
        _set_counts(self, counts)
        _set_width(self, width)
        _set_provenance(self, provenance)
        return self

    def to_wire(self) -> dict[str, int]:
        """Return bitstring -> shots."""
        return self._counts

    def wire_bytes(self) -> int:
        """Return the bytes of the bitstrings, with a digit each."""
        return len(self._counts) * (self.width + len('"":0,'))

    @classmethod
    def from_wire(cls, value: dict[str, int], width: int, provenance: Provenance) -> Counts:
        """Return the counts of a message."""
        return cls.trusted(value, width, provenance)

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: bitstrings of another width, or another number of shots than the run asked for."""
        if self.width != num_clbits or not set(map(len, self._counts)) <= {num_clbits}:
            return f"bitstrings of {self.width} bits for {num_clbits} clbits"
        total = self.shots
        return None if total == shots else f"{total} outcomes for {shots} shots"

    @property
    def shots(self) -> int:
        """The sum of all counts."""
        return sum(self._counts.values())

    def __getitem__(self, bitstring: str) -> int:
        return self._counts[bitstring]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __hash__(self) -> int:
        return hash(frozenset(self._counts.items()))

    def __repr__(self) -> str:
        entries = ", ".join(f"{key!r}: {value}" for key, value in self.most_common(_SHOWN))
        more = f", ... {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        return f"Counts({{{entries}{more}}})"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.counts(self._counts, self.shots, self.provenance)

    def plot(self, *, theme: str = "light", axes: Axes | None = None) -> Figure:
        """Return a histogram of the counts as a figure of matplotlib; ``figure.savefig("counts.pdf")`` writes it.

        Up to 16 outcomes are all drawn, in numerical order; of more, the 14 most frequent.

        Args:
            theme: ``"light"`` or ``"dark"``.
            axes: axes of your own, in which the histogram is then drawn.

        Raises:
            FrameworkNotInstalled: matplotlib is absent; the message has the line that installs it.
        """
        from gateway.look import numbers, plotting, results  # noqa: PLC0415 - a server plots nothing

        title = results.described(self.provenance) or "Counts"
        of = numbers.several(self.shots, "shot")
        return plotting.histogram(self.probabilities(), title=title, of=of, theme=theme, axes=axes)

    def to_dict(self) -> dict[str, int]:
        """Return a new dictionary of the same entries."""
        return dict(self._counts)

    def most_common(self, n: int | None = None) -> list[tuple[str, int]]:
        """Return the ``n`` most frequent outcomes, ties in order of the bitstring."""
        from gateway.look.outcomes import largest  # noqa: PLC0415 - a server ranks nothing

        return largest(self._counts, len(self) if n is None else n)

    def probabilities(self) -> dict[str, float]:
        """Return the relative frequency of each outcome."""
        shots = self.shots
        return {key: value / shots for key, value in self._counts.items()}

    def marginal(self, clbits: Iterable[int]) -> Counts:
        """Return the counts of some clbits; the first one listed becomes clbit 0.

        Raises:
            IndexError: the counts have no such clbit.
        """
        totals, width = _marginal(self._counts, self.width, clbits)
        return Counts.trusted(totals, width)

    def merge(self, other: Counts) -> Counts:
        """Return the counts of both runs together.

        Raises:
            ValueError: the two have different widths.
        """
        if other and self and other.width != self.width:
            msg = f"counts of {self.width} and {other.width} clbits cannot be merged"
            raise ValueError(msg)
        total = Counter(self._counts)
        total.update(other._counts)
        return Counts.trusted(dict(total), self.width if self else other.width)


_set_counts = vars(Counts)["_counts"].__set__


def _marginal(values: Mapping[str, V], width: int, clbits: Iterable[int]) -> tuple[dict[str, V], int]:
    """Return the sums of values over the clbits that are not listed, and the number of those that are.

    Raises:
        IndexError: there is no such clbit.
    """
    selection = list(clbits)
    _check_clbits(selection, width)
    positions = [width - 1 - clbit for clbit in reversed(selection)]
    totals: dict[str, V] = {}
    for key, value in values.items():
        short = "".join([key[position] for position in positions])
        totals[short] = totals[short] + value if short in totals else value
    return totals, len(selection)


def _check_clbits(selection: list[int], width: int) -> None:
    for clbit in selection:
        if not 0 <= clbit < width:
            msg = f"clbit {clbit} is not one of the {width} clbits"
            raise IndexError(msg)


_MANY = 4096
"""Of more outcomes than this, the largest are found in NumPy."""


class Probabilities(Result, Mapping[str, float], kind="probabilities"):
    """An immutable mapping from bitstring to its exact probability; bitstrings are written as in Counts.

    Outcomes of probability 0 are left out.

    Args:
        probabilities: bitstring -> probability; the caller hands the dictionary over and must not change it again.
        width: number of clbits.
        provenance: where the probabilities come from; it does not count for equality.
    """

    __slots__ = ("_outcomes", "_table")

    _outcomes: Outcomes | None
    _table: dict[str, float] | None

    takes = ("clbits",)
    wire_type = dict[str, float]
    packed_type = Outcomes

    def __init__(self, probabilities: dict[str, float], width: int, provenance: Provenance | None = None) -> None:
        self._refuse_to_begin_again()
        _set_outcomes(self, None)
        _set_table(self, probabilities)
        _set_width(self, width)
        _set_provenance(self, provenance)

    @classmethod
    def of_arrays(cls, outcomes: Outcomes, width: int, provenance: Provenance | None = None) -> Probabilities:
        """Return the probabilities in arrays, of which bitstrings are made only when somebody asks for one.

        Raises:
            ValueError: the bitstrings have not as many bytes as so many clbits need.
        """
        if outcomes.keys.shape[1] != -(-width // 8):
            raise ValueError(f"bitstrings of {outcomes.keys.shape[1]} bytes for {width} clbits")
        self = cls.__new__(cls)
        _set_outcomes(self, outcomes)
        _set_table(self, None)
        _set_width(self, width)
        _set_provenance(self, provenance)
        return self

    def _values(self) -> dict[str, Any]:
        table = self._table if self._outcomes is None else None  # it can be made again
        return {**super()._values(), "_table": table}

    @property
    def _dictionary(self) -> dict[str, float]:
        """The bitstrings and their probabilities, which are made once."""
        table = self._table
        if table is None:
            assert self._outcomes is not None  # noqa: S101 - one of them is there
            table = self._outcomes.dictionary(self.width)
            _set_table(self, table)
        return table

    def to_wire(self) -> dict[str, float]:
        """Return bitstring -> exact probability."""
        return self._dictionary

    @classmethod
    def from_wire(cls, value: dict[str, float], width: int, provenance: Provenance) -> Probabilities:
        """Return the probabilities of a message."""
        return cls(value, width, provenance)

    def to_packed(self) -> Outcomes:
        """Return the bitstrings as bytes, and the exact probability of each."""
        return Outcomes.of(self._dictionary, self.width) if self._outcomes is None else self._outcomes

    @classmethod
    def from_packed(cls, value: Outcomes, width: int, provenance: Provenance) -> Probabilities:
        """Return the probabilities of a message in MessagePack.

        Raises:
            ValueError: the bitstrings have not as many bits as there are clbits.
        """
        probabilities = cls.of_arrays(value, width, provenance)
        if not are_bitstrings(value.keys, width):
            raise ValueError(f"bitstrings of {width} clbits in which further bits are 1")
        return probabilities

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the JSON of many outcomes piece by piece, each from a small dictionary of its own."""
        outcomes = self._outcomes
        if outcomes is None:
            return None
        some = partial(outcomes.dictionary, self.width)
        return json_pieces(b"{}", len(outcomes), self.width + len('"":0.0123456789012345678,'), some)

    def wire_bytes(self) -> int:
        """Return the bytes of the bitstrings, with a probability of three characters each."""
        return len(self) * (self.width + len('"":0.0,'))

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: bitstrings of another width, or a sum that is not 1."""
        keys = self._dictionary if self._outcomes is None else ()  # those in arrays have the width that they have
        if self.width != num_clbits or any(len(key) != num_clbits for key in keys):
            return f"bitstrings of {self.width} bits for {num_clbits} clbits"
        total = math.fsum(self._dictionary.values()) if self._outcomes is None else self._outcomes.values.numpy().sum()
        return None if abs(total - 1) <= SUM_TOLERANCE else f"the probabilities sum to {total}, not to 1"

    def marginal(self, clbits: Iterable[int]) -> Probabilities:
        """Return the probabilities of some clbits; the first one listed becomes clbit 0.

        Raises:
            IndexError: the probabilities have no such clbit.
        """
        selection = list(clbits)
        if self._outcomes is None:
            return Probabilities(*_marginal(self._dictionary, self.width, selection))
        _check_clbits(selection, self.width)
        return Probabilities.of_arrays(self._outcomes.marginal(selection), len(selection))

    def to_array(self) -> NDArray[np.float64]:
        """Return the probability of every outcome, ``[2**width]``; the index is little-endian: clbit 0 counts least.

        Raises:
            MemoryError: there are too many clbits for that.
        """
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        outcomes = self.to_packed()
        everything = np.zeros(1 << self.width)
        padded = np.zeros((len(outcomes), 8), dtype=np.uint8)
        padded[:, : outcomes.keys.shape[1]] = outcomes.keys.numpy()
        everything[padded.view("<u8")[:, 0]] = outcomes.values.numpy()
        return everything

    def __getitem__(self, bitstring: str) -> float:
        return self._dictionary[bitstring]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dictionary)

    def __len__(self) -> int:
        return len(self._dictionary if self._outcomes is None else self._outcomes)

    def __eq__(self, other: object) -> bool:
        mine, theirs = self._outcomes, other._outcomes if isinstance(other, Probabilities) else None
        if mine is not None and mine == theirs and len(mine) > _MANY:  # which needs no bitstrings
            return True
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._dictionary.items()))

    def __repr__(self) -> str:
        entries = ", ".join(f"{key!r}: {value:.6g}" for key, value in self.most_common(_SHOWN))
        more = f", ... {len(self) - _SHOWN} more" if len(self) > _SHOWN else ""
        return f"Probabilities({{{entries}{more}}})"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.probabilities(self._dictionary, self.provenance)

    def plot(self, *, theme: str = "light", axes: Axes | None = None) -> Figure:
        """Return a histogram of the probabilities; the arguments and errors are those of :meth:`Counts.plot`."""
        from gateway.look import plotting, results  # noqa: PLC0415 - a server plots nothing

        title = results.described(self.provenance) or "Exact probabilities"
        return plotting.histogram(self._dictionary, title=title, of="", theme=theme, axes=axes)

    def most_common(self, n: int | None = None) -> list[tuple[str, float]]:
        """Return the ``n`` most likely outcomes, ties in order of the bitstring."""
        from gateway.look.outcomes import largest  # noqa: PLC0415 - a server ranks nothing

        number = len(self) if n is None else n
        if self._table is None and self._outcomes is not None and 0 < number < len(self) > _MANY:
            return largest(self._outcomes.largest(number).dictionary(self.width), number)
        return largest(self._dictionary, number)


_set_outcomes, _set_table = (vars(Probabilities)[slot].__set__ for slot in ("_outcomes", "_table"))


class Statevector(Result, kind="statevector"):
    """The amplitudes of all basis states; two state vectors are equal when all their amplitudes are.

    ``numpy.asarray(statevector)`` gives complex128 ``[2**num_qubits]``, a copy that may be changed;
    ``numpy.asarray(statevector, copy=False)`` gives the amplitudes themselves, which may not.

    Args:
        amplitudes: index little-endian: qubit 0 is the least significant bit.
        provenance: where the amplitudes come from; it does not count for equality.
        width: number of clbits of the circuit.
    """

    __slots__ = ("_array", "_tuple")

    _array: Array
    _tuple: tuple[complex, ...] | None

    of_state = True
    is_pure = True
    with_idle_qubits = True
    of_clbits = False
    wire_type = list[tuple[float, float]]
    packed_type = Array

    def __init__(self, amplitudes: Iterable[complex], provenance: Provenance | None = None, width: int = 0) -> None:
        self._refuse_to_begin_again()
        pairs = ((amplitude.real, amplitude.imag) for amplitude in amplitudes)
        self._fill(Array.of_floats(chain.from_iterable(pairs), "<c16"), provenance, width)

    def _fill(self, array: Array, provenance: Provenance | None, width: int) -> None:
        _set_array(self, array)
        _set_tuple(self, None)
        _set_width(self, width)
        _set_provenance(self, provenance)

    @classmethod
    def of_array(cls, amplitudes: Array, provenance: Provenance | None = None, width: int = 0) -> Statevector:
        """Return the state vector of amplitudes in an array, which is not copied.

        Raises:
            ValueError: the array is not one of complex numbers with one axis.
        """
        if amplitudes.dtype != "<c16" or len(amplitudes.shape) != 1:
            raise ValueError("amplitudes are complex numbers [2**n]")
        self = cls.__new__(cls)
        self._fill(amplitudes, provenance, width)
        return self

    @classmethod
    def trusted(cls, amplitudes: NDArray[np.complexfloating[Any, Any]], width: int = 0) -> Statevector:
        """Wrap an array of NumPy's without copying it; the caller hands it over and must not change it again."""
        return cls.of_array(Array.of(amplitudes, "<c16"), width=width)

    def _values(self) -> dict[str, Any]:
        return {**super()._values(), "_tuple": None}  # it can be made again

    @property
    def amplitudes(self) -> tuple[complex, ...]:
        """The amplitudes as Python's numbers, which are made when they are first asked for."""
        amplitudes = self._tuple
        if amplitudes is None:
            amplitudes = tuple(self._array.numpy().tolist())
            _set_tuple(self, amplitudes)
        return amplitudes

    def to_wire(self) -> list[tuple[float, float]]:
        """Return ``2**num_qubits`` pairs (real, imaginary), qubit 0 the least significant bit of the index."""
        return self._array.pairs(0, len(self))

    @classmethod
    def from_wire(cls, value: list[tuple[float, float]], width: int, provenance: Provenance) -> Statevector:
        """Return the state vector of a message."""
        return cls.of_array(Array.of_floats(chain.from_iterable(value), "<c16"), provenance, width)

    def to_packed(self) -> Array:
        """Return ``2**num_qubits`` complex numbers, qubit 0 the least significant bit of the index."""
        return self._array

    @classmethod
    def from_packed(cls, value: Array, width: int, provenance: Provenance) -> Statevector:
        """Return the state vector of a message in MessagePack."""
        return cls.of_array(value, provenance, width)

    def json_pieces(self) -> Iterator[bytes] | None:
        """Return the JSON of many amplitudes piece by piece."""
        return self._array.json_pieces()

    @classmethod
    def amplitudes_of(cls, num_qubits: int) -> int:
        """Return the number of basis states."""
        return 1 << num_qubits

    def wire_bytes(self) -> int:
        """Return the bytes of pairs of the shortest numbers."""
        return len(self) * len("[0.0,0.0],")

    @classmethod
    def least_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of as many pairs of the shortest numbers as there are amplitudes."""
        return len("[0.0,0.0],") << num_qubits

    @classmethod
    def least_packed_bytes(cls, num_qubits: int, *, num_clbits: int = 0, shots: int = 0) -> int:  # noqa: ARG003 - one signature
        """Return the bytes of as many complex numbers as there are amplitudes."""
        return 16 << num_qubits

    def fault(self, *, num_qubits: int, num_clbits: int, shots: int | None) -> str | None:  # noqa: ARG002 - one signature
        """Return what is wrong: another number of amplitudes."""
        is_complete = len(self) == 1 << num_qubits
        return None if is_complete else f"{len(self)} amplitudes for {num_qubits} qubits"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Statevector):
            return NotImplemented
        mine, theirs = self._array.numpy(), other._array.numpy()
        return mine.shape == theirs.shape and bool((mine == theirs).all())

    def __hash__(self) -> int:
        return hash((self._array.numpy() + 0).tobytes())  # + 0, since -0.0 is equal to 0.0

    @property
    def num_qubits(self) -> int:
        """The number of qubits that the state vector describes."""
        return len(self).bit_length() - 1

    def __len__(self) -> int:
        return self._array.shape[0]

    @overload
    def __getitem__(self, index: int) -> complex: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[complex, ...]: ...
    def __getitem__(self, index: int | slice) -> complex | tuple[complex, ...]:
        if isinstance(index, slice):
            return tuple(self._array.numpy()[index].tolist())
        return complex(self._array.numpy()[operator.index(index)])

    def __iter__(self) -> Iterator[complex]:
        return iter(self.amplitudes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.complex128]:  # noqa: ANN401
        import numpy as np  # noqa: PLC0415 - counts need no numpy

        return np.array(self._array.numpy(), dtype=dtype or np.complex128, copy=copy is None or copy)

    def __repr__(self) -> str:
        return f"Statevector({self.num_qubits} qubits)"

    def _repr_html_(self) -> str:
        from gateway.look import results  # noqa: PLC0415 - a server shows nothing

        return results.state_vector(self._array.numpy(), self.provenance)


_set_array, _set_tuple = (vars(Statevector)[slot].__set__ for slot in ("_array", "_tuple"))
