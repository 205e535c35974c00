"""Measures the image: its size against 900 MB, and the time that a change in our own code costs."""

from __future__ import annotations

import tempfile
import time
import uuid
from contextlib import closing
from pathlib import Path

from measuring import Row, compared

from gateway.containers import image
from gateway.containers.engine import Engine, connect

NAME = "image"
LIMIT_MB = 900
SECONDS = 10.0
"""What "a rebuild takes seconds" is held to."""

_TAG = f"{image.IMAGE}:benchmark"


def measure(_: str, *, quick: bool) -> list[Row]:
    """Return the image's size, and the time of a rebuild after a change in ``gateway/``."""
    engine = connect()
    with tempfile.TemporaryDirectory() as folder:
        found = image.ensure(engine, Path(folder), lambda _step: None, content=image.content_tag())
    inspected = engine.image(found)
    assert inspected is not None
    size_mb = inspected.size_bytes / 1e6
    size = Row(
        benchmark=NAME,
        case=f"{size_mb:.0f} MB unpacked : {LIMIT_MB} MB",
        ratio=size_mb / LIMIT_MB,
        target=1.0,
    )
    try:
        _rebuild(engine)  # fills the engine's cache, if the image was not built here
        took_s = min(_rebuild(engine) for _ in range(1 if quick else 3))
    finally:
        engine.remove_image(_TAG)
    return [size, compared(NAME, f"rebuild after a change : {SECONDS:g} s", took_s, SECONDS, 1.0)]


def _rebuild(engine: Engine) -> float:
    """Build with one changed module, and return the seconds."""
    files = image.context_files()
    files["gateway/version.py"] += f"# {uuid.uuid4()}\n".encode()
    bundle = image.ca_bundle()
    packed = image.pack(files | ({"images/simulators/ca-bundle.crt": bundle} if bundle else {}))
    began = time.perf_counter()
    events = engine.build(
        packed,
        dockerfile="images/simulators/Dockerfile",
        tags=[_TAG],
        labels={},
        build_args=image.build_args("benchmark"),
    )
    with closing(events):
        for event in events:
            assert "errorDetail" not in event, event
    return time.perf_counter() - began
