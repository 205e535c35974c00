"""Looks at texts inside a worker process, which has imported all that is needed before the first one comes.

Of many lines, only what is proportional to their number is done: the drawing, the exact distribution and the search
for further errors are bounded.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import msgspec

from gateway.circuit import Circuit, Limits, parse
from gateway.circuit.needs import needs
from gateway.circuit.picture import PAGE, draw
from gateway.door.circuits import diagnostics
from gateway.door.circuits.estimates import Asked, estimates, why_not
from gateway.door.circuits.names import qubit_names
from gateway.door.circuits.questions import Look, Time, too_large
from gateway.door.circuits.sight import look
from gateway.door.circuits.speeds import seconds_of, work_of
from gateway.errors import GatewayError
from gateway.execution.runner import Answer
from gateway.protocol import problem
from gateway.protocol.door import CircuitInfo
from gateway.protocol.encodings import Encoding

log = logging.getLogger("gateway")

LIMITS = Limits()
_OK = 200


_DECODER = msgspec.msgpack.Decoder(Look | Time)


class Desk:
    """Answers the questions of the process that started this one."""

    def describe(self) -> Answer:
        """Say that this process is ready."""
        return Answer(_OK, b"")

    def run(
        self,
        body: bytes,
        token: str | None,  # noqa: ARG002 - nothing is done on behalf of anybody
        queue_s: float = 0.0,  # noqa: ARG002 - nor does anybody ask how long it waited
        encoding: Encoding = Encoding.JSON,  # noqa: ARG002 - the process that asks reads JSON
    ) -> Answer:
        """Return a CircuitInfo, or the seconds of each simulator, in JSON."""
        try:
            question = _DECODER.decode(body)
            answer: object = info(question) if isinstance(question, Look) else seconds(question)
            return Answer(_OK, msgspec.json.encode(answer))
        except GatewayError as error:
            return Answer(error.status, problem.dump(error))
        except MemoryError:
            return Answer(_OK, msgspec.json.encode(too_large()))
        except Exception as exc:
            log.exception("a text could not be looked at")
            failure = GatewayError(f"the text could not be looked at: {type(exc).__name__}")
            return Answer(failure.status, problem.dump(failure))

    def undo(self, names: Sequence[str]) -> Answer:  # noqa: ARG002 - it starts nothing
        """Do nothing."""
        return Answer(_OK, b"")


def info(question: Look) -> CircuitInfo:
    """Return what a text is."""
    request = question.request
    circuit, errors = diagnostics.read(request.openqasm, LIMITS)
    if circuit is None:
        return CircuitInfo(errors=errors)
    asks_for = needs(circuit)
    asked = Asked(circuit, asks_for, request.openqasm, request.shots)
    able = [
        each
        for each in question.simulators
        if each.backend is not None and not why_not(asked, each.backend, asked.kind)
    ]
    sight = look(circuit, asks_for, request.shots, request.resolution, len(able))
    asked.shots, asked.outcomes = sight.shots or request.shots, sight.outcomes
    answer = CircuitInfo(
        num_qubits=circuit.num_qubits,
        num_clbits=circuit.num_clbits,
        operations=len(circuit.operations),
        depth=circuit.depth(),
        parameters=circuit.parameters,
        estimates=estimates(asked, question.simulators, question.factors),
        shots=sight.shots,
        detectable=sight.distance,
        note=sight.note,
    )
    return _drawn(answer, circuit, request.openqasm) if request.drawing else answer


def _drawn(answer: CircuitInfo, circuit: Circuit, text: str) -> CircuitInfo:
    picture = draw(circuit, palette=PAGE, width=math.inf, names=qubit_names(text, circuit.num_qubits))
    return msgspec.structs.replace(answer, drawing=picture.svg, columns=len(picture.columns), remark=picture.remark)


def seconds(question: Time) -> dict[str, float]:
    """Return how long a run is estimated to take on each simulator of which that is known."""
    circuit = parse(question.openqasm, LIMITS)
    asks_for = needs(circuit)
    asked = Asked(circuit, asks_for, question.openqasm, question.shots)
    sight = look(circuit, asks_for, question.shots, None, 1)
    work = work_of(circuit, asks_for, question.shots, asked.kind, sight.outcomes)
    found = {name: None if work is None else seconds_of(name, work) for name in question.simulators}
    return {name: each for name, each in found.items() if each is not None}
