"""The notebooks of the documents, executed in a real kernel: no cell fails, and the last words are the right ones."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Execute the notebook of the comparison, and return what each cell shows, as text and markup together."""
    notebook = nbformat.read(DOCS / "comparison.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=240, resources={"metadata": {"path": str(tmp_path_factory.mktemp("nb"))}}
    ).execute()
    return [_shown(cell) for cell in notebook.cells if cell.cell_type == "code"]


def _shown(cell: nbformat.NotebookNode) -> str:
    parts = [output.get("text", "") or str(output.get("data", {})) for output in cell.outputs]
    return "\n".join(parts)


def test_the_notebook_goes_from_three_lines_to_a_named_fault(outputs: list[str]):
    agreeing, differing, words, text = outputs[1], outputs[2], outputs[3], outputs[4]
    assert "All 4 agree" in agreeing
    assert "2 agree; mine differs" in differing
    assert "every rz turned the other way" in words
    assert "'angle-negated:rz'" in words
    assert "OPENQASM 3" in text


def test_what_is_shown_is_markup_and_pictures(outputs: list[str]):
    assert "nothing has changed" in outputs[5]
    assert "image/png" in outputs[6]
    circuit, counts, probabilities = outputs[7:]
    assert "data:image/svg+xml" in circuit
    assert "10,000 shots" in counts
    assert "Exact probabilities" in probabilities


def test_the_notebook_is_kept_without_outputs():
    notebook = nbformat.read(DOCS / "comparison.ipynb", as_version=4)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
