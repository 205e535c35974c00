"""The restrictions of all our containers, as plain data for both ``create_options`` and compose.yaml."""

from __future__ import annotations

import math
from dataclasses import dataclass

IMAGE = "simulator-gateway"
"""The name of the image; its tag is the version or the content tag."""

LABEL_PREFIX = "org.simulator-gateway."
CONTENT_LABEL = LABEL_PREFIX + "content"
"""The label of an image with the hash of everything that it was built from."""

SIMULATOR_LABEL = LABEL_PREFIX + "simulator"
"""The label of a container with the name of the simulator that it serves."""

UID = 10001
HOST_IP = "127.0.0.1"
"""The only address on which ports are published."""

TMPFS = {"/tmp": "rw,noexec,nosuid,nodev,size=64m,mode=1777"}  # noqa: S108 - the container's own
JOBS_FOLDER = "/var/lib/simulator-gateway"
"""The folder in which a server keeps its jobs. It is on a volume, the only storage that outlives a container."""

ACCESS_FOLDER = "/etc/simulator-gateway"
"""The folder of the file with the tokens, which compose mounts read-only."""

CERTIFICATE_FOLDER = "/etc/simulator-gateway-certificate"
"""The folder with the door's certificate and its key, which compose mounts into the door alone."""

DOOR_KEY_FOLDER = "/run/simulator-gateway"
"""The folder of the door's key. It is on a volume that the door writes and the simulators read."""

DOOR_MEMORY = "2g"
"""The memory of the door, whose comparisons run in processes of their own."""

ANONYMOUS_VARIABLE = "GATEWAY_ANONYMOUS"
"""The variable that admits callers without a token; compose, whose ports are on the loopback address, sets it."""

CAP_DROP = ("ALL",)
SECURITY_OPT = ("no-new-privileges:true",)  # Docker's default seccomp profile stays on
ULIMITS = (("nofile", 4096), ("core", 0))
"""The name and value of each resource limit. Core files are off because they would contain other people's circuits."""

DOOR_ULIMITS = (("nofile", 16_384), ("core", 0))
"""The same for the door, which holds two connections for each request that it passes through, and streams of events."""

DNS = ("127.0.0.1",)
"""A name server that does not exist. The engine's own would resolve names although the network leads nowhere."""

DNS_OPT = ("timeout:1", "attempts:1")
"""Options that let a lookup of a name fail after one second instead of ten."""

NETWORK_DRIVER = "bridge"
NETWORK_OPTIONS = {
    # ``internal: true`` would publish no port at all; without masquerading no answer comes back in
    "com.docker.network.bridge.enable_ip_masquerade": "false",
    "com.docker.network.bridge.enable_icc": "false",
}

HEALTHCHECK = ("/bin/bash", "/opt/gateway/healthcheck")
"""The command of the image's health check, which works for one simulator or several."""

HEALTH_INTERVAL_S = 10
"""The interval of health checks in compose, which waits for their result. Elsewhere the interval is the image's 30 s.

A check takes about 70 ms of processor time, most of it in the engine.
"""

STOP_GRACE_S = 10
"""Seconds from SIGTERM to SIGKILL; the server needs about one."""


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """The memory, processors, processes and threads that one container may use.

    Args:
        memory: the memory limit as the engine takes it (``"4g"``); there is no swap on top of it.
        cpus: the number of processors; an engine refuses more than its machine has.
        pids: the number of processes and threads.
        threads: the threads of each run in the container, where the simulator can use several.
    """

    memory: str = "4g"
    cpus: float = 2.0
    pids: int = 256
    threads: int = 1

    @property
    def workers(self) -> int:
        """The number of processes that simulate: as many as fit on the processors of the container."""
        return max(1, math.ceil(self.cpus) // self.threads)

    @property
    def identity(self) -> tuple[object, ...]:
        """The values by which containers differ; a single thread is left out, so that older ones keep their names."""
        return (self.memory, self.cpus, self.pids, *([] if self.threads == 1 else [self.threads]))


def serve_command(name: str, resources: ContainerLimits) -> list[str]:
    """Return the arguments that make the image serve one simulator on its own port."""
    words = ["serve", name, "--host", "0.0.0.0", "--workers", str(resources.workers)]  # noqa: S104 - in the container
    return words if resources.threads == 1 else [*words, "--threads", str(resources.threads)]


def create_options(resources: ContainerLimits) -> dict[str, object]:
    """Return the options of :meth:`Engine.create` that restrict a container."""
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
