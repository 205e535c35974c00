"""Imports a simulator in the fork server, which loads this module before it starts the first worker.

The fork server itself passes over a module that is not there, and ends at any other failure. Here every failure is
passed over.
"""

from __future__ import annotations

import os

from gateway.simulators import import_ahead

VARIABLE = "GATEWAY_PRELOAD"
"""The variable of the environment that names the module; the fork server takes nothing else along."""

if module := os.environ.get(VARIABLE):
    import_ahead(module)
