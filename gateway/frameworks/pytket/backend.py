"""Our backends as a ``pytket.backends.Backend``, checked against pytket 2.18.5.

The host needs pytket but no simulator. pytket compiles a circuit only as far as its user says: boxes,
conditions and nearly every gate go to the simulator as they are.

A circuit that measures nothing has zeros, as on pytket's own simulators. Where a circuit of a call fails, the others
keep their results, and its error is raised for its own handle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from pytket.architecture import FullyConnected
from pytket.backends import Backend as PytketBackend
from pytket.backends import CircuitStatus, ResultHandle, StatusEnum
from pytket.backends.backend_exceptions import CircuitNotRunError
from pytket.backends.backendinfo import BackendInfo
from pytket.backends.backendresult import BackendResult
from pytket.circuit import BasisOrder, OpType
from pytket.circuit import Circuit as TketCircuit
from pytket.passes import (
    AutoRebase,
    DecomposeBoxes,
    FullPeepholeOptimise,
    GreedyPauliSimp,
    RemoveBarriers,
    RemoveRedundancies,
    SequencePass,
    SynthesiseTket,
)
from pytket.pauli import QubitPauliString
from pytket.predicates import GateSetPredicate, MaxNQubitsPredicate, NoSymbolsPredicate
from pytket.utils import QubitPauliOperator, prepare_circuit
from pytket.utils.outcomearray import OutcomeArray

from gateway.backends.base import Backend
from gateway.backends.batch import Batch, run_together
from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES as TABLE
from gateway.circuit.lowering import first_unlowerable
from gateway.counts import Counts
from gateway.errors import GatewayError, JobCancelled
from gateway.frameworks.pytket.bits import SCRATCH
from gateway.frameworks.pytket.gates import ROWS
from gateway.frameworks.pytket.parsing import GATES, parse
from gateway.frameworks.shared.settings import constant, pauli_sum, settings
from gateway.frameworks.shared.shots import shot_table
from gateway.protocol.messages import ServerLimits
from gateway.results import Capabilities, JobState, ResultType

_STATES = {
    JobState.QUEUED: StatusEnum.QUEUED,
    JobState.RUNNING: StatusEnum.RUNNING,
    JobState.DONE: StatusEnum.COMPLETED,
    JobState.FAILED: StatusEnum.ERROR,
    JobState.CANCELLED: StatusEnum.CANCELLED,
}

_GREEDY_SECONDS = 300
"""How long one thread of the most thorough simplification may take."""


class GatewayBackend(PytketBackend):
    """One of our backends as one of pytket's, with the methods and options of pytket-qiskit's ``AerBackend``.

    It gives counts, shots and expectation values. The shots are in random order, see
    :func:`gateway.frameworks.shared.shots.shots_of`.

    Args:
        backend: one of our backends: a LocalSimulator, a DockerSimulator, ...
    """

    _supports_counts = True
    _supports_shots = True
    _supports_contextual_optimisation = True
    _expectation_allows_nonhermitian = True
    _persistent_handles = False

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self._backend = backend
        capabilities, status = backend.capabilities(), backend.status()
        self._asks_for_expectations = ResultType.EXPECTATION in capabilities.result_types
        self._supports_expectation = (
            self._asks_for_expectations or ResultType.PROBABILITIES in capabilities.result_types
        )
        self._max_qubits = capabilities.max_qubits
        self._backend_info = BackendInfo(
            name=type(self).__name__,
            device_name=status.name,
            version=status.version,
            architecture=FullyConnected(self._max_qubits or ServerLimits().max_qubits),
            gate_set=_gate_set(capabilities),
            supports_fast_feedforward=capabilities.classical_control,
            supports_reset=capabilities.reset,
            supports_midcircuit_measurement=capabilities.mid_circuit_measurement,
        )

    # ------------------------------------------------------------------ before a run

    @property
    def backend_info(self) -> BackendInfo:
        """The name, version, size and gates of the simulator; all its qubits are connected."""
        return self._backend_info

    @property
    def required_predicates(self) -> list[Any]:
        """The requirements on a circuit: no symbols, known gates, and not too many qubits."""
        predicates = [NoSymbolsPredicate(), GateSetPredicate(self._backend_info.gate_set)]
        return predicates if self._max_qubits is None else [*predicates, MaxNQubitsPredicate(self._max_qubits)]

    def rebase_pass(self) -> Any:  # noqa: ANN401 - a BasePass
        """Return the pass that rewrites a circuit into gates that this backend knows."""
        return AutoRebase({OpType.CX, OpType.TK1})

    def default_compilation_pass(self, optimisation_level: int = 2, timeout: int = _GREEDY_SECONDS) -> Any:  # noqa: ANN401
        """Return the pass that turns any circuit into one for this backend.

        Args:
            optimisation_level: 0 only opens boxes and rebases, 1 simplifies quickly, 2 thoroughly, and 3 also
                resynthesises the whole circuit from Pauli gadgets, without its barriers.
            timeout: seconds that one thread of level 3 may take.
        """
        simplify = {
            0: [],
            1: [SynthesiseTket()],
            2: [FullPeepholeOptimise()],
            3: [
                RemoveBarriers(),
                AutoRebase({OpType.CX, OpType.Rz, OpType.Rx}),
                GreedyPauliSimp(thread_timeout=timeout, only_reduce=True, trials=10),
                FullPeepholeOptimise(),
            ],
        }[optimisation_level]
        return SequencePass([DecomposeBoxes(), *simplify, self.rebase_pass(), RemoveRedundancies()])

    def get_compiled_circuit(
        self, circuit: TketCircuit, optimisation_level: int = 2, timeout: int = _GREEDY_SECONDS
    ) -> Any:  # noqa: ANN401 - a Circuit
        """Return a compiled copy of a circuit; the arguments are those of :meth:`default_compilation_pass`."""
        compiled = circuit.copy()
        self.default_compilation_pass(optimisation_level, timeout).apply(compiled)
        return compiled

    def get_compiled_circuits(
        self, circuits: Sequence[TketCircuit], optimisation_level: int = 2, timeout: int = _GREEDY_SECONDS
    ) -> list[TketCircuit]:
        """Return compiled copies of circuits."""
        return [self.get_compiled_circuit(circuit, optimisation_level, timeout) for circuit in circuits]

    @property
    def _result_id_type(self) -> tuple[type, ...]:
        return (str, int)

    # ------------------------------------------------------------------ runs

    def process_circuits(
        self,
        circuits: Sequence[TketCircuit],
        n_shots: int | Sequence[int | None] | None = None,
        valid_check: bool = True,
        **kwargs: Any,  # noqa: ANN401 - pytket's signature
    ) -> list[ResultHandle]:
        """Submit circuits as one job.

        Args:
            circuits: circuits of pytket.
            n_shots: the number of shots for all circuits, or one number per circuit.
            valid_check: whether to check :attr:`required_predicates` first.
            **kwargs: ``seed``, ``timeout_s``, and ``postprocess``: whether pytket simplifies the circuits for qubits
                that begin in 0 and end measured or discarded, and computes outcomes that follow from others.

        Raises:
            ValueError: the number of shots is missing.
            CircuitNotValidError: a predicate does not hold.
            UnsupportedError, CircuitInvalidError: see :func:`gateway.frameworks.pytket.parsing.parse`.
        """
        circuits = list(circuits)
        shots = PytketBackend._get_n_shots_as_list(n_shots, len(circuits), optional=False)  # noqa: SLF001 - for backends
        if valid_check:
            self._check_all_circuits(circuits)
        tasks = [_Task.of(circuit, postprocess=bool(kwargs.get("postprocess"))) for circuit in circuits]
        batch = Batch(
            self._backend,
            [parse(task.circuit) for task in tasks],
            shots,
            seed=kwargs.get("seed"),
            timeout_s=kwargs.get("timeout_s"),
        )
        handles = [ResultHandle(batch.id, place) for place in range(len(tasks))]
        for handle, task in zip(handles, tasks, strict=True):
            self._cache[handle] = {"batch": batch, "task": task}
        return handles

    def circuit_status(self, handle: ResultHandle) -> CircuitStatus:
        """Return the state of a circuit, and the error message if it failed."""
        batch, _ = self._submitted(handle)
        state = batch.status()
        if not state.ended:
            return CircuitStatus(_STATES[state])
        outcome = batch.outcomes()[int(handle[1])]
        if isinstance(outcome, JobCancelled):
            return CircuitStatus(StatusEnum.CANCELLED, outcome.message)
        if isinstance(outcome, GatewayError):
            return CircuitStatus(StatusEnum.ERROR, f"{type(outcome).__name__}: {outcome}")
        return CircuitStatus(StatusEnum.COMPLETED)

    def cancel(self, handle: ResultHandle) -> None:
        """Cancel the job of a circuit, and with it the other circuits of the same call, unless it has ended.

        Raises:
            CircuitNotRunError: the handle does not belong to this backend.
        """
        self._submitted(handle)[0].cancel()

    def get_result(self, handle: ResultHandle, **kwargs: Any) -> BackendResult:  # noqa: ANN401 - pytket's signature
        """Wait for the result of a circuit.

        Args:
            handle: the handle of the circuit.
            **kwargs: ``timeout``, in seconds; other options of pytket's backends are ignored.

        Raises:
            CircuitNotRunError: the handle does not belong to this backend.
            GatewayError: the run failed, or (JobTimeout) did not end in time.
        """
        batch, task = self._submitted(handle)
        if "result" not in self._cache[handle]:
            outcome: Any = batch.outcomes(kwargs.get("timeout"))[int(handle[1])]
            if isinstance(outcome, GatewayError):
                raise outcome
            self._cache[handle]["result"] = GatewayResult(outcome, task.clbits, task.postprocessing)
        result: BackendResult = self._cache[handle]["result"]
        return result

    def _submitted(self, handle: ResultHandle) -> tuple[Batch, _Task]:
        """Return the job of a circuit, and what pytket's own methods do not keep of the circuit."""
        self._check_handle_type(handle)
        if handle not in self._cache:
            raise CircuitNotRunError(handle)
        return self._cache[handle]["batch"], self._cache[handle]["task"]

    # ------------------------------------------------------------------ expectation values

    def get_pauli_expectation_value(
        self, state_circuit: TketCircuit, pauli: QubitPauliString, valid_check: bool = True
    ) -> complex:
        """Return the exact expectation value of a Pauli string in the state that a circuit prepares."""
        return self.get_operator_expectation_value(state_circuit, QubitPauliOperator({pauli: 1.0}), valid_check)

    def get_operator_expectation_value(
        self, state_circuit: TketCircuit, operator: QubitPauliOperator, valid_check: bool = True
    ) -> complex:
        """Return the exact expectation value of an operator in the state that a circuit prepares.

        Args:
            state_circuit: a circuit of pytket; it may measure.
            operator: a sum of Pauli strings on qubits of the circuit; it need not be Hermitian.
            valid_check: whether to check :attr:`required_predicates` first.

        Raises:
            ValueError: a coefficient has symbols, or a qubit is not in the circuit.
            CircuitNotValidError: a predicate does not hold.
            GatewayError: the circuit cannot be converted, or the backend does not take it.
        """
        if valid_check:
            self._check_all_circuits([state_circuit], nomeasure_warn=False)
        observable = _observable(operator, state_circuit.qubits)
        real = {label: value.real for label, value in observable.items()}
        imaginary = {label: value.imag for label, value in observable.items() if value.imag}
        first, second = self._expectations(parse(state_circuit), real, imaginary)
        return complex(first, second)

    def _expectations(self, circuit: Circuit, *observables: Mapping[str, float]) -> list[float]:
        """Return the exact expectation values of observables, which the backend computes if it can."""
        sums = [pauli_sum(observable) for observable in observables]
        if self._asks_for_expectations:
            terms = tuple([one.terms for one in sums if one is not None])
            (outcome,) = run_together(self._backend, [circuit], [None], observables=[terms])
            return list(outcome.values)
        values = list(map(constant, observables))
        measured = [(k, setting) for k, one in enumerate(observables) for setting in settings(circuit, one)]
        outcomes = run_together(self._backend, [setting.circuit for _, setting in measured], [None] * len(measured))
        for (k, setting), outcome in zip(measured, outcomes, strict=True):
            values[k] += setting.moments(outcome)[0]
        return values


