"""Where the ``gateway`` command begins and ends."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence

from gateway.errors import GatewayError

FAILED = 1
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status.

    0: done; 1: it failed, or a comparison found a difference; 2: wrong usage; 130: Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser(words).parse_args(words)
    command: Callable[[Namespace], int] = arguments.command
    try:
        return command(arguments)
    except GatewayError as exc:
        print(f"gateway: {exc}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("gateway: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; so has the reason to say anything
        return 128 + signal.SIGPIPE


def _parser(words: Sequence[str]) -> ArgumentParser:
    """Return the parser that knows the words; a server's start is waited for and loads only what it needs."""
    if words[:1] == ["serve"]:
        from gateway.cli import serve  # noqa: PLC0415

        return serve.parser()
    from gateway.cli import commands  # noqa: PLC0415

    return commands.parser()
