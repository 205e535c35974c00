"""What PennyLane needs of pytest."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # PennyLane and what it calls (autoray, SciPy) announce the end of things they use themselves; ours stay errors.
    for module in ("pennylane", "autograd", "autoray", "scipy"):
        config.addinivalue_line("filterwarnings", f"ignore::DeprecationWarning:{module}")
