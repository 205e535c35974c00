"""What stands behind ``POST /v1/circuits``: what a text is, what is wrong with it, and what it would cost.

Texts come from anybody, and some take for ever to read. They are looked at in processes that can be killed
(:mod:`~gateway.door.circuits.looking`), never in the one that answers requests.
"""

from __future__ import annotations

from gateway.door.circuits.looking import Circuits

__all__ = ["Circuits"]
