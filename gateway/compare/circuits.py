"""The circuits of a comparison, with names: of one circuit, of a list, or of a mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from gateway.backends.base import CircuitLike
from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.compare.writing import openqasm_of
from gateway.errors import RequestError
from gateway.frameworks.sources import as_source

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_REGISTER = re.compile(r"\bcreg\s+\w+\s*\[\s*(\d+)\s*\]|\bbit\s*(?:\[\s*(\d+)\s*\])?\s*[^\W\d]\w*")


class NamedCircuit(NamedTuple):
    """A circuit and the name that the record gives it.

    Args:
        name: the file's name, the caller's name, or ``circuit 1``.
        source: what the backends are sent, which is the caller's text where they gave one.
        circuit: the same as a circuit.
        text: the caller's text, or the circuit as OpenQASM 3.
    """

    name: str
    source: Circuit | str
    circuit: Circuit
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def registers(self) -> tuple[int, ...] | None:
        """The sizes of the registers of clbits, clbit 0's first; ``None`` if no text of the caller tells them."""
        if not isinstance(self.source, str):
            return None
        found = _REGISTER.finditer(_COMMENT.sub(" ", self.text))
        sizes = tuple(int(match[1] or match[2] or 1) for match in found)
        return sizes if sum(sizes) == self.circuit.num_clbits else None

    @property
    def is_measured(self) -> bool:
        """Whether something is measured; otherwise only state vectors can be compared."""
        return needs(self.circuit).measurement is not None


def named_circuits(circuits: CircuitLike | Sequence[CircuitLike] | Mapping[str, CircuitLike]) -> list[NamedCircuit]:
    """Return the circuits of a comparison with distinct names.

    Raises:
        RequestError: there is no circuit, or something is no circuit.
        CircuitError, UnsupportedError, LimitError: a circuit is refused by the parser or by the circuit's rules.
    """
    if isinstance(circuits, Mapping):
        named = {str(name): circuit for name, circuit in circuits.items()}
    elif isinstance(circuits, Sequence) and not isinstance(circuits, str):
        named = _distinct([_name(circuit, index) for index, circuit in enumerate(circuits)], circuits)
    else:
        named = {_name(circuits, 0) if isinstance(circuits, Path) else "circuit": circuits}
    if not named:
        raise RequestError("there is no circuit to compare", field="circuits")
    return [_read(name, circuit) for name, circuit in named.items()]


def _name(circuit: CircuitLike, index: int) -> str:
    return circuit.name if isinstance(circuit, Path) else f"circuit {index + 1}"


def _distinct(names: list[str], circuits: Sequence[CircuitLike]) -> dict[str, CircuitLike]:
    """Return name -> circuit; of circuits with the same name, the later ones get a number."""
    named: dict[str, CircuitLike] = {}
    for name, circuit in zip(names, circuits, strict=True):
        number, distinct = 1, name
        while distinct in named:
            number += 1
            distinct = f"{name} ({number})"
        named[distinct] = circuit
    return named


def _read(name: str, source: CircuitLike) -> NamedCircuit:
    text_or_circuit = as_source(source)
    if isinstance(text_or_circuit, str):
        return NamedCircuit(name, text_or_circuit, Circuit.from_openqasm(text_or_circuit), text_or_circuit)
    text_or_circuit.validate()
    return NamedCircuit(name, text_or_circuit, text_or_circuit, openqasm_of(text_or_circuit))
