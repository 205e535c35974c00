"""The command ``gateway run``."""

from __future__ import annotations

import argparse
import json

import msgspec

from gateway.backends.base import Outcome
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
    source = files.read(arguments.file)
    exact = arguments.exact or arguments.statevector
    with (
        Progress(f"{place}: running"),
        runtime.single(arguments, place) as backend,
        about_circuit(files.where(arguments.file), source),
    ):
        outcome = backend.run(
            source,
            shots=None if exact else arguments.shots,
            seed=None if exact else arguments.seed,
            result=ResultType.STATEVECTOR if arguments.statevector else None,
            sampling=arguments.sampling,
        )
    if arguments.json:
        print(json.dumps(_to_json(outcome)))
    else:
        terminal = Terminal()
        terminal.print(*outcomes.draw(outcome, terminal))
    return 0


def _to_json(outcome: Outcome) -> dict[str, object]:
    provenance = msgspec.to_builtins(outcome.provenance)
    value = dict(outcome.most_common()) if isinstance(outcome, Counts | Probabilities) else outcome.to_wire()
    return {outcome.kind: value, "provenance": provenance}
