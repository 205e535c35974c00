"""Proves the comparison on real faults: released simulators with known wrong results are caught, named and reduced.

Each runs in an environment of its own, made from a lock, behind a server of its own, as a stranger would offer it. It
gets an ordinary circuit, and is compared with our exact simulator and with a simulator that is right.
"""

from proofs.real_faults.proof import main

__all__ = ["main"]
