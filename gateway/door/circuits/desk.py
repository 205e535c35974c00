"""Looks at texts inside a worker process, which has imported all that is needed before the first one comes.

Of many lines, only what is proportional to their number is done: the drawing, the exact distribution and the search
for further errors are bounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from gateway.circuit import Circuit, Limits, parse
from gateway.circuit.needs import needs
from gateway.circuit.picture import PAGE, draw
from gateway.compare.record import Record
from gateway.door import desk
from gateway.door.circuits import diagnostics
from gateway.door.circuits.estimates import Asked, estimates, why_not
from gateway.door.circuits.names import qubit_names
from gateway.door.circuits.questions import Learn, Look, Took
from gateway.door.circuits.sight import look
from gateway.door.circuits.speeds import seconds_of, work_of
from gateway.protocol.door import CircuitInfo

LIMITS = Limits()

_TOTAL = "total"
_MOST_CIRCUITS = 8
"""Of a comparison, so many circuits are learnt from."""

_DECODER = msgspec.msgpack.Decoder(Look | Learn)


class Desk(desk.Desk):
    """Looks at texts."""

    def answer(self, question: bytes) -> bytes:
        """Return what a text is, or how long runs took, in JSON."""
        asked = _DECODER.decode(question)
        return msgspec.json.encode(info(asked) if isinstance(asked, Look) else list(took(asked)))


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


def took(question: Learn) -> Iterator[Took]:
    """Yield how long runs of a comparison took, if one can tell: each by itself, without noise."""
    record = msgspec.json.decode(question.record.text(), type=Record)
    if record.side_by_side or record.noise is not None:
        return
    for case in record.cases[:_MOST_CIRCUITS]:
        ran = [row for row in case.rows if _TOTAL in row.timings and not row.error]
        seconds = {row.simulator: row.timings[_TOTAL].median for row in ran}
        if seconds:
            yield from _took(case.openqasm, case.shots // record.repeat or None, seconds)


def _took(text: str, shots: int | None, seconds: Mapping[str, float]) -> Iterator[Took]:
    circuit = parse(text, LIMITS)
    asks_for = needs(circuit)
    asked = Asked(circuit, asks_for, text, shots)
    sight = look(circuit, asks_for, shots, None, 1)
    work = work_of(circuit, asks_for, shots, asked.kind, sight.outcomes)
    for simulator, each in seconds.items():
        estimated_s = None if work is None else seconds_of(simulator, work)
        if estimated_s is not None:
            yield Took(simulator, estimated_s, each)
