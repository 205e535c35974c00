"""Who is let in, and what a request may not exceed: decided here for every protocol a server speaks."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.circuit import Limits
from gateway.errors import AuthenticationError, LimitError, RequestError
from gateway.jobs.manager import Caller
from gateway.protocol.messages import RunRequest, ServerLimits
from gateway.server.access.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Admission:
    """The door of one server.

    Args:
        limits: what a request may not exceed.
        tokens: which are let in; none at all lets everybody in.
    """

    limits: ServerLimits = field(default_factory=ServerLimits)
    tokens: Tokens = field(default_factory=Tokens)

    @property
    def guarded(self) -> bool:
        """Whether a token is wanted."""
        return bool(self.tokens)

    @property
    def circuit_limits(self) -> Limits:
        """How large a circuit may be."""
        limits = self.limits
        return Limits(limits.max_qubits, limits.max_clbits, limits.max_operations, text_bytes=limits.max_body_bytes)

    def authenticate(self, token: str | None, address: str = "") -> Caller:
        """Return who asks: the holder of a token that is let in, or where none is wanted, an address.

        Raises:
            AuthenticationError: the token is missing or wrong.
        """
        if not self.guarded:
            return Caller("", address, token)
        if token is None:
            raise AuthenticationError("this server wants a token: send 'Authorization: Bearer TOKEN'")
        holder = self.tokens.holder(token)
        if holder is None:
            raise AuthenticationError("the token is wrong")
        return Caller(holder, holder, token)

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
