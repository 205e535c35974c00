"""Ten ordinary callers: they know the right answer of each call, and behave as a good client does."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import TypeVar

from gateway import Circuit
from gateway.backends.client import BackendClient
from gateway.errors import (
    BusyError,
    GatewayError,
    JobStoreError,
    JobTimeout,
    SimulatorCrashed,
    StorageFull,
    TransportError,
    TransportTimeout,
)
from gateway.protocol.messages import RunRequest
from gateway.results import JobState

CALLERS = 10
WIDTH = 16
PAUSE_S = 0.2
"""A caller rests for so long between two calls."""

PATIENCE_S = 60.0
"""A call that has no answer after this time, repeated as a good client does, was not answered."""

T = TypeVar("T")
MakeClient = Callable[..., BackendClient]
"""Makes a client of a server for a token."""

pause = time.sleep
"""Between calls, and before one is repeated."""


class WrongAnswerError(AssertionError):
    """An answer that is not the right one."""


class Report:
    """What the callers were told, and how long it took."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self.repeated: Counter[str] = Counter()
        """Answers after which a call was repeated: busy, locked, broken, waited, late, sabotaged."""
        self.asked = 0
        self.wrong: list[str] = []


def number_circuit(number: int) -> Circuit:
    """Return a circuit with one outcome, the number in binary."""
    circuit = Circuit(WIDTH)
    for bit in range(WIDTH):
        if number >> bit & 1:
            circuit.x(bit)
    return circuit.measure_all()


def outcome(number: int) -> str:
    """Return the outcome of the circuit of a number."""
    return format(number, f"0{WIDTH}b")


class Caller:
    """One caller, with a token of their own."""

    def __init__(self, which: int, token: str, clients: Sequence[MakeClient], report: Report) -> None:
        self._which = which
        self._random = Random(which)
        self._calls = 0
        self._report = report
        self._clients = [make(token=token) for make in clients]
        self.kinds: dict[Callable[[BackendClient], None], int] = {
            self.sync: 8, self.exact: 3, self.circuits: 3, self.job: 4, self.batch: 2, self.cancelled: 1,
        }  # fmt: skip

    def call(self, until: Callable[[], bool]) -> None:
        """Call until it is over."""
        while not until():
            does = self._random.choices(list(self.kinds), list(self.kinds.values()))[0]
            client = self._random.choices(self._clients, (3, 1))[0]
            began = time.monotonic()
            try:
                does(client)
            except (WrongAnswerError, GatewayError) as exc:
                self._report.wrong.append(f"caller {self._which}, {does.__name__} at {client.url}: {exc!r}")
            except Exception:  # noqa: BLE001 - whatever a caller is told that they should not be
                self._report.wrong.append(f"caller {self._which}, {does.__name__}: {traceback.format_exc()}")
            self._report.seconds[does.__name__].append(time.monotonic() - began)
            pause(PAUSE_S)
        for client in self._clients:
            client.close()

    # ------------------------------------------------------------------ what they do

    def sync(self, client: BackendClient) -> None:
        number, shots = self._next()
        _check(self._patiently(lambda: client.run(number_circuit(number), shots=shots)), {outcome(number): shots})

    def exact(self, client: BackendClient) -> None:
        number, _ = self._next()
        _check(self._patiently(lambda: client.run(number_circuit(number), shots=None)), {outcome(number): 1.0})

    def circuits(self, client: BackendClient) -> None:
        wanted = [self._next() for _ in range(3)]
        request = [number_circuit(number) for number, _ in wanted]
        found = self._patiently(lambda: client.run(request, shots=[shots for _, shots in wanted]))
        _check(found, [{outcome(number): shots} for number, shots in wanted])

    def job(self, client: BackendClient) -> None:
        number, shots = self._next()
        self._check_job(client, number_circuit(number), shots, [{outcome(number): shots}])

    def batch(self, client: BackendClient) -> None:
        numbers, shots = [self._next()[0] for _ in range(2)], self._random.randint(1, 1000)
        wanted = [{outcome(number): shots} for number in numbers]
        self._check_job(client, [number_circuit(number) for number in numbers], shots, wanted)

    def cancelled(self, client: BackendClient) -> None:
        number, shots = self._next()
        request, key = RunRequest(circuits=[number_circuit(number)] * 50, shots=shots), secrets.token_hex(8)
        job = self._patiently(lambda: client.begin(request, key=key))
        is_cancelled = self._patiently(job.cancel)
        state = self._patiently(job.status)
        if state is not (JobState.CANCELLED if is_cancelled else JobState.DONE):
            raise WrongAnswerError(f"cancel said {is_cancelled}, and the job is {state}")

    def _check_job(
        self, client: BackendClient, circuits: Circuit | list[Circuit], shots: int, wanted: list[dict[str, int]]
    ) -> None:
        def submit_and_wait() -> list[object]:
            """Submit once more where a circuit has fallen to the sabotage, for a job runs only once."""
            request, key = RunRequest(circuits=circuits, shots=shots), secrets.token_hex(8)
            job = self._patiently(lambda: client.begin(request, key=key))
            outcomes = self._patiently(lambda: job.outcomes(PATIENCE_S))
            for found in outcomes:
                if isinstance(found, GatewayError):
                    raise found
            return list(outcomes)

        _check(self._patiently(submit_and_wait), wanted)

    def _next(self) -> tuple[int, int]:
        """Return a number that no other call of anybody has at the time, and shots."""
        self._calls += 1
        return self._which << 12 | self._calls % 2**12, self._random.randint(1, 1000)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask, and ask again where a good client does."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self._report.asked += 1
            try:
                return ask()
            except (BusyError, JobStoreError, TransportError, SimulatorCrashed, JobTimeout) as exc:
                why, pause_s = _why_again(exc)
                if why is None or time.monotonic() > deadline:
                    raise
            self._report.repeated[why] += 1
            pause(pause_s)


def _why_again(error: GatewayError) -> tuple[str | None, float]:
    """Return why a good client asks again, ``None`` where it does not, and for how many seconds it waits before."""
    match error:
        case BusyError():
            return "busy", error.retry_after_s or 1.0
        case StorageFull() | TransportTimeout():
            return None, 0.0
        case JobStoreError():
            return "locked", 0.5
        case TransportError():
            return "broken", 0.1
        case JobTimeout():
            return "waited" if "no worker became free" in error.message else "late", 0.1
    return "sabotaged", 0.0


def _check(found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongAnswerError(f"the answer was {found!r:.300}, not {wanted!r:.300}")


@contextlib.contextmanager
def calling(tokens: list[str], clients: Sequence[MakeClient], report: Report) -> Iterator[None]:
    """Let a caller for each token call for as long as the block lasts, and then wait for their last calls."""
    over = threading.Event()
    callers = [Caller(which, token, clients, report) for which, token in enumerate(tokens, 1)]
    threads = [threading.Thread(target=caller.call, args=(over.is_set,), daemon=True) for caller in callers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        deadline = time.monotonic() + 3 * PATIENCE_S
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                report.wrong.append("a call has never ended")
