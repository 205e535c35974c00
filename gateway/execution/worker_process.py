"""The server's handle on the fork server, and on one worker process: both end, and never block, whatever they do."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from gateway.execution.forkserver import ENDED, IMPORTED, KILL, START, STARTED

IMPORTED_WITHIN_S = 120.0
_FORKED_WITHIN_S = 10.0
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[3]); "
    "from gateway.execution.forkserver import main; from {module} import {function} as serve; "
    "main(int(sys.argv[1]), sys.argv[2], serve)"
)
_ENTRY = "gateway.execution.worker:serve"


class Keeper(NamedTuple):
    """A process that forks workers.

    Args:
        channel: on which it is told to, and tells what became of them.
        fork_server: the process above it.
        pid: the id of the process, once it is known.
    """

    channel: socket.socket
    fork_server: subprocess.Popen[bytes]
    pid: int | None = None


class ForkServer:
    """Starts the process that imports the simulator, and returns while the import is still going on.

    Another takes its place when it ends. The keepers of the one before live on, but nobody is left who would end what
    their workers have started if such a keeper is killed, so that they should have no other worker.

    Args:
        module: the module of the simulator; an empty text if it comes in another way.
        entry: the function that every worker runs, as ``module:function``.

    Attributes:
        on_replaced: called when another has taken its place, in a thread of its own.
    """

    def __init__(self, module: str = "", entry: str = _ENTRY) -> None:
        self.on_replaced: Callable[[], None] = lambda: None
        self._module = module
        module_of_entry, _, function = entry.partition(":")
        self._program = _PROGRAM.format(module=module_of_entry, function=function)
        self._closed = False
        self._lock = threading.Lock()  # held for moments only
        self._start()

    def _start(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-c", self._program, str(theirs.fileno()), self._module, json.dumps(sys.path)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
        self._channel.setblocking(False)
        self._began = time.monotonic()
        self._imported: float | None = None
        watcher = threading.Thread(target=self._watch, args=(self._process,), name="gateway-fork-server", daemon=True)
        with contextlib.suppress(RuntimeError):  # no thread is left: its end is noticed when a worker is wanted
            watcher.start()

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Reap the fork server when it ends, and start another at once.

        One that ended during its import would do so again; the next worker that is wanted gives it another chance.
        """
        process.wait()
        with self._lock:
            if self._process is process and not self._closed and self._imported_at() is not None:
                with contextlib.suppress(OSError):  # too many processes or files: the next worker tries again
                    self._replace()
        if self._process is not process:
            self.on_replaced()

    def start_worker(self, keeper: Keeper | None = None) -> WorkerProcess:
        """Ask for a worker, and return at once; if the fork server has ended, a new one takes its place.

        Args:
            keeper: forks the worker; by default a new one does.

        Raises:
            OSError: no process or descriptor is left.
        """
        tasks, its_tasks = socket.socketpair()
        with its_tasks, contextlib.ExitStack() as on_failure:
            on_failure.callback(tasks.close)
            if keeper is None:
                keeper = self._start_keeper()
            on_failure.callback(keeper.channel.close)
            socket.send_fds(keeper.channel, [START], [its_tasks.fileno()])  # a keeper has no other message to take
            on_failure.pop_all()
            return WorkerProcess(tasks, keeper)

    def _start_keeper(self) -> Keeper:
        keeper, its_channel = socket.socketpair()
        with its_channel, self._lock:
            try:
                if self._closed:
                    raise ConnectionError("the fork server is closed")
                self._ask_for_keeper(its_channel)
            except OSError:
                keeper.close()
                raise
            return Keeper(keeper, self._process)

    def _ask_for_keeper(self, its_channel: socket.socket) -> None:
        if self._process.poll() is not None:
            self._replace()
        try:
            socket.send_fds(self._channel, [START], [its_channel.fileno()])
        except ConnectionError:  # it has ended, and is about to be reaped
            self._replace()
            socket.send_fds(self._channel, [START], [its_channel.fileno()])

    def is_above(self, worker: WorkerProcess) -> bool:
        """Return whether the keeper of a worker is a child of the fork server, not of one before."""
        return worker.fork_server is self._process

    def restart_if_hung(self, worker: WorkerProcess) -> bool:
        """Kill the fork server, and start another, if it has not forked a keeper in time.

        Returns:
            Whether the worker cannot be expected any more.
        """
        if worker.had_keeper:
            return time.monotonic() > worker.began + _FORKED_WITHIN_S
        with self._lock:
            if self._process is not worker.fork_server:
                return True
            imported_at = self._imported_at()
            if imported_at is None:
                deadline = self._began + IMPORTED_WITHIN_S
            else:
                deadline = max(imported_at, worker.began) + _FORKED_WITHIN_S
            if time.monotonic() < deadline:
                return False
            if not self._closed:
                self._replace()
            return True

    def _imported_at(self) -> float | None:
        """Return when it was noticed that the simulator is imported, on the monotonic clock; ``None`` before."""
        with contextlib.suppress(OSError):
            if self._imported is None and self._channel.recv(1) == IMPORTED:
                self._imported = time.monotonic()
        return self._imported

    def _replace(self) -> None:
        self._end()
        self._start()

    def _end(self) -> None:
        self._channel.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)

    def close(self) -> None:
        """End the fork server; workers are not ended by this."""
        with self._lock:
            self._closed = True
            self._end()


