"""Our backends as a device of PennyLane (https://pennylane.ai), checked against 0.45.1.

``qml.device("gateway.simulator", wires=2, backend=LocalSimulator("qulacs"))``

Without shots the simulator computes the expectation values of sums of Pauli products. For anything else it hands over
its state vector, and PennyLane computes from it everything that a state gives. For gradients PennyLane shifts
parameters. With shots, observables that do not commute become circuits of their own, which end with a rotation into
the computational basis, and the simulator draws the shots. Mid-circuit measurements, resets and conditions run on the
simulator as they are, with shots and without. All circuits that PennyLane hands over at once travel in one request for
each kind of result.
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

from gateway.backends.access import access_to
from gateway.backends.addresses import is_address
from gateway.backends.base import Backend
from gateway.backends.batch import Observables, run_together
from gateway.backends.client import BackendClient, connect
from gateway.circuit import Circuit
from gateway.errors import GatewayError
from gateway.frameworks.pennylane.parsing import Reader
from gateway.frameworks.shared.errors import also
from gateway.frameworks.shared.shots import shot_table
from gateway.observables import Observable, PauliSum
from gateway.results import ResultType
from gateway.simulators import find

NAME = "gateway.simulator"

_MOST_REQUESTS = 16
"""So many requests are sent for observables that differ; beyond, state vectors are asked for, in one request."""

_MCM_METHODS = (None, "device", "deferred")
_POSTSELECT_MODES = (None, "fill-shots")
_FROM_PROBABILITIES = (ExpectationMP, ProbabilityMP, VarianceMP)


@simulator_tracking
@single_tape_support
class GatewayDevice(Device):
    """One of our backends as a device of PennyLane's.

    Args:
        wires: the number of wires, or their labels; by default any wires that a circuit uses.
        shots: the number of shots, as PennyLane's devices still take it; PennyLane recommends ``qml.set_shots``.
        backend: any Backend, or the name of a simulator whose server runs on this machine at its own port
            (``gateway up``, ``gateway serve``), or the URL or ``host:port`` of a server.
        seed: the seed for all circuits that this device will run; ``None`` draws one at random.
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
        """Choose the method for mid-circuit measurements: the simulator runs them, unless they are to be deferred.

        Raises:
            DeviceError: the configuration has another method, or an option that the device does not have.
        """
        config = config or ExecutionConfig()
        if config.device_options:
            raise DeviceError(f"{NAME} has no device options, so not {', '.join(config.device_options)}")
        method = config.mcm_config.mcm_method
        if method not in _MCM_METHODS:
            raise DeviceError(f"{NAME} knows the mcm_methods 'device' and 'deferred', not '{method}'")
        mode = config.mcm_config.postselect_mode
        if mode not in _POSTSELECT_MODES:
            raise DeviceError(f"{NAME} keeps every shot, so its postselect_mode is 'fill-shots', not '{mode}'")
        return replace(config, mcm_config=replace(config.mcm_config, mcm_method=method or "device"))

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> Any:  # noqa: ANN401
        """Return the transforms after which each circuit has one basis, no broadcasting, and wires of the device."""
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
        program.add_transform(_split_by_basis, abilities=self._abilities())
        return program

    def _abilities(self) -> frozenset[ResultType]:
        return frozenset(self.backend.capabilities().result_types)

    # ------------------------------------------------------------------ a run

    def execute(
        self,
        circuits: Sequence[QuantumScript],
        execution_config: ExecutionConfig | None = None,  # noqa: ARG002 - nothing depends on it
    ) -> tuple[Any, ...]:
        """Run circuits, all of one result type in one request; PennyLane's documentation has the shapes of the results.

        Raises:
            DeviceError: a measurement needs a state vector, but the circuit has mid-circuit measurements or the
                backend has no state vectors. Where a circuit cannot be converted, or the backend does not take it,
                the error is a GatewayError as well.
        """
        abilities = self._abilities()
        tapes = [tape.map_to_standard_wires() for tape in circuits]
        if ResultType.STATEVECTOR in abilities and len({*map(_observables, tapes)}) > _MOST_REQUESTS:
            abilities -= {ResultType.EXPECTATION}
        try:
            tasks = [_task(tape, _kind(tape, abilities)) for tape in tapes]
            results: dict[int, Any] = {}
            for kind in dict.fromkeys(task.kind for task in tasks):
                places = [place for place, task in enumerate(tasks) if task.kind is kind]
                results.update(zip(places, self._run(kind, [tasks[place] for place in places]), strict=True))
        except GatewayError as exc:
            raise also(exc, DeviceError) from exc
        return tuple(results[place] for place in range(len(tasks)))

    def _run(self, kind: ResultType, tasks: Sequence[_Task]) -> Iterator[Any]:
        shots = [task.tape.shots.total_shots if kind is ResultType.COUNTS else None for task in tasks]
        outcomes = run_together(
            self.backend,
            [task.circuit for task in tasks],
            shots,
            seed=None if self._seeds is None else int(self._seeds.integers(2**32)),
            result=kind,
            observables=[task.observables for task in tasks],
        )
        for task, outcome in zip(tasks, outcomes, strict=True):
            yield task.result(outcome)


