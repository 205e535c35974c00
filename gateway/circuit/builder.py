"""One builder method for each row of the gate table. Rendered by ``scripts/render``: do not edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from gateway.circuit.operations import When


class GateMethods:
    """The gates of the table as methods that append and return the circuit.

    Angles come first and are in radians; ``when=`` makes the gate conditional.
    """

    __slots__ = ()

    def gate(self, name: str, qubits: Sequence[int], params: Sequence[float] = (), when: When = None) -> Self:
        """Append a gate of the table by name; a Circuit implements it."""
        raise NotImplementedError

    def u(self, theta: float, phi: float, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``u``."""
        return self.gate("u", (qubit,), (theta, phi, lam), when)

    def cx(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cx``."""
        return self.gate("cx", (qubit_a, qubit_b), (), when)

    def gphase(self, gamma: float, when: When = None) -> Self:
        """Append ``gphase``."""
        return self.gate("gphase", (), (gamma,), when)

    def id(self, qubit: int, when: When = None) -> Self:
        """Append ``id``."""
        return self.gate("id", (qubit,), (), when)

    def u0(self, gamma: float, qubit: int, when: When = None) -> Self:
        """Append ``u0``."""
        return self.gate("u0", (qubit,), (gamma,), when)

    def x(self, qubit: int, when: When = None) -> Self:
        """Append ``x``."""
        return self.gate("x", (qubit,), (), when)

    def y(self, qubit: int, when: When = None) -> Self:
        """Append ``y``."""
        return self.gate("y", (qubit,), (), when)

    def z(self, qubit: int, when: When = None) -> Self:
        """Append ``z``."""
        return self.gate("z", (qubit,), (), when)

    def h(self, qubit: int, when: When = None) -> Self:
        """Append ``h``."""
        return self.gate("h", (qubit,), (), when)

    def s(self, qubit: int, when: When = None) -> Self:
        """Append ``s``."""
        return self.gate("s", (qubit,), (), when)

    def sdg(self, qubit: int, when: When = None) -> Self:
        """Append ``sdg``."""
        return self.gate("sdg", (qubit,), (), when)

    def t(self, qubit: int, when: When = None) -> Self:
        """Append ``t``."""
        return self.gate("t", (qubit,), (), when)

    def tdg(self, qubit: int, when: When = None) -> Self:
        """Append ``tdg``."""
        return self.gate("tdg", (qubit,), (), when)

    def sx(self, qubit: int, when: When = None) -> Self:
        """Append ``sx``."""
        return self.gate("sx", (qubit,), (), when)

    def sxdg(self, qubit: int, when: When = None) -> Self:
        """Append ``sxdg``."""
        return self.gate("sxdg", (qubit,), (), when)

    def p(self, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``p``."""
        return self.gate("p", (qubit,), (lam,), when)

    def u1(self, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``u1``."""
        return self.gate("u1", (qubit,), (lam,), when)

    def u2(self, phi: float, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``u2``."""
        return self.gate("u2", (qubit,), (phi, lam), when)

    def u3(self, theta: float, phi: float, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``u3``."""
        return self.gate("u3", (qubit,), (theta, phi, lam), when)

    def U(self, theta: float, phi: float, lam: float, qubit: int, when: When = None) -> Self:
        """Append ``U``."""
        return self.gate("U", (qubit,), (theta, phi, lam), when)

    def rx(self, theta: float, qubit: int, when: When = None) -> Self:
        """Append ``rx``."""
        return self.gate("rx", (qubit,), (theta,), when)

    def ry(self, theta: float, qubit: int, when: When = None) -> Self:
        """Append ``ry``."""
        return self.gate("ry", (qubit,), (theta,), when)

    def rz(self, theta: float, qubit: int, when: When = None) -> Self:
        """Append ``rz``."""
        return self.gate("rz", (qubit,), (theta,), when)

    def r(self, theta: float, phi: float, qubit: int, when: When = None) -> Self:
        """Append ``r``."""
        return self.gate("r", (qubit,), (theta, phi), when)

    def gpi(self, phi: float, qubit: int, when: When = None) -> Self:
        """Append ``gpi``."""
        return self.gate("gpi", (qubit,), (phi,), when)

    def gpi2(self, phi: float, qubit: int, when: When = None) -> Self:
        """Append ``gpi2``."""
        return self.gate("gpi2", (qubit,), (phi,), when)

    def CX(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``CX``."""
        return self.gate("CX", (qubit_a, qubit_b), (), when)

    def cy(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cy``."""
        return self.gate("cy", (qubit_a, qubit_b), (), when)

    def cz(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cz``."""
        return self.gate("cz", (qubit_a, qubit_b), (), when)

    def ch(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``ch``."""
        return self.gate("ch", (qubit_a, qubit_b), (), when)

    def cs(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cs``."""
        return self.gate("cs", (qubit_a, qubit_b), (), when)

    def csdg(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``csdg``."""
        return self.gate("csdg", (qubit_a, qubit_b), (), when)

    def csx(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``csx``."""
        return self.gate("csx", (qubit_a, qubit_b), (), when)

    def csxdg(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``csxdg``."""
        return self.gate("csxdg", (qubit_a, qubit_b), (), when)

    def cp(self, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cp``."""
        return self.gate("cp", (qubit_a, qubit_b), (lam,), when)

    def cu1(self, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cu1``."""
        return self.gate("cu1", (qubit_a, qubit_b), (lam,), when)

    def cphaseshift00(self, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cphaseshift00``."""
        return self.gate("cphaseshift00", (qubit_a, qubit_b), (lam,), when)

    def cphaseshift01(self, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cphaseshift01``."""
        return self.gate("cphaseshift01", (qubit_a, qubit_b), (lam,), when)

    def cphaseshift10(self, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cphaseshift10``."""
        return self.gate("cphaseshift10", (qubit_a, qubit_b), (lam,), when)

    def crx(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``crx``."""
        return self.gate("crx", (qubit_a, qubit_b), (theta,), when)

    def cry(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cry``."""
        return self.gate("cry", (qubit_a, qubit_b), (theta,), when)

    def crz(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``crz``."""
        return self.gate("crz", (qubit_a, qubit_b), (theta,), when)

    def cu3(self, theta: float, phi: float, lam: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``cu3``."""
        return self.gate("cu3", (qubit_a, qubit_b), (theta, phi, lam), when)

    def cu(
        self, theta: float, phi: float, lam: float, gamma: float, qubit_a: int, qubit_b: int, when: When = None
    ) -> Self:
        """Append ``cu``."""
        return self.gate("cu", (qubit_a, qubit_b), (theta, phi, lam, gamma), when)

    def swap(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``swap``."""
        return self.gate("swap", (qubit_a, qubit_b), (), when)

    def iswap(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``iswap``."""
        return self.gate("iswap", (qubit_a, qubit_b), (), when)

    def dcx(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``dcx``."""
        return self.gate("dcx", (qubit_a, qubit_b), (), when)

    def ecr(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``ecr``."""
        return self.gate("ecr", (qubit_a, qubit_b), (), when)

    def rxx(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``rxx``."""
        return self.gate("rxx", (qubit_a, qubit_b), (theta,), when)

    def ms(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``ms``."""
        return self.gate("ms", (qubit_a, qubit_b), (theta,), when)

    def ryy(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``ryy``."""
        return self.gate("ryy", (qubit_a, qubit_b), (theta,), when)

    def rzz(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``rzz``."""
        return self.gate("rzz", (qubit_a, qubit_b), (theta,), when)

    def rzx(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``rzx``."""
        return self.gate("rzx", (qubit_a, qubit_b), (theta,), when)

    def xx_plus_yy(self, theta: float, beta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``xx_plus_yy``."""
        return self.gate("xx_plus_yy", (qubit_a, qubit_b), (theta, beta), when)

    def xx_minus_yy(self, theta: float, beta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``xx_minus_yy``."""
        return self.gate("xx_minus_yy", (qubit_a, qubit_b), (theta, beta), when)

    def xy(self, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``xy``."""
        return self.gate("xy", (qubit_a, qubit_b), (theta,), when)

    def ms3(self, phi0: float, phi1: float, theta: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``ms3``."""
        return self.gate("ms3", (qubit_a, qubit_b), (phi0, phi1, theta), when)

    def pswap(self, phi: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``pswap``."""
        return self.gate("pswap", (qubit_a, qubit_b), (phi,), when)

    def zzmax(self, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``zzmax``."""
        return self.gate("zzmax", (qubit_a, qubit_b), (), when)

    def rxxyyzz(self, alpha: float, beta: float, gamma: float, qubit_a: int, qubit_b: int, when: When = None) -> Self:
        """Append ``rxxyyzz``."""
        return self.gate("rxxyyzz", (qubit_a, qubit_b), (alpha, beta, gamma), when)

    def ccx(self, qubit_a: int, qubit_b: int, qubit_c: int, when: When = None) -> Self:
        """Append ``ccx``."""
        return self.gate("ccx", (qubit_a, qubit_b, qubit_c), (), when)

    def ccz(self, qubit_a: int, qubit_b: int, qubit_c: int, when: When = None) -> Self:
        """Append ``ccz``."""
        return self.gate("ccz", (qubit_a, qubit_b, qubit_c), (), when)

    def cswap(self, qubit_a: int, qubit_b: int, qubit_c: int, when: When = None) -> Self:
        """Append ``cswap``."""
        return self.gate("cswap", (qubit_a, qubit_b, qubit_c), (), when)

    def rccx(self, qubit_a: int, qubit_b: int, qubit_c: int, when: When = None) -> Self:
        """Append ``rccx``."""
        return self.gate("rccx", (qubit_a, qubit_b, qubit_c), (), when)

    def rc3x(self, qubit_a: int, qubit_b: int, qubit_c: int, qubit_d: int, when: When = None) -> Self:
        """Append ``rc3x``."""
        return self.gate("rc3x", (qubit_a, qubit_b, qubit_c, qubit_d), (), when)

    def c3x(self, qubit_a: int, qubit_b: int, qubit_c: int, qubit_d: int, when: When = None) -> Self:
        """Append ``c3x``."""
        return self.gate("c3x", (qubit_a, qubit_b, qubit_c, qubit_d), (), when)

    def c3sqrtx(self, qubit_a: int, qubit_b: int, qubit_c: int, qubit_d: int, when: When = None) -> Self:
        """Append ``c3sqrtx``."""
        return self.gate("c3sqrtx", (qubit_a, qubit_b, qubit_c, qubit_d), (), when)

    def c4x(self, qubit_a: int, qubit_b: int, qubit_c: int, qubit_d: int, qubit_e: int, when: When = None) -> Self:
        """Append ``c4x``."""
        return self.gate("c4x", (qubit_a, qubit_b, qubit_c, qubit_d, qubit_e), (), when)
