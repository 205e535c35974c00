"""Render the files, and the sections of files, that are derived from the gate table, the registry and the settings.

``scripts/render`` writes all of them or none; ``scripts/render --check`` only names the stale ones.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.protocol.endpoints import Endpoint
    from gateway.settings import ListenerSettings
    from gateway.simulators import Simulator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def facade() -> str:
    """Return gateway/__init__.pyi: the public names, as type checkers need them."""
    import gateway

    modules = vars(gateway)["_MODULES"]
    return "\n".join(
        [
            "# The public names. Rendered by scripts/render from gateway/__init__.py: do not edit.",
            *[
                f"from {modules[name]} import {name} as {name}"
                for name in sorted(modules, key=lambda name: (modules[name], name))
            ],
            "",
            "__all__ = [",
            *[f'    "{name}",' for name in sorted(gateway.__all__, key=lambda name: (not name.isupper(), name))],
            "]",
            "",
        ]
    )


def builder() -> str:
    """Return gateway/circuit/builder.py: one method for each row of the gate table."""
    from gateway.circuit.gates import GATES

    lines = [
        '"""One builder method for each row of the gate table. Rendered by ``scripts/render``: do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Sequence",
        "from typing import Self",
        "",
        "from gateway.circuit.operations import When",
        "",
        "",
        "class GateMethods:",
        '    """The gates of the table as methods that append and return the circuit.',
        "",
        "    Angles come first and are in radians; ``when=`` makes the gate conditional.",
        '    """',
        "",
        "    __slots__ = ()",
        "",
        *_signature("gate", "name: str, qubits: Sequence[int], params: Sequence[float] = (), when: When = None"),
        '        """Append a gate of the table by name; a Circuit implements it."""',
        "        raise NotImplementedError",
    ]
    for gate in GATES.values():
        params = gate.params.split()
        qubits = ["qubit"] if gate.num_qubits == 1 else [f"qubit_{letter}" for letter in "abcde"[: gate.num_qubits]]
        arguments = [f"{p}: float" for p in params] + [f"{q}: int" for q in qubits]
        call = f'"{gate.name}", {_tuple(qubits)}'
        call += f", {_tuple(params)}, when" if params else ", (), when"
        lines += [
            "",
            *_signature(gate.name, f"{', '.join(arguments)}, when: When = None"),
            f'        """Append ``{gate.name}``."""',
            f"        return self.gate({call})",
        ]
    return "\n".join(lines) + "\n"


def _signature(name: str, arguments: str) -> list[str]:
    """Return the first lines of a method as the formatter would write them."""
    line = f"    def {name}(self, {arguments}) -> Self:"
    if len(line) <= LINE_LENGTH:
        return [line]
    return [f"    def {name}(", f"        self, {arguments}", "    ) -> Self:"]


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def protocol() -> str:
    """Return PROTOCOL.md with the tables of endpoints and their parameters."""
    from gateway.protocol import door, endpoints
    from gateway.settings import DoorSettings, Settings

    sections = {
        "endpoints": _endpoints(endpoints.ENDPOINTS.values()),
        "door": _endpoints(door.ENDPOINTS.values()),
        "limits": _limits(Settings, "limits"),
        "comparison limits": _limits(DoorSettings, "comparison_limits"),
    }
    return _fill_sections("gateway/protocol/PROTOCOL.md", sections, comment="<!-- {} -->")


def _endpoints(rows: Iterable[Endpoint]) -> list[str]:
    """Return the table of some endpoints, and that of their parameters."""
    lines = ["| request | body | answer | what it does |", "|---|---|---|---|"]
    parameters = ["| parameter | | |", "|---|---|---|"]
    for endpoint in rows:
        query = "&".join(f"{parameter.name}=" for parameter in endpoint.parameters if parameter.place == "query")
        body = endpoint.request.__name__ if endpoint.request else ""
        kinds = ", ".join((endpoint.media_type, *endpoint.other_media_types))
        answer = endpoint.answer.__name__ if endpoint.answer else kinds
        location = " and `Location`" if endpoint.status == 202 else ""  # noqa: PLR2004 - HTTP: Accepted
        lines.append(
            f"| `{endpoint.method} {endpoint.path}{'?' if query else ''}{query}` | {body} "
            f"| {endpoint.status} {answer}{location} "
            f"| {endpoint.summary}{'' if endpoint.needs_token else '; needs no token'} |"
        )
        parameters += [
            f"| `{parameter.name}` | {parameter.place} | {parameter.description} |" for parameter in endpoint.parameters
        ]
    return [*lines, "", *dict.fromkeys(parameters)]