class GatewayResult(BackendResult):
    """A result of pytket's with counts, from which single shots are drawn when somebody asks for them.

    Args:
        counts: our counts.
        clbits: the bits that our clbits stand for, in order.
        ppcirc: the classical circuit that computes the outcomes from the measured ones.
    """

    def __init__(self, counts: Counts, clbits: Sequence[Any], ppcirc: TketCircuit | None = None) -> None:
        rows = [np.array([list(map(int, reversed(key)))], dtype=np.uint8) for key in counts]
        outcomes = Counter(dict(zip(map(OutcomeArray.from_readouts, rows), counts.values(), strict=True)))
        super().__init__(c_bits=clbits, counts=outcomes, ppcirc=ppcirc)
        self._drawn_from = counts

    def get_shots(
        self, cbits: Sequence[Any] | None = None, basis: BasisOrder = BasisOrder.ilo, ppcirc: TketCircuit | None = None
    ) -> Any:  # noqa: ANN401 - an array
        """Return one row for each shot and one column for each bit, as pytket's own results do."""
        shots = OutcomeArray.from_readouts(shot_table(self._drawn_from))
        drawn = BackendResult(c_bits=self.get_bitlist(), shots=shots, ppcirc=self._ppcirc)
        return drawn.get_shots(cbits, basis, ppcirc)


