"""Anything that stands for a circuit -> what is sent: a Circuit or OpenQASM text."""

from __future__ import annotations

from pathlib import Path

from gateway.circuit.circuit import Circuit
from gateway.circuit.openqasm import parse
from gateway.errors import RequestError


def as_source(source: object) -> Circuit | str:
    """Return a circuit or OpenQASM text unchanged, and the text of a file given by its path.

    A server parses text itself, in a process that can be killed; so text is passed on as it is.

    Raises:
        RequestError: something else, or a file that cannot be read.
    """
    if isinstance(source, Circuit | str):
        return source
    if isinstance(source, Path):
        try:
            return source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise RequestError(f"cannot read the circuit file {source}: {exc}", field="circuits") from exc
    raise RequestError(
        f"a circuit is a Circuit, OpenQASM text, or the Path of a file, not {type(source).__name__}", field="circuits"
    )


def as_circuit(source: object) -> Circuit:
    """Return a Circuit, parsing text if need be.

    Raises:
        CircuitError, UnsupportedError, LimitError: the text is refused.
        RequestError: not a circuit at all.
    """
    found = as_source(source)
    return found if isinstance(found, Circuit) else parse(found)
