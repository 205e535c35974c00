"""Measures containers: the time to the first result, and the time that a container adds to a warm call."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from measuring import Row, compared, take_turns

from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.containers.hardening import IMAGE
from gateway.containers.image import content_tag
from gateway.containers.vault import FOLDER_VARIABLE

NAME = "containers"
SIMULATOR = "qulacs"
FIRST_RESULT = 2.0
WARM_CALL = 1.5

_BELL = Circuit(2).h(0).cx(0, 1).measure_all()


def measure(_simulator: str, *, quick: bool) -> list[Row]:
    """Return what containers cost; the image is built first if it is not there."""
    with _own_state():
        DockerSimulator(SIMULATOR).start()
        _run_and_close(DockerSimulator(SIMULATOR))
        return [_first_result(3 if quick else 9), _warm_call(200 if quick else 1000)]


@contextmanager
def _own_state() -> Iterator[None]:
    """Meet no container that runs already."""
    before = os.environ.get(FOLDER_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(FOLDER_VARIABLE)
            if before is not None:
                os.environ[FOLDER_VARIABLE] = before


def _first_result(rounds: int) -> Row:
    """Time from ``DockerSimulator(...)`` to its first counts against a bare container that imports the simulator."""
    docker = shutil.which("docker")
    if docker is None:
        return Row(benchmark=NAME, case="first result", error="needs the docker command to compare with")
    image = f"{IMAGE}:{content_tag()}"

    def bare() -> None:
        # qulacs loads NumPy with its first state vector: a program that gets a result has imported both
        code = ["--entrypoint", "python", image, "-c", f"import numpy, {SIMULATOR}"]
        subprocess.run([docker, "run", "--rm", *code], check=True, capture_output=True)

    started: list[DockerSimulator] = []

    def ours() -> None:
        started.append(DockerSimulator(SIMULATOR, reuse=False))
        started[-1].run(_BELL, shots=100)

    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for function, seconds in zip((ours, bare), times, strict=True):
            began = perf_counter()
            function()
            seconds.append(perf_counter() - began)
        started.pop().close()  # after the clock stopped: the bare container's removal is in its time, ours is not
    return compared(
        NAME,
        f"{SIMULATOR}: first result : docker run and import",
        statistics.median(times[0]),
        statistics.median(times[1]),
        FIRST_RESULT,
    )


def _warm_call(rounds: int) -> Row:
    with DockerSimulator(SIMULATOR) as container, LocalSimulator(SIMULATOR) as process:
        for backend in (container, process):
            for seed in range(20):
                backend.run(_BELL, shots=100, seed=seed)
        ours_s, other_s = take_turns(
            lambda: container.run(_BELL, shots=100, seed=1),
            lambda: process.run(_BELL, shots=100, seed=1),
            rounds=rounds,
            clock=perf_counter,
            summary=statistics.median,
        )
    return compared(NAME, f"{SIMULATOR}: warm call : same call to a local process", ours_s, other_s, WARM_CALL)


def _run_and_close(simulator: DockerSimulator) -> None:
    with simulator:
        simulator.run(_BELL, shots=1)
