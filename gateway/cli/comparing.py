"""The commands that compare simulators: ``gateway compare``, ``locate``, ``reduce``, ``hunt`` and ``verify``.

Their exit status is 0 if the simulators agree, 1 if one differs, and 2 if one failed or cannot run a circuit, or if
nobody knows who is right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway import compare as api
from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.cli import comparisons, files, fitting, places, runtime
from gateway.cli.arguments import UsageError
from gateway.cli.complaints import about_circuit, remark
from gateway.cli.progress import Progress
from gateway.client.gateway_client import GatewayClient
from gateway.compare.files import check_path, write_text
from gateway.compare.presentation import words
from gateway.compare.record import Record, Reproducer, Verdict
from gateway.errors import GatewayError, RequestError
from gateway.look.terminal import Terminal
from gateway.protocol.door import SimulatorState

AGREE, DIFFER, UNKNOWN = 0, 1, 2

T = TypeVar("T")

_NAMING = ("on", "at", "groups", "folder", "against")
"""The flags that choose what is compared; without them there is a default."""


def command(name: str, arguments: argparse.Namespace) -> int:
    """Run a command, and return its exit status.

    Raises:
        UsageError: a flag is given nothing, as by a variable of the shell that is not set: that is no default.
    """
    for flag in _NAMING:
        given = getattr(arguments, flag, None)
        for text in [given] if isinstance(given, str) else given or []:
            if not text.strip(" ,"):
                raise UsageError(f"--{flag} is given nothing: {text!r}", program=f"gateway {name}")
    return COMMANDS[name](arguments)


# ---------------------------------------------------------------------- compare


def compare_all(arguments: argparse.Namespace) -> int:
    """Compare simulators, print the comparison, and write what was asked for."""
    texts = _read(arguments.files)
    circuits = [_parsed(name, text) for name, text in texts.items()]
    _check_paths(arguments)
    older = None if arguments.against is None else api.Comparison.load(arguments.against)
    options = {name: getattr(arguments, name) for name in _OPTIONS}
    places.use_default(arguments)
    gateway = places.gateway_of(arguments)
    if gateway is not None:
        comparison = _compare_at(gateway, arguments, texts, options)
    else:
        with _opened(arguments, circuits) as backends:
            comparison = api.compare(texts, backends, **options)
    terminal = Terminal()
    if arguments.json:
        _print_json(comparison)
    else:
        terminal.print(*comparisons.draw(comparison, terminal))
    notes = [*([] if older is None else [str(comparison.against(older))]), *_write(comparison, arguments)]
    if notes and not arguments.json:
        terminal.print("", *(terminal.sentence(note, indent=2) for note in notes))
    return status(comparison)


_OPTIONS = (
    "shots", "resolution", "seed", "repeat", "exact", "side_by_side", "sampling", "noise", "timeout_s", "time_limit_s",
    "reproduce",
)  # fmt: skip
"""The arguments of the command that are the library's, too."""


def _compare_at(
    gateway: str, arguments: argparse.Namespace, texts: Mapping[str, str], options: Mapping[str, Any]
) -> api.Comparison:
    """Let a gateway compare, and say which of its simulators were left out if none was named."""
    runtime.refuse_resources(arguments)
    names = places.parts(arguments.on) or None
    with GatewayClient(gateway) as client:
        comparison = client.compare(texts, names, **options)
        if names is None:
            try:
                _say_who_is_left_out(client, texts.values(), {row.simulator for row in comparison.rows})
            except GatewayError as exc:  # which costs nobody what was found
                remark(f"who was left out could not be asked for: {exc.message}")
    return comparison


