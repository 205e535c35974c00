"""The table of who may import whom covers every module, has no exception, and cannot be evaded."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    contract["name"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
LAYERS = CONTRACTS["No later stage calls an earlier one"]["layers"]
NO_FRAMEWORK = CONTRACTS["The gateway imports no quantum framework"]
OVER_AN_SDK = {"gateway.backends.iqm", "gateway.backends.qiskit", "gateway.backends.qiskit_runtime"}
LOADED_BY_NAME = {"gateway", "gateway.compare", "gateway.simulators"}
"""Modules that import by a name: two packages their public names, the registry the adapters of its rows."""

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
}


@cache
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(
        "gateway", "adapters", include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def covered_by(expression: str, module: str) -> bool:
    pattern = re.escape(expression).replace(r"\*\*", r".+").replace(r"\*", r"[^.]+")
    return re.fullmatch(pattern, module) is not None


@pytest.mark.parametrize("module", FILES)
def test_every_module_has_a_layer_unless_it_is_the_face_of_a_package_whose_parts_have(module: str):
    layers = [name.strip(" ()") for layer in LAYERS for name in re.split(r"[|:]", layer)]
    face = FILES[module].name == "__init__.py" and any(layer.startswith(f"{module}.") for layer in layers)
    assert face or any(module == layer or module.startswith(f"{layer}.") for layer in layers)


@pytest.mark.parametrize("module", FILES)
def test_every_module_but_rooms_and_backends_over_an_sdk_must_not_import_a_framework(module: str):
    in_a_room = re.fullmatch(r"gateway\.frameworks\.(?!shared\.)\w+\.\w+", module) is not None
    covered = any(covered_by(expression, module) for expression in NO_FRAMEWORK["source_modules"])
    assert covered is not (in_a_room or module in OVER_AN_SDK)


def test_no_contract_has_an_exception():
    assert [name for name, contract in CONTRACTS.items() if "ignore_imports" in contract] == []


def test_no_modules_import_each_other_in_a_circle():
    graph = imports()
    modules = [name for name in graph.modules if name.partition(".")[0] in {"adapters", "gateway"}]
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in modules}).prepare()


ROOMS = sorted(path.parent.name for path in (ROOT / "gateway/frameworks").glob("*/parsing.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_its_own_framework_and_no_other_room(room: str):
    graph, home = imports(), f"gateway.frameworks.{room}"
    imported = {
        name
        for module in graph.find_descendants(home)
        for name in graph.find_modules_directly_imported_by(module)
        if not name.startswith(f"{home}.")
    }
    rooms = {name for name in imported if name.startswith(tuple(f"gateway.frameworks.{other}" for other in ROOMS))}
    assert rooms == set()
    third_party = imported - {name for name in imported if name.startswith("gateway.")} - sys.stdlib_module_names
    assert third_party <= {room, "numpy", "sympy"}


@pytest.mark.parametrize("module", sorted(FILES.keys() - LOADED_BY_NAME))
def test_no_import_is_hidden_in_a_string(module: str):
    calls = [node.func for node in ast.walk(ast.parse(FILES[module].read_text())) if isinstance(node, ast.Call)]
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    assert not names & {"import_module", "__import__"}
