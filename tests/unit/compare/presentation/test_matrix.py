"""Which rows and columns the matrix of outcomes has."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from support import records

from gateway.compare.presentation.matrix import CLBITS, DIFFERING, Matrix, against, matrix
from gateway.compare.record import Case, Record, Reference, Row, Verdict
from gateway.look.outcomes import ROWS

RATE = 1e-6
replace = msgspec.structs.replace


def of(record: Record, *, grouped: bool = False, **changes: object) -> Matrix:
    found = matrix(replace(record.cases[0], **changes), RATE)
    assert found is not None
    return found.together() if grouped else found


def titles(found: Matrix) -> list[str]:
    return [column.title for column in found.columns]


def test_few_outcomes_are_all_shown_in_numerical_order() -> None:
    found = of(records.one_differs())
    assert found.labels == ("000", "001", "010", "011", "100", "101", "110", "111")
    assert found.others == 0
    assert not found.of_clbits


def test_up_to_six_simulators_stand_side_by_side_in_the_callers_order() -> None:
    assert titles(of(records.one_differs())) == list(records.SIX)


def test_in_a_narrow_place_those_that_agree_share_a_column() -> None:
    found = of(records.one_differs(), grouped=True)
    assert titles(found) == ["5 agree", "rigetti"]
    assert found.columns[0].names == ("cirq", "mqt", "qiskit", "pytket", "qulacs")


def test_a_group_has_the_mean_and_the_range_of_its_members() -> None:
    each = of(records.all_agree())
    (group,) = of(records.all_agree(), grouped=True).columns
    for place, cell in enumerate(group.cells):
        shares = [column.cells[place].share for column in each.columns]
        assert cell.share == pytest.approx(np.mean(shares))
        assert (cell.lowest, cell.highest) == (min(shares), max(shares))


def test_only_who_differs_is_marked_and_only_where_chance_does_not_explain_it() -> None:
    found = of(records.one_differs())
    marked = {
        (column.title, label)
        for column in found.columns
        for label, cell in zip(found.labels, column.cells, strict=True)
        if cell.differs
    }
    assert marked == {("rigetti", label) for label in ("001", "010", "011", "101", "110", "111")}


def test_a_mark_and_the_band_never_contradict_each_other() -> None:
    found = of(records.many_simulators())
    for column in found.columns:
        for cell in column.cells:
            assert cell.chance is not None
            inside = cell.chance[0] <= cell.share <= cell.chance[1]
            assert not (inside and cell.differs)
            assert not column.differs or inside is not cell.differs


def test_of_many_simulators_those_that_differ_have_their_own_columns() -> None:
    assert titles(of(records.many_simulators())) == ["10 agree", "reversed", "uniform"]


def test_of_many_outcomes_those_that_differ_come_first_and_the_rest_is_summed_up() -> None:
    found = of(records.many_simulators())
    assert len(found.labels) == ROWS
    assert found.total == ROWS + found.others
    off = [
        max(abs(column.cells[place].share - expected) for column in found.columns[1:])
        for place, expected in enumerate(found.expected or ())
    ]
    assert off[:DIFFERING] == sorted(off[:DIFFERING], reverse=True)
    assert min(off[:DIFFERING]) > 0.02
    likely = list(found.expected or ())[DIFFERING:]
    assert likely == sorted(likely, reverse=True)
    assert sum(found.expected or ()) + found.others_expected == pytest.approx(1)
    for column in found.columns:
        assert sum(cell.share for cell in column.cells) + column.others == pytest.approx(1)


def test_where_no_outcome_was_seen_five_times_clbits_are_shown() -> None:
    found = of(records.flat())
    assert found.of_clbits
    assert len(found.labels) == CLBITS
    assert found.labels[0] == 13
    assert found.others == 8
    assert [cell.differs for cell in found.columns[-1].cells] == [True] + [False] * 7
    assert found.most < 5


def test_shares_of_clbits_are_those_of_ones() -> None:
    counts = {"01": 3, "11": 1}
    row = Row(simulator="a", counts=counts, verdict=Verdict.AGREES)
    case = replace(records.flat().cases[0], rows=(row,))
    wide = {f"{code:016b}": 2 for code in range(40)}
    found = matrix(replace(case, rows=(replace(row, counts=wide),)), RATE)
    assert found is not None
    assert found.of_clbits
    shares = dict(zip(found.labels, [cell.share for cell in found.columns[0].cells], strict=True))
    assert shares[0] == 0.5
    assert shares[5] == 8 / 40


def test_few_outcomes_are_shown_however_few_the_shots() -> None:
    record = records.all_agree(3)
    assert not of(record).of_clbits


def test_without_a_reference_the_columns_are_the_groups() -> None:
    found = of(records.two_groups())
    assert titles(found) == ["group 1", "group 2"]
    assert found.expected is None
    assert all(cell.chance is None for column in found.columns for cell in column.cells)


def test_without_a_reference_a_minority_is_held_against_those_that_agree() -> None:
    found = of(records.one_differs(), reference=Reference(kind="none"))
    assert titles(found) == ["5 agree", "rigetti"]
    assert [cell.differs for cell in found.columns[1].cells] == [False, True, True, True, False, True, True, True]


def test_flat_groups_without_a_reference_are_shown_by_clbits() -> None:
    case = records.flat().cases[0]
    rows = tuple(replace(row, verdict=Verdict.UNDECIDED, group=int(row.simulator == "qsim")) for row in case.rows)
    found = matrix(replace(case, rows=rows, reference=Reference(kind="none")), RATE)
    assert found is not None
    assert found.of_clbits
    assert found.expected is None
    assert found.labels[0] == 13


def test_simulators_without_counts_have_no_column() -> None:
    assert titles(of(records.failures())) == ["cirq", "mqt"]
    assert matrix(records.everybody_failed().cases[0], RATE) is None


def test_a_circuit_without_clbits_has_one_outcome() -> None:
    found = of(records.no_clbits())
    assert found.labels == ("",)
    assert found.columns[0].cells[0].share == 1
    assert found.end == 1


def test_the_scale_holds_all_bars_ticks_and_bands() -> None:
    for name in ("one_differs", "many_simulators", "wide", "series"):
        found = of(records.ALL[name]())
        for column in found.columns:
            for cell in column.cells:
                assert max(cell.highest, cell.chance[1] if cell.chance else 0) <= found.end
        assert max(found.expected or ()) <= found.end


def test_outcomes_of_rounding_are_no_rows() -> None:
    case = records.one_differs().cases[0]
    noise = dict.fromkeys([f"{code:05b}" for code in range(32)], 1e-33)
    probabilities = noise | {"00000": 0.5, "11111": 0.5}
    row = Row(simulator="a", counts={"00000": 5, "11111": 5}, verdict=Verdict.AGREES)
    reference = replace(case.reference, probabilities=probabilities)
    found = matrix(replace(case, num_clbits=5, rows=(row,), reference=reference), RATE)
    assert found is not None
    assert found.labels == ("00000", "11111")


def test_any_distribution_can_be_drawn_beside_a_simulator() -> None:
    row = records.one_differs().rows[4]
    labels = [f"{code:03b}" for code in range(8)]
    supposed = against(row, row.causes[0].probabilities, labels, RATE / 8)
    assert not any(cell.differs for cell in supposed.columns[0].cells)
    written = against(row, records.one_differs().cases[0].reference.probabilities, labels, RATE / 8)
    assert sum(cell.differs for cell in written.columns[0].cells) == 6


def test_clbits_beyond_an_integer_are_counted() -> None:
    width = 80
    rng = np.random.default_rng(3)
    strings = ["".join(map(str, bits)) for bits in rng.integers(0, 2, (60, width))]
    counts = dict.fromkeys(strings, 2)
    row = Row(simulator="a", counts=counts, verdict=Verdict.AGREES)
    case = Case(
        name="wide", openqasm="", sha256="", num_qubits=width, num_clbits=width, operations=0, depth=0, shots=120,
        reference=Reference(kind="none"), rows=(row,),
    )  # fmt: skip
    found = matrix(case, RATE)
    assert found is not None
    assert found.of_clbits
    ones = sum(string[-1] == "1" for string in strings) / 60
    assert dict(zip(found.labels, found.columns[0].cells, strict=True))[0].share == ones
