"""The settings of a server, each with its documentation; :mod:`gateway.cli.settings` reads them from their sources.

The description of a field is its documentation everywhere: the help of its flag and the tables of README.md and
PROTOCOL.md are made from it.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from gateway.errors import RequestError
from gateway.protocol.door import ComparisonLimits
from gateway.protocol.messages import ServerLimits
from gateway.resources import Resources

LIMIT_PREFIX = "GATEWAY_LIMIT_"
"""``GATEWAY_LIMIT_MAX_SHOTS=1000`` sets the limit ``max_shots``, and so on."""

COMPARISON_PREFIX = "GATEWAY_COMPARISON_"
"""``GATEWAY_COMPARISON_KEEP_NUMBER=1000`` sets the limit ``keep_number`` of comparisons, and so on."""

_PREFIXES: dict[tuple[str, ...], str] = {("limits",): LIMIT_PREFIX, ("comparison_limits",): COMPARISON_PREFIX}
"""The settings above limits -> the beginning of the names of their variables."""

MOST_WORKERS = 1024
"""Processes that simulate at the same time; more than any machine has processors for is a slip of the keyboard."""

IN_MEMORY = "sqlite://"
"""The URL of a database of jobs that ends with its server; what is large in it is in a file without a name."""

INTERNAL = frozenset({"jobs_name", "quiet", "listen_fd", "lifeline_fd", "lifeline_pid", "pickled", "trust"})
"""The settings that are for programs which start a server, and that no hint names."""


def _setting(description: str, flag: str = "", variable: str = "", metavar: str = "VALUE") -> Meta:
    return Meta(description=description, extra={"flag": flag, "variable": variable, "metavar": metavar})


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of everything that listens on a port, be it one simulator or the door in front of all.

    Paths are relative to the folder in which the server is started.
    """

    host: Annotated[str, _setting("the address to listen on", "--host", "GATEWAY_HOST", "ADDRESS")] = "127.0.0.1"
    port: Annotated[
        Annotated[int, Meta(ge=0, le=65_535)] | None,
        _setting("the port to listen on, 0 for any free one; by default its own", "--port", "", "NUMBER"),
    ] = None
    limits: Annotated[ServerLimits, _setting("what a request may not exceed")] = ServerLimits()
    durable: Annotated[
        bool,
        _setting(
            "keep what is in the file of jobs through a power failure, too; without it, only through the end of "
            "processes",
            "--durable",
            "GATEWAY_DURABLE",
        ),
    ] = True
    tokens: Annotated[
        tuple[str, ...],
        _setting("the digests of tokens that may use the server", "", "GATEWAY_TOKEN_SHA256", "DIGESTS"),
    ] = ()
    tokens_file: Annotated[
        str | None,
        _setting(
            "a file with the digests of tokens that may use the server, as gateway token writes it",
            "--tokens",
            "GATEWAY_TOKENS_FILE",
            "FILE",
        ),
    ] = None
    door_key_file: Annotated[
        str | None,
        _setting(
            "the file in which the gateway's own service, gateway open, keeps the key by which servers know it",
            "--door-key",
            "GATEWAY_DOOR_KEY_FILE",
            "FILE",
        ),
    ] = None
    published_at: Annotated[
        str | None,
        _setting(
            "in a container, the address at which its host publishes the port: it, and not --host, decides whether "
            "tokens are needed",
            "",
            "GATEWAY_PUBLISHED_AT",
            "ADDRESS",
        ),
    ] = None
    anonymous: Annotated[
        bool,
        _setting(
            "let everybody use the server although other machines can reach it", "--anonymous", "GATEWAY_ANONYMOUS"
        ),
    ] = False
    allowed_hosts: Annotated[
        tuple[str, ...],
        _setting(
            "the host names by which clients may call the server", "--allow-host", "GATEWAY_ALLOWED_HOSTS", "NAMES"
        ),
    ] = ()
    allowed_origins: Annotated[
        tuple[str, ...],
        _setting(
            "the origins of web pages that may use the server", "--allow-origin", "GATEWAY_ALLOWED_ORIGINS", "ORIGINS"
        ),
    ] = ()
    tls_cert: Annotated[
        str | None,
        _setting(
            "a file with a certificate chain in PEM; the server then speaks HTTPS",
            "--tls-cert",
            "GATEWAY_TLS_CERT",
            "FILE",
        ),
    ] = None
    tls_key: Annotated[
        str | None,
        _setting("a file with the private key of the certificate in PEM", "--tls-key", "GATEWAY_TLS_KEY", "FILE"),
    ] = None
    drain_s: Annotated[
        float,
        Meta(ge=0),
        _setting(
            "the time that runs may take to end after the server was told to stop",
            "--drain",
            "GATEWAY_DRAIN_S",
            "DURATION",
        ),
    ] = 8.0  # below the ten seconds that Docker and others give between SIGTERM and SIGKILL
    quiet: Annotated[bool, _setting("write no line for each run")] = False
    listen_fd: Annotated[int | None, _setting("the descriptor of a socket that is already listening")] = None
    lifeline_fd: Annotated[
        int | None, _setting("the descriptor of a pipe; the server ends when its other end is closed")
    ] = None
    lifeline_pid: Annotated[int | None, _setting("the id of a process; the server ends with it, too")] = None


