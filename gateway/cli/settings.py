"""Reads the settings of a server from flags, environment variables and a file.

A flag wins over a variable of the environment, which wins over the file of ``--settings`` (or standard input, for
``-``), which wins over the default. A setting that is unknown or has the wrong type is refused by the name that its
source uses for it.
"""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import os
import re
import select
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_origin

import msgspec

from gateway import legacy
from gateway.cli.arguments import UsageError, duration, size
from gateway.errors import RequestError, ServerStartError
from gateway.protocol.messages import ServerLimits
from gateway.protocol.refusals import named_choices, refusal
from gateway.resources import parse_memory
from gateway.settings import (
    IN_MEMORY,
    INTERNAL,
    LIMIT_PREFIX,
    DoorSettings,
    ListenerSettings,
    Setting,
    Settings,
    all_settings,
    database_url,
)
from gateway.units import parse_bytes, parse_seconds, parse_switch

K = TypeVar("K", bound=ListenerSettings)

STANDARD_INPUT = "-"

LONGEST_S = 1_000_000_000
"""The longest duration, some thirty years: a lock cannot wait much longer, and JSON has no infinity."""

_MOST_BYTES = 2**20
_WRITER_WITHIN_S = 5.0
_OLD_THREADS = "OMP_NUM_THREADS"
"""The variable with the number of threads that is used where no setting gives one; many machines set it."""

_PLAIN = re.compile(r"-?\d+(\.\d*)?|null")
_MOST_DIGITS = 20
_PREFIX = "GATEWAY_"
WARNED = "GATEWAY_WARNED"
"""The variable that says to child processes that a person was warned of unknown variables."""

_OTHER_VARIABLES = frozenset({
    "GATEWAY_ACCESS", "GATEWAY_BIND", "GATEWAY_CA", "GATEWAY_CERTIFICATE", "GATEWAY_CPUS", "GATEWAY_DOOR_MEMORY",
    "GATEWAY_ENVIRONMENTS", "GATEWAY_INTERFACE", "GATEWAY_MEMORY", "GATEWAY_PIDS", "GATEWAY_PORT", "GATEWAY_PRELOAD",
    "GATEWAY_PYTHON", "GATEWAY_REGISTRY", "GATEWAY_STATE_DIR", "GATEWAY_TOKEN", "GATEWAY_URL",
})  # fmt: skip
"""Variables of the environment that are no settings of a server; GATEWAY_INTERFACE is CGI's."""

PRECEDENCE = "A flag wins over its variable of the environment, which wins over the file of --settings."


class Layer(NamedTuple):
    """Settings from one source.

    Args:
        values: the settings in the form of a file of settings.
        name: the name of the source, for errors.
        names: name of a setting -> its name in this source, where the two differ.
        strict: whether numbers must have the type of a number; in the environment everything is text.
    """

    values: dict[str, Any]
    name: str
    names: Mapping[str, str] = {}
    strict: bool = True


# ---------------------------------------------------------------------- the command line


def add_options(parser: argparse.ArgumentParser, kind: type[ListenerSettings] = Settings) -> None:
    """Declare a flag for each setting that has one."""
    parser.add_argument(
        "--settings", metavar="FILE", help="take settings from a file, in TOML or, named *.json, in JSON"
    )
    for setting in all_settings(kind):
        if setting.flag:
            _declare(parser, setting)
    parser.add_argument(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=f"a limit of requests, such as max_shots=1000; may be repeated (or {LIMIT_PREFIX}NAME)",
    )
    if kind is not Settings:
        return
    parser.add_argument(
        "--timeout",
        "--timeout-s",
        dest="timeout_s",
        metavar="DURATION",
        type=duration,
        help="the longest time of a run, such as 90s or 10m: the limit timeout_s",
    )
    for option in _legacy_options():
        option.declare(parser)


