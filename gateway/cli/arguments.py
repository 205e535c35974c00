"""Converts the values of arguments, such as ``90s`` and ``2g``, to numbers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

from gateway.errors import GatewayError, RequestError
from gateway.units import parse_bytes, parse_seconds

if TYPE_CHECKING:
    from gateway.noise import NoiseModel

N = TypeVar("N", int, float)

_ARGUMENT = re.compile(r"argument (-[\w-]+)(?:/[\w/-]+)?: (?=must )")
"""The beginning of argparse's sentence about the value of a flag, which may have other names."""

_UNRECOGNIZED = "unrecognized arguments: "

RUNTIMES = ("auto", "docker", "local")


class UsageError(GatewayError, ValueError):
    """The command line, the environment or a file of settings contains something invalid.

    ``program`` is the command that refuses it, such as ``gateway serve``.
    """

    fields = ("program",)
    program: str | None


class Parser(argparse.ArgumentParser):
    """A parser that refuses wrong arguments in one sentence, and whose help fails where it cannot be written.

    Attributes:
        command: the words before the arguments, which an error names; ``None`` for the parser's own.
    """

    command: str | None = None

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - those of the base class
        super().__init__(*args, **options)
        self.register("type", int, integer)
        self.register("type", float, number)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: always.
        """
        sentence = _ARGUMENT.sub(r"\1 ", message) if _ARGUMENT.match(message) else message.removeprefix("argument ")
        unknown = sentence.removeprefix(_UNRECOGNIZED)
        if unknown != sentence:
            sentence = f"there is no argument {unknown.split()[0]!r}"
        command = self.command or self.prog
        raise UsageError(f"{sentence}; see {command} --help", program=command)

    def _print_message(self, message: str, file: IO[str] | None = None) -> None:  # type: ignore[override]
        """Write a text; the base class would lose it in silence if the disk is full."""
        if message:
            try:
                (file or sys.stderr).write(message)
            except OSError as exc:
                exc.filename = "standard output" if file is sys.stdout else None
                raise


def duration(text: str) -> float:
    """Return the number of seconds in a text such as ``90``, ``90s``, ``10m`` or ``2h``."""
    return _parsed(parse_seconds, text)


def size(text: str) -> int:
    """Return the number of bytes in a text such as ``512m`` or ``2g``."""
    return _parsed(parse_bytes, text)


def noise(text: str) -> NoiseModel:
    """Return the noise model that a text says, or the one in the file that it names."""
    from pathlib import Path

    from gateway.noise import noise_of

    try:
        return noise_of(Path(text).read_text(encoding="utf-8") if text.endswith(".json") else text)
    except OSError as exc:
        raise argparse.ArgumentTypeError(f"must be noise or a readable file: {exc}") from exc
    except GatewayError as exc:
        raise argparse.ArgumentTypeError(f"must be noise: {exc.message}") from exc


def integer(text: str) -> int:
    """Return the integer that a text stands for."""
    try:
        return int(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"must be an integer, not {text!r}") from exc


def number(text: str) -> float:
    """Return the number that a text stands for."""
    try:
        return float(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from exc


def _parsed(parse: Callable[[str, str], N], text: str) -> N:
    try:
        return parse(text, "it")
    except RequestError as exc:
        raise argparse.ArgumentTypeError(exc.message.removeprefix("it ")) from exc
