"""A released Qrisp client's Bell pair: against our server, and against the server that Qrisp itself shipped.

Both run Qiskit Aer. The client and Qrisp's own server, which is a thread there as it always was, live in
the environment ``qrisp-0.8.2`` (see tests/integrations); ours is a process beside them.

The bound is wanted, and missed for a run as short as this: the client opens a connection for each of
its three requests, which alone takes more than a third of a call to Qrisp's own server.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from measuring import Row, compared

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator

NAME = "qrisp"
TARGET = 1 / 3
VERSION = "0.8.2"

_ROOT = Path(__file__).parents[2]


def measure(_simulator: str, *, quick: bool) -> list[Row]:
    """Time ``BackendClient.run`` of the released package in turns against both servers."""
    environment = f"qrisp-{VERSION}"
    subprocess.run([_ROOT / "scripts/environment", environment], check=True, stdout=subprocess.DEVNULL)
    with LocalSimulator("qiskit", workers=1) as local:
        client = local.client()
        assert isinstance(client, BackendClient)
        python = _ROOT / ".environments" / environment / "bin/python"
        program = Path(__file__).with_name("qrisp_client.py")
        command = [python, "-W", "ignore", program, str(client.port), "20" if quick else "100"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    seconds = json.loads(said.splitlines()[-1])
    return [compared(NAME, f"qrisp {VERSION}, Bell pair : its own server", seconds["ours"], seconds["other"], TARGET)]