def _declare(parser: argparse.ArgumentParser, setting: Setting) -> None:
    flags = [setting.flag, f"{setting.flag}-s"] if setting.name.endswith("_s") else [setting.flag]
    words = f"{setting.description} (or {setting.variable})" if setting.variable else setting.description
    if setting.kind is bool and setting.default is True:
        optional = argparse.BooleanOptionalAction
        parser.add_argument(*flags, dest=setting.name, action=optional, default=None, help=words)
    elif setting.kind is bool:
        parser.add_argument(*flags, dest=setting.name, action="store_true", default=None, help=words)
    elif get_origin(setting.kind) is tuple:
        words += "; separated by commas, or the flag repeated"
        parser.add_argument(*flags, dest=setting.name, action="append", metavar=setting.metavar, help=words)
    else:
        kind = _argument_type(setting)
        parser.add_argument(*flags, dest=setting.name, metavar=setting.metavar, type=kind, help=words)


def _argument_type(setting: Setting) -> Callable[[str], object]:
    if setting.name == "resources.memory":
        return size
    if setting.name.endswith("_s"):
        return duration
    return int if setting.kind is int else str


def _legacy_options() -> list[legacy.Option]:
    return [option for room in legacy.ROOMS.values() for option in room.options]


def flags_for_each(arguments: argparse.Namespace) -> list[str]:
    """Return the flags of the command line as words for each of several servers.

    Raises:
        UsageError: the command line has a flag that makes sense for a single simulator only.
    """
    single_only = [("--adapter", arguments.adapter), ("--port", arguments.port)]
    single_only += [(option.flag, getattr(arguments, option.setting)) for option in _legacy_options() if option.for_one]
    if any(value is not None for _flag, value in single_only):
        flags = ", ".join(flag for flag, _value in single_only)
        raise UsageError(f"several simulators are served on their own ports: leave {flags} out")
    values = [("--settings", arguments.settings), *(("--limit", limit) for limit in arguments.limit)]
    values += [("--timeout", arguments.timeout_s)]
    values += [_flag_and_value(setting, _given(arguments, setting)) for setting in all_settings() if setting.flag]
    values += [(option.flag, getattr(arguments, option.setting)) for option in _legacy_options() if not option.for_one]
    return [
        word
        for flag, value in values
        if value is not None and value is not False
        for word in ([flag] if value is True else [flag, str(value)])
    ]


def _given(arguments: argparse.Namespace, setting: Setting) -> object:
    """Return what the command line says of a setting; a list that is given in parts as the text of one list."""
    value = getattr(arguments, setting.name)
    return ",".join(value) if isinstance(value, list) else value


def _flag_and_value(setting: Setting, value: object) -> tuple[str, object]:
    """Return the flag of a setting with its value; a switch that is on by default has a flag that turns it off."""
    return (f"--no-{setting.flag[2:]}", True) if value is False else (setting.flag, value)


# ---------------------------------------------------------------------- loading


def load(arguments: argparse.Namespace, kind: type[K]) -> K:
    """Return the settings of a kind of server from all sources.

    Raises:
        UsageError: a setting is unknown, has the wrong type or is out of range; the message names setting and source.
    """
    values: dict[str, Any] = {}
    try:
        for layer in (
            *([_machine_defaults(os.environ)] if kind is Settings else []),
            *_file(arguments.settings),
            _environment(os.environ, kind),
            _flags(arguments, kind),
        ):
            layer_values = _in_units(layer.values, layer)
            _check(layer, layer_values, kind)
            _merge(values, layer_values)
    except RequestError as exc:
        raise UsageError(exc.message) from exc
    return msgspec.convert(values, kind, strict=False)  # each source was checked with its own strictness


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _check(layer: Layer, values: dict[str, Any], kind: type[ListenerSettings]) -> None:
    """Refuse invalid settings, by the name that their source uses for them."""
    limits = values.get("limits")
    unknown = sorted(set(limits) - set(ServerLimits.__struct_fields__)) if isinstance(limits, Mapping) else []
    if unknown:
        choices = named_choices(unknown[0], ServerLimits.__struct_fields__)
        raise RequestError(f"{layer.name}: there is no limit named {unknown[0]!r}: {choices}", field="limits")
    _check_interfaces(layer, values.get("interfaces"))
    try:
        msgspec.convert(values, kind, strict=layer.strict)
    except msgspec.ValidationError as exc:
        error = refusal(exc, kind, values, whole=layer.name, null="", internal=INTERNAL)
        field = error.field or ""
        place = layer.names.get(field.partition("[")[0])
        if place is not None:
            raise RequestError(error.message.replace(field, place, 1), field=field) from exc
        prefix = "" if error.message.startswith(layer.name) else f"{layer.name}: "
        raise RequestError(f"{prefix}{error.message}", field=field) from exc


