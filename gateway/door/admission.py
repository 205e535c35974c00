"""Decides who is let in with a request that is answered on the event loop, as the application does for all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.server.access.authentication import Authentication, token_in
from gateway.server.access.web_pages import WebGuard

if TYPE_CHECKING:
    from gateway.jobs.manager import Caller
    from gateway.server.http.exchange import Scope

_LOOKED_AT = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest")


@dataclass(frozen=True, slots=True)
class Admission:
    """Lets callers in by the rules of the application.

    Args:
        authentication: decides whose tokens are let in.
        web_pages: decides which web pages and host names are let in.
    """

    authentication: Authentication
    web_pages: WebGuard

    def admit(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        """Return the sender of a request.

        Raises:
            GatewayError: they are not let in.
        """
        environ = {
            "REQUEST_METHOD": scope["method"],
            "PATH_INFO": scope["raw_path"].partition(b"?")[0].decode("latin-1"),
        }
        for key in _LOOKED_AT:
            if key in headers:
                environ["HTTP_" + key.decode().upper().replace("-", "_")] = headers[key].decode("latin-1")
        self.web_pages.check(environ)
        token = token_in(headers.get(b"authorization", b"").decode("latin-1"))
        return self.authentication.authenticate(token, (scope["client"] or ("",))[0])
