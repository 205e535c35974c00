"""Any text or message has an answer or one of our errors, at once, and every circuit that was read can be written.

Inputs are made by hypothesis, in rounds of a fixed seed each until the time is up, and tried out in a
process of their own: one that hangs, crashes or eats memory is found out too.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support.mutation import bodies, reduced, texts
from support.subject import Subject

_REDUCE_S = 60.0
_ROUND = 300


class Fuzzer:
    """Tries inputs out until the time is up, or until something is wrong with one: then that is made shorter."""

    def __init__(self, subject: Subject, check: str) -> None:
        self._subject = subject
        self._check = check
        self.outcomes: Counter[str] = Counter()
        self.slowest = (0.0, b"")
        self._failure = ""

    def __call__(self, data: bytes) -> None:
        """Fail if something is wrong with one input."""
        if self._failure:  # hypothesis tries once more
            pytest.fail(self._failure, pytrace=False)
        tried = self._subject.try_out(self._check, data)
        self.outcomes[tried.outcome] += 1
        self.slowest = max(self.slowest, (tried.seconds, data))
        if tried.wrong is not None:
            give_up = time.monotonic() + _REDUCE_S
            shorter = reduced(
                data,
                lambda each: (
                    time.monotonic() < give_up and self._subject.try_out(self._check, each).outcome == tried.outcome
                ),
            )
            self._failure = f"{tried.wrong}\non {shorter!r}\nwhich was {data!r}"
            pytest.fail(self._failure, pytrace=False)

    def run(self, inputs: st.SearchStrategy[bytes], seconds: float) -> None:
        """Try out inputs until the time is up, and say what was seen."""
        end = time.monotonic() + seconds
        rounds = 0

        @settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(inputs)
        def one_round(data: bytes) -> None:
            if time.monotonic() < end or self._failure:
                self(data)

        while time.monotonic() < end:
            seed(rounds)(one_round)()
            rounds += 1
        self.report(rounds)

    def report(self, rounds: int) -> None:
        """Print the figures of a run."""
        total, (worst, data) = sum(self.outcomes.values()), self.slowest
        print(f"\n{self._check}: {total:,} inputs in {rounds:,} rounds, nothing wrong with any")
        print(", ".join(f"{outcome} {count:,}" for outcome, count in self.outcomes.most_common()))
        print(f"the slowest took {worst:.2f} s of processor time: {data[:200]!r}")


@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    ("check", "inputs"),
    [("text", texts()), ("places", texts()), ("body", bodies())],
    ids=["text", "places", "body"],
)
def test_no_input_crashes_hangs_or_raises_what_is_no_error_of_ours(
    subject: Subject, seconds: float, check: str, inputs: st.SearchStrategy[bytes]
):
    Fuzzer(subject, check).run(inputs, seconds)


def test_the_watchdog_finds_what_hangs_crashes_and_raises(monkeypatch: pytest.MonkeyPatch):
    def misbehave(data: bytes) -> str:
        if data == b"wait":
            threading.Event().wait()
        while data == b"hang":
            pass
        if data == b"crash":
            os.abort()
        if data == b"memory":
            return str(len(bytearray(4 * 2**30)))
        raise KeyError(data.decode())

    monkeypatch.setattr("support.subject.SECONDS", 1)
    monkeypatch.setattr("support.subject.WAITS_S", 5)
    monkeypatch.setattr("support.subject.CHECKS", {"text": misbehave})
    own = Subject()
    for data, wrong in {
        b"hang": "no end after 1 s of processor time",
        b"wait": "no end after 5 s",
        b"crash": "exit code -6",
        b"memory": "MemoryError",
        b"x": "KeyError",
    }.items():
        assert wrong in str(own.try_out("text", data).wrong)
    own.close()
