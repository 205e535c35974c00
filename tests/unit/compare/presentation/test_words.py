"""The sentences of a report."""

from __future__ import annotations

import msgspec
import pytest
from support import records

from gateway.compare.presentation import words
from gateway.compare.presentation.matrix import Matrix, matrix
from gateway.compare.record import Case, Detectable, Record, Reference

replace = msgspec.structs.replace
SPACE = "\N{NO-BREAK SPACE}"


def only(record: Record, **changes: object) -> Case:
    return replace(record.cases[0], **changes)


def shown(case: Case) -> Matrix:
    found = matrix(case, 1e-6)
    assert found is not None
    return found


def test_the_title_counts_simulators_and_circuits() -> None:
    assert words.title(records.one_differs()) == "Comparison of six simulators"
    assert words.title(records.series()) == "Comparison of 5 circuits on four simulators"
    assert words.title(replace(records.series(), cases=records.series().cases[:1])) == "Comparison of four simulators"


def test_the_time_is_told_to_the_minute() -> None:
    assert words.when(records.one_differs()) == "2026-03-12, 14:02 UTC"
    assert words.when(replace(records.one_differs(), created="yesterday")) == "yesterday"


def test_the_size_of_a_circuit_is_told() -> None:
    assert words.size(only(records.one_differs())).startswith("4 qubits, 3 clbits, 25 operations, depth ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one_differs", f"per cent of 10,000 shots each; all 8 outcomes, in order; bars end at 65{SPACE}%"),
        ("no_clbits", f"per cent of 10,000 shots each; the only outcome; bars end at 100{SPACE}%"),
        (
            "many_simulators",
            f"per cent of 10,000 shots each; 14 of 775 outcomes, those that differ first; bars end at 8{SPACE}%",
        ),
    ],
)
def test_a_matrix_says_what_it_shows(name: str, expected: str) -> None:
    case = only(records.ALL[name]())
    assert words.outcomes(shown(case), case) == expected


def test_clbits_instead_of_outcomes_are_explained() -> None:
    case = only(records.flat())
    sentence = words.outcomes(shown(case), case)
    assert "different outcomes were seen, none of them more than 4 times: single outcomes say little." in sentence
    assert sentence.endswith(
        "how often each clbit is 1 in 4,000 shots: difference from the reference in percentage points, scale ±20."
    )
    assert words.notes(shown(case)) == ""


def test_what_stands_for_many_bits_is_explained() -> None:
    assert words.notes(shown(only(records.one_differs()))) == "Clbit 0 is the rightmost bit."
    assert words.notes(shown(only(records.wide()))).startswith("0\N{MULTIPLICATION SIGN}38 stands for 38 zeros;")


def test_a_deviation_has_its_sign() -> None:
    assert words.deviation(0.47, 0.5, 0.2) == "\N{MINUS SIGN}3.0"
    assert words.deviation(0.53, 0.5, 0.2) == "+3.0"
    assert words.deviation(0.50001, 0.5, 0.2) == "0.0"


def test_what_cannot_happen_is_never() -> None:
    assert words.probability(0.0, 0.5) == "never"
    assert words.probability(1e-20, 0.5) == "0.0"


def test_a_group_names_its_first_members() -> None:
    group, differing, _ = shown(only(records.many_simulators())).columns
    assert words.members(group).endswith("simulator_4 and 5 more")
    assert words.members(differing) == ""


def test_the_cause_stands_in_the_middle_of_its_sentence() -> None:
    assert words.cause(records.one_differs().rows[4]) == (
        "The counts of rigetti fit ",
        "the circuit with every rz turned the other way",
        " (p = 0.54).",
    )
    assert words.cause(records.flat().rows[5])[2] == " (p = 0.40); its exact results agree with the reference."
    assert words.cause(records.unexplained().rows[4])[0] == "Nothing tried explains rigetti; 5 explanations tried."


def test_a_reproducer_says_what_was_reduced() -> None:
    found = records.reproducer()
    assert words.reproducer(found) == "25 operations reduced to 3; nothing more can be left out"
    assert words.reproducer(replace(found, minimal=False)).endswith("more might be left out: time ran out")
    assert words.reproducer_evidence(found) == "p < 1e-12, exact probabilities off by 1.00"


def test_a_reproducer_says_who_fails_and_how() -> None:
    counts = {name: counts for name, counts in records.reproducer().counts.items() if name != "rigetti"}
    found = records.reproducer(error="SimulatorError: no kernel.\nTraceback", counts=counts, p_value=None)
    assert words.reproducer_evidence(found) == "rigetti fails: no kernel"
    assert "".join(words.reproducer_verdict(found)) == "rigetti fails: no kernel; 3-operation reproducer below."
    assert words.reproducer_evidence(replace(found, error="MemoryError")) == "rigetti fails: MemoryError"
    assert words.reproducer_evidence(replace(found, error=f"E: {'x' * 999}")).endswith("xxx ...")


