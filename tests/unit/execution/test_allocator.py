"""Memory that many threads have used and freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.serving import environment

MIB = 2**20

PROGRAM = """
import gc, os, threading, time
from gateway.execution import allocator

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def work():
    pieces = [b"x" * (20_000 if number % 20 else 600) for number in range(400)]
    kept.append(pieces[::20])  # lie between those that are freed
    pieces.append(pieces)  # a cycle, which only a collection of garbage frees
    met.wait()
    met.wait()
    del pieces
    met.wait()

gc.disable()
allocator.RETURN_EVERY_S = 0.05
allocator.return_freed_memory()
kept, met, before = [], threading.Barrier(31), resident()
threads = [threading.Thread(target=work) for _ in range(30)]
for thread in threads:
    thread.start()
met.wait()
peak = resident()
met.wait()
met.wait()
deadline = time.monotonic() + 60
while resident() - before > 8 * 2**20 and time.monotonic() < deadline:
    time.sleep(0.05)
print(peak - before, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_what_many_threads_have_freed_is_given_back_to_the_system():
    told = subprocess.run([sys.executable, "-c", PROGRAM], env=environment(), capture_output=True, check=True)
    peak, rest = map(int, told.stdout.split())
    assert peak > 100 * MIB
    assert rest <= 8 * MIB
