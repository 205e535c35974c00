"""One room per framework: its circuits to and from the shared circuit, and our backends inside it.

A room converts straight into the shared circuit, never through a third framework. Measured bits and idle
qubits are kept; what cannot be said exactly is refused by name. Importing a room loads nothing of its
framework before one of the room's names is asked for, so nobody loads a framework they do not use.
"""

from gateway.frameworks.conversions import FRAMEWORKS, dump, framework_of, parse

__all__ = ["FRAMEWORKS", "dump", "framework_of", "parse"]