def _check_interfaces(layer: Layer, interfaces: object) -> None:
    """Refuse invalid settings of the interfaces for older clients, which only the interfaces know."""
    for name, values in interfaces.items() if isinstance(interfaces, Mapping) else ():
        place, room = f"interfaces.{name}", legacy.ROOMS.get(name)
        if room is None:
            choices = named_choices(name, legacy.ROOMS)
            raise RequestError(
                f"{layer.name}: there is no interface {name!r} for older clients: {choices}", field=place
            )
        try:
            msgspec.convert(values, room.settings_type)
        except msgspec.ValidationError as exc:
            error = refusal(exc, room.settings_type, values, whole=place, null="", internal=room.internal)
            field = f"{place}.{error.field}" if error.field else place
            message = error.message if error.message.startswith(place) else f"{place}.{error.message}"
            called = layer.names.get(field, f"{layer.name}: {field}")
            raise RequestError(message.replace(field, called, 1) if field in message else f"{layer.name}: {message}",
                               field=field) from exc  # fmt: skip


_NESTED = {"limits", "comparison_limits", "resources"}
"""The settings that consist of others."""


def _in_units(values: Mapping[str, Any], layer: Layer, place: str = "") -> dict[str, Any]:
    """Return the values with sizes and durations that are text converted to bytes and seconds."""
    return {
        name: _in_units(value, layer, f"{name}.") if name in _NESTED and isinstance(value, Mapping)
        else _amount(name, value, layer.names.get(f"{place}{name}", f"{layer.name}: {place}{name}"))
        for name, value in values.items()
    }  # fmt: skip


def _is_whole(text: str) -> bool:
    """Return whether a text is a whole number of so few digits that it becomes an integer without a fault."""
    return text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS


def _amount(name: str, value: object, called: str) -> object:
    if name == "memory" and (isinstance(value, str) or type(value) is int):
        return parse_memory(int(value) if isinstance(value, str) and _is_whole(value) else value, called)
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        if name.endswith(("_bytes", "_bytes_per_s")):
            value = parse_bytes(value, called)
        elif name.endswith("_s"):
            value = parse_seconds(value, called)
    if name.endswith("_s") and _is_too_long(value):
        unit = "bytes per second" if name.endswith("_bytes_per_s") else "seconds"
        raise RequestError(f"{called} must be at most {LONGEST_S:,} {unit}, not {value}", field=name)
    return value


def _is_too_long(duration: object) -> bool:
    """Say whether a duration, as a number or the text of one, is longer than anything can wait."""
    if isinstance(duration, str) and duration != "null" and _PLAIN.fullmatch(duration):
        return float(duration) > LONGEST_S
    return isinstance(duration, int | float) and duration > LONGEST_S


# ---------------------------------------------------------------------- sources


def _file(file: str | None) -> Iterator[Layer]:
    if file is None:
        return
    name = "standard input" if file == STANDARD_INPUT else file
    try:
        # Only the first line of standard input has settings.
        content = sys.stdin.buffer.readline() if file == STANDARD_INPUT else _beginning(file)
    except OSError as exc:
        raise RequestError(f"cannot read the settings in {name}: {exc.strerror or exc}", field="settings") from exc
    values = _decode(content, name, is_json=file == STANDARD_INPUT or file.endswith(".json"))
    yield Layer(values, name)


