"""How long to look for trouble."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.subject import Subject


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """How long a fuzzer runs."""
    return float(request.config.getoption("--seconds"))


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """A process in which inputs are tried out."""
    made = Subject()
    yield made
    made.close()
