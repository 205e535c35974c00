"""The path of our backends inside frameworks in earlier versions; :mod:`gateway.frameworks` has them now."""

from gateway.frameworks import cirq, pennylane, pytket, qiskit, qrisp
from gateway.frameworks.moved import alias_submodules

alias_submodules(__name__, [cirq, pennylane, pytket, qiskit, qrisp])
