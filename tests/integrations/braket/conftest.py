"""What Braket needs of pytest."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    # Braket and what it is built on announce the end of things they use themselves; ours stay errors.
    for module in ("braket", "botocore", "boto3", "pydantic", "numba"):
        config.addinivalue_line("filterwarnings", f"ignore::DeprecationWarning:{module}")
