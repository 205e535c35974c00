"""Measures jobs: what one costs, what it costs that a power failure loses none, and how soon an ended one is gone."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from measuring import Row, compared, take_turns
from workloads import bell, endless

from gateway.backends.client import BackendClient
from gateway.backends.local import LocalSimulator
from gateway.jobs.store import JobRecord, JobStore, StoredAnswer
from gateway.results import JobState

NAME = "jobs"
SIMULATOR = "qulacs"
ASYNCHRONOUS = 2.0
FREE_WITHIN_S = 0.5
SHOTS = 1_000
ROUNDS = 8
WARM_UP = 20

DURABLE = {1: None, 16: 3.0}
"""Clients that write at the same time -> how much longer writing may take when it waits for the disk.

Sixteen share the waits, and so they pay for few of them. One alone pays for each, and how much depends on the disk.
"""


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return what a job costs, on disk as a server keeps it, and how soon a worker that has to end is gone."""
    with _server() as local:
        client = local.client()
        return [
            _asynchronous(client, 100 if quick else 500),
            *(_durable(clients, 160 if quick else 800) for clients in DURABLE),
            _worst("cancel", [_cancelled(local, client) for _ in range(3 if quick else 10)]),
            _worst("deadline", [_late(local, client) for _ in range(3 if quick else 10)]),
        ]


@contextmanager
def _server() -> Iterator[LocalSimulator]:
    with TemporaryDirectory() as folder, LocalSimulator(SIMULATOR, workers=1, jobs=f"{folder}/jobs.sqlite") as local:
        local.start()
        yield local


def _asynchronous(client: BackendClient, rounds: int) -> Row:
    """Compare submitting a Bell pair and waiting for its result with one call; both on a connection that is kept."""
    run = partial(client.run, bell(), shots=SHOTS, seed=1)

    def submit_and_wait() -> object:
        return client.run_async(bell(), shots=SHOTS, seed=1).result(60)

    for _ in range(WARM_UP):
        assert submit_and_wait() == run()
    ours_s, other_s = take_turns(submit_and_wait, run, rounds=rounds, clock=perf_counter, summary=median)
    return compared(NAME, "Bell pair, submit to result : synchronous", ours_s, other_s, ASYNCHRONOUS)


def _durable(clients: int, jobs: int) -> Row:
    """Compare writing jobs to a file that survives a power failure with writing them to one that does not."""
    with TemporaryDirectory() as folder, contextlib.ExitStack() as stack, ThreadPoolExecutor(clients) as threads:
        stores = [JobStore(f"sqlite:///{folder}/{durable}", durable=durable) for durable in (True, False)]
        for store in stores:
            stack.callback(store.close)
        durable, hasty = (partial(_write, store, threads, jobs // ROUNDS) for store in stores)
        ours_s, other_s = take_turns(durable, hasty, rounds=ROUNDS, clock=perf_counter, summary=median)
    return Row(
        benchmark=NAME,
        case=f"jobs of {clients} at once, safe from power failures : not",
        ours_s=ours_s,
        other_s=other_s,
        ratio=ours_s / other_s,
        target=DURABLE[clients],
    )


def _write(store: JobStore, threads: ThreadPoolExecutor, jobs: int) -> None:
    list(threads.map(partial(_write_one, store), range(jobs)))


def _write_one(store: JobStore, _: int) -> None:
    record = JobRecord(secrets.token_hex(), "", "", JobState.QUEUED, 1, is_list=False, timeout_s=1, created=1)
    number = store.add(record, [bytes(500)])
    store.begin(number, 0, 1.0)
    store.finish(number, 0, StoredAnswer(200, bytes(500)), JobState.DONE, 2.0)


def _worst(what: str, seconds: list[float]) -> Row:
    return compared(NAME, f"{what} to the end of the process : 0.5 s, worst", max(seconds), FREE_WITHIN_S, 1.0)


def _cancelled(local: LocalSimulator, client: BackendClient) -> float:
    """Return the seconds from a cancel to the end of the process that simulates."""
    pid = _worker(local)
    job = client.run_async(endless(), shots=1)
    while job.status() is not JobState.RUNNING:
        time.sleep(0.01)
    time.sleep(0.3)  # it has read the circuit, and is in native code
    began = perf_counter()
    job.cancel()
    _wait_until_gone(pid)
    return perf_counter() - began


def _late(local: LocalSimulator, client: BackendClient) -> float:
    """Return the seconds from the deadline, as the server counts it, to the end of the process that simulates."""
    pid = _worker(local)
    timeout_s = 1.0
    job = client.run_async(endless(), shots=1, timeout_s=timeout_s)
    _wait_until_gone(pid)
    gone = time.time()
    while not job.done():
        time.sleep(0.01)
    started = client.job_info(job.id).started_at
    assert started is not None
    return gone - started.timestamp() - timeout_s


def _worker(local: LocalSimulator) -> int:
    """Return the id of the one process that simulates: below a keeper, the fork server and the HTTP process."""
    client = local.client()
    client.run(bell(), shots=1)  # it is there
    for http in _children(local._process.pid or 0):
        for fork_server in _children(http):
            workers = [worker for keeper in _children(fork_server) for worker in _children(keeper)]
            if workers:
                (worker,) = workers
                return worker
    raise AssertionError("no process simulates")


def _children(pid: int) -> list[int]:
    found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for some in found for child in some]


def _wait_until_gone(pid: int) -> None:
    stat = Path(f"/proc/{pid}/stat")
    try:
        while stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
            time.sleep(0.001)
    except OSError:
        return
