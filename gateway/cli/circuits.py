"""The command ``gateway run``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import UNSET

from gateway.backends.access import Access, access_to
from gateway.backends.base import Outcome, Values
from gateway.backends.directory import is_gateway
from gateway.cli import files, outcomes, places, runtime
from gateway.cli.arguments import UsageError
from gateway.cli.complaints import about_circuit
from gateway.cli.progress import Progress
from gateway.counts import Counts, Probabilities
from gateway.look.terminal import Terminal
from gateway.results import ResultType


def run(arguments: argparse.Namespace) -> int:
    """Run a circuit on one simulator and print the result.

    Raises:
        UsageError: no simulator is named, or several are.
    """
    place = _place(arguments)
    kind = _kind(arguments)
    parameters = _parameters(arguments)
    source = files.read(arguments.file)
    exact = arguments.shots is None and kind is not None and kind.is_exact
    with (
        Progress(f"{runtime.shown(place)}: running"),
        runtime.single(arguments, place) as backend,
        about_circuit(files.where(arguments.file), source),
    ):
        found = backend.run(
            source,
            shots=UNSET if arguments.shots is None else arguments.shots,
            seed=None if exact else arguments.seed,
            result=kind,
            sampling=arguments.sampling,
            observables=arguments.observables,
            bitstrings=arguments.bitstrings,
            clbits=arguments.clbits,
            parameters=parameters,
            noise=arguments.noise,
        )
    outcome = cast("Outcome | list[Outcome]", found)
    if arguments.json:
        print(json.dumps([_to_json(one) for one in outcome] if isinstance(outcome, list) else _to_json(outcome)))
        return 0
    terminal = Terminal()
    if not isinstance(outcome, list):
        terminal.print(*outcomes.draw(outcome, terminal))
        return 0
    for point, one in enumerate(outcome):
        terminal.print(terminal.text(_point(parameters, point)), *outcomes.draw(one, terminal))
    return 0


def _place(arguments: argparse.Namespace) -> str | Access:
    """Return the simulator that is named.

    Raises:
        UsageError: none is, or several are.
    """
    for flag in ("on", "at"):
        given = getattr(arguments, flag)
        if given is not None and not given.strip(" ,"):
            raise UsageError(f"--{flag} is given nothing: {given!r}", program="gateway run")
        if given is not None and "," in given:
            raise UsageError(f"--{flag} takes one, not {given!r}: gateway compare takes several", program="gateway run")
    places.use_default(arguments)
    if arguments.on is None and arguments.at is None:
        raise UsageError(
            "--on names a simulator, or --at the URL of one; see gateway run --help", program="gateway run"
        )
    if arguments.at is None:
        return str(arguments.on)
    runtime.refuse_resources(arguments)
    (at,) = places.parts(arguments.at)
    way = access_to(at)
    if not is_gateway(way):
        if arguments.on is not None:
            raise UsageError(f"{at} is a server of one simulator: leave out --on", program="gateway run")
        return way
    (place,) = [places.only_one_behind(way)] if arguments.on is None else places.behind(way, [arguments.on])
    return place


def _parameters(arguments: argparse.Namespace) -> dict[str, Values]:
    """Return the values of parameters.

    Raises:
        UsageError: one is set twice.
    """
    found: dict[str, Values] = {}
    for name, value in arguments.parameters or ():
        if name in found:
            raise UsageError(f"--set gives {name} twice: separate several values by commas", program="gateway run")
        found[name] = value
    return found


def _point(parameters: Mapping[str, Values], point: int) -> str:
    """Return the values of the parameters at a point."""
    values = {name: value[point] if isinstance(value, list) else value for name, value in parameters.items()}
    return ", ".join([f"{name} = {value:g}" for name, value in values.items()])


def _kind(arguments: argparse.Namespace) -> ResultType | None:
    """Return the result type that is asked for.

    Raises:
        UsageError: two are.
    """
    if arguments.result is not None and (arguments.exact or arguments.statevector):
        flag = "--exact" if arguments.exact else "--statevector"
        raise UsageError(f"--result and {flag} both name the type of the result", program="gateway run")
    if arguments.exact:
        return ResultType.PROBABILITIES
    if arguments.statevector:
        return ResultType.STATEVECTOR
    return None if arguments.result is None else ResultType(arguments.result)


def _to_json(outcome: Outcome) -> dict[str, object]:
    provenance = msgspec.to_builtins(outcome.provenance)
    if isinstance(outcome, Counts | Probabilities):
        value: object = dict(outcome.most_common())
    else:
        value = msgspec.to_builtins(outcome.to_wire())
    return {outcome.kind: value, "provenance": provenance}
