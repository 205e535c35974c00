"""Jobs under load while workers, HTTP processes and whole servers are killed: each accepted one ends once."""

from __future__ import annotations

import queue
import secrets
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

import pytest
from support.fake import TARGET, Does, fake
from support.power import Disk
from support.supervised import Supervised
from support.waiting import wait_until

from gateway import Circuit
from gateway.backends.client import BackendClient
from gateway.backends.server_job import ServerJob
from gateway.errors import BusyError, GatewayError, JobInterrupted, SimulatorCrashed, TransportError
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.results import JobState
from gateway.simulators import find

CLIENTS = 8
WORKERS = 2
AT_ONCE = 5
"""Jobs each client has under way."""

WIDTH = 16
EVERY_S = 0.15
"""One more job is submitted so often, so that there are enough moments to kill something at."""

END_S = 120.0
"""Far longer than any job waits; a job that takes so long is lost."""

T = TypeVar("T")
pause = time.sleep
"""Between what the clients do: load comes spread over a time, and nobody waits here for anything to happen."""


@dataclass(frozen=True)
class Planned:
    """A job, and what becomes of each of its circuits if nothing is killed: counts, or the code of an error."""

    circuits: Circuit | list[Circuit]
    shots: int
    expected: list[dict[str, int] | str]
    timeout_s: float | None = None
    cancel: bool = False

    @property
    def request(self) -> RunRequest:
        return RunRequest(circuits=self.circuits, shots=self.shots, timeout_s=self.timeout_s)


def counts(number: int, shots: int) -> dict[str, int]:
    return {format(number, f"0{WIDTH}b"): shots}


def misbehaving(random: Random, number: int) -> Planned:
    """Plan a job of the fake's: each echoes its own number, and has its own number of shots."""
    shots = number + 1
    kind = random.choices(
        ("echo", "list", "sleep", "gil", "crash", "raise", "late", "cancel", "mixed"), (40, 15, 12, 8, 5, 5, 5, 5, 5)
    )[0]
    match kind:
        case "echo":
            return Planned(fake(Does.ECHO, number, clbits=WIDTH), shots, [counts(number, shots)])
        case "sleep" | "gil":
            does = Does.SLEEP if kind == "sleep" else Does.SLEEP_WITH_GIL
            return Planned(fake(does, random.uniform(0.01, 0.5), clbits=WIDTH), shots, [counts(0, shots)])
        case "crash":
            return Planned(fake(random.choice([Does.KILL_ITSELF, Does.ABORT])), shots, ["simulator-crashed"])
        case "raise":
            return Planned(fake(Does.RAISE), shots, ["simulator-error"])
        case "late":
            return Planned(fake(Does.SLEEP_WITH_GIL, 30), shots, ["job-timeout"], timeout_s=0.3)
        case "cancel":
            return Planned(fake(Does.SLEEP, 60), shots, ["job-cancelled"], cancel=True)
    numbers = [number + k for k in range(random.randint(2, 5))]
    circuits = [fake(Does.ECHO, each, clbits=WIDTH) for each in numbers]
    expected: list[dict[str, int] | str] = [counts(each, shots) for each in numbers]
    if kind == "mixed":
        circuits[1], expected[1] = fake(Does.RAISE), "simulator-error"
    return Planned(circuits, shots, expected)


def real(random: Random, number: int) -> Planned:
    """Plan a job for a simulator: its own number in X gates, on a few qubits or in a list."""
    shots = number + 1
    numbers = [number + k for k in range(random.choice((1, 1, 3)))]
    circuits = []
    for each in numbers:
        circuit = Circuit(WIDTH)
        for bit in range(WIDTH):
            if each >> bit & 1:
                circuit.x(bit)
        circuits.append(circuit.measure_all())
    expected: list[dict[str, int] | str] = [counts(each, shots) for each in numbers]
    return Planned(circuits if len(circuits) > 1 else circuits[0], shots, expected)


