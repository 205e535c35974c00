"""The process from which workers are forked, and the keepers that stand between it and the workers.

The fork server has imported the simulator, or whatever its workers need, and never run it, because forking after a run
can hang. It forks keepers, and each keeper forks one worker after the other. A keeper is small and idle. Whatever a
worker starts stays below its keeper, even processes that detach themselves from their parents. When the worker ends, or
the server does, the keeper ends all of it.

On systems other than Linux, a keeper ends the process group of its worker only.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from gateway.simulators import import_ahead

Serve = Callable[[socket.socket], None]
"""What a worker does with the pipe to the server, until it ends."""

START, KILL = b"s", b"k"
"""What the server tells a keeper: to fork a worker for the pipe that comes along, and to kill that worker."""

STARTED = struct.Struct("!ii")
"""What a keeper tells when it has forked a worker: its own process id, and the worker's."""

ENDED = struct.Struct("!i")
"""What a keeper tells once nothing is left of a worker: the exit code, negative for a signal."""

IMPORTED = b"\1"
"""What the fork server tells once the simulator is imported."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_SWEEPS_FOR_S = 10.0
_ON_LINUX = sys.platform == "linux"


def main(channel_fd: int, module: str, serve: Serve) -> NoReturn:
    """Import a simulator, then fork a keeper for each message that comes, until the channel is closed.

    Args:
        channel_fd: a socket; each message on it carries a descriptor, the channel of the new keeper.
        module: the module of the simulator.
        serve: what every worker runs.
    """
    sys.argv[1:] = []
    for ignored in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C in a terminal is the server's to handle
        signal.signal(ignored, signal.SIG_IGN)
    channel = socket.socket(fileno=channel_fd)
    channel.set_inheritable(False)
    if module:
        import_ahead(module)
    with contextlib.suppress(OSError):  # a full disk is for the runs that need it to report
        tempfile.gettempdir()  # found by writing a file, which a worker that is killed meanwhile would leave
    gc.freeze()  # what is shared with the workers is looked at, and thereby copied, by none of them
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wakeups = _Wakeups()
    ours = _children(os.getpid())  # what the import started
    with contextlib.suppress(OSError):  # the server may have ended during the import, which is noticed below
        channel.sendall(IMPORTED)
    while True:
        if wakeups.wait_for(channel):
            with _received(channel)[1] as for_keeper, contextlib.suppress(OSError):  # no process is left: it asks again
                ours.add(_fork_keeper(channel, wakeups, for_keeper, serve))
        elif ended := _reap():
            ours.difference_update(ended)
            _end_all(_children(os.getpid()) - ours)  # a keeper was killed: this process has inherited its family


def _received(channel: socket.socket) -> tuple[bytes, socket.socket]:
    """Return a message and the socket that comes along, or a new one; end this process if the channel is closed."""
    try:
        message, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
    except ConnectionError:
        message, descriptors = b"", []
    if not message:
        os._exit(0)
    received = socket.socket(fileno=descriptors[0]) if descriptors else socket.socket()
    received.set_inheritable(False)
    return message, received


def _fork_keeper(channel: socket.socket, wakeups: _Wakeups, for_keeper: socket.socket, serve: Serve) -> int:
    pid = os.fork()
    if not pid:
        with _exiting():
            channel.close()
            wakeups.close()
            _keep(for_keeper, serve)
    return pid


# ---------------------------------------------------------------------------- the keeper


def _keep(channel: socket.socket, serve: Serve) -> None:
    """Fork a worker whenever the server asks for one, and end whatever is left when it has ended."""
    # A signal to the group of the server must not end what cleans up after it. A session of its own would do as well,
    # but Linux gives each session a share of the processors, and runs would wait for theirs on a busy machine.
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    keeper, wakeups = os.getpid(), _Wakeups()
    while True:
        message, pipe = _received(channel)
        with pipe:
            if message != START:  # the worker to kill has just ended
                continue
            worker = _fork_worker(keeper, channel, wakeups, pipe, serve)
        with contextlib.suppress(OSError):
            channel.sendall(STARTED.pack(keeper, worker))
        exit_code = _wait_for_end(worker, channel, wakeups)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(worker, signal.SIGKILL)
        _sweep()
        with contextlib.suppress(OSError):
            channel.sendall(ENDED.pack(exit_code))


def _fork_worker(keeper: int, channel: socket.socket, wakeups: _Wakeups, pipe: socket.socket, serve: Serve) -> int:
    pid = os.fork()
    if not pid:
        with _exiting():
            channel.close()
            wakeups.close()
            _become_worker(keeper)
            serve(pipe)
    return pid


def _become_worker(keeper: int) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler cannot run while C++ holds the GIL
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)


def _wait_for_end(worker: int, channel: socket.socket, wakeups: _Wakeups) -> int:
    """Return the exit code of the worker, which is killed when the server says so or has ended."""
    kills = True
    while True:
        ended = _reap()
        if worker in ended:
            return ended[worker]
        if wakeups.wait_for(channel if kills else None):
            with contextlib.suppress(ConnectionError):  # the server has ended, and what it was told is unread
                kills = channel.recv(1, socket.MSG_PEEK) != b""  # _received() will see that, too
            if kills:
                channel.recv(1)
            os.kill(worker, signal.SIGKILL)


def _sweep() -> None:
    """End all processes below this one, and wait for their end."""
    deadline = time.monotonic() + _SWEEPS_FOR_S
    while time.monotonic() < deadline:  # those of another user cannot be ended
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            _end_all(_children(os.getpid()))
            time.sleep(0.001)


# ---------------------------------------------------------------------------- processes


class _Wakeups:
    """Waits for the end of a child and for what comes on a socket, at the same time."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for fd in (self._reading, self._writing):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)

    def wait_for(self, awaited: socket.socket | None) -> bool:
        """Wait until a child may have ended, or something has come on the socket; return whether the latter holds."""
        waiting = select.poll()
        waiting.register(self._reading, select.POLLIN)
        if awaited is not None:
            waiting.register(awaited, select.POLLIN)
        ready = {fd for fd, _ in waiting.poll()}
        if self._reading in ready:
            os.read(self._reading, 4096)
        return awaited is not None and awaited.fileno() in ready and self._reading not in ready

    def close(self) -> None:
        """Give up in a new child, which has children of its own."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._reading)
        os.close(self._writing)


@contextlib.contextmanager
def _exiting() -> Iterator[None]:
    """End a forked process with the block, as a program ends."""
    exit_code = 1
    try:
        yield
        exit_code = 0
    except SystemExit as exc:
        exit_code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
    except BaseException:  # noqa: BLE001 - the process edge
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(exit_code & 0xFF)


def _reap() -> dict[int, int]:
    """Return the exit codes of the children that have ended since the last call."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def _end_all(roots: set[int]) -> None:
    """Kill processes and all below them; they are stopped first, so that none of them forks another meanwhile."""
    stopped: set[int] = set()
    while new := _with_descendants(roots) - stopped:
        _signal(new, signal.SIGSTOP)
        stopped |= new
    _signal(stopped, signal.SIGKILL)


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _with_descendants(roots: set[int]) -> set[int]:
    if not roots:
        return roots
    children: dict[int, set[int]] = {}
    for pid, parent in _parents().items():
        children.setdefault(parent, set()).add(pid)
    found: set[int] = set()
    waiting = set(roots)
    while waiting:
        found |= waiting
        waiting = set().union(*(children.get(pid, set()) for pid in waiting)) - found
    return found


def _children(parent: int) -> set[int]:
    return {pid for pid, its_parent in _parents().items() if its_parent == parent}


def _parents() -> dict[int, int]:
    """Return the parent of each process that runs; none where the system does not say."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            state, parent = stat.read_bytes().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                parents[int(stat.parent.name)] = int(parent)
    return parents


def _prctl(option: int, value: int) -> None:
    if _ON_LINUX:
        _libc.prctl(option, value, 0, 0, 0)


_libc = ctypes.CDLL(None, use_errno=True)
