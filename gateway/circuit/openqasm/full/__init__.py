"""The whole of OpenQASM 3, as far as a flat circuit can express it.

The reference parser (``openqasm3``) makes a syntax tree, and a visitor carries it out: it unrolls loops,
inlines subroutines and gates, keeps variables as values, and turns ``if`` and ``switch`` on measured bits into
conditions. It refuses, by name, everything that depends on a measurement in another way.

Decisions where the language leaves room or a flat circuit has none:

* Annotations do not change a program and are ignored; a pragma may, and is refused.
* ``box`` without a duration only groups statements; with one it is refused, as are ``delay`` and ``stretch``.
* A bit declared with a value other than zero is a variable with a known value and not part of the outcome.
* Bits declared inside a loop or a subroutine are clbits of the circuit like any other. If the subroutine
  returns them, they are the clbits that its result is assigned to.
* ``output`` is an ordinary declaration: every clbit belongs to the outcome.
* A division of integers truncates where an integer is expected; ``rx(1/2)`` is an error, ``pow(1/2)`` a root.
* Angles of variables wrap to ``[0, 2 pi)``; parameters of gates do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gateway.circuit.openqasm.full.spelling import respell
from gateway.circuit.operations import DEFAULT_LIMITS, CircuitParts, Limits
from gateway.errors import CircuitSyntaxError, UnsupportedError

if TYPE_CHECKING:
    from antlr4.Token import Token
    from openqasm3 import ast

_PLACE = re.compile(r"L(\d+):C(\d+): (.*)", re.DOTALL)
_VERSIONS = frozenset({"2", "2.0", "3", "3.0", "3.1"})


def parse_full(text: str, limits: Limits = DEFAULT_LIMITS) -> CircuitParts:
    """Parse OpenQASM text with the reference parser, which takes about 0.3 ms a statement.

    OpenQASM 2 can be read as far as the grammar of OpenQASM 3 covers it. Registers are concatenated in
    the order of their declaration: clbit 0 is the first bit declared.

    Raises:
        CircuitSyntaxError: the text is not OpenQASM.
        CircuitInvalidError: a name is unknown, an index is out of range, or the number of something is wrong.
        UnsupportedError: a statement cannot be flattened; the message names the line and the construct.
        LimitError: the circuit exceeds ``limits``, which is noticed while unrolling.
    """
    from gateway.circuit.openqasm.full.program import Program  # noqa: PLC0415 - only when needed

    tree = _tree(text)
    version = tree.version or "3"
    if version not in _VERSIONS:
        msg = f"line 1: OpenQASM {version} is not known; 2.0, 3.0 and 3.1 are"
        raise UnsupportedError(msg, feature=f"OPENQASM {version}", line=1)
    program = Program(limits, version_2=version.startswith("2"))
    try:
        program.run(tree.statements)
    except RecursionError as exc:
        raise _too_deep() from exc
    return program.out.parts()


def _tree(text: str) -> ast.Program:
    """Return the syntax tree, and turn the library's errors into ours."""
    from openqasm3.parser import QASM3ParsingError  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        return _parsed_quietly(respell(text))
    except QASM3ParsingError as exc:
        raise _syntax_error(exc) from exc
    except RecursionError as exc:
        raise _too_deep() from exc
    except CircuitSyntaxError:
        raise
    except Exception as exc:
        msg = f"the text cannot be read as OpenQASM: {type(exc).__name__}: {exc}"
        raise CircuitSyntaxError(msg) from exc


def _parsed_quietly(text: str) -> ast.Program:
    """Do what ``openqasm3.parse`` does, but keep ANTLR from writing the text to standard error: it may be secret."""
    from antlr4 import CommonTokenStream, InputStream  # noqa: PLC0415 - as above
    from antlr4.error.ErrorStrategy import BailErrorStrategy  # noqa: PLC0415
    from openqasm3 import parser as library  # noqa: PLC0415

    lexer = library.qasm3Lexer(InputStream(text))
    lexer.removeErrorListeners()
    lexer.addErrorListener(library._RaiseOnErrorListener())  # noqa: SLF001 - the library's own, which names the place
    parser = library.qasm3Parser(CommonTokenStream(lexer))
    parser.removeErrorListeners()
    parser._errHandler = BailErrorStrategy()  # noqa: SLF001 - ANTLR has no public way
    try:
        tree = parser.program()
    except (library.RecognitionException, library.ParseCancellationException) as exc:
        raise library.QASM3ParsingError from exc
    program: ast.Program = library.QASMNodeVisitor().visitProgram(tree)
    return program


def _too_deep() -> CircuitSyntaxError:
    return CircuitSyntaxError("the program is nested too deeply")


def _syntax_error(error: Exception) -> CircuitSyntaxError:
    """Return our error for the library's, whose columns count from zero."""
    place = _PLACE.match(str(error))
    if place is not None:
        line, column, what = place.groups()
        return CircuitSyntaxError(what, line=int(line), column=int(column) + 1)
    token = _offending_token(error)
    if token is None:
        return CircuitSyntaxError(str(error) or "the text is not OpenQASM")
    what = "the program ends too early" if token.text == "<EOF>" else f"{token.text!r} is not expected here"
    return CircuitSyntaxError(what, line=token.line, column=token.column + 1)


def _offending_token(error: Exception) -> Token | None:
    """Return the token ANTLR stopped at, which is two exceptions down."""
    for argument in getattr(error.__cause__, "args", ()):
        token: Token | None = getattr(argument, "offendingToken", None)
        if token is not None:
            return token
    return None