@dataclass
class Ledger:
    """What the clients were told, and what was done to the server."""

    accepted: dict[int, str] = field(default_factory=dict)
    told: dict[int, tuple[JobState, list[object]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    blamed: Counter[str] = field(default_factory=Counter)
    """Runs that failed because of what was done to the server, by the code of their error."""


def insist(ask: Callable[[], T]) -> T:
    """Ask until there is an answer, as a program does that must not lose its work."""
    answers: list[T] = []
    errors: list[GatewayError] = []

    def has_answered() -> bool:
        try:
            answers.append(ask())
        except (TransportError, BusyError) as exc:
            errors.append(exc)
            return False
        return True

    wait_until(has_answered, lambda: f"an answer; the last error is {errors[-1]!r}", deadline_s=END_S, look_every_s=0.1)
    return answers[0]


class Load:
    """Clients that submit jobs and wait for them.

    Args:
        port: of the server.
        plans: the jobs, each with its number.
        ledger: where they write what they are told.
        seed: of their small decisions.
    """

    def __init__(self, port: int, plans: list[Planned], ledger: Ledger, seed: int) -> None:
        self._port = port
        self._plans = plans
        self._ledger = ledger
        self._seed = seed
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(len(plans)):
            self._todo.put(number)
        self._threads = [threading.Thread(target=self._client, args=(k,), daemon=True) for k in range(CLIENTS)]

    def start(self) -> None:
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    @property
    def under_way(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _client(self, which: int) -> None:
        random = Random(self._seed * 1000 + which)
        with BackendClient(port=self._port) as client:
            while True:
                numbers = list(self._next(AT_ONCE))
                if not numbers:
                    return
                try:
                    for number, job in [(number, self._submit(client, number, random)) for number in numbers]:
                        self._wait(job, number)
                except Exception as exc:  # noqa: BLE001 - whatever a client is told that it should not be
                    self._ledger.wrong.append(f"a client of the jobs {numbers}: {exc!r}")

    def _next(self, most: int) -> Iterator[int]:
        for _ in range(most):
            try:
                yield self._todo.get_nowait()
            except queue.Empty:
                return

    def _submit(self, client: BackendClient, number: int, random: Random) -> ServerJob:
        planned, key = self._plans[number], secrets.token_hex(8)
        pause(max(0.0, self._began + number * EVERY_S - time.monotonic()))
        job = insist(lambda: client.begin(planned.request, key=key))
        self._ledger.accepted[number] = job.id
        if random.random() < 0.2:
            again = insist(lambda: client.begin(planned.request, key=key))
            if again.id != job.id:
                self._ledger.wrong.append(f"job {number} is both {job.id} and {again.id}")
        if planned.cancel:
            pause(random.uniform(0, 0.3))
            if insist(job.cancel) and insist(job.status) is not JobState.CANCELLED:
                self._ledger.wrong.append(f"job {number} was cancelled, and is {job.status()}")
        return job

    def _wait(self, job: ServerJob, number: int) -> None:
        outcomes = insist(lambda: job.outcomes(END_S))
        self._ledger.told[number] = (job.status(), [_plain(outcome) for outcome in outcomes])
        for position, (outcome, expected) in enumerate(zip(outcomes, self._plans[number].expected, strict=True)):
            if isinstance(outcome, GatewayError) and outcome.code == expected:
                continue
            if isinstance(outcome, GatewayError) and _can_be_blamed_on_a_kill(outcome):
                self._ledger.blamed[outcome.code] += 1
            elif outcome != expected:
                self._ledger.wrong.append(f"circuit {position} of job {number} gave {outcome!r}, not {expected}")


def _can_be_blamed_on_a_kill(error: GatewayError) -> bool:
    return isinstance(error, JobInterrupted) or (isinstance(error, SimulatorCrashed) and error.exit_code == -9)


def _plain(outcome: object) -> object:
    return (outcome.code, str(outcome)) if isinstance(outcome, GatewayError) else dict(outcome)  # type: ignore[call-overload]


@contextmanager
def killing(server: Supervised, ledger: Ledger, random: Random, disk: Disk | None = None) -> Iterator[threading.Event]:
    """Kill something every now and then, each kind at least once, and start the server again where nobody else does."""
    over = threading.Event()
    kinds = {"worker": 8, "http": 3, "server": 2, "arbiter": 1} | ({} if disk is None else {"power": 4})
    first = random.sample(sorted(kinds), len(kinds))

    def kill(kind: str) -> None:
        if kind == "worker":
            ledger.kills[kind] += server.kill_worker()
            return
        {
            "http": server.kill_http,
            "server": server.kill_all,
            "arbiter": server.kill_arbiter,
            "power": server.kill_all,
        }[kind]()
        if disk is not None and kind == "power":
            disk.fail(random.choice((None, random)))
        ledger.kills[kind] += 1
        if kind != "http":
            server.start()

    def go_on() -> None:
        try:
            while not over.wait(random.uniform(0.3, 1.5)):
                kill(first.pop() if first else random.choices(list(kinds), list(kinds.values()))[0])
        except Exception:  # noqa: BLE001 - a server that does not come back is what is looked for
            ledger.wrong.append(f"the server was not to be had again: {traceback.format_exc()}")
            over.set()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    yield over
    over.set()
    thread.join()


def chaos(tmp_path: Path, seed: int, plans: list[Planned], target: str, disk: Disk | None = None) -> None:
    """Run jobs while things are killed, and the power fails if there is a disk for that; then count."""
    print(f"\nchaos: {len(plans)} jobs, --chaos-seed {seed}")
    ledger, began = Ledger(), time.monotonic()
    limits = ServerLimits(timeout_s=60)
    folder = tmp_path if disk is None else disk.folder
    with Supervised(folder / "jobs.sqlite", target=target, workers=WORKERS, limits=limits) as server:
        load = Load(server.port, plans, ledger, seed)
        with killing(server, ledger, Random(seed), disk) as over:
            load.start()
            wait_until(lambda: over.is_set() or not load.under_way, "the last job", deadline_s=1800, look_every_s=0.1)
        assert not ledger.wrong, "\n".join(ledger.wrong)
        server.start()
        _assert_told_the_same_again(server, ledger)
    took_s = time.monotonic() - began
    states = Counter(str(state) for state, _ in ledger.told.values())
    print(f"chaos: {took_s:.0f} s, killed {dict(ledger.kills)}, states {dict(states)}, by a kill {dict(ledger.blamed)}")
    kinds = ("worker", "http", "server", "arbiter", *(() if disk is None else ("power",)))
    assert min(ledger.kills[kind] for kind in kinds) > 0
    assert ledger.blamed[SimulatorCrashed.code] <= ledger.kills["worker"]
    _assert_each_is_there_once(server, ledger, len(plans))


def _assert_told_the_same_again(server: Supervised, ledger: Ledger) -> None:
    """Ask with a new client: what was said once is said again."""
    with server.client() as client:
        for number, (state, outcomes) in ledger.told.items():
            job = insist(lambda number=number: client.job(ledger.accepted[number]))
            assert (job.status(), [_plain(outcome) for outcome in job.outcomes(0)]) == (state, outcomes)


def _assert_each_is_there_once(server: Supervised, ledger: Ledger, jobs: int) -> None:
    """Count in the file itself."""
    assert len(ledger.accepted) == len(set(ledger.accepted.values())) == jobs
    in_file = dict(server.rows("SELECT id, state FROM jobs"))
    assert in_file.keys() == set(ledger.accepted.values()), "none lost, none doubled"
    assert in_file == {ledger.accepted[number]: str(state) for number, (state, _) in ledger.told.items()}
    unanswered = server.rows(
        "SELECT id FROM jobs JOIN circuits ON job = number WHERE state IN ('done', 'failed') AND answer IS NULL"
    )
    assert unanswered == []
    assert all(JobState(state).ended for state in in_file.values())


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    given = request.config.getoption("--chaos-seed")
    return secrets.randbelow(2**31) if given is None else given


@pytest.mark.timeout(1800)
def test_every_accepted_job_ends_once_while_everything_is_killed(request, tmp_path: Path, seed: int):
    random = Random(seed)
    plans = [misbehaving(random, number) for number in range(request.config.getoption("--jobs"))]
    chaos(tmp_path, seed, plans, TARGET)


@pytest.mark.timeout(1800)
def test_every_job_of_a_real_simulator_ends_once_while_everything_is_killed(request, tmp_path: Path, seed: int):
    random = Random(seed)
    plans = [real(random, number) for number in range(request.config.getoption("--jobs"))]
    chaos(tmp_path, seed, plans, find("qulacs").adapter)


@pytest.mark.timeout(1800)
def test_every_accepted_job_ends_once_while_the_power_fails(
    request, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
):
    random, disk = Random(seed), Disk(tmp_path)
    plans = [misbehaving(random, number) for number in range(request.config.getoption("--jobs"))]
    for name, value in disk.environment.items():
        monkeypatch.setenv(name, value)
    chaos(tmp_path, seed, plans, TARGET, disk)
