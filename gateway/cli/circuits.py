"""The command ``gateway run``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec import UNSET

from gateway.backends.base import Outcome, Values
from gateway.cli import files, outcomes, runtime
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
    flag, place = ("--at", arguments.at) if arguments.on is None else ("--on", arguments.on)
    if not place.strip(" ,"):
        raise UsageError(f"{flag} is given nothing: {place!r}", program="gateway run")
    if "," in place:
        raise UsageError(f"{flag} takes one, not {place!r}: gateway compare takes several", program="gateway run")
    kind = _kind(arguments)
    parameters = _parameters(arguments)
    source = files.read(arguments.file)
    exact = arguments.shots is None and kind is not None and kind.is_exact
    with (
        Progress(f"{place}: running"),
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