class WorkerProcess:
    """One worker process, which may not have begun yet.

    Attributes:
        pipe: the server's end of the pipe for tasks and answers.
        pid: the id of the worker's process, once it has begun.
        fork_server: the process above its keeper.
        had_keeper: whether its keeper was there before.
        began: when it was asked, on the monotonic clock.
    """

    def __init__(self, pipe: socket.socket, keeper: Keeper) -> None:
        self.pipe = pipe
        self.began = time.monotonic()
        self.pid: int | None = None
        self._channel, self.fork_server, self._keeper = keeper
        self.had_keeper = self._keeper is not None
        self._told = b""
        self._exit_code: int | None = None
        self._ended = False
        self._keeper_remains = False
        self._lock = threading.Lock()  # the pool may close while another thread waits for an answer

    def has_ended(self) -> bool:
        """Return whether the worker has ended, and all that it had started."""
        self._listen()
        return self._ended

    def has_begun(self) -> bool:
        """Return whether the worker was forked."""
        self._listen()
        return self.pid is not None

    def wait_for_news(self, wait_s: float) -> None:
        """Wait until the keeper tells something, but not for long."""
        waiting = select.poll()
        with contextlib.suppress(ValueError, OSError):  # another thread has closed the channel
            waiting.register(self._channel, select.POLLIN)
            waiting.poll(wait_s * 1000)

    def _listen(self) -> None:
        """Take in what the keeper has told."""
        with self._lock:
            while not self._ended and (told := self._next()) is not None:
                self._take_in(told)

    def _next(self) -> bytes | None:
        """Return what the keeper has told since the last call: ``None`` if nothing, no bytes if it has ended."""
        try:
            return self._channel.recv(64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def _take_in(self, told: bytes) -> None:
        self._told += told
        if self.pid is None and len(self._told) >= STARTED.size:
            self._keeper, self.pid = STARTED.unpack_from(self._told)
        if len(self._told) == STARTED.size + ENDED.size:
            (self._exit_code,) = ENDED.unpack_from(self._told, STARTED.size)
            self._ended = self._keeper_remains = True
        elif not told:  # the keeper was killed, and the worker with it; or neither has ever begun
            self._exit_code = -signal.SIGKILL
            self._ended = True

    def kill(self) -> None:
        """Kill the worker; the thread that waits for its answer notices that it ended."""
        if self._ended:  # its keeper may have another by now
            return
        with contextlib.suppress(OSError):
            self._channel.send(KILL, socket.MSG_DONTWAIT)
        if self.pid is not None:  # a keeper that is stopped would not do it
            _kill(self.pid)

    def end(self, wait_s: float, kill_s: float) -> int | None:
        """Make sure that the worker has ended, and return its exit code, which is negative for a signal.

        Args:
            wait_s: how many seconds the worker has to end by itself before it is killed.
            kill_s: how many seconds it then has before its keeper is killed, too.
        """
        if not self._wait(wait_s):
            self.kill()
            if not self._wait(kill_s if self.has_begun() else 0) and self._keeper is not None:
                _kill(self._keeper)
                self._wait(kill_s)
        self.pipe.close()
        if not self._keeper_remains:
            self._channel.close()
        return self._exit_code

    def close(self) -> None:
        """End the keeper of a worker that has ended."""
        self._channel.close()

    def take_keeper(self) -> Keeper | None:
        """Return the keeper, for the next worker, after the end; ``None`` if the keeper has ended, too."""
        return Keeper(self._channel, self.fork_server, self._keeper) if self._keeper_remains else None

    def _wait(self, wait_s: float) -> bool:
        deadline = time.monotonic() + wait_s
        while not self.has_ended():
            remaining_s = deadline - time.monotonic()
            if remaining_s <= 0:
                return False
            self.wait_for_news(remaining_s)
        return True


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
