"""The device gives what PennyLane's own simulator gives, exactly where there are no shots."""

from __future__ import annotations

from math import cos, sin

import numpy as np
import pennylane as qml
import pytest
from pennylane.exceptions import DeviceError, WireError

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient
from gateway.errors import RequestError, TransportError, UnsupportedError
from gateway.frameworks.pennylane.backend import GatewayDevice
from gateway.results import Capabilities, ResultType
from gateway.simulators import find

SHOTS = 20_000
FIVE_SIGMA = 5 * SHOTS**-0.5
"""For a value between -1 and 1: off by more once in two million times."""


@pytest.fixture
def device(client: BackendClient):
    """Make devices of each simulator in turn."""
    return lambda **options: qml.device("gateway.simulator", backend=client, **options)


@pytest.fixture
def one(qulacs: BackendClient):
    """Make devices of one simulator."""
    return lambda **options: qml.device("gateway.simulator", backend=qulacs, **options)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch):
    """All requests that clients send."""
    requests = []
    send = BackendClient.send
    monkeypatch.setattr(BackendClient, "send", lambda self, request: requests.append(request) or send(self, request))
    return requests


def prepare(angle=0.7):
    """Prepare a state without any symmetry."""
    qml.RX(angle, 0)
    qml.CNOT([0, 1])
    qml.RY(0.3, 2)
    qml.CRot(0.1, 0.5, 0.9, [1, 2])
    qml.GlobalPhase(0.4)


def evaluated(device, measure, *, shots=None, before=prepare):
    """Return what a QNode with this measurement gives."""

    @qml.set_shots(shots)
    @qml.qnode(device)
    def circuit():
        before()
        return measure()

    return circuit()


HAMILTONIAN = qml.Hamiltonian([0.5, -0.3, 0.2, 0.1], [qml.Z(0), qml.X(0) @ qml.Y(2), qml.I(1), qml.Y(1) @ qml.Z(2)])
HERMITIAN = np.array([[1, 2 - 1j], [2 + 1j, -0.5]])

EXACT = {
    "expval": lambda: qml.expval(qml.X(0) @ qml.Y(2)),
    "expval of a Hamiltonian": lambda: qml.expval(HAMILTONIAN),
    "expval of a matrix": lambda: qml.expval(qml.Hermitian(HERMITIAN, 1)),
    "expval of a projector": lambda: qml.expval(qml.Projector([1, 0], [2, 0])),
    "expval of the identity": lambda: qml.expval(qml.I(1)),
    "var": lambda: qml.var(qml.Y(0) @ qml.Z(1)),
    "probs": lambda: qml.probs(wires=[2, 0]),
    "probs in another basis": lambda: qml.probs(op=qml.X(0) @ qml.Y(1)),
    "state": qml.state,
    "density matrix": lambda: qml.density_matrix(wires=[2, 1]),
    "entropy": lambda: qml.vn_entropy(wires=0),
    "purity": lambda: qml.purity(wires=1),
    "several that share wires": lambda: (
        qml.expval(qml.X(0)),
        qml.expval(qml.X(0) @ qml.Y(1)),
        qml.var(qml.Y(1) @ qml.Z(2)),
        qml.expval(qml.Y(1)),
    ),
    "several that do not commute": lambda: (qml.expval(qml.X(0)), qml.var(qml.Z(0)), qml.probs(wires=[0, 1])),
}


# ---------------------------------------------------------------------------- without shots


@pytest.mark.parametrize("measure", EXACT.values(), ids=EXACT)
def test_without_shots_it_is_exact(device, measure):
    found = evaluated(device(wires=3), measure)
    wanted = evaluated(qml.device("default.qubit", wires=3), measure)
    for one, other in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        np.testing.assert_allclose(one, other, atol=1e-6)  # 1e-6: a simulator may compute in single precision
        assert np.shape(one) == np.shape(other)


