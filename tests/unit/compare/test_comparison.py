"""The record of a comparison: saved, read, merged, and compared with an older one."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from support.circuits import bell, handed
from support.faulty import Right, faulty

from gateway import Circuit
from gateway.compare import Comparison, compare
from gateway.compare.record import FORMAT, Verdict
from gateway.errors import RequestError

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
