"""The vault: a folder in which this user's processes note the token and the users of each container.

The folder has one file per container, which only this user can read. The container itself has only the digest of its
token. Another process, or the same notebook after a restart of its kernel, finds the token in the file.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.containers.owner import is_dead, machine
from gateway.errors import ContainerError, DiskFull

FOLDER_VARIABLE = "GATEWAY_STATE_DIR"
_TOKEN_BYTES = 32
_ADVICE = f"set {FOLDER_VARIABLE} to a folder that this user may write to"


@dataclass(frozen=True, slots=True)
class Entry:
    """The content of the file about one container.

    Args:
        token: the token that its server accepts.
        keep: whether the container outlives the processes that use it.
        users: the processes that use the container, see :func:`gateway.containers.owner.identity`.
    """

    token: str
    keep: bool = False
    users: tuple[str, ...] = ()

    @property
    def in_use(self) -> bool:
        """Whether a process that uses the container may still be running."""
        return any(not is_dead(user) for user in self.users)


def new_token() -> str:
    """Return a new random token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """Return the digest of a token, from which a server recognises the token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Vault:
    """The folder with a file for each container.

    Args:
        folder: the path of the folder; by default ``GATEWAY_STATE_DIR``, else ``simulator-gateway`` in
            ``XDG_STATE_HOME`` or in ``~/.local/state``.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _default_folder()

    @property
    def home(self) -> str:
        """A short name for this folder, user and machine; containers with another home are not ours.

        Raises:
            ContainerError: the folder is a link that leads to itself.
        """
        try:
            folder = self.folder.resolve()
        except (OSError, RuntimeError) as exc:  # RuntimeError before Python 3.13
            raise ContainerError(f"the folder of tokens cannot be found: {exc}: {_ADVICE}") from exc
        where = f"{machine()} {os.getuid()} {folder}"
        return hashlib.sha256(where.encode()).hexdigest()[:12]

    def read(self, container: str) -> Entry | None:
        """Return the entry of a container; ``None`` if there is none, or if its file is damaged."""
        try:
            values = json.loads(self._file(container).read_text())
            return Entry(str(values["token"]), bool(values["keep"]), tuple(map(str, values["users"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, container: str, entry: Entry) -> None:
        """Store the entry of a container.

        Raises:
            DiskFull, ContainerError: the file cannot be written.
        """
        path = self._file(container)
        fresh = path.with_suffix(".new")
        data = json.dumps({"token": entry.token, "keep": entry.keep, "users": entry.users})
        with self._translated():
            try:
                fresh.unlink(missing_ok=True)
                with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(data)
                fresh.replace(path)
            except OSError:
                fresh.unlink(missing_ok=True)
                raise

    def add_user(self, container: str, user: str, *, keep: bool) -> None:
        """Note that a process uses a container."""
        entry = self.read(container)
        if entry is not None:
            users = tuple(other for other in entry.users if other != user and not is_dead(other))
            self.write(container, replace(entry, users=(*users, user), keep=entry.keep or keep))

    def drop_user(self, container: str, user: str) -> Entry | None:
        """Note that a process no longer uses a container, and return the new entry, or ``None`` if there is none."""
        entry = self.read(container)
        if entry is None:
            return None
        entry_left = replace(entry, users=tuple(other for other in entry.users if other != user and not is_dead(other)))
        with suppress(ContainerError):  # a full disk must not keep a process from ending
            self.write(container, entry_left)
        return entry_left

    def forget(self, container: str) -> None:
        """Remove the entry of a container.

        Raises:
            ContainerError: the file cannot be removed.
        """
        with self._translated():
            self._file(container).unlink(missing_ok=True)

    def containers(self) -> list[str]:
        """Return the ids of the containers that have an entry."""
        return [path.stem for path in self.folder.glob("*.json")]

    @contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold a lock that excludes this user's other processes and threads; yield whether it could be taken."""
        with self._translated():
            self.prepare()
            file = (self.folder / f"{name}.lock").open("w")
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True

    def prepare(self) -> None:
        """Create the folder, with access for this user only."""
        with self._translated():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _file(self, container: str) -> Path:
        return self.folder / f"{container}.json"

    @contextmanager
    def locked_file(self, name: str, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold a lock that excludes this user's other processes.

        Args:
            name: the name of the lock.
            on_wait: a function that is called before waiting for another process that holds the lock.
        """
        with self.lock(name, wait=False) as is_held:
            if is_held:
                yield
                return
        on_wait()
        with self.lock(name):
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            where = f"{self.folder} ({FOLDER_VARIABLE} names another folder)"
            if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise DiskFull(f"there is no space left for the tokens in {where}: df -h shows the disks") from exc
            raise ContainerError(
                f"the tokens of containers cannot be stored in {where}: {exc.strerror}: make it yours, and writable"
            ) from exc


def _default_folder() -> Path:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return Path(folder)
    state = os.environ.get("XDG_STATE_HOME")
    if state:
        return Path(state) / "simulator-gateway"
    try:
        return Path.home() / ".local" / "state" / "simulator-gateway"
    except RuntimeError as exc:  # a user without a name and without HOME, as in some containers
        raise ContainerError(f"this user has no home folder for the tokens of containers: {_ADVICE}") from exc
