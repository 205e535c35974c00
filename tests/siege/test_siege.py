"""Ten ordinary callers are answered right and in time beside all that is hostile, and everything is given back.

``scripts/siege`` lasts ten minutes; the short form in the suite says nothing about how long things take.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import msgspec
import pytest
from siege.besieged import HELPERS, MEMORY, WORKERS, Besieged, BesiegedDoor, line
from siege.census import Holdings, Watch, processor_seconds
from siege.hostile import Orders
from siege.ordinary import CALLERS, MakeClient, Report, calling
from siege.sabotage import Saboteur
from siege.served import Misdeed, misdeed
from support.doors import THROUGH_A_DOOR, WAYS
from support.serving import environment
from support.waiting import wait_until

from gateway import Circuit
from gateway.errors import GatewayError, LimitError, OutOfMemory
from gateway.results import JobState

pytestmark = [pytest.mark.siege, pytest.mark.timeout(7200)]

MIB = 2**20
LONG_MINUTES = 2.0
"""From this length on, the siege also says how long things take, and how often callers were put off."""

P99_S = 5.0
HEALTHZ_S = 1.0
BUSY_SHARE = 0.05
"""Of the requests of ordinary callers, at most so many are put off, as no worker became free in time."""

BROKEN_SHARE = 0.01
"""At most so many break off, as a kept connection does that is closed while the next request is sent."""

LATE_SHARE = 0.01
"""At most so many take longer than their second, beside those whose worker is stopped."""

PEAKS = {
    "arbiter": 150 * MIB,
    "HTTP": 512 * MIB,
    "fork server": 300 * MIB,
    "keeper": 150 * MIB,
    "worker": MEMORY + 256 * MIB,
    "of a run": MEMORY + 256 * MIB,
    "other": 150 * MIB,
    "helper": 150 * MIB,
}
"""The most memory of one process of each kind: a worker holds its framework beside what a run may allocate."""

GROWTH = 96 * MIB
"""What the HTTP process may hold at the end beyond the beginning: allocators do not give all of it back."""

THREADS = 150
"""And so many threads, most of a pool that grows to its size once and stays; each may have the database open."""

DESCRIPTORS = 20
"""And so many descriptors, beside those of the database."""

CALM_S = 90.0

HOSTILE = ["token-of-mallory", "token-of-moriarty"]
ORDINARY = [f"token-of-caller-{which}" for which in range(1, CALLERS + 1)]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, Besieged]]:
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(line(token, token) for token in HOSTILE + ORDINARY))
    tokens.chmod(0o600)
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(Besieged(name, tmp_path / name, tokens)) for name in ("qulacs", "function")}


@contextlib.contextmanager
def attacked(orders: Orders) -> Iterator[dict[str, Any]]:
    """Attack for as long as the block lasts; what the servers have answered is known after it."""
    found: dict[str, Any] = {}
    with subprocess.Popen(
        [sys.executable, "-m", "siege.hostile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(msgspec.json.encode(orders) + b"\n")
            process.stdin.flush()
            began = time.monotonic()
            yield found
            assert process.poll() is None, "the hostile clients have given up"
            found["processors"] = processor_seconds(process.pid) / (time.monotonic() - began)
            told, _ = process.communicate(timeout=CALM_S)  # which also ends its standard input
            found.update(json.loads(told))
        finally:
            process.kill()


@pytest.mark.parametrize("way", WAYS)
def test_ordinary_callers_are_served_beside_all_that_is_hostile(
    request, tmp_path: Path, servers: dict[str, Besieged], way: str
):
    minutes, seed = request.config.getoption("--minutes"), request.config.getoption("--chaos-seed") or os.getpid()
    print(f"\nsiege: {minutes:g} minutes, --chaos-seed {seed}")
    _warm_up(servers)
    fitting = _most_qubits(servers["qulacs"])  # which also makes the account of claims
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(_door(tmp_path, servers))] if way == THROUGH_A_DOOR else []
        besieged = [*servers.values(), *doors]
        before = {server.name: Holdings.of(server) for server in besieged}
        report, watch, saboteur = Report(), Watch(besieged), Saboteur(list(servers.values()), seed)
        began, ours = time.monotonic(), time.process_time()
        with watch.watching():
            orders, clients = _directly(servers, seed) if not doors else _through(doors[0], servers, seed)
            with attacked(orders) as found, saboteur.at_work(), calling(ORDINARY, clients, report):
                time.sleep(60 * minutes)
            seconds = time.monotonic() - began
            found["ordinary processors"] = (time.process_time() - ours) / seconds
            leftovers = _calm(servers, doors, before)
        bugs = sum((server.bugs() for server in besieged), Counter())
    if _most_qubits(servers["qulacs"]) != fitting:
        leftovers.append(f"{fitting} qubits fitted into memory before, and {_most_qubits(servers['qulacs'])} do now")
    table = Table(strict=minutes >= LONG_MINUTES)
    table.say("length", f"{seconds:.0f} s, {sum(map(len, report.seconds.values())):,} calls, {report.asked:,} requests")
    _judge_answers(table, report, saboteur)
    _judge_times(table, report, watch)
    _judge_memory(table, watch)
    table.hold("given back", "; ".join(leftovers) or "all", not leftovers)
    table.hold("bugs in the logs", f"{bugs.total()} {dict(bugs) or ''}", not bugs)
    _tell_of_the_hostile(table, found, saboteur)
    print(table)
    print("\n".join([*report.wrong[:20], *watch.failed_probes[:5]]))
    assert not table.broken, f"not held: {'; '.join(table.broken)}"


@contextlib.contextmanager
def _door(folder: Path, servers: dict[str, Besieged]) -> Iterator[BesiegedDoor]:
    """Open a door before the servers, and use it once, so that what it holds from then on is there."""
    with BesiegedDoor(folder / "door", folder / "tokens", servers) as door:
        for name in servers:
            with door.client_of(name, token=ORDINARY[0]) as client:
                for _ in range(10):
                    client.run(Circuit(2).x(0).measure_all(), shots=1)
        yield door


def _directly(servers: dict[str, Besieged], seed: int) -> tuple[Orders, list[MakeClient]]:
    ports = {name: server.port for name, server in servers.items()}
    return Orders(ports, HOSTILE, seed=seed), [server.client for server in servers.values()]


def _through(door: BesiegedDoor, servers: dict[str, Besieged], seed: int) -> tuple[Orders, list[MakeClient]]:
    prefixes = {name: door.prefix(name) for name in servers}
    orders = Orders(dict.fromkeys(servers, door.port), HOSTILE, prefixes, seed=seed)
    return orders, [partial(door.client_of, name) for name in servers]


class Table:
    """What was measured, and whether it is as promised.

    Args:
        strict: whether what depends on the speed of the machine is judged, too.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._rows: list[str] = []
        self.broken: list[str] = []

    def say(self, what: str, value: str) -> None:
        self._rows.append(f"siege: {what:<34} {value}")

    def hold(self, what: str, value: str, holds: bool, *, timing: bool = False) -> None:
        """Write a row that says whether a promise is kept."""
        judged = self._strict or not timing
        self.say(what, f"{value}  {'held' if holds else 'NOT HELD' if judged else 'not held, and not judged so short'}")
        if judged and not holds:
            self.broken.append(what)

    def __str__(self) -> str:
        return "\n".join(self._rows)


