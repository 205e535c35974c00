"""How each framework itself sees its circuits: the measure of the conversions.

One row per framework; the suite over all of them names none.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Framework:
    """What a test has to know of a framework.

    Args:
        unitary: native circuit and number of qubits -> little-endian matrix, made by the framework.
        other: makes an object of the framework that is no circuit.
        dynamic: it has mid-circuit measurement, reset and conditions.
        conditional_measurement: a measurement can be conditional.
        phase: it can say a phase of a circuit without qubits.
    """

    unitary: Callable[[Any, int], np.ndarray]
    other: Callable[[], object]
    dynamic: bool = True
    conditional_measurement: bool = True
    phase: bool = True


def _qiskit(circuit: Any, _: int) -> np.ndarray:
    return importlib.import_module("qiskit.quantum_info").Operator(circuit).data


FRAMEWORKS = {
    "qiskit": Framework(_qiskit, lambda: importlib.import_module("qiskit").QuantumRegister(1)),
}
