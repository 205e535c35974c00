"""Qiskit Aer as a simulator of states and of shots, with its jobs in the thread that asks for them."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from qiskit_aer.jobs import utils

from adapters.base import ALWAYS_FITS
from adapters.shared.states import State
from gateway.errors import SimulatorError


class CallingThread(Executor):
    """Runs what is submitted at once, where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function and return its outcome."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:  # noqa: BLE001 - handed on, as any executor does
            future.set_exception(exc)
        return future


def run_in_calling_thread() -> None:
    """Let Aer hand no job to another thread: we wait for each, and the hand-over costs a third of a Bell pair.

    Aer 0.18.2 documents an option ``executor`` but does not read it (``qiskit_aer/backends/aerbackend.py``);
    this replaces the module's default, which a fork resets, so it is called in each process.
    """
    utils.DEFAULT_EXECUTOR = CallingThread()


class Aer:
    """A simulator of Aer's on behalf of one of ours.

    Args:
        backend: an ``AerSimulator``.
        simulator: the name of ours, for errors.
        version: of ours.
        room: says how many bytes a run may allocate.
    """

    def __init__(self, backend: Any, *, simulator: str, version: str, room: Callable[[], int]) -> None:
        self._backend = backend
        self._simulator = simulator
        self._version = version
        self._room = room
        self.use_threads(1)

    def use_threads(self, threads: int) -> None:
        """Let each run use so many threads; Aer itself would take all processors."""
        self._backend.set_options(max_parallel_threads=threads)

    def state_after(self, circuit: Any, state: State | None) -> State:
        """Return the state after a ``QuantumCircuit``, which is left as it is.

        Args:
            circuit: with gates only.
            state: to begin in; zero if there is none.
        """
        if state is None:
            whole = circuit.copy()
        else:
            whole = circuit.copy_empty_like()
            # Aer applies the global phase to the initial state, and forgets it when a state is set.
            whole.set_statevector(state * cmath.exp(1j * circuit.global_phase))
            whole.compose(circuit, inplace=True, copy=False)
        whole.save_statevector()
        return np.asarray(self._run(whole, shots=1).data.statevector)

    def counts(self, circuit: Any, **options: Any) -> dict[str, int]:
        """Return the counts of a ``QuantumCircuit``, clbit 0 rightmost.

        Args:
            circuit: with at least one clbit.
            options: of ``AerSimulator.run``: shots, seed_simulator, ...
        """
        width = circuit.num_clbits
        # Aer's keys are the classical memory in hexadecimal, clbit 0 the least significant bit.
        memory = self._run(circuit, **options).data.counts
        return {f"{int(key, 16):0{width}b}": times for key, times in memory.items()}

    def _run(self, circuit: Any, **options: Any) -> Any:
        """Return the only result of a run.

        Raises:
            SimulatorError: with Aer's own text, since Aer reports a failure in the result and raises nothing.
        """
        if circuit.num_qubits > ALWAYS_FITS:
            # Aer compares with the machine's memory unless told; a container may have less.
            options["max_memory_mb"] = max(self._room() // 2**20, 1)
        outcome = self._backend.run(circuit, **options).result()
        if not outcome.success:
            status = outcome.results[0].status if outcome.results else outcome.status
            raise SimulatorError(
                f"Aer failed: {status}", simulator=self._simulator, version=self._version, detail=str(status)
            )
        return outcome.results[0]
