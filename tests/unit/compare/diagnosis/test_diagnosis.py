from __future__ import annotations

import dataclasses
import math

import pytest
from support.circuits import bell, teleportation
from support.faulty import FAULTS, Right, faulty

from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.diagnosis.diagnosis import _joined
from gateway.compare.diagnosis.hypotheses import KINDS
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.errors import RequestError

TURNING = Circuit(3).h(0).h(1).rz(0.9, 0).rz(-0.4, 1).cp(0.7, 0, 1).ry(0.6, 2).h(0).cx(1, 2).rx(0.5, 1).measure_all()

APART = Circuit(3).h(0).cx(0, 1).u3(0.3, 0.4, 0.5, 2).h(2).measure_all()
NOTHING = Sample.of({}, 3)


def observed(simulator: Right, circuit: Circuit, *, shots: int = 20_000, has_exact: bool = True) -> Observations:
    counts = simulator.run(circuit, shots=shots, seed=3)
    probabilities = simulator.run(circuit, shots=None) if has_exact else None
    return Observations(
        sample=Sample.of(counts, circuit.num_clbits),
        exact=None if probabilities is None else Distribution.of(probabilities, circuit.num_clbits),
    )


def names(simulator: Right, circuit: Circuit, **options) -> list[str]:
    return [cause.name for cause in diagnose(circuit, observed(simulator, circuit, **options))]


@pytest.mark.parametrize("has_exact", [True, False])
@pytest.mark.parametrize("cause", ["angle-negated:rz", "gate-dropped:cp", "operands-exchanged:cx", "bits-reversed"])
def test_a_fault_is_named(cause, has_exact):
    assert names(faulty(cause), TURNING, has_exact=has_exact)[0] == cause


def test_a_cause_says_what_the_counts_fit_and_how_likely_they_are():
    cause, *_ = diagnose(TURNING, observed(faulty("angle-negated:rz"), TURNING))
    assert cause.detail == "the circuit with every rz turned the other way"
    assert 1e-3 < cause.p_value <= 1


@pytest.mark.parametrize("has_exact", [True, False])
def test_a_right_simulator_has_no_cause(has_exact):
    assert names(Right(), TURNING, has_exact=has_exact) == []


@pytest.mark.parametrize("has_exact", [True, False])
def test_a_fault_without_a_name_gets_none(has_exact):
    assert names(faulty("shuffled"), TURNING, has_exact=has_exact) == []


def test_exact_probabilities_show_what_counts_cannot():
    circuit = Circuit(2).h(0).rz(1e-4, 0).h(0).ry(1.0, 1).measure_all()
    assert names(faulty("angle-doubled:rz"), circuit, has_exact=False) == []
    assert names(faulty("angle-doubled:rz"), circuit) == ["angle-doubled:rz"]


def test_causes_that_predict_the_same_are_all_named_the_simplest_first():
    circuit = Circuit(2).x(0).measure_all()
    found = names(faulty("bits-reversed"), circuit)
    assert found[:2] == ["bits-reversed", "clbits-exchanged"]


def test_the_variants_of_a_cause_are_one_cause():
    circuit = Circuit(3).x(0).x(1).measure_all()
    causes = {
        cause.name: cause.detail for cause in diagnose(circuit, observed(faulty("clbits-exchanged", other=2), circuit))
    }
    assert causes["clbits-exchanged"] == "clbits 0 and 2 exchanged"
    assert _joined(["a", "b", "a"]) == "a, or b"
    assert _joined(list("abcde")) == "a, or b, or c, or 2 more like these"


def test_an_outcome_that_should_not_happen_is_explained():
    explained = names(faulty("readout-error", rate=0.02), bell(), has_exact=False)
    assert explained == ["depolarised", "readout-error"]


def test_of_causes_that_fit_equally_well_the_common_one_comes_first():
    circuit = Circuit(2).ry(0.5, 0).ry(1.0, 1).s(0).cx(0, 1).h(0).h(1).ry(0.3, 0).measure_all()
    for has_exact in (True, False):
        explained = names(faulty("gate-dropped:s"), circuit, has_exact=has_exact)
        assert explained == ["gate-dropped:s", "phase-lost:cx"]


@pytest.mark.parametrize("has_exact", [True, False])
@pytest.mark.parametrize("circuit", [bell(), Circuit(3).h(0).cx(0, 1).cx(1, 2).measure_all()])
def test_depolarisation_comes_before_the_readout_error_that_fits_as_well_and_that_in_one_variant(circuit, has_exact):
    explained = diagnose(circuit, observed(faulty("depolarised", rate=0.05), circuit, has_exact=has_exact))
    assert [cause.name for cause in explained] == ["depolarised", "readout-error"]
    assert explained[1].detail.endswith("on every clbit")


def test_clbits_that_are_never_written_may_be_depolarised_too():
    circuit = Circuit(2, 3).h(0).cx(0, 1).measure(0, 0).measure(1, 2)
    right = exact.distribution(circuit)
    wrong = {f"{code:03b}": 0.01 for code in range(8)}
    for outcome, chance in right.to_dict().items():
        wrong[outcome] += 0.92 * chance
    (cause,) = diagnose(circuit, Observations(sample=NOTHING, exact=Distribution.of(wrong, 3)))
    assert cause.detail == "the right distribution mixed with 8 % of the uniform one, also of clbits never written"


