"""Contents put together are read like one."""

from __future__ import annotations

import os

import pytest

from gateway.execution.content import PIECE_BYTES, FileContent, pieces_of, whole
from gateway.jobs.joined import Joined, part


def file_of(body: bytes) -> FileContent:
    content = FileContent()
    content.append(body)
    return content


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 2, PIECE_BYTES, 2 * PIECE_BYTES + 3])
def test_parts_follow_one_another_without_what_is_left_out(size: int):
    body = os.urandom(size + 5)
    joined = Joined(
        [part(b"<"), part(file_of(body), skip=3, leave=2), part(b""), part(body, skip=size + 5), part(b">")]
    )
    expected = b"<" + body[3:-2] + b">"
    assert (joined.size, whole(joined)) == (len(expected), expected)
    for start, stop in [(0, 1), (1, None), (0, joined.size - 1), (size // 2, size + 1), (5, 5), (joined.size, None)]:
        assert b"".join(pieces_of(joined, start, stop)) == expected[start:stop]


def test_many_small_parts_become_few_pieces_and_no_piece_is_too_large():
    joined = Joined([part(b"abc")] * 200_000 + [part(file_of(b"x" * 3 * PIECE_BYTES))] + [part(b"d")] * 10)
    sizes = [len(piece) for piece in joined.pieces()]
    assert max(sizes) <= PIECE_BYTES
    assert (sum(sizes), len(sizes)) == (600_000 + 3 * PIECE_BYTES + 10, 7)


def test_who_reads_to_the_end_is_noticed_and_nobody_else_is():
    sent: list[int] = []
    joined = Joined([part(b"x" * PIECE_BYTES), part(b"y")], lambda: sent.append(1))
    reader = joined.pieces()
    next(reader)
    next(reader)
    assert b"".join(joined.pieces(1)) == b"x" * (PIECE_BYTES - 1) + b"y"
    assert sent == []
    assert list(reader) == []
    assert sent == [1]
