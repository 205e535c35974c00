"""Where two simulators begin to differ, and the smallest circuit on which they do; they are named, or backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.backends.auto import open_backends
from gateway.backends.base import Backend, CircuitLike
from gateway.compare import reproducer
from gateway.compare.arguments import check_number
from gateway.compare.record import Reproducer
from gateway.compare.reproducer import Located
from gateway.compare.reproducer.asking import DEFAULT_SHOTS
from gateway.compare.reproducer.clock import DEFAULT_SECONDS
from gateway.compare.reproducer.evidence import OWN
from gateway.errors import RequestError
from gateway.frameworks.sources import as_circuit


def locate(
    circuit: CircuitLike,
    a: Backend | str,
    b: Backend | str | None = None,
    *,
    shots: int = DEFAULT_SHOTS,
    seed: int | None = None,
    seconds: float | None = DEFAULT_SECONDS,
    runtime: str = "auto",
) -> Located:
    """Return the operation after which two simulators differ.

    Args:
        circuit: a circuit as :meth:`Backend.run` takes it.
        a: one simulator: a name, the URL of a server, or a backend.
        b: the other one; ``None`` for the gateway's own exact simulator.
        shots: of each run, where the exact results show nothing or there are none.
        seed: of these runs; drawn at random by default.
        seconds: that the search may take; ``None`` for as long as it takes.
        runtime: ``docker``, ``local`` or ``auto``: where simulators given by name run.

    Raises:
        RequestError: an argument has a wrong type or value, or the two do not differ on this circuit.
        UnsupportedError, LimitError: one cannot run the circuit, or takes fewer shots.
        JobTimeout: the time is over.
        GatewayError: both fail on this circuit, or one cannot be asked at all.
    """
    read = as_circuit(circuit)
    _check(shots, seed, seconds)
    with _opened(a, b, runtime) as (names, one, other):
        return reproducer.locate(read, one, other, names=names, shots=shots, seed=seed, seconds=seconds)


def reduce(
    circuit: CircuitLike,
    a: Backend | str,
    b: Backend | str | None = None,
    *,
    shots: int = DEFAULT_SHOTS,
    seed: int | None = None,
    seconds: float | None = DEFAULT_SECONDS,
    runtime: str = "auto",
) -> Reproducer:
    """Return the smallest circuit that can be found on which a simulator still differs from another one.

    When the time is over, or on Ctrl-C, the smallest circuit so far is returned, with ``minimal`` false.

    Args:
        circuit: a circuit as :meth:`Backend.run` takes it, on which the two differ.
        a: the simulator that is thought to be wrong: a name, the URL of a server, or a backend.
        b: the one that it is compared with; ``None`` for the gateway's own exact simulator.
        shots: of each run that samples, and of the counts in the reproducer.
        seed: of these runs; drawn at random by default.
        seconds: that the search may take; ``None`` for as long as it takes.
        runtime: ``docker``, ``local`` or ``auto``: where simulators given by name run.

    Raises:
        RequestError: an argument has a wrong type or value, or the two do not differ on this circuit.
        UnsupportedError, LimitError: one cannot run the circuit, or takes fewer shots.
        GatewayError: both fail on this circuit, or one cannot be asked at all.
    """
    read = as_circuit(circuit)
    _check(shots, seed, seconds)
    with _opened(a, b, runtime) as (names, one, other):
        return reproducer.reduce(read, one, other, names=names, shots=shots, seed=seed, seconds=seconds)


def _check(shots: object, seed: object, seconds: object) -> None:
    """Check the arguments before anything is started.

    Raises:
        RequestError: one has a wrong type or value.
    """
    if shots is None:
        raise RequestError("shots must be a whole number from 1 on, not None", field="shots")
    check_number("shots", shots, lowest=1, whole=True)
    check_number("seed", seed, lowest=0, below=2**32, whole=True)
    check_number("seconds", seconds, lowest=0)


@contextmanager
def _opened(
    a: Backend | str, b: Backend | str | None, runtime: str
) -> Iterator[tuple[tuple[str, str], Backend, Backend | None]]:
    """Open one or two backends; yield their names, with that of our own simulator for the one that is not given."""
    with open_backends([a] if b is None else [a, b], runtime=runtime) as opened:
        names, backends = [*opened, OWN], [*opened.values(), None]
        assert backends[0] is not None  # noqa: S101 - one at least is given
        yield (names[0], names[1]), backends[0], backends[1]
