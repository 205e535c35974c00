"""The Thrift form of Qrisp's interface, called by a Thrift client and by hand-written bytes."""

from __future__ import annotations

import hashlib
import io
import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import msgspec
import pytest
import requests
from legacy.qrisp.messages import as_thrift, bell, circuit, definition, op, x_on_the_first_of_two
from support.fake import TARGET, Does
from support.waiting import wait_until
from thriftpy2.protocol import TCyBinaryProtocolFactory
from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.protocol.exc import TProtocolException
from thriftpy2.rpc import make_client
from thriftpy2.thrift import TApplicationException, TMessageType, TProcessor
from thriftpy2.transport import TMemoryBuffer
from thriftpy2.transport.base import TTransportException

from gateway import BackendClient, BackendServer, Circuit
from gateway.backends.process import ServerProcess
from gateway.errors import ServerStartError
from gateway.execution.function import Function
from gateway.execution.pool import InlineExecutor
from gateway.execution.runner import Runner
from gateway.legacy.qrisp import thrift, thrift_wire
from gateway.legacy.qrisp.objects import MAX_DEPTH, QuantumCircuit
from gateway.legacy.qrisp.room import QrispInterface
from gateway.listener import bind
from gateway.protocol.messages import ServerLimits
from gateway.rights import Right
from gateway.server.access.authentication import Authentication
from gateway.server.access.tokens import TokenDigest, Tokens
from gateway.server.service import Service
from gateway.simulators import find

pytestmark = pytest.mark.slow  # it talks to servers

TOKEN = "lorem ipsum"  # noqa: S105 - a test's
LIMITS = ServerLimits(max_shots=10_000, max_body_bytes=2**20, timeout_s=2)


