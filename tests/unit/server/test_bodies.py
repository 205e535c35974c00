"""Bodies are kept in memory or in files, whole, and not more of them than there is room for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gateway.errors import BusyError
from gateway.server.http import bodies
from gateway.server.http.bodies import ALL_IN_MEMORY_BYTES, FILES_FACTOR, IN_MEMORY_BYTES, READ_FACTOR, Bodies, Body

LARGEST = 4 * IN_MEMORY_BYTES


@pytest.fixture
def account() -> Bodies:
    return Bodies(LARGEST)


def body(account: Bodies, content: bytes) -> Body:
    found = Body(account)
    for start in range(0, len(content), 2**16):
        found.append(content[start : start + 2**16])
    return found


@pytest.mark.parametrize("size", [0, 1, 2**16, IN_MEMORY_BYTES - 1, IN_MEMORY_BYTES, IN_MEMORY_BYTES + 1, LARGEST])
def test_a_body_of_any_size_is_read_as_it_came(account: Bodies, size: int):
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    found = body(account, content)
    assert found.size == size
    assert found.open().read() == content
    found.close()
    assert vars(account) == vars(Bodies(LARGEST)), "all is given back"


def test_where_memory_is_full_small_bodies_are_kept_in_files(account: Bodies):
    many = [body(account, bytes(2**20)) for _ in range(ALL_IN_MEMORY_BYTES // 2**20)]
    one_more = body(account, b"small")
    assert one_more.open().read() == b"small"
    for each in (*many, one_more):
        each.close()
    assert vars(account) == vars(Bodies(LARGEST))


def test_bodies_in_files_have_an_end(account: Bodies):
    many = [body(account, bytes(LARGEST)) for _ in range(FILES_FACTOR)]
    one_more = Body(account)
    with pytest.raises(BusyError, match="as many bytes of requests as it can"):
        one_more.append(bytes(2 * IN_MEMORY_BYTES))
    for each in (*many, one_more):
        each.close()
    assert vars(account) == vars(Bodies(LARGEST))


def test_large_bodies_that_are_read_at_the_same_time_have_an_end(account: Bodies):
    many = [body(account, bytes(LARGEST)) for _ in range(READ_FACTOR + 1)]
    for each in many[:-1]:
        each.open()
    with pytest.raises(BusyError, match="as many bytes of requests as it can"):
        many[-1].open()
    many[0].close()
    assert len(many[-1].open().read()) == LARGEST
    for each in many[1:]:
        each.close()
    assert vars(account) == vars(Bodies(LARGEST))


def test_a_full_disk_is_told_as_busy_and_costs_nothing(account: Bodies, monkeypatch: pytest.MonkeyPatch):
    def full(**_: object):
        return Path("/dev/full").open("wb", buffering=0)

    monkeypatch.setattr(bodies.tempfile, "TemporaryFile", full)
    found = Body(account)
    with pytest.raises(BusyError, match="as many bytes of requests as it can"):
        found.append(bytes(LARGEST))
    found.close()
    assert vars(account) == vars(Bodies(LARGEST))


def test_no_folder_for_files_is_told_as_busy(account: Bodies, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", "/does/not/exist")
    found = Body(account)
    found.append(b"kept")
    with pytest.raises(BusyError, match="as many bytes of requests as it can"):
        found.append(bytes(LARGEST))
    found.close()
    assert vars(account) == vars(Bodies(LARGEST))