def test_a_reproducer_says_who_differs_from_whom_and_how_certain_that_is() -> None:
    counts = {name: counts for name, counts in records.reproducer().counts.items() if name in {"rigetti", "mqt"}}
    found = records.reproducer(counts=counts)
    end = "differs from mqt (p < 1e-12, exact probabilities off by 1.00); 3-operation reproducer below."
    assert "".join(words.reproducer_verdict(found)) == f"rigetti {end}"
    alone = replace(found, counts={"rigetti": counts["rigetti"]}, exact_difference=None, p_value=None)
    assert "".join(words.reproducer_verdict(alone)) == "rigetti differs; 3-operation reproducer below."


def test_the_reproducer_of_a_circuit_that_measures_nothing_speaks_of_amplitudes() -> None:
    found = records.reproducer(openqasm="qubit[1] q;\nx q[0];\n", counts={}, expected={}, p_value=None, shots=None)
    assert words.reproducer_evidence(found) == "amplitudes off by 1.00"


def test_those_who_say_the_same_of_a_reproducer_are_named_together() -> None:
    groups = words.reproducer_counts(records.reproducer())
    assert [names for names, _ in groups] == ["cirq, mqt, qiskit, pytket and qulacs", "rigetti"]


def test_the_outcomes_of_a_reproducer_that_say_most_are_shown() -> None:
    counts = {"a": {f"{code:03b}": 8 - code for code in range(8)}, "b": {"111": 30}}
    found = records.reproducer(counts=counts, expected={"011": 1.0})
    assert words.reproducer_outcomes(found, 3) == ["000", "011", "111"]
    assert words.expected_shots(found, "011") == "10,000"
    assert words.expected_shots(replace(found, shots=None), "011") == "1"


def test_what_may_have_been_missed_is_told_by_kind_of_fault() -> None:
    sentences = words.missed(only(records.all_agree()))
    assert sentences[0].startswith("Between samples, a total variation distance below 0.044 where it is spread")
    assert sentences[1] == "Exact results were compared too: the 6 that agree do so to 2e-8."
    assert sentences[2] == "To see 0.03 takes about 21,500 shots each."


def test_faults_that_no_shots_would_show_are_named() -> None:
    blind = Detectable(hardest=1, depolarised=1, one_outcome=1, one_bit=1)
    (sentence, _) = words.missed(only(records.all_agree(), detectable=blind))
    assert sentence.startswith("So few shots find none where it is spread at random over all outcomes, ")


def test_without_a_reference_nothing_is_claimed() -> None:
    (sentence,) = words.missed(only(records.two_groups()))
    assert sentence.startswith("Without a reference it is not known")


def test_provenance_names_what_the_results_are_made_of() -> None:
    record = records.one_differs()
    facts = dict(words.provenance(record, record.cases[0]))
    assert facts["circuit"].startswith("phase-estimation.qasm, OpenQASM 3, sha256 ")
    assert facts["asked for"] == "10,000 shots each, in 5 runs, seed 7, exact results too"
    assert facts["sampler"] == "shared"
    assert facts["reference"] == "exact; 5 independent witnesses to 1e-6: the gateway, cirq, mqt, qulacs and qiskit"
    assert facts["false alarms"].startswith("one in 1,000,000 comparisons, corrected by Holm")
    assert facts["false alarms"].endswith("over 54 tests")
    assert facts["machine"].endswith("Python 3.11.2; runs followed one another")
    assert "seeds" not in facts


def test_a_sampler_that_was_not_asked_for_is_not_said_to_be() -> None:
    record = records.one_differs()
    (case,) = record.cases
    first = case.rows[0]
    native = replace(first, provenance=replace(first.provenance, sampler="native"))
    drawn = replace(case, rows=(native, *case.rows[1:]))
    facts = dict(words.provenance(record, drawn))
    assert (facts["sampler"], "sampler" in facts["asked for"]) == ("native and shared", False)
    assert "native sampler" in dict(words.provenance(replace(record, sampling="native"), drawn))["asked for"]


def test_seeds_that_the_simulators_drew_are_told() -> None:
    record = replace(records.one_differs(), seed=None, resolution=0.01, side_by_side=True)
    facts = dict(words.provenance(record, record.cases[0]))
    assert facts["seeds"].startswith("cirq 7, mqt 7")
    assert "no seed" in facts["asked for"]
    assert "to find a distance of 0.01" in facts["asked for"]
    assert facts["machine"].endswith("side by side")


def test_a_reference_says_how_good_it_is() -> None:
    record = records.one_differs()

    def said(reference: Reference) -> str:
        return dict(words.provenance(record, replace(record.cases[0], reference=reference)))["reference"]

    single = Reference(kind="single", witnesses=("qulacs",), note="nobody independent shares it")
    assert said(single) == "exact, but of one witness alone: qulacs (nobody independent shares it)"
    assert said(Reference(kind="none")) == "none: the samples were compared with each other"
