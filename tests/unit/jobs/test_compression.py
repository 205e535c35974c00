from __future__ import annotations

import os
import zlib

import msgspec
import pytest

from gateway.errors import JobStoreError
from gateway.jobs.compression import LEAST_BYTES, Compressor, restored

TEXT = msgspec.json.encode({format(k * 977 % 2**20, "020b"): k for k in range(5_000)})


@pytest.mark.parametrize("piece", [TEXT, bytes(10_000), b"a" * LEAST_BYTES])
def test_text_is_kept_in_less_than_half_and_restored(piece: bytes):
    kept = Compressor().keep(piece)
    assert len(kept) < len(piece) / 2
    assert restored(kept, len(piece)) == piece


@pytest.mark.parametrize("piece", [b"", b"short", b"a" * (LEAST_BYTES - 1), os.urandom(50_000)])
def test_what_is_short_or_would_save_nothing_is_kept_as_it_is(piece: bytes):
    assert Compressor().keep(piece) is piece
    assert restored(piece, len(piece)) is piece


def test_after_a_piece_that_saves_nothing_no_other_is_tried():
    compressor = Compressor()
    assert len(compressor.keep(TEXT)) < len(TEXT)
    noise = os.urandom(50_000)
    assert compressor.keep(noise) is noise
    assert compressor.keep(TEXT) is TEXT


@pytest.mark.parametrize(
    ("kept", "size"),
    [
        (zlib.compress(TEXT), len(TEXT) + 1),
        (zlib.compress(TEXT), len(TEXT) - 1),
        (zlib.compress(TEXT)[:-9], len(TEXT)),
        (b"nonsense", 100),
    ],
)
def test_what_is_not_what_was_kept_is_an_error(kept: bytes, size: int):
    with pytest.raises(JobStoreError, match="damaged"):
        restored(kept, size)


def test_no_more_is_restored_than_there_was():
    bomb = zlib.compress(bytes(10**8))
    with pytest.raises(JobStoreError, match="damaged"):
        restored(bomb, 1_000)
