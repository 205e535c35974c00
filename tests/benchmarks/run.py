"""Measures what the project promises about its speed: ``scripts/bench``.

Every figure is a ratio of two things timed in turns in one process; see measuring.py. Each case has
a process of its own, so that no framework disturbs another. The exit status is 1 when a target is
missed or a case could not be measured.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import platform
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import building
import comparing
import containers
import diagnosing
import door
import dynamic_shots
import image
import interchange
import jobs
import large_answers
import msgspec
import overheads
import parsing
import referee
import released_qrisp
import reproducing
import round_trip
import sampling
import serving
import sweeping
import trees
from measuring import Row

from gateway.simulators import SIMULATORS
from gateway.version import __version__

ONE = ("",)
EACH = tuple(row.name for row in SIMULATORS.values() if row.capabilities.gates == "universal")
BARE = tuple(name for name in EACH if Path(__file__).with_name("bare").joinpath(f"{name}.py").exists())
"""Simulators with a bare loop over their own constructors to compare with."""

SWEPT = ("cirq", "qiskit", "qulacs")
"""Simulators whose frameworks have parameters and observables of their own."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One promise.

    Args:
        measure: simulator -> rows; called in a process of its own.
        simulators: what it is called with.
    """

    measure: Callable[..., list[Row]]
    simulators: tuple[str, ...]


BENCHMARKS = {
    parsing.NAME: Benchmark(parsing.measure, ONE),
    interchange.NAME: Benchmark(interchange.measure, ONE),
    building.NAME: Benchmark(building.measure, BARE),
    sampling.NAME: Benchmark(sampling.measure, BARE),
    sweeping.NAME: Benchmark(sweeping.measure, SWEPT),
    round_trip.NAME: Benchmark(round_trip.measure, EACH),
    dynamic_shots.NAME: Benchmark(dynamic_shots.measure, EACH),
    jobs.NAME: Benchmark(jobs.measure, ONE),
    large_answers.NAME: Benchmark(large_answers.measure, ONE),
    serving.NAME: Benchmark(serving.measure, ONE),
    door.NAME: Benchmark(door.measure, ONE),
    overheads.NAME: Benchmark(overheads.measure, ONE),
    comparing.NAME: Benchmark(comparing.measure, ONE),
    diagnosing.NAME: Benchmark(diagnosing.measure, ONE),
    released_qrisp.NAME: Benchmark(released_qrisp.measure, ONE),
    referee.NAME: Benchmark(referee.measure, ONE),
    reproducing.NAME: Benchmark(reproducing.measure, ONE),
    containers.NAME: Benchmark(containers.measure, ONE),
    image.NAME: Benchmark(image.measure, ONE),
}


def main() -> int:
    """Run the benchmarks that were asked for."""
    arguments = _arguments()
    if arguments.against is not None:
        return _against(arguments)
    rows = []
    if not arguments.json:
        print(_line("benchmark", "case", "ours", "other", "ratio", "target", ""))
    for row in _rows(arguments):
        rows.append(row)
        if not arguments.json:
            print(_shown(row), flush=True)
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(_report(rows, quick=arguments.quick))).decode())
    return int(any(row.verdict in {"misses", "failed"} for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure what is promised, as ratios.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: noisier")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--only", metavar="NAME", action="append", choices=BENCHMARKS, help=", ".join(BENCHMARKS))
    parser.add_argument("--simulator", metavar="NAME", action="append", choices=EACH, help=", ".join(EACH))
    parser.add_argument("--against", metavar="CHECKOUT", type=Path, help="compare with another checkout, in turns")
    parser.add_argument("--rounds", type=int, default=3, help="with --against: runs in each checkout; default: 3")
    return parser.parse_args()


def _against(arguments: argparse.Namespace) -> int:
    """Print how each figure has changed from another checkout; fail if one became slower or cannot be measured."""
    options = ["--quick"] if arguments.quick else []
    for name in arguments.simulator or ():
        options += ["--simulator", name]
    print(f"{'benchmark':<12}{'case':<52}{'there':>10}{'here':>10}{'factor':>8}")
    changes = []
    names = arguments.only or BENCHMARKS
    for change in trees.compare_with(arguments.against.resolve(), names, rounds=arguments.rounds, options=options):
        changes.append(change)
        there, here, factor = (
            "" if value is None else f"{value:.3g}" for value in (change.there, change.here, change.factor)
        )
        print(f"{change.benchmark:<12}{change.case:<52}{there:>10}{here:>10}{factor:>8}  {change.verdict}", flush=True)
    return int(any(change.verdict in {"slower", "failed"} for change in changes))


def _rows(arguments: argparse.Namespace) -> Iterator[Row]:
    for name in arguments.only or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        for simulator in benchmark.simulators:
            if benchmark.simulators is ONE or simulator in (arguments.simulator or EACH):
                yield from _in_own_process(name, simulator, quick=arguments.quick)


def _in_own_process(name: str, simulator: str, *, quick: bool) -> list[Row]:
    context = get_context("spawn")
    context.set_executable(SIMULATORS[simulator].python() if simulator else sys.executable)
    with ProcessPoolExecutor(1, mp_context=context, initializer=_initialize) as pool:
        try:
            return pool.submit(BENCHMARKS[name].measure, simulator, quick=quick).result()
        except Exception as exc:  # noqa: BLE001 - the other benchmarks go on; the row says what happened
            return [Row(benchmark=name, case=simulator, error=f"{type(exc).__name__}: {exc}")]


def _initialize() -> None:
    warnings.simplefilter("ignore")  # pyQuil deprecates what is measured, see adapters/rigetti.py
    atexit.register(gc.unfreeze)  # else MQT reports what is frozen as leaks
    sys.path.insert(
        0, sysconfig.get_path("purelib")
    )  # spawn brings the path of the parent, whose environment may be another


def _report(rows: list[Row], *, quick: bool) -> dict[str, object]:
    """Return all that is needed to judge the figures."""
    return {
        "gateway": __version__,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "processors": len(os.sched_getaffinity(0)),
        "load": os.getloadavg(),
        "simulators": {name: row.installed_version() for name, row in SIMULATORS.items()},
        "quick": quick,
        "rows": [msgspec.to_builtins(row) | {"verdict": row.verdict} for row in rows],
    }


def _shown(row: Row) -> str:
    target = "" if row.target is None else f"<= {row.target:.3g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
    verdict = f"failed: {row.error}" if row.error is not None else row.verdict
    return _line(row.benchmark, row.case, _time(row.ours_s), _time(row.other_s), ratio, target, verdict)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, length in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def _line(benchmark: str, case: str, ours: str, other: str, ratio: str, target: str, verdict: str) -> str:
    line = f"{benchmark:<12}{case:<52}{ours:>9}{other:>9}{ratio:>8}{target:>10}  {verdict}"
    return line.rstrip()


if __name__ == "__main__":
    sys.exit(main())
