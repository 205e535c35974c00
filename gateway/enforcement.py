"""What a simulator, a function or a machine refuses: the one place where needs meet capabilities.

Adapters, functions and vendors' machines all ask here, so that what is declared is what is enforced, and
a refusal always names what is lacking, where in the circuit it is needed, and who else has it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from gateway.circuit.lowering import first_beyond
from gateway.circuit.needs import MOST_GATES_IN_SINGLE_PRECISION, Needs
from gateway.errors import CircuitInvalidError, LimitError, RequestError, UnsupportedError
from gateway.results import Capabilities, Precision, ResultType, Sampling
from gateway.simulators import rows


class RunOptions(NamedTuple):
    """What a run asks for besides its circuit.

    Args:
        result: what it returns.
        sampling: who draws the shots.
        seeded: whether a seed was given.
        own_sampler: the simulator's own sampler has to draw the shots, asked for or not.
    """

    result: ResultType
    sampling: Sampling = Sampling.AUTO
    seeded: bool = False
    own_sampler: bool = False


class Lack(NamedTuple):
    """Something that is needed and not declared.

    Args:
        feature: its name, for programs.
        text: what the simulator says of it, beginning with a verb.
        operation: index of the first operation that needs it.
        allowed: how many qubits there are, where that is what is lacking.
    """

    feature: str
    text: str
    operation: int | None = None
    allowed: int | None = None


def result_type(shots: int | list[int] | None, result: ResultType | None) -> ResultType:
    """Return what a run returns: counts if there are shots, else probabilities, unless something is asked for.

    Raises:
        RequestError: counts without shots, or shots with an exact result.
    """
    kind = result or (ResultType.PROBABILITIES if shots is None else ResultType.COUNTS)
    if kind.is_exact == (shots is not None):
        message = f"{kind} need a number of shots" if shots is None else f"{kind} are exact: leave shots out"
        raise RequestError(message, field="shots")
    return kind


def check_measured(needs: Needs, options: RunOptions, *, simulator: str) -> None:
    """Refuse a circuit that does not fit the result, whoever would run it.

    Raises:
        CircuitInvalidError: nothing is measured, so there is nothing to count.
        UnsupportedError: a circuit with measurements, resets or conditions has no single state vector.
    """
    if not options.result.of_state:
        if needs.measurement is None:
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
    indices = (needs.measurement, needs.reset, needs.classical_control)
    return min((index for index in indices if index is not None), default=None)


def refuse(
    needs: Needs, able: Capabilities, options: RunOptions, *, simulator: str, memory_bytes: int | None = None
) -> None:
    """Refuse a run that asks for something that is not declared.

    Args:
        needs: of the circuit.
        able: what is declared.
        options: of the run.
        simulator: who is asked, for the error.
        memory_bytes: what others may use, to say who takes the circuit; the machine's memory when ``None``.

    Raises:
        LimitError: more qubits than there are.
        UnsupportedError: anything else; ``operation`` and ``gate`` say where, ``supported_by`` who can.
    """
    lack = _first_lack(needs, able, options)
    if lack is None:
        return
    others = supported_by(needs, options, simulator=simulator, memory_bytes=memory_bytes)
    if lack.allowed is not None:
        text = f"the circuit uses {_width(needs, options)} qubits; {simulator} has {lack.allowed}"
        raise too_many_qubits(text, _width(needs, options), lack.allowed, simulator, others)
    where, gate = "", None
    if lack.operation is not None:
        operation = needs.operations[lack.operation]
        where, gate = f"operation {lack.operation} ({operation}): ", operation.name
    raise UnsupportedError(
        f"{where}{simulator} {lack.text}{_and_who_can(others)}",
        feature=lack.feature,
        simulator=simulator,
        operation=lack.operation,
        gate=gate,
        supported_by=others,
    )


def supported_by(needs: Needs, options: RunOptions, *, simulator: str, memory_bytes: int | None = None) -> list[str]:
    """Return the simulators of the registry, other than the one asked, that take a run."""
    if options.result.of_state and _no_single_state(needs) is not None:
        return []
    options = options._replace(own_sampler=False)  # that one's way, not theirs
    if memory_bytes is None:
        memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return [
        row.name
        for row in rows()
        if row.name != simulator
        and _first_lack(needs, row.capabilities, options) is None
        and _fits(needs, options, row.capabilities, memory_bytes)
    ]


def too_many_qubits(text: str, requested: int, allowed: int, simulator: str, others: list[str]) -> LimitError:
    """Return the error for a circuit that is too wide.

    Args:
        text: what is wrong, as a sentence without its full stop.
        requested: how many qubits it takes.
        allowed: how many there are, or fit.
        simulator: who was asked.
        others: who takes the circuit.
    """
    return LimitError(
        text + _and_who_can(others),
        limit="qubits",
        requested=requested,
        allowed=allowed,
        simulator=simulator,
        supported_by=others,
    )


def _and_who_can(others: list[str]) -> str:
    return f"; supported by: {', '.join(others)}" if others else ""


def _width(needs: Needs, options: RunOptions) -> int:
    """Return how many qubits are simulated: a state vector has the idle ones too."""
    return needs.num_qubits if options.result.of_state else needs.qubits


def _fits(needs: Needs, options: RunOptions, able: Capabilities, memory_bytes: int) -> bool:
    exact = able.exact_bytes_per_amplitude if options.result.is_exact else None
    per_amplitude = exact or able.bytes_per_amplitude
    return per_amplitude is None or per_amplitude << _width(needs, options) <= memory_bytes


# ---------------------------------------------------------------------------- what may be lacking


def _first_lack(needs: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    for check in _CHECKS:
        lack = check(needs, able, options)
        if lack is not None:
            return lack
    return None


def _result(_: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    if options.result in able.result_types:
        return None
    hint = "; ask for shots" if able.result_types == (ResultType.COUNTS,) else ""
    return Lack(str(options.result), f"does not have the result type {options.result}{hint}")


def _seed(_: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    return Lack("seed", "cannot be seeded") if options.seeded and not able.seedable else None


def _sampler(_: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    if options.sampling is not Sampling.NATIVE or able.native_sampling:
        return None
    return Lack("native sampling", "does not have a sampler of its own")


def _qubits(needs: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    width = _width(needs, options)
    if able.max_qubits is None or width <= able.max_qubits:
        return None
    return Lack("qubits", "has fewer qubits", allowed=able.max_qubits)


def _control(needs: Needs, able: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("classical control", needs.classical_control, declared=able.classical_control)


def _reset(needs: Needs, able: Capabilities, _: RunOptions) -> Lack | None:
    return _dynamic("reset", needs.reset, declared=able.reset)


def _mid_circuit(needs: Needs, able: Capabilities, _: RunOptions) -> Lack | None:
    indices = [index for index in (needs.repeated_measurement, needs.mid_circuit_measurement) if index is not None]
    return _dynamic("mid-circuit measurement", min(indices, default=None), declared=able.mid_circuit_measurement)


def _dynamic(feature: str, index: int | None, *, declared: bool) -> Lack | None:
    return None if declared or index is None else Lack(feature, f"has no {feature}", index)


def _gates(needs: Needs, able: Capabilities, _: RunOptions) -> Lack | None:
    index = None if able.gates == "universal" else first_beyond(needs.operations, able.gates)
    if index is None:
        return None
    name = needs.operations[index].name
    return Lack(f"gate {name}", "does not have this gate, nor does it come down to gates it has", index)


def _precision(needs: Needs, able: Capabilities, _: RunOptions) -> Lack | None:
    if able.precision is Precision.DOUBLE or needs.precision is Precision.SINGLE:
        return None
    most = MOST_GATES_IN_SINGLE_PRECISION
    return Lack("double precision", f"computes in single precision, which bears {most:,} operations", most)


def _own_sampler(needs: Needs, able: Capabilities, options: RunOptions) -> Lack | None:
    own = options.own_sampler or options.sampling is Sampling.NATIVE
    if not own or options.result is not ResultType.COUNTS or able.native_dynamic or needs.dynamic is None:
        return None
    hint = "" if options.own_sampler else ": leave sampling at 'auto'"
    text = f"cannot run mid-circuit measurement, reset or conditions with its own sampler{hint}"
    return Lack("native dynamic circuits", text, needs.dynamic)


_CHECKS: tuple[Callable[[Needs, Capabilities, RunOptions], Lack | None], ...] = (
    _result,
    _seed,
    _sampler,
    _qubits,
    _control,
    _reset,
    _mid_circuit,
    _gates,
    _precision,
    _own_sampler,
)
