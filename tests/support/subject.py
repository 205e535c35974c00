"""Checks what must hold for any bytes that a caller sends, in a process that can be killed."""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import resource
import signal
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from support.fakes import ZeroAdapter

from gateway.circuit import Circuit, Limits, parse
from gateway.circuit.export import STDGATES, dump_openqasm2, dump_openqasm3
from gateway.circuit.gates import GATES
from gateway.circuit.lowering import lower
from gateway.circuit.operations import CONTROL
from gateway.door.circuits import diagnostics
from gateway.errors import CircuitError, GatewayError, LimitError, RequestError, UnsupportedError
from gateway.execution.runner import Runner
from gateway.protocol import problem
from gateway.protocol.messages import RunRequest, ServerLimits, decode, encode

SECONDS = 3
"""The processor time after which the system ends a process that tries an input; most inputs take milliseconds."""

WAITS_S = 90.0
"""The time after which an input counts as one that waits for something; a busy machine shares its processors."""

REFUSALS = (RequestError, CircuitError, UnsupportedError, LimitError)
REFUSED = {400, 413, 422}
ROUND_TRIPS = 3_000
"""The number of operations up to which a circuit is written and read again; larger ones would show nothing more."""

_NATIVE = (frozenset({"u", "cx", "gphase"}), STDGATES | {"u"}, frozenset(GATES))
_LONGEST_MESSAGE = 2_000
_MEMORY_BYTES = 2 * 2**30


# ---------------------------------------------------------------------------- what must hold


def try_text(data: bytes) -> str:
    """Parse a text; return the code of its refusal, or ``read`` if the circuit passes all checks."""
    try:
        circuit = parse(data.decode(errors="surrogateescape"))
    except REFUSALS as exc:
        _check_refusal(exc)
        return exc.code
    check_circuit(circuit)
    return "read"


def try_places(data: bytes) -> str:
    """Look for what is wrong with a text; return how many errors it has, each of which is about characters of it."""
    text = data.decode(errors="surrogateescape")
    lines = text.split("\n")
    circuit, errors = diagnostics.read(text, Limits())
    assert (circuit is None) is bool(errors)
    for each in errors:
        assert 0 < len(each.message) < _LONGEST_MESSAGE
        assert each.line <= len(lines)
        assert not each.line or 1 <= each.column < each.end_column <= max(len(lines[each.line - 1]), 1) + 1
    return f"{len(errors)} errors"


def try_body(data: bytes) -> str:
    """Answer a request as a worker does; return the code of the refusal, or ``answered``."""
    try:
        circuits = [each for each in decode(RunRequest, data).circuit_list() if isinstance(each, Circuit)]
    except RequestError as exc:
        _check_refusal(exc)
        circuits = []
    for circuit in circuits:
        try:
            circuit.validate()
        except REFUSALS as exc:
            _check_refusal(exc)
        else:
            check_circuit(circuit)
    answer = _RUNNER.run(data, None)
    message = json.loads(answer.body)
    if answer.status == 200:
        assert isinstance(message["results"], list)
        return "answered"
    assert answer.status in REFUSED, message
    assert isinstance(problem.parse(answer.body, answer.status, ""), REFUSALS), message
    return str(message["code"])


_RUNNER = Runner(ZeroAdapter(), ServerLimits())


def _check_refusal(error: GatewayError) -> None:
    """Check that an error can be sent, and is short enough to be read."""
    body = problem.dump(error)
    assert len(body) < 4 * _LONGEST_MESSAGE
    assert type(problem.parse(body, error.status, "")) is type(error)
    assert len(error.message) < _LONGEST_MESSAGE


def check_circuit(circuit: Circuit) -> None:
    """Check that a valid circuit can be sent, lowered, written and read again."""
    circuit.validate()
    if len(circuit.operations) > ROUND_TRIPS:
        return
    assert decode(Circuit, encode(circuit)) == circuit
    for native in _NATIVE:
        circuit.with_operations(lower(circuit.operations, native)).validate()
    _check_openqasm3(circuit)
    _check_openqasm2(circuit)


def _check_openqasm3(circuit: Circuit) -> None:
    try:
        once = parse(dump_openqasm3(circuit))
    except UnsupportedError as exc:
        assert (exc.feature or "").startswith("parameter"), exc  # noqa: PT017 - it has the name of a word
        return
    once.validate()
    assert (once.num_qubits, once.num_clbits) == (circuit.num_qubits, circuit.num_clbits)
    if circuit.num_hidden or not CONTROL.isdisjoint({op.name for op in circuit.operations}):
        return  # the text has variables and several statements for one assignment
    assert parse(dump_openqasm3(once)) == once
    if {op.name for op in circuit.operations} & set(GATES) <= STDGATES:
        assert once.operations == [op for op in circuit.operations if op.name != "barrier" or op.qubits]


def _check_openqasm2(circuit: Circuit) -> None:
    try:
        text = dump_openqasm2(circuit)
    except UnsupportedError as exc:
        _check_refusal(exc)
        return
    once = parse(text)
    assert (once.num_qubits, once.num_clbits) == (circuit.num_qubits, circuit.num_clbits)
    assert parse(dump_openqasm2(once)) == once


# ---------------------------------------------------------------------------- the process


class Tried(NamedTuple):
    """The outcome of an input, what is wrong with it if anything is, and the seconds of processor time it took."""

    outcome: str
    wrong: str | None = None
    seconds: float = 0.0


CHECKS = {"text": try_text, "places": try_places, "body": try_body}


class Subject:
    """Tries inputs in a child process, and starts another one after an input that hangs or crashes it."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("fork")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection

    def try_out(self, check: str, data: bytes) -> Tried:
        """Try one input and return its outcome."""
        if self._process is None:
            self._start()
        assert self._process is not None
        self._pipe.send((check, data))
        try:
            if self._pipe.poll(WAITS_S):
                outcome: Tried = self._pipe.recv()
                return outcome
            wrong = f"no end after {WAITS_S:g} s"
        except EOFError:
            self._process.join()
            wrong = f"the process ended with exit code {self._process.exitcode}"
            if self._process.exitcode == -signal.SIGXCPU:
                wrong = f"no end after {SECONDS} s of processor time"
        self.close()
        return Tried("lost", wrong)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()


def _serve(pipe: Connection) -> None:
    """Try inputs until the other end is closed; none may use much memory or processor time."""
    faulthandler.disable()  # else the handler of pytest would write about every crash
    ceiling = _mapped_bytes() + _MEMORY_BYTES  # a fork has all the memory of pytest, gigabytes maybe
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    while True:
        try:
            check, data = pipe.recv()
        except EOFError:
            return
        began = time.process_time()
        resource.setrlimit(resource.RLIMIT_CPU, (int(began) + SECONDS, resource.RLIM_INFINITY))
        try:
            tried = Tried(CHECKS[check](data))
        except BaseException as exc:  # noqa: BLE001 - any exception at all is a finding
            where = traceback.extract_tb(exc.__traceback__)[-1]
            wrong = "".join(traceback.format_exception(exc))[-4000:]
            tried = Tried(f"{type(exc).__name__} in {where.name}", wrong)
        pipe.send(tried._replace(seconds=time.process_time() - began))


def _mapped_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
