"""Amplitudes of some basis states, and density matrices."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gateway.amplitudes import Amplitudes
from gateway.density_matrix import DensityMatrix
from gateway.provenance import Provenance

ORIGIN = Provenance(simulator="s", version="1")
MIXED = [[0.75, 0.125j], [-0.125j, 0.25]]


def test_amplitudes_are_a_mapping_in_the_order_of_the_request():
    found = Amplitudes({"11": 0.6, "00": -0.8j})
    assert list(found) == ["11", "00"]
    assert found == {"00": -0.8j, "11": 0.6}
    assert repr(found) == "Amplitudes({'11': 0.6, '00': -0-0.8j})"
    assert Amplitudes.from_wire(found.to_wire(), 0, ORIGIN) == found
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own
    assert len({found, Amplitudes({"11": 0.6, "00": -0.8j})}) == 1


def test_amplitudes_say_what_is_wrong_with_them():
    assert Amplitudes({"11": 0.6}).fault(num_qubits=2, num_clbits=0, shots=None) is None
    assert Amplitudes({"1": 0.6}).fault(num_qubits=2, num_clbits=0, shots=None) == "the amplitude of '1' for 2 qubits"
    fault = Amplitudes({"0": 1, "1": 1}).fault(num_qubits=1, num_clbits=0, shots=None)
    assert fault == "the squares of the amplitudes sum to 2"


def test_a_density_matrix_is_an_array():
    found = DensityMatrix(MIXED)
    assert np.asarray(found).tolist() == MIXED
    assert (found[0, 1], len(found), found.num_qubits) == (0.125j, 2, 1)
    assert found.purity == pytest.approx(0.75**2 + 0.25**2 + 2 * 0.125**2)
    assert DensityMatrix.from_wire(found.to_wire(), 0, ORIGIN) == found
    assert pickle.loads(pickle.dumps(found)) == found != DensityMatrix([[1]])  # noqa: S301 - our own
    assert len({found, DensityMatrix(MIXED)}) == 1
    assert len({DensityMatrix([[1, 0.0], [0, 0]]), DensityMatrix([[1, -0.0], [0, 0]])}) == 1
    assert repr(found) == "DensityMatrix(1 qubits)"


def test_other_shapes_are_no_density_matrix():
    for entries in ([1, 0], [[1, 0]]):
        with pytest.raises(ValueError, match="a density matrix is square"):
            DensityMatrix(entries)
    with pytest.raises(ValueError, match="a density matrix is square"):
        DensityMatrix.from_wire([(1.0, 0.0)] * 3, 0, ORIGIN)


def test_a_density_matrix_says_what_is_wrong_with_it():
    assert DensityMatrix(MIXED).fault(num_qubits=1, num_clbits=0, shots=None) is None
    assert DensityMatrix(MIXED).fault(num_qubits=2, num_clbits=0, shots=None) == "a matrix of 2 rows for 2 qubits"
    assert DensityMatrix([[2]]).fault(num_qubits=0, num_clbits=0, shots=None) == "the trace is (2+0j), not 1"


def test_notebooks_show_both():
    html = Amplitudes({"11": 0.6, "00": -0.8j})._repr_html_()
    assert "2 amplitudes" in html
    assert "0.3600" in html
    html = DensityMatrix(MIXED)._repr_html_()
    assert "0.750000" in html
    assert "The purity is 0.656250" in html
