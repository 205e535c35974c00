"""Turns the circuits that old Qrisp clients send, object by object, into shared circuits.

Thrift and REST carry the same messages. Gates have the names that Qrisp gives them, and bits have identifiers, unique
within a circuit. A composite operation, such as a controlled gate, brings its definition: a circuit on formal bits,
which stand for the bits of the operation, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from gateway.circuit import Circuit, Comparison, Condition, Limits, Operation
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.gates import GATES
from gateway.circuit.operations import NO_TIMING
from gateway.errors import CircuitInvalidError, GatewayError, LimitError, UnsupportedError

MAX_DEPTH = 64
"""How deep definitions may be nested; the gates of Qrisp itself stay below 10."""


_PLACE = "operation "


class Bit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A qubit or a clbit."""

    identifier: str


class GateObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operation that an instruction applies.

    Args:
        name: its name in Qrisp.
        num_qubits: number of qubits on which it acts.
        num_clbits: number of clbits that it writes or that control it.
        params: angles in radians.
        definition: the circuit of which it consists.
    """

    name: str
    num_qubits: int
    num_clbits: int
    params: list[float] = []
    definition: Definition | None = None


class Instruction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation applied to bits."""

    op: GateObject
    qubits: list[Bit]
    clbits: list[Bit]


class QuantumCircuit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circuit; clbit 0 is the first one listed. Nothing reads ``init``."""

    qubits: list[Bit] = []
    clbits: list[Bit] = []
    data: list[Instruction] = []
    init: bool = True


class Definition(QuantumCircuit, frozen=True, forbid_unknown_fields=True):
    """The definition of an operation: a circuit or, if it has a name, a single operation.

    Clients send circuits, although the published description of the interface says operations.
    """

    name: str | None = None
    num_qubits: int = 0
    num_clbits: int = 0
    params: list[float] = []
    definition: Definition | None = None


class RunMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /run``, and the arguments of Thrift's ``run``."""

    qc: QuantumCircuit
    shots: int | None = None
    token: str | None = None


class BackendStatus(msgspec.Struct, frozen=True):
    """The answer of ``ping``."""

    name: str
    online: bool


def as_circuit(message: QuantumCircuit, limits: Limits = DEFAULT_LIMITS) -> Circuit:
    """Return the shared circuit of a message; qubits and clbits have numbers in the order of their lists.

    Marks of allocation are left out, and so are delays, as a note says. ``c_if_<gate>`` applies when all its clbits are
    1, since clients send no other control states. In Qrisp, ``sx`` and ``u1`` differ by a global phase; no measurement
    sees it, because controlled gates come with a definition.

    Raises:
        UnsupportedError: an operation has an unknown name and no definition; ``feature`` names it.
        CircuitInvalidError: an operation has the wrong number of bits or parameters, or bits that are not declared.
        LimitError: the circuit is too large, or its definitions are nested deeper than :data:`MAX_DEPTH`.
    """
    for what, requested, allowed in (
        ("qubits", len(message.qubits), limits.qubits),
        ("clbits", len(message.clbits), limits.clbits),
    ):
        if requested > allowed:
            raise LimitError(
                f"the circuit has {requested:,} {what}; at most {allowed:,} are accepted",
                limit=what,
                requested=requested,
                allowed=allowed,
            )
    flat = _Flattening(limits.operations)
    flat.circuit(message, range(len(message.qubits)), range(len(message.clbits)), depth=0)
    notes = (NO_TIMING,) if flat.has_timing else ()
    return Circuit(len(message.qubits), len(message.clbits), flat.operations, notes=notes)


