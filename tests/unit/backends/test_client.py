"""The client against a fake transport: no port is opened."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from http.client import RemoteDisconnected
from pathlib import Path

import certifi
import pytest
import requests
from requests.adapters import BaseAdapter
from support.directory import counting
from urllib3.exceptions import ProtocolError

from gateway.backends.access import TOKEN_VARIABLE
from gateway.backends.client import GRACE_S, BackendClient
from gateway.backends.transport import CONNECT_TIMEOUT_S
from gateway.circuit import Circuit
from gateway.errors import BY_CODE, BusyError, GatewayError, RequestError, TransportError, TransportTimeout
from gateway.protocol import problem
from gateway.protocol.messages import RunRequest, RunResponse, decode, encode
from gateway.protocol.result_message import ResultMessage
from gateway.results import Provenance

ABC = "abc"
CIRCUIT = Circuit(1, 1).measure(0, 0)
INFO = counting("fake", "1")
PROVENANCE = Provenance(simulator="fake", version="1")
RESULTS = RunResponse(results=[ResultMessage(provenance=PROVENANCE, width=1, counts={"0": 7})])


class Transport(BaseAdapter):
    """Answers requests from a table of functions, and remembers them."""

    def __init__(self, **answers: Callable[[], tuple[int, bytes]] | tuple[int, bytes]) -> None:
        super().__init__()
        self.answers = {"backend": (200, encode(INFO)), "run": (200, encode(RESULTS)), **answers}
        self.sent: list[requests.PreparedRequest] = []
        self.timeouts: list[tuple[float, float]] = []
        self.verified: list[bool | str] = []
        self.headers: dict[str, str] = {}

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        self.sent.append(request)
        self.timeouts.append(timeout)
        self.verified.append(verify)
        answer = self.answers[request.path_url.rpartition("/")[2]]
        status, body = answer() if callable(answer) else answer
        response = requests.Response()
        response.status_code, response.raw, response.url, response.request = (
            status,
            io.BytesIO(body),
            request.url,
            request,
        )
        response.headers.update(self.headers)
        return response

    def close(self):
        pass


def client(transport: Transport, **options) -> BackendClient:
    session = requests.Session()
    session.mount("http://", transport)
    return BackendClient(session=session, **options)


def raising(error: Exception):
    def answer():
        raise error

    return answer


def test_a_run_is_one_post_of_the_request_and_gives_its_counts():
    transport = Transport()
    counts = client(transport, timeout_s=5).run(CIRCUIT, shots=7, seed=3)
    assert counts == {"0": 7}
    asked, sent = transport.sent  # who is there and what it speaks, asked once; then the run
    assert (asked.method, asked.path_url) == ("GET", "/v1/backend")
    assert (sent.method, sent.url) == ("POST", "http://127.0.0.1:8080/v1/run")
    assert sent.headers["Content-Type"] == "application/json"
    assert decode(RunRequest, sent.body) == RunRequest(circuits=CIRCUIT, shots=7, seed=3, timeout_s=5)


def test_the_client_waits_longer_than_the_run_may_take():
    transport = Transport()
    backend = client(transport)
    backend.run(CIRCUIT)
    backend.run(CIRCUIT, timeout_s=2)
    backend.run(CIRCUIT, timeout_s=1e300)  # which the server refuses at once, and no socket takes
    beyond = INFO.limits.max_wait_s + GRACE_S
    limit = INFO.limits.timeout_s
    assert transport.timeouts[1:] == [(CONNECT_TIMEOUT_S, seconds + beyond) for seconds in (limit, 2, limit)]


def test_what_the_server_says_of_itself_is_asked_once_and_its_status_each_time():
    transport = Transport()
    backend = client(transport)
    assert backend.capabilities() == backend.capabilities() == INFO.capabilities
    assert len(transport.sent) == 1
    assert backend.status() == backend.status()
    assert len(transport.sent) == 3


def test_a_token_is_sent_as_a_bearer_token_and_none_if_there_is_none():
    for token, sent in (("secret", "Bearer secret"), (None, None)):
        transport = Transport()
        client(transport, token=token).status()
        assert transport.sent[0].headers.get("Authorization") == sent


@pytest.mark.parametrize(
    ("host", "trusted"), [("127.0.0.1", False), ("localhost", False), ("::1", False), ("10.0.0.1", True)]
)
def test_no_proxy_stands_before_the_own_machine(host, trusted):
    session = requests.Session()
    backend = BackendClient(host, session=session)
    assert session.trust_env is trusted
    assert backend.url == f"http://{'[::1]' if host == '::1' else host}:8080"
    assert repr(backend) == f"BackendClient({host!r}, 8080)"
    backend.close()


@pytest.mark.parametrize("port", [0, -1, 2**16, "8080", 1.5, True, None])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(RequestError, match="a port is a number from 1 to 65535") as caught:
        BackendClient(port=port)
    assert caught.value.field == "port"


@pytest.mark.parametrize(
    ("raised", "error", "message"),
    [
        (
            requests.ConnectionError("x: Connection refused"),
            TransportError,
            r"is the server running\? \(Connection refused",
        ),
        (
            requests.ConnectionError(ProtocolError("Connection aborted.", RemoteDisconnected("Nothing was answered"))),
            TransportError,
            r"is the server running\? \(Nothing was answered\)",
        ),
        (requests.ConnectionError(), TransportError, "cannot reach http://127.0.0.1:8080"),
        (requests.ConnectTimeout("x"), TransportTimeout, f"took no connection within {CONNECT_TIMEOUT_S:g} s"),
        (requests.ReadTimeout("x"), TransportTimeout, "did not answer within 77 s"),
        (requests.exceptions.ChunkedEncodingError("cut off"), TransportError, "cut off"),
        (requests.TooManyRedirects("round and round"), TransportError, "round and round"),
    ],
)
def test_foreign_errors_are_translated(raised, error, message):
    with pytest.raises(GatewayError, match=message) as caught:
        client(Transport(run=raising(raised)), timeout_s=2).run(CIRCUIT)
    assert type(caught.value) is error
    assert caught.value.__cause__ is raised
    assert caught.value.url.startswith("http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>hello</html>",
        b"null",
        b"[]",
        b"{}",
        b'{"results": 7}',
        b'{"results": [{}]}',
        b"\xff",
        b"[" * 200_000,
    ],
)
def test_an_answer_of_something_else_is_a_transport_error(body):
    with pytest.raises(TransportError, match="did not answer as a simulator gateway does"):
        client(Transport(run=(200, body)), timeout_s=1).run(CIRCUIT)
    with pytest.raises(TransportError, match="did not answer as a simulator gateway does"):
        client(Transport(backend=(200, body))).status()


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://lab:8088", "http://lab:8088/v1/run"),
        ("https://lab/quantum/qulacs/", "https://lab/quantum/qulacs/v1/run"),
        ("http://127.0.0.1:8080/v1/simulators/qulacs", "http://127.0.0.1:8080/v1/simulators/qulacs/v1/run"),
        ("http://[::1]:8088", "http://[::1]:8088/v1/run"),
    ],
)
def test_a_url_says_where_the_server_is_and_under_which_path(url, sent):
    transport = Transport()
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, transport)
    backend = BackendClient(url, session=session)
    assert backend.run(CIRCUIT, shots=7) == {"0": 7}
    assert requests.Request("POST", sent).prepare().url == transport.sent[1].url.replace(":443/", "/")
    assert repr(backend) == f"BackendClient({backend.url!r})"


@pytest.mark.parametrize(
    ("arguments", "message", "field"),
    [
        ({"port": 8088}, "a URL has its port: 'http://lab' and 8088 cannot both be given", "port"),
        ({"tls": True}, "http://lab:80 is not HTTPS, and tls says that it is", "tls"),
        ({"tls": certifi.where()}, "http://lab:80 is not HTTPS", "tls"),
    ],
)
def test_what_contradicts_a_url_is_refused(arguments, message, field):
    with pytest.raises(RequestError, match=message) as caught:
        BackendClient("http://lab", **arguments)
    assert caught.value.field == field


def test_a_url_has_the_token_of_the_environment_and_host_and_port_have_none(monkeypatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "abc")
    for words, token in ((("http://lab:8088",), "Bearer abc"), (("lab", 8088), None)):
        transport = Transport()
        session = requests.Session()
        session.mount("http://", transport)
        BackendClient(*words, session=session).status()
        assert transport.sent[0].headers.get("Authorization") == token


def test_a_password_in_netrc_takes_the_place_of_no_token(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine lab login ada password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    transport = Transport()
    client(transport, host="lab", token=ABC).status()
    assert transport.sent[0].headers["Authorization"] == "Bearer abc"


def test_certificates_that_are_given_hold_whatever_the_environment_has(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/others.pem")
    transport = Transport()
    session = requests.Session()
    session.mount("https://", transport)
    BackendClient("https://lab", tls=certifi.where(), session=session).status()
    assert transport.verified == [certifi.where()]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (413, "a proxy stands before the server, and takes no request as large as this"),
        (502, "a proxy stands before the server, and cannot reach it"),
        (503, "a proxy stands before the server, and says that it takes no work"),
        (504, "a proxy stands before the server, and did not wait for its answer"),
        (404, "what answers there is no simulator gateway, or stands before it"),
        (599, "what answers there is no simulator gateway, or stands before it"),
    ],
)
def test_a_web_page_in_place_of_an_answer_is_said_to_be_one(status, why):
    page = b"\n<!DOCTYPE html><html><head><title>Bad &amp;\n Gateway</title></head></html>"
    with pytest.raises(TransportError, match="with a web page") as caught:
        client(Transport(run=(status, page)), timeout_s=1).run(CIRCUIT)
    url = "http://127.0.0.1:8080/v1/run"
    assert caught.value.message == f"{url} answered {status} with a web page ('Bad & Gateway'): {why}"


def test_a_web_page_as_an_answer_is_said_to_be_one():
    with pytest.raises(TransportError, match=r"as a simulator gateway does: it sent a web page \('Log in'\)"):
        client(Transport(backend=(200, b"<html><title>Log in</title>"))).status()


def test_a_redirect_is_not_followed_and_said():
    transport = Transport(run=(308, b""))
    transport.headers["Location"] = "https://elsewhere/v1/run"
    with pytest.raises(TransportError, match="redirects to 'https://elsewhere/v1/run', and redirects are not followed"):
        client(transport, timeout_s=1, token=ABC).run(CIRCUIT)
    assert len(transport.sent) == 2


@pytest.mark.parametrize("status", [204, 301, 302, 400, 404, 500, 502])
def test_an_error_of_something_else_shows_what_it_said(status):
    with pytest.raises(TransportError, match=f"answered {status} without a problem document: '<h1>nginx</h1>'"):
        client(Transport(run=(status, b"<h1>nginx</h1>")), timeout_s=1).run(CIRCUIT)


@pytest.mark.parametrize(("circuits", "number"), [(CIRCUIT, 0), (CIRCUIT, 2), ([CIRCUIT] * 2, 1)])
def test_an_answer_with_another_number_of_results_is_refused(circuits, number):
    answer = encode(RunResponse(results=RESULTS.results * number))
    with pytest.raises(TransportError, match=f"circuits with {number} results"):
        client(Transport(run=(200, answer)), timeout_s=1).run(circuits)


def test_another_protocol_version_is_refused_with_what_to_do():
    other = {**json.loads(encode(INFO)), "protocol": "2"}
    backend = client(Transport(backend=(200, json.dumps(other).encode())))
    for _ in range(2):
        with pytest.raises(TransportError, match="speaks protocol 2, this client speaks 1: install the same version"):
            backend.capabilities()


@pytest.mark.parametrize("cls", BY_CODE.values(), ids=lambda cls: cls.__name__)
def test_each_code_becomes_its_class_with_its_fields(cls):
    numbers = {"line": 1, "column": 2, "operation": 3}
    error = cls("it went wrong", circuit=2, **{name: numbers.get(name, f"the {name}") for name in cls.fields})
    transport = Transport(run=(cls.status, problem.dump(error)))
    with pytest.raises(GatewayError, match="it went wrong") as caught:
        client(transport, timeout_s=1).run(CIRCUIT)
    assert type(caught.value) is cls
    assert (caught.value.circuit, caught.value.details) == (2, error.details)


def test_an_error_of_a_later_version_becomes_the_nearest_class():
    later = b'{"code": "later", "detail": "something new"}'
    with pytest.raises(RequestError, match="something new"):
        client(Transport(run=(422, later)), timeout_s=1).run(CIRCUIT)
    with pytest.raises(GatewayError, match="something new"):
        client(Transport(run=(500, later)), timeout_s=1).run(CIRCUIT)


def test_a_busy_server_says_when_to_come_back():
    transport = Transport(run=(503, problem.dump(BusyError("full", retry_after_s=1.0))))
    with pytest.raises(BusyError, match="full") as caught:
        client(transport, timeout_s=1).run(CIRCUIT)
    assert caught.value.retry_after_s == 1.0


@pytest.mark.parametrize("content", [None, b"no certificate", b""])
def test_certificates_that_are_none_are_said_at_once(tmp_path, content: bytes | None):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RequestError, match=f"there are no certificates to trust in {path}") as caught:
        BackendClient(tls=path)
    assert caught.value.field == "tls"


def test_certificates_that_vanish_later_are_a_matter_of_the_connection(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(certifi.where()).read_bytes())
    client = BackendClient(port=1, tls=path)
    path.unlink()
    with pytest.raises(TransportError, match=f"{path}"):
        client.status()
    client.close()


DONE = (
    b'{"id":"abc","state":"done","is_list":false,"progress":{"done":1,"total":1},'
    b'"created_at":"2026-11-25T13:05:00Z","results":['
)


def test_a_server_that_cannot_leave_results_out_is_asked_once_whether_it_can():
    refusal = RequestError("GET /v1/jobs/{job_id} has no parameter 'results'", field="results")
    results = encode(RESULTS)[len(b'{"results":[') :]
    transport = Transport(
        **{"abc?results=false": (400, problem.dump(refusal)), "abc": (200, DONE + results)},
    )
    backend = client(transport)
    job = backend.job("abc")
    assert job.status().ended
    assert job.result(1) == {"0": 7}
    assert backend.cancel_job("abc").results is not None
    assert backend.job_info("abc").results is not None
    paths = [request.path_url for request in transport.sent]
    assert paths == ["/v1/jobs/abc?results=false", *["/v1/jobs/abc"] * 3]


def test_another_refusal_is_no_sign_of_an_older_server():
    transport = Transport(**{"abc?results=false": (400, problem.dump(RequestError("no", field="wait_s")))})
    for _ in range(2):
        with pytest.raises(RequestError, match="no"):
            client(transport).job("abc")


@pytest.mark.parametrize("number", [0, 2])
def test_an_answer_about_one_circuit_has_one_result(number: int):
    answer = encode(RunResponse(results=RESULTS.results * number))
    with pytest.raises(TransportError, match=f"answered one circuit with {number} results"):
        client(Transport(**{"5": (200, answer)})).job_result("abc", 5)
