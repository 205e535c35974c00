"""Gives tests the clients of the released qrisp in this environment, by Thrift and by REST as far as it has them."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest


class _MissingPackages(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Empty packages in place of two that qrisp 0.3.3 and 0.4 import and their wheels lack: adders nobody uses here."""

    HOME = "qrisp.arithmetic.adders.qcla."
    NAMES = ("quantum_quantum", "classical_quantum")

    def find_spec(
        self, name: str, _path: object = None, _target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.startswith(tuple(self.HOME + missing for missing in self.NAMES)):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, _spec: object) -> None:
        return None

    def exec_module(self, _module: types.ModuleType) -> None:
        return None


sys.meta_path.append(_MissingPackages())  # asked last: for what is really absent


def _client_of(module: str) -> Any:
    try:
        return importlib.import_module(f"qrisp.interface.{module}").BackendClient
    except ModuleNotFoundError:
        return None


with warnings.catch_warnings():  # the warnings of old packages, about each other, are not ours to mend
    warnings.simplefilter("ignore")
    REST = _client_of("qunicorn")
    THRIFT = _client_of("thrift_interface")

WIRES = [wire for wire, client in (("rest", REST), ("thrift", THRIFT)) if client is not None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    """Each wire in turn."""
    return request.param


@pytest.fixture
def connect(servers: Any, wire: str) -> Callable[[str], Any]:
    """Return a released client of a simulator's server."""
    if wire == "rest":
        return lambda simulator: REST("127.0.0.1", servers.port(simulator))
    return lambda simulator: THRIFT("127.0.0.1", servers.thrift_port(simulator))


@pytest.fixture
def backend(connect: Callable[[str], Any], simulator: str) -> Any:
    """A released client of each simulator in turn."""
    return connect(simulator)
