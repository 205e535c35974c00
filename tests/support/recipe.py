"""Reads the blocks of CONTRIBUTING.md that say how to add a simulator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Recipe(NamedTuple):
    """The recipe for a simulator, word for word.

    Args:
        adapter: the text of the one file.
        row: the text of the one row.
        commands: the commands to run afterwards.
    """

    adapter: str
    row: str
    commands: list[str]


def read_recipe() -> Recipe:
    """Return the recipe as it stands in CONTRIBUTING.md."""
    section = re.search(
        r"^## Add a simulator\n(.*?)^## ", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL | re.MULTILINE
    )
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE)
    (_, adapter), (_, row), (_, console) = blocks
    assert [language for language, _ in blocks] == ["python", "python", "console"]
    return Recipe(adapter, row, [line.removeprefix("$ ") for line in console.splitlines()])