def _beginning(file: str) -> bytes:
    """Return the content of a file of settings; ``/dev/zero`` has no end, and is refused.

    A pipe is read, too (``--settings <(...)``), unless nobody writes into it.
    """
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:  # noqa: PTH123 - of a descriptor
        is_pipe = stat.S_ISFIFO(os.fstat(opened.fileno()).st_mode)
        if is_pipe and not select.select([opened], [], [], _WRITER_WITHIN_S)[0]:
            raise RequestError(f"cannot read the settings in {file}: nobody writes into this pipe", field="settings")
        os.set_blocking(opened.fileno(), True)
        content = opened.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise RequestError(f"{file} has more than {_MOST_BYTES:,} bytes: is it a file of settings?", field="settings")
    return content


def _decode(content: bytes, name: str, *, is_json: bool) -> dict[str, Any]:
    try:
        if is_json:
            values = msgspec.json.decode(content)
        else:
            import tomllib

            values = tomllib.loads(content.decode())
    except (ValueError, msgspec.DecodeError, RecursionError) as exc:  # tomllib's and msgspec's errors are ValueErrors
        raise RequestError(f"{name} is not {'a JSON object' if is_json else 'TOML'}: {exc}", field="settings") from exc
    return _object(values, name)


def _object(values: object, name: str) -> dict[str, Any]:
    try:
        return msgspec.convert(values, dict[str, Any])
    except msgspec.ValidationError as exc:
        raise refusal(exc, dict[str, Any], values, whole=name) from exc


def warn_of_unknown_variables(environ: MutableMapping[str, str]) -> None:
    """Write a line for each variable with our prefix that means nothing; it may be meant for another program."""
    settings = [setting.variable for kind in (Settings, DoorSettings) for setting in all_settings(kind)]
    settings = [variable for variable in settings if variable]
    known = {*settings, *(option.variable for option in _legacy_options() if option.variable), *_OTHER_VARIABLES}
    unknown = sorted(name for name in environ if name.startswith(_PREFIX) and name not in known)
    for name in unknown if WARNED not in environ else ():
        close = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f": did you mean {close[0]}?" if close else ""
        print(f"gateway: warning: no setting is named {name}, which is ignored{hint}", file=sys.stderr, flush=True)
    environ[WARNED] = "1"


def _environment(environ: Mapping[str, str], kind: type[ListenerSettings]) -> Layer:
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    settings_by_variable = {setting.variable: setting for setting in all_settings(kind) if setting.variable}
    for variable, text in environ.items():
        setting = settings_by_variable.get(variable)
        if setting is None and variable.startswith(LIMIT_PREFIX) and text:
            limit = variable.removeprefix(LIMIT_PREFIX).lower()
            choices = named_choices(limit, ServerLimits.__struct_fields__)
            raise RequestError(f"{variable}: there is no limit named {limit!r}: {choices}", field="limits")
        if setting is not None and text:  # an empty variable counts as unset
            _set_at(values, setting.path, _parse_text(setting, text))
            names[setting.name] = variable
    return Layer(values, "the environment", names, strict=False)


def _machine_defaults(environ: Mapping[str, str]) -> Layer:
    """Return the settings that the machine implies where no source gives them."""
    threads = environ.get(_OLD_THREADS, "")
    return Layer({"resources": {"threads": int(threads)}} if _is_whole(threads) and int(threads) > 0 else {}, "")


def _flags(arguments: argparse.Namespace, kind: type[ListenerSettings]) -> Layer:
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    for text in arguments.limit:
        limit, equals, value = text.partition("=")
        if not equals:
            raise RequestError(f"--limit is written NAME=VALUE, not {text!r}", field="limits")
        _set_at(values, ("limits", limit), value)
        names[f"limits.{limit}"] = f"--limit {limit}"
    for setting in all_settings(kind):
        value = _given(arguments, setting) if setting.flag else None
        if value is not None:
            _set_at(values, setting.path, _parse_text(setting, value) if isinstance(value, str) else value)
            names[setting.name] = setting.flag
    if arguments.names:
        values["simulators"] = tuple(arguments.names)
    if kind is Settings:
        _add_flags_of_simulators(arguments, values, names)
    return Layer(values, "--limit", names, strict=False)


