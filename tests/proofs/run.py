"""Runs the proofs of what the comparison promises: ``scripts/prove``.

Each module beside this one has ``main(argv)``, which prints a table of what it measured, and returns 0 if all holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module

PROOFS = ("calibration", "power", "diagnosis", "reproducer", "real-faults")


def main(argv: list[str]) -> int:
    """Run the proof that is named first, or all of them, and return the exit status."""
    if argv and argv[0] in PROOFS:
        return _proof(argv[0])(argv[1:])
    if any(not word.startswith("-") for word in argv[:1]):
        print(f"prove: there is no proof {argv[0]!r}; there are {', '.join(PROOFS)}", file=sys.stderr)
        return 2
    return max(_run(name, argv) for name in PROOFS)


def _run(name: str, argv: list[str]) -> int:
    print(f"\n== {name}", flush=True)
    return _proof(name)(argv)


def _proof(name: str) -> Callable[[list[str]], int]:
    main_of_proof: Callable[[list[str]], int] = import_module(f"proofs.{name.replace('-', '_')}").main
    return main_of_proof


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
