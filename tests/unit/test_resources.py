from __future__ import annotations

import os
import sys

import msgspec
import pytest

from gateway.errors import RequestError
from gateway.resources import LEAST_MEMORY, Resources, machine_memory_bytes, ran_out_of_memory, resources_of


def test_a_run_has_one_thread_and_the_memory_of_the_machine_unless_told_otherwise():
    assert (Resources().threads, Resources().memory_bytes) == (1, None)


@pytest.mark.parametrize(("memory", "memory_bytes"), [(2**30, 2**30), ("2g", 2**31), ("512m", 2**29), (None, None)])
def test_memory_is_bytes_or_a_size_and_becomes_bytes(memory, memory_bytes):
    assert Resources(memory=memory).memory_bytes == memory_bytes
    assert msgspec.convert({"memory": memory}, Resources) == Resources(memory=memory_bytes)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"threads": 0}, "threads"),
        ({"threads": -1}, "threads"),
        ({"threads": 1.5}, "threads"),
        ({"threads": True}, "threads"),
        ({"threads": "2"}, "threads"),
        ({"memory": 0}, "memory"),
        ({"memory": "much"}, "memory"),
        ({"memory": True}, "memory"),
        ({"memory": 1}, "memory"),
        ({"memory": "63m"}, "memory"),
    ],
)
def test_what_no_run_can_use_is_refused_by_name(given, field):
    with pytest.raises(RequestError, match=f"{field} must be ") as caught:
        resources_of(**{"threads": None, "memory": None, **given})
    assert caught.value.field == field


def test_arguments_that_say_nothing_are_told_from_those_that_ask_for_the_default():
    assert resources_of(None, None) is None
    assert resources_of(1, None) == Resources()
    assert resources_of(None, "1g") == Resources(memory=2**30)


def test_too_little_memory_is_refused_with_the_least_that_does():
    with pytest.raises(RequestError, match="memory must be at least 64m, not '1m'"):
        Resources(memory="1m")
    assert Resources(memory="64m").memory_bytes == LEAST_MEMORY


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        ImportError("numpy/random/_bounded_integers.so: cannot map zero-fill pages"),
        ImportError("libqulacs.so: failed to map segment from shared object"),
    ],
)
def test_an_allocation_that_fails_while_a_library_is_loaded_is_memory_that_ran_out(error: Exception):
    assert ran_out_of_memory(error)
    wrapped = RuntimeError("cannot start")
    wrapped.__cause__ = error
    assert ran_out_of_memory(wrapped)


@pytest.mark.parametrize("error", [None, ImportError("No module named 'qulacs'"), OSError(28, "No space left")])
def test_other_failures_are_not_memory_that_ran_out(error: Exception | None):
    assert not ran_out_of_memory(error)


def test_the_memory_of_a_machine_that_does_not_say_is_more_than_any_has(monkeypatch):
    assert 2**28 < machine_memory_bytes() < 2**60
    monkeypatch.delattr(os, "sysconf")
    assert machine_memory_bytes() == sys.maxsize
