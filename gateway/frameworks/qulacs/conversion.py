"""Qulacs (https://docs.qulacs.org) <-> the shared circuit, checked against 0.6.14.

Qulacs is little-endian, as we are, but its rotations ``RX RY RZ`` and Pauli rotations turn the other
way, ``exp(+i angle/2 P)``; its ``RotX RotY RotZ`` are ours. A parametric circuit stands for the values
its parameters have. A measurement's clbit is its address in Qulacs' classical register. Qulacs has
neither reset nor conditions that could be read back, and knows of no clbits beyond those measured.
"""

from __future__ import annotations

import cmath
import json
import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from qulacs import QuantumCircuit, gate

from gateway.circuit import Circuit, Operation
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import GATES, Step
from gateway.circuit.lowering import lower
from gateway.circuit.modifiers import control, inverse
from gateway.errors import RequestError
from gateway.frameworks.shared.common import refused
from gateway.frameworks.shared.synthesis import steps_of_unitary

# ---------------------------------------------------------------------------- parse

_ROWS: Mapping[str, str] = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "Sdag": "sdg", "T": "t", "Tdag": "tdg",
    "sqrtX": "sx", "sqrtXdag": "sxdg", "CNOT": "cx", "CZ": "cz", "SWAP": "swap",
}  # fmt: skip
"""Name of a gate -> the row that is just that."""

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
        RequestError: neither.
        UnsupportedError: noise, projections, instruments but the measurement, adaptive gates, matrices
            that are not unitary or have more than 6 qubits, named.
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
    """Return the angle of a rotation, which Qulacs hands out in the matrix only, between -2 pi and 2 pi."""
    matrix = native.get_matrix()
    cosine = matrix[0, 0].real
    sine = {"rx": matrix[1, 0].imag, "ry": -matrix[1, 0].real, "rz": matrix[0, 0].imag}[row]
    return -2 * math.atan2(sine, cosine)


def _paulis(fields: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return the qubits of a Pauli operator and the matrix on each, identities left out."""
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
    """Append the map that is a measurement: the two projections of one qubit, with an address."""
    fields = json.loads(native.to_json())
    kinds = [part["name"] for part in fields["gate_list"]]
    if kinds != ["Projection-0Gate", "Projection-1Gate"] or fields.get("is_instrument") != "true":
        raise refused(index, "CPTP", "this map is no measurement of one qubit: noise, or an instrument")
    clbit = int(fields["classical_register_address"])
    if clbit >= out.num_clbits:
        out.new_clbits(clbit + 1 - out.num_clbits)
    out.measure(int(fields["gate_list"][0]["target_qubit"]), clbit)


# ---------------------------------------------------------------------------- dump

Build = Callable[..., Any]
"""``(*qubits, *params)`` -> a gate of Qulacs."""


def _matrix(name: str, *params: float) -> Any:  # noqa: ANN401 - an array
    return np.array(GATES[name].unitary(*params), dtype=complex)


def _controlled(name: str, controls: int = 1) -> Build:
    """Return the maker of a row of the table under controls, which come first."""

    def build(*args: Any) -> Any:  # noqa: ANN401
        size = GATES[name].num_qubits
        targets, params = args[controls : controls + size], args[controls + size :]
        made = gate.DenseMatrix(list(targets), _matrix(name, *params))
        for qubit in args[:controls]:
            made.add_control_qubit(qubit, 1)
        return made

    return build


def _dense(name: str) -> Build:
    return _controlled(name, 0)


def _pauli_pair(pauli: int) -> Build:
    """Return the maker of ``exp(-i t/2 PP)``; 1 is X, 2 is Y, 3 is Z."""
    return lambda a, b, angle: gate.PauliRotation([a, b], [pauli, pauli], -angle)


def _global_phase(angle: float) -> Any:  # noqa: ANN401
    return gate.DiagonalMatrix([0], [cmath.exp(1j * angle)] * 2)


_GATES: Mapping[str, Build] = {
    "gphase": _global_phase, "id": gate.Identity, "x": gate.X, "y": gate.Y, "z": gate.Z, "h": gate.H, "s": gate.S,
    "sdg": gate.Sdag, "t": gate.T, "tdg": gate.Tdag, "sx": gate.sqrtX, "sxdg": gate.sqrtXdag, "p": gate.U1,
    "u1": gate.U1, "u2": gate.U2, "u3": gate.U3, "u": gate.U3, "U": gate.U3, "rx": gate.RotX, "ry": gate.RotY,
    "rz": gate.RotZ, "cx": gate.CNOT, "CX": gate.CNOT, "cz": gate.CZ, "swap": gate.SWAP, "rxx": _pauli_pair(1),
    "ms": _pauli_pair(1), "ryy": _pauli_pair(2), "rzz": _pauli_pair(3), "ccx": gate.TOFFOLI, "cswap": gate.FREDKIN,
    "cy": _controlled("y"), "ch": _controlled("h"), "cs": _controlled("s"), "csdg": _controlled("sdg"),
    "csx": _controlled("sx"), "cp": _controlled("p"), "cu1": _controlled("p"), "crx": _controlled("rx"),
    "cry": _controlled("ry"), "crz": _controlled("rz"), "cu3": _controlled("u"), "ccz": _controlled("z", 2),
    "c3x": _controlled("x", 3), "c4x": _controlled("x", 4), "c3sqrtx": _controlled("sx", 3), "cu": _dense("cu"),
    "iswap": _dense("iswap"), "dcx": _dense("dcx"), "ecr": _dense("ecr"), "rzx": _dense("rzx"),
    "xx_plus_yy": _dense("xx_plus_yy"), "xx_minus_yy": _dense("xx_minus_yy"), "rccx": _dense("rccx"),
    "rc3x": _dense("rc3x"), "measure": gate.Measurement,
}  # fmt: skip


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit of Qulacs
    """Return a ``QuantumCircuit``; a global phase is a diagonal matrix on qubit 0.

    Barriers, which Qulacs does not have, are left out, and so are clbits after the last one measured.

    Raises:
        UnsupportedError: a reset, a condition, or a phase of a circuit without qubits.
    """
    target = QuantumCircuit(circuit.num_qubits)
    for index, op in enumerate(circuit.operations):
        if op.name != "barrier":
            _check(op, index, circuit.num_qubits)
            for part in [op] if op.name in _GATES else lower([op], frozenset(_GATES)):
                target.add_gate(_GATES[part.name](*part.qubits, *part.clbits, *part.params))
    return target


def _check(op: Operation, index: int, num_qubits: int) -> None:
    if op.condition:
        raise refused(index, "condition", "Qulacs has conditions only as Python functions, which cannot be read back")
    if op.name == "reset":
        raise refused(index, "reset", "Qulacs has none")
    if op.name == "gphase" and not num_qubits:
        raise refused(index, "gphase", "Qulacs has no phase without a qubit")
