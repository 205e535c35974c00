"""Runs circuits on any backend, whether it takes seeds and can stop a run or not."""

from __future__ import annotations

from typing import Any

from gateway.backends.base import Backend
from gateway.errors import UnsupportedError


def run_within(
    backend: Backend,
    circuits: Any,  # noqa: ANN401 - one circuit as Backend.run takes it, or a list
    timeout_s: float | None,
    *,
    seed: int | None = None,
    may_overrun: bool = True,
    **options: Any,  # noqa: ANN401 - of Backend.run
) -> Any:  # noqa: ANN401 - one result, or a list
    """Run within a time; a backend that takes no seeds draws its own, and one that cannot stop a run takes its time.

    Args:
        backend: runs the circuits.
        circuits: what it runs.
        timeout_s: seconds after which the run is ended.
        seed: of the run.
        may_overrun: whether a backend that cannot stop a run may take its time; it refuses the run otherwise.
        options: other arguments of :meth:`Backend.run`.

    Raises:
        GatewayError: see :meth:`Backend.run`.
    """
    if seed is not None and backend.capabilities().seedable:
        options["seed"] = seed
    if timeout_s is None:
        return backend.run(circuits, **options)
    try:
        return backend.run(circuits, timeout_s=timeout_s, **options)
    except UnsupportedError as exc:
        if exc.feature != "timeout_s" or not may_overrun:
            raise
        return backend.run(circuits, **options)
