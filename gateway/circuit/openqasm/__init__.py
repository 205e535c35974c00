"""Reads OpenQASM 2 and 3 text into the parts of a circuit.

There is one parser: :mod:`~gateway.circuit.openqasm.reader` reads flat statements, which are nearly all of most texts,
by their text, and hands any other to :mod:`~gateway.circuit.openqasm.grammar` and the modules that compile what it
parses. Loops are unrolled and subroutines and gates inlined; what depends on outcomes becomes conditions, assignments
and loops of the circuit.

Decisions where the language leaves room:

* Every bit and register of bits belongs to the outcome, in the order of the declarations; also one that is declared in
  a block. One with a known value other than zero that nothing is measured into is a constant and does not. If a
  subroutine returns a bit of its own, that is the bit that its result is assigned to.
* Other variables belong to the outcome only if they are declared as ``output``. An ``int`` or ``uint`` without a width
  has 32 bits there, and wherever its value depends on outcomes.
* Delays, durations and the duration of a box have no effect, which a note says. Annotations have none either; a pragma
  is noted, and refused where it is known to matter.
* A division of integers truncates where an integer is expected; ``rx(1/2)`` is an error, ``pow(1/2)`` a root.
* Angles of variables wrap to ``[0, 2 pi)``; parameters of gates, and of the circuit, do not.
* ``include`` reads no file: the three known includes are built in.
"""

from __future__ import annotations

import sys
import warnings

from gateway.circuit.openqasm.classical_statements import Becomes
from gateway.circuit.openqasm.reader import read_program
from gateway.circuit.operations import DEFAULT_LIMITS, CircuitParts, Limits
from gateway.errors import CircuitSyntaxError, LimitError, RequestError

__all__ = ["read"]

_MOST_ATTEMPTS = 10


def read(text: str, limits: Limits = DEFAULT_LIMITS) -> CircuitParts:
    """Read OpenQASM text; its header decides the version.

    Registers are concatenated in the order of their declaration: clbit 0 is the first bit declared.
    Gates of the gate table are known with or without an ``include``; a definition in the text takes
    precedence over the table. Calls of defined gates are replaced by the definition.

    Args:
        text: a whole program. The known includes are built in, and no file is read.
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
    outcomes: frozenset[str] = frozenset()
    for _ in range(_MOST_ATTEMPTS):
        try:
            return read_program(text, limits, outcomes=outcomes)
        except Becomes as signal:
            outcomes |= {signal.name}
    msg = f"more than {_MOST_ATTEMPTS} registers begin with a known value and depend on outcomes later"
    raise LimitError(msg, limit="registers", requested=_MOST_ATTEMPTS + 1, allowed=_MOST_ATTEMPTS)


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
