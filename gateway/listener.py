"""Opens the socket that a server listens on before the server starts, so that a taken port is reported at once."""

from __future__ import annotations

import errno
import socket

from gateway.errors import ServerStartError


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 lets the system choose one.

    Raises:
        ServerStartError: the port is taken, or this machine does not have the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(socket.SOMAXCONN)
    except (OSError, OverflowError) as exc:
        listener.close()
        if isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE:
            advice = f"port {port} of {host} is taken: stop what uses it, or choose another port (0 finds a free one)"
        else:
            advice = f"cannot listen on {host}:{port}: {getattr(exc, 'strerror', None) or exc}"
        raise ServerStartError(advice) from exc
    return listener