class _Task(NamedTuple):
    """A circuit that runs, and what turns its counts into a result.

    Args:
        circuit: the circuit that runs.
        clbits: the bits that are clbits, in order.
        postprocessing: the classical circuit that computes the outcomes from the measured ones, if any.
    """

    circuit: TketCircuit
    clbits: list[Any]
    postprocessing: TketCircuit | None

    @classmethod
    def of(cls, circuit: TketCircuit, *, postprocess: bool) -> _Task:
        """Return the circuit to run for one of a user's."""
        circuit, postprocessing = prepare_circuit(circuit, allow_classical=False) if postprocess else (circuit, None)
        return cls(circuit, [bit for bit in circuit.bits if bit.reg_name != SCRATCH], postprocessing)


def _gate_set(capabilities: Capabilities) -> set[Any]:
    """Return the types of operations that the simulator takes, those with angles at some angles at least."""
    if capabilities.gates == "universal":
        return set(GATES)
    gates = capabilities.gates
    fixed = {kind: TABLE[row] for kind, row in ROWS.items() if not TABLE[row].num_params}
    missing = {
        kind
        for kind, row in fixed.items()
        if first_unlowerable([Operation(row.name, tuple(range(row.num_qubits)))], gates) is not None
    }
    return set(GATES) - missing


def _observable(operator: QubitPauliOperator, qubits: Iterable[Any]) -> Mapping[str, complex]:
    """Return an operator as labels with coefficients, qubit 0 rightmost.

    Raises:
        ValueError: a coefficient has symbols, or a qubit is not among these.
    """
    places = {qubit: place for place, qubit in enumerate(qubits)}
    observable: dict[str, complex] = {}
    for string, coefficient in operator.get_dict().items():
        letters = ["I"] * len(places)
        for qubit, pauli in string.map.items():
            if qubit not in places:
                raise ValueError(f"the operator acts on {qubit}, which is not in the circuit")
            letters[-1 - places[qubit]] = pauli.name
        try:
            observable["".join(letters)] = complex(coefficient)
        except TypeError as exc:
            raise ValueError(f"the coefficient {coefficient} has symbols without a value") from exc
    return observable
