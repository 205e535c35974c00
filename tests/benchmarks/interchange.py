"""Circuits of other frameworks -> shared circuit, and on to a second framework, against qBraid.

qBraid cannot be installed beside the simulators, so both run in an environment made for this
(``.environments/qbraid``), in one process, on the same objects: see beside_qbraid.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import process_time

from measuring import Row, compared, freeze
from workloads import NUM_GATES, NUM_QUBITS, circuit_of, mixed_gates

from gateway.frameworks import FRAMEWORKS, dump, parse

NAME = "interchange"
OF_QBRAID = 1 / 5
"""What is promised: five times as fast, there and back."""

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_HOME = _ROOT / ".environments" / "qbraid"
_LOCK = _HERE / "qbraid.txt"


def measure(_: str, *, quick: bool) -> list[Row]:
    """Compare every pair of frameworks, then show what one gate costs."""
    return [*_against_qbraid(quick=quick), *_one_gate(rounds=5 if quick else 15)]


def _against_qbraid(*, quick: bool) -> list[Row]:
    _make_environment()
    command = [str(_HOME / "bin" / "python"), str(_HERE / "beside_qbraid.py"), "1" if quick else "3"]
    paths = os.pathsep.join(map(str, (_ROOT, _HERE)))
    ended = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, check=True)
    return [
        compared(NAME, f"{source} -> {target} : qbraid.transpile", ours_s, other_s, OF_QBRAID)
        for source, target, ours_s, other_s in json.loads(ended.stdout)
    ]


def _make_environment() -> None:
    """Install what qbraid.txt lists, unless that was done before."""
    installed = _HOME / "installed.txt"
    if installed.exists() and installed.read_bytes() == _LOCK.read_bytes():
        return
    uv = Path(sys.executable).with_name("uv")
    python = _HOME / "bin" / "python"
    subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, _HOME], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "--no-deps", "-r", _LOCK], check=True)
    installed.write_bytes(_LOCK.read_bytes())


def _one_gate(*, rounds: int) -> list[Row]:
    """Return what a gate of a large circuit costs on its way in and out, for each framework that is here."""
    circuit = circuit_of(mixed_gates(), NUM_QUBITS)
    rows = []
    for framework in filter(find_spec, FRAMEWORKS):
        native = dump(circuit, framework)
        for case, work in (
            (f"{framework} -> circuit, one gate", partial(parse, native)),
            (f"circuit -> {framework}, one gate", partial(dump, circuit, framework)),
        ):
            rows.append(Row(benchmark=NAME, case=case, ours_s=_best(work, rounds) / NUM_GATES))
    return rows


def _best(work: partial[object], rounds: int) -> float:
    freeze()
    times = []
    for _ in range(rounds):
        began = process_time()
        work()
        times.append(process_time() - began)
    return min(times)
