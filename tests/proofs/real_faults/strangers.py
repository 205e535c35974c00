"""Backends of strangers: each drives an old simulator in its own environment, and is served behind a URL."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from proofs.real_faults import environments
from proofs.real_faults.catalogue import Fault

from gateway.backends.server import BackendServer
from gateway.circuit import Circuit
from gateway.errors import SimulatorError, UnsupportedError
from gateway.simulators import SIMULATORS, load

DRIVERS = Path(__file__).parent / "drivers"
RunFunc = Callable[..., Mapping[str, Any]]


def server(fault: Fault) -> BackendServer:
    """Return a server, not yet started, of the wrong simulator; its environment is made first.

    Raises:
        NoPythonError: the machine lacks the Python that the simulator needs.
    """
    environment = fault.environment or fault.name
    version = environments.version(environment, fault.package)
    run_func = runner(environments.made(environment), fault.driver)
    return BackendServer(run_func, port=0, workers=1, name=fault.package, version=version)


def runner(python: Path, driver: str) -> RunFunc:
    """Return the ``run_func``; the driver starts in the worker that calls it first, and ends with it."""

    def run_func(circuit: Circuit, shots: int | None, seed: int | None = None) -> Mapping[str, Any]:
        if shots is None:
            raise UnsupportedError(f"{driver} gives counts only", feature="probabilities")
        answer = _ask(_process(python, driver), _request(circuit, shots, seed))
        if "error" in answer:
            raise SimulatorError(answer["error"], simulator=driver, detail=answer["error"])
        return answer["counts"] if "counts" in answer else _on_a_right_simulator(answer["openqasm3"], shots, seed)

    return run_func


def _request(circuit: Circuit, shots: int, seed: int | None) -> dict[str, Any]:
    try:
        openqasm2 = circuit.to_openqasm2()
    except UnsupportedError:
        openqasm2 = None
    return {
        "openqasm2": openqasm2,
        "openqasm3": circuit.to_openqasm3(),
        "num_qubits": circuit.num_qubits,
        "num_clbits": circuit.num_clbits,
        "operations": [
            [op.name, op.qubits, op.params, op.clbits, [[part.clbits, part.value, part.equal] for part in op.condition]]
            for op in circuit.operations
        ],
        "shots": shots,
        "seed": secrets.randbelow(2**31) if seed is None else seed % 2**31,
    }


@lru_cache
def _process(python: Path, driver: str) -> subprocess.Popen[str]:
    """Return the running driver; it ends by itself when this process does, since its standard input ends.

    It must not see PYTHONPATH, on which a server finds the packages of the main environment.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(
        [python, DRIVERS / f"{driver}.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    atexit.register(process.kill)
    return process


def _ask(process: subprocess.Popen[str], request: Mapping[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        _process.cache_clear()
        raise SimulatorError(f"the driver ended with status {process.wait()}")
    return json.loads(line)


def _on_a_right_simulator(openqasm3: str, shots: int, seed: int | None) -> Mapping[str, int]:
    """Return the counts of a text that an exporter wrote, from a simulator that is right."""
    adapter: Any = load(SIMULATORS["qulacs"].adapter)
    return adapter.run(Circuit.from_openqasm(openqasm3), shots=shots, seed=seed)
