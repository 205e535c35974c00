"""Arguments of the ``gateway`` command, and what each subcommand but ``serve`` does."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from gateway.backends.base import CircuitLike, Outcome
from gateway.cli import containers, runtime, serve, tables
from gateway.cli.progress import Progress
from gateway.compare import compare
from gateway.counts import Counts, Probabilities
from gateway.errors import RequestError
from gateway.protocol.messages import DEFAULT_SHOTS
from gateway.results import ResultType, Sampling
from gateway.simulators import SIMULATORS
from gateway.version import __version__

FAILED = 1


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses has the function to call as ``command``."""
    whole = argparse.ArgumentParser(
        prog="gateway", description="Run one quantum circuit on many simulators, in one bit order."
    )
    whole.add_argument("--version", action="version", version=f"gateway {__version__}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="show the simulators, their ports and what is installed")
    _add_json(listing)
    listing.set_defaults(command=_list)

    run = commands.add_parser("run", help="run a circuit on one simulator")
    _add_circuit(run)
    run.add_argument("--on", metavar="NAME", required=True, help=f"one of {', '.join(SIMULATORS)}")
    amount = run.add_mutually_exclusive_group()
    amount.add_argument("--shots", type=int, default=DEFAULT_SHOTS, help="default: %(default)s")
    amount.add_argument("--exact", action="store_true", help="exact probabilities instead of shots")
    amount.add_argument("--statevector", action="store_true", help="amplitudes of an unmeasured circuit")
    _add_run_options(run)
    run.set_defaults(command=_run)

    comparing = commands.add_parser("compare", help="run a circuit on several simulators and compare them")
    _add_circuit(comparing)
    comparing.add_argument("--on", metavar="NAMES", help="separated by commas; default: all")
    comparing.add_argument("--shots", type=int, default=DEFAULT_SHOTS, help="default: %(default)s")
    _add_run_options(comparing)
    comparing.set_defaults(command=_compare)

    serving = commands.add_parser("serve", help="serve simulators over HTTP until Ctrl-C")
    serve.add_arguments(serving)
    serving.set_defaults(command=serve.command)
    token = commands.add_parser("token", help="make a token for a server to let in")
    token.add_argument("name", metavar="NAME", help="whose it is; a name may have several")
    token.add_argument("--file", metavar="FILE", type=Path, help="add its digest to this file, which --tokens takes")
    token.set_defaults(command=_token)
    containers.add_commands(commands)
    return whole


def _add_circuit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="OpenQASM 2 or 3; - reads standard input")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, help="same seed, same counts")
    parser.add_argument(
        "--sampling", choices=[str(s) for s in Sampling], default=str(Sampling.AUTO), help="native: their own samplers"
    )
    parser.add_argument("--timeout-s", type=float, help="kill a run after so many seconds")
    parser.add_argument(
        "--runtime",
        choices=runtime.RUNTIMES,
        default="auto",
        help="docker: in containers; local: in processes of this machine; auto, the default, takes what is at hand",
    )
    _add_json(parser)


def _list(arguments: argparse.Namespace) -> int:
    rows = [
        {
            "name": row.name,
            "port": row.port,
            "installed": row.installed_version(),
            "extra": row.requirement,
            "summary": row.summary,
        }
        for row in SIMULATORS.values()
    ]
    print(json.dumps(rows, indent=2) if arguments.json else tables.simulators(rows))
    return 0


def _run(arguments: argparse.Namespace) -> int:
    source = _source(arguments.file)
    exact = arguments.exact or arguments.statevector
    place = runtime.choose(arguments.runtime, [arguments.on]).runtime
    with (
        Progress(f"{arguments.on}: running"),
        runtime.backend(place, arguments.on, arguments.timeout_s) as backend,
    ):
        outcome = backend.run(
            source,
            shots=None if exact else arguments.shots,
            seed=None if exact else arguments.seed,
            result=ResultType.STATEVECTOR if arguments.statevector else None,
            sampling=arguments.sampling,
        )
    print(json.dumps(_plain(outcome)) if arguments.json else tables.outcome(outcome))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    source = _source(arguments.file)
    names = [name.strip() for name in arguments.on.split(",")] if arguments.on else list(SIMULATORS)
    place = runtime.choose(arguments.runtime, names).runtime
    with ExitStack() as stack:
        progress = stack.enter_context(Progress("starting"))
        backends = {name: stack.enter_context(runtime.backend(place, name, arguments.timeout_s)) for name in names}
        comparison = compare(
            source,
            backends,
            shots=arguments.shots,
            seed=arguments.seed,
            sampling=arguments.sampling,
            report=progress.say,
        )
    print(json.dumps(comparison.to_dict(), indent=2) if arguments.json else tables.comparison(comparison))
    return 0 if comparison.all_agree else FAILED


def _source(file: str) -> CircuitLike:
    if file == "-":
        return sys.stdin.read()
    path = Path(file)
    if not path.is_file():
        raise RequestError(f"there is no file {file!r}", field="file")
    return path


def _plain(outcome: Outcome) -> dict[str, object]:
    provenance = msgspec.to_builtins(outcome.provenance)
    if isinstance(outcome, Counts):
        return {"counts": dict(outcome.most_common()), "provenance": provenance}
    if isinstance(outcome, Probabilities):
        return {"probabilities": dict(outcome.most_common()), "provenance": provenance}
    return {"statevector": [[a.real, a.imag] for a in outcome.amplitudes], "provenance": provenance}


def _token(arguments: argparse.Namespace) -> int:
    """Print a new token, once; what is kept of it is its digest."""
    if not re.fullmatch(r"[\w.@-]{1,64}", arguments.name):
        raise RequestError(f"a name has 1 to 64 letters, digits and _.@-, not {arguments.name!r}", field="name")
    token = secrets.token_urlsafe(32)
    line = f"{arguments.name} sha256:{hashlib.sha256(token.encode()).hexdigest()}"
    if arguments.file is None:
        print(f"gateway: the line for the file that --tokens takes:\n{line}", file=sys.stderr)
    else:
        with open(arguments.file, "a", opener=_for_owner_only, encoding="utf-8") as file:
            file.write(f"{line}\n")
    print(token)
    return 0


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
