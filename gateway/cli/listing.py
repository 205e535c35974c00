"""The command ``gateway list``, which prints all simulators."""

from __future__ import annotations

import argparse
import json
import sys

import msgspec

from gateway.cli.tables import table
from gateway.results import Capabilities
from gateway.simulators import SIMULATORS, Simulator, offers


def show(arguments: argparse.Namespace) -> int:
    """Print our simulators and those of other distributions, and which frameworks are installed."""
    other_offers = offers()
    rows = dict.fromkeys(SIMULATORS.values()) | {
        offer.row: offer.distribution for offer in other_offers if offer.row is not None
    }
    if arguments.json:
        print(json.dumps([_to_json(row, distribution) for row, distribution in rows.items()], indent=2))
    else:
        cells = [_cells(row, distribution) for row, distribution in rows.items()]
        print(table(list(cells[0]), [list(cells_of_row.values()) for cells_of_row in cells], right="port"))
    for offer in other_offers:
        if offer.fault:
            print(f"gateway: left out {offer.name!r} of {offer.distribution}: {offer.fault}", file=sys.stderr)
    return 0


def _cells(row: Simulator, distribution: str | None) -> dict[str, str]:
    """Return a row of the table as column -> text."""
    installing = (
        f"pip install {row.distribution}" if distribution else f"pip install 'simulator-gateway[{row.requirement}]'"
    )
    return {
        "simulator": row.name,
        "port": str(row.port),
        "installed": row.installed_version() or installing,
        **abilities(row.capabilities),
        **({} if row.capabilities.gates == "universal" else {"gates": f"{len(row.capabilities.gates)} names"}),
        "what it is": row.summary if distribution is None else f"{row.summary} ({distribution})",
    }


def _to_json(row: Simulator, distribution: str | None) -> dict[str, object]:
    """Return a simulator as plain data; ``distribution`` names the one that offers it, ``None`` for ours."""
    return {
        "name": row.name,
        "port": row.port,
        "installed": row.installed_version(),
        "extra": row.requirement if distribution is None else None,
        "distribution": distribution,
        "summary": row.summary,
        "capabilities": msgspec.to_builtins(row.capabilities),
    }


def abilities(capabilities: Capabilities) -> dict[str, str]:
    """Return capabilities as texts, as both README.md and the command show them."""
    return {
        "gates": "all" if capabilities.gates == "universal" else " ".join(capabilities.gates),
        "results": ", ".join(capabilities.result_types) or "none",
        "dynamics": _dynamics(capabilities),
        "precision": str(capabilities.precision),
        "width": _width(capabilities),
        "threads": "several" if capabilities.threads else "one",
    }


def _dynamics(capabilities: Capabilities) -> str:
    features = {
        "mid-circuit measurement": capabilities.mid_circuit_measurement,
        "reset": capabilities.reset,
        "control": capabilities.classical_control,
    }
    return (
        "all" if all(features.values()) else ", ".join(name for name, is_able in features.items() if is_able) or "none"
    )


def _width(capabilities: Capabilities) -> str:
    memory = capabilities.bytes_per_amplitude
    limits = [] if capabilities.max_qubits is None else [f"{capabilities.max_qubits} qubits"]
    limits += [] if memory is None else [f"{memory} B x 2^n"]
    return ", ".join(limits) or "as the circuit needs"
