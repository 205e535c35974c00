"""``gateway serve``: one simulator in this process, or several, each in a process of its own."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from gateway import legacy
from gateway.cli import settings
from gateway.errors import RequestError
from gateway.listener import bind
from gateway.simulators import SIMULATORS, find, offers

if TYPE_CHECKING:
    from gateway.server.host import Settings

_DRAIN_S = 8.0
"""Below the ten seconds that Docker and others give between SIGTERM and SIGKILL."""

_DEFAULT_PORT = 8080

_LEGACY_OPTIONS = [option for room in legacy.ROOMS.values() for option in room.options]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``gateway serve``."""
    parser.add_argument("names", metavar="NAME", nargs="*", help=f"one or more of {', '.join(SIMULATORS)}")
    parser.add_argument("--all", action="store_true", help="every simulator that is installed")
    parser.add_argument("--adapter", metavar="MODULE:CLASS", help="an adapter of your own instead")
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=int, help="default: the simulator's own port; 0: any free one")
    parser.add_argument("--workers", type=int, help="processes that simulate; default: one per processor")
    parser.add_argument("--timeout-s", type=float, help="longest run; default: 600")
    settings.add_options(parser)
    for option in _LEGACY_OPTIONS:
        option.declare(parser)


def command(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    names = _installed() if arguments.all else arguments.names
    if len(names) + bool(arguments.adapter) == 0:
        raise RequestError("name a simulator, or say --all or --adapter", field="names")
    if len(names) + bool(arguments.adapter) == 1:
        _serve_one(names[0] if names else None, arguments)
        return 0
    if arguments.adapter or arguments.port is not None or any(_given(arguments, for_one=True)):
        leave_out = ["--port", *(option.flag for option in _LEGACY_OPTIONS if option.for_one), "--adapter"]
        raise RequestError(f"several simulators are served on their own ports: leave {', '.join(leave_out)} out")
    return _serve_many([find(name).name for name in names], arguments)


def _installed() -> list[str]:
    """Return the simulators that are installed, those of other distributions included."""
    ours = [row.name for row in SIMULATORS.values() if row.installed_version()]
    return ours + [offer.name for offer in offers() if offer.row is not None]


def _serve_one(name: str | None, arguments: argparse.Namespace) -> None:
    row = find(name) if name is not None else None
    if row is not None and (python := row.python()) != sys.executable:
        os.execv(python, [python, "-m", "gateway.cli", *arguments.words])  # noqa: S606 - the same command, ours
    gc.disable()  # a start is waited for, and nothing that is made while modules are imported becomes garbage
    try:
        from gateway.execution.worker import Target  # noqa: PLC0415 - needs the extra 'server'
        from gateway.server.host import serve  # noqa: PLC0415
    except ImportError as exc:
        raise RequestError(f"serving needs {exc.name!r}: pip install 'simulator-gateway[server]'") from exc

    adapter = row.adapter if row else arguments.adapter
    port = arguments.port if arguments.port is not None else row.port if row else _DEFAULT_PORT
    chosen = _settings(arguments, name or adapter, port)
    listener = bind(arguments.host, port)
    interfaces = legacy.open_interfaces(_legacy_settings(arguments), arguments.host)
    address = f"{'http' if chosen.tls is None else 'https'}://{arguments.host}:{listener.getsockname()[1]}"
    print(f"gateway: serving {name or adapter} at {address} (Ctrl-C stops it)", file=sys.stderr, flush=True)
    for announcement in [each for interface in interfaces for each in interface.announcements]:
        print(f"gateway: and {announcement}", file=sys.stderr, flush=True)
    serve(Target(adapter), listener, chosen, interfaces=interfaces)


def _given(arguments: argparse.Namespace, *, for_one: bool) -> list[str]:
    """Return the options of interfaces for older clients that were given on the command line, as they were given."""
    words: list[str] = []
    for option in _LEGACY_OPTIONS:
        value = getattr(arguments, option.setting)
        if option.for_one is for_one and value not in {None, False}:
            words += [option.flag] if value is True else [option.flag, str(value)]
    return words


def _legacy_settings(arguments: argparse.Namespace) -> dict[str, dict[str, object]]:
    return {
        name: {option.setting: value for option in room.options if (value := option.value(arguments)) is not None}
        for name, room in legacy.ROOMS.items()
    }


def _settings(arguments: argparse.Namespace, queue: str, port: int) -> Settings:
    """Return the settings of one server, everything checked."""
    from gateway.protocol.messages import ServerLimits, decode, encode  # noqa: PLC0415 - needs the extra 'server'
    from gateway.server.access.tokens import Tokens, parse_tokens  # noqa: PLC0415
    from gateway.server.host import Settings  # noqa: PLC0415

    digests = settings.split(os.environ.get(settings.TOKEN_DIGEST_VARIABLE))
    file = settings.TOKENS.value(arguments)
    chosen = Settings(
        **({} if arguments.workers is None else {"workers": arguments.workers}),
        limits=decode(ServerLimits, encode(settings.limits(arguments, ServerLimits.__struct_fields__))),
        log_level="info",
        tokens=parse_tokens(digests, settings.TOKEN_DIGEST_VARIABLE),
        tokens_file=None if file is None else Path(file),
        hosts=settings.split(settings.HOSTS.value(arguments)),
        origins=settings.split(settings.ORIGINS.value(arguments)),
        jobs_url=settings.jobs_url(arguments, queue, port),
        jobs_queue=queue,
        drain_s=_DRAIN_S,
        tls=settings.tls(arguments),
        idle_s=settings.idle_s(),
    )
    guarded = bool(Tokens(chosen.tokens, chosen.tokens_file))
    settings.refuse_strangers(
        arguments.host, guarded=guarded, anonymous=settings.switched_on(settings.ANONYMOUS, arguments)
    )
    return chosen


def _serve_many(names: list[str], arguments: argparse.Namespace) -> int:
    """Serve each simulator in a child; when one ends, end all: whoever restarts us restarts all."""
    options = [f"--host={arguments.host}"]
    options += [] if arguments.workers is None else [f"--workers={arguments.workers}"]
    options += [] if arguments.timeout_s is None else [f"--timeout-s={arguments.timeout_s}"]
    options += settings.passed_on(arguments) + _given(arguments, for_one=False)
    children = [
        subprocess.Popen([find(name).python(), "-m", "gateway.cli", "serve", name, *options])  # noqa: S603 - ourselves
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
