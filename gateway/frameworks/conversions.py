"""Finds out which framework a circuit belongs to, and loads the conversion of that framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.circuit import Circuit
from gateway.errors import FrameworkNotInstalled, RequestError


class _Conversion(NamedTuple):
    """The two functions that convert from and to a framework's own circuits."""

    parse: Callable[[object], Circuit]
    dump: Callable[[Circuit], Any]


def _braket() -> _Conversion:
    from gateway.frameworks.braket import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _cirq() -> _Conversion:
    from gateway.frameworks.cirq import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _pennylane() -> _Conversion:
    from gateway.frameworks.pennylane import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _pyquil() -> _Conversion:
    from gateway.frameworks.pyquil import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _pytket() -> _Conversion:
    from gateway.frameworks.pytket import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _qiskit() -> _Conversion:
    from gateway.frameworks.qiskit import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _qrisp() -> _Conversion:
    from gateway.frameworks.qrisp import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


def _qulacs() -> _Conversion:
    from gateway.frameworks.qulacs import dumping, parsing

    return _Conversion(parsing.parse, dumping.dump)


_CONVERSIONS: Mapping[str, Callable[[], _Conversion]] = {
    "braket": _braket,
    "cirq": _cirq,
    "pennylane": _pennylane,
    "pyquil": _pyquil,
    "pytket": _pytket,
    "qiskit": _qiskit,
    "qrisp": _qrisp,
    "qulacs": _qulacs,
}
"""Name of the framework -> function that imports its conversion, and the framework with it."""

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
"""Name of the framework, which is its import package and its room here -> the distribution that installs it."""

_PACKAGES = {**{name: name for name in FRAMEWORKS}, "qulacs_core": "qulacs"}
"""Top-level package that a class comes from -> name of the framework."""


def framework_of(source: object) -> str | None:
    """Return the framework that an object belongs to, by its class and base classes; ``None`` if it is unknown."""
    roots = (cls.__module__.partition(".")[0] for cls in type(source).__mro__)
    return next((_PACKAGES[root] for root in roots if root in _PACKAGES), None)


def parse(source: object) -> Circuit:
    """Return the shared circuit that is equal to a framework's own circuit.

    Raises:
        RequestError: the object belongs to no known framework, or is not a circuit.
        UnsupportedError: the shared circuit cannot express something in it; ``feature`` names that.
        CircuitInvalidError: its parameters are unbound, or it is malformed.
    """
    framework = framework_of(source)
    if framework is None:
        raise RequestError(f"a {type(source).__name__} is a circuit of no framework known here", field="circuits")
    return _conversion(framework).parse(source)


def dump(circuit: Circuit, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
    """Return a framework's own circuit that is equal to the shared one, with its global phase if the framework has one.

    Raises:
        RequestError: there is no conversion to the framework.
        FrameworkNotInstalled: the framework is not installed.
        CircuitInvalidError: the circuit breaks a rule, see :meth:`gateway.circuit.Circuit.validate`.
        UnsupportedError: the framework cannot express something in the circuit.
    """
    if framework not in FRAMEWORKS:
        raise RequestError(
            f"there is no conversion to {framework!r}: known are {', '.join(FRAMEWORKS)}", field="framework"
        )
    conversion = _conversion(framework)
    circuit.validate()
    return conversion.dump(circuit)


def _conversion(framework: str) -> _Conversion:
    """Load the conversion of a framework, and the framework with it.

    Raises:
        FrameworkNotInstalled: the framework is not installed.
    """
    try:
        return _CONVERSIONS[framework]()
    except ModuleNotFoundError as exc:
        if exc.name is None or exc.name.partition(".")[0] != framework:
            raise  # the framework is installed, but a package that it needs is not
        distribution = FRAMEWORKS[framework]
        raise FrameworkNotInstalled(
            f"{framework} is not installed: pip install {distribution}", framework=framework, requirement=distribution
        ) from exc
