from __future__ import annotations

from pathlib import Path

from support.documents import python_blocks, run


def test_the_example_of_the_document_runs(tmp_path: Path):
    (block,) = [block for block in python_blocks("gateway/backends/README.md") if "IQMBackend" in block]
    assert "calibration set" in run(block, tmp_path)
