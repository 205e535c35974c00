"""Checks what a comparison is asked for, and chooses the simulators of one that names none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.circuit.needs import needs
from gateway.compare.circuits import NamedCircuit, named_circuits
from gateway.compare.options import check_options
from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.channel import Checked, Task
from gateway.enforcement import RunOptions, refuse
from gateway.errors import GatewayError, LimitError, UnsupportedError
from gateway.look import numbers
from gateway.protocol.door import ComparisonRequest
from gateway.protocol.messages import BackendInfo
from gateway.results import ResultType
from gateway.run_details import RunDetails


def check(task: Task) -> Checked:
    """Return what is known of a request before anything runs.

    Raises:
        CircuitError: a circuit is refused; the error has its number and, with several, the message has its name.
        RequestError: an argument has a wrong value.
        UnsupportedError: the request names no simulator, and none can run all circuits: the message says why of each.
    """
    request = task.request
    named = _read(request)
    check_options(
        named,
        shots=request.shots,
        resolution=request.resolution,
        seed=request.seed,
        repeat=request.repeat,
        false_alarm_rate=request.false_alarm_rate,
        noise=request.noise,
        timeout_s=request.timeout_s,
        time_limit_s=request.time_limit_s,
    )
    simulators = request.simulators or _able(named, request, task.simulators)
    return Checked(summary=_summary(named), simulators=simulators)


def _read(request: ComparisonRequest) -> list[NamedCircuit]:
    named = []
    for index, circuit in enumerate(request.circuits):
        try:
            named += named_circuits({circuit.name: circuit.openqasm})
        except GatewayError as exc:
            if len(request.circuits) == 1:
                raise
            raise _about(exc, circuit.name, index) from exc
    return named


def _about(error: GatewayError, name: str, index: int) -> GatewayError:
    """Return an error that says which circuit it is about."""
    message = f"{error.message} (in {name})"
    return type(error)(message, circuit=index, **error.details)


def _summary(named: Sequence[NamedCircuit]) -> str:
    """Return the size of circuits: ``4 qubits, 25 operations``."""
    qubits = max(circuit.circuit.num_qubits for circuit in named)
    operations = numbers.several(sum(len(circuit.circuit.operations) for circuit in named), "operation")
    if len(named) == 1:
        return f"{numbers.several(qubits, 'qubit')}, {operations}"
    return f"{numbers.several(len(named), 'circuit')}, up to {numbers.several(qubits, 'qubit')}, {operations}"


def _able(
    named: Sequence[NamedCircuit], request: ComparisonRequest, simulators: Mapping[str, SimulatorAddress]
) -> tuple[str, ...]:
    """Return the names of the simulators that are ready and can run all circuits."""
    reasons = {name: _why_not(name, place, named, request) for name, place in simulators.items()}
    able = tuple(name for name, reason in reasons.items() if not reason)
    if not able:
        said = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "the door knows none"
        raise UnsupportedError(f"no simulator can run this now: {said}", feature="comparison")
    return able


def _why_not(name: str, place: SimulatorAddress, named: Sequence[NamedCircuit], request: ComparisonRequest) -> str:
    """Return why a simulator cannot run the circuits; empty if it can."""
    if place.reason or place.info is None:
        return place.reason.rstrip(".") or "it has not answered yet"
    for circuit in named:
        try:
            _refuse(name, place.info, circuit, request)
        except GatewayError as exc:
            return exc.message.partition("; supported by: ")[0]
    return ""


def _refuse(name: str, info: BackendInfo, circuit: NamedCircuit, request: ComparisonRequest) -> None:
    """Refuse a circuit that a simulator cannot run.

    Raises:
        LimitError, UnsupportedError, CircuitInvalidError: it cannot.
    """
    kind = ResultType.COUNTS if circuit.is_measured else ResultType.STATEVECTOR
    details = RunDetails(noise=request.noise)
    options = RunOptions(kind, request.sampling, seeded=False, details=details)
    refuse(needs(circuit.circuit), info.capabilities, options, simulator=name, memory_bytes=0)
    operations = len(circuit.circuit.operations)
    if operations > info.limits.max_operations:
        raise LimitError(
            f"{circuit.name} has {operations:,} operations; {name} takes {info.limits.max_operations:,}",
            limit="max_operations",
            requested=operations,
            allowed=info.limits.max_operations,
        )
