"""Without the rooms for released clients, everything else works as before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway import legacy
from gateway.errors import RequestError

ROOT = Path(__file__).parents[2]
TOUCH_THE_SERVER = ("tests/unit/protocol", "tests/unit/jobs", "tests/unit/cli", "tests/server/test_http.py")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_the_rooms_of_released_clients_rules_types_and_tests_hold():
    command = ["scripts/without-legacy", "-q", *TOUCH_THE_SERVER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_settings_of_a_room_that_is_not_there_are_refused_by_name():
    with pytest.raises(RequestError, match="no interface 'nobody' for older clients"):
        legacy.open_interfaces({"nobody": {}}, "127.0.0.1")
