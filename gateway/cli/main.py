"""Where the ``gateway`` command begins and ends: the one place that turns failures into sentences and statuses."""

from __future__ import annotations

import io
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress

from gateway.cli.arguments import UsageError
from gateway.cli.commands import COMMANDS
from gateway.errors import GatewayError
from gateway.version import __version__

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
_READER_GONE = 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status.

    0: done; 1: it failed, or a comparison found a difference; 2: wrong usage; 130: Ctrl-C; 141: nobody
    reads the output any more.
    """
    try:
        _open_closed_streams()
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            _flush()
    except GatewayError as exc:
        return _failed(exc.message, WRONG_USAGE if isinstance(exc, UsageError) else FAILED)
    except KeyboardInterrupt:
        return _failed("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _READER_GONE
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename is not None else ""
        return _failed(f"{where}{exc.strerror or exc}")
    except UnicodeError as exc:
        return _failed(f"a text cannot be read or written: {exc}")
    except MemoryError:
        return _failed("memory ran out")


def _run(words: list[str]) -> int:
    if not words:
        _parser(None).print_help()
        return 0
    name = words[0]
    if not name.startswith("-") and name not in COMMANDS:
        import difflib  # noqa: PLC0415 - nothing else needs it, and the help is waited for

        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        known = ", ".join(COMMANDS)
        raise UsageError(f"there is no command {name!r}: {hint}There are {known}; 'gateway --help' says what they do")
    arguments = _parser(name).parse_args(words)
    arguments.words = words
    return COMMANDS[name].run(arguments)


def _parser(chosen: str | None) -> ArgumentParser:
    """Return a parser that knows all commands, and the arguments of the chosen one."""
    whole = ArgumentParser(prog="gateway", description="Run one quantum circuit on many simulators, in one bit order.")
    whole.add_argument("--version", action="version", version=f"gateway {__version__}")
    subparsers = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        about = f"{command.summary[0].upper()}{command.summary[1:]}."
        parser = subparsers.add_parser(name, help=command.summary, description=about)
        if name == chosen:
            command.declare(parser)
    return whole


# ---------------------------------------------------------------------- standard streams


def _open_closed_streams() -> None:
    """Let nothing that is opened later take the number of a standard stream that was closed (``>&-``).

    What is printed to a closed standard output fails, as it does elsewhere, and is not lost in silence.
    """
    for descriptor, mode in enumerate((os.O_RDWR, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows another


def _flush() -> None:
    """Write what is still to be written, while a full disk or a reader that has gone can be reported."""
    try:
        sys.stdout.flush()
    except OSError as exc:
        exc.filename = exc.filename or "standard output"
        with suppress(OSError, ValueError):  # at exit nothing may be left to write
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _failed(sentence: str, status: int = FAILED) -> int:
    with suppress(OSError):
        print(f"gateway: {sentence}", file=sys.stderr, flush=True)
    return status
