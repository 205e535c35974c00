"""The names that a text gives its qubits."""

from __future__ import annotations

import re

from gateway.circuit.openqasm.statements import blank_comments

_LONGEST = 12
_REGISTER = re.compile(
    r"\bqreg\s+(?P<old>\w+)\s*(?:\[\s*(?P<old_size>\d+)\s*\])?\s*;"
    r"|\bqubit\s*(?:\[\s*(?P<size>\d+)\s*\])?\s*(?P<name>\w+)\s*;"
)


def qubit_names(text: str, num_qubits: int) -> list[str]:
    """Return the names of all qubits, such as ``n[0]`` or ``t``, in their order.

    Args:
        text: a text that can be read.
        num_qubits: of its circuit.

    Returns:
        An empty list where the declarations do not tell, as with sizes that are computed.
    """
    names: list[str] = []
    for match in _REGISTER.finditer(blank_comments(text)):
        name, size = _shortened(match["name"] or match["old"]), match["size"] or match["old_size"]
        number = 1 if size is None else int(size[:_LONGEST])
        if len(names) + number > num_qubits:
            return []
        names += [name] if size is None else [f"{name}[{index}]" for index in range(number)]
    return names if len(names) == num_qubits else []


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
