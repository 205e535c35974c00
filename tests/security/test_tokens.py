"""Tokens decide who is let in and what they see, and no server writes them down."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake import Does, fake
from support.raw import JSON, Server, run_body
from support.serving import environment, serving
from support.waiting import wait_until

from gateway.errors import AuthenticationError, Forbidden, JobNotFound
from gateway.protocol.endpoints import ENDPOINTS
from gateway.rights import Right
from gateway.server.access.door_key import door_headers, ensure_door_key

ANN, ANNS_SECOND, BOB, CARL, WRONG = ("token-of-ann", "another-of-ann", "token-of-bob", "token-of-carl", "wrong-token")
EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is refused, or allowed with tokens
PROBES = ("/healthz", "/readyz")
ROUTES = [
    ("POST", "/v1/run"), ("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", "/v1/jobs/x"), ("DELETE", "/v1/jobs/x"),
    ("POST", "/v1/jobs/x/rerun"), ("GET", "/v1/backend"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    ("GET", "/docs/"), ("GET", "/nowhere"), ("POST", "/nowhere"), ("PUT", "/v1/run"), ("TRACE", "/v1/run"),
]  # fmt: skip


def line(name: str, token: str) -> str:
    return f"{name} sha256:{hashlib.sha256(token.encode()).hexdigest()}\n"


def bearer(token: str) -> dict[str, str]:
    return {**JSON, "Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def jobs_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs") / "jobs.sqlite"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, jobs_file: Path) -> Iterator[Server]:
    """A server with three token holders, one of them from the environment."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(f"# who is let in\n{line('ann', ANN)}{line('ann', ANNS_SECOND)}\n{line('bob', BOB)}")
    tokens.chmod(0o600)
    digest = hashlib.sha256(CARL.encode()).hexdigest()
    with serving(
        "--tokens", str(tokens), "--jobs", f"sqlite:///{jobs_file}", env={"GATEWAY_TOKEN_SHA256": digest}
    ) as served:
        yield served


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {WRONG}"},
        {"Authorization": f"Bearer {ANN}x"},
        {"Authorization": f"Bearer {ANN[:-1]}"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {ANN}"},
        {"Authorization": ANN},
        {"Authorization": f"Bearer {hashlib.sha256(ANN.encode()).hexdigest()}"},
        {"Cookie": f"token={ANN}"},
        {"X-Api-Key": ANN},
        {"Proxy-Authorization": f"Bearer {ANN}"},
    ],
    ids=[
        "none", "wrong", "longer", "shorter", "empty", "basic", "bare", "digest", "cookie", "api key", "proxy"
    ],
)  # fmt: skip
def test_promise_10_without_a_token_everything_but_probes_and_pages_is_refused(guarded: Server, method, path, headers):
    reply = guarded.request(method, path, run_body() if method == "POST" else None, {**JSON, **headers})
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert reply.json["code"] == "unauthenticated"


def test_promise_10_a_token_in_the_address_lets_nobody_in(guarded: Server):
    assert guarded.request("GET", f"/v1/backend?token={ANN}&access_token={ANN}").status == 401


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}], ids=["none", "wrong"])
def test_probes_are_answered_to_everybody_and_say_nothing_more(guarded: Server, path, headers):
    reply = guarded.request("GET", path, None, headers)
    assert reply.status == 200
    assert set(reply.json) == {"status"}


@pytest.mark.parametrize(
    "path",
    [
        "/healthz/",
        "//v1/backend",
        "/healthz/../v1/backend",
        "/healthz;x",
        "/HEALTHZ",
        "/healthz%2e",
        "/.",
        "/docs/",
    ],
)
def test_what_only_looks_like_a_probe_or_a_page_wants_a_token(guarded: Server, path):
    assert guarded.request("GET", path).status == 401


@pytest.mark.parametrize("token", [ANN, ANNS_SECOND, BOB, CARL])
def test_every_token_lets_in(guarded: Server, token):
    assert guarded.request("POST", "/v1/run", run_body(), bearer(token)).status == 200


RUNNING = [(row.method, row.path) for row in ENDPOINTS.values() if row.right is Right.RUN]
"""The requests that need the right to run."""


