"""Checks what a comparison is asked for before anything runs; it needs none of the statistics."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.circuit.noisy import check_gates
from gateway.compare.arguments import check_number, check_rate
from gateway.compare.circuits import NamedCircuit
from gateway.errors import RequestError
from gateway.noise import NoiseModel


def check_options(  # noqa: PLR0913 - each is a thing to ask for, and all have names
    circuits: Sequence[NamedCircuit],
    *,
    shots: int | None = None,
    resolution: float | None = None,
    seed: int | None = None,
    repeat: int = 1,
    false_alarm_rate: float = 1e-6,
    noise: NoiseModel | None = None,
    timeout_s: float | None = None,
    time_limit_s: float | None = None,
) -> None:
    """Check arguments of :func:`gateway.compare.compare`, which mean there what they mean here.

    Raises:
        RequestError: an argument has a wrong type or value.
    """
    _check_shots(shots, resolution)
    check_number("seed", seed, lowest=0, below=2**32, whole=True)
    check_number("repeat", repeat, lowest=1, whole=True)
    check_rate(false_alarm_rate)
    check_number("timeout_s", timeout_s, above=0)
    check_number("time_limit_s", time_limit_s, above=0)
    _check_noise(noise, circuits)


def _check_shots(shots: int | None, resolution: float | None) -> None:
    if shots is not None and resolution is not None:
        raise RequestError("give shots, or a resolution that chooses them, and not both", field="shots")
    check_number("shots", shots, lowest=1, whole=True)
    check_number("resolution", resolution, above=0, below=1)


def _check_noise(noise: NoiseModel | None, named: Sequence[NamedCircuit]) -> None:
    if noise is None:
        return
    if not isinstance(noise, NoiseModel):
        raise RequestError(f"noise is a NoiseModel, not {noise!r:.100}", field="noise")
    for circuit in named:
        noise.check(circuit.circuit.num_qubits)
        check_gates(noise)
        if not circuit.is_measured:
            raise RequestError(
                f"{circuit.name} measures nothing, and with noise circuits are compared by their outcomes: add "
                "measure_all()",
                field="noise",
            )
