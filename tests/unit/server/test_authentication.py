"""A token becomes its caller with the caller's rights, and the door's key whoever the door asks for."""

from __future__ import annotations

import hashlib
import logging
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.errors import AuthenticationError, Forbidden, RequestError
from gateway.jobs.manager import Caller
from gateway.rights import ALL_RIGHTS, USUAL_RIGHTS, Right
from gateway.server.access.authentication import DOOR, Authentication
from gateway.server.access.door_key import CALLER_HEADER, DoorKey, door_headers, ensure_door_key
from gateway.server.access.tokens import TokenDigest, Tokens


def tokens(*rights: Right) -> Tokens:
    return Tokens([TokenDigest("ann", hashlib.sha256(b"ann's token").hexdigest(), frozenset(rights))])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "door" / "key"


def test_a_token_has_the_rights_of_its_entry():
    caller = Authentication(tokens(Right.COMPARE)).authenticate("ann's token", "192.0.2.1")
    assert caller == Caller("ann", "ann", "ann's token", frozenset({Right.COMPARE}))
    caller.demand(Right.COMPARE)
    with pytest.raises(
        Forbidden, match=r"needs the right 'run', .* rights: compare\); .* --rights run,compare"
    ) as caught:
        caller.demand(Right.RUN)
    assert (caught.value.right, caught.value.status) == ("run", 403)


def test_where_nobody_needs_a_token_everybody_may_do_everything():
    caller = Authentication().authenticate("any", "192.0.2.1")
    assert caller == Caller("", "192.0.2.1", "any", ALL_RIGHTS)


def test_the_door_acts_as_whom_it_names_and_its_key_is_given_to_no_function(file: Path):
    key = ensure_door_key(file)
    authentication = Authentication(tokens(), DoorKey(file))
    assert authentication.authenticate(key, "192.0.2.1", "ann") == Caller("ann", "ann", None, USUAL_RIGHTS)


def test_for_a_server_without_tokens_the_door_names_an_address_to_take_turns_by(file: Path):
    key = ensure_door_key(file)
    caller = Authentication(door_key=DoorKey(file)).authenticate(key, "172.18.0.2", "2001:db8::7")
    assert (caller.owner, caller.name, caller.token) == ("", "2001:db8::7", None)


def test_the_door_itself_has_no_right_and_no_holder_has_its_name(file: Path):
    caller = Authentication(tokens(), DoorKey(file)).authenticate(ensure_door_key(file))
    assert caller == Caller(DOOR, DOOR, None, frozenset())
    with pytest.raises(Forbidden, match=r"its rights: none"):
        caller.demand(Right.RUN)
    with pytest.raises(RequestError, match="is the name of a token or an address"):
        Authentication(tokens(), DoorKey(file)).authenticate(ensure_door_key(file), "", DOOR)


def test_where_nobody_needs_a_token_the_door_itself_may_run_as_everybody_may(file: Path):
    caller = Authentication(door_key=DoorKey(file)).authenticate(ensure_door_key(file), "172.18.0.2")
    assert caller == Caller("", DOOR, None, ALL_RIGHTS)


def test_nobody_else_names_a_caller(file: Path):
    ensure_door_key(file)
    authentication = Authentication(tokens(Right.RUN), DoorKey(file))
    assert authentication.authenticate("ann's token", "", "bob").name == "ann"
    with pytest.raises(AuthenticationError, match="the token is wrong"):
        authentication.authenticate("no key", "", "bob")


@pytest.mark.parametrize("name", ["", "a b", "a" * 129, "a%00", "a,b", "a/b"])
def test_a_caller_who_cannot_exist_is_refused(file: Path, name: str):
    authentication = Authentication(tokens(), DoorKey(file))
    key = ensure_door_key(file)
    with pytest.raises(RequestError, match=CALLER_HEADER):
        authentication.authenticate(key, "", name)


@pytest.mark.parametrize("name", ["ann", "jürgen", "a.b@example-1_x", "2001:db8::7", "fe80::1%eth0", "王"])
def test_the_headers_of_the_door_name_its_caller_in_ascii(file: Path, name: str):
    key = ensure_door_key(file)
    headers = door_headers(key, name)
    assert headers[CALLER_HEADER].isascii()
    caller = Authentication(tokens(), DoorKey(file)).authenticate(key, "", headers[CALLER_HEADER])
    assert caller.owner == name


def test_without_a_caller_there_is_no_such_header(file: Path):
    assert door_headers("key") == {"Authorization": "Bearer key"}


def test_a_key_is_made_once_and_for_its_owner_alone(file: Path):
    with ThreadPoolExecutor(16) as pool:
        barrier = threading.Barrier(16)

        def make(_number: int) -> str:
            barrier.wait()
            return ensure_door_key(file)

        keys = set(pool.map(make, range(16)))
    assert len(keys) == 1
    assert len(keys.pop()) == 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["key"], "no draft is left"


def test_a_key_that_comes_changes_and_goes_is_seen(file: Path):
    key = DoorKey(file)
    assert not key.matches("")
    first = ensure_door_key(file)
    assert key.matches(first)
    file.unlink()
    assert not key.matches(first)
    second = ensure_door_key(file)
    assert key.matches(second)
    assert not key.matches(first)


@pytest.mark.parametrize(
    ("mode", "why"), [(0o640, "other users can read the door's key"), (0o620, "other users can write the door's key")]
)
def test_a_key_that_others_can_read_or_write_is_nobodys_and_logged_once(
    file: Path, mode: int, why: str, caplog: pytest.LogCaptureFixture
):
    content = ensure_door_key(file)
    key = DoorKey(file)
    assert key.matches(content)
    file.chmod(mode)
    assert [key.matches(content) for _ in range(3)] == [False] * 3
    assert [record.getMessage().startswith(f"nobody is taken for the door: {why}") for record in caplog.records] == [
        True
    ]
    assert caplog.records[0].levelno == logging.ERROR
    file.chmod(0o600)
    assert key.matches(content)


@pytest.mark.parametrize("content", [b"", b"short\n", b"two words" * 10, b"\xff" * 50, b"x" * 200])
def test_a_file_with_something_else_has_no_key(file: Path, content: bytes):
    file.parent.mkdir()
    file.write_bytes(content)
    file.chmod(0o600)
    assert not DoorKey(file).matches(content.decode("latin-1").strip())
    with pytest.raises(RequestError, match="does not hold the door's key: remove it"):
        ensure_door_key(file)


def test_a_place_where_no_key_can_be_kept_is_an_error_with_its_cause(tmp_path: Path):
    (tmp_path / "door").write_text("")
    with pytest.raises(RequestError, match=r"cannot write the door's key to .*door/key: "):
        ensure_door_key(tmp_path / "door" / "key")
