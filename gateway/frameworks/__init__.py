"""Circuits of other frameworks <-> the shared circuit: one file per framework, ``parse`` and ``dump``.

Each module converts straight into the shared circuit, never through a third framework. Measured
bits and idle qubits are kept; what cannot be said exactly is refused by name. A module is imported
only when one of its framework's objects turns up or is asked for, so nobody loads a framework they
do not use.
"""

from __future__ import annotations

# ruff: noqa: PLC0415 - a framework is loaded when one of its circuits turns up, and never before
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from gateway.errors import FrameworkNotInstalled, RequestError

if TYPE_CHECKING:
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


class Conversion(Protocol):
    """The module of a framework: its own circuit in, its own circuit out."""

    def parse(self, circuit: Any, /) -> Circuit:  # noqa: ANN401 - the framework's own class
        """Return the shared circuit that a framework's own stands for."""

    def dump(self, circuit: Circuit, /) -> Any:  # noqa: ANN401 - the framework's own class
        """Return a framework's own circuit, equal to the shared one."""


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
    return _module(framework).parse(source)


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


def _module(framework: str) -> Conversion:
    """Load the conversion of a framework, and with it the framework.

    Raises:
        FrameworkNotInstalled: the framework is absent.
    """
    try:
        return _CONVERSIONS[framework]()
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != framework:
            raise  # it is there, but something that it needs is not
        distribution = FRAMEWORKS[framework]
        raise FrameworkNotInstalled(
            f"{framework} is not installed: pip install {distribution}", framework=framework, requirement=distribution
        ) from exc


def _braket() -> Conversion:
    from gateway.frameworks.braket import conversion

    return conversion


def _cirq() -> Conversion:
    from gateway.frameworks.cirq import conversion

    return conversion


def _pennylane() -> Conversion:
    from gateway.frameworks.pennylane import conversion

    return conversion


def _pyquil() -> Conversion:
    from gateway.frameworks.pyquil import conversion

    return conversion


def _pytket() -> Conversion:
    from gateway.frameworks.pytket import conversion

    return conversion


def _qiskit() -> Conversion:
    from gateway.frameworks.qiskit import conversion

    return conversion


def _qrisp() -> Conversion:
    from gateway.frameworks.qrisp import conversion

    return conversion


def _qulacs() -> Conversion:
    from gateway.frameworks.qulacs import conversion

    return conversion


_CONVERSIONS: dict[str, Callable[[], Conversion]] = {
    "braket": _braket,
    "cirq": _cirq,
    "pennylane": _pennylane,
    "pyquil": _pyquil,
    "pytket": _pytket,
    "qiskit": _qiskit,
    "qrisp": _qrisp,
    "qulacs": _qulacs,
}
"""Name of the framework -> what loads its conversion; each import is a statement that every tool can see."""
