"""Sends a PUB with many parameter values as one circuit and its points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gateway.backends.base import Backend
from gateway.backends.batch import Convertible, Sweep, converted
from gateway.errors import GatewayError
from gateway.frameworks.qiskit.parsing import parse

MOST_SWEEPS = 16
"""So many sweeps, each of which is a request, may a job consist of; where there are more, circuits are bound here."""


def circuits_of(backend: Backend, pubs: Sequence[Any]) -> list[list[Convertible]]:
    """Return for each PUB what runs for its parameter values, in their order: a sweep, or a circuit for each.

    Args:
        backend: what will run them.
        pubs: PUBs of Qiskit's, which have ``circuit`` and ``parameter_values``.
    """
    with_points = [pub for pub in pubs if pub.parameter_values.size > 1]
    may_sweep = backend.takes_parameters and len(with_points) <= MOST_SWEEPS
    return [_sweep(pub) or _bound(pub) if may_sweep and pub.parameter_values.size > 1 else _bound(pub) for pub in pubs]


def _bound(pub: Any) -> list[Convertible]:  # noqa: ANN401 - a PUB
    return converted(parse, np.ravel(pub.parameter_values.bind_all(pub.circuit)))


def _sweep(pub: Any) -> list[Convertible] | None:  # noqa: ANN401 - a PUB
    """Return the sweep of a PUB; ``None`` where its circuit can be converted only with values for its parameters."""
    try:
        circuit = parse(pub.circuit)
    except GatewayError:
        return None
    size = pub.parameter_values.size
    table = pub.parameter_values.as_array(pub.circuit.parameters).reshape(size, -1)
    columns = {
        parameter.name: column.tolist() for parameter, column in zip(pub.circuit.parameters, table.T, strict=True)
    }
    if not circuit.parameters or not columns.keys() >= set(circuit.parameters):
        return None
    return [Sweep(circuit, {name: columns[name] for name in circuit.parameters}, size)]
