"""Compares the needs of a circuit with the capabilities of a simulator, and refuses a run that does not fit.

Adapters, functions and vendors' machines all call this module, so that every declared capability is enforced in one
place. A refusal names what is lacking, which operation of the circuit needs it, and which simulators have it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gateway.circuit.circuit import Circuit
from gateway.circuit.clifford import GENERATORS, TOLERANCE
from gateway.circuit.expressions import parameters_of
from gateway.circuit.lowering import first_unlowerable
from gateway.circuit.needs import MOST_GATES_IN_SINGLE_PRECISION, Needs
from gateway.circuit.noisy import check_gates
from gateway.circuit.operations import Operation
from gateway.errors import CircuitInvalidError, LimitError, RequestError, UnsupportedError
from gateway.resources import machine_memory_bytes
from gateway.results import Capabilities, Precision, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails
from gateway.simulators import rows

ENTRY_OF_MIXED = 96
"""Bytes for each entry of a density matrix while a simulator computes one: it holds several copies."""

AMPLITUDE_OF_ANSWER = 80
"""Bytes for each amplitude of a state vector that is handed out: its 16, and its text for those who read JSON."""


class RunOptions(NamedTuple):
    """What a run asks for besides its circuit.

    Args:
        result: the result type that the run returns.
        sampling: who draws the shots.
        seeded: whether the caller gave a seed.
        own_sampler: whether the simulator's own sampler has to draw the shots, even if the caller did not ask for it.
        details: what belongs to the result type, such as observables.
    """

    result: ResultType
    sampling: Sampling = Sampling.AUTO
    seeded: bool = False
    own_sampler: bool = False
    details: RunDetails = NO_DETAILS


class Lack(NamedTuple):
    """Something that a run needs and a simulator does not declare.

    Args:
        feature: the name of what is lacking, for programs.
        text: the rest of the sentence that begins with the simulator's name, such as ``has no reset``.
        operation: the index of the first operation that needs the feature.
        allowed: the number of qubits that the simulator has, where qubits are what is lacking.
    """

    feature: str
    text: str
    operation: int | None = None
    allowed: int | None = None


def result_type(shots: int | list[int] | None, result: ResultType | None) -> ResultType:
    """Return the result type of a run: the one asked for, or counts where there are shots and probabilities elsewhere.

    Raises:
        RequestError: counts without shots, or shots with an exact result.
    """
    kind = result or (ResultType.PROBABILITIES if shots is None else ResultType.COUNTS)
    if kind.is_exact == (shots is not None) and not (kind.is_exact and kind.may_be_estimated):
        what = "needs a number of shots" if shots is None else "is exact: leave shots out"
        raise RequestError(f"the result {kind} {what}", field="shots")
    return kind


def check_details(options: RunOptions, circuit: Circuit, shots: int | None) -> None:
    """Refuse details that do not fit the result type or the circuit, and results that would be too large.

    Raises:
        RequestError, LimitError: as :meth:`gateway.run_details.RunDetails.check` says.
        UnsupportedError: a run with noise is asked for a pure state.
    """
    kind = options.result.result_class
    if options.details.noise is not None:
        check_gates(options.details.noise)
        if kind.is_pure:
            raise UnsupportedError(
                f"a noisy run has no {kind.kind}, since it ends in a mixture of states: ask for a density matrix",
                feature=f"{kind.kind} with noise",
            )
    options.details.check(kind, circuit.num_qubits, circuit.num_clbits)
    kind.check_size(circuit.num_qubits, options.details.width(circuit.num_clbits), shots or 0)


def check_measured(needs: Needs, options: RunOptions, *, simulator: str) -> None:
    """Refuse a circuit whose measurements do not fit the result type, whichever simulator would run it.

    Raises:
        CircuitInvalidError: the circuit measures nothing, so there is nothing to count.
        UnsupportedError: a circuit with measurements, resets or conditions has no single state vector.
    """
    if not options.result.of_state:
        if needs.measurement is None and options.result.of_clbits:
            raise CircuitInvalidError(
                "the circuit measures nothing, so there is nothing to count: add measure_all()", rule="measurement"
            )
        return
    index = _no_single_state(needs)
    if index is not None:
        raise UnsupportedError(
            f"operation {index} ({needs.operations[index]}): a circuit with measurements, resets or conditions has "
            "no single state vector: remove them",
            feature="statevector of a measured circuit",
            simulator=simulator,
            operation=index,
            gate=needs.operations[index].name,
        )


def _no_single_state(needs: Needs) -> int | None:
    indices = (needs.measurement, needs.reset, needs.classical_control, needs.assignment, needs.loop)
    return min((index for index in indices if index is not None), default=None)


def refuse(
    needs: Needs, capabilities: Capabilities, options: RunOptions, *, simulator: str, memory_bytes: int | None = None
) -> None:
    """Refuse a run that needs something that a simulator does not declare.

    Args:
        needs: what the circuit needs.
        capabilities: what the simulator declares.
        options: what the run asks for besides.
        simulator: the simulator's name, for the error.
        memory_bytes: the memory that other simulators could use, which decides whether the error recommends them; the
            machine's memory when ``None``.

    Raises:
        LimitError: the circuit needs more qubits than the simulator has.
        UnsupportedError: anything else is lacking; ``operation`` and ``gate`` say where the circuit needs it, and
            ``supported_by`` names the simulators that have it.
        CircuitInvalidError: an angle depends on a parameter that has no value.
    """
    if needs.unbound is not None:
        raise _unbound(needs.operations[needs.unbound], needs.unbound)
    lack = first_lack(needs, capabilities, options)
    if lack is None:
        return
    others = supported_by(needs, options, simulator=simulator, memory_bytes=memory_bytes)
    if lack.allowed is not None:
        text = f"the circuit uses {_width(needs, options)} qubits; {simulator} has {lack.allowed}"
        raise too_many_qubits(text, _width(needs, options), lack.allowed, simulator, others)
    location, gate = "", None
    if lack.operation is not None:
        operation = needs.operations[lack.operation]
        location, gate = f"operation {lack.operation} ({operation.with_all_digits()}): ", operation.name
    raise UnsupportedError(
        f"{location}{simulator} {lack.text}{_recommendation(others)}",
        feature=lack.feature,
        simulator=simulator,
        operation=lack.operation,
        gate=gate,
        supported_by=others,
    )


def _unbound(operation: Operation, index: int) -> CircuitInvalidError:
    name = next((name for angle in operation.params for name in parameters_of(angle)), None)
    if name is None:
        return CircuitInvalidError(
            f"operation {index} ({operation}): an angle is an expression of numbers: circuit.bind() computes it",
            rule="unbound parameter",
            operation=index,
        )
    return CircuitInvalidError(
        f"operation {index} ({operation}): the parameter {name!r} has no value: give it one with "
        f"circuit.bind({name}=...)",
        rule="unbound parameter",
        operation=index,
    )


def supported_by(needs: Needs, options: RunOptions, *, simulator: str, memory_bytes: int | None = None) -> list[str]:
    """Return the names of the simulators in the registry, other than ``simulator``, that could do the run."""
    if options.result.of_state and _no_single_state(needs) is not None:
        return []
    options = options._replace(own_sampler=False)  # a demand of that simulator, which the others do not share
    if memory_bytes is None:
        memory_bytes = machine_memory_bytes()
    return [
        row.name
        for row in rows()
        if row.name != simulator
        and first_lack(needs, row.capabilities, options) is None
        and _fits(needs, options, row.capabilities, memory_bytes)
    ]


def too_many_qubits(text: str, requested: int, allowed: int, simulator: str, others: list[str]) -> LimitError:
    """Return the error for a circuit that has too many qubits.

    Args:
        text: what is wrong, as a sentence without its full stop.
        requested: the number of qubits that the circuit needs.
        allowed: the number of qubits that the simulator has, or that fit into its memory.
        simulator: the simulator's name.
        others: the names of the simulators that take the circuit.
    """
    return LimitError(
        text + _recommendation(others),
        limit="qubits",
        requested=requested,
        allowed=allowed,
        simulator=simulator,
        supported_by=others,
    )


def _recommendation(others: list[str]) -> str:
    return f"; supported by: {', '.join(others)}" if others else ""


def _width(needs: Needs, options: RunOptions) -> int:
    """Return the number of qubits that are simulated; a state vector includes the idle ones."""
    return needs.num_qubits if options.result.result_class.with_idle_qubits else needs.qubits


def _fits(needs: Needs, options: RunOptions, capabilities: Capabilities, memory_bytes: int) -> bool:
    exact = capabilities.exact_bytes_per_amplitude if options.result.is_exact else None
    of_state = exact or capabilities.bytes_per_amplitude or 0
    of_answer = AMPLITUDE_OF_ANSWER * options.result.result_class.amplitudes_of(needs.num_qubits)
    width = _width(needs, options)
    if options.details.noise is not None and of_state:
        of_state, width = ENTRY_OF_MIXED, 2 * width
    return (of_state << width) + of_answer <= memory_bytes


# ---------------------------------------------------------------------------- one check for each capability


def first_lack(needs: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    """Return the first thing that a run needs and a simulator does not declare; ``None`` if it declares everything."""
    for check in _CHECKS:
        lack = check(needs, capabilities, options)
        if lack is not None:
            return lack
    return None


def _result(_: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    if options.result in capabilities.result_types:
        return None
    hint = "; ask for shots" if capabilities.result_types == (ResultType.COUNTS,) else ""
    return Lack(str(options.result), f"does not have the result type {options.result}{hint}")


def _seed(_: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    return Lack("seed", "cannot be seeded") if options.seeded and not capabilities.seedable else None


def _sampler(_: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    if options.sampling is not Sampling.NATIVE or capabilities.native_sampling:
        return None
    return Lack("native sampling", "does not have a sampler of its own")


def _qubits(needs: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    width = _width(needs, options)
    if capabilities.max_qubits is None or width <= capabilities.max_qubits:
        return None
    return Lack("qubits", "has fewer qubits", allowed=capabilities.max_qubits)


def _control(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("classical control", needs.classical_control, declared=capabilities.classical_control)


def _assignment(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("assignment to clbits", needs.assignment, declared=capabilities.assignment)


def _loop(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("loop over measurements", needs.loop, declared=capabilities.loops)


def _reset(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("reset", needs.reset, declared=capabilities.reset)


def _mid_circuit(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    indices = [index for index in (needs.repeated_measurement, needs.mid_circuit_measurement) if index is not None]
    return _dynamic(
        "mid-circuit measurement", min(indices, default=None), declared=capabilities.mid_circuit_measurement
    )


def _dynamic(feature: str, index: int | None, *, declared: bool) -> Lack | None:
    return None if declared or index is None else Lack(feature, f"has no {feature}", index)


def _gates(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    index = None if capabilities.gates == "universal" else first_unlowerable(needs.operations, capabilities.gates)
    if index is None:
        return None
    operation = needs.operations[index]
    takes_clifford_angles = bool(operation.params) and set(capabilities.gates) >= GENERATORS
    hint = f": its angles are multiples of pi/2, to within {TOLERANCE:g}" if takes_clifford_angles else ""
    return Lack(f"gate {operation.name}", f"does not have this gate, nor gates that equal it exactly{hint}", index)


def _precision(needs: Needs, capabilities: Capabilities, _: RunOptions) -> Lack | None:
    if capabilities.precision is Precision.DOUBLE or needs.precision is Precision.SINGLE:
        return None
    max_operations = MOST_GATES_IN_SINGLE_PRECISION
    return Lack(
        "double precision",
        f"computes in single precision, enough for {max_operations:,} operations",
        max_operations,
    )


def _noise(_: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    noise = options.details.noise
    missing = [kind for kind in noise.kinds() if kind not in capabilities.noise] if noise else []
    return Lack(f"{missing[0]} noise", f"has no {missing[0].replace('_', ' ')} noise") if missing else None


def _noisy_sampler(_: Needs, __: Capabilities, options: RunOptions) -> Lack | None:
    if options.details.noise is None or options.sampling is not Sampling.NATIVE or options.own_sampler:
        return None
    return Lack("native sampling of noise", "has its noisy shots drawn by the shared sampler: leave sampling at 'auto'")


def _own_sampler(needs: Needs, capabilities: Capabilities, options: RunOptions) -> Lack | None:
    needs_own_sampler = options.own_sampler or options.sampling is Sampling.NATIVE
    if (
        not needs_own_sampler
        or options.result is not ResultType.COUNTS
        or capabilities.native_dynamic
        or needs.dynamic is None
    ):
        return None
    hint = "" if options.own_sampler else ": leave sampling at 'auto'"
    text = f"cannot run mid-circuit measurement, reset or conditions with its own sampler{hint}"
    return Lack("native dynamic circuits", text, needs.dynamic)


def _own_control_flow(needs: Needs, _: Capabilities, options: RunOptions) -> Lack | None:
    indices = [index for index in (needs.assignment, needs.loop) if index is not None]
    if options.sampling is not Sampling.NATIVE or options.result is not ResultType.COUNTS or not indices:
        return None
    text = "runs assignments and loops with the shared sampler: leave sampling at 'auto'"
    return Lack("native control flow", text, min(indices))


_CHECKS: tuple[Callable[[Needs, Capabilities, RunOptions], Lack | None], ...] = (
    _result,
    _seed,
    _sampler,
    _qubits,
    _control,
    _assignment,
    _loop,
    _reset,
    _mid_circuit,
    _gates,
    _precision,
    _noise,
    _noisy_sampler,
    _own_sampler,
    _own_control_flow,
)
