"""The account of the memory that runs claim: one for all our processes of a user on a machine or in a container.

A run that needs much memory claims it before it allocates anything. All workers of all servers see the claims, so two
runs that fit alone and not together run one after the other, in the order in which they came.

**The file.** The claims stand in one file, ``claims`` in the folder ``simulator-gateway`` of ``$XDG_RUNTIME_DIR`` or,
where there is none, in the folder ``simulator-gateway-UID`` of the system's folder for temporary files. A claim is a
record of fixed size, and its owner holds a lock of the kernel on the bytes of the record. The lock ends with its
process, however that ends, and a record without a lock counts for nothing: nobody cleans up. A child does not inherit
such locks. Nothing else in the file is believed: a broken record counts for nothing, and a file or folder that belongs
to somebody else is not used. A process that cannot use the file counts the claims of its own threads only.

**The sum.** What the system calls free does not include what running runs have allocated so far, but does include
what they have claimed and not yet allocated. Each owner notes how much memory it held before its claim; what it holds
more by now is the part of the claim that is already missing from the free memory. The rest is still to come, and is
subtracted from what is free. A process that has just given memory back counts for too much rather than too little.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import logging
import os
import stat
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.errors import BusyError
from gateway.free_memory import resident_bytes

log = logging.getLogger("gateway")

_RECORD = struct.Struct("=8sQQQ?3xI16s")
"""Mark, claimed bytes, bytes held before the claim, number in the order of claims, whether the claim waits, process,
and what most of the memory is for."""

_MARK = b"claim 1\n"
_MOST_RECORDS = 4096
_LOCK = struct.Struct("@hhqqi")
"""The kernel's ``struct flock``: type, whence, start, length, process."""

_TURN_WITHIN_S = 2.0
"""How long the lock of the whole account is waited for: its holders need less than a millisecond."""

_LOOKS_AGAIN_S = 0.02

_TRIES_AGAIN_S = 10.0
"""After which time an account that could not be used is tried again."""


@dataclass(slots=True, eq=False)
class Claim:
    """The memory that one run claims.

    Args:
        size: the claimed bytes.
        base: the bytes that the process held before the claim.
        order: earlier claims have smaller numbers.
        waits: whether the claim waits for others to end; it then counts for nothing but its place in the order.
        slot: the number of its record in the file; ``None`` where there is no file.
        part: the name of what most of the memory is for.
    """

    size: int
    base: int
    order: int
    waits: bool = True
    slot: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Others:
    """What the claims of others come to.

    Args:
        outstanding: the bytes that were claimed and are still to be allocated.
        grown: the bytes that were claimed and are allocated already; they become free when the others end.
        first: the smallest number of a claim that waits.
    """

    outstanding: int
    grown: int
    first: int


