"""How far right simulators may differ because they round."""

from __future__ import annotations

from gateway.results import Precision

_UNIT = {Precision.SINGLE: 2.0**-24, Precision.DOUBLE: 2.0**-53}
_FLOOR = {Precision.SINGLE: 1e-6, Precision.DOUBLE: 1e-10}


def tolerance(operations: int, precision: Precision = Precision.DOUBLE) -> float:
    """Return the largest difference of a probability that rounding explains.

    Each operation rounds each amplitude by at most a few units in the last place, and in the worst case these errors
    add up. Decision diagrams also take amplitudes for equal that differ by less than about 1e-13, many times over,
    which the floor allows for.

    Args:
        operations: of the circuit.
        precision: the lower one of the two simulators that are compared.
    """
    return max(_FLOOR[precision], 8 * (operations + 8) * _UNIT[precision])
