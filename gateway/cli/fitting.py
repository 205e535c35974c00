"""Finds the simulators of a command that names none: all that take its circuits, as far as they can be started."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from gateway.backends import runtimes
from gateway.circuit import Circuit
from gateway.circuit.needs import Needs, needs
from gateway.cli import runtime
from gateway.cli.complaints import remark
from gateway.enforcement import RunOptions, refuse
from gateway.errors import LimitError, RequestError, UnsupportedError
from gateway.results import ResultType, Sampling
from gateway.run_details import RunDetails
from gateway.simulators import Simulator, rows


def fitting(arguments: argparse.Namespace, circuits: Sequence[Circuit] = ()) -> tuple[list[str], str]:
    """Return the names of the simulators that take all circuits, and where they run; say why others are left out.

    Args:
        arguments: those of the command.
        circuits: the circuits; without any, every simulator takes them.

    Raises:
        RequestError: none is left.
    """
    demands = [needs(circuit) for circuit in circuits]
    able = [row for row in rows() if _takes(row, demands, arguments)]
    choice = runtimes.choose(arguments.runtime, [row.name for row in able])
    if arguments.runtime == "auto":
        runtime.announce(choice)
    if choice.runtime == "local":
        able = [row for row in able if _is_installed(row)]
    if not able:
        raise RequestError("no simulator is left: gateway list says what is installed and how to install more")
    return [row.name for row in able], choice.runtime


def _takes(row: Simulator, demands: Sequence[Needs], arguments: argparse.Namespace) -> bool:
    sampling = Sampling(getattr(arguments, "sampling", Sampling.AUTO))
    details = RunDetails(noise=getattr(arguments, "noise", None))
    for demand in demands:
        result = ResultType.STATEVECTOR if demand.measurement is None else ResultType.COUNTS
        try:
            refuse(demand, row.capabilities, RunOptions(result, sampling, details=details), simulator=row.name)
        except (UnsupportedError, LimitError) as error:
            remark(f"left out: {error.message}")
            return False
    return True


def _is_installed(row: Simulator) -> bool:
    if row.installed_version() is not None:
        return True
    remark(f"left out: {row.name} is not installed")
    return False
