"""The messages about deployments and jobs, as clients of qrisp 0.4 to 0.8.2 send and read them, and as Qunicorn does.

Qrisp copied the interface from an early Qunicorn, and both have changed since. :func:`job` makes the answer that
these clients read, and :func:`qunicorn_job` the answer of today's Qunicorn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from gateway.counts import Counts
from gateway.errors import RequestError, UnsupportedError
from gateway.protocol.messages import CircuitOrText, RunRequest, Shots
from gateway.results import JobState, Result

Identifier = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Program(msgspec.Struct, frozen=True, rename="camel"):
    """A program of a deployment. Its text says which OpenQASM it is, for clients label version 3 as 2."""

    quantum_circuit: str
    assembler_language: str = "QASM2"
    python_file_path: str | None = ""
    python_file_metadata: str | None = ""


class Deployment(msgspec.Struct, frozen=True):
    """``POST /deployments``."""

    programs: list[Program]
    name: str | None = ""

    def check(self) -> None:
        """Refuse a deployment that no job could run.

        Raises:
            RequestError: there is no program.
            UnsupportedError: a program is of a language that is not OpenQASM.
        """
        if not self.programs:
            raise RequestError("the list of programs is empty", field="programs")
        for program in self.programs:
            if not program.assembler_language.upper().startswith("QASM"):
                raise UnsupportedError(
                    f"programs are OpenQASM here, not {program.assembler_language}", feature=program.assembler_language
                )


class JobOrder(msgspec.Struct, frozen=True, rename="camel"):
    """``POST /jobs``; names of providers and devices mean nothing to a server of one simulator.

    Args:
        deployment_id: the deployment to run.
        shots: the number of shots; null for exact probabilities.
        token: the token of the client.
        type: only ``RUNNER`` is supported.
    """

    deployment_id: Identifier
    shots: Shots | None = None
    token: str | None = None
    type: str = "RUNNER"
    name: str | None = ""

    def request(self, deployment: Deployment) -> RunRequest:
        """Return the request for a run; a single program becomes a circuit, several become a list.

        Raises:
            UnsupportedError: another type of job.
        """
        if self.type != "RUNNER":
            raise UnsupportedError(f"jobs are of type RUNNER here, not {self.type}", feature=self.type)
        texts: list[CircuitOrText] = [program.quantum_circuit for program in deployment.programs]
        return RunRequest(circuits=texts if len(texts) > 1 else texts[0], shots=self.shots)


class JobView(NamedTuple):
    """A job as an answer shows it.

    Args:
        number: its integer id.
        state: the state of the job.
        created_at: when the server accepted it.
        ended_at: when it ended, if it has.
        texts: the texts of its circuits, empty while it runs.
        results: the results of its circuits, empty while it runs.
        message: why it failed, if it did.
    """

    number: int
    state: JobState
    created_at: datetime
    ended_at: datetime | None
    texts: Sequence[str]
    results: Sequence[Result]
    message: str | None

    @property
    def percent(self) -> int:
        """The progress in percent: 100 once the job has ended, 0 before."""
        return 100 if self.state.ended else 0


def deployment_answer(number: int, deployment: Deployment, at: datetime) -> dict[str, Any]:
    """Return the answer to ``POST /deployments``."""
    return {
        "id": number,
        "deployedBy": {"id": 0, "name": ""},
        "deployedAt": at.date().isoformat(),
        "name": deployment.name,
        "programs": deployment.programs,
    }


def order_answer(number: int) -> dict[str, Any]:
    """Return the answer to ``POST /jobs``."""
    return {"id": number, "jobName": "", "jobState": "running"}


def job(view: JobView) -> dict[str, Any]:
    """Return the answer to ``GET /jobs/{id}`` for a job that has not failed.

    The keys of results have no spaces, because a client cuts the bits it wants off their left end.
    """
    is_done = view.state is JobState.DONE
    return {
        "id": view.number,
        "executedBy": {"id": 0, "name": ""},
        "executedOn": _HERE,
        "progress": view.percent,
        "state": "finished" if is_done else "running",
        "type": "",
        "startedAt": _time(view.created_at),
        "finishedAt": "-" if view.ended_at is None else _time(view.ended_at),
        "data": "",
        "results": [
            {
                "id": index,
                "circuit": Program(text),
                "results": _values(result),
                "resultType": _result_type(result),
                "metaData": result.provenance,
            }
            for index, (text, result) in enumerate(zip(view.texts, view.results, strict=True))
        ],
        "parameters": "",
    }


def failure(view: JobView) -> dict[str, Any]:
    """Return the answer to ``GET /jobs/{id}`` for a job that failed or was cancelled.

    With any status but 201 a client raises an error with this ``message``.
    """
    return {"code": 0, "status": str(view.state), "message": view.message, "errors": {}}


# ---------------------------------------------------------------------------- Qunicorn of today

_QUNICORN_STATES = {
    JobState.QUEUED: "READY",
    JobState.RUNNING: "RUNNING",
    JobState.DONE: "FINISHED",
    JobState.FAILED: "ERROR",
    JobState.CANCELLED: "CANCELED",
}


def qunicorn_job(view: JobView) -> dict[str, Any]:
    """Return the answer of Qunicorn to ``GET /jobs/{id}/``, which has status 200 even if the job failed.

    A key of a result has one hexadecimal number per register, separated by spaces; the register that was
    declared last comes first. ``metadata.registers`` has their names and sizes in that order.
    """
    results = [_qunicorn_result(index, *pair) for index, pair in enumerate(zip(view.texts, view.results, strict=True))]
    if view.message is not None:
        data = {"exception_message": view.message}
        results = [{"id": 0, "data": data, "metadata": {}, "resultType": "ERROR"}]
    return {
        "id": view.number,
        "name": "",
        "progress": view.percent,
        "state": _QUNICORN_STATES[view.state],
        "type": "RUNNER",
        "startedAt": view.created_at,
        "finishedAt": view.ended_at,
        "results": results,
    }


def _qunicorn_result(index: int, text: str, result: Result) -> dict[str, Any]:
    registers = list(reversed(registers_of(text, result.width)))
    return {
        "id": index,
        "data": {_hexadecimal(key, registers): value for key, value in _values(result).items()},
        "metadata": {
            "format": "hex",
            "shots": result.provenance and result.provenance.shots,
            "registers": [{"name": name, "size": size} for name, size in registers],
        },
        "resultType": _result_type(result),
    }


_NOT_CODE = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"", re.DOTALL)
_REGISTER = re.compile(
    r"\bcreg\s+(?P<two>[^\W\d]\w*)\s*\[\s*(?P<size_two>[0-9]{1,9})\s*\]\s*;"
    r"|\bbit\s*(?:\[\s*(?P<size>[0-9]{1,9})\s*\])?\s*(?P<name>[^\W\d]\w*)\s*[;=]"
)


def registers_of(text: str, width: int) -> list[tuple[str, int]]:
    """Return names and sizes of the classical registers of OpenQASM text, in the order of their declaration.

    This sees only declarations with a literal size. Where their sizes do not add up to the width, all bits count as
    one register without a name.
    """
    registers = [
        (match["two"] or match["name"], int(match["size_two"] or match["size"] or 1))
        for match in _REGISTER.finditer(_NOT_CODE.sub(" ", text))
    ]
    return registers if sum(size for _, size in registers) == width else [("", width)]


def _hexadecimal(key: str, registers: Sequence[tuple[str, int]]) -> str:
    words, begin = [], 0
    for _, size in registers:
        words.append(f"{int(key[begin : begin + size] or '0', 2):#x}")
        begin += size
    return " ".join(words)


# ---------------------------------------------------------------------------- both

_HERE = {
    "id": 0,
    "numQubits": -1,
    "isSimulator": True,
    "isLocal": True,
    "provider": {
        "id": 0,
        "withToken": True,
        "supportedLanguages": {"id": 0, "providerId": "string", "name": ""},
        "name": "",
    },
}
"""The description of the device, whose words no client reads."""


def _values(result: Result) -> Mapping[str, float]:
    return dict(result) if isinstance(result, Mapping) else {}


def _result_type(result: Result) -> str:
    return "COUNTS" if isinstance(result, Counts) else "PROBABILITIES"


def _time(at: datetime) -> str:
    return str(at.replace(tzinfo=None))


def texts_of(requests: Sequence[bytes]) -> list[str]:
    """Return the texts of the circuits of a job, from the requests it was split into.

    A circuit that was sent as an object, over the native interface, is shown as that object.
    """
    circuits = [json.loads(request)["circuits"] for request in requests]
    return [circuit if isinstance(circuit, str) else json.dumps(circuit) for circuit in circuits]
