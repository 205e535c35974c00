"""Example calls of endpoints, with curl and in Python, which work as they stand once they are pasted."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from gateway.protocol.endpoints import EXAMPLE, WAIT_S, Endpoint
from gateway.protocol.openapi import Api

TOKEN_VARIABLE = "GATEWAY_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable from which examples take the token."""

CLIENT = "Python, with the package simulator-gateway"
"""What the program with our client is called."""

_WAITED_S = 60
_CREATED_BY = {"job_id": ("submit", "JOB"), "comparison_id": ("compare", "COMPARISON")}
"""Name of an id in a path -> the operation whose answer has such an id, and what the examples call it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Makes the examples for one server.

    Args:
        api: what the server answers.
        url: where it is.
        needs_token: whether it demands tokens.
        simulator: the name of a simulator, where it has several.
    """

    api: Api
    url: str
    needs_token: bool = False
    simulator: str = "qulacs"

    def curl(self, row: Endpoint) -> str:
        """Return a call of an endpoint for a POSIX shell."""
        lines = []
        ids: dict[str, str] = {}
        for name, created in self._made_before(row):
            variable = _CREATED_BY[name][1]
            ids[name] = f"${variable}"
            first = self._curl_line(created, {})
            lines.append(f"""{variable}=$({first} | sed 's/^{{"id":"\\([^"]*\\)".*/\\1/')""")
            if (after := self._waits_for(row, name)) is not None:
                lines.append(f"{self._curl_line(after, ids)} > /dev/null")
        return "\n".join([*lines, self._curl_line(row, ids)])

    def python(self, row: Endpoint) -> str:
        """Return a call of an endpoint in Python, with the package requests."""
        imports, lines = ["import requests"], []
        if self._sends_token(row):
            imports = ["import os", "", *imports]
            lines.append(f'headers = {{"Authorization": f"Bearer {{os.environ[\'{TOKEN_VARIABLE}\']}}"}}')
        ids: dict[str, str] = {}
        for name, created in self._made_before(row):
            variable = _CREATED_BY[name][1].lower()
            ids[name] = f"{{{variable}}}"
            lines += [_python_body(created), f'{variable} = {self._python_call(created, {})}.json()["id"]']
            if (after := self._waits_for(row, name)) is not None:
                lines.append(self._python_call(after, ids))
        if row.example is not None:
            lines.append(_python_body(row))
        lines.append(f"answer = {self._python_call(row, ids)}")
        lines.append(f"print(answer.{'json()' if row.media_type == 'application/json' else 'text'})")
        return "\n".join([*imports, "", *lines])

    def client(self) -> str:
        """Return a program with the client of this package, which takes the token from the same variable."""
        return self.api.client.format(url=self.url, simulator=json.dumps(self.simulator), circuit=repr(EXAMPLE))

    def _made_before(self, row: Endpoint) -> list[tuple[str, Endpoint]]:
        """Return what has to be there before a call, as the name of its id, and the endpoint that makes it."""
        prefix, rows = ("simulator-", self.api.relayed) if self._is_relayed(row) else ("", self.api.endpoints)
        return [
            (name, rows[prefix + _CREATED_BY[name][0]])
            for name in re.findall(r"{(\w+)}", row.path)
            if name in _CREATED_BY
        ]

    def _waits_for(self, row: Endpoint, name: str) -> Endpoint | None:
        """Return the endpoint that waits for the end of something, if a call is about what there is only afterwards."""
        if _waits(row) or row.path.endswith(f"{{{name}}}"):
            return None
        rows = (self.api.relayed if self._is_relayed(row) else self.api.endpoints).values()
        whole = row.path[: row.path.index(f"{{{name}}}")] + f"{{{name}}}"
        return next(each for each in rows if each.path == whole and each.method == "GET")

    def _is_relayed(self, row: Endpoint) -> bool:
        return row.operation in self.api.relayed

    def _address(self, row: Endpoint, ids: Mapping[str, str]) -> str:
        path = row.path
        for name, value in {"name": quote(self.simulator, safe=""), "position": "0", "format": "svg", **ids}.items():
            path = path.replace(f"{{{name}}}", value)
        return f"{self.url}{path}{f'?{WAIT_S.name}={_WAITED_S}' if _waits(row) else ''}"

    def _curl_line(self, row: Endpoint, ids: Mapping[str, str]) -> str:
        address = self._address(row, ids)
        parts = ["curl -s", f'"{address}"' if ids else shlex.quote(address)]
        if self._sends_token(row):
            parts.append(f'-H "Authorization: Bearer ${TOKEN_VARIABLE}"')
        if row.example is not None:
            parts.append(f"-H 'Content-Type: application/json' -d {shlex.quote(json.dumps(row.example))}")
        elif row.method == "POST":
            parts.append("-d ''")  # else curl would not say that there is no body
        elif row.method != "GET":
            parts.append(f"-X {row.method}")
        return " ".join(parts)

    def _python_call(self, row: Endpoint, ids: Mapping[str, str]) -> str:
        address = self._address(row, ids)
        arguments = [f'f"{address}"' if ids else f'"{address}"']
        if row.example is not None:
            arguments.append("json=body")
        if self._sends_token(row):
            arguments.append("headers=headers")
        return f"requests.{row.method.lower()}({', '.join(arguments)}, timeout={2 * _WAITED_S})"

    def _sends_token(self, row: Endpoint) -> bool:
        return self.needs_token and row.needs_token


def _waits(row: Endpoint) -> bool:
    return any(parameter.name == WAIT_S.name for parameter in row.parameters)


def _python_body(row: Endpoint) -> str:
    fields = [f'    "{name}": {value!r},' for name, value in (row.example or {}).items()]
    return "\n".join(["body = {", *fields, "}"])
