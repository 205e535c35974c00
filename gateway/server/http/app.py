"""The HTTP application. HTTP threads only check and hand over: they never simulate."""

from __future__ import annotations

import contextlib

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.errors import GatewayError
from gateway.server.http import handlers
from gateway.server.http.requests import bearer_token
from gateway.server.http.responses import on_gateway_error, on_http_error, on_surprise
from gateway.server.idle_limit import IdleLimit
from gateway.server.service import Service

_READ_TO_THE_END = 8
"""How many times the largest body is read from a client whose request was refused before it was sent."""


def create_app(service: Service) -> Flask:
    """Return the application that answers for a service."""
    app = Flask("gateway.server", static_folder=None)
    app.url_map.merge_slashes = False  # would redirect, and no path of ours has two names
    app.config["MAX_CONTENT_LENGTH"] = service.limits.max_body_bytes
    service.web_pages.watch(app)
    app.register_blueprint(handlers.blueprint(service))
    others = [interface.blueprint(service) for interface in service.interfaces]
    _add_authentication(app, service, by_themselves=frozenset(each.name for each in others))
    for blueprint in others:
        app.register_blueprint(blueprint)
    if service.idle_limit is not None:
        _count_requests(app, service.idle_limit)
    _add_after_thoughts(app, service)
    app.register_error_handler(GatewayError, on_gateway_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_surprise)
    return app


def _add_authentication(app: Flask, service: Service, *, by_themselves: frozenset[str]) -> None:
    """Find out who sends each request, but for probes, and for interfaces that find it out ``by_themselves``."""

    @app.before_request
    def authenticate() -> None:
        if request.path not in handlers.PROBES and request.blueprint not in by_themselves:
            g.caller = service.authentication.authenticate(bearer_token(), request.remote_addr or "")


def _count_requests(app: Flask, idle_limit: IdleLimit) -> None:
    """Tell an idle limit of each request that is under way, but for probes."""

    @app.before_request
    def begin() -> None:
        if request.path not in handlers.PROBES:
            g.counted = True
            idle_limit.begin()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if g.pop("counted", False):  # a request that was refused before counts as none
            idle_limit.end()


def _add_after_thoughts(app: Flask, service: Service) -> None:
    """Count every answer, and take what a client still sends."""

    @app.after_request
    def read_to_the_end(response: Response) -> Response:
        """Read on: a client would not see the answer if the connection broke before it has sent all."""
        left = service.limits.max_body_bytes * _READ_TO_THE_END
        with contextlib.suppress(OSError):
            while left > 0 and (chunk := request.environ["wsgi.input"].read(2**16)):
                left -= len(chunk)
        return response

    @app.after_request
    def count(response: Response) -> Response:
        service.telemetry.request_answered(request.url_rule.rule if request.url_rule else None, response.status_code)
        return response
