"""Results as a notebook shows them: a table with a bar for each outcome, and where the result comes from."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from gateway.look import numbers
from gateway.look.bitstrings import Piece, explanations, readable
from gateway.look.markup import Column, Html, bar, bits, block, join, note, quiet, table, title
from gateway.look.outcomes import ALL_UP_TO, ROWS, Shown, scale_end, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STATE_BAR_PX = 110
_ARROWS = "→↗↑↖←↙↓↘"
_MOST_VALUES = 100
_NEGLIGIBLE = 1e-12
"""A squared amplitude up to this is zero but for rounding."""


class Origin(Protocol):
    """The parts of a result's provenance that are shown."""

    @property
    def simulator(self) -> str:
        """The name of the simulator."""

    @property
    def version(self) -> str:
        """The version of its framework."""

    @property
    def seed(self) -> int | None:
        """The seed of the run."""

    @property
    def sampler(self) -> str:
        """What drew the shots; ``none`` if nothing did."""

    @property
    def parse_s(self) -> float:
        """Seconds for parsing."""

    @property
    def build_s(self) -> float:
        """Seconds for building."""

    @property
    def run_s(self) -> float:
        """Seconds for running."""


def counts(values: Mapping[str, int], shots: int, origin: Origin | None) -> Html:
    """Return counts as a table of outcomes, shots and per cent.

    Args:
        values: bitstring -> shots.
        shots: the sum of these.
        origin: where the counts come from.
    """
    selection = shown(values)
    end = scale_end([values[outcome] / shots for outcome in selection.bitstrings])
    columns = [Column("outcome", mono=True), Column("shots", right=True), Column("%", right=True), _scale(end)]

    def cells(value: float) -> list[object]:
        return [numbers.integer(int(value)), numbers.per_cent(value / shots, end)]

    outcomes = readable(selection.bitstrings)
    rows = [
        [bits(pieces), *cells(values[outcome]), bar(values[outcome] / shots / end)]
        for outcome, pieces in zip(selection.bitstrings, outcomes, strict=True)
    ]
    if selection.others:
        rows.append([_others(selection), *cells(selection.rest), ""])
    body = table(columns, rows) if rows else ""
    notes = note(_outcomes(len(values), selection, outcomes, "most frequent"), _duration(origin))
    return block(title(numbers.several(shots, "shot"), described(origin)), body, notes)


def probabilities(values: Mapping[str, float], origin: Origin | None) -> Html:
    """Return exact probabilities as a table of outcomes.

    Args:
        values: bitstring -> probability.
        origin: where the probabilities come from.
    """
    selection = shown(values)
    end = scale_end([values[outcome] for outcome in selection.bitstrings])
    outcomes = readable(selection.bitstrings)
    rows: list[list[object]] = [
        [bits(pieces), numbers.probability(values[outcome]), bar(values[outcome] / end)]
        for outcome, pieces in zip(selection.bitstrings, outcomes, strict=True)
    ]
    if selection.others:
        rows.append([_others(selection), numbers.probability(selection.rest), ""])
    deviation = abs(math.fsum(values.values()) - 1)
    total = f" They sum to 1{f' within {numbers.scientific(deviation)}' if deviation else ''}."
    notes = note(_outcomes(len(values), selection, outcomes, "most likely"), total, _duration(origin))
    columns = [Column("outcome", mono=True), Column("probability", right=True), _scale(end)]
    return block(title("Exact probabilities", described(origin)), table(columns, rows), notes)


def memory(first: Sequence[str], values: Mapping[str, int], shots: int, origin: Origin | None) -> Html:
    """Return the counts of a memory as a table, and the first outcomes in order.

    Args:
        first: the outcomes of the first shots.
        values: bitstring -> shots.
        shots: the sum of these.
        origin: where the memory comes from.
    """
    more = f", ... {numbers.several(shots - len(first), 'more', 'more')}" if shots > len(first) else ""
    return join("", counts(values, shots, origin), note(f"In order: {', '.join(first)}{more}."))


