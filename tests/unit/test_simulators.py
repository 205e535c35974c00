from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from support.fake import FakeAdapter

from gateway.errors import RequestError, SimulatorNotInstalled
from gateway.results import Capabilities
from gateway.simulators import SIMULATORS, Simulator, find, is_importable, load, rows

INSTALLED = [row for row in rows() if find_spec(row.packages[0]) is not None]

TOY = {
    "name": "toy",
    "port": 9999,
    "summary": "",
    "adapter": "support.fake:FakeAdapter",
    "distribution": "numpy",
    "capabilities": Capabilities(result_types=()),
}


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.name)
def test_a_row_is_found_by_its_name_and_says_what_it_is(row: Simulator):
    assert find(row.name) is row
    assert row.summary


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.needs(row.name)) for row in rows()])
def test_a_row_knows_the_version_of_its_package(row: Simulator):
    assert row.installed_version()


@pytest.mark.parametrize(("typed", "meant"), [("qulac", "qulacs"), ("Cirq", "cirq"), ("qiskitt", "qiskit")])
def test_a_name_mistyped_is_answered_with_the_one_meant(typed, meant):
    with pytest.raises(RequestError, match=f"no simulator named '{typed}': did you mean '{meant}'") as caught:
        find(typed)
    assert caught.value.field == "simulator"


@pytest.mark.parametrize("name", ["", "xyzzy", None, 7, [], "qulacs "])
def test_a_name_unknown_is_answered_with_those_there_are(name):
    with pytest.raises(RequestError, match=r"known are cirq, .*qiskit"):
        find(name)


def test_a_package_that_is_not_installed_has_no_version():
    assert Simulator(**{**TOY, "distribution": "a-package-nobody-has"}).installed_version() is None


def test_load_returns_an_instance():
    assert isinstance(load("support.fake:FakeAdapter"), FakeAdapter)


def test_an_absent_framework_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    row = Simulator(**{**TOY, "name": "absent", "extra": "extra", "adapter": "support.fake:NotInstalledAdapter"})
    monkeypatch.setitem(SIMULATORS, row.name, row)
    with pytest.raises(SimulatorNotInstalled, match=r"'a_framework_nobody_has'.*\[extra\]") as caught:
        load(row.adapter)
    assert (caught.value.simulator, caught.value.requirement) == ("absent", "extra")


def test_an_adapter_of_ones_own_whose_framework_is_absent_is_named_with_the_package():
    with pytest.raises(
        SimulatorNotInstalled, match=r"fake:NotInstalledAdapter' needs .*'a_framework_nobody_has'"
    ) as caught:
        load("support.fake:NotInstalledAdapter")
    assert caught.value.requirement == "a_framework_nobody_has"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("support.fake:NoSuch", "module 'support.fake' has no class 'NoSuch'"),
        ("adapters.no_such:X", "no module 'adapters.no_such', which the adapter 'adapters.no_such:X' is in"),
        ("no_such_module.inside:X", "no module 'no_such_module', which"),
        ("pathlib:Path", "no adapter, it has no capabilities, no run, no version: subclass adapters.base.Adapter"),
        ("support.fake:TARGET", "'support.fake:TARGET' is no adapter"),
        ("adapters.base:Adapter", "does not implement build, sample, version"),
        ("support.fake", "written module:Class, and 'support.fake' is not"),
        (":X", "written module:Class"),
        ("x:", "written module:Class"),
        ("", "written module:Class, and '' is not"),
        ("x:a.b", "written module:Class"),
    ],
)
def test_a_target_that_cannot_be_loaded_is_refused_with_what_is_wrong(target, message):
    with pytest.raises(RequestError, match=re.escape(message)) as caught:
        load(target)
    assert caught.value.field == "adapter"


@pytest.mark.parametrize(
    "module",
    ["msgspec", "collections.abc", "gateway.circuit.gates", *[name for row in INSTALLED for name in row.warm]],
)
def test_a_module_that_can_be_imported_is_said_to_be(module: str):
    code = f"from gateway.simulators import is_importable; print(is_importable({module!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n", "also where neither it nor its parents have been imported"


@pytest.mark.parametrize("module", ["no_such_module", "no_such.module", "gateway.no_such", "gateway.version.inner"])
def test_a_module_that_cannot_be_imported_is_said_not_to_be(module: str):
    assert not is_importable(module)
