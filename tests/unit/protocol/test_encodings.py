from __future__ import annotations

import pytest

from gateway.protocol.encodings import ACCEPT_BOTH, Encoding, accepted

JSON, MSGPACK = Encoding.JSON, Encoding.MSGPACK


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/msgpack", MSGPACK),
        ("Application/MsgPack", MSGPACK),
        (" application/msgpack ; q=1.0 ", MSGPACK),
        (ACCEPT_BOTH, MSGPACK),
        ("application/json;q=0.5, application/msgpack", MSGPACK),
        ("application/msgpack;q=0.4, application/json;q=0.5", JSON),
        ("application/json, application/msgpack", JSON),
        ("application/msgpack, */*", MSGPACK),
        ("application/msgpack;q=0.9, */*", JSON),
        ("application/json, */*", JSON),
        ("application/json;q=0.1, */*", MSGPACK),
        ("application/json;q=0, application/*", MSGPACK),
        ("application/msgpack;q=0, */*", JSON),
        ("application/msgpack;q=0", JSON),
        ("text/html", JSON),
        ("text/html, application/xml;q=0.9, */*;q=0.8", JSON),
        ("application/msgpack;q=much", JSON),
        ("application/msgpack;q=2", JSON),
        ("application/msgpack;q=nan", JSON),
        ("application/msgpack;version=2;q=0.5", MSGPACK),
        (",;,q=1,/,", JSON),
        ("application/msgpackx", JSON),
    ],
)
def test_a_reader_is_sent_what_it_would_rather_have_and_json_in_doubt(accept, encoding):
    assert accepted(accept) is encoding


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        (None, JSON),
        ("application/json", JSON),
        ("text/plain", JSON),
        ("application/msgpack", MSGPACK),
        ("Application/MsgPack; charset=x", MSGPACK),
    ],
)
def test_an_answer_is_read_as_its_content_type_says(content_type, encoding):
    assert Encoding.of_media_type(content_type) is encoding


@pytest.mark.parametrize("encoding", Encoding)
def test_each_encoding_is_found_by_its_media_type(encoding: Encoding):
    assert Encoding.of_media_type(encoding.media_type) is encoding