def _say_who_is_left_out(client: GatewayClient, texts: Iterable[str], compared: Collection[str]) -> None:
    """Say why simulators of a gateway took no part: they are down, or cannot run a circuit."""
    others = [each for each in client.simulators().values() if each.name not in compared]
    reasons = {each.name: each.reason for each in others if each.state is not SimulatorState.READY}
    for text in texts:
        if len(reasons) == len(others):
            break
        for estimate in client.circuit(text, drawing=False).estimates:
            if not estimate.runs:
                reasons.setdefault(estimate.simulator, estimate.reason)
    for each in others:
        remark(f"left out: {reasons.get(each.name) or f'{each.name} was not ready then'}")


def status(record: Record) -> int:
    """Return the exit status for a comparison."""
    if any(row.verdict is Verdict.DIFFERS for row in record.rows):
        return DIFFER
    return AGREE if record.all_agree and not record.interrupted else UNKNOWN


def _check_paths(arguments: argparse.Namespace) -> None:
    """Refuse, before anything runs, files that could not be written afterwards.

    Raises:
        UsageError: a path is that of no file, or the name of the report says no format.
    """
    report = arguments.report
    if report is not None and Path(report).suffix.lower() not in {".html", ".htm", ".md"}:
        raise UsageError(f"a report is named .html or .md, not {report!r}", program="gateway compare")
    for flag in ("save", "report"):
        _check_path(arguments, flag)


def _check_path(arguments: argparse.Namespace, flag: str) -> None:
    """Refuse the path that a flag was given, if no file can be written there.

    Raises:
        UsageError: it cannot.
    """
    path = getattr(arguments, flag)
    if path is not None:
        try:
            check_path(path, field=flag)
        except RequestError as exc:
            raise UsageError(f"--{flag}: {exc.message}", program=f"gateway {arguments.words[0]}") from exc


def _write(comparison: api.Comparison, arguments: argparse.Namespace) -> list[str]:
    """Write the record and the report, and return a sentence for each; what was interrupted is always kept."""
    path = arguments.save
    if path is None and comparison.interrupted and comparison.cases:
        path = f"comparison-{comparison.cases[0].sha256[:6]}.json"
    sentences = [] if path is None else [f"Record: {comparison.save(path)}"]
    return [*sentences, *([] if arguments.report is None else [f"Report: {comparison.report(arguments.report)}"])]


# ---------------------------------------------------------------------- locate and reduce


def locate_difference(arguments: argparse.Namespace) -> int:
    """Print the operation after which a simulator differs."""
    located = _search(arguments, api.locate)
    if located is None:
        return AGREE
    if arguments.json:
        _print_json(located)
    else:
        _say("≠", str(located))
    return DIFFER


def reduce_circuit(arguments: argparse.Namespace) -> int:
    """Print the smallest circuit on which a simulator differs, and write it if that was asked for."""
    _check_path(arguments, "output")
    found = _search(arguments, api.reduce)
    if found is None:
        return AGREE
    if arguments.output is not None:
        _write_reproducer(found, Path(arguments.output))
    if arguments.json:
        _print_json(found)
    else:
        terminal = Terminal()
        first, rest = words.reproducer_verdict(found)
        verdict = terminal.sentence((first, "bold"), rest, mark="≠")
        terminal.print(verdict, "", *comparisons.draw_reproducer(found, terminal))
    return DIFFER


def _write_reproducer(found: Reproducer, path: Path) -> None:
    """Write the circuit, or if the name ends so, a bug report in Markdown."""
    text = found.openqasm
    if path.suffix == ".md":
        from gateway.compare.reproducer.bug_report import bug_report

        text = bug_report(found)
    write_text(path, text)


def _search(arguments: argparse.Namespace, search: Callable[..., T]) -> T | None:
    """Search a circuit with one or two simulators; return ``None`` if they agree, which is then printed.

    Raises:
        UsageError: there are no simulators, or more than two.
    """
    names = places.named(arguments)
    if not 1 <= len(names) <= 2:  # noqa: PLR2004 - as the sentence says
        raise UsageError(
            "name two simulators, or one to compare it with the exact result (--on, --at)", program="gateway"
        )
    ((name, text),) = _read([arguments.file]).items()
    circuit = _parsed(name, text)
    options = {word: getattr(arguments, word) for word in ("shots", "seed", "seconds")}
    given = {word: value for word, value in options.items() if value is not None}
    try:
        with runtime.opened(arguments, names) as backends, Progress(f"{name}: searching"):
            return search(circuit, *backends.values(), **given)
    except RequestError as exc:
        if exc.field != "circuit":
            raise
        if arguments.json:
            print("null")
        else:
            _say("=", exc.message)
        return None


