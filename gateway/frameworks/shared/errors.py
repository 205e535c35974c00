"""Makes an error of ours one of a framework's too, so that programs written for the framework catch it."""

from __future__ import annotations

from gateway.errors import GatewayError

_CLASSES: dict[tuple[type[GatewayError], type[Exception]], type[GatewayError]] = {}
"""The classes made so far, by our class and the framework's."""


def also(error: GatewayError, kind: type[Exception]) -> GatewayError:
    """Return an equal error that is an instance of its own class and of a framework's.

    Args:
        error: an error of ours.
        kind: the class of errors that the framework's users catch; its constructor takes a message.
    """
    if isinstance(error, kind):
        return error
    return _rebuild(type(error), kind, error.message, error.circuit, error.details)


def _rebuild(
    ours: type[GatewayError],
    theirs: type[Exception],
    message: str,
    circuit: int | None,
    details: dict[str, object],
) -> GatewayError:
    return _joint_class(ours, theirs)(message, circuit=circuit, **details)


def _joint_class(ours: type[GatewayError], theirs: type[Exception]) -> type[GatewayError]:
    """Return the class of errors that are both, with our name and our text."""
    if (ours, theirs) in _CLASSES:
        return _CLASSES[ours, theirs]

    def reduce(error: GatewayError) -> tuple[object, ...]:
        return _rebuild, (ours, theirs, error.message, error.circuit, error.details)

    body = {"__doc__": ours.__doc__, "__module__": ours.__module__, "__str__": ours.__str__, "__reduce__": reduce}
    return _CLASSES.setdefault((ours, theirs), type(ours.__name__, (ours, theirs), body))
