"""Turns the token of a request into its caller, in the same way for every interface of a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.errors import AuthenticationError
from gateway.jobs.manager import Caller
from gateway.server.access.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Authentication:
    """Turns tokens into callers.

    Args:
        tokens: the tokens that are let in; without any, everybody is.
    """

    tokens: Tokens = field(default_factory=Tokens)

    @property
    def required(self) -> bool:
        """Whether a request needs a token."""
        return bool(self.tokens)

    def authenticate(self, token: str | None, address: str = "") -> Caller:
        """Return the holder of a token or, on a server that needs none, a caller named by their address.

        Raises:
            AuthenticationError: the token is missing or wrong.
        """
        if not self.required:
            return Caller("", address, token)
        if token is None:
            raise AuthenticationError("this server wants a token: send 'Authorization: Bearer TOKEN'")
        holder = self.tokens.holder(token)
        if holder is None:
            raise AuthenticationError("the token is wrong")
        return Caller(holder, holder, token)
