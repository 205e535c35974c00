"""The shared circuit: its data, its gate table, and OpenQASM in and out."""

from gateway.circuit.circuit import (
    Circuit,
    Comparison,
    Condition,
    Expression,
    Limits,
    Operation,
    bits,
    parameter,
    parse,
)

__all__ = ["Circuit", "Comparison", "Condition", "Expression", "Limits", "Operation", "bits", "parameter", "parse"]