class Calls:
    """A client of a port; each has a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._client = make_client(
            thrift.interface().BackendService,
            "127.0.0.1",
            port,
            proto_factory=TCyBinaryProtocolFactory(max_depth=1000),
            timeout=20_000,
        )

    def run(self, qc: QuantumCircuit | None = None, shots: int | None = 100, token: str | None = "") -> dict[str, int]:
        sent = as_thrift(thrift.interface(), bell() if qc is None else qc)
        return self._client.run(sent, shots, token)

    def ping(self) -> Any:
        return self._client.ping()

    def close(self) -> None:
        self._client.close()


def misbehaving(does: Does, amount: float = 0) -> QuantumCircuit:
    return circuit("a", "x", op("u3", "a", params=[does, amount, 0]), op("measure", "a", "x"))


@pytest.fixture(scope="module")
def qulacs() -> Iterator[Calls]:
    process = ServerProcess(target=find("qulacs").adapter, workers=1, thrift_port=0)
    process.start()
    assert process.thrift_port is not None
    calls = Calls(process.thrift_port)
    yield calls
    calls.close()
    process.stop()


@pytest.fixture(scope="module")
def fake() -> Iterator[Calls]:
    process = ServerProcess(target=TARGET, workers=1, thrift_port=0, limits=LIMITS)
    process.start()
    assert process.thrift_port is not None
    calls = Calls(process.thrift_port)
    yield calls
    calls.close()
    process.stop()


def test_a_run_returns_counts_without_spaces(qulacs: Calls):
    counts = qulacs.run(shots=1000)
    assert set(counts) == {"01", "10"}
    assert sum(counts.values()) == 1000


def test_the_first_clbit_is_the_rightmost_character(qulacs: Calls):
    assert qulacs.run(x_on_the_first_of_two()) == {"01": 100}


def test_definitions_in_definitions_run(qulacs: Calls):
    found = definition("a", op("x", "a"))
    for _ in range(MAX_DEPTH - 1):
        found = definition("a", op("d", "a", definition=found))
    assert qulacs.run(circuit("a", "m", op("d", "a", definition=found), op("measure", "a", "m"))) == {"1": 100}


def test_a_ping_says_who_is_there(qulacs: Calls):
    status = qulacs.ping()
    assert (status.name, status.online, status.qubit_list) == ("qulacs", True, None)


@pytest.mark.parametrize(
    ("qc", "shots", "words"),
    [
        (circuit("a", "", op("foo", "a")), 1, "unsupported: operation 0 .foo.: there is no operation 'foo'"),
        (circuit("a", "x", op("x", "a")), 1, "circuit-invalid: the circuit measures nothing"),
        (circuit("a", "x", op("x", "b")), 1, "circuit-invalid: .* no qubit 'b'"),
        (circuit("a", "", op("rx", "a", params=[float("nan")])), 1, "circuit-invalid: .*finite"),
        (None, 0, "request-invalid: shots .* not 0"),
        (None, -5, "request-invalid: shots .* not -5"),
        (None, None, "request-invalid: shots .* not None"),
        (None, 10_001, "limit-exceeded: max_shots is 10,000"),
        (misbehaving(Does.RAISE), 1, "simulator-error: .*told to raise"),
        (misbehaving(Does.KILL_ITSELF), 1, "simulator-crashed: .*SIGKILL"),
        (misbehaving(Does.SLEEP_WITH_GIL, 10), 1, "job-timeout: .*longer than 2 s"),
        (misbehaving(Does.WRONG_SUM), 1, "simulator-error"),
    ],
)
def test_a_failure_is_told_in_words_and_the_connection_goes_on(fake: Calls, qc, shots, words):
    with pytest.raises(TApplicationException, match=words) as caught:
        fake.run(qc, shots)
    assert caught.value.type == TApplicationException.INTERNAL_ERROR
    assert fake.run(misbehaving(Does.ECHO, 1), 7) == {"1": 7}


def test_clients_are_served_at_the_same_time(qulacs: Calls):
    def calls(_: int) -> list[dict[str, int]]:
        client = Calls(qulacs.port)
        found = [client.run(x_on_the_first_of_two()) for _ in range(5)]
        client.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(calls, range(8))) == [[{"01": 100}] * 5] * 8


def test_a_function_behind_a_port_is_called_on_every_wire_and_so_is_its_ping_func():
    def run_func(circuit, shots, token):
        return {format(len(token or "") % 4, "02b"): shots}

    with BackendServer(run_func, lambda: False, port=0, thrift_port=0, workers=1) as server:
        assert server.thrift_port
        calls = Calls(server.thrift_port)
        assert calls.run(token="abc") == {"11": 100}  # noqa: S106
        assert calls.run(token="") == calls.run(token=None) == {"00": 100}
        assert (calls.ping().name, calls.ping().online) == ("function", False)
        calls.close()

        url = f"http://127.0.0.1:{server.port}"
        sent = {"qc": msgspec.to_builtins(bell()), "shots": 100, "token": "ab"}
        assert requests.post(f"{url}/run", json=sent, timeout=10).json() == {"10": 100}
        assert requests.get(f"{url}/ping", timeout=10).json() == {"name": "function", "online": False}
        programs = [{"quantumCircuit": Circuit(2).measure_all().to_openqasm2()}]
        deployed = requests.post(f"{url}/deployments", json={"programs": programs}, timeout=10).json()["id"]
        ordered = {"deploymentId": deployed, "shots": 100, "token": "a"}
        job = requests.post(f"{url}/jobs", json=ordered, timeout=10).json()["id"]
        found = requests.get(f"{url}/jobs/{job}", json=ordered, timeout=10).json()
        assert found["results"][0]["results"] == {"01": 100}
        with BackendClient("127.0.0.1", server.port) as client:
            assert not client.status().online


def test_a_shell_starts_a_server_with_a_thrift_port_that_answers_like_qunicorn_if_asked_to():
    command = [sys.executable, "-m", "gateway.cli", "serve", "--adapter", TARGET]
    options = ["--port", "0", "--thrift-port", "0", "--workers", "1", "--qunicorn"]
    path = os.pathsep.join(sys.path)
    server = subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    try:
        assert server.stderr is not None
        http = re.search(r"at (http://\S+)", server.stderr.readline())
        by_thrift = re.search(r"by Thrift at 127\.0\.0\.1:(\d+)", server.stderr.readline())
        assert http
        assert by_thrift
        calls = Calls(int(by_thrift[1]))
        assert calls.run(misbehaving(Does.ECHO, 1), 7) == {"1": 7}
        calls.close()
        assert requests.post(f"{http[1]}/deployments/", json={"programs": [{"quantumCircuit": ""}]}, timeout=10).ok
    finally:
        server.terminate()
        server.communicate(timeout=20)


def test_a_thrift_port_that_is_taken_is_known_at_once_and_the_other_port_is_given_back():
    with bind("127.0.0.1", 0) as holder:
        process = ServerProcess(target=TARGET, thrift_port=holder.getsockname()[1])
        with pytest.raises(ServerStartError, match="is taken"):
            process.start()
        bind("127.0.0.1", process.port).close()


# ---------------------------------------------------------------------------- in this process


@pytest.fixture
def serve() -> Iterator[Callable[..., int]]:
    """Serve a function from this process on a port that is returned."""
    services = []

    def start(run_func: Any, ping_func: Any = None, tokens: Tokens | None = None) -> int:
        executor = InlineExecutor(Runner(Function(run_func, ping_func), LIMITS))
        listener = bind("127.0.0.1", 0)
        port: int = listener.getsockname()[1]
        interfaces = (QrispInterface(listener),)
        authentication = Authentication(tokens or Tokens())
        services.append(
            Service.over(executor, LIMITS, authentication=authentication, interfaces=interfaces, idle_s=600)
        )
        services[-1].start()
        start.service = services[-1]
        return port

    yield start
    for service in services:
        service.close()


def test_a_token_without_the_right_to_run_runs_nothing(serve):
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    calls = Calls(serve(zeros, tokens=Tokens([TokenDigest("me", digest, frozenset({Right.COMPARE}))])))
    with pytest.raises(TApplicationException, match="forbidden: this needs the right 'run'"):
        calls.run(token=TOKEN)
    calls.close()


def zeros(circuit, shots):
    return {"0" * circuit.num_clbits: shots}


def test_a_server_that_wants_a_token_takes_it_as_the_argument_of_run(serve):
    seen = []

    def run_func(circuit, shots, token):
        seen.append(token)
        return zeros(circuit, shots)

    tokens = Tokens([TokenDigest("me", hashlib.sha256(TOKEN.encode()).hexdigest())])
    calls = Calls(serve(run_func, lambda: seen.append("ping"), tokens))
    for token in ("", "wrong", None):
        with pytest.raises(TApplicationException, match="unauthenticated"):
            calls.run(token=token)
    assert calls.run(token=TOKEN) == {"00": 100}
    status = calls.ping()
    assert (status.name, status.online) == ("gateway", True)  # readiness, and nobody is asked
    assert seen == [TOKEN]
    calls.close()


def test_a_call_counts_as_work_as_long_as_it_lasts(serve):
    during = []

    def run_func(circuit, shots):
        during.append(serve.service.idle_limit._under_way)
        return zeros(circuit, shots)

    calls = Calls(serve(run_func))
    calls.run()
    calls.close()
    assert during == [1]
    wait_until(lambda: serve.service.idle_limit._under_way == 0, "the end of the call")


def raw(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    found = b""
    try:
        while chunk := connection.recv(4096):
            found += chunk
    except ConnectionResetError:
        pass  # what we sent was not read to the end
    return found


def message(method: bytes, *parts: bytes) -> bytes:
    return struct.pack("!IiI", 0x80010001, len(method), 0)[:8] + method + struct.pack("!i", 7) + b"".join(parts)


QC, DATA, LIST, STRUCT, STRING, I32 = b"\x0c\0\1", b"\x0f\0\3", 15, 12, 11, 8
QUBITS = b"\x0f\0\1"
OF_STRUCTS = b"\x0c"
BIG = struct.pack("!i", 2**31 - 1)

HOSTILE = {
    "a list of 2**31 - 1 structs": (message(b"run", QC, QUBITS, OF_STRUCTS, BIG), b"elements"),
    "a list of -1 structs": (message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", -1)), b"elements"),
    "a list of 2**31 - 1 nothings": (message(b"run", QC, QUBITS, b"\x01", BIG), b"a list is of type 1"),
    "a list of numbers instead of bits": (message(b"run", QC, QUBITS, b"\x08", struct.pack("!i", 1)), b"list is of"),
    "a text of 2**31 - 1 bytes": (
        message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1), b"\x0b\0\1", BIG), b"a text has at most",
    ),
    "a text of -1 bytes": (
        message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1), b"\x0b\0\1", struct.pack("!i", -1)), b"at most",
    ),
    "a text that is not UTF-8": (
        message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1), b"\x0b\0\1", struct.pack("!i", 1), b"\xff"),
        b"not UTF-8",
    ),
    "a bit without its identifier": (
        message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1), b"\0"), b"Qubit: Missing required argument",
    ),
    "an unknown field": (message(b"run", b"\x0c\0\x09"), b"has no field 9 of type 12"),
    "a field of another type": (message(b"run", b"\x08\0\1"), b"has no field 1 of type 8"),
    "shots of 64 bits": (message(b"run", b"\x0a\0\2"), b"has no field 2 of type 10"),
    "an unknown method": (message(b"shutdown", b"\0"), b"there is no method 'shutdown'"),
    "a method whose name is not UTF-8": (message(b"\xff", b"\0"), b"not UTF-8"),
    "a method whose name has 2**31 - 1 bytes": (struct.pack("!Ii", 0x80010001, 2**31 - 1), b"at most 1,048,576 bytes"),
    "definitions without end": (
        message(
            b"run",
            QC,
            (DATA + OF_STRUCTS + struct.pack("!i", 1) + b"\x0c\0\1" + b"\x0c\0\5") * 1000,
        ),
        b"nested deeper than 64",
    ),
    "HTTP": (b"GET / HTTP/1.1\r\n\r\n", b"version"),
    "zeros": (b"\0" * 64, b"version"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_bytes_that_lie_are_answered_at_once_and_the_connection_is_closed(serve, name):
    port = serve(zeros)
    sent, words = HOSTILE[name]
    with raw(port) as connection:
        connection.sendall(sent)
        assert words in received(connection)
    calls = Calls(port)
    assert calls.run() == {"00": 100}
    calls.close()


def test_a_message_longer_than_the_limit_is_refused(serve):
    many = circuit(" ".join(f"qubit_number_{k}" for k in range(60_000)), "")
    calls = Calls(serve(zeros))
    with pytest.raises((TApplicationException, TTransportException, ConnectionError), match=r"at most|pipe|reset"):
        calls.run(many)
    calls.close()


def test_half_a_message_is_waited_for_only_so_long(serve, monkeypatch):
    monkeypatch.setattr(thrift_wire, "RECEIVE_WITHIN_S", 0.2)
    port = serve(zeros)
    with raw(port) as connection:
        connection.sendall(message(b"run", QC)[:-1])
        assert received(connection) == b""
    sent = message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1), b"\x0b\0\1") * 1000
    with raw(port) as connection:
        wait_until(drip(connection, sent), "the end of a connection on which a message comes byte by byte")


def drip(connection: socket.socket, sent: bytes) -> Callable[[], bool]:
    """Return what sends the next byte, and says whether the other side has closed."""
    left = iter(sent)

    def is_closed() -> bool:
        try:
            connection.sendall(bytes([next(left)]))
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    return is_closed


def test_a_silent_connection_is_kept_until_others_need_its_place(serve, monkeypatch):
    monkeypatch.setattr(thrift, "MAX_CONNECTIONS", 2)
    port = serve(zeros)
    first, second = raw(port), Calls(port)
    assert second.run() == {"00": 100}
    third = Calls(port)
    assert third.run() == {"00": 100}
    assert received(first) == b""
    assert second.run() == {"00": 100}
    for each in (first, second, third):
        each.close()


def test_a_running_call_does_not_give_way(serve, monkeypatch):
    monkeypatch.setattr(thrift, "MAX_CONNECTIONS", 1)
    begun, go_on = threading.Event(), threading.Event()

    def run_func(circuit, shots):
        begun.set()
        go_on.wait(10)
        return zeros(circuit, shots)

    port = serve(run_func)
    with ThreadPoolExecutor(1) as pool:
        calls = Calls(port)
        running = pool.submit(calls.run)
        assert begun.wait(5)
        with raw(port) as refused:
            assert received(refused) == b""
        go_on.set()
        assert running.result(5) == {"00": 100}
    calls.close()


def test_a_client_that_does_not_read_its_answer_gives_way(serve, monkeypatch):
    monkeypatch.setattr(thrift, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(thrift_wire, "SEND_WITHIN_S", 600)
    answered = threading.Event()
    clbits = " ".join(f"c{k}" for k in range(1000))

    def run_func(circuit, shots):
        outcomes = zeros(circuit, shots)
        if circuit.num_clbits == 1000:
            outcomes = {format(k, "01000b"): 1 for k in range(shots)}  # 10 MB, more than any buffer of a socket takes
            answered.set()
        return outcomes

    port = serve(run_func)
    call = TMemoryBuffer()
    asked = circuit("q", clbits, op("measure", "q", "c0"))
    arguments = thrift.interface().BackendService.run_args(
        qc=as_thrift(thrift.interface(), asked), shots=10_000, token=""
    )
    protocol = TBinaryProtocol(call)
    protocol.write_message_begin("run", TMessageType.CALL, 1)
    arguments.write(protocol)
    with raw(port) as never_reads:
        never_reads.sendall(call.getvalue())
        assert answered.wait(10)
        wait_until(lambda: served(port), "a call of another client")


def served(port: int) -> bool:
    """Say whether a call on a new connection is answered."""
    calls = Calls(port)
    try:
        return calls.run() == {"00": 100}
    except (TTransportException, OSError):
        return False
    finally:
        calls.close()


def test_a_client_that_hangs_up_in_the_middle_disturbs_nobody(serve):
    port = serve(zeros)
    for cut in range(1, 40, 3):
        with raw(port) as connection:
            connection.sendall(message(b"run", QC, QUBITS, OF_STRUCTS, struct.pack("!i", 1))[:cut])
    calls = Calls(port)
    assert calls.run() == {"00": 100}
    calls.close()


class Recorded(thrift_wire.Connection):
    """A connection on which everything has arrived."""

    def __init__(self, arrived: bytes) -> None:
        ours, self.theirs = socket.socketpair()
        super().__init__(ours, "nobody", 2**20)
        self._incoming = io.BufferedReader(io.BytesIO(arrived))

    def close(self) -> None:
        super().close()
        self.theirs.close()


def test_bytes_changed_at_random_are_read_or_refused_and_nothing_else():
    random = Random(3)
    interface = thrift.interface()
    sent = TMemoryBuffer()
    args = interface.BackendService.run_args(qc=as_thrift(interface, bell()), shots=5, token="t")  # noqa: S106
    protocol = TBinaryProtocol(sent)
    protocol.write_message_begin("run", TMessageType.CALL, 0)
    protocol.write_struct(args)
    outcomes = set()
    for _ in range(2000):
        changed = bytearray(sent.getvalue())
        for _ in range(random.randint(1, 3)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        connection = Recorded(bytes(changed[: random.choice([len(changed), random.randrange(len(changed))])]))
        try:
            TProcessor(interface.BackendService, None).process_in(thrift_wire.StrictProtocol(connection))
            outcomes.add("read")
        except (TProtocolException, TTransportException) as exc:
            outcomes.add(type(exc).__name__)
        finally:
            connection.close()
    assert outcomes == {"read", "TProtocolException", "TTransportException", "UnknownMethodError"}
