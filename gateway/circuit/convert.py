"""Anything that stands for a circuit -> what is sent: a Circuit or OpenQASM text."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from gateway.circuit.circuit import Circuit
from gateway.circuit.openqasm import parse
from gateway.errors import RequestError


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
        except (OSError, UnicodeDecodeError) as exc:
            raise RequestError(f"cannot read the circuit file {source}: {exc}", field="circuits") from exc
    if _interchange().framework_of(source) is not None:
        found: Circuit = _interchange().parse(source)
        return found
    raise RequestError(
        "a circuit is a Circuit, OpenQASM text, the Path of a file, or a circuit of "
        f"{', '.join(_interchange().FRAMEWORKS)}, not {type(source).__name__}",
        field="circuits",
    )


def _interchange() -> Any:  # noqa: ANN401 - a module, by name: it knows the circuit, which must not know it
    return importlib.import_module("gateway.frameworks")


def as_circuit(source: object) -> Circuit:
    """Return a Circuit, parsing text if need be.

    Raises:
        CircuitError, UnsupportedError, LimitError: the text is refused.
        RequestError: not a circuit at all.
    """
    found = as_source(source)
    return found if isinstance(found, Circuit) else parse(found)