@pytest.mark.parametrize("has_exact", [True, False])
@pytest.mark.parametrize(
    ("fault", "value", "detail"),
    [
        ("clbit-inverted", 0, "every clbit inverted"),
        ("clbit-stuck", 0, "every clbit always 0"),
        ("clbit-stuck", 1, "every clbit always 1"),
    ],
)
def test_what_happens_to_all_clbits_is_named(fault, value, detail, has_exact):
    simulator = faulty(fault, clbit=None, value=value)
    causes = diagnose(TURNING, observed(simulator, TURNING, has_exact=has_exact))
    assert [(cause.name, cause.detail) for cause in causes] == [(fault, detail)]


def test_a_gate_left_out_comes_before_all_clbits_stuck():
    assert names(faulty("gate-dropped:h"), bell()) == ["gate-dropped:h", "clbit-stuck"]


def test_a_readout_error_that_any_wrong_gate_looks_like_is_not_named_where_there_are_exact_probabilities():
    simulator = faulty("angle-off:u3")
    assert names(simulator, APART) == []
    assert "readout-error" in names(simulator, APART, has_exact=False)
    by_counts = observed(simulator, APART, has_exact=False)
    assert "readout-error" not in {
        cause.name for cause in diagnose(APART, dataclasses.replace(by_counts, differs_exactly=True))
    }


@pytest.mark.parametrize("clbit", [None, 0])
def test_a_readout_error_of_a_noisy_simulator_is_named_where_it_says_more_than_was_fitted(clbit):
    assert names(faulty("readout-error", clbit=clbit), APART) == ["readout-error"]


def test_angles_that_are_exchanged_are_named():
    (cause,) = diagnose(APART, observed(faulty("angles-exchanged:u3"), APART))
    assert cause.detail == "the circuit with the second and the third angle of every u3 exchanged"


def test_a_fault_of_a_dynamic_circuit_is_named():
    assert names(faulty("condition-ignored"), teleportation())[0] == "condition-ignored"


def test_registers_are_what_the_caller_says():
    circuit = Circuit(4).ry(0.4, 0).ry(0.9, 1).ry(1.4, 2).ry(2.0, 3).measure_all()
    simulator = faulty("register-bits-reversed", registers=(1, 3))
    causes = diagnose(circuit, observed(simulator, circuit), registers=(1, 3))
    assert causes[0].detail == "the bits of each register (of 1 and 3 clbits) read in reverse"
    assert "register-bits-reversed" not in {
        cause.name for cause in diagnose(circuit, observed(simulator, circuit), registers=(4,))
    }


def test_the_reference_may_come_from_elsewhere():
    observations = observed(faulty("bits-reversed"), TURNING, has_exact=False)
    assert diagnose(TURNING, observations, reference=exact.distribution(TURNING))[0].name == "bits-reversed"


def test_what_lies_in_the_shots_comes_after_what_explains_the_distribution():
    sample = observed(faulty("bits-reversed"), TURNING).sample
    causes = diagnose(TURNING, Observations(sample=sample, requested=10))
    assert [cause.name for cause in causes] == ["bits-reversed", "clbits-exchanged", "shots-missing"]


def test_a_circuit_that_is_too_large_has_the_causes_that_lie_in_the_shots():
    circuit = Circuit(40)
    for qubit in range(39):
        circuit.ry(0.3, qubit).cx(qubit, qubit + 1)
    for qubit in range(39):
        circuit.crx(0.3, qubit + 1, qubit).crx(0.2, (qubit + 20) % 40, qubit)
    circuit.measure_all()
    causes = diagnose(circuit, Observations(sample=Sample.of({40 * "0": 9}, 40), requested=10))
    assert [cause.name for cause in causes] == ["shots-missing"]


def test_with_no_time_nothing_is_tried():
    observations = observed(faulty("bits-reversed"), TURNING)
    assert diagnose(TURNING, observations, seconds=-math.inf) == ()


@pytest.mark.parametrize("circuit", [Circuit(), Circuit(2).h(0)])
def test_without_clbits_there_is_nothing_to_explain(circuit):
    assert diagnose(circuit, Observations(sample=Sample.of({"": 100}, 0))) == ()


def test_counts_of_another_width_are_refused():
    with pytest.raises(RequestError, match="the counts have 2 clbits, the circuit 3"):
        diagnose(TURNING, Observations(sample=Sample.of({"00": 1}, 2)))


def test_registers_of_another_width_are_refused():
    with pytest.raises(RequestError, match="the registers have 4 clbits, the circuit 3"):
        diagnose(TURNING, observed(Right(), TURNING), registers=(2, 2))


def test_more_than_62_clbits_are_no_obstacle():
    circuit = Circuit(70).x(0)
    for qubit in range(64, 70):
        circuit.ry(qubit / 30, qubit)
    circuit.measure_all()
    reference = exact.distribution(circuit)
    wrong = {bitstring[::-1]: round(10_000 * p) for bitstring, p in reference.to_dict().items()}
    assert diagnose(circuit, Observations(sample=Sample.of(wrong, 70)))[0].name == "bits-reversed"


def test_the_kinds_of_causes_are_those_of_the_faulty_simulators():
    assert set(KINDS) == set(FAULTS)
