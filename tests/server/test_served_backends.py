"""Backends behind a port, spoken to over real HTTP."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from qiskit_aer import AerSimulator
from support.circuits import bell, teleportation, wide
from support.raw import Server
from support.reference import distribution
from support.sdk import FakeVendor
from support.statistics import assert_drawn_from
from support.vendor_files import VendorOfFiles
from support.waiting import wait_until

from gateway import BackendClient, BackendServer, Circuit, QiskitBackend
from gateway.backends.vendor_plan import Terms
from gateway.errors import (
    AuthenticationError,
    CircuitSyntaxError,
    GatewayError,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorCrashed,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.protocol.messages import RunRequest


@pytest.fixture(scope="module")
def server() -> Iterator[BackendServer]:
    """Aer behind Qiskit's interface, copied to one worker."""
    with BackendServer(QiskitBackend(AerSimulator(method="statevector")), port=0, workers=1) as started:
        yield started


@pytest.fixture
def client(server: BackendServer) -> Iterator[BackendClient]:
    with BackendClient(port=server.port) as client:
        yield client


def test_a_served_backend_says_what_it_is(server: BackendServer):
    found = Server(server._process).request("GET", "/v1/backend").json
    local = QiskitBackend(AerSimulator(method="statevector"))
    assert (found["name"], found["version"]) == ("aer_simulator_statevector", local.version)
    assert found["native_gates"] == list(local.native_gates())
    assert found["capabilities"]["result_types"] == ["counts"]
    assert found["capabilities"]["max_qubits"] == local.terms.max_qubits
    assert found["capabilities"]["seedable"] is True


def test_its_counts_are_those_it_gives_here(client: BackendClient):
    here = QiskitBackend(AerSimulator(method="statevector"))
    circuits = [bell(), wide(), teleportation()]
    assert client.run(circuits, shots=200, seed=11) == here.run(circuits, shots=200, seed=11)
    assert client.run(wide(), shots=200, seed=12) == here.run(wide(), shots=200, seed=12)


def test_a_dynamic_circuit_as_text_agrees_with_the_reference(client: BackendClient):
    counts = client.run(teleportation().to_openqasm3(), shots=4000, seed=1)
    assert_drawn_from(counts, distribution(teleportation()))
    found = counts.provenance
    assert (found.simulator, found.shots, found.seed) == ("aer_simulator_statevector", 4000, 1)
    assert min(found.parse_s, found.build_s, found.run_s) > 0


def test_what_it_refuses_comes_over_with_its_class(client: BackendClient):
    with pytest.raises(UnsupportedError, match="does not have the result type probabilities; ask for shots"):
        client.run(bell(), shots=None)
    with pytest.raises(CircuitSyntaxError, match="line 1") as caught:
        client.run([bell(), "OPENQASM 3; qubit["])
    assert caught.value.circuit == 1
    with pytest.raises(CircuitSyntaxError, match="line 1") as caught:
        client.run("OPENQASM 3; qubit[")
    assert caught.value.circuit is None


def test_status_is_asked_of_the_backend_or_of_the_ping_function(client: BackendClient):
    assert client.status().online
    with (
        BackendServer(FakeVendor(), lambda: "calibrating", port=0, workers=1, name="mine", version="2") as server,
        BackendClient(port=server.port) as other,
    ):
        status = other.status()
        assert (status.name, status.version, status.message) == ("mine", "2", "calibrating")
        assert other.run(bell(), shots=3) == {"00": 3}


