"""Options of the whole test suite, and the servers that tests share."""

from __future__ import annotations

import os
import signal

os.environ["OMP_NUM_THREADS"] = "1"  # before any simulator is imported: tests share few processors

from collections.abc import Iterator

import pytest
from support.fake import TARGET
from support.groups import pytest_ignore_collect, pytest_itemcollected, pytest_report_header
from support.raw import Server
from support.tiers import pytest_collection_modifyitems, pytest_runtest_protocol

from gateway.backends.process import ServerProcess
from gateway.protocol.messages import ServerLimits
from gateway.simulators import find

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_ignore_collect",
    "pytest_itemcollected",
    "pytest_report_header",
    "pytest_runtest_protocol",
]


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C though the suite runs in the background.

    A shell lets what it starts there ignore SIGINT, and so would their children: a signal that is ignored stays so in a
    new program, one that is handled does not. Handled by doing nothing, it is as good as ignored here.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--through",
        choices=("adapter", "server", "docker"),
        default="adapter",
        help="what tests/conformance runs circuits on: adapters in this process, each behind its server, or in Docker",
    )
    parser.addoption(
        "--target",
        help="a simulator's name, or module:Class of an adapter, that tests/conformance runs on instead of all",
    )
    parser.addoption(
        "--jobs", type=int, default=300, help="how many jobs tests/faults submits while it kills processes"
    )
    parser.addoption(
        "--chaos-seed", type=int, help="repeats the kills and jobs of an earlier run of tests/faults or siege"
    )
    parser.addoption("--seconds", type=float, default=20, help="how long tests/soak and each fuzzer last")
    parser.addoption("--minutes", type=float, default=0.4, help="how long tests/siege lasts")


@pytest.fixture(scope="session")
def fake_server() -> Iterator[Server]:
    """Two workers of the simulator that misbehaves on demand; runs end after 20 s."""
    with_limits = ServerLimits(max_shots=10_000, max_circuits=10, max_body_bytes=2**20, timeout_s=20)
    yield from _served(ServerProcess(target=TARGET, workers=2, limits=with_limits))


@pytest.fixture(scope="session")
def qulacs_server() -> Iterator[Server]:
    """Two workers of a real simulator, as a LocalSimulator has them."""
    yield from _served(ServerProcess(target=find("qulacs").adapter, workers=2))


def _served(process: ServerProcess) -> Iterator[Server]:
    process.start()
    try:
        yield Server(process)
    finally:
        process.stop()
