"""Knows the simulators behind the door: where each of them is, and how it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from gateway.door.upstream import Request, Upstream, UpstreamError, ask
from gateway.errors import BusyError, GatewayError, SimulatorNotFound
from gateway.protocol import endpoints, problem
from gateway.protocol.door import Load, SimulatorInfo, SimulatorState
from gateway.protocol.messages import BackendInfo, decode
from gateway.protocol.refusals import named_choices
from gateway.server.access.door_key import door_headers
from gateway.settings import Trust
from gateway.simulators import SIMULATORS

if TYPE_CHECKING:
    from gateway.door.upstream import Head, Header
    from gateway.jobs.manager import Caller

LOOK_EVERY_S = 1.0
"""Seconds between two looks at a simulator."""

PATIENCE_S = 5.0
"""Seconds within which a simulator has to say how it is."""

DESCRIBED_EVERY_S = 60.0
"""Seconds after which a simulator that runs is asked again what it can do."""

WATCHED_FOR_S = 10.0
"""For so many seconds after somebody has asked for the list, simulators are asked how much they have to do."""

MOST_BYTES = 2**20

MOST = 10**9
"""What simulators have to do is less than this, if they say so in earnest."""

_LOADS = {"gateway_workers": "workers", "gateway_waiting_runs": "waiting", "gateway_queued_circuits": "waiting"}

log = logging.getLogger("gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A simulator that the door was told of.

    Args:
        name: its name, in the paths of the door.
        url: the base URL of its server.
        token: the token that the door sends for everybody; ``None`` where callers send their own.
        trust: what the door tells its server.
        certificates: a file or folder of certificates that are trusted instead of the system's.
    """

    name: str
    url: str
    token: str | None = None
    trust: Trust = Trust.NONE
    certificates: str | None = None


@dataclass(slots=True)
class _Known:
    """What is known of one simulator.

    Args:
        entry: where it is.
        upstream: the connections to it.
        info: what the list says of it.
        described_at: when it said last what it can do, in seconds of the clock.
        is_known: whether it was looked at.
    """

    entry: Entry
    upstream: Upstream
    info: SimulatorInfo
    described_at: float = 0.0
    is_known: bool = False


