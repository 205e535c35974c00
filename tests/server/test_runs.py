"""Runs over real servers: many at once, lists, seeds, provenance, jobs."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.circuits import bell, wide
from support.fake import Does, fake
from support.raw import Server, run_body
from support.waiting import wait_until

import gateway
from gateway import Circuit, Counts, Probabilities, Statevector, parameter
from gateway.errors import (
    CircuitInvalidError,
    JobCancelled,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorCrashed,
    SimulatorError,
    TransportError,
    UnsupportedError,
)
from gateway.listener import bind
from gateway.simulators import find


def test_two_hundred_requests_from_eight_threads_get_each_their_own_answer(fake_server: Server):
    clients = threading.local()

    def ask(number: int) -> Counts:
        if not hasattr(clients, "own"):
            clients.own = fake_server.client(timeout_s=15)
        return clients.own.run(fake(Does.ECHO, number, clbits=12), shots=number + 1)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(200)))
    assert answers == [{format(number, "012b"): number + 1} for number in range(200)]


def test_one_client_may_be_used_by_many_threads(fake_server: Server):
    with fake_server.client(timeout_s=15) as client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: client.run(fake(Does.ECHO, number)), range(100)))
    assert answers == [{format(number, "08b"): 1024} for number in range(100)]


def test_a_list_gives_a_list_in_its_order(fake_server: Server):
    with fake_server.client() as client:
        answers = client.run([fake(amount=number) for number in (5, 3, 4)], shots=[1, 2, 3])
    assert answers == [{"00000101": 1}, {"00000011": 2}, {"00000100": 3}]
    assert [found.provenance.shots for found in answers] == [1, 2, 3]


def test_one_circuit_gives_no_list_and_a_list_of_one_gives_a_list(fake_server: Server):
    with fake_server.client() as client:
        assert isinstance(client.run(fake()), Counts)
        assert isinstance(client.run([fake()]), list)


def test_text_files_and_circuits_may_be_mixed(qulacs_server: Server, tmp_path):
    (tmp_path / "bell.qasm").write_text(bell().to_openqasm2(), encoding="utf-8")
    with qulacs_server.client() as client:
        answers = client.run([bell(), bell().to_openqasm3(), tmp_path / "bell.qasm"], seed=2**32 - 1)
    assert all(set(found) == {"00", "11"} for found in answers)


def test_the_failing_circuit_of_a_list_is_named_and_nothing_else_is_returned(fake_server: Server):
    with fake_server.client() as client:
        with pytest.raises(SimulatorError, match="told to raise") as caught:
            client.run([fake(), fake(Does.RAISE), fake()])
        assert caught.value.circuit == 1
        with pytest.raises(SimulatorError, match="told to raise") as caught:
            client.run(fake(Does.RAISE))
        assert caught.value.circuit is None


def test_circuit_k_of_a_list_uses_the_seed_plus_k(qulacs_server: Server):
    with qulacs_server.client() as client:
        together = client.run([wide()] * 3, seed=2**32 - 2)
        alone = [client.run(wide(), seed=seed) for seed in (2**32 - 2, 2**32 - 1, 0)]
    assert together == alone
    assert [found.provenance.seed for found in together] == [2**32 - 2, 2**32 - 1, 0]
    assert together[0] != together[1] != together[2]


def test_without_a_seed_each_circuit_draws_its_own_and_reports_it(qulacs_server: Server):
    with qulacs_server.client() as client:
        first, second = client.run([wide(), wide()])
        assert first != second
        assert client.run(wide(), seed=first.provenance.seed) == first


def test_provenance_is_complete_over_the_wire(qulacs_server: Server):
    with qulacs_server.client() as client:
        found = client.run(bell().to_openqasm3(), shots=100, seed=7).provenance
    assert found.simulator == "qulacs"
    assert found.version == find("qulacs").installed_version()
    assert (found.shots, found.seed) == (100, 7)
    assert found.sampler in {"shared", "native"}
    assert found.bit_order == "clbit0-rightmost"
    assert found.gateway_version == gateway.__version__
    assert min(found.parse_s, found.build_s, found.run_s) > 0


def test_exact_results_come_over_the_wire_with_their_types(qulacs_server: Server):
    with qulacs_server.client() as client:
        probabilities = client.run(bell(), shots=None)
        state = client.run(Circuit(2).x(1), shots=None, result="statevector")
    assert isinstance(probabilities, Probabilities)
    assert probabilities == pytest.approx({"00": 0.5, "11": 0.5})
    assert (probabilities.width, probabilities.provenance.shots, probabilities.provenance.seed) == (2, None, None)
    assert isinstance(state, Statevector)
    assert state.amplitudes == pytest.approx([0, 0, 1, 0])
    assert state.num_qubits == 2


def test_an_exact_result_needs_no_word_on_shots(qulacs_server: Server):
    with qulacs_server.client() as client:
        state = client.run(Circuit(1).x(0), result="statevector")
        probabilities = client.run_async(bell(), result="probabilities").result(30)
    assert state.amplitudes == pytest.approx([0, 1])
    assert probabilities == pytest.approx({"00": 0.5, "11": 0.5})


def test_counts_without_shots_and_exact_results_with_shots_are_refused(qulacs_server: Server):
    with qulacs_server.client() as client:
        for shots, result in ((None, "counts"), (10, "probabilities"), (10, "statevector")):
            with pytest.raises(RequestError, match="shots"):
                client.run(bell(), shots=shots, result=result)
        with pytest.raises(UnsupportedError, match="no single state vector"):
            client.run(bell(), shots=None, result="statevector")
        with pytest.raises(CircuitInvalidError, match="measures nothing"):
            client.run(Circuit(1).h(0))


def test_a_job_runs_beside_its_caller(fake_server: Server):
    with fake_server.client() as client:
        job = client.run_async(fake(Does.WAIT), shots=5)
        assert job.status() in {"queued", "running"}
        assert not job.done()
        with pytest.raises(JobTimeout, match="the run goes on") as caught:
            job.result(timeout_s=0.01)
        assert caught.value.timeout_s == 0.01
        fake_server.wait_until_doing(Does.WAIT)
        fake_server.let_go()
        assert job.result(60).shots == 5
        assert (job.done(), job.status()) == (True, "done")
        assert job.result() is job.result()


def test_a_failed_job_raises_what_failed_each_time_it_is_asked(fake_server: Server):
    with fake_server.client() as client:
        job = client.run_async(fake(Does.KILL_ITSELF))
        for _ in range(2):
            with pytest.raises(SimulatorCrashed, match="SIGKILL"):
                job.result(10)
        assert (job.done(), job.status()) == (True, "failed")
        assert not job.cancel()


def test_a_job_past_the_deadline_of_its_run_fails_with_it(fake_server: Server):
    with fake_server.client() as client:
        job = client.run_async(fake(Does.SLEEP, 10), timeout_s=0.2)
        with pytest.raises(JobTimeout, match="was killed"):
            job.result(10)
        assert job.status() == "failed"


def test_a_job_can_be_cancelled_while_it_waits_and_while_it_runs(fake_server: Server):
    with fake_server.client() as client:
        running = [client.run_async(fake(Does.SLEEP_WITH_GIL, 60)) for _ in range(2)]
        waiting = client.run_async(fake(Does.RAISE))
        assert waiting.status() == "queued"
        for job in (waiting, *running):
            assert job.cancel()
            assert (job.done(), job.status()) == (True, "cancelled")
            assert job.cancel(), "it is cancelled still"
            with pytest.raises(JobCancelled, match="cancelled"):
                job.result()
        assert client.run_async(fake()).result(10).shots == 1024


def test_the_arguments_of_a_job_are_checked_before_it_starts(fake_server: Server):
    with fake_server.client() as client, pytest.raises(RequestError, match="shots"):
        client.run_async(fake(), shots=0)


def test_the_clients_own_timeout_holds_unless_a_run_has_another(fake_server: Server):
    with fake_server.client(timeout_s=0.3) as client:
        with pytest.raises(JobTimeout, match=r"longer than 0\.3 s"):
            client.run(fake(Does.SLEEP, 10))
        assert client.run(fake(Does.SLEEP, 0.5), timeout_s=5).shots == 1024


def test_a_timeout_beyond_the_servers_is_refused(fake_server: Server):
    with fake_server.client() as client, pytest.raises(LimitError, match="timeout_s is 20"):
        client.run(fake(), timeout_s=100)


# ---------------------------------------------------------------------- callers who leave


def _send(server: Server, body: bytes) -> socket.socket:
    """Send a run, and return the connection on which its answer will come."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = "POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_a_run_ends_when_the_connection_of_its_caller_is_reset(fake_server: Server):
    connection = _send(fake_server, run_body(fake(Does.WAIT), shots=1))
    fake_server.wait_until_doing(Does.WAIT)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    wait_until(lambda: not fake_server.doing(Does.WAIT), "the run to end with its caller")


