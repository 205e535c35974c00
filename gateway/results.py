"""What a simulator declares about itself and what a run gives back."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple, cast

import msgspec

from gateway.counts import KINDS, Result
from gateway.provenance import Provenance

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

    COUNTS = "counts"
    PROBABILITIES = "probabilities"
    STATEVECTOR = "statevector"

    @property
    def result_class(self) -> type[Result]:
        """What a user is given."""
        return KINDS[self.value]

    @property
    def is_exact(self) -> bool:
        """Whether it is computed and not drawn: it takes no shots."""
        return self.result_class.is_exact

    @property
    def of_state(self) -> bool:
        """Whether it describes the state of all qubits, so that the circuit may not measure them."""
        return self.result_class.of_state

    @classmethod
    def _missing_(cls, value: object) -> ResultType | None:
        """Return the member of a class of results that has no name of its own above."""
        if value not in KINDS:
            return None
        member = str.__new__(cls, value)
        member._name_, member._value_ = member.upper(), str(value)
        return cast("ResultType", cls._value2member_map_.setdefault(value, member))


class Sampling(StrEnum):
    """Who draws the shots."""

    AUTO = "auto"
    """The shared generator where the simulator hands over its state, its own sampler elsewhere."""
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
    "ecr",
)  # fmt: skip
"""The gates of the table that are Clifford gates whatever their parameters: what a stabilizer simulator takes."""


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


class Progress(NamedTuple):
    """How many circuits of a job are done, of how many."""

    done: int
    total: int


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulator can do, as data, declared before any code runs.

    What is not declared is refused before anything is built, in one place: :mod:`gateway.enforcement`.

    Args:
        result_types: what it can return.
        gates: ``"universal"``, or the names of the gates it takes. With names, a gate that comes down to these
            exactly is taken as well, its angles considered: ``rz(pi/2)`` where ``s`` and ``gphase`` are.
        mid_circuit_measurement: a qubit may be used after it was measured.
        reset: a qubit may be reset.
        classical_control: an operation may depend on clbits.
        seedable: same seed, same circuit, same version: equal counts.
        bytes_per_amplitude: peak memory for n qubits is this times ``2**n``; ``None`` when it
            depends on the circuit and not on n alone.
        exact_bytes_per_amplitude: the same for exact results, where it is another number.
        max_qubits: a fixed limit of the simulator, ``None`` if only memory limits it.
        precision: of its amplitudes.
        threads: one run can use several threads.
        native_sampling: it has a sampler of its own to ask for with ``sampling="native"``.
        native_dynamic: that sampler runs mid-circuit measurement, reset and classical control.
    """

    result_types: tuple[ResultType, ...]
    gates: Literal["universal"] | tuple[str, ...] = "universal"
    mid_circuit_measurement: bool = True
    reset: bool = True
    classical_control: bool = True
    seedable: bool = True
    bytes_per_amplitude: int | None = None
    exact_bytes_per_amplitude: int | None = None
    max_qubits: int | None = None
    precision: Precision = Precision.DOUBLE
    threads: bool = False
    native_sampling: bool = True
    native_dynamic: bool = False
