"""A server with the part of IQM's HTTP interface, version 1, that runs circuits.

It owns one machine without noise, whose five qubits have QB3 in the middle; :mod:`support.reference` simulates it. The
server checks tokens, names, calibration sets, connectivity and limits as a real one does, and fails on demand.
"""

from __future__ import annotations

import json
import random
import re
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from support.reference import distribution

from gateway.circuit import Circuit

TOKEN = "sesame"  # noqa: S105 - of a server of the tests
MACHINE = "adonis"
QUBITS = [f"QB{k}" for k in range(1, 6)]
COUPLED = [[qubit, "QB3"] for qubit in QUBITS if qubit != "QB3"]
MAX_SHOTS = 20_000


class Refused(Exception):  # noqa: N818 - an answer of HTTP
    """An answer with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Route(NamedTuple):
    """The function that answers requests of one method for paths of one form."""

    method: str
    path: str
    answer: Callable[..., Any]


class IqmServer:
    """The server; ``url`` is where it answers.

    Attributes:
        hold: while it is true, jobs wait in the queue.
        fails: the errors with which jobs end, instead of results.
        refuses: if set, the refusal of every request.
        calibration_set_id: the default calibration set, which may change at any time.
        after_architecture: called when a client has read the architecture.
    """

    def __init__(self) -> None:
        self.hold = False
        self.fails: list[dict[str, str]] = []
        self.refuses: Refused | None = None
        self.calibration_set_id = str(uuid.uuid4())
        self.known_calibrations = {self.calibration_set_id}
        self.after_architecture: Callable[[], None] = lambda: None
        self.jobs: dict[str, dict[str, Any]] = {}
        self.timeslots = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server._answer(self, "GET")

            def do_POST(self):
                server._answer(self, "POST")

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def recalibrate(self) -> str:
        """Make another calibration set the default one."""
        self.calibration_set_id = str(uuid.uuid4())
        self.known_calibrations.add(self.calibration_set_id)
        return self.calibration_set_id

    def _answer(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        try:
            self._let_in(handler.headers.get("Authorization"))
            status, content = 200, self._routed(method, handler.path, body)
        except Refused as refused:
            status = refused.status
            content = {"message": refused.message, "error_code": refused.code, "source": "iqm-server"}
        content_bytes = json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content_bytes)))
        handler.end_headers()
        handler.wfile.write(content_bytes)

    def _let_in(self, authorization: str | None) -> None:
        if authorization != f"Bearer {TOKEN}":
            raise Refused(401, "unauthorized", "the access token is not valid")
        if self.refuses is not None:
            raise self.refuses

    def _routed(self, method: str, path: str, body: bytes) -> Any:
        path, _, query = path.partition("?")
        for route in self._routes():
            match = re.fullmatch(route.path, path)
            if match and route.method == method:
                return route.answer(*match.groups(), **({"body": body, "query": query} if "circuit" in path else {}))
        raise Refused(404, "not_found", f"no such path: {path}")

    def _routes(self) -> list[Route]:
        qc = f"/api/v1/calibration-sets/{MACHINE}"
        return [
            Route("GET", "/api/v1/quantum-computers", self._machines),
            Route("GET", f"/api/v1/quantum-computers/{MACHINE}/health", lambda: {"cryostat": "cold"}),
            Route("GET", rf"{qc}/([\w-]+)/dynamic-quantum-architecture", self._architecture),
            Route("POST", f"/api/v1/jobs/{MACHINE}/circuit", self._submit),
            Route("GET", r"/api/v1/jobs/([\w-]+)", self._data),
            Route("GET", r"/api/v1/jobs/([\w-]+)/payload", lambda job: self._job(job)["payload"]),
            Route("GET", r"/api/v1/jobs/([\w-]+)/artifacts/measurements", self._measurements),
            Route("POST", r"/api/v1/jobs/([\w-]+)/cancel", self._cancel),
        ]

    def _machines(self) -> Any:
        return {"quantum_computers": [{"id": str(uuid.UUID(int=1)), "alias": MACHINE, "display_name": "Adonis"}]}

    def _calibration(self, name: str) -> str:
        calibration = self.calibration_set_id if name == "default" else name
        if calibration not in self.known_calibrations:
            raise Refused(404, "calibration_set_not_found", f"there is no calibration set {calibration}")
        return calibration

    def _architecture(self, name: str) -> Any:
        def gate(loci: list[list[str]]) -> Any:
            return {
                "implementations": {"standard": {"loci": loci}},
                "default_implementation": "standard",
                "override_default_implementation": {},
            }

        single = [[qubit] for qubit in QUBITS]
        architecture = {
            "calibration_set_id": self._calibration(name),
            "qubits": QUBITS,
            "computational_resonators": [],
            "gates": {"prx": gate(single), "cz": gate(COUPLED), "measure": gate(single)},
        }
        self.after_architecture()
        return architecture

    # ------------------------------------------------------------------ jobs

    def _submit(self, *, body: bytes, query: str) -> Any:
        payload = json.loads(body)
        self._calibration(payload["calibration_set_id"] or "default")
        if payload["shots"] > MAX_SHOTS:
            raise Refused(422, "too_many_shots", f"at most {MAX_SHOTS} shots are run at once")
        for circuit in payload["circuits"]:
            for instruction in circuit["instructions"]:
                if instruction["name"] == "cz" and sorted(instruction["locus"]) not in [sorted(c) for c in COUPLED]:
                    raise Refused(422, "circuit_validation_error", f"cz is not calibrated on {instruction['locus']}")
        self.timeslots += "use_timeslot=true" in query
        job = str(uuid.uuid4())
        self.jobs[job] = {"payload": payload, "status": "waiting"}
        return self._data(job)

    def _job(self, job: str) -> dict[str, Any]:
        if job not in self.jobs:
            raise Refused(404, "job_not_found", f"there is no job {job}")
        return self.jobs[job]

    def _data(self, job: str) -> Any:
        record = self._job(job)
        if not self.hold and record["status"] == "waiting":
            record["status"] = "failed" if self.fails else "completed"
            record["errors"] = list(self.fails)
        return {
            "id": job,
            "type": "circuit",
            "status": record["status"],
            "compilation": {"calibration_set_id": record["payload"]["calibration_set_id"]},
            "messages": [{"source": "iqm-server", "message": "accepted"}],
            "errors": record.get("errors", []),
            "queue_position": 3 if record["status"] == "waiting" else None,
        }

    def _cancel(self, job: str) -> Any:
        record = self._job(job)
        if record["status"] != "waiting":
            raise Refused(409, "job_has_ended", f"the job {job} has ended")
        record["status"] = "cancelled"
        return None

    def _measurements(self, job: str) -> Any:
        payload = self._job(job)["payload"]
        drawing = random.Random(job)  # the results of a job stay what they are
        return [_simulated(circuit, payload["shots"], drawing) for circuit in payload["circuits"]]


def _simulated(native: dict[str, Any], shots: int, drawing: random.Random) -> dict[str, list[list[int]]]:
    """Return the outcomes of each measurement in each shot."""
    keys = [each["args"]["key"] for each in native["instructions"] if each["name"] == "measure"]
    circuit = Circuit(len(QUBITS), len(keys))
    for each in native["instructions"]:
        qubits, args = [QUBITS.index(name) for name in each["locus"]], each["args"]
        if each["name"] == "prx":
            circuit.rz(-args["phase"], *qubits).rx(args["angle"], *qubits).rz(args["phase"], *qubits)
        elif each["name"] == "cz":
            circuit.cz(*qubits)
        elif each["name"] == "measure":
            circuit.measure(*qubits, keys.index(args["key"]))
        elif each["name"] != "barrier":
            raise Refused(422, "circuit_validation_error", f"{each['name']} is no operation of this machine")
    probabilities = distribution(circuit)
    outcomes = drawing.choices(list(probabilities), list(probabilities.values()), k=shots)
    return {key: [[int(bits[len(keys) - 1 - place])] for bits in outcomes] for place, key in enumerate(keys)}