def compose() -> str:
    """Return compose.yaml: the door, and a service for each row of the registry, restricted as ``hardening`` says."""
    from gateway.containers import hardening
    from gateway.simulators import SIMULATORS
    from gateway.version import __version__

    resources = hardening.ContainerLimits()
    workers = f"${{GATEWAY_WORKERS:-{resources.workers}}}"
    values = {
        "image": f"{hardening.IMAGE}:{__version__}",
        "image_name": hardening.IMAGE,
        "version": __version__,
        "uid": hardening.UID,
        "tmpfs": ", ".join(f'"{path}:{options}"' for path, options in hardening.TMPFS.items()),
        "cap_drop": ", ".join(hardening.CAP_DROP),
        "security_opt": ", ".join(hardening.SECURITY_OPT),
        "ulimits": ", ".join(f"{name}: {value}" for name, value in hardening.ULIMITS),
        "dns": ", ".join(hardening.DNS),
        "dns_opt": ", ".join(f'"{option}"' for option in hardening.DNS_OPT),
        "memory": resources.memory,
        "cpus": f"{resources.cpus:g}",
        "pids": resources.pids,
        "stop_grace": hardening.STOP_GRACE_S,
        "healthcheck": ", ".join(hardening.HEALTHCHECK),
        "interval": hardening.HEALTH_INTERVAL_S,
        "network_driver": hardening.NETWORK_DRIVER,
        "network_options": "\n".join(f'      {name}: "{value}"' for name, value in hardening.NETWORK_OPTIONS.items()),
        "anonymous": hardening.ANONYMOUS_VARIABLE,
        "access_folder": hardening.ACCESS_FOLDER,
        "certificate_folder": hardening.CERTIFICATE_FOLDER,
        "door_key_folder": hardening.DOOR_KEY_FOLDER,
        "jobs_folder": hardening.JOBS_FOLDER,
        "host_ip": hardening.HOST_IP,
        "profiles": ", ".join(["all", *SIMULATORS]),
        "volumes": "\n".join(f"  {row.name}-jobs:" for row in SIMULATORS.values()),
        "services": "\n".join(_service(row, workers) for row in SIMULATORS.values()),
        **_of_the_door(),
    }
    template = (ROOT / "scripts/compose.template.yaml").read_text()
    return re.sub(r"@([a-z_]+)@", lambda match: str(values[match[1]]), template)


def _of_the_door() -> dict[str, object]:
    """Return the values of compose.yaml that are about the door."""
    from gateway.cli.open import DOOR_PORT
    from gateway.containers import hardening
    from gateway.simulators import SIMULATORS

    return {
        "door_ulimits": ", ".join(f"{name}: {value}" for name, value in hardening.DOOR_ULIMITS),
        "door_port": DOOR_PORT,
        "door_memory": hardening.DOOR_MEMORY,
        "door_flags": "\n".join(
            f"      - --simulator={row.name}=http://{row.name}:{row.port}" for row in SIMULATORS.values()
        ),
        "door_networks": "\n".join(f"  door-{row.name}: {{internal: true}}" for row in SIMULATORS.values()),
        "door_network_names": "\n".join(f"      door-{row.name}:" for row in SIMULATORS.values()),
    }


def _service(row: Simulator, workers: str) -> str:
    """Return the service of a simulator."""
    from gateway.containers import hardening

    return (
        f"  {row.name}: # {row.summary}\n"
        "    <<: *simulator\n"
        f"    profiles: [all, {row.name}]\n"
        f'    command: [serve, {row.name}, --host, 0.0.0.0, --workers, "{workers}", --allow-host, {row.name}]\n'
        f'    ports: ["{hardening.HOST_IP}:{row.port}:{row.port}"]\n'
        "    volumes:\n"
        f"      - {row.name}-jobs:{hardening.JOBS_FOLDER}\n"
        f"      - door-key:{hardening.DOOR_KEY_FOLDER}:ro\n"
        f"      - ${{GATEWAY_ACCESS:-no-access}}:{hardening.ACCESS_FOLDER}:ro\n"
        f"    networks: {{simulators: {{priority: 1}}, door-{row.name}: }}\n"
        f"    labels: {{{hardening.SIMULATOR_LABEL}: {row.name}}}"
    )


