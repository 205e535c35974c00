"""Takes docstrings of messages apart: what a message is, and what each of its fields means."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"^(Args|Raises|Attributes|Returns|Yields):\n", re.MULTILINE)
_FIELD = re.compile(r"^ *(?P<name>\w+): (?P<text>.*(?:\n +\S.*)*)", re.MULTILINE)
_PYTHON = re.compile(r"^.*::\n(?:\n| +.*\n?)*", re.MULTILINE)
"""A sentence about an example in Python, and the example."""

_ROLE = re.compile(r":\w+:`~?(?:[\w.]*\.)?(\w+)`")


def plain(docstring: str) -> str:
    """Return what a docstring says about the message itself, in the Markdown of OpenAPI."""
    text = _SECTION.split(inspect.cleandoc(docstring), maxsplit=1)[0]
    return _markdown(_FIELD.sub("", _PYTHON.sub("", text))).strip()


def described_fields(docstring: str) -> dict[str, str]:
    """Return what a docstring says about each field, in the order of the fields."""
    text = inspect.cleandoc(docstring).partition("\nRaises:\n")[0]
    _, begins, arguments = text.rpartition("Args:\n")
    if not begins:
        return {found["name"]: _one_line(found["text"]) for found in _FIELD.finditer(text)}
    return {found["name"]: _one_line(found["text"]) for found in _FIELD.finditer(inspect.cleandoc(arguments))}


def _one_line(text: str) -> str:
    return _markdown(" ".join(text.split()))


def _markdown(text: str) -> str:
    return _ROLE.sub(r"`\1`", text).replace("``None``", "null").replace("``", "`")
