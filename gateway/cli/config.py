"""The command ``gateway config``: the gateways that a person knows by name, in a file that only they can read.

The file is edited as it stands: comments and order stay.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.backends.access import URL_VARIABLE, check_certificates
from gateway.backends.addresses import parse_address
from gateway.backends.gateways import (
    MAX_BYTES,
    Gateways,
    check_name,
    check_token,
    config_path,
    parse_gateways,
    read_content,
    read_gateways,
)
from gateway.cli.arguments import UsageError
from gateway.cli.complaints import remark
from gateway.cli.tables import Column, print_table
from gateway.compare.files import write_text
from gateway.errors import RequestError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def command(arguments: argparse.Namespace) -> int:
    """Show the gateways, or do what the second word says."""
    return _ACTIONS[arguments.action](arguments)


def _show(arguments: argparse.Namespace) -> int:
    known = read_gateways()
    if arguments.json:
        rows = [
            {"name": name, "url": each.url, "token": bool(each.token), "ca": each.ca, "default": name == known.default}
            for name, each in known.gateways.items()
        ]
        print(json.dumps(rows, indent=2))
        return 0
    if known.gateways:
        _print_table(known)
    else:
        print("No gateway has a name yet: gateway config add NAME URL adds one.")
    url = os.environ.get(URL_VARIABLE, "").strip()
    if url:
        remark(f"{URL_VARIABLE} is set: {url} is used where none is named")
    return 0


def _print_table(known: Gateways) -> None:
    columns = [Column("gateway"), Column("URL"), Column("token"), Column("certificates", rank=1), Column("default")]
    print_table(
        columns,
        [
            [name, each.url, "yes" if each.token else "\N{EN DASH}", each.ca, "yes" if name == known.default else ""]
            for name, each in known.gateways.items()
        ],
    )


def _add(arguments: argparse.Namespace) -> int:
    """Add a gateway.

    Raises:
        UsageError: the name is taken, or the token stands on the command line.
        RequestError: the name, the URL, the token or the certificates can be none.
    """
    name = arguments.name
    check_name(name)
    address = parse_address(arguments.url)
    values = {"url": arguments.url if "://" in arguments.url else address.url}
    token = _token(arguments)
    if token:
        values["token"] = token
    if arguments.ca is not None:
        values["ca"] = check_certificates(Path(arguments.ca).absolute())

    def change(document: TOMLDocument, known: Gateways) -> None:
        import tomlkit
        from tomlkit.items import InlineTable

        if name in known.gateways:
            url = known.gateways[name].url
            raise _refused(f"{name} is there already, and is {url}: gateway config remove {name} makes room")
        gateways = document.setdefault("gateways", tomlkit.table(is_super_table=True))
        table = tomlkit.inline_table() if isinstance(gateways, InlineTable) else tomlkit.table()
        table.update(values)
        gateways[name] = table
        if arguments.default:
            document["default"] = name

    _edit(change)
    if token and not address.tls and not address.is_loopback:
        remark(f"{address.url} is not HTTPS: whoever listens in between reads the token")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    def change(document: TOMLDocument, known: Gateways) -> None:
        known.find(arguments.name)
        del document["gateways"][arguments.name]  # it may be written in parts, which have no method for it
        if known.default == arguments.name:
            document.remove("default")

    _edit(change)
    return 0


def _set_default(arguments: argparse.Namespace) -> int:
    def change(document: TOMLDocument, known: Gateways) -> None:
        known.find(arguments.name)
        document["default"] = arguments.name

    _edit(change)
    return 0


def _print_path(_: argparse.Namespace) -> int:
    print(config_path())
    return 0


_ACTIONS: dict[str | None, Callable[[argparse.Namespace], int]] = {
    None: _show,
    "add": _add,
    "remove": _remove,
    "default": _set_default,
    "path": _print_path,
}
"""The second word of the command -> its function."""


def _token(arguments: argparse.Namespace) -> str:
    """Return the token that is given: asked for in a terminal, read from standard input, or from a file.

    Raises:
        UsageError: it stands on the command line, where other users see it.
        RequestError: there is none, or no header can hold it; it is not quoted.
    """
    if arguments.token is None and arguments.token_file is None:
        return ""
    if arguments.token_file is not None:
        where = f"in {arguments.token_file}"
        with Path(arguments.token_file).open(encoding="utf-8") as file:
            token = file.read(MAX_BYTES)
    elif arguments.token != "-":  # noqa: S105 - the word for standard input
        raise _refused(
            "other users can see a command line: --token - reads the token, --token-file FILE takes a file's"
        )
    else:
        where = "of standard input"
        token = _ask_for_token() if sys.stdin.isatty() else sys.stdin.readline()
    token = token.strip()
    check_token(token, where)
    if not token:
        raise RequestError(f"the token {where} is empty", field="token")
    return token


def _ask_for_token() -> str:
    from getpass import getpass

    return getpass("Token: ")


def _refused(sentence: str) -> UsageError:
    return UsageError(sentence, program="gateway config")


# ---------------------------------------------------------------------- the file


def _edit(change: Callable[[TOMLDocument, Gateways], None]) -> None:
    """Change the file, all of it or nothing; of two changes at the same time, the later one begins with the other's.

    Args:
        change: changes the document; it is given what is in it, too.
    """
    import tomlkit

    path = config_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(path.parent):
        content = read_content(path) or b""
        known = parse_gateways(content, path)
        document = tomlkit.parse(content.decode())
        change(document, known)
        text = tomlkit.dumps(document)
        parse_gateways(text.encode(), path)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)  # before there is a token in it
        write_text(path, text)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process edits the files of a folder, and keep others out."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
