import os
from pathlib import Path

import pytest

from gateway.execution.content import PIECE_BYTES, FileContent, LargeContent, pieces_of, size_of, whole


def _file_content(data: bytes) -> FileContent:
    content = FileContent()
    for begin in range(0, len(data), 100_003):
        content.append(data[begin : begin + 100_003])
    return content


@pytest.mark.parametrize("make", [bytes, _file_content])
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES + 7])
def test_a_content_gives_back_what_was_put_into_it_in_pieces_of_the_size_there_is(make, size):
    data = os.urandom(size)
    content = make(data)

    pieces = list(pieces_of(content))

    assert b"".join(pieces) == data == whole(content)
    assert size_of(content) == size
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)


@pytest.mark.parametrize("make", [bytes, _file_content])
def test_a_part_of_a_content_is_read_without_the_rest(make):
    data = os.urandom(2 * PIECE_BYTES)

    assert b"".join(pieces_of(make(data), 5, PIECE_BYTES + 9)) == data[5 : PIECE_BYTES + 9]
    assert b"".join(pieces_of(make(data), PIECE_BYTES, 10 * PIECE_BYTES)) == data[PIECE_BYTES:]


def test_the_file_of_a_content_has_no_name_and_ends_with_the_content(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    content = FileContent(tmp_path)
    content.append(b"some bytes")
    assert isinstance(content, LargeContent)
    assert list(tmp_path.iterdir()) == []

    del content

    assert len(list(Path("/proc/self/fd").iterdir())) == before
