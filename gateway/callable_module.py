"""Makes a module callable, so that one word of the public interface is both a function and the home of its parts.

``gateway.simulators`` is the module with the registry, and ``gateway.simulators()`` lists the simulators. Python looks
up ``__call__`` in the class of an object and not in the object itself, and lets a module change its class, so a module
that wants this sets it as its last statement::

    make_callable(__name__)
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallableModule(ModuleType):
    """A module whose call is that of the function in it that has its name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the function takes and returns
        """Call the function."""
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def make_callable(name: str) -> None:
    """Make a module that is being imported callable; its function may be one that it loads when it is first used."""
    sys.modules[name].__class__ = CallableModule