@pytest.mark.parametrize("measure", EXACT.values(), ids=EXACT)
@pytest.mark.parametrize("wires", [None, ["b", 7, "idle", "a"]], ids=["no wires", "labels"])
def test_wires_have_any_label_and_any_order(one, measure, wires):
    labels = {0: "a", 1: 7, 2: "b"}

    def renamed():
        operators = qml.tape.make_qscript(prepare)().operations
        for operator in operators:
            qml.apply(qml.map_wires(operator, labels))

    def measured():
        with qml.QueuingManager.stop_recording():
            made = [process.map_wires(labels) for process in qml.tape.make_qscript(measure)().measurements]
        found = [qml.apply(process) for process in made]
        return found[0] if len(found) == 1 else tuple(found)

    found = evaluated(one(wires=wires), measured, before=renamed)
    wanted = evaluated(qml.device("default.qubit", wires=wires), measured, before=renamed)
    for ours, theirs in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_parameters_are_shifted_for_gradients(one, sent):
    @qml.qnode(one(wires=3))
    def circuit(angle):
        prepare(angle)
        return qml.expval(qml.Z(0))

    assert qml.grad(circuit)(qml.numpy.array(0.7, requires_grad=True)) == pytest.approx(-sin(0.7))
    assert sorted(len(request.circuit_list()) for request in sent) == [1, 2], "both shifts in one request"


def test_several_parameters_at_once_are_one_request(one, sent):
    @qml.qnode(one(wires=3))
    def circuit(angle):
        prepare(angle)
        return qml.expval(qml.Z(0))

    np.testing.assert_allclose(circuit(np.array([0.1, 0.7, 2.0])), np.cos([0.1, 0.7, 2.0]), atol=1e-9)
    assert [len(request.circuit_list()) for request in sent] == [3]


def test_a_batch_is_one_request_for_each_kind_of_outcome_and_in_order(one, sent):
    def tape(angle: float, shots: int | None):
        return qml.tape.QuantumScript([qml.RX(angle, 0)], [qml.expval(qml.Z(0))], shots=shots)

    batch = [tape(0.0, None), tape(np.pi, 10), tape(np.pi, None), tape(0.0, 20)]
    assert np.allclose(one(wires=1).execute(batch), [1, -1, -1, 1])
    assert sorted(len(request.circuit_list()) for request in sent) == [2, 2]
    assert sorted(str(request.shots_list()) for request in sent) == ["[10, 20]", "[None, None]"]


def layers(angles):
    """Entangle three wires by gates of all kinds that have parameters."""
    for wire, angle in enumerate(angles[0]):
        qml.RY(angle, wire)
    qml.CRot(*angles[1], [0, 1])
    qml.IsingXY(angles[2, 0], [1, 2])
    qml.Rot(angles[2, 1], angles[2, 2], 0.3, 2)
    qml.ctrl(qml.RX, 0)(angles[2, 2], wires=2)


OUTPUTS = {
    "a sum": lambda: (qml.expval(HAMILTONIAN),),
    "several": lambda: (qml.expval(HAMILTONIAN), qml.expval(qml.Z(0) @ qml.X(1)), qml.expval(qml.I(0) - 2 * qml.Y(2))),
    "beside others": lambda: (qml.expval(HAMILTONIAN), qml.probs(wires=1)),
}


@pytest.mark.parametrize("kind", OUTPUTS)
def test_gradients_are_those_of_pennylanes_simulator(device, kind: str):
    def gradients(made):
        @qml.qnode(made, diff_method="parameter-shift")
        def circuit(angles):
            layers(angles)
            return OUTPUTS[kind]()

        angles = qml.numpy.array(np.linspace(-2.9, 2.3, 9).reshape(3, 3), requires_grad=True)
        return qml.jacobian(lambda values: qml.numpy.hstack(circuit(values)))(angles)

    found, wanted = gradients(device(wires=3)), gradients(qml.device("default.qubit", wires=3))
    assert np.abs(wanted).max() > 0.05
    np.testing.assert_allclose(found, wanted, atol=1e-9, rtol=0)


