"""``gateway list``: the simulators there are."""

from __future__ import annotations

import argparse
import json

from gateway.cli.tables import simulators
from gateway.simulators import SIMULATORS


def show(arguments: argparse.Namespace) -> int:
    """Print the registry, and which frameworks are installed."""
    rows = [
        {
            "name": row.name,
            "port": row.port,
            "installed": row.installed_version(),
            "extra": row.requirement,
            "summary": row.summary,
        }
        for row in SIMULATORS.values()
    ]
    print(json.dumps(rows, indent=2) if arguments.json else simulators(rows))
    return 0
