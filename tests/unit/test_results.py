from __future__ import annotations

import msgspec
import pytest
from support.notebook import Output

from gateway.amplitudes import Amplitudes
from gateway.circuit.gates import GATES
from gateway.counts import KINDS, Counts, Probabilities, Statevector
from gateway.density_matrix import DensityMatrix
from gateway.expectation import Expectation
from gateway.results import CLIFFORD, Capabilities, Precision, Provenance, Result, ResultType, Sampling
from gateway.shot_memory import Memory

PROVENANCE = Provenance(simulator="s", version="1")


def test_results_and_capabilities_are_frozen():
    for found in (PROVENANCE, Capabilities(result_types=())):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(found, found.__struct_fields__[0], None)


def test_provenance_on_the_wire_is_complete_and_states_the_bit_order():
    sent = msgspec.to_builtins(PROVENANCE)
    assert set(sent) == set(Provenance.__struct_fields__)
    assert sent["bit_order"] == "clbit0-rightmost"


def test_every_class_of_results_has_a_member_and_every_member_a_class():
    assert {kind: kind.result_class for kind in ResultType} == {
        ResultType.COUNTS: Counts,
        ResultType.PROBABILITIES: Probabilities,
        ResultType.STATEVECTOR: Statevector,
        ResultType.EXPECTATION: Expectation,
        ResultType.MEMORY: Memory,
        ResultType.AMPLITUDES: Amplitudes,
        ResultType.DENSITY_MATRIX: DensityMatrix,
    }
    assert {str(kind) for kind in ResultType} == set(KINDS)
    assert [kind for kind in ResultType if not kind.is_exact] == [ResultType.COUNTS, ResultType.MEMORY]
    assert [kind for kind in ResultType if kind.may_be_estimated] == [ResultType.EXPECTATION]
    assert [kind for kind in ResultType if kind.of_state] == [
        ResultType.STATEVECTOR,
        ResultType.AMPLITUDES,
    ]
    assert [kind for kind in ResultType if kind.of_clbits] == [
        ResultType.COUNTS,
        ResultType.PROBABILITIES,
        ResultType.MEMORY,
    ]


def test_a_word_that_is_no_kind_of_result_is_no_result_type():
    with pytest.raises(ValueError, match="'amplitude' is not a valid ResultType"):
        ResultType("amplitude")


def test_a_class_of_results_without_slots_is_refused_because_it_could_be_changed():
    with pytest.raises(TypeError, match="Loose needs __slots__"):
        type("Loose", (Result,), {}, kind="loose")
    assert "loose" not in KINDS


def test_kinds_are_written_as_the_words_users_type():
    assert [str(kind) for kind in ResultType] == [
        "counts", "probabilities", "statevector", "expectation", "memory", "amplitudes", "density_matrix",
    ]  # fmt: skip
    assert [str(kind) for kind in Sampling] == ["auto", "native"]


def test_capabilities_of_an_older_server_are_read_with_what_was_true_then():
    able = msgspec.json.decode(b'{"result_types": ["counts"]}', type=Capabilities)
    assert (able.gates, able.precision, able.threads) == ("universal", Precision.DOUBLE, False)


def test_older_clients_are_sent_the_result_types_that_they_know_and_newer_ones_read_all():
    able = Capabilities(result_types=(ResultType.COUNTS, ResultType.EXPECTATION))
    sent = msgspec.json.decode(msgspec.json.encode(able.as_sent()))
    assert (sent["result_types"], sent["more_result_types"]) == (["counts"], ["expectation"])
    assert msgspec.convert(sent, Capabilities) == able
    assert able.result_types == (ResultType.COUNTS, ResultType.EXPECTATION)


def test_a_result_type_of_a_newer_server_is_left_out():
    able = msgspec.json.decode(
        b'{"result_types": ["counts"], "more_result_types": ["wigner", "memory"]}', type=Capabilities
    )
    assert able.result_types == (ResultType.COUNTS, ResultType.MEMORY)


def test_a_gate_set_is_a_list_of_names_on_the_wire():
    sent = msgspec.json.encode(Capabilities(result_types=(), gates=("h", "cx")))
    assert msgspec.json.decode(sent)["gates"] == ["h", "cx"]
    assert msgspec.json.decode(sent, type=Capabilities).gates == ("h", "cx")


def test_the_clifford_gates_are_rows_of_the_table():
    assert set(CLIFFORD) <= set(GATES)


def test_capabilities_are_said_in_words():
    facts = Capabilities(result_types=(ResultType.COUNTS,), gates=("h", "cx"), reset=False, max_qubits=5000).facts()
    assert facts["results"] == "counts"
    assert facts["gates"] == "h cx"
    assert (facts["reset"], facts["conditions"]) == ("no", "yes")
    assert facts["qubits at most"] == "5,000"
    assert Capabilities(result_types=()).facts()["results"] == "none"


def test_a_notebook_shows_capabilities_as_a_table():
    capabilities = Capabilities(result_types=tuple(ResultType), bytes_per_amplitude=48)
    assert Output(capabilities._repr_html_()).rows == [list(fact) for fact in capabilities.facts().items()]


@pytest.mark.parametrize(
    ("per_amplitude", "max_qubits", "most"),
    [(16, None, 26), (17, None, 25), (16, 20, 20), (16, 40, 26), (None, 40, 40), (None, None, None), (2**40, None, 0)],
)
def test_the_most_qubits_are_those_whose_amplitudes_fit_into_the_memory(per_amplitude, max_qubits, most):
    capabilities = Capabilities(result_types=(), bytes_per_amplitude=per_amplitude, max_qubits=max_qubits)
    assert capabilities.most_qubits(2**30) == most
