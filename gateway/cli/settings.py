"""Where the settings of a server come from.

A flag wins over a variable of the environment, that over the file of ``--settings`` (or standard input, for ``-``),
and that over the default. What is unknown, or of the wrong type, is refused by the name under which it was given.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, get_origin

import msgspec

from gateway import legacy
from gateway.cli.arguments import UsageError, duration, size
from gateway.errors import RequestError
from gateway.protocol.messages import ServerLimits
from gateway.protocol.refusals import named_choices, refusal
from gateway.settings import IN_MEMORY, LIMIT_PREFIX, Setting, Settings, all_settings, database_url
from gateway.units import parse_bytes, parse_seconds

STANDARD_INPUT = "-"
_OLD_THREADS = "OMP_NUM_THREADS"
"""Says how many threads a run has where nothing of ours does: many machines have it set."""

_PLAIN = re.compile(r"-?\d+(\.\d*)?|null")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}

PRECEDENCE = (
    "A flag wins over the variable of the environment that stands in for it, and that over the file of --settings."
)


class Layer(NamedTuple):
    """Settings from one source.

    Args:
        values: as in a file of settings.
        name: the source, for errors.
        names: name of a setting -> what it is called there, if anything else.
        strict: whether numbers must be numbers; in the environment all is text.
    """

    values: dict[str, Any]
    name: str
    names: Mapping[str, str] = {}
    strict: bool = True


# ---------------------------------------------------------------------- the command line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare a flag for each setting that has one."""
    parser.add_argument(
        "--settings", metavar="FILE", help="take settings from a file, in TOML or, named *.json, in JSON"
    )
    for setting in all_settings():
        if setting.flag:
            _declare(parser, setting)
    parser.add_argument(
        "--limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help=f"what a request may not exceed, may be repeated (or {LIMIT_PREFIX}NAME)",
    )
    parser.add_argument(
        "--timeout", "--timeout-s", dest="timeout_s", metavar="DURATION", type=duration, help="the limit timeout_s"
    )
    for option in _legacy_options():
        option.declare(parser)


def _declare(parser: argparse.ArgumentParser, setting: Setting) -> None:
    flags = [setting.flag, f"{setting.flag}-s"] if setting.name.endswith("_s") else [setting.flag]
    words = f"{setting.description} (or {setting.variable})" if setting.variable else setting.description
    if setting.kind is bool:
        parser.add_argument(*flags, dest=setting.name, action="store_true", default=None, help=words)
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
    """Return the flags as they were given, but those that make sense for a single simulator only.

    Raises:
        UsageError: one of these was given.
    """
    alone = [("--adapter", arguments.adapter), ("--port", arguments.port)]
    alone += [(option.flag, getattr(arguments, option.setting)) for option in _legacy_options() if option.for_one]
    if any(value is not None for _flag, value in alone):
        flags = ", ".join(flag for flag, _value in alone)
        raise UsageError(f"several simulators are served on their own ports: leave {flags} out")
    given = [("--settings", arguments.settings), *(("--limit", limit) for limit in arguments.limit)]
    given += [("--timeout", arguments.timeout_s)]
    given += [(each.flag, getattr(arguments, each.name)) for each in all_settings() if each.flag]
    given += [(option.flag, getattr(arguments, option.setting)) for option in _legacy_options() if not option.for_one]
    return [
        word
        for flag, value in given
        if value is not None and value is not False
        for word in ([flag] if value is True else [flag, str(value)])
    ]


# ---------------------------------------------------------------------- loading


def load(arguments: argparse.Namespace) -> Settings:
    """Return the settings from all sources.

    Raises:
        UsageError: one is unknown, of the wrong type or out of range; the message says which, and where.
    """
    merged: dict[str, Any] = {}
    try:
        for layer in (_machine(os.environ), *_file(arguments.settings), _environment(os.environ), _flags(arguments)):
            values = _in_units(layer.values, layer)
            _check(layer, values)
            _merge(merged, values)
    except RequestError as exc:
        raise UsageError(exc.message) from exc
    return msgspec.convert(merged, Settings, strict=False)  # each source was held to its own strictness


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value


def _check(layer: Layer, values: dict[str, Any]) -> None:
    """Refuse what cannot be meant, by the name under which it was given."""
    limits = values.get("limits")
    unknown = sorted(set(limits) - set(ServerLimits.__struct_fields__)) if isinstance(limits, Mapping) else []
    if unknown:
        choices = named_choices(unknown[0], ServerLimits.__struct_fields__)
        raise RequestError(f"{layer.name}: there is no limit named {unknown[0]!r}: {choices}", field="limits")
    try:
        msgspec.convert(values, Settings, strict=layer.strict)
    except msgspec.ValidationError as exc:
        error = refusal(exc, Settings, values, whole=layer.name, null="")
        field = error.field or ""
        place = layer.names.get(field.partition("[")[0])
        if place is not None:
            raise RequestError(error.message.replace(field, place, 1), field=field) from exc
        prefix = "" if error.message.startswith(layer.name) else f"{layer.name}: "
        raise RequestError(f"{prefix}{error.message}", field=field) from exc


def _in_units(values: Mapping[str, Any], layer: Layer, place: str = "") -> dict[str, Any]:
    """Return values with sizes and durations that are text in bytes and seconds."""
    return {
        name: _in_units(value, layer, f"{name}.") if name in {"limits", "resources"} and isinstance(value, Mapping)
        else _amount(name, value, layer.names.get(f"{place}{name}", f"{layer.name}: {place}{name}"))
        for name, value in values.items()
    }  # fmt: skip


