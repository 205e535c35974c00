"""The door: what it adds to a run at the simulator's own port, and how soon its page is there and follows keys."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from measuring import Row, compared, freeze, take_turns
from playwright.sync_api import Browser, sync_playwright
from serving import CLIENTS, post, seconds_each
from workloads import bell, circuit_of, wide_gates

from gateway.backends.local import LocalSimulator
from gateway.protocol.messages import RunRequest, encode

NAME = "door"
SIMULATOR = "qulacs"
SHOTS = 1_000
RUN_TARGET, LEAST_SHARE, STATE_TARGET = 1.3, 0.8, 1.3
STATE_QUBITS = 20
PAINT_S, KEYSTROKE_S, BUNDLE_BYTES = 1.0, 0.05, 300_000
LINES = 5_000
BEHIND = f"/v1/simulators/{SIMULATOR}"


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return what the door costs, and what its page takes."""
    with LocalSimulator(SIMULATOR, workers=2) as local, _door(local.client().port) as port:
        own = local.client().port
        rows = [
            _run(own, port, rounds=100 if quick else 500),
            _many(own, port, rounds=3 if quick else 9),
            _state(own, port, rounds=5 if quick else 15),
            *_checking(port, rounds=10 if quick else 50),
            _bundle(),
        ]
        return [*rows, *_page(port, loads=3 if quick else 9)]


@contextlib.contextmanager
def _door(simulator: int) -> Iterator[int]:
    """Open a door before a simulator, and yield its port."""
    words = [sys.executable, "-m", "gateway", "open", "--port=0", "--no-start"]
    words += [f"--simulator={SIMULATOR}=http://127.0.0.1:{simulator}"]
    with TemporaryDirectory() as folder:
        words.append(f"--comparisons={folder}/comparisons.sqlite")
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as door:
            assert door.stderr is not None
            try:
                found = next(match for line in door.stderr if (match := re.search(r"http://127\.0\.0\.1:(\d+)", line)))
                yield int(found[1])
            finally:
                door.terminate()


# ---------------------------------------------------------------------- runs through the door


