"""The unitaries of the gate table as arrays, in the order of qubits that a framework uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.circuit.gates import GATES


def matrix(name: str, *params: float) -> NDArray[np.complex128]:
    """Return the unitary of a row of the gate table, little-endian: the first qubit is the least significant bit."""
    return np.array(GATES[name].unitary(*params), dtype=np.complex128)


def big_endian_matrix(name: str, *params: float) -> NDArray[np.complex128]:
    """Return the unitary of a row of the gate table for frameworks whose first qubit is the most significant bit."""
    little = matrix(name, *params)
    n = len(little).bit_length() - 1
    if n <= 1:
        return little
    order = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return little.reshape((2,) * (2 * n)).transpose(order).reshape(little.shape)
