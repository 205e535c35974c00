"""How every container of ours is locked down: plain data, read by the SDK's side and by compose.yaml alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

IMAGE = "simulator-gateway"
"""Name of the one image; its tag is the version or the content tag."""

LABEL_PREFIX = "org.simulator-gateway."
CONTENT_LABEL = LABEL_PREFIX + "content"
"""On the image: the hash of everything it was built from."""

SIMULATOR_LABEL = LABEL_PREFIX + "simulator"
"""On a container: the name of the simulator it serves."""

UID = 10001
HOST_IP = "127.0.0.1"
"""The only address ports are published on."""

TMPFS = {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"}  # noqa: S108 - the container's own
JOBS_FOLDER = "/var/lib/simulator-gateway"
"""Where a server keeps its jobs: the one place that is written and outlives a container, on a volume."""

ANONYMOUS_VARIABLE = "GATEWAY_ANONYMOUS"
"""Set where everybody who reaches the port may come in: compose publishes ports on the loopback address only."""

CAP_DROP = ("ALL",)
SECURITY_OPT = ("no-new-privileges:true",)  # Docker's default seccomp profile stays on
ULIMITS = (("nofile", 4096), ("core", 0))
"""Name and value of each resource limit; a core file would hold other people's circuits."""

DNS = ("127.0.0.1",)
"""Where nobody answers: an engine may forward names from its own network, past the missing route."""

DNS_OPT = ("timeout:1", "attempts:1")
"""So that a lookup fails after a second; without these after ten."""

NETWORK_DRIVER = "bridge"
NETWORK_OPTIONS = {
    # ``internal: true`` would publish no port at all; without masquerading no answer comes back in
    "com.docker.network.bridge.enable_ip_masquerade": "false",
    "com.docker.network.bridge.enable_icc": "false",
}

HEALTHCHECK = ("/bin/bash", "/opt/gateway/healthcheck")
"""The image's own check, which works whichever simulators a container serves."""

HEALTH_INTERVAL_S = 10
"""In compose, which waits for the engine's verdict. Elsewhere the image's 30 s: the client asks the server itself.

A check takes about 70 ms of processor time, most of it the engine's own.
"""

STOP_GRACE_S = 10
"""Seconds from SIGTERM to SIGKILL; the server needs about one."""


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """What one container may use.

    Args:
        memory: as the engine takes it (``"4g"``); there is no swap on top of it.
        cpus: processors; an engine with fewer refuses, so a client takes the smaller number.
        pids: processes and threads.
        threads: of each run in it, where the simulator can use several.
    """

    memory: str = "4g"
    cpus: float = 2.0
    pids: int = 256
    threads: int = 1

    @property
    def workers(self) -> int:
        """Processes that simulate: as many as fit on the processors it may use."""
        return max(1, math.ceil(self.cpus) // self.threads)

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells containers apart; one thread a run, which all had once, is not in it."""
        return (self.memory, self.cpus, self.pids, *([] if self.threads == 1 else [self.threads]))


def serve_command(name: str, resources: ContainerLimits) -> list[str]:
    """Return the arguments that make the image serve one simulator on its own port."""
    words = ["serve", name, "--host", "0.0.0.0", "--workers", str(resources.workers)]  # noqa: S104 - in the container
    return words if resources.threads == 1 else [*words, "--threads", str(resources.threads)]


def create_options(resources: ContainerLimits) -> dict[str, object]:
    """Return the keyword arguments for the SDK's ``containers.create`` that lock a container down."""
    return {
        "user": f"{UID}:{UID}",
        "read_only": True,
        "tmpfs": dict(TMPFS),
        "cap_drop": list(CAP_DROP),
        "security_opt": list(SECURITY_OPT),
        "ulimits": [{"Name": name, "Soft": value, "Hard": value} for name, value in ULIMITS],
        "dns": list(DNS),
        "dns_opt": list(DNS_OPT),
        "mem_limit": resources.memory,
        "memswap_limit": resources.memory,
        "nano_cpus": round(resources.cpus * 1e9),
        "pids_limit": resources.pids,
        "init": True,
    }
