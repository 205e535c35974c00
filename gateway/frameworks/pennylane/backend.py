"""Our backends inside PennyLane (https://pennylane.ai): a device, checked against 0.45.1.

``qml.device("gateway.simulator", wires=2, backend=LocalSimulator("qulacs"))``

Without shots the simulator hands over its state vector, and PennyLane computes from it whatever can be
computed from a state, gradients excepted, for which it shifts parameters. With shots, observables that
do not commute become circuits of their own and are turned into the computational basis; the simulator
draws the shots. Mid-circuit measurements, resets and conditions run on the simulator as they are, with
shots and without. All circuits PennyLane hands over at once travel in one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pennylane as qml
from pennylane.devices import Device, ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.devices.preprocess import device_resolve_dynamic_wires, validate_device_wires, validate_measurements
from pennylane.devices.qubit import measure
from pennylane.exceptions import DeviceError
from pennylane.measurements import (
    ExpectationMP,
    MeasurementProcess,
    ProbabilityMP,
    SampleMeasurement,
    StateMeasurement,
    VarianceMP,
)
from pennylane.ops import MeasurementValue, MidMeasure
from pennylane.tape import QuantumScript
from pennylane.transforms import broadcast_expand, defer_measurements, split_non_commuting
from pennylane.wires import Wires

from gateway.backends.base import Backend
from gateway.backends.client import BackendClient
from gateway.circuit import Circuit
from gateway.counts import Counts
from gateway.errors import RequestError
from gateway.frameworks.pennylane.parsing import Reader
from gateway.protocol.messages import ServerLimits
from gateway.results import ResultType
from gateway.simulators import find

NAME = "gateway.simulator"

_MCM_METHODS = (None, "device", "deferred")
_MOST_CIRCUITS = ServerLimits().max_circuits
"""So many circuits are sent in one request at most: what a server takes unless it says otherwise."""

_FROM_PROBABILITIES = (ExpectationMP, ProbabilityMP, VarianceMP)


@simulator_tracking
@single_tape_support
class GatewayDevice(Device):
    """One of our backends as a device of PennyLane's.

    Args:
        wires: how many, or their labels; any that a circuit uses by default.
        shots: as PennyLane's devices still take them; ``qml.set_shots`` is what it recommends.
        backend: any Backend; or the name of a simulator whose server runs on this machine at its own
            port (``gateway up``, ``gateway serve``), or ``host:port`` of a server.
        seed: of all circuits this device will run; drawn at random when ``None``.
    """

    def __init__(
        self,
        wires: Any = None,  # noqa: ANN401 - a number, or labels of any kind
        shots: Any = None,  # noqa: ANN401 - everything qml.device takes
        *,
        backend: Backend | str,
        seed: int | None = None,
    ) -> None:
        super().__init__(wires=wires, shots=shots)
        self.backend = backend if isinstance(backend, Backend) else _client(backend)
        self._seeds = None if seed is None else np.random.default_rng(seed)

    @property
    def name(self) -> str:
        """The name under which PennyLane finds it."""
        return NAME

    # ------------------------------------------------------------------ before a run

    def setup_execution_config(
        self,
        config: ExecutionConfig | None = None,
        circuit: QuantumScript | None = None,  # noqa: ARG002 - nothing depends on it
    ) -> ExecutionConfig:
        """Choose how mid-circuit measurements are run: by the simulator, unless they are to be deferred.

        Raises:
            DeviceError: another method was asked for, or an option the device does not have.
        """
        config = config or ExecutionConfig()
        if config.device_options:
            raise DeviceError(f"{NAME} has no device options, so not {', '.join(config.device_options)}")
        method = config.mcm_config.mcm_method
        if method not in _MCM_METHODS:
            raise DeviceError(f"{NAME} knows the mcm_methods 'device' and 'deferred', not '{method}'")
        return replace(config, mcm_config=replace(config.mcm_config, mcm_method=method or "device"))

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> Any:  # noqa: ANN401
        """Return what makes circuits of one basis each, without broadcasting, on wires the device has."""
        config = execution_config or ExecutionConfig()
        program = qml.CompilePipeline()
        if config.mcm_config.mcm_method == "deferred":
            program.add_transform(defer_measurements, allow_postselect=False)
        program.add_transform(device_resolve_dynamic_wires, wires=self.wires, allow_resets=True)
        program.add_transform(validate_device_wires, self.wires, name=NAME)
        program.add_transform(
            validate_measurements,
            analytic_measurements=lambda process: isinstance(process, StateMeasurement),
            sample_measurements=lambda process: isinstance(process, SampleMeasurement),
            name=NAME,
        )
        program.add_transform(broadcast_expand)
        program.add_transform(_split, states=self._has_states())
        return program

    def _has_states(self) -> bool:
        return ResultType.STATEVECTOR in self.backend.capabilities().result_types

    # ------------------------------------------------------------------ a run

    def execute(
        self,
        circuits: Sequence[QuantumScript],
        execution_config: ExecutionConfig | None = None,  # noqa: ARG002 - nothing depends on it
    ) -> tuple[Any, ...]:
        """Run circuits, those of one kind in one request; PennyLane's documentation has the shapes of results.

        Raises:
            DeviceError: a measurement that needs a state vector, beside mid-circuit measurements or on
                a backend without one.
            GatewayError: a circuit cannot be converted, or the backend does not take it.
        """
        states = self._has_states()
        tasks = [_task(tape.map_to_standard_wires(), states=states) for tape in circuits]
        results: dict[int, Any] = {}
        for kind in {task.kind for task in tasks}:
            places = [place for place, task in enumerate(tasks) if task.kind is kind]
            for begin in range(0, len(places), _MOST_CIRCUITS):
                chunk = places[begin : begin + _MOST_CIRCUITS]
                results.update(zip(chunk, self._run(kind, [tasks[place] for place in chunk]), strict=True))
        return tuple(results[place] for place in range(len(tasks)))

    def _run(self, kind: ResultType, tasks: Sequence[_Task]) -> Iterator[Any]:
        seed = None if self._seeds is None else int(self._seeds.integers(2**32 - len(tasks)))
        shots = [task.tape.shots.total_shots for task in tasks] if kind is ResultType.COUNTS else None
        outcomes = self.backend.run([task.circuit for task in tasks], shots=shots, seed=seed, result=kind)
        for task, outcome in zip(tasks, outcomes, strict=True):
            yield task.result(outcome)


def _client(address: str) -> BackendClient:
    """Return the client of a server on this machine, by the simulator's name, or of ``host:port``."""
    host, _, port = address.rpartition(":")
    if not host:
        return BackendClient("127.0.0.1", find(address).port)
    if not port.isdecimal():
        raise RequestError(f"{address!r} is neither the name of a simulator nor host:port", field="backend")
    return BackendClient(host, int(port))