def expectation(values: Sequence[float], std_errors: Sequence[float], origin: Origin | None) -> Html:
    """Return expectation values as a table of observables.

    Args:
        values: one for each observable.
        std_errors: the standard error of each; 0 where it is exact.
        origin: where the values come from.
    """
    is_exact = not any(std_errors)
    columns = [Column("observable", right=True), Column("value", right=True)]
    columns += [] if is_exact else [Column("standard error", right=True)]
    rows: list[list[object]] = [
        [str(index), quantity(value), *([] if is_exact else [f"{error:.2g}"])]
        for index, (value, error) in enumerate(zip(values[:_MOST_VALUES], std_errors, strict=False))
    ]
    left_out = len(values) - len(rows)
    notes = note(f"{numbers.integer(left_out)} more." if left_out else "", _duration(origin))
    heading = "Exact expectation values" if is_exact else "Expectation values"
    return block(title(heading, described(origin)), table(columns, rows), notes)


def quantity(value: float) -> str:
    """Return a real number with its sign and six digits after the point."""
    return f"{value:+.6f}".replace("-", numbers.MINUS)


def amplitudes(values: Mapping[str, complex], origin: Origin | None) -> Html:
    """Return the amplitudes of some basis states as a table, in their order.

    Args:
        values: bitstring -> amplitude; qubit 0 is the rightmost character.
        origin: where the amplitudes come from.
    """
    some = dict(list(values.items())[:_MOST_VALUES])
    end = scale_end([abs(value) ** 2 for value in some.values()])
    rows = [
        _state(pieces, value, abs(value) ** 2, end)
        for pieces, value in zip(readable(list(some)), some.values(), strict=True)
    ]
    columns = [
        Column("state", mono=True),
        Column("amplitude", right=True, mono=True),
        Column("probability", right=True),
        _scale(end),
        Column("phase", right=True),
    ]
    left_out = len(values) - len(some)
    more = f"{numbers.integer(left_out)} more; " if left_out else ""
    notes = note(f"{more}qubit 0 rightmost. The arrow shows the phase to an eighth of a turn.", _duration(origin))
    return block(title(numbers.several(len(values), "amplitude"), described(origin)), table(columns, rows), notes)


def density_matrix(entries: NDArray[np.complex128], origin: Origin | None) -> Html:
    """Return a density matrix as the table of its diagonal, with its purity.

    Args:
        entries: ``[2**n, 2**n]``, the indices little-endian.
        origin: where the matrix comes from.
    """
    num_qubits = max(len(entries).bit_length() - 1, 0)
    diagonal = entries.diagonal().real
    leading = _leading(diagonal)
    end = scale_end([float(diagonal[index]) for index in leading])
    states = readable([format(index, f"0{num_qubits}b") if num_qubits else "" for index in leading])
    rows: list[list[object]] = [
        [
            join("|", bits(pieces) if pieces else "", "⟩"),
            numbers.probability(float(diagonal[index])),
            bar(float(diagonal[index]) / end),
        ]
        for index, pieces in zip(leading, states, strict=True)
    ]
    purity = float((abs(entries) ** 2).sum())
    columns = [Column("state", mono=True), Column("probability", right=True), _scale(end)]
    notes = note(f"The purity is {purity:.6f}; qubit 0 rightmost.", _duration(origin))
    aside = ", ".join(filter(None, [described(origin), numbers.several(num_qubits, "qubit")]))
    return block(title("Density matrix", aside), table(columns, rows), notes)


