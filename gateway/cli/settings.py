"""Settings of a server: each an option of ``gateway serve`` or a variable of the environment."""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import RequestError

TOKEN_DIGEST_VARIABLE = "GATEWAY_TOKEN_SHA256"  # noqa: S105 - the name of a variable
"""Digests of the tokens a server lets in, separated by commas. A digest gives nothing away."""

IDLE_VARIABLE = "GATEWAY_IDLE_S"
"""Seconds without a request after which a server ends itself; containers nobody keeps have it set."""

LIMIT_PREFIX = "GATEWAY_LIMIT_"
"""``GATEWAY_LIMIT_MAX_SHOTS=1000`` sets the limit ``max_shots``, and so on."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option that names a value, and the variable that stands in for it."""

    flag: str
    variable: str
    metavar: str
    help: str

    @property
    def attribute(self) -> str:
        """Where argparse puts it."""
        return self.flag.lstrip("-").replace("-", "_")

    def value(self, arguments: argparse.Namespace) -> str | None:
        """Return what was said, on the command line or else in the environment; an empty text is nothing."""
        return getattr(arguments, self.attribute, None) or os.environ.get(self.variable) or None


JOBS = Option("--jobs", "GATEWAY_JOBS", "URL", "database of jobs, as SQLAlchemy writes it; default: a file of SQLite")
TOKENS = Option("--tokens", "GATEWAY_TOKENS_FILE", "FILE", "tokens that are let in, see gateway token")
HOSTS = Option("--allow-host", "GATEWAY_ALLOWED_HOSTS", "NAMES", "names the server may be called by, with commas")
ORIGINS = Option("--allow-origin", "GATEWAY_ALLOWED_ORIGINS", "ORIGINS", "web origins that may call it, with commas")
TLS_CERT = Option("--tls-cert", "GATEWAY_TLS_CERT", "FILE", "certificate chain in PEM: speak HTTPS")
TLS_KEY = Option("--tls-key", "GATEWAY_TLS_KEY", "FILE", "its private key in PEM")
ANONYMOUS = Option("--anonymous", "GATEWAY_ANONYMOUS", "", "let everybody in although others can reach the server")

SWITCHES = (ANONYMOUS,)
OPTIONS = (JOBS, TOKENS, HOSTS, ORIGINS, TLS_CERT, TLS_KEY)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    for option in OPTIONS:
        parser.add_argument(option.flag, metavar=option.metavar, help=f"{option.help} (or {option.variable})")
    for switch in SWITCHES:
        parser.add_argument(switch.flag, action="store_true", help=f"{switch.help} (or {switch.variable}=1)")
    parser.add_argument(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=f"a limit of GET /v1/backend, may be repeated (or {LIMIT_PREFIX}NAME)",
    )


def passed_on(arguments: argparse.Namespace) -> list[str]:
    """Return the options as they were given, for a server of each simulator."""
    words = [
        word for option in OPTIONS if (said := getattr(arguments, option.attribute)) for word in (option.flag, said)
    ]
    words += [word for limit in arguments.limit for word in ("--limit", limit)]
    return words + [switch.flag for switch in SWITCHES if getattr(arguments, switch.attribute)]


def limits(arguments: argparse.Namespace, known: Collection[str]) -> dict[str, object]:
    """Return the limits that were set, as the fields of ServerLimits.

    Raises:
        RequestError: not of the form NAME=VALUE, or no limit that is known.
    """
    found: dict[str, object] = {}
    said = [
        f"{name.removeprefix(LIMIT_PREFIX).lower()}={value}"
        for name, value in os.environ.items()
        if name.startswith(LIMIT_PREFIX) and value
    ]
    for text in (*said, *arguments.limit):
        name, _, value = text.partition("=")
        if name not in known:
            raise RequestError(f"there is no limit named {name!r}: known are {', '.join(known)}", field="limit")
        try:
            found[name] = json.loads(value)
        except ValueError:
            raise RequestError(f"a limit is written NAME=NUMBER, not {text!r}", field="limit") from None
    if arguments.timeout_s is not None:
        found["timeout_s"] = arguments.timeout_s
    return found


def split(text: str | None) -> tuple[str, ...]:
    """Return the parts of a text with commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def tls(arguments: argparse.Namespace) -> tuple[Path, Path] | None:
    """Return the files of certificate and key.

    Raises:
        RequestError: one without the other, or one that cannot be read.
    """
    said = TLS_CERT.value(arguments), TLS_KEY.value(arguments)
    if said == (None, None):
        return None
    if None in said:
        raise RequestError(f"{TLS_CERT.flag} and {TLS_KEY.flag} belong together", field="tls")
    files = Path(str(said[0])), Path(str(said[1]))
    for file in files:
        if not os.access(file, os.R_OK):
            raise RequestError(f"cannot read {file}", field="tls")
    return files


def jobs_url(arguments: argparse.Namespace, queue: str, port: int) -> str | None:
    """Return where jobs are kept: as said, or in a file for each simulator and port; in memory on a chosen port.

    The folder is ``simulator-gateway`` in ``$XDG_STATE_HOME``, which is ``~/.local/state`` by default.
    """
    said = JOBS.value(arguments)
    if said is not None or port == 0:
        return said
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return f"sqlite:///{state / 'simulator-gateway' / f'jobs-{queue}-{port}.sqlite'}"


def refuse_strangers(host: str, *, guarded: bool, anonymous: bool) -> None:
    """Refuse to listen to other machines without knowing whom to let in.

    Raises:
        RequestError: the address is no loopback address, and there is no token.
    """
    if guarded or anonymous or _is_loopback(host):
        return
    raise RequestError(
        f"others can reach {host}: say whom to let in ('gateway token NAME --file tokens', then --tokens tokens), "
        f"or say {ANONYMOUS.flag} to let everybody in",
        field="host",
    )


def switched_on(switch: Option, arguments: argparse.Namespace) -> bool:
    """Whether a switch was given, on the command line or in the environment."""
    return bool(getattr(arguments, switch.attribute)) or os.environ.get(switch.variable, "") not in {"", "0"}


def idle_s() -> float | None:
    """Return the seconds after which a server that nobody asks ends itself.

    Raises:
        RequestError: it is no number above 0.
    """
    text = os.environ.get(IDLE_VARIABLE, "")
    try:
        seconds = float(text) if text else None
    except ValueError:
        seconds = -1.0
    if seconds is not None and not seconds > 0:
        raise RequestError(f"{IDLE_VARIABLE} is a number of seconds above 0, not {text!r}", field=IDLE_VARIABLE)
    return seconds


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
