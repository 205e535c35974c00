"""Make the installed packages small and quick to import. Runs once, in the first stage of the Dockerfile.

Out goes what a server never reads: tests, headers, stubs, static libraries, installers. In comes byte code, but
only of the modules a simulator imports: that is 92 MB, all of it would be 240.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec, source_from_cache
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))
BIN = Path(sys.executable).parent
SOURCES = "/opt/gateway/src"
"""Where the Dockerfile puts our own code."""

TRIMMED_FOLDERS = {"include", "test", "tests"}  # not "testing": several packages import their own
TRIMMED_SUFFIXES = {".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".lib", ".pxd", ".pyi", ".pyx"}
TRIMMED_PATTERNS = (
    "cirq/**/*_test.py",
    "matplotlib/mpl-data/fonts/afm",
    "matplotlib/mpl-data/fonts/pdfcorefonts",
    "matplotlib/mpl-data/fonts/ttf/[!DL]*",  # each font is looked at at the first start; one is enough
    "matplotlib/mpl-data/fonts/ttf/DejaVu*[!s].ttf",
    "qiskit_ibm_runtime/fake_provider/backends/**/*.json",  # calibration of real devices
)
INSTALLERS = ("_distutils_hack", "distutils-precedence.pth", "pip", "pkg_resources", "setuptools")

# What the adapters, and the frameworks during a run, import. One line is one process, as in a server.
IMPORTS = (
    "argparse, subprocess, multiprocessing.popen_forkserver, multiprocessing.forkserver, concurrent.futures.process",
    "flask, gunicorn.app.base, gunicorn.workers.gthread, cloudpickle, msgspec, requests",
    "openqasm3.parser",
    # begin warm (rendered)
    "cirq, sympy",
    "mqt.ddsim, mqt.core",
    "pyquil, pyquil.simulation",
    "pytket.extensions.qiskit",
    "qulacs",
    "qiskit, qiskit.circuit.library, qiskit_aer",
    # end warm
)

STDLIB_LIST = Path(sys.prefix, "stdlib.txt")
"""Modules of Python's own library that were imported: the second stage, on a fresh base, compiles those."""

LAUNCHER = f"""#!{BIN}/python
import sys

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
    """Delete what is never read."""
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


def import_once() -> None:
    """Leave byte code of everything that is imported; a package without a wheel for this processor may be absent."""
    for line in IMPORTS:
        names = line.split(", ")
        absent = [name for name in names if find_spec(name.partition(".")[0]) is None]
        if absent:
            print(f"prepare: not installed, so not imported: {', '.join(absent)}")
        imports = "".join(f"import {name}\n" for name in names if name not in absent)
        subprocess.run([sys.executable, "-W", "ignore", "-c", imports], check=True)


def list_stdlib() -> None:
    """Write down which modules of Python's own library have byte code now."""
    stdlib = Path(sysconfig.get_path("stdlib"))
    compiled = (source_from_cache(str(path)) for path in stdlib.rglob("__pycache__/*.pyc"))
    listed = sorted(path for path in compiled if "-packages" not in path)
    STDLIB_LIST.write_text("".join(f"{path}\n" for path in listed), encoding="ascii")


def install_launcher() -> None:
    """Make our code, which comes later, importable and callable."""
    (SITE / "simulator_gateway.pth").write_text(SOURCES + "\n", encoding="ascii")
    launcher = BIN / "gateway"
    launcher.write_text(LAUNCHER, encoding="ascii")
    launcher.chmod(0o755)


if __name__ == "__main__":
    trim()
    import_once()
    list_stdlib()
    install_launcher()