# ---------------------------------------------------------------------- hunt and verify


def hunt_differences(arguments: argparse.Namespace) -> int:
    """Hunt for circuits on which simulators differ, and print what was found."""
    _check_path(arguments, "save")
    with _opened(arguments) as backends:
        report = api.hunt(
            backends,
            minutes=arguments.minutes,
            circuits=arguments.circuits,
            folder=arguments.folder,
            seed=arguments.seed,
            save=arguments.save,
            **_timeout(arguments),
        )
    return _print_report(report, is_json=arguments.json)


def verify_simulators(arguments: argparse.Namespace) -> int:
    """Hold simulators to the battery, and print who passes what."""
    with _opened(arguments) as backends:
        verification = api.verify(
            backends,
            groups=places.parts(arguments.groups) if arguments.groups else None,
            seed=arguments.seed,
            **_timeout(arguments),
        )
    return _print_report(verification, is_json=arguments.json)


def _timeout(arguments: argparse.Namespace) -> dict[str, Any]:
    return {} if arguments.timeout_s is None else {"timeout_s": arguments.timeout_s}


def _print_report(report: api.HuntReport | api.Verification, *, is_json: bool) -> int:
    """Print the outcome of a hunt or a verification, the verdict first, and return its exit status."""
    status = report.exit_status
    if is_json:
        print(json.dumps(report.to_dict(), indent=1))
        return status
    terminal = Terminal()
    verdict, *lines = str(report).split("\n")
    mark = {AGREE: "=", DIFFER: "≠"}.get(status, "!")
    terminal.print(
        terminal.sentence((verdict, "bold"), mark=mark),
        *(terminal.verbatim(line) if line.startswith(" ") else terminal.sentence(line) for line in lines),
    )
    return status


# ---------------------------------------------------------------------- circuits, backends, output


def _read(paths: Sequence[str]) -> dict[str, str]:
    """Return name -> text of circuits; the name is that of the file, and the path where two files have one name."""
    names = [files.where(path) if path == "-" else Path(path).name for path in paths]
    texts: dict[str, str] = {}
    for path, name in zip(paths, names, strict=True):
        key = path if names.count(name) > 1 else name
        if key in texts:
            raise UsageError(f"{files.where(path)} is given twice", program="gateway compare")
        texts[key] = files.read(path)
    return texts


def _parsed(name: str, text: str) -> Circuit:
    """Return a circuit; an error in it names the file and shows the place."""
    with about_circuit(name, text):
        return Circuit.from_openqasm(text)


def _opened(
    arguments: argparse.Namespace, circuits: Sequence[Circuit] = ()
) -> AbstractContextManager[dict[str, Backend]]:
    """Return the backends that were named, or all that take the circuits."""
    places.use_default(arguments)
    named = places.named(arguments)
    if named:
        return runtime.opened(arguments, named)
    names, place = fitting.fitting(arguments, circuits)
    return runtime.opened(arguments, names, runtime=place)


def _say(mark: str, text: str) -> None:
    """Print a sentence, which may lack its capital and its full stop."""
    terminal = Terminal()
    terminal.print(terminal.sentence((f"{text[0].upper()}{text[1:]}.", "bold"), mark=mark))


def _print_json(value: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(value), indent=1).decode())


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "compare": compare_all,
    "locate": locate_difference,
    "reduce": reduce_circuit,
    "hunt": hunt_differences,
    "verify": verify_simulators,
}
"""The name of a command -> its function."""
