"""PennyLane's own suite for devices, run on ours; the lists here are what it leaves out, and why.

The device is the same whatever simulator is behind it, and ``test_device.py`` runs on all of them; so
two simulators are enough here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from pennylane.devices.tests import get_device_tests

FAILING = {
    # A mixed state to begin with: the simulators behind the gateway hold pure states.
    "test_supported_gates_can_be_implemented[device_kwargs0-QubitDensityMatrix]",
}
"""Cases that fail without shots. With shots none does."""

SKIPPED = {
    # the suite's own choice between its two modes
    "Device is in analytic mode, cannot test sampling.",
    "Device is in non-analytical mode.",
    "If shots!=None no error is raised.",
    "If shots=None no warning is raised.",
    "Shots must be specified in the device to compute a sampled measurement.",
    "Some plugins don't update state information when shots is not None.",
    "SparseHamiltonian only supported in analytic mode",
    "test only works with analytic-mode pure statevector simulators",
    "test only works with analytic-mode simulations",
    "test should only be run in analytic mode",
    # the interface of devices that PennyLane had before
    "test is old interface specific.",
    "test is specific to old device interface",
    "test specific for old device interface.",
    "test specific to old device interface.",
    # gradients inside the simulator: a server has none to give, so PennyLane shifts parameters, which it tests
    "device does not support diff_method",
    "test only works with backprop",
    "test only works with parameter-shift",
    # neither installed here; PennyLane hands a device NumPy's numbers whichever of them computes the gradient
    "could not import 'jax'",
    "could not import 'torch'",
    # another kind of device
    "QutritBasisState template only works on qutrit devices",
}
"""Why the suite skips cases, as it begins to say."""

EXPECTED_TO_FAIL = {"most devices do not support CV", "Device does not support custom measurement transforms."}
"""Why the suite itself expects cases to fail."""


@pytest.mark.parametrize(("simulator", "shots"), [("qulacs", "None"), ("qulacs", "10000"), ("mqt", "None")])
def test_the_suite_passes_but_for_the_cases_listed(servers, simulator: str, shots: str, tmp_path: Path):
    report = tmp_path / "report.xml"
    command = [
        sys.executable, "-m", "pytest", get_device_tests(), "--device", "gateway.simulator", "--shots", shots,
        "--device-kwargs", f"backend=127.0.0.1:{servers.port(simulator)}", "--junit-xml", report,
        "-q", "-p", "no:cacheprovider",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert report.exists(), done.stdout + done.stderr
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest has just written it
    failed = {
        str(case.get("name")) for case in cases if case.find("failure") is not None or case.find("error") is not None
    }
    assert failed == (FAILING if shots == "None" else set()), done.stdout
    reasons = {_reason(skipped) for case in cases for skipped in case.iter("skipped")}
    unknown = {reason for reason in reasons if not reason.startswith(tuple(SKIPPED | EXPECTED_TO_FAIL))}
    assert not unknown
    assert len([case for case in cases if not list(case)]) > 350, "most of it has run"


def _reason(skipped: ET.Element) -> str:
    """Return why a case, or a whole file, was skipped."""
    whole_file = skipped.get("message") == "collection skipped"
    return re.sub(r"^.*Skipped: ", "", str(skipped.text if whole_file else skipped.get("message")))
