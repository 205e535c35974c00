"""Answers ``run`` and ``ping`` of old Qrisp clients, whether they send Thrift or JSON."""

from __future__ import annotations

from gateway.counts import Counts
from gateway.errors import RequestError
from gateway.execution.content import size_of, whole
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp.objects import BackendStatus, RunMessage, as_circuit
from gateway.legacy.qrisp.whole_answers import room_for
from gateway.protocol import problem
from gateway.protocol.messages import BackendInfo, RunRequest, RunResponse, decode, encode
from gateway.protocol.result_message import result_of
from gateway.server.access.request_limits import check_limits, circuit_limits
from gateway.server.service import Service

_OK = 200


def run(service: Service, message: RunMessage, caller: Caller) -> dict[str, int]:
    """Run a circuit for an authenticated caller and return its counts.

    Raises:
        GatewayError: the message is refused, or the run fails.
    """
    if message.shots is None or message.shots < 1:
        raise RequestError(
            f"shots is a whole number above 0, not {message.shots}: this interface returns counts", field="shots"
        )
    circuit = as_circuit(message.qc, circuit_limits(service.limits))
    request = RunRequest(circuits=circuit, shots=message.shots)
    timeout_s = check_limits(request, service.limits)
    answer = service.run(encode(request), caller, timeout_s)
    with room_for(size_of(answer.body)):
        (message_of_result,) = decode(RunResponse, _body(answer)).results
        counts = result_of(message_of_result)
        assert isinstance(counts, Counts)  # noqa: S101 - a request with shots asks for counts
        return counts.to_dict()


def ping(service: Service, *, trusted: bool) -> BackendStatus:
    """Return whether the server takes work; for a trusted caller, ask the simulator or the function's ``ping_func``.

    On a server that demands tokens, other callers learn only what ``/readyz`` tells everybody, and cause no work.
    """
    if not trusted:
        return BackendStatus("gateway", service.executor.ready)
    info = decode(BackendInfo, _body(service.executor.describe()))
    return BackendStatus(info.name, info.online)


def _body(answer: Answer) -> bytes:
    if answer.status != _OK:
        raise problem.parse(whole(answer.body), answer.status, "the simulator")
    return whole(answer.body)
