"""The examples of gateway/backends/README.md; that of IQM runs in tests/integrations/iqm."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.documents import python_blocks, run

EXAMPLES = [block for block in python_blocks("gateway/backends/README.md") if "IQMBackend" not in block]


def test_each_backend_has_an_example():
    for name in ("VirtualBackend", "QiskitBackend", "QiskitRuntimeBackend"):
        assert any(f"import {name}" in block or f", {name}" in block for block in EXAMPLES), name


@pytest.mark.parametrize("block", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(block: str, tmp_path: Path):
    run(block, tmp_path, "-W", "error")
