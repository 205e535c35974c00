"""The commands ``gateway run`` and ``gateway compare``."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import IO

import msgspec

from gateway.backends.base import Outcome
from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.cli import runtime, tables
from gateway.cli.progress import Progress
from gateway.compare import compare
from gateway.counts import Counts, Probabilities
from gateway.enforcement import RunOptions, refuse
from gateway.errors import LimitError, RequestError, UnsupportedError
from gateway.protocol.messages import ServerLimits
from gateway.results import ResultType, Sampling
from gateway.simulators import rows

FAILED = 1

_MAX_BYTES = ServerLimits().max_body_bytes


def run(arguments: argparse.Namespace) -> int:
    """Run a circuit on one simulator and print the result."""
    source = _source(arguments.file)
    exact = arguments.exact or arguments.statevector
    place = runtime.choose(arguments.runtime, [arguments.on]).runtime
    with (
        Progress(f"{arguments.on}: running"),
        runtime.backend(place, arguments.on, arguments.timeout_s, arguments.threads, arguments.memory) as backend,
    ):
        outcome = backend.run(
            source,
            shots=None if exact else arguments.shots,
            seed=None if exact else arguments.seed,
            result=ResultType.STATEVECTOR if arguments.statevector else None,
            sampling=arguments.sampling,
        )
    print(json.dumps(_to_json(outcome)) if arguments.json else tables.outcome(outcome))
    return 0


def compare_all(arguments: argparse.Namespace) -> int:
    """Run a circuit on several simulators and print their results, and whether they agree."""
    source = _source(arguments.file)
    choices = arguments.on.split(",") if arguments.on else _fitting_simulators(source, arguments.sampling)
    names = [name.strip() for name in choices]
    place = runtime.choose(arguments.runtime, names).runtime
    with ExitStack() as stack:
        progress = stack.enter_context(Progress("starting"))
        backends = {
            name: stack.enter_context(
                runtime.backend(place, name, arguments.timeout_s, arguments.threads, arguments.memory)
            )
            for name in names
        }
        comparison = compare(
            source,
            backends,
            shots=arguments.shots,
            seed=arguments.seed,
            sampling=arguments.sampling,
            report=progress.show,
        )
    print(json.dumps(comparison.to_dict(), indent=2) if arguments.json else tables.comparison(comparison))
    return 0 if comparison.all_agree else FAILED


def _fitting_simulators(text: str, sampling: Sampling) -> list[str]:
    """Return the names of the simulators that take a circuit, and print why the others are left out."""
    needs_of_circuit, names = needs(Circuit.from_openqasm(text)), []
    for row in rows():
        try:
            refuse(needs_of_circuit, row.capabilities, RunOptions(ResultType.COUNTS, sampling), simulator=row.name)
            names.append(row.name)
        except (UnsupportedError, LimitError) as error:
            print(f"left out: {error.message}", file=sys.stderr)
    return names


def _source(file: str) -> str:
    """Return the text of a circuit from a file or from standard input.

    Raises:
        RequestError: the file cannot be read, is not text, or is larger than a server takes.
    """
    where = "standard input" if file == "-" else file
    try:
        with _open(file) as stream:
            content = stream.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise RequestError(f"cannot read the circuit in {where}: {exc.strerror or exc}", field="file") from exc
    if len(content) > _MAX_BYTES:
        raise RequestError(
            f"the circuit in {where} is larger than the {_MAX_BYTES:,} bytes a server takes", field="file"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise RequestError(f"the circuit in {where} is not text: byte {exc.start} is not UTF-8", field="file") from exc


def _open(file: str) -> AbstractContextManager[IO[bytes]]:
    return nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb")


def _to_json(outcome: Outcome) -> dict[str, object]:
    provenance = msgspec.to_builtins(outcome.provenance)
    value = dict(outcome.most_common()) if isinstance(outcome, Counts | Probabilities) else outcome.to_wire()
    return {outcome.kind: value, "provenance": provenance}
