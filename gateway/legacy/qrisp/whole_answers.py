"""Reads the results of runs as a whole, as released clients need them: large ones one after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from gateway.errors import LimitError

MOST_BYTES = 2**25
"""The most bytes of results that a released client is given at once."""

_SMALL_BYTES = 2**20
"""Results up to this size do not wait for each other."""

_turn = threading.Lock()


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """Keep room for results of ``size`` bytes until the ``with`` statement ends, and wait for it if need be.

    Raises:
        LimitError: the results are too large for these clients.
    """
    if size > MOST_BYTES:
        raise LimitError(
            f"the results have {size:,} bytes, and clients of this interface are given {MOST_BYTES:,} at most: ask for "
            "fewer shots, circuits or clbits, or use a client of protocol version 1",
            limit="max_result_bytes",
            requested=size,
            allowed=MOST_BYTES,
        )
    with _turn if size > _SMALL_BYTES else contextlib.nullcontext():
        yield