def state_vector(amplitudes: Sequence[complex] | NDArray[np.complex128], origin: Origin | None) -> Html:
    """Return a state vector as a table of the basis states whose amplitudes are not zero.

    Args:
        amplitudes: ``2**n``, the index little-endian: qubit 0 is the least significant bit.
        origin: where the state vector comes from.
    """
    import numpy as np  # noqa: PLC0415 - counts and probabilities need none

    array = np.asarray(amplitudes, np.complex128)
    num_qubits = max(len(array).bit_length() - 1, 0)
    squares = array.real**2 + array.imag**2
    leading = _leading(squares)
    number = int(np.count_nonzero(squares > _NEGLIGIBLE))
    selection = Shown(
        [format(index, f"0{num_qubits}b") if num_qubits else "" for index in leading],
        number - len(leading),
        float(squares.sum() - squares[leading].sum()),
    )
    end = scale_end([float(squares[index]) for index in leading])
    states = readable(selection.bitstrings)
    rows = [
        _state(pieces, complex(array[index]), float(squares[index]), end)
        for index, pieces in zip(leading, states, strict=True)
    ]
    if selection.others:
        rows.append([_others(selection), "", numbers.probability(selection.rest, 4), "", ""])
    columns = [
        Column("state", mono=True),
        Column("amplitude", right=True, mono=True),
        Column("probability", right=True),
        _scale(end),
        Column("phase", right=True),
    ]
    present = f"{numbers.integer(number)} of {numbers.several(len(array), 'amplitude')}"
    verb = "is" if number == 1 else "are"
    clauses = "; ".join([f"{present} {verb} not zero", *_which(selection, "most likely"), *explanations(states)])
    notes = note(f"{clauses}; qubit 0 rightmost. The arrow shows the phase to an eighth of a turn.", _duration(origin))
    aside = ", ".join(filter(None, [described(origin), numbers.several(num_qubits, "qubit")]))
    return block(title("State vector", aside), table(columns, rows), notes)


def described(origin: Origin | None) -> str:
    """Return where a result comes from, such as ``qulacs 0.6.14, seed 7, shared sampler``."""
    if origin is None:
        return ""
    seed = "" if origin.seed is None else f"seed {origin.seed}"
    sampler = "" if origin.sampler == "none" else f"{origin.sampler} sampler"
    return ", ".join(filter(None, [f"{origin.simulator} {origin.version}".strip(), seed, sampler]))


def _leading(squares: NDArray[np.float64]) -> list[int]:
    """Return the indices of the basis states that are shown, chosen and ordered as outcomes are."""
    import numpy as np  # noqa: PLC0415 - counts and probabilities need none

    present = np.flatnonzero(squares > _NEGLIGIBLE)
    if len(present) > ALL_UP_TO:
        least = np.partition(squares, -ROWS)[-ROWS]
        candidates = np.flatnonzero(squares >= least)
        present = candidates[np.argsort(-squares[candidates], kind="stable")][:ROWS]
    return [int(index) for index in present]


def _state(pieces: Sequence[Piece], amplitude: complex, probability: float, end: float) -> list[object]:
    """Return the row of one basis state."""
    phase = cmath.phase(amplitude) / math.pi
    arrow = _ARROWS[round(4 * phase) % len(_ARROWS)]
    return [
        join("|", bits(pieces) if pieces else "", "⟩"),
        f"{amplitude.real:+.6f} {amplitude.imag:+.6f}i".replace("-", numbers.MINUS),
        numbers.probability(probability, 4),
        bar(probability / end, width_px=_STATE_BAR_PX),
        f"{arrow} {phase:+.3f}π".replace("-", numbers.MINUS),
    ]


def _scale(end: float) -> Column:
    return Column("", under=numbers.scale(end))


def _others(selection: Shown) -> Html:
    return quiet(f"{numbers.integer(selection.others)} more")


def _outcomes(number: int, selection: Shown, outcomes: Sequence[Sequence[Piece]], order: str) -> str:
    """Return what the note says about the outcomes that are shown."""
    clauses = [numbers.several(number, "outcome"), *_which(selection, order), *explanations(outcomes)]
    return f"{'; '.join([*clauses, 'clbit 0 rightmost'])}."


def _which(selection: Shown, order: str) -> list[str]:
    return [f"the {len(selection.bitstrings)} {order} shown"] if selection.others else []


def _duration(origin: Origin | None) -> str:
    seconds = 0.0 if origin is None else origin.parse_s + origin.build_s + origin.run_s
    return f" Parse, build and run took {numbers.seconds(seconds, numbers.NO_BREAK)}." if seconds else ""