def _add_flags_of_simulators(arguments: argparse.Namespace, values: dict[str, Any], names: dict[str, str]) -> None:
    """Add the flags that only the server of a simulator has, beside those of its settings."""
    if arguments.timeout_s is not None:
        _set_at(values, ("limits", "timeout_s"), arguments.timeout_s)
    for name, room in legacy.ROOMS.items():
        for option in room.options:
            setting_value = option.value(arguments)
            if setting_value is not None:
                _set_at(values, ("interfaces", name, option.setting), setting_value)
                names[f"interfaces.{name}.{option.setting}"] = option.flag


def _set_at(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _parse_text(setting: Setting, text: str) -> object:
    """Convert the text of a flag or variable: lists have commas, and switches are words such as ``yes``."""
    if get_origin(setting.kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    switch = parse_switch(text) if setting.kind is bool else None
    return text if switch is None else switch


# ---------------------------------------------------------------------- checks of several settings together


def check_access(settings: ListenerSettings, *, guarded: bool) -> None:
    """Refuse an address that other machines can reach, unless there are tokens or everybody may use the server.

    Raises:
        UsageError: the address is not a loopback address, and there is no token.
    """
    address = settings.published_at or settings.host
    if guarded or settings.anonymous or settings.listen_fd is not None or _is_loopback(address):
        return
    if settings.published_at is not None:
        raise UsageError(
            f"other machines can reach {address}, where the port of this container is published: name the tokens that "
            "may use the server ('gateway token NAME --file access/tokens', then GATEWAY_ACCESS=./access for compose)"
        )
    raise UsageError(
        f"other machines can reach {address}: name the tokens that may use the server "
        "('gateway token NAME --file tokens', then --tokens tokens), or give --anonymous to let everybody use it"
    )


def check_tokens(settings: ListenerSettings) -> None:
    """Refuse tokens that cannot be read, and an address that other machines can reach without any token.

    Raises:
        ServerStartError: the tokens cannot be read.
        UsageError: there are none, and other machines can reach the server.
    """
    from gateway.server.access.tokens import tokens_of

    try:
        tokens = tokens_of(settings.tokens, None if settings.tokens_file is None else Path(settings.tokens_file))
    except RequestError as exc:
        raise ServerStartError(exc.message) from exc
    check_access(settings, guarded=bool(tokens))


def refuse_one_file(settings: Settings) -> None:
    """Refuse a single file of jobs for several simulators, because only one server at a time can use a file.

    Raises:
        UsageError: the settings name such a file.
    """
    url = jobs_url(settings, "", 0)
    if url.startswith("sqlite") and url != IN_MEMORY:
        raise UsageError(
            f"several simulators cannot share the file of jobs {settings.jobs!r}: leave --jobs and GATEWAY_JOBS out, "
            "so that each has a file of its own, or name a database of PostgreSQL"
        )


def jobs_url(settings: Settings, queue: str, port: int) -> str:
    """Return the URL of the database of jobs.

    By default each simulator and port has a file of its own in the folder ``simulator-gateway`` of
    ``$XDG_STATE_HOME``, which is ``~/.local/state`` by default; if the system chooses the port, it is in memory.

    Raises:
        UsageError: the setting is neither the path of a file nor a URL.
    """
    if settings.jobs is not None:
        try:
            return database_url(settings.jobs)
        except RequestError as exc:
            raise UsageError(exc.message) from exc
    if port == 0:
        return IN_MEMORY
    return database_url(state_folder() / f"jobs-{queue}-{port}.sqlite")


def state_folder() -> Path:
    """Return the folder in which servers keep their files by default."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "simulator-gateway"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
