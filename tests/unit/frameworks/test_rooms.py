"""The names that each framework's room gives, and the paths they had in earlier versions."""

from __future__ import annotations

import importlib
import subprocess
import sys
import warnings

import pytest
from support.frameworks import FRAMEWORKS as INSTALLED

from gateway import frameworks

BACKENDS = {
    "cirq": ["GatewaySampler"],
    "pytket": ["GatewayBackend"],
    "qiskit": ["GatewayBackend", "GatewayEstimator", "GatewaySampler"],
}
MOVED = [
    *[(f"gateway.interchange.{room}", f"gateway.frameworks.{room}", name)
      for room in INSTALLED for name in ("parse", "dump")],
    *[(f"gateway.integrations.{room}", f"gateway.frameworks.{room}", name)
      for room, names in BACKENDS.items() for name in names],
    *[("gateway.interchange", "gateway.frameworks", name) for name in ("FRAMEWORKS", "dump", "framework_of", "parse")],
]  # fmt: skip


@pytest.mark.parametrize("room", INSTALLED)
def test_a_room_gives_both_directions_and_its_backends(room: str):
    face = importlib.import_module(f"gateway.frameworks.{room}")
    assert face.parse is importlib.import_module(f"gateway.frameworks.{room}.parsing").parse
    assert face.dump is importlib.import_module(f"gateway.frameworks.{room}.dumping").dump
    for name in BACKENDS.get(room, []):
        backend = getattr(face, name)
        assert backend.__name__ == name
        assert getattr(importlib.import_module(backend.__module__), name) is backend
        assert backend.__module__.startswith(f"gateway.frameworks.{room}.")
    assert {"dump", "parse", *BACKENDS.get(room, [])} <= set(face.__all__)


@pytest.mark.parametrize("room", frameworks.FRAMEWORKS)
def test_a_room_refuses_a_name_it_does_not_have(room: str):
    face = importlib.import_module(f"gateway.frameworks.{room}")
    with pytest.raises(AttributeError, match=f"'gateway.frameworks.{room}' has no attribute 'nothing'"):
        _ = face.nothing


@pytest.mark.parametrize(("old", "new", "name"), MOVED)
def test_an_old_path_gives_the_same_object_and_says_the_new_path(old: str, new: str, name: str):
    with pytest.warns(DeprecationWarning, match=rf"^{old}\.{name} is now {new}\.{name}$") as caught:
        exec(f"from {old} import {name}", scope := {})  # noqa: S102 - the statement is what is tested
    assert scope[name] is getattr(importlib.import_module(new), name)
    assert {warning.filename for warning in caught} == {"<string>"}  # the line that has to change


@pytest.mark.parametrize("old", sorted({old for old, _, _ in MOVED}))
def test_an_old_path_has_nothing_that_the_new_one_has_not(old: str):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = importlib.import_module(old)
        with pytest.raises(AttributeError, match=f"'{old}' has no attribute 'nothing'"):
            _ = module.nothing


@pytest.mark.parametrize("old", [f"gateway.integrations.{room}" for room in BACKENDS])
def test_importing_everything_from_an_old_path_gives_the_names_and_says_the_new_path(old: str):
    new = importlib.import_module(old.replace("integrations", "frameworks"))
    with pytest.warns(DeprecationWarning, match=rf"^{old}\.\w+ is now {new.__name__}\."):
        exec(f"from {old} import *", scope := {})  # noqa: S102 - the statement is what is tested
    assert set(new.__all__) <= set(scope)


def test_importing_rooms_and_old_paths_loads_no_framework():
    rooms = ", ".join(f"gateway.frameworks.{room}, gateway.interchange.{room}" for room in frameworks.FRAMEWORKS)
    statement = f"import sys, {rooms}, gateway.integrations.qiskit, gateway.integrations.pennylane"
    script = f"{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {*frameworks.FRAMEWORKS, "numpy", "requests"} & set(done.stdout.split())
    assert not done.stderr
