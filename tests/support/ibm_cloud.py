"""A server with the part of IBM Quantum's HTTP interface that logs in, and handles sessions and jobs.

It owns one machine, with the description that the SDK has of its fake Manila. Jobs wait in the queue until a test
tells them how to end. None has a result, whose form only IBM knows.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import qiskit_ibm_runtime

TOKEN = "right"  # noqa: S105 - of a server of the tests
MACHINE = "ibm_manila"
INSTANCE = "crn:v1:bluemix:public:quantum-computing:us-east:a/1:2::"

_DESCRIBED = Path(qiskit_ibm_runtime.__file__).parent / "fake_provider/backends/manila"


class IbmCloud:
    """The server.

    Attributes:
        sessions: id -> the request for a session, and whether the session takes jobs.
        jobs: id -> the submission of a job, and its state.
        state: the state that all jobs report unless they were cancelled.
        refuses: if set, the status with which submissions are refused.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.state: dict[str, Any] = {"status": "Queued"}
        self.refuses: int | None = None
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                status, content = cloud._answer(self.command, self.path, self.rfile.read(length).decode())
                content_bytes = (content if isinstance(content, str) else json.dumps(content)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content_bytes)))
                self.end_headers()
                self.wfile.write(content_bytes)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 - the names that http.server looks for

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

    def _answer(self, method: str, path: str, body: str) -> tuple[int, Any]:
        path = path.partition("?")[0]
        if path == "/identity/token":
            return _login(body)
        if path.startswith("/sessions"):
            return self._sessions(method, path, body)
        if path.startswith("/jobs"):
            return self._jobs(method, path, body)
        return _description(path)

    def _sessions(self, method: str, path: str, body: str) -> tuple[int, Any]:
        if method == "POST":
            name = f"session{len(self.sessions)}"
            self.sessions[name] = {**json.loads(body), "accepting_jobs": True}
            return 200, {"id": name}
        self.sessions[path.split("/")[2]].update(json.loads(body))
        return 204, ""

    def _jobs(self, method: str, path: str, body: str) -> tuple[int, Any]:
        if (method, path) == ("POST", "/jobs"):
            if self.refuses is not None:
                return self.refuses, {"error": {"message": "words of the server", "code": 1}}
            name = f"job{len(self.jobs)}"
            self.jobs[name] = {**json.loads(body), "state": None}
            return 200, {"id": name, "backend": MACHINE}
        match = re.fullmatch(r"/jobs/(\w+)(/\w+)?", path)
        if not match or match[1] not in self.jobs:
            return 404, {"errors": [{"message": "Job not found", "code": 1291}]}
        job = self.jobs[match[1]]
        if match[2] == "/cancel":
            job["state"] = {"status": "Cancelled"}
            return 204, ""
        if match[2] == "/results":
            return 200, "{}"
        return 200, {
            "id": match[1],
            "backend": MACHINE,
            "state": job["state"] or self.state,
            "program": {"id": job["program_id"]},
            "created": "2026-01-01T00:00:00Z",
        }


def _login(body: str) -> tuple[int, Any]:
    if f"apikey={TOKEN}" not in body:
        return 400, {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}
    now = int(time.time())
    parts = [{"alg": "none"}, {"iat": now, "exp": now + 3600}, {}]
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return 200, {"access_token": token, "refresh_token": "", "expires_in": 3600, "expiration": now + 3600}


def _description(path: str) -> tuple[int, Any]:
    """Return the descriptions of the machine."""
    if path == "/backends":
        return 200, {"devices": [{"name": MACHINE, "status": {"name": "online"}, "qubits": 5, "queue_length": 3}]}
    what = path.removeprefix(f"/backends/{MACHINE}/")
    if what == "status":
        return 200, {"state": True, "status": "active", "length_queue": 3, "backend_version": "1.2.6"}
    file = _DESCRIBED / {"configuration": "conf_manila.json", "properties": "props_manila.json"}.get(what, "none")
    if not file.exists():
        return (200, {}) if path == "/instances/usage" else (404, {"errors": [{"message": "not found", "code": 1}]})
    return 200, {**json.loads(file.read_text(encoding="utf-8")), "backend_name": MACHINE, "simulator": False}
