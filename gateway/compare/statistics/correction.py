"""One false-alarm rate for many tests."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number, in their order.

    To call a test significant if its corrected value is below a rate raises a false alarm among all tests with at most
    that probability, however the tests depend on each other (S. Holm, A simple sequentially rejective multiple test
    procedure, Scand. J. Statist. 6 (1979) 65). Corrected values keep the order of the values and are at most 1.
    """
    corrected, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = floor
    return corrected
