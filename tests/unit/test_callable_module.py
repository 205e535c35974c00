from __future__ import annotations

import subprocess
import sys

import pytest

import gateway
from gateway.simulator_list import SimulatorList


@pytest.mark.parametrize(
    "statement",
    [
        "import gateway",
        "from gateway.simulators import SIMULATORS; import gateway",
        "from gateway import simulators; import gateway",
        "import gateway; gateway.simulators()",
        "import gateway.simulators; from gateway import *; import gateway",
    ],
)
def test_the_registry_is_a_module_and_a_function_however_it_is_imported_first(statement):
    check = "\nassert list(gateway.simulators()) == list(gateway.simulators.SIMULATORS)"
    subprocess.run([sys.executable, "-c", statement + check], check=True)


def test_the_name_that_is_imported_is_the_module_itself():
    from gateway import simulators  # noqa: PLC0415 - this is what is tested

    assert simulators is sys.modules["gateway.simulators"] is gateway.simulators
    assert isinstance(simulators(), SimulatorList)


def test_a_call_takes_what_the_function_takes():
    with pytest.raises(TypeError, match="positional argument"):
        gateway.simulators("qulacs")
