from __future__ import annotations

import pytest

from gateway.errors import RequestError
from gateway.units import parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("size", "amount"),
    [
        (1, 1),
        (2**40, 2**40),
        ("123", 123),
        ("123b", 123),
        ("1k", 2**10),
        ("512m", 2**29),
        ("512MB", 2**29),
        ("2g", 2**31),
        ("2 GiB", 2**31),
        ("1.5g", 3 * 2**29),
        (".5k", 512),
        ("1t", 2**40),
        (2**60, 2**60),
    ],
)
def test_a_size_is_bytes_or_has_a_unit_of_1024(size, amount):
    assert parse_bytes(size) == amount


@pytest.mark.parametrize(
    "size",
    [
        "",
        "g",
        "-1",
        "0",
        0,
        -1,
        "1.5",
        "2x",
        "2gg",
        "1e3",
        "2 g b",
        True,
        1.5,
        None,
        "9" * 400,
        "inf",
        "nan",
        2**60 + 1,
        10**30,
        "2000000t",
        "\u0662g",
    ],
)
def test_what_is_no_size_is_refused_by_name(size):
    with pytest.raises(
        RequestError, match="memory must be a number of bytes or a size such as 512m or 2g, not"
    ) as caught:
        parse_bytes(size)
    assert caught.value.field == "memory"


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        ("1.5", 1.5),
        ("500ms", 0.5),
        ("90s", 90),
        ("10m", 600),
        ("10min", 600),
        ("2h", 7200),
        ("7d", 604_800),
        ("1.5 H", 5400),
    ],
)
def test_a_duration_is_seconds_or_has_a_unit(duration, seconds):
    assert parse_seconds(duration) == seconds


@pytest.mark.parametrize("duration", ["", "s", "-1", "0", 0, -1, "2x", "1h30m", True, None, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused_by_name(duration):
    with pytest.raises(
        RequestError, match="timeout_s must be a number of seconds or a duration such as 90s, 10m"
    ) as caught:
        parse_seconds(duration)
    assert caught.value.field == "timeout_s"
