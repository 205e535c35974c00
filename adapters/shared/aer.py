"""Runs Qiskit Aer, for states and for shots, in the thread that calls it."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from qiskit.circuit import CircuitInstruction
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import DensityMatrix, Statevector
from qiskit_aer.backends.aer_compiler import assemble_circuits, generate_aer_config
from qiskit_aer.jobs import utils
from qiskit_aer.library import SetDensityMatrix, SetStatevector

from adapters.shared.mixed import Mixed
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
        mixed: the one for density matrices, where the simulator has any.
        simulator: the name of the adapter's simulator, for errors.
        version: the version of the adapter's simulator.
        available_bytes: returns how many bytes a run may allocate.
    """

    def __init__(
        self, backend: Any, mixed: Any = None, *, simulator: str, version: str, available_bytes: Callable[[], int]
    ) -> None:
        self._backend = backend
        self._mixed = mixed
        self._simulator = simulator
        self._version = version
        self._available_bytes = available_bytes
        self.use_threads(1)

    def use_threads(self, threads: int) -> None:
        """Let each run use so many threads; by default Aer would use all processors."""
        for backend in filter(None, (self._backend, self._mixed)):
            backend.set_options(max_parallel_threads=threads)

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

    def parametric(self, circuit: Any, places: Sequence[tuple[int, int]]) -> ParametricCircuit:
        """Return a ``QuantumCircuit`` of gates that runs with other angles.

        Args:
            circuit: the circuit, with instructions that save results; the returned object owns it.
            places: the index of the instruction of each angle that changes, and the number of the angle there.
        """
        return ParametricCircuit(self._backend, circuit, places, self._checked, self._options_for(circuit))

    def density_after(self, circuit: Any, rho: Mixed | None) -> Mixed:
        """Return the density matrix after a ``QuantumCircuit``, which is not modified.

        Args:
            circuit: a circuit of gates and channels.
            rho: the density matrix before; ``None`` for all qubits 0.
        """
        target = circuit.copy_empty_like()
        if rho is not None:
            target.append(SetDensityMatrix(DensityMatrix(rho)), target.qubits)
        for each in circuit.data:
            target.append(self._of_mixed(each.operation), each.qubits)
        target.save_density_matrix()
        after = np.asarray(self._run_once(target, self._mixed, shots=1).data.density_matrix)
        target.clear()  # as above
        return after

    def _of_mixed(self, operation: Any) -> Any:
        """Return an operation that Aer can apply to density matrices: for the gates that it cannot, their matrix."""
        names = self._mixed.target.operation_names
        return operation if operation.name in names else UnitaryGate(operation.to_matrix(), check_input=False)

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

    def _run_once(self, circuit: Any, backend: Any = None, **options: Any) -> Any:
        """Return the only result of a run.

        Raises:
            SimulatorError: Aer reports a failure in its result, and the error has Aer's text.
        """
        result = (backend or self._backend).run(circuit, **options, **self._options_for(circuit)).result()
        status = result.results[0].status if result.results else result.status
        self._checked(status, success=result.success)
        return result.results[0]

    def _options_for(self, circuit: Any) -> dict[str, int]:
        if circuit.num_qubits <= _MOST_QUBITS_THAT_FIT:
            return {}
        # Without the option Aer compares with the machine's memory; a container may have less.
        return {"max_memory_mb": max(self._available_bytes() // 2**20, 1)}

    def _checked(self, status: object, *, success: bool) -> None:
        if not success:
            raise SimulatorError(
                f"Aer failed: {status}", simulator=self._simulator, version=self._version, detail=str(status)
            )


class ParametricCircuit:
    """A circuit that Aer has taken apart, and whose angles are handed over for each run.

    ``AerSimulator.run`` takes a circuit apart each time, which is five sixths of the time of 60 gates on 10 qubits.
    This class does once what that method does, with the same functions (``AerBackend._execute_circuits_job``), and
    then only the last step. They are internal; tests hold the states equal to those of :meth:`Aer.state_after`.

    A run changes nothing here, so that it may be repeated.

    Args:
        backend: the ``AerSimulator``.
        circuit: the circuit, which this object owns.
        places: the index of the instruction of each angle, and the number of the angle there.
        check: raises an error, given Aer's status and whether it succeeded.
        options: the options of the run.
    """

    def __init__(
        self,
        backend: Any,
        circuit: Any,
        places: Sequence[tuple[int, int]],
        check: Callable[..., None],
        options: Mapping[str, Any],
    ) -> None:
        self._backend = backend
        self._places = places
        self._check = check
        self._circuits, _ = assemble_circuits([circuit])
        self._circuits[0].circ_id = 0
        self._config = generate_aer_config([circuit], backend.options, shots=1, **options)
        circuit.clear()  # as in Aer.state_after

    def saved_at(self, angles: Iterable[float]) -> Mapping[str, Any]:
        """Return what is saved for these angles, in the order of their places."""
        self._config.parameterizations = [[(place, [angle]) for place, angle in zip(self._places, angles, strict=True)]]
        output = self._backend._execute_circuits(self._circuits, None, self._config)  # noqa: SLF001 - see above
        (result,) = output["results"] or [{}]
        self._check(result.get("status", output.get("status")), success=bool(output.get("success")))
        saved: Mapping[str, Any] = result["data"]
        return saved