def test_the_simulator_computes_expectation_values(one, sent):
    evaluated(one(wires=3), lambda: (qml.expval(HAMILTONIAN), qml.expval(qml.Z(1))))
    evaluated(one(wires=3), lambda: (qml.expval(HAMILTONIAN), qml.var(qml.Z(1))))
    assert [request.result for request in sent] == ["expectation", "statevector"]
    assert [len(request.circuit_list()) for request in sent] == [1, 1]


def test_an_expectation_value_after_a_measurement_is_exact(one, sent):
    def before():
        qml.Hadamard(0)
        qml.cond(qml.measure(0), qml.X)(1)

    found = evaluated(one(wires=2), lambda: [qml.expval(op) for op in (qml.Z(0) @ qml.Z(1), qml.X(0))], before=before)
    np.testing.assert_allclose(found, [1, 0], atol=1e-9)
    assert [request.result for request in sent] == ["expectation"]


def test_many_circuits_with_observables_of_their_own_are_one_request(one, sent):
    tapes = [qml.tape.QuantumScript([qml.RX(0.3, 0)], [qml.expval(k * qml.Z(0))]) for k in range(1, 31)]
    np.testing.assert_allclose(one(wires=1).execute(tapes), np.arange(1, 31) * cos(0.3), atol=1e-9)
    assert [len(request.circuit_list()) for request in sent] == [30]


# ---------------------------------------------------------------------------- with shots


@pytest.mark.parametrize(
    "observable",
    [qml.Z(1), qml.X(0), qml.X(0) @ qml.Y(1), qml.Y(2) @ qml.Z(0), qml.Projector([1, 0], [2, 0])],
    ids=str,
)
def test_with_shots_an_expectation_is_near(device, observable):
    found = evaluated(device(wires=3), lambda: qml.expval(observable), shots=SHOTS)
    assert abs(found - evaluated(qml.device("default.qubit"), lambda: qml.expval(observable))) < FIVE_SIGMA


def test_with_shots_observables_that_share_wires_are_one_circuit(one, sent):
    found = evaluated(one(wires=3), EXACT["several that share wires"], shots=SHOTS)
    wanted = evaluated(qml.device("default.qubit"), EXACT["several that share wires"])
    np.testing.assert_allclose(found, wanted, atol=FIVE_SIGMA)
    assert [len(request.circuit_list()) for request in sent] == [1]


def test_a_hamiltonian_with_shots_is_one_circuit_for_each_basis(one, sent):
    found = evaluated(one(wires=3), lambda: qml.expval(HAMILTONIAN), shots=SHOTS)
    assert abs(found - evaluated(qml.device("default.qubit"), lambda: qml.expval(HAMILTONIAN))) < FIVE_SIGMA
    assert [len(request.circuit_list()) for request in sent] == [2]


IDENTITIES = {
    "expval": (lambda: qml.expval(qml.I(0)), 1),
    "expval of a sum": (lambda: qml.expval(2 * qml.I(0) + qml.Z(2) @ qml.Z(2)), 3),
    "var": (lambda: qml.var(qml.I(0)), 0),
    "var of several wires": (lambda: qml.var(qml.I([0, 1])), 0),
}


@pytest.mark.parametrize("kind", IDENTITIES)
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("shots", [None, 8])
def test_what_is_known_of_an_identity(one, kind: str, dynamic: bool, shots: int | None):
    def before():
        prepare()
        if dynamic:
            qml.measure(1)

    measure, wanted = IDENTITIES[kind]
    assert evaluated(one(wires=3), measure, shots=shots, before=before) == pytest.approx(wanted, abs=1e-9)


