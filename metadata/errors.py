"""Our kinds of error: one root, one class per kind, nothing about HTTP or exit codes.

`server/errors.py` holds the one table from these kinds to HTTP status and exit code. A message is written for a
person and says what to do; `details` carries the numbers (with units in their names) and names that a program needs.
"""

from __future__ import annotations

from typing import ClassVar


class CalotypeError(Exception):
    """The root of every error Calotype raises on purpose.

    Attributes:
        kind: the stable name of the kind, used in problem types and in `--json` output.
        message: a sentence for a person.
        details: members that help a program, such as `limit`, `actual`, `field`, `setting`.
    """

    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InternalError(CalotypeError):
    """Something that cannot happen happened; the message is for the log only."""


class NotFoundError(CalotypeError):
    """The thing asked for does not exist, or is not the caller's: one answer for both."""

    kind = "not-found"


class ConflictError(CalotypeError):
    """The request is sound but collides with what is stored: a unique key, a referrer, a digest."""

    kind = "conflict"


class StaleError(CalotypeError):
    """The expected version is not the current one: somebody else wrote in between."""

    kind = "stale"


class InvalidError(CalotypeError):
    """The input breaks a rule; `details["field"]` names the member where there is one."""

    kind = "invalid"


class TooLargeError(CalotypeError):
    """The input is over a limit; `limit`, `actual` and `setting` say which."""

    kind = "too-large"


class UnsupportedError(CalotypeError):
    """The kind of input is not one this operation works on."""

    kind = "unsupported"


class UnauthenticatedError(CalotypeError):
    """No credentials, or credentials that are wrong, expired or revoked."""

    kind = "unauthenticated"


class DeniedError(CalotypeError):
    """The caller is known but may not do this."""

    kind = "denied"


class ThrottledError(CalotypeError):
    """Too many failures from one place; `retryAfterSeconds` says when to come back."""

    kind = "throttled"


class UnreadableError(CalotypeError):
    """A file is there but cannot be read or makes no sense; it is never taken for absent or empty."""

    kind = "unreadable"


class UnwrittenError(UnreadableError):
    """A file could not be written, or the disk did not confirm it: whatever was asked for has not happened."""

    kind = "unwritten"


class BusyError(CalotypeError):
    """A lock was not free in time; `path` and, where known, `pid` name it and its holder."""

    kind = "busy"


class FullError(CalotypeError):
    """No room: the disk's free floor or the store's size limit is reached."""

    kind = "full"
