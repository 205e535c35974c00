"""What Qrisp needs of pytest."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # Qrisp and what it is built on announce the end of things they use themselves; ours stay errors.
    for module in ("qrisp", "jax", "numba", "sympy", "matplotlib"):
        config.addinivalue_line("filterwarnings", f"ignore::DeprecationWarning:{module}")
