"""Accepts comparisons, runs some at a time, and tells callers their state, their records and their progress.

The file knows every comparison from the moment it is accepted. A door that starts after another was killed finds the
unfinished ones there: those that were queued keep their order, and those that ran begin anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from gateway.door.comparisons import retention
from gateway.door.comparisons.active import ActiveComparison, Listener, Subscription
from gateway.door.comparisons.address import Addresses
from gateway.door.comparisons.channel import Checked, Task
from gateway.door.comparisons.info import describe
from gateway.door.comparisons.kept import Kept
from gateway.door.comparisons.processes import ENTRY, MODULE, Checkers
from gateway.door.comparisons.running import End, Runner
from gateway.door.comparisons.store import ComparisonStore, Stored, Wanted, folded
from gateway.errors import (
    BusyError,
    GatewayError,
    IdempotencyConflict,
    JobInterrupted,
    JobNotFound,
    JobStoreError,
    LimitError,
    RequestError,
    ResultNotFound,
)
from gateway.execution.fair_queue import FairQueue
from gateway.execution.memory import KillsForMemory
from gateway.execution.worker_process import ForkServer
from gateway.jobs.clock import SteadyClock
from gateway.jobs.manager import Caller
from gateway.jobs.never_stored import NeverStored
from gateway.jobs.store import KeyTakenError
from gateway.protocol import problem
from gateway.protocol.door import ComparisonInfo, ComparisonLimits, ComparisonList, ComparisonRequest, ComparisonState
from gateway.protocol.refusals import named_choices
from gateway.rights import Right

MAX_ATTEMPTS = 3
"""Attempts at a comparison during which the door ends each time: the comparison might be what ends it."""

_UNENDED = (ComparisonState.QUEUED, ComparisonState.RUNNING)
_ENDED = tuple(state for state in ComparisonState if state.is_final)
_CLEAR_UP_EVERY_S = 60.0
_WRITE_AGAIN_S = 1.0
_STOP_WITHIN_S = 10.0
_START_TOGETHER_S = 30.0
_LOOK_EVERY_S = 0.1
_FIRST_GUESS_S = 5.0
"""Seconds that a comparison is taken to need before any has ended."""

log = logging.getLogger("gateway")


class Comparisons:
    """The comparisons of one door.

    Args:
        store: keeps them; closed with them.
        addresses: says where simulators are.
        limits: say how many may wait, and what is kept.
        at_once: how many run at the same time.
        sees_all: returns whether a caller sees and cancels everybody's comparisons; by default administrators do, which
            everybody is where nobody needs a token.
        on_end: called with each comparison that has ended.
    """

    def __init__(
        self,
        store: ComparisonStore,
        addresses: Addresses,
        limits: ComparisonLimits | None = None,
        *,
        at_once: int = 2,
        sees_all: Callable[[Caller], bool] = lambda caller: Right.ADMIN in caller.rights,
        on_end: Callable[[ComparisonInfo], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._addresses = addresses
        self._limits = limits or ComparisonLimits()
        self._at_once = at_once
        self._sees_all = sees_all
        self._on_end = on_end
        self._clock = SteadyClock()
        self._active: dict[str, ActiveComparison] = {}
        self._queue: FairQueue[ActiveComparison] = FairQueue()
        self._waiting: dict[str, int] = {}
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._takes = False
        self._draining = False
        self._closing = threading.Event()
        self._took_s = _FIRST_GUESS_S
        self._unwritten: queue.SimpleQueue[tuple[ActiveComparison, Kept | None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._to_close = contextlib.ExitStack()
        self._to_close.callback(store.close)

    # ------------------------------------------------------------------ start and end

    def start(self) -> None:
        """Take up what an earlier door has left, and begin to run comparisons.

        Raises:
            JobStoreError: the file cannot be read.
        """
        self._began = time.monotonic()
        self._take_up()
        fork_server = ForkServer(MODULE, ENTRY)
        self._to_close.callback(fork_server.close)
        self._checkers = Checkers(fork_server, self._limits)
        self._to_close.callback(self._checkers.close)
        self._runner = Runner(fork_server, self._limits, KillsForMemory(), self._closing.is_set)
        works = [self._work] * self._at_once + [self._write_ends, self._clear_up]
        self._threads = [
            threading.Thread(target=work, name=f"gateway-comparison-{k}", daemon=True) for k, work in enumerate(works)
        ]
        for thread in self._threads:
            thread.start()
        self._takes = True

    def stop_taking(self) -> None:
        """Refuse new comparisons from now on."""
        self._takes = False

    def close(self, within_s: float = 0) -> None:
        """Give what runs some seconds to end, kill it then, and release the file; the next door runs it again."""
        self.stop_taking()
        deadline = time.monotonic() + within_s
        with self._changed:
            self._draining = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self.running, max(0.0, within_s))
        self._closing.set()
        self._unwritten.put(None)
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()) + _STOP_WITHIN_S)
        self._to_close.close()

    @property
    def queued(self) -> int:
        """The number of comparisons that wait."""
        return len(self._queue)

    @property
    def running(self) -> int:
        """The number of comparisons that run."""
        return sum(active.stored.state is ComparisonState.RUNNING for active in list(self._active.values()))

    def _take_up(self) -> None:
        left = self._store.unfinished()
        for stored in left:
            active = self._active[stored.id] = ActiveComparison(
                replace(stored, state=ComparisonState.QUEUED, started=None), was_left=True
            )
            if stored.cancelled_by is not None:
                self._end_now(active, End(ComparisonState.CANCELLED))
            elif stored.attempts >= MAX_ATTEMPTS:
                error = JobInterrupted(
                    f"the door ended during each of {stored.attempts} attempts at this comparison; it is not tried "
                    "again",
                    attempts=stored.attempts,
                )
                self._end_now(active, End(ComparisonState.FAILED, error=error))
            else:
                self._count(stored, 1)
                self._queue.put(stored.caller, active)
        if left:
            log.info("%d comparisons of an earlier door are taken up again", len(left))

    # ------------------------------------------------------------------ requests of callers

    def submit(self, request: ComparisonRequest, caller: Caller, *, key: str | None = None) -> ComparisonInfo:
        """Accept a comparison; when this returns, it is on disk.

        Args:
            request: what is asked for.
            caller: who asks.
            key: an idempotency key; the same key with the same request gives the same comparison again.

        Raises:
            RequestError, CircuitError, UnsupportedError, LimitError: the request is refused.
            JobTimeout: its circuits take too long to read.
            IdempotencyConflict: the key was used for another request.
            BusyError: too many wait, or the door is stopping.
            StorageFull, JobStoreError: it could not be written, and so was not accepted.
        """
        body = msgspec.json.encode(request)
        digest = hashlib.sha256(body).hexdigest()
        if key is not None and (earlier := self._store.find_key(key, caller.owner)) is not None:
            return self._same(earlier, digest)
        self._refuse(request)
        places = self._addresses(caller.owner)
        _check_simulators(request, list(places))
        kept = Kept.of(body)
        new = Stored(
            id=secrets.token_urlsafe(16),
            owner=caller.owner,
            caller=caller.name,
            created=self._clock.now(),
            circuits=tuple(circuit.name for circuit in request.circuits),
            simulators=(),
            shots=request.shots,
            resolution=request.resolution,
            bytes=len(kept.body),
            idempotency_key=key,
            digest=digest,
        )
        self._reserve(new)
        try:
            task = Task(request=request, simulators=dict(places), limits=self._limits)
            active = ActiveComparison(_checked(new, request, self._checkers.check(task, caller.name)))
            self._add(active, kept)
        except KeyTakenError:  # by a request that came at the same time
            self._release(new)
            earlier = self._store.find_key(str(key), caller.owner)
            if earlier is None:
                raise JobStoreError("the comparison of this key was removed a moment ago: try again") from None
            return self._same(earlier, digest)
        except BaseException:
            self._release(new)
            raise
        return self._info(active)

    def _add(self, active: ActiveComparison, request: Kept) -> None:
        """Write a comparison, and put it into the queue."""
        new = active.stored
        self._active[new.id] = active  # who finds it in the file finds it here, too
        try:
            number = self._store.add(new, request)
        except BaseException:
            del self._active[new.id]
            raise
        with self._changed:
            with active.lock:
                active.stored = replace(active.stored, number=number)
            self._queue.put(new.caller, active)
            self._changed.notify()

    def info(self, comparison_id: str, caller: Caller, wait_s: float = 0) -> ComparisonInfo:
        """Return how far a comparison is; wait up to ``wait_s`` for its end.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        found = self._find(comparison_id, caller)
        if isinstance(found, ActiveComparison) and wait_s > 0:
            found.ended.wait(wait_s)
        return self._info(found)

    def page(
        self, caller: Caller, show: str = "all", search: str = "", before: str | None = None, limit: int = 50
    ) -> ComparisonList:
        """Return comparisons, the newest first.

        Args:
            caller: who asks.
            show: ``all``, ``differ``, ``failed``, ``running`` (queued ones as well), ``ended`` or ``mine``.
            search: a text in the name of a circuit, a simulator or a person.
            before: the id of the last comparison of the page before.
            limit: how many there are on a page.

        Raises:
            JobNotFound: ``before`` is no comparison of the caller's.
        """
        visible = Wanted(owner=None if self._sees_all(caller) else caller.owner)
        wanted = _filtered(visible, show, caller)._replace(text=search)
        number = None if before is None else _stored(self._find(before, caller)).number
        rows = self._store.page(wanted, number, limit + 1)
        shown = rows[:limit]
        return ComparisonList(
            comparisons=tuple(self._info(self._active.get(row.id, row)) for row in shown),
            next=shown[-1].id if len(rows) > limit else None,
            total=self._store.count(wanted),
            running=self._store.count(visible._replace(states=_UNENDED)),
        )

    def request(self, comparison_id: str, caller: Caller) -> bytes:
        """Return what was asked for, as JSON.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        stored = _stored(self._find(comparison_id, caller))
        request = self._store.request(stored.number)
        if request is None:
            raise _not_found(comparison_id)
        return request.text()

    def record(self, comparison_id: str, caller: Caller) -> Kept:
        """Return the record, as JSON.

        Raises:
            JobNotFound: the caller has no such comparison.
            ResultNotFound: there is no record; the message says why.
        """
        stored = _stored(self._find(comparison_id, caller))
        record = self._store.record(stored.number) if stored.has_record else None
        if record is None:
            raise ResultNotFound(_why_no_record(stored), job=comparison_id)
        return record

    def latest_kept(self, comparison_id: str, caller: Caller) -> Kept | None:
        """Return the record, or while a comparison runs that of what has finished; ``None`` if there is none.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        found = self._find(comparison_id, caller)
        if isinstance(found, ActiveComparison) and (partial := found.partial) and not found.stored.has_record:
            return Kept(partial.record, partial.size)
        stored = _stored(found)
        return self._store.record(stored.number) if stored.has_record else None

    def earlier_kept(self, comparison_id: str, caller: Caller) -> Kept | None:
        """Return the record of the owner's last finished comparison of the same subject before one.

        A subject is circuits, simulators and noise.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        earlier = self._store.find_earlier(_stored(self._find(comparison_id, caller)))
        return None if earlier is None else self._store.record(earlier.number)

    def cancel(self, comparison_id: str, caller: Caller) -> ComparisonInfo:
        """Cancel a comparison unless it has ended: one that runs saves what has finished, and ends.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        found = self._find(comparison_id, caller)
        if not isinstance(found, ActiveComparison):
            return self._info(found)
        name = caller.owner or caller.name
        with self._changed:
            was_queued = self._queue.remove(found.stored.caller, found)
        if was_queued:
            self._release(found.stored)
            found.cancel(name)
            self._end_now(found, End(ComparisonState.CANCELLED))
            self._tell_queued()
        elif not found.stored.state.is_final:
            found.cancel(name)
            try:
                self._store.want_cancelled(found.stored.number, name)
            except JobStoreError as exc:  # it ends all the same
                log.warning("the file of comparisons does not know of a cancel: %s", exc.message)
            self._tell(found)
        return self._info(found)

    def subscribe(self, comparison_id: str, caller: Caller, listener: Listener) -> Subscription:
        """Let a function hear of a comparison: at once, on each change, and for the last time when it has ended.

        Args:
            comparison_id: the comparison.
            caller: who asks.
            listener: called in any thread, and never twice at the same time; it returns at once.

        Raises:
            JobNotFound: the caller has no such comparison.
        """
        found = self._find(comparison_id, caller)
        active = found if isinstance(found, ActiveComparison) else ActiveComparison(found)
        return active.subscribe(listener, lambda: self._info(active))

    # ------------------------------------------------------------------ running

    def _work(self) -> None:
        """Run one comparison after the other; the main function of a thread."""
        while (active := self._next()) is not None:
            try:
                self._run(active)
            except GatewayError as exc:
                self._end(active, End(ComparisonState.FAILED, error=exc))
            except Exception:
                log.exception("comparison %s failed", active.stored.id)
                error = GatewayError("the comparison failed inside the door, whose log says why")
                self._end(active, End(ComparisonState.FAILED, error=error))
            with self._changed:
                self._changed.notify_all()  # the end of the door may wait for this one

    def _next(self) -> ActiveComparison | None:
        """Return the next comparison, which counts as running from now on; ``None`` when the door ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._draining or len(self._queue))
            active = None if self._draining else self._queue.take()
            if active is not None:
                with active.lock:
                    active.stored = replace(
                        active.stored,
                        state=ComparisonState.RUNNING,
                        started=self._clock.now(),
                        attempts=active.stored.attempts + 1,
                    )
        if active is not None:
            self._release(active.stored)
        return active

    def _run(self, active: ActiveComparison) -> None:
        self._wait_for_simulators(active)
        kept = self._begin(active)
        if kept is None:
            return
        self._tell(active)
        self._tell_queued()
        began = time.monotonic()
        stored = active.stored
        request = msgspec.json.decode(kept.text(), type=ComparisonRequest)
        task = Task(
            request=msgspec.structs.replace(request, simulators=stored.simulators),
            simulators=dict(self._addresses(stored.owner)),
            limits=self._limits,
        )
        end = self._runner.run(active, task, lambda: self._tell(active))
        if end is None:
            self._put_back(active)
            return
        self._took_s += (time.monotonic() - began - self._took_s) / 4
        self._end(active, end)

    def _wait_for_simulators(self, active: ActiveComparison) -> None:
        """Give simulators some time if an earlier door has left the comparison: they may start with this one."""
        while (
            active.was_left
            and time.monotonic() < self._began + _START_TOGETHER_S
            and self._lacks_simulators(active.stored)
            and active.stored.cancelled_by is None
            and not self._closing.wait(_LOOK_EVERY_S)
        ):
            pass

    def _lacks_simulators(self, stored: Stored) -> bool:
        places = self._addresses(stored.owner)
        return any(places[name].reason for name in stored.simulators if name in places)

    def _begin(self, active: ActiveComparison) -> Kept | None:
        """Write that a comparison runs, for as long as that takes; return its request, ``None`` if it does not run."""
        number = active.stored.number
        while not self._closing.is_set():
            if active.stored.cancelled_by is not None:
                self._end(active, End(ComparisonState.CANCELLED))
                return None
            try:
                request = self._store.request(number)
                self._store.begin(number, active.stored.started or self._clock.now())
            except JobStoreError as exc:
                log.warning("a comparison waits for the file of comparisons: %s", exc.message)
                self._closing.wait(_WRITE_AGAIN_S)
                continue
            if request is None:
                raise JobStoreError("the request of this comparison is no longer in the door's file")
            return request
        return None

    def _put_back(self, active: ActiveComparison) -> None:
        """Leave a comparison to the next door; that this one ends in order is no fault of the comparison."""
        try:
            self._store.put_back(active.stored.number, active.stored.attempts - 1)
        except JobStoreError as exc:
            log.warning("comparison %s runs again with the next door: %s", active.stored.id, exc.message)

    # ------------------------------------------------------------------ ends

    def _end(self, active: ActiveComparison, end: End) -> None:
        """Write how a comparison has ended, for as long as that takes, and tell everybody."""
        final = self._write(*self._final(active.stored, end))
        if final is not None:
            self._is_over(active, final)

    def _end_now(self, active: ActiveComparison, end: End) -> None:
        """Tell everybody how a comparison has ended that never ran, and write it as soon as that can be done."""
        final, record = self._final(active.stored, end)
        with active.lock:
            active.stored = final
        active.ended.set()
        self._tell(active)
        try:
            self._store.end(final, record)
        except JobStoreError as exc:
            log.warning("the end of a comparison is written later: %s", exc.message)
            self._unwritten.put((active, record))
        else:
            self._is_over(active, final)

    def _write_ends(self) -> None:
        """Write ends that could not be written at once; the main function of a thread."""
        while (item := self._unwritten.get()) is not None:
            active, record = item
            final = self._write(active.stored, record)
            if final is not None:
                self._is_over(active, final)

    def _write(self, final: Stored, record: Kept | None) -> Stored | None:
        """Write an end again and again; return what is written, ``None`` if the end of the door prevents that."""
        while True:
            try:
                self._store.end(final, record)
            except NeverStored as exc:
                final, record = self._final(final, End(ComparisonState.FAILED, error=exc.reason))
            except JobStoreError as exc:
                log.warning("the end of comparison %s is not written yet: %s", final.id, exc.message)
                if self._closing.is_set():
                    return None
                self._closing.wait(_WRITE_AGAIN_S)
            else:
                return final

    def _final(self, stored: Stored, end: End) -> tuple[Stored, Kept | None]:
        outcome = end.outcome
        is_cancelled = end.state is ComparisonState.CANCELLED
        final = replace(
            stored,
            state=end.state,
            ended=self._clock.now(),
            cancelled_by=stored.cancelled_by if is_cancelled else None,
            error=None if end.error is None else problem.dump(end.error),
            loud="",
            quiet="",
            standing="",
            has_record=False,
        )
        if outcome is None:
            return final, None
        final = replace(final, loud=outcome.loud, quiet=outcome.quiet, standing=outcome.standing, has_record=True)
        return final, Kept(outcome.record, outcome.size)

    def _is_over(self, active: ActiveComparison, final: Stored) -> None:
        with active.lock:
            active.stored = final
            active.partial = active.progress = None
        self._active.pop(final.id, None)
        active.ended.set()
        self._tell(active)
        try:
            self._on_end(describe(final))
        except Exception:
            log.exception("the end of a comparison was not counted")

    def _clear_up(self) -> None:
        """Remove what is not kept any more from time to time; the main function of a thread."""
        while True:
            try:
                retention.clear_up(self._store, self._limits, self._clock.now())
            except JobStoreError as exc:
                log.warning("old comparisons could not be removed: %s", exc.message)
            except Exception:
                log.exception("old comparisons could not be removed")
            if self._closing.wait(_CLEAR_UP_EVERY_S):
                return

    # ------------------------------------------------------------------ telling

    def _tell(self, active: ActiveComparison) -> None:
        active.tell(lambda: self._info(active))

    def _tell_queued(self) -> None:
        """Tell those who watch queued comparisons that fewer are before them."""
        for active in list(self._active.values()):
            if active.is_watched and active.stored.state is ComparisonState.QUEUED:
                self._tell(active)

    def _info(self, found: ActiveComparison | Stored) -> ComparisonInfo:
        if isinstance(found, Stored):
            return describe(found)
        stored = found.stored
        before = 0
        if stored.state is ComparisonState.QUEUED:
            with self._changed:
                before = self._queue.before(stored.caller, found) or 0
        return describe(stored, before=before, progress=found.progress)

    def _find(self, comparison_id: str, caller: Caller) -> ActiveComparison | Stored:
        """Return a comparison that a caller may see.

        Raises:
            JobNotFound: there is none.
        """
        found = self._active.get(comparison_id) or self._store.find(comparison_id)
        if found is None or (_stored(found).owner != caller.owner and not self._sees_all(caller)):
            raise _not_found(comparison_id)
        return found

    # ------------------------------------------------------------------ accepting

    def _same(self, earlier: Stored, digest: str) -> ComparisonInfo:
        if earlier.digest != digest:
            raise IdempotencyConflict(
                "this idempotency key was used for another request: choose a new one", job=earlier.id
            )
        return self._info(self._active.get(earlier.id, earlier))

    def _refuse(self, request: ComparisonRequest) -> None:
        """Refuse a request that asks for too much, or whose circuits have the same name.

        Raises:
            LimitError, RequestError: it is.
        """
        limits = self._limits
        size = sum(len(circuit.openqasm.encode()) for circuit in request.circuits)
        for name, asked, most, said in (
            ("max_circuits", len(request.circuits), limits.max_circuits, "has at most {:,} circuits, not {:,}"),
            ("max_repeat", request.repeat, limits.max_repeat, "repeats each circuit at most {:,} times, not {:,}"),
            ("max_text_bytes", size, limits.max_text_bytes, "has circuits of at most {:,} bytes, not {:,}"),
        ):
            if asked > most:
                text = said.format(most, asked)
                raise LimitError(
                    f"a comparison {text}: send several, or smaller ones", limit=name, requested=asked, allowed=most
                )
        names = [circuit.name for circuit in request.circuits]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise RequestError(f"two circuits are called {twice!r}: give each a name of its own", field="circuits")

    def _reserve(self, new: Stored) -> None:
        """Take a place for one that is to wait.

        Raises:
            BusyError: there is none, or the door is stopping.
        """
        limits = self._limits
        with self._changed:
            if not self._takes:
                raise BusyError("the door is stopping", retry_after_s=5.0)
            everybody, theirs = sum(self._waiting.values()), self._waiting.get(new.caller, 0)
            is_full = everybody >= limits.max_queued or theirs >= -(-limits.max_queued // 2)
            if is_full or self._waiting_bytes + new.bytes > limits.max_queued_bytes:
                seconds = max(1.0, self._took_s / self._at_once)
                raise BusyError(
                    f"{everybody:,} comparisons wait, {theirs:,} of them yours: try again in {seconds:.0f} s",
                    retry_after_s=seconds,
                )
            self._count(new, 1)

    def _release(self, stored: Stored) -> None:
        with self._changed:
            self._count(stored, -1)

    def _count(self, stored: Stored, sign: int) -> None:
        count = self._waiting.get(stored.caller, 0) + sign
        if count:
            self._waiting[stored.caller] = count
        else:
            del self._waiting[stored.caller]
        self._waiting_bytes += sign * stored.bytes


def _check_simulators(request: ComparisonRequest, known: Sequence[str]) -> None:
    """Refuse simulators that the door does not know, or that are named twice.

    Raises:
        RequestError: there is one.
    """
    names = request.simulators or ()
    for name in names:
        if name not in known:
            raise RequestError(f"there is no simulator {name!r} here: {named_choices(name, known)}", field="simulators")
        if names.count(name) > 1:
            raise RequestError(f"{name!r} is given {names.count(name)} times: give it once", field="simulators")


def _checked(new: Stored, request: ComparisonRequest, checked: Checked) -> Stored:
    texts = [hashlib.sha256(circuit.openqasm.encode()).digest() for circuit in request.circuits]
    names = "\0".join(sorted(checked.simulators)).encode()
    noise = b"" if request.noise is None else msgspec.json.encode(request.noise)
    return replace(
        new,
        simulators=checked.simulators,
        summary=checked.summary,
        words=folded("\n".join([*new.circuits, *checked.simulators, new.owner])),
        subject=hashlib.sha256(b"".join([*texts, names, noise])).hexdigest(),
    )


def _filtered(visible: Wanted, show: str, caller: Caller) -> Wanted:
    if show == "differ":
        return visible._replace(standing="differs")
    if show == "failed":
        return visible._replace(standing=str(ComparisonState.FAILED))
    if show in {"running", "ended"}:
        return visible._replace(states=_UNENDED if show == "running" else _ENDED)
    if show == "mine":
        return visible._replace(owner=caller.owner, caller=None if caller.owner else caller.name)
    return visible


def _stored(found: ActiveComparison | Stored) -> Stored:
    return found if isinstance(found, Stored) else found.stored


def _not_found(comparison_id: str) -> JobNotFound:
    return JobNotFound(f"there is no comparison {comparison_id!r} of yours here", job=comparison_id)


def _why_no_record(stored: Stored) -> str:
    if not stored.state.is_final:
        return f"the comparison is {stored.state}, and has no record yet: ask again later"
    said = "" if stored.error is None else f": {msgspec.json.decode(stored.error)['detail']}"
    return f"the comparison is {stored.state}, and has no record{said}"
