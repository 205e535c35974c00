"""What browsers are shown: small things in memory and compressed, large ones from a file, as they are."""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode

from flask import Flask, Response

from gateway.execution.content import FileContent
from gateway.server.http.pages import asset_response, page_response

STYLE = "body { color: red }"
PAGE = f"<!doctype html><html><head><style>{STYLE}</style></head><body>{'x' * 5000}</body></html>"


def _in_file(content: bytes) -> FileContent:
    file = FileContent()
    file.append(content)
    return file


def _request(**headers: str) -> object:
    return Flask(__name__).test_request_context(
        headers={name.replace("_", "-"): each for name, each in headers.items()}
    )


def _headers(response: Response) -> dict[str, str]:
    varying = {"Date", "Content-Length", "Content-Encoding", "ETag", "Vary"}
    return {name: value for name, value in response.headers.items() if name not in varying}


def test_a_page_is_the_same_as_text_as_bytes_and_in_a_file():
    with _request():
        text, content, file = (page_response(page) for page in (PAGE, PAGE.encode(), _in_file(PAGE.encode())))
        assert text.get_data() == content.get_data() == b"".join(file.iter_encoded()) == PAGE.encode()
    assert file.content_length == len(PAGE)
    assert _headers(text) == _headers(content) == _headers(file)
    allowed = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}'" in file.headers["Content-Security-Policy"]


def test_what_is_in_memory_is_compressed_and_compared_and_what_is_in_a_file_is_sent_as_it_is():
    content = b"outcome,count\n" * 1000
    with _request(Accept_Encoding="gzip"):
        small, large = (asset_response(each, "text/csv") for each in (content, _in_file(content)))
        assert gzip.decompress(small.get_data()) == b"".join(large.iter_encoded()) == content
    assert "Content-Encoding" not in large.headers
    with _request(If_None_Match=small.headers["ETag"]):
        assert asset_response(content, "text/csv").status_code == 304
    assert _headers(small) == _headers(large)


def test_an_empty_page_is_a_page():
    with _request():
        assert page_response(b"").get_data() == b""
