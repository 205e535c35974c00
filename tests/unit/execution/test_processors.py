from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.execution import processors


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "200000 100000\n"}, 2),
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "10000 100000\n"}, 1),
        ({"cpu.max": "10000000 100000\n"}, 8),
        ({"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu.cfs_quota_us": "300000\n", "cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu.max": "nonsense\n"}, 8),
    ],
)
def test_the_limit_of_a_container_holds_if_it_is_below_the_machines(files, expected, tmp_path: Path, monkeypatch):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    both = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    monkeypatch.setattr(processors, "_QUOTAS", ((tmp_path / "cpu.max",), tuple(tmp_path / name for name in both)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert processors.usable() == expected
