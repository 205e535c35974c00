from __future__ import annotations

import numpy as np
import pytest
from support.simulation import steps_unitary

from gateway.frameworks.shared.synthesis import steps_of_preparation, steps_of_unitary


def random_unitary(size: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]


MATRICES = {
    "phase": np.array([[np.exp(0.7j)]]),
    "identity": np.eye(4),
    "minus identity": -np.eye(2),
    "swap": np.eye(4)[[0, 2, 1, 3]],
    "cycle": np.eye(8)[[1, 2, 3, 4, 5, 6, 7, 0]],
    "diagonal": np.diag(np.exp(1j * np.arange(8))),
    "antidiagonal": np.fliplr(np.diag(np.exp(1j * np.arange(4)))),
    **{f"random {size}": random_unitary(size, size) for size in (2, 4, 8, 16, 32)},
}


@pytest.mark.parametrize("name", MATRICES)
def test_a_unitary_is_exact_with_its_phase(name: str):
    matrix = MATRICES[name]
    size = len(matrix).bit_length() - 1
    np.testing.assert_allclose(steps_unitary(size, steps_of_unitary(matrix, range(size))), matrix, atol=1e-12)


def test_the_first_qubit_is_the_least_significant():
    matrix = np.kron(np.eye(2), [[0, 1], [1, 0]])  # X on the less significant of two
    found = steps_unitary(6, steps_of_unitary(matrix, (5, 2)))
    np.testing.assert_allclose(found, np.kron([[0, 1], [1, 0]], np.eye(32)), atol=1e-12)


def test_sparse_matrices_take_few_gates():
    toffoli = np.eye(8)[[0, 1, 2, 7, 4, 5, 6, 3]]
    assert len(steps_of_unitary(toffoli, range(3))) < 50 < len(steps_of_unitary(random_unitary(8, 1), range(3)))
    assert steps_of_unitary(np.eye(8), range(3)) == []


@pytest.mark.parametrize(
    ("matrix", "size", "what"),
    [
        (np.diag([1, 0.5]), 1, "the matrix is not unitary"),
        (np.ones((4, 4)), 2, "the matrix is not unitary"),
        (np.eye(3), 2, r"shape \(3, 3\) does not fit 2 qubits"),
        (np.eye(2), 2, r"shape \(2, 2\) does not fit 2 qubits"),
        (np.full((2, 2), np.nan), 1, "the matrix is not unitary"),
        (np.eye(128), 7, "7 qubits; at most 6"),
    ],
)
def test_other_matrices_are_refused(matrix: np.ndarray, size: int, what: str):
    with pytest.raises(ValueError, match=what):
        steps_of_unitary(matrix, range(size))


@pytest.mark.parametrize("size", [1, 2, 8, 32])
def test_a_prepared_state_has_its_phase(size: int):
    state = random_unitary(size, size)[:, 0]
    num_qubits = size.bit_length() - 1
    found = steps_unitary(num_qubits, steps_of_preparation(state, range(num_qubits)))
    np.testing.assert_allclose(found[:, 0], state, atol=1e-12)


def test_basis_states_are_prepared_and_what_is_no_state_is_refused():
    for index in range(4):
        found = steps_unitary(2, steps_of_preparation(np.eye(4)[index], (0, 1)))
        np.testing.assert_allclose(found[:, 0], np.eye(4)[index], atol=1e-12)
    with pytest.raises(ValueError, match="are no state"):
        steps_of_preparation([1, 1], (0,))
    with pytest.raises(ValueError, match="are no state"):
        steps_of_preparation([1, 0], (0, 1))
