from __future__ import annotations

import msgspec
import pytest

from gateway.circuit.gates import GATES
from gateway.results import CLIFFORD, Capabilities, Precision, Provenance, Result, ResultType, Sampling

PROVENANCE = Provenance(simulator="s", version="1")


def test_results_and_capabilities_are_frozen():
    for found in (PROVENANCE, Result(provenance=PROVENANCE, width=0), Capabilities(result_types=())):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(found, found.__struct_fields__[0], None)


def test_a_result_on_the_wire_holds_only_the_value_it_has():
    sent = msgspec.json.decode(msgspec.json.encode(Result(provenance=PROVENANCE, width=1, counts={"0": 1})))
    assert set(sent) == {"provenance", "width", "counts"}


def test_provenance_on_the_wire_is_complete_and_states_the_bit_order():
    sent = msgspec.to_builtins(PROVENANCE)
    assert set(sent) == set(Provenance.__struct_fields__)
    assert sent["bit_order"] == "clbit0-rightmost"


def test_an_amplitude_on_the_wire_is_a_pair():
    result = Result(provenance=PROVENANCE, width=0, statevector=[(1.0, 0.0), (0.0, -0.5)])
    assert b'"statevector":[[1.0,0.0],[0.0,-0.5]]' in msgspec.json.encode(result)
    assert msgspec.json.decode(msgspec.json.encode(result), type=Result) == result


def test_kinds_are_written_as_the_words_users_type():
    assert [str(kind) for kind in ResultType] == ["counts", "probabilities", "statevector"]
    assert [str(kind) for kind in Sampling] == ["auto", "native"]


def test_capabilities_of_an_older_server_are_read_with_what_was_true_then():
    able = msgspec.json.decode(b'{"result_types": ["counts"]}', type=Capabilities)
    assert (able.gates, able.precision, able.threads) == ("universal", Precision.DOUBLE, False)


def test_a_gate_set_is_a_list_of_names_on_the_wire():
    sent = msgspec.json.encode(Capabilities(result_types=(), gates=("h", "cx")))
    assert msgspec.json.decode(sent)["gates"] == ["h", "cx"]
    assert msgspec.json.decode(sent, type=Capabilities).gates == ("h", "cx")


def test_the_clifford_gates_are_rows_of_the_table():
    assert set(CLIFFORD) <= set(GATES)