class Settings(ListenerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a simulator's server. Those without a flag and a variable are for programs that start one."""

    simulators: Annotated[tuple[str, ...], _setting("the simulators to serve, each in a process of its own")] = ()
    adapter: Annotated[
        str | None,
        _setting("an adapter of your own to serve instead, as module:Class", "--adapter", "", "MODULE:CLASS"),
    ] = None
    workers: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_WORKERS)] | None,
        _setting(
            "processes that simulate at the same time; by default as many as fit on the processors",
            "--workers",
            "GATEWAY_WORKERS",
            "NUMBER",
        ),
    ] = None
    resources: Annotated[Resources, _setting("what one run may use")] = Resources()
    jobs: Annotated[
        str | None,
        _setting(
            "where jobs are kept: the path of a file, or the URL of a database as SQLAlchemy writes it; "
            "by default a file for each simulator and port below $XDG_STATE_HOME",
            "--jobs",
            "GATEWAY_JOBS",
            "PATH_OR_URL",
        ),
    ] = None
    idle_s: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        _setting("end the server after this time without a request", "--idle", "GATEWAY_IDLE_S", "DURATION"),
    ] = None
    interfaces: Annotated[
        dict[str, dict[str, Any]], _setting("settings of the interfaces for older clients, by their name")
    ] = {}

    jobs_name: Annotated[str | None, _setting("the name of this server's jobs in a database that several share")] = None
    pickled: Annotated[bool, _setting("serve the object that is pickled on standard input after the settings")] = False


class Trust(StrEnum):
    """What the door tells the server of a simulator about itself and its callers."""

    OWN = "own"
    """The door's key, so that it acts for callers, and the tokens of callers."""
    LOCAL = "local"
    """The tokens of callers, whom it knows by them."""
    NONE = "none"
    """Nothing: whoever runs it could use them elsewhere."""


