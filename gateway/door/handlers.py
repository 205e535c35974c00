"""Answers the requests to the door that are no simulator's: each row of its table of endpoints has one handler."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, g, request

from gateway.door import assets
from gateway.door.door import Door
from gateway.door.examples import examples
from gateway.door.showing.questions import Form
from gateway.errors import BusyError, RequestError, ResultNotFound
from gateway.jobs.manager import Caller
from gateway.protocol import door as table
from gateway.protocol import endpoints, openapi
from gateway.protocol.door import CircuitRequest, ComparisonRequest, DoorInfo, SimulatorList
from gateway.protocol.endpoints import Endpoint
from gateway.protocol.messages import Health, decode, encode
from gateway.rights import Right
from gateway.server.documents.docs import docs_page
from gateway.server.http.pages import asset_response, page_response
from gateway.server.http.requests import accepted_encoding, base_url, body, check_query, idempotency_key, number, one_of
from gateway.server.http.responses import HttpProblem, respond
from gateway.version import __version__

PROBES = frozenset({table.HEALTHZ.path, table.READYZ.path})
"""Paths of the endpoints that an orchestrator asks without a token."""

OPEN_PATHS = PROBES | table.PAGES | assets.PATHS | {table.OPENAPI.path}
"""Paths that need no token: the page asks for one itself."""

_PICTURES = {str(Form.SVG): "image/svg+xml", str(Form.PNG): "image/png"}
"""Form of a picture -> its media type."""

_OK, _ACCEPTED = 200, 202


def blueprint(door: Door) -> Blueprint:
    """Return the routes of the door."""
    routes = Blueprint("door", __name__)
    for row in table.ENDPOINTS.values():
        rule = row.path.replace("{", "<").replace("}", ">")
        routes.add_url_rule(rule, row.operation, partial(_answer, row, door), methods=[row.method])
    for path in assets.PATHS:
        routes.add_url_rule(path, path.replace(".", "-"), partial(assets.respond_with, path))
    routes.add_url_rule(
        "/v1/simulators/<name>/<path:path>", "relay", partial(_not_passed_on, door), methods=["GET", "POST", "DELETE"]
    )
    return routes


def probes(door: Door) -> dict[str, Callable[[], Response]]:
    """Return what answers the probes: path -> a function that needs no request and returns at once."""
    return {row.path: partial(HANDLERS[row.operation], door) for row in (table.HEALTHZ, table.READYZ)}


def _answer(row: Endpoint, door: Door, **path: str) -> Response:
    if row.path not in OPEN_PATHS:
        check_query(row)
        if row.right is not None:
            _caller().demand(row.right)
    return HANDLERS[row.operation](door, **path)


def _caller() -> Caller:
    """Return the authenticated caller of the current request."""
    caller: Caller = g.caller
    return caller


def _respond_with(message: object, status: int = _OK) -> Response:
    encoding = accepted_encoding()
    return respond(encode(message, encoding), status, encoding)


# ---------------------------------------------------------------------------- who, and which simulators


def _door(door: Door) -> Response:
    caller = _caller()
    rights = tuple(str(right) for right in Right if right in caller.rights)
    return _respond_with(
        DoorInfo(
            version=__version__,
            name=caller.owner,
            rights=rights,
            needs_token=door.authentication.required,
            examples=examples(),
        )
    )


def _simulators(door: Door) -> Response:
    return _respond_with(SimulatorList(simulators=door.directory.infos()))


def _circuits(door: Door) -> Response:
    message = decode(CircuitRequest, body(door))
    return _respond_with(door.circuits.describe(message, door.directory.infos(), _caller().name))


def _not_passed_on(door: Door, name: str, path: str) -> Response:  # noqa: ARG001 - of the route
    """Refuse what the relay does not pass on; whatever arrives here is too large, has no length, or a strange path."""
    door.directory.info(name)
    if request.content_length or "Transfer-Encoding" in request.headers:
        body(door)
    elif request.method == "POST" and request.content_length is None:
        raise HttpProblem(411, "length-required", "send a Content-Length, which is 0 without a body")
    raise HttpProblem(404, "not-found", "no simulator has anything at this path")


# ---------------------------------------------------------------------------- comparisons


def _compare(door: Door) -> Response:
    message = decode(ComparisonRequest, body(door))
    info = door.comparisons.submit(message, _caller(), key=idempotency_key())
    response = _respond_with(info, _ACCEPTED)
    response.headers["Location"] = table.COMPARISON.url(comparison_id=info.id)
    return response


def _comparisons(door: Door) -> Response:
    page = door.comparisons.page(
        _caller(),
        show=one_of(table.SHOW) or "all",
        search=request.args.get(table.SEARCH.name, ""),
        before=request.args.get(endpoints.BEFORE.name),
        limit=int(number(endpoints.LIMIT, endpoints.MAX_PAGE)),
    )
    return _respond_with(page)


def _comparison(door: Door, comparison_id: str) -> Response:
    wait_s = number(endpoints.WAIT_S, door.limits.max_poll_s)
    if not wait_s:
        return _respond_with(door.comparisons.info(comparison_id, _caller()))
    with door.polls.place(_caller().name) as may_wait:
        response = _respond_with(door.comparisons.info(comparison_id, _caller(), wait_s if may_wait else 0))
    if not may_wait:
        response.headers["Retry-After"] = "1"
    return response


def _cancel(door: Door, comparison_id: str) -> Response:
    return _respond_with(door.comparisons.cancel(comparison_id, _caller()))


def _record(door: Door, comparison_id: str) -> Response:
    return respond(door.comparisons.record(comparison_id, _caller()).content())


def _request(door: Door, comparison_id: str) -> Response:
    return respond(door.comparisons.request(comparison_id, _caller()))


def _no_stream(door: Door, comparison_id: str) -> Response:
    """Refuse a request that the event loop did not answer."""
    door.comparisons.info(comparison_id, _caller())
    raise RequestError("events are for GET requests without a body")


# ---------------------------------------------------------------------------- what is shown of a comparison


def _result(door: Door, comparison_id: str) -> Response:
    return page_response(door.showing.part(comparison_id, _caller()))


def _report(door: Door, comparison_id: str) -> Response:
    html = door.showing.shown(Form.REPORT, comparison_id, _caller())
    return _as_download(page_response(html), f"comparison-{comparison_id[:8]}.html")


def _picture(door: Door, comparison_id: str, format: str) -> Response:  # noqa: A002 - of the route
    media_type = _PICTURES.get(format)
    if media_type is None:
        raise ResultNotFound(f"a picture is an svg or a png, not {format!r:.20}", job=comparison_id)
    content = door.showing.shown(Form(format), comparison_id, _caller())
    return _as_download(asset_response(content, media_type), f"comparison-{comparison_id[:8]}.{format}")


def _outcomes(door: Door, comparison_id: str) -> Response:
    content = door.showing.shown(Form.CSV, comparison_id, _caller())
    return _as_download(asset_response(content, "text/csv; charset=utf-8"), f"comparison-{comparison_id[:8]}.csv")


def _as_download(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ---------------------------------------------------------------------------- probes, metrics, documents


def _healthz(_door: Door) -> Response:
    return respond(encode(Health()))


def _readyz(door: Door) -> Response:
    if not door.directory.is_ready:
        raise BusyError("the door has not looked at every simulator yet", retry_after_s=1.0)
    return respond(encode(Health("ready")))


def _metrics(door: Door) -> Response:
    # Imported here, so that the start of the door need not wait for the library of Prometheus.
    from gateway.door import metrics  # noqa: PLC0415
    from gateway.server.telemetry.metrics import CONTENT_TYPE  # noqa: PLC0415

    own = metrics.own(door.telemetry, door.comparisons, door.streams)
    return Response(metrics.merged(own, door.directory.metrics()), content_type=CONTENT_TYPE)


def _openapi(_door: Door) -> Response:
    return respond(encode(openapi.document(table.API)))


def _page(_door: Door) -> Response:
    return assets.respond_with_page()


def _docs(door: Door) -> Response:
    first = next(iter(door.directory.names), "qulacs")
    needs_token = door.authentication.required
    return page_response(docs_page(table.API, base_url(), needs_token=needs_token, simulator=first))


HANDLERS: dict[str, Callable[..., Response]] = {
    "door": _door,
    "simulators": _simulators,
    "circuits": _circuits,
    "compare": _compare,
    "comparisons": _comparisons,
    "comparison": _comparison,
    "cancel-comparison": _cancel,
    "record": _record,
    "request": _request,
    "comparison-result": _result,
    "report": _report,
    "picture": _picture,
    "outcomes": _outcomes,
    "events": _no_stream,
    "healthz": _healthz,
    "readyz": _readyz,
    "metrics": _metrics,
    "openapi": _openapi,
    "page": _page,
    "docs": _docs,
}
"""Operation of an endpoint -> its handler, which takes the door and the parameters of the path."""
