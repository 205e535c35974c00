"""``python -m gateway.server``: what a backend starts as its child process.

People use ``gateway serve``; this form takes an inherited listening socket, a lifeline, and
optionally a pickled function on standard input, all from the process that starts it.
"""

from __future__ import annotations

import argparse
import socket
import sys

# Nothing else is imported up here: worker processes import this module again as their main module.


def main() -> None:
    """Parse the arguments and serve."""
    from gateway import legacy  # noqa: PLC0415 - see above
    from gateway.execution.processors import usable  # noqa: PLC0415
    from gateway.execution.worker import Target  # noqa: PLC0415 - see above
    from gateway.protocol.messages import ServerLimits, decode  # noqa: PLC0415
    from gateway.server.host import Settings, serve  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m gateway.server", description=__doc__)
    parser.add_argument("--target", help="module:Class of an adapter; without it, a pickled runnable is read")
    parser.add_argument("--listen-fd", type=int, required=True, help="an inherited listening socket")
    parser.add_argument("--lifeline-fd", type=int, help="stop when this inherited pipe is closed")
    parser.add_argument("--interfaces", default="{}", help="settings of the interfaces for older clients, as JSON")
    parser.add_argument("--workers", type=int, default=usable(), help="worker processes")
    parser.add_argument("--threads-per-run", type=int, default=1, help="OpenMP threads of each")
    parser.add_argument("--limits", default="{}", help="ServerLimits as JSON")
    parser.add_argument("--jobs", help="URL of the database of jobs; in memory by default")
    parser.add_argument("--jobs-queue", default="", help="name of this server's jobs in it")
    arguments = parser.parse_args()
    target = Target(arguments.target) if arguments.target else Target(pickled=sys.stdin.buffer.read())
    settings = Settings(
        workers=arguments.workers,
        threads_per_run=arguments.threads_per_run,
        limits=decode(ServerLimits, arguments.limits.encode()),
        lifeline_fd=arguments.lifeline_fd,
        jobs_url=arguments.jobs,
        jobs_queue=arguments.jobs_queue,
    )
    interfaces = legacy.open_interfaces(decode(dict[str, dict[str, object]], arguments.interfaces.encode()), "")
    serve(target, socket.socket(fileno=arguments.listen_fd), settings, interfaces=interfaces)


if __name__ == "__main__":
    main()
