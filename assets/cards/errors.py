"""What can be wrong with a file that is offered as a character card."""

from __future__ import annotations

from metadata.errors import InvalidError, UnsupportedError


class NotACardError(UnsupportedError):
    """The file is something else: an ordinary picture, a lorebook, any other file. Nothing is wrong with it."""


class DamagedCardError(InvalidError):
    """The file holds a card, or says so, and it cannot be read."""
