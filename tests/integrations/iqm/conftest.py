"""Sets pytest up for IQM's client."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # The client announces the end of models that it still uses itself when it reads a job's payload.
    config.addinivalue_line("filterwarnings", r"ignore:`iqm\.:DeprecationWarning")