class DoorSettings(ListenerSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of the door."""

    simulators: Annotated[
        tuple[str, ...], _setting("the simulators that stand behind the door; all that are there by default")
    ] = ()
    addresses: Annotated[
        tuple[str, ...],
        _setting(
            "simulators that run already, by their addresses: qulacs=http://lab:8088",
            "--simulator",
            "GATEWAY_SIMULATORS",
            "NAME=URL",
        ),
    ] = ()
    address_tokens: Annotated[
        dict[str, str],
        _setting("the tokens that simulators given by their addresses want from the door, by their names"),
    ] = {}
    start: Annotated[
        bool, _setting("start the simulators that are installed and do not run", "--start", "GATEWAY_START")
    ] = True
    trust: Annotated[
        dict[str, Trust], _setting("what the door tells each of the simulators in addresses, by their names")
    ] = {}
    start_hint: Annotated[
        str,
        _setting("the command that people are told to start a simulator with", "", "GATEWAY_START_HINT"),
    ] = "gateway up {name}"
    comparisons: Annotated[
        str | None,
        _setting(
            "the file that keeps comparisons; by default one below $XDG_STATE_HOME",
            "--comparisons",
            "GATEWAY_COMPARISONS",
            "FILE",
        ),
    ] = None
    comparisons_at_once: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_WORKERS)],
        _setting(
            "how many comparisons run at the same time",
            "--comparisons-at-once",
            "GATEWAY_COMPARISONS_AT_ONCE",
            "NUMBER",
        ),
    ] = 2
    comparison_limits: Annotated[ComparisonLimits, _setting("what a comparison may not exceed")] = ComparisonLimits()
    max_event_streams: Annotated[
        Annotated[int, Meta(ge=0)],
        _setting("event streams that are open at the same time", "", "GATEWAY_MAX_EVENT_STREAMS"),
    ] = 1000


class Setting(NamedTuple):
    """A setting with its documentation, and with its names on the command line and in the environment.

    Args:
        path: the names that lead to the setting in a file of settings: ``("limits", "max_shots")``.
        description: what the setting does.
        kind: the type of its value, without ``None`` where that is an alternative.
        default: the value of the setting where no source gives one.
        flag: the option of ``gateway serve``, or an empty text.
        variable: the variable of the environment, or an empty text.
        metavar: the word that stands for the value in a usage line.
    """

    path: tuple[str, ...]
    description: str
    kind: Any
    default: object
    flag: str
    variable: str
    metavar: str

    @property
    def name(self) -> str:
        """The path of the setting with dots: ``limits.max_shots``."""
        return ".".join(self.path)


def all_settings(kind: type[ListenerSettings] = Settings) -> tuple[Setting, ...]:
    """Return all settings of a kind of server in the order in which they are documented."""
    return tuple(_settings_of(kind, ()))


def _settings_of(struct: type[msgspec.Struct], parent: tuple[str, ...]) -> list[Setting]:
    hints = get_type_hints(struct, include_extras=True)
    settings = []
    for field in msgspec.structs.fields(struct):
        kind, metas = _plain_type(hints[field.name])
        path = (*parent, field.name)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            settings += _settings_of(kind, path)
            continue
        description = next((meta.description for meta in metas if meta.description), "")
        extra: dict[str, str] = next((meta.extra for meta in metas if meta.extra), {})
        prefix = _PREFIXES.get(parent)
        variable = extra.get("variable", "") if prefix is None else f"{prefix}{field.name.upper()}"
        default = field.default if field.default is not msgspec.NODEFAULT else None
        names = extra.get("flag", ""), variable, extra.get("metavar", "VALUE")
        settings.append(Setting(path, description, kind, default, *names))
    return settings


def _plain_type(hint: Any) -> tuple[Any, list[Meta]]:  # noqa: ANN401 - a type
    """Return a type without its annotations and without the alternative ``None``, and the annotations."""
    metas: list[Meta] = []
    while True:
        if get_origin(hint) is Annotated:
            hint, *annotations = get_args(hint)
            metas += annotations
        elif len(alternatives := [option for option in get_args(hint) if option is not type(None)]) < len(
            get_args(hint)
        ):
            hint = alternatives[0]  # of the alternatives, the one that is documented
        else:
            return hint, metas


def database_url(jobs: str | os.PathLike[str]) -> str:
    """Return the URL of a database of jobs.

    Args:
        jobs: the URL itself, or the path of an SQLite file.

    Raises:
        RequestError: ``jobs`` is neither a URL nor a path.
    """
    text = os.fspath(jobs) if isinstance(jobs, str | os.PathLike) else jobs
    if not isinstance(cast("object", text), str) or not text or "\0" in text:
        raise RequestError(f"jobs must be the path of a file or the URL of a database, not {text!r}", field="jobs")
    if "://" in text:
        return text
    if text == ":memory:":
        return IN_MEMORY
    if "?" in text:
        raise RequestError(f"the path of a database of jobs has no '?': {text!r}", field="jobs")
    return f"sqlite:///{Path(text).absolute()}"
