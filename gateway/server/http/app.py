"""Makes the HTTP application. Its threads check requests and hand them over; they never simulate."""

from __future__ import annotations

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.errors import GatewayError
from gateway.server.http import handlers
from gateway.server.http.requests import bearer_token
from gateway.server.http.responses import on_gateway_error, on_http_error, on_surprise
from gateway.server.idle_limit import IdleLimit
from gateway.server.service import Service


def create_app(service: Service) -> Flask:
    """Return the application of a service."""
    app = Flask("gateway.server", static_folder=None)
    app.url_map.merge_slashes = False  # else it would redirect, and no path of ours has two names
    app.config["MAX_CONTENT_LENGTH"] = service.limits.max_body_bytes
    service.web_pages.watch(app)
    app.register_blueprint(handlers.blueprint(service))
    others = [interface.blueprint(service) for interface in service.interfaces]
    _add_authentication(app, service, exempt=frozenset(each.name for each in others))
    for blueprint in others:
        app.register_blueprint(blueprint)
    if service.idle_limit is not None:
        _count_requests(app, service.idle_limit)
    _count_responses(app, service)
    app.register_error_handler(GatewayError, on_gateway_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_surprise)
    return app


def _add_authentication(app: Flask, service: Service, *, exempt: frozenset[str]) -> None:
    """Authenticate each request, except probes and those of ``exempt`` interfaces, which do it themselves."""

    @app.before_request
    def authenticate() -> None:
        if request.path not in handlers.PROBES and request.blueprint not in exempt:
            g.caller = service.authentication.authenticate(bearer_token(), request.remote_addr or "")


def _count_requests(app: Flask, idle_limit: IdleLimit) -> None:
    """Tell an idle limit of each request under way, except probes."""

    @app.before_request
    def begin() -> None:
        if request.path not in handlers.PROBES:
            g.counted = True
            idle_limit.begin()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if g.pop("counted", False):  # a request that was refused earlier was not counted
            idle_limit.end()


def _count_responses(app: Flask, service: Service) -> None:
    """Count every response."""

    @app.after_request
    def count(response: Response) -> Response:
        service.telemetry.request_answered(request.url_rule.rule if request.url_rule else None, response.status_code)
        return response
