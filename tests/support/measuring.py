"""A backend of which circuits have to measure what others compute."""

from __future__ import annotations

import msgspec

from gateway.backends.base import Backend, BackendStatus
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result, ResultType


class Measuring(Backend):
    """A backend that does not compute expectation values, as older servers and machines do not.

    Args:
        backend: what it runs its circuits on.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request."""
        return self.backend.send(request)

    def status(self) -> BackendStatus:
        """Return the status of the other backend."""
        return self.backend.status()

    def capabilities(self) -> Capabilities:
        """Return the capabilities of the other backend, without the result types that this one lacks."""
        kinds = (ResultType.COUNTS, ResultType.PROBABILITIES)
        return msgspec.structs.replace(self.backend.capabilities(), result_types=kinds)
