"""Runs the wrong simulators, and says what the comparison found of them: ``scripts/prove real-faults``."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from proofs.real_faults import document, strangers
from proofs.real_faults.catalogue import FAULTS, Fault
from proofs.real_faults.environments import NoPythonError
from proofs.real_faults.found import NOTHING, Found

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.compare import compare, reduce
from gateway.compare.record import Verdict

RIGHT = "qulacs"
"""The right simulator that takes part."""

SEED = 2026
RUN_S = 120.0
REDUCING_S = 240.0


def find(fault: Fault, *, reducing_s: float = REDUCING_S) -> Found:
    """Compare a wrong simulator with a right one, and reduce the circuit.

    Raises:
        NoPythonError: the machine lacks the Python that the simulator needs.
    """
    began, circuit = time.monotonic(), fault.circuit()
    with strangers.server(fault) as server, BackendClient("127.0.0.1", server.port) as wrong:
        backends = {fault.package: wrong, RIGHT: LocalSimulator(RIGHT)}
        case = compare(
            {fault.name: circuit},
            backends,
            shots=fault.shots,
            seed=SEED,
            reproduce=False,
            timeout_s=RUN_S,
            progress=None,
        ).cases[0]
        differs = case.rows[0].verdict is Verdict.DIFFERS
        reproducer = reduce(circuit, wrong, shots=fault.shots, seed=SEED, seconds=reducing_s) if differs else None
    return Found(fault, *case.rows, reproducer, time.monotonic() - began)


def main(argv: Sequence[str]) -> int:
    """Print what was found of each simulator, and return 1 if one was not caught, named and reduced."""
    parser = argparse.ArgumentParser(prog="scripts/prove real-faults", description=__doc__)
    parser.add_argument("--only", metavar="NAME", action="append", choices=FAULTS, help="one of " + ", ".join(FAULTS))
    parser.add_argument("--quick", action="store_true", help="reduce for half a minute each")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write what was found as Markdown")
    options = parser.parse_args(argv)
    found, left_out = [], 0
    print(f"{'fault':<26}{'simulator':<40}{'distance':>9}{'p':>9}  {'named':<26}{'operations':>12}{'seconds':>9}")
    for name in options.only or FAULTS:
        try:
            found.append(find(FAULTS[name], reducing_s=30 if options.quick else REDUCING_S))
            print(_line(found[-1]), flush=True)
        except NoPythonError as exc:
            left_out += 1
            print(f"{name:<26}left out: {exc}", flush=True)
    if options.write:
        options.write.write_text(document.markdown(found), "utf-8")
    missed = sum(not one.holds for one in found)
    print(f"{len(found) - missed} of {len(found)} caught, named and reduced; {left_out} left out")
    return int(missed > 0)


def _line(found: Found) -> str:
    fault, row, reproducer = found.fault, found.row, found.reproducer
    simulator = f"{fault.package} {row.version}"
    operations = f"{reproducer.operations_before} -> {reproducer.operations}" if reproducer else ""
    p_value = "" if row.p_value is None else f"{row.p_value:.0e}"
    distance = "" if row.distance is None else f"{row.distance:.3f}"
    missed = "" if found.holds else f"  MISSED: {_why(found)}"
    return (
        f"{fault.name:<26}{simulator:<40}{distance:>9}{p_value:>9}  {found.named:<26}"
        f"{operations:>12}{found.seconds:>9.0f}{missed}"
    )


def _why(found: Found) -> str:
    expected = " or ".join(found.fault.causes) or NOTHING
    return f"{found.row.verdict}, {RIGHT} {found.right.verdict}, to be named: {expected} {found.row.error}"