def _client(address: str) -> BackendClient:
    """Return the client of a server on this machine, by the simulator's name, or of a URL or ``host:port``."""
    if is_address(address):
        return connect(access_to(address))
    return BackendClient("127.0.0.1", find(address).port)


# ---------------------------------------------------------------------------- one basis


@qml.transform  # type: ignore[untyped-decorator] # PennyLane is not type-checked
def _split_by_basis(tape: QuantumScript, *, abilities: frozenset[ResultType]) -> tuple[Sequence[QuantumScript], Any]:
    """Return a circuit for each set of observables that commute; one circuit if no basis has to be measured."""
    if _kind(tape, abilities) in {ResultType.EXPECTATION, ResultType.STATEVECTOR}:
        return (tape,), lambda results: results[0]
    tapes, combine = split_non_commuting(
        tape.copy(measurements=[_with_scaled_identity(one) for one in tape.measurements])
    )
    return tapes, combine


def _with_scaled_identity(process: MeasurementProcess) -> MeasurementProcess:
    """Return a measurement of the identity as one of 1 times the identity.

    The result of any measurement of the identity is 1 for split_non_commuting, which is right for expectation values
    alone.
    """
    if not isinstance(process.obs, qml.Identity) or not process.obs.wires or isinstance(process, ExpectationMP):
        return process
    measurement = copy(process)
    with qml.QueuingManager.stop_recording():
        measurement.obs = qml.s_prod(1, process.obs)
    return measurement


def _kind(tape: QuantumScript, abilities: frozenset[ResultType]) -> ResultType:
    """Return the result type to request from a backend that has these."""
    if tape.shots:
        return ResultType.COUNTS
    if ResultType.EXPECTATION in abilities and _pauli_sums(tape) is not None:
        return ResultType.EXPECTATION
    has_state = ResultType.STATEVECTOR in abilities and not _is_dynamic(tape)
    return ResultType.STATEVECTOR if has_state else ResultType.PROBABILITIES


def _pauli_sums(tape: QuantumScript) -> list[Any] | None:
    """Return PennyLane's Pauli sums of a circuit that has only expectation values of such sums, else ``None``."""
    sums = [process.obs.pauli_rep for process in tape.measurements if _has_pauli_sum(process)]
    return sums if sums and len(sums) == len(tape.measurements) else None


def _has_pauli_sum(process: MeasurementProcess) -> bool:
    sentence = getattr(process.obs, "pauli_rep", None) if isinstance(process, ExpectationMP) else None
    return sentence is not None and not any(np.imag(weight) for weight in sentence.values())


def _observables(tape: QuantumScript) -> Observables | None:
    """Return the observables of a circuit on wires ``0 .. n - 1`` whose expectation values are all that it has."""
    sums = _pauli_sums(tape)
    return None if sums is None else tuple(map(_observable, sums))


def _observable(sentence: Mapping[Any, Any]) -> Observable:
    terms = [("".join(word.values()), tuple(word), float(np.real(weight))) for word, weight in sentence.items()]
    return PauliSum(terms or [("", (), 0.0)]).terms


def _is_dynamic(tape: QuantumScript) -> bool:
    return any(isinstance(op, MidMeasure) for op in tape.operations)


# ---------------------------------------------------------------------------- one circuit


@dataclass(frozen=True, slots=True)
class _Task:
    """A circuit to run, and what turns its result into PennyLane's.

    Args:
        tape: PennyLane's circuit on the wires ``0 .. n - 1``.
        circuit: our circuit, which the backend runs.
        kind: the result type.
        measurements: PennyLane's measurements, on wires that are labels of clbits.
        labels: the wire that each clbit stands for; mid-circuit measurements have wires of their own.
        observables: the observables of expectation values that the backend computes.
    """

    tape: QuantumScript
    circuit: Circuit
    kind: ResultType
    measurements: Sequence[MeasurementProcess]
    labels: Wires
    observables: Observables | None = None

    def result(self, outcome: Any) -> Any:  # noqa: ANN401
        """Return PennyLane's results for Counts, Probabilities, a Statevector or an Expectation."""
        if self.kind is ResultType.EXPECTATION:
            return _single(map(np.float64, outcome.values))
        if self.kind is ResultType.STATEVECTOR:
            state = _tensor(outcome)
            return _single(measure(process, state) for process in self.measurements)
        if self.kind is ResultType.PROBABILITIES:
            weights = {bits[::-1]: weight for bits, weight in outcome.items()}  # PennyLane's first wire is leftmost
            return _single(_exact_value(process, weights, self.labels) for process in self.measurements)
        samples = shot_table(outcome).astype(np.int64)
        parts = [
            _single(process.process_samples(samples[begin:end], self.labels) for process in self.measurements)
            for begin, end in self.tape.shots.bins()
        ]
        return tuple(parts) if self.tape.shots.has_partitioned_shots else parts[0]


