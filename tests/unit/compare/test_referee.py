"""Who differs where there is no reference, and what our own simulator's contradiction means."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import pytest

from gateway.compare import record
from gateway.compare.record import Case, Reference, Row
from gateway.compare.referee import decide

RATE = 1e-6


def compared(other: str, p_value: float) -> record.Test:
    return record.Test(name="clbit", statistic=0.0, p_value=p_value, other=other)


def case(engines: dict[str, str], apart: Sequence[str] = (), **reference: object) -> Case:
    """Return a case without a reference; ``apart`` has pairs of simulators whose samples contradict each other."""
    rows = [
        Row(
            simulator=name,
            engine=engine,
            counts={"0": 1},
            tests=tuple(
                record.Test(
                    name="clbit", statistic=0.0, p_value=1e-20 if f"{other}{name}" in apart else 0.5, other=other
                )
                for other in list(engines)[: list(engines).index(name)]
            ),
        )
        for name, engine in engines.items()
    ]
    kind = Reference(kind="none", **reference)
    sizes = {"num_qubits": 1, "num_clbits": 1, "operations": 1, "depth": 1, "shots": 1}
    return Case(name="c", openqasm="", sha256="", reference=kind, rows=tuple(rows), **sizes)


def verdicts(engines: dict[str, str], apart: Sequence[str] = (), **reference: object) -> str:
    """Return the first letters of the verdicts, such as ``aad``."""
    (decided,) = decide([case(engines, apart, **reference)], RATE)
    return "".join(str(row.verdict)[0] for row in decided.rows)


def between(one: str, other: str) -> list[str]:
    """Return all pairs of one simulator of each group."""
    return ["".join(sorted(pair)) for pair in combinations(one + other, 2) if (pair[0] in one) != (pair[1] in one)]


ALL_OTHER = {name: name for name in "abcde"}


def test_the_majority_of_independent_simulators_is_right():
    engines = {name: name for name in "abc"}
    assert verdicts(engines) == "aaa"
    assert verdicts(engines, between("ab", "c")) == "aad"
    assert verdicts(engines, between("a", "bc")) == "daa"
    assert verdicts(ALL_OTHER, between("abc", "de")) == "aaadd"


@pytest.mark.parametrize("order", ["abcd", "cdab", "acbd"])
def test_two_against_two_is_undecided_whoever_is_listed_first(order):
    engines = {name: name for name in order}
    assert (
        verdicts(engines, [one + other for one, other in combinations(order, 2) if (one in "ab") != (other in "ab")])
        == "uuuu"
    )


@pytest.mark.parametrize(
    ("engines", "apart"),
    [
        ("eee", between("ab", "c")),
        ("eeee", between("ab", "cd")),
        ("fge", between("ab", "c")[:1]),
        ("xyxz", between("ab", "cd")),
        ("xxyz", between("ab", "cd")[:2]),
    ],
    ids=["one engine", "one engine twice", "one contradicts it", "an engine on both sides", "not all contradict it"],
)
def test_an_engine_that_contradicts_itself_and_half_a_majority_decide_nothing(engines, apart):
    assert set(verdicts(dict(zip("abcd", engines, strict=False)), apart)) == {"u"}


def test_an_engine_on_both_sides_leaves_the_decision_to_the_others():
    assert verdicts(dict(zip("abcd", "xyzx", strict=True)), between("abc", "d")) == "aaad"


def test_exact_results_that_contradict_each_other_are_no_agreement_of_samples():
    assert verdicts({"a": "a", "b": "b"}, others=(("a",), ("b",))) == "uu"
    assert verdicts({name: name for name in "abcd"}, others=(("a", "b"), ("c", "d"))) == "uuuu"
    assert verdicts({name: name for name in "abcd"}, others=(("a",), ("b",))) == "uuuu"


# ---------------------------------------------------------------------- with one


def against(
    others: tuple[tuple[str, ...], ...],
    *,
    witnesses: Sequence[str] = "ab",
    unlikely: str = "",
    **differences: float | None,
) -> str:
    """Return the first letters of the verdicts; ``unlikely`` are those whose counts contradict the reference."""
    rows = tuple(
        Row(
            simulator=name,
            counts={"0": 1},
            exact_difference=difference,
            exact_tolerance=1e-10,
            tests=(compared("", p_value=1e-20 if difference or name in unlikely else 0.5),),
        )
        for name, difference in differences.items()
    )
    made = case({"a": "a"})
    kind = "exact" if len(witnesses) > 1 else "single"
    reference = Reference(kind=kind, witnesses=tuple(witnesses), independent=len(witnesses), others=others)
    (decided,) = decide(
        [Case(**{**{f: getattr(made, f) for f in made.__struct_fields__}, "reference": reference, "rows": rows})], RATE
    )
    return "".join(str(row.verdict)[0] for row in decided.rows)


def test_whoever_contradicts_the_reference_differs():
    assert against((("c",),), a=0.0, b=0.0, c=0.1) == "aad"


def test_what_our_own_simulator_contradicts_is_not_approved():
    assert against((("gateway",),), a=0.0, b=0.0) == "uu"


def test_who_shares_the_results_of_our_own_simulator_is_not_accused_and_who_shares_nobodys_is():
    assert against((("gateway", "c"), ("d",)), a=0.0, b=0.0, c=0.1, d=0.2) == "uuud"


def test_no_number_is_no_agreement():
    assert against((), a=float("nan"), b=0.0) == "da"


# ---------------------------------------------------------------------- with one that nobody shares


@pytest.mark.parametrize("others", ["b", "bc"])
def test_one_with_exact_results_convicts_nobody_alone(others):
    differences = {"a": 0.0} | dict.fromkeys(others)
    assert set(against((), witnesses="a", unlikely=others, **differences)) == {"u"}


def test_one_with_exact_results_and_a_majority_of_samples_convict():
    assert against((), witnesses="a", unlikely="d", a=0.0, b=None, c=None, d=None) == "aaad"
    assert against((), witnesses="a", a=0.0, b=None) == "aa"


def test_counts_that_are_not_those_of_ones_own_exact_results_convict_oneself():
    assert against((), witnesses="a", unlikely="a", a=0.0, b=None) == "du"


def test_the_p_value_of_one_that_the_majority_contradicts_is_that_of_the_contradiction():
    (decided,) = decide([case({name: name for name in "abc"}, between("ab", "c"))], RATE)
    assert [row.p_value for row in decided.rows][:2] == [None, None]
    assert decided.rows[2].p_value < RATE
    (decided,) = decide([case({name: name for name in "abc"}, between("a", "bc"))], RATE)
    assert decided.rows[0].p_value < RATE
