"""The application of a simulator's server: protocol version 1, and the interfaces for older clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.server.http import handlers
from gateway.server.http.application import make_application

if TYPE_CHECKING:
    from flask import Flask

    from gateway.server.service import Service


def create_app(service: Service) -> Flask:
    """Return the application of a service."""
    others = [interface.blueprint(service) for interface in service.interfaces]
    return make_application(service, handlers.blueprint(service), handlers.OPEN, others)
