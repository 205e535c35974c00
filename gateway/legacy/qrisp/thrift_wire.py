"""Reads the bytes of Thrift strictly: the connection of one client, and the binary protocol on it.

thriftpy2 reads whatever length a message claims and skips what it does not expect. The classes here check a length
against the bytes that may still come, and refuse by name what the interface does not declare. Structs become the
messages of :mod:`gateway.legacy.qrisp.objects`.
"""

from __future__ import annotations

import contextlib
import io
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from thriftpy2.protocol.binary import TBinaryProtocol
from thriftpy2.protocol.exc import TProtocolException
from thriftpy2.thrift import TType
from thriftpy2.transport.base import TTransportBase, TTransportException

from gateway.legacy.qrisp import objects

RECEIVE_WITHIN_S = 30.0
SEND_WITHIN_S = 30.0
MAX_STRING_BYTES = 2**16
MAX_NESTING = 8 + 4 * objects.MAX_DEPTH
"""How deep structs and lists may be nested: four levels for each definition."""

_MESSAGES: Mapping[str, type] = {
    "Qubit": objects.Bit,
    "Clbit": objects.Bit,
    "Operation": objects.GateObject,
    "Instruction": objects.Instruction,
    "QuantumCircuit": objects.Definition,
}
"""Name of a struct in the interface -> the class of its message."""

_I16, _I32, _LIST, _DOUBLE = (struct.Struct(form) for form in ("!h", "!i", "!bi", "!d"))


class Connection(TTransportBase):  # type: ignore[misc]  # thriftpy2 is partly typed, and not loaded by mypy
    """The server's end of one client's connection.

    Args:
        client_socket: the socket of the client, which the connection closes.
        address: the address of the client.
        max_message_bytes: the largest size of a message.
    """

    def __init__(self, client_socket: socket.socket, address: str, max_message_bytes: int) -> None:
        self.running = False
        """Whether a call is under way; otherwise the connection waits for its client, who is to send or to read."""
        self.since = time.monotonic()
        """When the connection began to wait."""
        self._socket = client_socket
        self.address = address
        with contextlib.suppress(OSError):  # the client may have hung up already; the next read will see that
            client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._max_message_bytes = max_message_bytes
        self.remaining = max_message_bytes
        """Number of bytes that the message may still have."""
        self._receive_deadline: float | None = None
        self._incoming = io.BufferedReader(_SocketFile(self._receive), 2**16)
        self._outgoing = bytearray()

    def begin_message(self) -> None:
        """Expect the next message; the connection waits for it without a limit of time."""
        self.since = time.monotonic()
        self._receive_deadline = None
        self.remaining = self._max_message_bytes

    def begin_call(self) -> None:
        """Say that a call has arrived whole and is being answered."""
        self.running = True

    def end_call(self) -> None:
        """Say that there is an answer, which the client has yet to read."""
        self.since = time.monotonic()
        self.running = False

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes.

        Raises:
            TProtocolException: the message may not have so many bytes any more.
            TTransportException: the client has hung up.
            TimeoutError: the rest of the message did not come in time.
        """
        if not 0 <= size <= self.remaining:
            raise TProtocolException(
                TProtocolException.SIZE_LIMIT,
                f"a message has at most {self._max_message_bytes:,} bytes; this one says {size:,} more are to come",
            )
        self.remaining -= size
        data = self._incoming.read(size)
        if len(data) < size:
            raise TTransportException(TTransportException.END_OF_FILE, "the client has hung up")
        if self._receive_deadline is None:
            self._receive_deadline = time.monotonic() + RECEIVE_WITHIN_S
        return data

    def _receive(self, buffer: memoryview) -> int:
        """Put the next bytes into the buffer; only a message that has begun has a deadline."""
        if self._receive_deadline is None:
            self._socket.settimeout(None)
        else:
            remaining = self._receive_deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("a message did not arrive in time")
            self._socket.settimeout(remaining)
        size = self._socket.recv_into(buffer)
        if self._receive_deadline is None:
            self._receive_deadline = time.monotonic() + RECEIVE_WITHIN_S
        return size

    def write(self, data: bytes) -> None:
        """Keep bytes until :meth:`flush` sends them."""
        self._outgoing += data

    def flush(self) -> None:
        """Send the bytes that were kept."""
        outgoing, self._outgoing = self._outgoing, bytearray()
        self._socket.settimeout(SEND_WITHIN_S)
        self._socket.sendall(outgoing)

    def hang_up(self) -> None:
        """End the connection from another thread; the thread that reads from it sees the end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class _SocketFile(io.RawIOBase):
    """A socket's bytes as a file that can be buffered."""

    def __init__(self, receive: Callable[[memoryview], int]) -> None:
        self._receive = receive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer, as BufferedReader has it
        return self._receive(buffer)


