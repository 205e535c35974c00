"""Makes the packages of an environment small and quick to import.

The first stage of the Dockerfile runs this script in each environment: first in that of the group ``main``, then in the
others, which share equal packages with it. The script deletes what a server never reads: tests, headers, stubs, static
libraries and installers. It adds byte code of the modules that a simulator imports, which takes 92 MB; byte code of all
modules would take 240 MB.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec, source_from_cache
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))
BIN = Path(sys.executable).parent
HOME = Path("/opt/gateway")
"""The environment of the group ``main``, which has a folder with the other environments."""
MAIN_SITE = HOME / SITE.relative_to(sys.prefix)
SOURCES = "/opt/gateway/src"
"""The folder into which the Dockerfile copies our own code."""

RECORDS = {"RECORD", "INSTALLER", "REQUESTED"}
TRIMMED_FOLDERS = {"include", "test", "tests"}  # not "testing": several packages import their own
TRIMMED_SUFFIXES = {".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".lib", ".pxd", ".pyi", ".pyx"}
TRIMMED_PATTERNS = (
    "cirq/**/*_test.py",
    "matplotlib/mpl-data/fonts/afm",
    "matplotlib/mpl-data/fonts/pdfcorefonts",
    "matplotlib/mpl-data/fonts/ttf/[!DL]*",  # matplotlib reads each font at its first start; one is enough
    "matplotlib/mpl-data/fonts/ttf/DejaVu*[!s].ttf",
    "qiskit_ibm_runtime/fake_provider/backends/**/*.json",  # calibration of real devices
    "scipy/**/_test_*.so",
    "sqlalchemy/dialects/m[sy]*sql",  # jobs are kept in SQLite or PostgreSQL
    "sqlalchemy/dialects/oracle",
    "sqlalchemy/testing",
    "sympy/**/benchmarks",
    "sympy/parsing/autolev",
)
INSTALLERS = ("_distutils_hack", "distutils-precedence.pth", "pip", "pkg_resources", "setuptools")

# The modules that adapters import, and frameworks during a run. Each line is imported in a process of its own.
IMPORTS = (
    "argparse, subprocess, multiprocessing.popen_forkserver, multiprocessing.forkserver, concurrent.futures.process",
    "flask, gunicorn.app.base, gunicorn.workers.gasgi, cloudpickle, msgspec, requests",
    # begin warm (rendered)
    "cirq, sympy",
    "mqt.ddsim, mqt.core",
    "pyquil, pyquil.simulation",
    "pytket.extensions.qiskit",
    "qulacs",
    "qiskit, qiskit.circuit.library, qiskit_aer",
    "stim",
    # end warm
)

STDLIB_LIST = HOME / "stdlib.txt"
"""A list of the imported modules of Python's own library, which the second stage compiles on a fresh base image."""

ELSEWHERE = {
    # begin elsewhere (rendered)
    "rigetti": "rigetti",
    # end elsewhere
}
"""Simulator -> its group, for groups other than ``main``; their servers start with the Python of that environment."""

LAUNCHER = f"""#!{BIN}/python
import os
import sys

group = {ELSEWHERE!r}.get("".join(sys.argv[2:3])) if sys.argv[1:2] == ["serve"] else None
if group and sys.executable == "{BIN}/python" and "".join(sys.argv[3:4])[:1] in ("", "-"):  # that one and no other
    python = f"{HOME}/environments/{{group}}/bin/python"
    os.execv(python, [python, __file__, *sys.argv[1:]])

from gateway.cli import main

if __name__ == "__main__":  # worker processes import this file again
    sys.exit(main())
"""


def delete(path: Path) -> None:
    """Delete a file, or a folder with everything in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def trim() -> None:
    """Delete files that no server reads."""
    for name in INSTALLERS:
        for path in [*SITE.glob(name), *SITE.glob(f"{name}-*")]:
            delete(path)
    for path in sorted(SITE.rglob("*")):
        if (path.is_dir() and path.name in TRIMMED_FOLDERS) or (path.is_file() and path.suffix in TRIMMED_SUFFIXES):
            delete(path)
    for pattern in TRIMMED_PATTERNS:
        for path in list(SITE.glob(pattern)):
            delete(path)
    for path in BIN.iterdir():
        if not path.name.startswith("python"):
            path.unlink()


def share() -> None:
    """Replace packages that are equal to those in the environment of the group ``main`` by links.

    Each folder is compared separately, and one that differs in a single file is left alone.
    """
    for path in sorted(SITE.iterdir()):
        twin = MAIN_SITE / path.name
        if path.is_dir() and same_tree(path, twin):
            delete(path)
            path.symlink_to(twin)


def same_tree(folder: Path, twin: Path) -> bool:
    """Return whether two folders hold the same files, byte code aside."""
    names = files_below(folder)
    if names != files_below(twin):
        return False
    return not any(filecmp.cmpfiles(folder, twin, names, shallow=False)[1:])


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of the files of a package, without byte code and the records of installers."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if "__pycache__" not in path.parts and path.name not in RECORDS)


def import_once() -> None:
    """Import all modules, so that Python writes their byte code, except packages without a wheel for this processor."""
    for line in IMPORTS:
        names = line.split(", ")
        absent = [name for name in names if find_spec(name.partition(".")[0]) is None]
        if absent:
            print(f"prepare: not installed, so not imported: {', '.join(absent)}")
        imports = "".join(f"import {name}\n" for name in names if name not in absent)
        subprocess.run([sys.executable, "-W", "ignore", "-c", imports], check=True)


def list_stdlib() -> None:
    """List the modules of Python's own library that have byte code now."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    compiled = (source_from_cache(str(path)) for path in stdlib.rglob("__pycache__/*.pyc"))
    modules = sorted(path for path in compiled if "-packages" not in path)
    STDLIB_LIST.write_text("".join(f"{path}\n" for path in modules), encoding="ascii")


def install_launcher() -> None:
    """Make our code, which a later stage copies, importable and install the command ``gateway``."""
    (SITE / "simulator_gateway.pth").write_text(SOURCES + "\n", encoding="ascii")
    if SITE != MAIN_SITE:
        return
    launcher = BIN / "gateway"
    launcher.write_text(LAUNCHER, encoding="ascii")
    launcher.chmod(0o755)


if __name__ == "__main__":
    trim()
    if SITE != MAIN_SITE:
        share()
    import_once()
    list_stdlib()
    install_launcher()
