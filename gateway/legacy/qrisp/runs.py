"""What old Qrisp clients ask for, whichever of their wires they ask on: a run, a ping."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import RequestError
from gateway.execution.runner import Answer
from gateway.jobs.manager import Caller
from gateway.legacy.qrisp.objects import BackendStatus, RunMessage, as_circuit
from gateway.protocol import problem
from gateway.protocol.messages import BackendInfo, RunRequest, RunResponse, decode, encode
from gateway.server.access.admission import Admission
from gateway.server.telemetry.observer import Observer

_OK = 200


@dataclass(frozen=True, slots=True)
class ObjectService:
    """Answers the messages of :mod:`gateway.legacy.qrisp.objects`.

    Args:
        observer: runs circuits, as for every other protocol.
        admission: who is let in with what.
    """

    observer: Observer
    admission: Admission

    def run(self, message: RunMessage, caller: Caller) -> dict[str, int]:
        """Run a circuit on behalf of somebody who was let in; return its counts.

        Raises:
            GatewayError: whatever stands in the way.
        """
        if message.shots is None or message.shots < 1:
            raise RequestError(
                f"shots is a whole number above 0, not {message.shots}: this interface returns counts", field="shots"
            )
        circuit = as_circuit(message.qc, self.admission.circuit_limits)
        request = RunRequest(circuits=circuit, shots=message.shots)
        timeout_s = self.admission.check(request)
        answer = self.observer.run(encode(request), caller, timeout_s)
        (result,) = decode(RunResponse, _body(answer)).results
        return result.counts or {}

    def ping(self, *, trusted: bool) -> BackendStatus:
        """Say whether work is taken; ask the simulator, or the function's ``ping_func``, if the asker is trusted.

        On a server that wants tokens, others learn what ``/readyz`` tells everybody and cause no work.
        """
        if not trusted:
            return BackendStatus("gateway", self.observer.executor.ready)
        info = decode(BackendInfo, _body(self.observer.executor.describe()))
        return BackendStatus(info.name, info.online)


def _body(answer: Answer) -> bytes:
    if answer.status != _OK:
        raise problem.parse(answer.body, answer.status, "the simulator")
    return answer.body
