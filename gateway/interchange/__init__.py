"""The path of the conversions in earlier versions; :mod:`gateway.frameworks` has them now."""

from typing import Any

from gateway import frameworks
from gateway.frameworks import braket, cirq, pennylane, pyquil, pytket, qiskit, qrisp, qulacs
from gateway.frameworks.moved import alias_submodules, moved

alias_submodules(__name__, [braket, cirq, pennylane, pyquil, pytket, qiskit, qrisp, qulacs])


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what the name stands for
    return moved(__name__, frameworks, name)
