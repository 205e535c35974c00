"""Certificates for servers under test."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple


class Files(NamedTuple):
    """A certificate in a file, and its key."""

    certificate: Path
    key: Path


def make_certificate(folder: Path, name: str, *, days: int = 2) -> Files:
    """Return a certificate that vouches for itself, for 127.0.0.1 and localhost."""
    files = Files(folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-days", str(days), "-subj",
         f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", files.key, "-out",
         files.certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return files
