"""What a room offers to the command that starts a server: its name, its options, its interface."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.errors import RequestError
from gateway.units import parse_switch

if TYPE_CHECKING:
    import msgspec

    from gateway.server.service import Interface


@dataclass(frozen=True, slots=True)
class Option:
    """An option of ``gateway serve``, which sets the setting of the same name.

    Args:
        flag: how the option is written on the command line.
        help: what the option does.
        kind: type of its value; ``bool`` for a switch.
        variable: the environment variable that sets it where the command line does not.
        for_one: whether it makes sense for a single simulator only, as a port does.
    """

    flag: str
    help: str
    kind: type[int | bool] = bool
    variable: str | None = None
    for_one: bool = False

    @property
    def setting(self) -> str:
        """The name of the setting."""
        return self.flag.lstrip("-").replace("-", "_")

    def declare(self, parser: argparse.ArgumentParser) -> None:
        """Add the option to a parser."""
        if self.kind is bool:
            parser.add_argument(self.flag, action="store_true", help=self._help)
        else:
            parser.add_argument(self.flag, type=self.kind, help=self._help)

    @property
    def _help(self) -> str:
        return self.help if self.variable is None else f"{self.help} (or {self.variable}=1)"

    def value(self, arguments: argparse.Namespace) -> int | bool | None:
        """Return the value from the command line or else from the environment, ``None`` if neither has one.

        Raises:
            RequestError: the variable is no word for a switch.
        """
        value: int | bool | None = getattr(arguments, self.setting)
        if value is not None and value is not False:
            return value
        text = os.environ.get(self.variable, "") if self.variable else ""
        if not text:
            return None
        switch = parse_switch(text)
        if switch is None:
            raise RequestError(f"{self.variable} must be true or false, not the text {text!r}", field=self.setting)
        return switch


class Room(Protocol):
    """A folder with one interface for older clients."""

    @property
    def name(self) -> str:
        """The name of the room, and of its folder."""

    @property
    def options(self) -> tuple[Option, ...]:
        """The options of ``gateway serve`` that set its settings."""

    @property
    def settings_type(self) -> type[msgspec.Struct]:
        """The type of its settings."""

    @property
    def internal(self) -> frozenset[str]:
        """The settings that are for programs, and that no hint names."""

    def open(self, settings: Mapping[str, object], host: str) -> Interface:
        """Return the interface; its sockets listen at an address already.

        Raises:
            RequestError: there is no such setting.
            ServerStartError: a port is taken.
        """
