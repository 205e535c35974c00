"""What a run asks for besides its circuit, its shots and its result type, as one thing.

A request has these fields beside its others, and hands them down together: from the message through the runner and
:mod:`gateway.enforcement` to the adapter. A further one is one more field here, and is checked in
:meth:`RunDetails.check` where a circuit has to fit it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.counts import KINDS, Result
from gateway.errors import LimitError, RequestError
from gateway.noise import NoiseModel
from gateway.observables import Observable

Observables = Annotated[
    tuple[Annotated[Observable, Meta(min_length=1)], ...],
    Meta(min_length=1, description="what expectation values are of: sums of Pauli strings"),
]
Bitstrings = Annotated[
    tuple[str, ...],
    Meta(min_length=1, description="the basis states whose amplitudes are the result, qubit 0 rightmost"),
]
Clbits = Annotated[
    tuple[Annotated[int, Meta(ge=0)], ...],
    Meta(description="the clbits that counts, probabilities or a memory are of; the first one becomes clbit 0"),
]

MOST_TERMS = 100_000
"""So many terms may the observables of a request have together."""

MOST_BITSTRINGS = 100_000
"""So many amplitudes may be asked for at most."""

OF_RESULTS = ("observables", "bitstrings", "clbits")
"""The fields that belong to some result types; all others are for any."""


class RunDetails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a run asks for besides; a result type says which of these it needs and takes.

    Args:
        observables: sums of Pauli strings whose expectation values are the result, each a list of terms
            ``[paulis, qubits, coefficient]``.
        bitstrings: the basis states whose amplitudes are the result, one character for each qubit, qubit 0 rightmost.
        clbits: the clbits that the result is about, the first one listed becoming clbit 0; all of them when null.
        noise: the noise of the run; none when null.
    """

    observables: Observables | None = None
    bitstrings: Bitstrings | None = None
    clbits: Clbits | None = None
    noise: NoiseModel | None = None

    def width(self, num_clbits: int) -> int:
        """Return the width of the bitstrings of a result of a circuit with so many clbits."""
        return num_clbits if self.clbits is None else len(self.clbits)

    def selected(self, result: Result) -> Result:
        """Return the result about the chosen clbits."""
        return result if self.clbits is None else result.marginal(self.clbits)

    def check(self, kind: type[Result], num_qubits: int, num_clbits: int) -> None:
        """Refuse what does not fit the result type or the circuit.

        Args:
            kind: the class of the result.
            num_qubits: the qubits of the circuit.
            num_clbits: the clbits of the circuit.

        Raises:
            RequestError: something is missing, does not belong to the result type, or names a qubit or clbit that
                is not there; ``field`` names it.
            LimitError: too many terms or amplitudes are asked for.
        """
        for name in OF_RESULTS:
            is_given = getattr(self, name) is not None
            if name in kind.needs and not is_given:
                raise RequestError(f"the result {kind.kind} needs {name}", field=name)
            if is_given and name not in {*kind.needs, *kind.takes}:
                others = [other for other, known in KINDS.items() if name in {*known.needs, *known.takes}]
                raise RequestError(f"{name} are for the result {' or '.join(others)}, not for {kind.kind}", field=name)
        if self.observables is not None:
            _check_observables(self.observables, num_qubits)
        if self.bitstrings is not None:
            _check_bitstrings(self.bitstrings, num_qubits)
        if self.clbits is not None:
            _check_clbits(self.clbits, num_clbits)
        if self.noise is not None:
            self.noise.check(num_qubits)


NO_DETAILS = RunDetails()
"""Nothing besides."""


def _check_observables(observables: Sequence[Observable], num_qubits: int) -> None:
    _check_limit("terms", sum(map(len, observables)), MOST_TERMS, "ask for fewer observables in a request")
    for terms in observables:
        for term in terms:
            if term.qubits and max(term.qubits) >= num_qubits:
                raise RequestError(
                    f"an observable acts on qubit {max(term.qubits)}, and the circuit has {num_qubits} qubits",
                    field="observables",
                )


def _check_bitstrings(bitstrings: Sequence[str], num_qubits: int) -> None:
    _check_limit("bitstrings", len(bitstrings), MOST_BITSTRINGS, "ask for a state vector")
    for bitstring in bitstrings:
        if len(bitstring) != num_qubits or bitstring.strip("01"):
            raise RequestError(f"{bitstring!r:.80} is not a bitstring of {num_qubits} qubits", field="bitstrings")
    if len(set(bitstrings)) < len(bitstrings):
        raise RequestError("a bitstring is asked for twice", field="bitstrings")


def _check_clbits(clbits: Sequence[int], num_clbits: int) -> None:
    for clbit in clbits:
        if clbit >= num_clbits:
            raise RequestError(f"there is no clbit {clbit}: the circuit has {num_clbits} clbits", field="clbits")
    if len(set(clbits)) < len(clbits):
        raise RequestError("a clbit is listed twice", field="clbits")


def _check_limit(what: str, requested: int, allowed: int, hint: str) -> None:
    if requested > allowed:
        raise LimitError(
            f"the request has {requested:,} {what}, and {allowed:,} are allowed: {hint}",
            limit=what,
            requested=requested,
            allowed=allowed,
        )
