"""Which circuits of two records are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.compare.record import Case


def matched(ones: Sequence[Case], others: Sequence[Case]) -> list[tuple[Case | None, Case | None]]:
    """Return the circuits of two records in pairs; one that only one record has stands beside ``None``.

    Circuits are known by the hash of their text. Where several circuits of a record share a text, those of one name
    belong together, and the others follow their order.
    """
    partners: dict[int, Case] = {}
    left = list(others)
    for key in (_text_and_name, _text):
        left = _match(ones, left, partners, key)
    pairs: list[tuple[Case | None, Case | None]] = [(case, partners.get(place)) for place, case in enumerate(ones)]
    return [*pairs, *((None, case) for case in left)]


def _match(
    ones: Sequence[Case], others: Sequence[Case], partners: dict[int, Case], key: Callable[[Case], object]
) -> list[Case]:
    """Give a partner of the same key to each circuit that has none, and return those that are left."""
    waiting: dict[object, list[int]] = {}
    for place, case in enumerate(ones):
        if place not in partners:
            waiting.setdefault(key(case), []).append(place)
    left = []
    for case in others:
        places = waiting.get(key(case))
        if places:
            partners[places.pop(0)] = case
        else:
            left.append(case)
    return left


def _text_and_name(case: Case) -> object:
    return case.sha256, case.name


def _text(case: Case) -> object:
    return case.sha256