def test_outcomes_of_an_identity_are_ones(one):
    counts, samples = evaluated(one(wires=3), lambda: (qml.counts(qml.I(0)), qml.sample(qml.I([0, 1]))), shots=4)
    assert counts == {1.0: 4}
    assert samples.tolist() == [1] * 4


def test_counts_have_the_first_wire_leftmost(device):
    def flipped():
        qml.X(1)

    assert evaluated(device(wires=3), qml.counts, shots=50, before=flipped) == {"010": 50}
    assert evaluated(device(wires=3), lambda: qml.counts(wires=[1, 2]), shots=50, before=flipped) == {"10": 50}
    assert evaluated(device(wires=3), lambda: qml.counts(qml.Z(1)), shots=50, before=flipped) == {-1.0: 50}
    assert evaluated(device(wires=3), lambda: qml.counts(wires=1, all_outcomes=True), shots=50, before=flipped) == {
        "0": 0,
        "1": 50,
    }


def test_samples_of_different_wires_are_of_the_same_shots_in_no_particular_order(one):
    def entangled():
        qml.Hadamard(0)
        qml.CNOT([0, 1])

    first, second = evaluated(
        one(wires=2, seed=3), lambda: (qml.sample(wires=0), qml.sample(qml.Z(1))), shots=400, before=entangled
    )
    assert np.shape(first) == (400, 1)
    np.testing.assert_array_equal(first[:, 0], (1 - second) / 2)
    changes = np.count_nonzero(np.diff(second))
    assert 100 < changes < 300, "some 200 are expected; ordered samples change once"


def test_a_variance_and_probabilities_are_near(one):
    variance, probabilities = evaluated(one(wires=3), lambda: (qml.var(qml.Z(0)), qml.probs(wires=[0])), shots=SHOTS)
    assert abs(variance - sin(0.7) ** 2) < FIVE_SIGMA
    np.testing.assert_allclose(probabilities, [cos(0.35) ** 2, sin(0.35) ** 2], atol=FIVE_SIGMA)


def test_a_list_of_shots_gives_a_result_for_each(one, sent):
    found = evaluated(one(wires=3), lambda: (qml.sample(wires=0), qml.expval(qml.Z(1))), shots=[5, 10, (7, 2)])
    assert [np.shape(samples) for samples, _ in found] == [(5, 1), (10, 1), (7, 1), (7, 1)]
    assert [request.shots_list() for request in sent] == [[29]]


def test_a_seed_makes_a_device_repeatable_but_not_its_runs_equal(one):
    def runs(seed):
        device = one(wires=3, seed=seed)
        return [evaluated(device, qml.sample, shots=200).tolist() for _ in range(2)]

    assert runs(7) == runs(7)
    assert runs(7) != runs(8)
    assert runs(7)[0] != runs(7)[1]
    assert runs(None) != runs(None)


# ---------------------------------------------------------------------------- mid-circuit measurements


def dynamic():
    """Return a state that depends on two outcomes; a third is reset away."""
    qml.RX(0.7, 0)
    first = qml.measure(0, reset=True)
    qml.cond(first, qml.RY, qml.RX)(0.4, 1)
    second = qml.measure(1)
    qml.cond((first == 0) & second, qml.X)(2)
    qml.measure(2, reset=True)
    qml.cond(first + second >= 1, qml.RY)(1.1, 0)
    return first, second


DYNAMIC = {
    "expval": lambda first, second: qml.expval(qml.Z(0)),
    "in another basis": lambda first, second: qml.expval(qml.X(0)),
    "of an outcome": lambda first, second: qml.expval(first),
    "of arithmetic": lambda first, second: qml.expval(first + 2 * second),
    "variance of an outcome": lambda first, second: qml.var(second),
    "probabilities of outcomes": lambda first, second: qml.probs(op=[second, first]),
    "all": lambda first, second: (
        qml.expval(qml.X(0)),
        qml.probs(wires=[1, 0]),
        qml.expval(first),
        qml.probs(op=[first, second]),
    ),
}


