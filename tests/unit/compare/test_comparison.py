"""The record of a comparison: saved, read, merged, and compared with an older one."""

from __future__ import annotations

import csv
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest
from support.altered import InProcess, without
from support.circuits import bell, handed
from support.faulty import Right, faulty

from gateway import Circuit, VirtualBackend
from gateway.compare import Comparison, compare
from gateway.compare.record import FORMAT, Reference, Row, Verdict
from gateway.errors import RequestError, SimulatorError

PHASE = handed()


def compared(seed: int = 7, circuit: Circuit = PHASE, **backends) -> Comparison:
    return compare(circuit, backends or {"a": Right(), "b": Right()}, seed=seed, progress=None, reproduce=False)


class Newer(Right):
    """Another version of a simulator."""

    def _result(self, circuit, shots, seed):
        result = super()._result(circuit, shots, seed)
        return result.with_provenance(msgspec.structs.replace(result.provenance, version="2.0"))


class NewerAndWrong(Newer, type(faulty("angle-negated:rz"))):
    """And wrong."""


# ---------------------------------------------------------------------- the file


def test_a_record_is_read_as_it_was_written(tmp_path):
    comparison = compared(wrong=faulty("angle-negated:rz"), a=Right())
    assert Comparison.load(comparison.save(tmp_path / "r.json")) == comparison


def test_a_record_is_json_that_fits_its_schema_and_says_its_format(tmp_path):
    content = json.loads(compared().save(tmp_path / "r.json").read_text())
    assert content["format"] == FORMAT
    assert content["cases"][0]["rows"][0]["verdict"] == "agrees"
    assert "cases" in json.dumps(Comparison.schema())


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError, match="immutable"):
        compared().cases = ()


def test_a_newer_format_is_refused_with_what_to_do(tmp_path):
    path = compared().save(tmp_path / "r.json")
    path.write_text(path.read_text().replace(f'"format": {FORMAT}', f'"format": {FORMAT + 1}'))
    with pytest.raises(RequestError, match="install a newer gateway"):
        Comparison.load(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": 1}', b"\xff\xfe", b"not json"], ids=repr)
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    with pytest.raises(RequestError, match="is no record of a comparison"):
        Comparison.load(path)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=repr)
def test_a_file_that_is_nested_too_deeply_is_refused(tmp_path, opening):
    path = tmp_path / "r.json"
    path.write_bytes(b'{"format": 1, "a": ' + opening * 100_000)
    with pytest.raises(RequestError, match="is no record of a comparison"):
        Comparison.load(path)


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("cases[0].num_clbits", 4, "probabilities"),
        ("cases[0].num_clbits", -1, ""),
        ("cases[0].shots", -1, ""),
        ("cases[0].reference.kind", "foo", ""),
        ("cases[0].reference.kind", "none", ""),
        ("cases[0].reference.probabilities", {}, ""),
        ("cases[0].reference.probabilities", {"00": 1.0}, ""),
        ("cases[0].reference.probabilities", {"000": 2.0}, ""),
        ("cases[0].detectable.hardest", 1.5, ""),
        ("cases[0].rows[1].counts", {"000": 1, "00": 1}, ""),
        ("cases[0].rows[1].counts", {"002": 1}, ""),
        ("cases[0].rows[1].counts", {"000": -1}, ""),
        ("cases[0].rows[1].counts", {"000": 10**30}, ""),
        ("cases[0].rows[1].counts", {"000": 2**53, "001": 2**53}, ""),
        ("cases[0].rows[1].runs", [{"shots": 1, "counts": {"000": 1}}], ""),
        ("cases[0].rows[1].p_value", -1, ""),
        ("cases[0].rows[1].tests[0].p_value", 1.5, ""),
        ("cases[0].rows[1].error", "SimulatorError: out of order", ""),
        ("cases[0].rows[1].causes[0].probabilities", {"0": 1.0}, ""),
        ("cases[0].reproducers[0].counts.wrong", {"0": 1, "00": 1}, "counts"),
        ("false_alarm_rate", 0, ""),
        ("repeat", 0, ""),
    ],
    ids=str,
)
def test_a_record_that_contradicts_itself_is_refused_with_the_field(tmp_path, field, value, named):
    wrong = compare(PHASE, {"a": Right(), "wrong": faulty("angle-negated:rz")}, seed=7, progress=None)
    path = wrong.save(tmp_path / "r.json")
    content = json.loads(path.read_text())
    *way, last = [int(part) if part.isdigit() else part for part in re.findall(r"\w+", field)]
    place = content
    for part in way:
        place = place[part]
    place[last] = value
    path.write_text(json.dumps(content))
    with pytest.raises(RequestError, match=rf"\b{named or last}\b"):
        Comparison.load(path)


