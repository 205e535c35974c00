"""Anything that stands for a circuit -> what is sent: a Circuit or OpenQASM text."""

from __future__ import annotations

from pathlib import Path

from gateway.circuit import Circuit
from gateway.errors import RequestError
from gateway.frameworks.conversions import FRAMEWORKS, framework_of, parse


def as_source(source: object) -> Circuit | str:
    """Return a circuit or OpenQASM text unchanged, the text of a file, or what a framework's object stands for.

    A server parses text itself, in a process that can be killed; so text is passed on as it is.

    Raises:
        RequestError: something else, or a file that cannot be read.
        UnsupportedError, CircuitInvalidError: a framework's object that the shared circuit cannot say.
    """
    if isinstance(source, Circuit | str):
        return source
    if isinstance(source, Path):
        try:
            return source.read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:  # ValueError: not UTF-8, or no path of a file at all
            raise RequestError(f"cannot read the circuit file {source}: {exc}", field="circuits") from exc
    if framework_of(source) is not None:
        return parse(source)
    raise RequestError(
        "a circuit is a Circuit, OpenQASM text, the Path of a file, or a circuit of "
        f"{', '.join(FRAMEWORKS)}, not {type(source).__name__}",
        field="circuits",
    )


def as_circuit(source: object) -> Circuit:
    """Return a Circuit, parsing text if need be.

    Raises:
        CircuitError, UnsupportedError, LimitError: the text is refused.
        RequestError: not a circuit at all.
    """
    text_or_circuit = as_source(source)
    return text_or_circuit if isinstance(text_or_circuit, Circuit) else Circuit.from_openqasm(text_or_circuit)