class _Flattening:
    """Collects the operations of a circuit, with definitions in place of the operations that have them."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.operations: list[Operation] = []
        self.has_timing = False

    def circuit(self, circuit: QuantumCircuit, qubits: Iterable[int], clbits: Iterable[int], depth: int) -> None:
        """Append a circuit on the qubits and clbits with these numbers."""
        qubit_numbers = _numbers_of("qubit", circuit.qubits, qubits)
        clbit_numbers = _numbers_of("clbit", circuit.clbits, clbits)
        for index, instruction in enumerate(circuit.data):
            try:
                self._instruction(
                    instruction.op,
                    _bits_of("qubit", instruction.qubits, qubit_numbers),
                    _bits_of("clbit", instruction.clbits, clbit_numbers),
                    depth,
                )
            except GatewayError as exc:
                if depth and exc.message.startswith(_PLACE):  # the innermost place and the outermost one will do
                    raise
                raise _with_place(exc, index, instruction.op.name) from None

    def _instruction(self, op: GateObject, qubits: tuple[int, ...], clbits: tuple[int, ...], depth: int) -> None:
        if (len(qubits), len(clbits)) != (op.num_qubits, op.num_clbits):
            raise CircuitInvalidError(
                f"it is on {len(qubits)} qubits and {len(clbits)} clbits, "
                f"but takes {op.num_qubits} and {op.num_clbits}",
                rule="number of bits",
            )
        if op.name in _MARKS:
            return
        if op.name in _TIMING and op.definition is None:
            self.has_timing = True
            return
        if op.definition is not None:
            self._definition(op.definition, qubits, clbits, depth + 1)
            return
        if len(self.operations) >= self.limit:
            raise LimitError(
                f"the circuit has more than {self.limit:,} operations", limit="operations", allowed=self.limit
            )
        self.operations.append(_operation(op.name, qubits, clbits, op.params))

    def _definition(self, definition: Definition, qubits: tuple[int, ...], clbits: tuple[int, ...], depth: int) -> None:
        if depth > MAX_DEPTH:
            raise LimitError(
                f"definitions are nested deeper than {MAX_DEPTH}",
                limit="definitions",
                requested=depth,
                allowed=MAX_DEPTH,
            )
        if definition.name is not None:
            d = definition
            self._instruction(
                GateObject(definition.name, d.num_qubits, d.num_clbits, d.params, d.definition), qubits, clbits, depth
            )
            return
        if (len(definition.qubits), len(definition.clbits)) != (len(qubits), len(clbits)):
            raise CircuitInvalidError(
                f"its definition has {len(definition.qubits)} qubits and {len(definition.clbits)} clbits, "
                f"but it is on {len(qubits)} and {len(clbits)}",
                rule="definition",
            )
        self.circuit(definition, qubits, clbits, depth)


def _numbers_of(kind: str, bits: list[Bit], numbers: Iterable[int]) -> dict[str, int]:
    numbers_of = dict(zip([bit.identifier for bit in bits], numbers, strict=True))
    if len(numbers_of) != len(bits):
        raise CircuitInvalidError(f"two {kind}s have the same identifier", rule=f"distinct {kind}s")
    return numbers_of


def _bits_of(kind: str, bits: list[Bit], numbers_of: dict[str, int]) -> tuple[int, ...]:
    try:
        places = tuple([numbers_of[bit.identifier] for bit in bits])
    except KeyError as exc:
        raise CircuitInvalidError(f"the circuit has no {kind} {exc.args[0]!r}", rule=f"{kind} index") from None
    if len(places) > 1 and len(set(places)) != len(places):
        raise CircuitInvalidError(f"it names a {kind} twice", rule=f"distinct {kind}s")
    return places


def _with_place(error: GatewayError, index: int, name: str) -> GatewayError:
    """Return the error with its place in the circuit in front of the message."""
    place = {"operation": index, "gate": name}
    details = {**error.details, **{field: value for field, value in place.items() if field in error.fields}}
    return type(error)(f"{_PLACE}{index} ({name}): {error.message}", circuit=error.circuit, **details)


# ---------------------------------------------------------------------------- names in Qrisp

_MARKS = frozenset({"qb_alloc", "qb_dealloc"})
"""Marks, not operations: Qrisp allocates and frees a qubit there."""

_TIMING = frozenset({"delay", "c_if_delay"})
"""What Qrisp makes of a delay in another framework's circuit: it only takes time."""

_CONDITIONAL = "c_if_"
_DAGGER = "_dg"

_SELF_INVERSE = ("x", "y", "z", "h", "id", "cx", "cy", "cz", "swap")
_FIXED = {
    **{name: name for name in (*_SELF_INVERSE, "s", "t", "sx")},
    **{name + _DAGGER: name for name in _SELF_INVERSE},
    "s_dg": "sdg",
    "t_dg": "tdg",
    "sx_dg": "sxdg",
}
"""Name of a gate without angles in Qrisp -> its name in the gate table."""

_ANGLED = {
    **{name: (name, 1) for name in ("rx", "ry", "rz", "p", "u1", "gphase", "cp", "crx", "cry", "crz", "rxx", "rzz")},
    "u3": ("u3", 3),
    "xxyy": ("xx_plus_yy", 2),
}
"""Name of a gate with angles in Qrisp -> its name in the gate table, and the number of its angles."""

_AS_U3 = 3
"""The number of parameters of a one-qubit gate that Qrisp made as a U3 gate and renamed afterwards."""


def _operation(name: str, qubits: tuple[int, ...], clbits: tuple[int, ...], params: list[float]) -> Operation:
    if name == "measure":
        return Operation("measure", _one_qubit(qubits), (), clbits)
    condition: Condition = ()
    if name.startswith(_CONDITIONAL) and clbits:
        name = name.removeprefix(_CONDITIONAL)
        if name == "measure":
            raise UnsupportedError("it does not say which of its clbits it writes", feature="conditional measurement")
        condition, clbits = (Comparison(clbits, (1 << len(clbits)) - 1),), ()
    if clbits:
        raise CircuitInvalidError("only measurements write to clbits", rule="number of clbits")
    if name == "reset":
        return Operation("reset", _one_qubit(qubits), (), (), condition)
    if name == "barrier":
        return Operation("barrier", qubits)  # a condition changes nothing, for a barrier has no effect
    gate, angles = _gate(name, params)
    if gate == "gphase":
        qubits = ()  # Qrisp names qubits for its own bookkeeping only
    GATES[gate].check(len(qubits), len(angles))
    if not all(map(math.isfinite, angles)):
        raise CircuitInvalidError(f"it has an angle that is not a finite number: {params}", rule="finite angle")
    return Operation(gate, qubits, angles, (), condition)


def _gate(name: str, params: list[float]) -> tuple[str, tuple[float, ...]]:
    """Return the name in the gate table and the angles of one of Qrisp's gates."""
    if name in _FIXED:
        return _FIXED[name], () if len(params) == _AS_U3 else tuple(params)
    if name in _ANGLED:
        gate, takes = _ANGLED[name]
        if takes == 1 and len(params) == _AS_U3:
            return gate, (sum(params),)  # all but its own angle are zero, or cancel
        return gate, tuple(params)
    base = name.removesuffix(_DAGGER)
    if base != name and _ANGLED.get(base, ("", 0))[1] == 1:
        if len(params) == _AS_U3:
            return "u3", tuple(params)  # these parameters are already those of the inverse
        return _ANGLED[base][0], tuple([-param for param in params])
    return _unknown(name)


def _one_qubit(qubits: tuple[int, ...]) -> tuple[int, ...]:
    if len(qubits) != 1:
        raise CircuitInvalidError(f"it takes one qubit, not {len(qubits)}", rule="number of qubits")
    return qubits


def _unknown(name: str) -> NoReturn:
    raise UnsupportedError(f"there is no operation {name!r}, and it came without a definition", feature=name)
