"""What answers questions inside a worker process, so that whoever asks can kill it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence

from gateway.errors import GatewayError, OutOfMemory
from gateway.execution.content import Content
from gateway.execution.runner import Answer
from gateway.protocol import problem
from gateway.protocol.encodings import Encoding

log = logging.getLogger("gateway")

_OK = 200


class Desk(ABC):
    """Answers one question after the other. Its module imports all that it needs before the first one comes."""

    @abstractmethod
    def answer(self, question: bytes) -> Content:
        """Return the answer to a question.

        Raises:
            GatewayError: there is none.
        """

    def describe(self) -> Answer:
        """Say that this process is ready."""
        return Answer(_OK, b"")

    def run(
        self,
        body: bytes,
        token: str | None,  # noqa: ARG002 - nothing is done on behalf of anybody
        queue_s: float = 0.0,  # noqa: ARG002 - nor does anybody ask how long it waited
        encoding: Encoding = Encoding.JSON,  # noqa: ARG002 - what asks knows what it gets
    ) -> Answer:
        """Return the answer to a question, or the problem with it."""
        try:
            return Answer(_OK, self.answer(body))
        except GatewayError as error:
            failure = error
        except MemoryError:
            failure = OutOfMemory("memory ran out")
        except Exception as exc:
            log.exception("a question could not be answered")
            failure = GatewayError(f"it failed unexpectedly: {type(exc).__name__}; the door's log says more")
        return Answer(failure.status, problem.dump(failure))

    def undo(self, names: Sequence[str]) -> Answer:  # noqa: ARG002 - it starts nothing
        """Do nothing."""
        return Answer(_OK, b"")
