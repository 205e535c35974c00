"""The blocks of CONTRIBUTING.md that say how a simulator is added."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Recipe(NamedTuple):
    """What is written, word for word.

    Args:
        adapter: the one file.
        row: the one row.
        commands: what is run afterwards.
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
