from __future__ import annotations

from math import pi

import msgspec
import pytest
from support.circuits import bell, teleportation

from gateway import enforcement
from gateway.circuit import Circuit, Expression
from gateway.circuit.needs import MOST_GATES_IN_SINGLE_PRECISION, needs
from gateway.enforcement import AMPLITUDE_OF_ANSWER, RunOptions, check_measured, refuse, result_type, supported_by
from gateway.errors import CircuitInvalidError, LimitError, RequestError, UnsupportedError
from gateway.execution.function import Function
from gateway.protocol import problem
from gateway.results import CLIFFORD, Capabilities, Precision, ResultType, Sampling
from gateway.simulators import SIMULATORS, Simulator

EVERYTHING = Capabilities(result_types=tuple(ResultType), native_dynamic=True)
COUNTS = RunOptions(ResultType.COUNTS)
NATIVE = RunOptions(ResultType.COUNTS, Sampling.NATIVE)
ROWS = [
    Simulator(name=name, port=1, summary="", adapter="", distribution="", capabilities=able)
    for name, able in {
        "diagrams": Capabilities(result_types=tuple(ResultType), exact_bytes_per_amplitude=320, native_dynamic=True),
        "dense": Capabilities(result_types=tuple(ResultType), bytes_per_amplitude=48),
        "stabilizers": Capabilities(result_types=(ResultType.COUNTS,), gates=CLIFFORD, native_dynamic=True),
    }.items()
]
UNIVERSAL = ["diagrams", "dense"]
ALL = [*UNIVERSAL, "stabilizers"]
ghz_50 = Circuit(50).h(0)
for target in range(1, 50):
    ghz_50.cx(target - 1, target)
ghz_50.measure_all()


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    """Let there be three simulators of different kinds."""
    monkeypatch.setattr(enforcement, "rows", lambda: iter(ROWS))


def refusal(circuit, options=COUNTS, **lacking):
    """Return the error of a simulator that can do everything but something."""
    able = msgspec.structs.replace(EVERYTHING, **lacking)
    refuse(needs(circuit), EVERYTHING, options, simulator="x")
    with pytest.raises((UnsupportedError, LimitError)) as caught:
        refuse(needs(circuit), able, options, simulator="x")
    return caught.value


@pytest.mark.parametrize(
    ("circuit", "lacking", "feature", "operation", "gate", "others"),
    [
        (teleportation(), {"classical_control": False}, "classical control", 7, "x", UNIVERSAL),
        (Circuit(1, 1).h(0).reset(0).measure(0, 0), {"reset": False}, "reset", 1, "reset", ALL),
        (
            Circuit(1, 2).measure(0, 0).h(0).measure(0, 1),
            {"mid_circuit_measurement": False},
            "mid-circuit measurement",
            1,
            "h",
            ALL,
        ),
        (
            Circuit(1, 2).measure(0, 0).measure(0, 1),
            {"mid_circuit_measurement": False},
            "mid-circuit measurement",
            1,
            "measure",
            ALL,
        ),
        (bell().t(0), {"gates": CLIFFORD}, "gate t", 4, "t", UNIVERSAL),
        (Circuit(1).rz(pi / 2, 0).ry(0.5, 0).measure_all(), {"gates": CLIFFORD}, "gate ry", 1, "ry", UNIVERSAL),
    ],
    ids=["control", "reset", "gate after a measurement", "measured again", "gate", "angle"],
)
def test_what_a_circuit_needs_and_is_not_declared_is_refused_with_where_and_who_can(
    circuit, lacking, feature, operation, gate, others
):
    error = refusal(circuit, **lacking)
    assert (error.feature, error.operation, error.gate, error.simulator) == (feature, operation, gate, "x")
    assert error.supported_by == others
    assert error.message.startswith(f"operation {operation} ({circuit.operations[operation]}): x ")
    assert error.message.endswith(f"; supported by: {', '.join(others)}")


