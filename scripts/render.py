"""Write the parts of the tree that are derived from the tables.

``scripts/render`` writes them, ``scripts/render --check`` only says which are stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def builder() -> str:
    """Return gateway/circuit/builder.py: one method for each row of the gate table."""
    from gateway.circuit.gates import GATES

    lines = [
        '"""One builder method for each row of the gate table. Rendered by ``scripts/render``: do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        "from collections.abc import Sequence",
        "from typing import TYPE_CHECKING, Self",
        "",
        "if TYPE_CHECKING:",
        "    from gateway.circuit.circuit import When",
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
    """Return a method's first lines as the formatter would write them."""
    line = f"    def {name}(self, {arguments}) -> Self:"
    if len(line) <= LINE_LENGTH:
        return [line]
    return [f"    def {name}(", f"        self, {arguments}", "    ) -> Self:"]


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' if len(names) == 1 else ''})"


def compose() -> str:
    """Return compose.yaml: one service for each row of the registry, locked down as ``hardening`` says."""
    from gateway.containers import hardening
    from gateway.simulators import SIMULATORS
    from gateway.version import __version__

    resources = hardening.Resources()
    workers = f"${{GATEWAY_WORKERS:-{resources.workers}}}"
    values = {
        "image": f"{hardening.IMAGE}:{__version__}",
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
        "volumes": "\n".join(f"  {row.name}-jobs:" for row in SIMULATORS.values()),
        "services": "\n".join(
            f"  {row.name}: # {row.summary}\n"
            "    <<: *simulator\n"
            f"    profiles: [all, {row.name}]\n"
            f'    command: [serve, {row.name}, --host, 0.0.0.0, --workers, "{workers}"]\n'
            f'    ports: ["{hardening.HOST_IP}:{row.port}:{row.port}"]\n'
            f"    volumes: [{row.name}-jobs:{hardening.JOBS_FOLDER}]\n"
            f"    labels: {{{hardening.SIMULATOR_LABEL}: {row.name}}}"
            for row in SIMULATORS.values()
        ),
    }
    template = (ROOT / "scripts/compose.template.yaml").read_text()
    return re.sub(r"@([a-z_]+)@", lambda match: str(values[match[1]]), template)


def readme() -> str:
    """Return README.md with the table of simulators between its markers."""
    from gateway.simulators import SIMULATORS

    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / LOCK).read_text(), re.MULTILINE))
    lines = ["| simulator | port | what it is | package | extra |", "|---|---|---|---|---|"]
    for row in SIMULATORS.values():
        version = pins[re.sub(r"[._]", "-", row.distribution)]
        lines.append(
            f"| `{row.name}` | {row.port} | {row.summary} | {row.distribution} {version} | `[{row.requirement}]` |"
        )
    return _between("README.md", "<!-- simulators:begin -->\n", "<!-- simulators:end -->", "\n".join(lines) + "\n")


def pyproject() -> str:
    """Return pyproject.toml with the extra of all simulators, and their adapters where import rules name them."""
    from gateway.simulators import SIMULATORS

    extras = sorted({row.requirement for row in SIMULATORS.values()} | {"server"})
    text = _between("pyproject.toml", '\nsimulators = ["simulator-gateway[', ']"]\n', ",".join(extras))
    adapters = sorted({row.adapter.partition(":")[0] for row in SIMULATORS.values()})
    lines = "".join(f'    "{adapter}",\n' for adapter in adapters)
    return re.sub(
        r"(    # adapters:begin\n)[^#]*(    # adapters:end\n)", lambda match: match[1] + lines + match[2], text
    )


def _between(name: str, begin: str, end: str, text: str) -> str:
    """Return a file's content with the text between two markers replaced."""
    head, found_begin, rest = (ROOT / name).read_text().partition(begin)
    _old, found_end, tail = rest.partition(end)
    if not (found_begin and found_end):
        sys.exit(f"{name} lacks the markers {begin.strip()!r} and {end.strip()!r}")
    return head + begin + text + end + tail


LINE_LENGTH = 120
LOCK = "images/simulators/requirements.lock"
TARGETS: dict[str, Callable[[], str]] = {
    "gateway/circuit/builder.py": builder,
    "compose.yaml": compose,
    "README.md": readme,
    "pyproject.toml": pyproject,
}


def main() -> int:
    """Write or check every target; the exit status is the number of stale ones when checking."""
    check = "--check" in sys.argv[1:]
    stale = 0
    for name, render in TARGETS.items():
        path, text = ROOT / name, render()
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'wrote'}: {name}")
        if not check:
            path.write_text(text)
    return stale if check else 0


if __name__ == "__main__":
    sys.exit(main())
