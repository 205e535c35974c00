"""A Backend made into what a server runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import msgspec

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit
from gateway.errors import RequestError
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result, ResultType, Sampling

OpenBackend = Callable[[], Backend]

_SHARE_OF_THE_TIME = 0.9


class ServedBackend:
    """Hands each run of a server's worker to a Backend.

    Args:
        source: the Backend, copied to each worker; or a function of no arguments that opens one there,
            once, on first use. What cannot be opened is tried again for the next request.
        ping_func: asked instead of the Backend's ``status()``.
        name: reported instead of the Backend's own.
        version: likewise.
    """

    def __init__(
        self,
        source: Backend | OpenBackend,
        ping_func: Callable[[], tuple[bool, str | None]] | None = None,
        *,
        name: str | None = None,
        version: str | None = None,
    ) -> None:
        self._source = source
        self._ping_func = ping_func
        self._name = name
        self._version = version

    def __getstate__(self) -> dict[str, Any]:
        """Leave the opened Backend out of a copy, which opens its own."""
        return {name: value for name, value in self.__dict__.items() if name not in {"backend", "_identity"}}

    @cached_property
    def backend(self) -> Backend:
        """The Backend, opened if need be.

        Raises:
            RequestError: the function returned something else.
        """
        opened = self._source if isinstance(self._source, Backend) else self._source()
        if not isinstance(opened, Backend):
            raise RequestError(
                f"a function of no arguments opens a Backend to serve; this one returned {type(opened).__name__}",
                field="run_func",
            )
        return opened

    @cached_property
    def _identity(self) -> BackendStatus:
        """The machine's name and version; they are asked for once, because a cloud is far away."""
        return self.backend.status()

    @property
    def name(self) -> str:
        """Name of the machine behind the Backend."""
        return self._name if self._name is not None else self._identity.name

    @property
    def capabilities(self) -> Capabilities:
        """What the Backend can do."""
        return self.backend.capabilities()

    @property
    def native_gates(self) -> Collection[str]:
        """The gates that the Backend runs without lowering."""
        return self.backend.native_gates()

    def version(self) -> str:
        """Return the version the Backend reports."""
        return self._version if self._version is not None else self._identity.version

    def ping(self) -> tuple[bool, str | None]:
        """Ask the Backend whether it takes work."""
        if self._ping_func is not None:
            return self._ping_func()
        status = self.backend.status()
        return status.online, status.message

    def run(
        self, circuit: Circuit, *, shots: int | None, seed: int | None, result: ResultType | None, sampling: Sampling
    ) -> Result:
        """Run one circuit; the result's provenance is the Backend's own."""
        request = RunRequest(circuits=circuit, shots=shots, seed=seed, result=result, sampling=sampling)
        return self.backend.send(request)[0]

    def run_list(self, circuits: list[Circuit], request: RunRequest) -> list[Result]:
        """Run all circuits of a request together: they wait in the machine's queue once.

        At the deadline this process is killed, and a job at a vendor's would go on; so a Backend that can
        end its runs is given a little less time.
        """
        timeout_s = request.timeout_s if self.backend.ends_late_runs else None
        shorter = None if timeout_s is None else timeout_s * _SHARE_OF_THE_TIME
        return self.backend.send(msgspec.structs.replace(request, circuits=list(circuits), timeout_s=shorter))
