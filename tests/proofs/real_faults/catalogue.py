"""Released simulators, importers and exporters that give wrong results, and what their authors say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proofs.real_faults import circuits

from gateway.circuit import Circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A wrong release.

    Args:
        name: names the lock ``environments/NAME.txt`` too, unless ``environment`` does.
        package: the package that is wrong; its version is the lock's.
        driver: the program in ``drivers/`` that runs circuits on it, without its suffix.
        circuit: returns an ordinary circuit that shows the fault.
        says: the fault in one sentence.
        source: where its authors say so: the change, the release note or the issue.
        fixed_in: the first release without the fault; empty if there is none.
        causes: the names that the diagnosis may give, which predict the same; empty if there is no name for the fault.
        environment: the lock's name, where several faults share it.
        shots: enough to see the fault.
    """

    name: str
    package: str
    driver: str
    circuit: Callable[[], Circuit]
    says: str
    source: str
    fixed_in: str
    causes: tuple[str, ...] = ()
    environment: str = ""
    shots: int = 10_000


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            name="aer-ry",
            package="qiskit-aer",
            driver="aer_automatic",
            circuit=circuits.clifford_ansatz,
            says="ry by a quarter turn goes the other way in stabilizer states, which Aer chooses by itself for "
            "circuits of Clifford gates.",
            source="https://github.com/Qiskit/qiskit-aer/pull/2001",
            fixed_in="0.13.1",
            causes=("angle-negated:ry",),
        ),
        Fault(
            name="ddsim-dcx",
            package="mqt.ddsim",
            driver="ddsim",
            circuit=circuits.double_cx_bricks,
            says="The matrix of dcx has its two qubits exchanged.",
            source="https://github.com/munich-quantum-toolkit/core/pull/741",
            fixed_in="2.0.0",
            causes=("operands-exchanged:dcx", "inverse-taken:dcx"),
        ),
        Fault(
            name="qx-csx",
            package="qxelarator",
            driver="qxelarator_text",
            circuit=circuits.grover,
            says="X90 is rx(pi/2) and not the square root of x, so that its controlled form lacks a phase.",
            source="https://github.com/QuTech-Delft/qx-simulator/pull/204",
            fixed_in="0.9.0",
            causes=("phase-lost:csx",),
        ),
        Fault(
            name="terra-conditional-reset",
            package="qiskit-terra",
            driver="openqasm3_exporter",
            circuit=circuits.flagged_ansatz,
            says="The exporter of OpenQASM 3 writes a conditional reset or measurement without its condition.",
            source="https://github.com/Qiskit/qiskit/blob/main/releasenotes/notes/0.22/"
            "qasm3-fix-conditional-measurement-2d938cad74a9024a.yaml",
            fixed_in="0.22.0",
            causes=("condition-ignored",),
        ),
        Fault(
            name="cudaq-reset",
            package="cuda-quantum",
            driver="cudaq_sampler",
            circuit=circuits.repetition_code,
            says="A circuit is simulated once for all shots: resets fall out the same in all of them, and a "
            "measurement before a reset reads what comes after it.",
            source="https://github.com/NVIDIA/cuda-quantum/issues/2274",
            fixed_in="0.9.0",
            causes=("shots-correlated",),
        ),
        Fault(
            name="basicaer-twice",
            package="qiskit-terra",
            driver="basicaer",
            circuit=circuits.read_twice,
            says="When a qubit is measured twice, one of the clbits is never written.",
            source="https://github.com/Qiskit/qiskit/issues/2664",
            fixed_in="0.9.0",
            causes=("clbit-unwritten",),
            shots=1_000,  # it simulates each shot anew
        ),
        Fault(
            name="aer-mps-subset",
            package="qiskit-aer",
            driver="aer_matrix_product_state",
            circuit=circuits.some_are_read,
            says="Sampling some of the qubits of a matrix product state reads other qubits.",
            source="https://github.com/Qiskit/qiskit-aer/issues/1165",
            fixed_in="0.8.0",
        ),
        Fault(
            name="braket-cnot",
            package="amazon-braket-default-simulator",
            driver="braket_statevector",
            circuit=circuits.ghz_tree,
            says="From 11 qubits on, a compiled path for cnot changes wrong amplitudes for some pairs of qubits.",
            source="https://github.com/amazon-braket/amazon-braket-default-simulator-python/pull/353",
            fixed_in="1.36.1",
        ),
        Fault(
            name="braket-modifiers",
            package="amazon-braket-default-simulator",
            driver="braket_modifiers",
            circuit=circuits.fourier,
            says="The simulator of density matrices applies ctrl to wrong amplitudes on one side; 1.31.7 mends it for "
            "some pairs of qubits, and 1.41.2 still gets ctrl @ x q[2], q[0] wrong.",
            source="https://github.com/amazon-braket/amazon-braket-default-simulator-python/pull/321",
            fixed_in="",
        ),
        Fault(
            name="pyquil-dagger",
            package="pyquil",
            driver="pyquil_numpy",
            circuit=circuits.phase_estimation,
            says="The simulator in NumPy ignores a gate's modifiers, so that T(0).dagger() acts as T(0).",
            source="https://github.com/rigetti/pyquil/pull/1277",
            fixed_in="",
            causes=("inverse-taken:tdg",),
        ),
        Fault(
            name="quimb-order",
            package="quimb",
            driver="quimb_permuted",
            circuit=circuits.far_neighbours,
            says="CircuitPermMPS moves qubits, and sampling puts them back by the inverse of the right permutation.",
            source="https://github.com/jcmgray/quimb/issues/327",
            fixed_in="1.14.0",
            causes=("clbits-permuted",),
            shots=200,  # it draws a hundred or so a second
        ),
        Fault(
            name="quimb-rzz",
            package="quimb",
            driver="quimb_circuit",
            circuit=circuits.max_cut,
            says="rzz turns twice as far as in OpenQASM, and the other way.",
            source="https://github.com/jcmgray/quimb/commit/aed722f027275bb9444dfc07a20241ace4354757",
            fixed_in="1.6.0",
            causes=("angle-doubled:rzz",),
        ),
        Fault(
            name="qiskit-importer",
            package="qiskit",
            driver="openqasm2_importer",
            circuit=circuits.many_gates,
            says="The importer of OpenQASM 2 counts past the definitions of gates it knows by itself, so that later "
            "gates get a neighbour's definition.",
            source="https://github.com/Qiskit/qiskit/issues/13339",
            fixed_in="1.3.0",
        ),
        Fault(
            name="qibo-clifford",
            package="qibo",
            driver="qibo_clifford",
            circuit=circuits.random_clifford,
            says="Measuring a stabilizer state takes a wrong sign now and then, so that other outcomes occur; in the "
            "counts, a wrong sign looks like several other faults.",
            source="https://github.com/qiboteam/qibo/issues/1598",
            fixed_in="",
            causes=("inverse-taken:sx", "clbit-inverted", "clbits-exchanged"),
            shots=500,  # it draws some hundred a second
        ),
    )
}
"""Name -> fault."""
