"""Observables: sums of Pauli strings with real coefficients, as data.

On the wire an observable is a list of terms, each the array ``[paulis, qubits, coefficient]``: ``["XZ", [0, 3], 0.5]``
is a half of X on qubit 0 times Z on qubit 3, whatever the number of qubits. :class:`PauliSum` is the same in Python,
where texts and mappings are taken as well.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Complex
from typing import Any, SupportsFloat, cast

import msgspec

from gateway.errors import RequestError

FIELD = "observables"
"""The field of a request that errors name."""

_LETTERS = frozenset("XYZ")
_DENSE = re.compile(r"[IXYZ]+")
_FACTOR = re.compile(r"([IXYZ])(\d{1,9})")
_TERM = re.compile(
    r"\s*(?P<sign>[+-]?)\s*(?P<number>[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)?\s*\*?\s*"
    r"(?P<string>[IXYZ]\d+(\s+[IXYZ]\d+)*|[IXYZ]+)\s*"
)
_LONGEST = 60


class PauliTerm(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """A product of Pauli matrices on different qubits, times a real number.

    Args:
        paulis: one of the letters X, Y and Z for each qubit; the empty text is the identity.
        qubits: the qubits, in the order of the letters.
        coefficient: the number by which the product is multiplied.
    """

    paulis: str
    qubits: tuple[int, ...]
    coefficient: float = 1.0

    def __post_init__(self) -> None:
        if not _LETTERS.issuperset(self.paulis):
            wrong = next(letter for letter in self.paulis if letter not in _LETTERS)
            raise ValueError(f"a Pauli string consists of the letters X, Y and Z, not {wrong!r}")
        if len(self.qubits) != len(self.paulis):
            raise ValueError(f"{len(self.paulis)} Pauli letters for {len(self.qubits)} qubits")
        if len(set(self.qubits)) < len(self.qubits):
            raise ValueError("a Pauli string names a qubit twice")
        if self.qubits and min(self.qubits) < 0:
            raise ValueError(f"there is no qubit {min(self.qubits)}")
        if not math.isfinite(self.coefficient):
            raise ValueError(f"a coefficient is a finite number, not {self.coefficient}")

    def __str__(self) -> str:
        factors = " ".join(f"{letter}{qubit}" for letter, qubit in zip(self.paulis, self.qubits, strict=True))
        return f"{self.coefficient:g} {factors or 'I'}"


Observable = tuple[PauliTerm, ...]
"""The terms of one observable, which are added; at least one."""

ObservableLike = Any
"""A PauliSum, or what it takes: a text, a mapping from texts to coefficients, or a sequence of terms."""


class PauliSum(Sequence[PauliTerm]):
    """A sum of Pauli strings with real coefficients, which is a Hermitian observable. It cannot be changed.

    ::

        PauliSum("ZZ")                           # Z on qubits 0 and 1
        PauliSum({"ZZI": 0.5, "IXX": -1})        # qubit 0 is the rightmost letter, as clbit 0 is in bitstrings
        PauliSum({"Z0 Z17": 0.5, "X3": -1})      # or qubits by number, for many of them
        PauliSum([("XX", (0, 17), 0.5)])         # letters, qubits, coefficient: as in a message
        PauliSum("0.5 Z0 Z17 - X3")              # a whole sum as one text

    Strings that are the same, whatever the order of their factors, become one term; terms are in the order in which
    their strings come first.

    Args:
        terms: a text; a mapping from texts to coefficients; another PauliSum; or a sequence of ``(text, coefficient)``,
            ``(letters, qubits, coefficient)`` and terms. A text is either one letter of I, X, Y and Z for each qubit,
            qubit 0 rightmost, or letters with the number of their qubit. An empty text is the identity. Where a text
            is all that is given, it may be a sum of these with coefficients.

    Raises:
        RequestError: the sum has no term, a letter is none of these, a qubit comes twice in a string, or a coefficient
            is not finite or not real, so that the sum would not be Hermitian.
    """

    __slots__ = ("_terms",)

    _terms: Observable

    def __init__(self, terms: ObservableLike) -> None:
        self._terms = tuple(_merged(_read(terms)))
        if not self._terms:
            raise RequestError("an observable has at least one term", field=FIELD)

    @property
    def terms(self) -> Observable:
        """The terms, as they stand in a message."""
        return self._terms

    @property
    def num_qubits(self) -> int:
        """The least number of qubits that a circuit needs for this observable."""
        return max([qubit + 1 for term in self._terms for qubit in term.qubits], default=0)

    def __len__(self) -> int:
        return len(self._terms)

    def __iter__(self) -> Iterator[PauliTerm]:
        return iter(self._terms)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - a term, or several for a slice
        return self._terms[index]

    def __eq__(self, other: object) -> bool:
        return set(self._terms) == set(other._terms) if isinstance(other, PauliSum) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._terms))

    def __repr__(self) -> str:
        text = " + ".join(map(str, self._terms[:8]))
        more = f" + ... {len(self) - 8} more" if len(self) > 8 else ""  # noqa: PLR2004 - one line
        return f"PauliSum({text}{more})"


def observable_list(value: object) -> tuple[Observable, ...]:
    """Return the observables that a caller gives: one, or a sequence of them.

    A sequence whose items all are terms is one observable; otherwise each item is an observable.

    Raises:
        RequestError: one of them is none, or there is none.
    """
    if isinstance(value, str | Mapping | PauliSum):
        return (PauliSum(value).terms,)
    if not isinstance(value, Iterable):
        raise RequestError(f"an observable is a sum of Pauli strings, not {value!r:.60}", field=FIELD)
    items = list(value)
    if not items:
        raise RequestError("the list of observables is empty", field=FIELD)
    if all(map(_is_term, items)):
        return (PauliSum(items).terms,)
    return tuple([PauliSum(item).terms for item in items])


# ---------------------------------------------------------------------- reading


def _is_term(item: object) -> bool:
    """Return whether an item of a sequence is a term: a text with a coefficient, or letters, qubits and one."""
    if isinstance(item, PauliTerm):
        return True
    is_pair_or_triple = isinstance(item, tuple | list) and len(item) in {2, 3}
    return is_pair_or_triple and isinstance(item[0], str) and isinstance(item[-1], Complex)  # type: ignore[index]


def _read(terms: object) -> Iterator[PauliTerm]:
    if isinstance(terms, PauliSum):
        yield from terms
    elif isinstance(terms, str):
        yield from _from_sum(terms)
    elif isinstance(terms, Mapping):
        for text, coefficient in terms.items():
            yield _from_text(text, coefficient)
    elif isinstance(terms, Iterable):
        for item in terms:
            yield _term(item)
    else:
        raise RequestError(f"an observable is a sum of Pauli strings, not {terms!r:.60}", field=FIELD)


def _term(item: object) -> PauliTerm:
    if isinstance(item, PauliTerm):
        return item
    if not _is_term(item):
        raise RequestError(
            f"a term is a Pauli string with its coefficient, such as ('ZZI', 0.5), not {item!r:.60}", field=FIELD
        )
    values = cast("Sequence[Any]", item)
    if len(values) == 2:  # noqa: PLR2004 - a pair
        return _from_text(values[0], values[1])
    try:
        qubits = tuple(map(operator.index, values[1]))
    except TypeError:
        raise RequestError(f"the qubits of a term are integers, not {values[1]!r:.60}", field=FIELD) from None
    return _checked(values[0], qubits, values[2])


def _from_sum(text: str) -> Iterator[PauliTerm]:
    """Read a sum such as ``0.5 ZZI - X0``; of two signs before a number the second one belongs to the number."""
    text = " ".join(text.split())
    terms = list(_TERM.finditer(text))
    if not terms or "".join([term[0] for term in terms]) != text:
        yield _from_text(text, 1.0)
        return
    for number, term in enumerate(terms):
        if number and not term["sign"]:
            raise RequestError(f"terms of a sum are joined by + or -, not as in {text[:_LONGEST]!r}", field=FIELD)
        coefficient = float(term["number"] or 1)
        yield _from_text(term["string"].strip(), -coefficient if term["sign"] == "-" else coefficient)


def _from_text(text: object, coefficient: object) -> PauliTerm:
    if not isinstance(text, str):
        raise RequestError(f"a Pauli string is a text such as 'ZZI' or 'Z0 Z17', not {text!r:.60}", field=FIELD)
    if not text or _DENSE.fullmatch(text):
        pairs = [(letter, qubit) for qubit, letter in enumerate(reversed(text)) if letter != "I"]
    else:
        factors = [(part, _FACTOR.fullmatch(part)) for part in text.split()]
        wrong = next((part for part, factor in factors if factor is None), None)
        if wrong is not None:
            raise RequestError(
                f"{wrong[:_LONGEST]!r} is no Pauli string: write one letter of I, X, Y and Z for each qubit, or "
                "letters with the number of their qubit, such as 'Z0 Z17'",
                field=FIELD,
            )
        pairs = [(factor[1], int(factor[2])) for _, factor in factors if factor is not None]
        _checked("X" * len(pairs), tuple(qubit for _, qubit in pairs), 1.0)  # a qubit that comes twice, even with I
        pairs = [(letter, qubit) for letter, qubit in pairs if letter != "I"]
    return _checked("".join([letter for letter, _ in pairs]), tuple([qubit for _, qubit in pairs]), coefficient)


def _checked(paulis: str, qubits: tuple[int, ...], coefficient: object) -> PauliTerm:
    try:
        return PauliTerm(paulis, qubits, _real(coefficient))
    except (ValueError, OverflowError) as exc:
        raise RequestError(str(exc), field=FIELD) from exc


def _real(coefficient: object) -> float:
    """Return a coefficient as a number.

    Raises:
        ValueError: it is no number, or not real.
    """
    if type(coefficient) is bool or not isinstance(coefficient, Complex):
        raise ValueError(f"a coefficient is a real number, not {coefficient!r:.60}")
    if coefficient.imag != 0:
        raise ValueError(f"the coefficient {coefficient} is not real, so the sum is not Hermitian")
    return float(cast("SupportsFloat", coefficient.real))


def _merged(terms: Iterable[PauliTerm]) -> Iterator[PauliTerm]:
    """Yield each string once, its factors in order of their qubits, with the sum of its coefficients."""
    totals: dict[tuple[tuple[int, str], ...], float] = {}
    for term in terms:
        key = tuple(sorted(zip(term.qubits, term.paulis, strict=True)))
        totals[key] = totals.get(key, 0.0) + term.coefficient
    for key, coefficient in totals.items():
        yield _checked("".join([letter for _, letter in key]), tuple([qubit for qubit, _ in key]), coefficient)
