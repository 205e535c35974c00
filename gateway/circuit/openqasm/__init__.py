"""Reads OpenQASM 2 and 3 text into the parts of a circuit.

There are two parsers. Our own fast one reads all of OpenQASM 2 and the flat part of OpenQASM 3. The other
one reads the full language of OpenQASM 3 with the reference parser; it is used only for a text that needs
it, and only after :mod:`~gateway.circuit.openqasm.parser_guard` has screened the text.
"""

from __future__ import annotations

import sys
import warnings

from gateway.circuit.openqasm.flat import NotFlat, parse_flat
from gateway.circuit.openqasm.parser_guard import screen
from gateway.circuit.operations import DEFAULT_LIMITS, CircuitParts, Limits
from gateway.errors import CircuitSyntaxError, LimitError, RequestError

__all__ = ["read"]

UNROLLED_OPERATIONS = 50_000
"""How many operations a program of the full language may unroll to.

Each costs 17 us, so an endless loop is noticed within a second. Flat text has no limit of its own."""


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> CircuitParts:
    """Read OpenQASM text; its header decides the version.

    Registers are concatenated in the order of their declaration: clbit 0 is the first bit declared.
    Gates of the gate table are known with or without an ``include``; a definition in the text takes
    precedence over the table. Calls of defined gates are replaced by the definition.

    Args:
        text: a whole program. The two standard includes are built in, and no file is read.
        limits: how large the circuit may be; they are checked before anything is built.

    Raises:
        RequestError: the text is not a string.
        CircuitSyntaxError: the text is not OpenQASM.
        CircuitInvalidError: an unknown gate or register, an index out of range, a qubit named twice.
        UnsupportedError: a flat circuit cannot express the program.
        LimitError: the circuit is larger than ``limits``.
    """
    _require_text(text)
    _check_size(text, limits)
    if not text.strip():
        raise CircuitSyntaxError("the circuit's text is empty")
    try:
        return parse_flat(text, limits)
    except NotFlat:
        pass
    screen(text, limits)
    from gateway.circuit.openqasm.full import parse_full  # noqa: PLC0415 - loads a library only when needed

    return parse_full(text, limits._replace(operations=min(limits.operations, UNROLLED_OPERATIONS)))


def _require_text(text: object) -> None:
    if not isinstance(text, str):
        msg = f"a circuit is OpenQASM text, not {type(text).__name__}"
        raise RequestError(msg, field="circuit")


def _check_size(text: str, limits: Limits) -> None:
    size = len(text)
    if size <= limits.text_bytes and not text.isascii():
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > limits.text_bytes:
        msg = f"the circuit's text has {size:,} bytes; at most {limits.text_bytes:,} are accepted"
        raise LimitError(msg, limit="text_bytes", requested=size, allowed=limits.text_bytes)


def __getattr__(name: str) -> object:
    """Return ``parse`` under its old path, with a warning that gives the new one."""
    if name != "parse":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn("gateway.circuit.openqasm.parse is now gateway.circuit.parse", DeprecationWarning, stacklevel=2)
    return sys.modules["gateway.circuit"].parse  # Python loads the package before its subpackage
