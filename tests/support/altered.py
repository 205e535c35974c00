"""A right simulator in this process, and simulators that run another circuit than they were given."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from support.fakes import NumpyAdapter

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit, Operation
from gateway.counts import Probabilities, Statevector
from gateway.execution.runner import Runner
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.results import Capabilities, Result

Alter = Callable[[Operation], list[Operation]]


class InProcess(Backend):
    """A right state-vector simulator, which takes everything and gives all result types.

    Args:
        alter: makes it wrong: what it runs in place of each operation.
        name: of the simulator.
        **capabilities: other capabilities than its own.
    """

    def __init__(self, alter: Alter | None = None, *, name: str = "numpy", **capabilities: object) -> None:
        adapter = NumpyAdapter()
        adapter.name = name
        adapter.capabilities = msgspec.structs.replace(adapter.capabilities, **capabilities)
        self._alter = alter
        self._runner = Runner(adapter, ServerLimits())
        self._adapter = adapter

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request, altered."""
        if self._alter is not None:
            circuits = [self._altered(circuit) for circuit in request.circuit_list()]
            request = msgspec.structs.replace(request, circuits=circuits)
        return self._runner.results(request, None)

    def _altered(self, circuit: Circuit) -> Circuit:
        operations = [other for operation in circuit.operations for other in self._alter(operation)]
        return circuit.with_operations(operations)

    def status(self) -> BackendStatus:
        """Say that it is there."""
        return BackendStatus(self._adapter.name, self._adapter.version(), online=True)

    def capabilities(self) -> Capabilities:
        """Return what it declares."""
        return self._adapter.capabilities


class Distorted(InProcess):
    """A right simulator whose exact results were changed afterwards.

    Args:
        state: what becomes of a state vector.
        scale: by what probabilities are multiplied.
    """

    def __init__(self, state: Callable[[np.ndarray], np.ndarray] = np.asarray, *, scale: float = 1.0) -> None:
        super().__init__(name="distorted")
        self._state, self._scale = state, scale

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request, and change its results."""
        return [self._changed(result) for result in super().send(request)]

    def _changed(self, result: Result) -> Result:
        if isinstance(result, Statevector):
            return Statevector(self._state(np.asarray(result)), result.provenance)
        if isinstance(result, Probabilities):
            scaled = {bits: self._scale * value for bits, value in result.items()}
            return Probabilities(scaled, result.width, result.provenance)
        return result


def big_endian(state: np.ndarray) -> np.ndarray:
    """Return a state with its qubits in reverse order."""
    return state.reshape([2] * (len(state).bit_length() - 1)).transpose().ravel()


def with_wrong_phase(state: np.ndarray) -> np.ndarray:
    """Return a state with another phase at its last amplitude."""
    return np.append(state[:-1], 1j * state[-1])


def with_angle(name: str, change: Callable[[float], float]) -> Alter:
    """Change the angles of the gates of one name."""

    def alter(operation: Operation) -> list[Operation]:
        if operation.name != name:
            return [operation]
        return [msgspec.structs.replace(operation, params=tuple(map(change, operation.params)))]

    return alter


def without(name: str) -> Alter:
    """Leave out the operations of one name."""
    return lambda operation: [] if operation.name == name else [operation]
