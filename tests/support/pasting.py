"""Copies the examples of a page and runs them as people do who paste them."""

from __future__ import annotations

import contextlib
import html
import io
import re
import subprocess
from collections.abc import Iterator

_EXAMPLE = re.compile(r'<figcaption>(curl|Python)[^<]*</figcaption><pre class="code">(.*?)</pre>', re.DOTALL)


def examples(page: str) -> list[tuple[str, str]]:
    """Return the calls of a page as they are copied: the language and the text."""
    return [(language, html.unescape(text)) for language, text in _EXAMPLE.findall(page)]


def outputs(page: str) -> Iterator[tuple[str, str]]:
    """Run the examples of a page one after the other, and yield each with what it prints."""
    for language, text in examples(page):
        yield text, (_bash(text) if language == "curl" else _python(text))


def _bash(text: str) -> str:
    return subprocess.run(["bash", "-euc", text], check=True, capture_output=True, text=True, timeout=120).stdout


def _python(text: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(text, "example", "exec"), {})  # noqa: S102 - it is our own example
    return printed.getvalue()