@pytest.fixture(scope="module")
def behind_a_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server whose ann may run and whose bob may not, and the file in which a door will leave its key."""
    folder = tmp_path_factory.mktemp("door")
    tokens, key = folder / "tokens", folder / "key"
    tokens.write_text(f"{line('ann', ANN).rstrip()} run\n{line('bob', BOB).rstrip()} compare\n")
    tokens.chmod(0o600)
    with serving("--tokens", str(tokens), "--door-key", str(key)) as served:
        yield served, key


def test_whoever_lacks_the_right_to_run_may_only_look(behind_a_door: tuple[Server, Path]):
    server, _ = behind_a_door
    assert len(RUNNING) == 7
    for method, path in RUNNING:
        url = path.replace("{job_id}", "x").replace("{position}", "0")
        content = run_body() if method == "POST" else None
        reply = server.request(method, url, content, bearer(BOB))
        assert (reply.status, reply.json["code"], reply.json["right"]) == (403, "forbidden", "run"), path
        assert server.request(method, url, content, bearer(ANN)).status != 403, path
    assert server.request("GET", "/v1/backend", None, bearer(BOB)).status == 200
    with server.client(token=BOB) as bob, pytest.raises(Forbidden, match=r"needs the right 'run'.* rights: compare"):
        bob.run(fake())


def test_the_door_runs_for_whom_it_names_and_they_own_the_jobs(behind_a_door: tuple[Server, Path]):
    server, file = behind_a_door
    file.unlink(missing_ok=True)
    forged = "k" * 43
    assert server.request("GET", "/v1/backend", None, {**bearer(forged), "Gateway-Caller": "ann"}).status == 401
    key = ensure_door_key(file)
    for_ann = {**JSON, **door_headers(key, "ann")}
    job = server.request("POST", "/v1/jobs", run_body(), for_ann).json["id"]
    with server.client(token=ANN) as ann:
        assert ann.job(job).result(20).shots
    assert server.request("GET", f"/v1/jobs/{job}", None, {**JSON, **door_headers(key, "carl")}).status == 404
    assert server.request("GET", "/v1/backend", None, door_headers(key)).status == 200
    assert server.request("POST", "/v1/run", run_body(), {**JSON, **door_headers(key)}).status == 403
    assert server.request("POST", "/deployments", b"{}", for_ann).status == 400, "no 403: its body is looked at"
    assert server.request("POST", "/deployments", b"{}", {**JSON, **door_headers(key)}).status == 403
    assert server.request("GET", "/v1/backend", None, {**bearer(forged), "Gateway-Caller": "ann"}).status == 401
    file.unlink()
    assert server.request("GET", "/v1/backend", None, for_ann).status == 401


def test_several_authorizations_are_no_way_in(guarded: Server):
    with guarded.client() as nobody, pytest.raises(AuthenticationError, match="wants a token"):
        nobody.run(fake())
    reply = guarded.request("GET", "/v1/backend", None, {"Authorization": f"Bearer {WRONG}, Bearer {ANN}"})
    assert reply.status == 401


def test_jobs_of_somebody_else_do_not_exist(guarded: Server):
    with guarded.client(token=ANN) as ann, guarded.client(token=BOB) as bob:
        mine = ann.run_async(fake(Does.SLEEP, 1))
        for attempt in (
            lambda: bob.job_info(mine.id),
            lambda: bob.cancel_job(mine.id),
            lambda: bob.rerun(mine.id),
        ):
            with pytest.raises(JobNotFound):
                attempt()
        assert mine.id not in {job.id for job in bob.jobs()}
        assert guarded.request("GET", f"/v1/jobs?before={mine.id}", None, bearer(BOB)).status == 404
        assert mine.result(20).shots == 1024, "nobody cancelled it"
        with guarded.client(token=ANNS_SECOND) as same:
            assert same.job(mine.id).result(5).shots == 1024, "a second token of the same holder is theirs too"


def test_an_idempotency_key_is_its_holders_own(guarded: Server):
    ids = set()
    for token in (ANN, BOB):
        headers = {**bearer(token), "Idempotency-Key": "the same"}
        ids.add(guarded.request("POST", "/v1/jobs", run_body(), headers).json["id"])
    assert len(ids) == 2


def test_promise_10_a_token_is_in_no_log_metric_or_database(guarded: Server, jobs_file: Path):
    tokens = (ANN, ANNS_SECOND, BOB, CARL)
    for token in (*tokens, WRONG):
        guarded.request("POST", "/v1/run", run_body(fake(Does.PANIC)), bearer(token))
        guarded.request("POST", "/v1/jobs", run_body(fake(Does.RAISE)), bearer(token))
    metrics = guarded.request("GET", "/metrics", None, bearer(ANN)).body
    assert b"gateway_runs_total" in metrics
    log = guarded.log()
    assert '"caller":"ann"' in log, "runs are logged by the names of the holders"
    written = b"".join(path.read_bytes() for path in jobs_file.parent.iterdir())
    assert b"ann" in written
    for token in (*tokens, WRONG):
        digest = hashlib.sha256(token.encode()).hexdigest()
        for secret in (token, digest):
            assert secret not in log
            assert secret.encode() not in metrics
            assert secret.encode() not in written


def test_tokens_are_not_seen_by_other_users_in_the_list_of_processes(guarded: Server):
    for pid in guarded.processes():
        assert b"token-of" not in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    file = tmp_path / "tokens"
    file.write_text(line("ann", ANN))
    file.chmod(0o600)
    return file


def test_tokens_are_exchanged_without_a_restart_and_a_broken_file_changes_nothing(tokens_file: Path):
    with serving("--tokens", str(tokens_file)) as served:

        def let_in(token: str) -> bool:
            return served.request("GET", "/v1/backend", None, bearer(token)).status == 200

        assert (let_in(ANN), let_in(BOB)) == (True, False)
        tokens_file.write_text(line("bob", BOB))
        wait_until(lambda: (let_in(ANN), let_in(BOB)) == (False, True), "the tokens to be exchanged")
        for broken in ("this is no token\n", line("bob", BOB)[:-9], "\0\xff"):
            tokens_file.write_bytes(broken.encode("latin-1"))
            assert (let_in(ANN), let_in(BOB)) == (False, True), broken
        assert "the tokens read before stay valid" in served.log()
        assert "this is no token" not in served.log(), "it might be a token, written there by mistake"
        tokens_file.unlink()
        assert (let_in(ANN), let_in(BOB)) == (False, True)
        tokens_file.with_suffix(".new").write_text(line("ann", ANN))
        tokens_file.with_suffix(".new").chmod(0o600)
        tokens_file.with_suffix(".new").rename(tokens_file)
        wait_until(lambda: (let_in(ANN), let_in(BOB)) == (True, False), "the file that took its place to be read")
        tokens_file.write_text("")
        wait_until(lambda: (let_in(ANN), let_in("")) == (False, False), "an empty file to let nobody in")


@pytest.mark.parametrize("strange", ["a pipe", "writable", "a folder", "endless"])
def test_what_others_may_have_put_in_the_place_of_the_tokens_changes_nothing_and_hangs_nobody(
    tokens_file: Path, strange: str
):
    with serving("--tokens", str(tokens_file)) as served:

        def let_in(token: str) -> bool:
            return served.request("GET", "/v1/backend", None, bearer(token)).status == 200

        assert (let_in(ANN), let_in(BOB)) == (True, False)
        tokens_file.unlink()
        match strange:
            case "a pipe":
                os.mkfifo(tokens_file, 0o600)
            case "writable":
                tokens_file.write_text(line("bob", BOB))
                tokens_file.chmod(0o666)
            case "a folder":
                tokens_file.mkdir()
            case "endless":
                tokens_file.symlink_to("/dev/zero")
        assert [let_in(token) for token in (ANN, BOB) * 5] == [True, False] * 5
        assert [served.request("GET", path).status for path in PROBES] == [200, 200]
        assert served.log().count("the tokens read before stay valid") == 1


def test_a_server_does_not_start_with_tokens_that_others_can_write(tokens_file: Path):
    tokens_file.chmod(0o666)
    done = _run("serve", "--adapter", "support.fake:FakeAdapter", "--port", "0", "--tokens", str(tokens_file))
    assert done.returncode != 0
    (said,) = done.stderr.splitlines()
    assert said.endswith(f"chmod go-w {tokens_file}")
    tokens_file.chmod(0o644)
    with serving("--tokens", str(tokens_file)) as served:
        assert served.request("GET", "/v1/backend", None, bearer(ANN)).status == 200, "all may read digests"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot read the tokens"),
        ("secret\n", "line 1: a token is written as"),
        ("\xff", "cannot read the tokens"),
    ],
)
def test_a_server_does_not_start_without_its_tokens(tmp_path: Path, content, why):
    file = tmp_path / "tokens"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
        file.chmod(0o600)
    done = _run("serve", "--adapter", "support.fake:FakeAdapter", "--port", "0", "--tokens", str(file))
    assert done.returncode != 0
    assert why in done.stderr
    assert "secret" not in done.stderr


def test_gateway_token_makes_a_token_that_lets_in_and_writes_down_its_digest(tmp_path: Path):
    file = tmp_path / "tokens"
    made = [_run("token", name, "--file", str(file)) for name in ("ann", "bob", "ann")]
    tokens = [done.stdout.strip() for done in made]
    assert len(set(tokens)) == 3
    assert min(map(len, tokens)) >= 43, "256 bits"
    for done, token in zip(made, tokens, strict=True):
        assert token not in file.read_text() + done.stderr
    with serving("--tokens", str(file)) as served:
        for token in tokens:
            assert served.request("GET", "/v1/backend", None, bearer(token)).status == 200


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.1"])
def test_listening_to_others_without_tokens_is_refused(host):
    done = _run("serve", "--adapter", "support.fake:FakeAdapter", "--port", "0", "--host", host)
    assert done.returncode == 2
    assert f"other machines can reach {host}: name the tokens that may use the server" in done.stderr


def test_listening_to_others_is_possible_with_tokens_or_when_said(tokens_file: Path):
    with serving("--host", EVERYWHERE, "--tokens", str(tokens_file)) as served:
        assert served.request("GET", "/v1/backend").status == 401
        assert served.request("GET", "/v1/backend", None, bearer(ANN)).status == 200
    with serving("--host", EVERYWHERE, env={"GATEWAY_ANONYMOUS": "1"}) as served:
        assert served.request("GET", "/v1/backend").status == 200


@pytest.mark.parametrize("published", [EVERYWHERE, "[::]", "192.0.2.1"])
def test_in_a_container_the_address_at_which_its_port_is_published_demands_tokens(published: str):
    variables = {"GATEWAY_PUBLISHED_AT": published}
    done = _run("serve", "--adapter", "support.fake:FakeAdapter", "--port", "0", env=variables)
    assert done.returncode != 0
    assert f"other machines can reach {published}, where the port of this container is published" in done.stderr


@pytest.mark.parametrize("published", ["127.0.0.1", "[::1]"])
def test_in_a_container_whose_port_is_published_to_its_host_alone_nobody_needs_a_token(published: str):
    with serving("--host", EVERYWHERE, env={"GATEWAY_PUBLISHED_AT": published}) as served:
        assert served.request("GET", "/v1/backend").status == 200


def test_without_settings_a_server_listens_on_loopback_only():
    with serving() as served:
        assert served.host == "127.0.0.1"
        table = Path(f"/proc/{served.pid}/net/tcp").read_text() + Path(f"/proc/{served.pid}/net/tcp6").read_text()
        listening = [row.split()[1] for row in table.splitlines() if f":{served.port:04X} " in row and " 0A " in row]
        assert listening == [f"0100007F:{served.port:04X}"]


def test_the_limits_of_a_server_are_seen_by_who_is_let_in(guarded: Server):
    found = guarded.request("GET", "/v1/backend", None, bearer(ANN))
    assert json.loads(found.body)["limits"]["max_body_bytes"] > 0


def _run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *words],
        capture_output=True, text=True, env=environment(env), timeout=60, check=False,
    )  # fmt: skip
