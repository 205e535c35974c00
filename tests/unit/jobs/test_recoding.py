from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from gateway.counts import Counts, Statevector
from gateway.errors import JobStoreError
from gateway.execution.content import Content, FileContent, pieces_of
from gateway.jobs.joined import Joined
from gateway.jobs.recoding import Recoder
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.result_message import parts_of
from gateway.results import Provenance, Result

PROVENANCE = Provenance(simulator="s", version="1")


class InPieces:
    """A content that is read piece by piece, as one in the database."""

    def __init__(self, content: FileContent) -> None:
        self.size = content.size
        self.pieces = content.pieces


def kept(result: Result, folder: Path) -> Content:
    """Return an answer in MessagePack, as the store gives it back."""
    content = FileContent(folder)
    for part in (frame(1, Encoding.MSGPACK).beginning, *parts_of(result, Encoding.MSGPACK)):
        content.append(part)
    return InPieces(content)


@pytest.mark.parametrize("num_qubits", [0, 3, 10, 17])
def test_results_become_json_one_after_the_other(num_qubits: int, tmp_path: Path):
    state = Statevector(np.exp(1j * np.arange(2**num_qubits)), PROVENANCE)
    recoder = Recoder(tmp_path)
    for result in (state, Counts({"01": 7}, provenance=PROVENANCE), state):
        part = recoder.result(kept(result, tmp_path))
        found = b"".join(pieces_of(Joined([part])))
        assert found == b"".join(parts_of(result, Encoding.JSON))
    assert list(tmp_path.iterdir()) == [], "the files have no names"


def test_a_large_result_is_not_in_memory(tmp_path: Path):
    content = kept(Statevector.trusted(np.ones(2**19, np.complex128)).with_provenance(PROVENANCE), tmp_path)
    tracemalloc.start()
    try:
        assert sum(map(len, pieces_of(Joined([Recoder(tmp_path).result(content)])))) > content.size / 2
        assert tracemalloc.get_traced_memory()[1] < content.size / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\x81\xa7results\x90", b"\x81\xa7results\x91\xc0"])
def test_what_is_no_answer_is_an_error_of_the_store(body: bytes, tmp_path: Path):
    with pytest.raises(JobStoreError, match="a result could not be written as JSON"):
        Recoder(tmp_path).result(body)
