"""The command ``gateway list``, which prints all simulators."""

from __future__ import annotations

import argparse
import http.client
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from gateway.backends.access import access_to, default_place
from gateway.backends.client import connect
from gateway.backends.directory import simulators_behind
from gateway.cli.complaints import remark
from gateway.cli.tables import Column, print_table
from gateway.client.listing import load, state, version
from gateway.look.terminal import Terminal
from gateway.noise import READOUT, Channel
from gateway.protocol import endpoints
from gateway.protocol.door import SimulatorInfo, SimulatorList, SimulatorState
from gateway.results import Capabilities
from gateway.simulators import SIMULATORS, Simulator, offers

if TYPE_CHECKING:
    from rich.text import Text

_READY, _NOT_READY, _DOWN, _STRANGE = "ready", "not ready", "down", "no answer"
_MARKS = {_NOT_READY: "! ", _DOWN: "○ ", _STRANGE: "! "}
_PATIENCE_S = 1.0
"""How long a server on this machine may take to say whether it is ready."""


def show(arguments: argparse.Namespace) -> int:
    """Print the simulators of a gateway, or those of this machine."""
    place = arguments.at if arguments.at is not None or arguments.local else default_place()
    return _show_gateway(place, arguments) if place else _show_machine(arguments)


def _show_gateway(place: str, arguments: argparse.Namespace) -> int:
    """Print the simulators behind a gateway; of a server of one simulator, that one."""
    access = access_to(place)
    found = simulators_behind(access)
    if found is None:
        with connect(access) as server:
            info = server.info()
        found = SimulatorList(simulators=(SimulatorInfo(name=info.name, state=SimulatorState.READY, backend=info),))
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(found.simulators), indent=2))
        return 0
    terminal = Terminal()
    if arguments.abilities:
        _print_abilities({each.name: each.backend.capabilities for each in found.simulators if each.backend})
    else:
        columns = [Column("simulator"), Column("version"), Column("state"), Column("load", rank=1)]
        print_table(columns, [[each.name, version(each), state(each), load(each)] for each in found.simulators])
    reasons = [each.reason for each in found.simulators if each.reason]
    terminal.print(*(terminal.sentence((reason, "dim"), indent=2) for reason in reasons))
    if arguments.at is None:
        remark(f"these are behind the gateway {place} (--local shows those of this machine)")
    return 0


def _show_machine(arguments: argparse.Namespace) -> int:
    """Print our simulators and those of other distributions: what is installed, and whose servers run."""
    other_offers = offers()
    rows = dict.fromkeys(SIMULATORS.values()) | {
        offer.row: offer.distribution for offer in other_offers if offer.row is not None
    }
    if arguments.abilities and not arguments.json:
        _print_abilities({row.name: row.capabilities for row in rows})
    else:
        with ThreadPoolExecutor(max_workers=len(rows)) as pool:
            states = dict(zip(rows, pool.map(lambda row: _state(row.port), rows), strict=True))
        if arguments.json:
            listing = [_to_json(row, distribution, states[row]) for row, distribution in rows.items()]
            print(json.dumps(listing, indent=2))
        else:
            _print_list(rows, states)
    for offer in other_offers:
        if offer.fault:
            remark(f"left out {offer.name!r} of {offer.distribution}: {offer.fault}")
    return 0


def _print_list(rows: Mapping[Simulator, str | None], states: Mapping[Simulator, str]) -> None:
    terminal, missing = Terminal(), []
    cells: list[list[str | Text]] = []
    for row, distribution in rows.items():
        version, state = row.installed_version(), states[row]
        if version is None:
            missing.append((f"{row.name}: {_installing(row, distribution)}", "dim"))
        shown = "\N{EN DASH}" if version is None and state == _DOWN else f"{_MARKS.get(state, '')}{state}"
        summary = row.summary if distribution is None else f"{row.summary} ({distribution})"
        versions = ("not installed", "dim") if version is None else f"{row.distribution} {version}"
        cells.append([row.name, str(row.port), terminal.text(versions), shown, summary])
    columns = [Column("simulator"), Column("port"), Column("version"), Column("state"), Column("what it is", rank=1)]
    print_table(columns, cells)
    terminal.print(*(terminal.sentence(line, indent=2) for line in missing))


def _print_abilities(simulators: Mapping[str, Capabilities]) -> None:
    cells = []
    for name, capabilities in simulators.items():
        gates = {} if capabilities.gates == "universal" else {"gates": f"{len(capabilities.gates)} names"}
        cells.append({"simulator": name, **abilities(capabilities), **gates})
    if cells:
        print_table([Column(name) for name in cells[0]], [list(cell.values()) for cell in cells])


def _installing(row: Simulator, distribution: str | None) -> str:
    return f"pip install {row.distribution}" if distribution else f"pip install 'simulator-gateway[{row.requirement}]'"


def _state(port: int) -> str:
    """Return what the server on a simulator's own port says of itself."""
    if not port:
        return _DOWN
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", endpoints.READYZ.path)
        return _READY if connection.getresponse().status == endpoints.READYZ.status else _NOT_READY
    except ConnectionRefusedError:
        return _DOWN
    except (OSError, http.client.HTTPException):
        return _STRANGE
    finally:
        connection.close()


def _to_json(row: Simulator, distribution: str | None, state: str) -> dict[str, object]:
    """Return a simulator as plain data; ``distribution`` names the one that offers it, ``None`` for ours."""
    return {
        "name": row.name,
        "port": row.port,
        "installed": row.installed_version(),
        "state": state,
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
        "noise": _noise(capabilities),
        "precision": str(capabilities.precision),
        "width": _width(capabilities),
        "threads": "several" if capabilities.threads else "one",
    }


def _dynamics(capabilities: Capabilities) -> str:
    features = {
        "mid-circuit measurement": capabilities.mid_circuit_measurement,
        "reset": capabilities.reset,
        "control": capabilities.classical_control,
        "values": capabilities.assignment,
        "loops": capabilities.loops,
    }
    return (
        "all" if all(features.values()) else ", ".join(name for name, is_able in features.items() if is_able) or "none"
    )


def _noise(capabilities: Capabilities) -> str:
    """Return the kinds of noise; all of them are one word."""
    every = {*Channel, READOUT}
    return "all" if every <= set(capabilities.noise) else ", ".join(capabilities.noise) or "none"


def _width(capabilities: Capabilities) -> str:
    memory = capabilities.bytes_per_amplitude
    limits = [] if capabilities.max_qubits is None else [f"{capabilities.max_qubits} qubits"]
    limits += [] if memory is None else [f"{memory} B x 2^n"]
    return ", ".join(limits) or "as the circuit needs"
