"""Of simulators that lack one thing each, circuits that need it are refused by name, and all others come out right.

Each fake is careless: what it does not declare it leaves out in silence, as real simulators do. Only the check before
it keeps its answers right.
"""

from __future__ import annotations

from math import pi
from typing import Any

import msgspec
import pytest
from support.asking import AsDeclared, RefusedAsDeclared, ThroughAdapter
from support.circuits import bell, random_circuit, random_dynamic_circuit, teleportation
from support.fakes import NumpyAdapter
from support.reference import distribution
from support.statistics import assert_drawn_from

from adapters.base import Adapter
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.needs import MOST_GATES_IN_SINGLE_PRECISION
from gateway.circuit.operations import Operation
from gateway.counts import Counts
from gateway.errors import LimitError, UnsupportedError
from gateway.results import CLIFFORD, Capabilities, Precision, ResultType, Sampling

SHOTS = 1000
REPORTED = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
"""The circuit of which a simulator without classical control once returned {'10': 503, '11': 497}."""

CIRCUITS = {
    "bell": bell(),
    "reported": REPORTED,
    "teleportation": teleportation(),
    "quarter turns": Circuit(2).h(0).rz(pi / 2, 0).ry(-pi / 2, 1).cp(pi, 0, 1).h(0).measure_all(),
    "an angle": Circuit(1).ry(0.5, 0).measure_all(),
    "toffoli": Circuit(3).h(0).h(1).ccx(0, 1, 2).measure_all(),
    "reset": Circuit(2, 2).ry(0.9, 0).cx(0, 1).reset(0).measure(0, 0).measure(1, 1),
    "used again": Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1),
    "measured twice": Circuit(1, 2).h(0).measure(0, 0).measure(0, 1),
    "conditional reset": Circuit(2, 2).h(0).x(1).measure(0, 0).reset(1, when={0: 1}).measure(1, 1),
    "conditional measurement": Circuit(2, 2).h(0).x(1).measure(0, 0).measure(1, 1, when={0: 1}),
    "five qubits": Circuit(5).h(0).cx(0, 4).cx(4, 2).x(1).x(3).measure_all(),
    "idle qubits": Circuit(9, 2).h(7).cx(7, 2).measure(7, 0).measure(2, 1),
    "any gates": random_circuit(1, 4, 20).measure_all(),
    "anything": random_dynamic_circuit(3),
}  # fmt: skip

LACKING: dict[str, dict[str, Any]] = {
    "mid-circuit measurement": {"mid_circuit_measurement": False},
    "reset": {"reset": False},
    "classical control": {"classical_control": False},
    "all that is dynamic": {"mid_circuit_measurement": False, "reset": False, "classical_control": False},
    "probabilities": {"result_types": (ResultType.COUNTS, ResultType.STATEVECTOR)},
    "state vectors": {"result_types": (ResultType.COUNTS, ResultType.PROBABILITIES)},
    "counts": {"result_types": (ResultType.PROBABILITIES, ResultType.STATEVECTOR)},
    "seeds": {"seedable": False},
    "gates beyond Clifford": {"gates": CLIFFORD},
    "gates on three qubits": {"gates": tuple(name for name, gate in GATES.items() if gate.num_qubits < 3)},
    "arbitrary angles": {"gates": ("gphase", "x", "h", "s", "t", "tdg", "sdg", "cx", "ccx")},
    "qubits": {"max_qubits": 3},
}
EVERYTHING = Capabilities(result_types=tuple(ResultType), native_dynamic=True)


class Careless(NumpyAdapter):
    """A state-vector simulator that leaves out, in silence, what it does not declare."""

    name = "careless"
    native_gates = GATES

    def __init__(self, **lacks: Any) -> None:
        super().__init__()
        self.capabilities = msgspec.structs.replace(EVERYTHING, **lacks)
        if self.capabilities.gates != "universal":
            self.native_gates = dict.fromkeys(self.capabilities.gates)

    def counts(self, circuit, run):
        return super().counts(careless(circuit, self.capabilities), run)

    def probabilities(self, circuit, run):
        return super().probabilities(careless(circuit, self.capabilities), run)

    def statevector(self, circuit, run):
        return super().statevector(careless(circuit, self.capabilities), run)


class CarelessSampler(Adapter[Circuit]):
    """A simulator with nothing but a sampler, as careless."""

    name = "careless"
    native_gates = GATES

    def __init__(self, **lacks: Any) -> None:
        self.capabilities = msgspec.structs.replace(EVERYTHING, result_types=(ResultType.COUNTS,), **lacks)

    def version(self) -> str:
        return "1"

    def build(self, circuit: Circuit) -> Circuit:
        return careless(circuit, self.capabilities)

    def sample(self, native: Circuit, *, shots: int, seed: int) -> Counts:
        adapter = NumpyAdapter()
        return adapter.run(native, shots=shots, seed=seed)


def careless(circuit: Circuit, able: Capabilities) -> Circuit:
    """Return a circuit without what is not declared."""
    operations: list[Operation] = []
    measured: set[int] = set()
    for op in circuit.operations:
        left_out = (
            (op.name == "reset" and not able.reset)
            or (op.name in GATES and able.gates != "universal" and op.name not in able.gates)
            or (measured & set(op.qubits) and not able.mid_circuit_measurement)
        )
        if not left_out:
            condition = op.condition if able.classical_control else ()
            operations.append(Operation(op.name, op.qubits, op.params, op.clbits, condition))
        measured |= set(op.qubits) if op.name == "measure" else set()
    return Circuit(circuit.num_qubits, circuit.num_clbits, operations)


