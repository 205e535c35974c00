"""A simulator that is wrong in one known way, to be served beside right ones."""

from __future__ import annotations

from support.fakes import NumpyAdapter

from gateway.circuit import Circuit, Operation

TARGET = "support.wrong:TurnedAdapter"


class TurnedAdapter(NumpyAdapter):
    """Turns every rz the other way."""

    name = "turned"
    capabilities = NumpyAdapter.capabilities

    def build(self, circuit: Circuit) -> Circuit:
        return circuit.with_operations([_turned(op) for op in circuit.operations])


def _turned(op: Operation) -> Operation:
    return Operation(op.name, op.qubits, (-op.params[0],), op.clbits, op.condition) if op.name == "rz" else op
