"""ServedBackend: the object through which a server's workers run circuits on a Backend."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cached_property
from typing import Any

import msgspec

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit
from gateway.errors import JobNotFound, RequestError
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails

OpenBackend = Callable[[], Backend]

_TIMEOUT_SHARE = 0.9
"""The share of a run's timeout after which a Backend ends the run itself."""


class ServedBackend:
    """Hands each run of a server's worker to a Backend.

    Args:
        source: the Backend, which is copied to each worker; or a function of no arguments, which opens one in the
            worker on first use. When it fails, it is called again for the next request.
        ping_func: a function that is called instead of the Backend's ``status()``.
        name: the name to report instead of the Backend's own.
        version: the version to report instead of the Backend's own.
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
        """The Backend, which is opened on first use.

        Raises:
            RequestError: the function that should open a Backend returned something else.
        """
        backend = self._source if isinstance(self._source, Backend) else self._source()
        if not isinstance(backend, Backend):
            raise RequestError(
                f"a function of no arguments opens a Backend to serve; this one returned {type(backend).__name__}",
                field="run_func",
            )
        return backend

    @cached_property
    def _identity(self) -> BackendStatus:
        """The machine's name and version, which are read only once because asking a cloud takes long."""
        return self.backend.status()

    @property
    def name(self) -> str:
        """The name of the machine behind the Backend."""
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

    def undo(self, name: str) -> None:
        """Cancel a job of a vendor's whose run here was killed, unless it has ended with that."""
        with suppress(JobNotFound):
            self.backend.job(name).cancel()

    def run(
        self,
        circuit: Circuit,
        *,
        shots: int | None,
        seed: int | None,
        result: ResultType | None,
        sampling: Sampling,
        details: RunDetails = NO_DETAILS,
    ) -> Result:
        """Run one circuit; the result's provenance is the Backend's own."""
        request = RunRequest(
            circuits=circuit,
            shots=shots,
            seed=seed,
            result=result,
            sampling=sampling,
            **msgspec.structs.asdict(details),
        )
        return self.backend.send(request)[0]

    def run_list(self, circuits: list[Circuit], request: RunRequest) -> list[Result]:
        """Run all circuits of a request together, so that they wait in the machine's queue only once.

        At the deadline this process is killed, but a job at a vendor would go on. A Backend that can end its
        runs therefore gets a little less time.
        """
        timeout_s = request.timeout_s if self.backend.ends_late_runs else None
        backend_timeout_s = None if timeout_s is None else timeout_s * _TIMEOUT_SHARE
        return self.backend.send(msgspec.structs.replace(request, circuits=list(circuits), timeout_s=backend_timeout_s))
