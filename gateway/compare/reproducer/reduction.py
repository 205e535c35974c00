"""Reduces a circuit on which two simulators differ to one of which nothing can be left out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from itertools import islice

from msgspec.structs import replace

from gateway.backends.base import Backend
from gateway.circuit import Circuit, Operation
from gateway.compare.record import Reproducer
from gateway.compare.reproducer.asking import DEFAULT_SHOTS, STOPPING, samples
from gateway.compare.reproducer.clock import DEFAULT_SECONDS, Clock, TimeIsUp
from gateway.compare.reproducer.compacting import (
    keep_only,
    num_operations,
    refuse_control_flow,
    used_clbits,
    used_qubits,
)
from gateway.compare.reproducer.evidence import names_of, reproducer_of
from gateway.compare.reproducer.judge import ExactJudge, Judge, judge_of
from gateway.compare.reproducer.minimising import minimise
from gateway.compare.reproducer.simplifying import SIMPLIFICATIONS
from gateway.compare.reproducer.views import measures, unmeasured, views
from gateway.compare.reproducer.weighing import measure_of
from gateway.compare.writing import as_written

LARGEST_BATCH = 32
"""At most so many circuits are sent to the simulators together."""

BATCH_SECONDS = 0.5
"""About as long should the simulators take for a batch, so that little is lost where its first circuit is enough."""


def reduce(
    circuit: Circuit,
    a: Backend,
    b: Backend | None = None,
    *,
    names: tuple[str, str] | None = None,
    shots: int = DEFAULT_SHOTS,
    seed: int | None = None,
    seconds: float | None = DEFAULT_SECONDS,
    progress: Callable[[Circuit], None] = lambda _: None,
) -> Reproducer:
    """Return the smallest circuit that can be found on which a simulator still differs from another one.

    Operations, qubits, clbits and conditions are left out, gates and angles replaced by simpler ones, as long as the
    difference stays: by exact results where both have them, and otherwise by samples, each of which has to be
    confirmed by a second one. A simulator that fails where the other one does not differs, too. A circuit that measures
    nothing stays so if the state vectors differ; otherwise it is measured at the end.

    When the time is over, or on Ctrl-C, the smallest circuit so far is returned, with ``minimal`` false.

    Args:
        circuit: on which the two differ.
        a: the simulator that is thought to be wrong.
        b: the one that it is compared with; ``None`` for our own exact simulator.
        names: of both, for the reproducer; their own by default.
        shots: of each run that samples, and of the counts in the reproducer.
        seed: of these runs; drawn at random by default.
        seconds: that the search may take; ``None`` for as long as it takes.
        progress: called with every smaller circuit.

    Raises:
        RequestError: the two do not differ on this circuit.
        UnsupportedError, LimitError: one cannot run the circuit, or takes fewer shots; or it has loops, assignments or
            hidden clbits.
        GatewayError: both fail on this circuit, or one cannot be asked at all.
    """
    refuse_control_flow(circuit, "reduced")
    names = names or names_of(a, b)
    seed = secrets.randbelow(2**31) if seed is None else seed
    clock = Clock()
    judge, whole = judge_of([as_written(view) for view in views(circuit)], a, b, clock, shots=shots, seed=seed)
    if isinstance(judge, ExactJudge) and measures(whole):
        samples(a, [whole], clock, shots=shots, seed=seed)  # so many shots are refused now, and not after the search
    clock.set(seconds)
    best, minimal = smallest(whole, judge, progress)
    reproducer = reproducer_of(best, a, b, names, shots=shots, seed=seed)
    return replace(reproducer, minimal=minimal, operations_before=num_operations(whole))


def smallest(
    circuit: Circuit, judge: Judge, progress: Callable[[Circuit], None] = lambda _: None
) -> tuple[Circuit, bool]:
    """Return the smallest circuit that can be found of which a judge says that it shows a difference.

    It measures something if the whole circuit does, and nothing if that does not, so that it can be run as that can.

    Args:
        circuit: one of which the judge says so.
        judge: decides; when it says that the time is over, or on Ctrl-C, the search ends.
        progress: called with every smaller circuit.

    Returns:
        The circuit, and whether the search came to its end.
    """
    search = _Search(circuit, judge, progress)
    try:
        search.run()
    except (KeyboardInterrupt, TimeIsUp, *STOPPING):
        return search.best, False
    return search.best, True


class _Search:
    """The search for a smaller circuit; all circuits are as their text has them, so that the text shows the difference.

    Args:
        circuit: that shows the difference.
        judge: decides which other circuits do.
        progress: called with every smaller circuit.

    Attributes:
        best: the smallest circuit so far.
    """

    def __init__(self, circuit: Circuit, judge: Judge, progress: Callable[[Circuit], None]) -> None:
        self.best = circuit
        self._is_measured = measures(circuit)
        self._judge = judge
        self._progress = progress
        self._batch = 4

    def run(self) -> None:
        """Look for smaller circuits until there are none."""
        before = None
        while self.best != before:
            before = self.best
            self._leave_out_operations()
            self._leave_out_idle()
            for simpler in SIMPLIFICATIONS:
                while (found := self._first(simpler(self.best))) is not None:
                    self._keep(found)

    def _leave_out_operations(self) -> None:
        whole = self.best

        def with_operations(operations: list[Operation]) -> Circuit:
            return as_written(Circuit(whole.num_qubits, whole.num_clbits, operations))

        minimise(
            whole.operations,
            lambda lists: self._shows([with_operations(operations) for operations in lists]),
            lambda operations: self._keep(with_operations(operations)),
        )

    def _leave_out_idle(self) -> None:
        """Leave out idle qubits and clbits."""
        whole = self.best
        qubits, clbits = used_qubits(whole.operations), used_clbits(whole.operations)
        idle = [("qubit", qubit) for qubit in range(whole.num_qubits) if qubit not in qubits]
        idle += [("clbit", clbit) for clbit in range(whole.num_clbits) if clbit not in clbits]

        def with_wires(wires: list[tuple[str, int]]) -> Circuit:
            kept = {kind: {number for other, number in wires if other == kind} for kind in ("qubit", "clbit")}
            return as_written(keep_only(whole, qubits | kept["qubit"], clbits | kept["clbit"]))

        minimise(
            idle,
            lambda lists: self._shows([with_wires(wires) for wires in lists]),
            lambda wires: self._keep(with_wires(wires)),
        )

    def _keep(self, circuit: Circuit) -> None:
        self.best = circuit
        self._progress(circuit)

    def _shows(self, circuits: list[Circuit]) -> list[bool]:
        """Return for each circuit whether it shows the difference."""
        rest, verdicts = iter(circuits), []
        while batch := list(islice(rest, self._batch)):
            verdicts += self._judged(batch)
        return verdicts

    def _first(self, circuits: Iterable[Circuit]) -> Circuit | None:
        """Return the first circuit that shows the difference, among those that are simpler than the best so far."""
        bound = measure_of(self.best)
        if not self._is_measured:
            circuits = map(unmeasured, circuits)
        rest = (circuit for circuit in map(as_written, circuits) if measure_of(circuit) < bound)
        while batch := list(islice(rest, self._batch)):
            for circuit, shows in zip(batch, self._judged(batch), strict=True):
                if shows:
                    return circuit
        return None

    def _judged(self, batch: list[Circuit]) -> list[bool]:
        """Judge a batch, and choose the size of the next one by the time that it took."""
        began = time.monotonic()
        fitting = [circuit for circuit in batch if measures(circuit) == self._is_measured]
        shown = iter(self._judge.shows(fitting))
        verdicts = [measures(circuit) == self._is_measured and next(shown) for circuit in batch]
        seconds = max(time.monotonic() - began, 1e-3)
        self._batch = max(1, min(LARGEST_BATCH, 2 * self._batch, int(len(batch) * BATCH_SECONDS / seconds)))
        return verdicts