@pytest.mark.parametrize("method", [None, "device", "deferred"])
@pytest.mark.parametrize("measure", DYNAMIC.values(), ids=DYNAMIC)
@pytest.mark.parametrize("shots", [None, SHOTS], ids=["exact", "shots"])
def test_mid_circuit_measurements(one, measure, method, shots):
    def circuit():
        return measure(*dynamic())

    found = qml.set_shots(qml.QNode(circuit, one(wires=7), mcm_method=method), shots)()
    wanted = qml.QNode(circuit, qml.device("default.qubit"), mcm_method="deferred")()
    for ours, theirs in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        np.testing.assert_allclose(ours, theirs, atol=1e-9 if shots is None else 3 * FIVE_SIGMA)
        assert np.shape(ours) == np.shape(theirs)


def test_every_simulator_runs_them(device):
    def circuit():
        return DYNAMIC["all"](*dynamic())

    found = qml.QNode(circuit, device(wires=3))()
    wanted = qml.QNode(circuit, qml.device("default.qubit"), mcm_method="deferred")()
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_counts_and_samples_of_outcomes_are_of_the_same_shots(one):
    @qml.set_shots(300)
    @qml.qnode(one(wires=2))
    def circuit():
        qml.Hadamard(0)
        first = qml.measure(0)
        qml.cond(first, qml.X)(1)
        second = qml.measure(1)
        return qml.counts([first, second]), qml.sample(first), qml.sample(wires=1), qml.counts(first)

    counts, samples, wires, single = circuit()
    assert set(counts) == {"00", "11"}
    assert sum(counts.values()) == 300
    np.testing.assert_array_equal(np.squeeze(samples), wires[:, 0])
    assert dict(single) == {0: counts["00"], 1: counts["11"]}


