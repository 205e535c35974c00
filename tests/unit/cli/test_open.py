"""What the door tells the simulators behind it: its key and its callers' tokens are for those that may know them."""

from __future__ import annotations

import pytest

from gateway.cli import open as opening
from gateway.door.directory import Directory, Entry
from gateway.jobs.manager import Caller
from gateway.settings import DoorSettings, Trust

ANN = Caller("ann", "ann", "secret")
TOKEN = (b"authorization", b"Bearer secret")


def trust_of(address: str, **settings: object) -> Trust:
    (place,) = opening.places(DoorSettings(addresses=(f"lab={address}",), start=False, **settings))
    return place.trust


def test_a_server_elsewhere_is_told_nothing():
    assert trust_of("http://lab.example:8088") is Trust.NONE
    assert trust_of("https://10.0.0.7:8088") is Trust.NONE


def test_a_server_on_this_machine_is_told_the_tokens_of_callers():
    assert trust_of("http://127.0.0.1:8088") is Trust.LOCAL


def test_servers_that_were_given_with_a_key_know_it():
    assert trust_of("http://qulacs:8088", door_key_file="key") is Trust.OWN


def test_a_key_that_the_door_made_for_those_that_it_starts_is_for_no_other():
    settings = DoorSettings(addresses=("lab=http://lab.example:8088",), simulators=(), door_key_file="key")
    assert opening.trust_of(settings, "lab", opening.parse_address("http://lab.example:8088")) is Trust.NONE


def test_the_program_that_starts_a_door_says_what_each_is_told():
    assert trust_of("http://lab.example:8088", trust={"lab": Trust.OWN}) is Trust.OWN


@pytest.mark.parametrize(
    ("trust", "asked_with", "headers"),
    [
        (Trust.NONE, TOKEN[1], []),
        (Trust.NONE, None, []),
        (Trust.LOCAL, TOKEN[1], [TOKEN]),
        (Trust.LOCAL, None, []),
        (Trust.OWN, TOKEN[1], [TOKEN]),
        (Trust.OWN, None, [(b"authorization", b"Bearer key"), (b"gateway-caller", b"ann")]),
    ],
)
def test_what_is_sent_with_a_request(trust: Trust, asked_with: bytes | None, headers: list[tuple[bytes, bytes]]):
    entry = Entry(name="lab", url="http://lab:1", trust=trust)
    directory = Directory([entry], "key")
    assert directory.headers_for("lab", ANN, asked_with) == headers
    assert bool(directory.own_headers(entry)) is (trust is Trust.OWN)
    assert bool(directory.comparison_headers(entry, "ann")) is (trust is Trust.OWN)


def test_a_simulator_with_a_token_of_its_own_gets_that_and_nothing_else():
    entry = Entry(name="lab", url="http://lab:1", token="theirs", trust=Trust.OWN)  # noqa: S106 - no password
    directory = Directory([entry], "key")
    assert directory.headers_for("lab", ANN, TOKEN[1]) == [(b"authorization", b"Bearer theirs")]
    assert directory.comparison_headers(entry, "ann") == {}