def test_all_parts_of_a_run_end_when_the_connection_of_its_caller_is_reset(fake_server: Server):
    sweep = Circuit(1, 8).u(float(Does.WAIT), parameter("n"), 0, 0).measure(0, 0)
    connection = _send(fake_server, run_body(sweep, shots=1, parameters={"n": [0.0] * 64}))
    wait_until(lambda: fake_server.doing(Does.WAIT), "a part of the run to begin")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    wait_until(lambda: not fake_server.doing(Does.WAIT), "all parts of the run to end with its caller")


def test_a_caller_who_sends_nothing_more_still_gets_the_answer(fake_server: Server):
    with _send(fake_server, run_body(fake(Does.WAIT, 3), shots=1)) as connection:
        connection.shutdown(socket.SHUT_WR)
        fake_server.wait_until_doing(Does.WAIT)
        fake_server.let_go()
        assert b'{"00000011":1}' in connection.makefile("rb").read()


def test_a_run_ends_with_the_program_that_waits_for_it(fake_server: Server):
    program = (
        "import sys; from support.fake import Does, fake; from gateway import BackendClient; "
        "BackendClient(port=int(sys.argv[1])).run(fake(Does.WAIT), shots=1)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen([sys.executable, "-c", program, str(fake_server.port)], env=environment)
    fake_server.wait_until_doing(Does.WAIT)
    process.kill()
    process.wait()
    wait_until(lambda: not fake_server.doing(Does.WAIT), "the run to end with its caller")


def test_a_client_without_a_server_says_so():
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    with gateway.BackendClient(port=port) as lost, pytest.raises(TransportError, match="is the server running"):
        lost.run(bell())
