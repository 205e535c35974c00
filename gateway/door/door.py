"""Holds all parts of the door in one object, which is made at the start and handed to whatever answers requests."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gateway.door.admission import Admission
from gateway.door.circuits import Circuits
from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.manager import Comparisons
from gateway.door.comparisons.store import ComparisonStore
from gateway.door.directory import Directory, Entry
from gateway.door.events import EventStreams
from gateway.door.learning import Learning
from gateway.door.relay import Relay
from gateway.door.showing import Showing
from gateway.jobs.manager import Caller
from gateway.protocol.door import PAGES
from gateway.server.access.authentication import Authentication
from gateway.server.access.door_key import ensure_door_key
from gateway.server.access.fair_places import FairPlaces
from gateway.server.access.tokens import tokens_of
from gateway.server.access.web_pages import WebGuard
from gateway.server.telemetry.recorder import Recorder

if TYPE_CHECKING:
    import asyncio

    from gateway.protocol.door import ComparisonInfo
    from gateway.protocol.messages import ServerLimits
    from gateway.server.http.exchange import Scope
    from gateway.server.http.front import OnLoop
    from gateway.settings import DoorSettings

MOST_TEXTS = 64
"""Texts that wait until they are looked at."""

MOST_SHOWN = 64
"""Requests of one caller that wait until a comparison is shown."""

_ITSELF = Caller(name="the door")
"""The door, which sees all comparisons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The parts of the door.

    Args:
        directory: knows the simulators.
        circuits: says what a text is.
        comparisons: accepts comparisons and has them run.
        showing: makes what people see of comparisons.
        learning: learns from comparisons how fast the simulators are.
        relay: passes requests to simulators through.
        streams: sends events of comparisons.
        limits: bounds that no request may exceed.
        authentication: decides who is let in.
        web_pages: decides which web pages and host names are let in.
        telemetry: counts requests.
        polls: bounds the number of requests that wait for comparisons at the same time.
    """

    directory: Directory
    circuits: Circuits
    comparisons: Comparisons
    showing: Showing
    learning: Learning
    relay: Relay
    streams: EventStreams
    limits: ServerLimits
    authentication: Authentication
    web_pages: WebGuard
    telemetry: Recorder
    polls: FairPlaces
    idle_limit: None = None
    """The door ends when it is told to; simulators that were started for a while end by themselves."""

    @classmethod
    def behind(cls, entries: Sequence[Entry], settings: DoorSettings, file: str) -> Self:
        """Return the door in front of some simulators.

        Args:
            entries: the simulators, in the order in which they are listed.
            settings: how to serve.
            file: keeps the comparisons.

        Raises:
            JobStoreError: the file cannot be used.
            RequestError: the tokens or the door's key cannot be read.
        """
        limits, telemetry = settings.limits, Recorder()
        store = ComparisonStore(file, durable=settings.durable)
        key = None if settings.door_key_file is None else ensure_door_key(Path(settings.door_key_file))
        tokens = tokens_of(settings.tokens, None if settings.tokens_file is None else Path(settings.tokens_file))
        authentication = Authentication(tokens)
        web_pages = WebGuard(settings.allowed_hosts, settings.allowed_origins, pages=PAGES, own_pages=True)
        admission = Admission(authentication, web_pages)
        directory = Directory(entries, key, settings.start_hint)
        circuits = Circuits(most_waiting=MOST_TEXTS)
        learning = Learning(circuits)
        comparisons = Comparisons(
            store,
            partial(addresses_for, directory),
            settings.comparison_limits,
            at_once=settings.comparisons_at_once,
            on_end=partial(_tell_end, telemetry, learning),
        )
        return cls(
            directory=directory,
            circuits=circuits,
            comparisons=comparisons,
            showing=Showing(comparisons, most=MOST_SHOWN),
            learning=learning,
            relay=Relay(directory, admission, limits, telemetry),
            streams=EventStreams(comparisons, admission, telemetry, settings.max_event_streams),
            limits=limits,
            authentication=authentication,
            web_pages=web_pages,
            telemetry=telemetry,
            polls=FairPlaces(limits.max_polls),
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look at the simulators, and go on with the comparisons that an earlier door left."""
        self.directory.start(loop)
        self.learning.start(lambda comparison_id: self.comparisons.latest_kept(comparison_id, _ITSELF))
        self.comparisons.start()

    def route(self, scope: Scope) -> OnLoop | None:
        """Return what answers a request on the event loop; ``None`` for what the application answers."""
        return self.relay.route(scope) or self.streams.route(scope)

    def busy(self) -> AbstractContextManager[None]:
        """Return a context that says nothing: the door has no limit of idleness."""
        return contextlib.nullcontext()

    def stop_taking(self) -> None:
        """Begin no comparison any more, and send readers of events to the next door."""
        self.comparisons.stop_taking()
        self.streams.close()

    def close(self, within_s: float = 0) -> None:
        """Close all parts; comparisons under way have so many seconds to end."""
        with contextlib.ExitStack() as ending:  # closes the last part first, and each part even if another fails
            ending.callback(self.directory.close)
            ending.callback(self.circuits.close)
            ending.callback(self.showing.close)
            ending.callback(self.learning.close)
            ending.callback(self.comparisons.close, within_s)


def _tell_end(telemetry: Recorder, learning: Learning, info: ComparisonInfo) -> None:
    telemetry.ended("comparison", info.state)
    learning.take(info)


def addresses_for(directory: Directory, caller: str) -> Mapping[str, SimulatorAddress]:
    """Return where the simulators are for a comparison that somebody asks for.

    Args:
        directory: knows the simulators.
        caller: the name of the token of who asks; empty where nobody needs one.
    """
    addresses = {}
    for entry in directory.entries():
        info = directory.info(entry.name)
        addresses[entry.name] = SimulatorAddress(
            url=entry.url,
            token=entry.token,
            headers=directory.comparison_headers(entry, caller),
            certificates=entry.certificates,
            info=info.backend,
            reason=info.reason,
        )
    return addresses
