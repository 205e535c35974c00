"""The commands for containers: ``gateway up``, ``down``, ``ps``, ``logs``, ``build`` and ``doctor``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from gateway.backends.docker import DockerSimulator
from gateway.cli.progress import Progress
from gateway.cli.tables import Column, print_table
from gateway.containers import doctor, image
from gateway.containers.container import HOME_LABEL, KEEP_LABEL, NETWORK, VERSION_LABEL, Fleet
from gateway.containers.engine import Container, connect
from gateway.containers.hardening import HOST_IP, IMAGE, SIMULATOR_LABEL
from gateway.containers.progress import BuildBar
from gateway.containers.vault import Vault
from gateway.errors import ContainerError, GatewayError, RequestError
from gateway.simulators import SIMULATORS, find

FAILED = 1
_MARKS = {doctor.Verdict.FINE: "ok", doctor.Verdict.NOTE: "note", doctor.Verdict.PROBLEM: "PROBLEM"}


def _names(arguments: argparse.Namespace) -> list[str]:
    return [find(name).name for name in arguments.names] or list(SIMULATORS)


def _print(rows: Sequence[dict[str, object]], head: Sequence[str], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table([Column(name) for name in head], [[_cell(row[name]) for name in head] for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


# ---------------------------------------------------------------------- up, down, ps, logs


def up(arguments: argparse.Namespace) -> int:
    """Start containers and print their addresses."""
    names = _names(arguments)
    _ensure_image()
    simulators = [
        DockerSimulator(
            name,
            port=find(name).port,
            memory=arguments.memory,
            cpus=arguments.cpus,
            threads=arguments.threads,
            keep=True,
        )
        for name in names
    ]
    with Progress(f"starting {', '.join(names)}"), ThreadPoolExecutor(max_workers=len(simulators)) as pool:
        rows = list(pool.map(_start, simulators))
    _print(rows, ("simulator", "version", "address", "container", "state"), arguments)
    return FAILED if any(row["error"] for row in rows) else 0


def _ensure_image() -> None:
    engine, vault = connect(), Vault()
    vault.prepare()
    with BuildBar() as bar:
        image.ensure(engine, vault.folder, bar.report, content=image.content_tag())


def _start(simulator: DockerSimulator) -> dict[str, object]:
    address = f"http://{HOST_IP}:{find(simulator.name).port}"
    row: dict[str, object] = {"simulator": simulator.name, "address": address, "version": None, "error": None}
    try:
        row["version"] = simulator.start().version
    except GatewayError as exc:
        return row | {"container": None, "state": f"failed: {exc}", "error": f"{type(exc).__name__}: {exc}"}
    return row | {"container": simulator.container, "state": "ready"}


def down(arguments: argparse.Namespace) -> int:
    """Remove containers of this user."""
    names = set(_names(arguments))
    fleet = doctor.fleet()
    ours = [container for container in fleet.survey() if container.labels.get(SIMULATOR_LABEL) in names]
    with Progress("removing containers"), ThreadPoolExecutor() as pool:
        list(pool.map(lambda container: fleet.remove(container.id), ours))
        for name in names:
            fleet.sweep(f"{SIMULATOR_LABEL}={name}")
    if not fleet.survey():
        fleet.engine.remove_network(NETWORK)
    rows: list[dict[str, object]] = [
        {"simulator": container.labels[SIMULATOR_LABEL], "container": container.name, "state": "removed"}
        for container in ours
    ]
    _print(rows, ("simulator", "container", "state"), arguments)
    return 0


def ps(arguments: argparse.Namespace) -> int:
    """Print all containers of the simulators."""
    names = set(_names(arguments))
    fleet = doctor.fleet()
    containers = [
        container
        for container in fleet.engine.containers(SIMULATOR_LABEL)
        if container.labels[SIMULATOR_LABEL] in names
    ]
    rows = [_row(fleet, container) for container in containers]
    _print(rows, ("simulator", "container", "state", "address", "version", "kept", "users"), arguments)
    return 0


def _row(fleet: Fleet, container: Container) -> dict[str, object]:
    simulator = container.labels[SIMULATOR_LABEL]
    description = fleet.engine.container(container.id)
    finding = doctor.check_container(description) if description else None
    port = (container.ports or {}).get(SIMULATORS[simulator].port)
    entry = fleet.vault.read(container.id)
    is_ours = container.labels.get(HOME_LABEL) == fleet.vault.home
    return {
        "simulator": simulator,
        "container": container.name,
        "state": finding.what if finding else "removed",
        "address": f"http://{HOST_IP}:{port}" if port else None,
        "version": container.labels.get(VERSION_LABEL),
        "kept": (entry.keep if entry else container.labels.get(KEEP_LABEL) == "true") if is_ours else "not ours",
        "users": len(entry.users) if entry else 0,
    }


def logs(arguments: argparse.Namespace) -> int:
    """Print the log of a container's server."""
    engine = connect()
    by_label = engine.containers(f"{SIMULATOR_LABEL}={arguments.name}")
    by_name = [container for container in engine.containers(SIMULATOR_LABEL) if container.name == arguments.name]
    containers = sorted([*by_name, *by_label], key=lambda container: not container.running)
    if not containers:
        raise RequestError(f"there is no container of {arguments.name!r}: gateway ps shows those there are")
    if arguments.follow:
        for text in engine.follow(containers[0].id, arguments.lines):
            print(text, end="", flush=True)
    else:
        print(engine.logs(containers[0].id, arguments.lines))
    return 0


# ---------------------------------------------------------------------- build, doctor


def build(arguments: argparse.Namespace) -> int:
    """Build the image of this version, unless compose or buildx has built the same."""
    engine, vault, content = connect(), Vault(), image.content_tag()
    with BuildBar() as bar, image.one_at_a_time(vault, bar.report):
        image_id = None if arguments.no_cache else image.adopt(engine, content, bar.report, vault.home)
        if image_id is None:
            image_id = image.build(engine, bar.report, no_cache=arguments.no_cache, builder=vault.home)
    description = engine.image(image_id)
    if description is None:
        raise ContainerError("the image was removed as soon as it was built: build it again")
    if arguments.json:
        print(json.dumps(asdict(description)))
    else:
        print(f"{IMAGE}:{content}  {description.size_bytes / 1e6:.0f} MB  {description.architecture}")
    return 0


def examine(arguments: argparse.Namespace) -> int:
    """Check everything that containers need, and print the findings."""
    findings = []
    with Progress("checking"):
        findings = list(doctor.examine(_names(arguments)))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        width = max(len(finding.check) for finding in findings)
        for finding in findings:
            print(f"{_MARKS[finding.verdict]:<7}  {finding.check:<{width}}  {finding.what}")
            if finding.remedy:
                print(f"{'':<7}  {'':<{width}}  -> {finding.remedy}")
    return FAILED if any(finding.verdict is doctor.Verdict.PROBLEM for finding in findings) else 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "down": down,
    "ps": ps,
    "logs": logs,
    "build": build,
    "doctor": examine,
}
"""The name of a command -> its function."""
