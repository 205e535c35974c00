"""Who is let in, and what a request may not exceed: decided here for every protocol a server speaks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass, field

from gateway.circuit import Limits
from gateway.errors import AuthenticationError, LimitError, RequestError
from gateway.protocol.messages import RunRequest, ServerLimits


@dataclass(frozen=True, slots=True)
class Admission:
    """The door of one server.

    Args:
        limits: what a request may not exceed.
        token_digests: SHA-256, in hex, of the tokens that are let in; empty lets everybody in.
    """

    limits: ServerLimits = field(default_factory=ServerLimits)
    token_digests: Collection[str] = ()

    @property
    def guarded(self) -> bool:
        """Whether a token is wanted."""
        return bool(self.token_digests)

    @property
    def circuit_limits(self) -> Limits:
        """How large a circuit may be."""
        limits = self.limits
        return Limits(limits.max_qubits, limits.max_clbits, limits.max_operations, text_bytes=limits.max_body_bytes)

    def authenticate(self, token: str | None) -> None:
        """Let a token in if its digest is one of ours, compared in constant time.

        Raises:
            AuthenticationError: it is missing or wrong.
        """
        if not self.guarded:
            return
        if token is None:
            raise AuthenticationError("this server wants a token: send 'Authorization: Bearer TOKEN'")
        digest = hashlib.sha256(token.encode()).hexdigest()
        if not any([hmac.compare_digest(digest, known) for known in self.token_digests]):  # noqa: C419 - all of them, in constant time
            raise AuthenticationError("the token is wrong")

    def check(self, message: RunRequest) -> float:
        """Hold a request to the limits that need no parsing; return its deadline in seconds.

        Raises:
            RequestError, LimitError: it is refused.
        """
        circuits = message.circuit_list()
        if not circuits:
            raise RequestError("the list of circuits is empty", field="circuits")
        for limit, requested, allowed in (
            ("max_circuits", len(circuits), self.limits.max_circuits),
            ("max_shots", max([shots or 0 for shots in message.shots_list()]), self.limits.max_shots),
            ("timeout_s", message.timeout_s or 0, self.limits.timeout_s),
        ):
            if requested > allowed:
                raise LimitError(
                    f"{limit} is {allowed:,}; {requested:,} were asked for",
                    limit=limit,
                    requested=requested,
                    allowed=allowed,
                )
        return message.timeout_s or self.limits.timeout_s
