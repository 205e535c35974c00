"""The hostile clients of the siege: one process for all of them, so that the server has the processors.

``python -m siege.hostile`` reads an :class:`Orders` as one line of JSON, attacks until its standard input ends, and
prints what the servers answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

import msgspec
from siege.served import Misdeed, misdeed

from gateway.circuit import Circuit
from gateway.protocol.messages import RunRequest, encode
from gateway.results import ResultType

SPARE_DESCRIPTORS = 2_000
"""What the limit of descriptors leaves to everything that is not an idle connection."""

FIRST_S, AGAIN_S = 1 / 500, 1 / 150
"""Seconds between two idle connections: until all are there, and when they are made again."""

BORED_S = 1.0
"""Seconds between two bytes of a client that drips."""

GIVE_UP_S = 30.0
MILLION = "OPENQASM 3.0; include 'stdgates.inc'; qubit[4] q; bit[4] c; for int i in [0:249999] { h q; } c = measure q;"

Client = Callable[[], Awaitable[object]]


class Orders(msgspec.Struct, frozen=True):
    """Whom to attack, and how much at once.

    Args:
        ports: server -> the port at which it is reached.
        prefixes: server -> what comes before its paths there; nothing by default.
        tokens: of the hostile callers, who are let in like everybody else.
        idle: connections that send nothing.
        drips: readers that drip, and as many writers.
        polls: requests that wait for the end of a job.
        seed: of all decisions.
    """

    ports: dict[str, int]
    tokens: list[str]
    prefixes: dict[str, str] = {}
    idle: int = 5_000
    drips: int = 200
    polls: int = 150
    seed: int = 0

    @property
    def affordable_idle(self) -> int:
        """The idle connections for which this process, and a server like it, has descriptors."""
        return max(100, min(self.idle, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS))


class Idle(asyncio.Protocol):
    """A connection that does nothing, and tells when it was closed."""

    def __init__(self, on_end: Callable[[], object]) -> None:
        self._on_end = on_end

    def connection_lost(self, _: Exception | None) -> None:
        self._on_end()


class Horde:
    """All hostile clients.

    Attributes:
        told: attack and status -> how often; ``closed`` for a connection without an answer.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._random = Random(orders.seed)
        self._idle = 0
        self._jobs: dict[str, str] = {}
        """The job whose answer is large, and the one that runs for long."""
        self.told: Counter[str] = Counter()
        self.most_idle = 0

    async def attack(self, over: asyncio.Event) -> None:
        """Attack with everything until it is over."""
        drips = self._orders.drips
        holding: list[tuple[int, Client]] = [
            (1, self.keep_idle),
            (1, partial(self.keep_job, "large", RunRequest(circuits=_outcomes(), shots=300))),
            (1, partial(self.keep_job, "long", RunRequest(circuits=[misdeed(Misdeed.HANG, 60)] * 200))),
            (drips // 2, self.drip_job),
            (drips - drips // 2, self.drip_run),
            (drips // 2, partial(self.drip_request, 40)),
            (drips - drips // 2, partial(self.drip_request, 10**6)),
            (self._orders.polls, self.poll),
        ]
        a_second: list[tuple[float, Client]] = [
            (20, self.break_off), (10, self.malformed), (30, self.wrong_token), (30, self.probe),
            (1, self.large_answer), (1.5, self.too_much), (4, self.misbehave), (5, self.submit_and_cancel),
            (3, self.rerun), (0.3, self.one_key), (3, self.look_at_jobs),
        ]  # fmt: skip
        tasks = [asyncio.create_task(self._hold(each)) for number, each in holding for _ in range(number)]
        tasks += [asyncio.create_task(self._repeat(each, rate)) for rate, each in a_second]
        await over.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ the rhythm

    async def _hold(self, client: Client) -> None:
        """Let a client begin anew whenever it has ended."""
        await asyncio.sleep(self._random.uniform(0, 3))
        while True:
            await self._quietly(client)
            await asyncio.sleep(self._random.uniform(0.5, 1.5))

    async def _repeat(self, act: Client, a_second: float, most: int = 40) -> None:
        """Begin an act so often, whether the earlier ones have ended or not, up to some."""
        acts: set[asyncio.Task[None]] = set()
        try:
            while True:
                await asyncio.sleep(self._random.expovariate(a_second))
                if len(acts) < most:
                    task = asyncio.ensure_future(self._quietly(act))
                    acts.add(task)
                    task.add_done_callback(acts.discard)
        finally:
            for task in acts:
                task.cancel()

    async def _quietly(self, act: Client) -> None:
        """Do something, whatever becomes of the connection; note faults of our own."""
        try:
            await act()
        except OSError:  # TimeoutError is one
            pass
        except Exception as exc:  # noqa: BLE001 - the siege must not become milder unnoticed
            self.told[f"{act!r:.80}: {exc!r:.80} fault"] += 1

    # ------------------------------------------------------------------ connections

    def _address(self) -> str:
        """Return an address to come from: every other time that of the ordinary callers."""
        return self._random.choice(("127.0.0.1", f"127.0.66.{self._random.randint(1, 8)}"))

    def _server(self) -> str:
        """Return a server at random."""
        return self._random.choices(list(self._orders.ports), (3, 1))[0]

    def _addressed(self, server: str, request: bytes) -> bytes:
        """Return a request for a server's own port as it is sent there."""
        prefix = self._orders.prefixes.get(server, "").encode()
        return request.replace(b" /", b" " + prefix + b"/", 1)

    def _head(self, method: str, path: str, length: int | None, *more: str, token: str | None = "") -> bytes:
        token = self._random.choice(self._orders.tokens) if token == "" else token
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *more]
        lines += [] if token is None else [f"Authorization: Bearer {token}"]
        lines += [] if length is None else ["Content-Type: application/json", f"Content-Length: {length}"]
        return "\r\n".join([*lines, "", ""]).encode()

    async def _connected(self, server: str, receive_bytes: int | None = None) -> socket.socket:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            if receive_bytes is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            sock.bind((self._address(), 0))
            async with asyncio.timeout(GIVE_UP_S):  # wait_for() of Python 3.11 may swallow that it is over
                await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._orders.ports[server]))
        except BaseException:
            sock.close()
            raise
        return sock

    async def _exchange(self, what: str, server: str | None, request: bytes, keep: int = 2**16) -> tuple[int, bytes]:
        """Send a request, read the answer to its end, keep its beginning, and note its status."""
        loop, found = asyncio.get_running_loop(), b""
        server = server or self._server()
        try:
            async with asyncio.timeout(2 * GIVE_UP_S):
                with await self._connected(server) as sock:
                    with contextlib.suppress(ConnectionError):  # refused and closed before all was sent
                        await loop.sock_sendall(sock, self._addressed(server, request))
                    while piece := await loop.sock_recv(sock, 2**18):
                        found += piece[: max(0, keep - len(found))]
        except OSError as exc:
            if not found:
                self.told[f"{what} {'late' if isinstance(exc, TimeoutError) else 'closed'}"] += 1
                return 0, b""
        head, _, body = found.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/1.1 ") else 0
        bug = b'"internal-error"' in body
        self.told[f"{what} {'internal-error' if bug else status or 'closed'}"] += 1
        return status, body

    async def _post(self, what: str, server: str | None, path: str, body: bytes, *more: str) -> tuple[int, bytes]:
        return await self._exchange(what, server, self._head("POST", path, len(body), *more) + body)

    # ------------------------------------------------------------------ clients that stay

    async def keep_idle(self) -> None:
        """Keep thousands of connections open that do nothing, or nothing after one request or half of one."""
        loop, most, all_there = asyncio.get_running_loop(), self._orders.affordable_idle, False
        says = [b"", b"", self._head("GET", "/healthz", None).replace(b"close", b"keep-alive"), b"GET /he"]

        def ended() -> None:
            self._idle -= 1

        while True:
            await asyncio.sleep(AGAIN_S if all_there else FIRST_S)
            if self._idle >= most:
                all_there = True
                continue
            with contextlib.suppress(OSError):
                transport, _ = await loop.create_connection(
                    lambda: Idle(ended), "127.0.0.1", self._orders.ports["qulacs"], local_addr=(self._address(), 0)
                )
                self._idle += 1
                self.most_idle = max(self.most_idle, self._idle)
                transport.write(self._addressed("qulacs", self._random.choice(says)))

    async def keep_job(self, name: str, request: RunRequest) -> None:
        """Submit a job that others ask for, and again from time to time."""
        body = encode(request)
        status, answer = await self._exchange(
            f"submit {name}",
            "function",
            self._head("POST", "/v1/jobs", len(body), token=self._orders.tokens[0]) + body,
        )
        if status == 202:
            self._jobs[name] = json.loads(answer)["id"]
        await asyncio.sleep(30)

    async def drip_job(self) -> None:
        """Read the large answer of a job drop by drop."""
        job = self._jobs.get("large")
        if job is not None:
            await self._drip(self._head("GET", f"/v1/jobs/{job}", None, token=self._orders.tokens[0]))

    async def drip_run(self) -> None:
        """Read the large answer of a run drop by drop."""
        body = encode(RunRequest(circuits=_outcomes(), shots=70))
        await self._drip(self._head("POST", "/v1/run", len(body)) + body)

    async def _drip(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        with await self._connected("function", 4096) as sock:
            await loop.sock_sendall(sock, self._addressed("function", request))
            while True:
                async with asyncio.timeout(4 * GIVE_UP_S):
                    if not await loop.sock_recv(sock, 256):
                        return
                await asyncio.sleep(BORED_S)

    async def drip_request(self, at_once: int) -> None:
        """Send the beginning of a request at once, and the rest byte by byte."""
        loop, server = asyncio.get_running_loop(), self._server()
        whole = self._addressed(server, self._head("POST", "/v1/run", 10**6))
        with await self._connected(server) as sock:
            await loop.sock_sendall(sock, whole[:at_once])
            for position in range(at_once, at_once + 10**6):
                await asyncio.sleep(BORED_S)
                await loop.sock_sendall(sock, whole[position : position + 1] or b" ")

    async def poll(self) -> None:
        """Wait for the end of a job that takes its time."""
        job = self._jobs.get("long")
        if job is not None:
            path = f"/v1/jobs/{job}?wait_s=30"
            await self._exchange("long poll", "function", self._head("GET", path, None, token=self._orders.tokens[0]))

    # ------------------------------------------------------------------ acts

    async def break_off(self) -> None:
        """Send a part of something and go away, with or without a word."""
        body = encode(RunRequest(circuits=Circuit(4).h(0).measure_all(), shots=10))
        server = self._server()
        part = self._random.choice(
            (
                self._head("POST", "/v1/run", len(body)) + body,
                self._head("POST", "/v1/jobs", len(body)) + body,
                self._head("GET", "/v1/jobs?limit=1000", None),
                self._head("GET", "/metrics", None),
            )
        )
        whole = self._addressed(server, part)
        with await self._connected(server) as sock:
            await asyncio.get_running_loop().sock_sendall(sock, whole[: self._random.randint(0, len(whole))])
            await asyncio.sleep(self._random.uniform(0, 0.2))
            if self._random.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset

    async def malformed(self) -> None:
        """Send what is no request, or one that says something else than it is."""
        body = encode(RunRequest(circuits=Circuit(4).h(0).measure_all(), shots=10))
        chunked = "Transfer-Encoding: chunked"
        request = self._random.choice(
            (
                self._random.randbytes(200),
                self._head("POST", "/v1/run", len(body) + 50) + body,
                self._head("POST", "/v1/run", len(body) - 5) + body,
                self._head("POST", "/v1/run", None, chunked) + b"5\r\nhello\r\n0\r\n\r\n",
                self._head("POST", "/v1/run", None, chunked) + b"ffffffff\r\nhello",
                self._head("POST", "/v1/jobs", len(body), chunked) + body,
                self._head("GET", "/v1/backend", None, "X-Large: " + "x" * 60_000),
                self._head("GET", "/v1/backend", None, *(f"X-{k}: y" for k in range(3_000))),
                self._head("GET", "/" + "x" * 20_000, None),
                self._head("POST", "/v1/run", 10**12),
                self._head("POST", "/v1/run", 8) + b'{"a": 1}',
                self._head("DELETE", "/v1/jobs/x", 0),
            )
        )
        await self._exchange("malformed", None, request)

    async def wrong_token(self) -> None:
        """Try a token."""
        token = f"guess-{self._random.randrange(10**9)}"
        await self._exchange("wrong token", None, self._head("GET", "/v1/backend", None, token=token))

    async def probe(self) -> None:
        """Ask whether the server is well, which everybody may."""
        path = self._random.choice(("/healthz", "/readyz"))
        await self._exchange("probe", None, self._head("GET", path, None, token=None))

    async def large_answer(self) -> None:
        """Ask for an answer that is large: wide, of many outcomes, or of a state."""
        request = self._random.choice(
            (
                RunRequest(circuits=_uniform(10, 65_536), shots=None),
                RunRequest(circuits=_uniform(18), shots=1_000_000),
                RunRequest(circuits=_uniform(18), shots=None),
                RunRequest(circuits=_uniform(18, clbits=0), result=ResultType.STATEVECTOR),
            )
        )
        path = self._random.choice(("/v1/run", "/v1/jobs"))
        await self._post("large answer", "qulacs", path, encode(request))

    async def too_much(self) -> None:
        """Ask for more memory than a run may have, or for a million operations."""
        request = self._random.choice(
            (
                RunRequest(circuits=_uniform(self._random.randint(23, 34)), shots=10),
                RunRequest(circuits=_uniform(14, 65_536), shots=None),
                RunRequest(circuits=_uniform(22, clbits=0), result=ResultType.STATEVECTOR),
                RunRequest(circuits=MILLION, shots=10),
                RunRequest(circuits=[MILLION] * 20, shots=10),
            )
        )
        await self._post("too much", "qulacs", "/v1/run", encode(request))

    async def misbehave(self) -> None:
        """Let a run do something that it should not."""
        what = self._random.choice(list(Misdeed))
        amount = {Misdeed.ALLOCATE: 10**9, Misdeed.NOISE: 10**6, Misdeed.EXIT: 3}.get(what, 60)
        body = encode(RunRequest(circuits=misdeed(what, amount), shots=self._random.randint(1, 1000)))
        await self._post(what.name.lower(), "function", self._random.choice(("/v1/run", "/v1/jobs")), body)

    async def submit_and_cancel(self) -> None:
        """Submit a job of many circuits, and cancel it at once."""
        server = self._random.choice(("qulacs", "function"))
        circuits = [misdeed(Misdeed.HANG, 60)] * 100 if server == "function" else [_uniform(20)] * 100
        token = self._random.choice(self._orders.tokens)
        body = encode(RunRequest(circuits=circuits, shots=10))
        head = self._head("POST", "/v1/jobs", len(body), token=token)
        status, answer = await self._exchange("submit", server, head + body)
        if status == 202:
            job = json.loads(answer)["id"]
            await self._exchange("cancel", server, self._head("DELETE", f"/v1/jobs/{job}", None, token=token))

    async def rerun(self) -> None:
        """Have the job with the large answer run again, and cancel half of these."""
        job, token = self._jobs.get("large"), self._orders.tokens[0]
        if job is None:
            return
        request = self._head("POST", f"/v1/jobs/{job}/rerun", 0, token=token)
        status, answer = await self._exchange("rerun", "function", request)
        if status == 202 and self._random.random() < 0.8:
            again = json.loads(answer)["id"]
            await self._exchange("cancel", "function", self._head("DELETE", f"/v1/jobs/{again}", None, token=token))

    async def one_key(self) -> None:
        """Submit the same job with the same key from many at once, and see that it is one job."""
        body = encode(RunRequest(circuits=_uniform(4), shots=10))
        key, token = f"Idempotency-Key: {self._random.randrange(10**9)}", self._orders.tokens[1]
        request = self._head("POST", "/v1/jobs", len(body), key, token=token) + body
        answers = await asyncio.gather(*(self._exchange("one key", "qulacs", request) for _ in range(20)))
        if len({json.loads(answer)["id"] for status, answer in answers if status == 202}) > 1:
            self.told["one key gave several jobs"] += 1

    async def look_at_jobs(self) -> None:
        """List jobs, as many as there are."""
        await self._exchange("list", None, self._head("GET", "/v1/jobs?limit=1000", None))


def _outcomes() -> Circuit:
    """Return a circuit with an outcome for each shot, of 60 kB each."""
    return misdeed(Misdeed.OUTCOMES, clbits=60_000)


def _uniform(qubits: int, clbits: int | None = None) -> Circuit:
    """Return a circuit all of whose outcomes are equally likely; without clbits it measures nothing."""
    circuit = Circuit(qubits, qubits if clbits is None else clbits)
    for qubit in range(qubits):
        circuit.h(qubit)
    for qubit in range(qubits if circuit.num_clbits else 0):
        circuit.measure(qubit, qubit)
    return circuit


async def main() -> None:
    """Attack as told on standard input, until that ends."""
    orders = msgspec.json.decode(sys.stdin.readline(), type=Orders)
    over, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), over.set)
    horde = Horde(orders)
    await horde.attack(over)
    print(json.dumps({"told": horde.told, "most_idle": horde.most_idle}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
