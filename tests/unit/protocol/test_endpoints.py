"""One table of endpoints: the server's routes and the client's requests are rows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from support.fake import FakeAdapter, fake

from gateway.backends.client import BackendClient
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.protocol.endpoints import ENDPOINTS, JOB, JOBS
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.server.http.app import create_app
from gateway.server.http.handlers import HANDLERS
from gateway.server.service import Service


@pytest.fixture(scope="module")
def app() -> Iterator[FlaskClient]:
    service = Service.over(InlineExecutor(Runner(FakeAdapter(), ServerLimits())))
    yield create_app(service).test_client()
    service.close()


def test_each_row_has_one_handler_and_each_handler_a_row():
    assert set(HANDLERS) == set(ENDPOINTS)
    assert len(set(HANDLERS.values())) == len(ENDPOINTS)


def test_no_two_rows_are_the_same_request():
    assert len({(row.method, row.path) for row in ENDPOINTS.values()}) == len(ENDPOINTS)


def test_the_server_has_a_route_for_each_row_and_no_other(app: FlaskClient):
    routes = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in app.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {(row.method, row.path) for row in ENDPOINTS.values()}


def test_the_id_of_a_job_and_a_query_are_quoted_in_a_url():
    assert JOB.url("a?b/c", {"wait_s": 1.5}) == "/v1/jobs/a%3Fb%2Fc?wait_s=1.5"
    assert JOBS.url(query={"state": "a b&c"}) == "/v1/jobs?state=a+b%26c"


class ThroughApp(BaseAdapter):
    """Carries requests to an application in this process, and keeps which row each was of."""

    def __init__(self, app: FlaskClient) -> None:
        super().__init__()
        self.app = app
        self.rows: list[str] = []

    def send(self, request: PreparedRequest, **_options: object) -> Response:
        answer = self.app.open(
            request.path_url, method=request.method, data=request.body or b"", headers=dict(request.headers)
        )
        urls = self.app.application.url_map.bind("localhost")
        endpoint, _ = urls.match(request.path_url.partition("?")[0], method=request.method)
        self.rows.append(endpoint.removeprefix("v1."))
        response = Response()
        response.status_code, response.raw, response.url = answer.status_code, BytesIO(answer.data), str(request.url)
        response.headers.update(answer.headers)
        return response

    def close(self) -> None:
        pass


def _first_job(client: BackendClient) -> str:
    return client.begin(RunRequest(circuits=fake())).id


def _ended_job(client: BackendClient) -> str:
    job = client.begin(RunRequest(circuits=fake()))
    job.result(60)
    return job.id


CALLS: dict[str, Callable[[BackendClient], object]] = {
    "run": lambda client: client.run(fake()),
    "submit": _first_job,
    "job": lambda client: client.job_info(_first_job(client), 5),
    "result": lambda client: client.job_result(_ended_job(client), 0),
    "jobs": lambda client: client.jobs(state="done"),
    "cancel": lambda client: client.cancel_job(_first_job(client)),
    "rerun": lambda client: client.rerun(_first_job(client)),
    "backend": lambda client: client.info(fresh=True),
}


@pytest.mark.parametrize("operation", CALLS)
def test_a_call_of_the_client_is_the_request_of_its_row(app: FlaskClient, operation: str):
    transport = ThroughApp(app)
    session = Session()
    session.mount("http://", transport)
    with BackendClient(session=session) as client:
        CALLS[operation](client)
    assert transport.rows[-1] == operation


def test_the_client_calls_every_row_but_those_for_orchestrators_and_people():
    assert set(ENDPOINTS) - set(CALLS) == {"healthz", "readyz", "metrics", "openapi", "page", "docs"}
