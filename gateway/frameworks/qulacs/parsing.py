"""Qulacs (https://docs.qulacs.org) -> the shared circuit, checked against 0.6.14.

Qulacs is little-endian, as we are, but its rotations ``RX RY RZ`` and Pauli rotations turn the other
way, ``exp(+i angle/2 P)``; its ``RotX RotY RotZ`` are ours. A parametric circuit stands for the values
its parameters have. A measurement's clbit is its address in Qulacs' classical register.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from qulacs import QuantumCircuit

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse
from gateway.errors import RequestError
from gateway.frameworks.shared.refusals import refused
from gateway.frameworks.shared.synthesis import steps_of_unitary

_ROWS: Mapping[str, str] = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "Sdag": "sdg", "T": "t", "Tdag": "tdg",
    "sqrtX": "sx", "sqrtXdag": "sxdg", "CNOT": "cx", "CZ": "cz", "SWAP": "swap",
}  # fmt: skip
"""Name of Qulacs' gate -> the same gate of the table."""

_ROTATIONS = {"X-rotation": "rx", "Y-rotation": "ry", "Z-rotation": "rz",
              "ParametricRX": "rx", "ParametricRY": "ry", "ParametricRZ": "rz"}  # fmt: skip
_PAULI_ROTATIONS = frozenset({"Pauli-rotation", "ParametricPauliRotation"})
_MATRICES = frozenset({"DenseMatrix", "DiagonalMatrix", "SparseMatrix", "ReversibleBoolean", "sqrtY", "sqrtYdag"})
_PAULIS = ("", "x", "y", "z")
_TO_Z: Mapping[str, list[str]] = {"x": ["h"], "y": ["sdg", "h"], "z": []}
"""Pauli matrix -> gates that turn it into Z."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``QuantumCircuit`` or ``ParametricQuantumCircuit``.

    Raises:
        RequestError: the object is neither.
        UnsupportedError: the circuit has noise, a projection, an instrument other than a measurement, an adaptive
            gate, or a matrix that is not unitary or has more than 6 qubits.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise RequestError(f"a circuit of Qulacs is a QuantumCircuit, not a {type(circuit).__name__}", field="circuits")
    out = Emitter(DEFAULT_LIMITS)
    out.new_qubits(circuit.get_qubit_count())
    for index in range(circuit.get_gate_count()):
        _carry_out(circuit.get_gate(index), index, out)
    return Circuit(*out.parts())


def _carry_out(native: Any, index: int, out: Emitter) -> None:  # noqa: ANN401 - a gate of Qulacs
    name = native.get_name()
    row = _ROWS.get(name)
    if row is not None:
        out.gate((row, (*native.get_control_index_list(), *native.get_target_index_list()), ()))
    elif name == "CPTP":
        _measure(native, index, out)
    else:
        for step in _steps(native, name, index):
            out.gate(step)


def _steps(native: Any, name: str, index: int) -> list[Step]:  # noqa: ANN401
    qubits = tuple(native.get_target_index_list())
    if name in _ROTATIONS:
        return [(_ROTATIONS[name], qubits, (_angle(native, _ROTATIONS[name]),))]
    if name in _PAULI_ROTATIONS:
        return _pauli_rotation(json.loads(native.to_json()))
    if name == "Pauli":
        return [(pauli, (qubit,), ()) for qubit, pauli in _paulis(json.loads(native.to_json()))]
    if name == "FusedSWAP":
        half = len(qubits) // 2
        return [("swap", pair, ()) for pair in zip(qubits[:half], qubits[half:], strict=True)]
    if name not in _MATRICES:
        raise refused(index, name, "it is neither a unitary gate nor a measurement")
    try:
        steps = steps_of_unitary(native.get_matrix(), qubits)
    except ValueError as exc:
        raise refused(index, name, str(exc)) from exc
    controls = dict(native.get_control_index_value_list())
    return control(steps, list(controls), [qubit for qubit, value in controls.items() if not value])


def _angle(native: Any, row: str) -> float:  # noqa: ANN401
    """Return the angle of a rotation, between -2 pi and 2 pi; Qulacs gives it only in the matrix."""
    matrix = native.get_matrix()
    cosine = matrix[0, 0].real
    sine = {"rx": matrix[1, 0].imag, "ry": -matrix[1, 0].real, "rz": matrix[0, 0].imag}[row]
    return -2 * math.atan2(sine, cosine)


def _paulis(fields: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the qubits of a Pauli operator with the matrix on each, without identities."""
    parts = fields["pauli"]["pauli_list"]
    return [(int(part["index"]), _PAULIS[int(part["pauli_id"])]) for part in parts if int(part["pauli_id"])]


def _pauli_rotation(fields: Mapping[str, Any]) -> list[Step]:
    """Return ``exp(i angle/2 P)``: Z on the last qubit between changes of basis and parities."""
    paulis, angle = _paulis(fields), -float(fields["angle"])
    if not paulis:
        return [("gphase", (), (-angle / 2,))]
    change: list[Step] = [(name, (qubit,), ()) for qubit, pauli in paulis for name in _TO_Z[pauli]]
    qubits = [qubit for qubit, _ in paulis]
    change += [("cx", (first, second), ()) for first, second in pairwise(qubits)]
    return [*change, ("rz", (qubits[-1],), (angle,)), *inverse(change)]


def _measure(native: Any, index: int, out: Emitter) -> None:  # noqa: ANN401
    """Append a measurement, which in Qulacs is a map of the two projections of one qubit, with an address."""
    fields = json.loads(native.to_json())
    kinds = [part["name"] for part in fields["gate_list"]]
    if kinds != ["Projection-0Gate", "Projection-1Gate"] or fields.get("is_instrument") != "true":
        raise refused(index, "CPTP", "this map is no measurement of one qubit: noise, or an instrument")
    clbit = int(fields["classical_register_address"])
    if clbit >= out.num_clbits:
        out.new_clbits(clbit + 1 - out.num_clbits)
    out.measure(int(fields["gate_list"][0]["target_qubit"]), clbit)
