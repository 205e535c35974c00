"""Hosts the door under gunicorn, as a simulator's server is hosted; nothing is simulated here."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from gateway.door.directory import Entry
from gateway.door.door import MOST_SHOWN, MOST_TEXTS, Door
from gateway.door.handlers import OPEN_PATHS, blueprint, probes
from gateway.server.access.fair_places import with_reserve
from gateway.server.hosting import HostedApplication, log_to_stderr
from gateway.server.http.application import make_application
from gateway.server.http.front import Front
from gateway.settings import DoorSettings

if TYPE_CHECKING:
    from flask import Flask

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
        file = self.settings.comparisons
        if file is None:
            self._folder = TemporaryDirectory(prefix="gateway-comparisons-")  # removed with the application
            file = f"{self._folder.name}/comparisons.sqlite"
        self.service = self.door = Door.behind(self.entries, self.settings, file)
        self.door.start(asyncio.get_event_loop_policy().get_event_loop())
        return make_application(self.door, blueprint(self.door), OPEN_PATHS)

    def make_front(self, application: Flask) -> Front:
        """Return the front of the door, which passes requests through to simulators itself."""
        return Front(self.door, application, self.http_threads, probes(self.door), self.door.route)


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