def test_all_circuits_of_a_request_are_submitted_together():
    class Counting(FakeVendor):
        """Counts how many submissions there were, in the bits it finds; refuses some circuits."""

        def __init__(self) -> None:
            super().__init__(Terms(max_qubits=3))
            self.counts = lambda circuit, shots: {format(len(self.runs), f"0{circuit.num_clbits}b"): shots}

        def build(self, circuit: Circuit) -> Circuit:
            if circuit.operations[0].name == "y":
                raise OSError("the fridge is warm")
            return circuit

    with BackendServer(Counting, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        assert client.run([Circuit(2).x(0).measure_all()] * 5, shots=2) == [{"01": 2}] * 5
        assert client.run(Circuit(2).x(0).measure_all(), shots=2) == {"10": 2}
        with pytest.raises(LimitError, match="uses 4 qubits; fake vendor has 3") as caught:
            client.run([bell(), Circuit(4).h(0).h(1).h(2).h(3).measure_all()])
        assert caught.value.circuit == 1
        with pytest.raises(LimitError) as caught:
            client.run(Circuit(4).h(0).h(1).h(2).h(3).measure_all())
        assert caught.value.circuit is None
        with pytest.raises(SimulatorError, match="fake vendor failed: OSError: the fridge is warm") as caught:
            client.run(Circuit(1).y(0).measure_all())
        assert caught.value.simulator == "fake vendor"


def test_a_run_past_its_deadline_is_cancelled_at_the_vendors_before_the_worker_is_killed():
    class Queued(FakeVendor):
        def __init__(self) -> None:
            super().__init__()
            self.at_once = False

    with BackendServer(Queued, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        with pytest.raises(JobTimeout, match=r"fake vendor had no result after 0\.9 s; the job \[job0\] was cancelled"):
            client.run(bell(), timeout_s=1)
        with pytest.raises(JobTimeout, match=r"the job \[job1\] was cancelled"):  # in the same worker
            client.run(bell(), timeout_s=1)


def test_a_backend_that_cannot_be_copied_is_opened_in_the_worker():
    class Holding(FakeVendor):
        def __init__(self) -> None:
            super().__init__()
            self.connection = threading.Lock()

    with pytest.raises(RequestError, match="hand over a function of no arguments that opens it there"):
        BackendServer(Holding())

    def opening() -> FakeVendor:
        return Holding()

    for source in (opening, Holding):
        with BackendServer(source, port=0, workers=1) as server, BackendClient(port=server.port) as client:
            assert client.run(bell(), shots=3) == {"00": 3}
            assert client.status().name == "fake vendor"


def test_a_backend_that_cannot_be_opened_says_why_when_the_server_starts():
    def refused() -> FakeVendor:
        raise AuthenticationError("the token is wrong")

    with pytest.raises(AuthenticationError, match="the token is wrong"):
        BackendServer(refused, port=0, workers=1).start()


def test_a_function_of_no_arguments_that_opens_no_backend_is_told_what_it_is_for():
    with pytest.raises(RequestError, match="opens a Backend to serve; this one returned str"):
        BackendServer(lambda: "qulacs", port=0, workers=1).start()


def test_a_backend_is_served_through_another_server(server: BackendServer):
    port = server.port
    with (
        BackendServer(lambda: BackendClient(port=port), port=0, workers=1) as relay,
        BackendClient(port=relay.port) as client,
        BackendClient(port=port) as direct,
    ):
        assert client.run(wide(), seed=3) == direct.run(wide(), seed=3)
        assert client.capabilities() == direct.capabilities()
        with pytest.raises(GatewayError, match="does not have the result type probabilities; ask for shots"):
            client.run(bell(), shots=None)


def queued(vendor: VendorOfFiles, jobs: int = 1) -> bool:
    return vendor.states() == ["queued"] * jobs


def cancelled(vendor: VendorOfFiles, jobs: int = 1) -> bool:
    return vendor.states() == ["cancelled"] * jobs


def test_a_cancelled_run_is_cancelled_at_the_vendors(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path)
    with BackendServer(vendor, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        job = client.run_async(bell())
        wait_until(lambda: queued(vendor), "a job at the vendor")
        assert job.cancel()
        wait_until(lambda: cancelled(vendor), vendor.states)


def test_all_jobs_of_a_run_are_cancelled_at_the_vendors(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path)
    with BackendServer(vendor, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(client.run, [bell(), bell()], shots=[3, 4])
            wait_until(lambda: queued(vendor, 2), "two jobs at the vendor")
            os.kill(vendor.submitters()[0], signal.SIGKILL)
            with pytest.raises(SimulatorCrashed, match="SIGKILL"):
                running.result(60)
        wait_until(lambda: cancelled(vendor, 2), vendor.states)


def test_a_run_whose_worker_is_killed_is_cancelled_at_the_vendors(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path)
    with BackendServer(vendor, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        job = client.run_async(bell())
        wait_until(lambda: queued(vendor), "a job at the vendor")
        os.kill(vendor.submitters()[0], signal.SIGKILL)
        with pytest.raises(SimulatorCrashed, match="SIGKILL"):
            job.result(60)
        wait_until(lambda: cancelled(vendor), vendor.states)


def test_a_run_killed_at_its_deadline_is_cancelled_at_a_vendors_who_answers_nothing(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path, hangs=True)
    with BackendServer(vendor, port=0, workers=1) as server, BackendClient(port=server.port) as client:
        with pytest.raises(JobTimeout, match="took longer than 2 s and was killed"):
            client.run(bell(), timeout_s=2)
        wait_until(lambda: cancelled(vendor), vendor.states)


def test_a_run_that_fails_is_cancelled_at_the_vendors(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path)
    with pytest.raises(TransportError, match="the vendor hung up"):
        vendor.send(RunRequest(circuits=bell()))
    assert cancelled(vendor)


def test_runs_of_a_server_that_stops_are_cancelled_at_the_vendors(tmp_path: Path):
    vendor = VendorOfFiles(tmp_path)
    with BackendServer(vendor, port=0, workers=2) as server, BackendClient(port=server.port) as client:
        client.run_async([bell(), bell()])
        wait_until(lambda: queued(vendor, 2), "two jobs at the vendor")
    wait_until(lambda: cancelled(vendor, 2), vendor.states)
