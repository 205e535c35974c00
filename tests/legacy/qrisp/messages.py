"""Makes circuits as old Qrisp clients send them, from short descriptions."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import msgspec

from gateway.legacy.qrisp.objects import Bit, Definition, GateObject, Instruction, QuantumCircuit


def op(
    name: str, qubits: str, clbits: str = "", params: Sequence[float] = (), definition: Definition | None = None
) -> Instruction:
    """Return an operation on the bits whose identifiers are separated by spaces."""
    on, to = bits(qubits), bits(clbits)
    return Instruction(GateObject(name, len(on), len(to), list(params), definition), on, to)


def bits(identifiers: str) -> list[Bit]:
    return [Bit(identifier) for identifier in identifiers.split()]


def circuit(qubits: str, clbits: str, *data: Instruction) -> QuantumCircuit:
    return QuantumCircuit(bits(qubits), bits(clbits), list(data))


def definition(qubits: str, *data: Instruction, clbits: str = "") -> Definition:
    return Definition(bits(qubits), bits(clbits), list(data))


def bell() -> QuantumCircuit:
    """Return a Bell pair with X on its second qubit: the bits differ."""
    return circuit(
        "qb_1 qb_2",
        "cb_1 cb_2",
        op("qb_alloc", "qb_1"),
        op("h", "qb_1"),
        op("cx", "qb_1 qb_2"),
        op("x", "qb_2"),
        op("measure", "qb_1", "cb_1"),
        op("measure", "qb_2", "cb_2"),
        op("qb_dealloc", "qb_1"),
    )


def x_on_the_first_of_two() -> QuantumCircuit:
    return circuit(
        "qb_1 qb_2", "cb_1 cb_2", op("x", "qb_1"), op("measure", "qb_1", "cb_1"), op("measure", "qb_2", "cb_2")
    )


def as_thrift(interface: ModuleType, message: Any) -> Any:
    """Return a message as an object of the classes that a Thrift library makes of the interface."""
    if isinstance(message, list):
        return [as_thrift(interface, each) for each in message]
    if not isinstance(message, msgspec.Struct):
        return message
    name = {"Bit": "Qubit", "GateObject": "Operation", "Definition": "QuantumCircuit"}.get(
        type(message).__name__, type(message).__name__
    )
    made = getattr(interface, name)()
    for _, field, *_ in made.thrift_spec.values():
        setattr(made, field, as_thrift(interface, getattr(message, field)))
    return made