def outcome_of(adapter: Adapter, circuit: Circuit, **arguments: Any):
    """Return what a run gives, ``None`` if it was refused as declared."""
    try:
        return AsDeclared(ThroughAdapter(adapter), adapter.name)(circuit, **arguments)
    except RefusedAsDeclared:
        return None


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=list(CIRCUITS))
@pytest.mark.parametrize("lacks", LACKING.values(), ids=list(LACKING))
def test_counts_are_right_or_refused_for_what_is_lacking(lacks, circuit):
    outcome = outcome_of(Careless(**lacks), circuit, shots=SHOTS, seed=5)
    if outcome is not None:
        assert_drawn_from(outcome.counts, distribution(circuit))


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=list(CIRCUITS))
@pytest.mark.parametrize("lacks", LACKING.values(), ids=list(LACKING))
def test_exact_probabilities_are_right_or_refused_for_what_is_lacking(lacks, circuit):
    outcome = outcome_of(Careless(**lacks), circuit, shots=None)
    if outcome is not None:
        expected = distribution(circuit)
        keys = expected.keys() | outcome.probabilities.keys()
        found = {key: outcome.probabilities.get(key, 0.0) for key in keys}
        assert found == pytest.approx({key: expected.get(key, 0.0) for key in keys}, abs=1e-9)


@pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=list(CIRCUITS))
@pytest.mark.parametrize(
    "lacks", [changed for changed in LACKING.values() if "result_types" not in changed and "gates" not in changed]
)
def test_a_simulator_with_nothing_but_a_sampler_is_right_or_refuses(lacks, circuit):
    outcome = outcome_of(CarelessSampler(**lacks), circuit, shots=SHOTS, seed=5)
    if outcome is not None:
        assert_drawn_from(outcome.counts, distribution(circuit))


DYNAMIC = {"teleportation", "conditional reset", "conditional measurement", "reported", "anything"}
REFUSED = {
    "mid-circuit measurement": {"used again", "measured twice", "anything"},
    "reset": {"reset", "conditional reset", "anything"},
    "classical control": DYNAMIC,
    "seeds": set(),
    "counts": set(CIRCUITS),
    "state vectors": set(),
    "gates beyond Clifford": {"teleportation", "an angle", "toffoli", "reset", "any gates", "anything"},
    "gates on three qubits": set(),
    "arbitrary angles": {"teleportation", "an angle", "reset", "any gates", "anything"},
    "qubits": {"five qubits", "any gates", "anything"},
}


@pytest.mark.parametrize("lacking", REFUSED)
def test_what_is_refused_is_what_needs_it_and_nothing_else(lacking):
    refused = {
        name
        for name, circuit in CIRCUITS.items()
        if outcome_of(Careless(**LACKING[lacking]), circuit, shots=5, seed=5) is None
    }
    assert refused == REFUSED[lacking]


def test_the_reported_circuit_is_refused_without_classical_control_and_right_with_it():
    with pytest.raises(UnsupportedError, match=r"operation 2 \(x 1\): careless has no classical control") as caught:
        CarelessSampler(classical_control=False).run(REPORTED, shots=SHOTS, seed=1)
    assert (caught.value.feature, caught.value.operation, caught.value.gate) == ("classical control", 2, "x")
    assert "qulacs" in caught.value.supported_by
    assert set(CarelessSampler().run(REPORTED, shots=SHOTS, seed=1)) == {"00", "11"}


def test_the_fakes_would_be_wrong_if_nothing_kept_them_from_it():
    native = CarelessSampler(classical_control=False).build(REPORTED)
    assert set(distribution(native)) == {"10", "11"}


@pytest.mark.parametrize("name", ["teleportation", "reset", "used again", "anything"])
def test_a_sampler_that_is_not_declared_to_run_dynamic_circuits_is_never_handed_one(name):
    for adapter, arguments in (
        (CarelessSampler(native_dynamic=False), {}),
        (Careless(native_dynamic=False), {"sampling": Sampling.NATIVE}),
    ):
        with pytest.raises(UnsupportedError, match="with its own sampler") as caught:
            adapter.run(CIRCUITS[name], shots=5, **arguments)
        assert caught.value.feature == "native dynamic circuits"
        assert caught.value.operation is not None
    assert Careless(native_dynamic=False).run(CIRCUITS[name], shots=5)


def test_a_sampler_that_is_not_declared_is_refused():
    with pytest.raises(UnsupportedError, match="does not have a sampler of its own") as caught:
        Careless(native_sampling=False).run(bell(), shots=5, sampling=Sampling.NATIVE)
    assert (caught.value.feature, caught.value.operation) == ("native sampling", None)


def test_a_seed_that_would_mean_nothing_is_not_reported():
    assert Careless(seedable=False).run(bell(), shots=5).provenance.seed is None


def test_single_precision_refuses_a_circuit_whose_rounding_would_show():
    circuit = Circuit(1, 1)
    circuit.operations = Circuit(1).x(0).operations * MOST_GATES_IN_SINGLE_PRECISION
    with pytest.raises(UnsupportedError, match="single precision, enough for 100,000 operations") as caught:
        Careless(precision=Precision.SINGLE).run(circuit.measure(0, 0), shots=5)
    assert (caught.value.feature, caught.value.operation) == ("double precision", MOST_GATES_IN_SINGLE_PRECISION)
    assert Careless(precision=Precision.SINGLE).run(bell(), shots=5)


def test_a_limit_of_qubits_says_how_many_and_idle_ones_do_not_count():
    adapter = Careless(max_qubits=3)
    with pytest.raises(LimitError, match="the circuit uses 5 qubits; careless has 3") as caught:
        adapter.run(CIRCUITS["five qubits"], shots=5)
    assert (caught.value.limit, caught.value.requested, caught.value.allowed) == ("qubits", 5, 3)
    assert adapter.run(CIRCUITS["idle qubits"], shots=5)
