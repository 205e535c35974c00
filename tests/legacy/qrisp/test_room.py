"""The room, as a program that starts a server sees it."""

from __future__ import annotations

import argparse
import socket

import pytest

from gateway import legacy
from gateway.errors import RequestError, ServerStartError
from gateway.legacy.qrisp.room import ROOM
from gateway.listener import bind


def test_the_room_is_among_those_that_there_are():
    assert legacy.ROOMS["qrisp"] is ROOM


def test_without_settings_there_is_an_interface_without_a_socket():
    (interface,) = legacy.open_interfaces({}, "127.0.0.1")
    assert interface.announcements == ()
    interface.close()


def test_a_thrift_port_listens_at_once_and_is_announced():
    (interface,) = legacy.open_interfaces({"qrisp": {"thrift_port": 0}}, "127.0.0.1")
    (announcement,) = interface.announcements
    port = int(announcement.removeprefix("by Thrift at 127.0.0.1:"))
    socket.create_connection(("127.0.0.1", port), 5).close()
    interface.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_a_socket_that_listens_already_is_taken_over():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        interface = ROOM.open({"thrift_fd": listener.detach()}, "127.0.0.1")
    assert interface.announcements == (f"by Thrift at 127.0.0.1:{port}",)
    interface.close()


def test_a_port_that_is_taken_is_said_before_anything_is_served():
    with bind("127.0.0.1", 0) as holder, pytest.raises(ServerStartError, match="is taken"):
        ROOM.open({"thrift_port": holder.getsockname()[1]}, "127.0.0.1")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"port": 1}, "qrisp: .*port"),
        ({"thrift_port": "9010"}, "qrisp: .*thrift_port"),
        ({"thrift_port": -1}, "^settings of qrisp: thrift_port must be an integer from 0 to 65535, not -1$"),
        ({"thrift_port": 65_536}, "qrisp: .*thrift_port"),
        ({"qunicorn": "yes"}, "qrisp: .*qunicorn"),
    ],
)
def test_a_setting_that_is_wrong_is_refused_by_name(settings, words):
    with pytest.raises(RequestError, match=words):
        legacy.open_interfaces({"qrisp": settings}, "127.0.0.1")


@pytest.mark.parametrize(
    ("given", "variable", "settings"),
    [
        ([], "", {}),
        ([], "1", {"qunicorn": True}),
        ([], "0", {}),
        (["--qunicorn"], "", {"qunicorn": True}),
        (["--thrift-port", "0"], "", {"thrift_port": 0}),
    ],
)
def test_options_and_the_environment_make_settings(given, variable, settings, monkeypatch):
    monkeypatch.setenv("GATEWAY_QUNICORN", variable)
    parser = argparse.ArgumentParser()
    for option in ROOM.options:
        option.declare(parser)
    arguments = parser.parse_args(given)
    values = {option.setting: option.value(arguments) for option in ROOM.options}
    assert {name: value for name, value in values.items() if value is not None and value is not False} == settings
