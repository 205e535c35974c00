"""Progress in a notebook: a bar and a table, redrawn in place through a display handle of IPython."""

from __future__ import annotations

import sys
from html import escape
from typing import Any

from gateway.compare.progress.board import Line, View
from gateway.compare.progress.drawn import BUSY, MARKS, DrawnProgress
from gateway.compare.progress.events import Stage
from gateway.look import numbers

_REFRESH_S = 0.5

_DATUM = "#6b8196"
_TEXT = "font-size:13px;line-height:1.45;padding:4px 0;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 14px 2px 0;border:0;white-space:nowrap;text-align"
_SOFT = "opacity:0.75"


def is_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; IPython is not imported to find out."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class NotebookProgress(DrawnProgress):
    """Shows a bar for all runs and a row for each simulator; at the end one line stays, with the time that it took."""

    def _show(self) -> None:
        from IPython.display import display

        handle: Any = None
        for is_last in self._rounds(_REFRESH_S):
            view = self._board.view()
            picture = {"text/html": to_html(view, is_last=is_last), "text/plain": _plain(view)}
            if handle is None:
                handle = display(picture, raw=True, display_id=True)  # type: ignore[no-untyped-call]
            else:
                handle.update(picture, raw=True)


def to_html(view: View, *, is_last: bool = False) -> str:
    """Return what a notebook shows of a view, as HTML without any style sheet; at the end, the sentence alone."""
    clause, separator, rest = (view.sentence or _count(view)).partition(";")
    left = "" if view.left_s is None else f", about {numbers.seconds(view.left_s)} left"
    sentence = (
        f"<div><strong>{escape(clause)}</strong>{escape(separator + rest)} "
        f'<span style="{_SOFT}">{numbers.seconds(view.seconds)}{left}</span></div>'
    )
    if is_last:
        return f'<div style="{_TEXT}">{sentence}</div>'
    bar = (
        f'<div style="height:10px;max-width:420px;border:1px solid {_DATUM};margin:6px 0 8px 0">'
        f'<div style="height:10px;width:{100 * view.share:.1f}%;background-color:{_DATUM}"></div></div>'
    )
    rows = "".join(map(_row, view.lines))
    return f'<div style="{_TEXT}">{sentence}{bar}<table style="border-collapse:collapse;margin:0">{rows}</table></div>'


def _row(line: Line) -> str:
    seconds = "" if line.stage is Stage.QUEUED else numbers.seconds(line.seconds)
    return (
        f'<tr style="background:rgba(0,0,0,0)"><td style="{_CELL}:left">{escape(line.simulator)}</td>'
        f'<td style="{_CELL}:left">{MARKS.get(line.stage, BUSY)} {_state(line)}</td>'
        f'<td style="{_CELL}:right">{seconds}</td></tr>'
    )


def _state(line: Line) -> str:
    is_running = line.stage not in MARKS and line.share is not None
    return f"{line.stage}, {100 * (line.share or 0.0):.0f}\N{NO-BREAK SPACE}%" if is_running else str(line.stage)


def _count(view: View) -> str:
    return f"{view.finished} of {view.simulators} {'has' if view.finished == 1 else 'have'} finished."


def _plain(view: View) -> str:
    return "\n".join([view.sentence or _count(view), *(f"{line.simulator}: {_state(line)}" for line in view.lines)])