class Directory:
    """Looks at all simulators once a second, on the event loop; what it knows can be read from any thread.

    Args:
        entries: the simulators, in the order in which they are listed.
        key: the door's own token, for simulators that demand one and for which there is none in their entry.
        start_hint: the command that starts a simulator, with ``{name}`` in it.
    """

    def __init__(self, entries: Sequence[Entry], key: str | None = None, start_hint: str = "gateway up {name}") -> None:
        now = datetime.now(UTC)
        self._known = {
            entry.name: _Known(
                entry,
                Upstream(entry.url, entry.certificates),
                SimulatorInfo(
                    name=entry.name,
                    distribution=SIMULATORS[entry.name].distribution if entry.name in SIMULATORS else "",
                    state=SimulatorState.STARTING,
                    reason="nobody has asked it yet",
                    since=now,
                ),
            )
            for entry in entries
        }
        self._key = key
        self._start_hint = start_hint
        self._watched_until = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all simulators."""
        return tuple(self._known)

    @property
    def is_ready(self) -> bool:
        """Whether each simulator was looked at, so that it is known whether it takes work."""
        return all(known.is_known for known in self._known.values())

    def infos(self) -> tuple[SimulatorInfo, ...]:
        """Return what is known of each simulator."""
        self._watched_until = time.monotonic() + WATCHED_FOR_S
        return tuple(known.info for known in self._known.values())

    def entries(self) -> tuple[Entry, ...]:
        """Return where the simulators are."""
        return tuple(known.entry for known in self._known.values())

    def info(self, name: str) -> SimulatorInfo:
        """Return what is known of a simulator.

        Raises:
            SimulatorNotFound: there is none of this name.
        """
        return self._find(name).info

    def upstream(self, name: str) -> Upstream:
        """Return the connections to a simulator.

        Raises:
            SimulatorNotFound: there is none of this name.
        """
        return self._find(name).upstream

    def own_headers(self, entry: Entry) -> list[Header]:
        """Return the headers with which the door itself asks a simulator."""
        token = entry.token or self._key_for(entry)
        return [] if token is None else [bearer(token)]

    def _key_for(self, entry: Entry) -> str | None:
        return self._key if entry.trust is Trust.OWN else None

    def headers_for(self, name: str, caller: Caller, authorization: bytes | None) -> list[Header]:
        """Return the headers that tell a simulator who asks.

        Callers send their own tokens on to simulators that are trusted with them. Where nobody needs one, the door says
        who it is that asks, so that callers take turns; and a simulator with a token of its own knows nobody but the
        door.

        Args:
            name: the simulator.
            caller: who asks.
            authorization: their own header.
        """
        entry = self._find(name).entry
        key = self._key_for(entry)
        if entry.token is not None:
            return [bearer(entry.token)]
        if authorization is None:
            return [] if key is None else _as_headers(door_headers(key, caller.name))
        return [] if entry.trust is Trust.NONE else [(b"authorization", authorization)]

    def comparison_headers(self, entry: Entry, caller: str) -> dict[str, str]:
        """Return the headers with which a comparison for somebody asks a simulator, beside the token of its entry."""
        key = self._key_for(entry)
        return {} if key is None or entry.token is not None else door_headers(key, caller)

    def metrics(self) -> dict[str, str | None]:
        """Ask all simulators for their metrics, from another thread than that of the event loop.

        Returns:
            The name of each simulator -> the text; ``None`` where it is down, or gives no metrics to the door.
        """
        if self._loop is None:
            return dict.fromkeys(self._known)
        asked = asyncio.run_coroutine_threadsafe(self._all_metrics(), self._loop)
        try:
            texts = asked.result(2 * PATIENCE_S)
        except TimeoutError:
            asked.cancel()
            raise BusyError("the door is too busy to ask the simulators: try again", retry_after_s=1.0) from None
        return dict(zip(self._known, texts, strict=True))

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look."""
        self._loop = loop
        self._tasks = [loop.create_task(self._watch(known)) for known in self._known.values()]

    def close(self) -> None:
        """End all looking, and the connections; once the event loop has ended, nothing is left of either."""
        if self._loop is None or self._loop.is_closed():
            return
        for task in self._tasks:
            task.cancel()
        for known in self._known.values():
            known.upstream.close()

    def _find(self, name: str) -> _Known:
        known = self._known.get(name)
        if known is None:
            raise SimulatorNotFound(
                f"there is no simulator {name!r:.100} here: {named_choices(name, self._known)}", simulator=name
            )
        return known

    # ------------------------------------------------------------------ looking

    async def _watch(self, known: _Known) -> None:
        while True:
            began = time.monotonic()
            try:
                info = await self._look(known)
            except Exception:  # whatever a stranger has answered, it is looked at again
                log.exception("looking at %s failed", known.entry.name)
                info = self._down(known, "gives answers that are not understood")
            if info.state is not known.info.state or known.info.since is None:
                info = msgspec.structs.replace(info, since=datetime.now(UTC))
            known.info, known.is_known = info, True
            await asyncio.sleep(max(0.0, began + LOOK_EVERY_S - time.monotonic()))

    async def _look(self, known: _Known) -> SimulatorInfo:
        """Return how a simulator is now."""
        before, entry = known.info, known.entry
        try:
            head, body = await self._ask(known, endpoints.READYZ.path)
            if head.status == HTTPStatus.SERVICE_UNAVAILABLE:
                reason = f"{entry.name} imports its framework"
                return msgspec.structs.replace(before, state=SimulatorState.STARTING, reason=reason, load=None)
            if head.status != HTTPStatus.OK:
                raise problem.parse(body, head.status, entry.url)
            is_new = before.state is not SimulatorState.READY or before.backend is None
            backend = before.backend
            if is_new or known.described_at + DESCRIBED_EVERY_S < time.monotonic():
                backend = await self._describe(known)
            load = await self._load(known) if time.monotonic() < self._watched_until else before.load
        except UpstreamError as exc:
            return self._down(known, str(exc))
        except GatewayError as exc:
            return self._down(known, f"answers: {exc.message}")
        state, reason = SimulatorState.READY, ""
        if backend is not None and not backend.online:
            state, reason = SimulatorState.DOWN, backend.status or f"{entry.name} says that it takes no work"
        return msgspec.structs.replace(before, state=state, reason=reason, load=load, backend=backend)

    async def _describe(self, known: _Known) -> BackendInfo:
        """Return what a simulator says of itself.

        Raises:
            UpstreamError: it gives no answer.
            GatewayError: it refuses, or answers with something else.
        """
        head, body = await self._ask(known, endpoints.BACKEND.path)
        if head.status != HTTPStatus.OK:
            raise problem.parse(body, head.status, known.entry.url)
        info = decode(BackendInfo, body)
        known.described_at = time.monotonic()
        return info

    async def _load(self, known: _Known) -> Load | None:
        """Return what a simulator has to do, if it says so."""
        text = await self._metrics(known)
        with contextlib.suppress(ValueError):  # of the metrics of somebody else
            return None if text is None else load_of(text.splitlines())
        return None

    async def _all_metrics(self) -> list[str | None]:
        return await asyncio.gather(*map(self._metrics, self._known.values()))

    async def _metrics(self, known: _Known) -> str | None:
        if known.info.state is SimulatorState.DOWN:
            return None
        try:
            head, body = await self._ask(known, endpoints.METRICS.path)
        except UpstreamError:
            return None
        return body.decode("utf-8", "replace") if head.status == HTTPStatus.OK else None

    async def _ask(self, known: _Known, path: str) -> tuple[Head, bytes]:
        request = Request("GET", path.encode(), self.own_headers(known.entry))
        return await ask(known.upstream, request, within_s=PATIENCE_S, most_bytes=MOST_BYTES)

    def _down(self, known: _Known, why: str) -> SimulatorInfo:
        before = known.info
        since = before.since if before.state is SimulatorState.DOWN and before.since is not None else datetime.now(UTC)
        hint = self._start_hint.replace("{name}", before.name)
        reason = f"{before.name} at {known.entry.url} {why}, since {since:%H:%M} UTC: '{hint}' starts it"
        return msgspec.structs.replace(before, state=SimulatorState.DOWN, reason=reason, since=since, load=None)


def _as_headers(headers: Mapping[str, str]) -> list[Header]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def bearer(token: str) -> Header:
    """Return the header with a token."""
    return b"authorization", f"Bearer {token}".encode("latin-1")


def load_of(metrics: Iterable[str]) -> Load:
    """Return what a simulator has to do, from the lines of its metrics.

    Raises:
        ValueError: a number is none.
    """
    numbers = {"workers": 0, "waiting": 0, "running": 0}
    for line in metrics:
        name, _, value = line.rpartition(" ")
        if (kind := _LOADS.get(name)) is not None:
            numbers[kind] += _number(value)
        elif name == 'gateway_jobs{state="running"}':
            numbers["running"] += _number(value)
    return Load(**numbers)


def _number(value: str) -> int:
    number = float(value)
    if not 0 <= number < MOST:
        raise ValueError(f"{number} is no number of what there is to do")
    return int(number)
