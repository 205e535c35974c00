"""Places are divided so that no caller keeps the others out, and none is lost."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from gateway.server.access.fair_places import FairPlaces


def taken(places: FairPlaces, stack: ExitStack, caller: str, number: int) -> int:
    """Return how many of so many places a caller gets."""
    return sum(stack.enter_context(places.place(caller)) for _ in range(number))


@pytest.mark.parametrize(("number", "newcomers"), [(0, 0), (1, 0), (2, 0), (7, 0), (8, 1), (32, 4), (34, 4), (64, 8)])
def test_a_caller_alone_gets_all_places_and_newcomers_get_those_beyond(number: int, newcomers: int):
    places = FairPlaces(number)
    with ExitStack() as stack:
        assert taken(places, stack, "ada", 100) == number
        assert sum(taken(places, stack, f"newcomer {each}", 1) for each in range(100)) == newcomers


def test_a_caller_who_has_taken_all_they_can_does_not_take_back_more_than_half_while_others_have_some():
    places = FairPlaces(32)
    with ExitStack() as ada, ExitStack() as bob:
        assert taken(places, ada, "ada", 100) == 32
        assert taken(places, bob, "bob", 100) == 1
        ada.close()
        assert taken(places, ada, "ada", 100) == 16
        assert taken(places, bob, "bob", 100) == 15
    with ExitStack() as ada:
        assert taken(places, ada, "ada", 100) == 32, "all places were given back"


def test_a_place_is_given_back_though_its_holder_fails():
    places = FairPlaces(1)
    with pytest.raises(ZeroDivisionError), places.place("ada"):
        raise ZeroDivisionError
    with places.place("bob") as has_place:
        assert has_place


def test_a_caller_who_holds_nothing_is_forgotten():
    places = FairPlaces(3)
    for number in range(1000):
        with places.place(f"192.0.2.{number}"):
            pass
    assert not places._held