@pytest.mark.parametrize(
    ("circuit", "options", "lacking", "feature"),
    [
        (bell(), RunOptions(ResultType.PROBABILITIES), {"result_types": (ResultType.COUNTS,)}, "probabilities"),
        (Circuit(1).h(0), RunOptions(ResultType.STATEVECTOR), {"result_types": ()}, "statevector"),
        (bell(), COUNTS._replace(seeded=True), {"seedable": False}, "seed"),
        (bell(), NATIVE, {"native_sampling": False}, "native sampling"),
    ],
    ids=["probabilities", "state vector", "seed", "sampler"],
)
def test_what_a_run_asks_for_and_is_not_declared_is_refused_with_who_can(circuit, options, lacking, feature):
    error = refusal(circuit, options, **lacking)
    assert (error.feature, error.simulator, error.operation, error.gate) == (feature, "x", None, None)
    assert error.supported_by == (ALL if options.result is ResultType.COUNTS else UNIVERSAL)


def test_a_sampler_of_few_circuits_refuses_the_others_by_name():
    error = refusal(teleportation(), NATIVE, native_dynamic=False)
    assert (error.feature, error.operation) == ("native dynamic circuits", 7)
    assert "leave sampling at 'auto'" in error.message
    assert error.supported_by == ["diagrams"]


def test_a_simulator_with_no_other_sampler_is_not_told_to_use_one():
    error = refusal(teleportation(), COUNTS._replace(own_sampler=True), native_dynamic=False)
    assert error.feature == "native dynamic circuits"
    assert "auto" not in error.message


def test_more_qubits_than_there_are_are_a_limit_and_idle_ones_do_not_count():
    able = msgspec.structs.replace(EVERYTHING, max_qubits=2)
    refuse(needs(Circuit(50, 2).h(9).measure(9, 0).measure(3, 1)), able, COUNTS, simulator="x")
    with pytest.raises(LimitError, match="the circuit uses 3 qubits; x has 2; supported by: ") as caught:
        refuse(needs(Circuit(3).measure_all()), able, COUNTS, simulator="x")
    error = caught.value
    assert (error.limit, error.requested, error.allowed, error.simulator) == ("qubits", 3, 2, "x")
    assert error.supported_by == ALL


def test_a_state_vector_has_its_idle_qubits_too():
    able = msgspec.structs.replace(EVERYTHING, max_qubits=2)
    with pytest.raises(LimitError, match="uses 3 qubits"):
        refuse(needs(Circuit(3).h(0)), able, RunOptions(ResultType.STATEVECTOR), simulator="x")


def test_single_precision_bears_so_many_operations_and_no_more():
    able = msgspec.structs.replace(EVERYTHING, precision=Precision.SINGLE)
    circuit = Circuit(1)
    circuit.operations = Circuit(1).x(0).operations * (MOST_GATES_IN_SINGLE_PRECISION - 1)
    refuse(needs(circuit.measure_all()), able, COUNTS, simulator="x")
    error = refusal(circuit.h(0), precision=Precision.SINGLE)
    assert (error.feature, error.operation, error.gate) == ("double precision", MOST_GATES_IN_SINGLE_PRECISION, "h")
    assert error.supported_by == ALL


def test_those_whose_state_would_not_fit_do_not_support_a_circuit():
    assert supported_by(needs(ghz_50), COUNTS, simulator="x") == ["diagrams", "stabilizers"]
    assert supported_by(needs(ghz_50), COUNTS, simulator="diagrams") == ["stabilizers"]


def test_memory_for_exact_results_is_counted_where_it_is_another():
    options = RunOptions(ResultType.PROBABILITIES)
    assert supported_by(needs(ghz_50), options, simulator="x") == []
    assert supported_by(needs(ghz_50), options, simulator="x", memory_bytes=320 * 2**50) == UNIVERSAL
    assert supported_by(needs(ghz_50), options, simulator="x", memory_bytes=48 * 2**50) == ["dense"]


