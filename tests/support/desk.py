"""A desk that does what a question tells it, for tests of those who ask."""

from __future__ import annotations

import os
import time

from gateway.door import desk
from gateway.errors import RequestError
from gateway.execution.content import Content, PartsContent

NAME = f"{__name__}:Desk"


class Desk(desk.Desk):
    """Does what the question says."""

    def answer(self, question: bytes) -> Content:
        """Do it."""
        word, _, rest = question.partition(b" ")
        if word == b"refuse":
            raise RequestError(rest.decode())
        if word == b"fail":
            raise ZeroDivisionError(rest.decode())
        if word == b"exit":
            time.sleep(float(rest or 0))
            os._exit(3)
        if word == b"turn":
            while True:
                pass
        if word == b"hold":
            return bytes(int(rest))
        if word == b"large":
            return PartsContent([b"x" * int(rest)])
        return rest
