"""The room as a server sees it: its options, its routes and its Thrift port."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.errors import RequestError
from gateway.legacy.room import Option
from gateway.listener import bind
from gateway.protocol.refusals import refusal

if TYPE_CHECKING:
    from flask import Blueprint

    from gateway.legacy.qrisp.thrift import ThriftServer
    from gateway.server.service import Service


class QrispSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of the interface for old Qrisp clients.

    Args:
        thrift_port: the port for Thrift clients, 0 for any free one; by default there is none.
        thrift_fd: the descriptor of a socket that listens for them already.
        qunicorn: whether paths with a slash at the end answer like Qunicorn, not like Qrisp's old server.
    """

    thrift_port: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    thrift_fd: int | None = None
    qunicorn: bool = False


class QrispInterface:
    """Answers the released clients of Qrisp.

    Args:
        thrift: a listening socket for Thrift clients; the interface closes it.
        qunicorn: as in :class:`QrispSettings`.
    """

    def __init__(self, thrift: socket.socket | None = None, *, qunicorn: bool = False) -> None:
        self._thrift = thrift
        self._qunicorn = qunicorn
        self._server: ThriftServer | None = None

    @property
    def announcements(self) -> tuple[str, ...]:
        """The line that says where Thrift clients are answered."""
        if self._thrift is None:
            return ()
        host, port = self._thrift.getsockname()[:2]
        return (f"by Thrift at {host}:{port}",)

    def blueprint(self, service: Service) -> Blueprint:
        """Return the routes of the clients that speak REST."""
        from gateway.legacy.qrisp.routes import blueprint  # noqa: PLC0415 - reading the options needs no routes

        return blueprint(service, qunicorn=self._qunicorn)

    def start(self, service: Service) -> None:
        """Start to answer Thrift clients, if there is a socket for them."""
        if self._thrift is None:
            return
        from gateway.legacy.qrisp.thrift import ThriftServer  # noqa: PLC0415 - few servers need it

        listener = socket.socket(fileno=os.dup(self._thrift.fileno()))  # a process that takes over needs the other one
        self._server = ThriftServer(service, listener)
        self._server.start()

    def close(self) -> None:
        """Hang up on Thrift clients."""
        if self._server is not None:
            self._server.close()
        if self._thrift is not None:
            self._thrift.close()


class QrispRoom:
    """The room of old Qrisp clients."""

    name = "qrisp"
    settings_type = QrispSettings
    internal = frozenset({"thrift_fd"})
    options: ClassVar[tuple[Option, ...]] = (
        Option("--thrift-port", "serve Thrift clients of qrisp 0.1 to 0.4.10 there; 0: any", int, for_one=True),
        Option(
            "--qunicorn", "answer paths with a slash at the end as Qunicorn does today", variable="GATEWAY_QUNICORN"
        ),
    )

    def open(self, settings: Mapping[str, object], host: str) -> QrispInterface:
        """Return the interface; its Thrift port listens already.

        Raises:
            RequestError: there is no such setting.
            ServerStartError: the port is taken.
        """
        try:
            values = msgspec.convert(settings, QrispSettings)
        except msgspec.ValidationError as exc:
            explanation = refusal(exc, QrispSettings, dict(settings), whole="the interface", null="").message
            raise RequestError(f"settings of {self.name}: {explanation}", field=self.name) from exc
        thrift = None
        if values.thrift_fd is not None:
            thrift = socket.socket(fileno=values.thrift_fd)
        elif values.thrift_port is not None:
            thrift = bind(host, values.thrift_port)
        return QrispInterface(thrift, qunicorn=values.qunicorn)


ROOM = QrispRoom()
