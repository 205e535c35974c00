"""Frames arrive whole and in order, however they were cut, and from whatever thread they came."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.door.comparisons.channel import Channel, Kind


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_frame_that_comes_byte_by_byte_is_kept_until_it_is_whole(ends: tuple[socket.socket, socket.socket]):
    theirs, ours = ends
    channel = Channel(ours)
    ours.settimeout(0.001)
    with ThreadPoolExecutor(1) as thread:
        recorded, copy = socket.socketpair()
        with recorded, copy:
            Channel(recorded).send(Kind.PROGRESS, b"body")
            sent = copy.recv(100)
        for byte in sent[:-1]:
            theirs.sendall(bytes([byte]))
            with pytest.raises(TimeoutError):
                channel.receive()
        theirs.sendall(sent[-1:])
        assert thread.submit(channel.receive).result() == (Kind.PROGRESS, b"body")


def test_frames_of_several_threads_are_not_mixed(ends: tuple[socket.socket, socket.socket]):
    theirs, ours = (Channel(end) for end in ends)
    bodies = [bytes([k]) * 100_000 for k in range(40)]
    with ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(theirs.send, Kind.PROGRESS, body) for body in bodies]
        received = [ours.receive() for _ in bodies]
        assert all(each.exception() is None for each in sent)
    assert sorted(body for _, body in received) == sorted(bodies)


def test_an_end_in_the_middle_of_a_frame_is_an_end(ends: tuple[socket.socket, socket.socket]):
    theirs, ours = ends
    theirs.sendall(b"\x05\0\0\0\0\0\0\0\x09half")
    theirs.close()
    with pytest.raises(EOFError):
        Channel(ours).receive()


def test_several_frames_may_come_at_once(ends: tuple[socket.socket, socket.socket]):
    theirs, ours = (Channel(end) for end in ends)
    for kind, body in ((Kind.PROGRESS, b"a"), (Kind.INTERRUPT, b""), (Kind.ENDED, b"b" * 3_000_00)):
        ThreadPoolExecutor(1).submit(theirs.send, kind, body)
    assert ours.receive() == (Kind.PROGRESS, b"a")
    assert ours.receive() == (Kind.INTERRUPT, b"")
    assert ours.receive()[0] is Kind.ENDED