@dataclass(slots=True)
class Account:
    """The claims of all processes that use the same file.

    Args:
        folder: where the file is; by default a folder for runtime files that only this user can read.
    """

    folder: Path | None = None
    _claims: list[Claim] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _pid: int = 0
    _fd: int | None = None
    _tries_at: float = 0.0
    _complaint: str = ""

    def claim(self, size: int, free: Callable[[], int], wait_s: float, part: str = "") -> Claim:
        """Claim memory, after waiting for others to end where it is not free yet.

        Args:
            size: the bytes.
            free: returns how many bytes are free now.
            wait_s: how long others may take to end.
            part: the name of what most of the memory is for.

        Raises:
            BusyError: others did not end in time.
        """
        deadline = time.monotonic() + wait_s
        claim = Claim(size, resident_bytes(os.getpid()) or 0, time.monotonic_ns(), part=part)
        while not self._enter(claim, free):
            if time.monotonic() > deadline:
                self.release(claim)
                raise _busy(size)
            time.sleep(_LOOKS_AGAIN_S)
        return claim

    def grow(self, claim: Claim, size: int, free: Callable[[], int], part: str = "") -> None:
        """Claim more. The claim does not wait, since others may wait for what it holds already.

        Raises:
            BusyError: others hold what is lacking.
        """
        with self._turn():
            allocated = max((resident_bytes(os.getpid()) or claim.base) - claim.base, 0)
            if size - allocated > free() - self._others(claim).outstanding:
                raise _busy(size)
            claim.size, claim.part = size, part
            self._write(claim)

    def grown(self) -> int:
        """Return how many bytes become free when the runs of other processes end."""
        with self._turn():
            return self._others(None).grown

    def part_of(self, pid: int) -> str:
        """Return what a process claimed most of its memory for that ended without giving it back; empty if unknown."""
        with self._lock:
            self._open()
            records = [record for _, record in self._contents() if record[5] == pid]
        newest = max(records, key=lambda record: record[3], default=None)
        return "" if newest is None else newest[6].rstrip(b"\0").decode("ascii", "replace")

    def release(self, claim: Claim) -> None:
        """Give back what was claimed."""
        with self._lock:
            if self._pid != os.getpid() or claim not in self._claims:  # a fork does not have the claims of its parent
                return
            self._claims.remove(claim)
            if claim.slot is not None and self._fd is not None:
                with contextlib.suppress(OSError):
                    os.pwrite(self._fd, bytes(_RECORD.size), claim.slot * _RECORD.size)
                    fcntl.lockf(self._fd, fcntl.LOCK_UN, _RECORD.size, claim.slot * _RECORD.size)

    def _enter(self, claim: Claim, free: Callable[[], int]) -> bool:
        """Put a claim into the account, as one that waits unless it is its turn and its memory is free."""
        with self._turn():
            others = self._others(claim)
            claim.waits = others.first < claim.order or claim.size > free() - others.outstanding
            if claim not in self._claims:
                self._claims.append(claim)
            self._write(claim)
            return not claim.waits

    # ------------------------------------------------------------------ the sum

    def _others(self, claim: Claim | None) -> Others:
        """Add up the claims of others: those of other processes, and those of other threads of this one."""
        by_process: dict[int, list[Claim]] = {os.getpid(): [each for each in self._claims if each is not claim]}
        for pid, theirs in self._records():
            by_process.setdefault(pid, []).append(theirs)
        outstanding = grown = 0
        first = sys.maxsize
        for pid, claims in by_process.items():
            active = [each for each in claims if not each.waits]
            first = min([first, *(each.order for each in claims if each.waits)])
            if active:
                claimed = sum(each.size for each in active)
                base = min(each.base for each in active)
                held = resident_bytes(pid) if pid > 0 else None  # 0: a process of another container
                allocated = min(max((base if held is None else held) - base, 0), claimed)
                outstanding += claimed - allocated
                grown += allocated
        return Others(outstanding, grown, first)

    def _contents(self) -> list[tuple[int, tuple[Any, ...]]]:
        """Return the number and the fields of each record that has our mark, with or without a lock."""
        if self._fd is None:
            return []
        try:
            content = os.pread(self._fd, _RECORD.size * _MOST_RECORDS, 0)
        except OSError:
            return []
        records = [(slot, _RECORD.unpack_from(content, slot * _RECORD.size))
                   for slot in range(1, len(content) // _RECORD.size)]  # fmt: skip
        return [(slot, record) for slot, record in records if record[0] == _MARK]

    def _records(self) -> Iterator[tuple[int, Claim]]:
        """Yield the process and the claim of each record that another process holds."""
        ours = {claim.slot for claim in self._claims}
        for slot, (_, size, base, order, waits, _, _) in self._contents():
            owner = None if slot in ours else self._owner(slot)
            if owner is not None:
                yield owner, Claim(size, base, order, waits)

    def _owner(self, slot: int) -> int | None:
        """Return the process that holds the lock of a record, ``None`` if no other process does."""
        assert self._fd is not None  # noqa: S101 - the callers have checked it
        query = _LOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, slot * _RECORD.size, _RECORD.size, 0)
        try:
            kind, _, _, _, pid = _LOCK.unpack(fcntl.fcntl(self._fd, fcntl.F_GETLK, query))
        except OSError:
            return None
        return None if kind == fcntl.F_UNLCK else max(pid, 0)

    # ------------------------------------------------------------------ the file

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Keep all others from changing the account for as long as the block lasts."""
        with self._lock:
            self._open()
            locked = self._fd is not None and _locked(self._fd, 0, within_s=_TURN_WITHIN_S)
            if self._fd is not None and not locked:
                self._give_up("another process does not leave it")
            try:
                yield
            finally:
                if locked and self._fd is not None:
                    fcntl.lockf(self._fd, fcntl.LOCK_UN, _RECORD.size, 0)

    def _open(self) -> None:
        """Open the file, once in each process, and again after it was removed or could not be used for a while."""
        is_forked = self._pid != os.getpid()
        if is_forked:  # the process that forked this one keeps its claims and their locks
            self._claims = []
        elif not self._is_to_be_opened():
            return
        self._close()
        self._pid = os.getpid()
        if sys.platform != "linux":
            return
        try:
            self._fd = _opened(self.folder or _runtime_folder())
        except OSError as exc:
            self._give_up(str(exc))
        for claim in self._claims:  # made while the account could not be used
            self._write(claim)

    def _is_to_be_opened(self) -> bool:
        if self._fd is None:
            return time.monotonic() >= self._tries_at
        return not self._claims and os.fstat(self._fd).st_nlink == 0

    def _close(self) -> None:
        """Close the file, which takes the locks off all records of this process."""
        if self._fd is not None:
            os.close(self._fd)
        self._fd = None
        for claim in self._claims:
            claim.slot = None

    def _give_up(self, why: str) -> None:
        """Do without the file for a while. Records that stayed locked would be held against others for ever."""
        if why != self._complaint:
            log.warning("the account of claimed memory cannot be used, only runs of this process are counted: %s", why)
        self._complaint, self._tries_at = why, time.monotonic() + _TRIES_AGAIN_S
        self._close()

    def _write(self, claim: Claim) -> None:
        """Write the record of a claim, and hold its lock."""
        if self._fd is None:
            return
        if claim.slot is None:
            taken = {each.slot for each in self._claims}
            # What a killed process had claimed stays readable for as long as there is another place.
            marked = {slot for slot, _ in self._contents()}
            unmarked = (slot for slot in range(1, _MOST_RECORDS) if slot not in marked | taken)
            places = itertools.chain(unmarked, sorted(marked - taken))
            claim.slot = next((slot for slot in places if _locked(self._fd, slot)), None)
        if claim.slot is not None:
            record = _RECORD.pack(
                _MARK, claim.size, claim.base, claim.order, claim.waits, os.getpid(), claim.part.encode()[:16]
            )
            try:
                os.pwrite(self._fd, record, claim.slot * _RECORD.size)
            except OSError as exc:  # no space is left
                self._give_up(str(exc))


ACCOUNT = Account()
"""The account of this machine or container."""


def _busy(size: int) -> BusyError:
    return BusyError(
        f"other runs on this machine hold the memory that this one needs ({size / 2**20:,.0f} MiB): try again later",
        retry_after_s=1.0,
    )


def _locked(fd: int, slot: int, within_s: float = 0.0) -> bool:
    """Say whether the lock of a record could be had; the first record stands for the whole account."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, _RECORD.size, slot * _RECORD.size)
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.001)
        else:
            return True


def _runtime_folder() -> Path:
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and Path(given).is_absolute():
        return Path(given) / "simulator-gateway"
    return Path(tempfile.gettempdir()) / f"simulator-gateway-{os.getuid()}"


def _opened(folder: Path) -> int:
    """Return a descriptor of the file of claims in a folder that nobody else can write.

    Raises:
        OSError: the folder or the file is somebody else's, or cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o022:
        raise PermissionError(f"{folder} is not a folder that only this user can write")
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(folder / "claims", flags, 0o600)
    about = os.fstat(fd)
    if not stat.S_ISREG(about.st_mode) or about.st_uid != os.getuid():
        os.close(fd)
        raise PermissionError(f"{folder / 'claims'} is not a file of this user")
    return fd
