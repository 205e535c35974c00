"""Tells failures to store that may pass from those that never do."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import exc as alchemy

from gateway.errors import GatewayError, JobStoreError, LimitError

_NEVER_PASS = (alchemy.DataError, alchemy.IntegrityError, alchemy.NotSupportedError)
"""What a database says about a value, and will say again; about itself it says other things."""

_TOO_LARGE_FOR_POSTGRESQL = ("54", "XX000")
"""Beginnings of the codes of a limit of PostgreSQL's, and of a request for more memory than it ever gives."""


class NeverStored(JobStoreError):  # noqa: N818 - the name states a fact
    """Something can never be stored, however often that is tried.

    Args:
        reason: the error that takes its place.
    """

    def __init__(self, reason: GatewayError) -> None:
        super().__init__(reason.message)
        self.reason = reason


@contextlib.contextmanager
def named_if_final(what: str, size: int, limit: str) -> Iterator[None]:
    """Raise :class:`NeverStored` for a failure to store that does not pass, and any other failure as it is.

    Args:
        what: what is stored, as the subject of a sentence.
        size: its number of bytes.
        limit: the limit that is exceeded where it is too large.
    """
    try:
        yield
    except NeverStored:
        raise
    except (OverflowError, MemoryError) as exc:
        raise NeverStored(_too_large(what, size, limit, exc)) from exc
    except (JobStoreError, alchemy.IntegrityError) as exc:
        cause = exc if isinstance(exc, alchemy.IntegrityError) else exc.__cause__
        reason = _reason(cause, what, size, limit)
        if reason is None:
            raise
        raise NeverStored(reason) from exc


def _reason(error: BaseException | None, what: str, size: int, limit: str) -> GatewayError | None:
    """Return the error that takes the place of what failed to be stored, ``None`` if the failure may pass."""
    if not isinstance(error, alchemy.StatementError):
        return None
    original = error.orig
    code = str(getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or "")
    if code == "SQLITE_TOOBIG" or code.startswith(_TOO_LARGE_FOR_POSTGRESQL):
        return _too_large(what, size, limit, original)
    if isinstance(error, _NEVER_PASS) or not isinstance(error, alchemy.DBAPIError):
        return JobStoreError(f"{what} cannot be stored: the job database refuses it ({original})")
    return None


def _too_large(what: str, size: int, limit: str, error: BaseException | None) -> LimitError:
    detail = str(error) or type(error).__name__
    return LimitError(
        f"{what} has {size:,} bytes, more than the job database can take ({detail}): ask for less",
        limit=limit,
        requested=size,
    )