# ---------------------------------------------------------------------------- one basis


@qml.transform  # type: ignore[untyped-decorator] # PennyLane is not type-checked
def _split(tape: QuantumScript, *, states: bool) -> tuple[Sequence[QuantumScript], Any]:
    """Make a circuit for each set of observables that commute, unless a state vector gives them all."""
    if _kind(tape, states=states) is ResultType.STATEVECTOR:
        return (tape,), lambda results: results[0]
    tapes, combine = split_non_commuting(tape)
    return tapes, combine


def _kind(tape: QuantumScript, *, states: bool) -> ResultType:
    """Return what to ask the backend for."""
    if tape.shots:
        return ResultType.COUNTS
    return ResultType.STATEVECTOR if states and not _is_dynamic(tape) else ResultType.PROBABILITIES


def _is_dynamic(tape: QuantumScript) -> bool:
    return any(isinstance(op, MidMeasure) for op in tape.operations)


# ---------------------------------------------------------------------------- one circuit


@dataclass(frozen=True, slots=True)
class _Task:
    """A circuit to run and what to make of its outcome.

    Args:
        tape: on the wires ``0 .. n - 1``.
        circuit: what is sent.
        kind: of the outcome.
        measurements: on wires that are clbits' labels.
        labels: the wire that each clbit stands for; mid-circuit measurements have wires of their own.
    """

    tape: QuantumScript
    circuit: Circuit
    kind: ResultType
    measurements: Sequence[MeasurementProcess]
    labels: Wires

    def result(self, outcome: Any) -> Any:  # noqa: ANN401
        """Return what PennyLane wants of a Counts, Probabilities or Statevector."""
        if self.kind is ResultType.STATEVECTOR:
            state = _tensor(outcome.amplitudes)
            return _single(measure(process, state) for process in self.measurements)
        if self.kind is ResultType.PROBABILITIES:
            weights = {bits[::-1]: weight for bits, weight in outcome.items()}  # PennyLane's first wire is leftmost
            return _single(_expected(process, weights, self.labels) for process in self.measurements)
        samples = _samples(outcome)
        parts = [
            _single(process.process_samples(samples[begin:end], self.labels) for process in self.measurements)
            for begin, end in self.tape.shots.bins()
        ]
        return tuple(parts) if self.tape.shots.has_partitioned_shots else parts[0]


