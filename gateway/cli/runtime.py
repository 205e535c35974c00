"""Opens the backends that ``--on``, ``--at`` and ``--runtime`` name, and says where simulators run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from gateway.backends.access import Access, access_to
from gateway.backends.addresses import is_address
from gateway.backends.auto import open_backends
from gateway.backends.base import Backend
from gateway.backends.client import connect
from gateway.backends.runtimes import Choice, choose
from gateway.cli.complaints import remark
from gateway.cli.progress import Progress
from gateway.errors import RequestError
from gateway.simulators import find

_PLACES = {"docker": "Docker containers", "local": "processes of this machine"}


def single(arguments: argparse.Namespace, place: str | Access) -> Backend:
    """Return the backend of a command that takes one; it starts when it is first used.

    Args:
        arguments: those of the command.
        place: the name of a simulator, the URL of a server, or the way to one.
    """
    if isinstance(place, Access) or is_address(place):
        refuse_resources(arguments)
        access = place if isinstance(place, Access) else access_to(place)
        return connect(access, timeout_s=arguments.timeout_s)
    name = find(place).name
    choice = choose(arguments.runtime, [name])
    if arguments.runtime == "auto":
        announce(choice)
    return choice.simulator(place, timeout_s=arguments.timeout_s, threads=arguments.threads, memory=arguments.memory)


@contextmanager
def opened(
    arguments: argparse.Namespace, backends: Sequence[str | Access], *, runtime: str | None = None
) -> Iterator[dict[str, Backend]]:
    """Open backends, and close them at the end; a decision of ours where they run is said.

    Args:
        arguments: those of the command.
        backends: names of simulators, URLs of servers, and ways to them.
        runtime: where simulators run, if that is decided already.
    """

    def say(choice: Choice) -> None:
        if runtime is None and arguments.runtime == "auto":
            announce(choice)

    with ExitStack() as stack:
        with Progress(f"opening {', '.join(map(shown, backends))}"):
            opening = open_backends(
                backends,
                runtime=runtime or arguments.runtime,
                timeout_s=arguments.timeout_s,
                threads=arguments.threads,
                memory=arguments.memory,
                on_choice=say,
            )
            opened_backends = stack.enter_context(opening)
        yield opened_backends


def refuse_resources(arguments: argparse.Namespace) -> None:
    """Refuse what only a simulator that is started here can be given.

    Raises:
        RequestError: it was given.
    """
    if arguments.threads is not None or arguments.memory is not None:
        raise RequestError("--threads and --memory are for simulators that are started here", field="threads")


def shown(place: str | Access) -> str:
    """Return the words for a backend, such as its name or where it is."""
    return place if isinstance(place, str) else place.name or place.address.url


def announce(choice: Choice) -> None:
    """Say where simulators run, and why."""
    remark(f"running in {_PLACES[choice.runtime]}: {choice.why} (--runtime decides)")
