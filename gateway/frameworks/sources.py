"""Turns everything that users may pass as a circuit into a Circuit or OpenQASM text."""

from __future__ import annotations

from pathlib import Path

from gateway.circuit import Circuit
from gateway.errors import RequestError
from gateway.frameworks.conversions import FRAMEWORKS, framework_of, parse


def as_source(source: object) -> Circuit | str:
    """Return a Circuit or OpenQASM text unchanged, the text of a file, or the conversion of a framework's circuit.

    This function does not parse text, because a server parses it in a process that can be killed.

    Raises:
        RequestError: the source is something else, or a file that cannot be read.
        UnsupportedError, CircuitInvalidError: the shared circuit cannot express a framework's circuit.
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
    """Return a Circuit, after parsing the source if it is text.

    Raises:
        CircuitError, UnsupportedError, LimitError: the parser refuses the text.
        RequestError: the source is not a circuit.
    """
    text_or_circuit = as_source(source)
    return text_or_circuit if isinstance(text_or_circuit, Circuit) else Circuit.from_openqasm(text_or_circuit)
