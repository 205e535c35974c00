"""Answers the Thrift clients of the old Qrisp interface, on a port of its own.

A client holds one connection, perhaps for days, and sends a call from time to time. Each connection has a thread,
which reads a call, hands its circuit to the executor and waits. There are at most :data:`MAX_CONNECTIONS`, so that slow
or silent clients exhaust nothing: when one more client arrives, the server closes the connection that has sent no call,
or has not read its answer, for the longest time. A message that has begun must arrive within
:data:`~gateway.legacy.qrisp.thrift_wire.RECEIVE_WITHIN_S`.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import thriftpy2
from thriftpy2.protocol.exc import TProtocolException
from thriftpy2.thrift import TApplicationException, TProcessor
from thriftpy2.transport.base import TTransportException

from gateway.errors import GatewayError, RequestError
from gateway.legacy.qrisp import objects, runs
from gateway.legacy.qrisp.thrift_wire import Connection, StrictProtocol, UnknownMethodError
from gateway.rights import Right
from gateway.server.service import Service

MAX_CONNECTIONS = 64

log = logging.getLogger("gateway")

T = TypeVar("T")


@cache
def interface() -> ModuleType:
    """Return the interface, with a class for each of its structs, made from the IDL."""
    loaded: ModuleType = thriftpy2.load(str(Path(objects.__file__).with_name("interface.thrift")), "qrisp_thrift")
    return loaded


class ThriftServer:
    """Serves ``run`` and ``ping`` on a listening socket.

    Args:
        service: the service of the server.
        listener: the listening socket, which the server closes.
    """

    def __init__(self, service: Service, listener: socket.socket) -> None:
        self._listener = listener
        self._max_message_bytes = service.limits.max_body_bytes
        self._service = service
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start to accept connections."""
        threading.Thread(target=self._accept, name="thrift", daemon=True).start()

    def close(self) -> None:
        """Close the listening socket and all connections; calls under way get no answer."""
        self._closed = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                connection.hang_up()

    def _accept(self) -> None:
        while not self._closed:
            try:
                client_socket, address = self._listener.accept()
                connection = Connection(client_socket, address[0], self._max_message_bytes)
            except OSError as exc:
                if not self._closed:
                    log.warning("a Thrift client could not be client_socket: %s", exc)
                    time.sleep(0.1)  # all descriptors are in use; some will be free again
                continue
            if self._make_room():
                with self._lock:
                    self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), name="thrift-client", daemon=True).start()
            else:
                connection.close()

    def _make_room(self) -> bool:
        """Say whether one more connection may begin; if need be, close the one that has been silent the longest."""
        with self._lock:
            if len(self._connections) < MAX_CONNECTIONS:
                return True
            waiting = [connection for connection in self._connections if not connection.running]
            if waiting:
                silent = min(waiting, key=lambda connection: connection.since)
                silent.hang_up()
                self._connections.discard(silent)
            return bool(waiting)

    def _serve(self, connection: Connection) -> None:
        protocol = StrictProtocol(connection)
        processor = TProcessor(interface().BackendService, _Handler(self._service, connection.address))
        try:
            while True:
                self._answer(connection, protocol, processor)
        except (TTransportException, TProtocolException, OSError) as exc:
            log.debug("a Thrift connection ended: %s", exc)
        except Exception:
            log.exception("a Thrift call failed unexpectedly")
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, connection: Connection, protocol: StrictProtocol, processor: TProcessor) -> None:
        """Answer one call.

        Raises:
            TProtocolException: the call is malformed. The client was told so, and the bytes that follow mean nothing.
        """
        connection.begin_message()
        try:
            api, seqid, result, call = processor.process_in(protocol)
        except TProtocolException as exc:
            unknown = isinstance(exc, UnknownMethodError)
            kind = TApplicationException.UNKNOWN_METHOD if unknown else TApplicationException.PROTOCOL_ERROR
            error = TApplicationException(kind, str(exc))
            processor.send_exception(protocol, protocol.method, error, protocol.seqid)
            raise
        connection.begin_call()
        with self._service.busy():
            refusal: TApplicationException | None = None
            try:
                result.success = call()
            except TApplicationException as exc:
                refusal = exc
            connection.end_call()  # a client that does not read its answer gives way to one that calls
            if refusal is not None:
                processor.send_exception(protocol, api, refusal, seqid)
            else:
                processor.send_result(protocol, api, result, seqid)


class _Handler:
    """The methods of the interface, for the client at one address."""

    def __init__(self, service: Service, address: str) -> None:
        self._service = service
        self._address = address

    def run(self, qc: object, shots: int | None, token: str | None) -> dict[str, int]:
        return _translate_errors(lambda: self._run(qc, shots, token))

    def _run(self, qc: object, shots: int | None, token: str | None) -> dict[str, int]:
        caller = self._service.authentication.authenticate(token or None, self._address)
        caller.demand(Right.RUN)
        if not isinstance(qc, objects.QuantumCircuit):
            raise RequestError("run() wants a circuit", field="qc")
        return runs.run(self._service, objects.RunMessage(qc, shots), caller)

    def ping(self) -> Any:  # noqa: ANN401 - a class that thriftpy2 makes
        status = _translate_errors(lambda: runs.ping(self._service, trusted=not self._service.authentication.required))
        return interface().BackendStatus(name=status.name, online=status.online)


def _translate_errors(work: Callable[[], T]) -> T:
    """Translate every failure into an exception that a Thrift client reads: this is the edge of the protocol."""
    try:
        return work()
    except GatewayError as exc:
        raise TApplicationException(TApplicationException.INTERNAL_ERROR, f"{exc.code}: {exc.message}") from exc
    except Exception as exc:
        log.exception("a Thrift call failed unexpectedly")
        message = "the server failed unexpectedly; its log says why"
        raise TApplicationException(TApplicationException.INTERNAL_ERROR, message) from exc
