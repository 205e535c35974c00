"""Which simulators can run a circuit as they are served, and what it would cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.circuit import Circuit, Operation
from gateway.circuit.clifford import GENERATORS
from gateway.circuit.expressions import Expression
from gateway.circuit.lowering import first_unlowerable
from gateway.circuit.needs import Needs
from gateway.circuit.openqasm.places import statement_of
from gateway.circuit.openqasm.tokens import place
from gateway.compare.observing import WIDEST_EXACT
from gateway.door.circuits.speeds import SPEEDS, seconds_of, work_of
from gateway.enforcement import Lack, RunOptions, first_lack
from gateway.look import numbers
from gateway.protocol.door import Estimate, SimulatorInfo
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.resources import LEAST_MEMORY, machine_memory_bytes
from gateway.results import Capabilities, ResultType

_MOST_LOOKED_AT = 1_000
"""So many different gates are looked at, to say how many others a simulator does not have."""


@dataclass(slots=True)
class Asked:
    """What is asked of every simulator.

    Args:
        circuit: the circuit.
        needs: its needs.
        text: its text.
        shots: of a run; ``None`` for exact results.
        outcomes: the number of different outcomes, if it is known.
    """

    circuit: Circuit
    needs: Needs
    text: str
    shots: int | None
    outcomes: int | None = None
    _places: dict[int, str] = field(default_factory=dict)

    @property
    def kind(self) -> ResultType:
        """The result type of a run."""
        if self.needs.measurement is None:
            return ResultType.STATEVECTOR
        return ResultType.PROBABILITIES if self.shots is None else ResultType.COUNTS

    @property
    def exact_kind(self) -> ResultType:
        """The result type of a run without shots."""
        return ResultType.STATEVECTOR if self.needs.measurement is None else ResultType.PROBABILITIES

    def width(self, kind: ResultType) -> int:
        """Return the number of qubits that are simulated."""
        return self.needs.num_qubits if kind.result_class.with_idle_qubits else self.needs.qubits

    def where(self, index: int) -> str:
        """Return an operation and its line, such as ``rz(0.6π) in line 12``; no line for what is in a definition."""
        if index not in self._places:
            operation = self.circuit.operations[index]
            span = statement_of(self.text, index)
            statement = "" if span is None else self.text[span.start : span.end]
            is_there = span is not None and re.search(rf"\b{re.escape(operation.name)}\b", statement)
            line = f" in line {place(self.text, span.start)[0]}" if span is not None and is_there else ""
            self._places[index] = f"{_shown(operation)}{line}"
        return self._places[index]


def estimates(asked: Asked, simulators: Sequence[SimulatorInfo], factors: Mapping[str, float]) -> tuple[Estimate, ...]:
    """Return what a circuit would cost on each simulator, in their order.

    Args:
        asked: what is asked of them.
        simulators: what is known of them.
        factors: simulator -> by which factor its runs take longer than they are estimated to.
    """
    return tuple(_estimate(asked, each, factors.get(each.name, 1.0)) for each in simulators)


def _estimate(asked: Asked, simulator: SimulatorInfo, factor: float) -> Estimate:
    backend = simulator.backend
    if backend is None:
        reason = simulator.reason or "It has not answered yet, so that nobody knows what it can do."
        return Estimate(simulator=simulator.name, runs=False, reason=reason)
    reason = why_not(asked, backend, asked.kind)
    if reason:
        return Estimate(simulator=simulator.name, runs=False, reason=reason)
    work = work_of(asked.circuit, asked.needs, asked.shots, asked.kind, asked.outcomes)
    seconds = None if work is None else seconds_of(backend.name, work)
    return Estimate(
        simulator=simulator.name,
        exact=_gives_exact_results(asked, backend),
        seconds=None if seconds is None else factor * seconds,
        memory_bytes=_memory_bytes(asked, backend),
    )


def _gives_exact_results(asked: Asked, backend: BackendInfo) -> bool:
    """Return whether a comparison gets exact results too; of many outcomes it asks for none."""
    few = asked.circuit.num_clbits <= WIDEST_EXACT or (asked.outcomes or 2**WIDEST_EXACT + 1) <= 2**WIDEST_EXACT
    return (few or asked.needs.measurement is None) and not why_not(asked, backend, asked.exact_kind)


def _memory_bytes(asked: Asked, backend: BackendInfo) -> int | None:
    speed, of_state = SPEEDS.get(backend.name), backend.capabilities.bytes_per_amplitude
    if speed is None or (of_state is None and backend.capabilities.gates == "universal" and asked.needs.qubits > _FEW):
        return None
    return speed.process_bytes + ((of_state or 0) << asked.width(asked.kind))


_FEW = 14
"""So few qubits need little memory, whatever their state."""


# ---------------------------------------------------------------------------- why a simulator cannot run it


def why_not(asked: Asked, backend: BackendInfo, kind: ResultType) -> str:
    """Return a sentence that says why a simulator cannot run a circuit; empty if it can."""
    if asked.needs.unbound is not None:
        return _unbound(asked)
    lack = first_lack(asked.needs, backend.capabilities, RunOptions(kind))
    if lack is not None:
        return _of_lack(asked, lack, backend, kind)
    limits = next(_exceeded(asked, backend.limits), "")
    return limits or _of_memory(asked, backend, kind)


def _unbound(asked: Asked) -> str:
    names = asked.circuit.parameters
    who = f"The parameters {numbers.listing(list(names))} have" if len(names) > 1 else f"The parameter {names[0]} has"
    return f"{who} no value: write numbers in their place." if len(names) > 1 else f"{who} no value: write a number."


def _exceeded(asked: Asked, limits: ServerLimits) -> Iterator[str]:
    """Yield a sentence for each limit of a server that the circuit exceeds."""
    circuit = asked.circuit
    for number, limit, noun in (
        (circuit.num_qubits, limits.max_qubits, "qubit"),
        (circuit.num_clbits, limits.max_clbits, "clbit"),
        (len(circuit.operations), limits.max_operations, "operation"),
        (asked.shots or 0, limits.max_shots, "shot"),
    ):
        if number > limit:
            yield f"Its server takes {numbers.several(limit, noun)} at most, and these are {numbers.integer(number)}."
    size = len(asked.text.encode())
    if size > limits.max_body_bytes:
        yield f"Its server takes {numbers.size(limits.max_body_bytes)} at most, and the text has {numbers.size(size)}."


def _of_memory(asked: Asked, backend: BackendInfo, kind: ResultType) -> str:
    """Return a sentence about a state that does not fit into the memory of the server, or of this machine."""
    capabilities, width = backend.capabilities, asked.width(kind)
    of_exact = capabilities.exact_bytes_per_amplitude if kind.is_exact else None
    each = of_exact or capabilities.bytes_per_amplitude
    room = (backend.limits.worker_memory_bytes or machine_memory_bytes()) - LEAST_MEMORY
    if each is None or each << width <= room:
        return ""
    fitting = max((max(room, 0) // each).bit_length() - 1, 0)
    return f"Needs 2^{width} amplitudes, {numbers.size(each << width)}; {numbers.several(fitting, 'qubit')} would fit."


def _of_lack(asked: Asked, lack: Lack, backend: BackendInfo, kind: ResultType) -> str:
    if lack.allowed is not None:
        used = numbers.several(asked.width(kind), "qubit")
        return f"It has {numbers.several(lack.allowed, 'qubit')}, and the circuit uses {used}."
    if kind is ResultType.STATEVECTOR and lack.feature == kind:
        return f"The circuit measures nothing, and {backend.name} has no state vectors: measure some qubits."
    if lack.operation is None:
        return f"{backend.name} {lack.text}."
    if lack.feature.startswith("gate "):
        return _of_gates(asked, lack.operation, backend.capabilities)
    return f"{backend.name} {lack.text}: {asked.where(lack.operation)}."


def _of_gates(asked: Asked, first: int, capabilities: Capabilities) -> str:
    """Return a sentence about gates that a simulator does not have."""
    is_clifford = set(capabilities.gates) >= GENERATORS
    what = f"{asked.where(first)} is no {'Clifford gate' if is_clifford else 'gate of this simulator'}"
    different = Counter(_gate(operation) for operation in asked.circuit.operations[first + 1 :])
    if len(different) > _MOST_LOOKED_AT:
        return f"{what}, and others may not be."
    more = sum(
        number for gate, number in different.items() if first_unlowerable([_of(gate)], capabilities.gates) is not None
    )
    others = f", as {'is' if more == 1 else 'are'} {numbers.integer(more)} more" if more else ""
    return f"{what}{others}."


def _gate(operation: Operation) -> tuple[str, int, tuple[float, ...]]:
    return operation.name, len(operation.qubits), operation.params


def _of(gate: tuple[str, int, tuple[float, ...]]) -> Operation:
    name, qubits, params = gate
    return Operation(name, tuple(range(qubits)), params)


def _shown(operation: Operation) -> str:
    if not operation.params or operation.name == "set":
        return operation.name
    angles = [str(angle) if isinstance(angle, Expression) else numbers.angle(angle) for angle in operation.params]
    return f"{operation.name}({', '.join(angles).replace('-', numbers.MINUS)})"
