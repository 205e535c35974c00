"""Makes the HTTP application. Its threads check requests and hand them over; they never simulate."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from gateway.errors import GatewayError
from gateway.server.http.requests import bearer_token, on_behalf_of
from gateway.server.http.responses import on_gateway_error, on_http_error, on_surprise

if TYPE_CHECKING:
    from gateway.protocol.messages import ServerLimits
    from gateway.server.access.authentication import Authentication
    from gateway.server.access.web_pages import WebGuard
    from gateway.server.idle_limit import IdleLimit
    from gateway.server.telemetry.recorder import Recorder


class Answering(Protocol):
    """What an application needs of the service that it answers for."""

    @property
    def limits(self) -> ServerLimits:
        """Bounds that no request may exceed."""

    @property
    def authentication(self) -> Authentication:
        """Decides who is let in."""

    @property
    def web_pages(self) -> WebGuard:
        """Decides which web pages and host names are let in."""

    @property
    def telemetry(self) -> Recorder:
        """Counts requests."""

    @property
    def idle_limit(self) -> IdleLimit | None:
        """Ends a server without requests."""


def make_application(
    service: Answering, routes: Blueprint, open_paths: Collection[str], others: Sequence[Blueprint] = ()
) -> Flask:
    """Return the application of a service.

    Args:
        service: what it answers for.
        routes: its routes.
        open_paths: paths of the routes that need no token.
        others: routes that authenticate the senders of requests themselves.
    """
    app = Flask("gateway.server", static_folder=None)
    app.url_map.merge_slashes = False  # else it would redirect, and no path of ours has two names
    app.config["MAX_CONTENT_LENGTH"] = service.limits.max_body_bytes
    service.web_pages.watch(app)
    app.register_blueprint(routes)
    _add_authentication(app, service, open_paths, exempt=frozenset(each.name for each in others))
    for blueprint in others:
        app.register_blueprint(blueprint)
    if service.idle_limit is not None:
        _count_requests(app, service.idle_limit, open_paths)
    _count_responses(app, service)
    app.after_request(_forbid_guessing)
    app.register_error_handler(GatewayError, on_gateway_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_surprise)
    return app


def _add_authentication(app: Flask, service: Answering, open_paths: Collection[str], *, exempt: frozenset[str]) -> None:
    """Authenticate each request, except of open paths and of ``exempt`` routes, which do it themselves."""

    @app.before_request
    def authenticate() -> None:
        if request.path not in open_paths and request.blueprint not in exempt:
            address = request.remote_addr or ""
            g.caller = service.authentication.authenticate(bearer_token(), address, on_behalf_of())


def _count_requests(app: Flask, idle_limit: IdleLimit, open_paths: Collection[str]) -> None:
    """Tell an idle limit of each request under way, except of open paths, which are for probes and people."""

    @app.before_request
    def begin() -> None:
        if request.path not in open_paths:
            g.counted = True
            idle_limit.begin()

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if g.pop("counted", False):  # a request that was refused earlier was not counted
            idle_limit.end()


def _count_responses(app: Flask, service: Answering) -> None:
    """Count every response."""

    @app.after_request
    def count(response: Response) -> Response:
        service.telemetry.request_answered(request.url_rule.rule if request.url_rule else None, response.status_code)
        return response


def _forbid_guessing(response: Response) -> Response:
    """Forbid browsers to take an answer for something else than it says it is."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response
