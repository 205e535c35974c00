"""Wrong readings: the circuit ran as it should, and its outcomes were written down wrong.

A reading relabels the outcomes of the right distribution: clbits change places, or a clbit is always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gateway.compare.diagnosis.hypotheses import Hypothesis, Prediction
from gateway.compare.diagnosis.marginals import Floats, ones
from gateway.compare.statistics.outcomes import Distribution, bits_of_codes, codes_of_bits, group

_EXCHANGES = "exchanges"
"""The family of what exchanges clbits in a way that nothing in the circuit suggests."""

_ALL_CLBITS = "all clbits"
"""The family of what happens to all clbits at once."""


def readings(
    reference: Distribution,
    clbits: Sequence[int],
    *,
    written: Sequence[int] = (),
    registers: Sequence[int] = (),
    tested: Collection[int] = (),
) -> Iterator[Hypothesis]:
    """Yield the wrong readings that the circuit suggests, and those of all clbits or a single one.

    Args:
        reference: the right distribution.
        clbits: those that may be stuck, inverted or unwritten.
        written: those that the circuit writes, which may all be inverted at once; the others stay 0.
        registers: the sizes of the registers of clbits, that of clbit 0 first, if they are known.
        tested: the clbits that conditions test; whether those are written shows in more than their own value.
    """
    width, right = reference.width, ones(reference)
    if width > 1:
        detail = "the bits of every outcome read in reverse"
        yield _rearrangement("bits-reversed", reference, right, range(width)[::-1], detail)
    yield from _of_all_clbits(reference, right, written)
    yield from _of_registers(reference, right, registers)
    for clbit in clbits:
        flipped = _with(right, clbit, 1 - right[clbit])
        yield Hypothesis("clbit-inverted", partial(_inverted, reference, clbit), ones=flipped)
        for value in (1, 0):
            always = _with(right, clbit, value)
            yield Hypothesis("clbit-stuck", partial(_stuck, reference, clbit, value), ones=always)
        if clbit not in tested:
            yield Hypothesis("clbit-unwritten", partial(_unwritten, reference, clbit), ones=_with(right, clbit, 0))


def exchanges(reference: Distribution, clbits: Sequence[int], *, guess: bool) -> Iterator[Hypothesis]:
    """Yield the exchanges of clbits that nothing in the circuit suggests; they are one family.

    Args:
        reference: the right distribution.
        clbits: those of which two may be exchanged.
        guess: whether registers of clbits are guessed, because they are not known.
    """
    width, right = reference.width, ones(reference)
    for sizes in splits(width) if guess else []:
        yield from _of_registers(reference, right, sizes, _EXCHANGES)
    for first, second in combinations(sorted(clbits), 2):
        sources = list(range(width))
        sources[first], sources[second] = second, first
        detail = f"clbits {first} and {second} exchanged"
        yield _rearrangement("clbits-exchanged", reference, right, sources, detail, _EXCHANGES)


def splits(width: int) -> list[tuple[int, ...]]:
    """Return plausible sizes of registers: two registers of any sizes, and several of the same size."""
    pairs = [(size, width - size) for size in range(1, width)]
    equal = [(size,) * (width // size) for size in range(2, width // 2) if width % size == 0]
    return pairs + equal


def _of_all_clbits(reference: Distribution, right: Floats, written: Sequence[int]) -> Iterator[Hypothesis]:
    clbits = range(reference.width)
    if len(clbits) < 2:  # noqa: PLR2004 - what happens to a single clbit has a family of its own
        return

    def hypothesis(name: str, detail: str, ones: Floats, relabel: Callable[[], Distribution]) -> Hypothesis:
        return Hypothesis(name, lambda: Prediction(relabel(), detail), family=_ALL_CLBITS, ones=ones)

    yield hypothesis("clbit-inverted", "every clbit inverted", 1 - right, partial(inverted, reference, clbits))
    if 1 < len(written) < reference.width:
        flipped = right.copy()
        flipped[list(written)] = 1 - right[list(written)]
        detail = "every clbit that is written inverted"
        yield hypothesis("clbit-inverted", detail, flipped, partial(inverted, reference, written))
    for value in (0, 1):
        always = np.full_like(right, value)
        yield hypothesis("clbit-stuck", f"every clbit always {value}", always, partial(stuck, reference, clbits, value))


def _of_registers(
    reference: Distribution, right: Floats, sizes: Sequence[int], family: str = ""
) -> Iterator[Hypothesis]:
    if len(sizes) < 2:  # noqa: PLR2004 - one register has no order
        return
    same = list(range(reference.width))
    registers = [same[end - size : end] for size, end in zip(sizes, np.cumsum(sizes).tolist(), strict=True)]
    within = [clbit for register in registers for clbit in register[::-1]]
    order = [clbit for register in registers[::-1] for clbit in register]
    words = f"(of {', '.join(map(str, sizes[:-1]))} and {sizes[-1]} clbits)"
    if within not in (same, same[::-1]):
        detail = f"the bits of each register {words} read in reverse"
        yield _rearrangement("register-bits-reversed", reference, right, within, detail, family)
    if order not in (same, same[::-1]):
        detail = f"the registers {words} read in reverse order"
        yield _rearrangement("registers-reversed", reference, right, order, detail, family)


def _rearrangement(
    name: str, reference: Distribution, right: Floats, sources: Sequence[int], detail: str, family: str = ""
) -> Hypothesis:
    return Hypothesis(
        name, lambda: Prediction(rearranged(reference, sources), detail), family=family, ones=right[list(sources)]
    )


def _with(right: Floats, clbit: int, value: float) -> Floats:
    changed = right.copy()
    changed[clbit] = value
    return changed


def _inverted(reference: Distribution, clbit: int) -> Prediction:
    return Prediction(inverted(reference, clbit), f"clbit {clbit} inverted")


def _stuck(reference: Distribution, clbit: int, value: int) -> Prediction:
    return Prediction(stuck(reference, clbit, value), f"clbit {clbit} always {value}")


def _unwritten(reference: Distribution, clbit: int) -> Prediction:
    return Prediction(stuck(reference, clbit, 0), f"clbit {clbit} never written")


# ---------------------------------------------------------------------------- relabelling


def rearranged(distribution: Distribution, sources: Sequence[int]) -> Distribution:
    """Return the distribution of outcomes whose clbit k is clbit ``sources[k]``; there may be fewer of them."""
    bits = bits_of_codes(distribution.codes, distribution.width)
    return _relabelled(distribution, bits[:, list(sources)])


def inverted(distribution: Distribution, clbits: int | Sequence[int]) -> Distribution:
    """Return the distribution of outcomes in which a clbit, or each of several, is the opposite."""
    bits = bits_of_codes(distribution.codes, distribution.width).copy()
    bits[:, clbits] ^= 1
    return _relabelled(distribution, bits)


def stuck(distribution: Distribution, clbits: int | Sequence[int], value: int) -> Distribution:
    """Return the distribution of outcomes in which a clbit, or each of several, is always the same."""
    bits = bits_of_codes(distribution.codes, distribution.width).copy()
    bits[:, clbits] = value
    return _relabelled(distribution, bits)


def with_coins(distribution: Distribution, chances: Mapping[int, float]) -> Distribution:
    """Return the distribution of outcomes in which some clbits are 1 by chance, whatever the others are.

    Args:
        distribution: the outcomes.
        chances: clbit -> the probability that it is 1.
    """
    for clbit, chance in chances.items():
        parts = [(stuck(distribution, clbit, value), weight) for value, weight in ((1, chance), (0, 1 - chance))]
        codes = np.concatenate([part.codes for part, _ in parts])
        probabilities = np.concatenate([weight * part.probabilities for part, weight in parts])
        distribution = Distribution(distribution.width, *group(codes, probabilities))
    return distribution


def _relabelled(distribution: Distribution, bits: NDArray[np.uint8]) -> Distribution:
    codes, probabilities = group(codes_of_bits(bits), distribution.probabilities)
    return Distribution(bits.shape[1], codes, probabilities)