def test_memory_for_the_state_vector_that_is_handed_out_is_counted_too():
    options, wide = RunOptions(ResultType.STATEVECTOR), needs(Circuit(21).h(0))
    enough = (48 + AMPLITUDE_OF_ANSWER) * 2**21
    assert supported_by(wide, options, simulator="x", memory_bytes=enough) == ["dense"]
    assert supported_by(wide, options, simulator="x", memory_bytes=enough - 1) == []


def test_nobody_supports_the_state_vector_of_a_measured_circuit():
    options = RunOptions(ResultType.STATEVECTOR)
    assert supported_by(needs(bell()), options, simulator="x") == []
    with pytest.raises(UnsupportedError, match=r"operation 2 \(measure 0 -> 0\): .*no single state vector") as caught:
        check_measured(needs(bell()), options, simulator="x")
    assert caught.value.supported_by is None


def test_a_circuit_that_measures_nothing_is_refused_with_the_way_out():
    with pytest.raises(CircuitInvalidError, match="measure_all"):
        check_measured(needs(Circuit(1).h(0)), COUNTS, simulator="x")


@pytest.mark.parametrize(("shots", "kind"), [(None, ResultType.COUNTS), (5, ResultType.PROBABILITIES)])
def test_shots_belong_to_counts_and_to_nothing_else(shots, kind):
    with pytest.raises(RequestError, match="shots") as caught:
        result_type(shots, kind)
    assert caught.value.field == "shots"


def test_without_a_result_type_shots_give_counts_and_none_give_probabilities():
    assert [result_type(shots, None) for shots in (5, [5, 6], None)] == ["counts", "counts", "probabilities"]


def test_a_simulator_does_not_recommend_itself():
    assert supported_by(needs(bell()), COUNTS, simulator="dense") == ["diagrams", "stabilizers"]


def test_a_function_refuses_by_the_same_check():
    with pytest.raises(UnsupportedError) as caught:
        Function(lambda circuit, shots: {}, name="f").run(bell(), shots=5, seed=1, result=None, sampling=Sampling.AUTO)
    assert (caught.value.feature, caught.value.simulator, caught.value.supported_by) == ("seed", "f", ALL)


def test_a_refusal_goes_over_the_wire_with_all_its_fields():
    sent = problem.dump(refusal(teleportation(), classical_control=False))
    again = problem.parse(sent, 422, "http://127.0.0.1")
    assert type(again) is UnsupportedError
    assert (again.operation, again.gate, again.supported_by) == (7, "x", UNIVERSAL)


def test_a_simulator_of_clifford_gates_says_which_angles_it_takes():
    capabilities = msgspec.structs.replace(EVERYTHING, gates=CLIFFORD)
    circuit = Circuit(1).ry(pi / 2 + 5e-12, 0).measure_all()
    with pytest.raises(UnsupportedError) as caught:
        refuse(needs(circuit), capabilities, COUNTS, simulator="stabilizers")
    assert caught.value.message.startswith(
        "operation 0 (ry(1.5707963267998966) 0): stabilizers does not have this gate, nor gates that equal it exactly: "
        "its angles are multiples of pi/2, to within 1e-12"
    )


@pytest.mark.parametrize("kind", [ResultType.PROBABILITIES, ResultType.STATEVECTOR], ids=str)
def test_an_exact_result_with_shots_is_refused_in_good_english(kind: ResultType):
    with pytest.raises(RequestError, match=f"^the result {kind} is exact: leave shots out$"):
        result_type(5, kind)


def test_an_expression_of_numbers_that_nobody_has_computed_is_refused_with_what_computes_it():
    circuit = Circuit(1).h(0).rx(Expression("+", (1, 2)), 0)
    with pytest.raises(CircuitInvalidError, match=r"operation 1 .*: circuit\.bind\(\) computes it") as caught:
        refuse(
            needs(circuit), SIMULATORS["qulacs"].capabilities, RunOptions(ResultType.STATEVECTOR), simulator="qulacs"
        )
    assert caught.value.operation == 1
