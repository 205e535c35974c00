from __future__ import annotations

import math

import pytest
from support.notebook import Output

from gateway.look import results
from gateway.provenance import Provenance

ORIGIN = Provenance(simulator="qulacs", version="0.6.14", seed=7, sampler="shared", parse_s=1e-4, run_s=5e-4)


def test_counts_are_a_table_with_shots_and_per_cent():
    output = Output(results.counts({"010": 5802, "000": 219, "011": 3979}, 10_000, ORIGIN))
    assert output.rows == [
        ["outcome", "shots", "%", "0 to 60\xa0%"],
        ["000", "219", "2.2", ""],
        ["010", "5,802", "58.0", ""],
        ["011", "3,979", "39.8", ""],
    ]
    assert output.text.startswith("10,000 shots qulacs 0.6.14, seed 7, shared sampler")
    assert output.text.endswith("3 outcomes; clbit 0 rightmost. Parse, build and run took 0.60\xa0ms.")


def test_the_shots_of_many_outcomes_add_up():
    values = {format(index, "010b"): index + 1 for index in range(1000)}
    output = Output(results.counts(values, sum(values.values()), None))
    assert len(output.rows) == 1 + 14 + 1
    assert output.rows[-1][0] == "986 more"
    assert sum(int(row[1].replace(",", "")) for row in output.rows[1:]) == sum(values.values())
    assert "1,000 outcomes; the 14 most frequent shown; clbit 0 rightmost." in output.text


def test_a_million_outcomes_make_no_longer_output_than_a_thousand():
    values = {format(index, "020b"): 1 for index in range(2**20)}
    assert len(results.counts(values, 2**20, ORIGIN)) < 40_000


def test_no_shots_and_no_clbits_can_be_shown():
    assert Output(results.counts({}, 0, None)).text == "0 shots0 outcomes; clbit 0 rightmost."
    assert Output(results.counts({"": 5}, 5, None)).rows[1] == ["no clbits", "5", "100.0", ""]


def test_three_hundred_clbits_are_shortened_but_whole_in_the_title():
    outcome = "10" * 150
    output = Output(results.counts({outcome: 5}, 5, None))
    assert output.titles == [outcome]
    assert "… 252 bits …" in output.rows[1][0]


def test_hostile_names_are_text():
    origin = Provenance(simulator="<script>alert(1)</script>", version='"><img src=x>', sampler="<b>", seed=1)
    for output in (
        results.counts({"0": 1}, 1, origin),
        results.probabilities({"0": 1.0}, origin),
        results.state_vector([1, 0], origin),
    ):
        assert "<script>alert(1)</script>" in Output(output).text


def test_probabilities_have_six_decimals_and_tiny_ones_their_size():
    output = Output(results.probabilities({"0": 0.75, "1": 0.25 - 3e-9}, None))
    assert [row[:2] for row in output.rows[1:]] == [["0", "0.750000"], ["1", "0.250000"]]
    assert "They sum to 1 within 3e-9." in output.text
    assert Output(results.probabilities({"0": 1.0, "1": 3e-9}, None)).rows[2][1] == "3e-9"


def test_the_probabilities_of_many_outcomes_add_up():
    values = {format(index, "010b"): 2**-10 for index in range(2**10)}
    rows = Output(results.probabilities(values, None)).rows
    assert rows[-1][:2] == ["1,010 more", "0.986328"]
    assert math.isclose(14 * 2**-10 + 0.986328, 1, abs_tol=1e-6)


def test_a_state_vector_has_amplitudes_probabilities_and_phases():
    half = math.sqrt(0.5)
    output = Output(results.state_vector([half, 0, 0, -half * 1j], ORIGIN))
    assert output.rows == [
        ["state", "amplitude", "probability", "0 to 50\xa0%", "phase"],
        ["|00⟩", "+0.707107 +0.000000i", "0.5000", "", "→ +0.000π"],
        ["|11⟩", "−0.000000 −0.707107i", "0.5000", "", "↓ −0.500π"],  # noqa: RUF001 - minus signs
    ]
    assert "2 of 4 amplitudes are not zero; qubit 0 rightmost." in output.text


@pytest.mark.parametrize(("eighth", "arrow"), list(enumerate("→↗↑↖←↙↓↘")))
def test_an_arrow_shows_each_eighth_of_a_turn(eighth, arrow):
    amplitude = complex(math.cos(eighth * math.pi / 4), math.sin(eighth * math.pi / 4))
    assert Output(results.state_vector([amplitude], None)).rows[1][4].startswith(arrow)


def test_of_a_large_state_the_most_likely_amplitudes_are_shown():
    amplitudes = [math.sqrt((index + 1) / 2080) for index in range(64)]
    output = Output(results.state_vector(amplitudes, None))
    assert [row[0] for row in output.rows[1:4]] == ["|111111⟩", "|111110⟩", "|111101⟩"]
    assert output.rows[-1][0] == "50 more"
    assert sum(float(row[2]) for row in output.rows[1:]) == pytest.approx(1, abs=1e-3)


def test_the_state_of_many_equal_amplitudes_is_shown_from_the_first_index():
    rows = Output(results.state_vector([2**-8] * 2**16, None)).rows
    assert rows[1][0] == f"|{'0' * 16}⟩"
    assert rows[-1][0] == "65,522 more"


def test_a_state_of_no_qubits_and_no_state_at_all_can_be_shown():
    assert Output(results.state_vector([1], None)).rows[1][0] == "|⟩"
    assert "0 of 0 amplitudes" in Output(results.state_vector([], None)).text


def test_characters_that_hide_or_reorder_others_are_shown():
    origin = Provenance(simulator="qu\u202elacs\x1b[31m", version="1", sampler="native")
    assert "qu\ufffdlacs\ufffd[31m 1" in Output(results.counts({"0": 1}, 1, origin)).text
