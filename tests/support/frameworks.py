"""Tells how each framework itself understands its circuits, by which the conversions are judged.

The table has one row per framework; the suite over all of them names none.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from support.groups import is_here


@dataclass(frozen=True, slots=True)
class Framework:
    """What a test has to know about a framework.

    Args:
        unitary: native circuit and number of qubits -> the little-endian matrix that the framework computes.
        other: makes an object of the framework that is no circuit.
        dynamic: whether it has mid-circuit measurement, reset and conditions.
        conditional_measurement: whether a measurement can be conditional.
        idle_clbits: whether it keeps clbits after the last one that is measured.
        phase: whether it can express the phase of a circuit without qubits.
    """

    unitary: Callable[[Any, int], np.ndarray]
    other: Callable[[], object]
    dynamic: bool = True
    conditional_measurement: bool = True
    idle_clbits: bool = True
    phase: bool = True


def _qiskit(circuit: Any, _: int) -> np.ndarray:
    return importlib.import_module("qiskit.quantum_info").Operator(circuit).data


def _cirq(circuit: Any, num_qubits: int) -> np.ndarray:
    line = importlib.import_module("cirq").LineQubit.range(num_qubits)
    return circuit.unitary(qubit_order=line[::-1], dtype=np.complex128)


def _pytket(circuit: Any, num_qubits: int) -> np.ndarray:
    big_endian = circuit.get_unitary().reshape([2] * (2 * num_qubits))
    axes = [*range(num_qubits)[::-1], *range(num_qubits, 2 * num_qubits)[::-1]]
    return big_endian.transpose(axes).reshape([2**num_qubits] * 2)


def _pyquil(program: Any, num_qubits: int) -> np.ndarray:
    return importlib.import_module("pyquil.simulation.tools").program_unitary(program, num_qubits)


def _qulacs(circuit: Any, num_qubits: int) -> np.ndarray:
    columns = []
    for index in range(2**num_qubits):
        state = importlib.import_module("qulacs").QuantumState(num_qubits)
        state.set_computational_basis(index)
        circuit.update_quantum_state(state)
        columns.append(state.get_vector())
    return np.array(columns).T


_FRAMEWORKS = {
    "cirq": Framework(_cirq, lambda: importlib.import_module("cirq").LineQubit(1), conditional_measurement=False),
    "pytket": Framework(_pytket, lambda: importlib.import_module("pytket").Qubit(1)),
    "pyquil": Framework(_pyquil, lambda: importlib.import_module("pyquil.gates").X(0), phase=False),
    "qulacs": Framework(
        _qulacs,
        lambda: importlib.import_module("qulacs").QuantumState(1),
        dynamic=False,
        conditional_measurement=False,
        idle_clbits=False,
        phase=False,
    ),
    "qiskit": Framework(_qiskit, lambda: importlib.import_module("qiskit").QuantumRegister(1)),
}
FRAMEWORKS = {name: framework for name, framework in _FRAMEWORKS.items() if is_here(name)}
"""The rows of the frameworks in this environment."""
