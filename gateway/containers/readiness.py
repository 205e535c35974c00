"""Waits until a container's server answers, and explains why it does not."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.containers.engine import Container, Engine
from gateway.errors import ContainerError, ContainerStartError, NotReady, TransportError

T = TypeVar("T")

QUICK_S = 3.0
"""The server is asked often for so long; most servers answer within this time."""

QUICK_DELAY_S = 0.01
DELAY_S = 0.1
LOOK_EVERY_S = 0.25
"""How often the engine is asked whether the container still runs."""

PROBE_S = 2.0
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class Readiness:
    """Waits until a container's server answers.

    It asks the server itself, in short intervals at first, because the engine's health checks are seconds apart
    and some engines never report them.

    Args:
        engine: the engine that runs the container.
        container: the container's id.
        name: the container's name, for messages.
        host: the address on which its port is published.
        port: the published port.
        timeout_s: seconds to wait.
    """

    engine: Engine
    container: str
    name: str
    host: str
    port: int
    timeout_s: float

    def wait(self, handshake: Callable[[], T]) -> T:
        """Wait for ``/healthz``, then return what the handshake returns.

        Args:
            handshake: a function that asks the server who it is; it may raise :class:`TransportError` at first.

        Raises:
            ContainerStartError: the container ended; the error has its state, exit code and last log lines.
            NotReady: the container is running, but its server does not answer.
            GatewayError: the handshake raised it.
        """
        deadline = time.monotonic() + self.timeout_s
        next_look = time.monotonic() + LOOK_EVERY_S
        slow_down = time.monotonic() + QUICK_S
        while True:
            if self._answers():
                try:
                    return handshake()
                except TransportError:
                    if time.monotonic() > deadline or self._state() != "running":
                        raise self._failure() from None
            now = time.monotonic()
            if now > deadline:
                raise self._failure()
            if now > next_look:
                next_look = now + LOOK_EVERY_S
                if self._state() != "running":
                    raise self._failure()
            time.sleep(QUICK_DELAY_S if now < slow_down else DELAY_S)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PROBE_S)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _state(self) -> str:
        container = self.engine.container(self.container)
        return container.state if container else "removed"

    def _failure(self) -> ContainerError:
        container = self.engine.container(self.container)
        logs = self.engine.logs(self.container, LOG_LINES) if container else ""
        if container is not None and container.running:
            return NotReady(
                f"the container {self.name} runs but did not answer within {self.timeout_s:g} s: "
                f"wait longer with start_timeout_s, or look at its log:\n{logs}",
                container=self.name,
                state=container.state,
                timeout_s=self.timeout_s,
                logs=logs,
            )
        return ContainerStartError(
            f"the container {self.name} {ended(container)} before it answered: "
            f"{_advice(container, logs)}{_log_section(logs)}",
            container=self.name,
            state=container.state if container else "removed",
            exit_code=container.exit_code if container else None,
            oom_killed=container.oom_killed if container else None,
            logs=logs,
        )


def ended(container: Container | None) -> str:
    """Return how a container ended, as the rest of a sentence that begins with its name."""
    if container is None:
        return "was removed"
    if container.oom_killed:
        return f"ran out of its memory of {size(container.memory_bytes)} (exit code {container.exit_code})"
    error = f": {container.error}" if container.error else ""
    return f"ended with exit code {container.exit_code}{error}"


def size(count: int) -> str:
    """Return a number of bytes as text in MiB or GiB."""
    return f"{count / 2**30:.3g} GiB" if count >= 2**30 else f"{count / 2**20:.3g} MiB"


def _advice(container: Container | None, logs: str) -> str:
    if container is None:
        return "somebody removed it; try again"
    if container.oom_killed:
        return f"give it more, such as memory='{max(2, container.memory_bytes * 2 // 2**30)}g'"
    if "exec format error" in container.error + logs:
        return "the image is for another processor; gateway build makes one for this machine"
    return "its log says why; gateway build --no-cache makes the image anew if it is damaged"


def _log_section(logs: str) -> str:
    return f"\n{logs}" if logs else ""
