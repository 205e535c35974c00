from __future__ import annotations

from gateway.frameworks.shared.matrices import big_endian_matrix, matrix


def test_big_endian_matrix_reverses_the_qubits():
    assert big_endian_matrix("cx").real.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    assert matrix("cx").real.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert (big_endian_matrix("u", 0.1, 0.2, 0.3) == matrix("u", 0.1, 0.2, 0.3)).all()