def _judge_answers(table: Table, report: Report, saboteur: Saboteur) -> None:
    calls = sum(map(len, report.seconds.values()))
    table.hold("answered right", f"{calls - len(report.wrong):,} of {calls:,}", bool(calls) and not report.wrong)
    put_off = report.repeated["busy"] + report.repeated["waited"]
    for why, count, most in (("busy", put_off, BUSY_SHARE), ("broken", report.repeated["broken"], BROKEN_SHARE)):
        share = count / max(1, report.asked)
        table.hold(f"requests {why}", f"{share:.2%} of at most {most:.0%}", share <= most, timing=True)
    table.say("requests while the database was locked", str(report.repeated["locked"]))
    table.say("runs for which no worker became free", str(report.repeated["waited"]))
    most = saboteur.may_fail + LATE_SHARE * report.asked  # a worker that is stopped is late, too
    late = report.repeated["late"]
    table.hold("runs that were late", f"{late} of at most {most:.0f}", late <= most, timing=True)
    failed = report.repeated["sabotaged"]
    table.hold("runs that failed by sabotage", f"{failed} of at most {saboteur.may_fail}", failed <= saboteur.may_fail)


def _judge_times(table: Table, report: Report, watch: Watch) -> None:
    everything = [seconds for times in report.seconds.values() for seconds in times]
    for name, times in [*sorted(report.seconds.items()), ("all", everything)]:
        p50, p99 = _percentiles(times)
        text = f"{len(times):>7,}  p50 {p50:6.3f} s  p99 {p99:6.3f} s"
        if name == "all":
            table.hold("calls: all", f"{text} of at most {P99_S:g} s", p99 <= P99_S, timing=True)
        else:
            table.say(f"calls: {name}", text)
    slowest, failed = max(watch.probes), len(watch.failed_probes)
    text = f"{len(watch.probes):,}, slowest {slowest:.3f} s of at most {HEALTHZ_S:g} s, {failed} failed"
    table.hold("/healthz", text, slowest <= HEALTHZ_S and not failed, timing=True)


def _percentiles(times: list[float]) -> tuple[float, float]:
    """Return the median, and the time that one call in a hundred exceeds."""
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [*times, 0.0][:1] * 99
    return cuts[49], cuts[98]


def _judge_memory(table: Table, watch: Watch) -> None:
    for (server, kind), peak in sorted(watch.peaks.items()):
        text = f"peak {peak / MIB:7.1f} MiB of at most {PEAKS[kind] / MIB:.0f} MiB"
        table.hold(f"memory: {server}, {kind}", text, peak <= PEAKS[kind])


