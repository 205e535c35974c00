"""``compare()``: gathers what simulators give, decides who differs, and explains why."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec

from gateway.backends.auto import open_backends
from gateway.backends.base import Backend, CircuitLike
from gateway.compare.circuits import NamedCircuit, named_circuits
from gateway.compare.comparison import Comparison
from gateway.compare.explaining import Explaining
from gateway.compare.gathering import Gathering
from gateway.compare.machine import this_machine
from gateway.compare.observing import Plan
from gateway.compare.options import check_options
from gateway.compare.progress import Progress, progress_of
from gateway.compare.referee import decide
from gateway.errors import RequestError
from gateway.noise import NoiseModel
from gateway.results import Sampling

DEFAULT_SHOTS = 10_000
"""The shots on each simulator when neither shots nor a resolution is given."""


def compare(  # noqa: PLR0913 - each is a thing to ask for, and all have names
    circuits: CircuitLike | Sequence[CircuitLike] | Mapping[str, CircuitLike],
    backends: Mapping[str, Backend] | Sequence[str | Backend] | str,
    *,
    shots: int | None = None,
    resolution: float | None = None,
    seed: int | None = None,
    repeat: int = 1,
    false_alarm_rate: float = 1e-6,
    exact: bool = True,
    side_by_side: bool = False,
    sampling: Sampling | str = Sampling.AUTO,
    noise: NoiseModel | None = None,
    timeout_s: float | None = None,
    time_limit_s: float | None = None,
    reproduce: bool = True,
    runtime: str = "auto",
    progress: Progress | str | None = "auto",
) -> Comparison:
    """Run circuits on several simulators, and say who agrees, who differs, why, and how to show it.

    The runs follow one another, so that their times can be compared; a simulator that fails is a row with its error,
    and the others run all the same. Ctrl-C, or the time limit, ends the runs, and what has finished is compared.

    Args:
        circuits: a circuit as :meth:`Backend.run` takes it, a list of them, or a mapping from name to circuit.
        backends: name -> backend; or names of simulators and URLs of servers, which are started and connected to here.
        shots: of each run; 10,000 unless a resolution chooses them.
        resolution: the total variation distance to find, 99 times in 100 and whatever the fault: chooses the shots.
        seed: of the first run on each simulator, ``0 <= seed < 2**32``; each draws its own by default.
        repeat: how often each circuit is run; with more than one, times are medians, after a warm-up.
        false_alarm_rate: the probability that any right simulator of the whole comparison is said to differ.
        exact: whether exact results are compared too, where simulators have them.
        side_by_side: whether all simulators run at the same time; their times can then not be compared.
        sampling: ``"native"`` compares the frameworks' own samplers.
        noise: of every run. The reference is then the exact distribution with this noise; causes are not looked for,
            and circuits not reduced.
        timeout_s: seconds that one run may take.
        time_limit_s: seconds that all runs together may take; what has not run by then is said to be unfinished.
        reproduce: whether a circuit on which a simulator differs is reduced to the smallest that shows it.
        runtime: ``docker``, ``local`` or ``auto``: where simulators given by name run.
        progress: ``"auto"`` shows it where people look, ``None`` nowhere; or an object of your own.

    Raises:
        RequestError: an argument has a wrong type or value.
        CircuitError: a circuit is refused.
        LimitError: the resolution would take more shots than a server allows; the message says how many.
    """
    named = named_circuits(circuits)
    check_options(
        named,
        shots=shots,
        resolution=resolution,
        seed=seed,
        repeat=repeat,
        false_alarm_rate=false_alarm_rate,
        noise=noise,
        timeout_s=timeout_s,
        time_limit_s=time_limit_s,
    )
    started = datetime.now(UTC).isoformat(timespec="seconds")
    plan = Plan(
        shots or DEFAULT_SHOTS, seed, repeat, _sampling(sampling), exact, timeout_s, _deadline(time_limit_s), noise
    )
    asked = Comparison(
        repeat=repeat,
        seed=seed,
        sampling=str(sampling),
        noise=noise,
        false_alarm_rate=false_alarm_rate,
        resolution=resolution,
        side_by_side=side_by_side,
        created=started,
        machine=this_machine(),
    )
    with open_backends(backends, runtime=runtime) as opened, _showing(progress, list(opened), named) as board:
        gathering = Gathering(opened, plan, asked, board)
        evidence = gathering.run(named)
        cases = decide([item.case() for item in evidence], false_alarm_rate)
        explaining = Explaining(opened, board, plan.deadline)
        if noise is None:
            cases = explaining.run(cases, evidence, reproduce=reproduce and not gathering.interrupted)
    interrupted = gathering.interrupted or explaining.interrupted
    return msgspec.structs.replace(asked, cases=cases, interrupted=interrupted)


def _sampling(sampling: Sampling | str) -> Sampling:
    try:
        return Sampling(sampling)
    except ValueError:
        raise RequestError(f"sampling must be 'auto' or 'native', not {sampling!r:.100}", field="sampling") from None


def _deadline(time_limit_s: float | None) -> float:
    return math.inf if time_limit_s is None else time.monotonic() + time_limit_s


@contextmanager
def _showing(
    progress: Progress | str | None, simulators: list[str], circuits: list[NamedCircuit]
) -> Iterator[Progress]:
    board = progress_of(progress)
    board.start(simulators, [circuit.name for circuit in circuits])
    try:
        yield board
    finally:
        board.finish()
