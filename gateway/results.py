"""The capabilities that a simulator declares, and the types of what a run returns."""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import Literal, NamedTuple, cast

import msgspec

from gateway.amplitudes import Amplitudes
from gateway.counts import KINDS, Counts, Probabilities, Result, Statevector
from gateway.density_matrix import DensityMatrix
from gateway.expectation import Expectation
from gateway.provenance import Provenance
from gateway.shot_memory import Memory

__all__ = [
    "CLIFFORD",
    "Capabilities",
    "JobState",
    "Precision",
    "Progress",
    "Provenance",
    "Result",
    "ResultType",
    "Sampling",
]


class ResultType(StrEnum):
    """What a run can return: the ``kind`` of a class of results."""

    COUNTS = Counts.kind
    PROBABILITIES = Probabilities.kind
    STATEVECTOR = Statevector.kind
    EXPECTATION = Expectation.kind
    MEMORY = Memory.kind
    AMPLITUDES = Amplitudes.kind
    DENSITY_MATRIX = DensityMatrix.kind

    @property
    def result_class(self) -> type[Result]:
        """The class of the results of this type."""
        return KINDS[self.value]

    @property
    def is_exact(self) -> bool:
        """Whether results of this type are computed instead of drawn; an exact result takes no shots."""
        return self.result_class.is_exact

    @property
    def may_be_estimated(self) -> bool:
        """Whether exact results of this type can be estimated from shots as well."""
        return self.result_class.may_be_estimated

    @property
    def of_state(self) -> bool:
        """Whether results of this type describe the state of all qubits, so that the circuit may not measure them."""
        return self.result_class.of_state

    @property
    def of_clbits(self) -> bool:
        """Whether results of this type are about clbits, so that the circuit has to measure something."""
        return self.result_class.of_clbits

    @classmethod
    def _missing_(cls, value: object) -> ResultType | None:
        """Return the member for a class of results that is not listed above."""
        if value not in KINDS:
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = member.upper(), str(value)
        return cast("ResultType", cls._value2member_map_.setdefault(value, member))


_KNOWN_TO_ALL = frozenset({ResultType.COUNTS, ResultType.PROBABILITIES, ResultType.STATEVECTOR})
"""The result types of the first servers and clients; a client refuses a type that it does not know."""


class Sampling(StrEnum):
    """Who draws the shots."""

    AUTO = "auto"
    """The gateway's sampler where the simulator hands over its distribution, the simulator's own sampler elsewhere."""
    NATIVE = "native"
    """Always the framework's own sampler."""


class Precision(StrEnum):
    """How exactly a simulator computes."""

    SINGLE = "single"
    """Amplitudes of 32-bit floating-point numbers, about 7 digits."""
    DOUBLE = "double"
    """Amplitudes of 64-bit floating-point numbers, about 16 digits, or exact arithmetic."""


CLIFFORD = (
    "gphase", "id", "u0", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "cx", "CX", "cy", "cz", "swap", "iswap", "dcx",
    "ecr", "zzmax",
)  # fmt: skip
"""The gates of the table that are Clifford gates whatever their parameters: what a stabilizer simulator takes."""


