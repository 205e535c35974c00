"""The gateways that a person knows by name: the file that ``gateway config`` writes.

::

    default = "lab"

    [gateways.lab]
    url = "https://lab.example:8443"
    token = "..."
    ca = "/home/ada/lab.pem"
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from gateway.backends.addresses import Address, parse_address
from gateway.errors import RequestError
from gateway.protocol.refusals import UNKNOWN, named_choices, refusal

M = TypeVar("M", bound=msgspec.Struct)

MAX_BYTES = 2**20
"""The largest size of the file that is read."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OPEN = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC"):
    _OPEN |= getattr(os, _flag, 0)  # Windows has none of them


class KnownGateway(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A gateway, or a server, that has a name.

    Args:
        url: its address.
        token: the bearer token that it is sent; empty for none of its own.
        ca: the path of certificates that are trusted in place of the system's; empty for those.
    """

    url: Annotated[str, Meta(min_length=1)]
    token: str = ""
    ca: str = ""

    @property
    def address(self) -> Address:
        """Its address."""
        return parse_address(self.url)


class Gateways(msgspec.Struct, frozen=True, kw_only=True):
    """All gateways of the file.

    Args:
        default: the name of the one that is used where none is named; empty for none.
        gateways: name -> gateway.
    """

    default: str = ""
    gateways: dict[str, KnownGateway] = {}

    def find(self, name: str) -> KnownGateway:
        """Return the gateway of a name.

        Raises:
            RequestError: nobody has this name.
        """
        if name not in self.gateways:
            known = named_choices(name, self.gateways) if self.gateways else "gateway config add NAME URL adds one"
            raise RequestError(f"there is no gateway {name!r}: {known}", field="at")
        return self.gateways[name]


def config_path() -> Path:
    """Return the path of the file: in ``$XDG_CONFIG_HOME``, or in ``~/.config``.

    Raises:
        RequestError: this user has no home folder.
    """
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        base = Path(folder) if Path(folder).is_absolute() else Path.home() / ".config"
    except RuntimeError as exc:
        raise RequestError("this user has no home folder: set XDG_CONFIG_HOME to a folder") from exc
    return base / "simulator-gateway" / "config.toml"


def read_gateways(path: Path | None = None) -> Gateways:
    """Return the gateways of a file; none if there is no file.

    Args:
        path: the path of the file; by default that of this user.

    Raises:
        RequestError: the file cannot be read or trusted, or is no such file; the message says where it is wrong.
    """
    try:
        path = path or config_path()
    except RequestError:  # a user without a home folder, as in some containers, has no file
        return Gateways()
    content = read_content(path)
    return Gateways() if content is None else parse_gateways(content, path)


def read_content(path: Path) -> bytes | None:
    """Return the content of a file, ``None`` if there is none.

    Raises:
        RequestError: it cannot be read, or others can read tokens in it or write it.
    """
    try:
        descriptor = os.open(path, _OPEN)
        try:
            status, content = os.fstat(descriptor), b""
            if stat.S_ISREG(status.st_mode):
                with open(descriptor, "rb", closefd=False) as file:
                    content = file.read(MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else exc
        raise RequestError(f"cannot read {path}: {why}") from exc
    if not stat.S_ISREG(status.st_mode) or len(content) > MAX_BYTES:
        raise RequestError(f"{path} is no file of at most {MAX_BYTES:,} bytes")
    _refuse_others(path, status, has_token=b"token" in content)
    return content


def parse_gateways(content: bytes, path: Path) -> Gateways:
    """Return the gateways in the content of a file, whose path errors name.

    Raises:
        RequestError: it is no TOML, or has other fields than the file has; a token is not quoted.
    """
    try:
        file = _read(tomllib.loads(content.decode()), _File, "the file")
        found = {}
        for name, table in file.gateways.items():
            with _about(f"in [gateways.{name}], "):
                check_name(name)
                found[name] = _read(table, KnownGateway, "the table")
                parse_address(found[name].url)
                check_token(found[name].token, "in the table")
        gateways = Gateways(default=file.default, gateways=found)
        if file.default:
            gateways.find(file.default)
    except UnicodeDecodeError as exc:
        raise RequestError(f"{path} is no text: byte {exc.start} is not UTF-8") from exc
    except tomllib.TOMLDecodeError as exc:
        raise RequestError(f"{path} is no TOML: {exc}") from exc
    except RequestError as exc:
        raise RequestError(f"{path}: {exc.message}") from exc
    return gateways


def check_name(name: str) -> None:
    """Check the name that a gateway shall have.

    Raises:
        RequestError: no gateway can have it.
    """
    if not _NAME.fullmatch(name):
        raise RequestError(f"a name has 1 to 64 letters, digits and _.- without a dot first, not {name!r:.100}")


def check_token(token: str, where: str) -> None:
    """Check a token.

    Args:
        token: the token.
        where: where it is from; the token itself is never quoted.

    Raises:
        RequestError: no header can hold it.
    """
    if not (token.isascii() and token.isprintable()) or token != token.strip():
        raise RequestError(f"the token {where} has characters that no header can hold", field="token")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    default: str = ""
    gateways: dict[str, dict[str, Any]] = {}


def _read(data: dict[str, Any], kind: type[M], what: str) -> M:
    """Return a table of the file.

    Raises:
        RequestError: it has other fields; the value of a token is not quoted.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as exc:
        is_secret = str(exc).endswith("token`")
        raise refusal(exc, kind, UNKNOWN if is_secret else data, whole=what) from exc


@contextmanager
def _about(where: str) -> Iterator[None]:
    """Say in errors where they are."""
    try:
        yield
    except RequestError as exc:
        raise RequestError(f"{where}{exc.message}") from exc


def _refuse_others(path: Path, status: os.stat_result, *, has_token: bool) -> None:
    if not hasattr(os, "geteuid"):
        return  # Windows says otherwise who may read a file, and by default other users may not
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid not in {0, os.geteuid()}:
        raise RequestError(f"{path} belongs to another user (number {status.st_uid}), who could send tokens anywhere")
    if mode & _OTHERS_WRITE or (has_token and mode & _OTHERS_READ):
        what = "write" if mode & _OTHERS_WRITE else "read the tokens in"
        advice = f"chmod 600 {shlex.quote(str(path))}"
        raise RequestError(f"other users can {what} {path} (its mode is {mode:04o}): {advice}")