class UnknownMethodError(TProtocolException):  # type: ignore[misc]  # see above
    """A client calls a method that the interface does not have."""


class StrictProtocol(TBinaryProtocol):  # type: ignore[misc]  # see above
    """The binary protocol, for requests that may be hostile.

    Attributes:
        method: name of the last call.
        seqid: sequence number of the last call.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.method = ""
        self.seqid = 0
        self._connection = connection
        self._read = connection.read
        self._readers: dict[int, Callable[[Any, int], object]] = {
            TType.BOOL: lambda *_: self._read(1) != b"\0",
            TType.I32: lambda *_: _I32.unpack(self._read(4))[0],
            TType.DOUBLE: lambda *_: _DOUBLE.unpack(self._read(8))[0],
            TType.STRING: lambda *_: self._string(),
            TType.LIST: self._list,
            TType.STRUCT: self._struct,
        }

    def read_message_begin(self) -> tuple[str, int, int]:
        """Read the head of a message."""
        try:
            self.method, kind, self.seqid = super().read_message_begin()
        except UnicodeDecodeError:
            _refuse("the name of the method is not UTF-8")
        return self.method, kind, self.seqid

    def read_struct(self, struct_: Any) -> None:  # noqa: ANN401 - a class that thriftpy2 made
        """Read the arguments of a call."""
        for name, value in self._fields(type(struct_), 0).items():
            setattr(struct_, name, value)

    def skip(self, _ttype: int) -> None:
        """Refuse an unknown method, whose arguments thriftpy2 would skip."""
        raise UnknownMethodError(message=f"there is no method {self.method!r}: there are 'run' and 'ping'")

    def _struct(self, declared: Any, depth: int) -> object:  # noqa: ANN401 - see above
        fields = self._fields(declared, depth)
        try:
            return _MESSAGES[declared.__name__](**fields)
        except TypeError as exc:  # a field is missing
            _refuse(f"{declared.__name__}: {exc}")

    def _fields(self, declared: Any, depth: int) -> dict[str, object]:  # noqa: ANN401 - see above
        if depth > MAX_NESTING:
            _refuse(f"definitions are nested deeper than {objects.MAX_DEPTH}")
        read = self._read
        fields: dict[str, object] = {}
        while kind := read(1)[0]:
            number = _I16.unpack(read(2))[0]
            field = declared.thrift_spec.get(number)
            if field is None or field[0] != kind:
                _refuse(f"{declared.__name__} has no field {number} of type {kind}")
            fields[field[1]] = self._readers[kind](field[2], depth + 1)
        return fields

    def _list(self, inner: Any, depth: int) -> list[object]:  # noqa: ANN401 - a type, or a type and a class
        kind, declared = inner if isinstance(inner, tuple) else (inner, None)
        item_kind, size = _LIST.unpack(self._read(5))
        if size == 0:
            return []
        if item_kind != kind:
            _refuse(f"a list is of type {item_kind}, where {kind} belongs")
        if not 0 < size <= self._connection.remaining:
            _refuse(f"a list cannot have {size:,} elements: the message has too few bytes for that")
        reader = self._readers[kind]
        return [reader(declared, depth + 1) for _ in range(size)]

    def _string(self) -> str:
        size = _I32.unpack(self._read(4))[0]
        if size > MAX_STRING_BYTES:
            _refuse(f"a text has at most {MAX_STRING_BYTES:,} bytes; this one says it has {size:,}")
        try:
            return self._read(size).decode()
        except UnicodeDecodeError:
            _refuse("a text is not UTF-8")


def _refuse(why: str) -> NoReturn:
    raise TProtocolException(TProtocolException.INVALID_DATA, why)
