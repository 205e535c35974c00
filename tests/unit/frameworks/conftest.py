"""A real simulator for the circuits that come from frameworks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.backends.base import Backend
from gateway.backends.local import LocalSimulator


@pytest.fixture(scope="session")
def real_backend() -> Iterator[Backend]:
    with LocalSimulator("qulacs", workers=1) as simulator:
        yield simulator
