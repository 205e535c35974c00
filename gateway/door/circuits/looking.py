"""Has texts looked at in processes that can be killed, a few at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence

import msgspec

from gateway.door.circuits.questions import Learn, Look, Took
from gateway.door.circuits.speeds import Corrections
from gateway.door.comparisons.kept import Kept
from gateway.door.reception import Begun, Reception, Sentences
from gateway.errors import GatewayError, JobCancelled, OutOfMemory
from gateway.execution import processors
from gateway.execution.content import whole
from gateway.protocol.door import CircuitInfo, CircuitRequest, Diagnostic, SimulatorInfo

DESK = f"{__package__}.desk:Desk"

_SENTENCES = Sentences(
    busy="too many texts are looked at at this moment: try again",
    slow="this text takes longer than {seconds} to look at: ask for fewer turns of its loops, or less",
    large="this text takes more memory than there is for looking at it: ask for fewer operations",
    broken="the processes that look at this text end before they answer: change the text",
)
_MOST_WORKERS = 4
_RUNS_ON_S = 0.5
"""A text that was begun less long ago than this is looked at to the end, since another process would cost as much."""


class Circuits:
    """Says what texts are: their errors, or their size, their drawing, and what they would cost on each simulator.

    Args:
        workers: how many texts are looked at at a time; by default one for each processor, two at least.
        timeout_s: how many seconds a text may take, its wait for a worker included.
        memory_bytes: the memory that a process may hold while it looks at a text.
        most_waiting: how many texts may wait.
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        timeout_s: float = 5.0,
        memory_bytes: int = 2**30,
        most_waiting: int = 64,
    ) -> None:
        self._lock = threading.Lock()
        self._editors: dict[tuple[str, str], list[_Stop]] = {}
        self._corrections = Corrections()
        self._reception = Reception(
            DESK,
            _SENTENCES,
            workers=workers or max(2, min(processors.usable(), _MOST_WORKERS)),
            timeout_s=timeout_s,
            memory_bytes=memory_bytes,
            most_waiting=most_waiting,
        )

    @property
    def ready(self) -> bool:
        """Whether a text would be looked at at once."""
        return self._reception.ready

    def describe(self, request: CircuitRequest, simulators: Sequence[SimulatorInfo], caller: str = "") -> CircuitInfo:
        """Return what a text is; what is wrong with it is part of the answer.

        Args:
            request: the text, and what is asked about it.
            simulators: what is known of the simulators, in the order of the answer's estimates.
            caller: who asks; callers that wait take turns, and a request with an editor makes earlier ones of the same
                caller and editor pointless.

        Raises:
            JobTimeout: it takes too long.
            JobCancelled: a later request has come from the same editor.
            BusyError: too many texts wait.
        """
        question = Look(request=request, simulators=tuple(simulators), factors=self._corrections.factors())
        with self._typing(caller, request.editor) as stop:
            try:
                answer = self._reception.ask(msgspec.msgpack.encode(question), caller, stop)
            except OutOfMemory:
                return CircuitInfo(errors=(Diagnostic(message=_SENTENCES.large),))
            except JobCancelled as exc:
                raise JobCancelled("a later text of the same editor has taken the place of this one") from exc
        return msgspec.json.decode(whole(answer), type=CircuitInfo)

    def observe(self, record: Kept) -> None:
        """Learn from a comparison how fast the simulators are here; nothing, if its circuits take too long to read.

        Args:
            record: of the comparison, as it is kept.
        """
        with contextlib.suppress(GatewayError):
            answer = self._reception.ask(msgspec.msgpack.encode(Learn(record=record)))
            for took in msgspec.json.decode(whole(answer), type=list[Took]):
                self._corrections.observe(took.simulator, took.estimated_s, took.seconds)

    def close(self) -> None:
        """End the processes; whoever waits gets an error."""
        self._reception.close()

    @contextlib.contextmanager
    def _typing(self, caller: str, editor: str) -> Iterator[_Stop]:
        """Make the earlier requests of an editor pointless, for as long as this one lasts."""
        stop, key = _Stop(), (caller, editor)
        if not editor:
            yield stop
            return
        with self._lock:
            earlier = list(self._editors.get(key, ()))
            self._editors.setdefault(key, []).append(stop)
        for each in earlier:
            each.request()
        try:
            yield stop
        finally:
            with self._lock:
                self._editors[key].remove(stop)
                if not self._editors[key]:
                    del self._editors[key]


class _Stop(Begun):
    """Ends a look that waits, or that goes on for a while; a short one ends by itself."""

    def request(self) -> None:
        """End the look, unless it has just begun."""
        if self.began is None or time.monotonic() - self.began > _RUNS_ON_S:
            super().request()
