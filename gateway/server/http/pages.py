"""Makes the responses that a browser shows: pages, parts of pages, and the files that pages load.

Each allows as little as it can do with. A page with a nonce has scripts from this server; whatever else is shown runs
nothing at all, and has only the style sheets in its head.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode
from functools import lru_cache

from flask import Response, request

from gateway.execution.content import Content, pieces_of, size_of

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every such response has, beside its Content-Security-Policy."""

REVALIDATED = "no-cache"
"""Kept by browsers, which ask each time whether it is still the same."""

_NOTHING_ELSE = "base-uri 'none'; frame-ancestors 'none'"
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_WORTH_COMPRESSING_BYTES = 1024


def page_response(html: str | Content, *, nonce: str = "", cache_control: str = REVALIDATED) -> Response:
    """Return a page or a part of one as the response to the current request.

    Args:
        html: the page; one without a nonce may have ``style`` elements in its head, without attributes. Of a large one
            in a file, the head has to be in the first piece.
        nonce: lets the page load scripts and style sheets from this server, send requests to it, and make ``style``
            elements with this nonce, which is another one each time.
        cache_control: whether browsers keep the page.
    """
    content = html.encode() if isinstance(html, str) else html
    response = _response(content, "text/html; charset=utf-8", cache_control)
    first = next(pieces_of(content), b"")
    response.headers["Content-Security-Policy"] = _policy_with_scripts(nonce) if nonce else _policy(first)
    return response


def asset_response(content: Content, media_type: str, *, cache_control: str = REVALIDATED) -> Response:
    """Return a file that a page loads, or that is downloaded, as the response to the current request."""
    response = _response(content, media_type, cache_control)
    response.headers["Content-Security-Policy"] = f"default-src 'none'; {_NOTHING_ELSE}"
    return response


def _response(content: Content, content_type: str, cache_control: str) -> Response:
    response = Response(
        content if isinstance(content, bytes) else pieces_of(content), content_type=content_type, headers=HEADERS
    )
    response.headers["Cache-Control"] = cache_control
    if not isinstance(content, bytes):  # it is sent piece by piece, as it is
        response.content_length = size_of(content)
        return response
    response.headers["Vary"] = "Accept-Encoding"
    response.set_etag(hashlib.sha256(content).hexdigest()[:32], weak=True)  # the same for both encodings
    if len(content) >= _WORTH_COMPRESSING_BYTES and request.accept_encodings["gzip"] > 0:
        response.data = _compressed(content)
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


@lru_cache(maxsize=16)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _policy_with_scripts(nonce: str) -> str:
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        f"connect-src 'self'; form-action 'self'; {_NOTHING_ELSE}"
    )


def _policy(html: bytes) -> str:
    head = html.partition(b"</head>")[0]
    hashes = [b64encode(hashlib.sha256(style).digest()).decode() for style in _STYLE.findall(head)]
    styles = " ".join(f"'sha256-{value}'" for value in hashes) or "'none'"
    return f"default-src 'none'; style-src {styles}; img-src data:; form-action 'none'; {_NOTHING_ELSE}"
