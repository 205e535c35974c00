"""Writes what the page shares with reports into page/generated: the style sheets, the marks, OpenQASM's keywords."""

from __future__ import annotations

import json
from pathlib import Path

from gateway.look.sheet import DEFINITIONS, KEYWORDS, style_sheet

ROOT = Path(__file__).parents[1]
GENERATED = ROOT / "page/generated"


def main() -> None:
    """Write the files."""
    GENERATED.mkdir(exist_ok=True)
    (GENERATED / "sheet.css").write_text(style_sheet(with_choice=True))
    shared = {"definitions": str(DEFINITIONS), "keywords": KEYWORDS}
    (GENERATED / "shared.json").write_text(json.dumps(shared, indent=2) + "\n")


if __name__ == "__main__":
    main()
