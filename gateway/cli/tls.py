"""Checks the certificate of a server before the server starts."""

from __future__ import annotations

from pathlib import Path

from gateway.cli.arguments import UsageError
from gateway.errors import ServerStartError


def check_certificate(cert: str | None, key: str | None) -> None:
    """Refuse a certificate and a key with which the server could not work.

    Raises:
        UsageError: only one of the two is given.
        ServerStartError: a file cannot be read or is not PEM, the key is encrypted, or the two do not fit together.
    """
    if cert is None and key is None:
        return
    if cert is None or key is None:
        raise UsageError("--tls-cert and --tls-key belong together")
    _check_pem(cert, "CERTIFICATE", "certificate")
    if "ENCRYPTED" in _check_pem(key, "PRIVATE KEY", "private key"):
        raise ServerStartError(f"the private key in {key} is encrypted: a server cannot ask for its password")
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except ssl.SSLError as exc:
        if exc.reason == "KEY_VALUES_MISMATCH":
            raise ServerStartError(f"the certificate in {cert} does not fit the private key in {key}") from exc
        reason = exc.reason or exc.strerror or "it is broken"
        raise ServerStartError(
            f"the certificate in {cert} with the private key in {key} cannot be used: {reason}"
        ) from exc


def _check_pem(file: str, label: str, what: str) -> str:
    if Path(file).exists() and not Path(file).is_file():
        kind = "a folder" if Path(file).is_dir() else "not a regular file"  # reading a pipe may never end
        raise ServerStartError(f"cannot read the {what} in {file}: it is {kind}")
    try:
        text = Path(file).read_text(encoding="ascii")
    except OSError as exc:
        raise ServerStartError(f"cannot read the {what} in {file}: {exc.strerror or exc}") from exc
    except UnicodeDecodeError:
        text = ""
    if f"{label}-----" not in text:
        raise ServerStartError(f"there is no {what} in PEM in {file}")
    return text
