"""Runs Qiskit Aer, for states and for shots, in the thread that calls it."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from qiskit.circuit import CircuitInstruction
from qiskit.quantum_info import Statevector
from qiskit_aer.jobs import utils
from qiskit_aer.library import SetStatevector

from adapters.shared.states import State
from gateway.errors import SimulatorError

_MOST_QUBITS_THAT_FIT = 16
"""A state of so many qubits needs a few MiB at most, so nobody looks up how much memory is free."""


class CallingThread(Executor):
    """An executor that runs each function at once, in the thread that submits it."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function and return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:  # noqa: BLE001 - handed on, as any executor does
            future.set_exception(exc)
        return future


def run_in_calling_thread() -> None:
    """Keep Aer from handing jobs to another thread, which takes a third of the time of a Bell pair.

    We wait for each job anyway. Aer 0.18.2 documents an option ``executor`` but does not read it
    (``qiskit_aer/backends/aerbackend.py``), so this function replaces the module's default. A fork resets that
    default, so each process calls the function.
    """
    utils.DEFAULT_EXECUTOR = CallingThread()


class Aer:
    """Drives an ``AerSimulator`` for an adapter.

    Args:
        backend: the ``AerSimulator``.
        simulator: the name of the adapter's simulator, for errors.
        version: the version of the adapter's simulator.
        available_bytes: returns how many bytes a run may allocate.
    """

    def __init__(self, backend: Any, *, simulator: str, version: str, available_bytes: Callable[[], int]) -> None:
        self._backend = backend
        self._simulator = simulator
        self._version = version
        self._available_bytes = available_bytes
        self.use_threads(1)

    def use_threads(self, threads: int) -> None:
        """Let each run use so many threads; by default Aer would use all processors."""
        self._backend.set_options(max_parallel_threads=threads)

    def state_after(self, circuit: Any, state: State | None) -> State:
        """Return the state after a ``QuantumCircuit``, which is not modified.

        Args:
            circuit: a circuit of gates only.
            state: the initial state; ``None`` for all qubits 0.
        """
        target = circuit.copy()
        if state is not None:
            # Aer applies the global phase to the initial state, and forgets it when a state is set.
            initial = SetStatevector(Statevector(state * cmath.exp(1j * circuit.global_phase)))
            target.data.insert(0, CircuitInstruction(initial, target.qubits))
        target.save_statevector()
        after = np.asarray(self._run_once(target, shots=1).data.statevector)
        target.clear()  # a circuit refers to itself: it would keep its state until the next collection of garbage
        return after

    def counts(self, circuit: Any, **options: Any) -> dict[str, int]:
        """Return the counts of a ``QuantumCircuit``, clbit 0 rightmost.

        Args:
            circuit: a circuit with at least one clbit.
            options: the options of ``AerSimulator.run``: shots, seed_simulator, ...
        """
        width = circuit.num_clbits
        if circuit.has_control_flow_op():
            # Aer 0.18.2 leaves out what no measurement depends on, and half of the jump over it: then it fails.
            options["enable_truncation"] = False
        # Aer's keys are the classical memory in hexadecimal, clbit 0 the least significant bit.
        memory = self._run_once(circuit, **options).data.counts
        return {f"{int(key, 16):0{width}b}": times for key, times in memory.items()}

    def _run_once(self, circuit: Any, **options: Any) -> Any:
        """Return the only result of a run.

        Raises:
            SimulatorError: Aer reports a failure in its result, and the error has Aer's text.
        """
        if circuit.num_qubits > _MOST_QUBITS_THAT_FIT:
            # Without the option Aer compares with the machine's memory; a container may have less.
            options["max_memory_mb"] = max(self._available_bytes() // 2**20, 1)
        result = self._backend.run(circuit, **options).result()
        if not result.success:
            status = result.results[0].status if result.results else result.status
            raise SimulatorError(
                f"Aer failed: {status}", simulator=self._simulator, version=self._version, detail=str(status)
            )
        return result.results[0]
