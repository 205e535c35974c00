"""Keeps the import paths of earlier versions working, with a warning that gives the new path."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Moved(ModuleType):
    """A module of an earlier version, whose names are now those of another module.

    Args:
        name: the whole old path.
        new: the module that has its names now.
    """

    def __init__(self, name: str, new: ModuleType) -> None:
        super().__init__(name, f"Moved to :mod:`{new.__name__}`.")
        self.__spec__ = ModuleSpec(name, loader=None)
        self.__new = new

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - what the name stands for
        """Return a name of the new module, with a warning.

        Raises:
            AttributeError: the new module does not have the name.
        """
        if name == "__all__":  # of ``from ... import *``, which then asks for each name
            return list(self.__new.__all__)
        if name.startswith("__"):  # the import system and inspection look for such names
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return moved(self.__name__, self.__new, name)

    def __dir__(self) -> list[str]:
        return dir(self.__new)


def moved(old: str, new: ModuleType, name: str) -> Any:  # noqa: ANN401 - what the name stands for
    """Return a name of a module, with a warning that gives its new path. An old module's ``__getattr__`` calls this."""
    try:
        value = getattr(new, name)
    except AttributeError:
        raise AttributeError(f"module {old!r} has no attribute {name!r}") from None
    warnings.warn(f"{old}.{name} is now {new.__name__}.{name}", DeprecationWarning, stacklevel=3)
    return value


def alias_submodules(package: str, rooms: Iterable[ModuleType]) -> None:
    """Make ``import package.NAME`` find the room of that name."""
    for room in rooms:
        name = room.__name__.rpartition(".")[2]
        module = Moved(f"{package}.{name}", room)
        sys.modules[module.__name__] = module
        setattr(sys.modules[package], name, module)