class _Asking:
    """Sends the same request again and again on one connection, and reads each answer to its end."""

    def __init__(self, port: int, method: str, path: str, body: bytes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._request = partial(self._connection.request, method, path, body, {"Content-Type": "application/json"})

    def __call__(self) -> bytes:
        self._request()
        response = self._connection.getresponse()
        content = response.read()
        assert response.status == http.client.OK, content[:300]
        return content


def _both(own: int, port: int, request: RunRequest) -> tuple[_Asking, _Asking]:
    body = encode(request)
    return _Asking(port, "POST", f"{BEHIND}/v1/run", body), _Asking(own, "POST", "/v1/run", body)


def _run(own: int, port: int, rounds: int) -> Row:
    through, direct = _both(own, port, RunRequest(circuits=bell(), shots=SHOTS, seed=1))
    for _ in range(20):  # everything that happens only once
        through(), direct()
    times = take_turns(through, direct, rounds=rounds, clock=perf_counter, summary=median, check=_same_counts)
    return compared(NAME, "Bell pair, 1 client, through the door : own port", *times, RUN_TARGET)


def _same_counts(mine: bytes, theirs: bytes) -> None:
    assert json.loads(mine)["results"][0]["counts"] == json.loads(theirs)["results"][0]["counts"]


def _many(own: int, port: int, rounds: int) -> Row:
    """Compare the seconds that a request takes, in turns; one is the inverse of the rate."""
    body = encode(RunRequest(circuits=bell(), shots=SHOTS, seed=1))
    times: tuple[list[float], list[float]] = ([], [])
    freeze()
    for _ in range(rounds):
        times[0].append(seconds_each(port, post(f"{BEHIND}/v1/run", body), 2.0))
        times[1].append(seconds_each(own, post("/v1/run", body), 2.0))
    rates = [1 / median(seconds) for seconds in times]
    case = f"{CLIENTS} clients, through the door : own port ({rates[0]:.0f} : {rates[1]:.0f} /s)"
    return compared(NAME, case, median(times[0]), median(times[1]), 1 / LEAST_SHARE)


def _state(own: int, port: int, rounds: int) -> Row:
    circuit = circuit_of(wide_gates(STATE_QUBITS), STATE_QUBITS)
    through, direct = _both(own, port, RunRequest(circuits=circuit, shots=None, result="statevector"))
    times = take_turns(through, direct, rounds=rounds, clock=perf_counter, summary=median)
    return compared(NAME, f"state vector of {STATE_QUBITS} qubits, through the door : own port", *times, STATE_TARGET)


# ---------------------------------------------------------------------- checking texts


def _checking(port: int, rounds: int) -> list[Row]:
    """Return how long the door takes to say what a text is, beside its probe."""
    rows = []
    for case, text in (("Bell pair", bell().to_openqasm3()), (f"{LINES:,} lines", _long_text())):
        asking = _Asking(port, "POST", "/v1/circuits", json.dumps({"openqasm": text}).encode())
        asking()
        seconds = [_timed(asking) for _ in range(rounds)]
        rows.append(Row(benchmark=NAME, case=f"POST /v1/circuits, {case}", ours_s=median(seconds)))
    return rows


def _timed(does: Callable[[], object]) -> float:
    began = perf_counter()
    does()
    return perf_counter() - began


def _long_text() -> str:
    gates = [f"rz({number % 7}*pi/8) q[{number % 10}];" for number in range(LINES - 4)]
    return "\n".join(["OPENQASM 3;", 'include "stdgates.inc";', "qubit[10] q;", *gates, "bit[10] c = measure q;"])


# ---------------------------------------------------------------------- the page


def _bundle() -> Row:
    """Return the size of what the page loads, each file compressed by itself, beside what it may be."""
    folder = Path(str(files("gateway.door"))) / "page"
    size = sum(
        len(gzip.compress(path.read_bytes())) for path in folder.iterdir() if path.suffix in {".css", ".html", ".js"}
    )
    return Row(
        benchmark=NAME, case=f"page, compressed: {size / 1e3:.0f} kB : 300 kB", ratio=size / BUNDLE_BYTES, target=1.0
    )


def _page(port: int, loads: int) -> list[Row]:
    """Return when something is seen first, and how long a key takes to be seen, beside what they may take."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return [Row(benchmark=NAME, case="page", error="there is no chromium; scripts/browser installs it")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            paints = [_first_paint_s(browser, port) for _ in range(loads)]
            keys, long_tasks = _typing(browser, port)
        finally:
            browser.close()
    slowest = quantiles(keys, n=20)[18]
    case = f"a key at {LINES:,} lines, p95 : 50 ms ({long_tasks} of {len(keys)} keys with a task over 50 ms)"
    return [
        compared(NAME, "first paint on loopback : 1 s", median(paints), PAINT_S, 1.0),
        compared(NAME, case, slowest, KEYSTROKE_S, 1.0),
    ]


_FIRST_PAINT = """() => new Promise((done) => {
    new PerformanceObserver((list) => {
        const paint = list.getEntriesByName("first-contentful-paint")[0];
        if (paint) { done(paint.startTime); }
    }).observe({ type: "paint", buffered: true });
})"""

_OBSERVE = """() => {
    globalThis.longTasks = 0;
    new PerformanceObserver((list) => {
        globalThis.longTasks += list.getEntries().length;
    }).observe({ type: "longtask" });
    globalThis.frames = [];
    addEventListener("keydown", () => {
        const began = performance.now();
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => globalThis.frames.push(performance.now() - began); // after the frame was painted
            port2.postMessage(0);
        });
    }, { capture: true });
}"""


def _first_paint_s(browser: Browser, port: int) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    seconds = page.evaluate(_FIRST_PAINT) / 1e3
    context.close()
    return float(seconds)


def _typing(browser: Browser, port: int) -> tuple[list[float], int]:
    """Type into a long text; return the seconds from each key to the frame that shows it, and the long tasks."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"http://127.0.0.1:{port}/")
    editor = page.get_by_role("textbox", name=re.compile("OpenQASM"))
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(_long_text())
    page.get_by_text(f"{LINES - 4 + 10:,} operations").last.wait_for(timeout=60_000)
    page.keyboard.press("Control+Home")
    page.evaluate(_OBSERVE)
    for key in "// a comment, typed as fast as somebody types who knows what they want to say":
        page.keyboard.press(key)
        page.wait_for_timeout(60)
    frames = page.evaluate("() => globalThis.frames")
    return [frame / 1e3 for frame in frames], int(page.evaluate("() => globalThis.longTasks"))