class JobState(StrEnum):
    """The states of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the job is done, failed or cancelled, so that its state does not change any more."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Progress(NamedTuple):
    """How many circuits of a job are done, and how many circuits it has."""

    done: int
    total: int


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulator can do, declared as data so that it is known before any of its code runs.

    :mod:`gateway.enforcement` refuses whatever a simulator does not declare, before anything is built.

    Args:
        result_types: the result types that the simulator can return.
        gates: ``"universal"``, or the names of the gates that the simulator takes. It then also takes every gate
            that equals a product of these at its actual angles: ``rz(pi/2)`` where it takes ``s`` and ``gphase``.
        mid_circuit_measurement: whether a qubit may be used after it was measured.
        reset: whether a qubit may be reset.
        classical_control: whether an operation may depend on clbits.
        assignment: whether classical values may be computed from clbits and written to others.
        loops: whether operations may be repeated depending on clbits.
        seedable: whether the same seed, circuit and version give equal counts.
        bytes_per_amplitude: the peak memory of a run on n qubits, divided by ``2**n``; ``None`` when it
            depends on the circuit and not on n alone.
        exact_bytes_per_amplitude: the same for exact results, where it is another number.
        max_qubits: the largest number of qubits, ``None`` if only memory limits it.
        precision: the precision of the amplitudes.
        threads: whether one run can use several threads.
        native_sampling: whether the simulator has a sampler of its own, for ``sampling="native"``.
        native_dynamic: whether that sampler runs mid-circuit measurement, reset and classical control.
        more_result_types: only in a message: the result types that clients may not know, by name. Whoever reads it adds
            those that it knows to ``result_types``.
        noise: the kinds of noise that the simulator has: names of channels of :mod:`gateway.noise`, and ``readout``.
    """

    result_types: tuple[ResultType, ...]
    gates: Literal["universal"] | tuple[str, ...] = "universal"
    mid_circuit_measurement: bool = True
    reset: bool = True
    classical_control: bool = True
    assignment: bool = False
    loops: bool = False
    seedable: bool = True
    bytes_per_amplitude: int | None = None
    exact_bytes_per_amplitude: int | None = None
    max_qubits: int | None = None
    precision: Precision = Precision.DOUBLE
    threads: bool = False
    native_sampling: bool = True
    native_dynamic: bool = False
    more_result_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.more_result_types:
            known = tuple(ResultType(name) for name in self.more_result_types if name in KINDS)
            msgspec.structs.force_setattr(self, "result_types", tuple(dict.fromkeys((*self.result_types, *known))))
            msgspec.structs.force_setattr(self, "more_result_types", ())

    def as_sent(self) -> Capabilities:
        """Return the capabilities as they stand in a message, which every client can read."""
        sent = copy.copy(self)
        for name, is_known in (("result_types", True), ("more_result_types", False)):
            types = tuple(kind for kind in self.result_types if (kind in _KNOWN_TO_ALL) is is_known)
            msgspec.structs.force_setattr(sent, name, types)
        return sent

    noise: tuple[str, ...] = ()

    def most_qubits(self, memory_bytes: int) -> int | None:
        """Return how many qubits a run for counts may have in some memory; ``None`` if that depends on the circuit."""
        fitting = None
        if self.bytes_per_amplitude is not None:
            fitting = max((memory_bytes // self.bytes_per_amplitude).bit_length() - 1, 0)
        return min((limit for limit in (self.max_qubits, fitting) if limit is not None), default=None)

    def facts(self) -> dict[str, str]:
        """Return in words what the simulator can do: ability -> ``yes``, ``no`` or more than that."""
        own_sampler = "yes, of dynamic circuits too" if self.native_dynamic else "yes"
        memory = self.bytes_per_amplitude
        return {
            "results": ", ".join(self.result_types) or "none",
            "gates": "all" if self.gates == "universal" else " ".join(self.gates),
            "mid-circuit measurement": _yes_or_no(self.mid_circuit_measurement),
            "reset": _yes_or_no(self.reset),
            "conditions": _yes_or_no(self.classical_control),
            "values from clbits": _yes_or_no(self.assignment),
            "loops": _yes_or_no(self.loops),
            "equal counts for equal seeds": _yes_or_no(self.seedable),
            "sampler of its own": own_sampler if self.native_sampling else "no",
            "noise": ", ".join(self.noise) or "none",
            "precision": str(self.precision),
            "threads of a run": "several" if self.threads else "one",
            "qubits at most": "no fixed limit" if self.max_qubits is None else f"{self.max_qubits:,}",
            "memory": "depends on the circuit" if memory is None else f"{memory} bytes for each amplitude",
        }

    def _repr_html_(self) -> str:
        from gateway.look import markup  # noqa: PLC0415 - a server shows nothing

        return markup.block(markup.title("Capabilities"), markup.pairs(self.facts()))


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"
