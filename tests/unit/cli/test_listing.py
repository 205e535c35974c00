"""gateway list says what is installed, whose servers run, and what each simulator can do."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.terminals import Screen

from gateway.cli import listing, main
from gateway.listener import bind
from gateway.simulators import SIMULATORS, Simulator


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """Answer one connection with some bytes, and give the port."""
    with bind("127.0.0.1", 0) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "ready"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}", "not ready"),
        (b"220 mail.example.org ESMTP\r\n", "no answer"),
        (b"", "no answer"),
    ],
)
def test_a_simulators_own_port_says_its_state(answer, state):
    with answering(answer) as port:
        assert listing._state(port) == state


def test_whoever_does_not_listen_is_down():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    assert listing._state(port) == "down"
    assert listing._state(0) == "down"


def test_a_server_that_keeps_silent_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(listing, "_PATIENCE_S", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert listing._state(listener.getsockname()[1]) == "no answer"


@pytest.fixture
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_state", lambda port: "down")


@pytest.mark.usefixtures("_nobody_answers")
def test_list_shows_every_simulator_with_its_port_and_version(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    for row in SIMULATORS.values():
        version = {row.installed_version()} - {None}
        assert any({row.name, str(row.port), *version} <= set(line.split()) for line in shown.splitlines())


@pytest.mark.usefixtures("_nobody_answers")
def test_what_is_not_installed_has_the_line_that_installs_it(capsys, monkeypatch):
    monkeypatch.setattr(Simulator, "installed_version", lambda row: None if row.name == "stim" else "1.0")
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if "  stim " in line).split()[:5] == ["stim", "8093", "not", "installed", "–"]  # noqa: RUF001
    assert lines[-1] == "  stim: pip install 'simulator-gateway[stim]'"
    assert any("○ down" in line for line in lines)


@pytest.mark.usefixtures("_nobody_answers")
def test_what_a_simulator_is_has_room_in_a_wide_terminal_only(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    for columns, is_shown in (("72", False), ("80", True)):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setattr(sys, "stdout", screen := Screen())
        assert main(["list"]) == 0
        assert ("Qulacs state vector" in screen.getvalue()) is is_shown


def test_abilities_are_a_table_of_their_own(capsys):
    assert main(["list", "--abilities"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["simulator", "gates", "results", "dynamics", "noise", "precision", "width", "threads"]
    assert {line.split()[0] for line in lines} >= SIMULATORS.keys()


@pytest.mark.usefixtures("_nobody_answers")
def test_list_as_json_is_data(capsys):
    assert main(["list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["port"] for row in found} == {row.name: row.port for row in SIMULATORS.values()}
    assert {row["state"] for row in found} == {"down"}
