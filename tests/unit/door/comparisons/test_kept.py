"""Texts are kept compressed, and large ones are read piece by piece."""

from __future__ import annotations

import random

import pytest

from gateway.door.comparisons.kept import Kept
from gateway.errors import JobStoreError
from gateway.execution.content import IN_MEMORY_BYTES, PIECE_BYTES, pieces_of, size_of, whole

TEXT = b"".join(b"%d," % k for k in range(400_000))
NOISE = random.Random(7).randbytes(2 * IN_MEMORY_BYTES)


@pytest.mark.parametrize("text", [b"", b"{}", b"x" * IN_MEMORY_BYTES, TEXT, NOISE, b"x" * (8 * PIECE_BYTES)])
def test_a_text_is_restored(text: bytes):
    kept = Kept.of(text)
    assert kept.text() == text
    content = kept.content()
    assert size_of(content) == len(text)
    assert whole(content) == text
    assert isinstance(content, bytes) == (len(text) <= IN_MEMORY_BYTES)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces_of(content))


@pytest.mark.parametrize("text", [TEXT, NOISE])
def test_a_part_of_a_large_text_is_read(text: bytes):
    content = Kept.of(text).content()
    for start, stop in ((0, 10), (PIECE_BYTES - 1, PIECE_BYTES + 1), (len(text) - 3, None), (5, 5), (len(text), None)):
        assert b"".join(pieces_of(content, start, stop)) == text[start:stop]


def test_damage_is_found():
    body, size = Kept.of(TEXT)
    for damaged in (Kept(body[:-9], size), Kept(body, size + 1), Kept(b"y" + body[1:], size), Kept(b"", size)):
        with pytest.raises(JobStoreError, match="damaged"):
            damaged.text()
        with pytest.raises(JobStoreError, match="damaged"):
            whole(damaged.content())
