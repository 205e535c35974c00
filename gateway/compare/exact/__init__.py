"""Our own plain exact simulator: always one of the witnesses that a reference rests on.

It multiplies arrays by the matrices of the gate table, and shares nothing else with the simulators that it judges.
"""

from __future__ import annotations

from gateway.compare.exact.bounds import Bounds
from gateway.compare.exact.noisy import noisy_distribution
from gateway.compare.exact.simulation import distribution, statevector

__all__ = ["Bounds", "distribution", "noisy_distribution", "statevector"]
