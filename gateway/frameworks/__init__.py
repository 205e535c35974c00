"""Circuits of other frameworks <-> the shared circuit: one file per framework, ``parse`` and ``dump``.

Each module converts straight into the shared circuit, never through a third framework. Measured
bits and idle qubits are kept; what cannot be said exactly is refused by name. A module is imported
only when one of its framework's objects turns up or is asked for, so nobody loads a framework he
does not use.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from gateway.errors import FrameworkNotInstalled, RequestError

if TYPE_CHECKING:
    from types import ModuleType

    from gateway.circuit import Circuit

FRAMEWORKS: dict[str, str] = {
    "braket": "amazon-braket-sdk",
    "cirq": "cirq-core",
    "pennylane": "pennylane",
    "pyquil": "pyquil",
    "pytket": "pytket",
    "qiskit": "qiskit",
    "qrisp": "qrisp",
    "qulacs": "qulacs",
}
"""Name of the framework, which is its import package and its module here -> the distribution that installs it."""

_PACKAGES = {**{name: name for name in FRAMEWORKS}, "qulacs_core": "qulacs"}
"""Top-level package a class comes from -> framework."""


def framework_of(source: object) -> str | None:
    """Return the framework an object belongs to, looking at its class and what that derives from."""
    roots = (cls.__module__.partition(".")[0] for cls in type(source).__mro__)
    return next((_PACKAGES[root] for root in roots if root in _PACKAGES), None)


def parse(source: object) -> Circuit:
    """Return the shared circuit that a framework's own object stands for.

    Raises:
        RequestError: the object is of no framework known here, or not a circuit of it.
        UnsupportedError: it holds something the shared circuit cannot say; ``feature`` names it.
        CircuitInvalidError: it is not finished: parameters are unbound, or it is malformed.
    """
    framework = framework_of(source)
    if framework is None:
        raise RequestError(f"a {type(source).__name__} is a circuit of no framework known here", field="circuits")
    circuit: Circuit = _module(framework).parse(source)
    return circuit


def dump(circuit: Circuit, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
    """Return a framework's own circuit, equal to the shared one, global phase included where it has one.

    Raises:
        RequestError: no such framework.
        FrameworkNotInstalled: it is known here but not installed.
        CircuitInvalidError: the circuit breaks a rule, see :meth:`gateway.circuit.Circuit.validate`.
        UnsupportedError: the framework cannot say something in the circuit.
    """
    if framework not in FRAMEWORKS:
        raise RequestError(
            f"there is no conversion to {framework!r}: known are {', '.join(FRAMEWORKS)}", field="framework"
        )
    module = _module(framework)
    circuit.validate()
    return module.dump(circuit)


def _module(framework: str) -> ModuleType:
    try:
        found = importlib.util.find_spec(framework)
    except ValueError:  # already imported, by hand and without a spec
        found = None
    if found is None:
        distribution = FRAMEWORKS[framework]
        raise FrameworkNotInstalled(
            f"{framework} is not installed: pip install {distribution}", framework=framework, requirement=distribution
        )
    return importlib.import_module(f"gateway.frameworks.{framework}.conversion")