def test_a_wire_may_be_measured_often(one):
    @qml.qnode(one(wires=1))
    def circuit():
        outcomes = []
        for _ in range(3):
            outcomes.append(qml.measure(0))
            qml.X(0)
        return qml.probs(op=outcomes), qml.probs(wires=0)

    found, last = circuit()
    np.testing.assert_allclose(found, [0, 0, 1, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(last, [0, 1])


@pytest.mark.parametrize("shots", [None, 500])
def test_postselection_is_exact_and_every_shot_is_one_that_is_kept(one, shots):
    @qml.qnode(one(wires=2), shots=shots)
    def circuit():
        qml.RY(0.9, 0)
        qml.CNOT([0, 1])
        qml.measure(0, postselect=1)
        return qml.probs(wires=[0, 1])

    np.testing.assert_allclose(circuit(), [0, 0, 0, 1], atol=1e-9)


def test_leaving_out_shots_is_refused(one):
    @qml.qnode(one(wires=1), shots=10, postselect_mode="hw-like")
    def circuit():
        qml.Hadamard(0)
        qml.measure(0, postselect=1)
        return qml.counts()

    with pytest.raises(DeviceError, match="its postselect_mode is 'fill-shots', not 'hw-like'"):
        circuit()


@pytest.mark.parametrize("method", ["one-shot", "tree-traversal"])
def test_other_ways_to_run_them_are_refused(one, method: str):
    @qml.qnode(one(wires=1), mcm_method=method)
    def circuit():
        qml.measure(0)
        return qml.probs(wires=0)

    with pytest.raises(DeviceError, match=f"knows the mcm_methods 'device' and 'deferred', not '{method}'"):
        qml.set_shots(circuit, 10)()


def test_a_state_after_a_measurement_is_refused(one):
    @qml.qnode(one(wires=1))
    def circuit():
        qml.measure(0)
        return qml.density_matrix(wires=0)

    with pytest.raises(DeviceError, match="needs a state vector"):
        circuit()


# ---------------------------------------------------------------------------- other backends


class Probable(Backend):
    """A backend with probabilities and counts, without state vectors."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def send(self, request):
        assert request.result is not ResultType.STATEVECTOR
        return self.backend.send(request)

    def status(self):
        return BackendStatus("probable", "1", online=True)

    def capabilities(self):
        return Capabilities(result_types=(ResultType.COUNTS, ResultType.PROBABILITIES))


BITS = [name for name in EXACT if name.startswith(("expval", "var", "probs", "several"))]


@pytest.mark.parametrize("kind", BITS)
def test_a_backend_without_state_vectors_is_exact_too(qulacs: BackendClient, kind: str):
    found = evaluated(qml.device("gateway.simulator", wires=3, backend=Probable(qulacs)), EXACT[kind])
    wanted = evaluated(qml.device("default.qubit", wires=3), EXACT[kind])
    for ours, theirs in zip(found, wanted, strict=True) if isinstance(wanted, tuple) else [(found, wanted)]:
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_a_backend_without_state_vectors_has_no_state(qulacs: BackendClient):
    with pytest.raises(DeviceError, match="needs a state vector"):
        evaluated(qml.device("gateway.simulator", wires=3, backend=Probable(qulacs)), qml.state)


def test_a_backend_may_be_an_address(servers):
    device = qml.device("gateway.simulator", wires=3, backend=f"127.0.0.1:{servers.port('mqt')}")
    assert evaluated(device, lambda: qml.expval(qml.Z(0))) == pytest.approx(cos(0.7))


def test_a_backend_may_be_the_name_of_a_simulator_at_its_own_port():
    device = GatewayDevice(wires=1, backend="mqt")
    assert (device.backend.host, device.backend.port) == ("127.0.0.1", find("mqt").port)


@pytest.mark.parametrize("backend", ["quantum", "host:port"])
def test_a_backend_that_is_neither_is_refused(backend: str):
    with pytest.raises((RequestError, LookupError, UnsupportedError), match=backend):
        GatewayDevice(wires=1, backend=backend)


# ---------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("measure", "shots"),
    [(qml.state, 10), (qml.sample, None), (qml.counts, None), (lambda: qml.classical_shadow(wires=[0]), 10)],
    ids=["state", "sample", "counts", "classical shadow"],
)
def test_a_measurement_that_does_not_fit_the_shots_is_refused(one, measure, shots):
    with pytest.raises(DeviceError, match="not accepted"):
        evaluated(one(wires=3), measure, shots=shots)


def test_a_wire_the_device_does_not_have_is_refused(one):
    with pytest.raises(WireError, match="wires not found on the device"):
        evaluated(one(wires=2), lambda: qml.expval(qml.Z(0)))


def test_noise_is_refused_by_name(one):
    def noisy():
        qml.DepolarizingChannel(0.1, 0)

    with pytest.raises(UnsupportedError, match="operation 0: DepolarizingChannel") as caught:
        evaluated(one(wires=1), lambda: qml.expval(qml.Z(0)), before=noisy)
    assert isinstance(caught.value, DeviceError)


def test_an_option_the_device_does_not_have_is_refused(one):
    config = qml.devices.ExecutionConfig(device_options={"max_workers": 2})
    with pytest.raises(DeviceError, match="has no device options, so not max_workers"):
        one(wires=1).setup_execution_config(config)


def test_a_server_that_is_not_there_is_said_so():
    device = qml.device("gateway.simulator", wires=3, backend="127.0.0.1:9")
    with pytest.raises(TransportError, match="cannot reach"):
        evaluated(device, lambda: qml.expval(qml.Z(0)))


def test_the_tracker_counts(one):
    device = one(wires=3)
    with qml.Tracker(device) as tracker:
        evaluated(device, lambda: (qml.expval(qml.X(0)), qml.expval(qml.Z(0))), shots=100)
    assert tracker.totals["batches"] == 1
    assert tracker.totals["shots"] == 200
