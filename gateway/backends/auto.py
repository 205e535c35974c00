"""Opens what people name: simulators that are started, servers that run, backends of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

from gateway.backends.access import Access, access_to
from gateway.backends.addresses import is_address
from gateway.backends.base import Backend, BackendStatus
from gateway.backends.client import BackendClient, connect
from gateway.backends.directory import simulators_behind
from gateway.backends.docker import DockerSimulator
from gateway.backends.job import Job
from gateway.backends.local import LocalSimulator
from gateway.backends.runtimes import Choice, choose
from gateway.errors import GatewayError, RequestError, TransportError
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result
from gateway.simulators import find

Backends = Mapping[str, Backend | Access | str] | Sequence[Backend | Access | str] | Backend | Access | str
"""Names of simulators, addresses of servers, or backends; one, several, separated by commas, or under names."""


@contextmanager
def open_backends(
    backends: Backends,
    *,
    runtime: str = "auto",
    timeout_s: float | None = None,
    threads: int | None = None,
    memory: str | int | None = None,
    on_choice: Callable[[Choice], None] = lambda _: None,
) -> Iterator[dict[str, Backend]]:
    """Open backends, all at the same time, and close at the end those that were opened here.

    A simulator that cannot be started, or a server that does not answer, stops no other: it becomes a backend whose
    calls raise the error. The names are those of a mapping, those of simulators, and those that servers give of
    themselves: ``qulacs``, or ``qulacs@lab:8088`` where another one has that name; ``lab:8088`` for one that is silent.
    The address of a gateway opens all simulators behind it, under their names there.

    Args:
        backends: the names of simulators, the addresses of servers and gateways (``http://lab:8088``,
            ``https://...``), or backends, which stay open; one, a list, or a mapping from names. A text may name
            several, with commas. Addresses are sent the tokens that :mod:`gateway.backends.access` says.
        runtime: ``docker``, ``local`` or ``auto``: where simulators run that are started.
        timeout_s: seconds that a run may take unless it has a timeout of its own.
        threads: the threads of each run of simulators that are started.
        memory: the memory of each run of simulators that are started, in bytes or such as ``2g``.
        on_choice: called with the runtime, and why, before simulators start; not called if none does.

    Yields:
        name -> backend, in the order in which they were given.

    Raises:
        RequestError: nothing is given, a name is unknown, an address is malformed, something is given twice, or an
            argument has a wrong type; nothing has been started then. Or a gateway has no simulator, or has several
            where a mapping names one.
    """
    wanted = _wanted(backends)
    simulators = [item.source for item in wanted if isinstance(item.source, str)]
    if not simulators and (threads is not None or memory is not None):
        raise RequestError("threads and memory are for simulators that are started here", field="threads")
    place = choose(runtime, simulators) if simulators else None
    if place is not None:
        on_choice(place)
    with ExitStack() as stack:
        for item in wanted:
            if isinstance(item.source, Access):
                item.backend = stack.enter_context(connect(item.source, timeout_s=timeout_s))
            elif isinstance(item.source, str) and place is not None:
                simulator = place.simulator(item.source, timeout_s=timeout_s, threads=threads, memory=memory)
                item.backend = stack.enter_context(simulator)
        _start(wanted)
        wanted = [part for item in wanted for part in _parts(item)]
        for item in wanted:
            if isinstance(item.source, Access) and isinstance(item.backend, BackendClient):
                stack.enter_context(item.backend)
        yield _named(wanted)


class Unavailable(Backend):
    """Stands for a backend that could not be opened: every call raises the error.

    Args:
        error: why it could not be opened.
    """

    takes_parameters = True

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.error!r})"

    def _fail(self) -> NoReturn:
        raise self.error.with_traceback(None)

    def send(self, request: RunRequest) -> list[Result]:  # noqa: ARG002 - of every backend
        """Raise the error."""
        self._fail()

    def begin(self, request: RunRequest) -> Job[Result | list[Result]]:  # noqa: ARG002 - of every backend
        """Raise the error."""
        self._fail()

    def job(self, job_id: str) -> Job[Result | list[Result]]:  # noqa: ARG002 - of every backend
        """Raise the error."""
        self._fail()

    def status(self) -> BackendStatus:
        """Raise the error."""
        self._fail()

    def capabilities(self) -> Capabilities:
        """Raise the error."""
        self._fail()


# ---------------------------------------------------------------------- what is wanted


@dataclass(slots=True)
class _Wanted:
    """One backend that is wanted.

    Args:
        source: the name of a simulator, the way to a server, or a backend.
        name: its name in the result; empty until it is asked for it.
        is_fixed: whether the caller knows it by this name.
        backend: the open backend.
        behind: the names of the simulators behind it, if it is a gateway.
    """

    source: str | Access | Backend
    name: str = ""
    is_fixed: bool = False
    backend: Backend | None = None
    behind: tuple[str, ...] | None = None


def _wanted(backends: Backends) -> list[_Wanted]:
    """Return what is wanted, after checking all that can be checked without starting anything.

    Raises:
        RequestError: see :func:`open_backends`.
    """
    if isinstance(backends, Mapping):
        wanted = [_under_a_name(name, backend) for name, backend in backends.items()]
    elif isinstance(backends, str | Access | Backend):
        wanted = _without_a_name(backends)
    elif isinstance(backends, Sequence):
        wanted = [item for backend in backends for item in _without_a_name(backend)]
    else:
        raise _wrong_type(backends)
    if not wanted:
        raise RequestError("there is no backend: name a simulator, or give the URL of a server", field="backends")
    if not isinstance(backends, Mapping):
        _refuse_twice(wanted)
    return wanted


def _under_a_name(name: object, backend: object) -> _Wanted:
    if not isinstance(name, str) or not name.strip():
        raise RequestError(f"a backend is known by a name, not by {name!r:.100}", field="backends")
    items = _without_a_name(backend)
    if len(items) != 1:
        raise RequestError(f"{name!r} is the name of one backend, and {backend!r:.100} is none", field="backends")
    return replace(items[0], name=name, is_fixed=True)


def _without_a_name(backend: object) -> list[_Wanted]:
    if isinstance(backend, Backend):
        return [_Wanted(backend, backend=backend)]
    if isinstance(backend, Access):
        return [_Wanted(backend, backend.name)]
    if not isinstance(backend, str):
        raise _wrong_type(backend)
    return [_from_text(part.strip()) for part in backend.split(",") if part.strip()]


def _from_text(text: str) -> _Wanted:
    if is_address(text):
        return _Wanted(access_to(text))
    name = find(text).name
    return _Wanted(name, name, is_fixed=True)


def _refuse_twice(wanted: Sequence[_Wanted]) -> None:
    """Refuse what is given twice: a comparison with oneself shows nothing.

    Raises:
        RequestError: it is.
    """
    for index, item in enumerate(wanted):
        if any(item.source == other.source for other in wanted[:index]):
            source = item.source.address if isinstance(item.source, Access) else item.source
            raise RequestError(
                f"{source} is given twice: once is enough, or give a mapping with two names", field="backends"
            )


def _wrong_type(backends: object) -> RequestError:
    return RequestError(
        "backends are names of simulators, URLs of servers, or Backends; one, a list, or a mapping from names; "
        f"not {backends!r:.100}",
        field="backends",
    )


# ---------------------------------------------------------------------- start and name


def _start(wanted: Sequence[_Wanted]) -> None:
    """Start all at the same time; Ctrl-C ends the wait, and no server that is silent keeps the program from ending."""
    threads = [threading.Thread(target=_introduce, args=(item,), name="open-backend", daemon=True) for item in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _introduce(item: _Wanted) -> None:
    """Start a backend that is opened here, and ask one without a name for its own."""
    backend = item.backend
    try:
        if isinstance(backend, LocalSimulator | DockerSimulator):
            item.name = item.name or backend.name
            if item.source is not backend:
                backend.start()
        elif isinstance(backend, BackendClient) and (item.source is not backend or not item.name):
            item.behind, name = _ask(backend, item.source)
            item.name = item.name or name
        elif backend is not None and not item.name:
            item.name = backend.status().name
    except (GatewayError, OSError) as error:
        if item.source is not backend:
            item.backend = Unavailable(error)


def _ask(client: BackendClient, source: object) -> tuple[tuple[str, ...] | None, str]:
    """Return the names of the simulators behind a server if it is a gateway, and the server's own name if it is none.

    Raises:
        GatewayError: it does not answer as either.
    """
    try:
        return None, client.info().name
    except GatewayError as exc:
        was_answered = not isinstance(exc, TransportError) or exc.__cause__ is None
        found = simulators_behind(source) if was_answered and isinstance(source, Access) else None
        if found is None:
            raise
        return tuple(each.name for each in found.simulators), ""


def _parts(item: _Wanted) -> list[_Wanted]:
    """Return the simulators behind a gateway, or else what was wanted itself.

    Raises:
        RequestError: there is none behind it, or there are several and a name for one.
    """
    if item.behind is None or not isinstance(item.source, Access) or not isinstance(item.backend, BackendClient):
        return [item]
    url, names = item.source.address.url, item.behind
    if not names:
        raise RequestError(f"{url} is a gateway without simulators", field="backends")
    if item.is_fixed and len(names) > 1:
        raise RequestError(
            f"{item.name!r} is the name of one backend, and {url} is a gateway with {len(names)}: give the URL of one, "
            f"such as {item.source.to_simulator(names[0]).address.url}",
            field="backends",
        )
    parts = []
    for name in names:
        source = item.source.to_simulator(name)
        client = connect(source, timeout_s=item.backend.timeout_s)
        parts.append(_Wanted(source, item.name or name, item.is_fixed, client))
    return parts


def _named(wanted: Sequence[_Wanted]) -> dict[str, Backend]:
    """Return the backends under distinct names; who was given under a name keeps it."""
    names = [item.name for item in wanted]
    fixed = {item.name for item in wanted if item.is_fixed}
    named: dict[str, Backend] = {}
    for item in wanted:
        place = _place(item)
        name = item.name or place or type(item.backend).__name__
        if not item.is_fixed and place and names.count(item.name) > 1 and item.name:
            name = f"{name}@{place}"
        number, distinct = 1, name
        while distinct in named or (not item.is_fixed and distinct in fixed):
            number += 1
            distinct = f"{name} {number}"
        assert item.backend is not None  # noqa: S101 - it is opened
        named[distinct] = item.backend
    return named


def _place(item: _Wanted) -> str:
    """Return host and port of a server, empty for everything else."""
    if isinstance(item.source, BackendClient):
        return item.source.url.partition("://")[2]
    return str(item.source.address) if isinstance(item.source, Access) else ""
