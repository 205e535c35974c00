"""The gate table: every gate that the shared circuit knows.

The table has all of OpenQASM 2's ``qelib1.inc``, of Quantinuum's ``hqslib1.inc`` and of OpenQASM 3's
``stdgates.inc``, the gates that Qiskit and Qrisp add to them, and those of Braket's, IonQ's and IQM's texts. A row
gives the number of qubits and parameters, the unitary, and a definition in simpler gates; a test proves the two
equal, global phase included.

Conventions: angles in radians. Matrices are **little-endian**: of the qubits a gate is applied to,
the first one listed is the least significant bit of the row and column index (Qiskit's order).
``U`` and ``u3`` have a real top-left entry, as in OpenQASM 2 (arXiv:1707.03429) and in Qiskit;
OpenQASM 3's text differs by the phase ``exp(i theta/2)``, which shows only under ``ctrl @``.

Vendors give some names different meanings. What a name means here, in a text that does not define it:

* ``ms`` with one angle is Qiskit's, an ``rxx``; with three it is IonQ's and Braket's, the row ``ms3``. The angles of
  ``gpi``, ``gpi2`` and ``ms`` are radians, as Braket writes them; IonQ's own interface counts in turns.
* ``v`` is the square root of X that is called ``sx`` here, as in Braket and IonQ. tket's gate of that name has another
  global phase, and tket's texts define it.
* ``xx yy zz`` with one angle are ``rxx ryy rzz``, as in Braket; ``ZZ`` without one is Quantinuum's.
* ``prx`` (Braket, IQM), ``U1q`` (Quantinuum) and ``r`` (Qiskit) are the same gate.

Sources: arXiv:1707.03429 (OpenQASM 2), arXiv:2104.14722 (OpenQASM 3), the documentation of
``qiskit.circuit.library`` for ``rccx rc3x ecr dcx ms r xx_plus_yy xx_minus_yy``, of ``braket.circuits.gates`` for
``gpi gpi2 ms xy pswap cphaseshift00``, Quantinuum's ``hqslib1.inc`` for ``Rxxyyzz U1q ZZ``.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import CircuitInvalidError

PI = math.pi
Matrix = tuple[tuple[complex, ...], ...]
Step = tuple[str, tuple[int, ...], tuple[float, ...]]
"""One gate of a definition: name, positions among the gate's own qubits, parameters."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One row of the table.

    Args:
        name: the gate's name in OpenQASM.
        num_qubits: how many qubits the gate acts on.
        params: the names of its angles, in radians, separated by spaces.
        unitary: parameters -> little-endian matrix of ``2**num_qubits`` rows.
        definition: parameters -> steps in simpler gates, equal to the unitary with its phase;
            ``None`` for ``u``, ``cx`` and ``gphase``, which all other definitions end in.
    """

    name: str
    num_qubits: int
    params: str
    unitary: Callable[..., Matrix]
    definition: Callable[..., list[Step]] | None

    @property
    def num_params(self) -> int:
        """How many angles the gate takes."""
        return len(self.params.split())

    def check(self, num_qubits: int, num_params: int) -> None:
        """Raise a CircuitInvalidError unless the gate takes so many qubits and parameters."""
        if num_qubits != self.num_qubits:
            msg = f"{self.name} acts on {_several(self.num_qubits, 'qubit')}, not {num_qubits}"
            raise CircuitInvalidError(msg, rule="number of qubits")
        if num_params != self.num_params:
            msg = f"{self.name} takes {_several(self.num_params, 'parameter')}, not {num_params}"
            raise CircuitInvalidError(msg, rule="number of parameters")


def _several(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


# ---------------------------------------------------------------------------- matrices


def _const(*rows: tuple[complex, ...]) -> Callable[..., Matrix]:
    return lambda *_: rows


def _diag(*entries: complex) -> Matrix:
    return tuple(tuple(e if i == j else 0 for j in range(len(entries))) for i, e in enumerate(entries))


def _controlled(unitary: Callable[..., Matrix], controls: int = 1) -> Callable[..., Matrix]:
    """Return the unitary with ``controls`` control qubits listed before its own qubits."""

    def controlled_unitary(*params: float) -> Matrix:
        inner = unitary(*params)
        full = (1 << controls) - 1

        def entry(row: int, col: int) -> complex:
            if row & full == full and col & full == full:
                return inner[row >> controls][col >> controls]
            return 1 if row == col else 0

        size = len(inner) << controls
        return tuple(tuple(entry(row, col) for col in range(size)) for row in range(size))

    return controlled_unitary


def _permutation(*images: int) -> Callable[..., Matrix]:
    """Return the matrix that sends basis state ``j`` to ``images[j]``."""
    size = range(len(images))
    return _const(*(tuple(1 if images[col] == row else 0 for col in size) for row in size))


def _u(theta: float, phi: float, lam: float) -> Matrix:
    cos, sin = math.cos(theta / 2), math.sin(theta / 2)
    return (
        (cos, -cmath.exp(1j * lam) * sin),
        (cmath.exp(1j * phi) * sin, cmath.exp(1j * (phi + lam)) * cos),
    )


def _p(lam: float) -> Matrix:
    return _diag(1, cmath.exp(1j * lam))


def _rx(theta: float) -> Matrix:
    return _u(theta, -PI / 2, PI / 2)


def _ry(theta: float) -> Matrix:
    return _u(theta, 0, 0)


def _rz(theta: float) -> Matrix:
    return _diag(cmath.exp(-0.5j * theta), cmath.exp(0.5j * theta))


def _cu(theta: float, phi: float, lam: float, gamma: float) -> Matrix:
    phase = cmath.exp(1j * gamma)
    return _controlled(lambda: tuple(tuple(phase * e for e in row) for row in _u(theta, phi, lam)))()


def _rxx(theta: float) -> Matrix:
    c, s = math.cos(theta / 2), -1j * math.sin(theta / 2)
    return ((c, 0, 0, s), (0, c, s, 0), (0, s, c, 0), (s, 0, 0, c))


def _ryy(theta: float) -> Matrix:
    c, s = math.cos(theta / 2), 1j * math.sin(theta / 2)
    return ((c, 0, 0, s), (0, c, -s, 0), (0, -s, c, 0), (s, 0, 0, c))


def _rzz(theta: float) -> Matrix:
    minus, plus = cmath.exp(-0.5j * theta), cmath.exp(0.5j * theta)
    return _diag(minus, plus, plus, minus)


def _rzx(theta: float) -> Matrix:
    c, s = math.cos(theta / 2), 1j * math.sin(theta / 2)
    return ((c, 0, -s, 0), (0, c, 0, s), (-s, 0, c, 0), (0, s, 0, c))


def _xx_plus_yy(theta: float, beta: float) -> Matrix:
    c, s = math.cos(theta / 2), -1j * math.sin(theta / 2)
    minus, plus = cmath.exp(-1j * beta), cmath.exp(1j * beta)
    return ((1, 0, 0, 0), (0, c, s * minus, 0), (0, s * plus, c, 0), (0, 0, 0, 1))


def _xx_minus_yy(theta: float, beta: float) -> Matrix:
    c, s = math.cos(theta / 2), -1j * math.sin(theta / 2)
    minus, plus = cmath.exp(-1j * beta), cmath.exp(1j * beta)
    return ((c, 0, 0, s * minus), (0, 1, 0, 0), (0, 0, 1, 0), (s * plus, 0, 0, c))


def _r(theta: float, phi: float) -> Matrix:
    return _u(theta, phi - PI / 2, PI / 2 - phi)


def _gpi(phi: float) -> Matrix:
    return ((0, cmath.exp(-1j * phi)), (cmath.exp(1j * phi), 0))


def _ms3(phi0: float, phi1: float, theta: float) -> Matrix:
    c, s = math.cos(theta / 2), -1j * math.sin(theta / 2)
    both, first = cmath.exp(1j * (phi0 + phi1)), cmath.exp(1j * (phi0 - phi1))
    return (
        (c, 0, 0, s * both.conjugate()),
        (0, c, s * first, 0),
        (0, s * first.conjugate(), c, 0),
        (s * both, 0, 0, c),
    )


def _pswap(phi: float) -> Matrix:
    phase = cmath.exp(1j * phi)
    return ((1, 0, 0, 0), (0, 0, phase, 0), (0, phase, 0, 0), (0, 0, 0, 1))


def _phase_at(index: int) -> Callable[[float], Matrix]:
    """Return the matrix of a phase on one basis state of two qubits."""
    return lambda phi: _diag(*(cmath.exp(1j * phi) if each == index else 1 for each in range(4)))


def _rxxyyzz(alpha: float, beta: float, gamma: float) -> Matrix:
    even, odd = cmath.exp(-0.5j * gamma), cmath.exp(0.5j * gamma)
    minus, plus = (alpha - beta) / 2, (alpha + beta) / 2
    c_even, s_even = even * math.cos(minus), -1j * even * math.sin(minus)
    c_odd, s_odd = odd * math.cos(plus), -1j * odd * math.sin(plus)
    return ((c_even, 0, 0, s_even), (0, c_odd, s_odd, 0), (0, s_odd, c_odd, 0), (s_even, 0, 0, c_even))


_R = math.sqrt(0.5)
_X = _const((0, 1), (1, 0))
_Y = _const((0, -1j), (1j, 0))
_Z = _const(*_diag(1, -1))
_H = _const((_R, _R), (_R, -_R))
_SX = _const((0.5 + 0.5j, 0.5 - 0.5j), (0.5 - 0.5j, 0.5 + 0.5j))
_SXDG = _const((0.5 - 0.5j, 0.5 + 0.5j), (0.5 + 0.5j, 0.5 - 0.5j))
_SWAP = _permutation(0, 2, 1, 3)
_ISWAP = _const((1, 0, 0, 0), (0, 0, 1j, 0), (0, 1j, 0, 0), (0, 0, 0, 1))
_ECR = _const((0, _R, 0, 1j * _R), (_R, 0, -1j * _R, 0), (0, 1j * _R, 0, _R), (-1j * _R, 0, _R, 0))


def _rccx() -> Matrix:
    """Toffoli up to relative phases: -1 on (a, b, c) = (1, 0, 1), and Y-like on the target."""
    rows: list[list[complex]] = [[1 if i == j else 0 for j in range(8)] for i in range(8)]
    rows[3][3], rows[3][7], rows[7][3], rows[7][7] = 0, -1j, 1j, 0
    rows[5][5] = -1
    return tuple(map(tuple, rows))


def _rc3x() -> Matrix:
    """Three-controlled X up to relative phases; qubits a, b, c, target."""
    rows: list[list[complex]] = [[1 if i == j else 0 for j in range(16)] for i in range(16)]
    rows[3][3], rows[11][11] = 1j, -1j
    rows[7][7], rows[7][15], rows[15][7], rows[15][15] = 0, 1, -1, 0
    return tuple(map(tuple, rows))


# ---------------------------------------------------------------------------- definitions


def _g(name: str, *qubits: int, params: tuple[float, ...] = ()) -> Step:
    return (name, qubits, params)


def _a(name: str, angle: float, *qubits: int) -> Step:
    return (name, qubits, (angle,))


def _as_u(theta: float, phi: float, lam: float) -> list[Step]:
    return [("u", (0,), (theta, phi, lam))]


def _steps(*steps: Step) -> Callable[..., list[Step]]:
    return lambda *_: list(steps)


def _mcp(lam: float, *qubits: int) -> list[Step]:
    """Multi-controlled phase on qubits[:-1] -> qubits[-1], by halving the angle (arXiv:quant-ph/9503016, 7.5)."""
    *controls, target = qubits
    if len(controls) == 1:
        return [_a("cp", lam, *qubits)]
    flip = _g({2: "cx", 3: "ccx", 4: "c3x"}[len(controls)], *controls)
    last = controls[-1]
    return [
        _a("cp", lam / 2, last, target),
        flip,
        _a("cp", -lam / 2, last, target),
        flip,
        *_mcp(lam / 2, *controls[:-1], target),
    ]


def _def_cu3(theta: float, phi: float, lam: float) -> list[Step]:
    return [
        _a("p", (lam + phi) / 2, 0),
        _a("p", (lam - phi) / 2, 1),
        _g("cx", 0, 1),
        _g("u", 1, params=(-theta / 2, 0.0, -(phi + lam) / 2)),
        _g("cx", 0, 1),
        _g("u", 1, params=(theta / 2, phi, 0.0)),
    ]


def _def_cp(lam: float) -> list[Step]:
    return [
        _a("p", lam / 2, 0),
        _g("cx", 0, 1),
        _a("p", -lam / 2, 1),
        _g("cx", 0, 1),
        _a("p", lam / 2, 1),
    ]


def _around(outer: list[Step], inner: list[Step], closing: list[Step] | None = None) -> list[Step]:
    return [*outer, *inner, *(outer if closing is None else closing)]


def _def_rzz(theta: float) -> list[Step]:
    return [_g("cx", 0, 1), _a("rz", theta, 1), _g("cx", 0, 1)]


def _def_ms3(phi0: float, phi1: float, theta: float) -> list[Step]:
    """An XX interaction in a frame that is turned around Z."""
    return _around(
        [_a("rz", -phi0, 0), _a("rz", -phi1, 1)], [_a("rxx", theta, 0, 1)], [_a("rz", phi0, 0), _a("rz", phi1, 1)]
    )


def _def_phase_where(*zeros: int) -> Callable[[float], list[Step]]:
    """Return the definition of a phase where the ``zeros`` of two qubits are 0 and the others 1."""
    flips = [_g("x", place) for place in zeros]
    return lambda phi: _around(flips, [_a("cp", phi, 0, 1)])


_HH = [_g("h", 0), _g("h", 1)]

_CCX = _steps(
    _g("h", 2), _g("cx", 1, 2), _g("tdg", 2), _g("cx", 0, 2), _g("t", 2), _g("cx", 1, 2), _g("tdg", 2),
    _g("cx", 0, 2), _g("t", 1), _g("t", 2), _g("h", 2), _g("cx", 0, 1), _g("t", 0), _g("tdg", 1), _g("cx", 0, 1),
)  # fmt: skip
_RCCX = _steps(
    _g("h", 2), _g("t", 2), _g("cx", 1, 2), _g("tdg", 2), _g("cx", 0, 2),
    _g("t", 2), _g("cx", 1, 2), _g("tdg", 2), _g("h", 2),
)  # fmt: skip
_RC3X = _steps(
    _g("h", 3), _g("t", 3), _g("cx", 2, 3), _g("tdg", 3), _g("h", 3), _g("cx", 0, 3), _g("t", 3), _g("cx", 1, 3),
    _g("tdg", 3), _g("cx", 0, 3), _g("t", 3), _g("cx", 1, 3), _g("tdg", 3), _g("h", 3), _g("t", 3), _g("cx", 2, 3),
    _g("tdg", 3), _g("h", 3),
)  # fmt: skip

# ---------------------------------------------------------------------------- the table

GATES: dict[str, Gate] = {
    gate.name: gate
    for gate in (
        # the gates that all definitions end in
        Gate("u", 1, "theta phi lam", _u, None),
        Gate("cx", 2, "", _controlled(_X), None),
        Gate("gphase", 0, "gamma", lambda gamma: ((cmath.exp(1j * gamma),),), None),
        # one qubit
        Gate("id", 1, "", _const(*_diag(1, 1)), _steps()),
        Gate("u0", 1, "gamma", _const(*_diag(1, 1)), _steps()),
        Gate("x", 1, "", _X, lambda: _as_u(PI, 0, PI)),
        Gate("y", 1, "", _Y, lambda: _as_u(PI, PI / 2, PI / 2)),
        Gate("z", 1, "", _Z, lambda: [_a("p", PI, 0)]),
        Gate("h", 1, "", _H, lambda: _as_u(PI / 2, 0, PI)),
        Gate("s", 1, "", _const(*_diag(1, 1j)), lambda: [_a("p", PI / 2, 0)]),
        Gate("sdg", 1, "", _const(*_diag(1, -1j)), lambda: [_a("p", -PI / 2, 0)]),
        Gate("t", 1, "", lambda: _p(PI / 4), lambda: [_a("p", PI / 4, 0)]),
        Gate("tdg", 1, "", lambda: _p(-PI / 4), lambda: [_a("p", -PI / 4, 0)]),
        Gate("sx", 1, "", _SX, lambda: [_a("gphase", PI / 4), _a("rx", PI / 2, 0)]),
        Gate("sxdg", 1, "", _SXDG, lambda: [_a("gphase", -PI / 4), _a("rx", -PI / 2, 0)]),
        Gate("p", 1, "lam", _p, lambda lam: _as_u(0, 0, lam)),
        Gate("u1", 1, "lam", _p, lambda lam: [_a("p", lam, 0)]),
        Gate("u2", 1, "phi lam", lambda phi, lam: _u(PI / 2, phi, lam), lambda phi, lam: _as_u(PI / 2, phi, lam)),
        Gate("u3", 1, "theta phi lam", _u, _as_u),
        Gate("U", 1, "theta phi lam", _u, _as_u),
        Gate("rx", 1, "theta", _rx, lambda theta: _as_u(theta, -PI / 2, PI / 2)),
        Gate("ry", 1, "theta", _ry, lambda theta: _as_u(theta, 0, 0)),
        Gate("rz", 1, "theta", _rz, lambda theta: [_a("gphase", -theta / 2), _a("p", theta, 0)]),
        Gate("r", 1, "theta phi", _r, lambda theta, phi: _as_u(theta, phi - PI / 2, -phi + PI / 2)),
        Gate("gpi", 1, "phi", _gpi, lambda phi: _as_u(PI, phi, -phi + PI)),
        Gate("gpi2", 1, "phi", lambda phi: _r(PI / 2, phi), lambda phi: [("r", (0,), (PI / 2, phi))]),
        # two qubits, controlled
        Gate("CX", 2, "", _controlled(_X), _steps(_g("cx", 0, 1))),
        Gate("cy", 2, "", _controlled(_Y), _steps(_g("sdg", 1), _g("cx", 0, 1), _g("s", 1))),
        Gate("cz", 2, "", _controlled(_Z), _steps(_g("h", 1), _g("cx", 0, 1), _g("h", 1))),
        Gate("ch", 2, "", _controlled(_H), _steps(_a("ry", -PI / 4, 1), _g("cz", 0, 1), _a("ry", PI / 4, 1))),
        Gate("cs", 2, "", _controlled(_const(*_diag(1, 1j))), _steps(_a("cp", PI / 2, 0, 1))),
        Gate("csdg", 2, "", _controlled(_const(*_diag(1, -1j))), _steps(_a("cp", -PI / 2, 0, 1))),
        Gate("csx", 2, "", _controlled(_SX), _steps(_a("p", PI / 4, 0), _a("crx", PI / 2, 0, 1))),
        Gate("csxdg", 2, "", _controlled(_SXDG), _steps(_a("p", -PI / 4, 0), _a("crx", -PI / 2, 0, 1))),
        Gate("cp", 2, "lam", _controlled(_p), _def_cp),
        Gate("cu1", 2, "lam", _controlled(_p), lambda lam: [_a("cp", lam, 0, 1)]),
        Gate("cphaseshift00", 2, "lam", _phase_at(0), _def_phase_where(0, 1)),
        Gate("cphaseshift01", 2, "lam", _phase_at(2), _def_phase_where(0)),
        Gate("cphaseshift10", 2, "lam", _phase_at(1), _def_phase_where(1)),
        Gate("crx", 2, "theta", _controlled(_rx), lambda t: _around([_g("h", 1)], [_a("crz", t, 0, 1)])),
        Gate("cry", 2, "theta", _controlled(_ry),
             lambda t: [_a("ry", t / 2, 1), _g("cx", 0, 1), _a("ry", -t / 2, 1), _g("cx", 0, 1)]),
        Gate("crz", 2, "theta", _controlled(_rz),
             lambda t: [_a("rz", t / 2, 1), _g("cx", 0, 1), _a("rz", -t / 2, 1), _g("cx", 0, 1)]),
        Gate("cu3", 2, "theta phi lam", _controlled(_u), _def_cu3),
        Gate("cu", 2, "theta phi lam gamma", _cu, lambda t, f, m, g: [_a("p", g, 0), ("cu3", (0, 1), (t, f, m))]),
        # two qubits, symmetric and interactions
        Gate("swap", 2, "", _SWAP, _steps(_g("cx", 0, 1), _g("cx", 1, 0), _g("cx", 0, 1))),
        Gate("iswap", 2, "", _ISWAP,
             _steps(_g("s", 0), _g("s", 1), _g("h", 0), _g("cx", 0, 1), _g("cx", 1, 0), _g("h", 1))),
        Gate("dcx", 2, "", _permutation(0, 2, 3, 1), _steps(_g("cx", 0, 1), _g("cx", 1, 0))),
        Gate("ecr", 2, "", _ECR, _steps(_a("rzx", PI / 4, 0, 1), _g("x", 0), _a("rzx", -PI / 4, 0, 1))),
        Gate("rxx", 2, "theta", _rxx, lambda t: _around(_HH, _def_rzz(t))),
        Gate("ms", 2, "theta", _rxx, lambda t: [_a("rxx", t, 0, 1)]),
        Gate("ryy", 2, "theta", _ryy,
             lambda t: _around([_a("rx", PI / 2, 0), _a("rx", PI / 2, 1)], _def_rzz(t),
                               [_a("rx", -PI / 2, 0), _a("rx", -PI / 2, 1)])),
        Gate("rzz", 2, "theta", _rzz, _def_rzz),
        Gate("rzx", 2, "theta", _rzx, lambda t: _around([_g("h", 1)], _def_rzz(t))),
        Gate("xx_plus_yy", 2, "theta beta", _xx_plus_yy,
             lambda t, b: _around([_a("rz", b, 0)], [_a("rxx", t / 2, 0, 1), _a("ryy", t / 2, 0, 1)],
                                  [_a("rz", -b, 0)])),
        Gate("xx_minus_yy", 2, "theta beta", _xx_minus_yy,
             lambda t, b: _around([_a("rz", -b, 1)], [_a("rxx", t / 2, 0, 1), _a("ryy", -t / 2, 0, 1)],
                                  [_a("rz", b, 1)])),
        Gate("xy", 2, "theta", lambda theta: _xx_plus_yy(-theta, 0), lambda t: [("xx_plus_yy", (0, 1), (-t, 0.0))]),
        Gate("ms3", 2, "phi0 phi1 theta", _ms3, _def_ms3),
        Gate("pswap", 2, "phi", _pswap,
             lambda f: [_g("swap", 0, 1), _g("cx", 0, 1), _a("p", f, 1), _g("cx", 0, 1)]),
        Gate("zzmax", 2, "", lambda: _rzz(PI / 2), _steps(_a("rzz", PI / 2, 0, 1))),
        Gate("rxxyyzz", 2, "alpha beta gamma", _rxxyyzz,
             lambda a, b, g: [_a("rxx", a, 0, 1), _a("ryy", b, 0, 1), _a("rzz", g, 0, 1)]),
        # three qubits and more
        Gate("ccx", 3, "", _controlled(_X, 2), _CCX),
        Gate("ccz", 3, "", _controlled(_Z, 2), _steps(_g("h", 2), _g("ccx", 0, 1, 2), _g("h", 2))),
        Gate("cswap", 3, "", _controlled(_SWAP), _steps(_g("cx", 2, 1), _g("ccx", 0, 1, 2), _g("cx", 2, 1))),
        Gate("rccx", 3, "", _rccx, _RCCX),
        Gate("rc3x", 4, "", _rc3x, _RC3X),
        Gate("c3x", 4, "", _controlled(_X, 3), lambda: _around([_g("h", 3)], _mcp(PI, 0, 1, 2, 3))),
        Gate("c3sqrtx", 4, "", _controlled(_SX, 3), lambda: _around([_g("h", 3)], _mcp(PI / 2, 0, 1, 2, 3))),
        Gate("c4x", 5, "", _controlled(_X, 4), lambda: _around([_g("h", 4)], _mcp(PI, 0, 1, 2, 3, 4))),
    )
}  # fmt: skip

ALIASES: dict[str, str] = {
    "phase": "p", "cphase": "cp", "rcccx": "rc3x", "c3sx": "c3sqrtx", "cnot": "cx", "toffoli": "ccx",
    "fredkin": "cswap",
    # Braket and IonQ
    "i": "id", "v": "sx", "vi": "sxdg", "si": "sdg", "ti": "tdg", "phaseshift": "p", "cphaseshift": "cp", "cv": "csx",
    "ccnot": "ccx", "xx": "rxx", "yy": "ryy", "zz": "rzz", "prx": "r",
    # Quantinuum and tket
    "Rz": "rz", "U1q": "r", "RZZ": "rzz", "ZZ": "zzmax", "Rxxyyzz": "rxxyyzz", "vdg": "sxdg", "cvdg": "csxdg",
}  # fmt: skip
"""Other names of gates. The parser accepts them; a circuit has the row's own name."""

_OVERLOADS: dict[tuple[str, int], str] = {("ms", 3): "ms3"}
"""A name and a number of parameters -> the row, where the number decides."""

MANY_CONTROLLED: dict[str, str] = {
    "mcx": "x", "mcx_gray": "x", "mcy": "y", "mcz": "z", "mcsx": "sx", "mcp": "p", "mcphase": "p", "mcu1": "p",
    "mcu2": "u2", "mcu3": "u", "mcrx": "rx", "mcry": "ry", "mcrz": "rz", "mcr": "r", "mcswap": "swap",
}  # fmt: skip
"""Qiskit's names of gates under any number of controls -> the row under control. The controls are listed first."""


def find(name: str, num_params: int | None = None) -> Gate | None:
    """Return the row that a name in a text stands for; ``None`` if there is none.

    Args:
        name: a name of a row, or another name of it.
        num_params: how many parameters the text gives, which tells apart gates of the same name.
    """
    row = name if num_params is None else _OVERLOADS.get((name, num_params), name)
    return GATES.get(row) or GATES.get(ALIASES.get(row, ""))
