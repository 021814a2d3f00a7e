"""Identifiers as a collaborator: UUID version 4, lower case, with dashes."""

from __future__ import annotations

import uuid
from typing import Protocol


class Ids(Protocol):
    """Where new ids come from; tests bring their own."""

    def new(self) -> str:
        """Return an id that was never returned before."""


class RandomIds:
    """Random UUIDs from the operating system's generator."""

    def new(self) -> str:
        """Return a fresh UUID version 4."""
        return str(uuid.uuid4())
