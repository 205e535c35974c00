"""The files of the page, as ``scripts/page`` has written them."""

from __future__ import annotations

import secrets
from functools import cache
from importlib import resources

from flask import Response, request

from gateway.server.http.pages import asset_response, page_response

_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "txt": "text/plain; charset=utf-8"}
_FILES = ("app.js", "app.css", "app.js.LEGAL.txt")
_NONCE_IN_PAGE = "STYLE_NONCE"

_FOR_EVER = "max-age=31536000, immutable"
_ASK_EACH_TIME = "no-cache"

PATHS = frozenset(f"/{name}" for name in _FILES)
"""Paths of the files that the page loads."""


def respond_with_page() -> Response:
    """Return the page, which may make style elements with a nonce that is another one each time."""
    nonce = secrets.token_urlsafe(16)
    return page_response(_content("index.html").decode().replace(_NONCE_IN_PAGE, nonce), nonce=nonce)


def respond_with(path: str) -> Response:
    """Return a file that the page loads; under the address that the page has for it, browsers may keep it."""
    name = path.removeprefix("/")
    version = request.args.get("v")
    is_ours = version and f'"{name}?v={version}"'.encode() in _content("index.html")
    keep = _FOR_EVER if is_ours else _ASK_EACH_TIME
    return asset_response(_content(name), _TYPES[name.rpartition(".")[2]], cache_control=keep)


@cache
def _content(name: str) -> bytes:
    return resources.files(__package__).joinpath("page", name).read_bytes()
