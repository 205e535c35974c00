"""Text <-> Circuit: the shared circuit, its gate table, OpenQASM in and out."""

from gateway.circuit.circuit import Circuit, Comparison, Condition, Limits, Operation, parse

__all__ = ["Circuit", "Comparison", "Condition", "Limits", "Operation", "parse"]
