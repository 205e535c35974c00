"""Bars in characters: whole ones and eighths of the terminal's columns."""

from __future__ import annotations

_EIGHTHS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")


def bar(share: float, width: int) -> str:
    """Return a bar; what is above 0 has an eighth of a column at least.

    Args:
        share: of the width, from 0 to 1.
        width: the columns of the longest bar.
    """
    eighths = round(8 * min(max(share, 0.0), 1.0) * width)
    if share > 0 and width:
        eighths = max(eighths, 1)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8]


def marked_bar(share: float, tick: float | None, width: int) -> list[tuple[str, str]]:
    """Return the bar of who differs, with a tick where it should end, as parts with their styles.

    Args:
        share: of the width, from 0 to 1.
        tick: where the reference is, from 0 to 1; ``None`` without one.
        width: the columns of the longest bar.
    """
    length = max(round(min(share, 1.0) * width), 1) if share > 0 and width else 0
    if tick is None or not width:
        return [("▒" * length, "red")]
    place = min(int(tick * width), width - 1)
    if place < length:
        return [("▒" * place, "red"), ("┃", ""), ("▒" * (length - place - 1), "red")]
    return [("▒" * length, "red"), (" " * (place - length) + "│", "")]
