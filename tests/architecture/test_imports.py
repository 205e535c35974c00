"""Checks which modules an import loads, each case in a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import gateway
from gateway.simulators import SIMULATORS, Simulator

ROOT = Path(__file__).parents[2]
SERVING = {"flask", "gunicorn", "werkzeug", "jinja2", "cloudpickle"}
OTHER_FRAMEWORKS = {"braket", "pennylane", "qrisp"}
"""Frameworks that no adapter drives; those of the adapters are in the registry."""
FRAMEWORKS = OTHER_FRAMEWORKS.union(*(row.packages for row in SIMULATORS.values()))
HEAVY = {"docker", "openqasm3", "antlr4", "numpy", "scipy", "sympy", "pandas", "matplotlib"}


@cache
def loaded_by(statement: str, python: str = sys.executable) -> frozenset[str]:
    """Return the top-level packages in a fresh interpreter after a statement."""
    script = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([python, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return frozenset(done.stdout.splitlines()[-1].split())


def test_importing_the_gateway_loads_no_framework_no_server_and_nothing_heavy():
    assert not loaded_by("import gateway") & (FRAMEWORKS | SERVING | HEAVY | {"adapters"})


@pytest.mark.parametrize(
    ("name", "may_load"),
    [
        ("BackendServer", {"requests"}),
        ("VirtualBackend", {"requests"}),
        ("QiskitBackend", {"qiskit", "numpy"}),
        ("QiskitRuntimeBackend", {"qiskit", "qiskit_ibm_runtime", "qiskit_aer", "numpy"}),
    ],
)
def test_a_backend_loads_the_sdk_it_is_over_and_no_other_framework(name, may_load):
    assert loaded_by(f"from gateway import {name}") & (FRAMEWORKS | SERVING) <= may_load


def test_building_parsing_and_exporting_a_circuit_loads_nothing_heavy():
    statement = """
from gateway import Circuit
text = Circuit(2).h(0).cx(0, 1).measure_all()
Circuit.from_openqasm(text.to_openqasm2()); Circuit.from_openqasm(text.to_openqasm3()); text.draw()
"""
    assert not loaded_by(statement) & (FRAMEWORKS | SERVING | HEAVY)


def test_a_server_loads_neither_the_drawing_nor_the_exports():
    script = "import gateway.execution.worker, gateway.server.host, sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "gateway.circuit.openqasm.reader" in loaded, "no run pays for loading the parser"
    assert not loaded & {"gateway.circuit.drawing", "gateway.circuit.export", "gateway.frameworks"}


def test_the_server_loads_no_framework_and_no_adapter_before_it_has_a_target():
    assert not loaded_by("import gateway.server.host") & (FRAMEWORKS | HEAVY | {"adapters", "requests"})


def test_the_command_loads_neither_server_nor_framework_until_it_needs_them():
    statement = "import contextlib, gateway.cli\nwith contextlib.suppress(SystemExit): gateway.cli.main(['list'])"
    assert not loaded_by(statement) & (FRAMEWORKS | SERVING | HEAVY)


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["frobnicate"]])
def test_the_help_of_the_command_loads_nothing_but_argparse(words: list[str]):
    statement = f"import contextlib, gateway.cli\nwith contextlib.suppress(SystemExit): gateway.cli.main({words})"
    slow = {"msgspec", "requests", "dataclasses", "pathlib", "subprocess", "json"}
    assert not loaded_by(statement) & (FRAMEWORKS | SERVING | HEAVY | slow)


@pytest.mark.parametrize("row", SIMULATORS.values(), ids=lambda row: row.name)
def test_an_adapter_loads_its_own_framework_and_no_other(row: Simulator):
    loaded = loaded_by(f"from gateway.simulators import load; load({row.adapter!r})", row.python()) & FRAMEWORKS
    assert row.packages[0] in loaded, "it loads its framework with itself, so that no run pays for that"
    assert loaded <= set(row.packages)


ADAPTERS = {row.adapter.partition(":")[0].partition(".")[2] for row in SIMULATORS.values()}


@pytest.mark.parametrize("path", sorted((ROOT / "adapters").glob("*.py")), ids=lambda path: path.stem)
def test_no_file_of_the_adapters_imports_an_adapter(path: Path):
    imported = {name.split(".")[1] for name in _imports(path) if name.startswith("adapters.")}
    assert not imported & ADAPTERS


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_the_import_rules_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_all_public_names_can_be_imported_without_a_vendors_package():
    code = "from gateway import *; print(LocalSimulator, VirtualBackend)"
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['qiskit', 'qiskit_ibm_runtime', 'iqm', 'exa', 'docker']))\n"
    )
    done = subprocess.run([sys.executable, "-c", blocked + code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_listed_by_dir_and_known_to_type_checkers():
    assert dir(gateway) == sorted({*gateway.__all__, "IQMBackend", "QiskitBackend", "QiskitRuntimeBackend"})
    stub = ast.parse((ROOT / "gateway/__init__.pyi").read_text(encoding="utf-8"))
    assert {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names} == {
        *dir(gateway)
    }
    with pytest.raises(AttributeError, match="has no attribute 'Simulator'"):
        gateway.Simulator  # noqa: B018 - looked up, and not there


COMPUTED_IMPORTS_ALLOWED = {
    ("gateway/__init__.py", "import_module"),  # the lazy facade: the home of each public name
    ("gateway/compare/__init__.py", "import_module"),  # another one: a report needs no statistics
    ("gateway/simulators.py", "import_module"),  # the registry: adapters are loaded by the name in their row
    ("gateway/simulators.py", "find_spec"),  # only asks whether the package of a row is here
    ("gateway/backends/process.py", "find_spec"),  # only asks whether the packages of an extra are there
}

OURS = ("gateway", "adapters", ".")


@pytest.mark.parametrize("package", ["gateway", "adapters"])
def test_an_import_by_a_computed_name_stands_only_in_the_registry_and_the_lazy_facade(package: str):
    computed = {
        (str(path.relative_to(ROOT)), name)
        for path in (ROOT / package).rglob("*.py")
        for name in _computed_imports(path)
    }
    assert computed <= COMPUTED_IMPORTS_ALLOWED


def _computed_imports(path: Path) -> set[str]:
    """Return the functions that a file imports with, by a name that is computed or that hides a module of ours."""
    computed = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            target = node.args[0] if node.args else None
            others = isinstance(target, ast.Constant) and not str(target.value).startswith(OURS)
            if name in {"import_module", "__import__", "find_spec"} and not others:
                computed.add(name)
    return computed
