"""GatewayClient: a gateway's simulators as backends, and comparisons that the gateway runs and keeps."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

import requests

from gateway.backends.access import access_to, default_place
from gateway.backends.base import CircuitLike
from gateway.backends.client import BackendClient, connect
from gateway.backends.patience import repeatedly
from gateway.backends.transport import Transport
from gateway.circuit import Circuit
from gateway.client.asking import Circuits, Options, body_of
from gateway.client.comparison_job import ComparisonJob, ask
from gateway.client.listing import Comparisons, Simulators
from gateway.compare.comparison import Comparison
from gateway.compare.progress import Progress, progress_of
from gateway.compare.writing import openqasm_of
from gateway.errors import SimulatorNotFound
from gateway.frameworks.sources import as_source
from gateway.protocol import door, endpoints
from gateway.protocol.door import CircuitInfo, CircuitRequest, ComparisonInfo, ComparisonList, DoorInfo, SimulatorList
from gateway.protocol.messages import encode
from gateway.protocol.refusals import named_choices

HERE = "http://127.0.0.1:8080"
"""The gateway where no other is named."""

_PAGE = 200
_CANCEL_S = 60.0
"""How long a comparison that was cancelled may take to end."""


class GatewayClient:
    """Speaks to a gateway, the service in front of several simulators.

    Args:
        url: its URL, with the path under which a proxy has it; or its name in ``gateway config``. By default that of
            ``GATEWAY_URL``, else the default of ``gateway config``, else ``http://127.0.0.1:8080``.
        token: its bearer token; by default as :mod:`gateway.backends.access` says, and empty for none.
        certificates: the path of a file or folder of certificates that are trusted in place of the system's; by
            default as :mod:`gateway.backends.access` says.
        timeout_s: seconds that one run may take, where no other time is given; the servers' limits by default.
        session: the session that carries the requests; tests give one with a transport of their own.

    Raises:
        RequestError: the URL is malformed, the name is unknown, or there are no certificates at the path.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        certificates: str | Path | None = None,
        timeout_s: float | None = None,
        session: requests.Session | None = None,
    ) -> None:
        self._access = access_to(url or default_place() or HERE, token=token, certificates=certificates)
        self._session = session
        self._transport = Transport(self._access, session)
        self.url = self._transport.url
        self.timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; comparisons go on."""
        self._transport.close()

    def info(self) -> DoorInfo:
        """Return the gateway's version, and the name and the rights of the token."""
        return self._transport.call(DoorInfo, door.DOOR, 60.0)

    # ---------------------------------------------------------------------- simulators and circuits

    def simulators(self) -> Simulators:
        """Return the simulators behind the gateway by their names, those that are down as well."""
        return Simulators(self._transport.call(SimulatorList, door.SIMULATORS, 60.0).simulators)

    def simulator(self, name: str) -> BackendClient:
        """Return a simulator as a backend, whose requests the gateway passes on.

        Raises:
            SimulatorNotFound: there is no simulator of this name.
        """
        names = self.simulators()
        if name not in names:
            raise SimulatorNotFound(
                f"{self.url} has no simulator {name!r:.100}: {named_choices(name, names)}", simulator=name
            )
        return connect(self._access.to_simulator(name), timeout_s=self.timeout_s, session=self._session)

    def circuit(
        self,
        circuit: CircuitLike,
        *,
        shots: int | None = 10_000,
        resolution: float | None = None,
        drawing: bool = True,
    ) -> CircuitInfo:
        """Return the errors of a text; or the size of a circuit, its drawing, and what it costs on each simulator.

        Args:
            circuit: OpenQASM text, the Path of a file, or a circuit of a framework.
            shots: of each simulator; ``None`` for exact results.
            resolution: the total variation distance to find, which chooses the shots instead.
            drawing: whether the drawing is asked for, an SVG.
        """
        source = as_source(circuit)
        text = openqasm_of(source) if isinstance(source, Circuit) else source
        body = encode(CircuitRequest(openqasm=text, shots=shots, resolution=resolution, drawing=drawing))
        return self._transport.call(CircuitInfo, door.CIRCUITS, 60.0, body)

    # ---------------------------------------------------------------------- comparisons

    def compare(
        self,
        circuits: Circuits,
        simulators: Sequence[str] | str | None = None,
        *,
        progress: Progress | str | None = "auto",
        **options: Unpack[Options],
    ) -> Comparison:
        """Compare simulators as :func:`gateway.compare.compare` does, on the gateway, which keeps the comparison.

        Ctrl-C cancels it, and what has finished is returned. If the gateway restarts meanwhile, or the connection
        breaks, nothing is lost.

        Args:
            circuits: a circuit as :meth:`Backend.run` takes it, a list of them, or a mapping from name to circuit.
            simulators: the names of simulators behind the gateway; all that are ready and can run the circuits by
                default.
            progress: ``"auto"`` shows it where people look, ``None`` nowhere; or an object of your own.
            options: the other arguments of :func:`gateway.compare.compare`, but for ``runtime``.

        Raises:
            RequestError: an argument has a wrong type or value.
            CircuitError, UnsupportedError, LimitError: a circuit is refused, or no simulator can run it.
            AuthenticationError: the token is missing or wrong, or its holder may not compare.
            TransportError: the gateway cannot be reached, or could not for a minute.
            GatewayError: the comparison failed.
        """
        display = progress_of(progress)
        job = self.submit(circuits, simulators, **options)
        try:
            job.wait(progress=display)
        except KeyboardInterrupt:
            job.cancel()
            if not job.wait(_CANCEL_S).has_record:
                raise
        return job.record()

    def submit(
        self, circuits: Circuits, simulators: Sequence[str] | str | None = None, **options: Unpack[Options]
    ) -> ComparisonJob:
        """Ask for a comparison, and return once the gateway has accepted it; see :meth:`compare`.

        When the connection breaks, the request is sent again, and an idempotency key makes sure that the comparison
        runs only once.
        """
        given: dict[str, object] = {"timeout_s": self.timeout_s, **options}
        body = body_of(circuits, simulators, given)
        headers = {endpoints.IDEMPOTENCY_KEY.name: secrets.token_hex(16)}
        info = repeatedly(lambda: self._transport.call(ComparisonInfo, door.COMPARE, 60.0, body, headers=headers))
        return ComparisonJob(self._transport, info)

    def comparison(self, comparison_id: str) -> ComparisonJob:
        """Return the comparison with this id, which another program may have asked for.

        Raises:
            JobNotFound: the gateway keeps no such comparison, or it is somebody else's.
        """
        return ComparisonJob(self._transport, repeatedly(lambda: ask(self._transport, comparison_id)))

    def comparisons(self, *, show: str = "all", search: str = "", limit: int = 50) -> Comparisons:
        """Return the latest comparisons, the newest first.

        Args:
            show: ``all``, or only those that ``differ``, ``failed``, are queued or ``running``, have ``ended``, or are
                of the holder of this token: ``mine``.
            search: only those with this text in a circuit's, simulator's or person's name.
            limit: how many at most.
        """
        query: dict[str, object] = {"show": show, **({"search": search} if search else {})}
        found: list[ComparisonInfo] = []
        total, following = 0, None
        while not found or (following is not None and len(found) < limit):
            page = self._page({**query, **({} if following is None else {"before": following})}, limit - len(found))
            found += page.comparisons
            total, following = page.total, page.next
            if not page.comparisons:
                break
        return Comparisons(found[:limit], total)

    def _page(self, query: dict[str, object], limit: int) -> ComparisonList:
        query = {**query, "limit": min(limit, _PAGE)}
        return repeatedly(lambda: self._transport.call(ComparisonList, door.COMPARISONS, 60.0, query=query))