def _task(tape: QuantumScript, kind: ResultType) -> _Task:
    reader = Reader({wire: wire for wire in range(max(tape.wires, default=-1) + 1)})
    if kind in {ResultType.EXPECTATION, ResultType.STATEVECTOR}:
        reader.read(tape.operations)
        observables = _observables(tape) if kind is ResultType.EXPECTATION else None
        return _Task(tape, Circuit(*reader.out.parts()), kind, tape.measurements, Wires([]), observables)
    if not tape.shots:
        _check_exact(tape.measurements)
    wires = range(reader.out.num_qubits)
    processes = [_on_all_wires(process, wires) for process in tape.measurements]
    dynamic = _is_dynamic(tape)  # otherwise outcomes, if any, have been deferred and are ordinary wires
    measured_wires = sorted(
        {wire for process in processes if process.mv is None or not dynamic for wire in process.wires}
    )
    clbits = reader.out.new_clbits(len(measured_wires))
    reader.read([*tape.operations, *tape.diagonalizing_gates], processes if dynamic else ())
    for wire, clbit in zip(measured_wires, clbits, strict=True):
        reader.out.measure(wire, clbit)
    circuit = Circuit(*reader.out.parts())
    outcome_wires = range(len(wires), len(wires) + circuit.num_clbits - len(measured_wires))
    if dynamic:
        processes = [_on_own_wires(process, reader, len(wires) - len(measured_wires)) for process in processes]
    return _Task(tape, circuit, kind, processes, Wires([*measured_wires, *outcome_wires]))


def _check_exact(processes: Iterable[MeasurementProcess]) -> None:
    for process in processes:
        if type(process) not in _FROM_PROBABILITIES:
            raise DeviceError(f"Measurement {process} needs a state vector, which {NAME} has not after a measurement")


def _on_all_wires(process: MeasurementProcess, wires: Iterable[int]) -> MeasurementProcess:
    """Return a measurement that names no wires as a measurement of all wires."""
    if process.mv is not None or process.obs is not None or process.wires:
        return process
    measurement = copy(process)
    measurement._wires = Wires(wires)  # noqa: SLF001 - as validate_device_wires does; there is no other way
    return measurement


def _on_own_wires(process: MeasurementProcess, reader: Reader, shift: int) -> MeasurementProcess:
    """Return a measurement of mid-circuit outcomes as a measurement of the wires that stand for them."""
    if process.mv is None:
        return process

    def on_own_wires(value: MeasurementValue) -> MeasurementValue:
        outcomes = [MidMeasure(reader.clbit_of(one) + shift, meas_uid=one.meas_uid) for one in value.measurements]
        return MeasurementValue(outcomes, value.processing_fn if value.has_processing else None)

    measurement = copy(process)
    with qml.QueuingManager.stop_recording():
        measurement.mv = (
            [on_own_wires(value) for value in process.mv] if isinstance(process.mv, list) else on_own_wires(process.mv)
        )
    return measurement


# ---------------------------------------------------------------------------- outcomes


def _tensor(amplitudes: Sequence[complex]) -> np.ndarray[Any, np.dtype[np.complex128]]:
    """Return a little-endian vector as PennyLane's tensor, one axis for each wire."""
    state = np.asarray(amplitudes, dtype=np.complex128)
    return state.reshape([2] * (len(state).bit_length() - 1)).transpose()


def _exact_value(process: MeasurementProcess, weights: Mapping[str, float], labels: Wires) -> Any:  # noqa: ANN401
    """Return an expectation value, a variance or probabilities from exact weights."""
    if not process.wires:  # the observable is the identity
        return process.process_samples(np.zeros((1, 0), dtype=np.int64), labels)
    return process.process_counts(weights, labels)


def _single(results: Iterable[Any]) -> Any:  # noqa: ANN401
    """Return several results as a tuple, and a single one as it is."""
    values = tuple(results)
    return values[0] if len(values) == 1 else values
