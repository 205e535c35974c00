"""The distances between the samples of simulators."""

from __future__ import annotations

import msgspec
import pytest
from support import records

from gateway.compare.presentation.pairs import MOST, pairs
from gateway.compare.record import Case, Row, Verdict

replace = msgspec.structs.replace


def two(first: dict[str, int], second: dict[str, int], *verdicts: Verdict, groups: tuple[int, int] = (0, 0)) -> Case:
    verdicts = verdicts or (Verdict.AGREES, Verdict.AGREES)
    rows = [
        Row(simulator=name, counts=counts, verdict=verdict, group=group)
        for name, counts, verdict, group in zip("ab", (first, second), verdicts, groups, strict=True)
    ]
    return replace(records.all_agree().cases[0], rows=tuple(rows))


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ({"000": 4}, {"000": 9}, 0.0),
        ({"000": 4}, {"111": 9}, 1.0),
        ({"000": 1, "001": 1}, {"000": 3, "001": 1}, 0.25),
        ({"000": 1, "001": 1}, {"001": 1, "100": 1}, 0.5),
    ],
)
def test_the_distance_is_that_of_the_frequencies(first: dict, second: dict, distance: float) -> None:
    assert pairs(two(first, second)).pairs[0, 1].distance == pytest.approx(distance)


@pytest.mark.parametrize(
    ("verdicts", "groups", "differ"),
    [
        ((Verdict.AGREES, Verdict.AGREES), (0, 0), False),
        ((Verdict.AGREES, Verdict.DIFFERS), (0, 0), True),
        ((Verdict.DIFFERS, Verdict.DIFFERS), (0, 0), None),
        ((Verdict.UNDECIDED, Verdict.UNDECIDED), (0, 1), True),
        ((Verdict.UNDECIDED, Verdict.UNDECIDED), (1, 1), False),
    ],
)
def test_two_that_both_differ_may_agree_with_each_other(verdicts: tuple, groups: tuple, differ: bool | None) -> None:
    case = two({"000": 4}, {"111": 9}, *verdicts, groups=groups)
    assert pairs(case).pairs[0, 1].differ is differ


def test_every_pair_has_a_place() -> None:
    found = pairs(records.one_differs().cases[0])
    assert found.names == records.SIX
    assert sorted(found.pairs) == [(first, second) for first in range(6) for second in range(first + 1, 6)]
    assert found.left_out == 0


def test_of_very_many_simulators_those_that_differ_are_kept() -> None:
    case = records.many_simulators().cases[0]
    more = [replace(case.rows[0], simulator=f"more_{place}") for place in range(9)]
    found = pairs(replace(case, rows=(*more, *case.rows)))
    assert len(found.names) == MOST
    assert found.left_out == 9
    assert found.names[-2:] == ("reversed", "uniform")
