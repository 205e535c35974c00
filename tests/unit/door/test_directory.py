"""What the door knows of simulators, from servers that answer as a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from support.directory import known

from gateway.door import directory as module
from gateway.door.directory import Directory, Entry, load_of
from gateway.errors import SimulatorNotFound
from gateway.protocol.door import Load, SimulatorInfo, SimulatorState

BACKEND = msgspec.json.encode(known("cirq").backend)
METRICS = b'gateway_workers 2.0\ngateway_waiting_runs 3.0\ngateway_jobs{state="running"} 1.0\n'
READY = {"/readyz": (200, b'{"status":"ready"}'), "/v1/backend": (200, BACKEND), "/metrics": (200, METRICS)}

Answers = dict[str, tuple[int, bytes]]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)


@contextlib.asynccontextmanager
async def _serving(answers: Answers):
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
                status, body = answers[path]
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def run(
    test: Callable[[Directory, Answers], Awaitable[None]], name: str = "cirq", **answers: tuple[int, bytes]
) -> None:
    async def whole() -> None:
        given = {**READY, **{f"/{path.replace('_', '/')}": answer for path, answer in answers.items()}}
        async with _serving(given) as url:
            directory = Directory([Entry(name=name, url=url)])
            directory.start(asyncio.get_running_loop())
            async with asyncio.timeout(30):
                await test(directory, given)

    asyncio.run(whole())


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.005)


def _state(directory: Directory) -> SimulatorState:
    return directory.infos()[0].state


def test_a_simulator_is_known_with_its_version_its_distribution_and_what_it_has_to_do():
    async def test(directory: Directory, _: Answers) -> None:
        assert not directory.is_ready
        assert _state(directory) is SimulatorState.STARTING
        await until(lambda: directory.infos()[0].load)
        (info,) = directory.infos()
        assert directory.is_ready
        assert (info.state, info.distribution, info.reason) == (SimulatorState.READY, "cirq-core", "")
        assert info.backend == known("cirq").backend
        assert info.load == Load(running=1, waiting=3, workers=2)
        with pytest.raises(SimulatorNotFound, match="there is no simulator 'qiskit' here: known are cirq"):
            directory.info("qiskit")

    run(test)


def test_of_a_stranger_no_distribution_is_known():
    async def test(directory: Directory, _: Answers) -> None:
        await until(lambda: directory.is_ready)
        assert directory.info("lab").distribution == ""

    run(test, name="lab")


def test_it_is_noticed_what_becomes_of_a_simulator():
    async def test(directory: Directory, answers: Answers) -> None:
        await until(lambda: _state(directory) is SimulatorState.READY)
        since = directory.infos()[0].since
        answers["/readyz"] = 503, b"{}"
        await until(lambda: _state(directory) is SimulatorState.STARTING)
        info = directory.infos()[0]
        assert info.reason == "cirq imports its framework"
        assert info.since is not None
        assert since is not None
        assert info.since >= since
        answers["/readyz"] = 500, b"{}"
        await until(lambda: _state(directory) is SimulatorState.DOWN)
        assert "'gateway up cirq' starts it" in directory.infos()[0].reason
        answers.update(READY)
        offline = msgspec.structs.replace(known("cirq").backend, online=False, status="the lab is closed")
        answers["/v1/backend"] = 200, msgspec.json.encode(offline)
        await until(lambda: directory.infos()[0].reason == "the lab is closed")
        assert _state(directory) is SimulatorState.DOWN
        answers.update(READY)
        await until(lambda: _state(directory) is SimulatorState.READY)
        assert directory.infos()[0].reason == ""

    run(test)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, b"<html>"), "answers: "),
        ((200, b"{}"), "answers: "),
        ((200, BACKEND.replace(b'"limits":{', b'"limits":{"timeout_s":-1,"x":{')), "answers: "),
        ((401, b'{"code":"authentication-failed","detail":"a token is missing"}'), "answers: a token is missing"),
        ((200, b"x" * (module.MOST_BYTES + 1)), "sends more than"),
    ],
)
def test_what_says_something_else_of_itself_is_down(answer: tuple[int, bytes], why: str):
    async def test(directory: Directory, answers: Answers) -> None:
        await until(lambda: _state(directory) is SimulatorState.DOWN)
        assert why in directory.infos()[0].reason
        answers.update(READY)
        await until(lambda: _state(directory) is SimulatorState.READY)

    run(test, v1_backend=answer)


def test_whatever_fails_inside_it_is_looked_at_again(monkeypatch: pytest.MonkeyPatch):
    async def test(directory: Directory, answers: Answers) -> None:
        await until(lambda: _state(directory) is SimulatorState.READY)
        with monkeypatch.context() as broken:
            broken.setattr(Directory, "_describe", lambda *_: 1 / 0)
            answers["/readyz"] = 503, b"{}"
            await until(lambda: _state(directory) is SimulatorState.STARTING)
            answers.update(READY)
            await until(lambda: _state(directory) is SimulatorState.DOWN)
            assert "gives answers that are not understood" in directory.infos()[0].reason
        await until(lambda: _state(directory) is SimulatorState.READY)

    run(test)


@pytest.mark.parametrize("value", [b"NaN", b"-5", b"1e300", b"+Inf", b"many", b""])
def test_metrics_that_say_nonsense_are_as_if_there_were_none(value: bytes):
    async def test(directory: Directory, answers: Answers) -> None:
        await until(lambda: directory.infos()[0].load)
        answers["/metrics"] = 200, b"gateway_workers " + value + b"\n"
        await until(lambda: directory.infos()[0].load is None)
        assert _state(directory) is SimulatorState.READY
        msgspec.json.decode(msgspec.json.encode(directory.infos()[0]), type=SimulatorInfo)

    run(test)


def test_it_may_be_closed_after_the_loop_has_ended():
    closed = []

    async def test(directory: Directory, _: Answers) -> None:
        await until(lambda: _state(directory) is SimulatorState.READY)
        closed.append(directory)

    run(test)
    closed[0].close()

    async def close(directory: Directory, _: Answers) -> None:
        await until(lambda: directory.is_ready)
        directory.close()
        await until(lambda: all(task.done() for task in directory._tasks))

    run(close)
    Directory([Entry(name="cirq", url="http://localhost:1")]).close()


def test_load_is_read_from_metrics():
    assert load_of([]) == Load()
    assert load_of(["# HELP gateway_workers x", "gateway_workers 4", "gateway_queued_circuits 7"]).waiting == 7


def test_the_metrics_of_all_can_be_had_from_another_thread():
    async def test(directory: Directory, answers: Answers) -> None:
        await until(lambda: _state(directory) is SimulatorState.READY)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as threads:
            assert await loop.run_in_executor(threads, directory.metrics) == {"cirq": METRICS.decode()}
            answers["/metrics"] = 403, b""
            assert await loop.run_in_executor(threads, directory.metrics) == {"cirq": None}

    run(test)