def _task(tape: QuantumScript, *, states: bool) -> _Task:
    kind = _kind(tape, states=states)
    reader = Reader({wire: wire for wire in range(max(tape.wires, default=-1) + 1)})
    if kind is ResultType.STATEVECTOR:
        reader.read(tape.operations)
        return _Task(tape, Circuit(*reader.out.parts()), kind, tape.measurements, Wires([]))
    if not tape.shots:
        _check_exact(tape.measurements)
    wires = range(reader.out.num_qubits)
    processes = [_on_all_wires(process, wires) for process in tape.measurements]
    dynamic = _is_dynamic(tape)  # else outcomes, if there are any, have been deferred and are wires like others
    measured = sorted({wire for process in processes if process.mv is None or not dynamic for wire in process.wires})
    clbits = reader.out.new_clbits(len(measured))
    reader.read([*tape.operations, *tape.diagonalizing_gates], processes if dynamic else ())
    for wire, clbit in zip(measured, clbits, strict=True):
        reader.out.measure(wire, clbit)
    circuit = Circuit(*reader.out.parts())
    own = range(len(wires), len(wires) + circuit.num_clbits - len(measured))
    if dynamic:
        processes = [_on_own_wires(process, reader, len(wires) - len(measured)) for process in processes]
    return _Task(tape, circuit, kind, processes, Wires([*measured, *own]))


def _check_exact(processes: Iterable[MeasurementProcess]) -> None:
    for process in processes:
        if type(process) not in _FROM_PROBABILITIES:
            raise DeviceError(f"Measurement {process} needs a state vector, which {NAME} has not after a measurement")


def _on_all_wires(process: MeasurementProcess, wires: Iterable[int]) -> MeasurementProcess:
    """Return a measurement of no wires in particular as one of them all."""
    if process.mv is not None or process.obs is not None or process.wires:
        return process
    measurement = copy(process)
    measurement._wires = Wires(wires)  # noqa: SLF001 - as validate_device_wires does; there is no other way
    return measurement


def _on_own_wires(process: MeasurementProcess, reader: Reader, shift: int) -> MeasurementProcess:
    """Return a measurement of mid-circuit outcomes as one of the wires that stand for them."""
    if process.mv is None:
        return process

    def moved(value: MeasurementValue) -> MeasurementValue:
        outcomes = [MidMeasure(reader.clbit_of(one) + shift, meas_uid=one.meas_uid) for one in value.measurements]
        return MeasurementValue(outcomes, value.processing_fn if value.has_processing else None)

    measurement = copy(process)
    with qml.QueuingManager.stop_recording():
        measurement.mv = [moved(value) for value in process.mv] if isinstance(process.mv, list) else moved(process.mv)
    return measurement


# ---------------------------------------------------------------------------- outcomes


def _tensor(amplitudes: Sequence[complex]) -> np.ndarray[Any, np.dtype[np.complex128]]:
    """Return a little-endian vector as PennyLane's tensor, one axis for each wire."""
    state = np.asarray(amplitudes, dtype=np.complex128)
    return state.reshape([2] * (len(state).bit_length() - 1)).transpose()


def _samples(counts: Counts) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return one row for each shot and one column for each clbit.

    The order is drawn at random from the run's seed, for the reason given in
    :func:`gateway.frameworks.shared.shots.shots_of`; a million shots are common here, so by NumPy.
    """
    bits = np.frombuffer("".join(counts).encode(), dtype=np.uint8).reshape(len(counts), counts.width)
    rows = np.repeat(np.arange(len(counts)), list(counts.values()))
    order = np.random.default_rng(None if counts.provenance is None else counts.provenance.seed).permutation(rows)
    samples: np.ndarray[Any, np.dtype[np.int64]] = (bits[order, ::-1] - ord("0")).astype(np.int64)
    return samples


def _expected(process: MeasurementProcess, weights: Mapping[str, float], labels: Wires) -> Any:  # noqa: ANN401
    """Evaluate an expectation, a variance or probabilities on exact weights."""
    if not process.wires:  # of the identity
        return process.process_samples(np.zeros((1, 0), dtype=np.int64), labels)
    return process.process_counts(weights, labels)


def _single(results: Iterable[Any]) -> Any:  # noqa: ANN401
    """Return several results as a tuple, one as it is."""
    values = tuple(results)
    return values[0] if len(values) == 1 else values