def _amount(name: str, value: object, called: str) -> object:
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return value
    if name.endswith("_s"):
        return parse_seconds(value, called)
    return parse_bytes(value, called) if name.endswith(("_bytes", "memory")) else value


# ---------------------------------------------------------------------- sources


def _file(file: str | None) -> Iterator[Layer]:
    if file is None:
        return
    name = "standard input" if file == STANDARD_INPUT else file
    try:
        # Of standard input one line is read: what follows is not about settings.
        content = sys.stdin.buffer.readline() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as exc:
        raise RequestError(f"cannot read the settings in {name}: {exc.strerror or exc}", field="settings") from exc
    values = _decoded(content, name, is_json=file == STANDARD_INPUT or file.endswith(".json"))
    yield Layer(values, name)


def _decoded(content: bytes, name: str, *, is_json: bool) -> dict[str, Any]:
    try:
        if is_json:
            return msgspec.json.decode(content, type=dict[str, Any])
        import tomllib  # noqa: PLC0415 - a server that is started by a program reads none

        return tomllib.loads(content.decode())
    except (ValueError, msgspec.DecodeError, RecursionError) as exc:  # tomllib's and msgspec's errors are ValueErrors
        raise RequestError(f"{name} is no {'JSON object' if is_json else 'TOML'}: {exc}", field="settings") from exc


def _environment(environ: Mapping[str, str]) -> Layer:
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    known = {setting.variable: setting for setting in all_settings() if setting.variable}
    for variable, text in environ.items():
        setting = known.get(variable)
        if setting is None and variable.startswith(LIMIT_PREFIX) and text:
            limit = variable.removeprefix(LIMIT_PREFIX).lower()
            choices = named_choices(limit, ServerLimits.__struct_fields__)
            raise RequestError(f"{variable}: there is no limit named {limit!r}: {choices}", field="limits")
        if setting is not None and text:  # an empty text is nothing
            _put(values, setting.path, _meant(setting, text))
            names[setting.name] = variable
    return Layer(values, "the environment", names, strict=False)


def _machine(environ: Mapping[str, str]) -> Layer:
    """Return what a machine says where no setting of ours does."""
    threads = environ.get(_OLD_THREADS, "")
    return Layer({"resources": {"threads": int(threads)}} if threads.isdigit() and int(threads) > 0 else {}, "")


def _flags(arguments: argparse.Namespace) -> Layer:
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    for text in arguments.limit:
        limit, equals, value = text.partition("=")
        if not equals:
            raise RequestError(f"--limit is written NAME=VALUE, not {text!r}", field="limits")
        _put(values, ("limits", limit), value)
        names[f"limits.{limit}"] = f"--limit {limit}"
    if arguments.timeout_s is not None:
        _put(values, ("limits", "timeout_s"), arguments.timeout_s)
    for setting in all_settings():
        value = getattr(arguments, setting.name) if setting.flag else None
        if value is not None:
            _put(values, setting.path, _meant(setting, value) if isinstance(value, str) else value)
            names[setting.name] = setting.flag
    if arguments.names:
        values["simulators"] = tuple(arguments.names)
    for name, room in legacy.ROOMS.items():
        for option in room.options:
            given = option.value(arguments)
            if given is not None and given is not False:
                _put(values, ("interfaces", name, option.setting), given)
    return Layer(values, "--limit", names, strict=False)


def _put(values: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _meant(setting: Setting, text: str) -> object:
    """Return what a text means where all is text: a list has commas, a switch several words."""
    if get_origin(setting.kind) is tuple:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if setting.kind is bool and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    return text


# ---------------------------------------------------------------------- what no type says


def check_access(settings: Settings, *, guarded: bool) -> None:
    """Refuse to listen to other machines without knowing whom to let in.

    Raises:
        UsageError: the address is no loopback address, and there is no token.
    """
    if guarded or settings.anonymous or settings.listen_fd is not None or _is_loopback(settings.host):
        return
    raise UsageError(
        f"others can reach {settings.host}: say whom to let in ('gateway token NAME --file tokens', then "
        "--tokens tokens), or say --anonymous to let everybody in"
    )


def refuse_one_file(settings: Settings) -> None:
    """Refuse one file of jobs for several simulators: it serves one server at a time.

    Raises:
        UsageError: there is such a file.
    """
    url = jobs_url(settings, "", 0)
    if url.startswith("sqlite") and url != IN_MEMORY:
        raise UsageError(
            f"several simulators cannot share the file of jobs {settings.jobs!r}: leave --jobs out, so that each has a "
            "file of its own, or name a database of PostgreSQL"
        )


def jobs_url(settings: Settings, queue: str, port: int) -> str:
    """Return where jobs are kept: as set, or in a file for each simulator and port; in memory on a chosen port.

    The folder is ``simulator-gateway`` in ``$XDG_STATE_HOME``, which is ``~/.local/state`` by default.

    Raises:
        UsageError: what is set is neither the path of a file nor a URL.
    """
    if settings.jobs is not None:
        try:
            return database_url(settings.jobs)
        except RequestError as exc:
            raise UsageError(exc.message) from exc
    if port == 0:
        return IN_MEMORY
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return database_url(state / "simulator-gateway" / f"jobs-{queue}-{port}.sqlite")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