def readme() -> str:
    """Return README.md with the tables of simulators, of their capabilities and of settings."""
    from gateway.cli.listing import abilities
    from gateway.settings import DoorSettings, Settings

    lines = ["| simulator | port | what it is | package | extra |", "|---|---|---|---|---|"]
    for row in _rows():
        package = f"{row.distribution} {_locked_version(row)}"
        lines.append(f"| `{row.name}` | {row.port} | {row.summary} | {package} | `[{row.requirement}]` |")
    head = list(abilities(_rows()[0].capabilities))
    matrix = [f"| simulator | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    matrix += [f"| `{row.name}` | {' | '.join(abilities(row.capabilities).values())} |" for row in _rows()]
    sections = {
        "simulators": lines,
        "abilities": matrix,
        "settings": _settings(Settings),
        "door settings": _settings(DoorSettings, known=Settings),
    }
    return _fill_sections("README.md", sections, "<!-- {} -->")


def _settings(kind: type[ListenerSettings], known: type[ListenerSettings] | None = None) -> list[str]:
    """Return the table of settings that have a flag or a variable, and are not those of another kind of server.

    Limits have a table of their own.
    """
    from gateway.settings import all_settings

    others = set() if known is None else {setting.name for setting in all_settings(known)} - {"simulators"}
    lines = ["| in a file | flag | variable | default | |", "|---|---|---|---|---|"]
    for setting in all_settings(kind):
        is_limit = setting.path[0] in {"limits", "comparison_limits"}
        if (setting.flag or setting.variable) and not is_limit and setting.name not in others:
            default = "" if setting.default in (None, (), False) else f"`{setting.default}`"
            flag, variable = (f"`{name}`" if name else "" for name in (setting.flag, setting.variable))
            lines.append(f"| `{setting.name}` | {flag} | {variable} | {default} | {setting.description} |")
    return lines


def _limits(settings: type[ListenerSettings], name: str) -> list[str]:
    """Return the table of the limits among some settings."""
    from gateway.settings import all_settings

    limits = [setting for setting in all_settings(settings) if setting.path[0] == name]
    rows = [
        f"| `{limit.path[-1]}` | {'' if limit.default is None else f'{limit.default:,}'} | {limit.description} |"
        for limit in limits
    ]
    return ["| limit | default | of |", "|---|---|---|", *rows]


def pyproject() -> str:
    """Return pyproject.toml with the extras of the simulators, and the lists of adapters and packages."""
    extras: dict[str, list[str]] = {}
    for row in sorted(_rows(), key=lambda row: row.requirement):
        extras.setdefault(row.requirement, []).extend(row.requires)
    packages = sorted({package for row in _rows() for package in row.packages})
    folder, locks = "images/simulators", [f"requirements-{group}.lock" for group in _groups()]
    return _fill_sections(
        "pyproject.toml",
        {
            "extras": [
                *(f"{extra} = {json.dumps(list(dict.fromkeys(requires)))}" for extra, requires in extras.items()),
                *(f'group-{group} = ["simulator-gateway[{",".join(names)}]"]' for group, names in _groups().items()),
                f'simulators = ["simulator-gateway[{",".join(sorted([*extras, "server"]))}]"]',
            ],
            "locks": [f'"{folder}/{lock}" = "gateway/containers/data/{lock}"' for lock in locks],
            "adapters": [f'    "{module}",' for module in sorted({row.adapter.partition(":")[0] for row in _rows()})],
            "packages": [f'    "{package}",' for package in packages],
            "typing": [f'    "{package}.*",' for package in packages],
        },
    )


def _groups() -> dict[str, list[str]]:
    """Return the extras that are installed in each environment of simulators: group -> extras."""
    groups: dict[str, set[str]] = {}
    for row in _rows():
        groups.setdefault(row.group, {"server"}).add(row.requirement)
    return {group: sorted(groups[group]) for group in sorted(groups)}


def prepare() -> str:
    """Return prepare.py with the modules that each simulator imports, and the simulators of other environments."""
    warm = [f'    "{", ".join(row.warm)}",' for row in _rows()]
    elsewhere = [f'    "{row.name}": "{row.group}",' for row in _rows() if row.group != "main"]
    return _fill_sections("images/simulators/prepare.py", {"warm": list(dict.fromkeys(warm)), "elsewhere": elsewhere})


def dockerfile() -> str:
    """Return the Dockerfile with the ports of the simulators."""
    ports = " ".join(str(port) for port in sorted(row.port for row in _rows()))
    return _fill_sections("images/simulators/Dockerfile", {"ports": [f"EXPOSE {ports}"]})


def _rows() -> list[Simulator]:
    from gateway.simulators import SIMULATORS

    return list(SIMULATORS.values())


def _locked_version(row: Simulator) -> str:
    """Return the version of a simulator's package in the lock of the image.

    Raises:
        LackingError: the lock has none.
    """
    name = re.sub(r"[-_.]+", "-", row.distribution).lower()
    lock = f"images/simulators/requirements-{row.group}.lock"
    text = (ROOT / lock).read_text() if (ROOT / lock).exists() else ""
    pin = re.search(rf"^{re.escape(name)}==([\w.]+)", text, re.MULTILINE)
    if pin is None:
        raise MissingSourceError(
            f"{lock} has no version of {row.distribution}, which {row.name} needs: run scripts/lock"
        )
    return pin[1]


class MissingSourceError(Exception):
    """A file that is read for rendering, or a section of it, is absent."""


def _fill_sections(name: str, sections: dict[str, list[str]], comment: str = "# {}") -> str:
    """Return a file's content with new lines in its sections.

    A section stands between the comments ``begin NAME (rendered)`` and ``end NAME``; it may occur several times.

    Raises:
        LackingError: the file has no such section.
    """
    text = (ROOT / name).read_text()
    for section, lines in sections.items():
        begin, end = comment.format(f"begin {section} (rendered)"), comment.format(f"end {section}")
        pattern = rf"(^ *{re.escape(begin)}\n)(?:.*\n)*?( *{re.escape(end)}\n)"
        content = "".join(f"{line}\n" for line in lines)
        text, count = re.subn(pattern, lambda match: match[1] + content + match[2], text, flags=re.MULTILINE)  # noqa: B023
        if not count:
            raise MissingSourceError(f"{name} has no section between {begin!r} and {end!r}")
    return text


LINE_LENGTH = 120
SOURCES = ("images/simulators/requirements-*.lock", "scripts/compose.template.yaml")
"""The files that are read for rendering, besides the tables in the code."""
TARGETS: dict[str, Callable[[], str]] = {
    "gateway/__init__.pyi": facade,
    "gateway/circuit/builder.py": builder,
    "gateway/protocol/PROTOCOL.md": protocol,
    "compose.yaml": compose,
    "README.md": readme,
    "pyproject.toml": pyproject,
    "images/simulators/prepare.py": prepare,
    "images/simulators/Dockerfile": dockerfile,
}


def main() -> int:
    """Render the targets that the command line names, or all.

    The exit status is 1 if a target cannot be rendered, or if one is stale under ``--check``.
    """
    parser = argparse.ArgumentParser(prog="scripts/render", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--check", action="store_true", help="write nothing, but name the stale files")
    arguments = parser.parse_args()
    if unknown := set(arguments.targets) - set(TARGETS):
        parser.error(f"nothing is rendered into {', '.join(sorted(unknown))}")
    try:
        stale = stale_files(arguments.targets or list(TARGETS))
    except MissingSourceError as exc:
        print(f"render: {exc}; nothing was written", file=sys.stderr)
        return 1
    for path in stale:
        print(f"{'stale' if arguments.check else 'wrote'}: {path.relative_to(ROOT)}")
    if not arguments.check:
        write_all(stale)
    return int(arguments.check and bool(stale))


def stale_files(names: list[str]) -> dict[Path, str]:
    """Return the new content of each stale file; all files are rendered before any is written.

    Raises:
        LackingError: a file cannot be rendered; the message has a line for each reason.
    """
    stale: dict[Path, str] = {}
    reasons: list[str] = []
    for name in names:
        path = ROOT / name
        try:
            text = TARGETS[name]()
        except MissingSourceError as exc:
            reasons.append(str(exc))
        else:
            if not path.exists() or path.read_text() != text:
                stale[path] = text
    if reasons:
        raise MissingSourceError("\nrender: ".join(reasons))
    return stale


def write_all(files: dict[Path, str]) -> None:
    """Write all files or none: each is first written to a draft beside it, and then all drafts replace their files."""
    drafts = {path: path.with_name(f".{path.name}.new") for path in files}
    try:
        for path, draft in drafts.items():
            draft.write_text(files[path])
            if path.exists():
                shutil.copymode(path, draft)
        for path, draft in drafts.items():
            draft.replace(path)
    finally:
        for draft in drafts.values():
            if draft.is_file():
                draft.unlink()


if __name__ == "__main__":
    sys.exit(main())
