"""Turns the token of a request into its caller, in the same way for every interface of a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.errors import AuthenticationError
from gateway.jobs.manager import Caller
from gateway.rights import USUAL_RIGHTS
from gateway.server.access.door_key import DoorKey, caller_of
from gateway.server.access.tokens import Tokens

DOOR = "(door)"
"""The name of the door itself; no token's holder can have it."""


def token_in(authorization: str) -> str | None:
    """Return the token in the header ``Authorization``, ``None`` if the header is empty.

    Raises:
        AuthenticationError: the header has another form.
    """
    kind, _, token = authorization.partition(" ")
    if not kind:
        return None
    if kind.lower() != "bearer" or not token.strip():
        raise AuthenticationError("send the token as 'Authorization: Bearer TOKEN'")
    return token.strip()


@dataclass(frozen=True, slots=True)
class Authentication:
    """Turns tokens into callers.

    Args:
        tokens: the tokens that are let in; without any, everybody is.
        door_key: tells the door's requests from others; ``None`` where no door asks.
    """

    tokens: Tokens = field(default_factory=Tokens)
    door_key: DoorKey | None = None

    @property
    def required(self) -> bool:
        """Whether a request needs a token."""
        return bool(self.tokens)

    def authenticate(self, token: str | None, address: str = "", on_behalf_of: str | None = None) -> Caller:
        """Return the holder of a token or, on a server that needs none, a caller named by their address.

        Args:
            token: the token of the request.
            address: where the request comes from.
            on_behalf_of: the caller whom the door names in the header ``Gateway-Caller``; anybody else's is ignored.

        Raises:
            AuthenticationError: the token is missing or wrong.
            RequestError: the door names somebody who cannot exist.
        """
        if token is not None and self.door_key is not None and self.door_key.matches(token):
            return self._asked_for(on_behalf_of)
        if not self.required:
            return Caller("", address, token)
        if token is None:
            raise AuthenticationError("this server wants a token: send 'Authorization: Bearer TOKEN'")
        holder = self.tokens.find(token)
        if holder is None:
            raise AuthenticationError("the token is wrong")
        return Caller(holder.name, holder.name, token, holder.rights)

    def _asked_for(self, header: str | None) -> Caller:
        """Return for whom the door asks; where tokens are needed, the door itself may look and run nothing."""
        name = DOOR if header is None else caller_of(header)
        if not self.required:
            return Caller("", name)
        return Caller(name, name, None, frozenset() if header is None else USUAL_RIGHTS)
