"""Hosts the door under gunicorn, as a simulator's server is hosted; nothing is simulated here."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.door.directory import Directory, Entry
from gateway.server.access.authentication import Authentication
from gateway.server.access.door_key import ensure_door_key
from gateway.server.access.fair_places import FairPlaces, with_reserve
from gateway.server.access.tokens import tokens_of
from gateway.server.hosting import HostedApplication, log_to_stderr
from gateway.settings import DoorSettings

if TYPE_CHECKING:
    from flask import Flask

    from gateway.door.door import Door
    from gateway.protocol.door import ComparisonInfo
    from gateway.server.http.front import Front

MOST_TEXTS = 64
"""Texts that wait until they are looked at."""

MOST_SHOWN = 64
"""Requests of one caller that wait until a comparison is shown."""

SPARE_THREADS = 24
"""HTTP threads beyond those that wait for comparisons, texts, or what is shown; each starts when it is needed."""


class DoorApplication(HostedApplication):
    """The door under gunicorn."""

    door: Door
    _folder: TemporaryDirectory[str]

    def __init__(
        self,
        listener: socket.socket,
        settings: DoorSettings,
        entries: Sequence[Entry],
        announcements: Sequence[str] = (),
    ) -> None:
        self.settings = settings
        self.entries = entries
        waiting = with_reserve(settings.limits.max_polls) + MOST_TEXTS + with_reserve(MOST_SHOWN)
        super().__init__(listener, settings, waiting + SPARE_THREADS, announcements)

    def make(self) -> Flask:
        """Open the database of comparisons, and return the application."""
        from gateway.door.admission import Admission  # noqa: PLC0415 - whoever waits for the start is answered sooner
        from gateway.door.circuits import Circuits  # noqa: PLC0415
        from gateway.door.comparisons.manager import Comparisons  # noqa: PLC0415
        from gateway.door.comparisons.store import ComparisonStore  # noqa: PLC0415
        from gateway.door.door import Door, addresses_for  # noqa: PLC0415
        from gateway.door.events import EventStreams  # noqa: PLC0415
        from gateway.door.handlers import OPEN_PATHS, blueprint  # noqa: PLC0415
        from gateway.door.learning import Learning  # noqa: PLC0415
        from gateway.door.relay import Relay  # noqa: PLC0415
        from gateway.door.showing import Showing  # noqa: PLC0415
        from gateway.protocol.door import PAGES  # noqa: PLC0415
        from gateway.server.access.web_pages import WebGuard  # noqa: PLC0415
        from gateway.server.http.application import make_application  # noqa: PLC0415
        from gateway.server.telemetry.recorder import Recorder  # noqa: PLC0415

        settings, limits = self.settings, self.settings.limits
        if settings.comparisons is None:
            self._folder = TemporaryDirectory(prefix="gateway-comparisons-")  # removed with the application
        file = settings.comparisons or f"{self._folder.name}/comparisons.sqlite"
        store = ComparisonStore(file, durable=settings.durable)
        key = _key(settings)
        tokens = tokens_of(settings.tokens, None if settings.tokens_file is None else Path(settings.tokens_file))
        authentication = Authentication(tokens)
        web_pages = WebGuard(settings.allowed_hosts, settings.allowed_origins, pages=PAGES, own_pages=True)
        admission = Admission(authentication, web_pages)
        directory = Directory(self.entries, key, settings.start_hint)
        telemetry = Recorder()
        circuits = Circuits(most_waiting=MOST_TEXTS)
        learning = Learning(circuits)

        def on_end(info: ComparisonInfo) -> None:
            telemetry.ended("comparison", info.state)
            learning.take(info)

        comparisons = Comparisons(
            store,
            partial(addresses_for, directory, key),
            settings.comparison_limits,
            at_once=settings.comparisons_at_once,
            on_end=on_end,
        )
        self.service = self.door = Door(
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
        self.door.start(asyncio.get_event_loop_policy().get_event_loop())
        return make_application(self.door, blueprint(self.door), OPEN_PATHS)

    def make_front(self, application: Flask) -> Front:
        """Return the front of the door, which passes requests through to simulators itself."""
        from gateway.door.handlers import probes  # noqa: PLC0415 - as above
        from gateway.server.http.front import Front  # noqa: PLC0415 - as above

        return Front(self.door, application, self.http_threads, probes(self.door), self.door.route)


def _key(settings: DoorSettings) -> str | None:
    """Return the door's own token, which is made if the file for it is empty or not there."""
    return None if settings.door_key_file is None else ensure_door_key(Path(settings.door_key_file))


def serve(
    listener: socket.socket, settings: DoorSettings, entries: Sequence[Entry], announcements: Sequence[str] = ()
) -> None:
    """Serve until a signal ends the process.

    Args:
        listener: a listening socket; the server closes it.
        settings: how to serve.
        entries: the simulators, in the order in which they are listed.
        announcements: lines that are written to standard error once the door takes requests.
    """
    if not settings.quiet:
        log_to_stderr()
    gc.enable()  # off since the start, see gateway.cli.open
    DoorApplication(listener, settings, entries, announcements).run()
