"""What :func:`gateway.compare.verify` returns."""

from __future__ import annotations

from gateway.compare.hunting import matrix_text
from gateway.compare.hunting.matrix import Matrix


class Verification(Matrix, frozen=True, kw_only=True):
    """The pass matrix of one or several simulators, which shows itself as text and in notebooks."""

    def __str__(self) -> str:
        return matrix_text.to_text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return matrix_text.to_html(self)
