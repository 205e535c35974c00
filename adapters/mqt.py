"""MQT DDSIM (https://mqt.readthedocs.io/projects/ddsim), checked against 2.7.0 with MQT Core 3.11.0.

Decision diagrams: time and memory depend on the structure of the state and not on the number of
qubits, so there is no limit of qubits for counts, and shots are always drawn by DDSIM itself.
Dynamic circuits go by deferred measurement (DDSIM's own way simulates every shot from the start).

MQT is little-endian, as we are. Two gates are left to their definitions: MQT's ``v`` is not ``sx``,
and its ``cu`` lacks the fourth angle. A *controlled* ``gphase`` is ignored by the simulation; none
is emitted, since :mod:`adapters.shared.deferred` has no use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, ClassVar

import mqt.ddsim
import numpy as np
from mqt.core.dd import simulate_statevector
from mqt.core.ir import QuantumComputation
from mqt.core.ir.operations import Control
from mqt.ddsim import CircuitSimulator

from adapters.base import Adapter, Run, measured_clbits
from adapters.shared.deferred import Step, defer
from adapters.shared.dense import NEGLIGIBLE, without_idle_qubits
from adapters.shared.states import State, bitstrings, distribution
from gateway.circuit import Circuit
from gateway.counts import Counts, Probabilities, Statevector
from gateway.simulators import SIMULATORS


class Native:
    """One gate, plain and with further controls.

    Args:
        base: MQT's name of the gate without controls.
        num_controls: how many of the gate's first qubits are controls of its own.
    """

    __slots__ = ("_many", "num_controls", "plain")

    def __init__(self, base: str, num_controls: int = 0) -> None:
        self.num_controls = num_controls
        self._many: Any = getattr(QuantumComputation, f"mc{base}", None)  # gphase has none and needs none
        self.plain: Callable[..., None] = (
            getattr(QuantumComputation, "c" * num_controls + base) if num_controls <= 1 else self._with_own_controls
        )
        """Appends the gate: ``(circuit, *params, *qubits)``."""

    def controlled(self, circuit: QuantumComputation, step: Step) -> None:
        """Append the gate with the controls of a step."""
        controls = {Control(q, Control.Type.Pos if value else Control.Type.Neg) for q, value in step.controls.items()}
        controls.update(map(Control, step.qubits[: self.num_controls]))
        self._many(circuit, *step.params, controls, *step.qubits[self.num_controls :])

    def _with_own_controls(self, circuit: QuantumComputation, *qubits: int) -> None:
        self._many(circuit, set(qubits[: self.num_controls]), *qubits[self.num_controls :])


@dataclass(frozen=True, slots=True)
class Program:
    """Gates, with measurements of some qubits at the end.

    Args:
        shown: clbit -> qubit it shows; the other clbits are 0.
        measured: the measured qubits, each once; the position is MQT's classical bit.
    """

    circuit: QuantumComputation
    shown: dict[int, int]
    num_clbits: int
    measured: tuple[int, ...] = ()


class MqtAdapter(Adapter[Program]):
    """DDSIM's ``CircuitSimulator``."""

    name = "mqt"
    capabilities = SIMULATORS["mqt"].capabilities
    native_gates: ClassVar[Mapping[str, Native]] = {
        "gphase": Native("gphase"),
        "id": Native("i"),
        "x": Native("x"),
        "y": Native("y"),
        "z": Native("z"),
        "h": Native("h"),
        "s": Native("s"),
        "sdg": Native("sdg"),
        "t": Native("t"),
        "tdg": Native("tdg"),
        "sx": Native("sx"),
        "sxdg": Native("sxdg"),
        "p": Native("p"),
        "u1": Native("p"),
        "u2": Native("u2"),
        "u3": Native("u"),
        "u": Native("u"),
        "U": Native("u"),
        "rx": Native("rx"),
        "ry": Native("ry"),
        "rz": Native("rz"),
        "cx": Native("x", 1),
        "CX": Native("x", 1),
        "cy": Native("y", 1),
        "cz": Native("z", 1),
        "ch": Native("h", 1),
        "cs": Native("s", 1),
        "csdg": Native("sdg", 1),
        "csx": Native("sx", 1),
        "crx": Native("rx", 1),
        "cry": Native("ry", 1),
        "crz": Native("rz", 1),
        "cp": Native("p", 1),
        "cu1": Native("p", 1),
        "cu3": Native("u", 1),
        "swap": Native("swap"),
        "iswap": Native("iswap"),
        "dcx": Native("dcx"),
        "ecr": Native("ecr"),
        "rxx": Native("rxx"),
        "ms": Native("rxx"),
        "ryy": Native("ryy"),
        "rzz": Native("rzz"),
        "rzx": Native("rzx"),
        "xx_plus_yy": Native("xx_plus_yy"),
        "xx_minus_yy": Native("xx_minus_yy"),
        "ccx": Native("x", 2),
        "ccz": Native("z", 2),
        "cswap": Native("swap", 1),
        "rccx": Native("rccx"),
        "c3x": Native("x", 3),
        "c3sqrtx": Native("sx", 3),
        "c4x": Native("x", 4),
    }

    def __init__(self) -> None:
        self._plain = {name: gate.plain for name, gate in self.native_gates.items()}
        self._plain["barrier"] = lambda *_: None

    def version(self) -> str:
        """Return DDSIM's version."""
        return str(mqt.ddsim.__version__)

    def build(self, circuit: Circuit) -> Program:
        """Convert to a QuantumComputation whose measurements come last, each of another qubit.

        One qubit measured into two classical bits would come out wrong (munich-quantum-toolkit/ddsim
        issue 251); here each is measured once, and :meth:`sample` writes the clbits.
        """
        program = self._gates(circuit)
        measured = tuple(sorted(set(program.shown.values())))
        if measured:
            program.circuit.add_classical_register(len(measured))
            program.circuit.measure(list(measured), list(range(len(measured))))
        return Program(program.circuit, program.shown, program.num_clbits, measured)

    def sample(self, native: Program, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``CircuitSimulator.simulate``."""
        width = native.num_clbits
        if not native.measured:  # every condition of a measurement is false; MQT would measure everything
            return Counts.trusted({"0" * width: shots}, width)
        counts = CircuitSimulator(native.circuit, seed=seed).simulate(shots)
        # MQT's keys have the highest classical bit first; a clbit that shows nothing takes the 0 appended.
        places = {qubit: place for place, qubit in enumerate(reversed(native.measured))}
        picks = [places.get(native.shown.get(clbit, -1), len(places)) for clbit in reversed(range(width))]
        if picks == list(range(len(places))):
            return Counts.trusted(counts, width)
        pick = itemgetter(*picks)
        return Counts.trusted({"".join(pick(key + "0")): times for key, times in counts.items()}, width)

    def state(self, native: Program) -> State:
        """Return the state after the gates of a program without measurements, complex128 ``[2**n]``.

        Exact results are dense: the vector, its Python numbers, and a diagram that may have no structure to use.

        Raises:
            LimitError: that vector would not fit into memory.
        """
        self.check_memory(native.circuit.num_qubits, per_amplitude=self.capabilities.exact_bytes_per_amplitude)
        return np.asarray(simulate_statevector(native.circuit))

    def statevector(self, circuit: Circuit, run: Run) -> Statevector:
        """Return the state after a circuit of gates."""
        with run.building():
            program = self._gates(Circuit(max(circuit.num_qubits, 1), 0, circuit.operations))
        with run.running():
            state = self.state(program)[: 2**circuit.num_qubits]
        return Statevector(state.tolist(), width=circuit.num_clbits)

    def probabilities(self, circuit: Circuit, run: Run) -> Probabilities:
        """Return the exact probabilities of the clbits."""
        with run.building():
            program = self._gates(without_idle_qubits(circuit))
        with run.running():
            measured = sorted(set(program.shown.values()))
            probabilities = distribution(self.state(program), measured)
            (hit,) = np.nonzero(probabilities > NEGLIGIBLE)
            places = {clbit: measured.index(qubit) for clbit, qubit in program.shown.items()}
            keys = bitstrings(hit, places, 0, circuit.num_clbits)
        return Probabilities(dict(zip(keys, probabilities[hit].tolist(), strict=True)), circuit.num_clbits)

    def _gates(self, circuit: Circuit) -> Program:
        """Convert the gates, measurement deferred where something follows it."""
        target = QuantumComputation(circuit.num_qubits)
        plain = self._plain
        tail = len(circuit.operations)
        for index, op in enumerate(circuit.operations):
            append = plain.get(op.name)
            if append is None or op.condition:
                tail = index
                break
            append(target, *op.params, *op.qubits)
        last = circuit.operations[tail:]
        if all(op.name in {"measure", "barrier"} and not op.condition for op in last):
            return Program(target, measured_clbits(last), circuit.num_clbits)
        deferred = defer(circuit)
        target = QuantumComputation(deferred.num_qubits)
        for step in deferred.steps:
            if step.controls:
                self.native_gates[step.name].controlled(target, step)
            else:
                plain[step.name](target, *step.params, *step.qubits)
        return Program(target, deferred.shown, circuit.num_clbits)