def test_records_of_every_kind_are_read_as_they_were_written(tmp_path):
    unmeasured = Circuit(2, 1).h(0).s(0)
    for comparison in (
        compare({"b": bell(), "u": unmeasured}, {"a": InProcess(), "w": InProcess(without("s"))}, progress=None),
        compared(a=Broken(), b=FewerShots()),
        compared(a=Right(exact=False), b=faulty("bits-reversed", exact=False)),
        compared().merge(compared(seed=9)),
    ):
        assert Comparison.load(comparison.save(tmp_path / "r.json")) == comparison


def test_two_threads_may_save_to_one_file_at_once(tmp_path):
    comparison, path = compared(), tmp_path / "r.json"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(comparison.save, [path] * 16))
    assert Comparison.load(path) == comparison
    assert list(tmp_path.iterdir()) == [path]


def test_the_flat_table_has_a_line_for_each_circuit_and_simulator(tmp_path):
    text = compared().to_csv(tmp_path / "r.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["simulator"] for row in rows] == ["a", "b"]
    assert (tmp_path / "r.csv").read_text() == text


@pytest.mark.parametrize("name", ["r.html", "r.md"])
def test_a_report_is_written_by_its_name(tmp_path, name):
    comparison = compared()
    assert "agree" in comparison.report(tmp_path / name).read_text()


@pytest.mark.parametrize("write", ["save", "to_csv"])
@pytest.mark.parametrize("path", ["", ".", "/"])
def test_a_path_without_a_name_is_refused(write, path):
    with pytest.raises(RequestError, match="a file is needed") as caught:
        getattr(compared(), write)(path)
    assert caught.value.field == "path"


def test_a_report_of_another_kind_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"\.html or \.md"):
        compared().report(tmp_path / "r.pdf")


# ---------------------------------------------------------------------- since then


def test_nothing_has_changed_between_equal_versions_with_other_seeds():
    changes = compared(seed=8).against(compared(seed=9))
    assert changes.sentences == []
    assert "nothing has changed" in str(changes)


def test_a_new_version_that_differs_is_said(tmp_path):
    path = compared(a=Right(), b=Right()).save(tmp_path / "old.json")
    new = compared(a=Right(), b=NewerAndWrong(gate="rz"))
    changes = new.against(path)
    assert changes.sentences == ["b: agrees before, differs now, 1.0 → 2.0."]
    change = changes.changes[1]
    assert change.p_value < 1e-12
    assert (change.before.verdict, change.after.verdict) == (Verdict.AGREES, Verdict.DIFFERS)


def test_simulators_that_came_or_went_are_said():
    changes = compared(a=Right(), new=Right()).against(compared(a=Right(), gone=Right()))
    assert changes.sentences == ["new: is new.", "gone: is no longer there."]


@pytest.mark.parametrize("older", [5, None, b"r.json", {}], ids=repr)
def test_what_is_no_older_record_is_refused(older):
    with pytest.raises(RequestError, match="a comparison or the path of its record is older, not"):
        compared(a=Right()).against(older)


# ---------------------------------------------------------------------- merged


def test_merged_records_have_all_circuits_simulators_and_shots():
    merged = compared(seed=1).merge(compared(seed=2)).merge(compared(circuit=bell()))
    assert [len(case.rows) for case in merged.cases] == [2, 2]
    assert [sum(row.counts.values()) for row in merged.rows] == [20_000, 20_000, 10_000, 10_000]
    assert merged.all_agree


