"""The entry point of the ``gateway`` command, which turns errors into one sentence and an exit status."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from gateway.cli.arguments import Parser, UsageError
from gateway.cli.commands import COMMANDS
from gateway.cli.complaints import complain
from gateway.errors import GatewayError
from gateway.version import __version__

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
READER_GONE = 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    The status is 0 for success; 1 for a failure; 2 for wrong usage; 130 after Ctrl-C; and 141 when the reader of the
    output has gone. For the commands that compare simulators 1 says that one differs, and 2 that something failed.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    failed = COMMANDS[words[0]].failed if words and words[0] in COMMANDS else FAILED
    try:
        _open_closed_streams()
        try:
            return _run(words)
        finally:
            _flush()
    except UsageError as exc:
        return _report_error(exc.message, WRONG_USAGE, program=exc.program or "gateway")
    except GatewayError as exc:
        return _report_error(exc.message, failed, getattr(exc, "excerpt", ""))
    except KeyboardInterrupt:
        return _report_error("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return READER_GONE
    except OSError as exc:
        where = f"{exc.filename}: " if exc.filename is not None else ""
        return _report_error(f"{where}{exc.strerror or exc}", failed)
    except UnicodeError as exc:
        return _report_error(f"a text cannot be read or written: {exc}", failed)
    except MemoryError:
        return _report_error("memory ran out", failed)


def _run(words: list[str]) -> int:
    if not words:
        _parser(None).print_help()
        return 0
    name = words[0]
    if not name.startswith("-") and name not in COMMANDS:
        import difflib

        close = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        names = ", ".join(COMMANDS)
        raise UsageError(f"there is no command {name!r}: {hint}There are {names}; 'gateway --help' says what they do")
    parser = _parser(name)
    parser.command = f"gateway {name}" if name in COMMANDS else "gateway"
    arguments = parser.parse_args(words)
    arguments.words = words
    return COMMANDS[name].run(arguments)


def _parser(command_name: str | None) -> Parser:
    """Return a parser for all commands, with the arguments of one command only."""
    parser = Parser(prog="gateway", description="Run one quantum circuit on many simulators, in one bit order.")
    parser.add_argument("--version", action="version", version=f"gateway {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        about = f"{command.summary[0].upper()}{command.summary[1:]}."
        subparser = subparsers.add_parser(name, help=command.summary, description=about, epilog=command.statuses)
        if name == command_name:
            command.declare(subparser)
    return parser


# ---------------------------------------------------------------------- standard streams


def _open_closed_streams() -> None:
    """Open standard streams that are closed (``>&-``), so that no other file gets their descriptor.

    Printing to a closed standard output then fails, as it does in other programs, instead of losing the output.
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
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a substitute


def _flush() -> None:
    """Flush standard output, so that a full disk or a missing reader can still be reported."""
    try:
        sys.stdout.flush()
    except OSError as exc:
        exc.filename = exc.filename or "standard output"
        with suppress(OSError, ValueError):  # the interpreter must not try to write the rest at its exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def _report_error(sentence: str, status: int, text: str = "", program: str = "gateway") -> int:
    with suppress(OSError):
        complain(sentence, text, program)
    return status
