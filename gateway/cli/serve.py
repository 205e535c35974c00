"""The command ``gateway serve``: serves one simulator in this process, or several in a process each."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import subprocess
import sys
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gateway import legacy
from gateway.cli import settings as sources
from gateway.cli.arguments import UsageError
from gateway.cli.tls import check_certificate
from gateway.errors import RequestError, ServerStartError
from gateway.listener import bind
from gateway.settings import Settings
from gateway.simulators import SIMULATORS, check_installed, find, is_importable, offers

if TYPE_CHECKING:
    from gateway.execution.worker import Target
    from gateway.simulators import Simulator

_DEFAULT_PORT = 8080


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``gateway serve``."""
    parser.epilog = sources.PRECEDENCE
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one or more of {', '.join(SIMULATORS)}")
    parser.add_argument("--all", action="store_true", help="every simulator that is installed")
    sources.add_options(parser)


def command(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends the process."""
    settings = sources.load(arguments, Settings)
    if arguments.settings != sources.STANDARD_INPUT:
        sources.warn_of_unknown_variables(os.environ)
    names = _installed() if arguments.all else list(settings.simulators)
    _refuse_duplicates(names)
    if len(names) + bool(settings.adapter) + settings.pickled > 1:
        sources.refuse_one_file(settings)
        return _serve_many([_row(name).name for name in names], sources.flags_for_each(arguments))
    if names and arguments.settings != sources.STANDARD_INPUT:
        _change_environment(names[0], arguments.words)
    _serve_one(settings, _find_target(settings, names))
    return 0


def _installed() -> list[str]:
    """Return the names of all installed simulators, including those of other distributions."""
    ours = [row.name for row in SIMULATORS.values() if row.installed_version()]
    return ours + [offer.name for offer in offers() if offer.row is not None]


def _refuse_duplicates(names: list[str]) -> None:
    duplicate = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if duplicate is not None:
        raise UsageError(f"{duplicate} is named twice: one server for each simulator is enough")


def _row(name: str) -> Simulator:
    try:
        return find(name)
    except RequestError as exc:
        raise UsageError(exc.message) from exc


def _change_environment(name: str, words: list[str]) -> None:
    """Replace this process by the same command in the environment of a simulator, if that is another one."""
    python = _row(name).python()
    if python != sys.executable:
        os.execv(python, [python, "-m", "gateway", *words])  # noqa: S606 - the same command, ours


class Served(NamedTuple):
    """The simulator, adapter or function that this process serves.

    Args:
        name: the name for messages.
        target: the adapter as ``module:Class``, or ``None`` for a pickled object on standard input.
        port: the port to listen on by default.
    """

    name: str
    target: str | None
    port: int


def _find_target(settings: Settings, names: list[str]) -> Served:
    """Return what this process serves, after checking that it can be imported.

    Raises:
        UsageError: there is no such simulator or adapter.
        SimulatorNotInstalled: the framework of the simulator is absent.
    """
    if settings.pickled:
        return Served("function", None, _DEFAULT_PORT)
    if settings.adapter is not None:
        module, _, name = settings.adapter.partition(":")
        by_hand = settings.listen_fd is None  # for a program, the server reports the error with its class
        if by_hand and not (name and is_importable(module)):
            raise UsageError(
                f"there is no adapter at {settings.adapter!r}: write it as module:Class, of an importable module"
            )
        return Served(settings.adapter, settings.adapter, _DEFAULT_PORT)
    if not names:
        raise UsageError("name a simulator, or give --all or --adapter")
    row = _row(names[0])
    check_installed(row)
    return Served(row.name, row.adapter, row.port)


def _serve_one(settings: Settings, served: Served) -> None:
    gc.disable()  # for a quicker start: importing modules creates no garbage
    try:
        from gateway.execution.worker import Target
        from gateway.server.host import serve
    except ImportError as exc:
        raise ServerStartError(f"serving needs {exc.name!r}: pip install 'simulator-gateway[server]'") from exc

    port = served.port if settings.port is None else settings.port
    jobs_name = served.name if settings.jobs_name is None else settings.jobs_name
    final_settings = msgspec.structs.replace(
        settings, jobs=sources.jobs_url(settings, jobs_name, port), jobs_name=jobs_name
    )
    sources.check_tokens(final_settings)
    check_certificate(final_settings.tls_cert, final_settings.tls_key)
    listener = (
        bind(final_settings.host, port)
        if final_settings.listen_fd is None
        else socket.socket(fileno=final_settings.listen_fd)
    )
    interfaces = legacy.open_interfaces(final_settings.interfaces, final_settings.host)
    scheme, address = "http" if final_settings.tls_cert is None else "https", listener.getsockname()
    lines = [f"serving {served.name} at {scheme}://{final_settings.host}:{address[1]} (Ctrl-C stops it)"]
    lines += [f"and {announcement}" for interface in interfaces for announcement in interface.announcements]
    serve(
        _target(Target, served, final_settings),
        listener,
        final_settings,
        interfaces,
        announcements=() if final_settings.quiet else lines,
    )


def _target(kind: type[Target], served: Served, settings: Settings) -> Target:
    if served.target is not None:
        return kind(served.target, resources=settings.resources)
    return kind(pickled=sys.stdin.buffer.read(), resources=settings.resources)


def _serve_many(names: list[str], flags: list[str]) -> int:
    """Serve each simulator in a child process, and end all as soon as one ends, so that all restart together."""
    children = [
        subprocess.Popen([find(name).python(), "-m", "gateway", "serve", name, *flags])  # noqa: S603 - ourselves
        for name in names
    ]

    def stop(_signal: int, _frame: FrameType | None) -> None:
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _pid, status = os.wait()
    stop(0, None)
    for child in children:
        child.wait()
    return os.waitstatus_to_exitcode(status) & 0xFF