def test_a_merged_record_is_decided_anew():
    agreeing = compared(a=Right())
    merged = agreeing.merge(compared(b=faulty("angle-negated:rz", exact=False)))
    assert [str(row.verdict) for row in merged.rows] == ["agrees", "differs"]


def test_two_versions_of_a_simulator_stay_apart_in_a_merged_record():
    merged = compared(a=Right()).merge(compared(a=Newer()))
    assert [row.simulator for row in merged.rows] == ["a 1.0", "a 2.0"]


def verdicts(comparison: Comparison) -> list[str]:
    return sorted(f"{row.simulator} {row.verdict}" for row in comparison.rows)


def both_ways(one: Comparison, other: Comparison) -> Comparison:
    """Merge two comparisons in both orders, which must say the same."""
    merged, reverse = one.merge(other), other.merge(one)
    assert verdicts(merged) == verdicts(reverse)
    assert merged.detectable == reverse.detectable
    return merged


class FewerShots(Right):
    """Loses a tenth of the shots."""

    def draw(self, probabilities, shots, seed):
        return super().draw(probabilities, shots - shots // 10, seed)


class IgnoresSeeds(Right):
    """Draws the shots anew each time."""

    def draw(self, probabilities, shots, seed):
        return super().draw(probabilities, shots, int(np.random.default_rng().integers(2**31)))

    def capabilities(self):
        return msgspec.structs.replace(super().capabilities(), seedable=True)


@pytest.mark.parametrize(
    "bad", [FewerShots(), IgnoresSeeds(), faulty("angle-negated:rz")], ids=lambda bad: type(bad).__name__
)
def test_what_either_record_has_against_a_simulator_stays(bad):
    merged = both_ways(compared(a=Right()), compared(a=bad))
    assert verdicts(merged) == ["a differs"]
    assert both_ways(merged, compared(seed=9, a=Right())).rows[0].verdict is Verdict.DIFFERS


def test_a_wrong_phase_in_either_record_stays():
    unmeasured = Circuit(1).h(0).s(0)
    right, wrong = (
        compare(unmeasured, {"a": backend}, progress=None, reproduce=False)
        for backend in (InProcess(), InProcess(without("s")))
    )
    merged = both_ways(right, wrong)
    assert (verdicts(merged), merged.rows[0].fidelity) == (["a differs"], pytest.approx(0.5))


def test_the_tolerance_of_a_merged_row_is_that_of_the_results_that_are_off():
    record = compared(a=Right())
    off, coarse = (
        with_row(record, exact_difference=difference, exact_tolerance=allowed)
        for difference, allowed in ((1e-6, 1e-10), (2e-6, 1e-5))
    )
    assert verdicts(both_ways(off, coarse)) == ["a differs"]
    assert verdicts(both_ways(record, coarse)) == ["a agrees"]


def with_row(comparison: Comparison, **changes) -> Comparison:
    (case,) = comparison.cases
    row = msgspec.structs.replace(case.rows[0], **changes)
    return msgspec.structs.replace(comparison, cases=(msgspec.structs.replace(case, rows=(row, *case.rows[1:])),))


def test_the_notes_of_both_records_stay():
    record = compared(a=Right())
    merged = both_ways(with_row(record, notes=("one",)), with_row(record, notes=("two",)))
    assert {"one", "two"} < set(merged.rows[0].notes)


def test_a_run_that_is_merged_several_times_counts_once():
    record, other = compared(), compared(seed=9)
    merged = record
    for again in (other, record, compared(), other.merge(record), other):
        merged = both_ways(merged, again)
    assert [sum(row.counts.values()) for row in merged.rows] == [20_000, 20_000]
    assert merged.cases[0].shots == 20_000
    assert merged.all_agree
    assert "counted once" in merged.rows[0].notes[0]


def of_shots(number: int, seed: int = 7, repeat: int = 1, backend: Right | None = None) -> Comparison:
    backends = {"a": backend or Right()}
    return compare(PHASE, backends, shots=number, seed=seed, repeat=repeat, progress=None, reproduce=False)


@pytest.mark.parametrize("others", [(of_shots(1_000), of_shots(1_500)), (of_shots(1_000, seed=6, repeat=2),)], ids=len)
def test_runs_that_share_seeds_are_not_added_up(others):
    merged = of_shots(3_000)
    for other in others:
        merged = both_ways(merged, other)
    assert sum(merged.rows[0].counts.values()) == merged.cases[0].shots == 3_000
    assert "shares seeds" in merged.rows[0].notes[0]
    later = both_ways(merged, of_shots(500, seed=9))
    assert later.cases[0].shots == 3_500


def test_a_run_that_is_not_added_is_tested_by_itself(tmp_path):
    merged = both_ways(of_shots(100_000), of_shots(1_000, backend=faulty("angle-negated:rz")))
    assert verdicts(merged) == ["a differs"]
    assert sum(merged.rows[0].counts.values()) == 100_000
    assert Comparison.load(merged.save(tmp_path / "r.json")) == merged


def test_an_honest_simulator_that_is_run_with_one_seed_every_night_agrees():
    merged = of_shots(1_000, seed=0)
    for night in range(1, 30):
        merged = merged.merge(of_shots(1_000 + night, seed=0))
    assert merged.all_agree


def test_the_runs_of_a_merged_record_are_saved(tmp_path):
    merged = Comparison.load(compared().merge(compared(seed=9)).save(tmp_path / "r.json"))
    assert sum(merged.merge(compared()).rows[0].counts.values()) == 20_000


def test_a_merged_record_says_what_its_shots_would_have_found():
    few, many, all_of_them = (
        compare(PHASE, {"a": Right()}, shots=shots, progress=None) for shots in (100, 100_000, 100_100)
    )
    merged = both_ways(few, many)
    assert merged.detectable == all_of_them.detectable < few.detectable
    assert f"A difference of {merged.detectable:.2g} or more" in merged.verdict


def test_what_would_have_been_found_follows_from_the_simulator_with_the_fewest_shots():
    few, many = (
        compare(PHASE, {name: Right()}, shots=shots, progress=None) for name, shots in (("a", 100), ("b", 10_000))
    )
    merged = both_ways(few, many)
    assert (merged.cases[0].shots, [row.simulator for row in merged.rows]) == (100, ["a", "b"])
    assert both_ways(merged, many).cases[0].shots == 100


def test_circuits_that_share_a_text_stay_apart():
    two = compare({"one": bell(), "two": bell()}, {"a": Right(), "b": Right()}, seed=1, progress=None)
    merged = both_ways(two, two)
    assert [case.name for case in merged.cases] == ["one", "two"]
    assert [sum(row.counts.values()) for row in merged.rows] == [10_000] * 4
    assert [change.circuit for change in two.against(two).changes] == ["one", "one", "two", "two"]


def test_a_circuit_with_another_name_is_known_by_its_text():
    one, other = (compare({name: bell()}, {"a": Right()}, progress=None) for name in ("one", "other"))
    assert [(case.name, case.rows[0].circuit) for case in one.merge(other).cases] == [("one", "one")]
    assert [(change.circuit, change.sentence) for change in other.against(one).changes] == [("other", "")]


class Broken(Right):
    """Fails."""

    def send(self, request):
        raise SimulatorError("out of order")


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_failure_beside_results_is_a_note(name):
    merged = both_ways(compared(a=Right(), b=Right()), compared(**{name: Broken()}))
    assert verdicts(merged) == ["a agrees", "b agrees"]
    noted = [row.simulator for row in merged.rows if row.notes]
    assert noted == [name]
    assert merged.rows["ab".index(name)].notes == ("in another comparison it failed: SimulatorError: out of order",)


def test_a_failure_beside_two_versions_is_no_third_row():
    merged = both_ways(compared(a=Right()), compared(a=Broken()).merge(compared(a=Newer())))
    assert [row.simulator for row in merged.rows] == ["a 1.0", "a 2.0"]
    again = both_ways(merged, compared(seed=8, a=Right()))
    assert {row.simulator: sum(row.counts.values()) for row in again.rows} == {"a 1.0": 20_000, "a 2.0": 10_000}


def test_two_failures_are_one_row():
    merged = both_ways(compared(a=Broken()), compared(a=Broken()))
    assert [(row.simulator, row.error, row.notes) for row in merged.rows] == [("a", "SimulatorError: out of order", ())]


def test_a_run_that_had_not_finished_is_replaced_by_one_that_has():
    record = compared(a=Right())
    (case,) = record.cases
    unfinished = msgspec.structs.replace(
        record,
        cases=(msgspec.structs.replace(case, rows=(Row(simulator="a", circuit=case.name),)),),
        interrupted=True,
    )
    assert verdicts(both_ways(record, unfinished)) == ["a agrees"]
    assert verdicts(both_ways(unfinished, unfinished)) == ["a undecided"]


def test_a_version_that_nobody_knows_leaves_no_blank_in_a_name():
    record = compared(a=Right())
    assert [row.simulator for row in record.merge(with_row(record, version="")).rows] == ["a 1.0", "a"]


def test_references_that_agree_are_shared_by_the_witnesses_of_both():
    merged = both_ways(compared(a=Right(name="a")), compared(b=Right(name="b"), c=Right(name="c")))
    reference = merged.reference
    assert (reference.kind, set(reference.witnesses)) == ("exact", {"gateway", "a", "b", "c"})
    assert reference.independent == 4


def test_records_that_contradict_each_other_are_not_merged():
    record = compared(a=Right())
    (case,) = record.cases
    other = msgspec.structs.replace(record, cases=(msgspec.structs.replace(case, num_clbits=case.num_clbits + 1),))
    with pytest.raises(RequestError, match="the sizes of circuit contradict each other"):
        record.merge(other)


def test_a_reproducer_has_the_name_that_its_simulator_has_now():
    wrong = compare(PHASE, {"a": NewerAndWrong(gate="rz")}, progress=None)
    merged = both_ways(compared(a=Right()), wrong)
    (found,) = merged.cases[0].reproducers
    assert verdicts(merged) == ["a 1.0 agrees", "a 2.0 differs"]
    assert found.simulator == "a 2.0"
    assert found.counts["a 2.0"] == wrong.cases[0].reproducers[0].counts["a"]


def test_what_our_own_simulator_contradicts_stays_undecided():
    def liars(seed: int) -> Comparison:
        backends = {name: faulty("bits-reversed", name=name) for name in ("b", "c")}
        return compare(PHASE, backends, progress=None, reproduce=False, seed=seed)

    merged = liars(1).merge(liars(20))
    assert merged.cases[0].reference.others == (("gateway",),)
    assert {row.verdict for row in merged.rows} == {Verdict.UNDECIDED}


def test_a_tie_is_not_settled_by_merging_with_somebody_else():
    tie = Reference(kind="none", others=(("a",), ("b",)), note="the exact results contradict each other")
    alone = compared(c=Right(name="c"))
    undecided = compared(a=Right(name="a"), b=Right(name="b"))
    rows = [
        msgspec.structs.replace(row, exact_difference=None, exact_tolerance=None) for row in undecided.cases[0].rows
    ]
    undecided = msgspec.structs.replace(
        undecided, cases=(msgspec.structs.replace(undecided.cases[0], reference=tie, rows=tuple(rows)),)
    )
    for merged in (undecided.merge(alone), alone.merge(undecided)):
        assert {row.simulator: str(row.verdict) for row in merged.rows} == {
            "a": "undecided",
            "b": "undecided",
            "c": "agrees",
        }


def test_runs_without_a_seed_are_never_the_same_run():
    function = VirtualBackend(lambda circuit, shots: {"0": shots})
    one, other = (compare(Circuit(1, 1).measure(0, 0), {"a": function}, shots=10, progress=None) for _ in range(2))
    assert one.merge(other).rows[0].counts == {"0": 20}