def _tell_of_the_hostile(table: Table, found: dict[str, Any], saboteur: Saboteur) -> None:
    table.say("sabotage", ", ".join(f"{what}: {count}" for what, count in sorted(saboteur.deeds.items())))
    share = f"{found['processors']:.2f}, the callers and this count: {found['ordinary processors']:.2f}"
    table.say("processors of the hostile clients", share)
    table.say("idle connections at once", f"{found['most_idle']:,}")
    told = Counter(found["told"])
    for what in sorted({key.rpartition(" ")[0] for key in told}):
        answers = {key.rpartition(" ")[2]: count for key, count in told.items() if key.rpartition(" ")[0] == what}
        table.say(f"hostile: {what}", ", ".join(f"{status}: {count:,}" for status, count in sorted(answers.items())))
    bugs = sum(count for key, count in told.items() if key.endswith(("internal-error", "several jobs")))
    table.hold("hostile requests answered as a bug", str(bugs), not bugs)
    faults = [key for key in told if key.endswith(" fault")]
    table.hold("faults of the siege itself", "; ".join(faults) or "none", not faults)


# ---------------------------------------------------------------------- before and after


def _warm_up(servers: dict[str, Besieged]) -> None:
    """Let every part of the servers be used once, so that what it holds from then on is there."""
    for server in servers.values():
        with server.client(token=ORDINARY[0]) as client:
            for _ in range(10):
                client.run(Circuit(2).x(0).measure_all(), shots=1)
                client.run_async([Circuit(2).x(0).measure_all()] * WORKERS, shots=1).result(60)


def _most_qubits(server: Besieged) -> int:
    """Return the most qubits for which there is memory; a claim that was not given back would make it fewer."""
    with server.client(token=ORDINARY[0]) as client:
        for qubits in range(30, 0, -1):
            circuit = Circuit(qubits)
            for qubit in range(qubits):
                circuit.h(qubit)
            try:
                client.run(circuit.measure_all(), shots=1)
            except (LimitError, OutOfMemory):
                continue
            except GatewayError:  # it was let in, and took longer than it may
                return qubits
            return qubits
    return 0


def _calm(servers: dict[str, Besieged], doors: list[BesiegedDoor], before: dict[str, Holdings]) -> list[str]:
    """Cancel what the hostile callers have left, wait until all is given back, and return what is not."""
    leftovers: list[str] = []

    def kept() -> list[str]:
        besieged = [*servers.values(), *doors]
        return [f"{server.name}: {what}" for server in besieged for what in _kept(server, before[server.name])]

    try:
        wait_until(lambda: all(map(_cancel_all, servers.values())), "the end of all jobs", deadline_s=CALM_S)
        _use_workers(servers["qulacs"], Circuit(1).x(0).measure_all())
        _use_workers(servers["function"], misdeed(Misdeed.EXIT))  # what runs have left ends with their workers
    except (AssertionError, GatewayError) as exc:
        states = {name: server.states() for name, server in servers.items()}
        leftovers.append(f"jobs have not ended: {exc!r:.300}: {states}")
    with contextlib.suppress(AssertionError):
        wait_until(lambda: not kept(), "everything to be given back", deadline_s=CALM_S, look_every_s=0.5)
    return leftovers + kept()


def _use_workers(server: Besieged, circuit: Circuit) -> None:
    """Have each worker run a circuit; the server then notices those that were killed while they were idle."""
    with server.client(token=HOSTILE[0]) as client:
        client.run_async([circuit] * 3 * WORKERS, shots=1).outcomes(CALM_S)


def _cancel_all(server: Besieged) -> bool:
    """Cancel the jobs of the hostile callers; return whether every job of everybody has ended."""
    for token in HOSTILE:
        with server.client(token=token) as client:
            for state in ("queued", "running"):
                for job in client.jobs(state=state, limit=1000):
                    client.cancel_job(job.id)
    return all(JobState(state).ended for state in server.states())


def _kept(server: Besieged, before: Holdings) -> list[str]:
    """Return what a server has not given back."""
    try:
        now = Holdings.of(server)
        waiting = server.waiting(ORDINARY[0])
    except (OSError, ValueError, StopIteration) as exc:
        return [f"it does not answer: {exc!r}"]
    kept = [
        f"{what} {was:,} -> {is_now:,}"
        for what, was, is_now, more in (
            ("bytes of memory", before.memory, now.memory, GROWTH),
            ("threads", before.threads, now.threads, THREADS),
            ("descriptors", before.descriptors, now.descriptors, DESCRIPTORS),
            ("descriptors of the database", before.of_the_database, now.of_the_database, THREADS),
            ("temporary files", before.temporary, now.temporary, 0),
        )
        if is_now > was + more
    ]
    if now.http_process != before.http_process:
        kept.append("its HTTP process has ended, and another took its place")
    if _without_helpers(now) != _without_helpers(before) or now.processes.get("helper", 0) > HELPERS:
        kept.append(f"processes {before.processes} -> {now.processes}")
    kept += [f"{what} is {count:g}" for what, count in waiting.items() if count]
    kept += [f"{len(server.zombies())} zombies"] if server.zombies() else []
    kept += [f"{len(server.left_behind())} processes of runs"] if server.left_behind() else []
    return kept


def _without_helpers(held: Holdings) -> dict[str, int]:
    return {kind: number for kind, number in held.processes.items() if kind != "helper"}
