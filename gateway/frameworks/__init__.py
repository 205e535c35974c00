"""One room per framework: its circuits to and from the shared circuit, and our backends inside it.

A room converts directly into the shared circuit, never through a third framework. It keeps measured bits and
idle qubits, and refuses by name what it cannot express exactly. Importing a room does not load its framework;
using one of the room's names does, so nobody loads a framework that they do not use.
"""

from gateway.frameworks.conversions import FRAMEWORKS, dump, framework_of, parse

__all__ = ["FRAMEWORKS", "dump", "framework_of", "parse"]
