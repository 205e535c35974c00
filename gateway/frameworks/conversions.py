"""Which framework a circuit is of, and the conversion of that framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gateway.circuit import Circuit
from gateway.errors import FrameworkNotInstalled, RequestError


class _Conversion(NamedTuple):
    """What converts from and to a framework's own circuits."""

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
"""Name of the framework -> what imports its conversion, and the framework with it."""

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
    return _conversion(framework).parse(source)


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
    conversion = _conversion(framework)
    circuit.validate()
    return conversion.dump(circuit)


def _conversion(framework: str) -> _Conversion:
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
